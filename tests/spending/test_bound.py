import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.bound import Ask, ask_data, ask_from, bound, estimate
from darkroom.spending.catalogue import CatalogueProblem, load_catalogue
from darkroom.spending.classes import HOST_CLASSES, HOST_INPUTS, IMAGE_INPUTS, TokenClass
from darkroom.spending.cost import charge
from darkroom.spending.sizes import BadSize
from darkroom.spending.tokens import BadQuality, output_tokens
from tests.spending.asks import ask, asks

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
    assert more.tokens_of(TokenClass.image_input) == 5 * 1_536
    assert more.tokens_of(TokenClass.image_output) == 1_756 + 300
    assert more.tokens_of(TokenClass.host_input) == 3_690 + 5 * 1_536 + 5_000


def test_the_images_endpoint_has_no_host_in_its_bound() -> None:
    cost = bound(ask(host_model=None, max_output_tokens=0), CATALOGUE)
    assert not {line.token_class for line in cost.lines} & set(HOST_CLASSES)


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


@st.composite
def within(draw: st.DrawFn, call: Ask) -> tuple[dict[str, Any], dict[str, Any]]:
    """Any usage that keeps to the documented ceilings of a call, details present or not."""
    pictures = call.input_pictures + call.chain_pictures
    picture = output_tokens(CATALOGUE.image(call.image_model), call.width, call.height, call.quality)
    text = draw(st.integers(0, call.prompt_bytes + call.max_output_tokens))
    seen = draw(st.integers(0, pictures * 1_536))
    image: dict[str, Any] = {"output_tokens": draw(st.integers(0, picture + 100 * call.partial_images))}
    image["input_tokens"] = text + seen
    if draw(st.booleans()):
        image["input_tokens_details"] = {"text_tokens": text, "image_tokens": seen}
        image["cached_tokens"] = draw(st.integers(0, text + seen))
    whole = call.parent_host_tokens + call.prompt_bytes + call.instruction_bytes + 3_000 + pictures * 1_536
    given_tokens = draw(st.one_of(st.just(whole), st.integers(0, whole)))
    cached = draw(st.integers(0, given_tokens))
    writes = draw(st.integers(0, given_tokens - cached))
    details: dict[str, Any] = {"cached_tokens": cached, "cache_write_tokens": writes}
    if draw(st.booleans()):
        long = draw(st.integers(0, writes))
        details["cache_write_tokens_details"] = {"ttl_12h_tokens": long, "ttl_30m_tokens": writes - long}
    host = {
        "input_tokens": given_tokens,
        "input_tokens_details": draw(st.sampled_from((details, None))),
        "output_tokens": draw(st.integers(0, call.max_output_tokens)),
    }
    return host, image


@given(asks().flatmap(lambda call: st.tuples(st.just(call), within(call))), st.booleans(), st.booleans())
def test_no_usage_within_the_ceilings_costs_more_than_the_bound(
    call_and_usage: tuple[Ask, tuple[dict[str, Any], dict[str, Any]]], picture_made: bool, moderated: bool
) -> None:
    """And the classes of a charge are disjoint: they add up to what was reported."""
    call, (host, image) = call_and_usage
    charged = charge(
        host,
        image,
        ask=call,
        catalogue=CATALOGUE,
        image_model=call.image_model,
        host_model=call.host_model,
        picture_made=picture_made,
        moderated=moderated,
    )
    assert charged.cost.total_nano_usd <= bound(call, CATALOGUE).total_nano_usd
    if not charged.flags:
        seen = charged.cost.tokens_of
        assert sum(map(seen, IMAGE_INPUTS)) == image["input_tokens"]
        assert seen(TokenClass.image_output) == image["output_tokens"]
        if call.host_model is not None:
            assert sum(map(seen, HOST_INPUTS)) == host["input_tokens"]
            assert seen(TokenClass.host_output) == host["output_tokens"]


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
