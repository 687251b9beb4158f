"""With the scopes of ``darkroom manifest --mentions-only``: what works, and what is said of the rest."""

from __future__ import annotations

import pytest

from handlers.manifest import build_manifest
from sandbox.slack.declared import declare
from sandbox.slack.model import Fault
from tests.scenarios.conftest import OpenTown
from tests.scenarios.pictures import png
from tests.scenarios.story import Town, picture
from tests.scenarios.test_sharing import _made_in_private, _share, _shown_in


@pytest.fixture
async def town(towns: OpenTown) -> Town:
    """A town whose app was approved for mentions only."""
    made = await towns()
    declare(made.workspace, build_manifest(mentions_only=True))
    return made


async def test_a_command_makes_a_picture_and_a_mention_in_its_thread_edits_it(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "this is not for Darkroom, which does not hear it")
    await town.alice.replies(thread, f"<@{town.workspace.bot_user_id}> make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    assert len(town.calls) == 2
    assert town.calls[1].body["previous_response_id"] == town.calls[0].response_id


async def test_a_mention_opens_a_thread(town: Town) -> None:
    thread = await town.alice.mentions("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()


async def test_a_mention_that_makes_no_sense_is_answered(town: Town) -> None:
    await town.alice.mentions("a red fox --size enormous")
    await town.alice.is_told("A size is square")
    assert town.calls == []


async def test_whoever_asks_below_somebodys_pictures_is_told_that_they_are_not_seen(town: Town) -> None:
    message = await town.bob.shares("look", {"fox.png": png()})
    thread = await town.thread_of(message.ts)
    await town.alice.replies(thread, f"<@{town.workspace.bot_user_id}> make this one blue")
    await town.alice.is_told("I did not see the pictures above", "Edit with Darkroom")
    await town.rests()


async def test_a_direct_message_is_heard_as_ever(town: Town) -> None:
    thread, _ = await _made_in_private(town)
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()


async def test_a_picture_is_shared_though_the_channel_cannot_be_looked_at(town: Town) -> None:
    """Also where Slack did not say whether it was posted: it is posted again rather than never."""
    _, first = await _made_in_private(town)
    town.workspace.faults.append(Fault("chat.postMessage", drop="after"))
    await _share(town.alice, first, "general")
    await _shown_in(town, "general")
    await town.rests()


async def test_a_post_that_slack_left_unanswered_is_made_again(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    town.workspace.faults.append(Fault("chat.postMessage", drop="after"))
    await town.alice.replies(thread, f"<@{town.workspace.bot_user_id}> make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    assert len(town.calls) == 2
