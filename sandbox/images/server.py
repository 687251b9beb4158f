"""The image API over HTTP: a thin aiohttp shell around `ImageApi`, on loopback for the demo and the tests."""

from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from sandbox.guard import GUARD, address, guard_of, keep_guard
from sandbox.images.api import ImageApi
from sandbox.images.door import Door
from sandbox.images.errors import Dropped, NotConnected
from sandbox.images.wire import handle

API: web.AppKey[ImageApi] = web.AppKey("API", ImageApi)
DOORS: web.AppKey[list[Door]] = web.AppKey("DOORS", list[Door])
"""Where the application is listening."""
LARGEST_REQUEST = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_SHUTDOWN_SECONDS = 0.5


@dataclass
class RunningServer:
    """A server that listens. `url` is what a client takes as its base URL: `http://127.0.0.1:PORT/v1`."""

    url: str
    port: int
    _runner: web.AppRunner
    _door: Door

    async def close(self) -> None:
        """Stop listening, cut what is still open, and stop the generations."""
        api = self._runner.app[API]
        await api.close()
        await self._door.close()
        await self._runner.cleanup()


def image_app(api: ImageApi) -> web.Application:
    """The application: everything below `/v1` is handed to the API; bodies may have 64 MiB."""
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app[API] = api
    app[DOORS] = []
    keep_guard(app, files=("/v1/",))
    app.router.add_route("*", "/v1/{path:.*}", _handle)
    return app


async def serve_images(api: ImageApi, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """Listen; port 0 takes a free one. Close it with `RunningServer.close`. At another `host` than loopback
    it is asked by that name or address too (`sandbox.guard`)."""
    app = image_app(api)
    app[GUARD] = guard_of(host)
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    door = Door(runner, host, port)
    bound = await door.open()
    runner.app[DOORS].append(door)
    return RunningServer(f"{address(host, bound)}/v1", bound, runner, door)


async def _handle(request: web.Request) -> web.StreamResponse:
    """One request; where the API drops the connection, the socket is cut, and perhaps nobody can connect."""
    try:
        reply = await handle(
            request.app[API],
            request.method,
            "/" + request.match_info["path"],
            request.headers,
            await request.read(),
            request.query,
        )
        if reply.chunks is None:
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        await response.prepare(request)
        async with aclosing(reply.chunks):
            async for chunk in reply.chunks:
                for start in range(0, len(chunk), _CHUNK):
                    await response.write(chunk[start : start + _CHUNK])
    except Dropped as dropped:
        if isinstance(dropped, NotConnected):
            for door in request.app[DOORS]:
                door.shut(dropped.seconds)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    await response.write_eof()
    return response
