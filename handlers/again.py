"""Again: the same picture once more, at one press, for the price on the button."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns import copies
from darkroom.turns.copies import Asker
from darkroom.turns.model import Request
from darkroom.turns.pricing import Quote
from handlers import words_pictures
from handlers.blocks import hints
from handlers.blocks.dialogs import AGAIN_CALLBACK, again_dialog
from handlers.blocks.picture import AGAIN_ACTION
from handlers.blocks.text import Block, View
from handlers.presses import Answer, Press, Work, saying, settle
from handlers.sent_dialogs import Sent, listen
from handlers.services import Services
from handlers.subjects import Memo, Subject, accept, asker_of, before, find, key_of, thread_of


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button, and to the dialog that asks before much is spent."""

    @app.action(AGAIN_ACTION)
    async def again(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        press = Press.of(body, action)
        await settle(services, press, ack, "again for", lambda: _again(services, press))

    async def wanted(subject: Subject, sent: Sent) -> Request | str:
        if not subject.has_words:
            return words_pictures.WORDLESS
        return await _request(services, subject, sent.asker)

    listen(app, services, AGAIN_CALLBACK, wanted)


async def _again(services: Services, press: Press) -> Work | None:
    subject = await find(services, press.value)
    if isinstance(subject, View):
        return saying(subject)
    if await _of_what_is_elsewhere(services, press, subject):
        return saying(View(hints.again_elsewhere(subject.picture.version), ()))
    if not subject.has_words:
        return saying(View(words_pictures.WORDLESS, ()))
    thread_ts = thread_of(subject, press)
    key = await key_of(services, press, subject.picture.id)
    earlier = await services.conversations.turn_of_key(services.config.team_id, key)
    if earlier is not None:
        return saying(await before(services, earlier, press.user_id))
    request = await _request(services, subject, asker_of(services, press, key, thread_ts))
    quote = await services.pricing.quote(request)
    if isinstance(quote, Quote) and _unasked(services, subject, quote):
        memo = Memo(subject.picture.id, press.channel, thread_ts)
        dialog = again_dialog(subject.picture, quote, memo.write())
        return _opening(services, press, dialog)
    arrival = await accept(services, request)
    return saying(arrival) if isinstance(arrival, View) else None


async def _of_what_is_elsewhere(services: Services, press: Press, subject: Subject) -> bool:
    """Whether the picture was shared here and what it was made from was not: that may never have left a
    direct message, and those who see the picture here would get at it."""
    if press.channel == subject.picture.channel_id:
        return False
    return subject.picture.parent_id is not None or bool(await services.log.inputs(subject.turn.id))


def _unasked(services: Services, subject: Subject, quote: Quote) -> bool:
    """Whether it is so dear by now that it asks first, though the button did not."""
    limit = services.config.confirm_nano_usd
    return quote.likely_nano_usd > limit >= subject.picture.charged_nano_usd


async def _request(services: Services, subject: Subject, asker: Asker) -> Request:
    inputs = bool(await services.log.inputs(subject.turn.id))
    return copies.again(subject.picture, subject.turn, asker, inputs=inputs)


def _opening(services: Services, press: Press, dialog: Block) -> Work:
    async def work(_: Answer) -> None:
        await services.slack.open_view(press.trigger_id, dialog)

    return work
