"""The stream of `POST /v1/responses`."""

import base64
import io
import json

import pytest
from PIL import Image

from sandbox.images.faults import Fault
from tests.sandbox_images.support import FIXTURES, quick_api, stream


async def test_a_picture_comes_in_the_order_of_the_captured_stream() -> None:
    """The same events, in the same order, as the capture of the live API."""
    captured = json.loads((FIXTURES / "streams" / "image_ok.json").read_text())
    told = await stream(quick_api(), tool={"partial_images": 1})
    assert [event["type"] for event in told] == [event["event"] for event in captured]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


async def test_the_events_have_the_fields_of_the_captured_stream() -> None:
    """Event by event, nothing the live API sends is left out, items and parts included."""
    captured = json.loads((FIXTURES / "streams" / "image_ok.json").read_text())
    told = await stream(quick_api(), tool={"partial_images": 1})
    for ours, theirs in zip(told, captured, strict=True):
        assert set(theirs["data"]) <= set(ours)
        for part in ("item", "part", "response"):
            assert set(theirs["data"].get(part, {})) <= set(ours.get(part, {}))


async def test_the_whole_picture_comes_twice_and_is_a_picture_of_its_size() -> None:
    told = await stream(quick_api(), tool={"size": "1536x1024"})
    done = next(
        e["item"] for e in told if e["type"] == "response.output_item.done" and e["output_index"] == 1
    )
    completed = told[-1]["response"]
    assert completed["output"][1] == done
    assert done["size"] == "1536x1024"
    with Image.open(io.BytesIO(base64.b64decode(done["result"]))) as picture:
        assert picture.size == (1536, 1024)


@pytest.mark.parametrize("wanted", [0, 1, 2, 3])
async def test_partial_images_come_as_asked_and_cost_a_hundred_tokens_each(wanted: int) -> None:
    told = await stream(quick_api(), tool={"partial_images": wanted})
    partials = [e for e in told if e["type"] == "response.image_generation_call.partial_image"]
    assert [e["partial_image_index"] for e in partials] == list(range(wanted))
    assert told[-1]["response"]["tool_usage"]["image_gen"]["output_tokens"] == 196 + 100 * wanted


async def test_an_empty_message_follows_the_picture() -> None:
    told = await stream(quick_api())
    last = told[-1]["response"]["output"][-1]
    assert (last["type"], last["content"][0]["text"]) == ("message", "")


async def test_a_question_is_answered_in_words() -> None:
    told = await stream(quick_api(), "What is this?", tool_choice="auto")
    kinds = [event["type"] for event in told]
    assert "response.output_text.delta" in kinds
    assert not any("image" in kind for kind in kinds)
    text = "".join(e["delta"] for e in told if e["type"] == "response.output_text.delta")
    assert text == told[-1]["response"]["output"][-1]["content"][0]["text"] != ""
    assert "tool_usage" not in told[-1]["response"]


@pytest.mark.parametrize("thanks", ["thanks!", "ok", "Nice", "wow, this is great", "👍"])
async def test_praise_is_answered_with_an_empty_message(thanks: str) -> None:
    told = await stream(quick_api(), thanks, tool_choice="auto")
    output = told[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message"]
    assert output[-1]["content"][0]["text"] == ""


@pytest.mark.parametrize("wish", ["make it night", "nice, now add a moon", "сделай ночь", "a good house"])
async def test_any_other_words_are_drawn(wish: str) -> None:
    told = await stream(quick_api(), wish, tool_choice="auto")
    assert told[-1]["response"]["output"][1]["type"] == "image_generation_call"


async def test_a_forced_picture_is_drawn_even_for_a_question() -> None:
    told = await stream(quick_api(), "what?")
    assert told[-1]["response"]["output"][1]["result"]


async def test_a_blocked_output_fails_in_the_item_with_host_usage_only() -> None:
    captured = json.loads((FIXTURES / "streams" / "item_moderation_blocked.json").read_text())
    told = await stream(quick_api(), "a blocked-output fox")
    item = told[-1]["response"]["output"][1]
    theirs = captured[0]["data"]["item"]
    assert {**item, "id": "ig_1"} == theirs
    assert told[-1]["response"]["usage"]["input_tokens"] > 0
    assert "tool_usage" not in told[-1]["response"]


async def test_too_few_output_tokens_end_the_response_as_incomplete() -> None:
    api = quick_api()
    told = await stream(api, max_output_tokens=20)
    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert told[-1]["response"]["usage"]["output_tokens"] == 20
    assert api.calls[-1].outcome == "incomplete"


async def test_a_stuck_status_has_a_result_but_never_completes_its_call() -> None:
    api = quick_api()
    api.faults.append(Fault(stuck_status=True))
    told = await stream(api)
    assert "response.image_generation_call.completed" not in [event["type"] for event in told]
    item = told[-1]["response"]["output"][1]
    assert item["status"] == "generating"
    assert item["result"]
