"""Stories of the app being removed from its workspace, or its token revoked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox.slack.workspace import Workspace
from tests.bot.test_running import Process, darkroom, variables
from tests.fresh import with_books
from tests.scenarios.conftest import OpenTown
from tests.scenarios.http_town import HttpTown
from tests.scenarios.story import WAIT_S, Town, picture


async def parted(town: Town) -> None:
    """Wait until Darkroom has heard that it was removed."""
    async with asyncio.timeout(WAIT_S):
        await town.darkroom.gone.wait()


async def remove(workspace: Workspace, how: str) -> None:
    """Part with the app in one of the two ways."""
    await (workspace.uninstall() if how == "uninstalled" else workspace.revoke_tokens())


@pytest.mark.parametrize("how", ["uninstalled", "revoked"])
async def test_what_runs_is_finished_into_the_books_and_what_waits_is_ended_without_a_charge(
    towns: OpenTown, how: str
) -> None:
    town = await towns(queue__overall=1)
    town.easel.hold()
    await town.alice.imagines("a red fox")
    await town.has_called()
    await town.bob.imagines("a blue owl")
    await town.books_say("SELECT 1 FROM turns WHERE state = 'queued'")

    await remove(town.workspace, how)
    await parted(town)
    town.easel.let_go()
    await town.books_say("SELECT 1 FROM attempts WHERE state = 'settled'")
    assert len(town.calls) == 1
    await town.stops()

    assert town.ledger.turns() == [("pictures", "pictures"), ("cancelled", "removed")]
    assert town.ledger.attempts() == ["settled"]
    assert len(town.calls) == 1
    assert len(town.ledger.rows("SELECT 1 FROM pictures")) == 1
    town.ledger.holds_nothing()


async def test_of_several_pictures_only_those_that_were_sent_are_finished(towns: OpenTown) -> None:
    town = await towns(queue__overall=1)
    town.easel.hold()
    await town.alice.imagines("a red fox --n 3")
    await town.has_called()
    await town.workspace.uninstall()
    await parted(town)
    town.easel.let_go()
    await town.books_say("SELECT 1 FROM turns WHERE state = 'ended'")
    await town.stops()
    assert len(town.calls) == 1
    assert town.ledger.attempts() == ["settled"]
    assert town.ledger.turns() == [("pictures", "pictures")]
    town.ledger.holds_nothing()


async def test_what_comes_with_the_last_of_the_connection_is_not_made(towns: OpenTown) -> None:
    town = await towns()
    await town.workspace.revoke_tokens()
    await parted(town)
    await town.workspace.post("alice", "design", f"<@{town.workspace.bot_user_id}> a red fox")
    await town.books_say("SELECT 1 FROM turns")
    await town.stops()
    assert town.ledger.turns() == [("cancelled", "removed")]
    assert town.calls == []


async def test_over_http_it_is_heard_too(tmp_path: Path) -> None:
    over_http = await HttpTown.open(tmp_path / "data")
    town = over_http.town
    await town.workspace.uninstall()
    await parted(town)
    await over_http.close()


async def test_a_token_of_a_persons_own_is_no_matter_of_ours(towns: OpenTown) -> None:
    town = await towns()
    await town.workspace.revoke_tokens("alice")
    thread = await town.alice.imagines("a red fox")
    await thread.shows(picture(version=1))
    await town.rests()
    assert not town.darkroom.gone.is_set()


@pytest.mark.proof
async def test_the_process_ends_with_its_own_code_and_says_what_to_do_and_so_does_the_next_start(
    town: Town, tmp_path: Path
) -> None:
    await town.stops()
    with_books(tmp_path / "data")
    bot = await darkroom(tmp_path, "run", **variables(town.world))
    await bot.says("Darkroom is connected")
    await town.workspace.uninstall()
    assert await bot.ends() == 3
    assert "app_uninstalled" in bot.said or "tokens_revoked" in bot.said
    assert "darkroom forget workspace" in bot.said
    assert "CRITICAL" in bot.said
    assert "Traceback" not in bot.said

    again: Process = await darkroom(tmp_path, "run", **variables(town.world))
    assert await again.ends() == 3
    assert "account_inactive" in again.said
    assert "darkroom forget workspace" in again.said
