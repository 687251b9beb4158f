"""The menu under a picture, and the Details button of the pictures from before there was one."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from handlers import sharing, words_endings, words_pictures
from handlers.blocks.details import details_view
from handlers.blocks.picture import DETAILS_ACTION, MENU_ACTION, Choice
from handlers.blocks.text import View
from handlers.deleting import ask_to_delete
from handlers.more import ask_for_quality
from handlers.presses import Answer, Press, start
from handlers.services import Services
from handlers.subjects import Subject, find, thread_of
from handlers.words import Hearer

_FOR_MEMBERS = frozenset({Choice.EDIT, Choice.SHARE})
"""What changes something for others and makes no turn of its own, of which it would be asked who wants it."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the menu and to the old button."""

    @app.action(MENU_ACTION)
    async def menu(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        choice, _, picture_id = press.value.partition(":")

        async def work(answer: Answer) -> None:
            await _chosen(services, press, Choice(choice), picture_id, answer)

        start(services, press, f"{choice} for", work)

    @app.action(DETAILS_ACTION)
    async def details(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)

        async def work(answer: Answer) -> None:
            await _chosen(services, press, Choice.DETAILS, press.value, answer)

        start(services, press, "details for", work)


async def _chosen(services: Services, press: Press, choice: Choice, picture_id: str, answer: Answer) -> None:
    subject = await find(services, picture_id)
    if isinstance(subject, View):
        await answer(subject)
        return
    refused = await services.guard.refuses(press.user_id) if choice in _FOR_MEMBERS else None
    if refused is not None:
        await answer(View(words_endings.say(refused, services.config.voice, Hearer(press.channel)), ()))
        return
    match choice:
        case Choice.EDIT:
            await _edit(services, press, subject, answer)
        case Choice.HIGHER:
            # It joins the thread itself, after the dialog: that one has to open within 3 seconds.
            await ask_for_quality(services, press, subject, answer)
            return
        case Choice.SHARE:
            refusal = await sharing.open_dialog(services, press, subject.picture)
            if refusal is not None:
                await answer(View(refusal, ()))
        case Choice.DETAILS:
            await answer(await _details(services, press, subject))
        case Choice.DELETE:
            await ask_to_delete(services, press, subject, answer)
    thread_ts = thread_of(subject, press)
    await services.intake.join(subject.picture.team_id, press.channel, thread_ts, press.user_id)


async def _edit(services: Services, press: Press, subject: Subject, answer: Answer) -> None:
    """The next request in the thread where it was pressed builds on it: its own, or one of a share."""
    picture, now = subject.picture, services.clock.now()
    version, order = picture.version, press.action_ts or f"{now.timestamp():.6f}"
    place = (press.channel, thread_of(subject, press))
    chosen = await services.conversations.choose(picture.id, *place, press.user_id, order, now)
    if chosen is None:
        gone = await find(services, picture.id)
        await answer(gone if isinstance(gone, View) else View(words_pictures.not_of_here(version), ()))
        return
    own = place == (picture.channel_id, picture.thread_ts)
    said = words_pictures.chosen(version) if own else words_pictures.chosen_where_shared(version)
    await answer(View(said, ()))


async def _details(services: Services, press: Press, subject: Subject) -> View:
    config, picture = services.config, subject.picture
    cost = await services.log.charge_of(picture.id)
    balance = None
    if picture.user_id == press.user_id:
        now = services.clock.now()
        balances = await services.spend.balances(
            config.team_id, press.user_id, picture.channel_id, config.caps, now
        )
        balance = balances[0]
    return details_view(picture, cost, balance, config.caps.timezone)
