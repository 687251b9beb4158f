"""Asking the person in front of the terminal."""

from __future__ import annotations

import asyncio
import io
import os
import selectors
import sys

import pytest

from bot.doctor.live_asking import Reply, ask_person


@pytest.mark.parametrize(
    ("typed", "reply"),
    [("y\n", Reply.YES), (" No \n", Reply.NO), ("skip\n", Reply.SKIP), ("what?\n\nyes\n", Reply.YES)],
)
async def test_it_is_asked_until_the_answer_is_one(
    typed: str, reply: Reply, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert await ask_person("Is it blue?") is reply
    shown = capsys.readouterr()
    assert shown.err.count("Is it blue? [y/n/skip] ") == typed.count("\n")
    assert shown.out == ""


async def test_where_nothing_can_be_read_everything_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert await ask_person("Is it blue?") is Reply.SKIP


async def test_who_stops_it_does_not_have_to_answer_first(monkeypatch: pytest.MonkeyPatch) -> None:
    source, sink = os.pipe()
    with os.fdopen(source) as silent:
        monkeypatch.setattr(sys, "stdin", silent)
        asking = asyncio.create_task(ask_person("Is it blue?"))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        os.write(sink, b"y\n")  # lets the thread that reads go
        os.close(sink)


class Sleeps(selectors.DefaultSelector):
    """For how long a loop slept, at most; the person types when it sleeps for the first time."""

    def __init__(self, typing: int) -> None:
        super().__init__()
        self.longest: list[float | None] = []
        self._typing = typing

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout != 0:
            if not self.longest:
                os.write(self._typing, b"y\n")
            self.longest.append(timeout)
        return super().select(timeout)


def test_while_nobody_types_it_looks_whether_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C just before the loop begins to sleep does not wake it: it must not sleep for ever."""
    source, sink = os.pipe()
    sleeps = Sleeps(sink)
    with os.fdopen(source) as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(sleeps)) as runner:
            assert runner.run(ask_person("Is it blue?")) is Reply.YES
        os.close(sink)
    assert sleeps.longest
    assert None not in sleeps.longest
