"""Buttons."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from handlers import words
from handlers.blocks.details import details_view
from handlers.blocks.picture import DETAILS_ACTION
from handlers.blocks.text import View
from handlers.presses import Answer, Press, start
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the Details button."""

    @app.action(DETAILS_ACTION)
    async def details(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)

        async def work(answer: Answer) -> None:
            await answer(await _details(services, press.user_id, press.value))

        start(services, press, "details for", work)


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
