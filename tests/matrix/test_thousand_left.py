"""A thousand turns are left when Darkroom dies: who they are for, and who comes anew, is told in time."""

from __future__ import annotations

import pytest

from tests.matrix.street import many
from tests.matrix.thousand_left import NEWCOMERS, Left, start_after
from tests.reliability import kept

SOON_S, LATE_S = 30.0, 7_200.0
"""Started again soon everything is made; after two hours what only waited is too old."""
SLACKS_PATIENCE_S = 3.0
FIRST_ANSWER_S = 10.0
CLOSED_S = 10.0
PACE_MAX = 1.5
"""All are told in so many times what Slack and the API take for it at least."""


@pytest.mark.proof
@pytest.mark.timeout(1_200)
def test_a_thousand_turns_are_closed_in_seconds_told_at_slacks_pace_and_in_nobodys_way() -> None:
    with many():
        soon, late = start_after(SOON_S), start_after(LATE_S)
    names = dict.fromkeys(name for left in (soon, late) for name, _ in left.figures())
    for name in names:
        kept("thousand-left", [name, *(dict(left.figures()).get(name, 0) for left in (soon, late))])
    for left in (soon, late):
        _holds(left)
    assert soon.ends.keys() <= {"pictures, pictures", "blocked, moderation", "uncertain, uncertain"}
    assert late.ends["cancelled, too_old"] == late.kinds["waiting"]


def _holds(left: Left) -> None:
    assert left.wrong == []
    assert left.kinds.total() == left.ends.total() == 1_000
    assert left.kinds["being made"] > 32
    assert left.kinds["ended and not told"] > 200
    assert left.closed_s <= CLOSED_S
    assert left.told_s <= PACE_MAX * left.least_s
    assert len(left.answered_s) == len(left.acknowledged_s) == NEWCOMERS
    assert max(left.acknowledged_s) < SLACKS_PATIENCE_S
    assert max(left.answered_s) < FIRST_ANSWER_S
