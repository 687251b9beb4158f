"""Every fault of Slack's, at every method that a turn's life calls: no picture is lost or seen twice, its
person is told, charged is what was billed; and the page's tables say how each ends."""

from __future__ import annotations

import pytest

from sandbox.faults.slack_names import SLACK_NAMES
from tests.handlers.slack_matrix import SCENES, TROUBLES, matrix, whole
from tests.matrix.seen import Seen
from tests.matrix.slack_side import (
    EVERYWHERE,
    OUTGOING,
    Times,
    called,
    cell,
    faulty,
    in_words,
    possible,
    rows,
)
from tests.reliability import collecting, kept
from tests.reliability.tables import by_cell, rows_of

EVERY = 40
"""One of so many cells is looked at in ``make test``."""
TABLES: dict[str, Times] = {"slack-once": 1, "slack-hour": None}
LASTS = {"slack-once": "once", "slack-hour": "for an hour"}
STALE = "docs/reliability.md is not up to date: make reliability"


@pytest.mark.slow
@pytest.mark.usefixtures("streets")
@pytest.mark.parametrize("table", TABLES)
def test_some_faults_end_as_promised_and_as_the_page_says(table: str) -> None:
    """A sample of what the proof does for all of them."""
    page = by_cell(table)
    methods = called()
    cells = list(possible(methods))[len(table) :: EVERY]
    for fault, place in cells:
        seen = cell(methods[place], fault, place, TABLES[table])
        if seen is None:
            continue
        assert faulty(seen, fault, place) == [], (fault, place)
        told = page.get((fault, place)) or page[fault, EVERYWHERE]
        assert told == in_words(seen, fault), (fault, place)
    assert len(cells) > 5


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("streets")
@pytest.mark.parametrize("table", TABLES)
def test_every_fault_at_every_method_ends_as_promised(table: str) -> None:
    methods, cells = called(), dict[tuple[str, str], Seen]()
    for fault, place in possible(methods):
        seen = cell(methods[place], fault, place, TABLES[table])
        if seen is not None:
            cells[fault, place] = seen
    wrong = {key: found for key, seen in cells.items() if (found := faulty(seen, *key))}
    assert wrong == {}
    made = rows(cells)
    for row in made:
        kept(table, row)
    kept("cells", [f"faults of Slack's, each at each method, {LASTS[table]}", len(cells)])
    assert collecting() or rows_of(table) == made, STALE


@pytest.mark.slow
@pytest.mark.usefixtures("streets")
def test_the_scenes_call_what_makes_and_shows_pictures_and_every_fault_there_is_played() -> None:
    methods = called()
    assert {"chat.postMessage", "upload", "files.completeUploadExternal", "files.info"} <= methods.keys()
    assert {"chat.update", "chat.delete", "chat.postEphemeral", "response_url"} <= methods.keys()
    played = {fault for fault, _ in possible(methods)}
    left = {named.name for named in SLACK_NAMES if named.places("*") & OUTGOING} - played
    assert left <= {
        named.name for named in SLACK_NAMES if all("view" in p or "conv" in p for p in named.places("*"))
    }


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_the_pages_table_of_deliveries_over_http_is_what_comes_out() -> None:
    """Each error on each method, for a picture that is to be delivered, over real HTTP."""
    cells = await matrix()
    made = [
        [f"`{scene.method}`", *(cells[scene.method, trouble.name].words for trouble in TROUBLES)]
        for scene in SCENES
    ]
    for row in made:
        kept("slack-http", row)
    everything = [[name, seen.words] for name, seen in (await whole()).items()]
    for row in everything:
        kept("slack-whole", row)
    assert collecting() or (rows_of("slack-http"), rows_of("slack-whole")) == (made, everything), STALE
