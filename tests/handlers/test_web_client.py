"""Our client against a workspace on a real port: every call over HTTP, its faults and its limits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from handlers.asking import CallOutcome
from handlers.clients import FileInfo, SlackRefused, SlackUnclear, TooManyBytes, UserInfo
from handlers.delivery import SlackDelivery
from handlers.manifest import METHOD_SCOPES
from handlers.outward import slack_session
from handlers.pacing import ANSWER_PATIENCE_S, PATIENCE_S, POST_BURST, TOO_LONG
from handlers.posting import PAUSES_S, Poster
from handlers.showing import Manner
from handlers.web_client import USER_AGE_MAX_S, WebSlackClient, read_user, web_slack_client
from handlers.web_files import PAGE
from handlers.words import Voice
from sandbox.slack.model import Fault
from sandbox.slack.response_urls import trigger
from sandbox.slack.server import serve_slack
from sandbox.slack.workspace import Workspace
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from tests.examples import StillClock, command, picture, turn
from tests.handlers.support import USD, USUAL, Notes, ended

ALICE, BOB, ADMIN, GUEST, OLAF = "U0ALICE001", "U0BOB00001", "U0ADMIN001", "U0GUEST001", "U0OUTSIDE1"
DESIGN, LOBBY, ATTIC, PARTNERS = "C0DESIGN01", "C0LOBBY001", "C0ATTIC001", "C0PARTNER1"
BYTES = b"\x89PNG\r\n\x1a\n" + os.urandom(3_000_000)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> StillClock:
    return StillClock(datetime.now(UTC))


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace(file_processing_s=0)
    server = await serve_slack(workspace)
    yield workspace
    await server.close()


@pytest.fixture
async def slack(workspace: Workspace, clock: StillClock) -> AsyncIterator[WebSlackClient]:
    url = workspace.base_url + "/api/"
    async with web_slack_client(workspace.bot_token, clock, url) as client:
        yield client


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Three megabytes that are no picture; nobody here looks inside."""
    path = tmp_path / "0.png"
    path.write_bytes(BYTES)
    return path


def called(workspace: Workspace, method: str) -> int:
    return sum(call.method == method for call in workspace.calls)


async def test_a_message_is_posted_changed_found_linked_and_deleted(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    root = await slack.post_message(DESIGN, "root", turn_id="turn_1")
    reply = await slack.post_message(
        DESIGN, "reply", thread_ts=root, broadcast=True, turn_id="turn_1", blocks=[{"type": "divider"}]
    )
    messages = workspace.channels[DESIGN].messages
    assert messages[root].metadata == {
        "event_type": "darkroom_turn",
        "event_payload": {"turn_id": "turn_1"},
    }
    assert (messages[reply].thread_ts, messages[reply].broadcast) == (root, True)
    assert await slack.find_message(DESIGN, "turn_1", thread_ts=root, since=LONG_AGO) == reply
    assert await slack.find_message(DESIGN, "turn_2", thread_ts=root, since=LONG_AGO) is None
    assert await slack.permalink(DESIGN, root)
    await slack.update_message(DESIGN, root, "done", turn_id="turn_1")
    assert messages[root].text == "done"
    await slack.delete_message(DESIGN, reply)
    assert reply not in messages


async def test_our_message_of_a_turn_is_found_in_the_channel(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    await workspace.post(ALICE, DESIGN, "hello")
    root = await slack.post_message(DESIGN, "root", turn_id="turn_1")
    assert await slack.find_message(DESIGN, "turn_1", thread_ts=None, since=LONG_AGO) == root


async def test_a_picture_goes_up_unchanged_and_unseen_and_is_shown_by_its_id(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    file_id = await slack.upload(image, "darkroom-v1.png")
    file = workspace.files[file_id]
    assert hashlib.sha256(file.data).digest() == hashlib.sha256(BYTES).digest()
    assert file.shares == {}
    assert (await slack.file_info(file_id)).usable
    block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
    ts = await slack.post_message(DESIGN, "picture", blocks=[block])
    assert file.shares == {DESIGN: [ts]}


async def test_a_file_can_be_shared_at_once(slack: WebSlackClient, workspace: Workspace, image: Path) -> None:
    root = await slack.post_message(DESIGN, "root")
    file_id = await slack.upload(image, "darkroom-v1.png", channel=DESIGN, thread_ts=root)
    (shared,) = workspace.files[file_id].shares[DESIGN]
    assert workspace.channels[DESIGN].messages[shared].thread_ts == root


async def test_private_words_reach_one_person(slack: WebSlackClient, workspace: Workspace) -> None:
    await slack.post_ephemeral(DESIGN, ALICE, "only you")
    assert [(shown.user, shown.text) for shown in workspace.ephemerals] == [(ALICE, "only you")]
    await slack.post_message(ALICE, "in our direct message")
    assert [message.text for message in workspace.channels["D0ALICE001"].messages.values()] == [
        "in our direct message"
    ]


async def test_a_direct_message_says_which_channel_it_is_so_that_files_can_follow(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    posted = await slack.post_private(ALICE, "the report", blocks=[{"type": "divider"}])
    assert workspace.channels[posted.channel].messages[posted.ts].text == "the report"
    file_id = await slack.upload(image, "spend.csv", channel=posted.channel, thread_ts=posted.ts)
    assert list(workspace.files[file_id].shares) == [posted.channel]


async def test_reactions_come_and_go(slack: WebSlackClient, workspace: Workspace) -> None:
    message = await workspace.post(ALICE, DESIGN, "a fox")
    await slack.add_reaction(DESIGN, message.ts, "eyes")
    with pytest.raises(SlackRefused, match="already_reacted"):
        await slack.add_reaction(DESIGN, message.ts, "eyes")
    await slack.remove_reaction(DESIGN, message.ts, "eyes")
    assert not message.reactions.get("eyes")


async def test_people_are_known_and_remembered_for_a_while(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    alice = await slack.user(ALICE)
    assert (alice.team_id, alice.is_admin, alice.is_guest, alice.is_bot) == (
        workspace.team_id,
        False,
        False,
        False,
    )
    assert (await slack.user(ADMIN)).is_admin
    assert (await slack.user(GUEST)).is_guest
    await slack.user(ALICE)
    assert called(workspace, "users.info") == 3
    await clock.sleep(USER_AGE_MAX_S + 1)
    await slack.user(ALICE)
    assert called(workspace, "users.info") == 4
    assert (await slack.user(OLAF)).team_id != workspace.team_id
    with pytest.raises(SlackRefused, match="user_not_found"):
        await slack.user("U0NOBODY01")


@pytest.mark.parametrize(("channel", "error"), [(LOBBY, "not_in_channel"), (ATTIC, "is_archived")])
async def test_slacks_refusals_keep_their_names(slack: WebSlackClient, channel: str, error: str) -> None:
    with pytest.raises(SlackRefused) as refusal:
        await slack.post_message(channel, "hello")
    assert (refusal.value.error, refusal.value.method) == (error, "chat.postMessage")


async def test_refused_blocks_say_what_is_wrong(slack: WebSlackClient) -> None:
    image = {"type": "image", "slack_file": {"id": "F0NOTHING1"}, "alt_text": "a fox"}
    with pytest.raises(SlackRefused) as refusal:
        await slack.post_message(DESIGN, "picture", blocks=[image])
    assert refusal.value.error == "invalid_blocks"
    assert "invalid slack file" in refusal.value.detail


async def test_a_rate_limit_is_waited_out_as_told(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    limited = Fault(
        "chat.postMessage", error="ratelimited", status=429, headers={"Retry-After": "12"}, times=2
    )
    workspace.faults.append(limited)
    await slack.post_message(DESIGN, "hello")
    assert clock.slept == [12, 12]
    assert len(workspace.channels[DESIGN].messages) == 1


async def test_a_rate_limit_without_end_is_a_refusal(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    endless = Fault(
        "chat.postMessage", error="ratelimited", status=429, headers={"Retry-After": "600"}, times=99
    )
    workspace.faults.append(endless)
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.post_message(DESIGN, "hello")
    assert sum(clock.slept) <= PATIENCE_S
    assert len(clock.slept) > 4


async def test_within_minutes_a_longer_rate_limit_is_a_refusal_and_the_pace_is_the_same_for_all(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    workspace.faults.append(
        Fault("chat.postEphemeral", error="ratelimited", status=429, headers={"Retry-After": "600"})
    )
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.within(ANSWER_PATIENCE_S).post_ephemeral(DESIGN, ALICE, "hello")
    assert clock.slept == []
    await slack.post_ephemeral(DESIGN, ALICE, "hello")
    assert sum(clock.slept) == pytest.approx(600)


async def test_nobody_waits_long_for_a_link(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    workspace.faults.append(
        Fault("chat.getPermalink", error="ratelimited", status=429, headers={"Retry-After": "90"})
    )
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.permalink(DESIGN, "1.000001")
    assert clock.slept == []


async def test_a_wait_beyond_reason_is_not_taken_up(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    hours = Fault("chat.postMessage", error="ratelimited", status=429, headers={"Retry-After": "7200"})
    workspace.faults.append(hours)
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.post_message(DESIGN, "hello")
    assert clock.slept == []


async def test_a_429_holds_up_nobody_who_wants_something_else(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    workspace.faults.append(
        Fault("chat.postMessage", error="ratelimited", status=429, headers={"Retry-After": "7200"})
    )
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.post_message(DESIGN, "hello")
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await slack.post_message(ALICE, "hello")
    assert called(workspace, "chat.postMessage") == 1
    await slack.post_ephemeral(DESIGN, ALICE, "only you")
    assert clock.slept == []


async def test_posts_into_one_channel_come_one_a_second_after_the_first_few(
    slack: WebSlackClient, clock: StillClock
) -> None:
    for number in range(20):
        await slack.post_message(DESIGN, f"{number}")
    await slack.post_message(ALICE, "not into that channel")
    assert sum(clock.slept) == pytest.approx(20 - POST_BURST, abs=0.1)


async def test_a_file_whose_last_answer_was_lost_is_looked_for_and_not_sent_again(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    workspace.faults.append(Fault("files.completeUploadExternal", drop="after"))
    file_id = await slack.upload(image, "darkroom-v1.png")
    assert [file.id for file in workspace.files.values() if file.completed] == [file_id]


NOT_SHOWN: dict[str, Any] = {"ok": True, "file": {"id": "F1", "shares": {}}}
UNKNOWN = Fault("files.info", error="file_not_found", times=3)
"""What Slack says of a file that it has not completed yet."""


@pytest.mark.parametrize(
    ("looks", "times"),
    [
        ([], 1),
        ([Fault("files.info", body=NOT_SHOWN, times=2)], 1),
        ([UNKNOWN], 1),
        ([Fault("files.info", drop="before", times=8)], 1),
        ([Fault("files.info", status=503, body={}, times=4)], 1),
        ([Fault("files.info", error="some_new_error", times=4)], 1),
        ([Fault("files.info", body=NOT_SHOWN, times=20)], 2),
        ([Fault("files.info", body=NOT_SHOWN, times=4), Fault("files.delete", drop="after", times=2)], 2),
    ],
)
async def test_a_share_without_an_answer_is_looked_for_until_slack_says_and_stands_once(
    slack: WebSlackClient,
    workspace: Workspace,
    image: Path,
    clock: StillClock,
    looks: list[Fault],
    times: int,
) -> None:
    """Slack may know of it a little later; what is not there after that is taken back before it is sent
    again."""
    workspace.faults += [Fault("files.completeUploadExternal", drop="after"), *map(replace, looks)]
    file_id = await Poster(slack, clock).upload(image, "darkroom-v1.png", channel=DESIGN)
    living = [file for file in workspace.files.values() if file.completed and not file.deleted]
    assert [(file.id, list(file.shares)) for file in living] == [(file_id, [DESIGN])]
    assert called(workspace, "files.completeUploadExternal") == times


async def test_a_share_that_cannot_be_looked_for_is_not_sent_again_now(
    slack: WebSlackClient, workspace: Workspace, image: Path, clock: StillClock
) -> None:
    workspace.faults += [
        Fault("files.completeUploadExternal", drop="after"),
        Fault("files.info", drop="before", times=10**6),
    ]
    with pytest.raises(SlackUnclear):
        await Poster(slack, clock).upload(image, "darkroom-v1.png", channel=DESIGN)
    assert called(workspace, "files.completeUploadExternal") == 1
    assert len(workspace.channels[DESIGN].messages) == 1


@pytest.mark.parametrize(("error", "seconds"), [("ratelimited", PATIENCE_S), ("token_revoked", 0)])
async def test_a_share_is_left_to_its_next_round_where_slack_lets_nobody_look_for_long(
    slack: WebSlackClient, workspace: Workspace, image: Path, clock: StillClock, error: str, seconds: float
) -> None:
    """Its thread would wait an hour for each try."""
    status, headers = (429, {"Retry-After": "600"}) if error == "ratelimited" else (200, {})
    workspace.faults += [
        Fault("files.completeUploadExternal", drop="after"),
        Fault("files.info", error=error, status=status, headers=headers, times=10**6),
    ]
    with pytest.raises(SlackRefused):
        await Poster(slack, clock).upload(image, "darkroom-v1.png", channel=DESIGN)
    assert sum(clock.slept) <= seconds + sum(PAUSES_S)
    assert called(workspace, "files.completeUploadExternal") == 1


async def test_the_id_of_a_file_is_known_before_anybody_can_see_it(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    seen: list[tuple[str, bool]] = []

    async def begun(file_id: str) -> None:
        seen.append((file_id, workspace.files[file_id].completed))

    file_id = await slack.upload(image, "darkroom-v1.png", channel=DESIGN, begun=begun)
    assert seen == [(file_id, False)]
    assert (await slack.file_info(file_id)).shown_in.keys() == {DESIGN}


async def test_only_our_own_messages_are_found_by_their_metadata(
    workspace: Workspace, slack: WebSlackClient, clock: StillClock
) -> None:
    """Other apps can name our turns in theirs."""
    ts = await slack.post_message(DESIGN, "forged", turn_id="turn_1")
    async with slack_session(workspace.base_url) as session:
        url = workspace.base_url + "/api/"
        other = WebSlackClient(session, workspace.bot_token, clock, url, "B0ANOTHER1")
        assert await other.find_message(DESIGN, "turn_1", thread_ts=None, since=LONG_AGO) is None
        ours = WebSlackClient(session, workspace.bot_token, clock, url, workspace.bot_id)
        assert await ours.find_message(DESIGN, "turn_1", thread_ts=None, since=LONG_AGO) == ts


async def test_a_post_whose_answer_is_lost_is_never_sent_again_by_itself(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    """It reached the channel once, and we are told that we do not know."""
    workspace.faults.append(Fault("chat.postMessage", drop="after"))
    with pytest.raises(SlackUnclear):
        await slack.post_message(DESIGN, "hello")
    assert len(workspace.channels[DESIGN].messages) == 1


async def test_a_look_that_dropped_is_taken_again(slack: WebSlackClient, workspace: Workspace) -> None:
    workspace.faults.append(Fault("users.info", drop="before"))
    assert (await slack.user(ALICE)).id == ALICE


@pytest.mark.parametrize(
    "fault",
    [
        Fault("chat.postMessage", error="internal_error"),
        Fault("chat.postMessage", status=503, body={}),
        Fault("chat.postMessage", status=500, error="fatal_error"),
        Fault("chat.postMessage", status=502, error="some_new_error"),
    ],
)
async def test_what_broke_inside_slack_is_unclear(
    slack: WebSlackClient, workspace: Workspace, fault: Fault
) -> None:
    workspace.faults.append(replace(fault))
    with pytest.raises(SlackUnclear):
        await slack.post_message(DESIGN, "hello")


async def test_bytes_that_do_not_arrive_make_an_unclear_upload(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    workspace.faults.append(Fault("upload", status=500))
    with pytest.raises(SlackUnclear):
        await slack.upload(image, "darkroom-v1.png")
    workspace.faults.append(Fault("upload", drop="before"))
    with pytest.raises(SlackUnclear):
        await slack.upload(image, "darkroom-v1.png")


async def test_a_reply_address_answers_until_it_is_used_up(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    url = f"{workspace.base_url}/commands/{workspace.team_id}/nothing"
    with pytest.raises(SlackRefused) as refusal:
        await slack.respond(url, "hello")
    assert refusal.value.method == "response_url"
    with pytest.raises(SlackUnclear):
        await slack.respond("http://127.0.0.1:9/commands/1", "hello")


async def test_every_method_we_call_works_with_the_scopes_of_the_manifest(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    """The workspace refuses what a scope is missing for; this walks all of them."""
    root = await slack.post_message(DESIGN, "root", turn_id="t")
    file_id = await slack.upload(image, "v1.png")
    await slack.file_info(file_id)
    await slack.update_message(DESIGN, root, "done")
    await slack.permalink(DESIGN, root)
    await slack.find_message(DESIGN, "t", thread_ts=None, since=LONG_AGO)
    await slack.find_message(DESIGN, "t", thread_ts=root, since=LONG_AGO)
    await slack.add_reaction(DESIGN, root, "eyes")
    await slack.remove_reaction(DESIGN, root, "eyes")
    await slack.post_ephemeral(DESIGN, ALICE, "psst")
    await slack.user(ALICE)
    got = bytearray()
    await slack.download(file_id, got.extend, bytes_max=len(BYTES))
    await slack.delete_file(file_id)
    view_id = await slack.open_view(pressed(workspace), MODAL)
    await slack.push_view(pressed(workspace, view_id), MODAL)
    await slack.update_view(view_id, MODAL)
    await slack.publish_home(ALICE, HOME)
    await slack.delete_message(DESIGN, root)
    assert {call.method for call in workspace.calls if call.error is None} == set(METHOD_SCOPES)


MODAL = {
    "type": "modal",
    "callback_id": "new_picture",
    "title": {"type": "plain_text", "text": "New picture"},
    "blocks": [{"type": "divider"}],
}
HOME = {"type": "home", "blocks": [{"type": "divider"}]}


def pressed(workspace: Workspace, view_id: str | None = None) -> str:
    """The trigger id of something that Alice did."""
    return trigger(workspace, workspace.users[ALICE], channel=DESIGN, view_id=view_id)


async def test_dialogs_are_opened_stacked_and_changed_by_their_ids(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    below = await slack.open_view(pressed(workspace), MODAL)
    above = await slack.push_view(pressed(workspace, below), MODAL | {"callback_id": "variations"})
    assert workspace.views[above]["callback_id"] == "variations"
    hash_ = str(workspace.views[below]["hash"])
    changed = MODAL | {"callback_id": "edit_picture"}
    await slack.update_view(below, changed, hash_=hash_)
    assert workspace.views[below]["callback_id"] == "edit_picture"
    with pytest.raises(SlackRefused, match="hash_conflict"):
        await slack.update_view(below, MODAL, hash_=hash_)


async def test_what_slack_sends_twice_opens_its_dialog_once(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    used = pressed(workspace)
    assert await slack.open_view(used, MODAL) in workspace.views
    assert await slack.open_view(used, MODAL) == ""
    assert len(workspace.views) == 1


async def test_a_dialog_that_comes_too_late_is_refused_at_once(
    slack: WebSlackClient, workspace: Workspace, clock: StillClock
) -> None:
    """A trigger is good for 3 seconds and one view: waiting out a limit would only lose them."""
    workspace.faults.append(
        Fault("views.open", error="ratelimited", status=429, headers={"Retry-After": "2"})
    )
    with pytest.raises(SlackRefused, match="ratelimited"):
        await slack.open_view(pressed(workspace), MODAL)
    assert clock.slept == []


async def test_home_is_what_one_person_sees(slack: WebSlackClient, workspace: Workspace) -> None:
    await slack.publish_home(ALICE, HOME)
    assert set(workspace.homes) == {ALICE}


async def test_a_persons_file_is_known_and_downloaded_with_the_token(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    file = await workspace.upload(ALICE, "fox.png", BYTES)
    shown = await workspace.post(ALICE, DESIGN, "look", files=(file.id,))
    assert await slack.file_info(file.id) == FileInfo(
        file.id, "image/png", "fox.png", len(BYTES), {DESIGN: shown.ts}
    )
    got = bytearray()
    await slack.download(file.id, got.extend, bytes_max=len(BYTES))
    assert bytes(got) == BYTES
    with pytest.raises(TooManyBytes):
        await slack.download(file.id, got.extend, bytes_max=len(BYTES) - 1)
    workspace.scopes = frozenset(workspace.scopes) - {"files:read"}
    with pytest.raises(SlackRefused, match="missing_scope"):
        await slack.download(file.id, got.extend, bytes_max=len(BYTES))


async def test_a_deleted_file_is_gone_and_others_files_are_not_ours_to_delete(
    slack: WebSlackClient, workspace: Workspace, image: Path
) -> None:
    file_id = await slack.upload(image, "v1.png")
    await slack.delete_file(file_id)
    with pytest.raises(SlackRefused, match="file_deleted"):
        await slack.download(file_id, bytearray().extend, bytes_max=1)
    theirs = await workspace.upload(ALICE, "fox.png", BYTES)
    await workspace.post(ALICE, DESIGN, "look", files=(theirs.id,))
    with pytest.raises(SlackRefused, match="cant_delete_file"):
        await slack.delete_file(theirs.id)


async def test_the_files_above_a_message_are_those_of_older_ones_root_included(
    slack: WebSlackClient, workspace: Workspace
) -> None:
    """Also where the thread takes more than a page; the root comes on each of them and counts once."""
    people = (ALICE, BOB, ALICE)
    files = [(await workspace.upload(who, f"{n}.png", BYTES)).id for n, who in enumerate(people)]
    root = (await workspace.post(ALICE, DESIGN, "look", files=(files[0],))).ts
    for _ in range(PAGE):
        await workspace.post(BOB, DESIGN, "hm", thread_ts=root)
    await workspace.post(BOB, DESIGN, "mine", thread_ts=root, files=(files[1],))
    asked = await workspace.post(ALICE, DESIGN, "@Darkroom blue", thread_ts=root, files=(files[2],))
    found = await slack.files_above(DESIGN, root, asked.ts)
    assert [(file.file_id, file.name, file.media_type) for file in found] == [
        (files[0], "0.png", "image/png"),
        (files[1], "1.png", "image/png"),
    ]
    assert called(workspace, "conversations.replies") == 2
    with pytest.raises(SlackRefused, match="not_in_channel"):
        await slack.files_above(LOBBY, root, asked.ts)


@pytest.fixture
def way(slack: WebSlackClient, workspace: Workspace, clock: StillClock, database: Database) -> SlackDelivery:
    """The way to a person, over HTTP."""
    voice = Voice("/imagine", "/spend", workspace.bot_user_id, (), "UTC")
    manner = Manner(frozenset({USUAL}), broadcast_first=True, confirm_nano_usd=USD)
    return SlackDelivery(slack, clock, voice, manner, SqliteTurnLog(database), SqliteConversations(database))


async def test_a_picture_is_delivered_from_placeholder_to_done(
    way: SlackDelivery, workspace: Workspace, clock: StillClock, image: Path
) -> None:
    """One notification, for the asker; one broadcast; nothing broken."""
    notes = Notes(turn(command("<!channel> fox", user=ALICE, channel=DESIGN), created_at=clock.now()))
    assert await way.placeholder(notes.turn, 80_000_000, notes) is None
    thread_ts = notes.turn.placeholder_ts
    assert thread_ts is not None
    assert list(workspace.notifications) == []
    made = picture(prompt="<!channel> fox", thread_ts=thread_ts, channel_id=DESIGN, user_id=ALICE)
    await way.deliver(notes.turn, [(made, image)], (), notes)
    root, shown = workspace.channels[DESIGN].messages.values()
    assert (shown.thread_ts, shown.broadcast, shown.broken_files) == (root.ts, True, [])
    assert "Done" in root.text
    assert shown.ts.replace(".", "") in root.text
    assert [(ping.user, ping.ts) for ping in workspace.notifications] == [(ALICE, shown.ts)]


async def test_a_slow_scan_is_waited_out_and_a_lost_answer_found(
    way: SlackDelivery, workspace: Workspace, clock: StillClock, image: Path
) -> None:
    notes = Notes(turn(command(user=ALICE, channel=DESIGN), created_at=clock.now()))
    await way.placeholder(notes.turn, 80_000_000, notes)
    workspace.faults.append(Fault("chat.postMessage", drop="after"))
    made = picture(thread_ts=notes.turn.placeholder_ts, channel_id=DESIGN, user_id=ALICE)
    await way.deliver(notes.turn, [(made, image)], (), notes)
    assert len(workspace.channels[DESIGN].messages) == 2


async def test_a_refusal_leaves_nothing_in_the_channel(
    way: SlackDelivery, workspace: Workspace, clock: StillClock
) -> None:
    request = replace(command(user=ALICE, channel=DESIGN), reply_url=None)
    notes = Notes(turn(request, created_at=clock.now()))
    await way.placeholder(notes.turn, 80_000_000, notes)
    over = ended(
        Ending(Outcome.BLOCKED, Reason.MODERATION),
        request,
        placeholder_ts=notes.turn.placeholder_ts,
        created_at=clock.now(),
    )
    await way.tell(over, Notes(over))
    assert workspace.channels[DESIGN].messages == {}
    assert [shown.user for shown in workspace.ephemerals] == [ALICE]


def test_a_person_without_names_or_team_is_still_somebody() -> None:
    assert read_user("U1", {}) == UserInfo("U1", "Somebody", None, None, False, False, False, False)


def test_an_organisation_and_the_profiles_team_are_read() -> None:
    info = read_user(
        "U1",
        {
            "profile": {"display_name": "", "real_name": "Egon", "team": "T1"},
            "enterprise_user": {"enterprise_id": "E1"},
            "is_stranger": True,
            "is_owner": True,
        },
    )
    assert info == UserInfo("U1", "Egon", "T1", "E1", True, False, True, False)


async def test_what_comes_of_each_call_is_told(workspace: Workspace, clock: StillClock, image: Path) -> None:
    """By method, so that whoever looks after it can see which of them is in trouble."""
    heard: list[tuple[str, str]] = []

    def hears(method: str, outcome: CallOutcome, seconds: float) -> None:
        heard.append((method, outcome.value))

    async with slack_session(workspace.base_url) as session:
        slack = WebSlackClient(session, workspace.bot_token, clock, workspace.base_url + "/api/", heard=hears)
        root = await slack.post_message(DESIGN, "root")
        workspace.faults.append(Fault("chat.update", error="ratelimited", status=429))
        await slack.update_message(DESIGN, root, "done")
        with pytest.raises(SlackRefused):
            await slack.update_message(DESIGN, "1.1", "done")
        workspace.faults.append(Fault("chat.delete", status=500))
        with pytest.raises(SlackUnclear):
            await slack.delete_message(DESIGN, root)
        with pytest.raises(SlackRefused):
            await slack.open_view("111.222.old", {"type": "modal"})
        with pytest.raises(SlackRefused):
            await slack.respond(f"{workspace.base_url}/commands/none", "too late")
        await slack.upload(image, "v1.png")
    assert heard == [
        ("chat.postMessage", "ok"),
        ("chat.update", "rate_limited"),
        ("chat.update", "ok"),
        ("chat.update", "refused"),
        ("chat.delete", "unclear"),
        ("views.open", "refused"),
        ("response_url", "refused"),
        ("files.getUploadURLExternal", "ok"),
        ("upload", "ok"),
        ("files.completeUploadExternal", "ok"),
    ]
