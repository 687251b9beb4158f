"""Pictures on a thread of their own, so that reading them never keeps Slack waiting."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from darkroom.rendering.access import ModelSeen
from darkroom.rendering.job import (
    Answer,
    Billed,
    Failure,
    FailureKind,
    NoWord,
    Renderer,
    RenderJob,
    ResponseIdSeen,
)

log = logging.getLogger("darkroom.rendering")
T = TypeVar("T")


SWITCH_INTERVAL_S = 0.001
"""How long one thread may keep another from running Python, in seconds; Python's own default is 0.005."""


def tune_process() -> None:
    """Keep the loop that answers Slack quick beside a render thread; once a process, when all is loaded.

    A full garbage collection stops both threads, for 35 ms with all libraries loaded: what is loaded by now
    is exempt from it. And a thread that wants to run waits a millisecond at most for the other, not five.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL_S)


class CannotRender(Exception):
    """There is no client to call the API with, and nothing was sent: what would make one raised the cause, or
    the thread is being closed. Start Darkroom anew once the cause is mended."""


class ClosableRenderer(Renderer, Protocol):
    """A renderer with connections to close, and something to get ready; it can ask what the account may
    call."""

    def warm(self) -> None:
        """Get ready, on the thread that will do the work."""
        ...

    async def look_up(self, model: str) -> ModelSeen:
        """What the API says of a model."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class _Life:
    """The other thread's loop, and what ends it; the event is that loop's."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


class RenderThread:
    """A Renderer for the loop that answers Slack; the work is done by another on a thread of its own.

    *make_renderer* runs on that thread, inside its loop. A caller that is cancelled leaves its call running:
    the response id still arrives, the end is logged, and ``ask`` can find the answer. ``aclose`` ends them.
    Where there is nobody to make the call, ``render`` says that it was never sent, ``ask`` that it was not
    asked, and all else raises ``CannotRender``.
    """

    def __init__(self, make_renderer: Callable[[], ClosableRenderer]) -> None:
        self._make_renderer = make_renderer
        self._thread = threading.Thread(target=self._run, name="darkroom-render", daemon=True)
        self._begun = self._closed = False
        self._lives: concurrent.futures.Future[_Life] = concurrent.futures.Future()
        self._ready: concurrent.futures.Future[ClosableRenderer] = concurrent.futures.Future()
        self._calls: set[asyncio.Task[Any]] = set()

    def begin(self) -> None:
        """Start the thread, and return at once: calls wait until it is ready for them, those of before too.
        Loading the client takes longer than everything else of a start."""
        self._thread.start()
        self._begun = True

    async def start(self) -> None:
        """Start the thread; returns when it takes calls. Raises ``CannotRender``."""
        self.begin()
        try:
            await self._client()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Cancel what still runs, close the connections and end the thread, within *grace_s* seconds.

        Callers that still wait are cancelled with their calls.
        """
        if self._closed:
            return
        self._closed = True
        if not self._begun:
            self._ready.cancel()
            return
        # Its loop may have ended by itself, when there was nothing to make a renderer of.
        with suppress(RuntimeError, CannotRender):
            life = await asyncio.shield(asyncio.wrap_future(self._lives))
            life.loop.call_soon_threadsafe(life.stop.set)
        await asyncio.to_thread(self._thread.join, grace_s)
        if self._thread.is_alive():
            log.warning("the render thread did not end within %g s; it ends with the process", grace_s)

    async def warm(self) -> None:
        """Do now, on the other thread, what its first call would wait for. Raises ``CannotRender``."""

        async def warmed() -> None:
            renderer.warm()

        loop, renderer = await self._client()
        await self._over_there(loop, warmed(), "getting ready")

    async def ping(self) -> str | None:
        """Have the other thread's loop answer; what is wrong with it, or None."""
        if self._closed or not self._thread.is_alive():
            return "the render thread is not running"
        loop, _ = await self._client()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop))
        return None

    async def ready(self) -> None:
        """Return when the thread takes calls, or never will."""
        with suppress(CannotRender):
            await self._client()

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call on the other thread; *response_id_seen* runs here, and is awaited there."""
        here = asyncio.get_running_loop()

        async def tell(response_id: str) -> None:
            await response_id_seen(response_id)

        async def seen(response_id: str) -> None:
            told = asyncio.run_coroutine_threadsafe(tell(response_id), here)
            await asyncio.wrap_future(told)

        try:
            loop, renderer = await self._client()
        except CannotRender as cannot:
            return Answer(failure=_never_sent(cannot))
        return await self._over_there(loop, renderer.render(job, seen), f"attempt {job.attempt_id}")

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """Ask on the other thread what became of a call."""
        try:
            loop, renderer = await self._client()
        except CannotRender:
            return NoWord.NOT_ASKED
        return await self._over_there(loop, renderer.ask(job, response_id), f"attempt {job.attempt_id}")

    async def forget(self, response_id: str) -> bool:
        """Have a stored response deleted, on the other thread."""
        loop, renderer = await self._client()
        return await self._over_there(loop, renderer.forget(response_id), f"response {response_id}")

    async def look_up(self, model: str) -> ModelSeen:
        """Have the API asked about a model, on the other thread."""
        loop, renderer = await self._client()
        return await self._over_there(loop, renderer.look_up(model), f"model {model}")

    async def _client(self) -> tuple[asyncio.AbstractEventLoop, ClosableRenderer]:
        """As soon as there is one. Raises ``CannotRender``."""
        if not self._closed:
            renderer = await asyncio.shield(asyncio.wrap_future(self._ready))
        # It may have closed meanwhile, and its loop would lose what comes now.
        if self._closed:
            raise CannotRender
        return self._lives.result().loop, renderer

    async def _over_there(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], what: str
    ) -> T:
        future = asyncio.run_coroutine_threadsafe(self._counted(work), loop)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            if not future.done():
                log.info("%s: nobody waits for it any more; it goes on", what)
            raise

    async def _counted(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return await work

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live())
        except Exception as error:  # noqa: BLE001 -- it is raised by every call
            self._give_up(error)

    async def _live(self) -> None:
        stop = asyncio.Event()
        self._lives.set_result(_Life(asyncio.get_running_loop(), stop))
        renderer = self._make_renderer()
        self._ready.set_result(renderer)
        await stop.wait()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await renderer.aclose()

    def _give_up(self, error: Exception) -> None:
        log.error("the render thread broke", exc_info=error)
        cannot = CannotRender()
        cannot.__cause__ = error
        for waited_for in (self._lives, self._ready):
            if not waited_for.done():
                waited_for.set_exception(cannot)


def _never_sent(cannot: CannotRender) -> Failure:
    message = type(cannot.__cause__ or cannot).__name__
    return Failure(FailureKind.UNREACHABLE, Billed.NOTHING, code="not_sent", message=message)
