"""What must not go wrong when somebody is forgotten: unfinished calls, others' work, a crash, the books."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.turns.endings import Reason
from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import GONE, Known, Trace, Whom
from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, connect_read_only
from storage.forget_person import forget_person
from storage.forgetter import Forgetter, found_in, look
from storage.times import to_text
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, plan
from tests.storage.books import check_books, nothing_held
from tests.storage.gallery import FREE, Asked, Gallery

SECRET = "the unannounced kettle of Acme"


def known(folder: Path, user: str = ALICE) -> tuple[Whom, Known]:
    [found] = look(folder, user, TEAM)
    return found


async def forgotten(database: Database, blobs: BlobStore, folder: Path, user: str = ALICE) -> None:
    await Forgetter(database, blobs).forget(known(folder, user)[0], FREE, NOON)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in database._writer.execute(query)]


async def test_calls_that_never_ended_are_ended_in_the_books(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    """What was never sent costs nothing; what was may have been paid for."""
    store = SqliteTurnStore(database)
    held, sent = await gallery.begun(), await gallery.begun()
    for turn in (held, sent):
        await store.hold(turn.id, plan(f"try_{turn.id}", 70), FREE, NOON)
    await store.send(f"try_{sent.id}", NOON)
    await store.send(f"try_{sent.id}", NOON, "resp_secret")
    assert known(tmp_path)[1].open_calls == 2
    await forgotten(database, blobs, tmp_path)
    check_books(database._writer)
    nothing_held(database._writer)
    ended = rows(
        database, "SELECT state, charged_nano_usd, turn_id, response_id FROM attempts ORDER BY held_at, id"
    )
    assert ended == [("released", 0, None, None), ("uncertain", 70, None, None)]
    assert rows(database, "SELECT * FROM alerts") == []
    assert found_in(tmp_path, ["resp_secret"]).paths == []


async def test_what_others_wait_for_is_not_made_of_a_picture_that_is_gone(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    store = SqliteTurnStore(database)
    picture = await gallery.picture(Asked(prompt=SECRET))
    waits = await gallery.begun(Asked(user=BOB, thread_ts=picture.thread_ts, message_ts="1763640055.000000"))
    await store.hold(waits.id, plan("try_bob", 70, parent_id=picture.id), FREE, NOON)
    await forgotten(database, blobs, tmp_path)
    check_books(database._writer)
    nothing_held(database._writer)
    [left] = rows(database, "SELECT user_id, state, reason, parent_id, told_at FROM turns")
    assert left == (BOB, "ended", Reason.PICTURE_GONE, None, None)


async def test_a_button_of_others_loses_the_words_and_their_own_requests_do_not(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    picture = await gallery.picture(Asked(prompt=SECRET))
    thread = picture.thread_ts
    again = await gallery.picture(
        Asked(prompt=SECRET, user=BOB, thread_ts=thread, message_ts="1763640056.000000")
    )
    own = await gallery.picture(
        Asked(prompt="an owl", user=BOB, thread_ts=thread, message_ts="1763640057.000000")
    )
    database._writer.execute("UPDATE turns SET surface = 'button' WHERE id = ?", (again.turn_id,))
    await forgotten(database, blobs, tmp_path)
    assert found_in(tmp_path, [SECRET]).paths == []
    left = rows(database, "SELECT id, prompt FROM pictures ORDER BY version")
    assert left == [(again.id, ""), (own.id, "an owl")]
    assert [blobs.path_of(each.sha256, "png").exists() for each in (picture, again, own)] == [
        False,
        True,
        True,
    ]


async def test_bytes_that_somebody_else_has_too_stay(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    both = [await gallery.picture(Asked(user=user), b"the same") for user in (ALICE, BOB)]
    await forgotten(database, BlobStore(tmp_path / PICTURES_NAME), tmp_path)
    assert blobs.path_of(both[0].sha256, "png").exists()
    await forgotten(database, BlobStore(tmp_path / PICTURES_NAME), tmp_path, BOB)
    assert not blobs.path_of(both[0].sha256, "png").exists()


async def test_what_opens_a_thread_of_others_is_rewritten_and_everything_else_is_deleted(
    gallery: Gallery, tmp_path: Path
) -> None:
    alone, together = await gallery.picture(), await gallery.picture()
    await gallery.picture(Asked(user=BOB, thread_ts=together.thread_ts, message_ts="1763640058.000000"))
    traces = known(tmp_path)[1].traces
    assert Trace(Recall.MESSAGE, DESIGN, alone.thread_ts) in traces
    assert Trace(Recall.PLACEHOLDER, DESIGN, together.thread_ts) in traces
    assert {each.ref for each in traces if each.kind is Recall.FILE} == {f"F_{alone.id}", f"F_{together.id}"}
    stored = [each for each in traces if each.kind is Recall.RESPONSE]
    assert {(each.ref, each.provider) for each in stored} == {
        (str(alone.response_id), "openai"), (str(together.response_id), "openai")
    }  # fmt: skip


async def test_a_mention_of_them_in_what_others_wrote_becomes_somebody(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture()
    await gallery.picture(Asked(prompt=f"an owl for <@{ALICE}> by {ALICE}", user=BOB))
    await forgotten(database, blobs, tmp_path)
    [(prompt,)] = rows(database, "SELECT prompt FROM turns")
    assert str(prompt).startswith("an owl for @somebody by gone_")


async def test_who_only_took_part_in_a_thread_is_forgotten_too(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    picture = await gallery.picture()
    await gallery.store.join(TEAM, DESIGN, picture.thread_ts, BOB, NOON)
    assert known(tmp_path, BOB)[1].requests == 0
    await forgotten(database, blobs, tmp_path, BOB)
    assert look(tmp_path, BOB, None) == []
    assert found_in(tmp_path, [BOB]).paths == []


async def test_killed_between_the_rows_and_the_files_the_next_run_finishes_it(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    picture = await gallery.picture(Asked(prompt=SECRET))
    whom, _ = known(tmp_path)
    await database.write(lambda db: forget_person(db, whom, FREE, NOON))
    assert blobs.path_of(picture.sha256, "png").exists()
    assert found_in(tmp_path, [SECRET, ALICE]).paths != [], "the log and the free pages still have it"
    assert (await Forgetter(database, blobs).finish()).number == 1
    assert not blobs.path_of(picture.sha256, "png").exists()
    assert found_in(tmp_path, [SECRET, ALICE]).paths == []


async def test_a_reader_in_the_way_is_told_of_and_the_next_run_scrubs(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture(Asked(prompt=SECRET))
    whom, _ = known(tmp_path)
    with closing(connect_read_only(tmp_path / DATABASE_NAME)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM turns").fetchone()
        came = await Forgetter(database, blobs).forget(whom, FREE, NOON)
        assert came.unscrubbed == "somebody reads the database"
    assert look(tmp_path, ALICE, None) == []
    await Forgetter(database, blobs).finish()
    assert found_in(tmp_path, [SECRET, ALICE]).paths == []


@pytest.mark.parametrize(
    "change",
    [
        "charged_delta_nano_usd = 0, person_key = 'gone_1'",
        "held_at = '2020-01-01T00:00:00.000000Z', person_key = 'gone_1'",
        "flags = '[\"x\"]', person_key = 'gone_1'",
        "person_key = 'p_somebody_else'",
        "channel_id = 'C0ANOTHER1', person_key = 'gone_1'",
        "team_id = 'T0ANOTHER1', person_key = 'gone_1'",
        "channel_id = 'gone_1'",
    ],
)
async def test_the_journal_changes_in_nothing_but_whose_it_was(
    database: Database, gallery: Gallery, change: str
) -> None:
    await gallery.picture()
    with pytest.raises(sqlite3.IntegrityError, match="never edited"):
        database._writer.execute(f"UPDATE journal SET {change}")  # noqa: S608 -- from above
    with pytest.raises(sqlite3.IntegrityError, match="never shortened"):
        database._writer.execute("DELETE FROM journal")


@pytest.mark.parametrize(
    "change",
    ["after = NULL", "before = NULL", "after = '{}'", "action = 'gone_1'", "key = 'another'", "at = ''"],
)
async def test_what_admins_decided_changes_in_nothing_but_about_whom_it_was(
    database: Database, change: str
) -> None:
    database._writer.execute(
        """
        INSERT INTO admin_journal (at, team_id, key, person_key, action, subject, before, after)
        VALUES ('2026', ?, 'command:1', 'p_1', 'cap', 'person:p_2', '{"cap": 1}', '{"cap": 2}')
        """,
        (TEAM,),
    )
    with pytest.raises(sqlite3.IntegrityError, match="never edited"):
        database._writer.execute(f"UPDATE admin_journal SET {change}")  # noqa: S608 -- from above


async def test_money_in_a_direct_message_and_what_admins_decided_lead_nowhere(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    direct = "D0ALICE001"
    await gallery.picture(Asked(channel=direct))
    whom, _ = known(tmp_path)
    assert whom.channels == (direct,)
    mine, theirs = f"person:{whom.person_key}", f"channel:{TEAM}:{direct}"
    for scope in (mine, theirs, f"channel:{TEAM}:{DESIGN}"):
        database._writer.execute("INSERT INTO caps VALUES (?, ?, 1000, 'month')", (TEAM, scope))
        database._writer.execute(
            "INSERT INTO standing VALUES (?, ?, 'exempt', ?)", (TEAM, scope, to_text(NOON))
        )
        database._writer.execute("INSERT INTO access_rules VALUES (?, ?, 'model', '*', 1)", (TEAM, scope))
    await forgotten(database, blobs, tmp_path)
    assert found_in(tmp_path, whom.ids).paths == []
    check_books(database._writer)
    for table, column in (("caps", "scope"), ("standing", "subject"), ("access_rules", "scope")):
        left = rows(database, f"SELECT {column} FROM {table}")  # noqa: S608 -- names from above
        assert left == [(f"channel:{TEAM}:{DESIGN}",)]
    assert rows(database, "SELECT DISTINCT budget FROM counters") == [(f"workspace:{TEAM}",)]
    [entry] = rows(
        database, "SELECT DISTINCT substr(person_key, 1, 5), substr(channel_id, 1, 5) FROM journal"
    )
    assert entry == (GONE, GONE)


async def test_a_press_of_others_is_not_told_apart_by_a_picture_that_is_gone(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    picture = await gallery.picture()
    key = f"button:{picture.thread_ts}:picture_again:{picture.id}"
    again = await gallery.picture(Asked(user=BOB, key=key))
    await forgotten(database, blobs, tmp_path)
    assert rows(database, "SELECT key FROM turns") == [(f"{GONE}{again.turn_id}",)]


async def test_somebody_who_comes_back_is_new(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture()
    before, _ = known(tmp_path)
    await forgotten(database, blobs, tmp_path)
    await gallery.picture()
    after, now = known(tmp_path)
    assert after.person_key != before.person_key
    assert now.charged_nano_usd == 50
