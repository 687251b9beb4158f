"""Turns of every model and every kind of end in the real store, from a seed."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from darkroom.rendering.job import Candidate, Endpoint, SavedPicture
from darkroom.spending.bound import Ask, bound
from darkroom.spending.catalogue import load_catalogue, price_key
from darkroom.spending.changes import Correct
from darkroom.spending.cost import charge
from darkroom.spending.repricing import StoredCharge
from darkroom.spending.sizes import named_sizes
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Told, Turn
from darkroom.turns.store import Plan, Settlement
from storage.corrections import correct
from storage.database import DATABASE_NAME, Database
from storage.repricing import charged_entries
from storage.turns import SqliteTurnStore
from tests.examples import TEAM, caps, command
from tests.fresh import with_books
from tests.spending.asks import PRESENT_HOSTS, PRESENT_IMAGES

CATALOGUE = load_catalogue()
FREE = caps()
START = datetime(2026, 9, 1, tzinfo=UTC)
USAGES = ("complete", "complete", "cached", "undetailed", "missing", "no host", "zero", "nonsense")
ENDS = (*("picture",) * 12, "words", "moderated", "failed", "released", "uncertain", "corrected", "waived")


@dataclass(frozen=True)
class Call:
    """One call, how it ends, and what the API reports."""

    number: int
    at: datetime
    ask: Ask
    end: str
    host: dict[str, Any] | None
    image: dict[str, Any] | None
    answered_image: str
    answered_host: str


def call(chance: random.Random, number: int) -> Call:
    """Some call of some model to some end."""
    at = START + timedelta(seconds=chance.randrange(90 * 86_400))
    model = CATALOGUE.image(chance.choice(PRESENT_IMAGES))
    flexible = (*named_sizes.values(), (2048, 1152))
    width, height = chance.choice(flexible if model.flexible_sizes else model.fixed_sizes)
    ask = Ask(
        image_model=model.id,
        host_model=chance.choice((*PRESENT_HOSTS, None)),
        width=width,
        height=height,
        quality=chance.choice(model.qualities),
        prompt_bytes=chance.randrange(1, 4_000),
        instruction_bytes=600,
        input_pictures=chance.choice((0, 0, 1, 16)),
        max_output_tokens=2_048,
        today=at.date(),
        parent_host_tokens=chance.choice((0, 0, 9_000, 300_000)),
        chain_pictures=chance.randrange(6),
        partial_images=chance.randrange(4),
        picture_certain=chance.random() < 0.8,
    )
    host, image = usage_of(chance, chance.choice(USAGES))
    return Call(
        number,
        at,
        ask,
        chance.choice(ENDS),
        host,
        image,
        chance.choice((ask.image_model,) * 6 + ("gpt-image-99", "gpt-image-1-mini")),
        chance.choice((ask.host_model or "",) * 6 + ("gpt-99", "gpt-6.1-terra")),
    )


def usage_of(chance: random.Random, kind: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What the API reports of the host and of the image model, in one of the shapes of `USAGES`."""
    text, seen, painted = chance.randrange(1, 900), chance.randrange(3_000), chance.randrange(1, 8_000)
    written, given = chance.choice((0, 0, 335)), chance.choice((2_941, 40_000, 300_000))
    image: dict[str, Any] = {"input_tokens": text + seen, "output_tokens": painted + written}
    host: dict[str, Any] = {"input_tokens": given, "output_tokens": chance.randrange(1, 2_048)}
    if kind != "undetailed":
        image["input_tokens_details"] = {"text_tokens": text, "image_tokens": seen}
        image["output_tokens_details"] = {"image_tokens": painted, "text_tokens": written}
    if kind == "cached":
        image["cached_tokens"] = chance.randrange(text + seen)
        cached, writes = given // 3, given // 4
        kept = {"ttl_12h_tokens": writes // 3, "ttl_30m_tokens": writes - writes // 3}
        host["input_tokens_details"] = {
            "cached_tokens": cached,
            "cache_write_tokens": writes,
            "cache_write_tokens_details": chance.choice((kept, None)),
        }
    if kind == "zero":
        image = {"input_tokens": 0, "output_tokens": 0}
    if kind == "nonsense":
        image["output_tokens"] = -1
    return None if kind in ("missing", "no host") else host, None if kind == "missing" else image


class World:
    """The real store, with calls made in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database.open(with_books(folder), create=True, inline=True)
        self.store = SqliteTurnStore(self.database)

    async def make(self, made: Call) -> None:
        """The whole life of one turn in the books."""
        turn, attempt, at = f"turn_{made.number}", f"try_{made.number}", made.at
        request = replace(
            command(trigger=str(made.number), user=f"U{made.number % 20:04d}"),
            channel_id=f"C{made.number % 5:04d}",
        )
        await self.store.arrive(turn, request, at, ThreadReplies.JOINED)
        plan = self._plan(attempt, made.ask)
        assert isinstance(await self.store.queue(turn, plan, FREE, at), Turn)
        await self.store.tell(turn, Told.PLACEHOLDER, f"{1_763_640_000 + made.number}.000100", at)
        assert isinstance(await self.store.hold(turn, plan, FREE, at), Attempt)
        if made.end == "released":
            await self.store.fall_back(attempt, "rate", None, FREE, at)
            return
        await self.store.send(attempt, at)
        later = at + timedelta(minutes=2)
        await self.store.render(attempt, self._settlement(made, plan), FREE, later)
        if made.end in ("corrected", "waived"):
            amount = 0 if made.end == "waived" else plan.bound.total_nano_usd // 3
            await self.database.write(
                lambda db: correct(db, Correct(_entry(db, attempt), amount), TEAM, later)
            )

    def _plan(self, attempt: str, ask: Ask) -> Plan:
        endpoint = Endpoint.IMAGES if ask.host_model is None else Endpoint.RESPONSES
        models = (ask.image_model, *([] if ask.host_model is None else [ask.host_model]))
        return Plan(
            attempt_id=attempt,
            candidate=Candidate(endpoint, ask.image_model, ask.host_model or ""),
            provider="openai",
            width=ask.width,
            height=ask.height,
            quality=ask.quality,
            format="png",
            bound=bound(ask, CATALOGUE),
            price_version=price_key(*(CATALOGUE.price_of(model, ask.today) for model in models)),
            parent_id=None,
            revision=0,
            listed_model=CATALOGUE.image(ask.image_model).base,
            ask=ask,
        )

    def _settlement(self, made: Call, plan: Plan) -> Settlement:
        if made.end in ("uncertain", "corrected", "waived"):
            flags = frozenset({"uncertain"})
            return Settlement(AttemptState.UNCERTAIN, plan.bound, plan.price_version, flags)
        picture = SavedPicture("0" * 64, Path("0.png"), 3, "png", 1024, 1024)
        painted = made.end == "picture"
        charged = charge(
            made.host,
            made.image,
            ask=made.ask,
            catalogue=CATALOGUE,
            image_model=made.answered_image,
            host_model=made.answered_host or None,
            picture_made=painted,
            moderated=made.end in ("moderated", "failed"),
        )
        return Settlement(
            state=AttemptState.SETTLED,
            cost=charged.cost,
            price_version=charged.price_version,
            flags=charged.flags,
            host_usage=made.host,
            image_usage=made.image,
            image_model=made.answered_image,
            host_model=made.answered_host or None,
            picture=picture if painted else None,
            picture_id=f"picture_{made.number}" if painted else None,
        )

    async def entries(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[StoredCharge]:
        """Every stored charge of holds taken between the two."""
        return await self.database.report(lambda db: list(charged_entries(db, since, until)))

    def tamper(self, *statements: str) -> None:
        """Change the file behind the books' back."""
        with sqlite3.connect(self.folder / DATABASE_NAME) as db:
            db.execute("DROP TRIGGER IF EXISTS journal_is_never_edited")
            for statement in statements:
                assert db.execute(statement).rowcount == 1, statement
        db.close()


def _entry(db: sqlite3.Connection, attempt: str) -> int:
    query = "SELECT id FROM journal WHERE attempt_id = ? AND kind = 'uncertain'"
    return int(db.execute(query, (attempt,)).fetchone()[0])
