"""Somebody is declined, asks, is granted more, and goes on."""

from __future__ import annotations

from sandbox.slack.model import Ephemeral, Message
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, Person, Town, picture

CAROL = "U0ADMIN001"
PROMPT = "a red fox in snow"


def _has(source: Message | Ephemeral, action_id: str) -> bool:
    return any(
        isinstance(element, dict) and element.get("action_id") == action_id
        for block in source.blocks
        for element in block.get("elements", [])
    )


async def _presses(person: Person, source: Message | Ephemeral, action_id: str) -> None:
    seen = await person.town.workspace.press(person.id, source.channel, source.ts, action_id)
    assert seen.error is None, seen.error


async def _declined(town: Town, person: Person) -> Ephemeral:
    """The refusal that they read, with its button."""
    await person.types(f"/imagine {PROMPT}")

    def refusal(workspace: Workspace) -> Ephemeral | None:
        shown = workspace.ephemerals_for(person.id)
        return next((one for one in shown if _has(one, "more_money_ask")), None)

    found = await town.workspace.until(refusal, WAIT_S)
    await town.rests()
    return found


async def _question(town: Town, admin: Person) -> Message:
    """What an admin was asked."""
    dm = town.workspace.dm(admin.id, town.workspace.bot_user_id)

    def asked(_: Workspace) -> Message | None:
        return next((m for m in dm.messages.values() if _has(m, "more_money_grant_5")), None)

    return await town.workspace.until(asked, WAIT_S)


async def test_declined_asks_is_granted_five_dollars_and_goes_on(towns: OpenTown) -> None:
    town = await towns(caps__person_usd="0.01", slack__admins=(CAROL,))
    refusal = await _declined(town, town.alice)
    await _presses(town.alice, refusal, "more_money_ask")
    await town.alice.is_told("The admins are asked for more money")
    question = await _question(town, town.carol)
    assert f"<@{town.alice.id}> asks in <#C0DESIGN01> for more money" in question.text
    assert "fox" not in question.text
    await town.restarts()
    await _presses(town.carol, question, "more_money_grant_5")
    await town.alice.is_told(f"<@{CAROL}> granted you $5.00", "send your request again")
    dm = town.workspace.dm(CAROL, town.workspace.bot_user_id)
    assert not _has(dm.messages[question.ts], "more_money_grant_5")
    await (await town.alice.imagines(PROMPT)).shows(picture(version=1))
    await town.sends_again(2)
    assert len(town.ledger.rows("SELECT * FROM grants")) == 1
    assert len([text for text in town.alice.private() if "granted you" in text]) == 1
    town.ledger.holds_nothing()


async def test_a_no_reaches_who_asked_and_takes_the_buttons_away(towns: OpenTown) -> None:
    town = await towns(caps__person_usd="0.01", slack__admins=(CAROL,))
    await _presses(town.bob, await _declined(town, town.bob), "more_money_ask")
    question = await _question(town, town.carol)
    await _presses(town.carol, question, "more_money_no")
    await town.bob.is_told(f"<@{CAROL}> answered your request for more money with no")
    dm = town.workspace.dm(CAROL, town.workspace.bot_user_id)
    assert "said no" in dm.messages[question.ts].text
    assert not _has(dm.messages[question.ts], "more_money_no")
    await town.rests()
    assert town.calls == []
