"""Asks and usage records that the tests of spending share."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from darkroom.spending.bound import Ask
from darkroom.spending.catalogue import Catalogue, load_catalogue
from darkroom.spending.sizes import MAX_EDGE, STEP, BadSize, check_size
from darkroom.spending.tokens import output_tokens

Usage = Mapping[str, Any] | None

TODAY = date(2026, 11, 20)
OWN_TEXT = 512
"""Tokens that the Images API may put around a prompt."""

PRESENT_IMAGES = (
    "gpt-image-2",
    "gpt-image-2-2026-04-21",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-flare",
    "gpt-image-2.6-sunburst",
    "gpt-image-2.6-flare",
    "gpt-image-1.5",
    "gpt-image-1-mini",
)
PRESENT_HOSTS = ("gpt-5.6-luna", "gpt-6-luna", "gpt-6.1-terra")


def ask(**changes: Any) -> Ask:
    """A plain call for one 1024x1024 picture of medium quality, with some fields changed."""
    plain: dict[str, Any] = {
        "image_model": "gpt-image-2-2026-04-21",
        "host_model": "gpt-5.6-luna",
        "width": 1024,
        "height": 1024,
        "quality": "medium",
        "prompt_bytes": 90,
        "instruction_bytes": 600,
        "input_pictures": 0,
        "max_output_tokens": 2_000,
        "today": TODAY,
    }
    return Ask(**{**plain, **changes})


CATALOGUE = load_catalogue()
HOSTS = (*PRESENT_HOSTS, None)
SIDES = st.integers(37, MAX_EDGE // STEP).map(lambda steps: steps * STEP)
FLEXIBLE = st.one_of(
    st.sampled_from(((1024, 1024), (1536, 1024), (2048, 2048), (3840, 2160), (1776, 592))),
    st.tuples(SIDES, SIDES).filter(lambda size: is_legal(*size)),
)


def is_legal(width: int, height: int) -> bool:
    """Whether a model of free sizes paints that one."""
    try:
        check_size(CATALOGUE.image("gpt-image-2"), width, height)
    except BadSize:
        return False
    return True


@st.composite
def asks(draw: st.DrawFn, catalogue: Catalogue = CATALOGUE) -> Ask:
    """Any call that could be made: every priced model with its sizes and qualities, with references, in a
    conversation or not, conversations beyond the long-context limit included."""
    model = catalogue.image(draw(st.sampled_from(PRESENT_IMAGES)))
    sizes = FLEXIBLE if model.flexible_sizes else st.sampled_from(model.fixed_sizes)
    width, height = draw(sizes)
    return Ask(
        image_model=model.id,
        host_model=draw(st.sampled_from(HOSTS)),
        width=width,
        height=height,
        quality=draw(st.sampled_from((*model.qualities, "auto"))),
        prompt_bytes=draw(st.integers(0, 32_000)),
        instruction_bytes=draw(st.integers(0, 10_000)),
        input_pictures=draw(st.integers(0, 16)),
        max_output_tokens=draw(st.integers(0, 10_000)),
        today=TODAY,
        parent_host_tokens=draw(st.one_of(st.integers(0, 20_000), st.integers(0, 600_000))),
        chain_pictures=draw(st.integers(0, 20)),
        partial_images=draw(st.integers(0, 3)),
        picture_certain=draw(st.booleans()),
    )


@st.composite
def usages(draw: st.DrawFn, call: Ask, catalogue: Catalogue) -> tuple[Usage, Usage]:
    """Any usage of the host and of the image model that keeps to the documented ceilings of a call, details
    present or not, or missing, or nonsense. At its ceilings more often than by chance."""
    return (
        draw(st.one_of(_host_usages(call, catalogue), st.none(), st.just({"input_tokens": -1}))),
        draw(st.one_of(_image_usages(call, catalogue), st.none(), st.just({"output_tokens": "7"}))),
    )


@st.composite
def _image_usages(draw: st.DrawFn, call: Ask, catalogue: Catalogue) -> dict[str, Any]:
    model = catalogue.image(call.image_model)
    pictures = call.input_pictures + call.chain_pictures
    # Whoever asks for "auto" may get any quality of the family, whatever the model is allowed here.
    free = replace(model, qualities=model.tokens.qualities)
    qualities = model.tokens.qualities if call.quality == "auto" else (call.quality,)
    picture = output_tokens(free, call.width, call.height, draw(st.sampled_from(qualities)))
    painted = draw(_up_to(picture + model.tokens.partial_image_tokens * call.partial_images))
    written = draw(_up_to(model.tokens.text_output_ceiling))
    added = OWN_TEXT if call.host_model is None else call.max_output_tokens
    text = draw(_up_to(call.prompt_bytes + added))
    seen = draw(_up_to(pictures * model.tokens.input_picture_ceiling))
    image: dict[str, Any] = {"output_tokens": painted + written, "input_tokens": text + seen}
    if draw(st.booleans()):
        image["output_tokens_details"] = {"image_tokens": painted, "text_tokens": written}
    if draw(st.booleans()):
        image["input_tokens_details"] = {"text_tokens": text, "image_tokens": seen}
        image["cached_tokens"] = draw(_up_to(text + seen))
    if draw(st.booleans()):
        image["cached_tokens"] = draw(_up_to(text + seen))
    return image


@st.composite
def _host_usages(draw: st.DrawFn, call: Ask, catalogue: Catalogue) -> dict[str, Any]:
    family = catalogue.image(call.image_model).tokens
    pictures = (call.input_pictures + call.chain_pictures) * family.input_picture_ceiling
    text = call.parent_host_tokens + call.prompt_bytes + call.instruction_bytes
    given_tokens = draw(_up_to(text + family.tool_ceiling + pictures))
    cached = draw(_up_to(given_tokens))
    writes = draw(_up_to(given_tokens - cached))
    details: dict[str, Any] = {"cached_tokens": cached, "cache_write_tokens": writes}
    if draw(st.booleans()):
        long = draw(_up_to(writes))
        details["cache_write_tokens_details"] = {"ttl_12h_tokens": long, "ttl_30m_tokens": writes - long}
    return {
        "input_tokens": given_tokens,
        "input_tokens_details": draw(st.sampled_from((details, None))),
        "output_tokens": draw(_up_to(call.max_output_tokens)),
    }


def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.one_of(st.just(most), st.just(0), st.integers(0, most))
