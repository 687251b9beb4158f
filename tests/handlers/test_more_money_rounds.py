"""What a round of asking costs, and that a question whose only channel is closed is not lost."""

from __future__ import annotations

import pytest

from darkroom.spending.changes import Author, Names, Person, SetBlocked
from darkroom.spending.policy import Policy
from storage.admin import SqliteAdminBooks
from storage.database import Database
from tests.examples import ALICE, BOB, NOON, TEAM, caps
from tests.handlers.support import later, refused
from tests.handlers.test_more_money import FIVE, OPS, Counter


async def test_a_question_whose_only_channel_is_closed_is_asked_there_once_it_opens(
    database: Database,
) -> None:
    counter = Counter.make(database)
    await counter.alerts_go_to(OPS)
    for turn_id, budget in (("t1", "person"), ("t2", "workspace")):
        await counter.presses_ask(await counter.declined(turn_id, budget=budget))
    counter.desk.slack.faults["post_private"] = [refused("not_in_channel")]
    teller = counter.teller()
    assert not await teller.round(), "it is tried again soon"
    assert counter.posted(OPS) == []
    assert len(counter.desk.slack.named("post_private refused")) == 1, "once a round, not once a request"
    counter.desk.clock.at = later(60)
    assert await teller.round()
    assert await teller.round()
    assert len(counter.posted(OPS)) == 2


async def test_a_request_that_breaks_is_logged_and_does_not_stop_the_next(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a question nor an answer; and it is tried again."""
    counter = Counter.make(database, BOB)
    for turn_id, budget in (("t1", "person"), ("t2", "channel"), ("t3", "workspace")):
        await counter.presses_ask(await counter.declined(turn_id, budget=budget))
    await counter.presses_button(FIVE, "2", BOB)
    counter.desk.slack.faults["post_private"] = [RuntimeError("a secret"), None, None]
    teller = counter.teller()
    assert not await teller.round()
    assert len(counter.posted(BOB)) == 1, "the third request"
    assert len(counter.posted(ALICE)) == 1, "the second one's answer"
    assert "request 1 broke: RuntimeError at" in caplog.text
    assert "secret" not in caplog.text
    assert await teller.round()
    assert len(counter.posted(BOB)) == 2


async def test_whom_admins_have_blocked_cannot_write_to_them(database: Database) -> None:
    counter = Counter.make(database, BOB)
    turn_id = await counter.declined()
    author = Author(TEAM, BOB, "k1")
    await counter.services.admin.change(SetBlocked(Person(ALICE), True), author, caps(), NOON)
    assert "blocked" in await counter.presses_ask(turn_id)
    assert await counter.requests.untold() == []
    again = Author(TEAM, BOB, "k2")
    await counter.services.admin.change(SetBlocked(Person(ALICE), False), again, caps(), NOON)
    assert "The admins are asked" in await counter.presses_ask(turn_id)


async def test_open_questions_cost_a_round_one_look_at_what_is_decided(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each end of a turn wakes a round: hundreds of open questions must not keep the books busy."""
    counter = Counter.make(database, "U0ADMIN001")
    for number in range(20):
        user = f"U0PERSON{number:02d}"
        turn_id = await counter.declined(f"t{number}", user=user, budget="workspace")
        await counter.presses_ask(turn_id, user=user)
    teller = counter.teller()
    assert await teller.round()
    looked: list[str] = []

    class Counting(SqliteAdminBooks):
        async def policy(self, team_id: str) -> tuple[Policy, Names]:
            looked.append(team_id)
            return await super().policy(team_id)

    monkeypatch.setattr(teller, "_admin", Counting(database))
    assert await teller.round()
    assert looked == [TEAM]
