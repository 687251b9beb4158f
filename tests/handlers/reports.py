"""Reports to make tests of: any number of people, days and models, whose parts add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from darkroom.spending.classes import TokenClass
from darkroom.spending.periods import zone_of
from darkroom.spending.reports import ClassSpend, DaySpend, ModelSpend, PersonSpend, SpendReport, Spent
from darkroom.spending.spans import Span
from tests.examples import TEAM

USD = 1_000_000_000
WEIGHTS = {
    TokenClass.image_output: 60,
    TokenClass.image_input: 17,
    TokenClass.cached_image_input: 5,
    TokenClass.text_input: 7,
    TokenClass.cached_text_input: 2,
    TokenClass.host_input: 3,
    TokenClass.host_cached_input: 1,
    TokenClass.host_cache_write: 1,
    TokenClass.host_output: 4,
}
"""Cents of a dollar by class."""
MODELS = (
    ("gpt-image-2-2026-04-21", "responses", "openai"),
    ("gpt-image-1.5", "responses", "openai"),
    ("gpt-image-2-2026-04-21", "images", "gateway.example.net"),
)


def span(first: date, days: int, timezone: str = "UTC") -> Span:
    """So many local days."""
    zone = zone_of(timezone)
    start, end = (datetime.combine(day, time(), zone) for day in (first, first + timedelta(days=days)))
    return Span(timezone, start.astimezone(UTC), end.astimezone(UTC))


def day_spend(day: date, usd: int) -> DaySpend:
    """A day of *usd* whole dollars, split by ``WEIGHTS``."""
    return DaySpend(day, Spent(usd * USD, 0, usd), {k: usd * USD * n // 100 for k, n in WEIGHTS.items()})


def user_id(number: int) -> str:
    """The id of a report's person."""
    return f"U{number:09d}"


def spend_report(
    *,
    days: int = 61,
    people: int = 25,
    first: date = date(2026, 9, 1),
    timezone: str = "Europe/Zurich",
    on: tuple[int, ...] | None = None,
) -> SpendReport:
    """Two months by default; *on* are the days (from 0) with spend, by default all but Sundays."""
    numbers = on if on is not None else [n for n in range(days) if (first + timedelta(days=n)).weekday() < 6]
    dates = [first + timedelta(days=n) for n in numbers]
    each = tuple(day_spend(day, 5 + (day.toordinal() * 7) % 23) for day in dates)
    total = sum(day.spent.charged_nano_usd for day in each)
    pictures = sum(day.spent.pictures for day in each)
    charged = {name: sum(day.classes[name] for day in each) for name in TokenClass}
    parts = _falling(total, people)
    named = tuple(
        PersonSpend(
            TEAM,
            user_id(number),
            Spent(part, 52_680_000 if number % 4 == 1 else 0, pictures if number == 0 else 0),
            None if number == 3 else (20 + 10 * (number % 3)) * USD,
        )
        for number, part in enumerate(parts)
    )
    models = tuple(
        ModelSpend(*called, Spent(part, 0, pictures if number == 0 else 0))
        for number, (called, part) in enumerate(zip(MODELS, _falling(total, len(MODELS)), strict=True))
    )
    held = sum(person.spent.held_nano_usd for person in named)
    return SpendReport(
        span=span(first, days, timezone),
        total=Spent(total, held, pictures),
        people=named,
        channels=(),
        models=models if each else (),
        days=each,
        classes={name: ClassSpend(charged[name] // 1_000, charged[name]) for name in TokenClass},
    )


def nothing_spent() -> SpendReport:
    """A report of a month in which nothing happened."""
    empty = spend_report(days=30, people=0, on=())
    return replace(empty, total=Spent(0, 0, 0))


def _falling(total: int, count: int) -> list[int]:
    """*total* in *count* parts, largest first."""
    weights = [1_000_000 // (n + 1) for n in range(count)]
    parts = [total * weight // sum(weights) for weight in weights]
    if parts:
        parts[0] += total - sum(parts)
    return parts
