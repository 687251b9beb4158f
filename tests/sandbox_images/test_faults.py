"""What goes wrong on request, what is billed all the same, and what the record says."""

import asyncio
import json

import pytest

from sandbox.images.errors import Dropped
from sandbox.images.faults import RESPONSES, Fault
from sandbox.images.mishaps import MISHAPS, mishap
from tests.sandbox_images.support import (
    FIXTURES,
    KEY,
    Clock,
    Json,
    ask,
    checked_event,
    events_of,
    quick_api,
    request,
    settled,
    stream,
    taken,
)

FULL_BILL = {"text_input", "cached_text_input", "image_input", "cached_image_input", "image_output",
             "host_input", "host_cached_input", "host_cache_write", "host_output"}  # fmt: skip


async def test_an_answer_is_given_once_and_to_the_call_it_matches() -> None:
    api = quick_api()
    api.faults.append(Fault(endpoint=RESPONSES, status=500, body={"error": {}}, headers={"retry-after": "3"}))
    assert (await api.models(KEY)).status == 200
    answer = await api.create_response(request(), KEY)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (500, {"error": {}}, "3")
    assert api.calls[-1].billed == {}
    assert (await api.create_response(request(), KEY)).status == 200


async def test_a_fault_may_look_at_the_body() -> None:
    api = quick_api()
    api.faults.append(Fault(match=lambda body: "fox" in str(body.get("input")), status=500, body={}))
    await ask(api, "a boat")
    assert (await api.create_response(request("a fox"), KEY)).status == 500


@pytest.mark.parametrize("after", [0, 1, 6])
async def test_a_dropped_stream_goes_on_is_billed_and_can_be_fetched(after: int) -> None:
    api = quick_api()
    api.faults.append(Fault(drop_after=after))
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    for _ in range(after):
        await anext(answer.events)
    with pytest.raises(Dropped):
        await anext(answer.events)
    await settled(api)
    call = api.calls[-1]
    assert (call.cut, call.outcome) == (True, "picture")
    assert call.billed["image_output"] == 196
    fetched = (await api.retrieve_response(str(call.response_id), KEY)).body
    assert fetched is not None
    assert fetched["output"][1]["result"]


async def test_a_caller_who_leaves_changes_nothing_for_the_generation() -> None:
    api = quick_api()
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    first = await anext(answer.events)
    while_running = (await api.retrieve_response(first["response"]["id"], KEY)).body
    await answer.events.aclose()
    await settled(api)
    assert while_running is not None
    assert while_running["status"] == "in_progress"
    assert (api.calls[0].cut, api.calls[0].outcome) == (True, "picture")


async def test_a_cancelled_call_that_was_not_streamed_goes_on_too() -> None:
    api = quick_api()
    calls = (
        api.create_response(request(), KEY),
        api.generate_images({"model": "gpt-image-2", "prompt": "x"}, KEY),
    )
    for coroutine in calls:
        task = asyncio.create_task(coroutine)
        await taken(api)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled(api)
        assert (api.calls[-1].cut, api.calls[-1].outcome) == (True, "picture")
        api.calls.clear()


async def test_a_connection_dropped_before_the_answer_was_never_a_call() -> None:
    api = quick_api()
    api.faults.append(Fault(drop_before=True))
    with pytest.raises(Dropped):
        await api.create_response(request(), KEY)
    assert (api.calls[-1].outcome, api.calls[-1].billed, api.calls[-1].response_id) == ("cut", {}, None)


async def test_a_delay_is_slept_on_the_clock_that_was_given() -> None:
    clock = Clock()
    api = quick_api(now=clock.now, sleep=clock.sleep, seconds_per_picture=8.0)
    api.faults.append(Fault(delay=30.0))
    await ask(api, tool={"partial_images": 3})
    assert clock.time == 1_795_000_038.0


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(hang=True)])
async def test_silence_lasts_until_the_caller_leaves(fault: Fault) -> None:
    api = quick_api()
    api.faults.append(fault)
    task = asyncio.create_task(api.create_response(request(), KEY))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert api.calls[-1].cut
    await api.close()


async def test_a_response_that_hangs_is_in_progress_for_ever() -> None:
    api = quick_api()
    api.faults.append(Fault(hang=True))
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    kinds = [(await anext(answer.events))["type"] for _ in range(2)]
    assert kinds == ["response.created", "response.in_progress"]
    fetched = (await api.retrieve_response(str(api.calls[0].response_id), KEY)).body
    assert fetched is not None
    assert fetched["status"] == "in_progress"
    await answer.events.aclose()
    await api.close()


async def test_a_stream_that_falls_silent_sends_so_many_events_and_no_end() -> None:
    api = quick_api()
    api.faults.append(Fault(silent_after=3))
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    for _ in range(3):
        await anext(answer.events)
    waiting = asyncio.ensure_future(anext(answer.events))
    await settled(api)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert api.calls[0].outcome == "picture"


@pytest.mark.parametrize(
    "name", ["error_flat", "error_nested_then_failed", "failed_only", "item_moderation_blocked"]
)
async def test_a_captured_stream_is_sent_as_it_was_and_can_be_fetched_as_it_ended(name: str) -> None:
    captured = json.loads((FIXTURES / "streams" / f"{name}.json").read_text())
    api = quick_api()
    api.faults.append(Fault(events=captured))
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    assert [event async for event in answer.events] == [event["data"] for event in captured]
    last = [event["data"]["response"] for event in captured if "response" in event["data"]][-1]
    assert (await api.retrieve_response(last["id"], KEY)).body == last
    assert api.calls[0].billed == {}


async def test_missing_usage_is_missing_in_the_answer_but_not_on_the_bill() -> None:
    api = quick_api()
    api.faults += [Fault(omit_tool_usage=True), Fault(omit_usage=True), Fault(omit_details=True)]
    assert "tool_usage" not in await ask(api)
    assert (await ask(api))["usage"] is None
    assert "output_tokens_details" not in (await ask(api))["tool_usage"]["image_gen"]
    assert all(set(call.billed) == FULL_BILL and call.billed["image_output"] == 196 for call in api.calls)


async def test_a_response_may_complete_without_its_picture() -> None:
    api = quick_api()
    api.faults.append(Fault(no_picture=True))
    response = await ask(api)
    assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
    assert api.calls[-1].billed["host_input"] > 0
    assert "image_output" not in api.calls[-1].billed


async def test_the_listener_hears_of_a_call_when_it_begins_and_when_it_ends() -> None:
    heard: list[Json] = []
    api = quick_api(on_call=heard.append)
    await ask(api)
    assert [(call["number"], call["outcome"]) for call in heard] == [(1, "running"), (1, "picture")]
    json.dumps(heard)


async def test_the_record_is_bounded() -> None:
    api = quick_api(keep_calls=2)
    for _ in range(4):
        await api.models(KEY)
    assert [call.number for call in api.calls] == [3, 4]


async def test_a_background_response_is_answered_at_once_and_fetched_later() -> None:
    api = quick_api()
    begun = (await api.create_response(request(background=True), KEY)).body
    assert begun is not None
    assert begun["status"] == "in_progress"
    await settled(api)
    fetched = (await api.retrieve_response(begun["id"], KEY)).body
    assert fetched is not None
    assert fetched["status"] == "completed"


@pytest.mark.parametrize("name", sorted(MISHAPS))
async def test_every_mishap_is_a_fresh_fault_for_its_endpoint(name: str) -> None:
    one, other = mishap(name), mishap(name)
    assert one.endpoint == RESPONSES
    assert (one is not other, one.meets("models", {})) == (True, False)


@pytest.mark.parametrize("name", ["flat error event", "failed event", "incomplete event"])
async def test_a_scripted_mishap_is_a_stream_the_client_can_read_with_an_id_of_its_own(name: str) -> None:
    api = quick_api()
    api.faults += [mishap(name), mishap(name)]
    ids = {(await stream(api))[0]["response"]["id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(response_id.startswith("resp_") for response_id in ids)


async def test_the_nested_error_is_followed_by_the_failed_response() -> None:
    api = quick_api()
    api.faults.append(mishap("nested error event"))
    answer = await api.create_response(request(stream=True), KEY)
    assert answer.events is not None
    told = [event async for event in answer.events]
    assert told[2]["error"]["code"] == "server_error"
    assert checked_event(told[3])["response"]["status"] == "failed"


async def test_two_followers_of_different_speed_see_the_same() -> None:
    api = quick_api()
    slow = await api.create_response(request(stream=True), KEY)
    quickly = await api.create_response(request(stream=True), KEY)
    assert [e["type"] for e in await events_of(quickly)] == [e["type"] for e in await events_of(slow)]
