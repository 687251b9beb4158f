"""Home: what is left, settings that hold, one's own pictures by pages, and for admins the team's controls."""

from __future__ import annotations

from typing import Any

from sandbox.slack.held import NOTHING
from sandbox.slack.model import Json, Message
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import said_in
from tests.scenarios.story import WAIT_S, Person, Thread, Town, nano


async def _after(person: Person, view: Json, action_id: str, **more: Any) -> Json:
    """Use something at Home; gives the Home that comes of it."""
    await person.presses_in(view, action_id, **more)
    return await person.home_after(view["hash"])


async def _in_dm(town: Town, person: Person) -> Thread:
    """The first thread in our direct message with somebody."""
    dm = town.workspace.dm(person.id, town.workspace.bot_user_id)

    def root(_: Workspace) -> Message | None:
        return next((m for m in dm.messages.values() if not m.is_reply), None)

    return Thread(town, dm, (await town.workspace.until(root, WAIT_S)).ts)


async def test_what_is_chosen_at_home_holds_for_the_next_picture_also_after_a_restart(town: Town) -> None:
    home = await town.alice.opens_home()
    assert "None yet" in said_in(home)
    assert nano(said_in(home))[0] == 10_000_000_000
    assert "The team, for admins" not in said_in(home)
    home = await _after(town.alice, home, "home_size", value="1536x1024")
    home = await _after(town.alice, home, "home_quality", value="low")
    home = await _after(town.alice, home, "home_private", value=["private"])
    await town.restarts()
    await town.alice.types("/imagine a red fox in snow")
    thread = await _in_dm(town, town.alice)
    await thread.version(1)
    await town.rests()
    assert (town.calls[0].asked.size, town.calls[0].asked.quality) == ("1536x1024", "low")
    assert town.messages("design") == []
    await town.alice.is_told("direct message", "only you see it")

    home = await town.alice.opens_home()
    assert "|Open>" in said_in(home)
    assert "a red fox in snow" in said_in(home)
    left = 10_000_000_000 - town.ledger.charged()
    assert 0 <= left - nano(said_in(home))[1] < 10_000_000
    home = await _after(town.alice, home, "home_private", value=[])
    thread = await town.alice.imagines("a boat --quality medium")
    await thread.version(1)
    await town.rests()
    assert (town.calls[1].asked.size, town.calls[1].asked.quality) == ("1536x1024", "medium")
    home = await _after(town.alice, home, "home_size", value="usual")
    thread = await town.bob.imagines("a hat")
    await thread.version(1)
    await town.rests()
    assert (town.calls[2].asked.size, town.calls[2].asked.quality) == ("1024x1024", "medium")


async def test_ones_pictures_are_paged_and_a_new_one_can_be_asked_for(town: Town) -> None:
    for number in range(2):
        thread = await town.alice.imagines(f"boat {number} --n 4")
        await thread.version(4)
    await town.rests()
    bobs = await town.bob.imagines("a secret hat")
    await bobs.version(1)
    await town.rests()
    home = await town.alice.opens_home()
    assert _shown(home) == 6
    assert "page 1 of 2" in said_in(home)
    home = await _after(town.alice, home, "home_older")
    assert _shown(home) == 2
    assert "page 2 of 2" in said_in(home)
    home = await _after(town.alice, home, "home_quality", value="high")
    assert "page 2 of 2" in said_in(home)
    home = await _after(town.alice, home, "home_newer")
    assert "a secret hat" not in said_in(home)

    await town.alice.presses_in(home, "home_new_picture")
    view = await town.alice.dialog("new_picture")
    assert "As usual: high" in said_in(view)
    await town.alice.submits(view, {"prompt": "a small cat"})
    thread = await _in_dm(town, town.alice)
    await thread.version(1)
    await town.rests()
    assert town.calls[-1].asked.quality == "high"


def _shown(home: Json) -> int:
    return sum(block.get("accessory", {}).get("type") == "image" for block in home["blocks"])


async def test_admins_see_the_team_and_pause_it_and_nobody_else_can(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.version(1)
    await town.rests()
    home = await town.carol.opens_home()
    assert "The team, for admins" in said_in(home)
    assert town.alice.id in said_in(home)
    asked = (await town.carol.presses_in(home, "home_pause", confirmed=False)).asked
    assert asked is not None
    assert asked["title"]["text"] == "Pause Darkroom?"
    home = await _after(town.carol, home, "home_pause")
    assert "*paused*" in said_in(home)
    pressed = town.workspace.delivery.sent[-1]["payload"]
    await town.alice.types("/imagine a boat")
    await town.alice.is_told("paused by an admin")
    assert "paused by an admin" in said_in(await town.alice.opens_home())

    bob = {"id": town.bob.id, "username": "bob", "name": "bob", "team_id": town.workspace.team_id}
    resume = pressed["actions"][0] | {"value": "resume", "action_ts": "9999999999.000001"}
    await town.workspace.redeliver(pressed | {"user": bob, "trigger_id": "1.2.bob", "actions": [resume]})
    await town.bob.is_told("for admins")
    await town.rests()
    await town.alice.types("/imagine a boat")
    await town.rests()
    assert len(town.calls) == 1

    home = await _after(town.carol, home, "home_pause")
    assert "takes requests" in said_in(home)
    await town.sends_again()
    thread = await town.alice.imagines("a boat")
    await thread.version(1)
    await town.rests()
    assert len(town.calls) == 2


async def test_a_guest_and_a_broke_person_read_at_home_why_there_is_nothing(towns: OpenTown) -> None:
    town = await towns(caps__person_usd="0.01")
    assert "Guests cannot" in said_in(await town.gus.opens_home())
    home = await town.alice.opens_home()
    assert "$0.01" in said_in(home)
    assert "More money" in said_in(home)
    await town.rests()
    assert town.calls == []


async def test_home_shows_what_is_left_when_a_file_was_deleted_in_slack(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow --n 2")
    first = await thread.version(1)
    await town.rests()
    file = town.workspace.files[first.file_id]
    file.deleted, file.held = True, NOTHING
    home = await town.alice.opens_home()
    assert _shown(home) == 1
    assert said_in(home).count("a red fox in snow") >= 2
