"""What went to and fro, newest last: short entries, and the details behind each, both within bounds."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from sandbox.hood.abridging import abridged, line

Json = dict[str, Any]
Kind = Literal["event", "command", "interactive", "ack", "web", "file", "response_url", "image"]

MOST_ENTRIES: Final = 2_000
MOST_SHOWN: Final = 200
HEAVIEST: Final = 16_000_000
"""Characters of details that are kept; the oldest go first, their entries stay."""
_PART_MAX: Final = 24_000
_STREAM_MAX: Final = 12_000
_MOST_EVENTS: Final = 100
_GONE: Final = '"(no longer kept)"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that went to or fro.

    `at` is in unix seconds by the sandbox's clock, `ms` how long it really took; `ok` is None while that is
    not known. `thread` is the ts that opened the thread; `again` counts the tries before this one. `tokens`
    and `price_usd` are what a picture was billed.
    """

    id: int
    at: float
    kind: Kind
    name: str
    said: str
    ms: float | None = None
    ok: bool | None = None
    error: str | None = None
    channel: str | None = None
    thread: str | None = None
    tokens: dict[str, int] | None = None
    price_usd: str | None = None
    again: int = 0

    def as_json(self) -> Json:
        """As the page gets it."""
        return asdict(self)


@dataclass(slots=True)
class _Details:
    """The JSON of what was asked and answered, and the events in between."""

    request: str = "null"
    answer: str = "null"
    stream: list[Json] | None = None
    streamed: int = field(default=0)

    @property
    def weight(self) -> int:
        return len(self.request) + len(self.answer) + self.streamed


class Record:
    """The newest entries. `tell` hears of each that is new or has changed; `now` is the sandbox's clock."""

    def __init__(
        self,
        now: Callable[[], float],
        tell: Callable[[Entry], None],
        *,
        most: int = MOST_ENTRIES,
        heaviest: int = HEAVIEST,
    ) -> None:
        self._now = now
        self._tell = tell
        self._most = most
        self._heaviest = heaviest
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._details: OrderedDict[int, _Details] = OrderedDict()
        self._weight = 0
        self.last = 0
        """The id of the newest entry; 0 before there is one."""

    def open(
        self,
        kind: Kind,
        name: str,
        said: str,
        request: Any = None,
        *,
        channel: str | None = None,
        thread: str | None = None,
        again: int = 0,
    ) -> int:
        """A new entry that still runs; gives its id."""
        self.last += 1
        self._entries[self.last] = entry = Entry(
            self.last, self._now(), kind, name, line(said), channel=channel, thread=thread, again=again
        )
        self._details[self.last] = details = _Details(abridged(request, _PART_MAX))
        self._weight += details.weight
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        self._lighten()
        self._tell(entry)
        return self.last

    def change(self, entry_id: int, **changes: Any) -> None:
        """Put in what is known by now, by the fields of `Entry`. What is forgotten already stays so."""
        entry = self._entries.get(entry_id)
        if entry is None:
            return
        changed = replace(entry, **changes)
        if changed != entry:
            self._entries[entry_id] = changed
            self._tell(changed)

    def answer(self, entry_id: int, answer: Any) -> None:
        """Keep what was answered."""
        if (details := self._details.get(entry_id)) is not None:
            before = details.weight
            details.answer = abridged(answer, _PART_MAX)
            self._weight += details.weight - before
            self._lighten()

    def event(self, entry_id: int, at_ms: float, event: str, said: str) -> None:
        """Keep one event of what is streamed, `at_ms` after its beginning."""
        details = self._details.get(entry_id)
        if details is None:
            return
        details.stream = [] if details.stream is None else details.stream
        made = {"at_ms": round(at_ms, 1), "event": line(event, 80), "said": line(said)}
        weight = len(json.dumps(made))
        if len(details.stream) < _MOST_EVENTS and details.streamed + weight <= _STREAM_MAX:
            details.stream.append(made)
            details.streamed += weight
            self._weight += weight
            self._lighten()

    def newest(
        self, after: int | None = None, *, channel: str | None = None, thread: str | None = None
    ) -> list[Entry]:
        """At most `MOST_SHOWN` entries, oldest first: those behind `after`, else the newest; of one channel,
        of one thread."""
        fitting = [
            entry
            for entry in self._entries.values()
            if (after is None or entry.id > after)
            and channel in (None, entry.channel)
            and thread in (None, entry.thread)
        ]
        return fitting[-MOST_SHOWN:] if after is None else fitting[:MOST_SHOWN]

    def details(self, entry_id: int) -> Json | None:
        """An entry with what was asked, answered and streamed; None when it is not kept (any more)."""
        entry = self._entries.get(entry_id)
        if entry is None:
            return None
        kept = self._details.get(entry_id) or _Details(_GONE, _GONE)
        return {
            "entry": entry.as_json(),
            "request": json.loads(kept.request),
            "answer": json.loads(kept.answer),
            "stream": kept.stream,
        }

    def clear(self) -> None:
        """Forget all of it; ids go on."""
        self._entries.clear()
        self._details.clear()
        self._weight = 0

    def _lighten(self) -> None:
        while self._weight > self._heaviest or len(self._details) > self._most:
            _, gone = self._details.popitem(last=False)
            self._weight -= gone.weight
