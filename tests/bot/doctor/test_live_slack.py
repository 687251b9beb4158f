"""``doctor --live-slack`` in the sandbox: what it says, and that nothing of it stays, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.cli import Refused
from bot.doctor.finding import Finding, Grade
from bot.doctor.live_asking import Reply
from bot.doctor.live_slack import run_live_slack
from bot.doctor.probes import LIVE_SLACK
from bot.settings import Settings, plain_settings
from sandbox.slack.model import Fault
from sandbox.slack.server import RunningServer, serve_slack
from sandbox.slack.workspace import Workspace
from tests.scenarios.story import HurriedClock

PLACE = "Reply to it"


@dataclass
class Office:
    """A workspace, and Alice in front of the terminal: she does what she is told to, and says what ``says``
    has for a part of the question, else yes."""

    workspace: Workspace
    server: RunningServer
    settings: Settings
    channel: str = "#design"
    says: dict[str, Reply] = field(default_factory=dict)
    before: Callable[[str], None] | None = None
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def ask(self, question: str) -> Reply:
        """What the terminal would."""
        self.asked.append(question)
        if self.before is not None:
            self.before(question)
            await asyncio.sleep(0)
        reply = next((reply for part, reply in self.says.items() if part in question), Reply.YES)
        if PLACE in question and reply is Reply.YES:
            alice, room = self.workspace.user_named("alice").id, self.workspace.channel_named(self.channel)
            root = next(each for each in room.messages.values() if each.bot_id == self.workspace.bot_id)
            await self.workspace.post(alice, room.id, "here I am", thread_ts=root.ts)
        return reply

    async def run(self) -> dict[str, Finding]:
        """The findings by their check, each of them once."""
        clock = HurriedClock()
        found = await run_live_slack(self.settings, self.channel, self.ask, say=self.said.append, clock=clock)
        assert [finding.check for finding in found] == list(LIVE_SLACK)
        assert self.workspace.bot_token not in str(found) + str(self.said)
        return {finding.check: finding for finding in found}

    def fail(self, method: str, **fault: Any) -> None:
        """Something goes wrong with that method, once."""
        self.workspace.faults.append(Fault(method, **fault))

    @property
    def left(self) -> list[str]:
        """What of the doctor's is still there: messages, files, Home tabs with the picture."""
        rooms = self.workspace.channels.values()
        ours = [m for room in rooms for m in room.messages.values() if m.bot_id == self.workspace.bot_id]
        homes = [str(self.workspace.home_of(user)) for user in self.workspace.users]
        return [
            *(message.text for message in ours if message.subtype != "tombstone"),
            *(file.id for file in self.workspace.files.values() if file.completed and not file.deleted),
            *(home for home in homes if "slack_file" in home),
        ]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """Without a running bot."""
    workspace = Workspace(file_processing_s=0.0)
    server = await serve_slack(workspace)
    flags = {"slack_bot_token": workspace.bot_token, "slack_api_url": f"{server.url}/api/"}
    yield Office(workspace, server, plain_settings(flags))
    await server.close()
    await workspace.close()


async def test_every_probe_says_what_was_seen_and_nothing_stays(office: Office) -> None:
    office.channel = "#secret"
    office.workspace.channel_named("secret").members |= {
        office.workspace.bot_user_id,
        office.workspace.user_named("alice").id,
    }
    found = await office.run()
    assert {check for check, finding in found.items() if finding.grade is not Grade.PASS} == set()
    assert "image, actions, After" in found["live_slack.buttons"].said
    assert "file_deleted" in found["live_slack.deleted"].said
    assert len(office.asked) == 10
    assert office.left == []
    assert office.said[-1] == "Everything that was put there is gone again."


async def test_where_slack_names_no_share_the_person_is_asked_all_the_same(office: Office) -> None:
    def unshare(question: str) -> None:
        if "itself, not the thread" in question:
            for file in office.workspace.files.values():
                file.shares.clear()

    office.before = unshare
    found = await office.run()
    assert found["live_slack.private"].said.endswith("shared nowhere")


async def test_a_channel_by_its_id_that_is_public_has_no_private_probe(office: Office) -> None:
    office.channel = office.workspace.channel_named("design").id
    found = await office.run()
    assert {check for check, each in found.items() if each.grade is Grade.SKIP} == {"live_slack.private"}


async def test_what_a_person_sees_otherwise_is_a_warning_and_what_they_skip_is_skipped(
    office: Office,
) -> None:
    office.says = {
        "blue circle, and a button": Reply.NO,
        "say “After”": Reply.NO,
        "a table": Reply.SKIP,
        "May its content": Reply.NO,
    }
    found = await office.run()
    assert found["live_slack.picture"].grade is Grade.FAIL
    assert found["live_slack.buttons"].grade is Grade.WARN
    assert found["live_slack.table"].grade is Grade.SKIP
    assert found["live_slack.home"].grade is Grade.SKIP
    assert not any("Does the Home tab" in question for question in office.asked)
    assert office.left == []


async def test_without_a_reply_nothing_private_is_shown_to_anybody(office: Office) -> None:
    office.says = {PLACE: Reply.SKIP}
    found = await office.run()
    private = ("live_slack.table", "live_slack.chart", "live_slack.home")
    assert {found[check].grade for check in private} == {Grade.SKIP}
    assert found["live_slack.picture"].grade is Grade.PASS
    assert office.left == []


@pytest.mark.parametrize(("channel", "error"), [("#lobby", "not_in_channel"), ("#none", "channel_not_found")])
async def test_where_the_bot_may_not_post_it_says_how_to_invite_it(
    office: Office, channel: str, error: str
) -> None:
    office.channel = channel
    found = await office.run()
    assert found["live_slack.place"].grade is Grade.FAIL
    assert error in found["live_slack.place"].said
    assert "/invite" in found["live_slack.place"].remedy
    others = {each.grade for check, each in found.items() if check not in ("live_slack.place", CLEANUP)}
    assert others == {Grade.SKIP}
    assert office.asked == []


CLEANUP = "live_slack.cleanup"


@pytest.mark.parametrize("token", [None, "xoxb-another"])
async def test_without_a_token_that_slack_takes_nothing_is_tried(office: Office, token: str | None) -> None:
    flags = {"slack_api_url": f"{office.server.url}/api/"} | ({"slack_bot_token": token} if token else {})
    office.settings = plain_settings(flags)
    with pytest.raises(Refused) as refused:
        await office.run()
    assert "xoxb-another" not in str(refused.value)
    assert [call.method for call in office.workspace.calls] == (["auth.test"] if token else [])


async def test_other_bytes_than_were_sent_are_told(office: Office) -> None:
    office.fail("download", page="<html>Sign in</html>")
    found = await office.run()
    assert found["live_slack.sha256"].grade is Grade.WARN
    assert found["live_slack.picture"].grade is Grade.PASS


async def test_scopes_that_only_fewer_apps_have_are_told_and_the_rest_goes_on(office: Office) -> None:
    office.workspace.scopes = office.workspace.scopes - {"channels:history"}
    found = await office.run()
    assert found["live_slack.place"].grade is Grade.WARN
    assert "missing_scope" in found["live_slack.place"].said
    assert found["live_slack.picture"].grade is Grade.PASS
    assert found["live_slack.metadata"].grade is Grade.WARN
    assert office.left == []


METHODS = (
    "chat.postMessage",
    "chat.update",
    "conversations.replies",
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
    "files.info",
    "files.delete",
    "views.publish",
    "chat.delete",
    "upload",
    "download",
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "before"}, {"status": 500}, {"error": "fatal_error", "done": True}],
    ids=["answer lost", "request lost", "500", "done and failed"],
)
async def test_a_fault_in_the_middle_leaves_nothing(
    office: Office, method: str, fault: dict[str, Any]
) -> None:
    for number in range(2):
        office.fail(method, **fault, when=_nth(1 + number))
    await office.run()
    assert office.left == []


def _nth(number: int) -> Callable[[Any], bool]:
    """Fits the call after so many others."""
    seen: list[Any] = []

    def fits(params: Any) -> bool:
        seen.append(params)
        return len(seen) > number

    return fits


@pytest.mark.parametrize("question", range(9))
async def test_who_stops_it_at_any_question_finds_nothing_left(office: Office, question: int) -> None:
    work = asyncio.create_task(office.run())

    def stop(_: str) -> None:
        if len(office.asked) == question + 1:
            work.cancel()

    office.before = stop
    with pytest.raises(asyncio.CancelledError):
        await work
    assert len(office.asked) == question + 1
    assert office.left == []
    assert office.said[-1] == "Everything that was put there is gone again."


async def test_who_stops_it_while_a_message_is_posted_finds_nothing_left(office: Office) -> None:
    stopped: list[asyncio.Task[Any]] = []

    async def stop(*_: Any) -> None:
        stopped[0].cancel()

    office.fail("chat.postMessage", first=stop, when=lambda params: "thread_ts" in params)
    stopped.append(asyncio.create_task(office.run()))
    with pytest.raises(asyncio.CancelledError):
        await stopped[0]
    assert any(call.method == "conversations.replies" for call in office.workspace.calls)
    assert office.left == []


async def test_who_stops_it_while_things_are_taken_away_finds_nothing_left(office: Office) -> None:
    stopped: list[asyncio.Task[Any]] = []

    async def stop(*_: Any) -> None:
        stopped[0].cancel()

    office.fail("chat.delete", first=stop)
    stopped.append(asyncio.create_task(office.run()))
    with pytest.raises(asyncio.CancelledError):
        await stopped[0]
    assert office.left == []
    assert office.said[-1] == "Everything that was put there is gone again."


async def test_direct_messages_whose_posts_had_no_answer_are_found_and_taken_away(office: Office) -> None:
    alice = office.workspace.user_named("alice").id
    for _ in range(2):
        office.fail("chat.postMessage", drop="after", when=lambda params: params["channel"] == alice)
    found = await office.run()
    assert {found[check].grade for check in ("live_slack.table", "live_slack.chart")} == {Grade.WARN}
    assert found[CLEANUP].grade is Grade.PASS
    assert office.left == []


async def test_metadata_that_does_not_come_back_is_told(office: Office) -> None:
    def lose(question: str) -> None:
        if "itself, not the thread" in question:
            for message in office.workspace.channel_named("design").messages.values():
                message.metadata = None

    office.before = lose
    found = await office.run()
    assert found["live_slack.metadata"].grade is Grade.WARN
    assert "may stand twice" in found["live_slack.metadata"].said


async def test_what_cannot_be_taken_away_is_named(office: Office) -> None:
    for _ in range(20):
        office.fail("chat.delete", error="cant_delete_message_now")
        office.fail("files.delete", error="not_allowed", when=lambda _: len(office.asked) > 9)
    found = await office.run()
    assert found[CLEANUP].grade is Grade.WARN
    design = office.workspace.channel_named("design")
    ours = [each for each in design.messages.values() if each.bot_id == office.workspace.bot_id]
    assert len(ours) == 3
    assert all(each.ts in found[CLEANUP].said for each in ours)
    assert "by hand" in found[CLEANUP].remedy
    assert found[CLEANUP].said.removeprefix("this may remain: ") in office.said[-1]
