"""What each named fault does to the image API's answers, and what is billed all the same."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.images.api import Answer, ImageApi
from sandbox.images.errors import Dropped, NotConnected
from sandbox.images.faults import RESPONSES, Fault
from sandbox.images.spoiling import HUGE
from sandbox.images.wire import handle
from tests.sandbox_images.support import KEY, Clock, Json, ask, png, quick_api, request, settled, stream

REFUSALS: dict[str, tuple[int, str | None]] = {
    "rate limit": (429, "rate_limit_exceeded"),
    "rate limit without a time": (429, "rate_limit_exceeded"),
    "rate limit in milliseconds": (429, "rate_limit_exceeded"),
    "rate limit of requests": (429, "rate_limit_exceeded"),
    "rate limit of tokens": (429, "rate_limit_exceeded"),
    "out of credit": (429, "credit_balance_exhausted"),
    "project limit": (429, "project_spend_limit_exceeded"),
    "billing limit": (400, "billing_hard_limit_reached"),
    "wrong key": (401, "invalid_api_key"),
    "missing scope": (401, None),
    "unsupported region": (403, "unsupported_country_region_territory"),
    "moderation": (400, "moderation_blocked"),
    "flagged prompt": (400, "invalid_prompt"),
    "unverified organisation": (403, None),
    "unverified for streams": (400, "unsupported_value"),
    "unverified for the host": (404, "model_not_found"),
    "model gone": (404, "model_not_found"),
    "model retired": (400, "invalid_value"),
    "host gone": (404, "model_not_found"),
    "endpoint gone": (404, None),
    "method not allowed": (405, None),
    "bad size": (400, "invalid_value"),
    "bad picture": (400, "invalid_image_file"),
    "previous response lost": (400, "previous_response_not_found"),
    "item not kept": (404, None),
    "server error": (500, None),
}
IMAGES: Json = {"model": "gpt-image-2", "prompt": "a fox", "quality": "low", "size": "1024x1024"}


def small_api(**more: Any) -> ImageApi:
    """An API whose pictures are small, whatever was asked for."""
    return quick_api(paint=lambda order: png(), **more)


def broken(fault: str, on: str = "*", times: int | None = 1, **args: Any) -> ImageApi:
    """An API in which one thing goes wrong."""
    api = small_api()
    api.fault_plan = FaultPlan([Rule("openai", on, fault, times=times, args=args)])
    return api


async def streamed(api: ImageApi, **fields: Any) -> Answer:
    return await api.create_response(request(stream=True, **fields), KEY)


async def over_the_wire(api: ImageApi) -> Any:
    return await handle(api, "POST", "/responses", KEY, json.dumps(request(stream=True)).encode())


async def until_dropped(answer: Answer) -> list[str]:
    """The types of the events that came before the connection ended, as it must."""
    got: list[str] = []
    assert answer.events is not None
    try:
        async for event in answer.events:
            got.append(event["type"])
    except Dropped:
        return got
    raise AssertionError("the stream came to its end")


def picture_of(response: Json | None) -> str:
    assert response is not None
    items = [item for item in response["output"] if item["type"] == "image_generation_call"]
    return str(items[0]["result"])


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_comes_once_is_not_billed_and_has_its_code(fault: str) -> None:
    api = small_api()
    parent = await ask(api)
    api.fault_plan = FaultPlan([Rule("openai", "*", fault)])
    answer = await streamed(api, previous_response_id=parent["id"])
    assert answer.body is not None
    assert (answer.status, answer.body["error"]["code"]) == REFUSALS[fault]
    assert api.calls[-1].billed == {}
    assert (await streamed(api, previous_response_id=parent["id"])).status == 200


@pytest.mark.parametrize("fault", ["previous response lost", "item not kept", "unverified for streams"])
async def test_what_is_pointless_for_a_call_waits_for_one_that_it_fits(fault: str) -> None:
    api = broken(fault)
    parent = await ask(api)
    assert (await streamed(api, previous_response_id=parent["id"])).status != 200


async def test_a_rate_limit_says_how_long_in_words_and_headers() -> None:
    api = broken("rate limit", retry_after=33, limit=2, model="gpt-image-2.5-flare")
    answer = await streamed(api)
    assert answer.headers["retry-after"] == "33"
    assert answer.body is not None
    assert "gpt-image-2.5-flare" in answer.body["error"]["message"]
    assert "Limit 2, Used 2" in answer.body["error"]["message"]
    assert "try again in 33s" in answer.body["error"]["message"]


async def test_the_other_rate_limits_have_the_headers_of_their_kind() -> None:
    milliseconds = await streamed(broken("rate limit in milliseconds", milliseconds=1_500))
    assert milliseconds.headers["retry-after-ms"] == "1500"
    requests = await streamed(broken("rate limit of requests", retry_after=20))
    assert requests.headers["x-ratelimit-reset-requests"] == "20s"
    tokens = await streamed(broken("rate limit of tokens", retry_after=20))
    assert tokens.headers["x-ratelimit-remaining-tokens"] == "0"
    untold = await streamed(broken("rate limit without a time"))
    assert not [name for name in untold.headers if "retry" in name or "ratelimit" in name]
    assert "try again" not in json.dumps(untold.body)


@pytest.mark.parametrize(
    ("shape", "headers"),
    [
        ("images", {"limit-images": "9", "remaining-images": "2", "reset-images": "75s"}),
        ("without reset", {"limit-images": "9", "remaining-images": "2"}),
        ("only remaining", {"remaining-images": "2"}),
        ("requests", {"limit-requests": "9", "remaining-requests": "2", "reset-requests": "1m15s"}),
        ("milliseconds", {"limit-images": "9", "remaining-images": "2", "reset-images": "75000ms"}),
        ("nonsense", {"limit-images": "many", "remaining-images": "-1", "reset-images": "soon"}),
    ],
)
async def test_rate_headers_of_every_shape_come_with_a_good_answer(
    shape: str, headers: dict[str, str]
) -> None:
    answer = await streamed(broken("rate headers", shape=shape, limit=9, remaining=2, reset=75))
    prefix = "x-ratelimit-"
    got = {name.removeprefix(prefix): value for name, value in answer.headers.items() if prefix in name}
    assert (answer.status, got) == (200, headers)


async def test_the_pictures_a_minute_change_from_a_call_on_and_back() -> None:
    api = broken("images per minute", limit=1)
    assert [(await streamed(api)).status for _ in range(2)] == [200, 429]
    api.fault_plan = FaultPlan([Rule("openai", "*", "images per minute", args={"limit": 0})])
    assert [(await streamed(api)).status for _ in range(2)] == [200, 200]


async def test_a_day_of_429s_ends_after_a_day() -> None:
    clock = Clock()
    api = small_api(now=clock.now, sleep=clock.sleep)
    api.fault_plan = FaultPlan([Rule("openai", "responses", "rate limit", times=None, until_s=86_400)])
    for at, status in ((0.0, 429), (43_200.0, 429), (86_399.0, 429), (86_400.0, 200)):
        clock.time = 1_795_000_000.0 + at
        assert (await streamed(api)).status == status


async def test_the_moderation_names_its_stage() -> None:
    answer = await streamed(broken("moderation", stage="output"))
    assert answer.body is not None
    assert answer.body["error"]["moderation_details"]["moderation_stage"] == "output"
    final = (await stream(broken("moderation of the picture")))[-1]["response"]
    assert final["output"][1]["error"]["code"] == "moderation_blocked"


async def test_the_memory_expires_just_before_a_call() -> None:
    api = small_api()
    parent = await ask(api)
    api.fault_plan = FaultPlan([Rule("openai", RESPONSES, "memory expires")])
    answer = await streamed(api, previous_response_id=parent["id"])
    assert answer.body is not None
    assert answer.body["error"]["code"] == "previous_response_not_found"
    assert (await api.retrieve_response(parent["id"], KEY)).status == 404


async def test_a_response_is_lost_to_one_question_only() -> None:
    api = small_api()
    made = await ask(api)
    api.fault_plan = FaultPlan([Rule("openai", "*", "response lost")])
    assert [(await api.retrieve_response(made["id"], KEY)).status for _ in range(2)] == [404, 200]


@pytest.mark.parametrize(
    ("fault", "args", "left"),
    [
        ("connection lost at once", {}, "nothing"),
        ("connection lost half-way", {"events": 1}, "response.created"),
        ("connection lost half-way", {}, "response.image_generation_call.in_progress"),
        ("connection lost before the end", {}, "response.output_item.done"),
    ],
)
async def test_a_connection_is_lost_at_each_phase_and_the_picture_billed(
    fault: str, args: Json, left: str
) -> None:
    api = broken(fault, **args)
    got = await until_dropped(await streamed(api))
    await settled(api)
    assert ["nothing", *got][-1] == left
    assert (api.calls[-1].cut, api.calls[-1].billed["image_output"]) == (True, 196)
    assert (await api.retrieve_response(str(api.calls[-1].response_id), KEY)).status == 200


@pytest.mark.parametrize(
    ("fault", "how"), [("refused connection", NotConnected), ("connection lost before", Dropped)]
)
async def test_a_call_that_never_arrived_bills_nothing(fault: str, how: type[Dropped]) -> None:
    """Who called can tell whether anything was sent."""
    api = broken(fault)
    with pytest.raises(Dropped) as dropped:
        await streamed(api)
    assert type(dropped.value) is how
    assert api.calls[-1].billed == {}


async def test_a_stream_falls_silent_and_the_picture_is_billed() -> None:
    api = broken("stream falls silent", events=3)
    answer = await streamed(api)
    assert answer.events is not None
    for _ in range(3):
        await anext(answer.events)
    waiting = asyncio.ensure_future(anext(answer.events))
    await settled(api)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert api.calls[-1].billed["image_output"] == 196


@pytest.mark.parametrize("fault", ["never answers", "never finishes"])
async def test_what_never_ends_does_not_until_the_caller_leaves(fault: str) -> None:
    api = broken(fault)
    asking = asyncio.ensure_future(api.create_response(request(), KEY))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await api.close()


async def test_slowness_is_on_the_clock_that_was_given() -> None:
    clock = Clock()
    api = small_api(now=clock.now, sleep=clock.sleep)
    rules = [
        Rule("openai", "*", "slow", args={"seconds": 100}),
        Rule("openai", "*", "slow stream", args={"seconds": 1}),
    ]
    api.fault_plan = FaultPlan(rules)
    await stream(api)
    assert clock.time == 1_795_000_100.0
    told = await stream(api)
    assert clock.time - 1_795_000_100.0 == pytest.approx(len(told), abs=1)


@pytest.mark.parametrize("endpoint", ["responses", "images.generations"])
async def test_a_500_after_the_work_bills_the_picture(endpoint: str) -> None:
    api = broken("server error after", on=endpoint)
    answer = await (streamed(api) if endpoint == "responses" else api.generate_images(IMAGES, KEY))
    assert (answer.status, api.calls[-1].status, api.calls[-1].outcome) == (500, 500, "picture")
    assert api.calls[-1].billed["image_output"] == 196


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("page instead of json", 200, "text/html"),
        ("bad gateway", 502, "text/html"),
        ("half an answer", 200, "application/json"),
    ],
)
async def test_an_answer_that_is_no_json_goes_over_the_wire_as_it_is(
    fault: str, status: int, kind: str
) -> None:
    api = broken(fault)
    reply = await over_the_wire(api)
    assert (reply.status, reply.headers["content-type"], reply.chunks) == (status, kind, None)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(reply.body)
    assert api.calls[-1].billed == {}


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        ("flat error event", "error"),
        ("nested error event", "response.failed"),
        ("failed event", "response.failed"),
        ("incomplete event", "response.incomplete"),
    ],
)
async def test_a_stream_that_begins_well_ends_badly(fault: str, last: str) -> None:
    answer = await streamed(broken(fault))
    assert answer.events is not None
    assert [event["type"] async for event in answer.events][-1] == last


async def test_unknown_events_come_among_the_others_and_the_picture_all_the_same() -> None:
    plain = [event["type"] for event in await stream(small_api())]
    answer = await streamed(broken("unknown events"))
    assert answer.events is not None
    told = [event["type"] async for event in answer.events]
    assert [kind for kind in told if kind in plain] == plain
    assert len(set(told) - set(plain)) == 3
    assert told[-1] == "response.completed"


async def test_what_the_final_response_leaves_out_is_billed_all_the_same() -> None:
    whole = await ask(small_api())
    for fault, lost in (("usage missing", "tool_usage"), ("host usage missing", "usage")):
        api = broken(fault)
        body = (await api.create_response(request(), KEY)).body
        assert body is not None
        assert whole[lost]
        assert not body.get(lost)
        assert api.calls[-1].billed["image_output"] == 196
    body = await ask(broken("usage without details"))
    assert "output_tokens_details" in whole["tool_usage"]["image_gen"]
    assert "output_tokens_details" not in body["tool_usage"]["image_gen"]
    assert (await ask(broken("stuck status")))["output"][1]["status"] == "generating"
    assert [item["type"] for item in (await ask(broken("no picture")))["output"]] == ["reasoning", "message"]


@pytest.mark.parametrize("endpoint", ["responses", "images.generations"])
async def test_what_comes_in_place_of_the_picture(endpoint: str) -> None:
    async def made(fault: str | None) -> bytes:
        api = broken(fault, on=endpoint) if fault else small_api()
        if endpoint == "responses":
            text = picture_of((await api.create_response(request(), KEY)).body)
        else:
            text = str(((await api.generate_images(IMAGES, KEY)).body or {})["data"][0]["b64_json"])
        assert api.calls[-1].billed["image_output"] == 196
        return text.encode() if fault == "no base64" else base64.b64decode(text)

    good = await made(None)
    assert b"<html>" in await made("page instead of a picture")
    garbage = await made("garbage instead of a picture")
    assert (len(garbage), garbage[:4] != good[:4]) == (len(good), True)
    assert await made("half a picture") == good[: len(good) // 2]
    assert await made("empty picture") == b""
    with pytest.raises(ValueError, match="base64"):
        base64.b64decode(await made("no base64"), validate=True)
    assert Image.open(io.BytesIO(await made("tiny picture"))).size == (1, 1)


async def test_the_huge_picture_is_small_to_send_and_huge_to_open() -> None:
    data = base64.b64decode(picture_of((await broken("huge picture").create_response(request(), KEY)).body))
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == HUGE
    assert HUGE[0] * HUGE[1] > 50_000_000
    assert len(data) < 20_000


async def test_a_spoiled_picture_can_be_edited_as_the_one_that_was_made() -> None:
    api = broken("no base64")
    body = (await api.create_response(request(), KEY)).body
    assert body is not None
    assert picture_of(await ask(api, "make it night", previous_response_id=body["id"]))


async def test_the_list_of_one_shot_faults_comes_first_and_spares_the_plan() -> None:
    api = broken("out of credit")
    api.faults.append(Fault(endpoint=RESPONSES, status=500, body={"error": {}}))
    assert [(await streamed(api)).status for _ in range(3)] == [500, 429, 200]
