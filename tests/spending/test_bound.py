import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.bound import Ask, ask_data, ask_from, bound, estimate
from darkroom.spending.catalogue import (
    Catalogue,
    CatalogueProblem,
    LongContext,
    load_catalogue,
    price_key,
)
from darkroom.spending.classes import HOST_CLASSES, HOST_INPUTS, IMAGE_CLASSES, IMAGE_INPUTS, TokenClass
from darkroom.spending.cost import MODERATED, charge
from darkroom.spending.sizes import BadSize
from darkroom.spending.tokens import BadQuality, output_tokens
from tests.spending.asks import OWN_TEXT, PRESENT_HOSTS, PRESENT_IMAGES, TODAY, Usage, ask, asks, usages

CATALOGUE = load_catalogue()


def test_the_bound_of_a_plain_call_is_the_sum_of_its_ceilings() -> None:
    """Text at the rate of pictures, a medium square, host input as cache writes, all of the output."""
    cost = bound(ask(), CATALOGUE)
    assert {line.token_class: line.tokens for line in cost.lines} == {
        TokenClass.text_input: 90 + 2_000,
        TokenClass.image_output: 1_756,
        TokenClass.host_input: 90 + 600 + 3_000,
        TokenClass.host_output: 2_000,
    }
    assert cost.total_nano_usd == 2_090 * 8_000 + 1_756 * 30_000 + 3_690 * 250 + 2_000 * 1_200


def test_pictures_and_partials_and_the_conversation_raise_the_bound() -> None:
    more = bound(
        ask(input_pictures=2, chain_pictures=3, partial_images=3, parent_host_tokens=5_000), CATALOGUE
    )
    assert more.line_of(TokenClass.image_input).tokens == 5 * 1_536
    assert more.line_of(TokenClass.image_output).tokens == 1_756 + 300
    assert more.line_of(TokenClass.host_input).tokens == 3_690 + 5 * 1_536 + 5_000


def test_the_images_endpoint_has_no_host_in_its_bound() -> None:
    """Nobody rewrites the prompt: however much a host might write, it adds nothing."""
    cost = bound(ask(host_model=None, input_pictures=2), CATALOGUE)
    assert not {line.token_class for line in cost.lines} & set(HOST_CLASSES)
    assert cost.line_of(TokenClass.text_input).tokens == 90 + OWN_TEXT
    assert cost.line_of(TokenClass.image_input).tokens == 2 * 1_536
    assert cost == bound(ask(host_model=None, input_pictures=2, max_output_tokens=0), CATALOGUE)
    likely = estimate(ask(host_model=None, input_pictures=2), CATALOGUE)
    assert likely.line_of(TokenClass.text_input).tokens == 30


def test_a_bound_that_may_cross_the_long_context_limit_is_priced_above_it() -> None:
    """Terra writes its cache for 2.50 at most, doubled above 272,000 tokens; output one and a half times."""
    ours = {"host_model": "gpt-6.1-terra", "prompt_bytes": 0, "instruction_bytes": 0}
    at = bound(ask(parent_host_tokens=269_000, **ours), CATALOGUE)
    above = bound(ask(parent_host_tokens=269_001, **ours), CATALOGUE)
    costs = [{line.token_class: line.charged_nano_usd for line in cost.lines} for cost in (at, above)]
    assert [c[TokenClass.host_input] for c in costs] == [272_000 * 2_500, 272_001 * 5_000]
    assert [c[TokenClass.host_output] for c in costs] == [2_000 * 5_000, 2_000 * 7_500]


@given(asks())
def test_the_estimate_never_exceeds_the_bound(call: Ask) -> None:
    assert estimate(call, CATALOGUE).total_nano_usd <= bound(call, CATALOGUE).total_nano_usd


RATES = st.integers(1, 40_000).map(Fraction) | st.fractions(Fraction(1, 1000), 40_000, max_denominator=1000)


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """The shipped models at any prices: cached tokens dearer than plain ones, long cache writes cheaper than
    short ones, text dearer than pictures, models that may not use every quality."""

    image = {token_class: draw(RATES) for token_class in IMAGE_CLASSES}
    host = {token_class: draw(RATES) for token_class in HOST_CLASSES}
    text_output, cache_write_12h = draw(st.none() | RATES), draw(st.none() | RATES)
    factors = [draw(st.fractions(1, 3, max_denominator=10)) for _ in range(2)]
    long = draw(st.sampled_from((None, LongContext(draw(st.integers(1, 400_000)), *factors))))
    known = draw(st.integers(1, 5))
    return replace(
        CATALOGUE,
        images={
            name: replace(
                model,
                prices=tuple(replace(p, rates=image, text_output=text_output) for p in model.prices),
                qualities=model.qualities[:known],
            )
            for name, model in CATALOGUE.images.items()
        },
        hosts={
            name: replace(
                model,
                prices=tuple(
                    replace(p, rates=host, cache_write_12h=cache_write_12h, long_context=long)
                    for p in model.prices
                ),
            )
            for name, model in CATALOGUE.hosts.items()
        },
    )


@st.composite
def calls(draw: st.DrawFn, books: st.SearchStrategy[Catalogue]) -> tuple[Catalogue, Ask, Usage, Usage]:
    """A catalogue, a call by it, and usage that the API could report for that call."""
    catalogue = draw(books)
    call = draw(asks(catalogue))
    return catalogue, call, *draw(usages(call, catalogue))


def checked(
    catalogue: Catalogue, call: Ask, host: Any, image: Any, *, picture_made: bool, moderated: bool
) -> None:
    """No more is charged than was held, and the classes are disjoint: they add up to what was reported."""
    charged = charge(
        host,
        image,
        ask=call,
        catalogue=catalogue,
        image_model=call.image_model,
        host_model=call.host_model,
        picture_made=picture_made,
        moderated=moderated,
    )
    assert charged.cost.total_nano_usd <= bound(call, catalogue).total_nano_usd
    if not charged.flags - {MODERATED}:

        def seen(token_class: TokenClass) -> int:
            return charged.cost.line_of(token_class).tokens

        if image is not None:
            assert sum(map(seen, IMAGE_INPUTS)) == image["input_tokens"]
            assert seen(TokenClass.image_output) == image["output_tokens"]
        if host is not None and call.host_model is not None:
            assert sum(map(seen, HOST_INPUTS)) == host["input_tokens"]
            assert seen(TokenClass.host_output) == host["output_tokens"]


@given(calls(st.just(CATALOGUE)), st.booleans(), st.booleans())
def test_no_usage_that_the_api_could_report_costs_more_than_the_hold(
    drawn: tuple[Catalogue, Ask, Any, Any], picture_made: bool, moderated: bool
) -> None:
    """For every model, size, quality, number of references, length of conversation and host."""
    checked(*drawn, picture_made=picture_made, moderated=moderated)


@given(calls(catalogues()), st.booleans(), st.booleans())
def test_nor_does_it_at_any_prices_that_an_operator_may_write(
    drawn: tuple[Catalogue, Ask, Any, Any], picture_made: bool, moderated: bool
) -> None:
    checked(*drawn, picture_made=picture_made, moderated=moderated)


@pytest.mark.parametrize("host", [*PRESENT_HOSTS, None])
@pytest.mark.parametrize("model", PRESENT_IMAGES)
def test_a_call_at_every_ceiling_at_once_costs_no_more_than_the_hold(model: str, host: str | None) -> None:
    """The dearest call: all input as pictures and written to the cache for twelve hours, long, every partial
    image, all the output that is allowed."""
    known = CATALOGUE.image(model)
    for width, height in known.fixed_sizes if not known.flexible_sizes else ((1024, 1024), (2048, 2048)):
        for quality in (*known.qualities, "auto"):
            call = ask(
                image_model=model,
                host_model=host,
                width=width,
                height=height,
                quality=quality,
                input_pictures=16,
                chain_pictures=6,
                partial_images=3,
                parent_host_tokens=300_000,
            )
            output = output_tokens(known, width, height, quality) + 300 + known.tokens.text_output_ceiling
            added = OWN_TEXT if host is None else 2_000
            image = {"input_tokens": 90 + added + 22 * 1_536, "output_tokens": output}
            given_tokens = 300_000 + 690 + 3_000 + 22 * 1_536
            kept = {"ttl_12h_tokens": given_tokens, "ttl_30m_tokens": 0}
            written = {"cache_write_tokens": given_tokens, "cache_write_tokens_details": kept}
            usage = {"input_tokens": given_tokens, "output_tokens": 2_000, "input_tokens_details": written}
            checked(CATALOGUE, call, usage, image, picture_made=True, moderated=False)


def test_auto_is_held_at_the_dearest_quality_also_where_the_model_may_not_use_it_here(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("[image.gpt-image-2]\nqualities = ['low']\n")
    narrowed = load_catalogue(path)
    assert bound(ask(quality="auto"), narrowed).line_of(TokenClass.image_output).tokens == 7_024


def test_a_hold_can_be_computed_again_after_prices_and_numbers_have_changed(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        "[[host.'gpt-5.6-luna'.prices]]\neffective = 2026-01-01\nsource = 'x'\nconfidence = 'H'\n"
        "host_input = 90\nhost_output = 90\n[family.2]\nsource = 'x'\nconfidence = 'H'\ntool_ceiling = 9\n"
    )
    changed = load_catalogue(path)
    version = price_key(CATALOGUE.price_of("gpt-image-2", TODAY), CATALOGUE.price_of("gpt-5.6-luna", TODAY))
    first = bound(ask(), CATALOGUE)
    assert bound(ask(), changed) != first
    assert bound(ask(), changed, price_version=version) == first


@pytest.mark.parametrize(
    "field", ["prompt_bytes", "input_pictures", "max_output_tokens", "parent_host_tokens"]
)
@pytest.mark.parametrize("value", [-1, 10**9 + 1])
def test_counts_out_of_bounds_are_refused(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=field):
        ask(**{field: value})


def test_what_cannot_be_priced_cannot_be_held() -> None:
    for change in ({"image_model": "gpt-image-9"}, {"image_model": "dall-e-3"}, {"host_model": "gpt-5"}):
        with pytest.raises(CatalogueProblem):
            bound(ask(**change), CATALOGUE)
    with pytest.raises(BadQuality):
        bound(ask(quality="ultra"), CATALOGUE)
    with pytest.raises(BadSize):
        bound(ask(width=0), CATALOGUE)


@given(asks())
def test_a_stored_call_is_read_back_as_it_was(call: Ask) -> None:
    assert ask_from(json.loads(json.dumps(ask_data(call)))) == call


def test_a_stored_call_may_lack_what_has_a_default_and_hold_what_is_not_known_yet() -> None:
    data = ask_data(ask(partial_images=2)) | {"colour": "red"}
    del data["partial_images"], data["picture_certain"]
    assert ask_from(data) == ask()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "1024"),
        ("width", True),
        ("width", 1.5),
        ("prompt_bytes", -1),
        ("image_model", 7),
        ("host_model", 7),
        ("picture_certain", 1),
        ("today", "soon"),
        ("today", 20261120),
        ("today", None),
    ],
)
def test_a_stored_call_that_makes_no_sense_is_refused_by_key(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        ask_from(ask_data(ask()) | {name: value})
    data = ask_data(ask())
    del data[name]
    if name != "picture_certain":
        with pytest.raises(ValueError, match=f"{name}: missing"):
            ask_from(data)
