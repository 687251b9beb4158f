"""What people and admins are told of their own accord: a sentence for each kind of alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.alerts import Alert, AlertKind, Audience
from darkroom.spending.periods import BadTimezone
from darkroom.spending.spans import Span, span_words
from darkroom.turns.outages import Trouble
from handlers.blocks.scopes import Details, channel_words, person_words, whose_words
from handlers.blocks.text import View, context, counted, section, shown, when
from handlers.words import Voice, more_money
from handlers.words_waiting import how_to_mend, why_closed, why_was

WORDS_MAX = 1_500
"""As much as is shown of what the API or the catalogue said."""

Said = tuple[str, str]
"""What happened, and what to do next."""


def alert_view(alert: Alert, voice: Voice, note: str = "") -> View:
    """One alert as a message; *note* (``mrkdwn``, already escaped) says why it comes here.

    ``text`` is complete. A detail that is missing, as in an alert of an older version, is left open.
    """
    happened, todo = _SENTENCES[alert.kind](_Told(alert.details, alert, voice))
    todo = f"{todo} {note}".strip()
    return View(text=f"{happened} {todo}", blocks=(section(happened), context(todo)))


def summary_view(alerts: Iterable[Alert], voice: Voice, note: str = "") -> View:
    """Many alerts in one message: how many of what."""
    listed = list(alerts)
    kinds = Counter(alert.kind for alert in listed)
    parts = [f"{_NAMES[kind]} ({number:,})" for kind, number in sorted(kinds.items())]
    happened = f"{counted(len(listed), 'more alert', 'more alerts')}: {', '.join(parts)}."
    for_admins = any(alert.audience is Audience.ADMINS for alert in listed)
    todo = f"`{voice.spend}{' alerts' if for_admins else ''}` shows them. {note}".strip()
    return View(text=f"{happened} {todo}", blocks=(section(happened), context(todo)))


def month_of(alert: Alert) -> Span | None:
    """The span that a month's report is about; None if the alert does not say."""
    try:
        details = {name: str(alert.details[name]) for name in ("start", "end", "timezone")}
        start, end = (datetime.fromisoformat(details[name]) for name in ("start", "end"))
    except (KeyError, ValueError):
        return None
    return Span(details["timezone"], start, end)


def unwritable(channel_id: str, slack_error: str, voice: Voice) -> str:
    """Why an alert for the alerts channel comes by direct message."""
    return (
        f"This comes by direct message, because I cannot write to {channel_words(channel_id)} "
        f"({shown(slack_error, 80)}): type `/invite` {voice.us} there, or choose another with "
        f"`{voice.spend} alerts`."
    )


@dataclass(frozen=True, slots=True)
class _Told(Details):
    alert: Alert
    voice: Voice

    @property
    def spend(self) -> str:
        return self.voice.spend

    def renews(self) -> str:
        try:
            at = datetime.fromisoformat(str(self.details.get("renews_at")))
            return f"It renews on {when(at, str(self.details.get('timezone') or self.voice.timezone))}."
        except (ValueError, BadTimezone):
            return f"`{self.spend}` says when it renews."

    def whose(self) -> str:
        return whose_words(self.details.get("budget"), str(self.details.get("channel_id", "")))

    def owner(self) -> str:
        """How a command names whose budget it is."""
        channel = channel_words(str(self.details.get("channel_id", "")))
        return channel if self.details.get("budget") == "channel" else "team"

    def picture(self) -> str:
        """Whose picture it was, where, and with what."""
        who = person_words(str(self.details.get("user_id", "")))
        where = channel_words(str(self.details.get("channel_id", "")))
        return f"a picture for {who} in {where} with {self.text('model', 'a model')}"


def _near(told: _Told) -> Said:
    happened = (
        f"{told.whose()} is {told.number('percent')}% used: {told.usd('charged_nano_usd')} of "
        f"{told.usd('cap_nano_usd')} {told.period()}. {told.renews()}"
    )
    return happened, _more_money(told)


def _reached(told: _Told) -> Said:
    happened = (
        f"{told.whose()} is as good as spent: {told.usd('charged_nano_usd')} of {told.usd('cap_nano_usd')} "
        f"{told.period()}, and what is left does not pay for another picture like the last one. "
        f"{told.renews()}"
    )
    return happened, _more_money(told)


def _more_money(told: _Told) -> str:
    if told.alert.audience is Audience.PERSON:
        return (
            f"`{told.spend}` shows what is left. A smaller size or `--quality low` costs less. "
            f"{more_money(told.voice, told.alert.user_id)}"
        )
    owner = told.owner()
    # A channel's markup is not shown inside a code span.
    shows = f"`{told.spend} {owner}`" if owner == "team" else f"`{told.spend}` {owner}"
    return (
        f"{shows} shows where it went. `{told.spend} cap` {owner} and an amount raises the "
        f"cap; `{told.spend} grant` with whom, an amount and `until 2026-12-31` gives more once."
    )


def _overrun(told: _Told) -> Said:
    happened = (
        f"A charge was larger than what was held for it: {told.picture()} cost "
        f"{told.usd('charged_nano_usd')}, held was {told.usd('hold_nano_usd')}. It is charged in full."
    )
    return happened, (
        f"`{told.spend} models` shows the prices that are counted with; if they are not OpenAI's any more, "
        f"put the right ones into the catalogue file. The turn is {told.text('turn_id', 'not named')}."
    )


def _uncertain(told: _Told) -> Said:
    number = told.number("number")
    happened = (
        f"Nobody can say what {told.picture()} cost: the connection broke while it was being made. The "
        f"whole hold, {told.usd('charged_nano_usd')}, is charged until you decide."
    )
    return happened, (
        f"`{told.spend} uncertain` lists it. `{told.spend} uncertain accept {number}` lets the charge stand, "
        f"`correct {number} 0.05` sets what it was, `waive {number}` takes it back."
    )


def _unknown_model(told: _Told) -> Said:
    happened = (
        f"OpenAI answered with a model that has no price here: {told.text('model', 'not named')}. It was "
        f"priced as {told.text('priced_as', 'the one that was asked for')}."
    )
    return happened, f"Put its price into the catalogue file; `{told.spend} models` shows what is known."


def _unpriced(told: _Told) -> Said:
    why = told.text("why", "The model has no price.", WORDS_MAX)
    happened = f"Somebody was refused a picture, because its model has no price. {why}"
    return happened, (
        f"Put these lines into the catalogue file with the real prices and start again; "
        f"`{told.spend} models` shows what is known."
    )


def _shutdown(told: _Told) -> Said:
    days, model = told.number("days"), told.text("model", "A model that you use")
    left = f"in {counted(days, 'day', 'days')}" if days > 0 else "today" if days == 0 else "by now"
    happened = (
        f"{model} is shut down {left}, on {told.text('on', 'a day that is not known')}. It is the model of "
        f"{told.text('setting', 'a setting')}."
    )
    new = told.text("replacement")
    advice = f"Set {told.text('setting', 'it')} to {new}" if new else "Set another one"
    return happened, f"{advice} and start Darkroom again; `{told.spend} models` shows all that are known."


def _closed(told: _Told) -> Said:
    """Quota, key and region: only an admin can mend them; the queue is kept."""
    trouble = told.alert.kind
    why = why_closed(trouble)
    return (
        f"{why[0].upper()}{why[1:]}, so that no pictures are made.{_api_words(told)}",
        f"{how_to_mend(trouble)} What was asked keeps its place for 24 hours; Darkroom tries from time to "
        "time and goes on by itself. Until then new requests are declined, and people read why.",
    )


def _failing(told: _Told) -> Said:
    return (
        "Call after call to OpenAI has failed for some minutes, so that Darkroom leaves it alone for a while."
        + _api_words(told),
        "What was asked keeps its place, nothing is declined, and Darkroom tries every few minutes and goes "
        f"on by itself. {how_to_mend(Trouble.FAILING)} `{told.spend} uncertain` lists calls whose cost "
        "nobody knows.",
    )


def _resumed(told: _Told) -> Said:
    try:
        at = datetime.fromisoformat(str(told.details.get("began_at")))
        since = f" since {when(at, told.voice.timezone)}"
    except ValueError:
        since = ""
    was = f"It could not{since}: {why_was(str(told.details.get('trouble', '')))}."
    return (
        f"OpenAI makes pictures again. {was} What waited is being made.",
        f"Nothing has to be done; `{told.spend} uncertain` lists calls whose cost nobody knows, if there are "
        "any.",
    )


def _no_access(told: _Told) -> Said:
    return (
        "The OpenAI account may use none of the models that Darkroom is set to." + _api_words(told),
        "Allow them for the project on OpenAI's page, or set image.model to one that it may use; "
        f"`{told.spend} models` shows those that are known.",
    )


def _api_words(told: _Told) -> str:
    message = told.text("message", limit=WORDS_MAX)
    return f" OpenAI's words: {message}" if message else ""


def _month_end(told: _Told) -> Said:
    span = month_of(told.alert)
    month = "A month" if span is None else span_words(span)
    return (
        f"{month} has ended: its spend report follows.",
        f"`{told.spend} report last month` sends it again; the setting reports.month_end turns this off.",
    )


_SENTENCES: Mapping[AlertKind, Callable[[_Told], Said]] = {
    AlertKind.CAP_NEAR: _near,
    AlertKind.CAP_REACHED: _reached,
    AlertKind.OVERRUN: _overrun,
    AlertKind.UNCERTAIN: _uncertain,
    AlertKind.UNKNOWN_MODEL: _unknown_model,
    AlertKind.UNPRICED: _unpriced,
    AlertKind.SHUTDOWN: _shutdown,
    AlertKind.QUOTA: _closed,
    AlertKind.KEY: _closed,
    AlertKind.REGION: _closed,
    AlertKind.FAILING: _failing,
    AlertKind.RESUMED: _resumed,
    AlertKind.NO_ACCESS: _no_access,
    AlertKind.MONTH_END: _month_end,
}
_NAMES: Mapping[AlertKind, str] = {
    AlertKind.CAP_NEAR: "a budget near its cap",
    AlertKind.CAP_REACHED: "a budget that is as good as spent",
    AlertKind.OVERRUN: "a charge above its hold",
    AlertKind.UNCERTAIN: "an uncertain charge",
    AlertKind.UNKNOWN_MODEL: "an answer from an unknown model",
    AlertKind.UNPRICED: "a model without a price",
    AlertKind.SHUTDOWN: "a model that is shut down soon",
    AlertKind.QUOTA: "no money at OpenAI",
    AlertKind.KEY: "a key that is not accepted",
    AlertKind.REGION: "a place that OpenAI does not serve",
    AlertKind.FAILING: "calls that fail one after the other",
    AlertKind.RESUMED: "OpenAI works again",
    AlertKind.NO_ACCESS: "no access to a model",
    AlertKind.MONTH_END: "a month's report",
}
