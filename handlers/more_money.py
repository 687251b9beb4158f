"""Asking for more money: the button of whoever was declined, and the admins' buttons."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.changes import AnswerRequest, Author, CannotChange
from darkroom.spending.requests import RequestState
from darkroom.turns.endings import Ending, Outcome, Reason
from handlers import words, words_endings
from handlers.blocks import more_money as blocks
from handlers.blocks.text import View
from handlers.presses import Answer, Press, start
from handlers.recipients import Recipients
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button under a refusal and to the admins' answers."""

    @app.action(blocks.ASK_ACTION)
    async def ask(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        start(services, press, "asking for money by", lambda answer: _ask(services, press, answer))

    async def decide(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        start(services, press, "answer about money by", lambda answer: _decide(services, press, answer))

    for action_id in blocks.ANSWERS:
        app.action(action_id)(decide)


async def _ask(services: Services, press: Press, answer: Answer) -> None:
    config, now = services.config, services.clock.now()
    voice = config.voice
    policy, names = await services.admin.policy(config.team_id)
    if press.user_id in {names.people.get(key) for key in policy.blocked}:
        # Money would not help them, and admins need not hear from whom they have blocked.
        blocked = Ending(Outcome.DECLINED, Reason.BLOCKED)
        await answer(View(words_endings.say(blocked, voice, words.Hearer(press.channel)), ()))
        return
    asked = None
    if Recipients(policy.alerts_channel, config.admins).first:
        asked = await services.requests.ask(press.value, press.user_id, now)
        if asked is not None and asked[0].state is RequestState.OPEN:
            services.wake_alerting()
    if asked is not None:
        request, new = asked
        text = blocks.asked_words(request, voice, new=new, own=request.user_id == press.user_id)
    else:
        turn = await services.log.turn(press.value)
        ending = turn.ending if turn is not None else None
        if turn is None or ending is None or ending.reason is not Reason.NO_MONEY:
            text = blocks.GONE
        elif turn.request.user_id != press.user_id:
            text = blocks.not_asked_words(voice, renewed=False)
        elif Recipients(policy.alerts_channel, config.admins).first:
            text = blocks.not_asked_words(voice, renewed=True)
        else:
            text = blocks.nobody_words(voice)
    await answer(View(text, ()))


async def _decide(services: Services, press: Press, answer: Answer) -> None:
    config, voice = services.config, services.config.voice
    number = int(press.value) if press.value.isdecimal() and len(press.value) < 18 else 0
    if not await services.guard.is_admin(press.user_id):
        await answer(View(blocks.only_admins_words(voice), ()))
        return
    change = AnswerRequest(number, blocks.ANSWERS[press.action_id])
    author = Author(config.team_id, press.user_id, press.key)
    try:
        await services.admin.change(change, author, config.caps, services.clock.now())
    except CannotChange as problem:
        await answer(View(await _cannot(services, number, problem), ()))
        return
    services.policy_changed()
    services.wake_alerting()


async def _cannot(services: Services, number: int, problem: CannotChange) -> str:
    """Why an answer was not taken; who came too late reads who answered, and what."""
    voice = services.config.voice
    if problem.reason == "budget_renewed":
        return blocks.budget_renewed_words(voice)
    first = await services.requests.request(number) if problem.reason == "already_answered" else None
    return blocks.GONE if first is None else blocks.answered_already_words(first, voice)
