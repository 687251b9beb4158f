"""``/spend``: private, complete, and everyone's only for admins."""

from __future__ import annotations

import pytest

from darkroom.turns.model import Told
from storage.database import Database
from tests.examples import ALICE, BOB, command, plan, settlement
from tests.handlers.support import CAROL, OLAF, OTHER_TEAM, USD, Desk, config, refused


async def spent(desk: Desk, user: str, amount: int, trigger: str) -> None:
    """A picture of *amount* nano-dollars is made for *user*."""
    caps, now = config().caps, desk.clock.now()
    turn = await desk.arrive(command(user=user, trigger=trigger))
    await desk.store.queue(turn.id, amount, caps, now)
    await desk.store.tell(turn.id, Told.PLACEHOLDER, f"1763640000.{trigger}", now)
    await desk.store.hold(turn.id, plan(f"a{trigger}", amount), caps, now)
    await desk.store.send(f"a{trigger}", now)
    await desk.store.render(f"a{trigger}", settlement(amount, picture_id=f"p{trigger}"), now)


async def test_a_person_sees_their_own_spend_privately(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    await spent(desk, BOB, 7 * USD, "2")
    assert await desk.type("", name="/spend") == ""
    answer = desk.slack.only("respond")
    assert "30% of $10.00 used. Spent this month: $3.00" in answer.text
    assert "Left: $7.00. Pictures: 1. Renews: 1 December 2026, 00:00 (UTC)" in answer.text
    assert [call.method for call in desk.slack.calls] == ["respond"]


async def test_an_admin_of_the_workspace_sees_everyone(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    await spent(desk, BOB, 7 * USD, "2")
    await desk.type("team", name="/spend", user_id=CAROL)
    text = desk.slack.only("respond").text
    assert f"<@{BOB}>: 1 picture, $7.00 spent, $0.00 held, cap $10.00. <@{ALICE}>: 1 picture, $3.00" in text


async def test_anybody_else_is_told_that_it_is_for_admins(desk: Desk) -> None:
    await spent(desk, BOB, 7 * USD, "2")
    await desk.type("team", name="/spend")
    text = desk.slack.only("respond").text
    assert "for admins" in text
    assert "7.00" not in text


async def test_named_admins_replace_the_workspaces(database: Database) -> None:
    desk = Desk.make(database, admins=(ALICE,))
    await desk.type("team", name="/spend", user_id=CAROL, trigger="1")
    await desk.type("Team ", name="/spend", user_id=ALICE, trigger="2")
    first, second = desk.slack.named("respond")
    assert "for admins" in first.text
    assert "Nobody has spent anything" in second.text


@pytest.mark.parametrize("text", ["help", "everyone", "team bob", "<!channel>"])
async def test_anything_else_gets_usage(desk: Desk, text: str) -> None:
    assert "`/spend team`" in await desk.type(text, name="/spend")
    assert desk.slack.calls == []


async def test_outsiders_learn_nothing(desk: Desk) -> None:
    assert "people of the workspace" in await desk.type("", name="/spend", user_id=OLAF, team_id=OTHER_TEAM)
    assert desk.slack.calls == []


async def test_an_expired_reply_address_ends_in_an_ephemeral_message_then_in_a_direct_one(desk: Desk) -> None:
    desk.slack.faults["respond"] = [refused("expired_url")] * 2
    desk.slack.faults["post_ephemeral"] = [None, refused("user_not_in_channel")]
    await desk.type("", name="/spend", trigger="1")
    assert desk.slack.only("post_ephemeral").said["user_id"] == ALICE
    await desk.type("", name="/spend", trigger="2")
    assert desk.slack.only("post_message").said["channel"] == ALICE


async def test_when_reading_breaks_the_person_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(desk.services.spend, "balances", fail)
    await desk.type("", name="/spend")
    assert "Darkroom itself failed" in desk.slack.only("respond").text
    assert "RuntimeError at" in caplog.text
    assert "disk" not in caplog.text
