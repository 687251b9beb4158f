"""What these tests share: a quick painter, requests, a clock, and a check by the client's own types."""

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from PIL import Image
from pydantic import BaseModel, TypeAdapter

from sandbox.images.api import Answer, ImageApi
from sandbox.images.painter import Order

Json = dict[str, Any]
KEY = {"authorization": "Bearer sk-test"}
FIXTURES = Path(__file__).parent.parent / "fixtures" / "openai"
ERRORS: Json = json.loads((FIXTURES / "errors.json").read_text())
FORCED = {"type": "image_generation"}
_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        """Unix seconds."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and the others run."""
        self.time += seconds
        await asyncio.sleep(0)


def quick(order: Order) -> bytes:
    """A plain sheet of the right size whose colour depends on everything in the order."""
    told = f"{order.prompt}{order.variant}{order.finished}".encode() + b"".join(order.parents)
    red, green, blue = hashlib.sha256(told).digest()[:3]
    out = io.BytesIO()
    Image.new("RGB", (order.width, order.height), (red, green, blue)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def quick_api(**keywords: Any) -> ImageApi:
    """An API that needs no time."""
    defaults: Json = {"seconds_per_picture": 0.0, "paint": quick, "offload": False, "seed": 1}
    return ImageApi(**(defaults | keywords))


def request(prompt: Any = "a red fox in snow", **fields: Any) -> Json:
    """A forced picture from gpt-image-2; `tool` changes the tool, the rest the request."""
    tool = {"type": "image_generation", "model": "gpt-image-2", "quality": "low", "size": "1024x1024"}
    tool |= fields.pop("tool", {})
    body: Json = {"model": "gpt-5.6-luna", "input": prompt, "tools": [tool], "tool_choice": FORCED}
    return body | fields


def message(text: str, *pictures: bytes) -> list[Json]:
    """An `input` with words and pictures."""
    parts: list[Json] = [{"type": "input_text", "text": text}]
    parts += [{"type": "input_image", "image_url": data_url(picture)} for picture in pictures]
    return [{"role": "user", "content": parts}]


def data_url(picture: bytes) -> str:
    """A PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def png(width: int = 64, height: int = 64, mode: str = "RGB") -> bytes:
    """A small real PNG."""
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


async def ask(api: ImageApi, prompt: Any = "a red fox in snow", **fields: Any) -> Json:
    """The response to a request that succeeds, checked by the client's own types."""
    answer = await api.create_response(request(prompt, **fields), KEY)
    assert answer.status == 200, answer.body
    check(Response, answer.body)
    return answer.body or {}


async def events_of(answer: Answer) -> list[Json]:
    """Every event of a streamed answer, checked by the client's own types."""
    assert answer.events is not None, answer.body
    return [checked_event(event) async for event in answer.events]


async def stream(api: ImageApi, prompt: Any = "a red fox in snow", **fields: Any) -> list[Json]:
    """Every event of a streamed request."""
    return await events_of(await api.create_response(request(prompt, stream=True, **fields), KEY))


async def refusal(api: ImageApi, prompt: Any = "a red fox in snow", **fields: Any) -> tuple[int, Json]:
    """Status and `error` of a request that is refused."""
    answer = await api.create_response(request(prompt, **fields), KEY)
    assert answer.body is not None
    return answer.status, answer.body["error"]


def checked_event(event: Json) -> Json:
    """An event that is exactly one of the client's event types, without a field they do not know."""
    parsed = _EVENTS.validate_python(json.loads(json.dumps(event)))
    assert parsed.type == event["type"]
    assert unknown_fields(parsed) == []
    return event


def check(kind: type[BaseModel], body: object) -> None:
    """`body` is a `kind` without a field the client does not know."""
    assert unknown_fields(kind.model_validate(json.loads(json.dumps(body)))) == []


def unknown_fields(value: object, where: str = "") -> list[str]:
    """Paths of the fields the client's types do not declare; `tools[].n` is live but undeclared."""
    found: list[str] = []
    if isinstance(value, BaseModel):
        found += [f"{where}.{name}" for name in value.model_extra or {} if name not in ("n", "store")]
        for name in type(value).model_fields:
            found += unknown_fields(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            found += unknown_fields(item, f"{where}[]")
    return found


async def settled(api: ImageApi) -> None:
    """Wait until every call and every generation has ended."""
    changed = asyncio.Event()
    api.on_call = lambda call: changed.set()
    while any(call.ended_at is None for call in api.calls):
        await changed.wait()
        changed.clear()


async def taken(api: ImageApi) -> None:
    """Wait until the newest call has become a generation."""
    changed = asyncio.Event()
    api.on_call = lambda call: changed.set()
    while not api.calls or api.calls[-1].response_id is None:
        await changed.wait()
        changed.clear()


async def collected(chunks: AsyncIterator[bytes]) -> bytes:
    """All bytes of a stream."""
    return b"".join([chunk async for chunk in chunks])
