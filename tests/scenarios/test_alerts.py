"""People and admins are told of their own accord, once, where they should be."""

from __future__ import annotations

from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, Person, Town, picture

# A picture is held at about $0.0725 and costs about $0.0535: one is 35% of this, a third is too much.
FOR_TWO = "0.15"
WARNED_EARLY = 30
PROMPT = "a red fox in snow"


async def _two_pictures(town: Town, person: Person) -> None:
    for _ in range(2):
        await (await person.imagines(PROMPT)).shows(picture(version=1))
    await town.rests()


async def _is_declined(town: Town, person: Person) -> None:
    before = len(town.ledger.turns())
    await person.types(f"/imagine {PROMPT}")
    await town.rests()
    assert town.ledger.turns()[before:] == [("declined", "no_money")]


def _told(person: Person, words: str) -> int:
    return sum(words in text for text in person.private())


async def test_at_the_warning_level_and_at_the_cap_a_person_is_told_once_each(towns: OpenTown) -> None:
    town = await towns(caps__person_usd=FOR_TWO, caps__warn_percent=WARNED_EARLY)
    await _two_pictures(town, town.alice)
    await town.alice.is_told("Your budget is 35% used", "$0.15", "/spend")
    await town.alice.is_told("Your budget is as good as spent")
    for _ in range(2):
        await _is_declined(town, town.alice)
    await town.restarts()
    await town.sends_again(2)
    await _is_declined(town, town.alice)
    assert _told(town.alice, "% used") == 1
    assert _told(town.alice, "is as good as spent") == 1
    assert town.bob.private() == []
    assert town.carol.private() == []


async def test_a_channels_levels_are_told_to_the_admins_in_their_channel(towns: OpenTown) -> None:
    town = await towns(caps__channel_usd=FOR_TWO, caps__warn_percent=WARNED_EARLY)
    await town.carol.types("/spend alerts #general")
    await town.carol.is_told("Alerts now go")
    await _two_pictures(town, town.bob)

    def seen(_: Workspace) -> list[str] | None:
        return [m.text for m in town.messages("general") if "% used" in m.text] or None

    (text,) = await town.workspace.until(seen, WAIT_S)
    design = town.workspace.channel_named("design").id
    assert f"The budget of <#{design}> is 35% used" in text
    await town.restarts()
    await town.rests()
    assert len([m for m in town.messages("general") if "% used" in m.text]) == 1
    assert _told(town.bob, "% used") == 0
