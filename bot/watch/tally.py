"""What the parts of Darkroom tell whoever watches it. Here nobody does: nothing is counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.heart import Heart
from darkroom.rendering.job import Renderer
from darkroom.spending.budgets import Caps
from darkroom.turns.outages import Gate
from handlers.answering import Kind
from handlers.asking import CallOutcome
from storage.database import Database
from storage.turns import SqliteTurnStore

Ping = Callable[[], Awaitable[str | None]]
"""Asks a part whether it is well; gives what is wrong, or None."""


class Connection(Protocol):
    """The socket to Slack."""

    @property
    def greeted(self) -> int:
        """How many connections there were."""
        ...

    async def ping(self) -> str | None:
        """What is wrong with it, or None."""
        ...


class Listener(Protocol):
    """What Slack posts to."""

    @property
    def refused(self) -> Mapping[str, int]:
        """How many requests were not taken, by why."""
        ...

    @property
    def listening(self) -> bool:
        """Whether it can be reached."""
        ...


class Tally:
    """Counts nothing, and serves nothing: what is used where nobody watches."""

    async def start(self) -> None:
        """Begin to serve what is counted."""

    async def aclose(self) -> None:
        """Serve it no more."""

    def part(self, name: str, ping: Ping) -> None:
        """Something without which Darkroom is not ready."""

    def connection(self, socket: Connection) -> None:
        """Slack is reached by that socket."""

    def listener(self, server: Listener) -> None:
        """Slack reaches us there."""

    def look_into(self, database: Database, team_id: str, caps: Caps, gate: Gate, heart: Heart) -> None:
        """What is read whenever somebody looks."""

    async def ready(self) -> None:
        """The start is over."""

    async def stopping(self) -> None:
        """A stop has begun."""

    def answered(self, kind: Kind, acknowledged: bool, seconds: float) -> None:
        """A request of Slack's was answered, or was not: ``handlers.answering.Answered``."""

    def slack_called(self, method: str, outcome: CallOutcome, seconds: float) -> None:
        """Slack was asked for something: ``handlers.asking.CallHeard``."""

    def renderer(self, renderer: Renderer) -> Renderer:
        """*renderer*, with its calls counted."""
        return renderer

    def store(self, database: Database) -> SqliteTurnStore:
        """The turns' store, with what comes and goes counted."""
        return SqliteTurnStore(database)
