"""Questions to the API that no picture needs: what its own pages leave open, asked by ``darkroom doctor``.

What is read here is small: pictures that come along go into nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import httpx2
import openai
from openai import AsyncAPIResponse

from darkroom.clock import Clock, within
from darkroom.rendering import errors
from darkroom.rendering.account import day_of
from darkroom.rendering.calling import PLAIN, body_of, read_object
from darkroom.rendering.job import Billed, Failure, FailureKind, RenderJob, Usage
from darkroom.rendering.picture import Incoming
from darkroom.rendering.provider import Provider
from darkroom.rendering.request import request_body
from darkroom.rendering.sse import EventReader
from darkroom.rendering.stream import BadStreamError

ASK_TIMEOUT_S = 60.0
"""Seconds for one question; a stored response brings its picture along."""
PAUSE_S = 2.0
"""Seconds between two looks at a call that goes on by itself."""
_OPEN = ("queued", "in_progress")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """A response as the API keeps it, or why there is none (``failure``). ``status`` is its own word,
    ``identifier`` the ``safety_identifier`` it names."""

    status: str = ""
    identifier: str | None = None
    image_model: str | None = None
    host_model: str | None = None
    host_usage: Usage | None = None
    image_usage: Usage | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Whether a model of the list has a ``shutdown_date`` at all (null too), and which; or ``failure``."""

    named: bool = False
    day: date | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class Background:
    """What became of a call in background mode.

    ``response_id`` is None when the call itself was refused (``refused``). ``moderation_refused`` says that
    the tool's parameter ``moderation`` was, and ``moderation_taken`` that it was not. ``read_on`` is the type
    of the first event that came when the stream was asked for again, ``not_read_on`` why none did; the same
    for ``cancelled``, the status that came of cancelling. ``end`` is the last that is known of it.
    """

    refused: Failure | None = None
    moderation_refused: Failure | None = None
    moderation_taken: bool = False
    response_id: str | None = None
    read_on: str = ""
    not_read_on: Failure | None = None
    cancelled: str = ""
    not_cancelled: Failure | None = None
    end: Stored | None = None


class Prober:
    """Asks by the provider that pictures are made by, which stays the caller's. Nothing that the API or the
    way to it does is raised: it is a ``Failure`` of what was asked."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._client = provider.client
        self._clock = clock

    async def stored(self, response_id: str) -> Stored:
        """What the API keeps under that id."""
        found = await self._asked(self._read(response_id))
        return found if isinstance(found, Stored) else Stored(failure=found)

    async def shutdown(self, model: str) -> Shutdown:
        """What the list of models says of one's end."""
        found = await self._asked(self._client.models.retrieve(model))
        if isinstance(found, Failure):
            return Shutdown(failure=found)
        return Shutdown("shutdown_date" in found.model_fields_set, day_of(found.shutdown_date))

    async def background(self, job: RenderJob, seen: Callable[[str], None]) -> Background:
        """Send *job* to go on by itself, leave its stream after the first event, read on, cancel it, and wait
        for its end, for ``job.timeout_s`` at most. *seen* is told the response's id as soon as there is one.

        One call goes through at most: it is sent again, without ``moderation``, only after that was refused.
        """
        found = Background()
        begun = await self._begin(job, seen, moderation=True)
        if isinstance(begun, Failure) and _is_about(begun, "moderation"):
            found.moderation_refused = begun
            begun = await self._begin(job, seen, moderation=False)
        if isinstance(begun, Failure):
            found.refused = begun
            return found
        found.moderation_taken = found.moderation_refused is None
        found.response_id, number = begun
        again = await self._asked(self._read_on(found.response_id, number))
        found.read_on, found.not_read_on = ("", again) if isinstance(again, Failure) else (again, None)
        stop = await self._asked(self._client.responses.cancel(found.response_id))
        if isinstance(stop, Failure):
            found.not_cancelled = stop
        else:
            found.cancelled = stop.status or ""
        found.end = await self._end_of(found.response_id, job.timeout_s)
        return found

    async def _end_of(self, response_id: str, patience_s: float) -> Stored:
        """The response when it has ended, or as it is when that takes too long."""
        until = self._clock.monotonic() + patience_s
        while True:
            found = await self.stored(response_id)
            if found.status not in _OPEN or self._clock.monotonic() >= until:
                return found
            await self._clock.sleep(PAUSE_S)

    async def _begin(
        self, job: RenderJob, seen: Callable[[str], None], *, moderation: bool
    ) -> tuple[str, int] | Failure:
        """The id of the response and the number of the event that named it."""
        body = await request_body(job, self._clock) | {"background": True}
        if moderation:
            body["tools"] = [tool | {"moderation": "auto"} for tool in body["tools"]]
        create = self._client.responses.with_streaming_response.create

        async def work() -> tuple[str, int]:
            async with create(**body, extra_headers=PLAIN) as response:
                event = await _first_event(response)
                answer = event.get("response")
                response_id = errors.name(answer.get("id")) if isinstance(answer, Mapping) else None
                if response_id is None:
                    raise BadStreamError("no event named the response")
                seen(response_id)
                number = event.get("sequence_number")
                return response_id, number if isinstance(number, int) else 0

        return await self._asked(work())

    async def _read_on(self, response_id: str, number: int) -> str:
        retrieve = self._client.responses.with_streaming_response.retrieve
        after = {"stream": True, "starting_after": number}
        async with retrieve(response_id, extra_query=after, extra_headers=PLAIN) as response:
            return str((await _first_event(response)).get("type"))

    async def _read(self, response_id: str) -> Stored:
        retrieve = self._client.responses.with_streaming_response.retrieve
        async with retrieve(response_id, extra_headers=PLAIN) as response:
            data = (await read_object(response, lambda _: Incoming())).data
        tools, used = data.get("tools"), data.get("tool_usage")
        tool = tools[0] if isinstance(tools, list) and tools and isinstance(tools[0], dict) else {}
        return Stored(
            status=str(data.get("status") or ""),
            identifier=errors.name(data.get("safety_identifier")),
            image_model=errors.name(tool.get("model")),
            host_model=errors.name(data.get("model")),
            host_usage=_usage(data.get("usage")),
            image_usage=_usage(used.get("image_gen")) if isinstance(used, dict) else None,
        )

    async def _asked(self, question: Awaitable[T]) -> T | Failure:
        """The answer, within ``ASK_TIMEOUT_S``."""
        found: list[T] = []

        async def ask() -> None:
            found.append(await question)

        try:
            if not await within(self._clock, ASK_TIMEOUT_S, ask()):
                return Failure(FailureKind.TIMEOUT, Billed.UNKNOWN, "timeout", "no answer in time")
        except BadStreamError as error:
            return Failure(FailureKind.SERVER, Billed.UNKNOWN, "bad_stream", str(error))
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            return errors.of_exception(error)
        return found[0]


async def _first_event(response: AsyncAPIResponse[Any]) -> Mapping[str, Any]:
    """The first event of a stream, or the whole answer of who does not stream. Raises BadStreamError."""
    if "json" in response.headers.get("content-type", ""):
        data = (await read_object(response, lambda _: Incoming())).data
        return {"type": "the whole response", "response": data}
    events = EventReader(lambda _: Incoming())
    try:
        async for chunk in body_of(response):
            for event in events.feed(chunk):
                return event.data
    finally:
        events.discard()
    raise BadStreamError("the stream has no event")


def _is_about(failure: Failure, word: str) -> bool:
    """Whether nothing but a parameter of that name was refused."""
    return failure.kind is FailureKind.BAD_REQUEST and word in failure.message


def _usage(value: object) -> Usage | None:
    return value if isinstance(value, dict) else None
