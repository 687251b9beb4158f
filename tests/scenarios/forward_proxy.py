"""A proxy as companies have them: the only one who knows the way to some names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

HEAD_MAX = 64 * 1024


class ForwardProxy:
    """Passes requests for each name on to its port of this machine, and remembers what they were for."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self.asked: list[str] = []
        """``host/path`` of each request, and ``host:port`` of each way that was asked for: none is opened."""
        self._places = places

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, or one WebSocket; the connection ends with it."""
        try:
            line, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
            method, url, version = line.split(" ")
            if method == "CONNECT":
                self.asked.append(url)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            parts = urlsplit(url)
            self.asked.append(f"{parts.hostname}{parts.path}")
            port = self._places[parts.hostname or ""]
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            kept = [each for each in headers if not each.lower().startswith("host:")]
            if not any(each.lower().startswith("upgrade:") for each in kept):
                kept = [each for each in kept if not each.lower().startswith("connection:")]
                kept.append("Connection: close")
            there, onward = await asyncio.open_connection("127.0.0.1", port)
            head = [f"{method} {path} {version}", f"Host: 127.0.0.1:{port}", *kept, "", ""]
            onward.write("\r\n".join(head).encode("latin-1"))
            await asyncio.gather(_pour(reader, onward), _pour(there, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # Either side hung up.
        finally:
            writer.close()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(HEAD_MAX):
        sink.write(piece)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def forward_proxy(places: Mapping[str, int]) -> AsyncIterator[tuple[ForwardProxy, str]]:
    """One that runs, and its address."""
    proxy = ForwardProxy(places)
    server = await asyncio.start_server(proxy.pass_on, "127.0.0.1", 0, limit=HEAD_MAX)
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
