"""The routes of a page, and of a program that drives the sandbox: look, act, hear of changes, begin again.

    GET  /control/state?viewer=V             view.snapshot
    GET  /control/answers?viewer=V&channel=C (&after=TS, &thread_ts=TS, &seconds=10) what the app said there
                                             after that, to everybody and to this person; waits for it
    GET  /control/calls?newest=100           the newest calls of the app, to Slack's Web API and the image API
    POST /control/{type,post,press,options,edit,delete,react,home,shortcut,fill,submit,close}
                                             JSON body: an action of acting.apply plus "viewer"; answers 200
    POST /control/upload?viewer=V&name=…     the bytes as the body; answers {"ok": true, "file": {"id", …}}
    GET, POST /control/app                   what the app is taken for; a manifest in JSON changes it
    POST /control/person                     {"name", "channels"?, "is_admin"?, "is_guest"?}: one more person
    POST /control/uninstall                  the app is removed: it is told so, and its token refused
    POST /control/revoke                     {"users"?}: their tokens, or the app's own, are revoked
    POST /control/reset                      everything as in the beginning; connections stay
    GET  /control/files/{id}                 the bytes, with their media type
    GET  /control/live                       WebSocket: one JSON notice a change ({"kind": "message", …});
                                             {"kind": "lost"} means: read the state again

A viewer is a person's id or name. docs/sandbox.md has an example of each. What cannot be done is answered as
{"ok": false, "error": "what to do"}, with 4xx where the request itself is wrong. Other web pages are kept out
(`sandbox.guard`).
"""

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from sandbox.images.api import ImageApi
from sandbox.slack import acting, view
from sandbox.slack.asking import ACTIONS, Handler, Wrong, given_by, told_in_json, viewer_of
from sandbox.slack.driving import add_driving
from sandbox.slack.model import Json
from sandbox.slack.server import WORKSPACE

__all__ = ["Handler", "add_control"]

LIVE: Final = web.AppKey("live", set[web.WebSocketResponse])
LIVE_MAX: Final = 100
GOODBYE_S: float = 2.0
"""Seconds that listeners have to close their end when the sandbox ends."""
_NOTICES_MAX: Final = 1000
_SHOWN_INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def add_control(app: web.Application, images: ImageApi | None = None) -> None:
    """Add the control routes to an app made by `slack_app`; with `images` its calls are shown, too, and it
    begins again with the workspace."""
    app[LIVE] = set()
    app.middlewares.insert(0, told_in_json)
    app.router.add_get("/control/state", _state)
    app.router.add_get("/control/live", _live)
    app.router.add_get("/control/files/{id}", _file)
    app.router.add_post("/control/upload", _upload)
    for do in ACTIONS:
        app.router.add_post(f"/control/{do}", _act)
    add_driving(app, images)
    app.on_shutdown.append(_close_live)


async def _state(request: web.Request) -> web.StreamResponse:
    viewer = viewer_of(request, request.query.get("viewer"))
    return web.json_response(view.snapshot(request.app[WORKSPACE], viewer.id))


async def _act(request: web.Request) -> web.StreamResponse:
    do = request.path.rpartition("/")[2]
    given = await given_by(request)
    viewer = viewer_of(request, given.pop("viewer", None))
    if mistake := ACTIONS[do].mistake(do, given):
        raise Wrong(mistake)
    return web.json_response(await acting.apply(request.app[WORKSPACE], viewer.id, {**given, "do": do}))


async def _upload(request: web.Request) -> web.StreamResponse:
    viewer = viewer_of(request, request.query.get("viewer"))
    data = await request.read()
    if not data:
        raise Wrong("the file is empty: send its bytes as the body")
    workspace = request.app[WORKSPACE]
    file = await workspace.upload(viewer.id, request.query.get("name") or "file", data)
    return web.json_response(
        {"ok": True, "file": {"id": file.id, "name": file.name, "mimetype": file.mimetype}}
    )


async def _file(request: web.Request) -> web.StreamResponse:
    file = request.app[WORKSPACE].files.get(request.match_info["id"])
    if file is None or file.deleted or not file.uploaded:
        raise web.HTTPNotFound(text="there is no such file, or it was deleted")
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    kind = file.mimetype
    if kind not in _SHOWN_INLINE:
        kind, headers["Content-Disposition"] = "application/octet-stream", "attachment"
    return web.Response(body=file.data, content_type=kind, headers=headers)


async def _live(request: web.Request) -> web.StreamResponse:
    """Notices go through a bounded queue: a slow page loses some and is told so."""
    if len(request.app[LIVE]) >= LIVE_MAX:
        raise Wrong(f"there are {LIVE_MAX} listeners already; close one first", 503)
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
    """Say goodbye; who does not read it is not waited for."""
    closing = [asyncio.ensure_future(link.close()) for link in app[LIVE]]
    if closing:
        _, slow = await asyncio.wait(closing, timeout=GOODBYE_S)
        for each in slow:
            each.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
