"""How a turn ends that is not made: no model for it, no money, or an admin has decided against it."""

from __future__ import annotations

from darkroom.spending.budgets import Bar, Barred, NoMoney
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.planning import NotAllowed, Unusable


def declined(problem: Unusable | NotAllowed) -> Ending:
    """The ending of a turn for which there is no model, or none that may be used."""
    if isinstance(problem, NotAllowed):
        return _not_allowed(problem.barred, problem.allowed)
    details = {"why": str(problem), "unpriced": problem.unpriced}
    return Ending(Outcome.DECLINED, Reason.MODEL_UNUSABLE, details)


def _not_allowed(barred: Barred, allowed: tuple[str, ...] = ()) -> Ending:
    details = {"dimension": barred.bar, "value": barred.value, "allowed": ", ".join(allowed)}
    return Ending(Outcome.DECLINED, Reason.NOT_ALLOWED, details)


_BARS = {
    Bar.PAUSED: Reason.PAUSED,
    Bar.BLOCKED: Reason.BLOCKED,
    Bar.NOT_IN_PILOT: Reason.NOT_IN_PILOT,
}


def refused(why: NoMoney | Barred) -> Ending:
    """The ending of a turn that its budget cannot pay, or that an admin has decided against."""
    if isinstance(why, Barred):
        return Ending(Outcome.DECLINED, _BARS[why.bar]) if why.bar in _BARS else _not_allowed(why)
    balance = why.balance
    return Ending(
        Outcome.DECLINED,
        Reason.NO_MONEY,
        {
            "budget": balance.kind,
            "cap_nano_usd": balance.cap_with_grants_nano_usd or 0,
            "charged_nano_usd": balance.charged_nano_usd,
            "held_nano_usd": balance.held_nano_usd,
            "left_nano_usd": balance.left_nano_usd or 0,
            "needed_nano_usd": why.hold_nano_usd,
            "renews_at": balance.period.end.isoformat(),
            "timezone": balance.period.timezone,
            "period": balance.period.kind,
        },
    )
