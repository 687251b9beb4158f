"""What admins are answered: what was, what is now, and what that means for requests that wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from darkroom.spending.budgets import Balance, Limit
from darkroom.spending.changes import CannotChange, Changed, Entry
from darkroom.spending.money import format_usd
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import ALL, EVERY_CHANNEL, EVERY_PERSON, EVERYONE, Dimension, Policy
from handlers.blocks.scopes import (
    channel_words,
    last_day_words,
    limit_words,
    person_words,
    rules_words,
    scope_words,
)
from handlers.blocks.text import counted, when
from handlers.words import Voice

AT_ONCE = "It acts at once, also on requests that wait; pictures that are being made now are finished."


@dataclass(frozen=True, slots=True)
class Situation:
    """What an answer needs to know beside the change: who asked, everything decided now, the listed model
    that is used when nobody says otherwise, the balance of the budget that a grant is for, and whether it is
    the last of several changes: what holds for all of them is said once, behind it."""

    voice: Voice
    asker: str
    policy: Policy
    usual_model: str
    balance: Balance | None = None
    last: bool = True


def changed_words(done: Changed, now: Situation) -> str:
    """The answer to a change; the same for one that Slack sent again."""
    entry = done.entry
    return _ANSWERS[entry.action](_Change(entry, entry.before or {}, entry.after or {}, now))


def cannot_words(problem: CannotChange, voice: Voice) -> str:
    """Why a change makes no sense as things stand; nothing was done."""
    sentence = _CANNOT[problem.reason].format(spend=voice.spend)
    if problem.entry is not None:
        at = when(problem.entry.at, voice.timezone)
        sentence += f" It was done by {person_words(problem.entry.user_id)} on {at}."
    return f"Nothing was changed. {sentence}"


_CANNOT: Mapping[str, str] = {
    "no_such_grant": "There is no grant with that number; `{spend} grants` lists them.",
    "grant_revoked": "That grant was revoked before; `{spend} grants` lists those that are left.",
    "grant_ended": "That grant has ended by itself; `{spend} grants` lists those that are left.",
    "no_such_charge": "There is no uncertain charge with that number; `{spend} uncertain` lists them.",
    "already_corrected": "That charge was decided before; `{spend} history` shows how.",
    "no_such_request": "There is no request for more money with that number.",
    "already_answered": "That request was answered before; `{spend} history` shows how.",
    "budget_renewed": "That budget has renewed meanwhile, so a grant for it would have ended already.",
}


@dataclass(frozen=True, slots=True)
class _Change:
    entry: Entry
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    now: Situation

    @property
    def idle(self) -> bool:
        """Whether all was so already."""
        return self.before == self.after

    @property
    def whom(self) -> str:
        return scope_words(self.entry.subject, self.entry.subject_id)

    @property
    def spend(self) -> str:
        return self.now.voice.spend


def _limit(values: Mapping[str, Any]) -> Limit:
    return Limit(values["cap_nano_usd"], PeriodKind(values["period"]))


_SETTINGS = frozenset({EVERY_PERSON, EVERY_CHANNEL})


def _cap(change: _Change) -> str:
    scope = change.entry.subject
    usual = "as in the settings" if scope in _SETTINGS or scope.startswith("workspace:") else "the default"

    def words(values: Mapping[str, Any]) -> str:
        limit = _limit(values)
        much = "unlimited" if limit.cap_nano_usd is None else limit_words(limit)
        return much + ("" if values["own"] else f" ({usual})")

    what = f"the default cap of {change.whom}" if scope in _SETTINGS else f"{change.whom}'s cap"
    if change.idle:
        return f"Nothing changed: {what} was {words(change.after)} already."
    answer = f"{what[0].upper()}{what[1:]} is now {words(change.after)}; it was {words(change.before)}."
    if scope.removeprefix("person:") in change.now.policy.exempt:
        return f"{answer} They are exempt, so it acts only after `{change.spend} unexempt` with their name."
    return f"{answer} {AT_ONCE}"


def _grant(change: _Change) -> str:
    after, timezone = change.after, change.now.voice.timezone
    answer = (
        f"Granted {format_usd(after['amount_nano_usd'])} to {change.whom}, to be used until "
        f"{last_day_words(datetime.fromisoformat(after['ends_at']), timezone)}, that day included. It is "
        f"grant {after['number']}: `{change.spend} revoke {after['number']}` takes back what is left of it."
    )
    balance = change.now.balance
    if balance is None:
        return f"{answer} Requests that wait for money go on at once."
    if balance.left_nano_usd is None:
        return f"{answer} There is no cap there now, so it is drawn on only once there is one."
    return (
        f"{answer} Left there now: {format_usd(balance.left_nano_usd)}, of which "
        f"{format_usd(balance.granted_nano_usd)} granted. Requests that wait for money go on at once."
    )


def _revoke(change: _Change) -> str:
    before = change.before
    return (
        f"Grant {before['number']} of {change.whom} is revoked: {format_usd(before['left_nano_usd'])} of "
        f"{format_usd(before['amount_nano_usd'])} was left, and nothing is now. What pictures that are being "
        "made now hold of it is still theirs."
    )


def _blocked(change: _Change) -> str:
    blocked = change.after["blocked"]
    if change.idle:
        return f"Nothing changed: {change.whom} was {'already' if blocked else 'not'} blocked."
    if not blocked:
        return f"{change.whom} is not blocked any more, and was until now: they can make pictures again."
    answer = (
        f"{change.whom} is now blocked, and was not: nothing is made for them any more, and what they have "
        f"waiting is declined. `{change.spend} unblock` with their name takes it back."
    )
    if change.entry.subject_id == change.now.asker:
        answer += f" That is you: you make no more pictures, but `{change.spend}` stays yours to use."
    elif change.entry.subject_id in change.now.voice.admins:
        answer += f" They stay an admin: blocking is about pictures, not about `{change.spend}`."
    return answer


def _exempt(change: _Change) -> str:
    exempt = change.after["exempt"]
    if change.idle:
        return f"Nothing changed: {change.whom} was {'already' if exempt else 'not'} exempt."
    if exempt:
        return (
            f"{change.whom} is now exempt, and was not: they have no cap of their own. The channel's and the "
            f"workspace's caps hold for them too. {AT_ONCE}"
        )
    return f"{change.whom} is not exempt any more, and was until now: their own cap holds again. {AT_ONCE}"


def _pilot(change: _Change) -> str:
    member, listed = change.after["pilot"], len(change.now.policy.pilots)
    size = f"The list has {counted(listed, 'entry', 'entries')}"
    if change.idle:
        return f"Nothing changed: {change.whom} was {'already' if member else 'not'} on the pilot list."
    if member:
        answer = f"{change.whom} is now on the pilot list, and was not."
        if not change.now.last:
            return answer
        return (
            f"{answer} {size}: only these people, and anybody in "
            "these channels, can make pictures. What others have waiting is declined."
        )
    answer = f"{change.whom} is not on the pilot list any more, and was until now."
    if not change.now.last:
        return answer
    if listed:
        return f"{answer} {size}. What they have waiting is declined."
    return f"{answer} The list is empty, so everybody can make pictures now."


def _pilot_off(change: _Change) -> str:
    if change.idle:
        return "Nothing changed: there was no pilot list, and everybody can make pictures."
    gone = counted(len(change.before["members"]), "entry", "entries")
    return f"There is no pilot list any more (it had {gone}): everybody can make pictures now."


def _access(change: _Change) -> str:
    dimension = change.after["dimension"]
    before, after = (rules_words(values["rules"].items()) for values in (change.before, change.after))
    what = f"{dimension} rules for {change.whom}"
    if change.idle:
        return f"Nothing changed: the {what} were already: {after}."
    answer = (
        f"The {what} are now: {after}. They were: {before}. A person's rules come before their channel's, a "
        f"channel's before everyone's; what no rule names is allowed. {AT_ONCE}"
    )
    usual, rules = change.now.usual_model, change.after["rules"]
    about_models = change.entry.subject == EVERYONE and dimension == Dimension.MODEL
    if about_models and not rules.get(usual, rules.get(ALL, True)):
        answer += f" `{usual}`, which is used when nobody names a model, is among what is denied."
    return answer


def _paused(change: _Change) -> str:
    paused = change.after["paused"]
    if change.idle:
        return f"Nothing changed: Darkroom was {'already' if paused else 'not'} paused."
    if paused:
        return (
            "Darkroom is now paused, and was not: nothing new is made, and what waits is declined. Pictures "
            f"that are being made now are finished. `{change.spend} resume` lets it go on."
        )
    return "Darkroom goes on, and was paused until now: pictures can be asked for again."


def alerts_words(channel_id: str | None, voice: Voice) -> str:
    """Where alerts for admins go, behind "Alerts go"."""
    if channel_id is not None:
        return f"to {channel_words(channel_id)}"
    if voice.admins:
        return "by direct message to the admins named in the settings"
    return "nowhere, because the settings name no admins"


def _alerts(change: _Change) -> str:
    voice = change.now.voice
    before, after = (alerts_words(values["channel_id"], voice) for values in (change.before, change.after))
    if change.idle:
        return f"Nothing changed: alerts went {after} already."
    answer = f"Alerts now go {after}; before, they went {before}."
    if change.after["channel_id"] is not None:
        answer += f" If I am not in that channel, type `/invite` {voice.us} there."
    elif not voice.admins:
        answer += f" `{voice.spend} alerts` with a channel sends them there."
    return answer


def _uncertain(change: _Change) -> str:
    was, now = (format_usd(values["charged_nano_usd"]) for values in (change.before, change.after))
    charge = f"uncertain charge {change.after['number']} of {change.whom}"
    if change.after["decided"] == "accepted":
        return f"Accepted: {charge} stands at {now}, as it was. It is not listed any more."
    waived = " (waived)" if change.after["decided"] == "waived" else ""
    return (
        f"The {charge} is now {now}{waived}; it was {was}. The difference counts in the period in which the "
        "picture was asked for, and requests that wait for that money go on at once."
    )


def _refuse(change: _Change) -> str:
    return f"Request {change.after['request']} for more money is answered with no. Nothing was granted."


_ANSWERS: Mapping[str, Callable[[_Change], str]] = {
    "cap": _cap,
    "grant": _grant,
    "revoke": _revoke,
    "blocked": _blocked,
    "exempt": _exempt,
    "pilot": _pilot,
    "pilot off": _pilot_off,
    "access": _access,
    "pause": _paused,
    "resume": _paused,
    "alerts": _alerts,
    "uncertain": _uncertain,
    "refuse": _refuse,
}
