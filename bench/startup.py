"""How long ``darkroom run`` takes until it hears Slack, beside importing the two libraries it stands on.

Both are processes of their own, from their start: one imports ``slack_bolt`` and ``openai`` and ends, the
other is ``darkroom run`` with a Slack and an image API on this machine, up to the line that says that it is
connected. They take turns, and the middle one of each is taken.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from storage.database import Database

TURNS = 7
LIMIT = 1.5
YARDSTICK = "import slack_bolt, openai"
READY = b"Darkroom is connected"


@dataclass(frozen=True)
class Startup:
    """Seconds, and how many times the yardstick that is."""

    imports: float
    ready: float
    times: float


async def measure() -> Startup:
    """Run both in turn."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        data = Path(folder) / "data"
        Database.open(data, create=True).close()
        world = await start_world(Workspace(), ImageApi())
        try:
            environment = _environment(world, data)
            # The first of each also writes and reads what was compiled.
            await _imports()
            await _ready(environment, Path(folder))
            imports, ready = [], []
            for _ in range(TURNS):
                imports.append(await _imports())
                ready.append(await _ready(environment, Path(folder)))
        finally:
            await world.close()
    usual = statistics.median(imports)
    start = statistics.median(ready)
    return Startup(usual, start, start / usual)


def _environment(world: World, data: Path) -> dict[str, str]:
    told = {name: str(value) for name, value in world.settings().items() if "." not in name}
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DARKROOM_", "COV_"))}
    return {
        **own,
        **{name.upper(): value for name, value in told.items()},
        "PYTHONUNBUFFERED": "1",
        "DARKROOM_STORAGE__DATA_DIR": str(data),
    }


async def _imports() -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", YARDSTICK)
    assert await process.wait() == 0
    return time.perf_counter() - began


async def _ready(environment: dict[str, str], folder: Path) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("darkroom")),
        "run",
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    try:
        while not said.endswith(b"\n") or READY not in said:
            line = await process.stdout.readline()
            assert line, said.decode()
            said += line
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()


def main() -> dict[str, Any]:
    """Measure, print, and give the result."""
    found = asyncio.run(measure())
    print(
        f"start-up: ready after {found.ready:.2f} s, importing slack_bolt and openai takes "
        f"{found.imports:.2f} s: {found.times:.2f} times (limit {LIMIT})"
    )
    return {"name": "startup", **asdict(found), "limit": LIMIT, "holds": found.times < LIMIT}


if __name__ == "__main__":
    sys.exit(0 if main()["holds"] else 1)
