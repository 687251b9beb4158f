"""What the books know of the API from pictures that were made: limits, refusals, a time without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.doctor.finding import Finding, fail, good, skip, warn
from bot.doctor.models import VERIFY, Candidate
from darkroom.turns.account_book import RateSeen
from darkroom.turns.outages import Outage, Trouble
from storage.checkup import Checkup, LastCall

LATELY = timedelta(days=7)
"""A refusal of longer ago says nothing of today."""
REFUSALS = ("http_403", "http_404", "model_not_found", "invalid_value", "unsupported_value")
"""How the API says that an account may not use a model (``darkroom/rendering/errors.py``)."""
_REMEDIES = {
    Trouble.QUOTA: "Add credit, or raise the limit: platform.openai.com → Settings → Billing.",
    Trouble.KEY: "Put a key that works into .env, and start Darkroom again.",
    Trouble.REGION: "Run Darkroom where the API is offered.",
    Trouble.FAILING: "It is tried again from time to time. Look at status.openai.com.",
}


def look_at_calls(
    known: Checkup, candidates: Sequence[Candidate], now: datetime, *, alive: bool
) -> list[Finding]:
    """What the books have seen of the API; nothing of it is asked now. *alive* says whether a Darkroom is
    running, which waits in an outage."""
    return [
        *_outage(known.outage, alive=alive),
        *(found for each in candidates for found in _refused(each, known.calls, now)),
        _rates(known.rates, now),
    ]


def _outage(outage: Outage | None, *, alive: bool) -> list[Finding]:
    if outage is None:
        return []
    check, began, remedy = "openai.outage", f"{outage.began_at:%Y-%m-%d %H:%M} UTC", _REMEDIES[outage.trouble]
    if not alive:
        said = f"when Darkroom last ran, the API was of no use to it since {began}: {outage.message}"
        return [warn(check, said, f"{remedy} If that is done: it is tried again after the next start.")]
    said = f"since {began} the API is of no use to Darkroom: {outage.message}"
    grade = warn if outage.trouble is Trouble.FAILING else fail
    return [grade(check, said, remedy)]


def _refused(candidate: Candidate, calls: Sequence[LastCall], now: datetime) -> list[Finding]:
    """A model may be listed to an account that may not call it: only a call shows that. Which of the two it
    was about, the code of a refusal does not say."""
    last = next((call for call in calls if call.image_model == candidate.model), None)
    if last is None or last.error not in REFUSALS or now - last.sent_at > LATELY:
        return []
    what = f"{last.image_model} with {last.host_model}" if last.host_model else last.image_model
    said = f"the last call of {what}, {last.sent_at:%Y-%m-%d %H:%M} UTC, was refused: {last.error}"
    return [warn(f"{candidate.setting}.called", said, f"If the organisation is not verified: {VERIFY}")]


def _rates(rates: Sequence[RateSeen], now: datetime) -> Finding:
    check = "openai.rates"
    if not rates:
        return skip(check, "no limits were seen yet: the answers to pictures name them")
    told = "; ".join(_rate(each) for each in rates[:10])
    return good(check, f"{told} (as last seen, {_ago(now - max(each.seen_at for each in rates))})")


def _rate(rate: RateSeen) -> str:
    limits = (
        (rate.limits.pictures, "pictures"),
        (rate.limits.requests, "requests"),
        (rate.limits.tokens, "tokens"),
    )
    named = ", ".join(f"{count:,} {unit}" for count, unit in limits if count is not None)
    return f"{rate.model} ({rate.endpoint}): {named or 'none'} a minute"


def _ago(passed: timedelta) -> str:
    hours = int(passed.total_seconds() // 3600)
    return f"{hours // 24} days ago" if hours >= 48 else f"{hours} hours ago" if hours >= 2 else "just now"
