"""Who is declined asks for more with a button; one admin answers, everybody concerned is told, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from darkroom.spending.changes import Author, SetAlertsChannel
from darkroom.spending.money import format_usd
from darkroom.spending.requests import RequestState
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import ThreadReplies
from handlers.blocks.more_money import ASK_ACTION, refusal_view
from handlers.blocks.text import Block
from handlers.money_teller import MoneyTeller
from handlers.services import Services
from handlers.surfaces import build_app
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.requests import SqliteMoneyRequests
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command
from tests.handlers.support import (
    CAROL,
    OLAF,
    OTHER_TEAM,
    USD,
    Desk,
    clicked,
    ended,
    later,
    refused,
    unclear,
)

OPS = "C0OPS00001"
FIVE, TEN, NO = "more_money_grant_5", "more_money_grant_10", "more_money_no"
PROMPT = "a very secret red fox"
NO_MONEY: dict[str, str | int] = {
    "budget": "person",
    "cap_nano_usd": 10 * USD,
    "charged_nano_usd": 9 * USD,
    "held_nano_usd": 0,
    "needed_nano_usd": 2 * USD,
    "renews_at": "2026-12-01T00:00:00+00:00",
    "timezone": "UTC",
    "period": "month",
}


@dataclass
class Counter:
    """A desk where money is asked for, with somebody who tells what is to be told when woken."""

    desk: Desk
    services: Services
    requests: SqliteMoneyRequests
    woken: list[str]
    presses: Iterator[int]

    @classmethod
    def make(cls, database: Database, *admins: str) -> Counter:
        """These people are the admins of the settings."""
        desk, woken = Desk.make(database, admins=admins), list[str]()
        services = replace(
            desk.services,
            policy_changed=lambda: woken.append("worker"),
            wake_alerting=lambda: woken.append("alerting"),
        )
        app = build_app(services, AsyncWebClient(base_url="http://127.0.0.1:9/api/"))
        desk = replace(desk, app=app, services=services)
        return cls(desk, services, SqliteMoneyRequests(database), woken, count(1))

    def teller(self) -> MoneyTeller:
        """A new one, as after a restart."""
        services = self.services
        return MoneyTeller(
            self.requests,
            services.admin,
            services.log,
            services.spend,
            services.slack,
            services.clock,
            services.config.voice,
        )

    async def declined(self, turn_id: str = "t1", user: str = ALICE, **details: str | int) -> str:
        """A turn that money declined."""
        store, request = self.desk.store, command(PROMPT, trigger=turn_id, user=user)
        await store.arrive(turn_id, request, NOON, ThreadReplies.EVERYONE)
        await store.end(turn_id, Ending(Outcome.DECLINED, Reason.NO_MONEY, {**NO_MONEY, **details}), NOON)
        return turn_id

    async def presses_ask(self, turn_id: str, user: str = ALICE, team: str = TEAM) -> str:
        """What somebody reads who presses "Ask for more"."""
        return await self.presses_button(ASK_ACTION, turn_id, user, team)

    async def presses_button(
        self, action_id: str, value: str, user: str, team: str = TEAM, *, again: int = 1
    ) -> str:
        """What somebody reads who presses, *again* times the same delivery; nothing if nothing is said."""
        before = len(self.desk.slack.named("respond"))
        payload = clicked(action_id, value, user, team)
        payload["container"]["message_ts"] = "1763640100.000009"
        payload["actions"][0]["action_ts"] = f"1763640200.{next(self.presses):06d}"
        for _ in range(again):
            assert (await self.desk.send(payload)).status == 200
        said = self.desk.slack.named("respond")[before:]
        return " ".join(call.text for call in said)

    async def asked(self, turn_id: str = "t1") -> None:
        """Alice was declined and asked, and the admins know."""
        await self.presses_ask(await self.declined(turn_id))
        assert await self.teller().round()

    def posted(self, user: str) -> list[str]:
        """What was posted to one recipient, with its blocks."""
        calls = self.desk.slack.named("post_private")
        return [call.payload for call in calls if call.said["user_id"] == user]

    async def granted(self) -> list[int]:
        """The amounts of all grants."""
        return [note.grant.amount_nano_usd for note in await self.services.admin.grants(TEAM, NOON)]

    async def alerts_go_to(self, channel: str) -> None:
        """The alerts channel."""
        await self.services.admin.change(SetAlertsChannel(channel), Author(TEAM, BOB, "k"), caps(), NOON)


@pytest.fixture
def counter(database: Database) -> Counter:
    """Bob and Carol are admins."""
    return Counter.make(database, BOB, CAROL)


def buttons(blocks: list[Block]) -> list[tuple[str, str]]:
    """Action and value of every button."""
    return [(e["action_id"], e["value"]) for b in blocks if b["type"] == "actions" for e in b["elements"]]


def test_a_refusal_for_money_has_the_button_and_others_have_none() -> None:
    declined = ended(Ending(Outcome.DECLINED, Reason.NO_MONEY, NO_MONEY))
    view = refusal_view(declined, "No money.")
    assert buttons(list(view.blocks)) == [(ASK_ACTION, declined.id)]
    assert view.text == "No money. The button “Ask for more” asks the admins for more money."
    assert view.blocks[0]["text"]["text"] == "No money."
    assert refusal_view(ended(Ending(Outcome.DECLINED, Reason.GUEST)), "No guests.").blocks == ()


async def test_who_was_declined_asks_and_each_named_admin_reads_all_but_the_prompt(counter: Counter) -> None:
    said = await counter.presses_ask(await counter.declined())
    assert "The admins are asked for more money" in said
    assert counter.woken == ["alerting"]
    assert await counter.teller().round()
    for admin in (BOB, CAROL):
        (question,) = counter.posted(admin)
        for fact in (
            f"<@{ALICE}> asks in <#C0DESIGN01> for more money in their own budget",
            f"<#{DESIGN}>",
            "up to $2.00",
            "$9.00 of $10.00 was spent this month",
            "November 2026: 0 pictures, $0.00 spent",
            "until 30 November 2026; then the budget renews",
            *(FIVE, TEN, NO),
        ):
            assert fact in question
        assert "fox" not in question
        assert "!channel" not in question
    (open_one,) = await counter.requests.untold()
    assert [post.recipient for post in await counter.requests.posts(open_one.number)] == [BOB, CAROL]


async def test_the_alerts_channel_is_asked_in_their_place_and_the_admins_where_it_is_closed(
    counter: Counter,
) -> None:
    await counter.alerts_go_to(OPS)
    await counter.asked()
    assert len(counter.posted(OPS)) == 1
    assert counter.posted(BOB) == []
    await counter.presses_ask(await counter.declined("t2", budget="workspace"))
    counter.desk.slack.faults["post_private"] = [refused("is_archived")]
    assert await counter.teller().round()
    assert len(counter.posted(OPS)) == 1
    assert f"I cannot write to <#{OPS}> (is_archived)" in counter.posted(BOB)[0]
    assert await counter.teller().round()
    assert len(counter.posted(BOB)) == 1


async def test_with_nobody_to_ask_that_is_said_and_nothing_is_kept(database: Database) -> None:
    counter = Counter.make(database)
    said = await counter.presses_ask(await counter.declined())
    assert "Darkroom knows nobody to ask" in said
    assert "admin or owner of this workspace" in said
    assert await counter.requests.untold() == []


async def test_others_cannot_ask_and_outsiders_are_told_so(counter: Counter) -> None:
    turn_id = await counter.declined()
    assert "Only the person who was declined" in await counter.presses_ask(turn_id, BOB)
    assert "people of the workspace" in await counter.presses_ask(turn_id, OLAF, OTHER_TEAM)
    for gone in ("", "nothing"):
        assert "no record of this request" in await counter.presses_ask(gone)
    assert await counter.requests.untold() == []


async def test_after_the_budget_renewed_it_is_said_to_send_again(counter: Counter) -> None:
    turn_id = await counter.declined(renews_at=NOON.isoformat())
    assert "has renewed" in await counter.presses_ask(turn_id)


async def test_asking_twice_or_again_for_the_same_budget_is_one_question(counter: Counter) -> None:
    await counter.presses_button(ASK_ACTION, await counter.declined(), ALICE, again=3)
    assert "were asked already" in await counter.presses_ask("t1")
    assert "were asked already" in await counter.presses_ask(await counter.declined("t2"))
    teller = counter.teller()
    for _ in range(3):
        assert await teller.round()
    await counter.teller().round()
    assert len(counter.posted(BOB)) == 1


async def test_of_a_shared_budget_admins_hear_once_and_nobody_learns_who_else_was_declined(
    counter: Counter,
) -> None:
    await counter.presses_ask(await counter.declined("t1", budget="channel"))
    said = await counter.presses_ask(await counter.declined("t2", CAROL, budget="channel"), CAROL)
    assert "somebody else was declined too" in said
    assert ALICE not in said
    await counter.teller().round()
    assert len(counter.posted(BOB)) == 1


@pytest.mark.parametrize(("action", "amount"), [(FIVE, 5 * USD), (TEN, 10 * USD)])
async def test_an_admins_grant_reaches_the_books_the_person_and_every_admins_message(
    counter: Counter, action: str, amount: int
) -> None:
    await counter.asked()
    counter.woken.clear()
    assert await counter.presses_button(action, "1", BOB, again=3) == ""
    assert await counter.granted() == [amount]
    assert counter.woken[:2] == ["worker", "alerting"]
    teller = counter.teller()
    assert await teller.round()
    assert await teller.round()
    (told,) = counter.posted(ALICE)
    assert f"<@{BOB}> granted you {format_usd(amount)}, to be used until 30 November 2026." in told
    assert "Send your request again" in told
    updates = counter.desk.slack.named("update_message")
    assert [call.said["channel"] for call in updates] == ["D0BOB00001", "D0CAROL001"]
    for call in updates:
        assert f"<@{BOB}> granted {format_usd(amount)}" in call.text
        assert buttons(call.said["blocks"]) == []
    assert await counter.requests.untold() == []
    (entry,) = await counter.services.admin.history(TEAM, 10)
    assert (entry.user_id, entry.action, entry.subject_id) == (BOB, "grant", ALICE)


async def test_a_no_is_told_too(counter: Counter) -> None:
    await counter.asked()
    await counter.presses_button(NO, "1", CAROL)
    assert await counter.teller().round()
    (told,) = counter.posted(ALICE)
    assert f"<@{CAROL}> answered your request for more money with no" in told
    assert await counter.granted() == []
    assert "said no" in counter.desk.slack.named("update_message")[0].text


@pytest.mark.parametrize(("first", "then"), [(FIVE, TEN), (FIVE, FIVE), (NO, FIVE), (FIVE, NO)])
@pytest.mark.parametrize("second", [BOB, CAROL])
async def test_a_second_press_of_anyone_finds_it_answered(
    counter: Counter, first: str, then: str, second: str
) -> None:
    await counter.asked()
    await counter.presses_button(first, "1", BOB)
    said = await counter.presses_button(then, "1", second)
    assert "was answered before" in said
    assert f"<@{BOB}>" in said
    assert await counter.granted() == ([] if first == NO else [5 * USD])
    assert await counter.teller().round()
    assert len(counter.posted(ALICE)) == 1


async def test_who_was_granted_and_asks_again_for_that_turn_is_told_to_send_it(counter: Counter) -> None:
    await counter.asked()
    await counter.presses_button(FIVE, "1", BOB)
    said = await counter.presses_ask("t1")
    assert "was answered already" in said
    assert "$5.00" in said
    assert "Send your request again" in said


async def test_only_admins_answer(counter: Counter) -> None:
    await counter.asked()
    assert "Only admins" in await counter.presses_button(FIVE, "1", ALICE)
    assert "people of the workspace" in await counter.presses_button(FIVE, "1", OLAF, OTHER_TEAM)
    assert await counter.granted() == []


@pytest.mark.parametrize("value", ["", "99", "x", "-1", "9" * 40, "\u00b2"])
async def test_a_button_of_no_request_changes_nothing(counter: Counter, value: str) -> None:
    assert "no record of this request" in await counter.presses_button(FIVE, value, BOB)
    assert await counter.granted() == []


async def test_after_the_budget_renewed_nothing_is_granted_and_nobody_is_asked_any_more(
    counter: Counter,
) -> None:
    await counter.asked()
    await counter.presses_ask(await counter.declined("t2", budget="workspace"))
    counter.desk.clock.at = later(20 * 86_400)
    assert "has renewed since the request" in await counter.presses_button(FIVE, "1", BOB)
    assert await counter.teller().round()
    assert len(counter.posted(BOB)) == 1
    assert await counter.requests.untold() == []


@pytest.mark.parametrize("budget", ["channel", "workspace"])
async def test_a_shared_budgets_grant_is_the_channels_or_the_workspaces(
    counter: Counter, budget: str
) -> None:
    await counter.presses_ask(await counter.declined(budget=budget))
    await counter.presses_button(FIVE, "1", BOB)
    assert await counter.teller().round()
    whom = f"<#{DESIGN}>" if budget == "channel" else "the workspace"
    assert f"granted {whom} $5.00" in counter.posted(ALICE)[0]


@pytest.mark.parametrize("fault", [unclear(), refused("ratelimited"), RuntimeError("killed")])
async def test_who_was_asked_is_not_asked_again_when_the_next_one_could_not_be(
    counter: Counter, fault: Exception
) -> None:
    await counter.presses_ask(await counter.declined())
    counter.desk.slack.faults["post_private"] = [None, fault]
    assert not await counter.teller().round()
    assert await counter.teller().round()
    assert (len(counter.posted(BOB)), len(counter.posted(CAROL))) == (1, 1)


@pytest.mark.parametrize("restart", [True, False])
async def test_a_question_in_the_channel_whose_answer_was_lost_is_found(
    counter: Counter, restart: bool
) -> None:
    await counter.alerts_go_to(OPS)
    await counter.presses_ask(await counter.declined())
    counter.desk.slack.after["post_private"] = [unclear()]
    teller = counter.teller()
    assert not await teller.round()
    counter.desk.clock.at = later(60)
    assert await (counter.teller() if restart else teller).round()
    assert len(counter.posted(OPS)) == 1
    await counter.presses_button(FIVE, "1", BOB)
    assert await teller.round()
    assert counter.desk.slack.only("update_message").said["channel"] == OPS


async def test_killed_before_the_answer_is_told_it_is_told_after_the_restart(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counter.asked()
    await counter.presses_button(FIVE, "1", BOB)
    counter.desk.slack.faults["post_private"] = [RuntimeError("killed")]
    assert not await counter.teller().round()
    assert await counter.teller().round()
    assert len(counter.posted(ALICE)) == 1
    assert await counter.requests.untold() == []


async def test_an_answer_while_another_admin_is_still_being_asked_is_told(counter: Counter) -> None:
    """The press comes between the first question and the second."""
    await counter.presses_ask(await counter.declined())
    send = counter.desk.slack.post_private

    async def then_press(*given: Any, **more: Any) -> Any:
        counter.desk.slack.post_private = send  # type: ignore[method-assign]  # only the first one
        posted = await send(*given, **more)
        await counter.presses_button(FIVE, "1", BOB)
        return posted

    counter.desk.slack.post_private = then_press  # type: ignore[method-assign]  # a press in the middle
    teller = counter.teller()
    await teller.round()
    await teller.round()
    assert len(counter.posted(ALICE)) == 1
    assert len(counter.desk.slack.named("update_message")) == 2


async def test_a_question_that_is_gone_or_a_person_who_left_does_not_keep_the_rest(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    await counter.asked()
    await counter.presses_button(FIVE, "1", BOB)
    counter.desk.slack.faults["update_message"] = [refused("message_not_found")]
    counter.desk.slack.faults["post_private"] = [refused("user_disabled")]
    assert await counter.teller().round()
    assert counter.desk.slack.only("update_message").said["channel"] == "D0CAROL001"
    assert "request 1: whoever asked is not told: user_disabled" in caplog.text
    assert await counter.requests.untold() == []


async def test_passing_trouble_while_telling_is_tried_again_within_seven_days(counter: Counter) -> None:
    await counter.asked()
    await counter.presses_button(FIVE, "1", BOB)
    for days, whole in ((0, False), (6, False), (8, True)):
        counter.desk.clock.at = later(days * 86_400)
        counter.desk.slack.faults["post_private"] = [unclear()]
        assert await counter.teller().round() is whole
    assert counter.posted(ALICE) == []
    assert await counter.requests.untold() == []


async def test_an_erased_asker_is_not_written_to(counter: Counter, database: Database) -> None:
    await counter.asked()
    await counter.presses_button(FIVE, "1", BOB)
    await database.write(lambda db: db.execute("DELETE FROM people WHERE user_id = ?", (ALICE,)))
    assert await counter.teller().round()
    assert len(counter.desk.slack.named("post_private")) == 2
    found = await counter.requests.request(1)
    assert found is not None
    assert found.state is RequestState.GRANTED


async def test_when_the_books_break_who_pressed_is_told(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(SqliteAdminBooks, "policy", fail)
    assert "Darkroom itself failed" in await counter.presses_ask(await counter.declined())
    payload = json.dumps([call.payload for call in counter.desk.slack.calls])
    assert "disk" not in payload
