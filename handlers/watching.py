"""What time brings by itself, looked up: models that will be shut down, months that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.reports import SpendReader
from darkroom.spending.watch import Due, Used, month_before, month_end, shutdowns


class Watch:
    """Says which alerts are due by now. Gives the same ones again: their keys keep them to once."""

    def __init__(
        self,
        catalogue: Catalogue,
        used: Sequence[Used],
        spend: SpendReader,
        team_id: str,
        caps: Caps,
        clock: Clock,
        *,
        month_end_report: bool,
    ) -> None:
        self._catalogue = catalogue
        self._used = used
        self._spend = spend
        self._team_id = team_id
        self._caps = caps
        self._clock = clock
        self._month_end_report = month_end_report
        self._looked_at: datetime | None = None
        self._something = False

    async def due(self) -> list[Due]:
        """Everything that is due now. Whether a month is worth a report is read from the books once."""
        now = self._clock.now()
        found = shutdowns(self._used, self._catalogue, now)
        if not self._month_end_report:
            return found
        month = month_before(self._caps.timezone, now)
        if self._looked_at != month.start:
            total = (await self._spend.report(self._team_id, month, self._caps, now)).total
            self._something = bool(total.charged_nano_usd or total.held_nano_usd or total.pictures)
            self._looked_at = month.start
        return [*found, month_end(month)] if self._something else found
