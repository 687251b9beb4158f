"""The button under everyone's spend: the full report, by direct message."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from handlers import words
from handlers.blocks.report import REPORT_ACTION, span_of_value
from handlers.blocks.text import View
from handlers.presses import Answer, Press, start
from handlers.services import Services
from handlers.spend_admin import send_report


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button."""

    @app.action(REPORT_ACTION)
    async def report(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        start(services, press, "report for", lambda answer: _report(services, press, answer))


async def _report(services: Services, press: Press, answer: Answer) -> None:
    span = span_of_value(press.value)
    if not await services.guard.is_admin(press.user_id):
        await answer(View(words.admins_only(services.config.voice), ()))
    elif span is None:
        await answer(View(f"This button is too old. Use `{services.config.spend} report`.", ()))
    else:
        await answer(await send_report(services, span, press.user_id))
