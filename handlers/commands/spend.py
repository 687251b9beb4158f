"""``/spend``: what pictures cost, to each their own and to admins everybody's."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.spans import span_of
from handlers import words
from handlers.blocks.spend import own_view, team_view
from handlers.blocks.text import View
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the command."""

    @app.command(services.config.spend)
    async def spend(ack: AsyncAck, command: dict[str, Any]) -> None:
        if services.guard.outsider(command.get("team_id"), command.get("enterprise_id")):
            await ack(text=words.OUTSIDER)
            return
        wanted = str(command.get("text") or "").strip().lower()
        if wanted not in {"", "team"}:
            await ack(text=words.spend_usage(services.config.voice))
            return
        await ack()

        async def answer(view: View) -> None:
            await services.whisper(
                view,
                channel=command["channel_id"],
                user_id=command["user_id"],
                reply_url=command.get("response_url"),
            )

        async def work() -> None:
            user_id, channel_id = command["user_id"], command["channel_id"]
            await answer(await (_team(services, user_id) if wanted else _own(services, user_id, channel_id)))

        services.errands.start(
            f"spend of {command['user_id']}",
            work(),
            lambda: answer(View(words.broken(services.config.voice), ())),
        )


async def _own(services: Services, user_id: str, channel_id: str) -> View:
    config, now = services.config, services.clock.now()
    mine, *others = await services.spend.balances(config.team_id, user_id, channel_id, config.caps, now)
    pictures = await services.spend.pictures_of(config.team_id, user_id, span_of(mine.period))
    return own_view(mine, others, pictures, config.voice.an_admin)


async def _team(services: Services, user_id: str) -> View:
    config = services.config
    if not await services.guard.is_admin(user_id):
        return View(words.admins_only(config.voice), ())
    now = services.clock.now()
    span = span_of(config.caps.period_at(now))
    return team_view(await services.spend.report(config.team_id, span, config.caps, now))
