"""A day of 429s: everybody's turn comes, the order in threads holds, each turn ends."""

from __future__ import annotations

from statistics import median

import pytest

from tests.matrix.day_of_429s import HOUR_S, PEOPLE, day, longest_spell_s
from tests.reliability import kept

AVERAGE_MAX = 2.5
"""Nobody's average wait is more than so many times that of the person in the middle."""
LONGEST_MAX = 1.5
"""Nobody's longest wait is more than so many times that of the person in the middle."""
ENDS = {"pictures, pictures", "declined, queue_full"}
"""No spell is as long as the hour for which a picture waits for its rate: nothing may end for that."""


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_on_a_day_of_429s_nobody_starves_and_nobody_is_overtaken() -> None:
    seen = day()
    for row in seen.figures():
        kept("day-of-429s", row)
    assert seen.wrong == []
    assert seen.overtaken == []
    assert seen.ends.keys() <= ENDS
    assert seen.ends["pictures, pictures"] > 0.98 * seen.ends.total()
    assert len(seen.waits) == PEOPLE
    assert seen.means[-1] <= AVERAGE_MAX * median(seen.means)
    longest = sorted(max(waits) for waits in seen.others.values())
    assert longest[-1] <= LONGEST_MAX * median(longest)
    assert longest[-1] <= longest_spell_s() + HOUR_S
    assert seen.refusals > 300
    assert seen.refusals_of_slack > 300
