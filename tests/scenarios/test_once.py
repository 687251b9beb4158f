"""One thing a person did is one turn, one call and one picture, however often Slack sends it."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.images.painter import Order, paint
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import Thread, Town, picture

PNG = paint(Order("a reference", 64, 64, "png"))


async def _one_of_each(town: Town, thread: Thread) -> None:
    """There is one turn, one call, one picture more than the thread's opening."""
    await town.rests()
    assert len(town.calls) == len(town.ledger.turns()) == len(thread.pictures)
    assert set(town.ledger.attempts()) == {"settled"}
    town.ledger.holds_nothing()


async def test_a_command_sent_five_times_at_once_and_again_after_a_restart(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await town.sends_again()
    await _one_of_each(town, thread)
    await town.restarts()
    await town.sends_again()
    await _one_of_each(town, thread)
    assert len(town.calls) == 1
    roots = [message for message in town.messages() if not message.is_reply]
    assert len(roots) == 1


@pytest.mark.parametrize("broadcast", [False, True])
async def test_a_reply_sent_five_times_at_once_and_again_after_a_restart(town: Town, broadcast: bool) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "make it night", broadcast=broadcast)
    await town.sends_again()
    await _one_of_each(town, thread)
    await town.restarts()
    await town.sends_again()
    await _one_of_each(town, thread)
    assert len(town.calls) == 2


@pytest.mark.parametrize("with_file", [False, True])
@pytest.mark.parametrize("order", [("message", "app_mention"), ("app_mention", "message")])
async def test_a_mention_comes_as_two_events_in_either_order_and_again(
    town: Town, order: tuple[str, str], with_file: bool
) -> None:
    town.workspace.mention_events = order
    files: tuple[str, ...] = ()
    if with_file:
        file = await town.workspace.upload(town.alice.id, "fox.png", PNG)
        files = (file.id,)
    thread = await town.alice.mentions("a red fox in snow", files=files)
    await thread.shows(picture(version=1))
    await town.sends_again()
    await _one_of_each(town, thread)
    await town.restarts()
    await town.sends_again()
    await _one_of_each(town, thread)
    assert len(town.calls) == 1


async def test_only_the_mention_event_of_the_two_is_enough(town: Town) -> None:
    town.workspace.mention_events = ("app_mention",)
    thread = await town.alice.mentions("a red fox in snow")
    await thread.shows(picture(version=1))
    await _one_of_each(town, thread)


async def test_a_button_pressed_five_times_buys_nothing(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    await asyncio.gather(*(town.alice.chooses(message, "Details") for _ in range(5)))
    await town.sends_again()
    await _one_of_each(town, thread)


async def test_every_acknowledgement_comes_well_within_slacks_three_seconds(towns: OpenTown) -> None:
    town = await towns()
    town.easel.hold()
    thread = await town.alice.imagines("a red fox in snow")
    for number in range(5):
        await town.alice.replies(thread, f"make it night {number}")
    town.easel.let_go()
    await town.rests()
    assert not any(ack.late or ack.retry_attempt for ack in town.workspace.delivery.acks)
