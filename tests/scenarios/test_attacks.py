"""What people, outsiders and a confused Slack may try: one turn for one thing done, nobody else's money."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.app import Overrides
from bot.logs import configure_logging
from darkroom.clock import SystemClock
from sandbox.images.painter import Order, paint
from sandbox.slack.model import Fault, Json
from tests.scenarios.conftest import OpenTown
from tests.scenarios.hostile_api import HastyClock
from tests.scenarios.story import Town, picture

PNG = paint(Order("a reference", 64, 64, "png"))


def _events(town: Town, ts: str) -> dict[str, Json]:
    """The event payloads about a message that were sent so far, by type and subtype."""
    found: dict[str, Json] = {}
    for sent in town.workspace.delivery.sent:
        payload = sent["payload"]
        event = payload.get("event", {})
        about = event.get("ts"), (event.get("message") or {}).get("ts"), event.get("deleted_ts")
        if ts in about:
            found[f"{event['type']}.{event.get('subtype', '')}"] = payload
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_all_events_of_an_edited_mention_in_any_order_are_one_turn(towns: OpenTown, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 -- a seeded test
    town = await towns()
    message = await town.alice.writes(f"<@{town.workspace.bot_user_id}> a red fox")
    await town.workspace.edit_message(
        town.alice.id, "design", message.ts, f"<@{town.workspace.bot_user_id}> a blue fox"
    )
    await town.rests()
    payloads = list(_events(town, message.ts).values()) * 3
    assert len({json.dumps(p["event"]["type"]) for p in payloads}) == 2
    rng.shuffle(payloads)
    await asyncio.gather(*(town.workspace.redeliver(payload) for payload in payloads))
    await town.rests()
    await town.restarts()
    for payload in payloads:
        await town.workspace.redeliver(payload)
    await town.rests()
    assert len(town.calls) == len(town.ledger.turns()) == 1


async def test_talk_that_is_edited_into_a_request_and_back_is_bought_once_at_most(town: Town) -> None:
    message = await town.alice.writes("good morning")
    for text in ("a red fox", "a blue fox"):
        await town.workspace.edit_message(
            town.alice.id, "design", message.ts, f"<@{town.workspace.bot_user_id}> {text}"
        )
    await town.rests()
    await town.workspace.edit_message(town.alice.id, "design", message.ts, "good morning again")
    await town.sends_again()
    assert len(town.calls) == len(town.ledger.turns()) <= 1


async def test_a_request_that_was_deleted_before_it_is_heard_is_not_bought(town: Town) -> None:
    """Slack sends again what nobody acknowledged, also when its message has been deleted meanwhile."""
    message = await town.alice.writes(f"<@{town.workspace.bot_user_id}> a red fox")
    sent = _events(town, message.ts)
    await town.rests()
    assert len(town.calls) == 1
    event = dict(sent["message."]["event"])
    event |= {"ts": "1795000000.000100", "event_ts": "1795000000.000100", "client_msg_id": "x"}
    await town.workspace.send_event(event)
    await town.rests()
    assert len(town.calls) == 1
    assert town.ledger.turns()[1] == ("cancelled", "taken_back")
    town.ledger.holds_nothing()


async def test_an_outsider_whose_event_does_not_say_so_joins_no_thread(town: Town) -> None:
    file = await town.workspace.upload(town.olaf.id, "fox.png", PNG)
    thread = await town.olaf.mentions("a red fox", channel="partners", files=(file.id,))
    await town.rests()
    turns = len(town.ledger.turns())
    for _ in range(3):
        reply = await town.workspace.upload(town.olaf.id, "fox.png", PNG)
        await town.olaf.replies(thread, "make it night", files=(reply.id,))
    await town.rests()
    assert len(town.ledger.turns()) == turns, "other people's talk is not stored"
    assert town.calls == []
    assert "left" not in " ".join(town.olaf.private())


async def test_somebody_elses_details_show_no_balance_to_anybody_but_the_asker(town: Town) -> None:
    thread = await town.alice.imagines("a red fox")
    shown = await thread.shows(picture(version=1))
    await town.rests()
    for person in (town.bob, town.carol, town.gus):
        await town.workspace.invite("alice", "design", person.id)
        await person.chooses(shown, "Details")
    await town.rests()
    for person in (town.bob, town.carol, town.gus):
        said = " ".join(person.private())
        assert "Prompt: a red fox" in said
        assert "$10" not in said
        assert "left" not in said
    assert town.alice.private() == []
    await town.alice.chooses(shown, "Details")
    await town.rests()
    assert "left" in town.alice.private()[0]


async def test_everyones_spend_is_for_admins_and_for_nobody_beside_them(town: Town) -> None:
    await (await town.alice.imagines("a red fox")).shows(picture(version=1))
    for text in ("/spend team", "/spend TEAM", "/spend  team "):
        await town.bob.types(text)
    await town.rests()
    assert "$0.05" not in " ".join(town.bob.private())
    await town.carol.types("/spend team")
    await town.rests()
    assert "$0.05" in " ".join(town.carol.private())
    assert town.alice.private() == []
    assert not [m for m in town.messages() if "spend" in m.text.lower()]


EVIL_NAME = "<!here> <@U0BOB> & *Eve* \u202e \u200f" + "x" * 300


async def test_an_evil_name_notifies_nobody_and_keeps_every_limit(town: Town) -> None:
    eve = town.workspace.add_person(EVIL_NAME)
    await town.workspace.type_command(eve.id, "design", "/imagine " + "<&>" * 3_000)
    await town.rests()
    for message in town.messages():
        assert "<!here>" not in message.text + json.dumps(message.blocks)
        assert len(message.text) <= 4_000
        assert "\u202e" not in message.text
    assert {n.user for n in town.workspace.notifications} <= {eve.id}
    assert not [call for call in town.workspace.calls if call.error]
    assert town.ledger.turns() == [("pictures", "pictures")]


ODD: list[Any] = [None, "", "\ud800", [], {}, [None], {"id": 7}]
"""Numbers are not among them: over some of those Bolt breaks before it calls anybody."""


async def test_events_with_anything_odd_in_them_are_acknowledged_and_buy_nothing_twice(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    file = await town.workspace.upload(town.alice.id, "fox.png", PNG)
    thread = await town.alice.mentions("a red fox", files=(file.id,))
    await thread.shows(picture(version=1))
    await town.rests()
    event = dict(_events(town, thread.root)["message.file_share"]["event"])
    before = len(town.calls)
    for key in event:
        for odd in ODD:
            if key != "type":
                await town.workspace.send_event({**event, key: odd})
    for key in ("message", "previous_message", "channel", "deleted_ts", "ts"):
        for subtype in ("message_changed", "message_deleted"):
            for odd in ODD:
                await town.workspace.send_event(
                    {"type": "message", "subtype": subtype, "channel": "C0", key: odd}
                )
    await town.rests()
    broke = [r.getMessage() for r in caplog.records if r.name == "darkroom.handlers" and "broke" in r.message]
    assert broke == []
    new = len(town.calls) - before
    assert new == len(town.ledger.turns()) - 1 - sum(t[0] != "pictures" for t in town.ledger.turns())


async def test_a_command_with_half_a_character_is_made_or_explained(town: Town) -> None:
    await town.workspace.type_command(town.alice.id, "design", "/imagine a fox \ud83e and more")
    await town.rests()
    assert town.ledger.turns() == [("pictures", "pictures")]


async def test_two_teams_may_have_the_same_trigger(town: Town) -> None:
    """A key is one team's: another team's payload neither hides ours nor is served."""
    await town.alice.imagines("a red fox")
    await town.rests()
    sent = next(s for s in town.workspace.delivery.sent if "command" in s["payload"])
    foreign = {**sent["payload"], "team_id": "T0OUTSIDE1"}
    await town.workspace.redeliver({"payload": foreign})
    await town.rests()
    assert len(town.calls) == 1
    assert len(town.ledger.turns()) == 1


class ClockPutBack(SystemClock):
    """Goes back by an hour each time it is told."""

    def __init__(self) -> None:
        self.back = timedelta()

    def now(self) -> datetime:
        """The wrong time."""
        return super().now() - self.back


@pytest.mark.proof
async def test_a_clock_that_is_put_back_in_the_middle_changes_nothing(towns: OpenTown) -> None:
    clock = ClockPutBack()
    town = await towns(overrides=Overrides(clock=clock))
    town.easel.hold()
    thread = await town.alice.imagines("a red fox")
    await town.has_called()
    clock.back += timedelta(hours=1)
    await town.alice.replies(thread, "make it night")
    town.easel.let_go()
    await thread.shows(picture(version=2))
    clock.back += timedelta(days=40)
    await (await town.bob.imagines("a cat")).shows(picture(version=1))
    await town.rests()
    assert town.ledger.turns().count(("pictures", "pictures")) == 3
    assert not town.ledger.rows("SELECT 1 FROM pictures WHERE seconds < 0")
    town.ledger.holds_nothing()


async def test_money_is_never_over_the_cap_while_prices_and_people_vary(towns: OpenTown) -> None:
    """Watched at every change of the world: what is charged and held stays within each cap."""
    town = await towns(
        caps__person_usd="0.40", caps__workspace_usd="0.90", overrides=Overrides(clock=HastyClock())
    )
    worst = 0

    def look(_: object) -> None:
        nonlocal worst
        rows = town.ledger.rows(
            """SELECT MAX(charged_nano_usd + held_nano_usd) FROM counters WHERE budget LIKE 'person:%'"""
        )
        worst = max(worst, rows[0][0] or 0)
        rows = town.ledger.rows(
            """SELECT MAX(charged_nano_usd + held_nano_usd) FROM counters WHERE budget LIKE 'workspace:%'"""
        )
        assert (rows[0][0] or 0) <= 900_000_000

    town.workspace.on_change.append(look)
    rng = random.Random(3)  # noqa: S311 -- a seeded test
    qualities = ("low", "medium", "high")
    await asyncio.gather(
        *(
            person.types(f"/imagine a cat {number} --quality {rng.choice(qualities)}")
            for person in (town.alice, town.bob, town.carol)
            for number in range(12)
        )
    )
    await town.rests()
    assert 0 < worst <= 400_000_000
    town.ledger.holds_nothing()
    for row in town.ledger.rows("SELECT details FROM turns WHERE reason = 'no_money'"):
        told = json.loads(row["details"])
        assert told["charged_nano_usd"] + told["needed_nano_usd"] > told["cap_nano_usd"]


async def test_odd_payloads_and_an_odd_slack_leave_no_words_in_the_log(towns: OpenTown) -> None:
    """At DEBUG, with listeners that break, Slack that refuses, and answers that quote what was sent."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", stream)
    try:
        town = await towns(overrides=Overrides(clock=HastyClock()))
        words = "a crimson fox"
        quoting = {"ok": False, "error": f"no {words} xoxb-1", "response_metadata": {"messages": [words]}}
        for method in ("chat.postMessage", "chat.update", "reactions.add"):
            town.workspace.faults.append(Fault(method, body=dict(quoting), error=words))
        await town.workspace.type_command(town.alice.id, "design", f"/imagine {words}")
        await town.bob.mentions(words)
        await town.rests()
        for odd in (7, True, *ODD):
            event = {"type": "message", "text": words, "user": town.alice.id, "ts": "1.1", "channel": odd}
            await town.workspace.send_event(event)
        for kind in ("block_actions", "view_submission", "shortcut", "no_such_kind"):
            payload = {"type": kind, "text": words, "response_url": "http://127.0.0.1:9/commands/x"}
            await town.workspace.delivery.interaction("interactive", payload, accepts_response=False)
        command = {"command": "/unknown", "text": words, "response_url": "http://127.0.0.1:9/commands/x"}
        await town.workspace.delivery.interaction("slash_commands", command, accepts_response=True)
        await town.darkroom.worker.idle() if town.darkroom.worker else None
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = stream.getvalue()
    assert "turn_" in said
    for secret in ("crimson", "xoxb-", "xapp-", "sk-sandbox", "/commands/", "ticket="):
        assert secret not in said, [line for line in said.splitlines() if secret in line]
