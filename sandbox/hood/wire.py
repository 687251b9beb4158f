"""What the app asks of Slack over HTTP, in the record: Web API calls, uploads, downloads, response_urls."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.hood.record import Kind, Record
from sandbox.reading import read_form
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
Place = tuple[str | None, str | None]
"""A channel and the ts that opened the thread in it, as far as they are known."""

_JSON_FIELDS: Final = frozenset({"blocks", "metadata", "files", "attachments", "view"})
_ID_MAX: Final = 40
"""Characters of an id or a ts; what is longer is none, and is not kept with the entry."""
_TOLD_FIRST: Final = ("text", "status", "name", "filename", "user", "users", "ts", "limit")


def wire_watch(workspace: Workspace, record: Record, moved: Callable[[], None]) -> Middleware:
    """A middleware that writes what the app asks into a record; `moved` hears of each call's end.

    How long a call took is real time, from the whole request to the whole answer.
    """

    @web.middleware
    async def watch(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        known = _known(request)
        if known is None:
            return await handler(request)
        kind, name = known
        given = await _given(request, kind)
        channel, thread = _place(workspace, request, kind, given)
        entry = record.open(
            kind, name, _said(workspace, kind, given, channel), given, channel=channel, thread=thread
        )
        began = time.perf_counter()
        ok = False
        error: str | None = "the connection ended without an answer"
        try:
            response = await handler(request)
            body = _body(response)
            ok, error = _verdict(response.status, body)
            record.answer(entry, body)
            if thread is None and name == "chat.postMessage" and isinstance(body, dict):
                thread = body.get("ts")
            return response
        except web.HTTPException as refused:
            if request.transport is not None and not request.transport.is_closing():
                error = f"HTTP {refused.status}"
            raise
        finally:
            ms = round((time.perf_counter() - began) * 1_000, 1)
            record.change(entry, ms=ms, ok=ok, error=None if ok else error, thread=thread)
            moved()

    return watch


def _known(request: web.Request) -> tuple[Kind, str] | None:
    """What kind of call a request is, and its name; None for what is not the app's."""
    first, _, rest = request.path.lstrip("/").partition("/")
    if first == "api":
        return "web", rest[:80]
    if first == "upload":
        return "file", "upload"
    if first == "files-pri":
        return "file", "download"
    return ("response_url", first) if first in ("commands", "actions", "app") else None


async def _given(request: web.Request, kind: Kind) -> Json:
    """What was asked, as far as it can be shown; the handler can read the request once more."""
    if kind == "file":
        length = {} if request.content_length is None else {"bytes": request.content_length}
        return {"path": request.path, **length}
    params: Json = dict(request.query)
    if request.content_type == "application/json":
        return params | _parsed(await request.read())
    if request.body_exists:
        try:
            form = await read_form(request)
        except ValueError as error:
            return params | {"(not a form)": str(error)}
        for key, value in form.items():
            params[key] = _plain(key, value)
    return params


def _parsed(body: bytes) -> Json:
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {"(not JSON)": body.decode(errors="replace")}
    return given if isinstance(given, dict) else {"(not an object)": given}


def _plain(key: str, value: Any) -> Any:
    """A form's field; JSON inside a string is shown as what it is."""
    if isinstance(value, web.FileField):
        return f"(a file: {value.filename})"
    if key in _JSON_FIELDS and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _body(response: web.StreamResponse) -> Any:
    """An answer as JSON or text; what is streamed or no text, by its size."""
    if not isinstance(response, web.Response):
        return None
    size = f"({response.content_length or 0:,} bytes of {response.content_type})"
    if not response.content_type.startswith(("text/", "application/json")):
        return size
    try:
        text = response.text
    except (UnicodeDecodeError, LookupError):
        # A download that goes wrong on purpose may be called text and be none.
        return size
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _verdict(status: int, body: Any) -> tuple[bool, str | None]:
    if isinstance(body, dict) and body.get("ok") is False:
        return False, str(body.get("error", "not ok"))
    return (True, None) if status < 400 else (False, f"HTTP {status}")


def _place(workspace: Workspace, request: web.Request, kind: Kind, given: Mapping[str, Any]) -> Place:
    """Where a call belongs."""
    if kind == "response_url":
        known = workspace.response_urls.get(request.path.rstrip("/").rsplit("/", 1)[-1])
        return (known.channel, known.thread_ts or known.message_ts) if known else (None, None)
    channel = id_in(given.get("channel") or given.get("channel_id"))
    if channel is None:
        return None, None
    ts = given.get("ts") or given.get("timestamp")
    return channel, id_in(given.get("thread_ts")) or opened_by(workspace, channel, ts)


def id_in(value: object) -> str | None:
    """What may be an id or a ts; None for anything else, as a payload may have it in its place."""
    return value if isinstance(value, str) and 0 < len(value) <= _ID_MAX else None


def opened_by(workspace: Workspace, channel: str | None, ts: object) -> str | None:
    """The ts that opened the thread of a message: its own where it is no reply; None without a message."""
    known = id_in(ts)
    if known is None:
        return None
    room = workspace.channels.get(channel or "")
    message = room.messages.get(known) if room is not None else None
    return known if message is None else message.thread_ts or message.ts


def room_name(workspace: Workspace, channel: str | None) -> str:
    """`#design`, or what else a channel is; empty without one."""
    room = workspace.channels.get(channel or "")
    if room is None:
        return channel or ""
    return f"#{room.name}" if room.name else "a direct message"


def _said(workspace: Workspace, kind: Kind, given: Mapping[str, Any], channel: str | None) -> str:
    """A call in one line: where, and what."""
    if kind == "file":
        return f"{given['bytes']:,} bytes" if "bytes" in given else ""
    files = given.get("files")
    listed = [given, *(files if isinstance(files, list) else [])]
    named = [str(each.get("file") or each.get("id")) for each in listed if isinstance(each, dict)]
    known = ", ".join(workspace.files[file_id].name for file_id in named if file_id in workspace.files)
    view = given.get("view")
    title = view.get("title") if isinstance(view, dict) else None
    words = title.get("text") if isinstance(title, dict) else known
    words = words or next((given[name] for name in _TOLD_FIRST if given.get(name)), "")
    return ": ".join(part for part in (room_name(workspace, channel), str(words)) if part)
