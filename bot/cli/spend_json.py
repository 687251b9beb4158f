"""What ``darkroom spend --json`` prints."""

from __future__ import annotations

from typing import Any

from darkroom.spending.reports import ChannelSpend, PersonSpend, SpendReport, Spent
from darkroom.spending.tables import By

_KEYS = {
    By.PERSON: "people",
    By.CHANNEL: "channels",
    By.MODEL: "models",
    By.DAY: "days",
    By.CLASS: "classes",
}


def as_data(report: SpendReport, by: By | None = None) -> dict[str, Any]:
    """The report as plain data; with *by*, only that part beside period and total."""
    span = report.span
    parts = {
        By.PERSON: _people,
        By.CHANNEL: _channels,
        By.MODEL: _models,
        By.DAY: _days,
        By.CLASS: _classes,
    }
    return {
        "period": {
            "start": span.start.isoformat(),
            "end": span.end.isoformat(),
            "timezone": span.timezone,
        },
        "total": _spent(report.total),
        **{_KEYS[each]: part(report) for each, part in parts.items() if by in (None, each)},
    }


def _people(report: SpendReport) -> list[dict[str, Any]]:
    return [_owner(person, user_id=person.user_id) for person in report.people]


def _channels(report: SpendReport) -> list[dict[str, Any]]:
    return [_owner(channel, channel_id=channel.channel_id) for channel in report.channels]


def _owner(one: PersonSpend | ChannelSpend, **whose: str) -> dict[str, Any]:
    return {"team_id": one.team_id, **whose, **_spent(one.spent), "cap_nano_usd": one.cap_nano_usd}


def _models(report: SpendReport) -> list[dict[str, Any]]:
    return [
        {
            "model": model.image_model,
            "endpoint": model.endpoint,
            "provider": model.provider,
            **_spent(model.spent),
        }
        for model in report.models
    ]


def _days(report: SpendReport) -> list[dict[str, Any]]:
    return [
        {
            "day": day.day.isoformat(),
            **_spent(day.spent),
            "classes": {name.value: amount for name, amount in day.classes.items()},
        }
        for day in report.days
    ]


def _classes(report: SpendReport) -> dict[str, dict[str, int]]:
    return {
        name.value: {"tokens": spent.tokens, "charged_nano_usd": spent.charged_nano_usd}
        for name, spent in report.classes.items()
    }


def _spent(spent: Spent) -> dict[str, int]:
    return {
        "charged_nano_usd": spent.charged_nano_usd,
        "held_nano_usd": spent.held_nano_usd,
        "pictures": spent.pictures,
    }
