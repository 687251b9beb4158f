"""Slack's feedback buttons: whether a picture is what somebody wanted. Slack shows them what they chose."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.model import Verdict
from handlers.blocks.picture import FEEDBACK_ACTION
from handlers.blocks.text import View
from handlers.presses import Answer, Press, start
from handlers.services import Services
from handlers.subjects import find, thread_of


def register(app: AsyncApp, services: Services) -> None:
    """Listen to both of them."""

    @app.action(FEEDBACK_ACTION)
    async def judged(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        start(services, press, "feedback of", lambda answer: _judge(services, press, answer))


async def _judge(services: Services, press: Press, answer: Answer) -> None:
    verdict, _, picture_id = press.value.partition(":")
    subject = await find(services, picture_id)
    if isinstance(subject, View):
        await answer(subject)
        return
    picture, now = subject.picture, services.clock.now()
    await services.conversations.judge(picture.id, press.user_id, Verdict(verdict), now)
    await services.intake.join(picture.team_id, press.channel, thread_of(subject, press), press.user_id)
