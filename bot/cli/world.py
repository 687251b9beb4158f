"""The sandbox with its page, running: what ``demo`` and ``sandbox`` start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.cli import Refused
from handlers.manifest import build_manifest
from sandbox.faults.routes import add_faults
from sandbox.faults.rules import FaultPlan
from sandbox.faults.scenario import BadScenario, load_scenario, read_scenario, shipped
from sandbox.hood.bot_side import BotSide
from sandbox.hood.routes import Hood, add_hood
from sandbox.images.api import ImageApi
from sandbox.images.server import RunningServer as ImageServer
from sandbox.images.server import serve_images
from sandbox.page.routes import add_page
from sandbox.slack.control import add_control
from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer as SlackServer
from sandbox.slack.server import serve_app, slack_app
from sandbox.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class World:
    """A local Slack with a page, and a local image API, both listening on loopback."""

    workspace: Workspace
    images: ImageApi
    slack_server: SlackServer
    image_server: ImageServer
    hood: Hood

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return self.slack_server.url + "/"

    @property
    def slack_api_url(self) -> str:
        """What stands for ``https://slack.com/api/``."""
        return self.slack_server.url + "/api/"

    @property
    def openai_base_url(self) -> str:
        """What stands for ``https://api.openai.com/v1``."""
        return self.image_server.url

    @property
    def images_port(self) -> int:
        """Where the image API listens."""
        return urlsplit(self.image_server.url).port or 0

    def settings(self) -> dict[str, str]:
        """The settings, by dotted name, that make a Darkroom talk to this world."""
        return {
            "slack_bot_token": self.workspace.bot_token,
            "slack_app_token": self.workspace.app_token,
            "slack_signing_secret": self.workspace.signing_secret,
            "slack_api_url": self.slack_api_url,
            "openai_api_key": "sk-sandbox",
            "openai_admin_key": "sk-admin-sandbox",
            "openai_base_url": self.openai_base_url,
        }

    async def close(self) -> None:
        """Stop listening."""
        await self.slack_server.close()
        await self.image_server.close()


def fault_plan(file: Path | None) -> FaultPlan:
    """What goes wrong, from a scenario or one that is shipped, by its name; nothing without one. ``Refused``
    with every mistake in it."""
    if file is None:
        return FaultPlan()
    known = shipped()
    try:
        if not file.exists() and str(file) in known:
            return read_scenario(known[str(file)], str(file)).plan()
        return load_scenario(file).plan()
    except BadScenario as bad:
        lines = "\n".join(f"  {mistake}" for mistake in bad.mistakes)
        told = f"These faults need mending:\n{lines}"
        if not file.exists():
            told += f"\nThese scenarios are shipped and need no file: {', '.join(known)}."
        raise Refused(told) from bad


def faults_told(plan: FaultPlan, page_url: str) -> str:
    """What is said of the faults in force, and how to change them meanwhile."""
    count = len(plan.standing)
    rules = "1 rule is" if count == 1 else f"{count} rules are"
    return f"Things go wrong on purpose: {rules} in force. To see them: curl {page_url}control/faults"


def app_shortcuts() -> tuple[Shortcut, ...]:
    """The shortcuts of the app's manifest, for the page's menus."""
    listed = build_manifest()["features"]["shortcuts"]
    return tuple(Shortcut(each["callback_id"], each["name"], each["type"]) for each in listed)


async def start_world(
    workspace: Workspace,
    images: ImageApi,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    images_port: int = 0,
    faults: FaultPlan | None = None,
    bot_side: BotSide | None = None,
    paints: bool = True,
) -> World:
    """Serve both; *port* is the page's (and Slack's), 0 takes any. Raises OSError when one is taken.

    *faults* is what goes wrong on both sides, from now on; without it each side keeps its own plan.
    *bot_side* are the books, the clock and the caps of a bot that lives here, for the page; unless *paints*,
    its pictures come from elsewhere, and the page has nothing of the local image API.
    """
    if faults is not None:
        workspace.fault_plan = images.fault_plan = faults
    app = slack_app(workspace)
    shown = images if paints else None
    add_control(app, shown)
    add_faults(app, workspace, shown)
    add_page(app, workspace, shown)
    hood = add_hood(app, workspace, shown, bot_side)
    slack_server = await serve_app(app, host, port)
    try:
        image_server = await serve_images(images, host, images_port)
    except BaseException:
        await slack_server.close()
        raise
    return World(workspace, images, slack_server, image_server, hood)
