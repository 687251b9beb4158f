"""What is older than the settings say is deleted once a day, and what it has left in Slack recalled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from darkroom.clock import Clock
from darkroom.turns.retention import PICTURES_MAX, Counts, Retention
from handlers.rounds import Rounds

logger = logging.getLogger("darkroom.handlers")

LOOK_S = 3600.0
"""The wait between two looks at whether a day is over. Where more pictures are due than one round may delete,
the rest goes in the rounds of the next hours."""
DAY = timedelta(days=1)
HOME_S = 2.0
"""The pause after each Home that is shown anew. Slack takes a hundred a minute (views.publish, tier 4), and
what people ask for meanwhile is done beside few of them: there is only so much that is done at once."""


class Retaining:
    """A round at the start and one a day. *recall* has what was deleted recalled elsewhere, *show_home* shows
    somebody's Home as things stand; neither waits."""

    def __init__(
        self,
        retention: Retention,
        clock: Clock,
        recall: Callable[[], None],
        show_home: Callable[[str], None],
    ) -> None:
        self._retention = retention
        self._clock = clock
        self._recall = recall
        self._show_home = show_home
        self._rounds = Rounds("retaining", self.round, clock, LOOK_S)
        self._done_at: datetime | None = None

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._rounds.start()

    async def aclose(self, grace_s: float = 0.0) -> None:
        """Stop at once, whatever *grace_s* is: each step is whole, and the next start goes on from there."""
        await self._rounds.aclose(0.0)

    async def round(self) -> bool:
        """Delete what is due, unless that was done within the last day."""
        now = self._clock.now()
        if self._done_at is not None and self._done_at <= now < self._done_at + DAY:
            return True
        try:
            outcome = await self._retention.run(PICTURES_MAX)
        except BaseException:
            # What was deleted until then is not found again.
            self._recall()
            raise
        self._done_at = None if outcome.more else now
        counts = outcome.counts
        if counts != Counts(later=counts.later):
            logger.info("old enough, and deleted: %s", told(counts))
            self._recall()
        for user_id in sorted(outcome.user_ids):
            # Slack keeps what it shows there, prompts and all, until it is shown anew.
            self._show_home(user_id)
            await self._clock.sleep(HOME_S)
        return True


def told(counts: Counts) -> str:
    """What went, in a line."""
    return (
        f"{counts.pictures} pictures, the words of {counts.words} requests, {counts.comments} comments, "
        f"{counts.turns} requests; {counts.later} more requests wait for what they have left elsewhere"
    )
