"""One time for all that is closed, and what each part gets of it; on a loop whose time leaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from bot.app import Darkroom
from bot.cli import Refused
from bot.cli.serving import Stop, serve
from bot.closing import MOMENT_S, Closers
from bot.settings import plain_settings
from darkroom.rendering.thread import CannotRender
from tests.simulation.loop import VirtualLoop


class Worker:
    """Works for *needs_s*, and deaf: does not even end when it is told to."""

    def __init__(self, needs_s: float, *, deaf: bool = False) -> None:
        self._needs_s = needs_s
        self._deaf = deaf
        self.given: list[float] = []
        self.done = False
        self._ended = asyncio.Event()

    async def aclose(self, grace_s: float) -> None:
        """As the parts of Darkroom do it."""
        self.given.append(grace_s)
        if self._deaf:
            await asyncio.get_running_loop().create_future()
        ended = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait({ended}, timeout=min(self._needs_s, grace_s))
        ended.cancel()
        self.done = self._needs_s <= grace_s
        self._ended.set()


def elapsed(story: Coroutine[Any, Any, None]) -> float:
    """How many seconds *story* takes."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
        return loop.time()
    finally:
        loop.close()


async def never() -> None:
    """Does not come to its end."""
    await asyncio.get_running_loop().create_future()


def test_who_asks_a_second_time_closes_nothing_that_the_first_still_needs() -> None:
    """The books stay open until the work is done, and both are told when all is closed."""
    closers, worker, open_while_working = Closers(25.0), Worker(20.0), list[bool]()

    async def close_books() -> None:
        open_while_working.append(worker.done)

    async def story() -> None:
        closers.plain("books", close_books)
        closers.work("worker", worker.aclose)
        first, second = asyncio.ensure_future(closers.aclose()), asyncio.ensure_future(closers.aclose())
        await second
        assert first.done()

    assert elapsed(story()) == pytest.approx(20.0)
    assert open_while_working == [True]


def test_who_asks_a_second_time_goes_on_where_the_first_was_called_off() -> None:
    closers, closed = Closers(25.0), list[str]()

    async def close_books() -> None:
        closed.append("books")

    async def story() -> None:
        closers.plain("books", close_books)
        closers.plain("socket", never)
        first, second = asyncio.ensure_future(closers.aclose()), asyncio.ensure_future(closers.aclose())
        await asyncio.sleep(1)
        first.cancel()
        await second

    elapsed(story())
    assert closed == ["books"]


def test_each_part_gets_what_those_before_it_have_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="darkroom.app")
    closed: list[str] = []
    quick, slow, late = Worker(4.0), Worker(60.0), Worker(1.0)

    async def database() -> None:
        closed.append("database")

    async def story() -> None:
        closers = Closers(10.0)
        closers.plain("database", database)
        for name, worker in (("late", late), ("slow", slow), ("quick", quick)):
            closers.work(name, worker.aclose)
        await closers.aclose()

    assert elapsed(story()) == 8.0
    assert (quick.given, slow.given, late.given) == ([8.0], [4.0], [0.0])
    assert quick.done
    assert closed == ["database"]
    assert [record.getMessage() for record in caplog.records] == [
        "stopping: no time is left after slow; the rest is for the next start"
    ]


def test_what_is_done_early_is_not_waited_for_and_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        closers = Closers(3_600.0)
        closers.work("worker", Worker(2.0).aclose)
        closers.work("errands", Worker(3.0).aclose)
        await closers.aclose()

    assert elapsed(story()) == 5.0
    assert not caplog.records


def test_where_nothing_lets_go_each_part_has_a_moment_after_the_time_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        closers = Closers(20.0)
        for name in ("database", "Slack client"):
            closers.plain(name, never)
        for name in ("errands", "worker"):
            closers.work(name, Worker(0.0, deaf=True).aclose)
        await closers.aclose()

    assert elapsed(story()) == 20.0 + 3 * MOMENT_S
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "did not close" in line] == [
        f"{name} did not close in time" for name in ("worker", "errands", "Slack client", "database")
    ]


@pytest.mark.parametrize(("hurry_at", "over_at"), [(None, 20.0 + MOMENT_S), (3.0, 3.0 + 2 * MOMENT_S)])
def test_what_cannot_even_be_called_off_keeps_nothing_from_being_closed(
    hurry_at: float | None, over_at: float
) -> None:
    """Work in a thread goes on, as on a disk that hangs."""
    closed: list[str] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        thread = loop.create_future()

        async def waits_for_a_thread(_: float) -> None:
            while not thread.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.shield(thread)

        async def database() -> None:
            closed.append(f"database at {loop.time():g}")
            thread.set_result(None)

        closers = Closers(20.0)
        closers.plain("database", database)
        closers.work("worker", waits_for_a_thread)
        if hurry_at is not None:
            loop.call_later(hurry_at, closers.hurry)
        await closers.aclose()

    assert elapsed(story()) == over_at
    assert closed == [f"database at {over_at:g}"]


def test_a_goodbye_that_is_not_answered_takes_its_own_time_at_most_and_the_rest_is_left_to_the_others() -> (
    None
):
    worker = Worker(60.0)

    async def story() -> None:
        closers = Closers(25.0)
        closers.work("worker", worker.aclose)
        closers.plain("socket", never, 5.0)
        await closers.aclose()

    assert elapsed(story()) == 22.0
    assert worker.given == [17.0]


def test_hurried_nobody_gets_any_more_time_and_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    patient, next_one = Worker(60.0), Worker(60.0)

    async def story() -> None:
        closers = Closers(100.0)
        closers.work("next", next_one.aclose)
        closers.work("patient", patient.aclose)
        asyncio.get_running_loop().call_later(7.0, closers.hurry)
        await closers.aclose()

    assert elapsed(story()) == 7.0
    assert patient.given == [97.0, 0.0]
    assert set(next_one.given) == {0.0}
    assert not caplog.records


def test_without_any_grace_what_runs_is_told_to_end_and_all_is_closed() -> None:
    worker = Worker(1.0)

    async def story() -> None:
        closers = Closers(25.0)
        closers.work("worker", worker.aclose)
        await closers.aclose(0)
        await closers.aclose()

    assert elapsed(story()) == 0.0
    assert worker.given == [0.0]


class Starting(Darkroom):
    """A Darkroom whose start, when it is broken off, winds up until it is hurried."""

    def __init__(self) -> None:
        super().__init__(plain_settings({}))
        self.starting = asyncio.Event()
        self.hurried = asyncio.Event()

    async def start(self) -> None:
        """See ``Darkroom``."""
        self.starting.set()
        try:
            await never()
        finally:
            await self.hurried.wait()

    def hurry(self) -> None:
        """See ``Darkroom``."""
        self.hurried.set()


async def test_asked_to_stop_twice_while_it_starts_it_does_not_wait_either() -> None:
    darkroom, stop = Starting(), Stop()
    serving = asyncio.ensure_future(serve(darkroom, stop, lambda: None))
    await darkroom.starting.wait()
    stop.set()
    stop.again.set()
    async with asyncio.timeout(10):
        await serving
    assert darkroom.hurried.is_set()


class Ending(Darkroom):
    """A Darkroom that has nothing to start and notes its end."""

    def __init__(self) -> None:
        super().__init__(plain_settings({}))
        self.did: list[str] = []

    async def start(self) -> None:
        """See ``Darkroom``."""

    async def aclose(self, grace_s: float | None = None) -> None:
        """See ``Darkroom``."""
        self.did.append("closed")

    async def last(self) -> None:
        """What needs it to be there still."""
        self.did.append("last")


async def test_what_comes_last_is_done_before_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.serving.tune_process", lambda: None)
    darkroom, stop = Ending(), Stop()
    await serve(darkroom, stop, stop.set, last=darkroom.last)
    assert darkroom.did == ["last", "closed"]


class Speechless(Ending):
    """A Darkroom that has no client for the image API."""

    async def warm(self) -> None:
        """See ``Darkroom``."""
        raise CannotRender from ValueError("http://somebody:password@proxy")


async def test_without_a_client_it_ends_and_says_where_to_look() -> None:
    darkroom = Speechless()
    with pytest.raises(Refused, match=r"\(ValueError\).*darkroom doctor") as refused:
        await serve(darkroom, Stop(), lambda: None)
    assert darkroom.did == ["closed"]
    assert "password" not in refused.value.message
