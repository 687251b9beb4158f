"""What time brings by itself: models that will be shut down soon, and months that have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from darkroom.spending.alerts import AlertKind
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.models import UnknownModel
from darkroom.spending.periods import PeriodKind, period_at
from darkroom.spending.spans import Span, span_of

DAYS_AHEAD = (30, 14, 7, 1)
"""So many days before a model is shut down its users are told, once for each."""


@dataclass(frozen=True, slots=True)
class Used:
    """A model that is used, and the setting that names it, such as "image.fallback"."""

    setting: str
    model: str


@dataclass(frozen=True, slots=True)
class Due:
    """An alert for the admins that should have been raised by now; ``key`` keeps it to once."""

    key: str
    kind: AlertKind
    details: Mapping[str, str | int]


def shutdowns(used: Iterable[Used], catalogue: Catalogue, at: datetime) -> list[Due]:
    """The used models that will be shut down within ``DAYS_AHEAD``, each model once.

    Of the thresholds that have passed only the nearest is due: whoever was away at 14 days and looks again
    at 9 is told of 14, once, and neither of 30 nor twice. A model that has no date, or that the catalogue
    does not know, is left out. Days are those of UTC, as in the catalogue.
    """
    settings: dict[str, list[str]] = {}
    for each in used:
        settings.setdefault(each.model, []).append(each.setting)
    today = at.astimezone(UTC).date()
    found: list[Due] = []
    for name, where in settings.items():
        try:
            _, model = catalogue.find(name)
        except UnknownModel:
            continue
        if model.shutdown_date is None:
            continue
        days = (model.shutdown_date - today).days
        passed = [threshold for threshold in DAYS_AHEAD if days <= threshold]
        if not passed:
            continue
        date = model.shutdown_date.isoformat()
        details: dict[str, str | int] = {
            "model": name,
            "on": date,
            "days": days,
            "replacement": model.replacement or "",
            "setting": " and ".join(dict.fromkeys(where)),
        }
        found.append(Due(f"shutdown:{name}:{date}:{min(passed)}", AlertKind.SHUTDOWN, details))
    return found


def month_before(timezone: str, at: datetime) -> Span:
    """The calendar month of *timezone* (an IANA name) that ended last before *at*."""
    this = period_at(PeriodKind.month, timezone, at)
    return span_of(period_at(PeriodKind.month, timezone, this.start - timedelta(microseconds=1)))


def month_end(month: Span) -> Due:
    """The report of a month that has ended."""
    details: dict[str, str | int] = {
        "start": month.start.isoformat(),
        "end": month.end.isoformat(),
        "timezone": month.timezone,
    }
    return Due(f"month_end:{month.start.isoformat()}", AlertKind.MONTH_END, details)
