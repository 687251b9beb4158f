"""Variations and a higher quality: dialogs that say what each choice costs before it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.models import CatalogueProblem
from darkroom.turns import copies
from darkroom.turns.endings import Ending
from darkroom.turns.model import WANTED_MAX, Picture, Request
from darkroom.turns.pricing import Quote
from handlers import dialog_facts, words_endings, words_pictures
from handlers.blocks.dialogs import (
    HIGHER_CALLBACK,
    VARIATIONS_CALLBACK,
    higher_dialog,
    variations_dialog,
)
from handlers.blocks.picture import VARIATIONS_ACTION
from handlers.blocks.text import View
from handlers.presses import Answer, Press, start
from handlers.sent_dialogs import Sent, listen
from handlers.services import Services
from handlers.subjects import Memo, Subject, asker_of, find, thread_of
from handlers.words import Hearer

Choice = TypeVar("Choice", int, str)


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button for variations, and to both dialogs being sent."""

    @app.action(VARIATIONS_ACTION)
    async def variations(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        start(services, press, "variations for", lambda answer: _variations(services, press, answer))

    async def varied(subject: Subject, sent: Sent) -> Request | str:
        if not subject.has_words:
            return words_pictures.WORDLESS
        number = int(sent.chosen) if sent.chosen in {str(n) for n in range(1, WANTED_MAX + 1)} else 1
        return copies.variations(subject.picture, subject.turn, sent.asker, number)

    async def finer(subject: Subject, sent: Sent) -> Request | str:
        if sent.chosen not in above(services, subject):
            return words_pictures.HIGHEST
        return copies.higher(subject.picture, subject.turn, sent.asker, sent.chosen)

    listen(app, services, VARIATIONS_CALLBACK, varied)
    listen(app, services, HIGHER_CALLBACK, finer)


async def _variations(services: Services, press: Press, answer: Answer) -> None:
    subject = await find(services, press.value)
    if isinstance(subject, View):
        await answer(subject)
        return
    if not subject.has_words:
        await answer(View(words_pictures.WORDLESS, ()))
        return
    asker = asker_of(services, press, "", thread_of(subject, press))
    prices, refused = await _priced(
        services,
        range(1, WANTED_MAX + 1),
        lambda number: copies.variations(subject.picture, subject.turn, asker, number),
    )
    await _ask(services, press, answer, subject.picture, prices, refused, asker.thread_ts, variations_dialog)


async def ask_for_quality(services: Services, press: Press, subject: Subject, answer: Answer) -> None:
    """Open the dialog for a higher quality, or say why there is none."""
    asker = asker_of(services, press, "", thread_of(subject, press))
    prices, refused = await _priced(
        services,
        above(services, subject),
        lambda quality: copies.higher(subject.picture, subject.turn, asker, quality),
    )
    await _ask(services, press, answer, subject.picture, prices, refused, asker.thread_ts, higher_dialog)


def above(services: Services, subject: Subject) -> tuple[str, ...]:
    """The qualities above a picture's own, of the model that would paint it anew."""
    model = subject.turn.request.options.model or services.config.model
    try:
        qualities = services.catalogue.usable_image(model, services.today()).qualities
    except CatalogueProblem:
        return ()
    own = subject.picture.quality
    return qualities[qualities.index(own) + 1 :] if own in qualities else qualities


async def _priced(
    services: Services, choices: Iterable[Choice], request_of: Callable[[Choice], Request]
) -> tuple[dict[Choice, Quote], Ending | None]:
    """What each choice costs, where it is possible, and why the first one is not."""
    prices: dict[Choice, Quote] = {}
    refused: Ending | None = None
    for choice in choices:
        quote = await services.pricing.quote(request_of(choice))
        if isinstance(quote, Quote):
            prices[choice] = quote
        else:
            refused = refused or quote
    return prices, refused


async def _ask(
    services: Services,
    press: Press,
    answer: Answer,
    picture: Picture,
    prices: dict[Choice, Quote],
    refused: Ending | None,
    thread_ts: str,
    dialog: Callable[[Picture, dict[Choice, Quote], str, str], Any],
) -> None:
    if prices:
        memo = Memo(picture.id, press.channel, thread_ts).write()
        dearest = max(quote.likely_nano_usd for quote in prices.values())
        left = await dialog_facts.left_words(services, press.user_id, dearest)
        await services.slack.open_view(press.trigger_id, dialog(picture, prices, memo, left))
        # Its 3 seconds begin with the press: what can wait comes after it.
        await services.intake.join(picture.team_id, press.channel, thread_ts, press.user_id)
        return
    hearer = Hearer(press.channel, press.user_id in services.config.admins)
    said = words_endings.say(refused, services.config.voice, hearer) if refused else words_pictures.HIGHEST
    await answer(View(said, ()))
