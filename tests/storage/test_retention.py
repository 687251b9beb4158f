"""What is old enough goes, and nothing else; no sum ever changes."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from darkroom.spending.spans import Span
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Picture, Told, Verdict
from darkroom.turns.retention import Before, Counts, Keep, Retention
from storage import old_enough
from storage.blobs import BlobStore
from storage.conversations import SqliteConversations
from storage.database import PICTURES_NAME, Database
from storage.erasing import SqliteEraser, remove_bytes
from storage.old_enough import Due
from storage.reports import spend_report
from storage.retention import SqliteRetentionBook
from storage.turn_log import SqliteTurnLog
from storage.turn_report import turn_rows
from tests.examples import ALICE, BOB, NOON, TEAM, StillClock, caps
from tests.fresh import with_books
from tests.storage.books import check_books
from tests.storage.gallery import Asked, Gallery

DAY = timedelta(days=1)
NOW = NOON + 400 * DAY
SECRET = "the unannounced kettle of Acme"


@dataclass
class Place:
    """A data directory, at a moment."""

    folder: Path
    database: Database
    gallery: Gallery
    clock: StillClock

    def retention(self, keep: Keep) -> Retention:
        remove = partial(remove_bytes, self.database, self.gallery.blobs)
        return Retention(SqliteRetentionBook(self.database), keep, self.clock, remove)

    async def recall_everything(self) -> None:
        """As when Slack and the API have done all that was asked of them."""
        eraser = SqliteEraser(self.database)
        for errand in await eraser.open_errands(1_000):
            await eraser.close_errand(errand.id, None, self.clock.now())

    async def rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        return await self.database.look(lambda db: db.execute(query, values).fetchall())

    async def dump(self) -> list[str]:
        return await self.database.look(lambda db: list(db.iterdump()))

    async def sums(self) -> object:
        """All that the books say of money, in every way that it is asked for."""
        span = Span("UTC", NOW - 40 * DAY, NOW + DAY)
        report = await self.database.look(lambda db: spend_report(db, TEAM, span, caps(), NOW))
        journal = [tuple(row) for row in await self.rows("SELECT * FROM journal ORDER BY id")]
        return report, journal


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    clock = StillClock(NOW)
    with closing(Database.open(with_books(folder), create=True, inline=True)) as database:
        yield Place(folder, database, Gallery(database, BlobStore(folder / PICTURES_NAME)), clock)
        await database.look(check_books)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as made:
        yield made


def asked(days_ago: int, **more: object) -> Asked:
    """Something that was asked so many days, less an hour, before the moment that everything is looked at."""
    return replace(Asked(at=NOW - days_ago * DAY + timedelta(hours=1)), **more)  # type: ignore[arg-type]  # any of its fields


async def made(here: Place, days_ago: int, **more: object) -> Picture:
    """A picture of then, told then."""
    request = asked(days_ago, **more)
    turn = await here.gallery.begun(request)
    picture = await here.gallery.render(turn, request)
    await here.gallery.end(turn, [picture], request.at)
    return picture


@st.composite
def things(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Kinds of requests, each so many days old."""
    kinds = st.sampled_from(("picture", "declined", "waiting", "untold", "undelivered", "unsaid"))
    return draw(st.lists(st.tuples(kinds, st.integers(1, 30)), min_size=1, max_size=6))


SOON = st.none() | st.integers(1, 25)


async def happened(here: Place, kind: str, days_ago: int) -> str:
    """One request of that kind; gives its turn's id."""
    request = asked(days_ago)
    turn = await here.gallery.begun(request)
    store = here.gallery.store
    if kind == "waiting":
        return turn.id
    if kind in ("declined", "unsaid"):
        await store.end(turn.id, Ending(Outcome.DECLINED, Reason.GUEST), request.at)
        told = Told.DONE if kind == "declined" else Told.UNDELIVERED
        await store.tell(turn.id, told, None if kind == "declined" else "is_archived", request.at)
        return turn.id
    picture = await here.gallery.render(turn, request)
    if kind == "picture":
        await here.gallery.end(turn, [picture], request.at)
        return turn.id
    await store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES), request.at)
    if kind == "undelivered":
        await store.tell(turn.id, Told.UNDELIVERED, "channel_not_found", request.at)
    return turn.id


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@example([("undelivered", 5), ("undelivered", 9)], Keep(3, None, None))
@example([("undelivered", 5), ("undelivered", 9)], Keep(None, 3, None))
@example([("undelivered", 5), ("undelivered", 9), ("unsaid", 5), ("unsaid", 9)], Keep(None, None, 3))
@given(things(), st.builds(Keep, SOON, SOON, SOON))
async def test_what_is_old_enough_goes_and_nothing_else(they: list[tuple[str, int]], keep: Keep) -> None:
    """Beside a plain account of each request: how old it is, and whether it is over."""
    with TemporaryDirectory() as folder:
        async with place(Path(folder)) as here:
            ids = [await happened(here, *one) for one in they]
            before, retention = await here.sums(), here.retention(keep)
            dumped, seen = await here.dump(), await retention.look()
            assert await here.dump() == dumped

            done = await retention.run()

            assert done.counts == seen
            rows = {row["id"]: row for row in await here.rows("SELECT * FROM turns")}
            living = {
                row["turn_id"] for row in await here.rows("SELECT * FROM pictures WHERE deleted_at IS NULL")
            }
            for turn_id, (kind, days) in zip(ids, they, strict=True):
                over = is_over(kind, days)
                picture_goes = over and older(days, keep.pictures_days, keep.turns_days)
                words_go = over and older(days, keep.prompts_days, keep.turns_days)
                paid = kind in ("picture", "untold", "undelivered")
                assert (turn_id in living) is (paid and not picture_goes), (kind, days)
                forgotten = over and not paid and older(days, keep.turns_days)
                assert (turn_id not in rows) is forgotten, (kind, days)
                if not forgotten:
                    # With its picture the words go as they do when somebody presses the button.
                    assert (rows[turn_id]["prompt"] == "") is (words_go or (paid and picture_goes)), (
                        kind,
                        days,
                    )
            again = await retention.run()
            assert again.counts == Counts(later=done.counts.later)
            assert await here.sums() == before

            await here.recall_everything()
            here.clock.at += timedelta(seconds=1)
            await retention.run()
            kept = {row["id"] for row in await here.rows("SELECT id FROM turns")}
            for turn_id, (kind, days) in zip(ids, they, strict=True):
                over = is_over(kind, days)
                # It is the same day yet: nothing else has become old enough.
                assert (turn_id in kept) is not (over and older(days, keep.turns_days)), (kind, days)
            assert await here.sums() == before


def plan_of(due: Due, db: sqlite3.Connection, before: Before) -> Sequence[str]:
    """The steps by which SQLite looks for them."""
    return due.plan(db, before)


def is_over(kind: str, days: int) -> bool:
    """Whether nothing is done about it any more; what Slack has not taken is told again for a week."""
    return kind in ("picture", "declined") or (kind in ("undelivered", "unsaid") and days > 7)


def older(days: int, *limits: int | None) -> bool:
    """Whether something of so many days is older than any of *limits*."""
    return any(limit is not None and days > limit for limit in limits)


async def test_a_forgotten_request_leaves_its_charge_and_nothing_else(here: Place) -> None:
    old = await made(here, 40, prompt=SECRET, revised=f"{SECRET}, reworded", message_ts="1763600000.000001")
    conversations = SqliteConversations(here.database)
    assert await conversations.judge(old.id, BOB, Verdict.ACCEPTED, here.clock.at)
    share = await conversations.share("share_1", "view:1", old.id, "C0RANDOM01", BOB, old.created_at, SECRET)
    assert share is not None
    await conversations.note_share("share_1", "F_share", "1763700000.000009")
    retention = here.retention(Keep(turns_days=30))
    sums = await here.sums()
    await retention.run()
    await here.recall_everything()
    here.clock.at += DAY
    assert (await retention.run()).counts.turns == 1
    await here.database.scrub()

    for table in (
        "turns",
        "pictures",
        "feedback",
        "shares",
        "erasures",
        "choices",
        "threads",
        "thread_people",
    ):
        assert await here.rows(f"SELECT * FROM {table}") == [], table  # noqa: S608 -- the names above
    for file in here.folder.glob("darkroom.db*"):
        data = file.read_bytes()
        assert not any(gone.encode() in data for gone in (SECRET, "1763600000.000001", "F_share", "resp_"))
    assert await here.sums() == sums


async def test_what_was_made_from_a_forgotten_picture_still_says_from_which(here: Place) -> None:
    first = await made(here, 40)
    second = await made(
        here, 2, thread_ts=first.thread_ts, message_ts="1763900000.000001", parent_id=first.id
    )
    retention = here.retention(Keep(turns_days=30))
    await retention.run()
    await here.recall_everything()
    here.clock.at += timedelta(hours=1)
    assert (await retention.run()).counts.turns == 1
    [shell] = await here.rows("SELECT * FROM turns WHERE forgotten_at IS NOT NULL")
    assert (shell["user_id"], shell["person_key"], shell["prompt"], shell["channel_id"]) == ("", "", "", "")
    listed = await here.database.look(lambda db: turn_rows(db, 10))
    assert [row.turn.id for row in listed] == [second.turn_id]
    log = SqliteTurnLog(here.database)
    now = await log.picture(second.id)
    assert now is not None
    assert (now.version, now.parent_id, now.parent_version) == (2, first.id, 1)
    parent = await log.picture(first.id)
    assert parent is not None
    assert parent.deleted_at is not None
    assert (parent.user_id, parent.prompt, set(parent.sha256)) == ("", "", {"0"})

    here.clock.at += 60 * DAY
    await retention.run()
    await here.recall_everything()
    here.clock.at += DAY
    await retention.run()
    assert await here.rows("SELECT id FROM turns UNION SELECT id FROM pictures") == []


async def test_a_picture_that_something_unfinished_builds_on_is_kept_until_that_is_over(here: Place) -> None:
    old = await made(here, 40)
    waits = await here.gallery.begun(asked(1, thread_ts=old.thread_ts, message_ts="1763900000.000001"))
    retention = here.retention(Keep(pictures_days=30))
    assert await retention.look() == Counts()
    assert (await retention.run()).counts == Counts()
    await here.gallery.store.end(waits.id, Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), here.clock.at)
    assert (await retention.run()).counts == Counts()
    await here.gallery.store.tell(waits.id, Told.DONE, None, here.clock.at)
    assert (await retention.run()).counts == Counts(pictures=1)


async def test_words_go_and_the_picture_stays_with_what_it_was_made_from(here: Place) -> None:
    request = asked(40, prompt=SECRET, revised=f"{SECRET}, reworded", message_ts="1763600000.000001")
    turn = await here.gallery.begun(request)
    [along] = await here.gallery.bring(turn, f"{SECRET}.png")
    picture = await here.gallery.render(turn, request)
    await here.gallery.end(turn, [picture], request.at)
    young = await made(here, 2, prompt="a young fox")
    outcome = await here.retention(Keep(prompts_days=30)).run()
    await here.database.scrub()
    assert (outcome.counts, outcome.user_ids) == (Counts(words=1), frozenset({ALICE}))
    assert not any(SECRET.encode() in file.read_bytes() for file in here.folder.glob("darkroom.db*"))
    blobs = here.gallery.blobs
    assert blobs.path_of(picture.sha256, "png").exists()
    assert not blobs.path_of(along.sha256, "png").exists()
    kept = await SqliteTurnLog(here.database).picture(young.id)
    assert kept is not None
    assert kept.prompt == "a young fox"


async def test_what_goes_along_with_somebody_else_too_stays_on_disk(here: Place) -> None:
    for days in (40, 2):
        request = asked(days)
        turn = await here.gallery.begun(request)
        [along] = await here.gallery.bring(turn, "the same.png")
        await here.gallery.end(turn, [await here.gallery.render(turn, request)], request.at)
    await here.retention(Keep(prompts_days=30)).run()
    assert here.gallery.blobs.path_of(along.sha256, "png").exists()


async def test_what_left_nothing_elsewhere_is_forgotten_as_late_as_what_did(here: Place) -> None:
    """Else a dry run would not say what a real one does."""
    for days in (40, 2):
        request = asked(days)
        turn = await here.gallery.begun(request)
        await here.gallery.render(turn, request, b"the same bytes")
        await here.gallery.store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES), request.at)
        await here.gallery.store.tell(turn.id, Told.UNDELIVERED, "is_archived", request.at)
    for table in ("attempts", "pictures"):
        await here.rows(f"UPDATE {table} SET response_id = NULL")  # noqa: S608 -- the names above
    await here.rows("UPDATE turns SET placeholder_ts = NULL")
    retention = here.retention(Keep(turns_days=30))
    assert await retention.look() == Counts(pictures=1, words=1, later=1)
    assert (await retention.run()).counts == Counts(pictures=1, words=1, later=1)
    assert await here.rows("SELECT * FROM erasures") == []
    here.clock.at += timedelta(seconds=1)
    assert (await retention.run()).counts == Counts(turns=1)


async def test_nobody_is_told_of_a_picture_that_went_by_its_age(here: Place) -> None:
    await made(here, 40)
    outcome = await here.retention(Keep(pictures_days=30)).run()
    assert outcome.user_ids == {ALICE}
    errands = await SqliteEraser(here.database).open_errands(100)
    assert {errand.by_user_id for errand in errands} == {""}
    assert {errand.kind for errand in errands} >= {"message", "file", "response", "blob", "placeholder"}


async def test_a_thread_goes_with_the_last_that_was_asked_in_it(here: Place) -> None:
    old = await made(here, 40)
    await made(here, 2, thread_ts=old.thread_ts, message_ts="1763900000.000001")
    alone = await made(here, 40)
    retention = here.retention(Keep(turns_days=30))
    await retention.run()
    await here.recall_everything()
    here.clock.at += DAY
    await retention.run()
    threads = {row["thread_ts"] for row in await here.rows("SELECT thread_ts FROM threads")}
    assert threads == {old.thread_ts}
    assert alone.thread_ts not in threads


async def test_every_search_for_what_is_old_enough_uses_an_index(here: Place) -> None:
    await made(here, 40)
    before = Keep(1, 1, 1).before(NOW)
    searches = [each for each in vars(old_enough).values() if isinstance(each, Due)]
    plans = [
        step for due in searches for step in await here.database.look(partial(plan_of, due, before=before))
    ]
    assert len(searches) == 7
    scans = [plan for plan in plans if plan.startswith("SCAN")]
    allowed = ("turns_unfinished", "turns_forgotten", "busy", "SCAN (subquery", "SCAN due")
    assert [scan for scan in scans if not any(one in scan for one in allowed)] == []
    assert any("turns_unfinished" in scan for scan in scans)
    again = [
        step
        for due in searches
        for step in await here.database.look(partial(Due.plan_of_one, due, before=before))
    ]
    # While something is written that looks at one row at a time, whatever there is.
    assert {step for step in again if step.startswith("SCAN")} == {
        "SCAN busy",
        "SCAN turns USING INDEX turns_unfinished",
    }


async def test_what_somebody_begins_to_build_on_between_being_found_and_deleted_stays(here: Place) -> None:
    old = await made(here, 40)
    gone = await made(here, 41)
    book, before = SqliteRetentionBook(here.database), Keep(pictures_days=30).before(NOW)
    write = here.database.write

    async def asked_first(work: Callable[[sqlite3.Connection], object]) -> object:
        here.database.write = write  # type: ignore[method-assign]  # once
        await here.gallery.begun(asked(1, thread_ts=old.thread_ts, message_ts="1763900000.000001"))
        return await write(work)

    here.database.write = asked_first  # type: ignore[method-assign,assignment]  # somebody comes in between
    assert (await book.erase_pictures(before, 2)).number == 1
    living = await here.rows("SELECT id FROM pictures WHERE deleted_at IS NULL")
    assert [row["id"] for row in living] == [old.id]
    assert gone.id != old.id
