"""Somebody who has done everything that a person can do is forgotten in the middle of it."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.conftest import OpenTown
from tests.scenarios.leftovers import holding
from tests.scenarios.pictures import png
from tests.scenarios.story import Person, Town
from tests.scenarios.test_dialogs import _opened
from tests.scenarios.test_forgetting import _ids, data_of, forget
from tests.scenarios.test_more_money import _declined, _presses, _question
from tests.scenarios.test_sharing import _share, _shown_in

CAROL = "U0ADMIN001"
WORDS = ("wombats", "zeppelin", "tapir", "quokka", "secret", "platypus", "in the office")


async def _does_everything(town: Town, person: Person) -> None:
    thread = await person.imagines("wombats in a zeppelin over Patagonia --n 2")
    first, second = await thread.version(1), await thread.version(2)
    await town.rests()
    await person.presses(first, "picture_feedback", value="positive")
    await town.bob.presses(first, "picture_feedback", value="negative")
    await _share(person, first, "general", "my wombats in the office")
    there, _ = await _shown_in(town, "general")
    await town.rests()
    await town.bob.replies(there, f"<@{town.workspace.bot_user_id}> make it night for <@{person.id}>")
    await there.version(2)
    await town.bob.presses(first, "picture_again")
    await thread.version(3)
    await person.replies_with(thread, "with the sketch of a tapir", {"tapir.png": png()})
    await thread.version(4)
    await person.types("/imagine --private a little secret")
    await town.rests()
    before = {message.ts for message in town.messages()}
    await person.types("/imagine --size story")
    await person.submits(await person.dialog("new_picture"), {"prompt": "a quokka through a dialog"})
    await (await _opened(town, "design", before)).version(1)
    await person.chooses(second, "Delete…")
    await person.submits(await person.dialog("delete_picture"))
    await town.rests()


async def _asks_for_money(town: Town, person: Person) -> None:
    for text in (f"cap <@{person.id}> 0.01", f"exempt <@{town.bob.id}>"):
        await town.carol.types(f"/spend {text}")
    await town.rests()
    await _presses(person, await _declined(town, person), "more_money_ask")
    await _presses(town.carol, await _question(town, town.carol), "more_money_grant_5")
    await person.is_told("granted you $5.00")
    await town.rests()


@pytest.mark.slow
async def test_nothing_is_left_of_who_has_done_everything_and_whose_calls_are_open(towns: OpenTown) -> None:
    town = await towns(slack__admins=(CAROL,))
    alice, bob = town.alice, town.bob
    await _does_everything(town, alice)
    await _asks_for_money(town, alice)
    await alice.opens_home()
    town.easel.hold()
    asked = len(town.calls)
    await alice.imagines("a platypus that never comes")
    await town.has_called(asked + 1)
    thread = await town.thread_of(town.messages()[0].ts)
    # Sent, in her words, from her picture; and one that is nobody's but his.
    await bob.presses(await thread.version(4), "picture_again")
    own = await bob.imagines(f"a walrus, by <@{alice.id}>")
    await town.has_called(asked + 3)
    ids = [*_ids(town, alice), *(word.encode() for word in WORDS)]
    await town.stops(grace_s=0)
    held = town.ledger.rows("SELECT SUM(held_delta_nano_usd) FROM journal")[0][0]
    charged = town.ledger.charged()
    looked = data_of(await forget(town, alice.id, "--dry-run", "--json"))
    result = await forget(town, alice.id, "--yes", "--json")
    said = data_of(result)
    assert (result.exit_code, said["done"], said["open_calls"]) == (0, True, 1), result.output
    assert {key: said[key] for key in ("requests", "messages", "files")} == {
        key: looked[key] for key in ("requests", "messages", "files")
    }
    assert [each for each in ids if holding(town, each)] == []
    town.ledger.adds_up()
    still = town.ledger.rows("SELECT SUM(held_delta_nano_usd) FROM journal")[0][0]
    assert town.ledger.charged() - charged == held - still, "what was sent is charged, and nothing else"
    # Of hers nothing stands in Slack; his messages say what they say.
    shown = [
        message.text + json.dumps(message.blocks)
        for channel in town.workspace.channels.values()
        for message in channel.messages.values()
        if message.user == town.workspace.bot_user_id and "for bob" not in message.text
    ]
    assert [text for text in shown for word in WORDS if word in text] == []
    assert "wombats" not in json.dumps(town.workspace.home_of(alice.id))

    town.easel.let_go()
    await town.starts()
    await bob.is_told("nobody can say whether it was")
    await own.version(1)
    await town.rests()
    town.ledger.holds_nothing()
