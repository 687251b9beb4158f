"""A sandbox that runs, with what shows what goes on under its hood, and an app on its socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from sandbox.hood.bot_side import BotSide, Jump
from sandbox.hood.routes import Hood, add_hood
from sandbox.images.api import ImageApi
from sandbox.slack.control import add_control
from sandbox.slack.server import serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import quick_api
from tests.sandbox_slack.conftest import App

Json = dict[str, Any]
DESIGN = "C0DESIGN01"
ALICE = "U0ALICE001"
TOKEN = {"Authorization": "Bearer xoxb-sandbox"}


@dataclass
class Side:
    """A bot's side that notes what it is asked."""

    jumps: list[Jump] = field(default_factory=list)
    full: set[str] = field(default_factory=set)
    began_anew: int = 0
    able: bool = True
    images: bool = False

    async def ledger(self, channel: str, thread_ts: str) -> Json:
        return {"attempts": [], "budgets": [], "of": [channel, thread_ts]}

    async def place_of(self, response_id: str) -> tuple[str, str] | None:
        return (DESIGN, "1.0") if response_id.startswith("resp_") else None

    async def clock(self) -> Json:
        return {"now": "2026-11-21T18:42:00Z", "said": f"after {len(self.jumps)}", "timezone": "UTC"}

    async def jump(self, to: Jump) -> Json:
        if not self.able:
            return {"ok": False, "error": "there is no time left"}
        self.jumps.append(to)
        return await self.clock()

    async def fill_cap(self, user: str) -> Json:
        await asyncio.sleep(0)
        if not self.able:
            return {"ok": False, "error": "no cap is set"}
        self.full ^= {user}
        return {"ok": True, "filled": user in self.full}

    def filled(self, user: str) -> bool:
        return user in self.full

    async def begin_anew(self, reset: Callable[[], Awaitable[None]]) -> Json:
        if not self.able:
            return {"ok": False, "error": "not now"}
        self.began_anew += 1
        await reset()
        return {"ok": True}

    def real(self) -> Json:
        return {"images": self.images, "words": "Nothing here is real."}


@dataclass
class Place:
    """The sandbox, seen by a program."""

    workspace: Workspace
    images: ImageApi
    hood: Hood
    http: aiohttp.ClientSession

    async def get(self, path: str, **params: str) -> tuple[int, Any]:
        async with self.http.get(path, params=params) as answer:
            return answer.status, await answer.json()

    async def switch(self, **given: Any) -> tuple[int, Any]:
        async with self.http.post("/control/switch", json=given) as answer:
            return answer.status, await answer.json()

    async def value(self, switch_id: str, viewer: str = ALICE) -> Any:
        """A switch's value as it is shown."""
        _, shown = await self.get("/control/switches", viewer=viewer)
        return next(switch["value"] for switch in shown["switches"] if switch["id"] == switch_id)

    async def entries(self, **params: str) -> list[Json]:
        _, shown = await self.get("/control/hood", **params)
        found: list[Json] = shown["entries"]
        return found

    async def web(self, method: str, **params: Any) -> Json:
        """A Web API call over HTTP, as an app's client makes it."""
        async with self.http.post(f"/api/{method}", json=params, headers=TOKEN) as answer:
            body: Json = await answer.json()
            return body

    async def join(self, **how: Any) -> App:
        """An app on the socket."""
        app = App(self.workspace, **how)
        await self.workspace.attach(app.send)
        return app


async def _opened(side: BotSide | None) -> AsyncIterator[Place]:
    workspace, images = Workspace(file_processing_s=0), quick_api()
    app = slack_app(workspace)
    add_control(app, images)
    hood = add_hood(app, workspace, images, side)
    running = await serve_app(app)
    async with aiohttp.ClientSession(running.url) as http:
        yield Place(workspace, images, hood, http)
    await running.close()
    await workspace.close()
    await images.close()


@pytest.fixture
def side() -> Side:
    return Side()


@pytest.fixture
async def place(side: Side) -> AsyncIterator[Place]:
    """With a bot's side."""
    async for each in _opened(side):
        yield each


@pytest.fixture
async def alone() -> AsyncIterator[Place]:
    """Without one, as ``darkroom sandbox`` runs it."""
    async for each in _opened(None):
        yield each
