"""Asking for more money: the button of whoever was declined, and the admins' buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.changes import AnswerRequest, Author, CannotChange
from darkroom.spending.requests import RequestState
from darkroom.turns.model import Ending, Outcome, Reason
from handlers import words
from handlers.blocks import more_money as blocks
from handlers.blocks.text import View
from handlers.recipients import Recipients
from handlers.services import Services

Answer = Callable[[View], Awaitable[None]]


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button under a refusal and to the admins' answers."""

    @app.action(blocks.ASK_ACTION)
    async def ask(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = _Press.of(body, action)
        _start(services, press, "asking for money", lambda answer: _ask(services, press, answer))

    async def decide(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = _Press.of(body, action)
        _start(services, press, "answer about money", lambda answer: _decide(services, press, answer))

    for action_id in blocks.ANSWERS:
        app.action(action_id)(decide)


@dataclass(frozen=True, slots=True)
class _Press:
    """A press of a button, as far as it matters here."""

    user_id: str
    team_id: str | None
    enterprise_id: str | None
    channel: str
    message_ts: str
    thread_ts: str | None
    reply_url: str | None
    action_id: str
    action_ts: str
    value: str

    @classmethod
    def of(cls, body: dict[str, Any], action: dict[str, Any]) -> _Press:
        user, container = body["user"], body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or user["id"]
        return cls(
            user_id=user["id"],
            team_id=user.get("team_id"),
            enterprise_id=user.get("enterprise_id"),
            channel=str(channel),
            message_ts=str(container.get("message_ts", "")),
            thread_ts=container.get("thread_ts"),
            reply_url=body.get("response_url"),
            action_id=str(action.get("action_id")),
            action_ts=str(action.get("action_ts", "")),
            value=str(action.get("value")),
        )

    @property
    def key(self) -> str:
        """The same for one press however often Slack sends it, and another for the next one."""
        return f"action:{self.channel}:{self.message_ts}:{self.user_id}:{self.action_id}:{self.action_ts}"


def _start(services: Services, press: _Press, name: str, work: Callable[[Answer], Awaitable[None]]) -> None:
    async def answer(view: View) -> None:
        await services.whisper(
            view,
            channel=press.channel,
            user_id=press.user_id,
            reply_url=press.reply_url,
            thread_ts=press.thread_ts,
        )

    async def guarded() -> None:
        # As for every button: the payload's team can be the installing one, the user's own is right.
        if services.guard.outsider(press.team_id, press.enterprise_id):
            await answer(View(words.OUTSIDER, ()))
        else:
            await work(answer)

    services.errands.start(
        f"{name} by {press.user_id}",
        guarded(),
        lambda: answer(View(words.broken(services.config.voice), ())),
    )


async def _ask(services: Services, press: _Press, answer: Answer) -> None:
    config, now = services.config, services.clock.now()
    voice = config.voice
    policy, names = await services.admin.policy(config.team_id)
    if press.user_id in {names.people.get(key) for key in policy.blocked}:
        # Money would not help them, and admins need not hear from whom they have blocked.
        blocked = Ending(Outcome.DECLINED, Reason.BLOCKED)
        await answer(View(words.say(blocked, voice, words.Hearer(press.channel)), ()))
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


async def _decide(services: Services, press: _Press, answer: Answer) -> None:
    config, voice = services.config, services.config.voice
    number = int(press.value) if press.value.isdecimal() and len(press.value) < 18 else 0
    if not await services.guard.is_admin(press.user_id):
        await answer(View(blocks.only_admins_words(voice), ()))
        return
    request = await services.requests.request(number)
    if request is None or request.team_id != config.team_id:
        await answer(View(blocks.GONE, ()))
        return
    change = AnswerRequest(number, blocks.ANSWERS[press.action_id], request.ends_at)
    author = Author(config.team_id, press.user_id, press.key)
    try:
        await services.admin.change(change, author, config.caps, services.clock.now())
    except CannotChange as problem:
        first = await services.requests.request(number) or request
        if problem.reason == "budget_renewed":
            text = blocks.budget_renewed_words(voice)
        elif first.state is RequestState.OPEN:
            text = blocks.GONE
        else:
            text = blocks.answered_already_words(first, voice)
        await answer(View(text, ()))
        return
    services.policy_changed()
    services.wake_alerting()
