"""A thread is one conversation: in order, one at a time, and nobody's business but its people's."""

from __future__ import annotations

from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import Town, picture


async def test_two_replies_while_the_first_picture_renders_become_v2_and_v3_each_on_the_one_before(
    town: Town,
) -> None:
    town.easel.hold()
    thread = await town.alice.imagines("a red fox in snow")
    await town.has_called()
    await town.alice.replies(thread, "make it night")
    await town.alice.replies(thread, "add a moon")
    assert len(town.calls) == 1
    town.easel.let_go()
    await thread.shows(picture(version=3))
    await town.rests()
    asked = [call.body["input"] for call in town.calls]
    assert ["night" in str(asked[1]), "moon" in str(asked[2])] == [True, True]
    first, second, third = town.calls
    assert second.body["previous_response_id"] == first.response_id
    assert third.body["previous_response_id"] == second.response_id


async def test_after_a_blocked_first_picture_a_waiting_reply_buys_nothing_and_asks(town: Town) -> None:
    town.easel.hold()
    thread = await town.alice.imagines("a blocked-output fox")
    await town.has_called()
    await town.alice.replies(thread, "make it night")
    town.easel.let_go()
    await town.rests()
    assert town.ledger.turns() == [("blocked", "moderation"), ("declined", "nothing_to_edit")]
    assert len(town.calls) == 1
    assert any("picture" in text for text in town.alice.private())
    town.ledger.holds_nothing()


async def test_other_peoples_talk_in_a_darkroom_thread_makes_no_call_and_no_row(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.bob.replies(thread, "I love this one")
    await town.bob.writes("and this is a channel message")
    await town.alice.replies(thread, f"<@{town.bob.id}> what do you think?")
    await town.alice.replies(thread, "// note to self: ask the client")
    await town.rests()
    assert len(town.calls) == 1
    assert len(town.ledger.turns()) == 1
    assert town.ledger.rows("SELECT user_id FROM people WHERE user_id = ?", town.bob.id) == []


async def test_who_mentions_darkroom_joins_the_thread_and_pays_for_their_own_turns(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.bob.replies(thread, f"<@{town.workspace.bot_user_id}> make it night")
    await thread.shows(picture(version=2))
    await town.bob.replies(thread, "add a moon")
    await thread.shows(picture(version=3))
    await town.rests()
    paid = town.ledger.rows("SELECT user_id FROM turns ORDER BY created_at")
    assert [row["user_id"] for row in paid] == [town.alice.id, town.bob.id, town.bob.id]


async def test_who_used_a_button_in_the_thread_has_joined_it(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    await town.bob.chooses(message, "Details")
    await town.rests()
    await town.bob.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    assert len(town.calls) == 2


async def test_replies_of_everyone_or_of_nobody_count_if_the_setting_says_so(towns: OpenTown) -> None:
    for setting, calls in (("everyone", 2), ("mentions", 1)):
        town = await towns(slack__thread_replies=setting)
        thread = await town.alice.imagines("a red fox in snow")
        await thread.shows(picture(version=1))
        whose = town.bob if setting == "everyone" else town.alice
        await whose.replies(thread, "make it night")
        await town.rests()
        assert len(town.calls) == calls


async def test_editing_a_waiting_reply_replaces_it_and_a_late_edit_is_answered_privately(town: Town) -> None:
    town.easel.hold()
    thread = await town.alice.imagines("a red fox in snow")
    await town.has_called()
    reply = await town.alice.replies(thread, "make it nihgt")
    await town.workspace.edit_message(town.alice.id, "design", reply.ts, "make it night")
    town.easel.let_go()
    await thread.shows(picture(version=2))
    await town.rests()
    assert "nihgt" not in str(town.calls[1].body["input"])
    assert "night" in str(town.calls[1].body["input"])
    before = len(town.alice.private())
    await town.workspace.edit_message(town.alice.id, "design", reply.ts, "make it day")
    await town.rests()
    assert len(town.alice.private()) == before + 1
    assert len(town.calls) == 2


async def test_deleting_a_waiting_reply_cancels_it(town: Town) -> None:
    town.easel.hold()
    thread = await town.alice.imagines("a red fox in snow")
    await town.has_called()
    reply = await town.alice.replies(thread, "make it night")
    await town.workspace.delete_message(town.alice.id, "design", reply.ts)
    town.easel.let_go()
    await town.rests()
    assert town.ledger.turns() == [("pictures", "pictures"), ("cancelled", "taken_back")]
    assert len(town.calls) == 1
    town.ledger.holds_nothing()


async def test_where_darkroom_is_not_a_member_it_says_how_to_invite_it(town: Town) -> None:
    await town.alice.types("/imagine a red fox in snow", channel="secret")
    await town.alice.is_told("/invite")
    await town.rests()
    assert town.calls == []
    assert town.ledger.turns() == [("declined", "not_in_channel")]


async def test_a_direct_message_makes_a_picture(town: Town) -> None:
    message = await town.alice.writes("a red fox in snow", channel="")
    thread = await town.thread_of(message.ts, message.channel)
    await thread.shows(picture(version=1))
    await town.rests()
