"""A Bolt app that gives the choices of its menus, driven by the control interface alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.control import add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
STYLES = ("Watercolour", "Water ink", "Oil")
PICK = {"type": "external_select", "action_id": "style", "min_query_length": 1}
LABEL = {"type": "plain_text", "text": "Style"}
MODAL = {
    "type": "modal",
    "title": LABEL,
    "submit": LABEL,
    "callback_id": "draw",
    "blocks": [
        {
            "type": "input",
            "block_id": "styles",
            "label": LABEL,
            "element": {**PICK, "type": "multi_external_select"},
        }
    ],
}


def stylist(client: AsyncWebClient) -> tuple[AsyncApp, asyncio.Queue[Any]]:
    """An app that knows a few styles, and the queue of what was chosen."""
    app = AsyncApp(client=client)
    chosen: asyncio.Queue[Any] = asyncio.Queue()

    @app.options("style")
    async def offer(ack: Any, payload: Json) -> None:
        fitting = [name for name in STYLES if payload["value"].lower() in name.lower()]
        made = [{"text": {"type": "plain_text", "text": name}, "value": name.lower()} for name in fitting]
        if payload["container"]["type"] == "view":
            await ack(option_groups=[{"label": LABEL, "options": made}] if made else [])
        else:
            await ack(options=made)

    @app.action("style")
    async def take(ack: Any, action: Json) -> None:
        await ack()
        chosen.put_nowait(action["selected_option"]["text"]["text"])

    @app.shortcut("draw")
    async def show(ack: Any, client: AsyncWebClient, shortcut: Json) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=MODAL)

    @app.view("draw")
    async def draw(ack: Any, view: Json) -> None:
        await ack()
        held = view["state"]["values"]["styles"]["style"]["selected_options"]
        chosen.put_nowait([option["value"] for option in held])

    return app, chosen


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace()
    yield made
    await made.close()


@pytest.fixture
async def server(workspace: Workspace) -> AsyncIterator[RunningServer]:
    app = slack_app(workspace)
    add_control(app)
    running = await serve_app(app)
    yield running
    await running.close()


@pytest.fixture
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


async def do(http: aiohttp.ClientSession, what: str, **given: Any) -> Json:
    """Something that alice does."""
    async with http.post(f"/control/{what}", json={"viewer": "alice", **given}) as answer:
        return dict(await answer.json())


async def test_a_bolt_app_offers_what_fits_and_hears_what_was_chosen(
    workspace: Workspace, server: RunningServer, http: aiohttp.ClientSession
) -> None:
    base = f"{server.url}/api/"
    client = AsyncWebClient(workspace.bot_token, base_url=base)
    app, chosen = stylist(client)
    links = AsyncWebClient(workspace.app_token, base_url=base)
    handler = AsyncSocketModeHandler(app, workspace.app_token, web_client=links)
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it unannotated
    try:
        await workspace.until(lambda w: w.delivery.sockets)
        section = {"type": "section", "text": LABEL, "accessory": PICK}
        said = await client.chat_postMessage(channel="C0DESIGN01", text="Which?", blocks=[section])
        menu = {"channel": "design", "message_ts": said["ts"], "action_id": "style"}
        offered = await do(http, "options", **menu, value="water")
        assert [each["value"] for each in offered["payload"]["options"]] == ["watercolour", "water ink"]
        refused = await do(http, "press", **menu, value="oil")
        assert (refused["ok"], refused["error"]) == (False, "'style' has no option 'oil'")
        assert (await do(http, "press", **menu, value="water ink"))["ok"]
        assert await asyncio.wait_for(chosen.get(), 30) == "Water ink"

        await do(http, "shortcut", callback_id="draw", channel="design")
        view = await workspace.until(lambda w: w.modal_of("alice"))
        field = {"view_id": view["id"], "action_id": "style"}
        assert (await do(http, "options", **field))["error"] == "'style' asks the app from 1 characters on"
        assert (await do(http, "options", **field, value="chalk"))["payload"] == {"option_groups": []}
        (group,) = (await do(http, "options", **field, value="o"))["payload"]["option_groups"]
        assert [each["value"] for each in group["options"]] == ["watercolour", "oil"]
        given = {"styles": ["oil", "watercolour"]}
        assert (await do(http, "submit", view_id=view["id"], values=given))["ok"]
        assert await asyncio.wait_for(chosen.get(), 30) == ["oil", "watercolour"]
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call] # Bolt leaves it unannotated
