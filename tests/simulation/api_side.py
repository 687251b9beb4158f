"""The image API as a life sees it: a transport under the real client, and who was called for what."""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from darkroom.rendering.access import ModelSeen
from darkroom.rendering.job import Answer, NoWord, RenderJob, ResponseIdSeen
from darkroom.rendering.thread import ClosableRenderer
from sandbox.images import wire
from sandbox.images.api import ImageApi
from sandbox.images.errors import Dropped, NotConnected
from sandbox.images.faults import DELETE, EDITS, GENERATIONS, MODELS, RESPONSES, RETRIEVE, Call
from sandbox.images.named_faults import fault_of, pointless
from tests.simulation.life import Life
from tests.simulation.loop import in_the_world
from tests.simulation.trace import Trace
from tests.simulation.weather import MAKING, Weather

ATTEMPT: contextvars.ContextVar[str] = contextvars.ContextVar("ATTEMPT", default="")
"""For which attempt a request is made."""
_OVER = object()


@dataclass
class Sent:
    """One request that may cost money, as it left Darkroom. ``call`` is what the API made of it, None if it
    never got there; ``state`` is the attempt's in the books at that moment."""

    attempt_id: str
    endpoint: str
    state: str
    life: Life
    at: float
    fault: str = ""
    call: Call | None = None


class ApiSide:
    """The wire between the image API and the lives. ``attempt_state`` reads the books from outside."""

    def __init__(
        self,
        api: ImageApi,
        weather: Weather,
        rng: random.Random,
        trace: Trace,
        attempt_state: Callable[[str], str],
    ) -> None:
        self.api = api
        self.weather = weather
        self.rng = rng
        self.trace = trace
        self.attempt_state = attempt_state
        self.sent: list[Sent] = []
        self._opening: Sent | None = None
        self._per_minute = weather.per_minute
        api.on_call = self._on_call

    def _on_call(self, call: dict[str, Any]) -> None:
        if self._opening is not None:
            self._opening.call, self._opening = self.api.calls[-1], None

    def client(self) -> httpx2.AsyncClient:
        """What a life has for an HTTP client."""
        return httpx2.AsyncClient(transport=Transport(self, Life.current()), trust_env=False)

    async def handle(self, request: httpx2.Request, body: bytes, sent: Sent | None) -> wire.Reply:
        """One request, answered in the world. Raises ``Dropped``."""
        await asyncio.sleep(self.rng.uniform(0.01, 0.1))
        endpoint = endpoint_of(request)
        if self.weather.per_minute != self._per_minute:
            self._per_minute = self.api.images_per_minute = self.weather.per_minute
        met = self.weather.take("openai", endpoint, lambda: pointless(_asked(body)))
        if met is not None:
            self.trace.note(f"api {endpoint}: {met.fault}")
            if sent is not None:
                sent.fault = met.fault
            self.api.faults.append(replace(fault_of(met), endpoint=endpoint))
        self._opening = sent
        path = request.url.path.removeprefix("/v1")
        reply = await wire.handle(
            self.api, request.method, path, dict(request.headers), body, dict(request.url.params)
        )
        self.trace.note(f"api {endpoint}: {reply.status}")
        return reply


def _asked(body: bytes) -> dict[str, Any]:
    """A request's JSON; of a form only that it is none."""
    return dict(json.loads(body)) if body.startswith(b"{") else {}


def endpoint_of(request: httpx2.Request) -> str:
    """By the sandbox's names."""
    path = request.url.path.removeprefix("/v1")
    if path.startswith("/responses/"):
        return DELETE if request.method == "DELETE" else RETRIEVE
    return {"/responses": RESPONSES, "/images/generations": GENERATIONS, "/images/edits": EDITS}.get(
        path, MODELS
    )


class Transport(httpx2.AsyncBaseTransport):
    """Hands requests to the image API in this process."""

    def __init__(self, side: ApiSide, life: Life) -> None:
        self._side = side
        self._life = life

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """With a step before the request leaves, after the headers, and at each piece of the body."""
        endpoint = endpoint_of(request)
        body = await request.aread()
        await self._life.step(f"before api {endpoint}")
        sent = None
        if endpoint in MAKING:
            state = self._side.attempt_state(ATTEMPT.get())
            sent = Sent(ATTEMPT.get(), endpoint, state, self._life, asyncio.get_running_loop().time())
            self._side.sent.append(sent)
        line = _Line(self._life, endpoint)
        pump = in_the_world(line.pump(self._side.handle(request, body, sent)))
        line.hang_up = pump.cancel
        self._life.on_death.append(pump.cancel)
        try:
            reply = await line.answer
        except asyncio.CancelledError:
            pump.cancel()
            raise
        except NotConnected as error:
            raise httpx2.ConnectError("refused", request=request) from error
        except Dropped as error:
            raise httpx2.RemoteProtocolError("disconnected", request=request) from error
        await self._life.step(f"after api {endpoint}: {reply.status}")
        return httpx2.Response(reply.status, headers=reply.headers, stream=line, request=request)


class _Line(httpx2.AsyncByteStream):
    """A connection: the world's end fills it, the life's end reads it."""

    def __init__(self, life: Life, endpoint: str) -> None:
        self._life = life
        self._endpoint = endpoint
        self._pieces: asyncio.Queue[object] = asyncio.Queue()
        self.answer: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        self.hang_up: Callable[[], object] = lambda: None

    async def pump(self, asked: Awaitable[wire.Reply]) -> None:
        """Wait for the answer, then pass its body on piece by piece."""
        try:
            reply = await asked
        except (Dropped, httpx2.HTTPError) as error:
            if not self.answer.done():
                self.answer.set_exception(error)
            return
        if not self.answer.done():
            self.answer.set_result(reply)
        if reply.chunks is None:
            self._pieces.put_nowait(reply.body)
            self._pieces.put_nowait(_OVER)
            return
        try:
            async with aclosing(reply.chunks) as chunks:
                async for chunk in chunks:
                    self._pieces.put_nowait(chunk)
        except Dropped as error:
            self._pieces.put_nowait(error)
            return
        self._pieces.put_nowait(_OVER)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            piece = await self._pieces.get()
            if piece is _OVER:
                return
            if isinstance(piece, Dropped):
                raise httpx2.RemoteProtocolError("cut off")
            await self._life.step(f"piece of {self._endpoint}")
            if isinstance(piece, bytes):
                yield piece

    async def aclose(self) -> None:
        """Hang up."""
        self.hang_up()


class Noted:
    """In place of the thread that renders: the same renderer on this loop, and it is noted for whom. Made of
    what makes the renderer, like ``RenderThread``."""

    def __init__(self, make: Callable[[], ClosableRenderer]) -> None:
        self._make = make
        self._made: ClosableRenderer | None = None

    def begin(self) -> None:
        """Make the renderer."""
        self._made = self._make()

    async def warm(self) -> None:
        """See ``RenderThread``."""
        self._renderer.warm()

    async def ping(self) -> str | None:
        """It is well: there is no thread."""
        return None

    @property
    def _renderer(self) -> ClosableRenderer:
        if self._made is None:
            raise RuntimeError("not started")
        return self._made

    async def ready(self) -> None:
        """See ``Renderer``."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """See ``Renderer``."""
        ATTEMPT.set(job.attempt_id)
        return await self._renderer.render(job, response_id_seen)

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """See ``Renderer``."""
        return await self._renderer.ask(job, response_id)

    async def forget(self, response_id: str) -> bool:
        """See ``Renderer``."""
        return await self._renderer.forget(response_id)

    async def look_up(self, model: str) -> ModelSeen:
        """See ``RenderThread``."""
        return await self._renderer.look_up(model)

    async def aclose(self) -> None:
        """Close the renderer."""
        if self._made is not None:
            await self._made.aclose()
