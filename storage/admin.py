"""What admins change and look up: ``darkroom.spending.changes.AdminBooks``."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from darkroom.spending.budgets import Caps
from darkroom.spending.changes import (
    AnswerRequest,
    Author,
    CannotChange,
    Change,
    Changed,
    Correct,
    Entry,
    GrantNote,
    Names,
    RevokeGrant,
    UncertainCharge,
)
from darkroom.spending.policy import Policy
from storage.database import Database
from storage.decisions import Decided, Moment, decide
from storage.grants import grant_from
from storage.people import person_key
from storage.policy import Policies, load_policy
from storage.times import from_text, to_text

_ENTRIES = """
    SELECT admin_journal.*, author.user_id AS author_id, about.user_id AS about_id
    FROM admin_journal
        LEFT JOIN people AS author ON author.person_key = admin_journal.person_key
        LEFT JOIN people AS about ON about.person_key = substr(admin_journal.subject, 8)
            AND admin_journal.subject LIKE 'person:%'
"""


class SqliteAdminBooks:
    """``AdminBooks`` on a ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies = Policies()

    async def change(self, change: Change, by: Author, caps: Caps, at: datetime) -> Changed:
        """See ``AdminBooks.change``."""
        return await self._database.write(lambda db: _change(db, change, by, caps, at))

    async def policy(self, team_id: str) -> tuple[Policy, Names]:
        """See ``AdminBooks.policy``."""

        def work(db: sqlite3.Connection) -> tuple[Policy, Names]:
            policy = self._policies.of(db, team_id)
            scopes = {*policy.caps, *policy.pilots, *(rule.scope for rule in policy.access)}
            keys = {scope.removeprefix("person:") for scope in scopes if scope.startswith("person:")}
            return policy, Names(_people(db, keys | policy.blocked | policy.exempt))

        return await self._database.look(work)

    async def grants(self, team_id: str, at: datetime) -> list[GrantNote]:
        """See ``AdminBooks.grants``."""

        def work(db: sqlite3.Connection) -> list[GrantNote]:
            rows = db.execute(
                """
                SELECT * FROM grants WHERE team_id = ? AND ends_at > ? AND revoked_at IS NULL ORDER BY id
                """,
                (team_id, to_text(at)),
            ).fetchall()
            people = _people(db, {row["budget"].removeprefix("person:") for row in rows})
            return [
                GrantNote(
                    grant_from(row),
                    people.get(row["budget"].removeprefix("person:"), ""),
                    _channel_of(row["budget"]),
                )
                for row in rows
            ]

        return await self._database.look(work)

    async def history(self, team_id: str, limit: int) -> list[Entry]:
        """See ``AdminBooks.history``."""

        def work(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(
                f"{_ENTRIES} WHERE admin_journal.team_id = ? ORDER BY admin_journal.id DESC LIMIT ?",
                (team_id, limit),
            )
            return [_entry_from(row) for row in rows]

        return await self._database.look(work)

    async def uncertain(self, team_id: str, limit: int) -> list[UncertainCharge]:
        """See ``AdminBooks.uncertain``."""

        def work(db: sqlite3.Connection) -> list[UncertainCharge]:
            rows = db.execute(
                """
                SELECT journal.id, journal.attempt_id, attempts.turn_id,
                    COALESCE(people.user_id, '') AS user_id, journal.channel_id,
                    journal.held_at, journal.image_model, attempts.response_id,
                    journal.charged_delta_nano_usd AS charged
                FROM journal JOIN attempts ON attempts.id = journal.attempt_id
                    LEFT JOIN people ON people.person_key = journal.person_key
                WHERE journal.team_id = ? AND journal.kind = 'uncertain' AND NOT EXISTS (
                    SELECT 1 FROM journal AS later
                    WHERE later.attempt_id = journal.attempt_id AND later.kind = 'correction')
                ORDER BY journal.id LIMIT ?
                """,
                (team_id, limit),
            )
            return [
                UncertainCharge(
                    number=row["id"],
                    attempt_id=row["attempt_id"],
                    turn_id=row["turn_id"] or "",
                    user_id=row["user_id"],
                    channel_id=row["channel_id"],
                    held_at=from_text(row["held_at"]),
                    image_model=row["image_model"],
                    response_id=row["response_id"],
                    charged_nano_usd=row["charged"],
                )
                for row in rows
            ]

        return await self._database.look(work)


def _change(db: sqlite3.Connection, change: Change, by: Author, caps: Caps, at: datetime) -> Changed:
    first = _entry(db, by)
    if first is not None:
        return Changed(first, repeat=True)
    author = person_key(db, by.team_id, by.user_id, at)
    try:
        decided: Decided = decide(
            db, change, Moment(by.team_id, author, load_policy(db, by.team_id), caps, at)
        )
    except CannotChange as problem:
        raise CannotChange(problem.reason, _settled_before(db, by.team_id, change, problem.reason)) from None
    db.execute(
        """
        INSERT INTO admin_journal (at, team_id, key, person_key, action, subject, before, after)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            to_text(at),
            by.team_id,
            by.key,
            author,
            decided.action,
            decided.subject,
            None if decided.before is None else json.dumps(decided.before),
            None if decided.after is None else json.dumps(decided.after),
        ),
    )
    written = _entry(db, by)
    if written is None:
        raise RuntimeError("the journal of admin changes took no entry")
    return Changed(written)


def _settled_before(db: sqlite3.Connection, team_id: str, change: Change, reason: str) -> Entry | None:
    """What has already done what *change* asks for, or None if nothing has."""
    match change, reason:
        case RevokeGrant(number), "grant_revoked":
            which, value = "action = 'revoke' AND json_extract(before, '$.number') = ?", number
        case Correct(number), "already_corrected":
            which, value = "action = 'uncertain' AND json_extract(before, '$.number') = ?", number
        case AnswerRequest(number), "already_answered":
            which, value = "action IN ('grant', 'refuse') AND json_extract(after, '$.request') = ?", number
        case _:
            return None
    row = db.execute(f"{_ENTRIES} WHERE admin_journal.team_id = ? AND {which}", (team_id, value)).fetchone()
    return None if row is None else _entry_from(row)


def _entry(db: sqlite3.Connection, by: Author) -> Entry | None:
    row = db.execute(
        f"{_ENTRIES} WHERE admin_journal.team_id = ? AND admin_journal.key = ?", (by.team_id, by.key)
    ).fetchone()
    return None if row is None else _entry_from(row)


def _entry_from(row: sqlite3.Row) -> Entry:
    return Entry(
        number=row["id"],
        at=from_text(row["at"]),
        user_id=row["author_id"] or "",
        action=row["action"],
        subject=row["subject"],
        subject_id=row["about_id"] or _channel_of(row["subject"]),
        before=None if row["before"] is None else json.loads(row["before"]),
        after=None if row["after"] is None else json.loads(row["after"]),
    )


def _channel_of(scope: str) -> str:
    """Slack's id in the key of a channel's budget; empty for every other scope."""
    return scope.rpartition(":")[2] if scope.startswith("channel:") else ""


def _people(db: sqlite3.Connection, keys: set[str] | frozenset[str]) -> dict[str, str]:
    """Slack's ids by opaque key, for those that are known."""
    rows = db.execute(
        "SELECT person_key, user_id FROM people WHERE person_key IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(keys)),),
    )
    return {row["person_key"]: row["user_id"] for row in rows}
