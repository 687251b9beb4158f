"""From a typed prompt to a priced picture, and from a reply to its edit."""

from __future__ import annotations

import hashlib
import json

from click.testing import CliRunner

from bot.app import Overrides
from bot.cli import main
from sandbox.images.painter import paint
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import Town, caption, nano, picture


async def test_a_prompt_becomes_a_priced_picture_and_a_reply_edits_it(towns: OpenTown) -> None:
    """With the clock of the machine and with real pictures; the other stories save the time."""
    town = await towns(overrides=Overrides())
    town.images.painter = paint
    thread = await town.alice.imagines("a red fox in snow")
    first = await thread.shows(picture(version=1, price="$0.05"))
    await town.alice.replies(thread, "make it night")
    second = await thread.shows(picture(version=2, price="$0.06"))
    await town.rests()

    assert thread.file(first).sha256 != thread.file(second).sha256
    assert [call.body.get("previous_response_id") for call in town.calls] == [
        None,
        town.calls[0].response_id,
    ]
    town.ledger.holds_nothing()
    assert town.ledger.turns() == [("pictures", "pictures"), ("pictures", "pictures")]


async def test_the_placeholder_comes_at_once_names_the_most_it_can_cost_and_then_links_the_picture(
    town: Town,
) -> None:
    town.easel.hold()
    thread = await town.alice.imagines("a red fox in snow")
    assert thread.placeholder is not None
    waiting = thread.placeholder.text
    assert "a red fox in snow" in waiting
    at_most = nano(waiting)
    assert len(at_most) == 1
    town.easel.let_go()
    await thread.shows(picture(version=1))
    await town.rests()
    assert thread.placeholder is not None
    assert "/archives/" in thread.placeholder.text
    assert town.ledger.charged() <= at_most[0]


async def test_the_caption_mentions_the_asker_once_and_nobody_else_is_notified(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    await town.rests()
    assert caption(message).count("<@") == 1
    assert f"<@{town.alice.id}>" in caption(message)
    told = {notification.user for notification in town.workspace.notifications}
    assert told == {town.alice.id}
    image = next(block for block in message.blocks if block["type"] == "image")
    assert "a red fox in snow" in image["alt_text"]


async def test_the_bytes_that_slack_has_are_the_bytes_that_the_api_made(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    await town.rests()
    saved = town.ledger.rows("SELECT sha256 FROM pictures")[0]["sha256"]
    assert thread.file(message).sha256 == saved
    blob = next((town.ledger.data_dir / "pictures").glob(f"*/{saved}.png"))
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == saved


async def test_spend_agrees_with_the_command_line_to_the_nano_dollar(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    seen = await town.alice.types("/spend")
    printed = CliRunner().invoke(main, ["spend", "--json", "--data-dir", str(town.ledger.data_dir)])
    assert printed.exit_code == 0, printed.output
    report = json.loads(printed.output)
    charged = report["total"]["charged_nano_usd"]
    assert charged == town.ledger.charged()
    assert sum(each["charged_nano_usd"] for each in report["classes"].values()) == charged
    assert [person["user_id"] for person in report["people"]] == [town.alice.id]
    told = await town.alice.is_told("spent", "exactly")
    assert charged in nano(told), (seen, told)


async def test_the_turns_command_tells_the_story_while_the_bot_runs(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    printed = CliRunner().invoke(main, ["turns", "--json", "--data-dir", str(town.ledger.data_dir)])
    turns = json.loads(printed.output)
    assert [turn["prompt"] for turn in turns] == ["a red fox in snow", "make it night"]
    assert [turn["pictures"][0]["parent"] for turn in turns] == [None, 1]
    assert all(turn["told"] and turn["outcome"] == "pictures" for turn in turns)
    assert sum(turn["charged_nano_usd"] for turn in turns) == town.ledger.charged()


async def test_spend_team_is_for_admins(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    await town.bob.types("/spend team")
    await town.bob.is_told("admin")
    await town.carol.types("/spend team")
    await town.carol.is_told(town.alice.id, "$0.05")


async def test_details_show_how_it_was_made_and_what_is_left_to_the_asker_alone(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    await town.rests()
    await town.bob.chooses(message, "Details")
    shown = await town.bob.is_told("gpt-image-2", "1024x1024", "medium")
    assert "left" not in shown.lower()
    await town.alice.chooses(message, "Details")
    await town.alice.is_told("left")
    town.ledger.holds_nothing()


async def test_a_mention_in_a_channel_starts_a_thread(town: Town) -> None:
    thread = await town.bob.mentions("a blue boat at sea")
    await thread.shows(picture(version=1))
    await town.bob.replies(thread, "add a moon")
    await thread.shows(picture(version=2))
    await town.rests()
    assert len(town.calls) == 2


async def test_a_question_in_the_thread_is_answered_in_words_and_thanks_with_a_reaction(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "what is in the picture?")
    await town.rests()
    thanks = await town.alice.replies(thread, "thanks!")
    await town.rests()
    assert len(thread.pictures) == 1
    assert [outcome for outcome, _ in town.ledger.turns()] == ["pictures", "words", "words"]
    answer = [m for m in thread.messages if m.user == town.workspace.bot_user_id and m not in thread.pictures]
    assert len(answer) == 2
    assert town.workspace.message("design", thanks.ts).reactions
    town.ledger.holds_nothing()


async def test_options_reach_the_api_and_the_edit_keeps_them(town: Town) -> None:
    thread = await town.alice.imagines("a boat —size landscape --quality low --format jpeg")
    await thread.shows(picture(version=1))
    await town.alice.replies(thread, "add a moon")
    await thread.shows(picture(version=2))
    await town.rests()
    for call in town.calls:
        tool = call.body["tools"][0]
        assert (tool["size"], tool["quality"], tool["output_format"]) == ("1536x1024", "low", "jpeg")
        assert tool["model"] == "gpt-image-2-2026-04-21"


async def test_when_the_api_has_forgotten_the_thread_goes_on_from_the_saved_picture(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    first = await thread.shows(picture(version=1))
    await town.rests()
    town.images.forget(None)
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    assert town.ledger.attempts() == ["settled", "released", "settled"]
    resent = json.dumps(town.calls[-1].body["input"])
    assert thread.file(first).sha256 in resent
    assert "previous_response_id" not in town.calls[-1].body


async def test_the_first_picture_of_a_thread_also_shows_in_the_channel_unless_the_setting_says_no(
    towns: OpenTown,
) -> None:
    for setting, wanted in ((True, [True, False]), (False, [False, False])):
        town = await towns(slack__first_picture_in_channel=setting)
        thread = await town.alice.imagines("a red fox in snow")
        await thread.shows(picture(version=1))
        await town.alice.replies(thread, "make it night")
        await thread.shows(picture(version=2))
        assert [message.broadcast for message in thread.pictures] == wanted
