"""Being removed from the workspace: nothing new, nothing more bought, and whoever runs Darkroom is told."""

from __future__ import annotations

import asyncio
import logging

from darkroom.clock import Clock
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.together import in_the_books, together
from darkroom.turns.wishes import counts

logger = logging.getLogger("darkroom.app")

EXIT_CODE = 3
"""How a process ends whose app was removed: to start it again is of no use."""
ENDING = Ending(Outcome.CANCELLED, Reason.REMOVED)


class Gone(asyncio.Event):
    """Set once our app was removed from its workspace, or its token revoked; ``why`` is Slack's word for it.
    Whoever runs a Darkroom closes it then."""

    def __init__(self) -> None:
        super().__init__()
        self.why = ""

    def note(self, why: str) -> None:
        """It is so. Returns at once."""
        if self.is_set():
            return
        self.why = why
        logger.critical("%s", self.sentence)
        self.set()

    @property
    def sentence(self) -> str:
        """What whoever runs Darkroom should know and do."""
        return (
            f"Slack says {self.why}: Darkroom was removed from its workspace, or its token was revoked. It "
            "stops now. Install the app again and put the new token into .env to go on with the same books, "
            "or delete all that is kept of the workspace with: darkroom forget workspace"
        )


async def end_what_waits(store: TurnStore, log: TurnLog, clock: Clock) -> int:
    """End every turn that nothing was bought for yet, and those with some of their pictures that wait for the
    money of the others; gives how many. A call that nobody knows the end of is left to the next start. Only
    when nothing runs any more."""
    ended = 0
    for turn in await log.unfinished():
        if turn.state in (TurnState.RECEIVED, TurnState.QUEUED):
            now = await store.end(turn.id, ENDING, clock.now(), waiting_only=True)
            ended += now.ending == ENDING
        elif (rest := await _without_the_rest(log, turn)) is not None:
            await store.end(turn.id, rest, clock.now())
            ended += 1
    logger.info("%d requests that waited were ended; nothing more was charged for them", ended)
    return ended


async def _without_the_rest(log: TurnLog, turn: Turn) -> Ending | None:
    """The ending of a turn that is being made, if no more of it is; None where it has ended, or one of its
    calls has not."""
    attempts = await log.attempts(turn.id)
    if turn.state is not TurnState.WORKING or any(attempt.ended_at is None for attempt in attempts):
        return None
    with_picture = {picture.attempt_id for picture in await log.pictures(turn.id)}
    bought = [in_the_books(one, has_picture=one.id in with_picture) for one in attempts if counts(one)]
    return together([*bought, *[ENDING] * (turn.request.wanted - len(bought))])
