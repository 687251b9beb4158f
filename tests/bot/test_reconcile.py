"""``darkroom spend reconcile``: the books beside the bill, as an admin types it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import bot.cli.spend_reconcile
from bot.cli.spend_reconcile import command
from darkroom.clock import SystemClock
from darkroom.rendering.address import provider_name
from darkroom.spending.reconciliation import OurDay
from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.images.server import serve_images
from storage.database import DATABASE_NAME, Database, read_books
from storage.reconciliation import our_charges
from tests.fresh import with_books
from tests.scenarios.story import Town, close_town, open_town, picture

ADMIN_KEY = "sk-admin-very-secret"
TODAY = date(2026, 11, 21)
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
PICTURE = 1_756 * 30_000
"""What a picture of 1,756 tokens costs, in nano-dollars."""


class Now(SystemClock):
    """The afternoon of 2026-11-21."""

    def now(self) -> datetime:
        """Always then."""
        return datetime(2026, 11, 21, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """A call that was sent, how it ended, and what each entry of its end charged."""

    sent: str
    charged: int = PICTURE
    ended: str = ""
    kind: str = "settle"
    correction: int | None = None
    provider: str = "openai"
    flags: tuple[str, ...] = ()
    dispatched: bool = True


class Books:
    """Writes calls into a database, as they stand there afterwards."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._number = 0
        Database.open(with_books(data_dir), create=True).close()

    def add(self, *calls: Call) -> None:
        """Attempts, with their journal."""
        with closing(sqlite3.connect(self.data_dir / DATABASE_NAME)) as db, db:
            for call in calls:
                self._number += 1
                self._add(db, f"try_{self._number}", call)

    def _add(self, db: sqlite3.Connection, attempt_id: str, call: Call) -> None:
        sent, ended = f"{call.sent}.000000Z", f"{call.ended or call.sent}.000000Z"
        models = {"image_model": "gpt-image-2", "host_model": "gpt-5.6-luna", "endpoint": "responses"}
        whose = {"team_id": "T0TEAM0001", "channel_id": "C0DESIGN01", "person_key": "p_1"}
        shared = {**models, **whose, "provider": call.provider, "price_version": "v1", "held_at": sent}
        state = "uncertain" if call.kind == "uncertain" else "settled"
        attempt = {
            "id": attempt_id,
            "turn_id": f"turn_{attempt_id}",
            "number": 1,
            "state": state,
            "width": 1024,
            "height": 1024,
            "quality": "medium",
            "format": "png",
            "hold_nano_usd": PICTURE,
            "bound": "{}",
            "dispatched_at": sent if call.dispatched else None,
            "ended_at": ended,
        }
        self._insert(db, "attempts", attempt | shared)
        entries = [("hold", 0, sent, ()), (call.kind, call.charged, ended, call.flags)]
        if call.correction is not None:
            entries.append(("correction", call.correction, "2026-11-20T10:00:00.000000Z", ()))
        for kind, charged, at, flags in entries:
            entry = {"kind": kind, "at": at, "attempt_id": attempt_id, "flags": json.dumps(flags)}
            amounts = {"held_delta_nano_usd": 0, "charged_delta_nano_usd": charged}
            self._insert(db, "journal", entry | amounts | shared)

    def _insert(self, db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" for _ in row)
        db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 -- names from this file
            list(row.values()),
        )


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Empty books."""
    return Books(tmp_path / "data")


@dataclass
class Desk:
    """Where an admin sits: the books, the bill, and the command between them."""

    books: Books
    api: ImageApi
    url: str
    env: dict[str, str | None]

    def bill(self, day: date, pictures: int = 1) -> None:
        """The API billed so many pictures, at noon."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        self.api.bill.charge(noon, None, "gpt-image-2", {"image_output": 1_756 * pictures})

    def charge(self, *calls: Call) -> None:
        """The books have these calls to the API."""
        ours = [
            replace(call, provider=provider_name(self.url)) for call in calls if call.provider == "openai"
        ]
        self.books.add(*ours, *(call for call in calls if call.provider != "openai"))

    async def reconcile(self, *arguments: str, **env: str | None) -> Result:
        """Type it; the API answers meanwhile."""
        return await asyncio.to_thread(
            CliRunner().invoke, command, list(arguments), env={**self.env, **env}, catch_exceptions=False
        )


@pytest.fixture
async def desk(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """It is the afternoon of 2026-11-21, and an image API listens on loopback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bot.cli.spend_reconcile, "SystemClock", Now)
    api = ImageApi(seconds_per_picture=0.0, offload=False)
    server = await serve_images(api)
    env: dict[str, str | None] = {
        "OPENAI_ADMIN_KEY": ADMIN_KEY,
        "OPENAI_BASE_URL": server.url,
        "DARKROOM_STORAGE__DATA_DIR": str(books.data_dir),
    }
    yield Desk(books, api, server.url, env)
    await server.close()


def words(printed: Result) -> str:
    """What was printed, in one line."""
    return " ".join(printed.output.split())


async def test_books_and_bill_agree_and_the_exit_code_says_so(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T09:00:00"), Call("2026-11-16T23:59:59"), Call("2026-11-17T00:00:00"))
    desk.bill(MONDAY, 2)
    desk.bill(TUESDAY)
    printed = await desk.reconcile("--from", "2026-11-16", "--to", "2026-11-18")
    assert printed.exit_code == 0
    said = words(printed)
    assert "│ 2026-11-16 │ $0.1054 │ $0.1054 │ $0.0000 │ 0.0 │" in said
    assert "│ 3 finished days │ $0.1580 │ $0.1580 │" in said
    assert "Days are UTC days" in said
    assert "They agree" in said
    assert "1 day with nothing on either side not shown" in said
    assert max(len(line) for line in printed.output.splitlines() if "│" in line) <= 80


async def test_a_charge_that_is_missing_from_the_books_is_found(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T09:00:00"))
    desk.bill(MONDAY, 2)
    printed = await desk.reconcile("--from", "2026-11-16")
    assert printed.exit_code == 1
    said = words(printed)
    assert "│ 2026-11-16 │ $0.0527 │ $0.1054 │ -$0.0527 │ -50.0 │ differs │" in said
    assert "differ by more than 5 % on 1 of 5 finished days and in the total" in said
    assert "charged $0.0527 less than was billed" in said
    assert "whole organisation" in said


async def test_a_charge_that_nobody_billed_is_found_whatever_the_tolerance(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T09:00:00"))
    printed = await desk.reconcile("--from", "2026-11-16", "--tolerance", "1000 %")
    assert printed.exit_code == 1
    assert "│ +$0.0527 │ not billed │ differs │" in words(printed)


@pytest.mark.parametrize(("tolerance", "exit_code"), [("9", 1), ("9.1", 0), ("12%", 0)])
async def test_the_tolerance_is_in_per_cent_of_the_bill(desk: Desk, tolerance: str, exit_code: int) -> None:
    desk.charge(Call("2026-11-16T09:00:00"))
    desk.bill(MONDAY)
    desk.api.bill.factor = Fraction(11, 10)
    printed = await desk.reconcile("--from", "2026-11-16", "--tolerance", tolerance)
    assert printed.exit_code == exit_code


async def test_today_is_shown_and_not_counted(desk: Desk) -> None:
    desk.bill(TODAY, 3)
    printed = await desk.reconcile()
    assert printed.exit_code == 0
    said = words(printed)
    assert "2026-11-01 to 2026-11-21" in said
    assert "│ 2026-11-21 │ $0.0000 │ $0.1580 │ -$0.1580 │ -100.0 │ not over │" in said
    assert "2026-11-21 is not over: it is shown, and does not count." in said
    assert "Nothing was charged or billed on the finished days" in said


async def test_what_may_explain_a_difference_is_told_with_its_amounts(desk: Desk) -> None:
    desk.charge(
        Call("2026-11-16T09:00:00", kind="uncertain", flags=("uncertain",)),
        Call("2026-11-16T10:00:00", kind="uncertain", correction=-PICTURE, flags=("uncertain",)),
        Call("2026-11-16T11:00:00", flags=("estimated",)),
        Call("2026-11-16T23:59:00", ended="2026-11-17T00:01:00"),
        Call("2026-11-16T12:00:00", provider="gateway.example"),
    )
    printed = await desk.reconcile("--from", "2026-11-16")
    said = words(printed)
    assert "Uncertain: $0.0527 for 1 call without a clear end" in said
    assert "Corrections by admins: -$0.0527" in said
    assert "Estimated: $0.0527" in said
    assert "Over midnight: $0.0527" in said
    assert "Elsewhere: $0.0527 charged for calls to gateway.example; not on this bill" in said
    assert "│ 2026-11-16 │ $0.1580 │" in said


async def test_a_call_over_midnight_that_was_billed_the_next_day_is_no_difference(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T23:59:00", ended="2026-11-17T00:01:00"))
    desk.bill(TUESDAY)
    assert (await desk.reconcile("--from", "2026-11-16")).exit_code == 0
    assert (await desk.reconcile("--from", "2026-11-17")).exit_code == 0


async def test_json_has_every_day_and_whole_nano_dollars(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T09:00:00"), Call("2026-11-17T09:00:00", kind="uncertain"))
    desk.bill(MONDAY, 2)
    printed = await desk.reconcile("--from", "2026-11-16", "--to", "2026-11-21", "--json")
    assert printed.exit_code == 1
    data = json.loads(printed.output)
    assert (data["timezone"], data["agrees"], data["tolerance_percent"]) == ("UTC", False, 5.0)
    assert [day["day"] for day in data["days"]] == [f"2026-11-{number}" for number in range(16, 22)]
    assert [day["verdict"] for day in data["days"]] == [*["differs"] * 2, *["agrees"] * 3, "unfinished"]
    monday, tuesday = data["days"][:2]
    assert (monday["charged_nano_usd"], monday["billed_nano_usd"]) == (PICTURE, 2 * PICTURE)
    assert (monday["difference_nano_usd"], monday["difference_percent"]) == (-PICTURE, -50.0)
    assert (tuesday["difference_percent"], tuesday["uncertain_calls"]) == (None, 1)
    assert data["total"]["days"] == 5
    assert data["total"]["charged_nano_usd"] == data["total"]["billed_nano_usd"] == 2 * PICTURE
    assert data["billed_by_project_nano_usd"] == {"proj_sandbox": 2 * PICTURE}


async def test_one_project_alone_can_be_compared_and_an_unknown_one_is_named(desk: Desk) -> None:
    desk.charge(Call("2026-11-16T09:00:00"))
    desk.bill(MONDAY)
    mine = await desk.reconcile("--from", "2026-11-16", "--project", "proj_sandbox")
    assert mine.exit_code == 0
    other = await desk.reconcile("--from", "2026-11-16", "--project", "proj_nobody")
    assert other.exit_code == 1
    assert "Nothing was billed for proj_nobody in these days. Check the id." in words(other)


async def test_several_projects_on_the_bill_are_named_with_the_way_out(desk: Desk) -> None:
    amounts = {"proj_a": "1.5", "proj_b": 0.25}
    results = [
        {"object": "organization.costs.result", "amount": {"value": value}, "project_id": name}
        for name, value in amounts.items()
    ]
    start = int(datetime(2026, 11, 16, tzinfo=UTC).timestamp())
    page = {"data": [{"start_time": start, "results": results}], "has_more": False}
    desk.api.faults.append(Fault("organization.costs", status=200, body=page))
    printed = await desk.reconcile("--from", "2026-11-16")
    assert printed.exit_code == 1
    assert "2 projects: proj_a $1.5000, proj_b $0.2500. --project ID" in words(printed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-11-31"), "is not a day such as 2026-11-01"),
        (("--from", "yesterday"), "is not a day"),
        (("--from", "20261101"), "is not a day"),
        (("--to", "2026-11-22"), "in the future: today is 2026-11-21 (UTC)"),
        (("--from", "2026-11-20", "--to", "2026-11-19"), "is after --to 2026-11-19"),
        (("--from", "2025-11-01"), "at most 366 days"),
        (("--from", "1999-01-01", "--to", "1999-02-01"), "too long ago"),
        (("--tolerance", "-1"), "is not a per cent"),
        (("--tolerance", "nan"), "is not a per cent"),
        (("--tolerance", "1e3"), "is not a per cent"),
        (("--project", "a b"), "is not the id of a project"),
        (("--project", "p") * 51, "At most 50 projects"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_is_allowed(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    printed = await desk.reconcile(*arguments)
    assert printed.exit_code == 2
    assert said in words(printed)
    assert desk.api.calls == []


async def test_without_an_admin_key_it_says_which_where_from_and_where_to_put_it(desk: Desk) -> None:
    printed = await desk.reconcile(OPENAI_ADMIN_KEY="")
    assert printed.exit_code == 2
    for part in ("OPENAI_ADMIN_KEY", "platform.openai.com/settings/organization/admin-keys", ".env"):
        assert part in printed.output
    assert desk.api.calls == []


async def test_the_key_is_read_from_the_env_file_too(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_ADMIN_KEY={ADMIN_KEY}\n")
    assert (await desk.reconcile(OPENAI_ADMIN_KEY=None)).exit_code == 0
    assert len(desk.api.calls) == 1


@pytest.mark.parametrize("key", ["sk-proj-very-secret", "sk-admin very secret", "sk-admin-very-secret\u202e"])
async def test_a_key_that_is_no_admin_key_is_told_and_never_shown(desk: Desk, key: str) -> None:
    printed = await desk.reconcile(OPENAI_ADMIN_KEY=key)
    assert printed.exit_code == 2
    assert "OPENAI_ADMIN_KEY" in printed.output
    assert "secret" not in printed.output
    assert "Traceback" not in printed.output


async def test_a_bill_that_cannot_be_read_is_told_and_is_no_difference(desk: Desk) -> None:
    desk.api.faults.append(Fault("organization.costs", status=200, body={"data": "soon"}))
    printed = await desk.reconcile()
    assert printed.exit_code == 2
    assert "makes no sense" in printed.output


async def test_without_books_the_folder_is_named_before_anybody_is_asked(desk: Desk, tmp_path: Path) -> None:
    printed = await desk.reconcile("--data-dir", str(tmp_path / "nowhere"))
    assert printed.exit_code == 2
    assert str(tmp_path / "nowhere") in printed.output
    assert desk.api.calls == []


def charges(books: Books, first: date, last: date, provider: str = "openai") -> dict[date, OurDay]:
    """What the books say of these days, and of the one before."""
    found = read_books(books.data_dir, lambda db: our_charges(db, provider, first, last))
    return dict(found.days)


def test_a_charge_is_on_the_day_its_call_was_sent_whenever_it_was_settled_or_corrected(books: Books) -> None:
    books.add(
        Call("2026-11-16T12:00:00", ended="2026-11-18T09:00:00", charged=100),
        Call("2026-11-16T13:00:00", kind="uncertain", charged=50, correction=-30),
        Call("2026-11-17T00:00:00", charged=7, dispatched=False),
        Call("2026-11-18T00:00:00", charged=1000),
        Call("2026-11-17T05:00:00", kind="release", charged=0),
    )
    assert charges(books, MONDAY, TUESDAY) == {
        MONDAY: OurDay(charged=120, corrections=-30),
        TUESDAY: OurDay(charged=7),
    }


def test_an_uncertain_charge_that_was_accepted_may_still_not_be_what_was_billed(books: Books) -> None:
    books.add(
        Call("2026-11-16T12:00:00", kind="uncertain", charged=5, correction=0),
        Call("2026-11-16T13:00:00", kind="uncertain", charged=70, correction=-70),
    )
    assert charges(books, MONDAY, MONDAY)[MONDAY] == OurDay(
        charged=5, uncertain=5, uncertain_calls=1, corrections=-70
    )


def test_only_what_was_sent_shortly_before_midnight_and_ended_after_it_is_overnight(books: Books) -> None:
    books.add(
        Call("2026-11-16T23:50:00", ended="2026-11-16T23:51:00", charged=1),
        Call("2026-11-16T23:50:00", ended="2026-11-17T00:00:01", charged=10),
        Call("2026-11-16T20:00:00", ended="2026-11-17T08:00:00", charged=100),
        Call("2026-11-15T23:59:00", ended="2026-11-16T00:01:00", charged=1000),
    )
    found = charges(books, MONDAY, MONDAY)
    assert found[MONDAY] == OurDay(charged=111, overnight=10)
    assert found[MONDAY - timedelta(days=1)] == OurDay(charged=1000, overnight=1000)


def test_other_providers_are_apart_and_only_within_the_days(books: Books) -> None:
    books.add(
        Call("2026-11-16T12:00:00", charged=3, provider="gateway.example"),
        Call("2026-11-15T12:00:00", charged=5, provider="gateway.example"),
        Call("2026-11-16T12:00:00", charged=7),
    )
    found = read_books(books.data_dir, lambda db: our_charges(db, "openai", MONDAY, MONDAY))
    assert found.elsewhere == {"gateway.example": 3}
    assert found.days == {MONDAY: OurDay(charged=7)}


def test_the_query_uses_an_index_on_the_journal(books: Books) -> None:
    plans: list[str] = []

    def work(db: sqlite3.Connection) -> None:
        queries: list[str] = []
        db.set_trace_callback(queries.append)
        our_charges(db, "openai", MONDAY, TUESDAY)
        db.set_trace_callback(None)
        (query,) = (each for each in queries if "journal" in each)
        plans.extend(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))

    read_books(books.data_dir, work)
    assert any("journal USING INDEX journal_by_time" in plan for plan in plans), plans
    assert not any(plan.startswith("SCAN journal") for plan in plans), plans


def tomorrow(days: int) -> Callable[[], SystemClock]:
    """A clock for some days later."""

    class Later(SystemClock):
        """It is later."""

        def now(self) -> datetime:
            """The real time and some days."""
            return super().now() + timedelta(days=days)

    return Later


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A Darkroom in a local world."""
    opened = await open_town(tmp_path / "data")
    yield opened
    await close_town(opened)


@pytest.mark.slow
async def test_real_pictures_are_on_the_bill_to_the_cent_and_one_of_somebody_elses_is_found(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole Darkroom makes and edits pictures; two days later an admin compares, over HTTP."""
    monkeypatch.chdir(tmp_path)
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    monkeypatch.setattr(bot.cli.spend_reconcile, "SystemClock", tomorrow(2))
    first = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    env = {
        "OPENAI_ADMIN_KEY": ADMIN_KEY,
        "OPENAI_BASE_URL": town.world.openai_base_url,
        "DARKROOM_STORAGE__DATA_DIR": str(tmp_path / "data"),
    }

    async def reconcile() -> tuple[int, dict[str, Any]]:
        arguments = ["--from", first, "--json", "--tolerance", "0.01"]
        printed = await asyncio.to_thread(CliRunner().invoke, command, arguments, env=env)
        return printed.exit_code, json.loads(printed.output)["total"]

    exit_code, total = await reconcile()
    assert exit_code == 0
    assert total["charged_nano_usd"] == town.ledger.charged() > 0
    assert abs(total["difference_nano_usd"]) <= 2
    one = {"type": "image_generation", "model": "gpt-image-2", "quality": "low", "size": "1024x1024"}
    body = {"model": "gpt-5.6-luna", "input": "a boat", "tools": [one], "store": False}
    answer = await town.images.create_response(body, {"authorization": "Bearer sk-somebody-else"})
    assert answer.status == 200
    exit_code, total = await reconcile()
    assert exit_code == 1
    assert total["difference_nano_usd"] < -196 * 30_000
