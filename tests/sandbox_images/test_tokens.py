"""The token arithmetic against every published reading, and the documented ceilings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.images.tokens import input_picture_tokens, picture_tokens, text_tokens
from tests.sandbox_images.support import Json, ask, message, png, quick_api


@pytest.mark.parametrize(
    ("family", "quality", "width", "height", "tokens"),
    [
        ("2", "low", 1024, 1024, 196),
        ("2", "medium", 1024, 1024, 1_756),
        ("2", "high", 1024, 1024, 7_024),
        ("2", "low", 1536, 1024, 158),
        ("2", "medium", 1536, 1024, 1_372),
        ("2", "high", 1024, 1536, 5_488),
        ("2", "high", 2048, 2048, 14_272),
        ("2", "high", 3840, 2160, 13_342),
        ("2.5", "max", 1024, 1024, 7_024),
        ("2.5", "high", 1024, 1024, 1_756),
        ("2.6", "low", 1536, 1024, 664),
        ("2.6", "high", 1536, 1024, 1_353),
        ("1", "low", 1024, 1024, 272),
        ("1", "medium", 1024, 1536, 1_584),
        ("1", "high", 1536, 1024, 6_208),
    ],
)
def test_published_readings(family: str, quality: str, width: int, height: int, tokens: int) -> None:
    assert picture_tokens(family, quality, width, height) == tokens


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_an_input_picture_costs_between_one_and_1536_tokens_whichever_way_it_lies(
    width: int, height: int
) -> None:
    tokens = input_picture_tokens(width, height)
    assert 1 <= tokens <= 1_536
    assert tokens == input_picture_tokens(height, width)


def test_a_square_input_picture_of_1024_costs_1024() -> None:
    assert input_picture_tokens(1024, 1024) == 1_024
    assert input_picture_tokens(512, 512) == 1_024


@given(st.text())
def test_text_costs_at_most_a_token_a_byte(text: str) -> None:
    assert text_tokens(text) <= len(text.encode())


def check_sums(response: Json, billed: dict[str, int]) -> None:
    """The classes are disjoint and sum to what the response reports."""
    usage, image = response["usage"], response["tool_usage"]["image_gen"]
    host = billed["host_input"] + billed["host_cached_input"] + billed["host_cache_write"]
    assert host == usage["input_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    details = image["input_tokens_details"]
    assert billed["text_input"] + billed["cached_text_input"] == details["text_tokens"]
    assert billed["image_input"] + billed["cached_image_input"] == details["image_tokens"]
    assert image["input_tokens"] == details["text_tokens"] + details["image_tokens"]
    assert image["total_tokens"] == image["input_tokens"] + image["output_tokens"]
    assert all(tokens >= 0 for tokens in billed.values())


@pytest.mark.parametrize("host", ["gpt-5.6-luna", "gpt-6.1-terra"])
async def test_a_conversation_stays_below_the_documented_ceilings(host: str) -> None:
    """Each follow-up reads at most what came before, its own bytes, the tool, and 1,536 a picture."""
    api = quick_api()
    prompt = "a red fox in snow, with a very long description of everything around it"
    response = await ask(api, prompt, model=host)
    check_sums(response, api.calls[-1].billed)
    assert response["usage"]["input_tokens"] <= 3_000 + len(prompt)
    for number in range(1, 5):
        before = response
        response = await ask(
            api, message("make it night", png()), previous_response_id=before["id"], model=host
        )
        check_sums(response, api.calls[-1].billed)
        seen = before["usage"]["total_tokens"] + len("make it night") + 3_000 + 1_536 * (2 * number + 1)
        assert before["usage"]["input_tokens"] < response["usage"]["input_tokens"] <= seen
        assert response["usage"]["input_tokens_details"]["cached_tokens"] > 0
        assert response["tool_usage"]["image_gen"]["cached_tokens_details"]["cached_image_tokens"] > 0


async def test_a_first_call_has_nothing_cached() -> None:
    response = await ask(quick_api())
    assert response["usage"]["input_tokens_details"]["cached_tokens"] == 0
    assert "cached_tokens" not in response["tool_usage"]["image_gen"]


async def test_reasoning_is_part_of_the_output_and_follows_the_effort() -> None:
    low = await ask(quick_api(), reasoning={"effort": "none"})
    high = await ask(quick_api(), reasoning={"effort": "high"})
    assert low["usage"]["output_tokens_details"]["reasoning_tokens"] == 0
    assert high["usage"]["output_tokens"] - low["usage"]["output_tokens"] == 256
