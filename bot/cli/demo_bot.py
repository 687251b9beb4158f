"""The demo's Darkroom: one that can begin anew, with empty books, while its Slack and its image API stay."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.app import Darkroom, Overrides
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_first import empty_books
from bot.cli.demo_side import DemoSide
from bot.leaving import Gone
from bot.preflight import CannotStart
from bot.settings import Settings
from storage.database import DataProblem

Json = dict[str, Any]


class DemoBot:
    """A Darkroom on the demo's clock, with *side* as what the page sees of it."""

    def __init__(self, settings: Settings, clock: DemoClock, side: DemoSide) -> None:
        self.settings = settings
        self.darkroom = self._made(settings, clock)
        self._clock = clock
        self._side = side
        self._changing = asyncio.Lock()
        self._ended = False
        side.attach(self.darkroom)

    @property
    def gone(self) -> Gone:
        """As ``Darkroom.gone``, of the one that runs."""
        return self.darkroom.gone

    async def start(self) -> None:
        """As ``Darkroom.start``. From then on it can begin anew."""
        await self.darkroom.start()

    def lives(self) -> None:
        """From now on, a reset of the sandbox is one of the books, too."""
        self._side.begins_anew = self.begin_anew

    async def aclose(self) -> None:
        """As ``Darkroom.aclose``; the page asks it for nothing any more by then."""
        self._ended, self._side.begins_anew = True, None
        async with self._changing:
            await self._close()

    async def warm(self) -> None:
        """See ``Darkroom``."""
        await self.darkroom.warm()

    def hurry(self) -> None:
        """Let ``aclose`` wait no longer."""
        self.darkroom.hurry()

    async def begin_anew(self, reset: Callable[[], Awaitable[None]]) -> Json:
        """Stop at once, let *reset* empty the sandbox, empty the books, too, and start."""
        async with self._changing:
            if self._ended:
                return {"ok": False, "error": "the demo is ending"}
            self.darkroom.hurry()
            await self._close()
            try:
                await reset()
                await asyncio.to_thread(empty_books, self.settings.storage.data_dir)
                self._side.forget()
            finally:
                self.darkroom = self._made(self.settings, self._clock)
                self._side.attach(self.darkroom)
                told = await self._started()
            return told

    async def _close(self) -> None:
        await self._side.let_go()
        with _no_word_of_late_answers():
            await self.darkroom.aclose()

    async def _started(self) -> Json:
        try:
            await self.darkroom.start()
        except CannotStart as cannot:
            why = f"Darkroom cannot start: {'; '.join(cannot.faults)}"
        except DataProblem as problem:
            why = str(problem)
        else:
            return {"ok": True}
        await self._side.let_go()
        return {"ok": False, "error": why}

    @staticmethod
    def _made(settings: Settings, clock: DemoClock) -> Darkroom:
        return Darkroom(settings, create_data=True, overrides=Overrides(clock=clock))


@contextmanager
def _no_word_of_late_answers() -> Iterator[None]:
    """What somebody does in the moment in which the socket closes is not acknowledged, and Slack brings it
    again. That is no error, but Slack's client prints one, where people look who press Ctrl-C."""
    bolt = logging.getLogger("slack_bolt.AsyncApp")

    def sayable(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, ConnectionError) or record.funcName == "send_message")

    bolt.addFilter(sayable)
    try:
        yield
    finally:
        bolt.removeFilter(sayable)
