"""Reword: what moderation did not accept opens the dialog again, with everything that was asked in it."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Options, Picture, Turn
from handlers import words_pictures
from handlers.blocks import modal, modal_about
from handlers.blocks.answers import REWORD_ACTION, may_be_reworded
from handlers.blocks.modal import USUAL, Form
from handlers.blocks.modal_memo import KeptPicture, Memo
from handlers.blocks.text import View
from handlers.modals import Caller, Dialogs
from handlers.presses import Answer, Press, start
from handlers.services import Services
from handlers.subjects import find


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button."""

    @app.action(REWORD_ACTION)
    async def reword(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)

        async def work(answer: Answer) -> None:
            refusal = await _open(services, press)
            if refusal is not None:
                await answer(refusal)

        start(services, press, "rewording for", work)


async def _open(services: Services, press: Press) -> View | None:
    """Open the dialog; or why there is none. What *press* is about stays as it is."""
    turn = await services.log.turn(press.value)
    ending = turn.ending if turn is not None else None
    if turn is None or ending is None or not may_be_reworded(ending):
        return View(words_pictures.OVER, ())
    if turn.request.user_id != press.user_id or turn.request.team_id != services.config.team_id:
        return View(words_pictures.NOT_ASKED_BY_YOU, ())
    if not turn.request.prompt.strip():
        return View(words_pictures.WORDS_DELETED, ())
    parent_id = turn.parent_id or turn.request.chosen_id
    found = None if parent_id is None else await find(services, parent_id)
    if isinstance(found, View):
        return found
    parent = None if found is None else found.picture
    memo = _memo(turn, parent, len(await services.log.inputs(turn.id)))
    caller = Caller(press.user_id, press.trigger_id, press.channel, press.reply_url)
    callback_id = modal.NEW_VIEW if parent is None else modal.EDIT_VIEW
    await Dialogs(services).open(caller, callback_id, _form(turn, ending, parent), memo)
    return None


def _form(turn: Turn, ending: Ending, parent: Picture | None) -> Form:
    request = turn.request
    options, channel = request.options, request.channel_id
    whole = options.width is not None and options.height is not None
    return Form(
        prompt=request.prompt,
        size=f"{options.width}x{options.height}" if whole else USUAL,
        quality=options.quality or USUAL,
        wanted=_missing(request.wanted, ending),
        channel_id=channel if channel.startswith(("C", "G")) else None,
        private=request.private is True,
        which=None if parent is None else parent.id,
    )


def _missing(wanted: int, ending: Ending) -> int:
    """How many did not come; all of them, unless some others did."""
    made = ending.details.get("made")
    came = made if ending.reason is not Reason.MODERATION and isinstance(made, int) else 0
    return max(1, wanted - came)


def _memo(turn: Turn, parent: Picture | None, inputs: int) -> Memo:
    """Where it goes is where it went: its own thread, or a new one in the same place. What went along goes
    along again."""
    request = turn.request
    options, thread_ts = request.options, None if request.opens_thread else request.thread_ts
    if parent is not None:
        about = modal_about.ours([parent])
    else:
        about = modal_about.REWORDING if thread_ts is None else modal_about.REWORDING_HERE
    return Memo(
        channel_id=request.channel_id,
        thread_ts=thread_ts,
        pictures=() if parent is None else (KeptPicture(parent.id, parent.version),),
        direct=parent is not None and request.private is True and thread_ts is None,
        options=Options(model=options.model, format=options.format, background=options.background),
        about=about,
        inputs_from=turn.id if inputs else "",
        inputs=inputs,
    )
