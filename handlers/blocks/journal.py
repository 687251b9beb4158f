"""What happened, for admins: the newest changes, uncertain charges, alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from darkroom.spending.alerts import Alert, AlertKind
from darkroom.spending.budgets import Limit
from darkroom.spending.changes import Entry, UncertainCharge
from darkroom.spending.money import format_usd
from darkroom.spending.periods import PeriodKind
from handlers.blocks.admin import listing
from handlers.blocks.scopes import (
    channel_words,
    last_day_words,
    limit_words,
    person_words,
    rules_words,
    scope_words,
)
from handlers.blocks.text import View, counted, escape, moment, shown

HISTORY_MAX = 20
ALERTS_MAX = 10
UNCERTAIN_MAX = 50
_FOUND_MAX = 60


def history_view(entries: Sequence[Entry], timezone: str) -> View:
    """The newest changes: when, who, what, from and to."""
    lines = [
        f"• {moment(entry.at, timezone)}, {person_words(entry.user_id)}: {entry_words(entry, timezone)}"
        for entry in entries
    ]
    notes = [] if lines else ["Nobody has changed anything yet."]
    if len(lines) == HISTORY_MAX:
        notes.append("Older changes are in the table `admin_journal` of the database.")
    return listing(_newest("What admins changed", lines, timezone), lines, notes)


def _newest(title: str, lines: Sequence[str], timezone: str) -> str:
    """A heading, and in which zone the times of the lines are."""
    return f"{title}, newest first (times in {escape(timezone)})" if lines else title


def entry_words(entry: Entry, timezone: str) -> str:
    """One change in a few words."""
    whom = scope_words(entry.subject, entry.subject_id)
    known = _ENTRIES.get(entry.action)
    if known is None:
        return f"{shown(entry.action, _FOUND_MAX)}, {whom}"
    words = known(whom, entry.before or {}, entry.after or {}, timezone)
    return f"{words} (as it was)" if entry.before == entry.after else words


_Values = Mapping[str, Any]


def _cap(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    was, now = (_limit(values) for values in (before, after))
    return f"cap of {whom}: {was} → {now}"


def _limit(values: _Values) -> str:
    words = limit_words(Limit(values["cap_nano_usd"], PeriodKind(values["period"])))
    return words if values["own"] else f"{words} (default)"


def _grant(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    until = last_day_words(datetime.fromisoformat(after["ends_at"]), timezone)
    asked = f", as asked for in request {after['request']}" if "request" in after else ""
    amount, number = format_usd(after["amount_nano_usd"]), after["number"]
    return f"granted {amount} to {whom} until {until} (grant {number}{asked})"


def _revoke(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    left, now = (format_usd(values["left_nano_usd"]) for values in (before, after))
    return f"revoked grant {before['number']} of {whom}: {left} left → {now}"


def _uncertain(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    was, now = (format_usd(values["charged_nano_usd"]) for values in (before, after))
    return f"{after['decided']} uncertain charge {after['number']} of {whom}: {was} → {now}"


def _access(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    was, now = (rules_words(values["rules"].items()) for values in (before, after))
    return f"{after['dimension']} rules for {whom}: {was} → {now}"


def _stands(rule: str, yes: str, no: str) -> Callable[[str, _Values, _Values, str], str]:
    def words(whom: str, before: _Values, after: _Values, timezone: str) -> str:
        was, now = (yes if values[rule] else no for values in (before, after))
        return f"{whom}: {was} → {now}"

    return words


def _alerts(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    was, now = (
        channel_words(values["channel_id"]) if values["channel_id"] else "direct messages"
        for values in (before, after)
    )
    return f"alerts: {was} → {now}"


def _pilot_off(whom: str, before: _Values, after: _Values, timezone: str) -> str:
    size = len(before["members"])
    return f"pilot list: {counted(size, 'entry', 'entries') if size else 'none'} → none"


_PAUSED = _stands("paused", "paused", "not paused")
_ENTRIES: Mapping[str, Callable[[str, _Values, _Values, str], str]] = {
    "cap": _cap,
    "grant": _grant,
    "revoke": _revoke,
    "blocked": _stands("blocked", "blocked", "not blocked"),
    "exempt": _stands("exempt", "exempt", "not exempt"),
    "pilot": _stands("pilot", "on the pilot list", "not on the pilot list"),
    "pilot off": _pilot_off,
    "access": _access,
    "pause": lambda whom, *more: _PAUSED("Darkroom", *more),
    "resume": lambda whom, *more: _PAUSED("Darkroom", *more),
    "alerts": _alerts,
    "uncertain": _uncertain,
    "refuse": lambda whom, before, after, timezone: f"said no to request {after['request']} of {whom}",
}


def uncertain_view(charges: Sequence[UncertainCharge], timezone: str, spend: str) -> View:
    """The charges that nobody can be sure of, and what can be decided about each."""
    lines = [
        f"• Charge {charge.number}: {format_usd(charge.charged_nano_usd)} for {person_words(charge.user_id)} "
        f"in {channel_words(charge.channel_id)}, {moment(charge.held_at, timezone)}, "
        f"{shown(charge.image_model, _FOUND_MAX)}, "
        + (
            f"OpenAI's id {shown(charge.response_id, _FOUND_MAX)}"
            if charge.response_id
            else "no id from OpenAI"
        )
        for charge in charges
    ]
    if not lines:
        return listing("Uncertain charges", [], ["There are none: every call's end is known."])
    notes = [
        "The connection broke, so nobody can say whether the picture was made; the most it can have cost is "
        "charged. OpenAI's usage page or logs may tell.",
        f"`{spend} uncertain accept {charges[0].number}` lets charge {charges[0].number} stand, "
        f"`{spend} uncertain correct {charges[0].number} 0.05` makes it $0.05, "
        f"`{spend} uncertain waive {charges[0].number}` takes it back.",
    ]
    return listing(
        f"Uncertain charges (times in {escape(timezone)})", lines, notes, "they come when these are decided."
    )


_KINDS: Mapping[AlertKind, str] = {
    AlertKind.CAP_NEAR: "a cap is nearly reached",
    AlertKind.CAP_REACHED: "a cap is reached",
    AlertKind.OVERRUN: "a charge was larger than its hold",
    AlertKind.UNCERTAIN: "nobody can say what a call cost",
    AlertKind.UNKNOWN_MODEL: "an answer named a model without a price",
    AlertKind.UNPRICED: "somebody was refused because a model has no price",
    AlertKind.SHUTDOWN: "a model that is used will be shut down",
    AlertKind.QUOTA: "the OpenAI account has no money left",
    AlertKind.KEY: "OpenAI does not accept the key",
    AlertKind.REGION: "OpenAI does not serve the place that it is called from",
    AlertKind.FAILING: "call after call to OpenAI fails",
    AlertKind.RESUMED: "OpenAI makes pictures again",
    AlertKind.NO_ACCESS: "the account may use none of the models",
    AlertKind.MONTH_END: "the report of a month",
}
_NAMED: Mapping[str, str] = {"model": "", "on": "", "number": "charge ", "trouble": "after "}
"""Details that are shown as they are, and what stands before each."""


def alerts_view(
    where: str, recent: Sequence[tuple[Alert, bool, str | None]], timezone: str, spend: str, *, channel: bool
) -> View:
    """Where alerts for admins go (*where* stands behind "Alerts go"; *channel* says that it is one, which can
    be put off) and the newest of them."""
    lines = [
        f"• {moment(alert.raised_at, timezone)}: {_alert(alert)}, {_fate(done, why)}"
        for alert, done, why in recent
    ]
    how = "with another channel, or `off`," if channel else "with a channel"
    notes = [f"Alerts go {where}. `{spend} alerts` {how} changes that."]
    if not lines:
        notes.append("There was none yet.")
    return listing(_newest("Alerts for admins", lines, timezone), lines, notes)


def _alert(alert: Alert) -> str:
    details, words = alert.details, _KINDS[alert.kind]
    budget = {"channel": channel_words(str(details.get("channel_id", ""))), "workspace": "the workspace"}
    if details.get("budget") in budget:
        words += f" ({budget[str(details['budget'])]}, {details.get('percent', 100)}%)"
    elif found := [
        f"{what}{shown(str(details[name]), _FOUND_MAX)}" for name, what in _NAMED.items() if name in details
    ]:
        words += f" ({', '.join(found)})"
    return words


def _fate(done: bool, given_up: str | None) -> str:
    if given_up is not None:
        return f"given up: {shown(given_up, _FOUND_MAX)}"
    return "sent" if done else "on its way"
