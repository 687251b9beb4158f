"""A backup of a running Darkroom, put back: it starts, recovers, and goes on in the same threads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.app import Darkroom
from bot.cli import main
from bot.settings import plain_settings
from tests.scenarios.story import Ledger, Town


def darkroom(*arguments: str) -> str:
    """What the command line prints; it must have gone well."""
    printed = CliRunner().invoke(main, list(arguments))
    assert printed.exit_code == 0, printed.output
    return printed.output


async def test_a_darkroom_put_back_from_a_copy_that_was_made_while_it_ran(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture is there, one is being made, one waits; the machine burns; the copy starts elsewhere."""
    monkeypatch.chdir(tmp_path)
    thread = await town.alice.imagines("a red fox")
    await thread.version(1)
    await town.rests()
    town.easel.hold()
    await town.bob.imagines("an owl")
    await town.has_called(2)
    await town.alice.replies(thread, "make it night")
    await town.has_called(3)
    await town.alice.replies(thread, "and add a moon")
    await town.books_say("SELECT 1 FROM turns WHERE prompt = 'and add a moon' AND state = 'queued'")

    data = str(town.ledger.data_dir)
    said = await asyncio.to_thread(darkroom, "backup", "copy.tar", "--data-dir", data)
    assert "4 turns and 1 picture," in said
    # The machine burns: nobody waits for what is being made.
    await town.stops(0)
    said = await asyncio.to_thread(darkroom, "restore", "copy.tar", "--data-dir", "elsewhere")
    assert "4 turns and 1 picture," in said

    town.easel.let_go()
    settings = plain_settings(town.world.settings() | {"storage.data_dir": tmp_path / "elsewhere"})
    town.ledger = Ledger(tmp_path / "elsewhere")
    town.darkroom = Darkroom(settings)
    await town.darkroom.start()
    await town.rests()
    assert {outcome for outcome, _ in town.ledger.turns()} == {"pictures"}
    assert len(town.calls) == 4, "what was sent before the copy was made is asked for, not bought again"
    town.ledger.holds_nothing()
    assert [message.ts for message in thread.pictures] == sorted(message.ts for message in thread.pictures)
    assert len(thread.pictures) == 3
