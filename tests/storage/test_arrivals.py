"""How a request comes into the books, from every place in Slack, and what goes along with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attachment,
    Attempt,
    InputRole,
    Intent,
    Options,
    Request,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnInput,
    TurnState,
)
from darkroom.turns.store import NotWaiting
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, message, plan, settlement

JOINED, FREE = ThreadReplies.JOINED, caps()
ROOT, LATER = "1763640000.000100", "1763640100.000100"
FILE = Attachment("F0FILE0001", "fox.png", "image/png", 10)
REFERENCE = TurnInput(InputRole.REFERENCE, "a" * 64, "png", 640, 480, 1000, "fox.png")
MASK = TurnInput(InputRole.MASK, "b" * 64, "png", 1024, 1024, 2000, "mask.png", covers_ppm=120_000)


@pytest.fixture
def store(database: Database) -> SqliteTurnStore:
    return SqliteTurnStore(database)


@pytest.fixture
def log(database: Database) -> SqliteTurnLog:
    return SqliteTurnLog(database)


async def arrived(store: SqliteTurnStore, request: Request, turn_id: str = "turn_1") -> Turn:
    arrival = await store.arrive(turn_id, request, NOON, JOINED)
    assert arrival.turn is not None
    assert arrival.new
    return arrival.turn


async def with_picture(store: SqliteTurnStore) -> None:
    """Alice's thread with its first picture."""
    await arrived(store, command(trigger="first"), "turn_0")
    await store.queue("turn_0", plan("none"), FREE, NOON)
    await store.tell("turn_0", Told.PLACEHOLDER, ROOT, NOON)
    assert isinstance(await store.hold("turn_0", plan("try_0"), FREE, NOON), Attempt)
    await store.send("try_0", NOON)
    await store.render("try_0", settlement(60, picture_id="picture_0"), FREE, NOON)
    await store.end("turn_0", Ending(Outcome.PICTURES, Reason.PICTURES), NOON)


def pressed(surface: Surface = Surface.BUTTON, **more: object) -> Request:
    """Bob asks for more of a picture, in its thread."""
    usual = replace(message("again", LATER, ROOT, user=BOB, surface=surface), message_ts=None)
    return replace(usual, key=f"{surface}:1", **more)  # type: ignore[arg-type] # fields of Request


EVERYTHING = Request(
    key="button:1:again:picture_0",
    surface=Surface.BUTTON,
    team_id=TEAM,
    channel_id=DESIGN,
    user_id=BOB,
    prompt="a red fox",
    order=LATER,
    options=Options(1536, 1024, "high", "gpt-image-2", "jpeg", "opaque"),
    thread_ts=ROOT,
    message_ts=None,
    reply_url="http://127.0.0.1:9/1",
    attachments=(FILE,),
    intent=Intent.MAKE,
    wanted=4,
    chosen_id="picture_0",
    fresh=True,
    private=True,
    inputs_from="turn_0",
)


@pytest.mark.parametrize(
    "request_",
    [
        command(),
        replace(command(), surface=Surface.MODAL, key="view:V1", private=False, reply_url=None),
        message("undo", LATER, ROOT, surface=Surface.MENTION),
        replace(message("undo", LATER, ROOT), intent=Intent.UNDO),
        replace(message("versions", LATER, ROOT), intent=Intent.VERSIONS),
        pressed(Surface.SHORTCUT, attachments=(FILE, FILE)),
        EVERYTHING,
    ],
)
async def test_what_was_asked_is_read_as_it_was_asked(store: SqliteTurnStore, request_: Request) -> None:
    await with_picture(store)
    turn = await arrived(store, request_)
    assert turn.request == replace(request_, private=bool(request_.private))
    assert (turn.state, turn.thread_ts, turn.brought_revision) == (
        TurnState.RECEIVED,
        request_.thread_ts,
        None,
    )


@pytest.mark.parametrize("surface", list(Surface))
async def test_what_slack_sends_again_is_the_same_turn(store: SqliteTurnStore, surface: Surface) -> None:
    await with_picture(store)
    request = pressed(surface, user_id=ALICE, wanted=2)
    first = await arrived(store, request)
    changed = replace(request, prompt="something else", wanted=4, order="9", thread_ts=None)
    again = await store.arrive("turn_2", changed, NOON + timedelta(minutes=5), JOINED)
    assert not again.new
    assert again.turn == first


@pytest.mark.parametrize("surface", list(Surface))
async def test_whoever_asks_in_a_thread_takes_part_in_it_except_by_a_reply_that_does_not_count(
    store: SqliteTurnStore, log: SqliteTurnLog, surface: Surface
) -> None:
    """In a thread of somebody else, too: it becomes one of ours."""
    arrival = await store.arrive("turn_1", pressed(surface), NOON, JOINED)
    ours = surface is not Surface.REPLY
    assert arrival.new is ours
    assert await log.reply_counts(TEAM, DESIGN, ROOT, BOB, JOINED) is ours


async def test_a_guest_who_pressed_has_not_taken_part(store: SqliteTurnStore, log: SqliteTurnLog) -> None:
    await with_picture(store)
    await arrived(store, pressed())
    await store.end("turn_1", Ending(Outcome.DECLINED, Reason.GUEST), NOON)
    assert not await log.reply_counts(TEAM, DESIGN, ROOT, BOB, JOINED)
    assert await log.reply_counts(TEAM, DESIGN, ROOT, ALICE, JOINED)


async def test_what_opens_its_thread_has_none_until_its_placeholder_is_posted(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    turn = await arrived(store, replace(command(user=BOB), surface=Surface.MODAL, key="view:V1"))
    assert turn.request.opens_thread
    told = await store.tell(turn.id, Told.PLACEHOLDER, ROOT, NOON)
    assert (told.thread_ts, told.request.thread_ts) == (ROOT, None)
    assert await log.reply_counts(TEAM, DESIGN, ROOT, BOB, JOINED)


async def test_a_placeholder_in_a_thread_changes_nothing_about_the_thread(store: SqliteTurnStore) -> None:
    await with_picture(store)
    await arrived(store, pressed())
    told = await store.tell("turn_1", Told.PLACEHOLDER, "8.8", NOON)
    assert (told.placeholder_ts, told.thread_ts) == ("8.8", ROOT)


async def test_what_costs_nothing_is_queued_where_nothing_may_be_bought(store: SqliteTurnStore) -> None:
    await with_picture(store)
    undo = replace(message("undo", LATER, ROOT), intent=Intent.UNDO)
    await arrived(store, undo)
    queued = await store.queue("turn_1", None, caps(person=0), NOON)
    assert isinstance(queued, Turn)
    assert queued.state is TurnState.QUEUED
    assert await store.queue("turn_1", None, caps(person=0), NOON) == queued


async def test_an_edit_may_change_how_many_and_what_for(store: SqliteTurnStore) -> None:
    await arrived(store, message("undo", LATER, ROOT, surface=Surface.MENTION))
    for wanted, intent in ((3, Intent.MAKE), (1, Intent.UNDO)):
        turn = await store.revise(
            TEAM, DESIGN, LATER, "x", Options(background="opaque"), (), NOON, wanted=wanted, intent=intent
        )
        assert turn is not None
        assert (turn.request.wanted, turn.request.intent) == (wanted, intent)
        assert turn.request.options == Options(background="opaque")


# --- What goes along ---------------------------------------------------------------------------------------


async def test_what_was_brought_is_read_in_its_order_and_replaces_what_was(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await arrived(store, replace(command(), attachments=(FILE,)))
    assert await log.inputs("turn_1") == ()
    assert await store.bring("turn_1", 0, [MASK, REFERENCE], NOON) == (MASK, REFERENCE)
    assert await store.bring("turn_1", 0, [REFERENCE], NOON) == (REFERENCE,)
    assert await log.inputs("turn_1") == (REFERENCE,)
    turn = await log.turn("turn_1")
    assert turn is not None
    assert turn.brought_revision == 0
    await store.bring("turn_1", 0, [], NOON)
    assert await log.inputs("turn_1") == ()


async def test_nothing_is_brought_for_a_turn_that_was_edited_or_has_ended(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await arrived(store, message("a", LATER, ROOT, surface=Surface.MENTION))
    await store.bring("turn_1", 0, [REFERENCE], NOON)
    revised = await store.revise(TEAM, DESIGN, LATER, "b", Options(), (FILE,), NOON)
    assert revised is not None
    assert (revised.revision, revised.brought_revision) == (1, 0)
    with pytest.raises(NotWaiting):
        await store.bring("turn_1", 0, [MASK], NOON)
    assert await log.inputs("turn_1") == (REFERENCE,)
    await store.end("turn_1", Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), NOON)
    with pytest.raises(NotWaiting):
        await store.bring("turn_1", 1, [MASK], NOON)


async def test_files_that_come_with_a_mentions_second_event_are_brought_and_planned_for(
    store: SqliteTurnStore,
) -> None:
    """Whatever was brought or planned without them is of another revision."""
    mention = message("make it blue", LATER, ROOT, surface=Surface.MENTION)
    await arrived(store, mention)
    await store.queue("turn_1", plan("none"), FREE, NOON)
    second = await store.arrive("turn_2", replace(mention, attachments=(FILE,)), NOON, JOINED)
    assert second.turn is not None
    assert second.turn.request.attachments == (FILE,)
    with pytest.raises(NotWaiting):
        await store.bring("turn_1", 0, [REFERENCE], NOON)
    with pytest.raises(NotWaiting):
        await store.hold("turn_1", plan("try_1", revision=0), FREE, NOON)
    third = await store.arrive("turn_3", replace(mention, attachments=(FILE, FILE)), NOON, JOINED)
    assert third.turn == second.turn, "the files of a turn that has some are left alone"


async def test_what_is_asked_again_takes_along_what_went_along(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await with_picture(store)
    first = await arrived(store, pressed(Surface.SHORTCUT, attachments=(FILE,)))
    await store.bring(first.id, 0, [MASK, REFERENCE], NOON)
    again = await arrived(store, pressed(inputs_from=first.id), "turn_2")
    assert again.brought_revision == 0
    assert await log.inputs("turn_2") == (MASK, REFERENCE)
    await store.bring(first.id, 0, [], NOON)
    assert await log.inputs("turn_2") == (MASK, REFERENCE), "it has its own"


async def test_a_copy_of_a_turn_that_brought_nothing_has_its_own_files_still_to_bring(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await arrived(store, replace(command(), attachments=(FILE,)))
    copy = replace(command(trigger="2"), attachments=(FILE,), inputs_from="turn_1")
    assert (await arrived(store, copy, "turn_2")).brought_revision is None
    assert await log.inputs("turn_2") == ()
