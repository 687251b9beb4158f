"""From our direct message to a channel: private pictures, and what they become once they are shared."""

from __future__ import annotations

from sandbox.slack.model import Fault, Json, Message
from sandbox.slack.workspace import Workspace
from tests.scenarios.flat import said_in
from tests.scenarios.pictures import Pictured
from tests.scenarios.story import WAIT_S, Person, Thread, Town


async def _made_in_private(town: Town) -> tuple[Thread, Pictured]:
    await town.alice.types("/imagine a red fox in snow --private")
    dm = town.workspace.dm(town.alice.id, town.workspace.bot_user_id)

    def root(_: Workspace) -> Message | None:
        return next((m for m in dm.messages.values() if not m.is_reply), None)

    thread = Thread(town, dm, (await town.workspace.until(root, WAIT_S)).ts)
    first = await thread.version(1)
    await town.rests()
    return thread, first


async def _share(person: Person, pictured: Pictured, channel: str, comment: str = "") -> Json:
    """Share it by its menu; gives the dialog that was sent off."""
    await person.chooses(pictured, "Share to channel…")
    view = await person.dialog("share_picture")
    await person.submits(view, {"share_channel": channel, "share_comment": comment})
    return view


async def _shown_in(town: Town, channel: str) -> tuple[Thread, Message]:
    """The message that stands in a channel by itself and shows a picture."""

    def shown(workspace: Workspace) -> Message | None:
        found = workspace.channel_named(channel).messages.values()
        return next((m for m in found if any(b["type"] == "image" for b in m.blocks)), None)

    message = await town.workspace.until(shown, WAIT_S)
    return await town.thread_of(message.ts, channel), message


async def test_a_private_picture_is_seen_by_its_person_alone_until_they_share_it(town: Town) -> None:
    thread, first = await _made_in_private(town)
    assert town.messages("design") == []
    assert town.messages("general") == []
    await town.alice.is_told("our direct message", "only you see it there")
    assert first.asker == town.alice.id
    view = await _share(town.alice, first, "general", "what do you think? <!channel>")
    assert "version 1" in said_in(view)
    there, message = await _shown_in(town, "general")
    await town.rests()
    assert "shared by alice" in str(message.blocks)
    assert "what do you think?" in str(message.blocks)
    assert "&lt;!channel&gt;" in str(message.blocks)
    assert there.file(message).sha256 == thread.sha256(1)
    assert there.file(message).id != first.file_id
    assert town.bob.pings() == []
    await town.alice.replies(there, "make it night")
    made = await there.version(2)
    await town.rests()
    # Of the conversation in the direct message nothing goes along: the model could be asked for it here.
    assert town.calls[-1].asked.parent is None
    assert town.calls[-1].asked.pictures == (thread.sha256(1),)
    assert made.asker == town.alice.id
    assert len(thread.pictures) == 1


async def test_others_use_the_buttons_of_a_shared_picture_and_pay_for_it(town: Town) -> None:
    _, first = await _made_in_private(town)
    await _share(town.alice, first, "general")
    there, message = await _shown_in(town, "general")
    await town.rests()
    await town.bob.presses(message, "picture_variations")
    await town.bob.submits(await town.bob.dialog("variations"))
    made = await there.version(2)
    await town.rests()
    assert made.asker == town.bob.id
    assert town.calls[-1].asked.parent is None
    assert town.calls[-1].asked.pictures == (there.file(message).sha256,)
    paid = town.ledger.rows("SELECT user_id FROM turns ORDER BY created_at")
    assert [row["user_id"] for row in paid] == [town.alice.id, town.bob.id]


async def test_sharing_is_done_once_after_trouble_in_slack_and_a_restart(town: Town) -> None:
    _, first = await _made_in_private(town)
    refused = Fault(
        "chat.postMessage",
        error="service_unavailable",
        status=503,
        times=1_000,
        when=lambda params: params.get("channel") == town.workspace.channel_named("general").id,
    )
    town.workspace.faults.append(refused)
    await _share(town.alice, first, "general")
    await town.workspace.until(lambda _: refused.times < 1_000 or None, WAIT_S)
    await town.darkroom.aclose()
    town.workspace.faults.clear()
    await town.restarts()
    _, message = await _shown_in(town, "general")
    await town.sends_again()
    await town.restarts()
    await town.sends_again()
    shown = [m for m in town.messages("general") if any(b["type"] == "image" for b in m.blocks)]
    assert [m.ts for m in shown] == [message.ts]
    assert len(town.calls) == 1


async def test_where_darkroom_is_not_a_member_who_shares_is_told_and_nobody_else(town: Town) -> None:
    _, first = await _made_in_private(town)
    await _share(town.alice, first, "secret")
    await town.alice.is_told("/invite")
    await town.rests()
    assert town.messages("secret") == []
    assert len(town.calls) == 1
