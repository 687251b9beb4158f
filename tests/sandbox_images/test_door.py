"""The place where the image API listens, shut and opened again while people knock."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress

from aiohttp import web

from sandbox.images.door import Door


async def _knock(port: int) -> None:
    with suppress(OSError):  # Nobody opens while it is shut.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()


async def test_who_comes_in_the_moment_in_which_it_shuts_is_not_left_standing_for_good() -> None:
    """A connection that nobody closes is a warning, which fails this test, when it is collected."""
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    door = Door(runner, "127.0.0.1", 0)
    port = await door.open()
    for number in range(70):
        knocking = [asyncio.create_task(_knock(port)) for _ in range(4)]
        for _ in range(number % 7):
            await asyncio.sleep(0)
        door.shut(0.001)
        await asyncio.gather(*knocking)
        await door.opened()
    await door.close()
    await runner.cleanup()
    gc.collect()
