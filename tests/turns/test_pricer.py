"""The price before the press is what is then held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom.spending.bound import estimate
from darkroom.spending.changes import Author, Everyone, Person, SetAccess
from darkroom.spending.policy import Dimension
from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Attachment, Options, Request, Surface
from darkroom.turns.pricing import Quote
from storage.admin import SqliteAdminBooks
from tests.examples import ALICE, TEAM, command, message
from tests.turns.fakes import CATALOGUE, FIRST, SECOND
from tests.turns.test_bringing import attach, drawn
from tests.turns.world import World

TS = "1763650000.000001"


async def quoted(world: World, request: Request) -> Quote:
    """The price of *request*."""
    quote = await world.pricer.quote(request)
    assert isinstance(quote, Quote), quote
    return quote


async def held(world: World, request: Request) -> tuple[int, int]:
    """What *request* likely costs, by what its calls were computed from once it is asked for, and what is
    held for all its pictures."""
    turn_id = await world.ask(request)
    await world.rest()
    attempts = await world.attempts(turn_id)
    assert len(attempts) == request.wanted
    asks = [attempt.ask for attempt in attempts if attempt.ask is not None]
    likely = sum(estimate(ask, CATALOGUE).total_nano_usd for ask in asks)
    return likely, sum(attempt.hold_nano_usd for attempt in attempts)


def prices(quote: Quote) -> tuple[int, int]:
    """What it likely costs and what it costs at most."""
    return quote.likely_nano_usd, quote.at_most_nano_usd


@pytest.mark.parametrize("wanted", [1, 3])
async def test_a_new_picture_costs_at_most_what_is_then_held(world: World, wanted: int) -> None:
    request = replace(command("a fox in snow", quality="high"), wanted=wanted)
    quote = await quoted(world, request)
    assert (quote.model, quote.quality) == (FIRST, "high")
    assert prices(quote) == await held(world, request)
    assert 0 < quote.likely_nano_usd < quote.at_most_nano_usd


async def test_an_edit_of_a_chosen_picture_costs_its_conversation_too(world: World) -> None:
    first = await world.made()
    plain = await quoted(world, command("night"))
    request = replace(
        message("night", TS, first.thread_ts, surface=Surface.BUTTON), chosen_id=first.id, wanted=2
    )
    quote = await quoted(world, request)
    assert quote.at_most_nano_usd > 2 * plain.at_most_nano_usd
    assert prices(quote) == await held(world, request)


async def test_attached_files_and_those_of_an_earlier_turn_are_in_the_price(world: World) -> None:
    files = attach(world, sofa=drawn(), lamp=drawn(32, 32))
    request = replace(command("a room", trigger="x1"), attachments=files)
    quote = await quoted(world, request)
    assert quote.at_most_nano_usd > (await quoted(world, command("a room"))).at_most_nano_usd
    assert prices(quote) == await held(world, request)
    first = (await world.intake.accept(request)).turn
    assert first is not None
    again = replace(command("a room", trigger="x2"), attachments=files, inputs_from=first.id)
    assert await quoted(world, again) == quote
    assert prices(quote) == await held(world, again)


async def test_what_is_remembered_of_a_thread_is_in_the_price(world: World) -> None:
    first = await world.made()
    await world.reply("night", TS, first.turn_id, options=Options(quality="high"))
    await world.rest()
    shortcut = message("day", "1763650000.000002", first.thread_ts, surface=Surface.SHORTCUT)
    quote = await quoted(world, shortcut)
    assert quote.quality == "high"
    assert prices(quote) == await held(world, shortcut)


async def test_a_price_names_the_model_that_makes_it(world: World) -> None:
    quote = await quoted(world, command("a fox", background="transparent"))
    assert quote.model == SECOND


async def test_what_cannot_be_made_has_a_reason_and_no_price(world: World) -> None:
    first = await world.made()
    gone = replace(message("x", TS, first.thread_ts, surface=Surface.BUTTON), chosen_id="pic_none")
    endings = [
        await world.pricer.quote(request)
        for request in (
            command("a fox", model="gpt-image-9"),
            command("a fox", background="transparent", format="jpeg"),
            gone,
        )
    ]
    assert [ending.reason for ending in endings if isinstance(ending, Ending)] == [
        Reason.MODEL_UNUSABLE,
        Reason.MODEL_UNUSABLE,
        Reason.PICTURE_GONE,
    ]


async def test_what_one_person_may_not_use_is_in_their_price_alone(world: World) -> None:
    """By the key that the books know them by, which a request does not carry."""
    await world.made()
    books = SqliteAdminBooks(world.database)
    deny = SetAccess(Person(ALICE), Dimension.QUALITY, ("high",), False)
    await books.change(deny, Author(TEAM, "U0ADMIN001", "k1"), world.limits, world.clock.now())
    mine = await world.pricer.quote(command("a fox", quality="high"))
    assert isinstance(mine, Ending)
    assert mine.reason is Reason.NOT_ALLOWED
    assert isinstance(await world.pricer.quote(command("a fox", quality="high", user="U0NEW00001")), Quote)
    everyone = SetAccess(Everyone(), Dimension.QUALITY, ("high",), False)
    await books.change(everyone, Author(TEAM, "U0ADMIN001", "k2"), world.limits, world.clock.now())
    assert isinstance(await world.pricer.quote(command("a fox", quality="high", user="U0NEW00001")), Ending)


async def test_asking_for_a_price_writes_nothing(world: World) -> None:
    first = await world.made()

    async def rows() -> list[int]:
        query = """
            SELECT COUNT(*) FROM turns UNION ALL SELECT COUNT(*) FROM attempts
            UNION ALL SELECT COUNT(*) FROM journal UNION ALL SELECT COUNT(*) FROM people
            UNION ALL SELECT COUNT(*) FROM threads UNION ALL SELECT COUNT(*) FROM inputs
        """
        return await world.database.look(lambda db: [row[0] for row in db.execute(query)])

    before = await rows()
    attached = (Attachment("F1", "a.png", "image/png", 9),)
    await world.pricer.quote(replace(command("a fox", user="U0NEW00001"), attachments=attached))
    await world.pricer.quote(replace(message("x", TS, first.thread_ts), wanted=4))
    assert await rows() == before
    assert world.attachments.fetched == []
