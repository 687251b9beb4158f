"""Slack's side of the fault matrix: every fault that has a name, at every method that a turn's life calls."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.meanings import MEANINGS, Meaning
from sandbox.faults.named import ADDRESSES, METHODS
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.faults.slack_names import SLACK_NAMES
from tests.matrix.moments import root
from tests.matrix.seen import ALICE, Mark, Seen, look
from tests.matrix.street import DESIGN, Street, on_street
from tests.reliability.tables import merged

HOUR_S = 3_600.0
OUTGOING = frozenset({*METHODS, *ADDRESSES}) - {"download"}
"""Where Darkroom calls Slack with what it made; what it fetches before is not at stake here."""
EVERYWHERE = "all of them"
_NOTHING_LEFT = frozenset({Meaning.PLACE_GONE, Meaning.MESSAGE_GONE, Meaning.DONE_BEFORE})
_UNSEEN = frozenset({"chat.postEphemeral", "response_url"})
"""Of what is shown to one person only, nobody can look for a first one."""
UNSEEN_TRIES = 8
_REFUSAL = "OpenAI's moderation did not accept this request"
Times = int | None
"""How often the fault comes; None: whenever it can, for an hour."""


@dataclass(frozen=True)
class Scene:
    """Something that is asked for, after something that was before."""

    name: str
    ask: Callable[[Street], Awaitable[Any]]
    after_a_picture: bool = False

    async def play(self, street: Street, plan: FaultPlan) -> Mark:
        """Up to its end; what was there before meets no fault."""
        if self.after_a_picture:
            await _command(street)
            await street.rests()
        mark = Mark.at(street)
        street.workspace.fault_plan = plan
        await self.ask(street)
        await street.rests()
        return mark


async def _command(street: Street) -> None:
    await street.workspace.type_command(ALICE, DESIGN, "/imagine a red fox in snow")


async def _reply(street: Street) -> None:
    await street.workspace.post(ALICE, DESIGN, "make it night", thread_ts=root(street).ts)


async def _refused(street: Street) -> None:
    await street.workspace.type_command(ALICE, DESIGN, "/imagine something forbidden")


async def _refused_reply(street: Street) -> None:
    await street.workspace.post(ALICE, DESIGN, "something forbidden", thread_ts=root(street).ts)


SCENES = (
    Scene("a picture by command", _command),
    Scene("an edit by reply", _reply, after_a_picture=True),
    Scene("a command that the moderation refuses", _refused),
    Scene("a reply that the moderation refuses", _refused_reply, after_a_picture=True),
)


class _Noting(FaultPlan):
    """No fault, and which places were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, None] = {}

    def take(self, side: Any, place: str, now: float, **more: Any) -> None:
        """See ``FaultPlan``."""
        self.places[place] = None


def called() -> dict[str, Scene]:
    """Every method that the scenes call, and the first scene that does."""
    found: dict[str, Scene] = {}
    for scene in SCENES:
        plan = _Noting()

        async def story(street: Street, scene: Scene = scene, plan: FaultPlan = plan) -> None:
            await scene.play(street, plan)

        on_street(story)
        for place in plan.places:
            if place in OUTGOING:
                found.setdefault(place, scene)
    return found


def possible(methods: Mapping[str, Scene]) -> Iterator[tuple[str, str]]:
    """Each fault with each of those methods at which it is at home."""
    for named in SLACK_NAMES:
        yield from ((named.name, place) for place in methods if place in named.places("*"))


def cell(scene: Scene, fault: str, place: str, times: Times) -> Seen | None:
    """What becomes of a scene with that fault; None where it can change nothing."""

    async def story(street: Street) -> Seen | None:
        until = HOUR_S if times is None else None
        plan = FaultPlan([Rule("slack", place, fault, times=times, until_s=until)])
        mark = await scene.play(street, plan)
        return look(street, mark, 1) if plan.standing[0].met else None

    return on_street(story)


def faulty(seen: Seen, fault: str, place: str) -> list[str]:
    """What is not as promised: the picture is seen once, and its person may have read before that it is kept;
    or they are told once, or once for each try where nobody can see whether the one before came. Nothing says
    any more that it is being made, unless Slack has said that there is no such thing left."""
    found = list(seen.wrong)
    if MEANINGS.get(fault) not in _NOTHING_LEFT:
        found += seen.standing
    if seen.pictures:
        found += [words for words in seen.told if "made and kept" not in words]
    elif not 1 <= len(seen.told) <= (UNSEEN_TRIES if place in _UNSEEN else 1):
        found.append(f"told {len(seen.told)} times")
    return found


def in_words(seen: Seen, fault: str) -> tuple[str, str]:
    """What the person sees (the sentence that they are to read without a picture goes without saying, and so
    does the fault's name), what was charged."""
    sees = re.sub(f"“{re.escape(_REFUSAL)}[^”]*”", "the sentence", seen.sees)
    return re.sub(rf"“?\b{re.escape(fault)}\b”?", "…", sees), seen.charged


def rows(cells: Mapping[tuple[str, str], Seen]) -> list[list[str]]:
    """Rows for the page, of cells by fault and method."""
    outcomes: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for (fault, place), seen in cells.items():
        outcomes.setdefault(fault, {}).setdefault(in_words(seen, fault), []).append(place)
    return merged(outcomes, EVERYWHERE)
