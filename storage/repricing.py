"""Reading stored charges with everything they were computed from, for `darkroom.spending.repricing`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.repricing import EntryKind, StoredCharge
from storage.rows import bound_from
from storage.times import to_text

BATCH = 500
"""How many entries are in memory at a time."""


def charged_entries(
    db: sqlite3.Connection, since: datetime | None, until: datetime | None
) -> Iterator[StoredCharge]:
    """Every entry that ended a hold or corrected one, in the order they were written.

    Of the holds taken from *since* on and before *until*, where given. Reads a bounded batch at a time: run
    it inside one snapshot, and use up what it gives there.
    """
    values: dict[str, str | int | None] = {
        "since": None if since is None else to_text(since),
        "until": None if until is None else to_text(until),
        "batch": BATCH,
        "after": 0,
    }
    while rows := db.execute(_ENTRIES, values).fetchall():
        lines = _lines(db, rows[0]["id"], rows[-1]["id"])
        for row in rows:
            yield _entry(row, lines.get(row["id"], ()))
        values["after"] = rows[-1]["id"]


_ENTRIES = """
    SELECT journal.*, attempts.ask, attempts.bound,
        (SELECT COALESCE(SUM(other.charged_delta_nano_usd), 0) FROM journal AS other
            WHERE other.attempt_id = journal.attempt_id AND other.id < journal.id) AS charged_before
    FROM journal JOIN attempts ON attempts.id = journal.attempt_id
    WHERE journal.id > :after AND journal.kind <> 'hold'
        AND (:since IS NULL OR journal.held_at >= :since) AND (:until IS NULL OR journal.held_at < :until)
    ORDER BY journal.id LIMIT :batch
"""


_CLASSES = frozenset(TokenClass)


def _lines(db: sqlite3.Connection, first: int, last: int) -> Mapping[int, tuple[Line, ...]]:
    found: dict[int, tuple[Line, ...]] = {}
    for row in db.execute("SELECT * FROM charge_lines WHERE journal_id BETWEEN ? AND ?", (first, last)):
        if row["token_class"] not in _CLASSES:
            # What stands beside the known classes is missing from their sum, and found by it.
            continue
        line = Line(TokenClass(row["token_class"]), row["tokens"], row["charged_nano_usd"])
        found[row["journal_id"]] = (*found.get(row["journal_id"], ()), line)
    return found


def _entry(row: sqlite3.Row, lines: tuple[Line, ...]) -> StoredCharge:
    return StoredCharge(
        entry_id=row["id"],
        attempt_id=row["attempt_id"],
        kind=EntryKind(row["kind"]),
        ask=_json_or_none(row["ask"]),
        hold=bound_from(row["bound"]),
        host_usage=_json_or_none(row["host_usage"]),
        image_usage=_json_or_none(row["image_usage"]),
        image_model=row["image_model"],
        host_model=row["host_model"],
        price_version=row["price_version"],
        flags=frozenset(json.loads(row["flags"])),
        picture_made=row["pictures"] > 0,
        cost=Cost(lines, row["charged_delta_nano_usd"]),
        charged_before=row["charged_before"],
    )


def _json_or_none(text: str | None) -> Any:
    return None if text is None else json.loads(text)
