"""Servers that answer as Slack or the image API sometimes do, and the sandbox does not."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


@asynccontextmanager
async def serving(*routes: web.RouteDef) -> AsyncIterator[str]:
    """The address of a server with these routes."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def free_port() -> int:
    """A port that nobody listens on. It is not among those that the system gives to whoever wants any, so
    that no test beside this one gets it meanwhile."""
    for port in range(10_000 + os.getpid() % 20_000, 32_000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def says_on_a_socket(*messages: Mapping[str, Any]) -> web.RouteDef:
    """A web socket that says this, and hangs up."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in messages:
            await socket.send_json(message)
        await socket.close()
        return socket

    return web.get("/link", handle)


def answers(path: str, status: int, body: object, method: str = "*", **headers: str) -> web.RouteDef:
    """An address that always answers so; text is an HTML page."""

    async def handle(_: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html", headers=headers)
        return web.json_response(body, status=status, headers=headers)

    return web.route(method, path, handle)
