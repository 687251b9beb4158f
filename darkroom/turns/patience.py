"""Waiting as one was told to, such as for Slack's pace, is not being stuck: who waits for a turn says so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

Noted = Callable[[], AbstractContextManager[None]]

_NOTED: ContextVar[Noted] = ContextVar("noted", default=nullcontext)


def told_to_wait() -> AbstractContextManager[None]:
    """Whoever is inside waits as they were told to. Does nothing where no turn is worked on."""
    return _NOTED.get()()


def note_waits(noted: Noted) -> None:
    """Have *noted* called for each such wait of the running task, and of those that it makes from now on."""
    _NOTED.set(noted)
