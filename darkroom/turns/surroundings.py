"""What a turn needs from whoever talks to people; ``handlers`` satisfies it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from darkroom.turns.model import Ending, Picture, Told, Turn

Note = Callable[[Told, str | None], Awaitable[Turn]]
"""Writes down one step of telling before the next is taken; gives the turn as it then is."""


class Guard(Protocol):
    """Who may."""

    async def refusal(self, turn: Turn) -> Ending | None:
        """Why this person may not have this turn (``declined``), or None."""
        ...


class Delivery(Protocol):
    """The way to a person. Slack's passing troubles are waited out inside, within bounds."""

    async def placeholder(self, turn: Turn, at_most_nano_usd: int, note: Note) -> Ending | None:
        """Show that the turn was taken in: a message (commands) or a reaction (the rest). An ending if the
        picture could not be posted there at all, e.g. where Darkroom is not a member."""
        ...

    async def deliver(self, turn: Turn, picture: Picture, path: Path, note: Note) -> None:
        """Put the picture (bytes at *path*) into the thread and close the placeholder.

        Notes ``FILE``, ``POST_BEGUN``, ``MESSAGE``, ``PLACEHOLDER_CLOSED`` as they happen and skips what
        *turn* has noted already. Raises ``Undeliverable`` when bounded tries have failed.
        """
        ...

    async def tell(self, turn: Turn, note: Note) -> None:
        """Say how a turn ended that brought no picture: ``turn.ending`` names the sentence. Words are
        posted in the thread (empty ones become a reaction), all else goes to the person alone, and the
        placeholder does not stay. Raises ``Undeliverable``."""
        ...


class Undeliverable(Exception):
    """Slack would not take it within bounds. Nothing to do at once: the turn is kept as undelivered with
    this reason; see ``darkroom turns`` and ask Slack's status page or the channel's settings why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
