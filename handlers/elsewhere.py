"""The buttons of private answers: make it in our direct message; edit the last picture, or make a new one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns import copies
from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Request, Turn, TurnState
from handlers import words_pictures
from handlers.blocks.answers import EDIT_LAST_ACTION, IN_DM_ACTION, MAKE_NEW_ACTION
from handlers.blocks.text import View, section
from handlers.clients import SlackRefused, SlackUnclear
from handlers.pacing import ANSWER_PATIENCE_S
from handlers.presses import Answer, Press, Work, saying, settle
from handlers.services import Services
from handlers.subjects import Subject, accept, asker_of, find

_NO_PLACE = frozenset({Reason.NOT_IN_CHANNEL, Reason.CANNOT_POST})


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the three of them."""

    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        press = Press.of(body, action)
        await settle(services, press, ack, "an answer by", lambda: _go_on(services, press))

    for action_id in (IN_DM_ACTION, EDIT_LAST_ACTION, MAKE_NEW_ACTION):
        app.action(action_id)(pressed)


async def _go_on(services: Services, press: Press) -> Work | None:
    turn = await services.log.turn(press.value)
    ending = turn.ending if turn is not None else None
    if turn is None or turn.state is not TurnState.ENDED or ending is None:
        return saying(View(words_pictures.OVER, ()))
    if turn.request.user_id != press.user_id:
        return saying(View(words_pictures.NOT_ASKED_BY_YOU, ()))
    if not turn.request.prompt.strip():
        return saying(View(words_pictures.WORDS_DELETED, ()))
    wanted = await _wanted(services, press, turn, ending)
    taken = wanted if isinstance(wanted, View) else await accept(services, wanted)
    if isinstance(taken, View):
        return saying(taken)
    return None if press.action_id == IN_DM_ACTION else _answered(services, press)


async def _wanted(services: Services, press: Press, turn: Turn, ending: Ending) -> Request | View:
    if press.action_id == IN_DM_ACTION and ending.reason in _NO_PLACE:
        return await _in_dm(services, press, turn)
    if press.action_id != IN_DM_ACTION and ending.reason is Reason.EDIT_OR_NEW:
        return await _edit_or_new(services, press, turn, ending)
    return View(words_pictures.OVER, ())


async def _in_dm(services: Services, press: Press, turn: Turn) -> Request:
    asker = asker_of(services, press, f"in-dm:{turn.id}", "")
    inputs = bool(await services.log.inputs(turn.id))
    request = copies.in_our_dm(turn, replace(asker, reply_url=press.reply_url), inputs=inputs)
    home = await services.conversations.private_channel(request.team_id, press.user_id)
    # Pressed there, nobody need be told that it comes there.
    return replace(request, channel_id=home) if home == press.channel else request


async def _edit_or_new(services: Services, press: Press, turn: Turn, ending: Ending) -> Request | View:
    asker = asker_of(services, press, f"edit-or-new:{turn.id}", "")
    if press.action_id == MAKE_NEW_ACTION:
        return copies.new_instead(turn, asker)
    subject = await find(services, str(ending.details.get("picture_id", "")))
    return copies.edit_instead(turn, subject.picture, asker) if isinstance(subject, Subject) else subject


def _answered(services: Services, press: Press) -> Work:
    """The question stands in our direct message: its buttons go, now that they do nothing any more."""
    new = press.action_id == MAKE_NEW_ACTION
    text = words_pictures.MAKING_NEW if new else words_pictures.EDITING

    async def work(_: Answer) -> None:
        try:
            await services.slack.within(ANSWER_PATIENCE_S).update_message(
                press.channel, press.message_ts, text, blocks=(section(text),)
            )
        except (SlackRefused, SlackUnclear):
            # A question that only they saw cannot be changed; pressed again it says that it was answered.
            return

    return work
