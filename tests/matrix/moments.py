"""The moments in a turn's life in which a fault of the image API can come, each a short story."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.images.faults import EDITS, GENERATIONS, RESPONSES, RETRIEVE
from sandbox.slack.model import Message
from tests.matrix.seen import ALICE, Mark
from tests.matrix.street import DESIGN, Street

DEATH_S = 5.0
"""So long after the request Darkroom dies: a picture takes four times as long."""
LONG_S = 1_800.0
"""So long it may stay away: the call's own time is long over."""
NO_RESPONSES = Rule("openai", RESPONSES, "endpoint gone", times=None)


@dataclass(frozen=True)
class Moment:
    """What was before, what is asked for, and at which endpoint the fault comes; ``wanted`` pictures."""

    name: str
    endpoint: str
    before: Callable[[Street], Awaitable[None]]
    ask: Callable[[Street], Awaitable[None]]
    wanted: int = 1
    beside: tuple[Rule, ...] = ()
    """What else is the matter, all the time."""

    async def play(self, street: Street, rule: Rule) -> Mark | None:
        """Tell it with a fault, to its end; gives how things stood before it, or None if it did not come."""
        street.api.fault_plan = FaultPlan(self.beside)
        await self.before(street)
        mark = Mark.at(street)
        street.api.fault_plan = FaultPlan([rule, *self.beside])
        await self.ask(street)
        await street.rests()
        return mark if street.api.fault_plan.standing[0].met else None


async def _nothing(street: Street) -> None:
    pass


async def _a_picture(street: Street) -> None:
    await _command(street)
    await street.rests()


async def _command(street: Street) -> None:
    await street.workspace.type_command(ALICE, DESIGN, "/imagine a red fox in snow")


async def _two(street: Street) -> None:
    await street.workspace.type_command(ALICE, DESIGN, "/imagine a red fox in snow --n 2")


async def _reply(street: Street) -> None:
    await street.workspace.post(ALICE, DESIGN, "make it night", thread_ts=root(street).ts)


async def _interrupted(street: Street) -> None:
    await _away(street, DEATH_S)


async def _interrupted_for_long(street: Street) -> None:
    await _away(street, LONG_S)


async def _away(street: Street, seconds: float) -> None:
    await _command(street)
    await asyncio.sleep(DEATH_S)
    street.dies()
    await asyncio.sleep(seconds)
    await street.starts()


def root(street: Street) -> Message:
    """The newest message of ours that has, or may have, a thread."""
    return [message for message in street.ours() if not message.is_reply][-1]


MOMENTS = (
    Moment("a first picture", RESPONSES, _nothing, _command),
    Moment("an edit in a thread", RESPONSES, _a_picture, _reply),
    Moment("one of two", RESPONSES, _nothing, _two, wanted=2),
    Moment("by the Images endpoint", GENERATIONS, _a_picture, _command, beside=(NO_RESPONSES,)),
    Moment("an edit by the Images endpoint", EDITS, _a_picture, _reply, beside=(NO_RESPONSES,)),
    Moment("a call of a Darkroom that then dies", RESPONSES, _nothing, _interrupted),
    Moment("asked for again after a restart", RETRIEVE, _nothing, _interrupted),
    Moment("asked for again after a long stop", RETRIEVE, _nothing, _interrupted_for_long),
)
