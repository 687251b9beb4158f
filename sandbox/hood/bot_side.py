"""What only the bot's side can tell and do; whoever runs bot and sandbox together hands it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from sandbox.slack.model import Json

Jump = Literal["hour", "day", "month"]
"""An hour or a day further, or to the beginning of the next month."""


class BotSide(Protocol):
    """The books, the clock and the caps of a bot that lives here. The sandbox knows none of them."""

    async def ledger(self, channel: str, thread_ts: str) -> Json:
        """A thread's money, as the bot has it in its books.

        ``{"attempts": [{"id", "turn", "version": int|null, "state": "held|dispatched|settled|…", "model",
        "endpoint", "held_usd": "0.23", "charged_usd": "0.04", "classes": [{"name", "tokens",
        "charged_usd"}], "note": ""}], "budgets": [{"name", "cap_usd": str|null, "charged_usd", "held_usd",
        "left_usd": str|null, "granted_usd", "drawn_usd", "renews"}]}``, oldest attempt first; amounts are
        decimal strings of dollars. ``granted_usd`` comes on top of the cap; grants pay ``drawn_usd`` of what
        is charged and held, and what is left of them is in ``left_usd``.
        """
        ...

    async def place_of(self, response_id: str) -> tuple[str, str] | None:
        """The channel and the ts of the thread for which the image API was asked for this response."""
        ...

    async def clock(self) -> Json:
        """``{"now": "2026-11-21T18:42:00Z", "said": "Saturday, 21 November 2026, 19:42", "timezone"}``."""
        ...

    async def jump(self, to: Jump) -> Json:
        """Let the time pass; as ``clock``, or ``{"ok": false, "error": …}`` where it cannot. Time only goes
        forward. Caps that were filled for a period that is over by then are filled no more."""
        ...

    async def fill_cap(self, user: str) -> Json:
        """Let this person's money for the period be spent but for less than a picture costs, or undo that:
        ``{"ok": true, "filled": true|false}``."""
        ...

    def filled(self, user: str) -> bool:
        """Whether ``fill_cap`` has done the first of that, and nothing has undone it since."""
        ...

    async def begin_anew(self, reset: Callable[[], Awaitable[None]]) -> Json:
        """Stop the bot, let *reset* empty the sandbox, and start the bot again with empty books:
        ``{"ok": true}``; ``{"ok": false, "error": …}`` where that cannot be."""
        ...

    def real(self) -> Json:
        """What is real: ``{"images": false, "words": "Everything here …"}``."""
        ...
