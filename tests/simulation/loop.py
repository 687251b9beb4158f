"""An event loop whose time jumps to the next timer, and lives whose tasks can be stopped dead."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Crashed(BaseException):
    """The process is dead: nothing of it runs any further. No code of the product may catch this."""


class Stuck(RuntimeError):
    """Nothing is ready and no timer runs: whoever waits waits for ever."""


class Mortal(Protocol):
    """Something whose tasks stop dead with it."""

    alive: bool


LIFE: contextvars.ContextVar[Mortal | None] = contextvars.ContextVar("LIFE", default=None)
"""Whose code runs: a life of Darkroom's, or None for the world around it. Tasks inherit it."""


class _Task(asyncio.Task[Any]):
    """A task that has the same place in every set in every run, and knows its life."""

    _log_destroy_pending: bool

    def __init__(self, number: int, life: Mortal | None, coro: Any, **more: Any) -> None:
        self.number = number
        self.life = life
        super().__init__(coro, **more)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Future(asyncio.Future[Any]):
    def __init__(self, number: int, **more: Any) -> None:
        self.number = number
        super().__init__(**more)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Selector:
    """In place of waiting for sockets: time jumps to the next timer."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """No event ever comes from outside."""
        if timeout is None:
            raise Stuck("nothing is left to wait for")
        if timeout > 0:
            self._loop.jump()
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs without waiting: ``time`` begins at 0 and moves when nothing is ready, or by ``pass_time``.

    Threads are not used: what is handed to an executor runs at once. A handle whose life is over is never
    called.
    """

    _ready: Any
    _scheduled: list[Any]
    _clock_resolution: float

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        # A timer is due within so many seconds; less is lost in the sums of a long time.
        self._clock_resolution = 1e-6
        self._numbers = itertools.count(1)
        self._selector = _Selector(self)
        self.buried: list[object] = []
        """Tasks and callbacks of lives that are over: kept, so that none of their ``finally`` runs."""

    def time(self) -> float:
        """Seconds since the world began."""
        return self._now

    def jump(self) -> None:
        """To the next timer."""
        self._now = max(self._now, self._scheduled[0].when())

    def pass_time(self, seconds: float) -> None:
        """Something that blocks took so long."""
        self._now += seconds

    def call_soon(  # type: ignore[override]  # its types are loose
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Unless its life is over."""
        if _is_over(context):
            return self._bury(callback, args)
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(  # type: ignore[override]  # its types are loose
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """There are no other threads."""
        return self.call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]  # its types are loose
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Unless its life is over."""
        handle = super().call_at(when, callback, *args, context=context)
        if _is_over(context):
            self.buried.append((callback, args))
            handle.cancel()
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """One with a place of its own in sets."""
        return _Future(next(self._numbers), loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        """One that knows its life."""
        life = LIFE.get() if context is None else context.get(LIFE)
        named = None if name is None else str(name)
        return _Task(next(self._numbers), life, coro, loop=self, name=named, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """At once, in the caller's thread."""
        future: asyncio.Future[T] = self.create_future()
        try:
            result = func(*args)
        except Crashed:
            raise
        except BaseException as error:  # noqa: BLE001 -- handed on, as an executor does
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def bury(self, life: Mortal) -> None:
        """Let nothing of *life*, which is over, ever run again."""
        for handle in [*self._ready, *self._scheduled]:
            if not handle.cancelled() and handle._context.get(LIFE) is life:
                self.buried.append((handle._callback, handle._args))
                handle.cancel()
        for task in asyncio.all_tasks(self):
            if isinstance(task, _Task) and task.life is life:
                task._log_destroy_pending = False
                self.buried.append(task)

    def _bury(self, callback: Callable[..., object], args: tuple[Any, ...]) -> asyncio.Handle:
        if not self.is_closed():
            self.buried.append((callback, args))
        handle = asyncio.Handle(callback, args, self)
        handle.cancel()
        return handle

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken."""


def _is_over(context: contextvars.Context | None) -> bool:
    life = LIFE.get() if context is None else context.get(LIFE)
    return life is not None and not life.alive


def outside() -> contextvars.Context:
    """A context of the world's, whoever asks for it."""
    context = contextvars.copy_context()
    context.run(LIFE.set, None)
    return context


def inside(life: Mortal) -> contextvars.Context:
    """A context of *life*'s."""
    context = contextvars.copy_context()
    context.run(LIFE.set, life)
    return context


def in_the_world(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run *work* as the world's: it goes on when whoever asked for it is dead."""
    return asyncio.get_running_loop().create_task(work, context=outside())
