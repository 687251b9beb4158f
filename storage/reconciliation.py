"""What the books have to put beside the provider's bill; read on a read-only connection."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, time, timedelta

from darkroom.spending.reconciliation import OurCharges, OurDay
from storage.times import to_text

_LATE = "23:45"
"""A call takes 15 minutes at most: one that began before this was billed on its own day."""

_BY_DAY = """
    WITH charges AS (
        SELECT COALESCE(attempts.dispatched_at, attempts.held_at) AS begun_at, attempts.ended_at,
            journal.attempt_id, journal.kind, journal.provider, journal.flags,
            journal.charged_delta_nano_usd AS charged
        FROM journal JOIN attempts ON attempts.id = journal.attempt_id
        WHERE journal.held_at >= :held_from AND journal.held_at < :until
          AND journal.charged_delta_nano_usd <> 0
    ),
    marked AS (
        SELECT substr(begun_at, 1, 10) AS day, provider, charged, kind = 'correction' AS correction,
            kind = 'uncertain' AND NOT EXISTS (
                SELECT 1 FROM journal AS later
                WHERE later.attempt_id = charges.attempt_id AND later.kind = 'correction'
                    AND later.charged_delta_nano_usd <> 0
            ) AS uncertain,
            kind = 'settle' AND EXISTS (
                SELECT 1 FROM json_each(charges.flags) WHERE value IN ('estimated', 'bad_usage')
            ) AS estimated,
            substr(begun_at, 12, 5) >= :late AND substr(ended_at, 1, 10) > substr(begun_at, 1, 10)
                AS overnight
        FROM charges WHERE begun_at >= :begin AND begun_at < :until
    )
    SELECT day, provider, SUM(charged) AS charged,
        SUM(charged * uncertain) AS uncertain, SUM(uncertain) AS uncertain_calls,
        SUM(charged * correction) AS corrections, SUM(charged * estimated) AS estimated,
        SUM(charged * overnight) AS overnight
    FROM marked GROUP BY day, provider ORDER BY day, provider
"""


def our_charges(db: sqlite3.Connection, provider: str, first: date, last: date) -> OurCharges:
    """The charges of the UTC days from *first* to *last*, both included, and of the day before (for what ran
    over its midnight); run it in one snapshot.

    A charge belongs to the day on which its call was sent (``attempts.dispatched_at``; ``held_at`` where none
    was noted): that is when the provider began to count, whatever the hour of the hold, which is the period
    of our caps, and whatever the hour of the settlement or of a correction, which may come days later.
    """
    begin = datetime.combine(first - timedelta(days=1), time(), UTC)
    rows = db.execute(
        _BY_DAY,
        {
            # A hold is taken moments before its call is sent, so a day is ample; it lets the index be used.
            "held_from": to_text(begin - timedelta(days=1)),
            "begin": to_text(begin),
            "until": to_text(datetime.combine(last + timedelta(days=1), time(), UTC)),
            "late": _LATE,
        },
    ).fetchall()
    days: dict[date, OurDay] = {}
    elsewhere: dict[str, int] = {}
    for row in rows:
        day = date.fromisoformat(row["day"])
        if row["provider"] == provider:
            days[day] = OurDay(
                charged=row["charged"],
                uncertain=row["uncertain"],
                uncertain_calls=row["uncertain_calls"],
                corrections=row["corrections"],
                estimated=row["estimated"],
                overnight=row["overnight"],
            )
        elif day >= first:
            elsewhere[row["provider"]] = elsewhere.get(row["provider"], 0) + row["charged"]
    return OurCharges(days, elsewhere)
