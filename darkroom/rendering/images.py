"""A picture through the Images API: one answer in one JSON object, no conversation and no host model.

It is not streamed: a stream without previews brings nothing earlier, and organisations that are not verified
are refused one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import openai
from openai.types import Image, ImagesResponse

from darkroom.clock import Clock
from darkroom.rendering import errors, picture
from darkroom.rendering.calling import PLAIN, Call, answer_in_time, read_object
from darkroom.rendering.job import (
    Answer,
    Billed,
    Blobs,
    Candidate,
    Failure,
    FailureKind,
    RenderJob,
    ResponseIdSeen,
    SavedPicture,
    Usage,
)
from darkroom.rendering.picture import BadPictureError, Incoming
from darkroom.rendering.provider import Provider
from darkroom.rendering.request import UnsendableError, images_form
from darkroom.rendering.stream import BadStreamError, Event

PICTURE_KEY = "b64_json"
log = logging.getLogger("darkroom.rendering")


class ImagesRenderer:
    """Sends attempts to ``/images/generations``, and with pictures to ``/images/edits``; many may run at
    once.

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
        ImagesResponse.construct(created=0, data=[{PICTURE_KEY: ""}])

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call and read its answer to the end, or until ``job.timeout_s`` is over. The answer has no
        name that could be seen, nor ever asked for."""
        del response_id_seen
        call = _Call(self._blobs, job.candidate)
        what = "an edit" if job.input_pictures else "a picture"
        model = job.candidate.image_model
        log.info("attempt %s: asks %s for %s, %s alone", job.attempt_id, self._provider.name, what, model)
        return await answer_in_time(self._clock, job, call, self._render(job, call))

    async def _render(self, job: RenderJob, call: _Call) -> None:
        images = self._provider.client.images.with_streaming_response
        send = images.edit if job.input_pictures else images.generate
        try:
            with images_form(job) as form:
                async with send(**form, extra_headers=PLAIN) as response:
                    call.opened(response.headers)
                    event = await read_object(response, call.begin)
                    try:
                        call.take(event)
                    finally:
                        event.discard()
        except UnsendableError as error:
            call.broken = Failure(FailureKind.BAD_REQUEST, Billed.NOTHING, error.code, str(error))
        except BadStreamError as error:
            call.garbled(error)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            call.refused(error)


class _Call(Call):
    """One call while it runs; what is here when the time is up is its answer.

    A picture counts as soon as its last character is here, whatever becomes of the rest: it was paid for, and
    nobody can ask for it again.
    """

    def __init__(self, blobs: Blobs, asked: Candidate) -> None:
        super().__init__(asked)
        self._blobs = blobs
        self._asked_for = asked
        self._begun = False
        self._finished = False
        self._picture: SavedPicture | None = None
        self._usage: Usage | None = None
        self._bad_picture = ""
        self._error: Failure | None = None

    def begin(self, key: str) -> Incoming:
        """Where the long string of *key* goes: the first picture into a file, anything else into nothing."""
        if key != PICTURE_KEY or self._begun:
            return Incoming()
        self._begun = True
        return Incoming(self._blobs.begin(), self._keep)

    def take(self, event: Event) -> None:
        """The whole answer; BadStreamError when it is none."""
        usage = event.data.get("usage")
        self._usage = usage if isinstance(usage, dict) else None
        if event.data.get("error") is not None:
            self._error = errors.of_event(event.data, self._asked_for)
        elif not isinstance(event.data.get("data"), list):
            raise BadStreamError("the answer is no list of pictures")
        else:
            self._first(ImagesResponse.construct(**event.data).data or [], event.spilled)
        self._finished = True

    def answer(self) -> Answer:
        """What became of it, as far as it is known now."""
        return Answer(
            picture=self._picture,
            image_usage=self._usage,
            failure=None if self._picture is not None else self._failure(),
            request_id=self.request_id,
            headers=self.headers,
        )

    def _first(self, pictures: list[Any], spilled: Mapping[str, Incoming]) -> None:
        first = pictures[0] if pictures else None
        if not isinstance(first, Image):
            return
        given, revised = first.b64_json, first.revised_prompt
        if isinstance(given, str) and given and given not in spilled:
            incoming = self.begin(PICTURE_KEY)
            incoming.feed(given.encode("ascii", "replace"))
            incoming.end()
        elif not given and first.url:
            self._bad_picture = "an address came in its place"
        if self._picture is not None and isinstance(revised, str) and revised not in spilled:
            words = revised.encode("utf-8", "replace").decode()
            self._picture = replace(self._picture, revised_prompt=words)

    def _keep(self, incoming: Incoming) -> None:
        try:
            self._picture = picture.save(incoming, None)
        except BadPictureError as error:
            self._bad_picture = str(error)

    def _failure(self) -> Failure:
        """Why there is no picture. What the API reports is charged; what it says nothing of is not known."""
        billed = Billed.UNKNOWN if self._usage is None else Billed.REPORTED
        if self._error is not None:
            return self._error if self._usage is None else replace(self._error, billed=billed)
        if self._bad_picture:
            return Failure(FailureKind.BAD_PICTURE, billed, "bad_picture", self._bad_picture)
        if self._finished:
            return Failure(FailureKind.SERVER, billed, "no_picture", "an answer without a picture")
        return self.broken or Failure(FailureKind.SERVER, Billed.UNKNOWN, "no_answer")
