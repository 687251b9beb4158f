from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.bound import estimate
from darkroom.spending.catalogue import UnknownPrice, load_catalogue
from darkroom.spending.classes import Cost, TokenClass
from darkroom.spending.cost import (
    BAD_USAGE,
    ESTIMATED,
    MODERATED,
    UNKNOWN_HOST,
    UNKNOWN_MODEL,
    Charged,
    charge,
)
from tests.spending.asks import ask

CATALOGUE = load_catalogue()

HOST = {
    "input_tokens": 2_941,
    "input_tokens_details": {"cached_tokens": 1_920},
    "output_tokens": 225,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 3_166,
}
IMAGE = {
    "input_tokens": 27,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 27},
    "output_tokens": 1_756,
    "output_tokens_details": {"image_tokens": 1_756, "text_tokens": 0},
    "total_tokens": 1_783,
}
HOST_NANO = 1_021 * 200 + 1_920 * 20 + 225 * 1_200
IMAGE_NANO = 27 * 5_000 + 1_756 * 30_000


def charged(host: Any = HOST, image: Any = IMAGE, **changes: Any) -> Charged:
    """The charge for a plain call with that usage, a picture made unless said otherwise."""
    plain: dict[str, Any] = {
        "ask": ask(),
        "catalogue": CATALOGUE,
        "image_model": "gpt-image-2-2026-04-21",
        "host_model": "gpt-5.6-luna",
        "picture_made": True,
    }
    return charge(host, image, **{**plain, **changes})


def tokens(result: Charged) -> dict[str, int]:
    return {line.token_class.value: line.tokens for line in result.cost.lines}


def test_cached_tokens_are_part_of_the_input_and_counted_once() -> None:
    result = charged()
    assert tokens(result) == {
        "text_input": 27,
        "image_output": 1_756,
        "host_input": 1_021,
        "host_cached_input": 1_920,
        "host_output": 225,
    }
    assert result.cost.total_nano_usd == HOST_NANO + IMAGE_NANO
    assert result.flags == frozenset()
    assert result.price_version == "gpt-image-2@2026-04-21+gpt-5.6-luna@2026-07-30"


def test_cached_picture_input_is_told_apart_from_cached_text() -> None:
    image = {
        "input_tokens": 1_124,
        "input_tokens_details": {"image_tokens": 1_024, "text_tokens": 100},
        "cached_tokens": 600,
        "cached_tokens_details": {"cached_image_tokens": 512, "cached_text_tokens": 88},
        "output_tokens": 10,
    }
    assert tokens(charged(image=image, ask=ask(host_model=None))) == {
        "text_input": 12,
        "cached_text_input": 88,
        "image_input": 512,
        "cached_image_input": 512,
        "image_output": 10,
    }


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"input_tokens": 50, "output_tokens": 9}, {"image_input": 50, "image_output": 9}),
        (
            {"input_tokens": 50, "output_tokens": 9, "input_tokens_details": {"text_tokens": 20}},
            {"text_input": 20, "image_input": 30, "image_output": 9},
        ),
        (
            {"output_tokens": 9, "input_tokens_details": {"text_tokens": 20, "image_tokens": 5}},
            {"text_input": 20, "image_input": 5, "image_output": 9},
        ),
        (
            {
                "input_tokens": 50,
                "output_tokens": 9,
                "input_tokens_details": {"text_tokens": 20, "image_tokens": 30},
                "cached_tokens": 25,
            },
            {"cached_text_input": 20, "image_input": 25, "cached_image_input": 5, "image_output": 9},
        ),
        (
            {
                "input_tokens": 50,
                "output_tokens": 9,
                "cached_tokens_details": {"cached_text_tokens": 8, "cached_image_tokens": 2},
            },
            {"cached_text_input": 8, "image_input": 40, "cached_image_input": 2, "image_output": 9},
        ),
        (
            {
                "input_tokens": 0,
                "output_tokens": 9,
                "output_tokens_details": {"text_tokens": 4, "image_tokens": 5},
            },
            {"image_output": 9},
        ),
    ],
)
def test_where_details_are_missing_the_dearer_reading_counts(
    image: dict[str, Any], expected: dict[str, int]
) -> None:
    result = charged(image=image, ask=ask(host_model=None))
    assert tokens(result) == expected
    assert result.flags == frozenset()


def test_cache_writes_are_priced_by_how_long_they_are_kept() -> None:
    host = {
        "input_tokens": 1_000,
        "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 300},
        "output_tokens": 0,
    }
    terra = {"ask": ask(host_model="gpt-6.1-terra"), "host_model": "gpt-6.1-terra", "moderated": True}
    plain = charged(host, None, picture_made=False, **terra)
    assert plain.cost.total_nano_usd == 600 * 1_000 + 100 * 50 + 300 * 1_250
    host["input_tokens_details"] |= {  # type: ignore[operator]  # a dict of mixed values
        "cache_write_tokens_details": {"ttl_12h_tokens": 100, "ttl_30m_tokens": 200}
    }
    split = charged(host, None, picture_made=False, **terra)
    assert split.cost.total_nano_usd == 600 * 1_000 + 100 * 50 + 200 * 1_250 + 100 * 2_500
    assert split.cost.line_of(TokenClass.host_cache_write).tokens == 300


@pytest.mark.parametrize(("given_tokens", "nano"), [(272_000, 272_000 * 200), (272_001, 272_001 * 400)])
def test_above_the_long_context_limit_the_whole_call_costs_more(given_tokens: int, nano: int) -> None:
    host = {"input_tokens": given_tokens, "output_tokens": 10}
    result = charged(host, None, picture_made=False)
    assert result.cost.total_nano_usd == nano + 10 * (1_200 if given_tokens == 272_000 else 1_800)


@pytest.mark.parametrize(
    "image", [None, {}, {"input_tokens": 5}, {"output_tokens": 5}, {"input_tokens": 0, "output_tokens": 0}]
)
def test_a_picture_without_usage_costs_its_estimate_and_is_flagged(image: dict[str, Any] | None) -> None:
    """Families of tools without recorded usage are reported as zero: zero output is no usage either."""
    result = charged(image=image)
    likely = estimate(ask(), CATALOGUE)
    assert result.flags == {ESTIMATED}
    assert tokens(result)["image_output"] == likely.line_of(TokenClass.image_output).tokens == 1_756
    assert tokens(result)["text_input"] == likely.line_of(TokenClass.text_input).tokens
    assert tokens(result)["host_output"] == 225


def test_missing_host_usage_costs_its_estimate_and_is_flagged() -> None:
    result = charged(host=None)
    assert result.flags == {ESTIMATED}
    assert tokens(result)["host_input"] == estimate(ask(), CATALOGUE).line_of(TokenClass.host_input).tokens
    assert tokens(result)["image_output"] == 1_756
    assert charged(None, None).cost == estimate(ask(), CATALOGUE)


def test_an_answer_in_words_costs_the_host_alone() -> None:
    for image in (None, {"input_tokens": 0, "output_tokens": 0}):
        result = charged(image=image, picture_made=False)
        assert result.cost.total_nano_usd == HOST_NANO
        assert result.flags == frozenset()


def test_usage_without_a_picture_is_charged() -> None:
    assert charged(picture_made=False).cost.total_nano_usd == HOST_NANO + IMAGE_NANO
    partly = charged(image={"output_tokens": 100}, picture_made=False)
    assert partly.cost.total_nano_usd == HOST_NANO + 100 * 30_000


def test_a_picture_in_hand_counts_as_made_even_when_the_call_was_moderated() -> None:
    assert charged(None, None, moderated=True) == charged(None, None)


def test_a_moderated_call_costs_what_was_reported_and_nothing_else() -> None:
    blocked: dict[str, Any] = {"picture_made": False, "moderated": True}
    nothing = charged(None, None, **blocked)
    assert nothing == Charged(Cost((), 0), frozenset({MODERATED}), charged().price_version)
    assert charged(HOST, None, **blocked).cost.total_nano_usd == HOST_NANO
    assert tokens(charged({"input_tokens": 7}, {"output_tokens": 3}, **blocked)) == {
        "image_output": 3,
        "host_input": 7,
    }


NONSENSE_IMAGE = [
    {"input_tokens": -1, "output_tokens": 5},
    {"input_tokens": 1, "output_tokens": -5},
    {"input_tokens": True, "output_tokens": 5},
    {"input_tokens": "27", "output_tokens": 5},
    {"input_tokens": 1.0, "output_tokens": 5},
    {"input_tokens": 1, "output_tokens": 10**15},
    {"input_tokens": 1, "output_tokens": 5, "cached_tokens": 2},
    {"input_tokens": 1, "output_tokens": 5, "input_tokens_details": [1]},
    {"input_tokens": 1, "output_tokens": 5, "input_tokens_details": {"text_tokens": 2}},
    {"input_tokens": 1, "output_tokens": 5, "output_tokens_details": {"image_tokens": 6}},
    {
        "input_tokens": 9,
        "output_tokens": 5,
        "input_tokens_details": {"text_tokens": 1, "image_tokens": 8},
        "cached_tokens_details": {"cached_text_tokens": 2},
    },
    {
        "input_tokens": 9,
        "output_tokens": 5,
        "cached_tokens": 1,
        "cached_tokens_details": {"cached_image_tokens": 2},
    },
]
NONSENSE_HOST = [
    {"input_tokens": -1, "output_tokens": 5},
    {"input_tokens": 5, "output_tokens": False},
    {"input_tokens": 5, "output_tokens": "5"},
    {"input_tokens": 10**12, "output_tokens": 5},
    {"input_tokens": 5, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 6}},
    {
        "input_tokens": 5,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 3},
    },
    {
        "input_tokens": 5,
        "output_tokens": 5,
        "input_tokens_details": {
            "cache_write_tokens": 2,
            "cache_write_tokens_details": {"ttl_12h_tokens": 3},
        },
    },
]


@pytest.mark.parametrize("image", NONSENSE_IMAGE)
def test_nonsense_about_the_picture_costs_its_estimate_and_is_flagged(image: dict[str, Any]) -> None:
    result = charged(image=image)
    assert result.flags == {BAD_USAGE}
    assert tokens(result)["image_output"] == 1_756
    assert tokens(result)["host_output"] == 225


@pytest.mark.parametrize("host", NONSENSE_HOST)
def test_nonsense_about_the_host_costs_its_estimate_and_is_flagged(host: dict[str, Any]) -> None:
    result = charged(host)
    assert result.flags == {BAD_USAGE}
    assert tokens(result)["host_input"] == estimate(ask(), CATALOGUE).line_of(TokenClass.host_input).tokens
    assert tokens(result)["image_output"] == 1_756


JUNK = st.one_of(
    st.integers(0, 100), st.integers(), st.sampled_from((None, True, 1.5, float("nan"), "7", [1], 10**40))
)
DETAILS = {
    "input_tokens_details": ("text_tokens", "image_tokens", "cached_tokens", "cache_write_tokens"),
    "output_tokens_details": ("text_tokens", "image_tokens"),
    "cached_tokens_details": ("cached_text_tokens", "cached_image_tokens"),
}
RECORD = st.none() | st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens"), JUNK),
        **{
            name: JUNK | st.fixed_dictionaries({}, optional=dict.fromkeys(inner, JUNK))
            for name, inner in DETAILS.items()
        },
    },
)


@given(RECORD, RECORD, st.booleans(), st.booleans())
def test_no_usage_record_raises_or_credits_anybody(
    host: dict[str, Any] | None, image: dict[str, Any] | None, picture_made: bool, moderated: bool
) -> None:
    result = charged(host, image, picture_made=picture_made, moderated=moderated)
    assert result.cost.total_nano_usd >= 0
    assert all(line.tokens > 0 and line.charged_nano_usd >= 0 for line in result.cost.lines)
    if picture_made:
        assert result.cost.line_of(TokenClass.image_output).tokens > 0 or moderated


def test_the_model_of_the_answer_is_the_one_that_is_priced() -> None:
    mini = charged(image_model="gpt-image-1-mini", host_model="gpt-6-luna-2026-09-22")
    assert mini.price_version == "gpt-image-1-mini@2026-11-20+gpt-6-luna@2026-09-22"
    assert mini.cost.total_nano_usd == 27 * 2_000 + 1_756 * 8_000 + 1_021 * 100 + 1_920 * 10 + 225 * 500
    assert mini.flags == frozenset()


@pytest.mark.parametrize(
    ("names", "flags"),
    [
        ({"image_model": "gpt-image-9"}, {UNKNOWN_MODEL}),
        ({"image_model": ""}, {UNKNOWN_MODEL}),
        ({"host_model": "gpt-9"}, {UNKNOWN_HOST}),
        ({"host_model": "gpt-5"}, {UNKNOWN_HOST}),
        ({"image_model": "gpt-image-9", "host_model": "gpt-9"}, {UNKNOWN_MODEL, UNKNOWN_HOST}),
    ],
)
def test_an_unknown_model_in_the_answer_costs_as_the_one_asked_for_and_is_flagged(
    names: dict[str, str], flags: set[str]
) -> None:
    result = charged(**names)
    assert result.flags == flags
    assert result.cost == charged().cost


def test_an_unnamed_host_is_the_one_asked_for() -> None:
    assert charged(host_model=None) == charged()


def test_a_charge_can_be_computed_again_after_prices_have_changed(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        "[[host.'gpt-5.6-luna'.prices]]\neffective = 2026-01-01\nsource = 'x'\nconfidence = 'H'\n"
        "host_input = 90\nhost_output = 90\n"
    )
    changed = load_catalogue(path)
    first = charged()
    assert charged(catalogue=changed).cost != first.cost
    assert charged(catalogue=changed, price_version=first.price_version) == first
    images_only = charged(ask=ask(host_model=None), host_model=None)
    again = charged(ask=ask(host_model=None), host_model=None, price_version=images_only.price_version)
    assert again == images_only
    with pytest.raises(UnknownPrice):
        charged(price_version="gpt-image-2@1999-01-01+gpt-5.6-luna@2026-07-30")
