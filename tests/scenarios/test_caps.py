"""No cap is overrun, and nobody is refused before the money is really gone."""

from __future__ import annotations

import asyncio

from bot.app import Overrides
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import HurriedClock, Town, nano, picture


def _hurried() -> Overrides:
    """Slack takes about one message a second in a channel."""
    return Overrides(clock=HurriedClock(moment_s=0.002))


async def _price(town: Town, prompt: str) -> tuple[int, int]:
    """What one picture costs, and what is held for it, in nano-dollars."""
    await (await town.alice.imagines(prompt)).shows(picture(version=1))
    await town.rests()
    row = town.ledger.rows("SELECT charged_nano_usd, hold_nano_usd FROM attempts")[0]
    return row["charged_nano_usd"], row["hold_nano_usd"]


def _dollars(nano_usd: int) -> str:
    whole, rest = divmod(-(-nano_usd // 1000), 1_000_000)
    return f"{whole}.{rest:06d}"


async def test_fifty_at_once_under_a_cap_for_three_buy_exactly_three(towns: OpenTown) -> None:
    prompt = "a red fox in snow"
    charged, held = await _price(await towns(), prompt)
    # Enough to hold a third after two were charged, and not enough for a fourth.
    cap = _dollars(2 * charged + held)
    assert 3 * charged + held > 2 * charged + held

    town = await towns(overrides=_hurried(), caps__person_usd=cap)
    await asyncio.gather(*(town.alice.types(f"/imagine {prompt}") for _ in range(50)))
    await town.rests()

    endings = town.ledger.turns()
    assert endings.count(("pictures", "pictures")) == 3
    assert endings.count(("declined", "no_money")) == 47
    assert len(town.calls) == 3
    town.ledger.holds_nothing()
    # Each refusal came when what was charged and the hold together were above the cap, not before.
    for row in town.ledger.rows(
        """
        SELECT json_extract(details, '$.charged_nano_usd') AS charged,
            json_extract(details, '$.needed_nano_usd') AS needed,
            json_extract(details, '$.cap_nano_usd') AS cap
        FROM turns WHERE reason = 'no_money'
        """
    ):
        assert row["charged"] + row["needed"] > row["cap"]
    told = [text for text in town.alice.private() if "”: Nothing was made" in text]
    assert len(told) == 47, "each names its request"
    assert all("left" in text or "cap" in text for text in told)
    roots = [message for message in town.messages() if not message.is_reply]
    assert len(roots) == 3


async def test_what_an_idle_cap_could_not_pay_is_declined_in_private_and_leaves_nothing(
    towns: OpenTown,
) -> None:
    town = await towns(caps__person_usd="0.01")
    await town.alice.types("/imagine a red fox in snow")
    told = await town.alice.is_told("$0.01")
    await town.rests()
    assert town.messages() == []
    assert town.calls == []
    assert "renew" in told.lower() or "again on" in told.lower()
    assert nano(told)


async def test_the_channels_and_the_workspaces_caps_bite_too(towns: OpenTown) -> None:
    for setting in ("caps__channel_usd", "caps__workspace_usd"):
        town = await towns(overrides=_hurried(), **{setting: "0.15"})
        await asyncio.gather(
            *(
                person.types("/imagine a cat")
                for person in (town.alice, town.bob, town.carol)
                for _ in range(3)
            )
        )
        await town.rests()
        assert 0 < len(town.calls) < 9
        assert town.ledger.charged() <= 150_000_000
        town.ledger.holds_nothing()


async def test_people_wait_their_turn_while_only_unfinished_calls_hold_the_money(towns: OpenTown) -> None:
    """Two holds fill the cap; the third person is not refused, and is served when money comes back."""
    _, held = await _price(await towns(), "a cat")
    town = await towns(caps__workspace_usd=_dollars(2 * held), queue__per_person=5)
    town.easel.hold()
    for person in (town.alice, town.bob, town.carol):
        await person.types("/imagine a cat")
    await town.has_called(2)
    assert [state for state, _ in town.ledger.turns()].count("queued") == 1
    town.easel.let_go()
    await town.rests()
    assert len(town.calls) == 3 or town.ledger.turns().count(("declined", "no_money")) == 1
    assert town.ledger.charged() <= 2 * held
    town.ledger.holds_nothing()
