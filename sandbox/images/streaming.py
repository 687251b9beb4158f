"""A run's events for one caller: all of them, or as far as a fault lets them come."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

from sandbox.images.errors import Dropped
from sandbox.images.faults import Fault
from sandbox.images.memory import Run
from sandbox.images.performance import LAST_EVENTS

Json = dict[str, Any]
STRANGE: Final[tuple[Json, ...]] = (
    {"type": "keepalive"},
    {"type": "response.image_generation_call.dreaming", "item_id": "ig_0", "lucidity": [0.5, None]},
    {"type": "response.output_item.pondered", "output_index": 9, "item": {"type": "hologram_call"}},
)
"""Events of types that no client knows; each comes before the event of its number."""


async def stream(
    run: Run, fault: Fault, sleep: Callable[[float], Awaitable[None]], cut: Callable[[], None]
) -> AsyncGenerator[Json, None]:
    """The events up to the point where the fault ends them (raises `Dropped`, or never gives another one).

    `cut` hears of it when the caller leaves, or is left, before the last event.
    """
    sent, whole = 0, False
    try:
        async with aclosing(run.follow()) as events:
            while True:
                if fault.drop_after is not None and sent >= fault.drop_after:
                    raise Dropped
                if fault.silent_after is not None and sent >= fault.silent_after:
                    await asyncio.Event().wait()
                if fault.strange_events and sent < len(STRANGE):
                    yield STRANGE[sent] | {"sequence_number": sent}
                if fault.pause:
                    await sleep(fault.pause)
                event = await anext(events, None)
                last = event is None or event["type"] in LAST_EVENTS
                if last and fault.drop_at_end:
                    raise Dropped
                whole = last
                if event is None:
                    return
                sent += 1
                yield event
    finally:
        if not whole:
            cut()
