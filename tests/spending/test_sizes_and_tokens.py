import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.classes import Rounding, TokenClass, cost_of
from darkroom.spending.sizes import (
    BadSize,
    check_size,
    named_sizes,
    parse_size,
    size_for_ratio,
)
from darkroom.spending.tokens import BadQuality, output_tokens
from tests.spending.asks import PRESENT_IMAGES, TODAY

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
    ],
)
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "auto", "1024", "0x1024", "-1x5", "1024x1024x3", "999999x16", "1e3x16"])
def test_what_is_no_size_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(BadSize, match="square, landscape, portrait or WIDTHxHEIGHT"):
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


def test_family_1_paints_its_three_sizes_only() -> None:
    for width, height in named_sizes.values():
        check_size(MINI, width, height)
    with pytest.raises(BadSize, match="1024x1024, 1536x1024, 1024x1536; 1280x720 is none"):
        check_size(MINI, 1280, 720)


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
