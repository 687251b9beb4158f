"""Channels that are archived, or that Darkroom is taken out of, for a while, by somebody else's hand."""

from __future__ import annotations

import random

from sandbox.slack.model import Channel
from sandbox.slack.workspace import Workspace
from tests.simulation.people import People


class Rooms:
    """Those in which people ask. What a fault has closed is opened again here, too."""

    def __init__(self, workspace: Workspace, people: People, rng: random.Random) -> None:
        self._workspace = workspace
        self._rooms = [workspace.channels[name] for name in people.rooms]
        self._rng = rng
        self._until: dict[str, float] = {}

    def change(self, now: float) -> None:
        """Open whose time is up; perhaps close one, for minutes or for hours."""
        rng = self._rng
        for room in self._rooms:
            shut = room.archived or self._workspace.bot_user_id not in room.members
            if not shut:
                self._until.pop(room.id, None)
            elif self._until.setdefault(room.id, now + rng.choice((300.0, 3_600.0, 18_000.0))) <= now:
                self._open(room)
        if rng.random() < 0.06:
            room = rng.choice(self._rooms)
            if rng.random() < 0.5:
                room.archived = True
            else:
                room.members.discard(self._workspace.bot_user_id)

    def open_all(self) -> None:
        """As at the end of a run."""
        for room in self._rooms:
            self._open(room)

    def _open(self, room: Channel) -> None:
        room.archived = False
        room.members.add(self._workspace.bot_user_id)
        self._until.pop(room.id, None)
