"""Behind a proxy: everything goes through it that leaves this machine, and nothing that does not."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.app import Overrides
from bot.cli.world import World, start_world
from bot.settings import SLACK_URL
from handlers.clients import SlackUnclear
from handlers.downloading import Hosts, Place, download
from handlers.outward import proxy_for, slack_session
from handlers.web_client import WebSlackClient
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.bot.proxy_names import without_proxies
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import FlatPainter
from tests.scenarios.forward_proxy import forward_proxy
from tests.scenarios.story import Easel, HurriedClock, close_town, move_in, picture

SLACK, API = "slack.behind.test", "api.behind.test"


class Behind(World):
    """A Slack and an image API with names that only the proxy knows."""

    @property
    def slack_api_url(self) -> str:
        """See ``World``."""
        return f"http://{SLACK}/api/"

    @property
    def openai_base_url(self) -> str:
        """See ``World``."""
        return f"http://{API}/v1"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


async def test_a_picture_its_upload_and_the_connection_all_go_through_the_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    easel = Easel()
    images = ImageApi(seconds_per_picture=1.0, sleep=easel.sleep, paint=FlatPainter())
    plain = await start_world(Workspace(file_processing_s=0.0), images)
    world = Behind(**{each.name: getattr(plain, each.name) for each in fields(plain)})
    places = {SLACK: urlsplit(plain.slack_server.url).port or 0, API: plain.images_port}
    async with forward_proxy(places) as (proxy, address):
        monkeypatch.setenv("HTTP_PROXY", address)
        world.workspace.base_url = f"http://{SLACK}"
        town = await move_in(world, easel, tmp_path / "data", {}, Overrides(clock=HurriedClock()))
        thread = await town.alice.imagines("a red fox in snow")
        await thread.shows(picture(version=1))
        await town.alice.replies(thread, "make it night")
        await thread.shows(picture(version=2))
        await town.rests()
        await close_town(town)
    for part in ("/api/auth.test", "/api/chat.postMessage", "/upload/v1/", "/link"):
        assert any(asked.startswith(f"{SLACK}{part}") for asked in proxy.asked), (part, proxy.asked)
    assert f"{API}/v1/responses" in proxy.asked


async def test_downloads_and_answers_to_commands_ask_the_proxy_for_a_way_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slack's own hosts are asked for over https alone, for which a proxy opens a way, or does not."""
    place = Place("https://files.slack.com/files-pri/T1-F1/fox.png", "image/png", 100)
    async with forward_proxy({}) as (proxy, address):
        monkeypatch.setenv("HTTPS_PROXY", address)
        async with slack_session(SLACK_URL) as session:
            with pytest.raises(SlackUnclear):
                await download(session, Hosts.of(SLACK_URL), "xoxb-1", place, list[bytes]().append, 1_000)
            slack = WebSlackClient(session, "xoxb-1", HurriedClock(), SLACK_URL)
            with pytest.raises(SlackUnclear):
                await slack.respond("https://hooks.slack.com/commands/T1/1/a", "Nothing was made.")
    monkeypatch.setenv("NO_PROXY", "slack.com")
    assert proxy_for(SLACK_URL) is None
    assert proxy.asked == ["files.slack.com:443", "hooks.slack.com:443"]


async def test_a_slack_and_an_api_on_this_machine_are_reached_past_any_proxy(
    towns: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the demo's, where a company's proxy stands in the environment."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    town = await towns()
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
