"""What was learned of the account, written (``darkroom.turns.account_book.AccountBook``) and read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime

from darkroom.rendering.access import Access, ModelSeen
from darkroom.turns.account_book import Limits, ModelCheck, ProviderKnown, RateSeen
from storage.database import Database
from storage.times import from_text, maybe_from_text, to_text

NAMES_MAX = 200
"""As many models of one provider are read; the settings name a handful."""


class SqliteAccountBook:
    """``AccountBook`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def choose(self, provider: str, at: datetime) -> None:
        """See ``AccountBook.choose``."""

        def work(db: sqlite3.Connection) -> None:
            if _current(db) != provider:
                db.execute(
                    """
                    INSERT INTO providers (provider, chosen_at) VALUES (?, ?)
                    ON CONFLICT (provider) DO UPDATE SET chosen_at = excluded.chosen_at
                    """,
                    (provider, to_text(at)),
                )

        await self._database.write(work)

    async def checked(self, provider: str, seen: ModelSeen, at: datetime) -> None:
        """See ``AccountBook.checked``."""
        learned_at = None if seen.access is Access.UNKNOWN else to_text(at)
        shutdown = None if seen.shutdown is None else seen.shutdown.isoformat()
        checked_at = to_text(at)
        values = (
            provider,
            seen.model,
            seen.access,
            shutdown,
            learned_at,
            checked_at,
            seen.code,
            seen.message,
        )

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                INSERT INTO model_checks
                    (provider, model, access, shutdown_on, learned_at, checked_at, code, message)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (provider, model) DO UPDATE SET
                    access = iif(excluded.learned_at IS NULL, access, excluded.access),
                    shutdown_on = iif(excluded.learned_at IS NULL, shutdown_on, excluded.shutdown_on),
                    learned_at = COALESCE(excluded.learned_at, learned_at),
                    checked_at = excluded.checked_at, code = excluded.code, message = excluded.message
                """,
                values,
            )

        await self._database.write(work)

    async def rated(self, provider: str, rate: RateSeen) -> None:
        """See ``AccountBook.rated``."""
        limits = rate.limits
        numbers = (limits.pictures, limits.requests, limits.tokens)
        values = (provider, rate.model, rate.endpoint, *numbers, to_text(rate.seen_at))

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                INSERT INTO rate_limits (provider, model, endpoint, pictures_a_minute, requests_a_minute,
                    tokens_a_minute, seen_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (provider, model, endpoint) DO UPDATE SET
                    pictures_a_minute = excluded.pictures_a_minute,
                    requests_a_minute = excluded.requests_a_minute,
                    tokens_a_minute = excluded.tokens_a_minute, seen_at = excluded.seen_at
                """,
                values,
            )

        await self._database.write(work)

    async def checks(self, provider: str) -> Sequence[ModelCheck]:
        """See ``AccountBook.checks``."""
        return await self._database.report(lambda db: model_checks(db, provider))

    async def rates(self, provider: str) -> Sequence[RateSeen]:
        """See ``AccountBook.rates``."""
        return await self._database.report(lambda db: rate_limits(db, provider))

    async def providers(self, team_id: str) -> Sequence[ProviderKnown]:
        """See ``AccountBook.providers``."""
        return await self._database.report(lambda db: providers_known(db, team_id))


def model_checks(db: sqlite3.Connection, provider: str) -> list[ModelCheck]:
    """What these books say of the models of *provider*, by name."""
    rows = db.execute(
        "SELECT * FROM model_checks WHERE provider = ? ORDER BY model LIMIT ?", (provider, NAMES_MAX)
    )
    return [
        ModelCheck(
            ModelSeen(
                row["model"],
                Access(row["access"]),
                None if row["shutdown_on"] is None else date.fromisoformat(row["shutdown_on"]),
                row["code"],
                row["message"],
            ),
            maybe_from_text(row["learned_at"]),
            from_text(row["checked_at"]),
        )
        for row in rows
    ]


def rate_limits(db: sqlite3.Connection, provider: str) -> list[RateSeen]:
    """The rate limits of *provider* that these books know, by name."""
    rows = db.execute(
        "SELECT * FROM rate_limits WHERE provider = ? ORDER BY model, endpoint LIMIT ?", (provider, NAMES_MAX)
    )
    return [
        RateSeen(
            row["model"],
            row["endpoint"],
            Limits(row["pictures_a_minute"], row["requests_a_minute"], row["tokens_a_minute"]),
            from_text(row["seen_at"]),
        )
        for row in rows
    ]


def providers_known(db: sqlite3.Connection, team_id: str) -> list[ProviderKnown]:
    """Every provider that these books know, the last chosen first, and when *team_id* first called it."""
    return [
        ProviderKnown(name, chosen_at, maybe_from_text(_first_call(db, team_id, name)))
        for name, chosen_at in chosen(db)
    ]


def chosen(db: sqlite3.Connection) -> list[tuple[str, datetime]]:
    """The providers that were ever chosen, and when; the last one first."""
    rows = db.execute("SELECT provider, chosen_at FROM providers")
    found = [(str(row["provider"]), from_text(row["chosen_at"])) for row in rows]
    return sorted(found, key=lambda one: one[1], reverse=True)


def _current(db: sqlite3.Connection) -> str | None:
    return next((name for name, _ in chosen(db)), None)


def _first_call(db: sqlite3.Connection, team_id: str, provider: str) -> str | None:
    row = db.execute(
        """
        SELECT MIN(dispatched_at) AS first FROM attempts
        WHERE team_id = ? AND provider = ? AND dispatched_at IS NOT NULL
        """,
        (team_id, provider),
    ).fetchone()
    return None if row["first"] is None else str(row["first"])
