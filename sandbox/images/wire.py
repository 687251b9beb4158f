"""From HTTP to the API and back, without sockets: paths, bodies, forms and server-sent events as bytes.

The HTTP shell and an in-process transport both stand on this.
"""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from sandbox.images.api import ImageApi
from sandbox.images.errors import Refusal
from sandbox.images.front_desk import Answer
from sandbox.reading import read_json

Json = dict[str, Any]
_MARK = "picture-{}-1f2d8c6a5b"
_WHOLE_NUMBERS = ("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms")


_NO_FORM: Final = "We could not parse the form of your request."


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: `body` in one piece, or `chunks` of server-sent events that may raise `Dropped`."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    chunks: AsyncGenerator[bytes, None] | None = None


async def handle(
    api: ImageApi,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    query: Mapping[str, str] | None = None,
) -> Reply:
    """Answer one HTTP request; `path` is below `/v1`, such as `/responses`. Raises `Dropped`."""
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        answer = await _route(api, method, path.rstrip("/"), lowered, body, query or {})
    except Refusal as refusal:
        answer = Answer(refusal.status, refusal.body, headers=refusal.headers)
    if answer.events is not None:
        streamed = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        return Reply(answer.status, answer.headers | streamed, chunks=_encode(answer.events))
    if answer.raw is not None:
        return Reply(answer.status, {"content-type": "text/html"} | answer.headers, answer.raw)
    text = json.dumps(answer.body).encode() if answer.body is not None else b""
    return Reply(answer.status, {"content-type": "application/json"} | answer.headers, text)


async def _route(
    api: ImageApi, method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, str]
) -> Answer:
    """The endpoint for a method and a path, or 404."""
    posts: dict[str, Callable[[Json, Mapping[str, str]], Awaitable[Answer]]] = {
        "/responses": api.create_response,
        "/images/generations": api.generate_images,
        "/images/edits": api.edit_images,
    }
    if method == "POST" and path in posts:
        return await posts[path](_read(headers.get("content-type", ""), body), headers)
    if method == "GET" and path == "/models":
        return await api.models(headers)
    if method == "GET" and path == "/organization/costs":
        return await api.organization_costs(headers, query)
    named = re.fullmatch(r"/(responses|models)/([^/]+)", path)
    if named is not None and method == "GET":
        if named[1] == "models":
            return await api.models(headers, named[2])
        return await api.retrieve_response(named[2], headers, query)
    if named is not None and method == "DELETE" and named[1] == "responses":
        return await api.delete_response(named[2], headers)
    raise Refusal(404, f"Invalid URL ({method} /v1{path})")


async def _encode(events: AsyncGenerator[Json, None]) -> AsyncGenerator[bytes, None]:
    """Each event as one server-sent event, its pictures in chunks of their own."""
    async with aclosing(events):
        async for event in events:
            pictures: list[str] = []
            rest = json.dumps(_without_pictures(event, pictures))
            text = f"event: {event['type']}\ndata: {rest}\n\n"
            for number, picture in enumerate(pictures):
                before, _, text = text.partition(_MARK.format(number))
                yield before.encode()
                yield picture.encode()
            yield text.encode()


def _without_pictures(value: Any, pictures: list[str]) -> Any:
    """A copy with a mark for each picture: base64 needs no escaping, and JSON takes 10 ms for 3 MB of it."""
    if isinstance(value, list):
        return [_without_pictures(item, pictures) for item in value]
    if not isinstance(value, dict):
        return value
    copy: Json = {}
    for key, item in value.items():
        if key in ("result", "partial_image_b64") and isinstance(item, str):
            copy[key] = _MARK.format(len(pictures))
            pictures.append(item)
        else:
            copy[key] = _without_pictures(item, pictures)
    return copy


def _read(content_type: str, body: bytes) -> Json:
    """The parameters of a body: JSON, or a form whose files become bytes. Raises `Refusal`."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if content_type.startswith("multipart/form-data") and boundary is not None:
        return _read_form(body, boundary[1].encode())
    try:
        read = read_json(body)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not _all_text(read):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    return read


def _all_text(read: Json) -> bool:
    """Whether all of its text is text: half of a surrogate pair, which JSON can spell, has no bytes."""
    waiting: list[object] = [read]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and not value.isascii() and not _is_text(value):
            return False
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return True


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_form(body: bytes, boundary: bytes) -> Json:
    """The fields of a form by name; `name[]` and repeated names become lists, files bytes. Raises `Refusal`
    for one without names, and for text that is none."""
    try:
        return _fields(body, boundary)
    except UnicodeDecodeError:
        raise Refusal(400, _NO_FORM) from None


def _fields(body: bytes, boundary: bytes) -> Json:
    """As `_read_form`, but raises UnicodeDecodeError for text that is none."""
    fields: Json = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        disposition = next((line for line in head.split(b"\r\n") if b"form-data" in line), b"").decode()
        named = re.search(r'[; ]name="([^"]*)"', disposition)
        if named is None:
            raise Refusal(400, _NO_FORM)
        value: object = content if "filename=" in disposition else _plain(named[1], content.decode())
        name = named[1].removesuffix("[]")
        if named[1] != name or name in fields:
            before = fields.get(name, [])
            fields[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            fields[name] = value
    return fields


def _plain(name: str, text: str) -> object:
    """A form's text as the JSON type its parameter has."""
    if name in _WHOLE_NUMBERS and re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    if name == "stream" and text in ("true", "false"):
        return text == "true"
    return text
