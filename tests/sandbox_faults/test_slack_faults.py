"""What each named fault does to Slack's methods, files and addresses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.faults.named import METHODS
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.faults.slack_names import CODES
from sandbox.slack.model import Dropped, Fault
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, api, ok, png, uploaded

ROOM = "C0DESIGN01"
POST = "chat.postMessage"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(clock: Clock) -> Workspace:
    return Workspace(now=clock.now, sleep=clock.sleep, file_processing_s=0)


def break_(place: Workspace, on: str, fault: str, **args: Any) -> None:
    """Let one thing go wrong."""
    place.fault_plan = FaultPlan([Rule("slack", on, fault, args=args)])


async def posts(place: Workspace, **params: Any) -> dict[str, Any]:
    """Post, whatever comes of it."""
    return (await api(place, POST, channel=ROOM, text="Hello", **params)).body


def written(place: Workspace) -> list[str]:
    return [message.text for message in place.channels[ROOM].messages.values()]


@pytest.mark.parametrize("method", METHODS)
async def test_any_refusal_can_be_met_in_any_method_once(place: Workspace, method: str) -> None:
    for code in CODES:
        break_(place, method, code)
        answer = await place.call(method, {}, "no token at all")
        assert (answer.status, answer.body) == (200, {"ok": False, "error": code})
    again = await place.call(method, {}, "no token at all")
    assert again.body["error"] == "invalid_auth"


async def test_a_refused_post_is_not_there_and_the_next_one_is(place: Workspace) -> None:
    break_(place, "*", "not_in_channel")
    assert (await posts(place))["error"] == "not_in_channel"
    assert written(place) == []
    assert (await posts(place))["ok"]


async def test_a_429_says_how_long_and_one_without_a_time_does_not(place: Workspace) -> None:
    break_(place, POST, "ratelimited", retry_after=7)
    answer = await api(place, POST, channel=ROOM, text="x")
    assert (answer.status, answer.headers["Retry-After"], answer.body["error"]) == (429, "7", "ratelimited")
    break_(place, POST, "ratelimited without a time")
    answer = await api(place, POST, channel=ROOM, text="x")
    assert (answer.status, dict(answer.headers)) == (429, {})


async def test_any_other_code_can_be_given(place: Workspace) -> None:
    break_(place, POST, "error", code="rate_of_turtles")
    assert (await posts(place))["error"] == "rate_of_turtles"


async def test_a_file_that_is_not_ready_is_refused_as_slack_does(place: Workspace) -> None:
    break_(place, POST, "invalid slack file")
    body = await posts(place)
    assert body["error"] == "invalid_blocks"
    assert "invalid slack file" in body["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    ("fault", "status", "error", "there"),
    [
        ("server error", 500, "server_error", []),
        ("server error after", 500, "server_error", ["Hello"]),
        ("internal_error", 200, "internal_error", []),
        ("internal_error after", 200, "internal_error", ["Hello"]),
    ],
)
async def test_slack_fails_before_or_after_it_has_done_it(
    place: Workspace, fault: str, status: int, error: str, there: list[str]
) -> None:
    break_(place, POST, fault)
    answer = await api(place, POST, channel=ROOM, text="Hello")
    assert (answer.status, answer.body["error"], written(place)) == (status, error, there)


async def test_the_status_of_a_server_error_can_be_chosen(place: Workspace) -> None:
    break_(place, POST, "server error", status=503)
    assert (await api(place, POST, channel=ROOM, text="Hello")).status == 503


@pytest.mark.parametrize(("when", "there"), [("before", []), ("after", ["Hello"])])
async def test_a_connection_is_lost_before_or_after(place: Workspace, when: str, there: list[str]) -> None:
    break_(place, POST, f"connection lost {when}")
    with pytest.raises(Dropped):
        await posts(place)
    assert written(place) == there


async def test_a_page_comes_instead_of_json(place: Workspace) -> None:
    break_(place, POST, "page instead of json")
    answer = await api(place, POST, channel=ROOM, text="Hello")
    assert (answer.status, answer.ok, written(place)) == (200, False, [])
    assert answer.page is not None
    assert answer.page.startswith("<!DOCTYPE html>")


async def test_a_slow_answer_takes_its_time_on_the_sandboxs_clock(place: Workspace, clock: Clock) -> None:
    break_(place, POST, "slow", seconds=90)
    began = clock.now()
    place.spawn(_noted(place))
    await clock.advance(89)
    assert written(place) == []
    await clock.advance(2)
    assert written(place) == ["Hello"]
    assert clock.now() - began == 91


async def _noted(place: Workspace) -> None:
    await posts(place)


async def test_no_answer_comes_for_very_long_and_nothing_is_done(place: Workspace, clock: Clock) -> None:
    break_(place, POST, "no answer", seconds=600)
    ends: list[str] = []

    async def wait() -> None:
        try:
            await posts(place)
        except Dropped:
            ends.append("cut")

    place.spawn(wait())
    await clock.advance(599)
    assert ends == []
    await clock.advance(2)
    assert (ends, written(place)) == (["cut"], [])


async def test_a_message_is_deleted_just_before_it_is_changed_and_the_app_hears_of_it(
    place: Workspace,
) -> None:
    app = App(place)
    await place.attach(app.send)
    ts = (await posts(place))["ts"]
    break_(place, "chat.update", "message deleted")
    answer = await api(place, "chat.update", channel=ROOM, ts=ts, text="Done")
    assert answer.body["error"] == "message_not_found"
    assert "message_deleted" in [event.get("subtype") for event in app.events]


async def test_a_thread_is_deleted_just_before_a_reply_and_no_tombstone_stays(place: Workspace) -> None:
    root = (await posts(place))["ts"]
    await posts(place, thread_ts=root)
    break_(place, POST, "thread deleted")
    assert (await posts(place))["ok"], "what is no reply has no thread to lose"
    assert (await posts(place, thread_ts=root))["error"] == "thread_not_found"
    assert len(written(place)) == 1


@pytest.mark.parametrize(
    ("fault", "error"), [("channel archived", "is_archived"), ("app removed from channel", "not_in_channel")]
)
async def test_a_channel_is_closed_for_good_but_never_a_direct_message(
    place: Workspace, fault: str, error: str
) -> None:
    break_(place, POST, fault)
    assert (await api(place, POST, channel="U0ALICE001", text="x")).ok
    assert (await posts(place))["error"] == error
    assert (await posts(place))["error"] == error


@pytest.mark.parametrize("encoded", [False, True])
async def test_a_file_is_processed_late_or_never(place: Workspace, clock: Clock, *, encoded: bool) -> None:
    async def send() -> str:
        begun = await ok(place, "files.getUploadURLExternal", filename="a.png", length=len(png()))
        await place.send_bytes(begun["upload_url"], png())
        named = [{"id": begun["file_id"]}]
        await ok(place, "files.completeUploadExternal", files=json.dumps(named) if encoded else named)
        return str(begun["file_id"])

    break_(place, "*", "file processed late", seconds=50)
    late = await send()
    break_(place, "*", "file never processed")
    never = await send()
    plain = await send()
    await clock.advance(49)
    assert [place.files[each].processed for each in (late, never, plain)] == [False, False, True]
    await clock.advance(100_000)
    assert [place.files[each].processed for each in (late, never, plain)] == [True, False, True]


async def test_an_upload_is_cut_refused_or_lost_after_it_arrived(place: Workspace) -> None:
    async def send() -> tuple[int, bool]:
        begun = await ok(place, "files.getUploadURLExternal", filename="a.png", length=len(png()))
        try:
            status = (await place.send_bytes(begun["upload_url"], png())).status
        except Dropped:
            status = 0
        return status, place.files[begun["file_id"]].uploaded

    seen = []
    for fault in ("upload cut", "server error", "connection lost before", "connection lost after", "slow"):
        break_(place, "upload", fault, **({"seconds": 0} if fault == "slow" else {}))
        seen.append(await send())
    assert seen == [(400, False), (500, False), (0, False), (0, True), (200, True)]


async def test_each_way_in_which_a_download_goes_wrong(place: Workspace) -> None:
    file = await uploaded(place, png())
    url = f"{place.base_url}/files-pri/{place.team_id}-{file}/fox.png"
    looks: dict[str, Callable[[Any], bool]] = {
        "download redirected away": lambda a: a.status == 302 and "/elsewhere/" in a.headers["Location"],
        "download moved": lambda a: a.status == 302 and a.headers["Location"].endswith("?moved=1"),
        "download in circles": lambda a: a.status == 302 and a.headers["Location"] == url,
        "download login page": lambda a: a.status == 200 and b"Sign in" in a.body,
        "download garbage": lambda a: a.content_type == "image/png" and not a.body.startswith(b"\x89PNG"),
        "download truncated": lambda a: a.cut_after == len(png()) // 2,
        "download slow": lambda a: a.pause_s == 2.5,
        "download endless": lambda a: a.endless,
        "server error": lambda a: a.status == 500,
    }
    for fault, as_expected in looks.items():
        break_(place, "download", fault, **({"seconds": 2.5} if fault == "download slow" else {}))
        assert as_expected(await place.download(url, place.bot_token)), fault
        assert (await place.download(url, place.bot_token)).body == png()


async def test_a_response_url_expires_is_used_up_or_is_slow_and_works(place: Workspace) -> None:
    app = App(place)
    await place.attach(app.send)
    seen = await place.type_command("alice", "#design", "/imagine a fox")
    url = seen.payload["response_url"]
    for fault in ("expired_url", "used_url"):
        break_(place, "response_url", fault)
        answer = await place.respond(url, {"text": "Hello"})
        assert (answer.status, json.loads(answer.body)["error"]) == (404, fault)
    break_(place, "response_url", "slow", seconds=0)
    assert (await place.respond(url, {"text": "Hello"})).status == 200
    assert [each.text for each in place.ephemerals_for("alice")][-1] == "Hello"


async def test_the_list_of_one_shot_faults_comes_first_and_spares_the_plan(place: Workspace) -> None:
    break_(place, POST, "not_in_channel")
    place.faults.append(Fault(POST, error="internal_error"))
    errors = [(await posts(place)).get("error") for _ in range(3)]
    assert errors == ["internal_error", "not_in_channel", None]


async def test_a_plan_counts_its_time_on_the_sandboxs_clock(place: Workspace, clock: Clock) -> None:
    day = Rule("slack", POST, "ratelimited", times=None, until_s=86_400)
    place.fault_plan = FaultPlan([day])
    await clock.advance(86_399)
    assert (await posts(place))["error"] == "ratelimited"
    await clock.advance(1)
    assert (await posts(place))["ok"]
