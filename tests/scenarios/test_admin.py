"""Admins decide in Slack, and it is so at once: for what comes, for what waits, and after a restart."""

from __future__ import annotations

import asyncio

from bot.app import Overrides
from sandbox.images.faults import Fault
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, HurriedClock, Person, Town, picture


async def _decides(person: Person, text: str, *said: str) -> str:
    """Somebody types ``/spend`` with that text, and reads one answer that says all of *said*."""
    before = len(person.private())
    await person.types(f"/spend {text}")

    def answered(_: Workspace) -> str | None:
        return next(iter(person.private()[before:]), None)

    answer = await person.town.workspace.until(answered, WAIT_S)
    for words in said:
        assert words in answer, answer
    return answer


async def _ends(town: Town, *endings: tuple[str, str]) -> None:
    await town.rests()
    assert town.ledger.turns() == list(endings)


async def test_a_cap_of_ones_own_stops_a_person_and_a_grant_lets_them_go_on(town: Town) -> None:
    await _decides(town.carol, "cap @bob 0.01", f"<@{town.bob.id}>'s cap is now $0.01 a month")
    await town.bob.types("/imagine a red fox")
    await town.bob.is_told("nothing was made", "$0.01")
    await _ends(town, ("declined", "no_money"))
    assert town.calls == []
    await _decides(town.carol, "grant @bob 1 until end of month", "Granted $1.00", "Left there now: $1.01")
    await (await town.bob.imagines("a red fox")).shows(picture(version=1))
    await _ends(town, ("declined", "no_money"), ("pictures", "pictures"))
    await _decides(town.carol, "@bob", "Pictures: 1", "Cap: $0.01 a month", "granted")
    await _decides(town.bob, "", "picture (times in UTC): $0.05, ", "v1: a red fox", "granted until")
    town.ledger.holds_nothing()


async def test_everything_that_an_admin_typed_is_done_once_however_often_slack_sends_it(town: Town) -> None:
    await _decides(town.carol, "grant @bob 15", "grant 1")
    await _decides(town.carol, "cap #design 50 week", "$50.00 a week")
    await _decides(town.carol, "pilot @bob #design", "on the pilot list")
    await town.sends_again()
    await town.restarts()
    await town.sends_again()
    actions = [row["action"] for row in town.ledger.rows("SELECT action FROM admin_journal ORDER BY id")]
    assert actions == ["grant", "cap", "pilot", "pilot"]
    assert len(town.ledger.rows("SELECT * FROM grants")) == 1
    answers = {text for text in town.carol.private() if "Granted" in text}
    assert len(answers) == 1, "the same answer each time"
    # Nobody whom it was about was told by it, and no channel has seen it.
    assert town.bob.private() == []
    assert town.messages() == []


async def test_raising_a_cap_lets_what_waits_go_on_at_once(towns: OpenTown) -> None:
    town = await towns(caps__workspace_usd="0.15", queue__per_person=5)
    town.easel.hold()
    for _ in range(2):
        await town.alice.types("/imagine a cat")
    await town.has_called(1)
    await _decides(town.carol, "cap team none", "The workspace's cap is now unlimited")
    await town.has_called(2)
    town.easel.let_go()
    await _ends(town, ("pictures", "pictures"), ("pictures", "pictures"))


async def test_blocking_declines_what_waits_and_finishes_what_is_being_made(towns: OpenTown) -> None:
    town = await towns(queue__per_person=1)
    town.easel.hold()
    await town.bob.types("/imagine a cat")
    await town.has_called(1)
    await town.bob.types("/imagine a dog")
    await town.alice.types("/imagine a fox")
    await town.has_called(2)
    await _decides(town.carol, "block @bob", "is now blocked")
    await town.bob.is_told("nothing was made")
    town.easel.let_go()
    await _ends(town, ("pictures", "pictures"), ("declined", "blocked"), ("pictures", "pictures"))
    assert len(town.calls) == 2


async def test_a_pause_holds_across_a_restart_and_ends_at_a_word(town: Town) -> None:
    await _decides(town.carol, "pause", "Darkroom is now paused")
    await town.restarts()
    await town.alice.types("/imagine a cat")
    await _ends(town, ("declined", "paused"))
    await _decides(town.carol, "caps", "Darkroom is paused")
    await _decides(town.carol, "resume", "Darkroom goes on")
    await (await town.alice.imagines("a cat")).shows(picture(version=1))
    await _ends(town, ("declined", "paused"), ("pictures", "pictures"))


async def test_only_the_pilots_make_pictures_until_the_pilot_is_off(town: Town) -> None:
    await _decides(town.carol, "pilot @alice", "on the pilot list")
    await (await town.alice.imagines("a cat")).shows(picture(version=1))
    await town.bob.types("/imagine a cat")
    await _ends(town, ("pictures", "pictures"), ("declined", "not_in_pilot"))
    await _decides(town.carol, "pilot off", "it had 1 entry")
    await (await town.bob.imagines("a cat")).shows(picture(version=1))
    await town.rests()


async def test_what_is_denied_to_everyone_can_be_allowed_to_one(town: Town) -> None:
    await _decides(town.carol, "deny everyone quality high", "`high` denied")
    await _decides(town.carol, "allow @alice quality high", "`high` allowed")
    await town.bob.types("/imagine a cat --quality high")
    await town.bob.is_told("high")
    await (await town.alice.imagines("a cat --quality high")).shows(picture(version=1))
    await _ends(town, ("declined", "not_allowed"), ("pictures", "pictures"))


async def test_nobody_else_decides_or_learns_anything(town: Town) -> None:
    await (await town.alice.imagines("a cat")).shows(picture(version=1))
    await town.rests()
    await town.workspace.invite("alice", "design", town.gus.id)
    for person in (town.bob, town.gus):
        for text in ("cap @alice 0", "grant @bob 1000", "block @carol", "pause", "@alice", "caps", "history"):
            answer = await _decides(person, text, "for admins")
            assert "$" not in answer
    await town.rests()
    assert town.ledger.rows("SELECT * FROM admin_journal") == []
    seen = await town.workspace.type_command(town.olaf.id, "partners", "/spend pause")
    assert seen.error is not None, "Slack runs no command for an outsider"


async def test_named_admins_replace_the_workspaces(towns: OpenTown) -> None:
    town = await towns(slack__admins=("U0ALICE001",))
    await _decides(town.carol, "pause", "for admins")
    await _decides(town.alice, "pause", "now paused")
    await _decides(town.alice, "resume", "goes on")


async def test_an_uncertain_charge_is_listed_decided_and_the_books_add_up(towns: OpenTown) -> None:
    town = await towns(overrides=Overrides(clock=HurriedClock(moment_s=0.002)))
    town.images.faults.append(Fault(endpoint="responses", drop_after=0))
    await town.bob.types("/imagine a red fox in snow")
    await town.bob.is_told("nobody can say")
    await town.rests()
    number = town.ledger.rows("SELECT id FROM journal WHERE kind = 'uncertain'")[0]["id"]
    await _decides(town.carol, "uncertain", f"{number}: $", f"<@{town.bob.id}>")
    await _decides(town.carol, f"uncertain correct {number} 0.05", "is now $0.05; it was $")
    await _decides(town.carol, "uncertain", "There are none")
    assert town.ledger.charged() == 50_000_000
    await _decides(town.bob, "", "Spent this month: $0.05")
    await town.rests()
    town.ledger.holds_nothing()


async def test_every_view_is_taken_by_slack_and_the_full_report_comes(town: Town) -> None:
    await (await town.alice.imagines("a <red> & *blue* fox")).shows(picture(version=1))
    await town.rests()
    for text in ("cap @alice 20", "cap #design none", "grant @alice 5", "deny everyone model gpt-image-1.5"):
        await _decides(town.carol, text)
    for text in (
        *("", "help", "team", "@alice", "#design last month", "caps", "grants", "pilot", "models"),
        *("history", "alerts", "uncertain", "cap @nobody 5", "nonsense"),
    ):
        await _decides(town.carol, text)
    await town.carol.types("/spend report this month")
    await town.carol.is_told("is in our direct message")
    await asyncio.gather(*(person.types("/spend") for person in (town.alice, town.bob)))
    await town.rests()
    refused = [(call.method, call.error) for call in town.workspace.calls if call.error]
    assert refused == []
    assert any("Spend report" in text for text in town.carol.private())
