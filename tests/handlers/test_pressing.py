"""What people press under pictures, through the real dispatcher and the real books."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Options, Request, Surface
from handlers.blocks.dialogs import AGAIN_CALLBACK
from handlers.blocks.picture import AGAIN_ACTION, FEEDBACK_ACTION, VARIATIONS_ACTION, Choice
from handlers.presses import TOO_LATE
from storage.database import Database
from tests.examples import ALICE, BOB, DESIGN, TEAM, message, plan, settlement
from tests.handlers.dialogs import CENT
from tests.handlers.gallery import PRICE, ROOT, found, made, menu, opened, sent, under
from tests.handlers.support import CAROL, OLAF, OTHER_TEAM, USD, Desk, refused

OTHER = "C0OTHER001"


def only(desk: Desk) -> Request:
    """The request of the one turn that was submitted."""
    assert len(desk.line.turns) == 1
    return desk.line.turns[0].request


async def fails(desk: Desk, reason: Reason, outcome: Outcome = Outcome.DECLINED) -> None:
    """The newest turn ends so."""
    await desk.store.end(desk.line.turns[-1].id, Ending(outcome, reason), desk.clock.now())


async def counts(desk: Desk, user: str, channel: str = DESIGN, thread: str = ROOT) -> bool:
    """Whether a reply of *user* there is for us."""
    replies = desk.services.config.thread_replies
    return await desk.log.reply_counts(TEAM, channel, thread, user, replies)


# Again


async def test_again_is_one_turn_for_whoever_pressed_in_the_pictures_thread(desk: Desk) -> None:
    await made(desk)
    response = await desk.send(under(1, AGAIN_ACTION, "p1", user=BOB))
    assert response.status == 200
    request = only(desk)
    assert (request.user_id, request.surface, request.prompt) == (BOB, Surface.BUTTON, "a red fox in snow")
    assert (request.channel_id, request.thread_ts, request.fresh) == (DESIGN, ROOT, True)
    assert request.options == Options(1024, 1024, "medium", None, "png")
    assert request.order == "1763640200.000001"
    assert desk.slack.calls == []
    assert await counts(desk, BOB)


async def test_again_of_a_change_is_made_from_the_same_parent(desk: Desk) -> None:
    """Also when the thread has gone on since."""
    await made(desk)
    await made(desk, 2, prompt="bluer")
    await made(desk, 3, prompt="greener")
    await desk.send(under(2, AGAIN_ACTION, "p2"))
    request = only(desk)
    assert (request.prompt, request.chosen_id, request.fresh) == ("bluer", "p1", False)


async def test_pressed_again_it_acts_once_and_says_who_was_first_and_what_came_of_it(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640200.000001"))
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640201.000001", user=BOB))
    assert len(desk.line.turns) == 1
    said = desk.slack.only("respond").text
    assert said == f"<@{ALICE}> has pressed this already: it is being made. Nothing more was started."


async def test_a_press_that_slack_sends_twice_is_one_turn(desk: Desk) -> None:
    await made(desk)
    press = under(1, AGAIN_ACTION, "p1")
    await desk.send(press)
    await desk.send(press)
    assert len(desk.line.turns) == 1


async def test_a_second_press_names_the_version_that_came_of_the_first(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, AGAIN_ACTION, "p1"))
    again, limits, now = desk.line.turns[0], desk.services.config.caps, desk.clock.now()
    await desk.store.queue(again.id, plan("a9"), limits, now)
    await desk.store.hold(again.id, plan("a9"), limits, now)
    await desk.store.send("a9", now)
    await desk.store.render("a9", settlement(PRICE, picture_id="p9"), limits, now)
    await fails(desk, Reason.PICTURES, Outcome.PICTURES)
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640300.000001"))
    assert "You have pressed this already: it became v2." in desk.slack.only("respond").text
    assert len(desk.line.turns) == 1


async def test_what_came_to_nothing_may_be_pressed_anew_but_not_by_the_same_press(desk: Desk) -> None:
    """A cap that was raised must not leave a dead button behind."""
    await made(desk)
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640200.000001"))
    await fails(desk, Reason.NOT_IN_PILOT)
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640200.000001"))
    assert len(desk.line.turns) == 1
    assert "no picture came of it. Darkroom is being tried out" in desk.slack.only("respond").text
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640300.000001"))
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640301.000001"))
    assert len(desk.line.turns) == 2


@pytest.mark.parametrize(
    ("reason", "outcome"), [(Reason.MODERATION, Outcome.BLOCKED), (Reason.UNCERTAIN, Outcome.UNCERTAIN)]
)
async def test_what_would_end_the_same_or_may_have_been_paid_for_is_not_made_anew(
    desk: Desk, reason: Reason, outcome: Outcome
) -> None:
    """And why it ended is for who pressed it alone."""
    await made(desk)
    await desk.send(under(1, AGAIN_ACTION, "p1"))
    await fails(desk, reason, outcome)
    await desk.send(under(1, AGAIN_ACTION, "p1", at="1763640300.000001", user=BOB))
    assert len(desk.line.turns) == 1
    said = desk.slack.only("respond").text
    assert "no picture came of it. To ask anew, reply in the thread." in said
    assert "moderation" not in said


async def test_where_it_costs_much_more_by_now_than_the_button_said_it_asks_first(database: Database) -> None:
    """The limit has been lowered since the message was posted."""
    desk = Desk.make(database, confirm_nano_usd=1_000)
    await made(desk, amount=500)
    await desk.send(under(1, AGAIN_ACTION, "p1"))
    assert desk.line.turns == []
    view = opened(desk)
    assert view["callback_id"] == AGAIN_CALLBACK
    assert "likely" in str(view["blocks"])
    await desk.send(sent(view))
    assert only(desk).prompt == "a red fox in snow"
    assert only(desk).key == "view:V1"


async def test_a_button_whose_message_asked_already_does_not_ask_twice(database: Database) -> None:
    desk = Desk.make(database, confirm_nano_usd=1_000)
    await made(desk)
    await desk.send(under(1, AGAIN_ACTION, "p1"))
    assert len(desk.line.turns) == 1


async def test_under_a_shared_picture_it_goes_on_where_it_was_shared(desk: Desk) -> None:
    await made(desk)
    payload = under(1, AGAIN_ACTION, "p1")
    payload["channel"] = {"id": OTHER}
    payload["container"] = {"channel_id": OTHER, "message_ts": "1763640500.000100"}
    await desk.send(payload)
    assert (only(desk).channel_id, only(desk).thread_ts) == (OTHER, "1763640500.000100")
    assert await counts(desk, ALICE, OTHER, "1763640500.000100")


async def test_again_under_a_shared_picture_takes_nothing_along_that_was_not_shared(desk: Desk) -> None:
    await made(desk)
    await made(desk, 2, prompt="bluer")
    payload = under(2, AGAIN_ACTION, "p2", user=BOB)
    payload["channel"] = {"id": OTHER}
    payload["container"] = {"channel_id": OTHER, "message_ts": "1763640500.000100"}
    await desk.send(payload)
    assert desk.line.turns == []
    assert "v2 was made from other pictures, which were not shared here" in desk.slack.only("respond").text


@pytest.mark.parametrize(
    "payload",
    [
        under(1, AGAIN_ACTION, "p1", user=OLAF, team=OTHER_TEAM),
        under(1, VARIATIONS_ACTION, "p1", user=OLAF, team=OTHER_TEAM),
        under(1, FEEDBACK_ACTION, "accepted:p1", user=OLAF, team=OTHER_TEAM),
        menu(Choice.EDIT, user=OLAF, team=OTHER_TEAM),
    ],
)
async def test_outsiders_are_told_so_and_nothing_is_made_or_opened(
    desk: Desk, payload: dict[str, object]
) -> None:
    await made(desk)
    await desk.send(payload)
    assert "people of the workspace" in desk.slack.only("respond").text
    assert desk.line.turns == []
    assert not await counts(desk, OLAF)


DELETED = [
    under(1, AGAIN_ACTION, "p1"),
    under(1, VARIATIONS_ACTION, "p1"),
    under(1, FEEDBACK_ACTION, "accepted:p1"),
    *(menu(choice) for choice in Choice),
]


@pytest.mark.parametrize("payload", DELETED)
async def test_every_button_of_a_deleted_picture_says_so(desk: Desk, payload: dict[str, object]) -> None:
    await made(desk)
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    await desk.send(payload)
    assert "v1 was deleted" in desk.slack.only("respond").text
    assert desk.line.turns == []
    assert desk.slack.named("open_view") == []


# Variations and higher quality


async def test_variations_ask_how_many_and_say_what_each_number_costs(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, VARIATIONS_ACTION, "p1", user=BOB))
    view = opened(desk)
    options = view["blocks"][1]["element"]["options"]
    assert [option["value"] for option in options] == ["1", "2", "3", "4"]
    assert options[0]["text"]["text"].startswith("1 picture · likely ")
    assert "at most" in options[3]["text"]["text"]
    assert desk.line.turns == []
    response = await desk.send(sent(view, "3", user=BOB))
    assert (response.status, response.body) == (200, "")
    request = only(desk)
    assert (request.wanted, request.chosen_id, request.user_id) == (3, "p1", BOB)
    assert request.prompt == "A variation of this picture: a red fox in snow"
    assert (request.thread_ts, request.key) == (ROOT, "view:V1")
    assert await counts(desk, BOB)


@pytest.mark.parametrize("payload", [under(1, VARIATIONS_ACTION, "p1"), menu(Choice.HIGHER)])
async def test_who_may_not_have_the_money_for_all_choices_reads_how_much_is_left(
    desk: Desk, payload: dict[str, object]
) -> None:
    """Nobody else does, nor where there is enough for the dearest."""
    await made(desk, amount=10 * USD - 15 * CENT)
    await desk.send(payload)
    assert "You have 15¢ left this month." in json.dumps(opened(desk), ensure_ascii=False)
    desk.slack.calls.clear()
    payload["user"] = {"id": BOB, "team_id": TEAM}
    await desk.send(payload)
    assert "left this month" not in json.dumps(opened(desk))


async def test_a_dialog_that_slack_sends_twice_is_one_turn(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    for _ in range(2):
        await desk.send(sent(opened(desk), "2"))
    assert only(desk).wanted == 2
    assert "being made" in desk.slack.only("post_ephemeral").text


async def test_a_dialog_about_what_was_deleted_meanwhile_buys_nothing(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    await desk.send(sent(opened(desk), "2"))
    assert desk.line.turns == []
    said = desk.slack.only("post_ephemeral")
    assert "v1 was deleted" in said.text
    assert (said.said["channel"], said.said["thread_ts"]) == (DESIGN, ROOT)


async def test_a_dialog_that_is_not_ours_to_read_makes_nothing(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    for memo in ("", "[]", "{", "null"):
        await desk.send(sent({**opened(desk), "private_metadata": memo}, "2"))
    await desk.send(sent(opened(desk), "2", user=OLAF, team=OTHER_TEAM))
    assert desk.line.turns == []


async def test_higher_qualities_are_those_above_the_pictures_own_each_with_its_price(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.HIGHER))
    view = opened(desk)
    assert [option["value"] for option in view["blocks"][1]["element"]["options"]] == ["high"]
    await desk.send(sent(view, "high"))
    request = only(desk)
    assert (request.options.quality, request.chosen_id, request.wanted) == ("high", "p1", 1)
    assert (request.options.width, request.options.height) == (1024, 1024)


async def test_a_quality_that_is_not_above_it_is_not_made(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.HIGHER))
    await desk.send(sent(opened(desk), "low"))
    assert desk.line.turns == []
    assert "no higher quality" in desk.slack.only("post_ephemeral").text


async def test_where_nothing_higher_may_be_used_it_says_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(desk)
    denied = Ending(
        Outcome.DECLINED, Reason.NOT_ALLOWED, {"dimension": "quality", "value": "high", "allowed": "medium"}
    )

    async def quote(request: Request) -> Ending:
        return denied

    monkeypatch.setattr(desk.services.pricing, "quote", quote)
    await desk.send(menu(Choice.HIGHER))
    assert "does not allow the quality “high”" in desk.slack.only("respond").text
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    assert desk.slack.named("open_view") == []


async def test_a_dialog_that_slack_does_not_open_is_said_to_have_failed(desk: Desk) -> None:
    await made(desk)
    desk.slack.faults["open_view"] = [refused("expired_trigger_id", "views.open")]
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    assert "Try again" in desk.slack.only("respond").text


@pytest.mark.parametrize("payload", [under(1, VARIATIONS_ACTION, "p1"), menu(Choice.DELETE)])
@pytest.mark.parametrize("error", sorted(TOO_LATE))
async def test_a_press_that_is_too_long_ago_for_a_dialog_is_slacks_fault_and_none_of_ours(
    desk: Desk, payload: dict[str, object], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    await made(desk)
    desk.slack.faults["open_view"] = [refused(error, "views.open")]
    await desk.send(payload)
    said = desk.slack.only("respond").text
    assert "Slack was too slow" in said
    assert "Darkroom itself" not in said
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


# The menu


async def test_edit_this_one_says_what_the_next_reply_does_and_the_next_request_builds_on_it(
    desk: Desk,
) -> None:
    await made(desk)
    await made(desk, 2, prompt="bluer")
    await desk.send(menu(Choice.EDIT, 1, user=BOB, at="1763640200.000001"))
    assert "The next request in this thread changes v1" in desk.slack.only("respond").text
    before = await desk.log.current_picture(TEAM, DESIGN, ROOT, "1763640200.000000")
    after = await desk.log.current_picture(TEAM, DESIGN, ROOT, "1763640201.000000")
    assert (before and before.id, after and after.id) == ("p2", "p1")
    assert await counts(desk, BOB)


@pytest.mark.parametrize("still", [True, False])
async def test_edit_this_one_under_a_shared_picture_says_what_a_reply_there_changes(
    desk: Desk, *, still: bool
) -> None:
    await made(desk)
    if still:
        share = await desk.services.conversations.share(
            "s1", "view:s1", "p1", OTHER, BOB, desk.clock.now(), ""
        )
        assert share is not None
        await desk.services.conversations.note_share("s1", None, "1763640500.000100")
    payload = menu(Choice.EDIT)
    payload["channel"] = {"id": OTHER}
    payload["container"] = {"channel_id": OTHER, "message_ts": "1763640500.000100"}
    payload["actions"][0]["action_ts"] = "1763640600.000100"
    await desk.send(payload)
    said = desk.slack.only("respond").text
    assert ("it changes v1" in said) is still
    assert ("thread that v1 comes from" in said) is not still


async def test_edit_this_one_under_a_shared_picture_goes_back_to_it_when_its_thread_has_gone_on(
    desk: Desk,
) -> None:
    await made(desk)
    talk, now, ts = desk.services.conversations, desk.clock.now(), "1763640500.000100"
    await talk.share("s1", "view:s1", "p1", OTHER, BOB, now, "")
    await talk.note_share("s1", None, ts)
    turn = await desk.arrive(replace(message("bluer", "1763640550.000100", ts), channel_id=OTHER))
    limits = desk.services.config.caps
    await desk.store.queue(turn.id, plan("a9"), limits, now)
    await desk.store.hold(turn.id, plan("a9"), limits, now)
    await desk.store.send("a9", now)
    await desk.store.render("a9", settlement(PRICE, picture_id="p9"), limits, now)
    payload = menu(Choice.EDIT, at="1763640600.000100", user=BOB)
    payload["channel"] = {"id": OTHER}
    payload["container"] = {"channel_id": OTHER, "message_ts": ts}
    before = await desk.log.current_picture(TEAM, OTHER, ts, "1763640700.000100")
    await desk.send(payload)
    after = await desk.log.current_picture(TEAM, OTHER, ts, "1763640700.000100")
    assert (before and before.id, after and after.id) == ("p9", "p1")
    assert "it changes v1" in desk.slack.only("respond").text
    assert await counts(desk, BOB, OTHER, ts)


async def test_details_from_the_menu_are_those_of_the_old_button(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.DETAILS))
    assert "Your budget has" in desk.slack.only("respond").text


async def test_share_opens_its_dialog(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.SHARE))
    assert desk.slack.only("open_view").said["view"]["callback_id"] == "share_picture"


@pytest.mark.parametrize(("value", "verdict"), [("accepted:p1", "accepted"), ("rejected:p1", "rejected")])
async def test_feedback_is_kept_for_each_person_and_nothing_is_posted(
    desk: Desk, database: Database, value: str, verdict: str
) -> None:
    await made(desk)
    await desk.send(under(1, FEEDBACK_ACTION, "accepted:p1", user=BOB))
    await desk.send(under(1, FEEDBACK_ACTION, value, user=BOB))
    kept = await database.look(lambda db: db.execute("SELECT picture_id, verdict FROM feedback").fetchall())
    assert [tuple(row) for row in kept] == [("p1", verdict)]
    assert desk.slack.calls == []
    assert await counts(desk, BOB)


async def test_a_value_that_is_none_of_ours_is_told_as_a_fault_and_changes_nothing(desk: Desk) -> None:
    await made(desk)
    await desk.send(under(1, FEEDBACK_ACTION, "maybe:p1"))
    assert "Darkroom itself failed" in desk.slack.only("respond").text


# Delete


async def test_who_asked_may_delete_after_reading_what_stays(desk: Desk) -> None:
    await made(desk)
    await made(desk, 2)
    await desk.send(menu(Choice.DELETE))
    view = opened(desk)
    text = json.dumps(view)
    for fact in ("What stays, and cannot be recalled", "$0.05", "the picture made from it"):
        assert fact in text
    assert (await found(desk, "p1")).deleted_at is None
    await desk.send(sent(view))
    assert (await found(desk, "p1")).deleted_at is not None
    said = desk.slack.only("post_ephemeral").text
    assert "v1 is deleted" in said
    assert "1 picture that was made from it" in said
    assert desk.line.recalling_woken == 1


async def test_what_was_made_from_it_elsewhere_is_counted_before_as_after(desk: Desk) -> None:
    """A private picture, or one made where it was shared; deleted ones do not count."""
    await made(desk)
    for number, root in ((2, "1763640900.000100"), (3, "1763640901.000100"), (4, ROOT)):
        request = replace(message("bluer", root, root), channel_id=OTHER if root != ROOT else DESIGN)
        limits, now, planned = desk.services.config.caps, desk.clock.now(), plan(f"a{number}", parent_id="p1")
        turn = await desk.arrive(replace(request, surface=Surface.MENTION))
        await desk.store.queue(turn.id, planned, limits, now)
        await desk.store.hold(turn.id, planned, limits, now)
        await desk.store.send(f"a{number}", now)
        await desk.store.render(f"a{number}", settlement(PRICE, picture_id=f"p{number}"), limits, now)
    await desk.services.eraser.erase("p4", ALICE, desk.clock.now())
    await desk.send(menu(Choice.DELETE))
    view = opened(desk)
    assert "the 2 pictures made from it" in json.dumps(view)
    await desk.send(sent(view))
    assert "2 pictures that were made from it" in desk.slack.only("post_ephemeral").text


async def test_what_was_deleted_does_not_stay_in_the_home_of_who_asked_for_it(desk: Desk) -> None:
    """Slack keeps what was shown there, also when an admin deletes."""
    await made(desk, prompt="a secret kettle")
    await desk.send(menu(Choice.DELETE, user=CAROL))
    await desk.send(sent(opened(desk), user=CAROL))
    assert set(desk.slack.homes) == {ALICE}
    assert "kettle" not in str(desk.slack.homes)


async def test_a_picture_is_deleted_once(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.DELETE))
    for _ in range(2):
        await desk.send(sent(opened(desk)))
    assert "had been deleted before" in desk.slack.named("post_ephemeral")[1].text


async def test_what_was_asked_in_words_of_their_own_is_theirs_to_delete(desk: Desk) -> None:
    await made(desk)
    await made(desk, 2, prompt="bluer")
    await desk.send(menu(Choice.DELETE, 2))
    await desk.send(sent(opened(desk)))
    assert "delete it yourself" in desk.slack.only("post_ephemeral").text


async def test_an_admin_may_delete_and_others_read_who_may(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.DELETE, user=BOB))
    assert "Only who asked for a picture and admins" in desk.slack.only("respond").text
    assert desk.slack.named("open_view") == []
    await desk.send(menu(Choice.DELETE, user=CAROL))
    await desk.send(sent(opened(desk), user=CAROL))
    assert (await found(desk, "p1")).deleted_at is not None


async def test_an_outsider_who_sends_the_dialog_deletes_nothing(desk: Desk) -> None:
    await made(desk)
    await desk.send(menu(Choice.DELETE))
    await desk.send(sent(opened(desk), user=OLAF, team=OTHER_TEAM))
    assert (await found(desk, "p1")).deleted_at is None


async def test_a_press_works_after_a_restart(desk: Desk, database: Database) -> None:
    """Nothing that a button needs is kept in memory; the turn that the press made is on disk too."""
    await made(desk)
    await desk.send(under(1, VARIATIONS_ACTION, "p1"))
    view = opened(desk)
    second = Desk.make(database)
    second.clock.at = desk.clock.at
    second.clock._ids = 100
    await second.send(sent(view, "2"))
    assert only(second).wanted == 2
    turn = await second.log.turn(second.line.turns[0].id)
    assert turn is not None
    assert turn.request == only(second)
