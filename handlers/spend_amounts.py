"""The commands behind ``/spend`` that are about amounts: caps, grants, and what an uncertain charge was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from darkroom.spending.changes import (
    Correct,
    DropCap,
    EveryChannel,
    EveryPerson,
    GiveGrant,
    Owner,
    RevokeGrant,
    SetCap,
)
from darkroom.spending.money import format_usd
from darkroom.spending.periods import PeriodKind, period_at
from handlers.spend_commands import (
    Changes,
    Command,
    ListUncertain,
)
from handlers.spend_operands import (
    LAST_DAY,
    Rules,
    Wrong,
    first_of,
    nothing_more,
    owner_of,
    read_amount,
    read_last_day,
    read_number,
    says,
    show,
    typed_name,
)
from handlers.spend_tokens import Token, Word

_PERIODS = {
    **{kind.value: kind for kind in PeriodKind},
    "monthly": PeriodKind.month,
    "weekly": PeriodKind.week,
    "daily": PeriodKind.day,
}
_FILLERS = ("a", "per", "each", "every", "to", "=", "usd", "dollar", "dollars", "$")
"""Words that change nothing about an amount."""


def read_cap(rest: Sequence[Token], rules: Rules) -> Command:
    """`cap default|@person|#channel|team 20|none|default [month|week|day]`. Raises ``Wrong``, as all do."""
    first = first_of(rest, "whose cap: `default`, a person, a channel or `team`")
    words = [token for token in rest[1:] if not says(token, *_FILLERS)]
    of: Owner | EveryPerson | EveryChannel | None = owner_of(first)
    if says(first, "channels"):
        of = EveryChannel()
    if says(first, "default", "everyone", "everybody", "people"):
        of = EveryPerson()
        if words and says(words[0], "channels", "channel", "people", "person"):
            of = EveryChannel() if says(words[0], "channels", "channel") else of
            words = words[1:]
    if of is None:
        raise Wrong(
            f"A cap is of `default`, a person, a channel or `team`; “{show(first)}” is none."
            f"{typed_name(first)}"
        )
    if not words:
        raise Wrong("Say how much: an amount, `none` for no cap, or `default` to take the exception back.")
    if says(words[0], "default"):
        nothing_more(words[1:], "default")
        return Changes((DropCap(of),))
    cap = None if says(words[0], "none", "unlimited") else read_amount(words[0])
    return Changes((SetCap(of, cap, _period(words[1:])),))


def _period(rest: Sequence[Token]) -> PeriodKind | None:
    if not rest:
        return None
    kind = _PERIODS.get(rest[0].text) if isinstance(rest[0], Word) else None
    if kind is None:
        raise Wrong(f"A cap is for each `month`, `week` or `day`; “{show(rest[0])}” is none of them.")
    nothing_more(rest[1:], kind.value)
    return kind


def read_grant(rest: Sequence[Token], rules: Rules) -> Command:
    """`grant @person|#channel|team 15 [until 2026-12-31]`."""
    first = first_of(rest, "whom to grant it to: a person, a channel or `team`")
    to = owner_of(first)
    if to is None:
        raise Wrong(
            f"A grant is for a person, a channel or `team`; “{show(first)}” is none.{typed_name(first)}"
        )
    words = [token for token in rest[1:] if not says(token, *_FILLERS)]
    if not words:
        raise Wrong("Say how much.")
    amount = read_amount(words[0])
    if amount == 0:
        raise Wrong(f"A grant is more than {format_usd(0)}.")
    return Changes((GiveGrant(to, amount, _until(words[1:], rules)),))


def _until(rest: Sequence[Token], rules: Rules) -> datetime:
    words = [token.text if isinstance(token, Word) else "" for token in rest]
    if not words:
        return period_at(PeriodKind.month, rules.timezone, rules.now).end
    if words[0] in ("until", "till", "through"):
        words = words[1:]
    elif not LAST_DAY.fullmatch(words[0]):
        words = []
    if not words:
        raise Wrong("Behind the amount may stand `until` and the last day that it is good for.")
    return read_last_day(" ".join(word for word in words if word != "the"), rules)


def read_revoke(rest: Sequence[Token], rules: Rules) -> Command:
    """`revoke 3`."""
    number = read_number(rest, "a grant")
    nothing_more(rest[1:], f"revoke {number}")
    return Changes((RevokeGrant(number),))


def read_uncertain(rest: Sequence[Token], rules: Rules) -> Command:
    """`uncertain [accept 3|correct 3 0.05|waive 3]`."""
    if not rest:
        return ListUncertain()
    if not says(rest[0], "accept", "correct", "waive"):
        raise Wrong(f"A charge can be accepted, corrected or waived; “{show(rest[0])}” is none of these.")
    number = read_number(rest[1:], "a charge")
    if not says(rest[0], "correct"):
        nothing_more(rest[2:], "accept N` or `waive N")
        return Changes((Correct(number, 0 if says(rest[0], "waive") else None),))
    if len(rest) < 3:
        raise Wrong("Say what it really cost.")
    nothing_more(rest[3:], "correct N 0.05")
    return Changes((Correct(number, read_amount(rest[2])),))
