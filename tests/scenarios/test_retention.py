"""Stories of what goes by its age: from the thread, from Slack's files, from the books, from the disk."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from bot.app import Overrides
from bot.cli import main
from storage.database import PICTURES_NAME, Database
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, HurriedClock, Town, picture

SECRET = "the unannounced kettle of Acme"


class LaterClock(HurriedClock):
    """Days go by when it is told so."""

    def days_pass(self, days: int) -> None:
        """It is so many days later."""
        self._ahead += timedelta(days=days)


async def days_pass(town: Town, clock: LaterClock, days: int) -> None:
    """Darkroom rests for so many days."""
    await town.stops()
    clock.days_pass(days)
    await town.starts()


def town_files(town: Town) -> list[str]:
    """The names of Slack's files that are there."""
    return [file.id for file in town.workspace.files.values() if not file.deleted]


def bytes_on_disk(town: Town) -> list[Path]:
    return [path for path in (town.ledger.data_dir / PICTURES_NAME).glob("??/*") if path.is_file()]


async def test_a_picture_goes_everywhere_when_it_is_old_enough_and_its_charge_stays(towns: OpenTown) -> None:
    clock = LaterClock()
    town = await towns(overrides=Overrides(clock=clock), retention__pictures_days=30)
    thread = await town.alice.imagines(SECRET)
    await thread.shows(picture(version=1))
    await town.rests()
    await town.alice.opens_home()
    charged = town.ledger.charged()
    clock.days_pass(29)
    young = await town.bob.imagines("a young fox")
    await young.shows(picture(version=1))
    await town.rests()
    await town.restarts()
    assert len(town_files(town)) == 2

    await days_pass(town, clock, 2)

    await town.workspace.until(lambda _: len(town_files(town)) == 1 or None, WAIT_S)
    await town.books_say("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE done_at IS NULL)")
    await town.workspace.until(lambda w: SECRET not in json.dumps(w.home_of("alice")) or None, WAIT_S)
    assert len(bytes_on_disk(town)) == 1
    assert thread.pictures == []
    assert SECRET not in town.workspace.transcript("design")
    assert "a young fox" in town.workspace.transcript("design")
    assert town.alice.private() == []
    assert town.ledger.charged() > charged > 0


async def test_words_go_and_the_picture_can_be_edited_but_not_made_again(towns: OpenTown) -> None:
    clock = LaterClock()
    town = await towns(overrides=Overrides(clock=clock), retention__prompts_days=30)
    thread = await town.alice.imagines(SECRET)
    await thread.shows(picture(version=1))
    await town.rests()
    await days_pass(town, clock, 31)
    await town.books_say("SELECT 1 FROM turns WHERE words_gone_at IS NOT NULL")
    first = await thread.version(1)

    await town.alice.presses(first, "picture_again")
    await town.alice.is_told("words", "kept")
    await town.alice.presses(first, "picture_variations")
    await town.workspace.until(
        lambda _: sum("kept" in said for said in town.alice.private()) >= 2 or None, WAIT_S
    )
    assert len(town.calls) == 1
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()


async def test_a_request_that_is_old_enough_leaves_nothing_but_its_charge(towns: OpenTown) -> None:
    clock = LaterClock()
    town = await towns(overrides=Overrides(clock=clock), retention__turns_days=30)
    thread = await town.alice.imagines(SECRET)
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, f"{SECRET}, at night")
    await thread.shows(picture(version=2))
    await town.rests()
    charged = town.ledger.charged()
    await days_pass(town, clock, 31)
    await town.books_say("SELECT 1 FROM erasures")
    await town.books_say("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE done_at IS NULL)")
    await days_pass(town, clock, 1)
    await town.books_say("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM threads)")
    await town.stops()
    # Who looks at the books keeps their files from being scrubbed; the next start makes up for it.
    Database.open(town.ledger.data_dir, inline=True).close()
    left = b"".join(path.read_bytes() for path in town.ledger.data_dir.glob("darkroom.db*"))
    assert SECRET.encode() not in left
    assert thread.root.encode() not in left
    assert bytes_on_disk(town) == []
    assert town.ledger.charged() == charged > 0


async def test_by_hand_it_says_the_same_dry_and_done_and_is_refused_beside_a_running_bot(
    towns: OpenTown,
) -> None:
    town = await towns()
    thread = await town.alice.imagines(SECRET)
    await thread.shows(picture(version=1))
    await town.rests()
    folder = str(town.ledger.data_dir)

    def invoked(more: tuple[str, ...]) -> Result:
        keep = ["--data-dir", folder, "--set", "retention.pictures_days=1"]
        return CliRunner().invoke(main, ["retention", *keep, *more])

    async def retention(*more: str) -> tuple[int, str]:
        result = await asyncio.to_thread(invoked, more)
        return result.exit_code, result.output

    code, said = await retention("--dry-run", "--json")
    nothing = {"pictures": 0, "words": 0, "comments": 0, "turns": 0, "later": 0}
    assert (code, json.loads(said)) == (0, {"dry_run": True, **nothing})
    code, said = await retention()
    assert code == 2
    assert "is running" in said
    assert "--dry-run" in said
    await town.stops()
    assert json.loads((await retention("--json"))[1]) == {"dry_run": False, **nothing}
    assert "0  pictures" in (await retention())[1]
