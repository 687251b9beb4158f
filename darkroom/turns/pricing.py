"""What a press would cost, said before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from darkroom.turns.endings import Ending
from darkroom.turns.model import Request


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of all pictures of a request together, in nano-dollars: what it likely costs, and the most it
    can. ``model`` and ``quality`` are what would be used."""

    likely_nano_usd: int
    at_most_nano_usd: int
    model: str
    quality: str


class Pricing(Protocol):
    """Prices requests that nobody has made yet."""

    async def quote(self, request: Request) -> Quote | Ending:
        """The price of *request* as things stand now, or why it could not be made. Nothing is written."""
        ...
