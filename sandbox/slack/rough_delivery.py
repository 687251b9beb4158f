"""Socket Mode on a bad day: connections that end or hang, deliveries that are lost, late, doubled, out of
order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sandbox.faults.named import HELLO
from sandbox.faults.rules import Met
from sandbox.slack.delivery import Delivery, HangUp, Parcel, Socket
from sandbox.slack.limits import forget_oldest
from sandbox.slack.model import Json

Trouble = Callable[[str], Met | None]
LOST: Final = "delivery lost"
UNHEARD: Final = "acknowledgement lost"


class RoughDelivery(Delivery):
    """A `Delivery` that asks `trouble`, for each delivery by its kind and for each hello, what goes wrong.

    A fault strikes one delivery, also a second or third try of an event. What comes late or out of order is
    `underway` until then; a command or a click whose person has seen `operation_timeout` arrives anyway.
    """

    def __init__(self, trouble: Trouble, **more: Any) -> None:
        super().__init__(**more)
        self._trouble = trouble
        self._fate: dict[int, str] = {}
        self._unheard: dict[str, None] = {}
        self._overtaken: list[asyncio.Event] = []
        self._ways: dict[str, Callable[[Parcel, Met], Awaitable[bool]]] = {
            "socket cut": self._cut_first,
            "socket cut after": self._cut_then,
            "socket hangs": self._hang_first,
            "socket refresh": self._refresh_then,
            "delivered twice": self._twice,
            "delivery late": self._late,
            "delivery out of order": self._out_of_order,
            LOST: self._marked,
            UNHEARD: self._marked,
        }

    def acknowledge(self, envelope_id: str, payload: Json | None = None) -> bool:
        """Take an acknowledgement, unless it is lost on its way."""
        parcel = self._by_envelope.get(envelope_id)
        hung = parcel is not None and parcel.socket is not None and parcel.socket.hung
        if hung or envelope_id in self._unheard:
            return True
        return super().acknowledge(envelope_id, payload)

    async def _greeted(self, socket: Socket) -> None:
        met = self._trouble(HELLO)
        if met is None:
            return
        if met.fault == "socket cut":
            self._cut(socket)
        elif met.fault == "socket hangs":
            socket.hung = True
        else:
            await self.refresh()

    async def _deliver(self, parcel: Parcel) -> bool:
        met = self._trouble(parcel.kind)
        return await (self._send(parcel) if met is None else self._ways[met.fault](parcel, met))

    async def _cut_first(self, parcel: Parcel, met: Met) -> bool:
        if (socket := self._upcoming()) is not None:
            self._cut(socket)
        return await self._send(parcel)

    async def _cut_then(self, parcel: Parcel, met: Met) -> bool:
        sent = await self._send(parcel)
        if parcel.socket is not None:
            self._cut(parcel.socket)
        return sent

    async def _hang_first(self, parcel: Parcel, met: Met) -> bool:
        if (socket := self._upcoming()) is not None:
            socket.hung = True
        return await self._send(parcel)

    async def _refresh_then(self, parcel: Parcel, met: Met) -> bool:
        sent = await self._send(parcel)
        await self.refresh()
        return sent

    async def _twice(self, parcel: Parcel, met: Met) -> bool:
        sent = await self._send(parcel)
        self._spawn(self._again(parcel, met.whole("copies"), met.number("seconds")))
        return sent

    async def _again(self, parcel: Parcel, copies: int, seconds: float) -> None:
        for _ in range(copies):
            if seconds:
                await self._sleep(seconds)
            await self._send(parcel)

    async def _late(self, parcel: Parcel, met: Met) -> bool:
        return self._hold(parcel, lambda: self._sleep(met.number("seconds")))

    async def _out_of_order(self, parcel: Parcel, met: Met) -> bool:
        overtaken = asyncio.Event()
        self._overtaken.append(overtaken)
        held = self._hold(parcel, lambda: self._another(overtaken, met.number("seconds")))
        if not held:
            self._overtaken.remove(overtaken)
        return held

    async def _marked(self, parcel: Parcel, met: Met) -> bool:
        self._fate[id(parcel)] = met.fault
        try:
            return await self._send(parcel)
        finally:
            self._fate.pop(id(parcel), None)

    def _hold(self, parcel: Parcel, until: Callable[[], Awaitable[None]]) -> bool:
        """Let it be underway until then; an event that finds no socket waits for one like any other."""
        if self._upcoming() is None:
            return False
        self.underway.append(parcel)

        async def arrive() -> None:
            await until()
            if parcel not in self.underway:
                return  # All of it has begun again meanwhile.
            self.underway.remove(parcel)
            parcel.stirred.set()
            if not await self._send(parcel) and parcel.kind == "events_api":
                self._keep(parcel)

        self._spawn(arrive())
        return True

    async def _another(self, overtaken: asyncio.Event, seconds: float) -> None:
        """Until another delivery is on the wire, at most so long."""
        waits = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(overtaken.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._overtaken.remove(overtaken)
            for wait in waits:
                wait.cancel()

    def _cut(self, socket: Socket) -> None:
        """End a connection without a word; what it never acknowledged goes out again."""
        self.detach(socket)
        if (end := socket.cut or socket.hang_up) is not None:
            self._spawn(_ended(end))

    async def _send(self, parcel: Parcel) -> bool:
        sent = await super()._send(parcel)
        if sent:
            for overtaken in self._overtaken:
                overtaken.set()
        return sent

    async def _carry(self, parcel: Parcel, socket: Socket, envelope: Json) -> bool:
        fate = self._fate.get(id(parcel))
        if fate == UNHEARD:
            self._unheard[str(envelope["envelope_id"])] = None
            forget_oldest(self._unheard)
        return fate == LOST or await super()._carry(parcel, socket, envelope)

    async def _try_send(self, socket: Socket, message: Json) -> bool:
        return socket.hung or await super()._try_send(socket, message)


async def _ended(end: HangUp) -> None:
    await end()
