"""The Home tab: what stands there, for whom, and that what was wanted last is what stands there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from darkroom.spending.budgets import BudgetKind
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import span_of
from darkroom.turns.conversations import Page, Preferences
from darkroom.turns.model import Picture, Told
from handlers.blocks import home as blocks
from handlers.blocks.report import REPORT_ACTION
from handlers.blocks.text import Block
from sandbox.slack import words as slack
from sandbox.slack.blocks import check_blocks
from storage.database import Database
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, picture
from tests.handlers.support import CAROL, DM, GUEST, OLAF, OTHER_TEAM, USD, Desk, refused, unclear
from tests.handlers.test_blocks import LENGTHS, SCRIPTS, balance, long
from tests.handlers.test_spend import spent

SIZES = {"square": (1024, 1024), "landscape": (1536, 1024)}


def texts(view: Block) -> str:
    """Everything that a view says, and does."""
    return json.dumps(view, ensure_ascii=False)


def elements(view: Block) -> dict[str, Mapping[str, Any]]:
    """What can be pressed or chosen in a view, by ``action_id``."""
    found = [e for block in view["blocks"] for e in [*block.get("elements", []), block.get("accessory", {})]]
    return {element["action_id"]: element for element in found if "action_id" in element}


def opened(user: str = ALICE, tab: str = "home", channel: str = DM) -> dict[str, Any]:
    """``app_home_opened``, in the fields of Slack's official shape."""
    event = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab}
    return {
        "token": "verification_token",
        "team_id": TEAM,
        "enterprise_id": None,
        "api_app_id": "A111",
        "type": "event_callback",
        "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": "W111", "is_bot": True}],
        "event_id": "Ev111",
        "event_time": 1763640000,
        "event": {**event, "event_ts": "1763640000.000100"},
    }


def used(
    view: Block, action_id: str, given: Any = None, *, user: str = ALICE, team: str = TEAM, ts: str = "1.1"
) -> dict[str, Any]:
    """``block_actions`` from the Home tab: a press, or with *given* what was chosen."""
    element = elements(view)[action_id]
    action = {"action_id": action_id, "block_id": "b", "type": element["type"], "action_ts": ts}
    if element["type"] == "static_select":
        action["selected_option"] = next(o for o in element["options"] if o["value"] == given)
    elif element["type"] == "checkboxes":
        action["selected_options"] = [o for o in element["options"] if o["value"] in given]
    else:
        action["value"] = element["value"]
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "alice", "name": "alice", "team_id": team},
        "api_app_id": "A111",
        "token": "verification_token",
        "container": {"type": "view", "view_id": "V111"},
        "trigger_id": "111.222.valid",
        "team": {"id": TEAM, "domain": "workspace-domain"},
        "enterprise": None,
        "is_enterprise_install": False,
        "view": {"id": "V111", "team_id": TEAM, "app_id": "A111", "hash": "1.h", **view},
        "actions": [action],
    }


def mine(*, pictures: tuple[Picture, ...] = (), **changes: Any) -> blocks.Mine:
    """What Alice sees."""
    values: dict[str, Any] = {
        "balance": balance(3, 0, 10),
        "others": [balance(499, 0, 500, BudgetKind.WORKSPACE)],
        "notices": [],
        "preferences": Preferences(),
        "choices": blocks.Choices(SIZES, ("low", "medium", "high"), (1024, 1024), "medium"),
        "page": Page(pictures, 0, 1),
        "links": {},
        "timezone": "Europe/Zurich",
        "imagine": "/imagine",
        "spend": "/spend",
        "more_money": "More money: ask an admin.",
    }
    return blocks.Mine(**(values | changes))


def check(view: Block) -> None:
    """Slack would take it as a Home tab, and nobody is called."""
    assert view["type"] == "home"
    assert len(view["private_metadata"]) <= 3_000
    given = [dict(block) for block in view["blocks"]]
    assert check_blocks(given, surface="home", file_refused=lambda _: False) == []
    assert len(given) <= 100
    for kind, text in slack.texts_of(given):
        if kind == "mrkdwn":
            assert slack.broadcasts(text) == set()
            assert slack.mentions(text) <= {ALICE, BOB}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_home_is_within_slacks_limits(script: str, length: int) -> None:
    text = long(script, length)
    some = tuple(picture(id=f"p{n}", prompt=text, file_id=f"F0PICTURE{n}", version=n) for n in range(1, 7))
    report = SpendReport(span_of(balance(0, 0, 1).period), Spent(1, 1, 1), (), (), (), (), {})
    everything = mine(
        pictures=some,
        page=Page(some, 1, 3),
        links={one.id: "https://slack.example/p1" for one in some},
        notices=[blocks.PAUSED, blocks.PILOT, blocks.blocked_words("an admin")],
        preferences=Preferences(1600, 912, "max", True),
        team=blocks.Team(report, paused=True),
    )
    check(blocks.home_view(everything, frozenset(one.id for one in some)))
    check(blocks.home_view(everything, frozenset()))


async def test_who_opens_home_sees_what_is_left_their_settings_and_that_there_is_no_picture_yet(
    desk: Desk,
) -> None:
    """With an empty ledger."""
    assert (await desk.send(opened())).status == 200
    view = desk.slack.homes[ALICE]
    check(view)
    said = texts(view)
    for fact in ("0% of $10.00 used", "Left: $10.00", "1 December 2026, 00:00 (UTC)", "None yet"):
        assert fact in said
    assert "As usual (1024x1024)" in said
    assert "As usual (medium)" in said
    assert "/imagine a red fox in snow" in said
    assert set(elements(view)) == {
        blocks.NEW_ACTION,
        blocks.SIZE_ACTION,
        blocks.QUALITY_ACTION,
        blocks.PRIVATE_ACTION,
    }
    assert "for admins" not in said


async def test_the_messages_tab_shows_nothing_anew_but_the_direct_message_is_remembered(desk: Desk) -> None:
    await desk.send(opened(tab="messages"))
    assert desk.slack.homes == {}
    assert await desk.services.conversations.private_channel(TEAM, ALICE) == DM


@pytest.mark.parametrize(
    ("user", "words"), [(GUEST, "Guests cannot"), (OLAF, "Only people of the workspace")]
)
async def test_guests_and_outsiders_read_why_there_is_nothing_and_are_not_remembered(
    desk: Desk, user: str, words: str
) -> None:
    await desk.send(opened(user=user))
    view = desk.slack.homes[user]
    check(view)
    assert words in texts(view)
    assert elements(view) == {}
    assert await desk.services.conversations.private_channel(TEAM, user) is None


async def test_the_gallery_turns_its_pages_also_by_a_button_of_before_a_restart(
    desk: Desk, database: Database
) -> None:
    for number in range(8):
        await desk.clock.sleep(60)
        await spent(desk, ALICE, USD // 100, str(number))
    await spent(desk, BOB, USD, "bob")
    await desk.send(opened())
    first = desk.slack.homes[ALICE]
    assert texts(first).count('a red fox in snow"}') == 0
    assert "page 1 of 2" in texts(first)
    assert blocks.NEWER_ACTION not in elements(first)
    assert "$1.00" not in texts(first)
    after = Desk.make(database)
    await after.send(used(first, blocks.OLDER_ACTION))
    second = after.slack.homes[ALICE]
    assert "page 2 of 2" in texts(second)
    assert texts(second).count("$0.01") == 2
    assert blocks.OLDER_ACTION not in elements(second)
    await after.send(used(second, blocks.NEWER_ACTION))
    assert "page 1 of 2" in texts(after.slack.homes[ALICE])


async def test_a_picture_has_its_thumbnail_its_price_and_a_link_to_its_message(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    made = await desk.log.picture("p1")
    assert made is not None
    now = desk.clock.now()
    await desk.store.tell(made.turn_id, Told.FILE, "F0PICTURE1", now, "p1")
    await desk.store.tell(made.turn_id, Told.MESSAGE, "1763640200.000001", now)
    await desk.send(opened())
    said = texts(desk.slack.homes[ALICE])
    assert "*v1* · $3.00 · 20 Nov 2026, 12:00" in said
    assert f"<https://slack.example/archives/{DESIGN}/p1763640200000001|Open>" in said
    assert '"slack_file": {"id": "F0PICTURE1"}' in said
    assert "AI-generated picture, version 1: a red fox in snow" in said


async def test_a_picture_that_was_never_uploaded_and_a_thread_that_is_gone_leave_the_line_alone(
    desk: Desk,
) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    desk.slack.faults["permalink"] = [refused("message_not_found", "chat.getPermalink")]
    await desk.send(opened())
    said = texts(desk.slack.homes[ALICE])
    assert "*v1* · $3.00 · 20 Nov 2026, 12:00\\na red fox in snow" in said
    assert "slack_file" not in said


async def test_a_file_that_somebody_deleted_in_slack_does_not_cost_the_others_their_thumbnails(
    desk: Desk,
) -> None:
    for number in "12":
        await spent(desk, ALICE, USD, number)
        made = await desk.log.picture(f"p{number}")
        assert made is not None
        await desk.store.tell(made.turn_id, Told.FILE, f"F0PICTURE{number}", desk.clock.now(), made.id)
        await desk.clock.sleep(1)
    desk.slack.faults["publish_home"] = [refused("invalid_arguments", "views.publish", "invalid slack file")]
    desk.slack.faults["file_info"] = [refused("file_deleted", "files.info")]
    await desk.send(opened())
    said = texts(desk.slack.homes[ALICE])
    assert said.count("slack_file") == 1
    assert said.count('a red fox in snow"') == 3, "two lines and one alternative text"
    desk.slack.faults["publish_home"] = [refused("invalid_arguments", "views.publish")] * 2
    await desk.send(opened())
    assert "slack_file" not in texts(desk.slack.homes[ALICE])


async def test_a_deleted_picture_is_not_shown(desk: Desk) -> None:
    await spent(desk, ALICE, USD, "1")
    await spent(desk, ALICE, USD, "2")
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    await desk.send(opened())
    said = texts(desk.slack.homes[ALICE])
    assert said.count("· $1.00 ·") == 1
    assert "20% of $10.00 used" in said, "the charge stays"


async def test_what_is_chosen_is_kept_at_once_and_quietly_and_shown_on_the_same_page(desk: Desk) -> None:
    for number in range(8):
        await spent(desk, ALICE, USD // 100, str(number))
    await desk.send(opened())
    await desk.send(used(desk.slack.homes[ALICE], blocks.OLDER_ACTION))
    for action, given, kept in (
        (blocks.SIZE_ACTION, "1536x1024", Preferences(1536, 1024)),
        (blocks.QUALITY_ACTION, "high", Preferences(1536, 1024, "high")),
        (blocks.PRIVATE_ACTION, [blocks.PRIVATE], Preferences(1536, 1024, "high", private=True)),
        (blocks.SIZE_ACTION, blocks.USUAL, Preferences(None, None, "high", private=True)),
        (blocks.QUALITY_ACTION, blocks.USUAL, Preferences(private=True)),
        (blocks.PRIVATE_ACTION, [], Preferences()),
    ):
        assert (await desk.send(used(desk.slack.homes[ALICE], action, given))).status == 200
        assert await desk.services.conversations.preferences(TEAM, ALICE) == kept
        view = desk.slack.homes[ALICE]
        check(view)
        assert "page 2 of 2" in texts(view)
        shown = elements(view)
        size = "usual" if kept.width is None else f"{kept.width}x{kept.height}"
        assert shown[blocks.SIZE_ACTION]["initial_option"]["value"] == size
        assert shown[blocks.QUALITY_ACTION]["initial_option"]["value"] == (kept.quality or "usual")
        assert ("initial_options" in shown[blocks.PRIVATE_ACTION]) == kept.private
    assert not {"post_message", "post_ephemeral", "respond"} & {call.method for call in desk.slack.calls}


@pytest.mark.parametrize("user", [OLAF])
async def test_an_outsiders_choice_is_not_kept(desk: Desk, user: str) -> None:
    await desk.send(opened())
    chosen = used(desk.slack.homes[ALICE], blocks.QUALITY_ACTION, "high", user=user, team=OTHER_TEAM)
    assert (await desk.send(chosen)).status == 200
    assert await desk.services.conversations.preferences(TEAM, user) == Preferences()
    assert user not in desk.slack.homes


@pytest.mark.parametrize(
    "value", ["0x0", "1024", "max", "99999x1", "", "1536x1024; DROP TABLE preferences", None, 7]
)
async def test_a_value_that_is_none_of_ours_changes_nothing(desk: Desk, value: Any) -> None:
    await desk.send(opened())
    for action in (blocks.SIZE_ACTION, blocks.QUALITY_ACTION):
        payload = used(desk.slack.homes[ALICE], action, blocks.USUAL)
        payload["actions"][0]["selected_option"]["value"] = value
        assert (await desk.send(payload)).status == 200
    assert await desk.services.conversations.preferences(TEAM, ALICE) == Preferences()


async def test_choices_at_the_same_time_do_not_undo_each_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.send(opened())
    view = desk.slack.homes[ALICE]
    read = desk.services.conversations.preferences

    async def slowly(team_id: str, user_id: str) -> Preferences:
        found = await read(team_id, user_id)
        for _ in range(9):
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(desk.services.conversations, "preferences", slowly)
    await asyncio.gather(
        desk.send(used(view, blocks.SIZE_ACTION, "1536x1024")),
        desk.send(used(view, blocks.QUALITY_ACTION, "low")),
        desk.send(used(view, blocks.PRIVATE_ACTION, [blocks.PRIVATE])),
    )
    kept = await desk.services.conversations.preferences(TEAM, ALICE)
    assert kept == Preferences(1536, 1024, "low", private=True)


async def test_of_openings_at_the_same_time_the_last_wanted_is_what_stands_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is on its way while three more are wanted: it is followed by one, the newest."""
    for number in range(13):
        await spent(desk, ALICE, USD // 100, str(number))
    await desk.send(opened())
    await desk.send(used(desk.slack.homes[ALICE], blocks.OLDER_ACTION))
    second = desk.slack.homes[ALICE]
    desk.slack.calls.clear()
    begun, go = asyncio.Event(), asyncio.Event()
    publish = desk.slack.publish_home

    async def slow(user_id: str, view: Block) -> None:
        begun.set()
        await go.wait()
        await publish(user_id, view)

    monkeypatch.setattr(desk.slack, "publish_home", slow)
    sent = [asyncio.create_task(desk.send(used(second, blocks.NEWER_ACTION)))]
    await begun.wait()
    for action in (blocks.OLDER_ACTION, blocks.NEWER_ACTION, blocks.OLDER_ACTION):
        sent.append(asyncio.create_task(desk.send(used(second, action))))
        await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*sent)
    assert "page 3 of 3" in texts(desk.slack.homes[ALICE])
    assert len(desk.slack.named("publish_home")) <= 3


async def test_a_home_that_slack_does_not_take_is_tried_again_and_then_left(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.slack.faults["publish_home"] = [unclear("views.publish")]
    await desk.send(opened())
    assert ALICE in desk.slack.homes
    desk.slack.homes.clear()
    desk.slack.faults["publish_home"] = [refused("not_enabled", "views.publish")]
    await desk.send(opened())
    assert desk.slack.homes == {}
    assert f"home of {ALICE} not shown: views.publish: not_enabled" in caplog.text
    await desk.send(opened())
    assert ALICE in desk.slack.homes, "what failed once keeps nobody out"


async def test_admins_see_what_the_team_has_spent_who_most_and_the_controls(desk: Desk) -> None:
    for user, amount in ((ALICE, 3), (BOB, 7), (CAROL, 1), (GUEST, 2)):
        await spent(desk, user, amount * USD, user)
    await desk.send(opened(user=CAROL))
    view = desk.slack.homes[CAROL]
    check_blocks([dict(block) for block in view["blocks"]], surface="home", file_refused=lambda _: False)
    said = texts(view)
    assert "$13.00 spent, $0.00 held, 4 pictures by 4 people" in said
    assert said.index(f"1. <@{BOB}>") < said.index(f"2. <@{ALICE}>") < said.index(f"3. <@{GUEST}>")
    assert f"4. <@{CAROL}>" not in said
    assert "/spend help" in said
    assert REPORT_ACTION in elements(view)
    assert elements(view)[blocks.PAUSE_ACTION]["confirm"]["title"]["text"] == "Pause Darkroom?"


async def test_pause_and_resume_from_home_act_at_once_and_once(desk: Desk) -> None:
    await desk.send(opened(user=CAROL))
    running = desk.slack.homes[CAROL]
    for _ in range(2):
        await desk.send(used(running, blocks.PAUSE_ACTION, user=CAROL))
    policy, _ = await desk.services.admin.policy(TEAM)
    assert policy.paused
    assert len(await desk.services.admin.history(TEAM, 10)) == 1
    assert desk.line.reconsidered > 0
    paused = desk.slack.homes[CAROL]
    assert "nothing new is made until it is resumed" in texts(paused)
    await desk.send(used(running, blocks.PAUSE_ACTION, user=CAROL, ts="2.2"))
    assert (await desk.services.admin.policy(TEAM))[0].paused, "an old button means what it says"
    await desk.send(used(paused, blocks.PAUSE_ACTION, user=CAROL, ts="3.3"))
    assert not (await desk.services.admin.policy(TEAM))[0].paused
    assert "Darkroom takes requests" in texts(desk.slack.homes[CAROL])


async def test_who_is_no_admin_any_more_pauses_nothing(desk: Desk) -> None:
    await desk.send(opened(user=CAROL))
    await desk.send(used(desk.slack.homes[CAROL], blocks.PAUSE_ACTION, user=ALICE))
    assert not (await desk.services.admin.policy(TEAM))[0].paused
    told = desk.slack.only("post_message")
    assert "This is for admins" in told.text
    assert told.said["channel"] == ALICE, "Home is no channel, where something could be shown to them alone"
    assert blocks.PAUSE_ACTION not in elements(desk.slack.homes[ALICE])


async def test_everybody_reads_that_darkroom_is_paused(desk: Desk) -> None:
    await desk.type("pause", name="/spend", user_id=CAROL)
    await desk.send(opened())
    assert "Darkroom is paused by an admin" in texts(desk.slack.homes[ALICE])


async def test_who_is_blocked_or_not_in_the_pilot_reads_it(desk: Desk) -> None:
    await desk.type(f"block <@{ALICE}|alice>", name="/spend", user_id=CAROL, trigger="1")
    await desk.type(f"pilot <@{BOB}|bob>", name="/spend", user_id=CAROL, trigger="2")
    for user, blocked, out in ((ALICE, True, True), (BOB, False, False), (CAROL, False, True)):
        await desk.send(opened(user=user))
        said = texts(desk.slack.homes[user])
        assert ("has blocked you" in said) == blocked
        assert ("being tried out" in said) == out


async def test_a_workspace_that_cannot_pay_another_picture_is_named(database: Database) -> None:
    desk = Desk.make(database, caps=caps(person=10 * USD, workspace=3 * USD))
    await desk.send(opened())
    assert "The workspace's budget" not in texts(desk.slack.homes[ALICE])
    await spent(desk, BOB, 3 * USD - 10_000_000, "1")
    await desk.send(opened())
    assert "The workspace's budget has $0.01 left of $3.00" in texts(desk.slack.homes[ALICE])


async def test_the_button_for_a_new_picture_opens_the_dialog_but_not_for_outsiders(desk: Desk) -> None:
    await desk.send(opened())
    view = desk.slack.homes[ALICE]
    await desk.send(used(view, blocks.NEW_ACTION, user=OLAF, team=OTHER_TEAM))
    assert desk.slack.named("open_view") == []
    await desk.send(used(view, blocks.NEW_ACTION))
    dialog = desk.slack.only("open_view").said
    assert dialog["trigger_id"] == "111.222.valid"
    assert dialog["view"]["callback_id"] == "new_picture"


async def test_the_report_comes_by_direct_message_from_home_too(desk: Desk) -> None:
    await spent(desk, BOB, USD, "1")
    await desk.send(opened(user=CAROL))
    await desk.send(used(desk.slack.homes[CAROL], REPORT_ACTION, user=CAROL))
    assert "report" in desk.slack.named("post_private")[0].text.lower()
    assert {call.said["user_id"] for call in desk.slack.named("post_private")} == {CAROL}


def test_which_page_a_view_shows_is_read_from_it_and_from_no_other() -> None:
    assert blocks.page_of_view(blocks.home_view(mine(page=Page((), 3, 4)), frozenset())) == 3
    for other in (
        {},
        {"private_metadata": "x"},
        {"private_metadata": "[]"},
        {"private_metadata": '{"page":-1}'},
    ):
        assert blocks.page_of_view(other) == 0


def test_the_time_of_a_picture_is_the_settings_zone() -> None:
    at = datetime.fromisoformat("2026-11-20T23:30:00+00:00")
    assert at > NOON
    view = blocks.home_view(mine(pictures=(picture(created_at=at),)), frozenset())
    assert "21 Nov 2026, 00:30" in texts(view)
    assert "times in Europe/Zurich" in texts(view)
