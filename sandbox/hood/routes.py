"""The routes of what goes on under the hood. Loopback only, like the rest of the control interface.

    GET  /control/hood                the newest 200 entries: {"last": id, "entries": [Entry]}, oldest first;
                                      ?after=ID: those behind it; ?channel=C, ?thread=TS: of these alone.
                                      An Entry is {"id", "at", "kind", "name", "said", "ms", "ok", "error",
                                      "channel", "thread", "tokens", "price_usd", "again"} (`hood.record`)
    GET  /control/hood/{id}           {"entry", "request", "answer", "stream": [{"at_ms", "event", "said"}]}
    GET  /control/switches?viewer=V   {"clock", "real", "switches": [{"id", "label", "about", "kind", "value",
                                      "group", "min"?, "max"?, "unit"?}]}; the first two null without a bot
    POST /control/switch              {"id", "value", "viewer"}; the same answer
    GET  /control/ledger?channel=C&thread=TS      the thread's money; 404 without a bot here

With a bot here, POST /control/reset is one of its books, too, and answers when the bot is back; where that
cannot be, it is refused with 409.

Over /control/live come {"kind": "hood", "entry": Entry} for each entry that is new or has changed, and
{"kind": "ledger"} when money may have moved.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.hood.bot_side import BotSide
from sandbox.hood.deliveries import DeliveryWatcher
from sandbox.hood.pictures import PictureWatcher
from sandbox.hood.record import Entry, Record
from sandbox.hood.switches import BadSwitch, Switchboard
from sandbox.hood.wire import wire_watch
from sandbox.images.api import ImageApi
from sandbox.slack.control import Handler
from sandbox.slack.driving import reset_asked
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
LEDGER_PAUSE_S: Final = 0.3
"""At least so long passes between two notices that money may have moved, in real time."""
_LATER_S: Final = (0.7, 0.3)
"""So long after the last movement it is said again: books are closed a moment after a call's end."""


class Hood:
    """What goes on in one sandbox: its `record`, its `switches`, and who is told when money moves."""

    def __init__(self, workspace: Workspace, images: ImageApi | None, bot_side: BotSide | None) -> None:
        self._workspace = workspace
        self._bot_side = bot_side
        self.record = Record(workspace.now, self._tell)
        self.switches = Switchboard(workspace, images, bot_side)
        self._moved = asyncio.Event()

    def moved(self) -> None:
        """Money may have moved. Returns at once; the page hears of it a moment later."""
        self._moved.set()

    def placed(self, entry: int, response_id: str) -> None:
        """Find out for which thread a call of the image API was. Returns at once."""
        if self._bot_side is not None:
            self._workspace.spawn(self._place(self._bot_side, entry, response_id))

    async def _place(self, side: BotSide, entry: int, response_id: str) -> None:
        if (place := await side.place_of(response_id)) is not None:
            channel, thread = place
            self.record.change(entry, channel=channel, thread=thread)

    async def announce(self) -> None:
        """Tell of money that may have moved, for ever, not more often than every `LEDGER_PAUSE_S`."""
        while True:
            await self._moved.wait()
            for pause_s in (LEDGER_PAUSE_S, *_LATER_S):
                self._moved.clear()
                self._workspace.changed({"kind": "ledger"})
                if await _within(self._moved, pause_s):
                    # Not at once: what moves goes on moving, and each notice is a question to the books.
                    await asyncio.sleep(LEDGER_PAUSE_S)
                    break

    def noticed(self, notice: Json) -> None:
        """Begin again with the workspace."""
        if notice.get("kind") == "reset":
            self.record.clear()

    def _tell(self, entry: Entry) -> None:
        self._workspace.changed({"kind": "hood", "entry": entry.as_json()})

    async def entries(self, request: web.Request) -> web.StreamResponse:
        """The newest entries, or those behind one."""
        after = request.query.get("after")
        if after is not None and not _is_number(after):
            return _refused('"after" must be the id of an entry')
        found = self.record.newest(
            None if after is None else int(after),
            channel=request.query.get("channel"),
            thread=request.query.get("thread"),
        )
        return web.json_response({"last": self.record.last, "entries": [entry.as_json() for entry in found]})

    async def entry(self, request: web.Request) -> web.StreamResponse:
        """One entry with what was asked, answered and streamed."""
        given = request.match_info["id"]
        found = self.record.details(int(given)) if _is_number(given) else None
        if found is None:
            return _refused("there is no such entry (any more): GET /control/hood lists those there are", 404)
        return web.json_response(found)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The clock, what is real, and the switches."""
        return web.json_response(await self._shown(request.query.get("viewer")))

    async def use(self, request: web.Request) -> web.StreamResponse:
        """Press or set one switch."""
        try:
            given = json.loads(await request.read())
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("id"), str):
            return _refused('the body must be JSON: {"id": …, "value": …, "viewer": …}')
        viewer = given.get("viewer")
        viewer = viewer if isinstance(viewer, str) else None
        try:
            await self.switches.use(given["id"], given.get("value"), viewer)
        except BadSwitch as bad:
            return _refused(str(bad))
        self._workspace.changed({"kind": "switch", "id": given["id"]})
        self.moved()
        return web.json_response(await self._shown(viewer))

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """A thread's money."""
        if self._bot_side is None:
            return _refused("no bot lives here: its books are with it", 404)
        channel, thread = request.query.get("channel"), request.query.get("thread")
        if not channel or not thread:
            return _refused('"channel" and "thread" must name a thread')
        return web.json_response(await self._bot_side.ledger(channel, thread))

    async def reset_with_bot(self, side: BotSide, reset: Callable[[], Awaitable[None]]) -> web.Response:
        """Empty the sandbox and the bot's books together; the answer comes when the bot is back."""
        told = await side.begin_anew(reset)
        if not told.get("ok"):
            return _refused(str(told.get("error", "the bot could not do it")), 409)
        self.moved()
        return web.json_response({"ok": True, "connections": len(self._workspace.delivery.sockets)})

    async def _shown(self, viewer: str | None) -> Json:
        side = self._bot_side
        return {
            "clock": None if side is None else await side.clock(),
            "real": None if side is None else side.real(),
            "switches": self.switches.shown(viewer),
        }


def add_hood(
    app: web.Application, workspace: Workspace, images: ImageApi | None, bot_side: BotSide | None = None
) -> Hood:
    """Add the record, the switches and their routes to an app made by `slack_app` that has the control
    routes. Without `images` there is Slack's side alone; with `bot_side` there are a ledger, a clock and
    caps, too."""
    hood = Hood(workspace, images, bot_side)
    workspace.on_change.append(hood.noticed)
    workspace.delivery.watchers.append(DeliveryWatcher(workspace, hood.record))
    if images is not None:
        images.watchers.append(PictureWatcher(hood.record, hood.moved, hood.placed))
    app.middlewares.append(wire_watch(workspace, hood.record, hood.moved))
    if bot_side is not None:
        app.middlewares.append(_reset_with(hood, bot_side))
    app.router.add_get("/control/hood", hood.entries)
    app.router.add_get("/control/hood/{id}", hood.entry)
    app.router.add_get("/control/switches", hood.show)
    app.router.add_post("/control/switch", hood.use)
    app.router.add_get("/control/ledger", hood.ledger)
    app.cleanup_ctx.append(_announcing(hood))
    return hood


def _reset_with(hood: Hood, side: BotSide) -> Middleware:
    """Whoever begins the sandbox again begins its bot's books again."""

    @web.middleware
    async def begin(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/control/reset" or request.method != "POST":
            return await handler(request)

        # Whoever asks wrongly is refused before the bot stops for it.
        await reset_asked(request)

        async def reset() -> None:
            await handler(request)

        return await hood.reset_with_bot(side, reset)

    return begin


def _announcing(hood: Hood) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        announcing = asyncio.create_task(hood.announce())
        yield
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    return context


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _refused(why: str, status: int = 400) -> web.Response:
    return web.json_response({"ok": False, "error": why}, status=status)
