"""``/spend``: what pictures cost, to each their own; to admins everybody's, and all that can be decided."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.bound import Ask, estimate
from darkroom.spending.models import CatalogueProblem
from darkroom.spending.spans import span_of
from handlers import words
from handlers.blocks.help import help_view
from handlers.blocks.spend import Own as OwnSpend
from handlers.blocks.spend import own_view
from handlers.blocks.text import View
from handlers.services import Services
from handlers.spend_admin import Asker, Done, answer_to, change, look
from handlers.spend_commands import Changes, Command, Help, Mistake, Own
from handlers.spend_grammar import read_command
from handlers.spend_operands import Rules

RECENT_MAX = 10
"""So many of a person's newest pictures are shown."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the command."""

    @app.command(services.config.spend)
    async def spend(ack: AsyncAck, command: dict[str, Any]) -> None:
        if services.guard.outsider(command.get("team_id"), command.get("enterprise_id")):
            await ack(text=words.OUTSIDER)
            return
        wanted = read_command(str(command.get("text") or ""), _rules(services))
        if isinstance(wanted, Mistake) and not wanted.for_admins:
            await ack(text=wanted.sentence)
            return
        if services.errands.full:
            await ack(text=words.busy(services.config.voice))
            return
        asker, done = Asker(command["user_id"], str(command.get("trigger_id") or "")), None
        if isinstance(wanted, Changes) and services.config.admins:
            # Who may is known without asking Slack, so the change is one local transaction: it is on disk
            # before it is acknowledged. Otherwise Slack must be asked first, which can take longer than the
            # three seconds: then the change follows the acknowledgement, and a crash between the two loses
            # it. Its admin sees that no answer comes, and types it again; the answer, not the
            # acknowledgement, is what says that it is done.
            done = await change(services, wanted, asker)
        await ack()

        async def answer(view: View) -> None:
            await services.whisper(
                view,
                channel=command["channel_id"],
                user_id=asker.user_id,
                reply_url=command.get("response_url"),
            )

        async def work() -> None:
            await answer(await _answer(services, wanted, asker, command["channel_id"], done))

        services.errands.start(
            f"spend of {asker.user_id}",
            work(),
            lambda: answer(View(words.broken(services.config.voice), ())),
        )


def _rules(services: Services) -> Rules:
    config = services.config
    return Rules(config.spend, config.caps.timezone, services.clock.now(), services.catalogue)


async def _answer(
    services: Services, wanted: Command, asker: Asker, channel_id: str, done: Done | None
) -> View:
    if isinstance(wanted, Own):
        return await _own(services, asker.user_id, channel_id)
    if isinstance(wanted, Changes):
        # Whether they may is asked there, in the path of every change.
        done = done if done is not None else await change(services, wanted, asker)
        if done is None:
            return View(words.admins_only(services.config.voice), ())
        return await answer_to(services, wanted, done, asker)
    admin = await services.guard.is_admin(asker.user_id)
    if isinstance(wanted, Help):
        return help_view(services.config.spend, services.config.imagine, admin=admin)
    if not admin:
        return View(words.admins_only(services.config.voice), ())
    if isinstance(wanted, Mistake):
        return View(wanted.sentence, ())
    return await look(services, wanted, asker)


async def _own(services: Services, user_id: str, channel_id: str) -> View:
    config, now, spend = services.config, services.clock.now(), services.spend
    mine, *others = await spend.balances(config.team_id, user_id, channel_id, config.caps, now)
    notes = await services.admin.grants(config.team_id, now)
    own = OwnSpend(
        mine,
        others,
        pictures=await spend.pictures_of(config.team_id, user_id, span_of(mine.period)),
        recent=await spend.recent_pictures(config.team_id, user_id, RECENT_MAX),
        grants=[note.grant for note in notes if note.user_id == user_id],
        usual_nano_usd=usual_price(services),
    )
    return own_view(own, words.more_money(config.voice, user_id))


def usual_price(services: Services) -> int:
    """What the picture that nobody says more about likely costs by itself, in nano-dollars."""
    config = services.config
    ask = Ask(config.model, None, config.width, config.height, config.quality, 0, 0, 0, 0, services.today())
    try:
        return estimate(ask, services.catalogue).total_nano_usd
    except (CatalogueProblem, ValueError):
        return 1
