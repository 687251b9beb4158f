"""What stands under a picture, pressed: after a restart, twice, five times over by Slack, by strangers."""

from __future__ import annotations

import re

from sandbox.slack.model import Json
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import said_in
from tests.scenarios.pictures import Pictured
from tests.scenarios.story import WAIT_S, Thread, Town

PRICE = re.compile(r"likely \d+¢, at most \d+¢")


async def _one_picture(town: Town, channel: str = "design") -> tuple[Thread, Pictured]:
    thread = await town.alice.imagines("a red fox in snow", channel=channel)
    first = await thread.version(1)
    await town.rests()
    return thread, first


async def test_old_buttons_work_after_a_restart_and_act_once_however_often_slack_sends_them(
    town: Town,
) -> None:
    thread, first = await _one_picture(town)
    await town.restarts()
    await town.bob.presses(first, "picture_again")
    second = await thread.version(2)
    await town.rests()
    await town.bob.presses(first, "picture_again")
    await town.bob.is_told("you have pressed this already", "v2")
    await town.alice.presses(first, "picture_again")
    await town.alice.is_told(f"<@{town.bob.id}> has pressed this already", "v2")
    assert (second.parent, second.asker) == (None, town.bob.id)

    await town.alice.presses(first, "picture_variations")
    view = await town.alice.dialog("variations")
    assert len(set(PRICE.findall(said_in(view)))) == 4
    await town.alice.submits(view, {"choice": "2"})
    fourth = await thread.version(4)
    assert (thread.versions[3].parent, fourth.parent) == (1, 1)
    await town.rests()

    await town.alice.chooses(first, "Higher quality…")
    view = await town.alice.dialog("higher_quality")
    assert len(set(PRICE.findall(said_in(view)))) == 1
    await town.alice.submits(view)
    fifth = await thread.version(5)
    await town.rests()
    assert town.calls[-1].asked.quality == "high"
    assert fifth.parent == 1

    await town.alice.chooses(first, "Edit this one")
    await town.alice.is_told("changes v1")
    await town.alice.replies(thread, "make it night")
    assert (await thread.version(6)).parent == 1

    await town.alice.chooses(fifth, "Details")
    await town.alice.is_told("gpt-image-2", "1024x1024", "high")
    made, charged = len(town.calls), town.ledger.charged()
    await town.sends_again()
    await town.restarts()
    await town.sends_again()
    assert (len(town.calls), town.ledger.charged()) == (made, charged)
    assert sorted(thread.versions) == [1, 2, 3, 4, 5, 6]
    town.ledger.holds_nothing()


async def test_the_price_on_again_is_what_it_costs_and_much_money_is_asked_for_first(towns: OpenTown) -> None:
    town = await towns(slack__confirm_usd="0.01")
    thread, first = await _one_picture(town)
    assert re.fullmatch(r"Again · \d+¢", first.again)
    seen = await town.alice.presses(first, "picture_again", confirmed=False)
    assert seen.asked is not None
    assert "costs" in seen.asked["text"]["text"]
    await town.rests()
    assert len(town.calls) == 1
    await town.alice.presses(first, "picture_again")
    second = await thread.version(2)
    await town.rests()
    cents = int(re.sub(r"\D", "", first.again))
    assert second.nano_usd <= cents * 10_000_000


async def test_thumbs_are_kept_for_each_person_and_changed_by_pressing_the_other(town: Town) -> None:
    _, first = await _one_picture(town)
    for person, thumbs in ((town.alice, ("positive",)), (town.bob, ("positive", "negative"))):
        for thumb in thumbs:
            await person.presses(first, "picture_feedback", value=thumb)
            await town.rests()
    await town.sends_again()
    assert _thumbs(town) == [
        (first.id, town.alice.id, "accepted"),
        (first.id, town.bob.id, "rejected"),
    ]
    assert len(town.calls) == 1


async def test_strangers_and_guests_press_everything_and_nothing_comes_of_it(town: Town) -> None:
    workspace = town.workspace
    await workspace.invite(town.alice.id, "partners", town.gus.id)
    thread, first = await _one_picture(town, "partners")
    charged, stored = town.ledger.charged(), _stored(town)
    for person in (town.olaf, town.gus):
        for action_id in ("picture_again", "picture_variations"):
            await person.presses(first, action_id)
        await person.presses(first, "picture_feedback", value="negative")
        for label in first.menu:
            await person.chooses(first, label)
        await town.rests()
        view = workspace.modal_of(person.id)
        assert person is not town.olaf or view is None
        while view is not None:
            await _sent_or_closed(town, person.id, view)
            await town.rests()
            view = workspace.modal_of(person.id)
    await town.olaf.is_told("people of the workspace that runs Darkroom")
    await town.gus.is_told("guests cannot")
    await town.sends_again()
    assert (list(thread.versions), len(town.calls)) == ([1], 1)
    assert town.ledger.charged() == charged
    assert _stored(town) == stored
    assert {user_id for _, user_id, _ in _thumbs(town)} == {town.gus.id}
    await town.alice.replies(thread, "make it night")
    assert (await thread.version(2)).parent == 1
    assert {m.user for m in town.messages("general")} == set()
    town.ledger.holds_nothing()


def _thumbs(town: Town) -> list[tuple[str, ...]]:
    """Picture, person and verdict."""
    query = (
        "SELECT picture_id, user_id, verdict FROM feedback JOIN people USING (person_key) ORDER BY user_id"
    )
    return [tuple(row) for row in town.ledger.rows(query)]


def _stored(town: Town) -> list[tuple[int, ...]]:
    """How much there is of what strangers may not change."""
    tables = ("pictures", "shares", "erasures")
    return [tuple(town.ledger.rows(f"SELECT COUNT(*) FROM {table}")[0]) for table in tables]  # noqa: S608 -- names from above


async def _sent_or_closed(town: Town, user_id: str, view: Json) -> None:
    """Send a dialog off with whatever it begins with, or a channel where one has to be chosen."""
    values = {"share_channel": "general"} if view["callback_id"] == "share_picture" else {}
    await town.workspace.submit_view(user_id, view["id"], values)
    if view["id"] in town.workspace.views:
        await town.workspace.close_view(user_id, view["id"])


async def test_what_cannot_act_any_more_says_why(town: Town) -> None:
    thread, first = await _one_picture(town)
    await town.alice.chooses(first, "Delete…")
    await town.alice.submits(await town.alice.dialog("delete_picture"))
    await town.workspace.until(lambda _: not thread.versions, WAIT_S)
    sent = {e["payload"].get("trigger_id"): e["payload"] for e in town.workspace.delivery.sent}
    press = next(p for p in sent.values() if p and p.get("type") == "block_actions")
    await _pressed_late(town, press, "picture_again", first.id)
    await town.alice.is_told("v1 was deleted")
    for value in first.menu.values():
        known = len(town.alice.private())
        await _pressed_late(town, press, "picture_menu", value, kind="overflow")
        await town.rests()
        (said,) = town.alice.private()[known:]
        assert "v1 was deleted" in said
    assert len(town.calls) == 1


async def _pressed_late(town: Town, press: Json, action_id: str, value: str, kind: str = "button") -> None:
    """A press that was on its way while the message went."""
    chosen = {"value": value} if kind == "button" else {"selected_option": {"value": value}}
    stamp = f"{len(town.workspace.delivery.sent)}.000001"
    action = {"type": kind, "action_id": action_id, "block_id": "b", "action_ts": stamp, **chosen}
    await town.workspace.redeliver(press | {"trigger_id": f"1.{stamp}", "actions": [action]})


async def test_a_message_of_two_pictures_has_the_right_buttons_under_each(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow --n 2")
    first, second = await thread.version(1), await thread.version(2)
    await town.rests()
    assert first.id != second.id
    await town.alice.chooses(first, "Edit this one")
    await town.rests()
    await town.alice.replies(thread, "make it night")
    third = await thread.version(3)
    await town.bob.presses(second, "picture_again")
    fourth = await thread.version(4)
    await town.rests()
    assert (third.parent, fourth.parent) == (1, None)
