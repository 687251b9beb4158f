"""What a demo notes beside its books: how far its time is ahead, where it listened, which caps it has filled.

The file is the demo's alone; the data directory of a Darkroom that ``run`` serves has none, and there the
time is the machine's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from darkroom.spending.changes import DropCap, Person, SetCap
from darkroom.spending.periods import PeriodKind
from sandbox.keeping.folder import make_folder, replace_file

NAME = "sandbox"
"""The folder in the data directory for all that is the demo's and not Darkroom's."""
FILE = "demo.json"
APART = timedelta(minutes=1)
"""A demo whose time is no further from the machine's has the same time."""
_AGES_S = timedelta(days=365 * 5000).total_seconds()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filled:
    """A person's cap as the switch has set it; ``own`` is what was decided for them before, in nano-dollars
    (None: no cap) and for which period, and None when nothing was. It is filled for the period that ends at
    ``until``, in unix seconds."""

    cap_nano_usd: int
    own: tuple[int | None, PeriodKind] | None = None
    until: float = 0.0

    def undone(self, user: str) -> SetCap | DropCap:
        """The decision that takes it back."""
        return DropCap(Person(user)) if self.own is None else SetCap(Person(user), *self.own)


@dataclass(frozen=True, slots=True)
class Note:
    """All of it. ``ahead_s`` is how many seconds the demo's time is ahead of the machine's, never behind;
    ``slack_url`` and ``images_port`` are where its Slack and its image API were, empty and 0 when nobody
    knows."""

    ahead_s: float = 0.0
    slack_url: str = ""
    images_port: int = 0
    filled: Mapping[str, Filled] = field(default_factory=dict)


def read_note(data_dir: Path) -> Note:
    """What a demo has noted there; nothing of note where none was, or where it cannot be read."""
    try:
        return _note(json.loads((data_dir / NAME / FILE).read_bytes()))
    except FileNotFoundError:
        return Note()
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        _log.warning("%s cannot be read and counts for nothing: %s", data_dir / NAME / FILE, error)
        return Note()


def _note(found: Any) -> Note:
    ahead, port = float(found["ahead_s"]), int(found["images_port"])
    if not 0 <= ahead < _AGES_S or not 0 <= port < 65536:
        raise ValueError("it has a time or a port that is none")
    filled = {
        str(user): Filled(
            int(each["cap_nano_usd"]),
            None if each["own"] is None else (each["own"][0], PeriodKind(each["own"][1])),
            float(each.get("until", 0.0)),
        )
        for user, each in found["filled"].items()
    }
    return Note(ahead, str(found["slack_url"]), port, filled)


def write_note(data_dir: Path, note: Note) -> None:
    """Note that, in place of what was noted before, whole or not at all. Where it cannot be written (a full
    disk) that is logged."""
    file = data_dir / NAME / FILE
    try:
        make_folder(file.parent)
        replace_file(file, json.dumps(asdict(note)).encode())
    except OSError as error:
        _log.warning("%s cannot be written: %s", file, error.strerror)


def time_in(data_dir: Path, now: datetime | None = None) -> datetime:
    """What time it is for the books there when it is *now* (left out: this moment) for the machine; aware, in
    UTC. Where they are a demo's it is the demo's, else the same."""
    return (now or datetime.now(UTC)) + timedelta(seconds=read_note(data_dir).ahead_s)


def time_told(now: datetime) -> str:
    """A line that says so when *now* is not the machine's time; else nothing."""
    if abs(now - datetime.now(UTC)) < APART:
        return ""
    return f"These are a demo's books, and there it is {now:%A}, {now.day} {now:%B %Y, %H:%M} UTC."
