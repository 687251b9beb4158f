"""Buttons."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from handlers import words
from handlers.blocks.details import details_view
from handlers.blocks.picture import DETAILS_ACTION
from handlers.blocks.text import View
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the Details button."""

    @app.action(DETAILS_ACTION)
    async def details(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        user = body["user"]

        async def answer(view: View) -> None:
            await services.whisper(
                view,
                channel=_channel_of(body),
                user_id=user["id"],
                reply_url=body.get("response_url"),
                thread_ts=(body.get("container") or {}).get("thread_ts"),
            )

        async def work() -> None:
            # The payload's team can be the installing one for an outsider's click; the user's own is right.
            if services.guard.outsider(user.get("team_id"), user.get("enterprise_id")):
                await answer(View(words.OUTSIDER, ()))
            else:
                await answer(await _details(services, user["id"], str(action.get("value"))))

        services.errands.start(
            f"details for {user['id']}",
            work(),
            lambda: answer(View(words.broken(services.config.voice), ())),
        )


async def _details(services: Services, user_id: str, picture_id: str) -> View:
    config = services.config
    picture = await services.log.picture(picture_id)
    if picture is None or picture.team_id != config.team_id:
        return View(words.DETAILS_GONE, ())
    await services.intake.join(picture.team_id, picture.channel_id, picture.thread_ts, user_id)
    cost = await services.log.charge_of(picture.id)
    balance = None
    if picture.user_id == user_id:
        now = services.clock.now()
        balances = await services.spend.balances(
            config.team_id, user_id, picture.channel_id, config.caps, now
        )
        balance = balances[0]
    return details_view(picture, cost, balance, config.caps.timezone)


def _channel_of(body: dict[str, Any]) -> str:
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return str(channel or body["user"]["id"])
