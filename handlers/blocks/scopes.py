"""Whom a decision is about, caps, rules, periods and last days: the same words wherever people read of them;
and the reader of what an ending or an alert says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from darkroom.spending.budgets import BudgetKind, Limit
from darkroom.spending.money import format_usd
from darkroom.spending.periods import PeriodKind, zone_of
from darkroom.spending.policy import ALL, EVERY_CHANNEL, EVERY_PERSON, EVERYONE
from darkroom.spending.spans import day_words
from darkroom.turns.forgetting import GONE
from handlers.blocks.text import escape, mention, truncate

SOMEBODY = "somebody whose name was erased"
_THIS: Mapping[str, str] = {"month": "this month", "week": "this week", "day": "today"}
_EACH = {PeriodKind.month: "a month", PeriodKind.week: "a week", PeriodKind.day: "a day"}
_SCOPES = {EVERY_PERSON: "each person", EVERY_CHANNEL: "each channel", EVERYONE: "everyone"}


def person_words(user_id: str) -> str:
    """A person as a mention, which notifies nobody in a message that only one person sees."""
    return mention(user_id) if user_id else SOMEBODY


def channel_words(channel_id: str) -> str:
    """A channel by its name; a direct message has none, and that of somebody who was forgotten not even an
    id."""
    if channel_id.startswith(GONE):
        return f"a direct message with {SOMEBODY}"
    return "a direct message with me" if channel_id.startswith("D") else f"<#{channel_id}>"


def scope_words(scope: str, subject_id: str) -> str:
    """Whom a scope is about: *subject_id* is Slack's id of its person or channel, if it has one."""
    if scope.startswith("person:"):
        return person_words(subject_id)
    if scope.startswith("channel:"):
        return channel_words(subject_id or scope.rpartition(":")[2])
    return _SCOPES.get(scope, "the workspace")


def named_scope(scope: str, people: Mapping[str, str]) -> str:
    """The same, with the people's Slack ids by their opaque keys."""
    return scope_words(scope, people.get(scope.removeprefix("person:"), ""))


def limit_words(limit: Limit) -> str:
    """ "$20.00 a month", "no cap"."""
    if limit.cap_nano_usd is None:
        return "no cap"
    return f"{format_usd(limit.cap_nano_usd)} {_EACH[limit.period]}"


def period_words(kind: object) -> str:
    """The running period of that kind: "this month"; in general words for a kind that there is not."""
    return _THIS.get(str(kind), "in this period")


def whose_words(budget: object, channel_id: str) -> str:
    """Whose budget, to whom it is told: "Your budget" where it is neither a channel's nor the workspace's."""
    if budget == BudgetKind.CHANNEL:
        return f"The budget of {channel_words(channel_id)}"
    return "The workspace's budget" if budget == BudgetKind.WORKSPACE else "Your budget"


@dataclass(frozen=True, slots=True)
class Details:
    """What an ending or an alert says beside its kind. A detail that is missing or of another type, as an
    older version may have written it, reads as nothing."""

    details: Mapping[str, str | int]

    def text(self, key: str, usual: str = "", limit: int = 200) -> str:
        """A detail in at most so many characters, escaped; *usual* where there is none."""
        return escape(truncate(str(self.details.get(key) or usual), limit))

    def number(self, key: str) -> int:
        """A number, such as of nano-dollars."""
        value = self.details.get(key, 0)
        return value if isinstance(value, int) else 0

    def usd(self, key: str) -> str:
        """An amount of money."""
        return format_usd(self.number(key))

    def period(self) -> str:
        """In which of the budget's periods it was."""
        return period_words(self.details.get("period"))


def rules_words(rules: Iterable[tuple[str, bool]]) -> str:
    """What is allowed and denied: "denied `high`, all others allowed"."""
    by_answer: dict[bool, list[str]] = {}
    others = ""
    for value, allowed in sorted(rules):
        if value == ALL:
            others = f"all{{}} {'allowed' if allowed else 'denied'}"
        else:
            by_answer.setdefault(allowed, []).append(f"`{escape(value)}`")
    parts = [
        f"{', '.join(values)} {'allowed' if allowed else 'denied'}"
        for allowed, values in sorted(by_answer.items())
    ]
    if others:
        parts.append(others.format(" others" if parts else ""))
    return "; ".join(parts) or "no rule"


def last_day_words(ends_at: datetime, timezone: str) -> str:
    """The last day before an end that is exclusive: "31 December 2026"."""
    return day_words((ends_at - timedelta(seconds=1)).astimezone(zone_of(timezone)).date())
