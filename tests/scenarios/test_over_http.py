"""Stories told over HTTP: what works through a socket works there."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import (
    test_called_off,
    test_dialogs,
    test_home,
    test_main_path,
    test_more_money,
    test_once,
    test_outsiders,
    test_sharing,
    test_surfaces,
)
from tests.scenarios.conftest import OpenTown
from tests.scenarios.http_town import HttpTown, url_of
from tests.scenarios.story import WAIT_S, Town, picture

Story = Callable[..., Awaitable[None]]

STORIES: tuple[Story, ...] = (
    test_main_path.test_a_prompt_becomes_a_priced_picture_and_a_reply_edits_it,
    test_surfaces.test_imagine_without_a_prompt_opens_the_dialog_and_what_was_typed_stands_in_it,
    test_surfaces.test_the_global_shortcut_asks_where_says_what_it_costs_and_where_it_cannot_be,
    test_surfaces.test_the_message_shortcut_edits_our_picture_and_somebody_elses,
    test_surfaces.test_in_our_direct_message_what_reads_like_an_edit_is_asked_first_and_each_answer_acts_once,
    test_dialogs.test_dialogs_and_questions_that_were_open_go_on_after_a_restart_and_act_once,
    test_dialogs.test_what_is_wrong_in_a_dialog_is_said_in_it_and_nothing_that_was_typed_is_lost,
    test_home.test_admins_see_the_team_and_pause_it_and_nobody_else_can,
    test_home.test_what_is_chosen_at_home_holds_for_the_next_picture_also_after_a_restart,
    test_sharing.test_sharing_is_done_once_after_trouble_in_slack_and_a_restart,
    test_more_money.test_declined_asks_is_granted_five_dollars_and_goes_on,
    test_called_off.test_of_three_who_wait_one_is_called_off_and_the_others_come_in_their_order,
    test_once.test_a_command_sent_five_times_at_once_and_again_after_a_restart,
    test_outsiders.test_an_outsiders_mention_reply_and_click_spend_nothing,
)
"""Commands, replies, mentions, events, buttons, menus, dialogs, both shortcuts, Home, restarts."""
ALWAYS = 4
"""The first of them are told by ``make test``, the others by ``make proof``."""


@pytest.fixture
async def http_towns(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[HttpTown]]]:
    """Opens towns that are reached by HTTP, and closes them."""
    opened: list[HttpTown] = []

    async def make(**settings: Any) -> HttpTown:
        opened.append(await HttpTown.open(tmp_path / f"data{len(opened)}", **settings))
        return opened[-1]

    yield make
    for each in opened:
        await each.close()


OpenHttpTown = Callable[..., Awaitable[HttpTown]]


@pytest.fixture
def towns(http_towns: OpenHttpTown) -> OpenTown:
    """The same as other stories have."""

    async def make(**settings: Any) -> Town:
        return (await http_towns(**settings)).town

    return make


@pytest.mark.parametrize(
    "story",
    [*STORIES[:ALWAYS], *(pytest.param(story, marks=pytest.mark.proof) for story in STORIES[ALWAYS:])],
    ids=lambda story: story.__name__.removeprefix("test_"),
)
async def test_the_same_over_http(story: Story, towns: OpenTown) -> None:
    alone = "town" in inspect.signature(story).parameters
    await story(await towns() if alone else towns)


async def test_an_event_that_nobody_took_comes_again_and_is_taken_once(http_towns: OpenHttpTown) -> None:
    """Darkroom was away; Slack says why it comes again, and what it asks for is made once."""
    over_http = await http_towns()
    town = over_http.town
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    town.workspace.delivery.retry_delays_s = (0.0, 0.2, 0.2)
    await town.stops()
    await town.alice.replies(thread, "make it night")
    await town.workspace.until(lambda w: any(each.attempt for each in w.delivery.unanswered), WAIT_S)
    assert town.workspace.delivery.unanswered[0].retry_reason == "connection_failed"
    await town.starts()
    await thread.shows(picture(version=2))
    await town.rests()
    assert len(town.calls) == 2


async def test_a_command_that_finds_nobody_says_so(http_towns: OpenHttpTown) -> None:
    town = (await http_towns()).town
    await town.stops()
    seen = await town.workspace.type_command("alice", "design", "/imagine a red fox in snow")
    assert seen.error == "dispatch_failed"
    await town.starts()


async def test_with_another_secret_nothing_is_done(http_towns: OpenHttpTown) -> None:
    town = (await http_towns()).town
    town.workspace.signing_secret = "a5" * 16
    seen = await town.workspace.type_command("alice", "design", "/imagine a red fox in snow")
    assert seen.error == "http_client_error"
    assert town.ledger.turns() == []


async def test_it_is_reached_at_the_path_that_a_proxy_passes_on(http_towns: OpenHttpTown) -> None:
    town = (await http_towns(slack__path="/bots/darkroom")).town
    assert url_of(town).endswith("/bots/darkroom")
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
