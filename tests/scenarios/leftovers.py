"""What is left of pictures: in the data folder, read as it is, and in a thread."""

from __future__ import annotations

import asyncio

from sandbox.slack.workspace import Workspace
from tests.scenarios.story import WAIT_S, Thread, Town


def holding(town: Town, *needles: bytes) -> list[str]:
    """The names of the files that hold any of *needles*; the folder is read by nobody's rules."""
    found: list[str] = []
    for path in town.ledger.data_dir.rglob("*"):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            # It went while we were looking.
            continue
        if any(needle in data for needle in needles):
            found.append(path.name)
    return found


async def are_gone(town: Town, *needles: bytes) -> None:
    """Wait until no file holds any of *needles*."""
    async with asyncio.timeout(WAIT_S):
        while await asyncio.to_thread(holding, town, *needles):
            pass


async def versions_are(thread: Thread, *versions: int) -> None:
    """Wait until the thread shows these and no others."""

    def shown(_: Workspace) -> bool:
        return sorted(thread.versions) == list(versions)

    await thread.town.workspace.until(shown, WAIT_S)
