"""The HTTP shell around a Workspace: Web API, Socket Mode, uploads, downloads, response_url."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import WSMsgType, web

from sandbox.guard import GUARD, address, guard_of, keep_guard
from sandbox.reading import read_form, read_json
from sandbox.slack.bad_downloads import DownloadRecord
from sandbox.slack.delivery import Socket, TooManySockets
from sandbox.slack.model import Dropped, HttpAnswer, Json
from sandbox.slack.workspace import Workspace

WORKSPACE: Final = web.AppKey("workspace", Workspace)
_BODY_MAX = 64 * 1024**2
_PIECES = 10
SEND_S: float = 5.0
"""Seconds in which an app must have read what it was sent; after that its connection is cut."""
_PING_S = 30.0
_SILENCE_S = 75.0
_INERT: Final = {"Content-Security-Policy": "sandbox; default-src 'none'"}
"""What a browser does with bytes that somebody else made: nothing."""


@dataclass
class RunningServer:
    """A server that listens. `url` is its base; slack_sdk wants `url + "/api/"`."""

    url: str
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop listening and hang up."""
        await self.runner.cleanup()


def slack_app(workspace: Workspace) -> web.Application:
    """The routes of Slack; more may be added before it is started."""
    app = web.Application(client_max_size=_BODY_MAX)
    app[WORKSPACE] = workspace
    keep_guard(app, files=("/upload/", "/control/upload"))
    app.router.add_route("*", "/api/{method}", _api)
    app.router.add_get("/link/", _link)
    app.router.add_post("/upload/v1/{key}", _upload)
    app.router.add_get("/files-pri/{tail:.+}", _download)
    app.router.add_get("/elsewhere/{tail:.+}", _stranger)
    for path in ("commands", "actions", "app"):
        app.router.add_post(f"/{path}/{{team}}/{{key}}", _respond)
    app.on_shutdown.append(_hang_up)
    return app


async def serve_app(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """Start an app made by `slack_app`; the workspace learns its address. At another `host` than loopback it
    is asked by that name or address too (`sandbox.guard`)."""
    app[GUARD] = guard_of(host)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    url = address(host, runner.addresses[0][1])
    app[WORKSPACE].base_url = url
    return RunningServer(url, runner)


async def serve_slack(workspace: Workspace, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """A workspace on a real port (0: any free one)."""
    return await serve_app(slack_app(workspace), host, port)


async def _api(request: web.Request) -> web.StreamResponse:
    workspace = request.app[WORKSPACE]
    params = await _params(request)
    if params is None:
        error = "invalid_json" if request.content_type == "application/json" else "invalid_form_data"
        return web.json_response({"ok": False, "error": error})
    try:
        answer = await workspace.call(request.match_info["method"], params, _bearer(request))
    except Dropped:
        return await _cut(request)
    if answer.page is not None:
        return web.Response(text=answer.page, status=answer.status, content_type="text/html")
    return web.json_response(answer.body, status=answer.status, headers=dict(answer.headers))


async def _params(request: web.Request) -> Json | None:
    """Query, form, multipart and JSON together; None when they cannot be read. A token in the query is
    none: any page could let a browser send it, and no client does."""
    params: Json = dict(request.query)
    params.pop("token", None)
    if request.content_type == "application/json":
        try:
            given = read_json(await request.read() or b"{}")
        except ValueError:
            return None
        return params | given if isinstance(given, dict) else None
    if request.body_exists:
        try:
            params |= {key: _plain(value) for key, value in (await read_form(request)).items()}
        except ValueError:
            return None
    return params


def _plain(value: Any) -> Any:
    return value.file.read() if isinstance(value, web.FileField) else value


def _bearer(request: web.Request) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" and token else None


async def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of answering."""
    if request.transport is not None:
        request.transport.close()
    raise web.HTTPServiceUnavailable


def _answer(answer: HttpAnswer) -> web.Response:
    headers = {**answer.headers, **_INERT, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _upload(request: web.Request) -> web.StreamResponse:
    """The bytes as the body, or as the first file of a form."""
    if request.content_type == "multipart/form-data":
        try:
            form = await read_form(request)
        except ValueError:
            return web.Response(status=400, text="invalid_form_data")
        data = next((_plain(value) for value in form.values() if isinstance(value, web.FileField)), b"")
    else:
        data = await request.read()
    try:
        return _answer(await request.app[WORKSPACE].send_bytes(str(request.url), data))
    except Dropped:
        return await _cut(request)


async def _download(request: web.Request) -> web.StreamResponse:
    workspace = request.app[WORKSPACE]
    try:
        answer = await workspace.download(request.path, _bearer(request))
    except Dropped:
        return await _cut(request)
    if answer.cut_after is None and not answer.pause_s and not answer.endless:
        return _answer(answer)
    return await _in_pieces(request, answer)


async def _in_pieces(request: web.Request, answer: HttpAnswer) -> web.StreamResponse:
    """A body that is cut, slow or without an end."""
    headers = {**_INERT, "Content-Type": answer.content_type}
    response = web.StreamResponse(status=answer.status, headers=headers)
    if not answer.endless:
        response.content_length = len(answer.body)
    await response.prepare(request)
    body = answer.body if answer.cut_after is None else answer.body[: answer.cut_after]
    size = max(1, len(body) // _PIECES)
    try:
        for start in range(0, len(body), size):
            await response.write(body[start : start + size])
            if answer.pause_s:
                await request.app[WORKSPACE].sleep(answer.pause_s)
        while answer.endless:
            await response.write(body or bytes(1024))
    except ConnectionError:
        return response
    if answer.cut_after is not None and request.transport is not None:
        request.transport.close()
    return response


async def _stranger(request: web.Request) -> web.StreamResponse:
    """Where a redirect away from Slack leads: notes whether somebody brought the token along."""
    record = DownloadRecord(request.path, _bearer(request), 200, stranger=True)
    request.app[WORKSPACE].downloads.append(record)
    return web.Response(body=b"\x89PNG\r\n\x1a\n", headers={"Content-Type": "image/png"})


async def _respond(request: web.Request) -> web.StreamResponse:
    params = await _params(request)
    if params is None:
        return web.Response(status=400, text="invalid_payload")
    try:
        return _answer(await request.app[WORKSPACE].respond(request.path, params))
    except Dropped:
        return await _cut(request)


async def _link(request: web.Request) -> web.StreamResponse:
    """Socket Mode: a ticket opens one connection."""
    workspace = request.app[WORKSPACE]
    ticket = request.query.get("ticket", "")
    if ticket not in workspace.tickets:
        raise web.HTTPUnauthorized(text="invalid ticket")
    del workspace.tickets[ticket]
    link = web.WebSocketResponse(autoping=False, receive_timeout=_SILENCE_S)
    await link.prepare(request)

    async def cut() -> None:
        if request.transport is not None:
            request.transport.abort()

    async def send(message: Json) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await link.send_json(message)
        except TimeoutError:
            await cut()
            raise ConnectionResetError("the app reads nothing any more") from None

    async def hang_up() -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await link.close()
        except TimeoutError:
            await cut()

    try:
        socket = await workspace.attach(send, hang_up, cut)
    except TooManySockets:
        await send({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
        await hang_up()
        return link
    pinging = asyncio.ensure_future(_ping(link, socket))
    try:
        async for message in link:
            if message.type == WSMsgType.TEXT:
                _take(workspace, message.data)
            elif message.type == WSMsgType.PING and not socket.hung:
                await link.pong(message.data)
    except (TimeoutError, ConnectionError):
        await cut()
    finally:
        pinging.cancel()
        workspace.detach(socket)
    return link


async def _ping(link: web.WebSocketResponse, socket: Socket) -> None:
    """Ask whether the app is there, now and then; a connection that hangs does not even do that."""
    try:
        while not link.closed:
            await asyncio.sleep(_PING_S)
            if not socket.hung:
                await link.ping()
    except ConnectionError:
        return


def _take(workspace: Workspace, text: str) -> None:
    try:
        message = read_json(text)
    except ValueError:
        return
    if isinstance(message, dict) and isinstance(message.get("envelope_id"), str):
        payload = message.get("payload")
        workspace.acknowledge(message["envelope_id"], payload if isinstance(payload, dict) else None)


async def _hang_up(app: web.Application) -> None:
    sockets = [s.hang_up() for s in app[WORKSPACE].delivery.sockets if s.hang_up is not None]
    await asyncio.gather(*sockets, return_exceptions=True)
