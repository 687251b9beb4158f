"""What a request builds on and how it is made: choices and undo by the order of requests, what was said and
what is preferred, and private turns that go on elsewhere."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.erasing import Recall
from darkroom.turns.model import Attempt, Options, Picture, Request, Surface, ThreadReplies, Told, Turn
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.erasing import SqliteEraser
from storage.ledger import LedgerFault
from storage.threads import choose
from storage.times import to_text
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, message, plan, settlement

JOINED, FREE = ThreadReplies.JOINED, caps()
ROOT, OUR_DM = "1763640000.000100", "D0ALICE001"
HIGH = Options(quality="high")


def ts(second: int) -> str:
    """A place in the order of the thread."""
    return f"1763640{second:03d}.000100"


class Thread:
    """People at work in one thread; each turn is called after its place in the order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store, self.log = SqliteTurnStore(database), SqliteTurnLog(database)

    async def asked(self, second: int, request: Request | None = None) -> Turn:
        """A request that has its place and waits."""
        usual = command(trigger="1") if second == 0 else message(f"edit {second}", ts(second), ROOT)
        arrival = await self.store.arrive(f"turn_{second}", request or usual, NOON, JOINED)
        assert arrival.turn is not None
        assert isinstance(await self.store.queue(arrival.turn.id, plan("none"), FREE, NOON), Turn)
        if arrival.turn.thread_ts is None and not arrival.turn.request.private:
            return await self.store.tell(arrival.turn.id, Told.PLACEHOLDER, ROOT, NOON)
        return arrival.turn

    async def made(self, second: int, request: Request | None = None, root: str = ROOT) -> Picture:
        """A request and its picture, built on what it is to build on."""
        if await self.log.turn(f"turn_{second}") is None:
            await self.asked(second, request)
        current = await self.current(second, root)
        built_on = plan(f"try_{second}", parent_id=None if current is None else current.id)
        assert isinstance(await self.store.hold(f"turn_{second}", built_on, FREE, NOON), Attempt)
        await self.store.send(f"try_{second}", NOON)
        paid = settlement(60, picture_id=f"picture_{second}")
        picture = await self.store.render(f"try_{second}", paid, FREE, NOON)
        assert picture is not None
        return picture

    async def current(self, second: int, root: str = ROOT) -> Picture | None:
        """What a request of that place builds on."""
        return await self.log.current_picture(TEAM, DESIGN, root, ts(second))

    async def parent(self, second: int) -> str | None:
        """The same, by its id."""
        current = await self.current(second)
        return None if current is None else current.id

    async def chosen(self, picture: Picture, second: int) -> None:
        """ "Edit this one" was pressed."""
        await self.database.write(lambda db: choose(db, TEAM, DESIGN, ROOT, picture.id, ts(second)))

    async def undone(self, second: int, to: Picture) -> None:
        await self.asked(second)
        details: dict[str, str | int] = {"picture_id": to.id, "version": to.version, "undone": 0}
        await self.store.end(f"turn_{second}", Ending(Outcome.WORDS, Reason.UNDONE, details), NOON)

    async def deleted(self, picture: Picture) -> None:
        await self.change(
            "UPDATE pictures SET deleted_at = ?, prompt = '' WHERE id = ?", to_text(NOON), picture.id
        )

    async def change(self, statement: str, *values: str | int | None) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(statement, values)

        await self.database.write(work)

    async def prefers(self, private: int, quality: str | None = None, size: int | None = None) -> None:
        """Alice, who has asked for something before, says how she wants her pictures."""
        await self.store.arrive("turn_before", command(trigger="before"), NOON, JOINED)
        await self.change(
            """
            INSERT INTO preferences SELECT person_key, ?, ?, ?, ?, '' FROM people WHERE user_id = ?
            """,
            size,
            size,
            quality,
            private,
            ALICE,
        )


@pytest.fixture
def thread(database: Database) -> Thread:
    return Thread(database)


# --- What a request builds on ------------------------------------------------------------------------------


async def test_a_request_builds_on_the_newest_picture_of_its_thread(thread: Thread) -> None:
    assert await thread.current(1) is None
    await thread.made(0)
    second = await thread.made(1)
    assert await thread.parent(2) == second.id
    assert await thread.log.current_picture(TEAM, DESIGN, "9.9", ts(2)) is None
    assert await thread.log.current_picture("T0OTHER001", DESIGN, ROOT, ts(2)) is None


async def test_a_choice_holds_until_a_later_request_brings_its_picture(thread: Thread) -> None:
    first = await thread.made(0)
    await thread.made(1)
    await thread.chosen(first, 10)
    assert await thread.parent(11) == first.id
    branch = await thread.made(12)
    assert branch.parent_id == first.id
    assert await thread.parent(13) == branch.id


async def test_a_choice_does_not_reach_requests_of_before_it(thread: Thread) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    await thread.asked(5)
    await thread.chosen(first, 10)
    assert await thread.parent(5) == second.id
    assert await thread.parent(10) == second.id, "the press itself is not later than the press"


async def test_a_picture_of_a_request_before_the_choice_leaves_the_choice(thread: Thread) -> None:
    """It was still being made when somebody chose."""
    first = await thread.made(0)
    await thread.asked(5)
    await thread.chosen(first, 10)
    await thread.made(5)
    assert await thread.parent(11) == first.id


async def test_a_turn_that_failed_leaves_the_choice(thread: Thread) -> None:
    first = await thread.made(0)
    await thread.made(1)
    await thread.chosen(first, 10)
    await thread.asked(11)
    await thread.store.end("turn_11", Ending(Outcome.FAILED, Reason.API_FAILED), NOON)
    assert await thread.parent(12) == first.id


async def test_a_request_that_waits_keeps_its_choice_when_another_is_made_after_it(thread: Thread) -> None:
    """Pressed on v1, asked, pressed on v2, asked, all while v3 is being made: each has its own."""
    first = await thread.made(0)
    second = await thread.made(1)
    await thread.asked(2)
    await thread.chosen(first, 10)
    await thread.asked(11)
    await thread.chosen(second, 12)
    await thread.asked(13)
    assert (await thread.made(2)).parent_id == second.id
    assert (await thread.made(11)).parent_id == first.id
    assert (await thread.made(13)).parent_id == second.id


async def test_a_parent_in_another_thread_is_no_version_of_this_one(thread: Thread) -> None:
    await thread.made(0)
    first = await thread.made(1)
    elsewhere = "1763640500.000100"
    await thread.database.write(lambda db: choose(db, TEAM, DESIGN, elsewhere, first.id, ts(2)))
    mention = message("edit", ts(3), elsewhere, surface=Surface.MENTION)
    apart = await thread.made(3, mention, elsewhere)
    assert (apart.version, apart.parent_id, apart.parent_version) == (1, first.id, None)
    after = await thread.made(4, message("edit", ts(4), elsewhere), elsewhere)
    assert (after.version, after.parent_id, after.parent_version) == (2, apart.id, 1)


async def test_a_parent_whose_sharing_opened_the_thread_is_a_version_of_it(thread: Thread) -> None:
    await thread.made(0)
    second = await thread.made(1)
    conversations, elsewhere = SqliteConversations(thread.database), ts(2)
    assert await conversations.share("share_1", "key_1", second.id, DESIGN, ALICE, NOON)
    await conversations.note_share("share_1", "F0SHARED01", elsewhere)
    built = await thread.made(3, message("edit", ts(3), elsewhere), elsewhere)
    assert (built.parent_id, built.parent_version) == (second.id, second.version)


async def test_the_same_press_twice_is_one_choice_and_the_last_word_counts(thread: Thread) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    for _ in range(2):
        await thread.chosen(first, 10)
    await thread.chosen(second, 11)
    await thread.chosen(first, 10)
    assert await thread.parent(12) == second.id


async def test_what_was_taken_back_is_left_until_the_next_picture(thread: Thread) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    await thread.made(2)
    await thread.undone(5, to=second)
    assert await thread.parent(6) == second.id
    await thread.undone(6, to=first)
    assert await thread.parent(7) == first.id
    branch = await thread.made(7)
    assert (branch.version, branch.parent_id, branch.parent_version) == (4, first.id, 1)
    assert await thread.parent(8) == branch.id


async def test_an_undo_does_not_undo_a_choice_that_was_made_after_it(thread: Thread) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    third = await thread.made(2)
    await thread.asked(5)
    await thread.chosen(third, 8)
    details: dict[str, str | int] = {"picture_id": first.id, "version": 1, "undone": 3}
    await thread.store.end("turn_5", Ending(Outcome.WORDS, Reason.UNDONE, details), NOON)
    assert await thread.parent(9) == third.id
    assert await thread.parent(6) == first.id
    assert second.id not in {await thread.parent(6), await thread.parent(9)}


async def test_a_turn_that_had_ended_takes_nothing_back(thread: Thread) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    await thread.asked(5)
    await thread.store.end("turn_5", Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), NOON)
    details: dict[str, str | int] = {"picture_id": first.id, "version": 1, "undone": 2}
    await thread.store.end("turn_5", Ending(Outcome.WORDS, Reason.UNDONE, details), NOON)
    assert await thread.parent(6) == second.id


async def test_deleted_pictures_are_not_built_on_and_their_versions_are_not_given_again(
    thread: Thread,
) -> None:
    first = await thread.made(0)
    second = await thread.made(1)
    third = await thread.made(2)
    await thread.deleted(third)
    assert await thread.parent(3) == second.id
    await thread.chosen(first, 10)
    await thread.deleted(first)
    assert await thread.parent(11) == second.id
    assert (await thread.made(12)).version == 4
    gone = await thread.log.picture(third.id)
    assert gone is not None
    assert (gone.prompt, gone.deleted_at) == ("", NOON)


async def test_the_last_picture_is_that_persons_in_that_channel(thread: Thread) -> None:
    assert await thread.log.last_picture(TEAM, DESIGN, ALICE) is None
    first = await thread.made(0)
    await thread.made(1, message("bluer", ts(1), ROOT, user=BOB, surface=Surface.MENTION))
    assert await thread.log.last_picture(TEAM, DESIGN, ALICE) == first
    assert await thread.log.last_picture(TEAM, OUR_DM, ALICE) is None
    await thread.deleted(first)
    assert await thread.log.last_picture(TEAM, DESIGN, ALICE) is None


# --- How it is made ----------------------------------------------------------------------------------------


async def test_what_was_said_in_a_thread_is_remembered_there(thread: Thread) -> None:
    await thread.made(0, command(quality="high", width=1536, height=1024))
    await thread.made(1, replace(message("a", ts(1), ROOT), options=Options(background="transparent")))
    turn = await thread.asked(2, replace(message("b", ts(2), ROOT), options=Options(1024, 1024)))
    before = await thread.log.manner(turn)
    assert before == Options(1536, 1024, "high", background="transparent")
    await thread.made(2)
    later = await thread.asked(3)
    assert await thread.log.manner(later) == Options(1024, 1024, "high", background="transparent")


async def test_a_button_says_everything_and_is_not_remembered(thread: Thread) -> None:
    await thread.made(0)
    button = replace(message("a", ts(1), ROOT, surface=Surface.BUTTON), message_ts=None, options=HIGH)
    await thread.made(1, button)
    assert await thread.log.manner(await thread.asked(2)) == Options()


async def test_what_was_said_counts_when_money_is_held_and_not_before(thread: Thread) -> None:
    await thread.made(0)
    await thread.asked(1, replace(message("a", ts(1), ROOT), options=HIGH))
    assert await thread.log.manner(await thread.asked(2)) == Options()


async def test_who_opens_a_thread_has_their_preferences_and_who_goes_on_has_the_threads(
    thread: Thread,
) -> None:
    await thread.prefers(0, quality="low", size=2048)
    prefers = Options(2048, 2048, "low")
    assert await thread.log.manner(await thread.asked(0)) == prefers
    top = replace(message("a fox", ts(5), ts(5), surface=Surface.MENTION), channel_id=OUR_DM)
    assert await thread.log.manner(await thread.asked(5, top)) == prefers
    assert await thread.log.manner(await thread.asked(6)) == Options()


# --- In private --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "preferred", "opens", "private"),
    [
        (None, 1, True, True),
        (None, 0, True, False),
        (False, 1, True, False),
        (True, 0, True, True),
        (None, 1, False, False),
        (True, 0, False, True),
    ],
)
async def test_what_is_private_is_said_or_preferred_where_a_thread_opens(
    thread: Thread, said: bool | None, preferred: int, opens: bool, private: bool
) -> None:
    await thread.prefers(preferred)
    asked = command() if opens else message("a", ts(1), ROOT, surface=Surface.MENTION)
    arrival = await thread.store.arrive("turn_1", replace(asked, private=said), NOON, JOINED)
    assert arrival.turn is not None
    assert arrival.turn.request.private is private


async def test_a_private_turn_goes_on_in_the_direct_message(thread: Thread, database: Database) -> None:
    turn = await thread.asked(1, replace(command(trigger="p"), private=True))
    await thread.store.tell(turn.id, Told.PLACE, OUR_DM, NOON)
    moved = await thread.store.tell(turn.id, Told.PLACEHOLDER, "7.7", NOON)
    assert (moved.request.channel_id, moved.thread_ts, moved.request.opens_thread) == (OUR_DM, "7.7", True)
    attempt = await thread.store.hold(turn.id, plan("try_1"), FREE, NOON)
    assert isinstance(attempt, Attempt)
    await thread.store.send("try_1", NOON)
    picture = await thread.store.render("try_1", settlement(60, picture_id="picture_1"), FREE, NOON)
    assert picture is not None
    assert (picture.channel_id, picture.thread_ts) == (OUR_DM, "7.7")
    counted = await thread.log.reply_counts(TEAM, OUR_DM, "7.7", ALICE, JOINED)
    assert counted
    rows = await database.look(
        lambda db: db.execute(
            """
            SELECT asked_channel_id, dm_channel_id, attempts.channel_id FROM turns
            JOIN people USING (person_key) JOIN attempts ON attempts.turn_id = turns.id
            """
        ).fetchall()
    )
    assert [tuple(row) for row in rows] == [(DESIGN, OUR_DM, OUR_DM)]


async def test_a_message_that_asked_in_private_is_still_found_where_it_is(thread: Thread) -> None:
    mention = replace(message("a fox", ts(5), ROOT, surface=Surface.MENTION), private=True)
    turn = await thread.asked(5, mention)
    await thread.store.tell(turn.id, Told.PLACE, OUR_DM, NOON)
    found = await thread.log.turn_of_message(TEAM, DESIGN, ts(5))
    assert found is not None
    assert found.id == turn.id
    revised = await thread.store.revise(TEAM, DESIGN, ts(5), "a cat", Options(), (), NOON)
    assert revised is not None
    assert revised.request.prompt == "a cat"
    assert await thread.log.turn_of_message(TEAM, OUR_DM, ts(5)) is None


async def test_what_was_asked_in_a_thread_in_private_builds_on_that_threads_picture(thread: Thread) -> None:
    first = await thread.made(0)
    await thread.made(1)
    await thread.chosen(first, 2)
    turn = await thread.asked(5, replace(message("bluer", ts(5), ROOT), private=True))
    moved = await thread.store.tell(turn.id, Told.PLACE, OUR_DM, NOON)
    assert moved.request.chosen_id == first.id
    assert (moved.request.opens_thread, moved.thread_ts) == (True, None)


async def test_a_private_turn_that_was_asked_there_stays_in_its_thread(thread: Thread) -> None:
    reply = replace(message("bluer", ts(5), ROOT, surface=Surface.MENTION), channel_id=OUR_DM, private=True)
    turn = await thread.asked(5, reply)
    told = await thread.store.tell(turn.id, Told.PLACE, OUR_DM, NOON)
    assert (told.thread_ts, told.request.thread_ts, told.request.chosen_id) == (ROOT, ROOT, None)


async def test_a_file_belongs_to_one_picture_of_its_turn(thread: Thread) -> None:
    first = await thread.made(0)
    await thread.made(1)
    await thread.store.tell("turn_0", Told.FILE, "F0FILE0001", NOON, first.id)
    assert [each.file_id for each in await thread.log.pictures("turn_0")] == ["F0FILE0001"]
    for turn_id, picture_id in (("turn_1", first.id), ("turn_0", "nothing_such"), ("turn_0", None)):
        with pytest.raises(LedgerFault):
            await thread.store.tell(turn_id, Told.FILE, "F0FILE0002", NOON, picture_id)


async def test_what_is_posted_of_a_picture_that_was_deleted_meanwhile_is_recalled(
    thread: Thread, database: Database
) -> None:
    first = await thread.made(0)
    eraser = SqliteEraser(database)
    await thread.store.end("turn_0", Ending(Outcome.PICTURES, Reason.PICTURES), NOON)
    await eraser.erase(first.id, BOB, NOON)
    before = {(each.kind, each.ref) for each in await eraser.open_errands(20)}
    await thread.store.tell("turn_0", Told.FILE, "F0FILE0001", NOON, first.id)
    await thread.store.tell("turn_0", Told.MESSAGE, "7.7", NOON)
    late = [each for each in await eraser.open_errands(20) if (each.kind, each.ref) not in before]
    assert [(each.kind, each.channel_id, each.ref) for each in late] == [
        (Recall.FILE, "", "F0FILE0001"),
        (Recall.MESSAGE, DESIGN, "7.7"),
    ]
    assert {each.by_user_id for each in late} == {BOB}
