"""Work beside the listeners: held on to, bounded, and waited for at the end."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing

import pytest

from handlers.errands import ERRANDS_MAX, Errands, where


async def test_running_errands_are_waited_for_at_the_end() -> None:
    errands, go, done = Errands(), asyncio.Event(), list[str]()

    async def work() -> None:
        await go.wait()
        done.append("done")

    errands.start("work", work())
    go.set()
    await errands.aclose(5.0)
    assert done == ["done"]


async def test_what_does_not_end_in_time_is_given_up() -> None:
    errands, stopped = Errands(), list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("stopped")

    errands.start("work", work())
    await asyncio.sleep(0)
    await errands.aclose(0.0)
    assert stopped == ["stopped"]


async def test_too_many_at_once_are_dropped_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    errands, go, done = Errands(), asyncio.Event(), list[int]()

    async def work(number: int) -> None:
        await go.wait()
        done.append(number)

    for number in range(ERRANDS_MAX + 3):
        errands.start(f"work {number}", work(number))
    go.set()
    await errands.idle()
    assert len(done) == ERRANDS_MAX
    assert f"errand work {ERRANDS_MAX} dropped" in caplog.text


async def test_an_errand_that_breaks_says_sorry_once(caplog: pytest.LogCaptureFixture) -> None:
    errands, said = Errands(), list[str]()

    async def work() -> None:
        raise RuntimeError("secret")

    async def sorry() -> None:
        said.append("sorry")
        raise RuntimeError("secret too")

    errands.start("work", work(), sorry)
    await errands.idle()
    assert said == ["sorry"]
    assert "errand work broke: RuntimeError at" in caplog.text
    assert "secret" not in caplog.text


def _full() -> sqlite3.Error:
    """What SQLite raises when a database may not grow."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE kept (a)")
        db.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.Error) as caught:
            db.execute("INSERT INTO kept VALUES (randomblob(100000))")
    return caught.value


def _wrong() -> sqlite3.Error:
    """What SQLite raises at a statement that it cannot read."""
    with closing(sqlite3.connect(":memory:")) as db, pytest.raises(sqlite3.Error) as caught:
        db.execute("SELECT a red fox")
    return caught.value


@pytest.mark.parametrize(
    ("error", "says", "hides"),
    [
        (OSError(28, "No space left on device", "/home/alice/picture"), "No space left on device", "alice"),
        (_full(), "database or disk is full", "kept"),
        (_wrong(), "SQLITE_ERROR", "fox"),
        (ValueError("a red fox"), "ValueError", "fox"),
    ],
    ids=["disk", "database", "statement", "prompt"],
)
def test_the_log_says_what_is_wrong_with_a_disk_and_nothing_that_anybody_wrote(
    error: Exception, says: str, hides: str
) -> None:
    assert says in where(error)
    assert hides not in where(error)


async def test_after_the_end_none_is_begun(caplog: pytest.LogCaptureFixture) -> None:
    """A listener that was late must not work on what is closed."""
    caplog.set_level(logging.INFO, logger="darkroom.handlers")
    errands, ran = Errands(), False

    async def work() -> None:
        nonlocal ran
        ran = True

    await errands.aclose(0)
    errands.start("late", work())
    await errands.idle()
    assert not ran
    assert "errand late dropped" in caplog.text
