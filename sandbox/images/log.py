"""The record of calls: bounded, and told to whoever watches."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sandbox.images.faults import Call
from sandbox.images.inputs import abridged

Json = dict[str, Any]
_KEPT_HEADERS = (
    "content-type",
    "idempotency-key",
    "openai-organization",
    "openai-project",
    "user-agent",
    "x-client-request-id",
    "x-stainless-retry-count",
)


class Watcher(Protocol):
    """Somebody who looks on. What is handed over is the API's own and must not be changed or kept."""

    def call(self, call: Call) -> None:
        """A call has come in, or has changed."""
        ...

    def event(self, call: Call, event: Json) -> None:
        """An event has happened in what the call began, whether or not anybody is there to hear it."""
        ...

    def answered(self, call: Call, status: int, body: Json | None) -> None:
        """The answer, or with a stream its beginning (`body` is None)."""
        ...


class CallLog:
    """The newest `most` calls, oldest first; `tell` hears of every change, with the call's plain dict, and
    so do the `watchers`, of more."""

    def __init__(self, most: int, now: Callable[[], float], tell: Callable[[Json], None]) -> None:
        self.calls: list[Call] = []
        self._most = most
        self._now = now
        self._tell = tell
        self._opened = 0
        self.watchers: list[Watcher] = []

    def open(self, endpoint: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Call:
        """Begin the record of a call; keys are never in it."""
        self._opened += 1
        kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        call = Call(self._opened, endpoint, abridged(body), kept, self._now())
        self.calls.append(call)
        del self.calls[: -self._most]
        self._changed(call)
        return call

    def close(self, call: Call, outcome: str, billed: Mapping[str, int] | None = None) -> None:
        """The call, or the generation it began, has come to its end."""
        call.outcome = outcome
        call.ended_at = self._now()
        call.billed = dict(billed or {})
        self._changed(call)

    def cut(self, call: Call) -> None:
        """The connection ended before the answer did."""
        if not call.cut:
            call.cut = True
            self._changed(call)

    def event(self, call: Call, event: Json) -> None:
        """Something happened in what a call began."""
        for watcher in self.watchers:
            watcher.event(call, event)

    def answered(self, call: Call, status: int, body: Json | None) -> None:
        """A call is being answered."""
        for watcher in self.watchers:
            watcher.answered(call, status, body)

    def _changed(self, call: Call) -> None:
        self._tell(call.as_dict())
        for watcher in self.watchers:
            watcher.call(call)
