"""Nobody outside the installing workspace spends its money."""

from __future__ import annotations

from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import Thread, Town, picture


async def _a_thread_they_can_see(town: Town) -> Thread:
    thread = await town.alice.imagines("a red fox in snow", channel="partners")
    await thread.shows(picture(version=1))
    await town.rests()
    return thread


async def test_an_outsiders_mention_reply_and_click_spend_nothing(town: Town) -> None:
    thread = await _a_thread_they_can_see(town)
    charged = town.ledger.charged()
    await town.olaf.mentions("a blue boat", channel="partners")
    await town.olaf.replies(thread, "make it night")
    await town.olaf.replies(thread, f"<@{town.workspace.bot_user_id}> make it night")
    await town.olaf.chooses(thread.pictures[0], "Details")
    await town.rests()
    assert len(town.calls) == 1
    assert town.ledger.charged() == charged
    assert "left" not in " ".join(town.olaf.private())
    town.ledger.holds_nothing()


async def test_a_guest_is_refused_unless_the_setting_lets_them(towns: OpenTown) -> None:
    town = await towns()
    await town.gus.types("/imagine a red fox in snow")
    await town.gus.is_told("guest")
    await town.rests()
    assert town.calls == []
    town = await towns(slack__allow_guests=True)
    thread = await town.gus.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
