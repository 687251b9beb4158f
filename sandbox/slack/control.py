"""The routes a page uses: look at the workspace, act in it, hear of changes. Loopback only.

    GET  /control/state?viewer=U…            view.snapshot
    POST /control/{type,post,press,edit,delete,react,home,shortcut,fill,submit,close}
                                             JSON body: an action of view.apply plus "viewer"; answers 200
    POST /control/upload?viewer=U…&name=…    the bytes as the body; answers {"ok": true, "file": {"id", …}}
    GET  /control/files/{id}                 the bytes, with their media type
    GET  /control/live                       WebSocket: one JSON notice a change ({"kind": "message", …});
                                             {"kind": "lost"} means: read the state again

Any other web page is kept out by the Host and Origin headers: both must name this machine.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from sandbox.slack import view
from sandbox.slack.model import Json
from sandbox.slack.server import WORKSPACE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LIVE: Final = web.AppKey("live", set[web.WebSocketResponse])
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NOTICES_MAX: Final = 1000
_ACTIONS: Final = frozenset(
    {"type", "post", "press", "edit", "delete", "react", "home", "shortcut", "submit", "fill", "close"}
)
_SHOWN_INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def add_control(app: web.Application) -> None:
    """Add the control routes to an app made by `slack_app`."""
    app[LIVE] = set()
    app.router.add_get("/control/state", guarded(_state))
    app.router.add_get("/control/live", guarded(_live))
    app.router.add_get("/control/files/{id}", guarded(_file))
    app.router.add_post("/control/upload", guarded(_upload))
    app.router.add_post("/control/{do}", guarded(_act))
    app.on_shutdown.append(_close_live)


def guarded(handler: Handler) -> Handler:
    """Let only this machine's own pages in: 403 for a foreign Host or Origin header."""

    async def checked(request: web.Request) -> web.StreamResponse:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin != f"http://{request.headers.get('Host', '')}"
        if host not in _LOOPBACK or foreign:
            raise web.HTTPForbidden(text="The sandbox answers its own page on this machine only.")
        return await handler(request)

    return checked


async def _state(request: web.Request) -> web.StreamResponse:
    try:
        shown = view.snapshot(request.app[WORKSPACE], request.query.get("viewer", ""))
    except KeyError:
        return _unknown_viewer()
    return web.json_response(shown)


def _unknown_viewer() -> web.Response:
    return web.json_response({"ok": False, "error": "unknown viewer"}, status=404)


async def _act(request: web.Request) -> web.StreamResponse:
    do = request.match_info["do"]
    if do not in _ACTIONS:
        raise web.HTTPNotFound
    try:
        given = json.loads(await request.text() or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return web.json_response({"ok": False, "error": "the body must be a JSON object"}, status=400)
    workspace = request.app[WORKSPACE]
    if str(given.get("viewer")) not in workspace.users:
        return _unknown_viewer()
    return web.json_response(await view.apply(workspace, given["viewer"], {**given, "do": do}))


async def _upload(request: web.Request) -> web.StreamResponse:
    workspace = request.app[WORKSPACE]
    viewer = request.query.get("viewer", "")
    if viewer not in workspace.users:
        return _unknown_viewer()
    data = await request.read()
    if not data:
        return web.json_response({"ok": False, "error": "the file is empty"}, status=400)
    file = await workspace.upload(viewer, request.query.get("name") or "file", data)
    return web.json_response(
        {"ok": True, "file": {"id": file.id, "name": file.name, "mimetype": file.mimetype}}
    )


async def _file(request: web.Request) -> web.StreamResponse:
    file = request.app[WORKSPACE].files.get(request.match_info["id"])
    if file is None or file.deleted or not file.uploaded:
        raise web.HTTPNotFound
    headers = {"X-Content-Type-Options": "nosniff"}
    kind = file.mimetype
    if kind not in _SHOWN_INLINE:
        kind, headers["Content-Disposition"] = "application/octet-stream", "attachment"
    return web.Response(body=file.data, content_type=kind, headers=headers)


async def _live(request: web.Request) -> web.StreamResponse:
    """Notices go through a bounded queue: a slow page loses some and is told so."""
    workspace = request.app[WORKSPACE]
    notices: asyncio.Queue[Json] = asyncio.Queue(_NOTICES_MAX)
    link = web.WebSocketResponse(heartbeat=30)
    await link.prepare(request)

    def note(notice: Json) -> None:
        if notices.full():
            while not notices.empty():
                notices.get_nowait()
            notice = {"kind": "lost"}
        notices.put_nowait(notice)

    async def forward() -> None:
        while not link.closed:
            await link.send_json(await notices.get())

    workspace.on_change.append(note)
    request.app[LIVE].add(link)
    sending = asyncio.ensure_future(forward())
    try:
        await link.send_json({"kind": "hello"})
        async for message in link:
            if message.type == WSMsgType.ERROR:
                break
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        workspace.on_change.remove(note)
        request.app[LIVE].discard(link)
    return link


async def _close_live(app: web.Application) -> None:
    links = app[LIVE]
    await asyncio.gather(*(link.close() for link in links), return_exceptions=True)
