"""``/imagine status``: whether pictures can be made now, how soon, with which model and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from darkroom.spending.spans import day_words
from darkroom.turns.outages import Closed, Slowed
from handlers.blocks.tables import chunks, fitting, within
from handlers.blocks.text import SECTION_MAX, TEXT_MAX, Block, View, context, counted, escape, section, when
from handlers.words_waiting import how_to_mend, rate_words, soon_words, why_closed

DIVIDER: Block = {"type": "divider"}
PART_MAX = 2_500
"""Characters of a part: Slack refuses messages of much more than 13,000."""
SOON_DAYS = 30
"""The end of a model is counted in days when it is so near."""


@dataclass(frozen=True, slots=True)
class ModelNow:
    """A model of the settings. ``problem`` is why the catalogue says that it cannot be used (empty: it can),
    ``ends_on`` the first day without it, by whoever names the earlier one; ``refused`` says that the API
    refused it within the last hour."""

    name: str
    problem: str = ""
    ends_on: date | None = None
    refused: bool = False

    @property
    def works(self) -> bool:
        """Whether it is called."""
        return not self.problem and not self.refused


@dataclass(frozen=True, slots=True)
class Now:
    """How things are at ``at``. ``models`` are tried in their order; ``host`` is used with each, unless the
    Images endpoint is called. ``wait_s`` is how long a request that comes now likely waits to be begun, and
    ``typical_s`` how long a picture takes, in seconds; None where that is not known."""

    at: datetime
    timezone: str
    models: Sequence[ModelNow]
    host: ModelNow
    paused: bool
    closed: Closed | None
    slowed: Slowed | None
    running: int
    waiting: int
    wait_s: float | None
    typical_s: float | None
    spend: str
    an_admin: str


@dataclass(frozen=True, slots=True)
class Part:
    """More of it, for admins: ``about`` says in small print what the lines are (all escaped ``mrkdwn``)."""

    heading: str
    about: str
    lines: Sequence[str]


def status_view(now: Now, parts: Sequence[Part] = (), *, admin: bool) -> View:
    """What people read; admins also what to do about it, and *parts*."""
    headline, whys = _headline(now, admin=admin)
    lines = [_queue(now), _model(now), _ends(now)]
    blocks: list[Block] = [
        section("\n".join([f"*{headline}*", *whys])),
        section("\n".join(f"• {line}" for line in lines)),
    ]
    spoken = [f"{headline}.", *whys, *(f"{line}." for line in lines)]
    for part in parts:
        blocks += [DIVIDER, section(f"*{part.heading}*"), *_listed(part.lines), context(part.about)]
        spoken += [f"{part.heading}.", part.about, *(f"{line}." for line in part.lines)]
    return View(fitting(spoken, TEXT_MAX, "The rest stands in the message itself."), tuple(blocks))


def _listed(lines: Sequence[str]) -> list[Block]:
    """As many lines as fit into a part."""
    kept = within([f"• {line}" for line in lines], PART_MAX)
    more = [f"And {len(lines) - len(kept):,} more."] if len(kept) < len(lines) else []
    return [section(chunk) for chunk in chunks([*kept, *more], SECTION_MAX)]


def _headline(now: Now, *, admin: bool) -> tuple[str, list[str]]:
    """Whether it works, and where it does not, why, and what to do."""
    closed, ask = now.closed, f"Ask {now.an_admin} about it."
    if closed is not None:
        return "Darkroom cannot make pictures at the moment", [_outage(now, closed, admin=admin)]
    if now.paused:
        then = f"`{now.spend} resume` ends that." if admin else ask
        return "Darkroom is paused", [
            f"An admin has decided that nothing new is made until they end it. {then}"
        ]
    if not any(not model.problem for model in now.models):
        then = "The settings have to name another model." if admin else ask
        return "Darkroom cannot make pictures", [f"None of its models can be used any more. {then}"]
    if not any(model.works for model in now.models):
        then = "Part 2 below has the API's own words." if admin else ask
        return "Darkroom cannot make pictures at the moment", [
            "The image API refuses its models to this account. Each new request tries them again, so that it "
            f"goes on by itself as soon as they are given. {then}"
        ]
    if now.slowed is not None:
        soon = soon_words((now.slowed.next_at - now.at).total_seconds())
        return "Darkroom works, and slowly", [
            f"{rate_words(now.slowed.per_minute)}, and requests wait for that: the next one goes{soon}."
        ]
    return "Darkroom works", []


def _outage(now: Now, closed: Closed, *, admin: bool) -> str:
    trouble = closed.outage.trouble
    why = why_closed(trouble)
    taken = (
        "Nothing new is taken in; what was asked before keeps its place"
        if trouble.stops_intake
        else "What is asked for now waits in line"
    )
    soon = soon_words((closed.next_try_at - now.at).total_seconds())
    then = how_to_mend(trouble) if admin else f"If it stays so, ask {now.an_admin} about it."
    return (
        f"{why[0].upper()}{why[1:]}, since {when(closed.outage.began_at, now.timezone)}. {taken}, and I go "
        f"on by myself as soon as it works; the next try is{soon}. {then}"
    )


def _queue(now: Now) -> str:
    """How long the line is, and how long that takes."""
    made = counted(now.running, "request is being made", "requests are being made")
    waits = counted(now.waiting, "request waits", "requests wait") if now.waiting else "nobody waits"
    line = f"{made}, {waits}" if now.running else waits
    if now.closed is not None or now.paused:
        return f"Queue: {line}"
    then = []
    # With a place free, those who wait for a rate limit are still before it: the headline says how long.
    if now.wait_s is not None and (now.slowed is None or now.wait_s >= 1):
        soon = "at once" if now.wait_s < 1 else f"in about {duration(now.wait_s)}"
        then.append(f"a new request is begun {soon}")
    if now.typical_s is not None:
        then.append(f"a picture usually takes about {duration(now.typical_s)}")
    return f"Queue: {'; '.join([line, *([' and '.join(then)] if then else [])])}"


def _model(now: Now) -> str:
    """Which model is used, and what comes after it."""
    working = [model for model in now.models if model.works]
    if not working:
        return f"Model: none; {'; '.join(_not_used(model) for model in now.models)}"
    first, *others = working
    line = f"Model: {_code(first)}"
    if before := now.models[: now.models.index(first)]:
        line += f", because {' and '.join(_not_used(model) for model in before)}"
    if others:
        line += f"; where that cannot be had, {', then '.join(_code(model) for model in others)}"
    return line


def _not_used(model: ModelNow) -> str:
    why = "cannot be used any more" if model.problem else "is refused to this account"
    return f"{_code(model)} {why}"


def _ends(now: Now) -> str:
    """Until when there are the models that are used."""
    used = [model for model in (*now.models, now.host) if not model.problem]
    each = [
        f"{_code(model)} {ends_words(model.ends_on, now.at.date())}"
        for model in used
        if model.ends_on is not None
    ]
    others = "no end is announced" + (" of the others" if each else "")
    # Pictures can be made without it.
    gone = f"{_code(now.host)} cannot be used any more, so nothing is answered in words"
    said = [
        *([gone] if now.host.problem else []),
        *each,
        *([others] if len(each) < len(used) else []),
    ]
    return f"Until when: {'; '.join(said)}"


def ends_words(day: date, today: date) -> str:
    """ "is shut down on 1 December 2026, in 9 days"; *day* is the first one without it."""
    days = (day - today).days
    near = f", in {counted(days, 'day', 'days')}" if 0 < days <= SOON_DAYS else ""
    return f"is shut down on {day_words(day)}{near}"


def _code(model: ModelNow) -> str:
    return f"`{escape(model.name)}`"


def duration(seconds: float) -> str:
    """ "20 s", "3 min", "2 h": as exact as a rough number is."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    minutes = max(2, round(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"
