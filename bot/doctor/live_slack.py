"""``doctor --live-slack``: what only a real workspace can show, with a person who looks at it."""

from __future__ import annotations

from bot.doctor.finding import Finding
from bot.doctor.live_asking import Ask
from bot.settings import Settings


async def run_live_slack(settings: Settings, channel: str, ask: Ask) -> list[Finding]:
    """Try it in *channel* (a name or an id), ask the person in front of the terminal what they see
    (``live_asking.ask_person``), and take everything away again, also when it is cancelled.

    Raises ``bot.cli.Refused`` where nothing can be tried at all.
    """
    raise NotImplementedError
