"""Forgetting one person, in SQL. All of it runs inside the caller's transaction.

The books keep what was charged, held and made, under a key that leads nowhere; everything else of the person
goes, and whatever else names them anywhere loses the name.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from darkroom.spending.budgets import Caps
from darkroom.spending.policy import channel_budget, person_budget
from darkroom.turns.forgetting import GONE, Whom
from storage.forget_closing import close_calls, close_those_built_on
from storage.forget_finding import are_named, begin, pattern_of, text_columns
from storage.forget_words import find_lost, take_words, words_of_gone
from storage.scrubbing import to_be_scrubbed

Files = set[tuple[str, str]]
"""Picture files that somebody has had: SHA-256 and format."""


def new_key() -> str:
    """A key that leads nowhere: 80 random bits."""
    return f"{GONE}{secrets.token_hex(10)}"


def forget_person(db: sqlite3.Connection, whom: Whom, caps: Caps, at: datetime) -> Files:
    """Forget a person; gives the files that may not be needed any more."""
    begin(db, whom)
    words = words_of_gone(db)
    find_lost(db, whom, words)
    close_calls(db, caps, at)
    close_those_built_on(db, caps, at)
    take_words(db, whom, words)
    files = remove_rows(db)
    _cut(db, whom)
    _remove_what_they_said(db, whom)
    remove_turns(db)
    _remove_threads(db, whom)
    renamed = {whom.person_key: new_key()} if whom.person_key else {}
    renamed |= {channel: new_key() for channel in whom.channels}
    _rename_in_books(db, whom, renamed)
    db.execute("DELETE FROM preferences WHERE person_key = ?", (whom.person_key,))
    db.execute("DELETE FROM people WHERE person_key = ?", (whom.person_key,))
    mentioned = {f"<@{whom.user_id}>": "@somebody", f"@{whom.user_id}": "@somebody"}
    names = {**mentioned, whom.user_id: new_key(), **renamed}
    overwrite(db, names, whom.team_id)
    to_be_scrubbed(db)
    return files


def remove_rows(db: sqlite3.Connection) -> Files:
    """What hangs on ``gone_turns`` and ``gone_pictures`` goes; gives the files of those."""
    rows = db.execute(
        """
        SELECT sha256, format FROM pictures WHERE id IN gone_pictures
        UNION SELECT sha256, format FROM inputs WHERE turn_id IN gone_turns
        """
    )
    files = {(row[0], row[1]) for row in rows}
    for statement in (
        "DELETE FROM inputs WHERE turn_id IN gone_turns",
        "DELETE FROM choices WHERE picture_id IN gone_pictures",
        "DELETE FROM feedback WHERE picture_id IN gone_pictures",
        "DELETE FROM shares WHERE picture_id IN gone_pictures",
        "DELETE FROM erasures WHERE picture_id IN gone_pictures",
        """
        DELETE FROM money_request_posts WHERE request_id IN
            (SELECT id FROM money_requests WHERE turn_id IN gone_turns)
        """,
        "DELETE FROM money_requests WHERE turn_id IN gone_turns",
    ):
        db.execute(statement)
    return files


def remove_turns(db: sqlite3.Connection) -> None:
    """The turns and pictures themselves; their calls stay, as money. Nothing may hang on them any more."""
    db.execute(
        """
        UPDATE attempts SET turn_id = NULL, parent_id = NULL, response_id = NULL WHERE turn_id IN gone_turns
        """
    )
    db.execute("DELETE FROM pictures WHERE id IN gone_pictures")
    db.execute("DELETE FROM turns WHERE id IN gone_turns")


def _cut(db: sqlite3.Connection, whom: Whom) -> None:
    """What others made from pictures of this person leads to these no more."""
    _rename_keys(db, whom)
    for table, column, gone in (
        ("turns", "parent_id", "gone_pictures"),
        ("turns", "chosen_id", "gone_pictures"),
        ("turns", "inputs_from", "gone_turns"),
        ("pictures", "parent_id", "gone_pictures"),
        ("attempts", "parent_id", "gone_pictures"),
    ):
        db.execute(f"UPDATE {table} SET {column} = NULL WHERE {column} IN {gone}")


def _rename_keys(db: sqlite3.Connection, whom: Whom) -> None:
    """What others asked for by a button is told apart by the message and the picture that it stood under."""
    named = {
        row[0]
        for row in db.execute(
            """
            SELECT id FROM gone_turns UNION SELECT id FROM gone_pictures
            UNION SELECT message_ts FROM turns WHERE id IN gone_turns AND message_ts IS NOT NULL
            UNION SELECT placeholder_ts FROM turns WHERE id IN gone_turns AND placeholder_ts IS NOT NULL
            """
        )
    }
    for table in ("turns", "shares"):
        rows = db.execute(
            f"SELECT id, key FROM {table} WHERE team_id = ? AND instr(key, ':')", (whom.team_id,)
        ).fetchall()
        keys = [(f"{GONE}{row['id']}", row["id"]) for row in rows if named & set(row["key"].split(":"))]
        db.executemany(f"UPDATE {table} SET key = ? WHERE id = ?", keys)


def _remove_what_they_said(db: sqlite3.Connection, whom: Whom) -> None:
    """What this person did to the pictures of others, and what we told them or about them."""
    one = {"team": whom.team_id, "user": whom.user_id, "key": whom.person_key}
    for statement in (
        "DELETE FROM feedback WHERE person_key = :key",
        "DELETE FROM shares WHERE team_id = :team AND user_id = :user",
        """
        DELETE FROM money_request_posts WHERE request_id IN (SELECT id FROM money_requests
            WHERE person_key = :key OR (team_id = :team AND recipient = :user))
        """,
        "DELETE FROM money_requests WHERE person_key = :key",
        """
        UPDATE erasures SET by_user_id = (SELECT user_id FROM pictures WHERE pictures.id = picture_id)
        WHERE team_id = :team AND by_user_id = :user
        """,
        """
        DELETE FROM alert_posts WHERE alert_id IN (SELECT id FROM alerts WHERE team_id = :team
            AND (person_key = :key OR details ->> 'user_id' = :user OR details ->> 'turn_id' IN gone_turns))
        """,
        """
        DELETE FROM alerts WHERE team_id = :team
            AND (person_key = :key OR details ->> 'user_id' = :user OR details ->> 'turn_id' IN gone_turns)
        """,
        "UPDATE heartbeat SET stuck = '[]'",
    ):
        db.execute(statement, one)


def _remove_threads(db: sqlite3.Connection, whom: Whom) -> None:
    """This person is in no thread; one in which nothing of anybody is left is none."""
    db.execute("DELETE FROM thread_people WHERE team_id = ? AND user_id = ?", (whom.team_id, whom.user_id))
    empty = """
        team_id = :team AND (channel_id IN (SELECT value FROM json_each(:direct)) OR NOT EXISTS (
            SELECT 1 FROM turns WHERE turns.team_id = {0}.team_id AND turns.channel_id = {0}.channel_id
                AND turns.thread_ts = {0}.thread_ts
            UNION ALL SELECT 1 FROM shares WHERE shares.team_id = {0}.team_id
                AND shares.channel_id = {0}.channel_id AND message_ts = {0}.thread_ts))
    """
    one = {"team": whom.team_id, "direct": json.dumps(whom.channels)}
    for table in ("thread_people", "choices", "threads"):
        db.execute(f"DELETE FROM {table} WHERE {empty.format(table)}", one)


def _rename_in_books(db: sqlite3.Connection, whom: Whom, renamed: Mapping[str, str]) -> None:
    """Whose the money was leads nowhere; what admins have decided about them alone goes."""
    for old, new in renamed.items():
        of_person = old == whom.person_key
        budget = person_budget(old) if of_person else channel_budget(whom.team_id, old)
        nobodys = person_budget(new) if of_person else channel_budget(whom.team_id, new)
        one = {"team": whom.team_id, "old": old, "new": new, "budget": budget, "nobodys": nobodys}
        column = "person_key" if of_person else "channel_id"
        for statement in (
            f"UPDATE attempts SET {column} = :new WHERE team_id = :team AND {column} = :old",
            # A counter is made from the journal when it is needed: nobody needs theirs.
            "DELETE FROM counters WHERE budget = :budget",
            "DELETE FROM caps WHERE team_id = :team AND scope = :budget",
            "DELETE FROM standing WHERE team_id = :team AND subject = :budget",
            "DELETE FROM access_rules WHERE team_id = :team AND scope = :budget",
            "UPDATE grants SET budget = :nobodys WHERE budget = :budget",
        ):
            db.execute(statement, one)
    _rename_in_journal(db, whom, renamed)
    if whom.person_key:
        nobody = {"old": whom.person_key, "new": renamed[whom.person_key], "team": whom.team_id}
        db.execute("UPDATE money_requests SET answered_by = :new WHERE answered_by = :old", nobody)
        db.execute(
            f"""
            UPDATE admin_journal SET person_key = :new, key = '{GONE}' || id
            WHERE team_id = :team AND person_key = :old
            """,
            nobody,
        )


def _rename_in_journal(db: sqlite3.Connection, whom: Whom, renamed: Mapping[str, str]) -> None:
    """In one step, because only what is nobody's may change there."""
    if not whom.person_key:
        return
    db.execute(
        """
        UPDATE journal SET person_key = :nobody, channel_id = COALESCE(:names ->> channel_id, channel_id)
        WHERE team_id = :team AND person_key = :key
        """,
        {
            "nobody": renamed[whom.person_key],
            "key": whom.person_key,
            "team": whom.team_id,
            "names": json.dumps({channel: renamed[channel] for channel in whom.channels}),
        },
    )


def overwrite(db: sqlite3.Connection, names: Mapping[str, str], team_id: str | None = None) -> None:
    """Put other words in place of *names*, in every column of text that there is, whatever table it is in:
    also in what others have said, and in tables of a later version than this. With *team_id* not in what is
    of another workspace: in an organisation a person has one id in all of them."""
    patterns = [(pattern_of(name), instead) for name, instead in names.items()]

    def renamed(text: str | None) -> str | None:
        for pattern, instead in patterns if text else ():
            text = pattern.sub(instead, text or "")
        return text

    db.create_function("renamed", 1, renamed, deterministic=True)
    are_named(db, list(names))
    for table, columns in text_columns(db).items():
        where = "AND team_id = :team" if team_id is not None and "team_id" in columns else ""
        values = ", ".join(f'"{column}" = renamed("{column}")' for column in columns)
        which = ", ".join(f'"{column}"' for column in columns)
        db.execute(f'UPDATE "{table}" SET {values} WHERE named({which}) {where}', {"team": team_id})
