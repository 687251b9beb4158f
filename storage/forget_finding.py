"""Who is to be forgotten, and what is known of them. All of it runs inside the caller's transaction.

``begin`` writes two temporary tables that the rest reads: ``gone_turns`` and ``gone_pictures``.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import Known, Trace, Whom
from storage.people import known_person_key

_DIRECT = "D"
"""How the ids of Slack's direct messages begin."""
_TEAM_OF = {
    "alert_posts": "alert_posts JOIN alerts ON alerts.id = alert_id",
    "money_request_posts": "money_request_posts JOIN money_requests ON money_requests.id = request_id",
    "inputs": "inputs JOIN turns ON turns.id = turn_id",
}
"""Of tables that do not say themselves whose workspace it is."""


def teams_of(db: sqlite3.Connection) -> list[str]:
    """The workspaces that the books know."""
    tables = ("people", "turns", "threads", "journal", "workspaces", "caps", "admin_journal", "alerts")
    union = " UNION ".join(f"SELECT team_id FROM {table} WHERE team_id NOT GLOB 'gone_*'" for table in tables)
    return [row[0] for row in db.execute(f"{union} ORDER BY 1")]


def teams_naming(db: sqlite3.Connection, user_id: str) -> list[str]:
    """The workspaces in which a person has left anything, or is named by anybody."""
    are_named(db, [user_id])
    found: set[str] = set()
    for table, columns in text_columns(db).items():
        source = _TEAM_OF.get(table, table if "team_id" in columns else None)
        if source is not None:
            which = ", ".join(f'"{table}"."{column}"' for column in columns)
            found.update(row[0] for row in db.execute(f"SELECT team_id FROM {source} WHERE named({which})"))
    return sorted(found)


def are_named(db: sqlite3.Connection, names: Sequence[str]) -> None:
    """Let *db* have a function ``named`` that says whether one of *names* stands in one of several texts:
    one pass through a table does for all of its columns."""
    patterns = {name: pattern_of(name) for name in names}

    def named(*texts: str | None) -> bool:
        row = "\n".join(filter(None, texts))
        # Nearly always it is not there, and this says so ten times as fast.
        return any(name in row and pattern.search(row) is not None for name, pattern in patterns.items())

    db.create_function("named", -1, named, deterministic=True)


def text_columns(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Of each table that somebody's name may stand in, the columns of text."""
    rows = db.execute(
        """
        SELECT tables.name AS name, columns.name AS text_column
        FROM main.sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT GLOB 'sqlite_*' AND columns.type = 'TEXT'
        """
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row["text_column"])
    return found


def pattern_of(name: str) -> re.Pattern[str]:
    """*name* where it is not a part of another's: Slack's ids are of several lengths."""
    # Our own keys are in small letters, Slack's ids are not: small letters may stand right beside those.
    more = "a-z" if any(letter.islower() for letter in name) else ""
    before = f"(?<![A-Z0-9{more}])" if name[0].isalnum() else ""
    after = f"(?![A-Z0-9{more}])" if name[-1].isalnum() else ""
    return re.compile(f"{before}{re.escape(name)}{after}")


def person(db: sqlite3.Connection, team_id: str, user_id: str) -> Whom:
    """The person of that id."""
    key = known_person_key(db, team_id, user_id) or ""
    rows = db.execute(
        """
        SELECT dm_channel_id FROM people WHERE team_id = :team AND user_id = :user
        UNION SELECT channel_id FROM turns WHERE team_id = :team AND user_id = :user
        UNION SELECT asked_channel_id FROM turns WHERE team_id = :team AND user_id = :user
        UNION SELECT channel_id FROM shares WHERE team_id = :team AND user_id = :user
        UNION SELECT alert_posts.channel_id FROM alert_posts JOIN alerts ON alerts.id = alert_id
            WHERE team_id = :team AND recipient = :user
        UNION SELECT posts.channel_id FROM money_request_posts AS posts
            JOIN money_requests ON money_requests.id = request_id WHERE team_id = :team AND recipient = :user
        -- The request itself may have gone by its age.
        UNION SELECT channel_id FROM journal WHERE team_id = :team AND person_key = :key
        ORDER BY 1
        """,
        {"team": team_id, "user": user_id, "key": key},
    )
    direct = tuple(row[0] for row in rows if row[0] is not None and row[0].startswith(_DIRECT))
    return Whom(team_id, user_id, key, direct)


def begin(db: sqlite3.Connection, whom: Whom) -> None:
    """Which turns and pictures are theirs, as two temporary tables."""
    for table in ("gone_turns", "gone_pictures"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")
        db.execute(f"CREATE TEMP TABLE {table} (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID")
    db.execute(
        """
        INSERT INTO gone_turns SELECT id FROM turns
        WHERE team_id = :team AND (:user = '' OR user_id = :user)
        """,
        {"team": whom.team_id, "user": whom.user_id},
    )
    db.execute(
        """
        INSERT INTO gone_pictures SELECT id FROM pictures
        WHERE turn_id IN gone_turns OR (team_id = :team AND (:user = '' OR user_id = :user))
        """,
        {"team": whom.team_id, "user": whom.user_id},
    )


def known(db: sqlite3.Connection, whom: Whom) -> Known:
    """What there is of them; after ``begin``."""
    one = {"team": whom.team_id, "user": whom.user_id, "key": whom.person_key}
    row = db.execute(
        """
        SELECT (SELECT COUNT(*) FROM gone_turns) AS requests,
            (SELECT COUNT(*) FROM pictures WHERE id IN gone_pictures AND deleted_at IS NULL) AS pictures,
            (SELECT COUNT(*) FROM pictures WHERE parent_id IN gone_pictures AND id NOT IN gone_pictures
                AND deleted_at IS NULL) AS others,
            (SELECT COUNT(*) FROM attempts WHERE turn_id IN gone_turns AND ended_at IS NULL) AS open_calls,
            (SELECT COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal
                WHERE team_id = :team AND (:user = '' OR person_key = :key)) AS charged
        """,
        one,
    ).fetchone()
    return Known(
        requests=row["requests"],
        pictures=row["pictures"],
        others=row["others"],
        open_calls=row["open_calls"],
        charged_nano_usd=row["charged"],
        traces=_traces(db, one),
        people=[
            each[0]
            for each in db.execute(
                """
                SELECT user_id FROM people WHERE team_id = :team AND (:user = '' OR user_id = :user)
                ORDER BY user_id
                """,
                one,
            )
        ],
    )


_TRACES = """
    SELECT 'message' AS kind, channel_id, message_ts AS ref, '' AS provider FROM turns
        WHERE id IN gone_turns AND message_ts IS NOT NULL
    UNION SELECT iif(opens_thread AND EXISTS (
            SELECT 1 FROM turns AS other WHERE other.team_id = turns.team_id
                AND other.channel_id = turns.channel_id AND other.thread_ts = turns.thread_ts
                AND other.id NOT IN gone_turns
        ), 'placeholder', 'message'), channel_id, placeholder_ts, '' FROM turns
        WHERE id IN gone_turns AND placeholder_ts IS NOT NULL
    UNION SELECT 'file', '', file_id, '' FROM pictures WHERE id IN gone_pictures AND file_id IS NOT NULL
    UNION SELECT 'message', channel_id, message_ts, '' FROM shares
        WHERE message_ts IS NOT NULL
            AND (picture_id IN gone_pictures OR (team_id = :team AND user_id = :user))
    UNION SELECT 'file', '', file_id, '' FROM shares
        WHERE (picture_id IN gone_pictures OR (team_id = :team AND user_id = :user)) AND file_id IS NOT NULL
    UNION SELECT 'message', lists.channel_id, lists.message_ts, ''
        FROM pictures JOIN turns AS lists ON lists.team_id = pictures.team_id
            AND lists.channel_id = pictures.channel_id AND lists.thread_ts = pictures.thread_ts
        WHERE pictures.id IN gone_pictures AND lists.intent = 'versions' AND lists.message_ts IS NOT NULL
    UNION SELECT 'response', '', response_id, provider FROM attempts
        WHERE turn_id IN gone_turns AND response_id IS NOT NULL
    UNION SELECT 'response', '', response_id, provider FROM pictures
        WHERE id IN gone_pictures AND response_id IS NOT NULL
    UNION SELECT 'message', alert_posts.channel_id, message_ts, '' FROM alert_posts
        JOIN alerts ON alerts.id = alert_id
        WHERE team_id = :team AND message_ts IS NOT NULL AND alert_posts.channel_id IS NOT NULL
            AND (:user = '' OR person_key = :key OR details ->> 'user_id' = :user)
    UNION SELECT 'message', posts.channel_id, message_ts, '' FROM money_request_posts AS posts
        JOIN money_requests ON money_requests.id = request_id
        WHERE team_id = :team AND (:user = '' OR person_key = :key)
    UNION SELECT kind, erasures.channel_id, ref, iif(kind = 'response', provider, '') FROM erasures
        JOIN pictures ON pictures.id = picture_id
        WHERE picture_id IN gone_pictures AND done_at IS NULL AND kind <> 'blob'
    ORDER BY 1, 2, 3
"""


def _traces(db: sqlite3.Connection, one: dict[str, str]) -> list[Trace]:
    found = [
        Trace(Recall(row["kind"]), row["channel_id"], row["ref"], row["provider"])
        for row in db.execute(_TRACES, one)
    ]
    # A message that is deleted need not be rewritten.
    deleted = {(each.channel_id, each.ref) for each in found if each.kind is Recall.MESSAGE}
    return [
        each
        for each in found
        if each.kind is not Recall.PLACEHOLDER or (each.channel_id, each.ref) not in deleted
    ]
