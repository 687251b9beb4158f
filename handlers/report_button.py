"""The button under everyone's spend: the full report, by direct message."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from handlers import words
from handlers.blocks.report import REPORT_ACTION, span_of_value
from handlers.blocks.text import View
from handlers.services import Services
from handlers.spend_admin import send_report


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button."""

    @app.action(REPORT_ACTION)
    async def report(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        user = body["user"]

        async def answer(view: View) -> None:
            await services.whisper(
                view,
                channel=str((body.get("channel") or {}).get("id") or user["id"]),
                user_id=user["id"],
                reply_url=body.get("response_url"),
            )

        async def work() -> None:
            span = span_of_value(str(action.get("value")))
            outsider = services.guard.outsider(user.get("team_id"), user.get("enterprise_id"))
            if outsider or not await services.guard.is_admin(user["id"]):
                await answer(View(words.admins_only(services.config.voice), ()))
            elif span is None:
                await answer(View(f"This button is too old. Use `{services.config.spend} report`.", ()))
            else:
                await answer(await send_report(services, span, user["id"]))

        services.errands.start(
            f"report for {user['id']}",
            work(),
            lambda: answer(View(words.broken(services.config.voice), ())),
        )
