"""What has changed in a workspace since somebody looked, so that a look need not read everything again."""

import uuid
from dataclasses import dataclass
from typing import Final

from sandbox.slack.model import Json

MOST: Final = 20_000
"""So many changed messages and files are remembered; whoever looked before that reads everything."""
_ALWAYS_TOLD: Final = frozenset(
    {
        "ack",
        "call",
        "ephemeral",
        "home",
        "hood",
        "ledger",
        "notification",
        "socket",
        "status",
        "switch",
        "view",
    }
)
"""Notices of what every look shows in full, or never."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look has to show: single messages as (channel, ts), whole rooms, and files, by their ids."""

    messages: frozenset[tuple[str, str]]
    rooms: frozenset[str]
    files: frozenset[str]


class Journal:
    """Numbers every change it is told of (`note`, for `Workspace.on_change`).

    A notice that is not understood, of a kind made later perhaps, lets everybody read everything again.
    """

    def __init__(self, most: int = MOST) -> None:
        self._name = uuid.uuid4().hex
        self._most = most
        self._now = self._floor = 0
        self._seen: dict[tuple[str, ...], int] = {}

    @property
    def token(self) -> str:
        """Names this moment, for `since`."""
        return f"{self._name}.{self._now}"

    def note(self, notice: Json) -> None:
        """Take in one of the workspace's notices."""
        kind, channel, ts = notice.get("kind"), notice.get("channel"), notice.get("ts")
        if kind in _ALWAYS_TOLD:
            return
        self._now += 1
        if kind == "file":
            self._mark("file", str(notice.get("id")))
        elif channel and ts and kind != "deleted":
            self._mark("message", str(channel), str(ts))
            if thread_ts := notice.get("thread_ts"):
                self._mark("message", str(channel), str(thread_ts))
        elif channel:
            self._mark("room", str(channel))
        else:
            self._forget()

    def since(self, token: str) -> Changes | None:
        """What changed after the moment that `token` names; None when everything has to be read."""
        name, _, number = token.partition(".")
        known = name == self._name and number.isdecimal() and len(number) < 20
        if not known or not self._floor <= int(number) <= self._now:
            return None
        found = [what for what, at in self._seen.items() if at > int(number)]
        return Changes(
            frozenset((channel, ts) for kind, channel, *rest in found for ts in rest if kind == "message"),
            frozenset(what[1] for what in found if what[0] == "room"),
            frozenset(what[1] for what in found if what[0] == "file"),
        )

    def _mark(self, *what: str) -> None:
        if len(self._seen) >= self._most and what not in self._seen:
            self._forget()
        self._seen[what] = self._now

    def _forget(self) -> None:
        self._seen.clear()
        self._floor = self._now
