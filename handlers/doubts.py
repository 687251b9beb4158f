"""Which placeholders may stand twice, since Slack did not say whether it had posted them."""

from __future__ import annotations

DOUBTS_MAX = 2_000
"""Of so many turns it is remembered, those of the latest posts."""


class Doubts:
    """The turns one of whose posts Slack never answered, and may yet carry out: bounded, and forgotten with
    the process."""

    def __init__(self) -> None:
        self._turns: dict[str, None] = {}

    def add(self, turn_id: str) -> None:
        """A post of that turn may stand where nobody knows of it, or come to stand there."""
        self._turns.pop(turn_id, None)
        self._turns[turn_id] = None
        if len(self._turns) > DOUBTS_MAX:
            del self._turns[next(iter(self._turns))]

    def forget(self, turn_id: str) -> None:
        """Somebody has looked at the end."""
        self._turns.pop(turn_id, None)

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._turns
