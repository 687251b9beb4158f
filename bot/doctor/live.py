"""``doctor --live``: what only the real API can show, for a few cents and not one more than was allowed."""

from __future__ import annotations

from collections.abc import Callable

from bot.doctor.finding import Finding
from bot.settings import Settings


async def run_live(
    settings: Settings, limit_nano_usd: int | None, say: Callable[[str], None]
) -> list[Finding]:
    """Make one cheap picture by each endpoint, and report what was not certain; *say* hears what is going on.

    Raises ``bot.cli.Refused``, before anything is sent, without a limit or with one below what it may cost at
    most, and where the settings leave nothing to try.
    """
    raise NotImplementedError
