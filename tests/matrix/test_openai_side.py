"""Every fault of the image API, in every moment in which it can come: one visible outcome, charged what was
billed, nothing held, nothing standing, nothing bought twice; and the page's table says how each ends."""

from __future__ import annotations

import pytest

from sandbox.faults.openai_names import OPENAI_NAMES
from tests.matrix.moments import MOMENTS, Moment
from tests.matrix.openai_side import (
    WHENEVER,
    cell,
    faulty,
    hour,
    hour_row,
    in_words,
    possible,
    rows,
    sample,
)
from tests.matrix.seen import Seen
from tests.matrix.street import many
from tests.reliability import collecting, kept
from tests.reliability.tables import by_cell, rows_of

EVERY = 30
"""One of so many cells is looked at in ``make test``."""
STALE = "docs/reliability.md is not up to date: make reliability"
LASTING = [named.name for named in OPENAI_NAMES if named.places("*") & {"responses"}]


@pytest.mark.slow
@pytest.mark.usefixtures("streets")
def test_some_faults_end_as_promised_and_as_the_page_says() -> None:
    """A sample of what the proof does for all of them."""
    table, looked = by_cell("openai"), 0
    for moment, fault in sample(EVERY):
        seen = cell(moment, fault)
        if seen is None:
            continue
        looked += 1
        assert faulty(seen, moment.wanted) == [], (moment.name, fault)
        told = table.get((fault, moment.name)) or table[fault, WHENEVER]
        assert told == in_words(seen, moment.name), (moment.name, fault)
    assert looked > 10


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_every_fault_in_every_moment_ends_as_promised() -> None:
    cells: dict[str, dict[str, Seen]] = {named.name: {} for named in OPENAI_NAMES}
    with many():
        for moment in MOMENTS:
            for named in possible(moment):
                seen = cell(moment, named.name)
                if seen is not None:
                    cells[named.name][moment.name] = seen
    wanted = {moment.name: moment.wanted for moment in MOMENTS}
    wrong = {
        (fault, moment): found
        for fault, by_moment in cells.items()
        for moment, seen in by_moment.items()
        if (found := faulty(seen, wanted[moment]))
    }
    assert wrong == {}
    assert [fault for fault, by_moment in cells.items() if not by_moment] == [], "faults that never came"
    made = rows(cells)
    for row in made:
        kept("openai", row)
    kept("cells", ["faults of the image API, each in each moment", sum(map(len, cells.values()))])
    assert collecting() or rows_of("openai") == made, STALE


@pytest.mark.proof
@pytest.mark.usefixtures("streets")
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_an_hour_ends_as_promised_and_is_over_after_it(fault: str) -> None:
    first, after = hour(fault)
    assert faulty(first, 1) == faulty(after, 1) == []
    assert (after.reason, after.charged) == ("pictures", "as billed")
    row = hour_row(fault, first)
    kept("openai-hour", row)
    # When exactly it ended is not promised.
    assert collecting() or row[:-1] in [known[:-1] for known in rows_of("openai-hour")], STALE


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_every_moment_has_faults_that_may_come(moment: Moment) -> None:
    assert len(possible(moment)) > 5
    assert "," not in moment.name
