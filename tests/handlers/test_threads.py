"""Mentions, replies, edits and deletions through the real dispatcher."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from darkroom.spending.alerts import AlertKind
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Intent, Options, Surface, ThreadReplies, Turn, TurnState
from handlers.pacing import ANSWER_PATIENCE_S
from handlers.threads import PAIR_WAIT_S
from storage.database import Database
from tests.examples import ALICE, BOB, DESIGN, TEAM, plan
from tests.handlers.support import (
    BOT,
    BOT_ID,
    DM,
    GUEST,
    OLAF,
    OTHER_TEAM,
    Desk,
    config,
    event,
    fixture,
    mentioned,
    wrote,
)
from tests.handlers.test_spend import spent

ROOT, FIRST, SECOND = "1763640000.000100", "1763640001.000100", "1763640002.000100"


async def open_thread(desk: Desk) -> Turn:
    """Alice mentioned Darkroom: the thread is hers."""
    await desk.send(wrote(f"<@{BOT}> a red fox", ROOT))
    return desk.line.turns[0]


def prompts(desk: Desk) -> list[str]:
    return [turn.request.prompt for turn in desk.line.turns]


async def working(desk: Desk, turn: Turn) -> None:
    """*turn* has its hold."""
    caps, now = config().caps, desk.clock.now()
    await desk.store.queue(turn.id, plan("attempt_1"), caps, now)
    await desk.store.hold(turn.id, plan("attempt_1"), caps, now)


def edited(before: str, now: str, ts: str = ROOT, **fields: Any) -> dict[str, Any]:
    """A message was changed; Slack's sample leaves the new one's ts out, so the old one's has to do."""
    payload = event("message_changed", channel=DESIGN)
    payload["event"]["message"] |= {"text": now, "user": ALICE, "team": config().team_id, **fields}
    payload["event"]["previous_message"] |= {"text": before, "user": ALICE, "ts": ts}
    return payload


def deleted(ts: str = ROOT) -> dict[str, Any]:
    payload = event("message_deleted", channel=DESIGN, deleted_ts=ts)
    payload["event"]["previous_message"] |= {"user": ALICE, "ts": ts}
    return payload


async def test_an_edit_that_slack_sends_again_after_a_newer_one_changes_nothing(desk: Desk) -> None:
    """Slack sends again, a minute later, what was not acknowledged; also somebody else could, for a while."""
    turn = await open_thread(desk)
    texts = [f"<@{BOT}> {words}" for words in ("a red fox", "a blue fox", "a green fox")]
    older = edited(texts[0], texts[1], edited={"user": ALICE, "ts": "1700000001.000100"})
    newer = edited(texts[1], texts[2], edited={"user": ALICE, "ts": "1700000001.000200"})
    for payload in (newer, older):
        await desk.send(payload)
    now = await desk.log.turn(turn.id)
    assert now is not None
    assert now.request.prompt == "a green fox"


async def test_a_mention_starts_a_thread(desk: Desk) -> None:
    turn = await open_thread(desk)
    request = turn.request
    assert (request.prompt, request.surface, request.key) == (
        "a red fox",
        Surface.MENTION,
        f"message:{DESIGN}:{ROOT}",
    )
    assert (request.thread_ts, request.message_ts, request.order) == (ROOT, ROOT, ROOT)
    assert desk.slack.calls == []


@pytest.mark.parametrize("first", ["message", "app_mention"])
async def test_a_mention_that_arrives_twice_is_one_turn_with_its_files(desk: Desk, first: str) -> None:
    """In either order; the files come with ``message`` only."""
    files = fixture("message_file_share_full")["event"]["files"]
    as_message = wrote(f"<@{BOT}> a red fox", ROOT, files=files, subtype="file_share")
    as_mention = mentioned(f"<@{BOT}> a red fox", ROOT)
    pair = [as_message, as_mention] if first == "message" else [as_mention, as_message]
    for payload in pair:
        assert (await desk.send(payload)).status == 200
    (turn,) = desk.line.turns
    now = await desk.log.turn(turn.id)
    assert now is not None
    (attachment,) = now.request.attachments
    assert (attachment.media_type, attachment.file_id) == ("image/png", files[0]["id"])


async def test_a_reply_of_who_opened_the_thread_needs_no_mention(desk: Desk) -> None:
    await open_thread(desk)
    await desk.send(wrote("make it blue \u2014quality low", FIRST, thread_ts=ROOT))
    request = desk.line.turns[1].request
    assert (request.surface, request.prompt) == (Surface.REPLY, "make it blue")
    assert (request.thread_ts, request.options) == (ROOT, Options(quality="low"))


async def test_a_reply_that_also_goes_to_the_channel_counts(desk: Desk) -> None:
    await open_thread(desk)
    await desk.send(
        event("message_thread_broadcast", channel=DESIGN, user=ALICE, thread_ts=ROOT, ts=FIRST, text="bluer")
    )
    assert prompts(desk) == ["a red fox", "bluer"]


async def test_other_peoples_talk_in_the_thread_is_neither_stored_nor_answered(desk: Desk) -> None:
    """Until they mention Darkroom themselves."""
    await open_thread(desk)
    await desk.send(wrote("nice!", FIRST, thread_ts=ROOT, user=BOB))
    assert prompts(desk) == ["a red fox"]
    assert len(await desk.log.unfinished()) == 1
    await desk.send(wrote(f"<@{BOT}> bluer", SECOND, thread_ts=ROOT, user=BOB))
    await desk.send(wrote("and darker", "1763640003.000100", thread_ts=ROOT, user=BOB))
    assert prompts(desk) == ["a red fox", "bluer", "and darker"]


@pytest.mark.parametrize(
    "text",
    [
        f"<@{BOB}> what do you think?",
        f"  <@{BOB}|bob> look",
        "<!subteam^S0TEAM0001|@painters> look",
        "// not for the bot",
        "  //neither",
        "   ",
        "",
    ],
)
async def test_talk_to_others_is_left_alone(desk: Desk, text: str) -> None:
    await open_thread(desk)
    await desk.send(wrote(text, FIRST, thread_ts=ROOT))
    assert prompts(desk) == ["a red fox"]
    assert desk.slack.calls == []


@pytest.mark.parametrize(
    "payload",
    [
        wrote("a red fox", ROOT),
        wrote(f"<@{BOT}> a fox", ROOT, bot_id="B0OTHER001"),
        wrote(f"<@{BOT}> a fox", ROOT, subtype="channel_join"),
        wrote(f"<@{BOT}> a fox", ROOT, subtype="bot_message", user=None),
        wrote(f"<@{BOT}> a fox", ROOT, user=BOT),
        wrote(f"<@{BOT}> a fox", ROOT, user=OLAF, team=OTHER_TEAM),
        wrote(f"<@{BOT}> a fox", ROOT, user=OLAF, user_team=OTHER_TEAM),
        mentioned(f"<@{BOT}> a fox", ROOT, user=OLAF, user_team=OTHER_TEAM),
        {**fixture("message_from_bot")},
        {**fixture("reaction_added")},
    ],
)
async def test_what_is_not_a_request_is_acknowledged_and_forgotten(
    desk: Desk, payload: dict[str, Any]
) -> None:
    """Plain talk, bots, odd subtypes, ourselves, outsiders, and events that nobody listens to."""
    assert (await desk.send(payload)).status == 200
    assert desk.line.turns == []
    assert desk.slack.calls == []


async def test_a_file_reply_without_a_team_is_taken_in_for_the_guard_to_look_at(desk: Desk) -> None:
    await desk.send(wrote(f"<@{BOT}> a fox", ROOT, user=OLAF, team=None))
    (turn,) = desk.line.turns
    refusal = await desk.services.guard.refusal(turn)
    assert refusal == Ending(Outcome.DECLINED, Reason.OUTSIDER)


async def test_a_message_in_our_direct_message_counts_like_a_mention(desk: Desk) -> None:
    await desk.send(wrote("a red fox", ROOT, channel=DM, channel_type="im"))
    await desk.send(wrote("bluer", FIRST, channel=DM, channel_type="im", thread_ts=ROOT))
    assert [turn.request.surface for turn in desk.line.turns] == [Surface.MENTION, Surface.REPLY]


async def test_our_direct_message_is_remembered_from_a_request_there_and_written_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    met = desk.services.conversations.met

    async def noting(team_id: str, user_id: str, channel_id: str, at: datetime) -> None:
        written.append(channel_id)
        await met(team_id, user_id, channel_id, at)

    monkeypatch.setattr(desk.services.conversations, "met", noting)
    await desk.send(wrote(f"<@{BOT}> a red fox", ROOT))
    assert await desk.services.conversations.private_channel(TEAM, ALICE) is None, "a channel is no DM"
    await desk.send(wrote("a red fox", FIRST, channel=DM, channel_type="im"))
    assert await desk.services.conversations.private_channel(TEAM, ALICE) == DM
    await desk.send(wrote("bluer", SECOND, channel=DM, channel_type="im", thread_ts=FIRST))
    assert written == [DM]


async def test_a_guest_in_our_direct_message_is_not_remembered(desk: Desk) -> None:
    await desk.send(wrote("a red fox", ROOT, channel=DM, channel_type="im", user=GUEST))
    assert await desk.services.conversations.private_channel(TEAM, GUEST) is None


@pytest.mark.parametrize("text", [f"<@{BOT}>", f"<@{BOT}>  help", f" <@{BOT}|darkroom> "])
async def test_a_mention_without_words_gets_usage_once_and_privately(desk: Desk, text: str) -> None:
    await desk.send(wrote(text, ROOT))
    await desk.send(mentioned(text, ROOT))
    hint = desk.slack.only("post_ephemeral")
    assert "`/imagine a red fox in snow`" in hint.text
    assert (hint.said["user_id"], hint.said["thread_ts"]) == (ALICE, None)
    assert desk.line.turns == []


async def test_an_answer_that_slack_holds_back_for_long_goes_the_next_way_at_once(desk: Desk) -> None:
    """After an hour nobody wants to read it any more."""
    desk.slack.held_s["post_ephemeral"] = ANSWER_PATIENCE_S + 1
    await desk.send(wrote(f"<@{BOT}> help", ROOT))
    assert desk.slack.only("post_message").said["channel"] == ALICE
    assert desk.clock.slept == []


FILES = fixture("message_file_share_full")["event"]["files"]


async def test_files_without_words_buy_nothing_and_are_asked_about(desk: Desk) -> None:
    """Who called us, and who puts a picture into a thread where their replies count; privately, once."""
    await desk.send(wrote(f"<@{BOT}>", ROOT, files=FILES, subtype="file_share"))
    await desk.send(mentioned(f"<@{BOT}>", ROOT))
    assert "send it again together with a few words" in desk.slack.only("post_ephemeral").text
    await open_thread(desk)
    await desk.send(wrote("", FIRST, thread_ts=ROOT, files=FILES, subtype="file_share"))
    assert prompts(desk) == ["a red fox"]
    first, second = desk.slack.named("post_ephemeral")
    assert second.text == first.text
    assert (second.said["user_id"], second.said["thread_ts"]) == (ALICE, ROOT)


async def test_a_picture_without_words_in_our_direct_message_is_asked_about(desk: Desk) -> None:
    await desk.send(wrote("", ROOT, channel=DM, channel_type="im", files=FILES, subtype="file_share"))
    assert "a few words" in desk.slack.only("post_message").text
    assert desk.line.turns == []


@pytest.mark.parametrize("case", ["foreign thread", "somebody else", "no picture"])
async def test_files_that_are_not_for_us_are_left_alone(desk: Desk, case: str) -> None:
    if case != "foreign thread":
        await open_thread(desk)
    user = BOB if case == "somebody else" else ALICE
    kind = {"mimetype": "application/pdf"} if case == "no picture" else {}
    files = [{**FILES[0], **kind}]
    await desk.send(wrote("", FIRST, thread_ts=ROOT, files=files, subtype="file_share", user=user))
    assert desk.slack.calls == []


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("undo", Intent.UNDO),
        (" Undo! ", Intent.UNDO),
        ("UNDO\u2026", Intent.UNDO),
        (f"<@{BOT}> undo.", Intent.UNDO),
        ("versions", Intent.VERSIONS),
        (f"Versions <@{BOT}>", Intent.VERSIONS),
    ],
)
async def test_a_magic_word_counts_as_the_whole_text_of_a_reply(
    desk: Desk, text: str, intent: Intent
) -> None:
    await open_thread(desk)
    await desk.send(wrote(text, FIRST, thread_ts=ROOT))
    request = desk.line.turns[1].request
    assert (request.intent, request.order, request.thread_ts) == (intent, FIRST, ROOT)


@pytest.mark.parametrize(
    "text", ["undo the hat", "last supper", "versions of a cat", "undo, please", "un do"]
)
async def test_anything_more_than_a_magic_word_is_a_prompt(desk: Desk, text: str) -> None:
    await open_thread(desk)
    await desk.send(wrote(text, FIRST, thread_ts=ROOT))
    request = desk.line.turns[1].request
    assert (request.intent, request.prompt) == (Intent.MAKE, text)


@pytest.mark.parametrize("word", ["undo", "versions."])
async def test_a_magic_word_outside_a_thread_says_where_it_works(desk: Desk, word: str) -> None:
    """At the top level of our direct message, and of a channel; nothing is bought for it."""
    await desk.send(wrote(word, ROOT, channel=DM, channel_type="im"))
    await desk.send(wrote(f"<@{BOT}> {word}", FIRST))
    for said in (desk.slack.only("post_message"), desk.slack.only("post_ephemeral")):
        assert "as a reply in the thread of those pictures" in said.text
    assert desk.line.turns == []


async def test_how_many_counts_in_replies_too(desk: Desk) -> None:
    await open_thread(desk)
    await desk.send(wrote("bluer --n 3", FIRST, thread_ts=ROOT))
    request = desk.line.turns[1].request
    assert (request.prompt, request.wanted, request.private) == ("bluer", 3, False)


@pytest.mark.parametrize("text", ["bluer --private", f"<@{BOT}> bluer --private"])
async def test_private_is_not_for_answers_in_a_thread_of_a_channel(desk: Desk, text: str) -> None:
    await open_thread(desk)
    await desk.send(wrote(text, FIRST, thread_ts=ROOT))
    assert "--private works with /imagine" in desk.slack.only("post_ephemeral").text
    assert prompts(desk) == ["a red fox"]


async def test_private_is_so_already_in_our_direct_message(desk: Desk) -> None:
    await desk.send(wrote("a red fox --private", ROOT, channel=DM, channel_type="im"))
    assert prompts(desk) == ["a red fox"]


async def test_options_without_words_buy_nothing(desk: Desk) -> None:
    await desk.send(wrote(f"<@{BOT}> --size square", ROOT))
    assert "Say also what should be in the picture" in desk.slack.only("post_ephemeral").text


async def test_a_bad_option_in_a_reply_is_told_in_its_thread(desk: Desk) -> None:
    """Where a picture of ours stands; words that only look like options stay words."""
    await spent(desk, ALICE, 100, "1")
    root = "1763640000.1"
    await desk.send(wrote("bluer --quality best", FIRST, thread_ts=root))
    said = desk.slack.only("post_ephemeral")
    assert "low, medium or high" in said.text
    assert said.said["thread_ts"] == root
    await desk.send(wrote("bluer --please", SECOND, thread_ts=root))
    assert prompts(desk) == ["bluer --please"]


async def test_a_bad_option_in_a_mention_is_told_privately_and_buys_nothing(desk: Desk) -> None:
    await desk.send(wrote(f"<@{BOT}> a fox --size 1x1", ROOT))
    await desk.send(mentioned(f"<@{BOT}> a fox --size 1x1", ROOT))
    assert "multiples of 16" in desk.slack.only("post_ephemeral").text
    assert desk.line.turns == []


async def test_a_bad_option_in_somebodys_thread_elsewhere_is_none_of_our_business(desk: Desk) -> None:
    await desk.send(wrote("run it with --quality best", FIRST, thread_ts=ROOT))
    assert desk.slack.calls == []


UNPRICED_MODEL = "did you try it with --model chatgpt-image-latest"


async def test_a_model_without_a_price_named_in_a_foreign_thread_alerts_nobody(
    desk: Desk, database: Database
) -> None:
    """It was not for us, so nothing of it is kept: said, edited, or by somebody else in our own thread."""
    await desk.send(wrote(UNPRICED_MODEL, FIRST, thread_ts=ROOT))
    await desk.send(edited("did you try it?", UNPRICED_MODEL, FIRST, thread_ts=ROOT))
    await open_thread(desk)
    await desk.send(wrote(UNPRICED_MODEL, SECOND, thread_ts=ROOT, user=BOB))
    assert prompts(desk) == ["a red fox"]
    assert await desk.services.alerts.recent(config().team_id, 10) == []
    assert await database.look(lambda db: db.execute("SELECT count(*) FROM alerts").fetchone()[0]) == 0
    assert desk.line.woken == 0
    assert desk.slack.calls == []


@pytest.mark.parametrize("edit", [False, True])
async def test_a_model_without_a_price_named_to_us_is_told_to_the_admins(desk: Desk, edit: bool) -> None:
    """In a reply that counts, and in an edit of what was asked."""
    await open_thread(desk)
    reply = wrote(UNPRICED_MODEL, FIRST, thread_ts=ROOT)
    await desk.send(edited(f"<@{BOT}> a red fox", f"<@{BOT}> {UNPRICED_MODEL}") if edit else reply)
    (alert,) = await desk.services.alerts.unsent(10)
    assert alert.kind is AlertKind.UNPRICED
    assert desk.line.woken == 1


async def test_with_the_setting_mentions_a_reply_needs_one(database: Database) -> None:
    desk = Desk.make(database, thread_replies=ThreadReplies.MENTIONS)
    await open_thread(desk)
    await desk.send(wrote("bluer", FIRST, thread_ts=ROOT))
    await desk.send(wrote(f"bluer <@{BOT}>", SECOND, thread_ts=ROOT))
    assert prompts(desk) == ["a red fox", "bluer"]


async def test_editing_a_message_that_waits_replaces_what_it_asks(desk: Desk) -> None:
    turn = await open_thread(desk)
    await desk.send(edited(f"<@{BOT}> a red fox", f"<@{BOT}> a blue fox --quality low"))
    now = await desk.log.turn(turn.id)
    assert now is not None
    assert (now.request.prompt, now.request.options) == ("a blue fox", Options(quality="low"))
    assert desk.slack.calls == []


async def test_editing_too_late_changes_nothing_and_is_said(desk: Desk) -> None:
    turn = await open_thread(desk)
    await working(desk, turn)
    await desk.send(edited(f"<@{BOT}> a red fox", f"<@{BOT}> a blue fox"))
    now = await desk.log.turn(turn.id)
    assert now is not None
    assert now.request.prompt == "a red fox"
    assert "too late" in desk.slack.only("post_ephemeral").text


async def test_an_edit_with_a_bad_option_leaves_the_request_as_it_was(desk: Desk) -> None:
    turn = await open_thread(desk)
    await desk.send(edited(f"<@{BOT}> a red fox", f"<@{BOT}> a fox --size 1x1"))
    now = await desk.log.turn(turn.id)
    assert now is not None
    assert now.request.prompt == "a red fox"
    assert "not taken over" in desk.slack.only("post_ephemeral").text


async def test_an_edit_may_change_how_many(desk: Desk) -> None:
    turn = await open_thread(desk)
    await desk.send(edited(f"<@{BOT}> a red fox", f"<@{BOT}> a red fox --n 2"))
    now = await desk.log.turn(turn.id)
    assert now is not None
    assert (now.request.prompt, now.request.wanted) == ("a red fox", 2)
    assert desk.slack.calls == []


async def test_a_file_that_is_taken_out_of_a_message_does_not_go_along(desk: Desk) -> None:
    """Slack leaves a tombstone in its place."""
    text, file = f"<@{BOT}> a red fox", {"id": "F0FOX00001", "name": "fox.png", "mimetype": "image/png"}
    await desk.send(wrote(text, ROOT, files=[file]))
    change = edited(text, text, files=[{"id": "F0FOX00001", "mode": "tombstone"}])
    change["event"]["previous_message"]["files"] = [file]
    await desk.send(change)
    now = await desk.log.turn(desk.line.turns[0].id)
    assert now is not None
    assert (now.revision, now.request.prompt, now.request.attachments) == (1, "a red fox", ())


@pytest.mark.parametrize(("before", "now"), [("bluer", "undo"), ("undo", "bluer"), ("undo", "versions")])
async def test_a_request_cannot_be_edited_into_another_kind(desk: Desk, before: str, now: str) -> None:
    await open_thread(desk)
    await desk.send(wrote(before, FIRST, thread_ts=ROOT))
    await desk.send(edited(before, now, FIRST, thread_ts=ROOT))
    assert "as a message of its own" in desk.slack.only("post_ephemeral").text
    asked = await desk.log.turn(desk.line.turns[1].id)
    assert asked is not None
    assert asked.request == desk.line.turns[1].request


@pytest.mark.parametrize("now", [f"// <@{BOT}> never mind", f"<@{BOT}>", "never mind"])
async def test_editing_a_request_away_takes_it_back(desk: Desk, now: str) -> None:
    turn = await open_thread(desk)
    await desk.send(edited(f"<@{BOT}> a red fox", now))
    after = await desk.log.turn(turn.id)
    assert after is not None
    assert after.ending == Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
    assert desk.line.withdrawn == [after]


async def test_a_change_that_slack_makes_by_itself_is_no_edit(desk: Desk) -> None:
    """Such as the preview of a link, also long after the picture is done."""
    turn = await open_thread(desk)
    await working(desk, turn)
    text = f"<@{BOT}> a red fox"
    await desk.send(edited(text, text))
    await desk.send(edited("a", "b", bot_id=BOT_ID))
    assert desk.slack.calls == []


async def test_deleting_a_message_that_waits_cancels_it(desk: Desk) -> None:
    turn = await open_thread(desk)
    await desk.send(deleted())
    after = await desk.log.turn(turn.id)
    assert after is not None
    assert after.state is TurnState.ENDED
    assert desk.line.withdrawn == [after]
    assert desk.slack.calls == []


async def test_deleting_the_root_of_a_thread_leaves_a_tombstone_and_cancels_too(desk: Desk) -> None:
    turn = await open_thread(desk)
    await desk.send(
        edited(f"<@{BOT}> a red fox", "This message was deleted.", subtype="tombstone", user="USLACKBOT")
    )
    after = await desk.log.turn(turn.id)
    assert after is not None
    assert after.ending == Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)


async def test_deleting_too_late_is_said(desk: Desk) -> None:
    turn = await open_thread(desk)
    await working(desk, turn)
    await desk.send(deleted())
    assert "will still arrive and be charged" in desk.slack.only("post_ephemeral").text
    assert desk.line.withdrawn == []


async def test_changes_of_messages_that_never_asked_are_ignored(desk: Desk) -> None:
    await desk.send(edited("hello", "hello again", FIRST))
    await desk.send(edited("hello", f"<@{BOT}> hello", FIRST))
    await desk.send(deleted(FIRST))
    assert desk.slack.calls == []
    assert desk.line.turns == []


async def test_an_event_that_breaks_is_not_acknowledged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """So that Slack sends it again, and then it works."""

    async def fail(*_: object) -> None:
        raise RuntimeError("a red fox")

    with monkeypatch.context() as patch:
        patch.setattr(desk.services.intake, "accept", fail)
        response = await desk.send(wrote(f"<@{BOT}> a red fox", ROOT))
    assert response.status == 500
    assert "message Ev111" in caplog.text
    assert "red fox" not in caplog.text
    assert (await desk.send(wrote(f"<@{BOT}> a red fox", ROOT))).status == 200
    assert prompts(desk) == ["a red fox"]


COMPLAINT = f"<@{BOT}> a red fox --size enormous"


async def test_a_mention_in_a_channel_that_we_may_not_read_is_answered_all_the_same(desk: Desk) -> None:
    """It never comes as ``message``: after a moment its other event answers for it."""
    await desk.send(mentioned(COMPLAINT, ROOT))
    assert "A size is square" in desk.slack.only("post_ephemeral").text
    assert desk.clock.slept == [PAIR_WAIT_S]


async def test_a_mention_that_comes_twice_is_answered_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it comes as ``app_mention`` first: that one waits for the other."""
    later = asyncio.Event()

    async def slept(seconds: float) -> None:
        await later.wait()

    monkeypatch.setattr(desk.clock, "sleep", slept)
    waiting = asyncio.create_task(desk.send(mentioned(COMPLAINT, ROOT)))
    await desk.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=wrote(COMPLAINT, ROOT)))
    later.set()
    await waiting
    assert len(desk.slack.named("post_ephemeral")) == 1


async def test_a_mention_whose_files_made_it_a_request_is_not_complained_about(desk: Desk) -> None:
    """Its files come with ``message`` alone."""
    files = fixture("message_file_share_full")["event"]["files"]
    await desk.send(wrote(f"<@{BOT}>", ROOT, files=files, subtype="file_share"))
    before = len(desk.slack.calls)
    await desk.send(mentioned(f"<@{BOT}>", ROOT))
    assert len(desk.slack.calls) == before


async def test_of_few_messages_it_is_remembered_how_they_came(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.threads.TWICE_MAX", 2)
    for ts in (ROOT, FIRST, SECOND):
        await desk.send(wrote(COMPLAINT, ts))
    desk.slack.calls.clear()
    await desk.send(mentioned(COMPLAINT, SECOND))
    assert desk.slack.calls == []
    assert desk.clock.slept == [], "who has both has nothing to wait for"
    await desk.send(mentioned(COMPLAINT, ROOT))
    assert len(desk.slack.named("post_ephemeral")) == 1
