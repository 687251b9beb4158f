"""`darkroom demo` in a process of its own, and its control routes."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

T = TypeVar("T")
Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
AGAIN_S = 0.25
"""What is on the disk is told by no notice, and looked at again so often."""


class Demo:
    """A demo that is running, with a data directory; `with` ends it as Ctrl-C does."""

    def __init__(self, data_dir: Path, *more: str) -> None:
        options = ["--port", "0", "--data-dir", str(data_dir), "--seconds", "0", "--no-browser", *more]
        command = [sys.executable, "-u", "-m", "bot", "demo", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said: list[str] = []
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"^ +(http://127[^/]+/)(#\S+)?$", line):
                self.url, self.first = found[1], found[2] or ""
            if "Stop with Ctrl-C" in line:
                return
        raise AssertionError("".join(self.said))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        if error is None:
            assert self.process.returncode in {0, -signal.SIGKILL}

    def killed(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def state(self, viewer: str = "alice") -> Json:
        """What this person sees."""
        with urllib.request.urlopen(f"{self.url}control/state?viewer={viewer}") as answer:  # noqa: S310 -- loopback only
            found: Json = json.load(answer)
            return found

    def does(self, action: str, **given: Any) -> Json:
        """Do something as a person (`viewer`)."""
        request = urllib.request.Request(  # noqa: S310 -- loopback only
            f"{self.url}control/{action}",
            json.dumps(given).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 -- loopback only
            done: Json = json.load(answer)
        assert done.get("ok", True), done
        return done

    def until(self, seen: Callable[[Json], T | None], viewer: str = "alice") -> T:
        """Look whenever something has changed, until there is something to see."""
        return asyncio.run(self._until(seen, viewer))

    async def _until(self, seen: Callable[[Json], T | None], viewer: str) -> T:
        state: Json = {}
        async with aiohttp.ClientSession(self.url) as http, http.ws_connect("control/live") as live:
            try:
                async with asyncio.timeout(WAIT_S):
                    while True:
                        async with http.get("control/state", params={"viewer": viewer}) as answer:
                            state = await answer.json()
                        if found := seen(state):
                            return found
                        await _next(live)
            except TimeoutError as never:
                raise AssertionError(json.dumps(state.get("channels"), indent=1)) from never


async def _next(live: aiohttp.ClientWebSocketResponse) -> None:
    """Wait for a notice, or for a moment; then for no more of those that come together."""
    pause: float | None = AGAIN_S
    while pause is not None:
        try:
            async with asyncio.timeout(pause):
                await live.receive_json()
        except TimeoutError:
            pause = None
        else:
            pause = 0


def room(state: Json, name: str) -> Json:
    """A channel of a state."""
    found: Json = next(channel for channel in state["channels"] if channel["name"] == name)
    return found


def pictures(state: Json, name: str = "design") -> list[Json]:
    """The messages with pictures in a channel."""
    return [
        message
        for message in room(state, name)["messages"]
        if any(block["type"] == "image" for block in message["blocks"])
    ]
