"""A run: one seed, some days, and the end of it all."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import shutil
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulation.checks import check
from tests.simulation.days import live
from tests.simulation.house import MEMORY, heard, in_place, put_away
from tests.simulation.loop import LIFE, Crashed, VirtualLoop
from tests.simulation.trace import Trace
from tests.simulation.world import Plan, World, build

BEAT_S = 1_200.0
"""Nobody looks at the heart of a simulated Darkroom: it may beat seldom."""


class _Listener(logging.Handler):
    """What Darkroom says in its log: to read beside the trace, and its own faults are what went wrong."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        life = LIFE.get()
        if life is not None and not life.alive:
            return
        said = record.getMessage()
        self._world.trace.remark(f"[{record.levelname}] {said}")
        if said.startswith("turn ") and "could not be told" in said:
            self._world.late.add(said.split()[1].rstrip(":"))
        if record.levelno >= logging.ERROR and record.exc_info and record.exc_info[1] is not None:
            lines = traceback.format_exception(record.exc_info[1])
            self._world.trace.remark("".join(lines[-12:]))
        slacks = any(f"broke: {name}" in said for name in ("Slack", "TooFast"))
        if record.levelno >= logging.ERROR and " broke" in said and not slacks:
            self._world.wrong.append(f"at {self._world.loop.time():.4f}: {said}")


@dataclass
class Run:
    """What became of a run: what went wrong, if anything; what was counted; and its trace."""

    seed: int
    plan: Plan
    wrong: list[str]
    trace: Trace


def run(seed: int, plan: Plan) -> Run:
    """Let a world live from its beginning to its end. The same seed gives the same digest in any process with
    the same ``PYTHONHASHSEED``."""
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    loop = VirtualLoop()
    gc.disable()
    try:
        return _run(seed, plan, folder, loop)
    finally:
        put_away(loop)
        shutil.rmtree(folder, ignore_errors=True)


def _run(seed: int, plan: Plan, folder: Path, loop: VirtualLoop) -> Run:
    world = build(seed, plan, folder, loop)
    wrong = world.wrong

    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, Crashed):
            wrong.append(f"unhandled: {context.get('message')}: {error!r}")

    loop.set_exception_handler(unhandled)
    asyncio.set_event_loop(loop)
    sides = in_place(world.slack_side, world.api_side, beat_s=BEAT_S)
    with sides, heard(_Listener(world), logging.INFO):
        try:
            loop.run_until_complete(live(world))
            wrong += check(world)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run has failed
            wrong.append("".join(traceback.format_exception(error)[-6:]))
    world.trace.close()
    return Run(seed, plan, wrong, world.trace)
