"""What is asked of the API beside pictures: background mode, stored responses, the end of a model."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx2

from darkroom.rendering.job import Billed, FailureKind
from darkroom.rendering.probing import Prober
from darkroom.rendering.provider import Provider
from tests.rendering.support import Script, Scripted, created, image_item, job, png, response, sse
from tests.scenarios.story import HurriedClock

BEGUN = Script([sse([created() | {"sequence_number": 3}])])
PICTURE = image_item(png())


def prober(*scripts: Script) -> tuple[Prober, Scripted]:
    """One that is answered with these, in their order."""
    transport = Scripted(*scripts)
    provider = Provider("http://scripted/v1", "sk-test", http_client=httpx2.AsyncClient(transport=transport))
    return Prober(provider, HurriedClock()), transport


def sent_as(wire: Scripted, number: int) -> dict[str, Any]:
    """The body of a request."""
    body: dict[str, Any] = json.loads(wire.requests[number].content)
    return body


def refusal(status: int, message: str, **fields: Any) -> Script:
    """An error of the API's."""
    error = {"message": message, "type": "invalid_request_error", "code": None, "param": None} | fields
    return Script.json({"error": error}, status)


async def test_a_background_call_is_left_read_on_cancelled_and_its_end_is_seen() -> None:
    again = Script([sse([{"type": "response.in_progress", "sequence_number": 4}])])
    stopped = Script.json(response("cancelled"))
    asking, wire = prober(BEGUN, again, stopped, Script.json(response("cancelled", PICTURE)))
    seen: list[str] = []
    found = await asking.background(job(), seen.append)
    assert seen == [found.response_id] == ["resp_1"]
    assert (found.read_on, found.cancelled, found.moderation_taken) == (
        "response.in_progress",
        "cancelled",
        True,
    )
    assert found.end is not None
    assert found.end.image_usage == {"input_tokens": 7, "output_tokens": 1756, "total_tokens": 1763}
    sent = sent_as(wire, 0)
    assert (sent["background"], sent["stream"], sent["store"]) == (True, True, True)
    assert sent["tools"][0]["moderation"] == "auto"
    paths = [str(request.url).removeprefix("http://scripted/v1") for request in wire.requests]
    assert paths == [
        "/responses",
        "/responses/resp_1?stream=true&starting_after=3",
        "/responses/resp_1/cancel",
        "/responses/resp_1",
    ]


async def test_a_call_that_goes_on_is_waited_for() -> None:
    no = refusal(400, "Only background responses can be cancelled.")
    going = Script.json(response("in_progress", usage=None, tool_usage=None))
    asking, _ = prober(BEGUN, no, no, going, Script.json(response("completed", PICTURE)))
    found = await asking.background(job(timeout_s=10.0), lambda _: None)
    assert found.end is not None
    assert found.end.status == "completed"
    assert found.not_cancelled is not None
    assert found.not_cancelled.message == "Only background responses can be cancelled."


async def test_what_refuses_moderation_is_sent_once_more_without_it() -> None:
    no = refusal(400, "Unknown parameter: 'tools[0].moderation'.", code="unknown_parameter")
    rest = [Script.json(response("completed", PICTURE)) for _ in range(3)]
    asking, wire = prober(no, BEGUN, *rest)
    found = await asking.background(job(), lambda _: None)
    assert found.moderation_refused is not None
    assert not found.moderation_taken
    assert "moderation" not in sent_as(wire, 1)["tools"][0]


async def test_what_refuses_anything_else_is_sent_once() -> None:
    asking, wire = prober(refusal(400, "background is not for you"))
    found = await asking.background(job(), lambda _: None)
    assert found.refused is not None
    assert found.refused.billed is Billed.NOTHING
    assert (found.moderation_taken, found.response_id, len(wire.requests)) == (False, None, 1)


async def test_a_call_without_an_answer_is_not_sent_again() -> None:
    asking, wire = prober(Script([httpx2.ReadError("gone")]))
    found = await asking.background(job(), lambda _: None)
    assert found.refused is not None
    assert found.refused.billed is Billed.UNKNOWN
    assert len(wire.requests) == 1


async def test_a_stored_response_names_its_identifier_and_usage_and_keeps_no_picture_in_memory() -> None:
    kept = response("completed", image_item(png(padding=200_000)), safety_identifier="person-1")
    asking, _ = prober(Script.json(kept))
    found = await asking.stored("resp_1")
    assert (found.identifier, found.status) == ("person-1", "completed")
    assert (found.host_model, found.image_model) == ("gpt-5.6-luna-2026-08-01", "gpt-image-2-2026-04-21")


async def test_what_is_no_response_is_a_failure_and_nothing_is_raised() -> None:
    asking, _ = prober(Script([b"[1, 2]"]), Script(refused=httpx2.ConnectError("no way")))
    assert (await asking.stored("resp_1")).failure is not None
    failure = (await asking.shutdown("gpt-image-2")).failure
    assert failure is not None
    assert failure.kind is FailureKind.UNREACHABLE


async def test_a_model_without_the_field_is_told_from_one_that_never_ends() -> None:
    model = {"id": "m", "object": "model", "created": 1, "owned_by": "system"}
    days: list[dict[str, Any]] = [{}, {"shutdown_date": None}, {"shutdown_date": "2027-03-01"}]
    asking, _ = prober(*(Script.json(model | each) for each in days))
    found = [await asking.shutdown("m") for _ in days]
    assert [(each.named, each.day) for each in found] == [
        (False, None),
        (True, None),
        (True, date(2027, 3, 1)),
    ]
