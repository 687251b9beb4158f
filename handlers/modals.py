"""The dialog for a picture: opened, shown anew as it changes, sent off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.endings import Ending
from darkroom.turns.model import Options, Request
from darkroom.turns.pricing import Quote
from handlers import dialog_facts, words
from handlers.asking import mapping
from handlers.blocks import modal
from handlers.blocks.modal import USUAL, Form, Shown
from handlers.blocks.modal_memo import Memo
from handlers.blocks.text import Block, View, escape
from handlers.clients import SlackRefused, SlackUnclear
from handlers.filled import BadForm, Sender, filled, request_of
from handlers.options import Said
from handlers.services import Services
from handlers.words_endings import say

logger = logging.getLogger("darkroom.handlers")

CHANGES_MAX = 500
"""Of so many dialogs the latest change is known."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to changes of the dialog and to its being sent off."""
    dialogs = Dialogs(services)

    async def changed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        dialogs.changed(body)

    for action_id in modal.PRICED:
        app.action(action_id)(changed)

    async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
        await dialogs.submitted(ack, body)

    app.view(modal.NEW_VIEW)(submitted)
    app.view(modal.EDIT_VIEW)(submitted)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants a dialog, by Slack's ``trigger_id`` (3 seconds, once), and how to reach them privately."""

    user_id: str
    trigger_id: str
    channel_id: str
    reply_url: str | None = None


def start(services: Services, caller: Caller, said: Said | None = None) -> None:
    """Open the dialog for a new picture, beside the listeners; in *caller*'s channel if that is one, and with
    what was *said* already. Never waits."""
    form, memo = _prefilled(said or Said(""), caller.channel_id)

    async def work() -> None:
        if said is None or said.private is None:
            preferred = await services.conversations.preferences(services.config.team_id, caller.user_id)
            await Dialogs(services).open(
                caller, modal.NEW_VIEW, replace(form, private=preferred.private), memo
            )
        else:
            await Dialogs(services).open(caller, modal.NEW_VIEW, form, memo)

    services.errands.start(
        f"dialog of {caller.user_id}",
        work(),
        lambda: not_opened(services, caller, View(_broken(services), ())),
    )


def _prefilled(said: Said, channel_id: str) -> tuple[Form, Memo]:
    options = said.options
    whole = options.width is not None and options.height is not None
    form = Form(
        prompt=said.prompt,
        size=f"{options.width}x{options.height}" if whole else USUAL,
        quality=options.quality or USUAL,
        wanted=said.wanted,
        channel_id=channel_id if channel_id.startswith(("C", "G")) else None,
        private=said.private is True,
    )
    kept = Options(model=options.model, format=options.format, background=options.background)
    return form, Memo(options=kept)


def _broken(services: Services) -> str:
    return words.broken(services.config.voice)


async def not_opened(services: Services, caller: Caller, view: View) -> None:
    """Tell somebody why there is no dialog."""
    await services.whisper(
        view,
        channel=caller.channel_id or caller.user_id,
        user_id=caller.user_id,
        reply_url=caller.reply_url,
    )


class Dialogs:
    """What happens to the dialog. Listeners acknowledge; what asks Slack runs as an errand."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._latest: dict[str, str] = {}

    async def open(self, caller: Caller, callback_id: str, form: Form, memo: Memo) -> None:
        """Open it with its price. Where Slack does not, *caller* is told."""
        view = await self._view(callback_id, form, (), memo, caller.user_id)
        try:
            await self._services.slack.open_view(caller.trigger_id, view)
        except (SlackRefused, SlackUnclear) as error:
            logger.info("a dialog was not opened: %s", error)
            await not_opened(
                self._services, caller, View(modal.not_opened(self._services.config.imagine), ())
            )

    def changed(self, body: Mapping[str, Any]) -> None:
        """Something was chosen: show the price anew. Never waits."""
        view, user = mapping(body.get("view")), mapping(body.get("user"))
        if self._services.guard.outsider(user.get("team_id"), user.get("enterprise_id")):
            return
        user_id, actions = user.get("id"), body.get("actions")
        at = str(mapping(actions[0]).get("action_ts")) if isinstance(actions, list) and actions else ""
        view_id, memo = view.get("id"), Memo.read(view.get("private_metadata"))
        if memo is None or not isinstance(view_id, str) or not isinstance(user_id, str):
            return
        self._latest.pop(view_id, None)
        self._latest[view_id] = at
        if len(self._latest) > CHANGES_MAX:
            del self._latest[next(iter(self._latest))]
        self._services.errands.start(f"change of {view_id}", self._show_anew(view, memo, user_id, at))

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """It was sent off: a turn on disk and the dialog closes, or what is wrong is said in it."""
        services, view, user = self._services, mapping(body.get("view")), mapping(body.get("user"))
        memo = Memo.read(view.get("private_metadata"))
        if services.guard.outsider(user.get("team_id"), user.get("enterprise_id")):
            await _refuse(ack, {modal.PROMPT: words.OUTSIDER})
            return
        if memo is None:
            await _refuse(ack, {modal.PROMPT: modal.OUTDATED})
            return
        form, files = filled(view, memo)
        try:
            sender = await self._sender(str(user["id"]), str(view["id"]))
            request = request_of(form, files, memo, sender, services, str(view.get("callback_id")))
            await self._check_chosen(request)
            await self._check_place(form, memo)
        except BadForm as wrong:
            if wrong.cause is not None:
                services.note(wrong.cause)
            await _refuse(ack, wrong.errors)
            return
        arrival = await services.intake.accept(request)
        await ack()
        services.intake.submit(arrival)

    async def _check_chosen(self, request: Request) -> None:
        """What a dialog remembers has been out of our hands."""
        if request.chosen_id is not None:
            picture = await self._services.log.picture(request.chosen_id)
            if picture is None or picture.team_id != request.team_id:
                raise BadForm({modal.PROMPT: modal.NO_RECORD})
        if request.inputs_from is not None:
            before = await self._services.log.turn(request.inputs_from)
            if before is None or before.request.user_id != request.user_id:
                raise BadForm({modal.PROMPT: modal.NO_RECORD})

    async def _check_place(self, form: Form, memo: Memo) -> None:
        """Who was warned and has not invited us keeps their dialog, and all that stands in it."""
        if self._place_words(form, memo) and await dialog_facts.is_outside(self._services, memo.outside):
            raise BadForm({modal.CHANNEL: modal.OUTSIDE})

    async def _sender(self, user_id: str, view_id: str) -> Sender:
        services = self._services
        home = await services.conversations.private_channel(services.config.team_id, user_id)
        return Sender(user_id, view_id, home, f"{services.clock.now().timestamp():.6f}")

    async def _show_anew(self, view: Mapping[str, Any], memo: Memo, user_id: str, at: str) -> None:
        view_id, callback_id = str(view["id"]), str(view.get("callback_id"))
        form, files = filled(view, memo)
        anew = await self._view(callback_id, form, files, memo, user_id)
        hash_ = view.get("hash")
        try:
            # Slack sends the hash of before our last update with what was chosen meanwhile: that is newer
            # than what is shown all the same, as long as nothing was chosen after it.
            for known in (hash_, None) if isinstance(hash_, str) else (None,):
                if self._latest.get(view_id) != at:
                    return
                try:
                    await self._services.slack.update_view(view_id, anew, hash_=known)
                    return
                except SlackRefused as refused:
                    if refused.error != "hash_conflict" or known is None:
                        raise
        except (SlackRefused, SlackUnclear) as error:
            logger.info("a dialog was not shown anew: %s", error)

    async def _view(
        self,
        callback_id: str,
        form: Form,
        files: tuple[Any, ...],
        memo: Memo,
        user_id: str,
    ) -> Block:
        choices = await dialog_facts.choices_of(
            self._services, form, memo, user_id, editing=callback_id == modal.EDIT_VIEW
        )
        price, memo = await asyncio.gather(
            self._price(callback_id, form, files, memo, user_id), self._looked(form, memo)
        )
        shown = Shown(price, memo.about, self._place_words(form, memo))
        make = modal.edit_picture_view if callback_id == modal.EDIT_VIEW else modal.new_picture_view
        return make(form, choices, memo, shown)

    async def _price(
        self, callback_id: str, form: Form, files: tuple[Any, ...], memo: Memo, user_id: str
    ) -> str:
        services = self._services
        named = replace(form, prompt=form.prompt if form.prompt.strip() else "a picture")
        try:
            sender = await self._sender(user_id, "draft")
            # What is still to be put in is no reason to name no price.
            wanted_files = files or _missing(callback_id, memo)
            request = request_of(named, wanted_files, memo, sender, services, callback_id)
            # Slack does not tell of files that are put in: what each will add is said beforehand.
            more = replace(request, attachments=(*request.attachments, modal.STILL_TO_COME))
            async with asyncio.timeout(dialog_facts.ANSWER_WAIT_S):
                quote_with_more = await services.pricing.quote(more)
                quote = await services.pricing.quote(request)
        except BadForm as wrong:
            return escape(" ".join(wrong.errors.values()))
        except TimeoutError:
            return modal.LATER_PRICE
        if isinstance(quote, Ending):
            why = say(quote, services.config.voice, words.Hearer(request.channel_id))
            return f"*As things stand, this could not be made.* {why}"
        limit = quote_with_more.at_most_nano_usd if isinstance(quote_with_more, Quote) else 0
        price = modal.price_words(quote, request.wanted, max(0, limit - quote.at_most_nano_usd))
        left = await dialog_facts.left_words(services, user_id, quote.likely_nano_usd)
        return f"{price} {left}" if left else price

    async def _looked(self, form: Form, memo: Memo) -> Memo:
        """*memo*, and whether we are in the channel that is chosen."""
        channel = form.channel_id
        if channel is None or form.private or channel in (memo.inside, memo.outside):
            return memo
        outside = await dialog_facts.is_outside(self._services, channel)
        if outside is None:
            return memo
        return replace(memo, outside=channel) if outside else replace(memo, inside=channel)

    def _place_words(self, form: Form, memo: Memo) -> str:
        if form.private or form.channel_id is None or form.channel_id != memo.outside:
            return ""
        return modal.outside_words(form.channel_id, self._services.config.voice.us)


def _missing(callback_id: str, memo: Memo) -> tuple[Any, ...]:
    held = memo.pictures or memo.files or memo.inputs_from
    nothing = callback_id == modal.EDIT_VIEW and not held
    return (modal.STILL_TO_COME,) if nothing else ()


async def _refuse(ack: AsyncAck, errors: Mapping[str, str]) -> None:
    await ack(response_action="errors", errors=dict(errors))
