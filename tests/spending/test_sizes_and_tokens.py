from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.bound import bound, estimate
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.classes import Rounding, TokenClass, cost_of
from darkroom.spending.models import ImageModel
from darkroom.spending.money import format_usd
from darkroom.spending.sizes import (
    BadSize,
    check_size,
    named_sizes,
    parse_size,
    size_for_ratio,
)
from darkroom.spending.tokens import BadQuality, output_tokens
from tests.spending.asks import PRESENT_IMAGES, TODAY, ask

CATALOGUE = load_catalogue()
GPT_IMAGE_2 = CATALOGUE.image("gpt-image-2-2026-04-21")
MINI = CATALOGUE.image("gpt-image-1-mini")


@pytest.mark.parametrize(
    ("width", "height", "quality", "tokens"),
    [
        (1024, 1024, "low", 196),
        (1024, 1024, "medium", 1_756),
        (1024, 1024, "high", 7_024),
        (1536, 1024, "low", 158),
        (1536, 1024, "medium", 1_372),
        (1536, 1024, "high", 5_488),
        (2048, 2048, "high", 14_272),
        (3840, 2160, "high", 13_342),
    ],
)
def test_gpt_image_2_takes_the_published_tokens(width: int, height: int, quality: str, tokens: int) -> None:
    assert output_tokens(GPT_IMAGE_2, width, height, quality) == tokens
    assert output_tokens(GPT_IMAGE_2, height, width, quality) == tokens


@pytest.mark.parametrize(
    ("quality", "nano"), [("low", 5_880_000), ("medium", 52_680_000), ("high", 210_720_000)]
)
def test_a_square_of_gpt_image_2_costs_the_published_price(quality: str, nano: int) -> None:
    tokens = {TokenClass.image_output: output_tokens(GPT_IMAGE_2, 1024, 1024, quality)}
    rates = CATALOGUE.price_of("gpt-image-2-2026-04-21", TODAY).rates
    assert cost_of(tokens, rates, rounding=Rounding.HALF_UP).total_nano_usd == nano


@pytest.mark.parametrize(
    ("quality", "nano", "shown"),
    [("low", 5_880_000, "$0.006"), ("medium", 52_680_000, "$0.05"), ("high", 210_720_000, "$0.21")],
)
def test_partial_images_are_a_hundred_tokens_each_on_top(quality: str, nano: int, shown: str) -> None:
    """The line of the picture in an estimate and in a hold, 30,000 nano-dollars a token."""
    for cost_for in (estimate, bound):
        for partial_images in range(4):
            cost = cost_for(ask(quality=quality, partial_images=partial_images), CATALOGUE)
            line = next(line for line in cost.lines if line.token_class is TokenClass.image_output)
            assert line.charged_nano_usd == nano + partial_images * 100 * 30_000
    assert format_usd(nano) == shown


@pytest.mark.parametrize("name", ["gpt-image-2.5-sunburst", "gpt-image-2.5-flare-2026-09-08"])
@pytest.mark.parametrize(
    ("quality", "square", "landscape"),
    [
        ("low", 196, 158),
        ("medium", 439, 343),
        ("high", 1_756, 1_372),
        ("xhigh", 3_122, 2_459),
        ("max", 7_024, 5_488),
    ],
)
def test_family_2_5_has_five_qualities_of_which_max_is_as_dear_as_high_of_family_2(
    name: str, quality: str, square: int, landscape: int
) -> None:
    model = CATALOGUE.image(name)
    assert output_tokens(model, 1024, 1024, quality) == square
    assert output_tokens(model, 1536, 1024, quality) == landscape
    assert model.qualities == ("low", "medium", "high", "xhigh", "max")


@pytest.mark.parametrize("factor", [16, 24, 48, 64, 96])
@given(st.integers(1, 240), st.integers(1, 240))
def test_the_formula_is_computed_without_floats(factor: int, across: int, down: int) -> None:
    """ceil(f * s * (2,000,000 + w * h) / 4,000,000), s = f * short / long rounded half to even."""
    w, h = 16 * across, 16 * down
    s = round(Fraction(factor * min(w, h), max(w, h)))
    exact = Fraction(factor * s * (2_000_000 + w * h), 4_000_000)
    model = CATALOGUE.image("gpt-image-2")
    numbers = replace(model.tokens, factors={"low": factor})
    assert output_tokens(replace(model, tokens=numbers), w, h, "low") == ceil(exact)


@pytest.mark.parametrize(
    ("quality", "square", "portrait", "landscape"),
    [("low", 272, 408, 400), ("medium", 1_056, 1_584, 1_568), ("high", 4_160, 6_240, 6_208)],
)
def test_family_1_takes_its_table(quality: str, square: int, portrait: int, landscape: int) -> None:
    assert output_tokens(MINI, 1024, 1024, quality) == square
    assert output_tokens(MINI, 1024, 1536, quality) == portrait
    assert output_tokens(MINI, 1536, 1024, quality) == landscape
    with pytest.raises(BadSize, match="1024x1024"):
        output_tokens(MINI, 1280, 720, quality)


def test_the_ceiling_of_family_2_6_lies_above_everything_measured() -> None:
    model = CATALOGUE.image("gpt-image-2.6-sunburst")
    earlier = CATALOGUE.image("gpt-image-2.5-sunburst")
    assert output_tokens(model, 1536, 1024, "low") > 664
    assert output_tokens(model, 1536, 1024, "high") > 1_353
    for quality in ("low", "medium"):
        assert output_tokens(model, 1024, 1024, quality) > 4 * output_tokens(earlier, 1024, 1024, quality)


@pytest.mark.parametrize("name", PRESENT_IMAGES)
def test_auto_counts_as_the_dearest_quality(name: str) -> None:
    model = CATALOGUE.image(name)
    every = [output_tokens(model, 1536, 1024, quality) for quality in model.qualities]
    assert output_tokens(model, 1536, 1024, "auto") == max(every)


def test_a_quality_that_the_model_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(BadQuality, match="gpt-image-2-2026-04-21 knows low, medium, high, auto"):
        output_tokens(GPT_IMAGE_2, 1024, 1024, "max")
    assert output_tokens(CATALOGUE.image("gpt-image-2.5-flare"), 1024, 1024, "max") == 7_024
    with pytest.raises(BadQuality, match="no quality at all"):
        output_tokens(CATALOGUE.image("dall-e-3"), 1024, 1024, "auto")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024x1024", (1024, 1024)),
        (" 1536X864 ", (1536, 864)),
        ("1536\N{MULTIPLICATION SIGN}864", (1536, 864)),
        ("square", (1024, 1024)),
        ("Landscape", (1536, 1024)),
        ("portrait", (1024, 1536)),
        ("banner", (1920, 640)),
        ("STORY", (864, 1536)),
    ],
)
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "auto", "1024", "0x1024", "-1x5", "1024x1024x3", "999999x16", "1e3x16"])
def test_what_is_no_size_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(BadSize, match="square, landscape, portrait, banner, story or WIDTHxHEIGHT"):
        parse_size(text)


@pytest.mark.parametrize(
    ("width", "height", "fine"),
    [
        (1024, 1024, True),
        (1024, 640, True),
        (3840, 2160, True),
        (2160, 3840, True),
        (1776, 592, True),
        (1008, 640, False),  # 645,120 pixels
        (3840, 2176, False),  # 8,355,840 pixels
        (3856, 2048, False),  # an edge too long
        (1024, 1000, False),  # no multiple of 16
        (1936, 640, False),  # beyond 3:1
        (0, 0, False),
        (-1024, -1024, False),
    ],
)
def test_a_flexible_model_paints_within_the_rules_only(width: int, height: int, fine: bool) -> None:
    if fine:
        check_size(GPT_IMAGE_2, width, height)
        assert output_tokens(GPT_IMAGE_2, width, height, "low") > 0
    else:
        with pytest.raises(BadSize, match="multiples of 16 and at most 3,840"):
            check_size(GPT_IMAGE_2, width, height)


@pytest.mark.parametrize(
    ("asked", "instead"),
    [((1000, 1000), "1008x1008 is"), ((1366, 768), "1360x768 is"), ((9999, 10), "1536x1024 is")],
)
def test_a_size_that_cannot_be_comes_with_one_that_can(asked: tuple[int, int], instead: str) -> None:
    with pytest.raises(BadSize, match=instead) as refusal:
        check_size(GPT_IMAGE_2, *asked)
    named = str(refusal.value).split()[-2].split("x")
    check_size(GPT_IMAGE_2, int(named[0]), int(named[1]))


def test_family_1_paints_its_three_sizes_only() -> None:
    for name in ("square", "landscape", "portrait"):
        check_size(MINI, *named_sizes[name])
    with pytest.raises(BadSize) as refusal:
        check_size(MINI, 1280, 720)
    assert str(refusal.value) == (
        "gpt-image-1-mini paints 1024x1024 (square), 1536x1024 (landscape), 1024x1536 (portrait); "
        "1280x720 is none of them."
    )
    for name in ("banner", "story"):
        with pytest.raises(BadSize, match=rf"\({name}\) is none of them"):
            check_size(MINI, *named_sizes[name])


@pytest.mark.parametrize("model", [CATALOGUE.image(name) for name in PRESENT_IMAGES], ids=PRESENT_IMAGES)
def test_every_named_size_is_painted_by_every_model_with_flexible_sizes(model: ImageModel) -> None:
    if model.flexible_sizes:
        for width, height in named_sizes.values():
            check_size(model, width, height)


def test_a_banner_is_wide_and_a_story_tall() -> None:
    """In the ratios that people mean by these words, width first."""
    (across, down), (wide, tall) = named_sizes["banner"], named_sizes["story"]
    assert across == 3 * down
    assert wide * 16 == tall * 9


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", (1024, 1024)),
        ("16:9", (1280, 720)),
        ("9:16", (720, 1280)),
        ("3:2", (1248, 832)),
        ("3:1", (1776, 592)),
    ],
)
def test_common_ratios_are_met_exactly(ratio: str, size: tuple[int, int]) -> None:
    assert size_for_ratio(ratio) == size


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_every_ratio_gets_a_legal_size_of_about_a_megapixel_or_is_refused(across: int, down: int) -> None:
    text = f"{across}:{down}"
    if max(across, down) > 3 * min(across, down):
        with pytest.raises(BadSize, match=r"between 1:3 and 3:1"):
            size_for_ratio(text)
        return
    width, height = size_for_ratio(text)
    check_size(GPT_IMAGE_2, width, height)
    assert 0.75 <= width * height / 1024**2 <= 1.5
    assert abs(width / height / (across / down) - 1) < 0.03


@pytest.mark.parametrize("text", ["", "16", "0:1", "1:0", "a:b", "1:-1", "16:9:4", "99999:99999"])
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(BadSize, match="A ratio is WIDTH:HEIGHT"):
        size_for_ratio(text)
