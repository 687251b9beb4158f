"""The place where a server listens, which can be shut for a while: then nobody can connect."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiohttp import web


class Door:
    """Listens on one port of `host`; what is being answered while it is shut goes on."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._site: web.TCPSite | None = None
        self._shut: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Listen; gives the port, which stays the same from then on."""
        self._site = web.TCPSite(self._runner, self._host, self._port)
        await self._site.start()
        self._port = int(self._runner.addresses[0][1])
        return self._port

    def shut(self, seconds: float) -> None:
        """Nobody can connect for so long, and idle connections end. While it is shut this changes nothing."""
        if self._shut is None or self._shut.done():
            self._shut = asyncio.create_task(self._stay_shut(seconds))

    async def opened(self) -> None:
        """Wait until it is not shut."""
        if self._shut is not None:
            await self._shut

    async def close(self) -> None:
        """It is not opened again."""
        if self._shut is not None:
            self._shut.cancel()
            await asyncio.gather(self._shut, return_exceptions=True)

    async def _stay_shut(self, seconds: float) -> None:
        address = self._runner.addresses[0]
        if self._site is not None:
            await _take_in_no_more(self._site)
            await self._site.stop()
        with _kept(address):
            if self._runner.server is not None:
                self._runner.server.pre_shutdown()
            await asyncio.sleep(seconds)
            await self.open()


async def _take_in_no_more(site: web.TCPSite) -> None:
    """What asyncio has accepted and not yet handed to a server that closes would stay open for good."""
    server = site._server  # aiohttp tells its sockets nowhere else
    for listening in server.sockets if isinstance(server, asyncio.Server) else ():
        asyncio.get_running_loop().remove_reader(listening.fileno())
        with suppress(OSError):  # Linux refuses who comes from now on; elsewhere that takes a moment more.
            listening.shutdown(socket.SHUT_RDWR)
    await asyncio.sleep(0)


@contextmanager
def _kept(address: tuple[str, int] | tuple[str, int, int, int]) -> Iterator[None]:
    """Nobody else is given the port meanwhile, and nobody can connect to it."""
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as keeper:
        # So may the server bind it once more, as long as nobody listens.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(address)
        yield
