"""Which turn the work at hand is for, so that every line of the log about it can name it.

It goes wherever the work goes: into the tasks that it starts, and over to the render thread and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TURN: ContextVar[str | None] = ContextVar("darkroom_turn", default=None)


def current_turn() -> str | None:
    """The id of the turn that is worked on here, None where it is none's."""
    return _TURN.get()


def work_for(turn_id: str) -> None:
    """From here on this task works for that turn, and what it starts does too."""
    _TURN.set(turn_id)


@contextmanager
def working_for(turn_id: str | None) -> Iterator[None]:
    """Inside, the work is for that turn (or for none); afterwards it is for whom it was before."""
    before = _TURN.set(turn_id)
    try:
        yield
    finally:
        _TURN.reset(before)
