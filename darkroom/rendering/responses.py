"""A picture through the image tool of the Responses API, streamed."""

from __future__ import annotations

import logging
from typing import Any

import httpx2
import openai
from openai import AsyncAPIResponse

from darkroom.clock import Clock, within
from darkroom.rendering import errors, picture, reading
from darkroom.rendering.calling import PLAIN, Call, answer_in_time, body_of, outcome, read_object
from darkroom.rendering.job import (
    Answer,
    Billed,
    Blobs,
    Candidate,
    Failure,
    FailureKind,
    NoWord,
    RenderJob,
    ResponseIdSeen,
)
from darkroom.rendering.provider import Provider
from darkroom.rendering.reading import Reading
from darkroom.rendering.request import UnsendableError, request_body
from darkroom.rendering.sse import EventReader
from darkroom.rendering.stream import BadStreamError

NOT_FOUND = "response_not_found"
"""The code of an answer that says: the API does not know this response."""
FORGET_TIMEOUT_S = 30.0
"""Seconds for having a stored response deleted."""
ASK_TIMEOUT_S = 60.0
"""Seconds for asking what became of a call; the picture may come along."""
log = logging.getLogger("darkroom.rendering")


class _Call(Call):
    """One call while it runs; what is here when the time is up is its answer."""

    def __init__(self, blobs: Blobs, asked: Candidate) -> None:
        super().__init__(asked)
        self.reading = Reading(blobs, asked)

    def answer(self) -> Answer:
        """What became of it, as far as it is known now."""
        return self.reading.answer(self.broken, request_id=self.request_id, headers=self.headers)


class ResponsesRenderer:
    """Sends attempts to ``/responses`` and reads their answers; many may run at once.

    It owns *provider* and closes it. Files of pictures come from *blobs*; time is *clock*'s.
    """

    def __init__(self, provider: Provider, blobs: Blobs, clock: Clock) -> None:
        self._provider = provider
        self._blobs = blobs
        self._clock = clock

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.aclose()

    def warm(self) -> None:
        """Do now what the first call would wait for: load picture formats, build the client's types."""
        picture.warm()
        reading.warm()

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call and read its answer to the end, or until ``job.timeout_s`` is over."""
        call = _Call(self._blobs, job.candidate)
        models = f"{job.candidate.host_model} with {job.candidate.image_model}"
        log.info("attempt %s: asks %s for a picture, %s", job.attempt_id, self._provider.name, models)
        return await answer_in_time(self._clock, job, call, self._render(job, call, response_id_seen))

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """Fetch the response of a call that was sent before, and its picture."""
        call = _Call(self._blobs, job.candidate)
        seconds = min(job.timeout_s, ASK_TIMEOUT_S)
        if not await within(self._clock, seconds, self._ask(response_id, call)):
            call.late(seconds)
        if call.broken is not None and call.broken.code != NOT_FOUND:
            why = call.broken.code
            log.info("attempt %s: response %s: could not be asked for (%s)", job.attempt_id, response_id, why)
            return NoWord.NOT_ASKED
        if call.broken is None and not call.reading.finished:
            log.info("attempt %s: response %s: not finished yet", job.attempt_id, response_id)
            return NoWord.NOT_FINISHED
        answer = call.answer()
        log.info("attempt %s: %s, asked for later", job.attempt_id, outcome(answer))
        return answer

    async def forget(self, response_id: str) -> bool:
        """Have a stored response deleted; one that the API does not know is gone too."""
        gone: list[bool] = []

        async def delete() -> None:
            gone.append(await self._delete(response_id))

        in_time = await within(self._clock, FORGET_TIMEOUT_S, delete())
        if not in_time:
            log.info("response %s: not deleted yet (timeout)", response_id)
        return in_time and gone[0]

    async def _delete(self, response_id: str) -> bool:
        try:
            await self._provider.client.responses.delete(response_id)
        except openai.NotFoundError:
            log.info("response %s: was gone before it was to be deleted", response_id)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            failure = errors.of_exception(error)
            log.info("response %s: not deleted yet, %s (%s)", response_id, failure.kind, failure.code)
            return False
        return True

    async def _render(self, job: RenderJob, call: _Call, response_id_seen: ResponseIdSeen) -> None:
        create = self._provider.client.responses.with_streaming_response.create
        try:
            body = await request_body(job, self._clock)
            async with create(**body, extra_headers=PLAIN) as response:
                call.opened(response.headers)
                if "json" in response.headers.get("content-type", ""):
                    await self._read_json(response, call)
                else:
                    await self._read_events(response, call, response_id_seen)
        except UnsendableError as error:
            call.broken = Failure(FailureKind.BAD_REQUEST, Billed.NOTHING, error.code, str(error))
        except BadStreamError as error:
            call.garbled(error)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            call.refused(error)

    async def _ask(self, response_id: str, call: _Call) -> None:
        retrieve = self._provider.client.responses.with_streaming_response.retrieve
        try:
            async with retrieve(response_id, extra_headers=PLAIN) as response:
                call.opened(response.headers)
                await self._read_json(response, call)
        except openai.NotFoundError as error:
            call.refused(error)
            if errors.is_of_what_was_asked_for(error):
                message = errors.scrub(error.message)
                call.broken = Failure(FailureKind.SERVER, Billed.UNKNOWN, NOT_FOUND, message)
        except BadStreamError as error:
            call.garbled(error)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            call.refused(error)

    async def _read_events(
        self, response: AsyncAPIResponse[Any], call: _Call, response_id_seen: ResponseIdSeen
    ) -> None:
        events = EventReader(call.reading.begin)
        named = False
        try:
            async for chunk in body_of(response):
                for event in events.feed(chunk):
                    call.reading.take(event)
                    if call.reading.response_id is not None and not named:
                        named = True
                        await response_id_seen(call.reading.response_id)
                    if call.reading.finished:
                        return
            for event in events.close():
                call.reading.take(event)
        finally:
            events.discard()

    async def _read_json(self, response: AsyncAPIResponse[Any], call: _Call) -> None:
        """A whole response in one JSON object: the answer to a GET, and of providers that do not stream."""
        event = await read_object(response, call.reading.begin)
        try:
            call.reading.take_response(event.data, event)
        finally:
            event.discard()
