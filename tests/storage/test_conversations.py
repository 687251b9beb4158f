"""What people do with pictures: choose, look back, judge, share, prefer."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.turns.conversations import Page, Preferences, Share
from darkroom.turns.model import ThreadReplies, Verdict
from storage import conversations
from storage.blobs import BlobStore
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.erasing import SqliteEraser
from storage.ledger import LedgerFault
from storage.sharing import UNFINISHED_MAX
from storage.turn_log import SqliteTurnLog
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM
from tests.fresh import with_books
from tests.storage.gallery import Asked, Gallery, posted

RANDOM, LATE = "C0RANDOM01", "1999999999.000000"
JOINED = ThreadReplies.JOINED


@pytest.fixture
def talk(database: Database) -> SqliteConversations:
    return SqliteConversations(database)


@pytest.fixture
def log(database: Database) -> SqliteTurnLog:
    return SqliteTurnLog(database)


@pytest.fixture
def eraser(database: Database) -> SqliteEraser:
    return SqliteEraser(database)


@pytest.fixture
def gallery(database: Database, tmp_path: Path) -> Gallery:
    return Gallery(database, BlobStore(tmp_path / "pictures"))


async def shared(talk: SqliteConversations, picture_id: str, number: int = 1, ts: str | None = None) -> Share:
    """A share of *picture_id* into #random by Bob, posted if it has a *ts*."""
    at = NOON + timedelta(minutes=number)
    share = await talk.share(f"share_{number}", f"view:{number}", picture_id, RANDOM, BOB, at, "look!")
    assert share is not None
    return share if ts is None else await talk.note_share(share.id, f"F_{share.id}", ts)


async def test_choosing_a_version_makes_later_requests_build_on_it_and_joins_its_person(
    talk: SqliteConversations, log: SqliteTurnLog, gallery: Gallery
) -> None:
    first = await gallery.picture()
    second = await gallery.picture(Asked(thread_ts=first.thread_ts, message_ts="1763640500.000000"))
    assert not await log.reply_counts(TEAM, DESIGN, first.thread_ts, BOB, JOINED)
    assert await talk.choose(first.id, DESIGN, first.thread_ts, BOB, "1763640600.000000", NOON) == first
    before, after = "1763640599.000000", "1763640601.000000"
    assert await log.current_picture(TEAM, DESIGN, first.thread_ts, before) == second
    assert await log.current_picture(TEAM, DESIGN, first.thread_ts, after) == first
    assert await log.reply_counts(TEAM, DESIGN, first.thread_ts, BOB, JOINED)


async def test_what_is_not_there_or_was_deleted_cannot_be_chosen_judged_or_shared(
    talk: SqliteConversations, log: SqliteTurnLog, gallery: Gallery, eraser: SqliteEraser
) -> None:
    gone = await gallery.picture()
    await eraser.erase(gone.id, ALICE, NOON)
    for picture_id in (gone.id, "picture_none"):
        assert await talk.choose(picture_id, DESIGN, gone.thread_ts, BOB, LATE, NOON) is None
        assert not await talk.judge(picture_id, BOB, Verdict.ACCEPTED, NOON)
        assert await talk.share("share_1", "view:1", picture_id, RANDOM, BOB, NOON) is None
    assert not await log.reply_counts(TEAM, DESIGN, gone.thread_ts, BOB, JOINED)


async def test_versions_are_listed_in_order_with_the_deleted_ones(
    talk: SqliteConversations, gallery: Gallery, eraser: SqliteEraser
) -> None:
    first = await gallery.picture()
    asked = Asked(thread_ts=first.thread_ts, message_ts="1763640500.000000", parent_id=first.id)
    second = await gallery.picture(asked)
    await gallery.picture()
    await eraser.erase(first.id, ALICE, NOON)
    listed = await talk.versions(TEAM, DESIGN, first.thread_ts)
    assert [(each.version, each.parent_version, each.deleted_at) for each in listed] == [
        (1, None, NOON),
        (2, 1, None),
    ]
    assert listed[1].id == second.id
    assert await talk.versions(TEAM, RANDOM, first.thread_ts) == []


async def test_of_a_very_long_thread_the_newest_versions_are_listed(
    talk: SqliteConversations, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert conversations.VERSIONS_MAX == 100
    monkeypatch.setattr(conversations, "VERSIONS_MAX", 2)
    first, *_ = await gallery.pictures(4)
    assert [each.version for each in await talk.versions(TEAM, DESIGN, first.thread_ts)] == [3, 4]


async def test_a_message_of_ours_leads_to_the_living_pictures_it_brought(
    talk: SqliteConversations, gallery: Gallery, eraser: SqliteEraser
) -> None:
    first, second, third = await gallery.pictures(3)
    ts = posted(first.turn_id)
    assert [each.id for each in await talk.pictures_of_message(TEAM, DESIGN, ts)] == [
        first.id,
        second.id,
        third.id,
    ]
    await eraser.erase(second.id, ALICE, NOON)
    assert [each.id for each in await talk.pictures_of_message(TEAM, DESIGN, ts)] == [first.id, third.id]
    for place in ((TEAM, RANDOM, ts), ("T0OTHER001", DESIGN, ts), (TEAM, DESIGN, first.thread_ts)):
        assert await talk.pictures_of_message(*place) == []


async def test_the_turn_of_a_key_says_who_was_first(talk: SqliteConversations, gallery: Gallery) -> None:
    picture = await gallery.picture(Asked(key="button:1:again:p", user=BOB))
    turn = await talk.turn_of_key(TEAM, "button:1:again:p")
    assert turn is not None
    assert (turn.id, turn.request.user_id) == (picture.turn_id, BOB)
    assert await talk.turn_of_key(TEAM, "button:1:again:q") is None
    assert await talk.turn_of_key("T0OTHER001", "button:1:again:p") is None


async def test_a_verdict_takes_the_place_of_the_same_persons_before(
    talk: SqliteConversations, gallery: Gallery, database: Database
) -> None:
    picture = await gallery.picture()
    later = NOON + timedelta(minutes=1)
    assert await talk.judge(picture.id, ALICE, Verdict.ACCEPTED, NOON)
    assert await talk.judge(picture.id, BOB, Verdict.ACCEPTED, NOON)
    assert await talk.judge(picture.id, ALICE, Verdict.REJECTED, later)
    query = """
        SELECT user_id, verdict, at FROM feedback JOIN people ON people.person_key = feedback.person_key
        WHERE picture_id = ? ORDER BY user_id
    """
    rows = await database.look(lambda db: db.execute(query, (picture.id,)).fetchall())
    assert [tuple(row) for row in rows] == [
        (ALICE, "rejected", "2026-11-20T12:01:00.000000Z"),
        (BOB, "accepted", "2026-11-20T12:00:00.000000Z"),
    ]


async def test_preferences_are_each_persons_and_replaced_whole(talk: SqliteConversations) -> None:
    wanted = Preferences(1536, 1024, "high", private=True)
    assert await talk.preferences(TEAM, ALICE) == Preferences()
    await talk.prefer(TEAM, ALICE, wanted, NOON)
    assert await talk.preferences(TEAM, ALICE) == wanted
    assert await talk.preferences(TEAM, BOB) == await talk.preferences("T0OTHER001", ALICE) == Preferences()
    await talk.prefer(TEAM, ALICE, Preferences(quality="low"), NOON)
    assert await talk.preferences(TEAM, ALICE) == Preferences(quality="low")


async def test_half_a_size_is_no_preference(talk: SqliteConversations) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await talk.prefer(TEAM, ALICE, Preferences(width=1024), NOON)
    assert await talk.preferences(TEAM, ALICE) == Preferences()


async def test_our_direct_message_with_somebody_is_known_once_it_was_met(talk: SqliteConversations) -> None:
    assert await talk.private_channel(TEAM, ALICE) is None
    for channel in ("D0OLD00001", "D0ALICE001"):
        await talk.met(TEAM, ALICE, channel, NOON)
    assert await talk.private_channel(TEAM, ALICE) == "D0ALICE001"
    assert await talk.private_channel(TEAM, BOB) is None


async def test_a_share_that_is_begun_again_is_the_first(talk: SqliteConversations, gallery: Gallery) -> None:
    one, other = await gallery.picture(), await gallery.picture()
    first = await talk.share("share_1", "view:1", one.id, RANDOM, BOB, NOON, "look!")
    assert first == Share("share_1", one, RANDOM, BOB, None, None, NOON, "look!")
    later = NOON + timedelta(hours=1)
    assert await talk.share("share_2", "view:1", other.id, DESIGN, ALICE, later) == first
    assert await talk.unfinished_shares(NOON) == [first]


async def test_a_shared_picture_has_a_thread_that_builds_on_it(
    talk: SqliteConversations, log: SqliteTurnLog, gallery: Gallery
) -> None:
    picture, ts = await gallery.picture(), "1763640900.000000"
    share = await shared(talk, picture.id)
    noted = await talk.note_share(share.id, "F_1", None)
    assert (noted.file_id, noted.message_ts) == ("F_1", None)
    assert not await log.reply_counts(TEAM, RANDOM, ts, BOB, JOINED)
    done = await talk.note_share(share.id, None, ts)
    assert (done.file_id, done.message_ts) == ("F_1", ts)
    assert await talk.note_share(share.id, None, ts) == done
    assert [each.id for each in await talk.pictures_of_message(TEAM, RANDOM, ts)] == [picture.id]
    assert await log.current_picture(TEAM, RANDOM, ts, LATE) == picture
    assert await log.reply_counts(TEAM, RANDOM, ts, BOB, JOINED)
    assert not await log.reply_counts(TEAM, RANDOM, ts, ALICE, JOINED)
    assert await talk.unfinished_shares(NOON) == []


async def test_versions_go_on_from_that_of_the_picture_whose_sharing_opened_the_thread(
    talk: SqliteConversations, gallery: Gallery
) -> None:
    """Else its first edit would stand under it with the same number."""
    _, second = await gallery.pictures(2)
    ts = "1763640900.000000"
    await talk.note_share((await shared(talk, second.id)).id, "F_1", ts)
    made = await gallery.picture(Asked(channel=RANDOM, thread_ts=ts))
    assert (second.version, made.version) == (2, 3)
    assert (await gallery.picture(Asked(channel=RANDOM))).version == 1


async def test_the_versions_of_a_thread_that_a_shared_picture_opened_begin_with_that(
    talk: SqliteConversations, gallery: Gallery, eraser: SqliteEraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its file there: the one where it was made may be in a direct message. No long thread hides it."""
    _, second = await gallery.pictures(2)
    ts = "1763640900.000000"
    await talk.note_share((await shared(talk, second.id)).id, "F_SHARED", ts)
    assert await talk.versions(TEAM, RANDOM, ts) == [replace(second, file_id="F_SHARED")]
    monkeypatch.setattr(conversations, "VERSIONS_MAX", 1)
    made = [await gallery.picture(Asked(channel=RANDOM, thread_ts=ts, message_ts=f"{n}.1")) for n in (1, 2)]
    assert [one.id for one in await talk.versions(TEAM, RANDOM, ts)] == [second.id, made[1].id]
    await eraser.erase(second.id, ALICE, NOON)
    assert (await talk.versions(TEAM, RANDOM, ts))[0].deleted_at == NOON


async def test_in_a_thread_that_a_shared_picture_opened_that_one_is_chosen_again_or_is_all_that_is_left(
    talk: SqliteConversations, log: SqliteTurnLog, gallery: Gallery, eraser: SqliteEraser
) -> None:
    """What is chosen there leaves its own thread as it is."""
    picture, newest = await gallery.pictures(2)
    place = (RANDOM, "1763640900.000000")
    await talk.note_share((await shared(talk, picture.id)).id, "F_1", place[1])
    made = await gallery.picture(Asked(channel=RANDOM, thread_ts=place[1], message_ts="1763640901.000000"))
    assert await log.current_picture(TEAM, *place, LATE) == made
    assert await talk.choose(picture.id, *place, ALICE, "1763640902.000000", NOON) == picture
    assert await log.current_picture(TEAM, *place, LATE) == picture
    assert await log.reply_counts(TEAM, *place, ALICE, JOINED)
    assert await log.current_picture(TEAM, DESIGN, picture.thread_ts, LATE) == newest
    after = await gallery.picture(Asked(channel=RANDOM, thread_ts=place[1], message_ts="1763640903.000000"))
    for one, left in ((after, made), (made, picture), (picture, None)):
        await eraser.erase(one.id, ALICE, NOON)
        assert await log.current_picture(TEAM, *place, LATE) == left


async def test_a_picture_is_chosen_in_its_own_thread_or_where_it_was_shared_and_nowhere_else(
    talk: SqliteConversations, log: SqliteTurnLog, gallery: Gallery
) -> None:
    picture, other, there = [
        await gallery.picture(each) for each in (Asked(), Asked(), Asked(channel=RANDOM))
    ]
    ts = "1763640900.000000"
    await talk.note_share((await shared(talk, other.id)).id, "F_1", ts)
    elsewhere = ((DESIGN, other.thread_ts), (DESIGN, ts), (RANDOM, ts), (RANDOM, there.thread_ts))
    before = [await log.current_picture(TEAM, *place, LATE) for place in elsewhere]
    for place in elsewhere:
        assert await talk.choose(picture.id, *place, ALICE, "1763640950.000000", NOON) is None
    assert [await log.current_picture(TEAM, *place, LATE) for place in elsewhere] == before
    assert not await log.reply_counts(TEAM, RANDOM, ts, ALICE, JOINED)


async def test_only_what_may_still_be_shown_is_unfinished(
    talk: SqliteConversations, gallery: Gallery, eraser: SqliteEraser
) -> None:
    picture, deleted = await gallery.picture(), await gallery.picture()
    too_old = await shared(talk, picture.id, 1)
    waits = await shared(talk, picture.id, 3)
    given_up = await shared(talk, picture.id, 4)
    await shared(talk, picture.id, 5, "1763640900.000000")
    await shared(talk, deleted.id, 6)
    waits_too = await shared(talk, picture.id, 2)
    await talk.give_up_share(given_up.id, "not_in_channel")
    await eraser.erase(deleted.id, ALICE, NOON)
    listed = await talk.unfinished_shares(too_old.begun_at + timedelta(seconds=1))
    assert listed == [waits_too, waits]


async def test_a_share_that_was_posted_cannot_be_given_up(
    talk: SqliteConversations, gallery: Gallery, database: Database
) -> None:
    share = await shared(talk, (await gallery.picture()).id, 1, "1763640900.000000")
    await talk.give_up_share(share.id, "too late")
    rows = await database.look(lambda db: db.execute("SELECT failure FROM shares").fetchall())
    assert [tuple(row) for row in rows] == [(None,)]


async def test_unfinished_shares_come_in_bounded_numbers(talk: SqliteConversations, gallery: Gallery) -> None:
    picture = await gallery.picture()
    for number in range(UNFINISHED_MAX + 1):
        await shared(talk, picture.id, number)
    listed = await talk.unfinished_shares(NOON)
    assert [share.id for share in listed] == [f"share_{number}" for number in range(UNFINISHED_MAX)]


async def test_a_share_that_does_not_exist_is_a_fault(talk: SqliteConversations) -> None:
    with pytest.raises(LedgerFault, match="share_1"):
        await talk.note_share("share_1", None, None)


@settings(max_examples=12, deadline=None)
@given(deleted=st.lists(st.booleans(), max_size=9), size=st.integers(1, 4))
async def test_the_pages_of_a_person_are_all_their_living_pictures_once_newest_first(
    tmp_path_factory: pytest.TempPathFactory, deleted: list[bool], size: int
) -> None:
    folder = tmp_path_factory.mktemp("data")
    with closing(Database.open(with_books(folder), create=True, inline=True)) as database:
        gallery, talk = Gallery(database, BlobStore(folder / "pictures")), SqliteConversations(database)
        await gallery.picture(Asked(user=BOB))
        living = []
        for number, gone in enumerate(deleted):
            # Two of them in each minute: the id decides.
            picture = await gallery.picture(Asked(at=NOON + timedelta(minutes=number // 2)))
            if gone:
                await SqliteEraser(database).erase(picture.id, ALICE, NOON)
            else:
                living.append(picture)
        living.sort(key=lambda picture: (picture.created_at, picture.id), reverse=True)
        pages = -(-len(living) // size) or 1
        found = [await talk.page_of(TEAM, ALICE, number, size) for number in range(pages)]
        assert [page.number for page in found] == list(range(pages))
        assert {page.pages for page in found} == {pages}
        assert all(len(page.pictures) == size for page in found[:-1])
        assert list(itertools.chain(*(page.pictures for page in found))) == living
        assert await talk.page_of(TEAM, ALICE, pages + 7, size) == found[-1]
        assert await talk.page_of(TEAM, ALICE, -1, size) == found[0]
        assert await talk.page_of(TEAM, "U0NOBODY01", 0, size) == Page([], 0, 1)


@settings(max_examples=20, deadline=None)
@given(
    presses=st.lists(st.tuples(st.integers(1, 99), st.integers(0, 2)), max_size=6), order=st.integers(0, 99)
)
async def test_a_request_builds_on_what_was_last_chosen_before_it(
    tmp_path_factory: pytest.TempPathFactory, presses: list[tuple[int, int]], order: int
) -> None:
    """However the presses come in: a later request never changes what an earlier one builds on."""
    folder = tmp_path_factory.mktemp("data")
    with closing(Database.open(with_books(folder), create=True, inline=True)) as database:
        gallery, talk = Gallery(database, BlobStore(folder / "pictures")), SqliteConversations(database)
        pictures = await gallery.pictures(3)
        place, newest = pictures[0].thread_ts, pictures[-1]
        for when, which in presses:
            await talk.choose(pictures[which].id, DESIGN, place, ALICE, f"17636600{when:02}.000000", NOON)
        before = {when: pictures[which] for when, which in presses if when < order}
        expected = before[max(before)] if before else newest
        log = SqliteTurnLog(database)
        assert await log.current_picture(TEAM, DESIGN, place, f"17636600{order:02}.000000") == expected
