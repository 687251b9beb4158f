"""A town whose Darkroom is reached by HTTP: Slack posts to it, signed, instead of through a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.slack.request_url import RequestUrl
from tests.scenarios.story import Town, close_town, open_town


class HttpTown:
    """A town, and what posts to its Darkroom, also to the next one after a restart. ``open`` one, then
    ``close`` it."""

    def __init__(self, town: Town, posts: RequestUrl) -> None:
        self.town = town
        self.posts = posts

    @classmethod
    async def open(cls, data_dir: Path, **settings: Any) -> HttpTown:
        """As ``open_town``, over HTTP."""
        town = await open_town(data_dir, slack__mode="http", slack__port=0, **settings)
        posts = RequestUrl(town.workspace, lambda: url_of(town))
        await posts.open()
        return cls(town, posts)

    async def close(self) -> None:
        """As ``close_town``."""
        await close_town(self.town)
        await self.posts.close()


def url_of(town: Town) -> str:
    """Where a town's Darkroom is reached."""
    assert town.darkroom.http is not None
    return town.darkroom.http.url
