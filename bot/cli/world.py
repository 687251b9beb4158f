"""The sandbox with its page, running: what ``demo`` and ``sandbox`` start."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.manifest import build_manifest
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

    def settings(self) -> dict[str, str]:
        """The settings, by dotted name, that make a Darkroom talk to this world."""
        return {
            "slack_bot_token": self.workspace.bot_token,
            "slack_app_token": self.workspace.app_token,
            "slack_api_url": self.slack_api_url,
            "openai_api_key": "sk-sandbox",
            "openai_admin_key": "sk-admin-sandbox",
            "openai_base_url": self.openai_base_url,
        }

    async def close(self) -> None:
        """Stop listening."""
        await self.slack_server.close()
        await self.image_server.close()


def app_shortcuts() -> tuple[Shortcut, ...]:
    """The shortcuts of the app's manifest, for the page's menus."""
    listed = build_manifest()["features"]["shortcuts"]
    return tuple(Shortcut(each["callback_id"], each["name"], each["type"]) for each in listed)


async def start_world(workspace: Workspace, images: ImageApi, *, port: int = 0) -> World:
    """Serve both; *port* is the page's (and Slack's), 0 takes any. Raises OSError when it is taken."""
    app = slack_app(workspace)
    add_control(app)
    add_page(app, workspace, images)
    slack_server = await serve_app(app, port=port)
    try:
        image_server = await serve_images(images)
    except BaseException:
        await slack_server.close()
        raise
    return World(workspace, images, slack_server, image_server)
