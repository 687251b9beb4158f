"""Turns of every model and every kind of end, made through the real store: each charge computes to itself,
and one that was changed behind the books' back is found."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import spend_reprice
from darkroom.spending.classes import TokenClass
from darkroom.spending.cost import ESTIMATED, MODERATED
from darkroom.spending.repricing import EntryKind, StoredCharge, check
from darkroom.spending.spans import Span
from storage import repricing
from storage.reports import spend_report
from tests.spending.asks import PRESENT_IMAGES
from tests.storage.priced_turns import CATALOGUE, FREE, START, World, call, usage_of

SPAN = Span(
    "Asia/Kathmandu", datetime(2026, 8, 30, 18, 15, tzinfo=UTC), datetime(2026, 12, 1, 18, 15, tzinfo=UTC)
)
SEED = 20261120


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def reprice(folder: Path, *arguments: str) -> Result:
    """What the command makes of the books there."""
    return CliRunner().invoke(spend_reprice.command, ["--data-dir", str(folder), "--check", *arguments])


async def generated(world: World, turns: int) -> list[StoredCharge]:
    """So many turns in the books; gives their charges, each computed again and found as it is stored."""
    chance = random.Random(SEED)  # noqa: S311 -- the same turns every time
    for number in range(turns):
        await world.make(call(chance, number))
    entries = await world.entries()
    different = [found for found in (check(entry, CATALOGUE) for entry in entries) if found.why]
    assert different == []
    kinds = {kind: [entry for entry in entries if entry.kind is kind] for kind in EntryKind}
    assert all(kinds.values())
    assert len(entries) == turns + len(kinds[EntryKind.CORRECTION])
    priced = {entry.price_version.partition("+")[0] for entry in entries}
    assert len(priced) == len({CATALOGUE.image(name).base for name in PRESENT_IMAGES})
    assert {line.token_class for entry in entries for line in entry.cost.lines} == set(TokenClass)
    flags = {flag for entry in entries for flag in entry.flags}
    assert flags >= {ESTIMATED, MODERATED, "unknown_model", "bad_usage", "overrun", "uncertain"}
    return entries


async def the_totals_agree(world: World, entries: list[StoredCharge]) -> None:
    """By person, channel, model, day and class: each adds up to what the entries charged."""
    total = sum(entry.cost.total_nano_usd for entry in entries)
    report = await world.database.report(lambda db: spend_report(db, None, SPAN, FREE, START))
    assert report.total.charged_nano_usd == total > 0
    for parts in (report.people, report.channels, report.models, report.days):
        assert sum(part.spent.charged_nano_usd for part in parts) == total
        assert sum(part.spent.pictures for part in parts) == report.total.pictures
    assert sum(each.charged_nano_usd for each in report.classes.values()) == total
    assert sum(sum(day.classes.values()) for day in report.days) == total


async def test_every_charge_of_some_hundred_turns_computes_to_itself(world: World) -> None:
    entries = await generated(world, 250)
    await the_totals_agree(world, entries)
    printed = reprice(world.folder)
    assert printed.exit_code == 0, printed.output
    assert "No charge differs from what is stored." in printed.output
    assert f"{len(entries):,} charges" in printed.output


@pytest.mark.proof
async def test_every_charge_of_ten_thousand_turns_computes_to_itself(world: World) -> None:
    entries = await generated(world, 10_000)
    await the_totals_agree(world, entries)
    printed = reprice(world.folder, "--json")
    assert printed.exit_code == 0, printed.output
    counts = {"same": len(entries), "different": 0, "unknown": 0, "made_before": 0}
    assert json.loads(printed.output)["entries"] == counts


async def some(world: World, turns: int = 40) -> None:
    """A few settled pictures with complete usage."""
    chance = random.Random(SEED)  # noqa: S311 -- the same turns every time
    for number in range(turns):
        made = call(chance, number)
        host, image = usage_of(chance, "complete")
        await world.make(replace(made, end="picture", host=host, image=image))


CHANGES = {
    "an amount": (
        """UPDATE journal SET charged_delta_nano_usd = charged_delta_nano_usd + 1
            WHERE kind = 'settle' AND attempt_id = 'try_39'""",
        """UPDATE charge_lines SET charged_nano_usd = charged_nano_usd + 1 WHERE token_class = 'image_output'
            AND journal_id = (SELECT id FROM journal WHERE kind = 'settle' AND attempt_id = 'try_39')""",
    ),
    "an amount but not its lines": (
        """UPDATE journal SET charged_delta_nano_usd = charged_delta_nano_usd - 1
            WHERE kind = 'settle' AND attempt_id = 'try_39'""",
    ),
    "a line's class": (
        """UPDATE charge_lines SET token_class = 'text_output' WHERE token_class = 'text_input'
            AND journal_id = (SELECT id FROM journal WHERE kind = 'settle' AND attempt_id = 'try_39')""",
    ),
    "a line's tokens": (
        """UPDATE charge_lines SET tokens = tokens + 1 WHERE token_class = 'text_input'
            AND journal_id = (SELECT id FROM journal WHERE kind = 'settle' AND attempt_id = 'try_39')""",
    ),
    "the usage": (
        """UPDATE journal SET image_usage = json_set(image_usage, '$.output_tokens', 9000)
            WHERE kind = 'settle' AND attempt_id = 'try_39'""",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_charge_that_was_changed_is_found(world: World, what: str) -> None:
    await some(world)
    assert reprice(world.folder).exit_code == 0
    world.tamper(*CHANGES[what])
    printed = reprice(world.folder, "--json")
    assert printed.exit_code == 1
    found = json.loads(printed.output)
    assert found["entries"] == {"same": 39, "different": 1, "unknown": 0, "made_before": 0}
    only = found["not_as_stored"][0]
    assert (only["attempt_id"], only["kind"], only["verdict"]) == ("try_39", "settle", "different")
    assert "Not as stored: 1 charge." in reprice(world.folder).output


async def test_a_charge_whose_price_or_call_is_gone_is_no_difference_and_still_fails(world: World) -> None:
    await some(world, 3)
    world.tamper(
        """UPDATE journal SET price_version = 'gpt-image-2@2020-01-01'
            WHERE kind = 'settle' AND attempt_id = 'try_1'""",
        "UPDATE attempts SET ask = json_set(ask, '$.width', 'wide') WHERE id = 'try_2'",
    )
    printed = reprice(world.folder)
    assert printed.exit_code == 1
    assert "2 charges cannot be computed, though it should be possible" in printed.output
    assert "No charge differs" in printed.output


async def test_entries_from_before_calls_were_kept_are_counted_apart_and_do_not_fail(world: World) -> None:
    await some(world, 3)
    world.tamper(
        "UPDATE attempts SET ask = NULL WHERE id = 'try_1'",
        "UPDATE attempts SET ask = NULL WHERE id = 'try_2'",
        """UPDATE journal SET host_usage = NULL, image_usage = NULL
            WHERE kind = 'settle' AND attempt_id = 'try_2'""",
    )
    printed = reprice(world.folder)
    assert printed.exit_code == 0, printed.output
    assert "Computed again: 2 charges" in printed.output
    assert "1 charge cannot be computed: made before calls were kept" in printed.output


async def test_entries_are_read_in_bounded_batches_and_by_the_moment_of_their_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some(world, 20)
    every = await world.entries()
    monkeypatch.setattr(repricing, "BATCH", 3)
    assert await world.entries() == every
    middle = START + timedelta(days=45)
    before, after = await world.entries(until=middle), await world.entries(since=middle)
    assert before
    assert after
    assert {e.entry_id for e in before} | {e.entry_id for e in after} == {e.entry_id for e in every}
    assert not {e.entry_id for e in before} & {e.entry_id for e in after}


async def test_without_check_nothing_is_done_and_the_way_is_told(world: World) -> None:
    printed = CliRunner().invoke(spend_reprice.command, ["--data-dir", str(world.folder)])
    assert printed.exit_code == 2
    assert "darkroom spend reprice --check" in printed.output


def test_without_books_their_path_is_told(tmp_path: Path) -> None:
    printed = reprice(tmp_path / "nowhere")
    assert printed.exit_code == 2
    assert str(tmp_path / "nowhere") in printed.output


async def test_empty_books_hold_no_difference(world: World) -> None:
    assert reprice(world.folder).exit_code == 0


async def test_every_difference_is_counted_though_only_the_first_are_listed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some(world, 3)
    for number in range(3):
        world.tamper(f"UPDATE attempts SET ask = '[]' WHERE id = 'try_{number}'")  # noqa: S608 -- a test's own
    monkeypatch.setattr(spend_reprice, "LISTED", 1)
    assert len(json.loads(reprice(world.folder, "--json").output)["not_as_stored"]) == 1
    assert "2 more are not listed." in reprice(world.folder).output


async def test_a_broken_file_of_prices_is_told_before_anything_is_compared(world: World) -> None:
    prices = world.folder / "prices.toml"
    prices.write_text("[image.x")
    printed = reprice(world.folder, "--set", f"catalogue.file={prices}")
    assert printed.exit_code == 2
    assert f"{prices}: not readable as TOML" in printed.output
