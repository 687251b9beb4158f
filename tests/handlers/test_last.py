"""Pictures come to the direct message with whoever asked for them: fetched, or where no other way is open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Picture, Told, Turn
from darkroom.turns.redelivering import (
    EVERY_S,
    LONGEST_PAUSE_S,
    PAID_FOR,
    SAID,
    VAIN_MAX,
    Redelivery,
)
from darkroom.turns.surroundings import Undeliverable
from handlers import words_delivery
from handlers.blocks.picture import AGAIN_ACTION
from handlers.delivery import SlackDelivery
from handlers.homeward import OPENING, Homeward
from handlers.last import Fetch, Fetcher, read_last, start
from handlers.meanings import MEANINGS, WAITING, Meaning
from handlers.pacing import TOO_LONG
from handlers.posting import PATIENT_PAUSES_S
from handlers.redelivery_rounds import CHANNELS_AT_ONCE, VAIN_IN_CHANNEL_MAX, Redelivering
from handlers.showing import Manner
from storage.conversations import SqliteConversations
from storage.database import Database
from tests.examples import ALICE, BOB, DESIGN, TEAM, command, message
from tests.handlers.gallery import ROOT, ended_as, made
from tests.handlers.support import DM, OTHER_TEAM, USD, USUAL, Desk, refused, unclear

MANNER = Manner(frozenset({USUAL}), broadcast_first=True, confirm_nano_usd=USD)
PICTURES = Ending(Outcome.PICTURES, Reason.PICTURES)
TIRED = len(PATIENT_PAUSES_S) + 1


class Files:
    """Where bytes would be."""

    def path_of(self, sha256: str, suffix: str) -> Path:
        return Path(f"{sha256}.{suffix}")


def delivery(desk: Desk) -> SlackDelivery:
    services = desk.services
    return SlackDelivery(
        desk.slack,
        desk.clock,
        services.config.voice,
        MANNER,
        services.log,
        services.conversations,
        services.homeward,
    )


def redelivery(desk: Desk) -> Redelivery:
    """As after a start: nothing is remembered."""
    return Redelivery(desk.store, desk.log, delivery(desk), Files(), desk.clock, desk.line.wake_recalling)


async def lost(desk: Desk, number: int = 1, why: str = "token_revoked", user: str = ALICE) -> Turn:
    """A turn whose picture Slack has not taken."""
    picture = await made(desk, number, told=False, user=user)
    await desk.store.end(picture.turn_id, PICTURES, desk.clock.now())
    return await desk.store.tell(picture.turn_id, Told.UNDELIVERED, why, desk.clock.now())


async def turn_of(desk: Desk, turn_id: str) -> Turn:
    turn = await desk.log.turn(turn_id)
    assert turn is not None
    return turn


def homes(desk: Desk) -> list[str]:
    """What was posted into Alice's direct message with a picture in it."""
    posts = [call for call in desk.slack.named("post_message") if call.said["channel"] == DM]
    return [call.text for call in posts if "slack_file" in call.payload]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("last", Fetch(3)),
        ("LAST 1", Fetch(1)),
        ("last 10", Fetch(10)),
        ("last 11", Fetch(10)),
        ("last 2000", Fetch(10)),
        ("last 0", Fetch(1)),
        ("last 5 pictures", Fetch(5)),
        ("last picture", Fetch(3)),
        ("last picture show", None),
        ("last supper", None),
        ("the last", None),
        ("last 2 foxes", None),
    ],
)
def test_only_last_and_a_number_fetch_pictures_all_else_is_a_prompt(typed: str, wanted: Fetch | None) -> None:
    assert read_last(typed) == wanted


async def test_the_last_pictures_come_with_line_and_buttons_and_cost_nothing(desk: Desk) -> None:
    await made(desk)
    assert await desk.type("last") == words_delivery.BRINGING
    said = next(call for call in desk.slack.named("post_message") if call.said["channel"] == DM)
    assert said.text.startswith(f"You asked for this in <#{DESIGN}>. Version 1 for Alice: a red fox in snow.")
    assert "slack_file" in said.payload
    assert AGAIN_ACTION in said.payload
    assert "for <https://slack.example/archives/C0DESIGN01/p1763640000000100|its thread>" in said.payload
    assert "v1>" in desk.slack.only("respond").text
    assert desk.line.turns == []


async def test_fetched_again_they_are_linked_and_not_posted_twice(desk: Desk) -> None:
    await made(desk)
    await desk.type("last")
    await desk.type("last", trigger="111.111.two")
    assert len(homes(desk)) == 1
    first, again = desk.slack.named("respond")
    assert first.text == again.text


async def test_fetched_again_after_its_message_was_deleted_it_comes_again(desk: Desk) -> None:
    await made(desk)
    await desk.type("last")
    desk.slack.faults["permalink"] = [refused("message_not_found", "chat.getPermalink")]
    await desk.type("last", trigger="111.111.two")
    assert len(homes(desk)) == 2


async def test_what_slack_has_not_taken_comes_first_and_then_the_newest(desk: Desk) -> None:
    await lost(desk)
    for number in range(2, 6):
        await made(desk, number)
    await desk.type("last 2")
    assert sorted(text.partition("Version ")[2][0] for text in homes(desk)) == ["1", "5"]


async def test_two_who_bring_the_same_picture_at_once_bring_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a round of what Slack has not taken and a person who fetches it: the second has looked at the books
    just before the first was done."""
    picture = await made(desk)
    met, give_up = asyncio.Event(), SqliteConversations.give_up_share

    async def looked(books: SqliteConversations, share_id: str, why: str) -> None:
        await give_up(books, share_id, why)
        if asyncio.current_task() is first:
            await asyncio.wait({asyncio.ensure_future(met.wait())}, timeout=0.05)
        else:
            met.set()
            await asyncio.wait({first})

    monkeypatch.setattr(SqliteConversations, "give_up_share", looked)
    first, second = (asyncio.ensure_future(desk.services.homeward.bring(picture, "said")) for _ in range(2))
    posted = await asyncio.gather(first, second)
    assert posted[0] is not None
    assert posted[0] == posted[1]
    assert len(homes(desk)) == 1


async def test_one_person_fetches_once_at_a_time_and_leaves_room_for_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Slack is slow, what one person starts would soon be all that is run."""
    await made(desk)
    slow = asyncio.Event()

    async def permalink(channel: str, ts: str) -> str:
        await slow.wait()
        return f"https://slack.example/{channel}/{ts}"

    monkeypatch.setattr(desk.slack, "permalink", permalink)
    fetchers = [
        Fetcher(user, DESIGN, None, f"key{number}") for number, user in enumerate((ALICE, ALICE, BOB))
    ]
    said = [start(desk.services, fetcher, Fetch(1)) for fetcher in fetchers]
    assert said == [words_delivery.BRINGING, words_delivery.TOO_BUSY, words_delivery.BRINGING]
    slow.set()
    await desk.services.errands.idle()
    assert start(desk.services, fetchers[1], Fetch(1)) == words_delivery.BRINGING
    await desk.services.errands.idle()


async def test_others_pictures_and_deleted_ones_are_nobodys_to_fetch(desk: Desk) -> None:
    await made(desk, user=BOB)
    await desk.type("last")
    assert desk.slack.only("respond").text == words_delivery.NOTHING_YET
    await desk.services.eraser.erase("p1", BOB, desk.clock.now())
    await desk.type("last", user_id=BOB, trigger="111.111.two")
    assert desk.slack.named("respond")[-1].text == words_delivery.NOTHING_YET
    assert desk.slack.named("post_message") == []


async def test_what_slack_has_not_taken_is_brought_to_who_asked_alone(desk: Desk) -> None:
    await lost(desk, user=BOB)
    await desk.type("last")
    assert desk.slack.only("respond").text == words_delivery.NOTHING_YET
    assert desk.slack.named("upload") == []
    await desk.type("last", user_id=BOB, trigger="111.111.two")
    assert "v1>" in desk.slack.named("respond")[-1].text


async def test_outsiders_fetch_nothing(desk: Desk) -> None:
    await made(desk)
    said = await desk.type("last", team_id=OTHER_TEAM)
    assert said != words_delivery.BRINGING
    assert desk.slack.named("upload") == []


async def test_what_cannot_be_brought_now_is_said_and_comes_at_the_next_try(desk: Desk) -> None:
    await made(desk)
    desk.slack.faults["upload"] = [unclear("upload")]
    await desk.type("last")
    assert "1 picture could not be brought just now" in desk.slack.only("respond").text
    await desk.type("last", trigger="111.111.two")
    assert len(homes(desk)) == 1


@pytest.mark.parametrize("trouble", [refused(TOO_LONG, "chat.getPermalink"), unclear("chat.getPermalink")])
async def test_what_was_brought_is_not_said_to_be_missing_because_slack_gives_no_link(
    desk: Desk, trouble: Exception
) -> None:
    """Who is told to try again would look for what stands there."""
    await made(desk)
    desk.slack.faults["permalink"] = [trouble] * 9
    await desk.type("last")
    assert len(homes(desk)) == 1
    assert desk.slack.only("respond").text == "In our direct message: v1."


async def test_a_reply_to_a_picture_that_was_brought_home_goes_on_from_it(desk: Desk) -> None:
    await made(desk)
    await desk.type("last")
    ts = next(ts for key, ts in desk.slack.posted.items() if key.startswith("share"))
    there = await desk.log.current_picture(TEAM, DM, ts, "1763640999.000000")
    assert there is not None
    assert there.id == "p1"


async def test_a_picture_with_no_way_to_its_place_comes_home_and_is_told(desk: Desk) -> None:
    picture = await made(desk, told=False)
    turn = await desk.store.end(picture.turn_id, PICTURES, desk.clock.now())
    desk.slack.faults["post_message"] = [refused("not_in_channel")]
    await deliver(desk, turn, picture)
    (text,) = homes(desk)
    assert text.startswith(
        f"You asked for this in <#{DESIGN}>. It is here because I am not in that channel any more."
    )
    assert desk.slack.only("delete_message").said["ts"] == ROOT
    assert "made and kept" not in str(desk.slack.calls)


async def deliver(desk: Desk, turn: Turn, picture: Picture) -> None:
    async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
        return await desk.store.tell(turn.id, step, value, desk.clock.now(), picture_id)

    await delivery(desk).deliver(turn, [(picture, Path("0.png"))], (), note)


@pytest.mark.parametrize("method", ["post_private", "upload", "post_message", "permalink", "user"])
async def test_killed_anywhere_on_its_way_home_it_comes_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    picture = await made(desk, told=False)
    await desk.store.end(picture.turn_id, PICTURES, desk.clock.now())
    turn = await desk.store.tell(picture.turn_id, Told.UNDELIVERED, "killed", desk.clock.now())
    do = getattr(desk.slack, method)
    killed = False

    async def dies(*given: Any, **more: Any) -> Any:
        nonlocal killed
        home = method != "post_message" or given[0] == DM
        done = await do(*given, **more)
        if home and not killed:
            killed = True
            raise SystemError("killed")
        return done

    monkeypatch.setattr(desk.slack, method, dies)
    for _ in range(3):
        desk.slack.faults["post_message"] = [refused("is_archived")]
        try:
            await redelivery(desk).tell(await turn_of(desk, turn.id))
        except SystemError:
            assert killed
    told = await turn_of(desk, turn.id)
    assert told.told_at is not None
    assert told.undelivered_reason is None
    assert len(homes(desk)) == 1
    assert len(standing(desk)) == 1


def standing(desk: Desk) -> list[str]:
    """The texts that were posted to Alice's own id and not taken away."""
    gone = {call.said["ts"] for call in desk.slack.named("delete_message")}
    calls = enumerate(desk.slack.calls, 1)
    posts = [(f"1763640100.{at:06d}", call.text) for at, call in calls if call.method == "post_private"]
    return [text for ts, text in posts if ts not in gone]


@pytest.mark.parametrize("answered", [True, False])
async def test_what_opens_our_direct_message_stands_once_whether_it_was_noted_or_not(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """Killed before its channel was noted, or without an answer; then another process."""
    picture = await made(desk)
    if answered:

        async def dies(*_: Any) -> None:
            raise SystemError("killed")

        before = SqliteConversations(database)
        monkeypatch.setattr(before, "met", dies)
        with pytest.raises(SystemError):
            await Homeward(desk.slack, desk.clock, before, MANNER, Files().path_of).bring(picture, "said")
        desk.clock.at += timedelta(minutes=5)
    else:
        desk.slack.after["post_private"] = [unclear()]
    after = Homeward(desk.slack, desk.clock, desk.services.conversations, MANNER, Files().path_of)
    assert await after.bring(picture, "said") is not None
    assert len(desk.slack.named("post_private")) == 2
    assert standing(desk) == [OPENING]
    assert len(homes(desk)) == 1


async def test_words_without_an_answer_of_slacks_come_home_once(desk: Desk) -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    await made(desk)
    turn = await ended_as(desk, message("bluer?", "1763640300.000100", ROOT), words)
    desk.slack.faults["post_message"] = [refused("is_archived")]
    desk.slack.after["post_private"] = [unclear()]
    await redelivery(desk).tell(turn)
    assert len(standing(desk)) == 1


async def test_words_with_no_way_to_their_thread_come_home_once(desk: Desk) -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    await made(desk)
    turn = await ended_as(desk, message("bluer?", "1763640300.000100", ROOT), words)
    desk.slack.faults["post_message"] = [refused("is_archived")] * 2
    await redelivery(desk).tell(turn)
    said = desk.slack.only("post_private")
    assert said.text.startswith(f"My answer to what you asked in <#{DESIGN}>, here because that channel is")
    assert "Which fox?" in said.text
    await redelivery(desk).tell(replace(turn, undelivered_reason="killed"))
    assert len(desk.slack.named("post_private")) == 1


async def test_what_slack_has_not_taken_comes_to_its_own_place_when_it_can(desk: Desk) -> None:
    turn = await lost(desk)
    desk.slack.faults["upload"] = [refused("token_revoked", "files.getUploadURLExternal")]
    rounds = Redelivering(redelivery(desk), desk.clock)
    await rounds.round()
    assert (await turn_of(desk, turn.id)).undelivered_reason == "token_revoked"
    assert desk.slack.named("respond") == []
    desk.clock.at += PAID_FOR / 14
    await rounds.round()
    told = await turn_of(desk, turn.id)
    assert told.told_at is not None
    assert told.undelivered_reason is None
    assert desk.slack.only("post_message").said["thread_ts"] == ROOT
    assert "Done" in desk.slack.only("update_message").text


async def test_a_try_in_vain_is_followed_by_ever_longer_pauses_and_a_week_ends_them(desk: Desk) -> None:
    turn = await lost(desk)
    tries: list[float] = []
    again, start = redelivery(desk), desk.clock.monotonic()
    while desk.clock.monotonic() - start < 2 * PAID_FOR.total_seconds():
        for due in await again.due():
            desk.slack.faults["upload"] = [refused("token_revoked", "files.getUploadURLExternal")]
            assert not await again.tell(due)
            tries.append(desk.clock.monotonic() - start)
        await desk.clock.sleep(EVERY_S)
    pauses = [after - before for before, after in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert pauses[0] == EVERY_S
    assert pauses[-1] == LONGEST_PAUSE_S
    assert PAID_FOR.total_seconds() - LONGEST_PAUSE_S <= tries[-1] <= PAID_FOR.total_seconds()
    assert (await turn_of(desk, turn.id)).undelivered_reason == "token_revoked"


async def test_an_answer_that_nobody_waits_for_any_more_is_not_given_after_a_day(desk: Desk) -> None:
    late = Ending(Outcome.CANCELLED, Reason.TOO_OLD)
    turn = await ended_as(desk, command("a fox", trigger="9"), late)
    await desk.store.tell(turn.id, Told.UNDELIVERED, "token_revoked", desk.clock.now())
    assert [one.id for one in await redelivery(desk).due()] == [turn.id]
    desk.clock.at += SAID
    assert await redelivery(desk).due() == []


async def refusals(desk: Desk, channels: Sequence[str]) -> list[Turn]:
    """Answers that Slack has not taken, one in each of *channels*."""
    late, turns = Ending(Outcome.CANCELLED, Reason.TOO_OLD), []
    for number, channel in enumerate(channels):
        turn = await ended_as(desk, command("a fox", trigger=f"not taken {number}", channel=channel), late)
        turns.append(await desk.store.tell(turn.id, Told.UNDELIVERED, "token_revoked", desk.clock.now()))
    return turns


def deaf(monkeypatch: pytest.MonkeyPatch, again: Redelivery, *to: str) -> list[str]:
    """Whoever *again* tries, by their id, in order; what is in one of those channels is not taken."""
    tell, tried = again.tell, list[str]()

    async def told(turn: Turn) -> bool:
        tried.append(turn.id)
        if turn.request.channel_id in to:
            with monkeypatch.context() as patch:
                patch.setattr("darkroom.turns.redelivering.say", not_taken)
                return await tell(turn)
        return await tell(turn)

    monkeypatch.setattr(again, "tell", told)
    return tried


async def not_taken(*_: object) -> None:
    raise Undeliverable("token_revoked")


async def test_when_slack_is_well_again_everything_is_told_in_one_round(desk: Desk) -> None:
    turns = await refusals(desk, [DESIGN] * (2 * VAIN_MAX + 5))
    await Redelivering(redelivery(desk), desk.clock).round()
    for turn in turns:
        assert (await turn_of(desk, turn.id)).told_at is not None


async def test_a_round_is_over_when_slack_takes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = [f"C{number}" for number in range(3 * VAIN_MAX)]
    await refusals(desk, channels)
    again = redelivery(desk)
    tried = deaf(monkeypatch, again, *channels)
    await Redelivering(again, desk.clock).round()
    assert VAIN_MAX <= len(tried) < VAIN_MAX + CHANNELS_AT_ONCE


async def test_a_channel_that_takes_nothing_keeps_no_other_from_being_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = await refusals(desk, ["C0SHUT0001"] * 30)
    picture = await lost(desk)
    again = redelivery(desk)
    tried = deaf(monkeypatch, again, "C0SHUT0001")
    await Redelivering(again, desk.clock).round()
    assert tried == [picture.id, *(turn.id for turn in shut[:VAIN_IN_CHANNEL_MAX])]


async def test_what_was_in_vain_while_slack_took_nothing_does_not_wait_for_its_pause(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a night without Slack the oldest would be tried six hours later."""
    turns = await refusals(desk, ["C1", "C2"])
    again = redelivery(desk)
    rounds = Redelivering(again, desk.clock)
    with monkeypatch.context() as patch:
        tried = deaf(patch, again, "C1", "C2")
        for _ in range(2):
            await rounds.round()
            await desk.clock.sleep(EVERY_S)
        assert len(tried) == 4
    young = await lost(desk)
    await rounds.round()
    for turn in (*turns, young):
        assert (await turn_of(desk, turn.id)).told_at is not None


async def test_what_is_not_taken_while_others_are_waits_for_its_pause(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await refusals(desk, ["C0SHUT0001"])
    again = redelivery(desk)
    tried = deaf(monkeypatch, again, "C0SHUT0001")
    rounds = Redelivering(again, desk.clock)
    for number in range(1, 4):
        await lost(desk, number)
        await rounds.round()
    assert len(tried) == 4


async def test_one_that_breaks_keeps_none_behind_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await lost(desk), await lost(desk, 2)
    again = redelivery(desk)
    tell = again.tell

    async def breaks(turn: Turn) -> bool:
        if turn.id == first.id:
            raise RuntimeError
        return await tell(turn)

    monkeypatch.setattr(again, "tell", breaks)
    await Redelivering(again, desk.clock).round()
    assert (await turn_of(desk, second.id)).told_at is not None


async def test_a_channel_in_which_slack_is_slow_keeps_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And in each of them it stays in order."""
    turns = [await lost(desk, number) for number in range(1, 4)]
    turns[1] = replace(turns[1], request=replace(turns[1].request, channel_id="C0SLOW0001"))
    again, slow, told = redelivery(desk), asyncio.Event(), list[Turn]()

    async def due() -> list[Turn]:
        return [] if told else [turns[1], turns[0], turns[2]]

    async def tell(turn: Turn) -> bool:
        if turn is turns[1]:
            await slow.wait()
        told.append(turn)
        if turn is turns[2]:
            slow.set()
        return True

    monkeypatch.setattr(again, "due", due)
    monkeypatch.setattr(again, "tell", tell)
    async with asyncio.timeout(20):
        await Redelivering(again, desk.clock).round()
    assert told == [turns[0], turns[2], turns[1]]


SOON_OR_LATER = sorted(
    (name, meaning is not Meaning.PASSING) for name, meaning in MEANINGS.items() if meaning in WAITING
)


@pytest.mark.parametrize(("error", "at_once"), SOON_OR_LATER)
async def test_what_passes_is_kept_and_comes_to_its_own_place(desk: Desk, error: str, at_once: bool) -> None:
    picture = await made(desk, told=False)
    turn = await desk.store.end(picture.turn_id, PICTURES, desk.clock.now())
    desk.slack.faults["post_message"] = [refused(error)] * (1 if at_once else TIRED)
    assert not await redelivery(desk).tell(turn)
    assert homes(desk) == []
    assert await redelivery(desk).tell(await turn_of(desk, turn.id))
    assert desk.slack.only("post_message").said["channel"] == DESIGN
