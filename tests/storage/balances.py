"""What a turn's budgets say, as a report reads them, after every write made before."""

from __future__ import annotations

from datetime import datetime

from darkroom.spending.budgets import Balance, Caps
from darkroom.turns.model import Turn
from storage import budgets
from storage.arrivals import payer_of
from storage.database import Database
from storage.policy import load_policy


async def balances(database: Database, turn: Turn, caps: Caps, at: datetime) -> list[Balance]:
    """The budgets that *turn* would be paid from: the person's, the channel's, the workspace's."""
    team = turn.request.team_id
    return await database.look(
        lambda db: budgets.balances(db, payer_of(db, turn.id), load_policy(db, team), caps, at)
    )
