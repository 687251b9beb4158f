"""Socket Mode from Slack's side: envelopes out, acknowledgements in, second and third tries for events."""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack import limits
from sandbox.slack.model import Ack, Json

Send = Callable[[Json], Awaitable[None]]
Watch = Callable[["Parcel", str, str | None], None]
"""Hears of a parcel, by the envelope id of one delivery of it: that it was sent (None), was acknowledged
(`"acknowledged"`), or what Slack says went wrong with it."""
HangUp = Callable[[], Awaitable[None]]


class TooManySockets(Exception):
    """An app may hold ten connections; this would be the eleventh."""


@dataclass(eq=False)
class Socket:
    """One connection of the app. `draining` ones were told to go and get nothing more; through `hung` ones
    nothing passes any more, in either direction. `hang_up` ends it politely, `cut` does not."""

    number: int
    send: Send
    hang_up: HangUp | None = None
    draining: bool = False
    hung: bool = False
    cut: HangUp | None = None


@dataclass(eq=False)
class Parcel:
    """One payload on its way. `envelopes` maps each envelope id it travelled under to when it was sent."""

    kind: str
    payload: Json
    accepts_response: bool
    attempt: int = 0
    envelopes: dict[str, float] = field(default_factory=dict)
    socket: Socket | None = None
    acked: bool = False
    failed: str = ""
    """What went wrong with the newest delivery, if that is known: as the person who clicked reads it."""
    unwanted: bool = False
    """Whether the app has asked not to be sent it again."""
    retry_reason: str = "timeout"
    answer: Json | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def envelope(self, envelope_id: str) -> Json:
        """The JSON of one delivery (events carry the retry fields, the others do not)."""
        made: Json = {
            "envelope_id": envelope_id,
            "payload": copy.deepcopy(self.payload),
            "type": self.kind,
            "accepts_response_payload": self.accepts_response,
        }
        if self.kind == "events_api":
            made["retry_attempt"] = self.attempt
            made["retry_reason"] = self.retry_reason if self.attempt else ""
        return made


class Delivery:
    """The sending half of Socket Mode. Knows no messages and no channels, only payloads.

    `retry_delays_s` are the waits before the second, third and fourth delivery of an event that nobody
    acknowledged within `ack_timeout_s`. With no socket, up to `backlog_max` events wait for one. `underway`
    is what was sent and has not reached a socket yet: here nothing, things go at once.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        changed: Callable[[Json], None],
        mint: Callable[[], str],
        app_id: str,
    ) -> None:
        self._now, self._sleep, self._spawn, self._changed = now, sleep, spawn, changed
        self._mint, self._app_id = mint, app_id
        self.ack_timeout_s: float = limits.ACK_TIMEOUT_S
        self.retry_delays_s: tuple[float, ...] = limits.EVENT_RETRIES_S
        self.backlog_max = 1000
        self.sockets: list[Socket] = []
        self.backlog: deque[Parcel] = deque()
        self.underway: list[Parcel] = []
        self.acks: deque[Ack] = deque(maxlen=limits.RECORDS_MAX)
        self.sent: deque[Json] = deque(maxlen=limits.RECORDS_MAX)
        self.given_up: deque[Parcel] = deque(maxlen=1000)
        self.watchers: list[Watch] = []
        self._by_envelope: dict[str, Parcel] = {}
        self._order: deque[str] = deque()
        self._next = 0
        self._turn = 0

    @property
    def unanswered(self) -> list[Parcel]:
        """Parcels that were sent at least once, or wait to be, and are not acknowledged."""
        waiting = [*self._by_envelope.values(), *self.backlog, *self.underway]
        known = {id(parcel): parcel for parcel in waiting}
        gone = {id(parcel) for parcel in self.given_up}
        return [parcel for key, parcel in known.items() if not parcel.acked and key not in gone]

    async def attach(self, send: Send, hang_up: HangUp | None = None, cut: HangUp | None = None) -> Socket:
        """A new connection: say hello, then hand over what waited. Raises TooManySockets at ten."""
        if len(self.sockets) >= limits.SOCKETS_MAX:
            raise TooManySockets
        self._next += 1
        socket = Socket(self._next, send, hang_up, cut=cut)
        self.sockets.append(socket)
        hello = {
            "type": "hello",
            "num_connections": len(self.sockets),
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }
        if not await self._try_send(socket, hello):
            return socket
        self._changed({"kind": "socket", "connected": len(self.sockets)})
        await self._greeted(socket)
        for _ in range(len(self.backlog)):
            if self.backlog:
                await self._dispatch(self.backlog.popleft())
        return socket

    def detach(self, socket: Socket) -> None:
        """A connection is gone: the events it never acknowledged go out again at once."""
        if socket not in self.sockets:
            return
        self.sockets.remove(socket)
        for parcel in dict.fromkeys(self._by_envelope.values()):
            if parcel.socket is socket and not parcel.acked:
                parcel.socket = None
                parcel.stirred.set()
        self._changed({"kind": "socket", "connected": len(self.sockets)})

    async def refresh(self) -> None:
        """Ask every connection to be replaced, as Slack does every few hours."""
        for socket in list(self.sockets):
            socket.draining = True
            notice = {"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "sandbox"}}
            await self._try_send(socket, notice)

    def forget(self) -> None:
        """Drop every parcel and every record of one; connections stay."""
        for kept in (self.backlog, self.underway, self.acks, self.sent, self.given_up, self._order):
            kept.clear()
        self._by_envelope.clear()

    async def event(self, payload: Json) -> Parcel:
        """Send an event: returns once it is on the wire (or in the backlog), not when it is acknowledged."""
        parcel = Parcel("events_api", payload, accepts_response=False)
        await self._dispatch(parcel)
        if parcel.envelopes or parcel in self.backlog or parcel in self.underway:
            self._spawn(self._insist(parcel))
        else:
            self.given_up.append(parcel)
        return parcel

    def resume(self, payload: Json, attempt: int) -> None:
        """Go on with an event from before a restart, by then sent `attempt` times again: it waits for a
        connection."""
        parcel = Parcel("events_api", payload, accepts_response=False, attempt=attempt)
        self._keep(parcel)
        self._spawn(self._insist(parcel))

    async def interaction(
        self, kind: str, payload: Json, *, accepts_response: bool
    ) -> tuple[Parcel, str | None]:
        """Send a command or a click and wait for the answer; the second item is what went wrong, if so."""
        parcel = Parcel(kind, payload, accepts_response)
        if not await self._deliver(parcel):
            self._tell(parcel, "dispatch_failed")
            return parcel, "dispatch_failed"
        if not await self._wait(parcel, self.ack_timeout_s, even_if_lost=True):
            trouble = parcel.failed or "operation_timeout"
            self._tell(parcel, trouble)
            return parcel, trouble
        return parcel, None

    def acknowledge(self, envelope_id: str, payload: Json | None = None) -> bool:
        """Take an acknowledgement; False when no such envelope was ever sent."""
        parcel = self._by_envelope.get(envelope_id)
        if parcel is None:
            return False
        elapsed = (self._now() - parcel.envelopes[envelope_id]) * 1000
        late = elapsed > self.ack_timeout_s * 1000
        self.acks.append(Ack(envelope_id, parcel.kind, elapsed, payload, parcel.attempt, late))
        if not parcel.acked:
            parcel.acked, parcel.answer = True, payload
            parcel.stirred.set()
        for watch in self.watchers:
            watch(parcel, envelope_id, "acknowledged")
        self._changed({"kind": "ack", "envelope_id": envelope_id})
        return True

    def fail(self, envelope_id: str, reason: str, shown: str, *, again: bool = True) -> None:
        """An app that is posted to has not taken a delivery: *reason* is told with the next one of an event,
        unless it is not to come *again*; *shown* is what a person reads."""
        parcel = self._by_envelope.get(envelope_id)
        if parcel is not None and not parcel.acked:
            parcel.retry_reason, parcel.failed, parcel.unwanted = reason, shown, not again
            parcel.stirred.set()

    async def _greeted(self, socket: Socket) -> None:
        """A socket has said hello, and nothing else yet."""

    async def _deliver(self, parcel: Parcel) -> bool:
        """One delivery; whether it is on the wire, or on its way there."""
        return await self._send(parcel)

    async def _dispatch(self, parcel: Parcel) -> None:
        if not await self._deliver(parcel):
            self._keep(parcel)

    def _keep(self, parcel: Parcel) -> None:
        if len(self.backlog) < self.backlog_max:
            self.backlog.append(parcel)

    async def _insist(self, parcel: Parcel) -> None:
        for attempt, delay in enumerate(self.retry_delays_s, start=1):
            await self._on_the_wire(parcel)
            acked = await self._wait(parcel, self.ack_timeout_s)
            if parcel.unwanted:
                break
            if not acked and parcel.socket is not None and delay:
                parcel.failed = ""
                acked = await self._wait(parcel, delay)
            if acked:
                return
            self._tell(parcel, "not acknowledged in time")
            parcel.attempt = attempt
            await self._dispatch(parcel)
        await self._on_the_wire(parcel)
        if not await self._wait(parcel, self.ack_timeout_s):
            self._tell(parcel, "not acknowledged, given up")
            self.given_up.append(parcel)

    async def _on_the_wire(self, parcel: Parcel) -> None:
        while parcel in self.backlog or parcel in self.underway:
            parcel.stirred.clear()
            await parcel.stirred.wait()

    async def _send(self, parcel: Parcel) -> bool:
        for _ in range(len(self.sockets)):
            socket = self._upcoming()
            if socket is None:
                return False
            self._turn += 1
            envelope_id = self._mint()
            parcel.envelopes[envelope_id] = self._now()
            parcel.socket = socket
            parcel.failed = ""
            self._remember(envelope_id, parcel)
            envelope = parcel.envelope(envelope_id)
            for watch in self.watchers:
                watch(parcel, envelope_id, None)
            parcel.stirred.set()
            if await self._carry(parcel, socket, envelope):
                self.sent.append(envelope)
                return True
        return False

    def _upcoming(self) -> Socket | None:
        """The socket whose turn it is."""
        ready = [socket for socket in self.sockets if not socket.draining]
        return ready[(self._turn + 1) % len(ready)] if ready else None

    async def _carry(self, parcel: Parcel, socket: Socket, envelope: Json) -> bool:
        return await self._try_send(socket, envelope)

    async def _try_send(self, socket: Socket, message: Json) -> bool:
        try:
            await socket.send(message)
        except ConnectionError:
            self.detach(socket)
            return False
        return True

    def _tell(self, parcel: Parcel, trouble: str) -> None:
        """What went wrong with the newest delivery of a parcel; the id is empty when there was none."""
        newest = next(reversed(parcel.envelopes), "")
        for watch in self.watchers:
            watch(parcel, newest, trouble)

    def _remember(self, envelope_id: str, parcel: Parcel) -> None:
        self._by_envelope[envelope_id] = parcel
        self._order.append(envelope_id)
        if len(self._order) > limits.RECORDS_MAX:
            self._by_envelope.pop(self._order.popleft(), None)

    async def _wait(self, parcel: Parcel, seconds: float, *, even_if_lost: bool = False) -> bool:
        """Until it is acknowledged (True), its socket is lost, its delivery failed, or time is up.

        With `even_if_lost` the loss is no reason to stop: the app may answer over its next connection.
        """
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        try:
            while not (parcel.acked or parcel.failed or sleeping.done()) and (
                even_if_lost or parcel.socket is not None
            ):
                parcel.stirred.clear()
                stirring = asyncio.ensure_future(parcel.stirred.wait())
                await asyncio.wait({sleeping, stirring}, return_when=asyncio.FIRST_COMPLETED)
                stirring.cancel()
        finally:
            sleeping.cancel()
        return parcel.acked
