"""What those who see a shared picture get of where it comes from: nothing but the picture."""

from __future__ import annotations

from dataclasses import replace

from darkroom.turns.endings import Reason
from darkroom.turns.model import Intent, Surface
from storage.conversations import SqliteConversations
from tests.examples import ALICE, DESIGN, message
from tests.turns.world import World

ROOT = "1763650010.000001"
"""The message that shares."""


async def test_undo_under_a_shared_picture_does_not_show_what_was_not_shared(world: World) -> None:
    """What it was made from may never have left a direct message; what is made here may be undone."""
    first = await world.made(private=True)
    reply = await world.reply("blue", "1763650001.000001", first.turn_id)
    await world.rest()
    second = (await world.log.pictures(reply))[0]
    shares, at = SqliteConversations(world.database), world.clock.now()
    await shares.share("s1", "view:V1", second.id, DESIGN, ALICE, at)
    await shares.note_share("s1", "F0SHARED01", ROOT)
    there = replace(message("night", "1763650011.000001", ROOT, surface=Surface.MENTION), channel_id=DESIGN)
    await world.ask(there)
    await world.rest()
    assert world.renderer.jobs[-1].previous_response_id is None
    undone = [
        await world.ask(
            replace(message("undo", f"17636500{at}.000001", ROOT), intent=Intent.UNDO, channel_id=DESIGN)
        )
        for at in (12, 13)
    ]
    await world.rest()
    endings = [await world.ending(turn_id) for turn_id in undone]
    assert [ending.reason for ending in endings] == [Reason.UNDONE, Reason.NOTHING_TO_UNDO]
    assert endings[0].details["picture_id"] == second.id
