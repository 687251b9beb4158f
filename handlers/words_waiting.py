"""What people read of a request that waits, and of times when the image API cannot be used: why, what becomes
of what they asked, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from darkroom.turns.outages import Trouble
from darkroom.turns.waiting import Wait, WaitFor
from handlers.blocks.text import mention

CANCEL_TOO_LATE = (
    "It is too late to cancel this: it is already being made, so it will still arrive and be charged. What "
    "arrives can be deleted in its menu."
)
CANCELLED_BEFORE = "This request was cancelled before: nothing was made and nothing was charged."
NOTHING_TO_CANCEL = "There is nothing left to cancel: this request has ended. What came of it was told then."

_WHY: Mapping[str, str] = {
    Trouble.QUOTA: "the OpenAI account has no money left or has reached its limit",
    Trouble.KEY: "OpenAI does not accept Darkroom's key",
    Trouble.REGION: "OpenAI does not serve the place that Darkroom calls it from",
    Trouble.FAILING: "OpenAI fails call after call at the moment",
}
_WAS: Mapping[str, str] = {
    Trouble.QUOTA: "the account had no money left or had reached its limit",
    Trouble.KEY: "Darkroom's key was not accepted",
    Trouble.REGION: "the place that Darkroom calls it from was not served",
    Trouble.FAILING: "call after call failed",
}
_MEND: Mapping[str, str] = {
    Trouble.QUOTA: "Add money or raise the limit on OpenAI's billing page; Darkroom needs no restart.",
    Trouble.KEY: (
        "Put a key that works into OPENAI_API_KEY and start Darkroom again; what waits is kept meanwhile."
    ),
    Trouble.REGION: (
        "Run Darkroom from a country or region that OpenAI serves (its documentation lists them), or let its "
        "calls go out from there; what waits is kept meanwhile."
    ),
    Trouble.FAILING: (
        "Nothing has to be done, unless OpenAI's status page reports nothing: then look at this machine's "
        "network."
    ),
}


def why_closed(trouble: str | None) -> str:
    """The clause behind "because" for a ``Trouble``, with no full stop; in general words for another one."""
    return _WHY.get(str(trouble), "OpenAI cannot be used at the moment")


def why_was(trouble: str) -> str:
    """The same of a ``Trouble`` that is over."""
    return _WAS.get(trouble, "the reason is not known any more")


def how_to_mend(trouble: str) -> str:
    """What an admin does about a ``Trouble``; nothing for another one."""
    return _MEND.get(trouble, "")


def cancelled_for(user_id: str) -> str:
    """An admin has called off the request of somebody else."""
    return f"Cancelled: nothing was made and nothing was charged. {mention(user_id)} is told that you did."


def cancelling_not_yours(an_admin: str) -> str:
    """Somebody who did not ask for it, and is no admin, pressed Cancel."""
    return f"Only who asked for this and admins can cancel it. Ask them, or {an_admin}."


def not_taken_in(trouble: str, an_admin: str) -> str:
    """Why a request is declined while a ``Trouble`` lasts; *an_admin* is whom to ask."""
    return (
        f"{why_closed(trouble)}, so nothing new is taken in. What was asked before keeps its place, and I go "
        f"on by myself as soon as it works. Ask again later, or ask {an_admin} about it."
    )


def waited_in_vain(trouble: str, an_admin: str) -> str:
    """A request waited for the end of a ``Trouble`` for as long as it may."""
    why = why_closed(trouble)
    return (
        f"{why[0].upper()}{why[1:]}, and it stayed so for as long as your request could wait, so nothing was "
        f"made. Tell {an_admin}, then ask again."
    )


def wait_words(wait: Wait, now: datetime) -> str:
    """What a request waits for, in a clause that everybody may read: it begins with a small letter, or with a
    name, and has no full stop."""
    until = None if wait.until is None else (wait.until - now).total_seconds()
    if wait.why is WaitFor.PLACE:
        return _place(wait.ahead)
    if wait.why is WaitFor.THREAD:
        return "what was asked before it in this thread is made first"
    if wait.why is WaitFor.MONEY:
        # Whose money, and how much of it is held, is nobody else's business.
        return "other pictures have to be finished first"
    if wait.why is WaitFor.RATE:
        soon = "" if until is None else f",{soon_words(until)}"
        return f"{rate_words(wait.per_minute)}; this one is {_place(wait.ahead)}{soon}"
    place = f" ({_place(wait.ahead)})" if wait.ahead else ""
    again = f"; the next try is{soon_words(until)}" if until is not None else ""
    return (
        f"{why_closed(wait.trouble)}; the request keeps its place{place}, and I go on by myself as soon as "
        f"it works{again}"
    )


def ordinal(number: int) -> str:
    """ "1st", "2nd", "13th", "1,003rd"."""
    teen = 10 <= number % 100 <= 20
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _place(ahead: int) -> str:
    return "next in line" if ahead <= 0 else f"{ordinal(ahead + 1)} in line"


def rate_words(per_minute: int | None) -> str:
    """A clause that says how fast the account may call, as far as that is known."""
    if per_minute is None or per_minute < 1:
        return "OpenAI lets this account make only so many pictures a minute"
    pictures = "1 picture" if per_minute == 1 else f"{per_minute:,} pictures"
    return f"OpenAI lets this account make {pictures} a minute"


def soon_words(seconds: float | None) -> str:
    """ " in about 40 s", in steps that do not change with every look; nothing where it is not known."""
    if seconds is None:
        return ""
    if seconds <= 5:
        return " in a moment"
    if seconds <= 60:
        return f" in about {-(-int(seconds) // 10) * 10 or 10} s"
    minutes = -(-int(seconds) // 60)
    return f" in about {minutes} min" if minutes < 60 else f" in about {-(-minutes // 60)} h"
