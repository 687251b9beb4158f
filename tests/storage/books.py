"""What must be true of the books at any moment, read from the file itself and added up with loops."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

ENDS = {"settled": "settle", "released": "release", "uncertain": "uncertain"}


@dataclass
class Move:
    """How one journal entry moves one budget's own money: what no grant pays."""

    entry: int
    held_at: str
    held: int
    charged: int


@dataclass
class Movements:
    """Every move of every budget, in the order of the journal."""

    own: dict[str, list[Move]] = field(default_factory=dict)
    whole: dict[str, list[Move]] = field(default_factory=dict)

    def within(self, budget: str, start: str, end: str) -> tuple[int, int]:
        """Held and charged of a budget's own between two moments."""
        moves = [move for move in self.own.get(budget, ()) if start <= move.held_at < end]
        return sum(move.held for move in moves), sum(move.charged for move in moves)


def budgets_of(row: sqlite3.Row) -> tuple[str, str, str]:
    """The three budgets that a row of the journal, or an attempt, is paid from."""
    team = row["team_id"]
    return f"person:{row['person_key']}", f"channel:{team}:{row['channel_id']}", f"workspace:{team}"


def movements(db: sqlite3.Connection) -> Movements:
    """The whole journal by budget, with what grants pay taken off."""
    drawn: dict[tuple[int, str], Move] = {}
    for row in db.execute(
        """
        SELECT journal_id, budget, held_delta_nano_usd AS held, charged_delta_nano_usd AS charged
        FROM grant_draws JOIN grants ON grants.id = grant_id
        """
    ):
        part = drawn.setdefault((row["journal_id"], row["budget"]), Move(0, "", 0, 0))
        part.held += row["held"]
        part.charged += row["charged"]
    found = Movements()
    for row in db.execute("SELECT * FROM journal ORDER BY id"):
        for budget in budgets_of(row):
            held, charged = row["held_delta_nano_usd"], row["charged_delta_nano_usd"]
            part = drawn.pop((row["id"], budget), Move(0, "", 0, 0))
            own = Move(row["id"], row["held_at"], held - part.held, charged - part.charged)
            found.own.setdefault(budget, []).append(own)
            found.whole.setdefault(budget, []).append(Move(row["id"], row["held_at"], held, charged))
    assert not drawn, f"drawn for budgets that do not pay: {sorted(drawn)}"
    return found


def check_books(db: sqlite3.Connection) -> None:
    """Every invariant of the ledger that can be read off the tables; raises AssertionError with the rows."""
    _check_counters(db)
    _check_attempts(db)
    _check_lines(db)
    _check_grants(db)
    _check_admin_journal(db)
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    assert not broken, [tuple(row) for row in broken]


def _check_counters(db: sqlite3.Connection) -> None:
    """A counter is what the journal adds up to for its budget and period, less what grants pay of that; and
    what is held is what open attempts hold."""
    moved = movements(db)
    open_holds: dict[str, list[tuple[str, int]]] = {}
    for attempt in db.execute("SELECT * FROM attempts WHERE state IN ('held', 'dispatched')"):
        for budget in budgets_of(attempt):
            open_holds.setdefault(budget, []).append((attempt["held_at"], attempt["hold_nano_usd"]))
    for counter in db.execute("SELECT * FROM counters"):
        budget, start, end = counter["budget"], counter["period_start"], counter["period_end"]
        kept = counter["held_nano_usd"], counter["charged_nano_usd"]
        assert kept == moved.within(budget, start, end), dict(counter)
        held = sum(move.held for move in moved.whole.get(budget, ()) if start <= move.held_at < end)
        still = sum(hold for held_at, hold in open_holds.get(budget, ()) if start <= held_at < end)
        assert still == held, dict(counter)


def _check_attempts(db: sqlite3.Connection) -> None:
    """One hold each, at most one end, at most one correction, and the amounts that the row names."""
    entries: dict[str, list[sqlite3.Row]] = {}
    for entry in db.execute("SELECT * FROM journal"):
        entries.setdefault(entry["attempt_id"], []).append(entry)
    for attempt in db.execute("SELECT * FROM attempts"):
        mine = entries.get(attempt["id"], [])
        kinds = sorted(entry["kind"] for entry in mine)
        held = sum(entry["held_delta_nano_usd"] for entry in mine)
        charged = sum(entry["charged_delta_nano_usd"] for entry in mine)
        open_hold = attempt["hold_nano_usd"] if attempt["state"] in ("held", "dispatched") else 0
        assert held == open_hold, (dict(attempt), kinds)
        assert charged == attempt["charged_nano_usd"], (dict(attempt), kinds)
        ended = ENDS.get(attempt["state"])
        usual = ["hold", *([ended] if ended else [])]
        corrected = ["correction"] if attempt["state"] == "uncertain" and "correction" in kinds else []
        assert kinds == sorted(usual + corrected), (dict(attempt), kinds)
        assert {entry["held_at"] for entry in mine} == {attempt["held_at"]}, dict(attempt)


def _check_lines(db: sqlite3.Connection) -> None:
    """The lines of an entry add up to its amount."""
    for entry in db.execute(
        """
        SELECT journal.id, charged_delta_nano_usd, COALESCE(SUM(charge_lines.charged_nano_usd), 0) AS lines
        FROM journal LEFT JOIN charge_lines ON charge_lines.journal_id = journal.id GROUP BY journal.id
        """
    ):
        assert entry["lines"] == entry["charged_delta_nano_usd"], dict(entry)


def _check_grants(db: sqlite3.Connection) -> None:
    """What a grant keeps is what was drawn of it, and that is never more than it is."""
    for grant in db.execute(
        """
        SELECT grants.*, COALESCE(SUM(held_delta_nano_usd), 0) AS held,
            COALESCE(SUM(charged_delta_nano_usd), 0) AS charged
        FROM grants LEFT JOIN grant_draws ON grant_draws.grant_id = grants.id GROUP BY grants.id
        """
    ):
        kept = (grant["held_nano_usd"], grant["charged_nano_usd"])
        assert kept == (grant["held"], grant["charged"]), dict(grant)
        assert min(kept) >= 0, dict(grant)
        assert sum(kept) <= grant["amount_nano_usd"], dict(grant)


def _check_admin_journal(db: sqlite3.Connection) -> None:
    """Every key once, and every grant and every correction is in it."""
    keys = [tuple(row) for row in db.execute("SELECT team_id, key FROM admin_journal")]
    assert len(keys) == len(set(keys))
    given = [row[0] for row in db.execute("SELECT id FROM grants")]
    told = [
        row[0]
        for row in db.execute(
            "SELECT json_extract(after, '$.number') FROM admin_journal WHERE action = 'grant' ORDER BY id"
        )
    ]
    assert sorted(given) == sorted(told), (given, told)
    corrected = db.execute("SELECT COUNT(*) FROM journal WHERE kind = 'correction'").fetchone()[0]
    decided = db.execute("SELECT COUNT(*) FROM admin_journal WHERE action = 'uncertain'").fetchone()[0]
    assert corrected == decided, (corrected, decided)


def check_no_cap_exceeded(db: sqlite3.Connection, cap_of: Callable[[str], int | None]) -> dict[str, int]:
    """Go through the journal entry by entry, all of it in one period and without overruns: after none of them
    had a budget more of its own charged and held than its cap. Gives the most that each ever had."""
    most: dict[str, int] = {}
    for budget, moves in movements(db).own.items():
        held = charged = 0
        for move in moves:
            held, charged = held + move.held, charged + move.charged
            most[budget] = max(most.get(budget, 0), held + charged)
            cap = cap_of(budget)
            assert held >= 0, (budget, move)
            assert charged >= 0, (budget, move)
            assert cap is None or held + charged <= cap, (budget, cap, held, charged, move)
    return most


def charged_until(db: sqlite3.Connection, budget: str, entry: int) -> int:
    """What a budget had been charged of its own when the journal had that many entries."""
    return sum(move.charged for move in movements(db).own.get(budget, ()) if move.entry <= entry)


def nothing_held(db: sqlite3.Connection) -> None:
    """No hold is open anywhere."""
    left = db.execute("SELECT id, state FROM attempts WHERE state IN ('held', 'dispatched')").fetchall()
    assert not left, [tuple(row) for row in left]
    for table in ("counters", "grants"):
        query = f"SELECT budget, held_nano_usd FROM {table} WHERE held_nano_usd <> 0"  # noqa: S608 -- two names
        rows = db.execute(query).fetchall()
        assert not rows, [tuple(row) for row in rows]
