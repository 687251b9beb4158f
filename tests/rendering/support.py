"""What the tests of rendering share: a job, pictures, event streams as bytes, and a scripted transport."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image

from darkroom.clock import Clock, SystemClock
from darkroom.rendering.images import ImagesRenderer
from darkroom.rendering.job import Blobs, Candidate, Endpoint, RenderJob
from darkroom.rendering.provider import Provider
from darkroom.rendering.responses import ResponsesRenderer

FIXTURES = Path(__file__).parent.parent / "fixtures" / "openai"
JOB = RenderJob(
    turn_id="turn_1",
    attempt_id="attempt_1",
    candidate=Candidate(Endpoint.RESPONSES, "gpt-image-2-2026-04-21", "gpt-5.6-luna"),
    prompt="a red fox in snow",
    width=1024,
    height=1024,
    quality="medium",
    format="png",
    forced=True,
    safety_identifier="person-1",
    timeout_s=30.0,
    max_output_tokens=4000,
    instructions="Make one picture.",
)


IMAGES_JOB = replace(JOB, candidate=Candidate(Endpoint.IMAGES, "gpt-image-2-2026-04-21", ""))


def png(width: int = 8, height: int = 8, padding: int = 0) -> bytes:
    """A PNG; *padding* bytes that do not compress go behind its end, where readers stop."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue() + bytes(index * 2_654_435_761 % 251 for index in range(padding))


IMAGES_USAGE = {
    "input_tokens": 7,
    "input_tokens_details": {"text_tokens": 7, "image_tokens": 0},
    "output_tokens": 1756,
    "total_tokens": 1763,
}


def b64(data: bytes) -> str:
    """As the API sends it."""
    return base64.b64encode(data).decode()


def response(status: str = "completed", *output: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A whole response object."""
    return {
        "id": "resp_1",
        "object": "response",
        "status": status,
        "model": "gpt-5.6-luna-2026-08-01",
        "error": None,
        "incomplete_details": None,
        "tools": [{"type": "image_generation", "model": "gpt-image-2-2026-04-21"}],
        "output": list(output),
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        "tool_usage": {"image_gen": {"input_tokens": 7, "output_tokens": 1756, "total_tokens": 1763}},
    } | fields


def images_answer(picture: bytes | None, **fields: Any) -> dict[str, Any]:
    """A whole answer of the Images API."""
    return {
        "created": 1_795_000_000,
        "background": "opaque",
        "data": [] if picture is None else [{"b64_json": b64(picture)}],
        "output_format": "png",
        "quality": "medium",
        "size": "1024x1024",
        "usage": IMAGES_USAGE,
    } | fields


def image_item(picture: bytes | None, **fields: Any) -> dict[str, Any]:
    """The item of an image call."""
    result = b64(picture) if picture is not None else None
    return {
        "id": "ig_1",
        "type": "image_generation_call",
        "status": "completed",
        "result": result,
        "revised_prompt": "A red fox stands in snow.",
    } | fields


def message(*texts: str, refusal: str = "") -> dict[str, Any]:
    """A message item."""
    content: list[dict[str, Any]] = [
        {"type": "output_text", "text": text, "annotations": []} for text in texts
    ]
    if refusal:
        content.append({"type": "refusal", "refusal": refusal})
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def created() -> dict[str, Any]:
    """How every stream begins."""
    return {"type": "response.created", "response": response("in_progress", usage=None, tool_usage=None)}


def done(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item is complete."""
    return {"type": "response.output_item.done", "output_index": 0, "item": item}


def ended(kind: str, *output: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """The response is over: completed, failed or incomplete."""
    return {"type": f"response.{kind}", "response": response(kind, *output, **fields)}


def sse(events: Iterable[Mapping[str, Any]], newline: str = "\n") -> bytes:
    """Events as they go over the wire."""
    frames = (f"event: {event['type']}{newline}data: {json.dumps(event)}{newline * 2}" for event in events)
    return "".join(frames).encode()


def fixture_stream(name: str) -> bytes:
    """A captured stream of ``tests/fixtures/openai/streams``."""
    events = json.loads((FIXTURES / "streams" / f"{name}.json").read_text())
    return sse(event["data"] for event in events)


def cut(data: bytes, size: int = 65_536) -> list[bytes]:
    """Pieces of *size* bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


@dataclass
class Script:
    """One answer: its pieces in order; an exception among them is raised there, an event is waited for."""

    pieces: Sequence[bytes | Exception | asyncio.Event] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    refused: Exception | None = None

    @classmethod
    def json(cls, body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Script:
        """An answer in one JSON object."""
        plain = {"content-type": "application/json", "x-request-id": "req_1"} | dict(headers or {})
        return cls([json.dumps(body).encode()], status, plain)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes | Exception | asyncio.Event]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                raise piece


class Scripted(httpx2.AsyncBaseTransport):
    """The other end of the client's HTTP transport: gives the scripts in order, keeps the requests."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[httpx2.Request] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent."""
        return [json.loads(request.content) for request in self.requests]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer."""
        await request.aread()  # the files of a form are open only as long as it is sent
        self.requests.append(request)
        script = self._scripts.pop(0)
        if script.refused is not None:
            raise script.refused
        return httpx2.Response(script.status, headers=dict(script.headers), stream=_Body(script.pieces))


def renderer(
    transport: httpx2.AsyncBaseTransport, blobs: Blobs, clock: Clock | None = None
) -> ResponsesRenderer:
    """A renderer on a scripted transport."""
    client = httpx2.AsyncClient(transport=transport)
    provider = Provider("http://scripted/v1", "sk-test", http_client=client)
    return ResponsesRenderer(provider, blobs, clock or SystemClock())


def images_renderer(
    transport: httpx2.AsyncBaseTransport, blobs: Blobs, clock: Clock | None = None
) -> ImagesRenderer:
    """The same for the Images endpoint."""
    client = httpx2.AsyncClient(transport=transport)
    provider = Provider("http://scripted/v1", "sk-test", http_client=client)
    return ImagesRenderer(provider, blobs, clock or SystemClock())


class HandClock:
    """A clock that stands still; who sleeps wakes when ``ring`` is called."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._bell = asyncio.Event()

    def now(self) -> datetime:
        """Always the same day."""
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic(self) -> float:
        """Always the same moment."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Wait for the bell; no time at all passes at once."""
        if seconds > 0:
            self.slept.append(seconds)
            await self._bell.wait()

    def ring(self) -> None:
        """All sleep is over."""
        self._bell.set()

    def new_id(self, kind: str) -> str:
        """The same id each time."""
        return f"{kind}_1"


class Seen:
    """The response ids that were reported."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def __call__(self, response_id: str) -> None:
        self.ids.append(response_id)


async def nobody(response_id: str) -> None:
    """For who does not care about the response id."""


def job(**changes: Any) -> RenderJob:
    """The job, with some of it changed."""
    return replace(JOB, **changes)
