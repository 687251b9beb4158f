"""Cancel: what waits is called off by who asked for it, or by an admin, and costs nothing."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn, TurnState
from handlers import words_waiting
from handlers.blocks.placeholder import CANCEL_ACTION
from handlers.blocks.text import View
from handlers.clients import SlackRefused, SlackUnclear
from handlers.posting import name_of
from handlers.presses import Answer, Press, Work, saying, settle
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button."""

    @app.action(CANCEL_ACTION)
    async def cancel(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        press = Press.of(body, action)
        await settle(services, press, ack, "cancelling for", lambda: _pressed(services, press))


async def _pressed(services: Services, press: Press) -> Work | None:
    turn = await services.log.turn(press.value)
    if turn is None or turn.request.team_id != services.config.team_id:
        return saying(View(words_waiting.NOTHING_TO_CANCEL, ()))
    if turn.request.user_id != press.user_id:
        # Slack may have to be asked who is an admin, which must not hold up its answer.
        return _by_another(services, press, turn)
    said = await _call_off(services, press, turn)
    return None if said is None else saying(View(said, ()))


async def _call_off(services: Services, press: Press, turn: Turn) -> str | None:
    """Why it cannot be called off any more; None when it was, which its person is told like any ending."""
    if turn.state is not TurnState.ENDED:
        now = await services.intake.cancel(turn.id, press.user_id)
        if now is None:
            return words_waiting.NOTHING_TO_CANCEL
        if now.state is not TurnState.ENDED:
            return words_waiting.CANCEL_TOO_LATE
        if now.ending == Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": press.user_id}):
            return None
        turn = now
    off = turn.ending is not None and turn.ending.reason in (Reason.CALLED_OFF, Reason.TAKEN_BACK)
    return words_waiting.CANCELLED_BEFORE if off else words_waiting.NOTHING_TO_CANCEL


def _by_another(services: Services, press: Press, turn: Turn) -> Work:
    async def work(answer: Answer) -> None:
        if not await _is_admin(services, press.user_id):
            said = words_waiting.cancelling_not_yours(services.config.voice.an_admin)
        else:
            said = await _call_off(services, press, turn) or words_waiting.cancelled_for(turn.request.user_id)
        await answer(View(said, ()))

    return work


async def _is_admin(services: Services, user_id: str) -> bool:
    try:
        return await services.guard.is_admin(user_id)
    except (SlackRefused, SlackUnclear) as error:
        logger.info("whether %s is an admin is not known: %s", user_id, name_of(error))
        return False
