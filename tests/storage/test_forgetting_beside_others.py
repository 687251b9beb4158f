"""What is somebody else's stays theirs when a person is forgotten, however alike the two are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.spending.changes import Author, Correct
from darkroom.turns.copies import VARIATION
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.forgetting import Known, Whom
from storage.admin import SqliteAdminBooks
from storage.blobs import BlobStore
from storage.database import Database
from storage.forget_finding import pattern_of
from storage.forgetter import Forgetter, found_in, longer_than, look
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, NOON, TEAM, plan
from tests.storage.books import check_books, nothing_held
from tests.storage.gallery import FREE, Asked, Gallery

SECRET = "the unannounced kettle of Acme"
ALSO = f"{ALICE}22"
"""Somebody whose id begins as Alice's does: Slack's ids have 9 characters, or 11."""
OTHER = "T0OTHER001"


def known(folder: Path, user: str | None = ALICE, team: str = TEAM) -> tuple[Whom, Known]:
    [found] = look(folder, user, team)
    return found


async def forget(database: Database, blobs: BlobStore, folder: Path, user: str | None = ALICE) -> None:
    await Forgetter(database, blobs).forget(known(folder, user)[0], FREE, NOON)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in database._writer.execute(query)]


async def test_somebody_whose_id_begins_alike_keeps_everything(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture()
    await gallery.picture(Asked(user=ALSO, channel="D0ALICE00111"))
    await gallery.picture(Asked(channel="D0ALICE001"))
    await gallery.picture(Asked(prompt=f"an owl for <@{ALSO}>, not @{ALICE}", user=BOB))
    before = known(tmp_path, ALSO)
    await forget(database, blobs, tmp_path)
    check_books(database._writer)
    assert known(tmp_path, ALSO) == before
    [(prompt,)] = rows(database, "SELECT prompt FROM turns WHERE prompt LIKE 'an owl%'")
    assert str(prompt).startswith(f"an owl for <@{ALSO}>, not @somebody")
    _only_longer_ones(database, tmp_path, [ALICE, "D0ALICE001"])


async def test_a_workspace_whose_id_begins_alike_keeps_everything(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture()
    _as_of(database, f"{TEAM}9")
    await gallery.picture()
    before = known(tmp_path, ALICE, f"{TEAM}9")
    await forget(database, blobs, tmp_path, None)
    check_books(database._writer)
    assert known(tmp_path, ALICE, f"{TEAM}9") == before
    _only_longer_ones(database, tmp_path, [TEAM])


async def test_the_same_person_in_another_workspace_is_not_forgotten_there(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    """In an organisation of several workspaces a person has one id."""
    await gallery.picture()
    _as_of(database, OTHER)
    await gallery.picture()
    before = known(tmp_path, ALICE, OTHER)
    await forget(database, blobs, tmp_path)
    check_books(database._writer)
    assert known(tmp_path, ALICE, OTHER) == before
    assert look(tmp_path, ALICE, TEAM) == []


async def test_words_of_others_stay_where_a_short_prompt_stands_in_them(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    await gallery.picture(Asked(prompt="a cat"))
    for surface in ("modal", "button", "shortcut"):
        own = await gallery.picture(Asked(prompt="a cathedral at dawn", user=BOB))
        database._writer.execute("UPDATE turns SET surface = ? WHERE id = ?", (surface, own.turn_id))
    await forget(database, blobs, tmp_path)
    assert (
        rows(database, "SELECT prompt FROM turns UNION ALL SELECT prompt FROM pictures")
        == [("a cathedral at dawn",)] * 6
    )


async def test_what_others_pressed_on_their_own_keeps_the_words_that_it_shares(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    alices = await gallery.picture(Asked(prompt="a cat"))
    own = await gallery.picture(Asked(prompt="a cat", user=BOB))
    again = await _again(database, gallery, own.id, "a cat")
    varied = await _again(database, gallery, alices.id, f"{VARIATION}a cat")
    twice = await _again(database, gallery, varied, f"{VARIATION}a cat")
    await forget(database, blobs, tmp_path)
    left = {str(id_): prompt for id_, prompt in rows(database, "SELECT id, prompt FROM pictures")}
    assert left == {own.id: "a cat", again: "a cat", varied: "", twice: ""}


async def _again(database: Database, gallery: Gallery, picture_id: str, prompt: str) -> str:
    """Bob's picture by a button below *picture_id*."""
    key = f"button:1763640099.000001:picture_again:{picture_id}"
    made = await gallery.picture(Asked(prompt=prompt, user=BOB, key=key))
    database._writer.execute("UPDATE turns SET surface = 'button' WHERE id = ?", (made.turn_id,))
    return made.id


async def test_files_that_others_added_stay_when_the_words_go(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    theirs = await gallery.begun(Asked(prompt=SECRET))
    await gallery.bring(theirs, "of Alice")
    bobs = await gallery.begun(Asked(prompt=f"{SECRET}, in blue", user=BOB))
    await gallery.bring(bobs, "of Alice", "of Bob")
    await gallery.end(bobs, [await gallery.render(bobs)])
    database._writer.execute("UPDATE turns SET surface = 'modal' WHERE id = ?", (bobs.id,))
    await forget(database, blobs, tmp_path)
    assert rows(database, "SELECT name FROM inputs") == [("of Bob",)]
    assert rows(database, "SELECT prompt FROM turns") == [("",)]


async def test_what_others_wait_for_in_words_that_are_gone_is_not_made_of_nothing(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    store = SqliteTurnStore(database)
    picture = await gallery.picture(Asked(prompt=SECRET))
    key = f"button:1763640099.000001:picture_again:{picture.id}"
    waits = await gallery.begun(Asked(prompt=SECRET, user=BOB, key=key))
    database._writer.execute("UPDATE turns SET surface = 'button' WHERE id = ?", (waits.id,))
    await store.hold(waits.id, plan("try_bob", 70), FREE, NOON)
    await forget(database, blobs, tmp_path)
    check_books(database._writer)
    nothing_held(database._writer)
    [left] = rows(database, "SELECT user_id, state, reason, prompt FROM turns")
    assert left == (BOB, "ended", Reason.PICTURE_GONE, "")


async def test_what_others_had_sent_is_told_as_what_it_may_have_cost_and_what_was_made_is_theirs(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    store = SqliteTurnStore(database)
    picture = await gallery.picture(Asked(prompt=SECRET))
    asked = Asked(prompt=SECRET, user=BOB, key=f"button:1763640099.000001:picture_again:{picture.id}")
    both = [await gallery.begun(asked, 2)]
    both.append(await gallery.begun(replace(asked, key=f"{asked.key}:again"), 2))
    database._writer.execute("UPDATE turns SET surface = 'button' WHERE user_id = ?", (BOB,))
    made = await gallery.render(both[0])
    await store.hold(both[0].id, plan("try_waits", 70), FREE, NOON)
    await store.hold(both[1].id, plan("try_sent", 70), FREE, NOON)
    await store.send("try_sent", NOON)
    await forget(database, blobs, tmp_path)
    check_books(database._writer)
    nothing_held(database._writer)
    assert rows(database, "SELECT id, prompt FROM pictures") == [(made.id, "")]
    left = rows(database, "SELECT outcome, reason, details FROM turns ORDER BY created_at, id")
    rest = {"wanted": 2, "made": 1, "rest": Reason.PICTURE_GONE}
    assert left == [
        (Outcome.PICTURES, Reason.PICTURES, json.dumps(rest)),
        (Outcome.UNCERTAIN, Reason.UNCERTAIN, json.dumps({"held_nano_usd": 70})),
    ]


async def test_what_the_model_said_of_a_change_loses_the_words_that_it_repeats(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    picture = await gallery.picture(Asked(prompt=SECRET))
    thread = picture.thread_ts
    changed = Asked(
        prompt="at night", user=BOB, thread_ts=thread, message_ts="1763640056.000000",
        parent_id=picture.id, revised=f"{SECRET}, at night",
    )  # fmt: skip
    made = await gallery.picture(changed)
    unlike = Asked(prompt="an owl", user=BOB, revised="an owl by night")
    other = await gallery.picture(unlike)
    await forget(database, blobs, tmp_path)
    assert found_in(tmp_path, [SECRET]).paths == []
    left = rows(database, "SELECT id, prompt, revised_prompt FROM pictures ORDER BY id")
    assert sorted(left) == sorted([(made.id, "at night", None), (other.id, "an owl", "an owl by night")])


async def test_a_direct_message_that_only_the_books_remember_leads_nowhere(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    """The request itself may have been deleted by its age."""
    direct = "D0ALICE001"
    picture = await gallery.picture(Asked(channel=direct))
    await gallery.picture()
    for table, column in (("pictures", "turn_id"), ("turns", "id")):
        if table == "turns":
            database._writer.execute(
                "UPDATE attempts SET turn_id = NULL WHERE turn_id = ?", (picture.turn_id,)
            )
        database._writer.execute(f"DELETE FROM {table} WHERE {column} = ?", (picture.turn_id,))  # noqa: S608 -- names from above
    assert known(tmp_path)[0].channels == (direct,)
    await forget(database, blobs, tmp_path)
    check_books(database._writer)
    assert found_in(tmp_path, [direct]).paths == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO alert_posts (alert_id, recipient, claimed_at) VALUES (1, :user, :at)",
        "UPDATE turns SET prompt = 'an owl for <@' || :user || '>'",
        "UPDATE alerts SET details = json_object('user_id', :user)",
        "INSERT INTO erasures (kind, team_id, channel_id, ref, picture_id, by_user_id, created_at) "
        "SELECT 'file', team_id, '', 'F1', id, :user, :at FROM pictures",
    ],
)
async def test_who_is_named_in_one_place_only_is_found_there(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path, statement: str
) -> None:
    admin = "U0ADMIN001"
    await gallery.picture()
    database._writer.execute(
        """
        INSERT INTO alerts (key, team_id, kind, audience, details, raised_at)
        VALUES ('k', ?, 'quota', 'admins', '{}', ?)
        """,
        (TEAM, "2026-11-20T12:00:00.000000Z"),
    )
    database._writer.execute(statement, {"user": admin, "at": "2026-11-20T12:00:00.000000Z"})
    await forget(database, blobs, tmp_path, admin)
    assert found_in(tmp_path, [admin]).paths == []
    assert look(tmp_path, admin, None) == []
    assert known(tmp_path)[1].pictures == 1


def test_thousands_of_ids_are_looked_for_in_one_pass(tmp_path: Path) -> None:
    ids = [f"U{number:08}" for number in range(10_000)]
    for number, text in enumerate((b"UU00004711x", b"U000047", b"TU00004711", b"\x00U00009999")):
        (tmp_path / str(number)).write_bytes(text)
    assert [path.name for path in found_in(tmp_path, ids).paths] == ["0", "2", "3"]


def _only_longer_ones(database: Database, folder: Path, ids: list[str]) -> None:
    others = longer_than(database._writer, ids)
    assert others
    assert found_in(folder, ids).paths != []
    assert found_in(folder, ids, others).paths == []


def _as_of(database: Database, team_id: str) -> None:
    """All that is there was asked for in another workspace."""
    db = database._writer
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("DROP TRIGGER IF EXISTS journal_is_never_edited")
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if db.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = 'team_id'", (table,)).fetchone():
            db.execute(f"UPDATE {table} SET team_id = ? WHERE team_id = ?", (team_id, TEAM))  # noqa: S608 -- names of the schema
    db.execute("UPDATE counters SET budget = replace(budget, ?, ?)", (TEAM, team_id))
    db.execute("PRAGMA foreign_keys = ON")


async def test_an_uncertain_charge_of_somebody_gone_is_still_listed_and_decided(
    database: Database, blobs: BlobStore, gallery: Gallery, tmp_path: Path
) -> None:
    store, admin = SqliteTurnStore(database), SqliteAdminBooks(database)
    turn = await gallery.begun()
    await store.hold(turn.id, plan("try_sent", 70), FREE, NOON)
    await store.send("try_sent", NOON)
    await forget(database, blobs, tmp_path)
    [charge] = await admin.uncertain(TEAM, 10)
    await admin.change(Correct(charge.number, 30), Author(TEAM, BOB, "command:1"), FREE, NOON)
    check_books(database._writer)
    assert await admin.uncertain(TEAM, 10) == []
    [(charged,)] = rows(database, "SELECT SUM(charged_delta_nano_usd) FROM journal")
    assert charged == 30


def test_a_name_is_not_found_in_a_longer_one_of_its_kind() -> None:
    assert pattern_of("p_2").search("person:p_2a62") is None
    assert pattern_of("p_2").search("person:p_2") is not None
    assert pattern_of("U0ALICE001").search("U0ALICE00122") is None
    assert pattern_of("U0ALICE001").search("<@U0ALICE001> asked") is not None
