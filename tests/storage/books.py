"""What must be true of the books at any moment, read from the file itself."""

from __future__ import annotations

import sqlite3


def check_books(db: sqlite3.Connection) -> None:
    """Every invariant of the ledger that can be read off the tables; raises AssertionError with the rows."""
    counters = db.execute("SELECT * FROM counters").fetchall()
    for counter in counters:
        kind, _, rest = counter["budget"].partition(":")
        where, values = {
            "person": ("person_key = ?", [rest]),
            "channel": ("team_id = ? AND channel_id = ?", rest.split(":")),
            "workspace": ("team_id = ?", [rest]),
        }[kind]
        within = [*values, counter["period_start"], counter["period_end"]]
        held, charged = db.execute(
            f"""
            SELECT COALESCE(SUM(held_delta_nano_usd), 0), COALESCE(SUM(charged_delta_nano_usd), 0)
            FROM journal WHERE {where} AND held_at >= ? AND held_at < ?
            """,  # noqa: S608 -- one of the three clauses above
            within,
        ).fetchone()
        granted_held, granted_charged = db.execute(
            """
            SELECT COALESCE(SUM(grant_draws.held_delta_nano_usd), 0),
                COALESCE(SUM(grant_draws.charged_delta_nano_usd), 0)
            FROM grant_draws JOIN grants ON grants.id = grant_draws.grant_id
                JOIN journal ON journal.id = grant_draws.journal_id
            WHERE grants.budget = ? AND held_at >= ? AND held_at < ?
            """,
            (counter["budget"], counter["period_start"], counter["period_end"]),
        ).fetchone()
        own = (held - granted_held, charged - granted_charged)
        assert (counter["held_nano_usd"], counter["charged_nano_usd"]) == own, dict(counter)
        open_holds = db.execute(
            f"""
            SELECT COALESCE(SUM(hold_nano_usd), 0) FROM attempts
            WHERE state IN ('held', 'dispatched') AND {where} AND held_at >= ? AND held_at < ?
            """,  # noqa: S608 -- one of the three clauses above
            within,
        ).fetchone()[0]
        assert open_holds == held, dict(counter)
    for attempt in db.execute("SELECT * FROM attempts"):
        entries = db.execute("SELECT * FROM journal WHERE attempt_id = ?", (attempt["id"],)).fetchall()
        kinds = sorted(entry["kind"] for entry in entries)
        held = sum(entry["held_delta_nano_usd"] for entry in entries)
        charged = sum(entry["charged_delta_nano_usd"] for entry in entries)
        open_hold = attempt["hold_nano_usd"] if attempt["state"] in ("held", "dispatched") else 0
        assert held == open_hold, (dict(attempt), kinds)
        assert charged == attempt["charged_nano_usd"], (dict(attempt), kinds)
        ended = {"settled": "settle", "released": "release", "uncertain": "uncertain"}.get(attempt["state"])
        usual = ["hold", *([ended] if ended else [])]
        corrected = ["correction"] if attempt["state"] == "uncertain" and "correction" in kinds else []
        assert kinds == sorted(usual + corrected), (dict(attempt), kinds)
    for entry in db.execute(
        """
        SELECT journal.*, COALESCE(SUM(charge_lines.charged_nano_usd), 0) AS lines
        FROM journal LEFT JOIN charge_lines ON charge_lines.journal_id = journal.id GROUP BY journal.id
        """
    ):
        assert entry["lines"] == entry["charged_delta_nano_usd"], dict(entry)
    for grant in db.execute(
        """
        SELECT grants.*, COALESCE(SUM(held_delta_nano_usd), 0) AS held,
            COALESCE(SUM(charged_delta_nano_usd), 0) AS charged
        FROM grants LEFT JOIN grant_draws ON grant_draws.grant_id = grants.id GROUP BY grants.id
        """
    ):
        kept = (grant["held_nano_usd"], grant["charged_nano_usd"])
        assert kept == (grant["held"], grant["charged"]), dict(grant)
        assert 0 <= sum(kept) <= grant["amount_nano_usd"], dict(grant)
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    assert not broken, [tuple(row) for row in broken]


def nothing_held(db: sqlite3.Connection) -> None:
    """No hold is open anywhere."""
    left = db.execute("SELECT id, state FROM attempts WHERE state IN ('held', 'dispatched')").fetchall()
    assert not left, [tuple(row) for row in left]
    counters = db.execute("SELECT budget, held_nano_usd FROM counters WHERE held_nano_usd <> 0").fetchall()
    assert not counters, [tuple(row) for row in counters]
