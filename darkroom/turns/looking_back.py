"""Going back one picture, and listing all of them: what costs nothing and asks nobody."""

from __future__ import annotations

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Intent, Picture, Turn
from darkroom.turns.store import TurnLog

_GENERATIONS_MAX = 1_000
"""How far back a living picture is looked for behind deleted ones."""


async def look_back(log: TurnLog, turn: Turn) -> Ending:
    """How a turn ends that wants to undo or to see the versions, at its place in the thread.

    To undo is to go back to the nearest living picture that the current one was made from, unless that was
    in another channel. Writing the ending down makes that one the thread's choice.
    """
    if turn.request.intent is Intent.VERSIONS:
        return Ending(Outcome.WORDS, Reason.VERSIONS)
    request = turn.request
    current = turn.thread_ts and await log.current_picture(
        request.team_id, request.channel_id, turn.thread_ts, request.order
    )
    if not current:
        return Ending(Outcome.DECLINED, Reason.NOTHING_TO_UNDO, {"version": 0})
    before = await _living_ancestor(log, current, request.channel_id)
    if before is None:
        return Ending(Outcome.DECLINED, Reason.NOTHING_TO_UNDO, {"version": current.version})
    versions = {"version": before.version, "undone": current.version}
    return Ending(Outcome.WORDS, Reason.UNDONE, {"picture_id": before.id, **versions})


async def _living_ancestor(log: TurnLog, picture: Picture, channel_id: str) -> Picture | None:
    """What a picture of another channel was made from is not for those of *channel_id*, where it was shared:
    it may never have left a direct message."""
    child = picture
    for _ in range(_GENERATIONS_MAX):
        if child.parent_id is None or child.channel_id != channel_id:
            return None
        parent = await log.picture(child.parent_id)
        if parent is None or parent.deleted_at is None:
            return parent
        child = parent
    return None
