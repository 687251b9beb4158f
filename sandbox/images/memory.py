"""What the API remembers: running and stored responses, within bounds."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A picture in a conversation: base64, and its size in pixels."""

    base64: str
    width: int
    height: int


class Run:
    """The events of one response while they come, for any number of followers at their own pace."""

    def __init__(self) -> None:
        self._events: list[Json] = []
        self._ended = False
        self._news = asyncio.Event()

    def tell(self, event: Json) -> None:
        """Append an event and wake the followers."""
        self._events.append(event)
        self._wake()

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._wake()

    async def ended(self) -> None:
        """Wait until no more events will come."""
        while not self._ended:
            await self._news.wait()

    async def follow(self) -> AsyncGenerator[Json, None]:
        """Every event from the first to the last, waiting for those that are not there yet."""
        seen = 0
        while True:
            while seen < len(self._events):
                yield self._events[seen]
                seen += 1
            if self._ended:
                return
            await self._news.wait()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


@dataclass
class Remembered:
    """One response: its latest object, and the conversation up to it.

    `shown` is the newest picture in sight, `tokens` what the conversation costs a host to read again, without
    instructions and tool; `subject` says what the newest picture shows. `run` is set while it runs; `line`
    are the ids of the responses before it, the oldest first.
    """

    response: Json
    stored: bool
    tokens: int = 0
    subject: str = ""
    shown: Shown | None = None
    run: Run | None = None
    items: tuple[str, str] = ("", "")
    line: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether it can be continued."""
        return self.run is None and self.response["status"] == "completed"

    @property
    def weight(self) -> int:
        """Characters of base64 it keeps alive."""
        return len(self.shown.base64) if self.shown else 0


@dataclass
class Memory:
    """Responses by id, at most `most` of them and `heaviest` characters of pictures; the oldest go first.
    Those in `on_change` hear when another is remembered, or one no more."""

    most: int
    heaviest: int
    _kept: OrderedDict[str, Remembered] = field(default_factory=OrderedDict)
    _weights: dict[str, int] = field(default_factory=dict)
    _deleted: OrderedDict[str, None] = field(default_factory=OrderedDict)
    on_change: list[Callable[[], None]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, response_id: str, remembered: Remembered) -> None:
        """Remember a response, or what became of one; the oldest finished ones make room."""
        self.forget(response_id)
        self._kept[response_id] = remembered
        self._weights[response_id] = remembered.weight
        self._changed()
        while len(self._kept) > self.most or sum(self._weights.values()) > self.heaviest:
            oldest = next((key for key, value in self._kept.items() if value.run is None), None)
            if oldest is None or oldest == response_id:
                return
            self.forget(oldest)

    def find(self, response_id: str) -> Remembered | None:
        """The response, or None."""
        return self._kept.get(response_id)

    def items(self) -> list[tuple[str, Remembered]]:
        """Everything that is remembered, with its id, the oldest first."""
        return list(self._kept.items())

    def deleted(self) -> list[str]:
        """The ids of what was forgotten on somebody's word, the oldest first."""
        return list(self._deleted)

    def restore(self, kept: Mapping[str, Remembered], deleted: Iterable[str]) -> None:
        """Remember these instead of all else."""
        self.forget(None)
        self._deleted = OrderedDict.fromkeys(deleted)
        for response_id, remembered in kept.items():
            self.add(response_id, remembered)

    def owner_of(self, item_id: str) -> Remembered | None:
        """The response that made the image item `item_id`, or None."""
        return next((kept for kept in reversed(self._kept.values()) if kept.items[1] == item_id), None)

    def delete(self, response_id: str) -> None:
        """Forget a response on somebody's word: a conversation that leads through it cannot go on either."""
        self.forget(response_id)
        self._deleted[response_id] = None
        while len(self._deleted) > self.most:
            self._deleted.popitem(last=False)
        self._changed()

    def broken(self, remembered: Remembered) -> bool:
        """Whether a response of its conversation was deleted."""
        return any(earlier in self._deleted for earlier in remembered.line)

    def forget(self, response_id: str | None) -> None:
        """Expire one response, or with None all of them. Unknown ids are ignored."""
        gone = list(self._kept) if response_id is None else [response_id]
        for key in gone:
            if self._kept.pop(key, None) is not None:
                del self._weights[key]
                self._changed()

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()
