"""``/spend``: private, complete, and everyone's only for admins."""

from __future__ import annotations

import pytest

from darkroom.turns.model import Told
from storage.database import Database
from tests.examples import ALICE, BOB, caps, command, plan, settlement
from tests.handlers.support import CAROL, OLAF, OTHER_TEAM, USD, Desk, refused


async def spent(desk: Desk, user: str, amount: int, trigger: str) -> None:
    """A picture of *amount* nano-dollars is made for *user*."""
    limits, now = desk.services.config.caps, desk.clock.now()
    turn = await desk.arrive(command(user=user, trigger=trigger))
    await desk.store.queue(turn.id, plan(f"a{trigger}", amount), limits, now)
    await desk.store.tell(turn.id, Told.PLACEHOLDER, f"1763640000.{trigger}", now)
    await desk.store.hold(turn.id, plan(f"a{trigger}", amount), limits, now)
    await desk.store.send(f"a{trigger}", now)
    await desk.store.render(f"a{trigger}", settlement(amount, picture_id=f"p{trigger}"), limits, now)


async def test_a_person_sees_their_own_spend_privately(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    await spent(desk, BOB, 7 * USD, "2")
    assert await desk.type("", name="/spend") == ""
    answer = desk.slack.only("respond")
    assert "30% of $10.00 used. Spent this month: $3.00" in answer.text
    assert "Left: $7.00. Pictures: 1. Renews: 1 December 2026, 00:00 (UTC)" in answer.text
    assert "$3.00, 20 Nov 2026, 12:00, v1: a red fox in snow" in answer.text
    assert [call.method for call in desk.slack.calls] == ["respond"]


async def test_only_ones_own_pictures_and_the_newest_ten_are_listed(desk: Desk) -> None:
    await spent(desk, BOB, USD, "b")
    for number in range(12):
        await desk.clock.sleep(60)
        await spent(desk, ALICE, USD // 100, str(number))
    await desk.type("", name="/spend", trigger="last")
    text = desk.slack.only("respond").text
    assert text.count(", v1: a red fox") == 10
    assert "12:12" in text
    assert "12:02" not in text
    assert "$1.00" not in text


async def test_a_workspace_that_cannot_pay_a_picture_is_named_to_whoever_could(database: Database) -> None:
    desk = Desk.make(database, caps=caps(person=10 * USD, workspace=3 * USD))
    await spent(desk, BOB, 3 * USD - 10_000_000, "1")
    await desk.type("", name="/spend")
    text = desk.slack.only("respond").text
    assert "The workspace's budget has $0.01 left of $3.00" in text


async def test_an_admin_of_the_workspace_sees_everyone(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    await spent(desk, BOB, 7 * USD, "2")
    await desk.type("team", name="/spend", user_id=CAROL)
    text = desk.slack.only("respond").text
    assert f"1. <@{BOB}>: 1 picture, $7.00 spent, cap $10.00, 70.0% of all. 2. <@{ALICE}>" in text
    assert "Send me the full report" in text


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


@pytest.mark.parametrize("text", ["everyone", "me", "<!channel>", "@bob", "x" * 10_000])
async def test_anything_else_is_sent_to_help_at_once(desk: Desk, text: str) -> None:
    answer = await desk.type(text, name="/spend")
    assert "`/spend help` lists what there is" in answer
    assert "<!" not in answer
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
