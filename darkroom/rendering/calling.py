"""What all calls for pictures have in common: what is kept of an answer, and how its body is read."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Protocol

import httpx2
import openai
from openai import AsyncAPIResponse

from darkroom.clock import Clock, within
from darkroom.rendering import errors
from darkroom.rendering.job import Answer, Billed, Candidate, Failure, FailureKind, RenderJob
from darkroom.rendering.sse import MAX_STREAM
from darkroom.rendering.stream import BadStreamError, Begin, Document, Event

PLAIN = {"Accept-Encoding": "identity"}
"""Compressing base64 of a picture costs time and saves nothing."""
_KEPT_HEADERS = "x-ratelimit-"
log = logging.getLogger("darkroom.rendering")


class Call:
    """One call while it runs: what its headers said, and why it ended early if it did."""

    def __init__(self, asked: Candidate) -> None:
        self.broken: Failure | None = None
        self.request_id: str | None = None
        self.headers: dict[str, str] = {}
        self._asked = asked

    def opened(self, headers: Mapping[str, str]) -> None:
        """The answer's headers are here."""
        self.request_id = errors.name(headers.get("x-request-id")) or self.request_id
        self.headers = {
            name.lower(): value[:200]
            for name, value in headers.items()
            if name.lower().startswith(_KEPT_HEADERS)
        }

    def refused(self, error: openai.OpenAIError | httpx2.HTTPError) -> None:
        """The client raised."""
        self.broken = errors.of_exception(error, self._asked)
        if isinstance(error, openai.APIStatusError):
            self.opened(error.response.headers)

    def garbled(self, error: BadStreamError) -> None:
        """What came is not what an answer looks like."""
        self.broken = Failure(FailureKind.SERVER, Billed.UNKNOWN, "bad_stream", str(error))

    def late(self, seconds: float) -> None:
        """The call's time is over."""
        self.broken = Failure(FailureKind.TIMEOUT, Billed.UNKNOWN, "timeout", f"no answer in {seconds:g} s")


class Answering(Protocol):
    """A call that has an answer at any time, as far as it is known by then."""

    def late(self, seconds: float) -> None:
        """The call's time is over."""
        ...

    def answer(self) -> Answer:
        """What became of it."""
        ...


async def answer_in_time(
    clock: Clock, job: RenderJob, call: Answering, work: Coroutine[Any, Any, None]
) -> Answer:
    """What is known of *call* when *work* has come to its end, or ``job.timeout_s`` is over; logged."""
    began = clock.monotonic()
    if not await within(clock, job.timeout_s, work):
        call.late(job.timeout_s)
    answer = call.answer()
    log.info("attempt %s: %s, after %.1f s", job.attempt_id, outcome(answer), clock.monotonic() - began)
    return answer


def body_of(response: AsyncAPIResponse[Any]) -> AsyncIterator[bytes]:
    """The body as it comes; only what a gateway compressed unasked goes through the client's decoders."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return response.iter_bytes()
    return response.http_response.aiter_raw()


async def read_object(response: AsyncAPIResponse[Any], begin: Begin) -> Event:
    """A body that is one JSON object, its long strings in what *begin* gives: the caller's to keep or
    discard, but of a body that breaks off they are discarded here. Raises BadStreamError.
    """
    document = Document(begin)
    received = 0
    try:
        async for chunk in body_of(response):
            received += len(chunk)
            if received > MAX_STREAM:
                raise BadStreamError("the answer is too long")
            document.feed(chunk)
        event = document.event()
        if event is None:
            raise BadStreamError("the answer is empty")
    except BaseException:
        document.discard()
        raise
    return event


def outcome(answer: Answer) -> str:
    """For the log: ids and states, nothing that anybody wrote."""
    if answer.failure is not None:
        state = f"{answer.failure.kind} ({answer.failure.code}), billed {answer.failure.billed}"
    elif answer.picture is not None:
        state = f"a picture of {answer.picture.size_bytes} bytes"
    else:
        state = "words" if answer.words else "nothing"
    return f"response {answer.response_id}, request {answer.request_id}: {state}"
