"""The words that stories are told in: a town with people, threads they can look at, and the books."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import Darkroom, Overrides
from bot.cli.world import World, start_world
from bot.settings import plain_settings
from darkroom.clock import SystemClock
from sandbox.images.api import ImageApi
from sandbox.slack.model import Channel, File, Json, Message, Seen
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME, connect_read_only
from tests.fresh import with_books
from tests.scenarios.flat import FlatPainter
from tests.scenarios.pictures import Pictured, pictures_in, sha256_of
from tests.storage.books import check_books, nothing_held

WAIT_S = 20.0
"""How long a story waits for something to be seen before it is wrong."""


class Easel:
    """What the sandbox's painter stands at: `hold` keeps every picture unfinished until `let_go`."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    async def sleep(self, seconds: float) -> None:
        """The image API's clock: no picture takes time, unless it is held."""
        await self._free.wait()

    def hold(self) -> None:
        """From now on no picture is finished."""
        self._free.clear()

    def let_go(self) -> None:
        """All of them are."""
        self._free.set()


LIMIT_S = 20.0
"""Waits this long are limits on a call, not pauses between two."""


class HurriedClock(SystemClock):
    """Waits a moment and says that all of it went by: for stories in which minutes pass. It may be *ahead* of
    Slack's from the beginning."""

    def __init__(
        self, moment_s: float = 0.02, limit_s: float = LIMIT_S, ahead: timedelta = timedelta()
    ) -> None:
        self._moment_s = moment_s
        self._limit_s = limit_s
        self._ahead = ahead
        self.waits: list[float] = []

    def now(self) -> datetime:
        """The real time, and what was not really waited."""
        return super().now() + self._ahead

    def monotonic(self) -> float:
        """Seconds, moving with ``now``."""
        return super().monotonic() + self._ahead.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """A moment of it at most; a limit on something that goes on meanwhile is kept as it is."""
        if seconds >= self._limit_s:
            await super().sleep(seconds)
            return
        self.waits.append(seconds)
        moment = min(seconds, self._moment_s)
        await super().sleep(moment)
        self._ahead += timedelta(seconds=seconds - moment)


@dataclass(frozen=True)
class Shown:
    """What a picture's message should show."""

    version: int
    price: str | None = None
    model: str | None = None


def picture(version: int, price: str | None = None, model: str | None = None) -> Shown:
    """A picture's message: its version, its price, and the model where one is named."""
    return Shown(version, price, model)


class Town:
    """A Darkroom in a local world, and who lives there."""

    def __init__(
        self,
        world: World,
        darkroom: Darkroom,
        easel: Easel,
        data_dir: Path,
        overrides: Overrides | None = None,
    ) -> None:
        self.world = world
        self.darkroom = darkroom
        self.overrides = overrides
        self.easel = easel
        self.workspace = world.workspace
        self.images = world.images
        self.ledger = Ledger(data_dir)
        self.alice = Person(self, "alice")
        self.bob = Person(self, "bob")
        self.carol = Person(self, "carol")
        self.gus = Person(self, "gus")
        self.olaf = Person(self, "olaf")

    @property
    def calls(self) -> list[Any]:
        """Every request for a picture that reached the image API, oldest first."""
        return [call for call in self.images.calls if call.endpoint == "responses"]

    async def has_called(self, times: int = 1) -> None:
        """Wait until the image API was asked so often."""
        await self.workspace.until(lambda _: len(self.calls) >= times or None, WAIT_S)

    async def rests(self) -> None:
        """Wait until Darkroom has nothing left to do, then check the books."""
        async with asyncio.timeout(WAIT_S):
            assert self.darkroom.worker is not None
            await self.workspace.until(lambda w: not w.delivery.unanswered, WAIT_S)
            await self.darkroom.worker.idle()
            await self.darkroom.errands.idle()
        self.ledger.adds_up()

    async def restarts(self) -> None:
        """Stop Darkroom as a deploy does, and start it again on the same data."""
        await self.stops()
        await self.starts()

    async def stops(self, grace_s: float | None = None) -> None:
        """Stop Darkroom as a deploy does; what people do meanwhile waits in Slack."""
        await self.darkroom.aclose(grace_s)

    async def starts(self) -> None:
        """Start it again on the same data."""
        self.darkroom = Darkroom(self.darkroom.settings, overrides=self.overrides)
        await self.darkroom.start()

    async def books_say(self, query: str, *values: Any) -> None:
        """Wait until a query of the database gives anything."""
        async with asyncio.timeout(WAIT_S):
            while True:
                if self.ledger.rows(query, *values):
                    return
                await asyncio.sleep(0)

    async def sends_again(self, times: int = 5) -> None:
        """Deliver everything that a person did so far again, all of it *times* times at once."""
        sent = {_identity(envelope): envelope for envelope in self.workspace.delivery.sent}
        await asyncio.gather(
            *(self.workspace.redeliver(envelope) for envelope in sent.values() for _ in range(times))
        )
        await self.rests()

    def messages(self, channel: str = "design") -> list[Message]:
        """What stands in a channel, threads included."""
        return list(self.workspace.channel_named(channel).messages.values())

    async def thread_of(self, root: str, channel: str = "design") -> Thread:
        """The thread under the message with that ts."""
        return Thread(self, self.workspace.channel_named(channel), root)


class Person:
    """Somebody who types, replies, presses, and reads."""

    def __init__(self, town: Town, name: str) -> None:
        self.town = town
        self.id = town.workspace.user_named(name).id
        self.read: list[str] = []

    async def types(self, text: str, channel: str = "design") -> Seen:
        """Type a slash command; gives what is seen at once."""
        seen = await self.town.workspace.type_command(self.id, channel, text)
        assert seen.error is None, seen.error
        return seen

    async def imagines(self, prompt: str, channel: str = "design") -> Thread:
        """``/imagine``, and the thread that it opens."""
        before = {message.ts for message in self.town.messages(channel)}
        await self.types(f"/imagine {prompt}", channel)

        def opened(workspace: Workspace) -> Message | None:
            found = workspace.channel_named(channel).messages.values()
            roots = [m for m in found if m.ts not in before and not m.is_reply]
            return roots[-1] if roots else None

        root = await self.town.workspace.until(opened, WAIT_S)
        return Thread(self.town, self.town.workspace.channel_named(channel), root.ts)

    async def replies(self, thread: Thread, text: str, **more: Any) -> Message:
        """Write into a thread."""
        return await self.town.workspace.post(self.id, thread.channel.id, text, thread_ts=thread.root, **more)

    async def writes(self, text: str, channel: str = "design", **more: Any) -> Message:
        """Write into a channel, or with ``channel=""`` into the direct messages with Darkroom."""
        place = channel or self.town.workspace.dm(self.id, self.town.workspace.bot_user_id).id
        return await self.town.workspace.post(self.id, place, text, **more)

    async def mentions(self, text: str, channel: str = "design", **more: Any) -> Thread:
        """Mention Darkroom in a channel; the thread is the message's own."""
        message = await self.writes(f"<@{self.town.workspace.bot_user_id}> {text}", channel, **more)
        return Thread(self.town, self.town.workspace.channel_named(channel), message.ts)

    async def shares(self, text: str, files: Mapping[str, bytes], channel: str = "design") -> Message:
        """Write into a channel, or with ``channel=""`` to Darkroom, with files by their names."""
        place = channel or self.town.workspace.dm(self.id, self.town.workspace.bot_user_id).id
        return await self.town.workspace.share(self.id, place, text, files)

    async def replies_with(self, thread: Thread, text: str, files: Mapping[str, bytes]) -> Message:
        """Write into a thread, with files by their names."""
        return await self.town.workspace.share(self.id, thread.channel.id, text, files, thread_ts=thread.root)

    async def presses(self, where: Message | Pictured, action_id: str, **more: Any) -> Seen:
        """Press a button of a message, or the one under that picture. ``value`` says which of several (a
        menu, the thumbs), ``confirmed=False`` stops at the dialog that asks first."""
        if isinstance(where, Pictured):
            more = {"block_id": where.blocks[action_id], **more}
            where = where.message
        seen = await self.town.workspace.press(self.id, where.channel, where.ts, action_id, **more)
        assert seen.error is None, seen.error
        return seen

    async def chooses(self, where: Message | Pictured, label: str) -> Seen:
        """Choose in the menu under a picture (a message's first), by what it says there."""
        pictured = pictures_in(where)[0] if isinstance(where, Message) else where
        return await self.presses(pictured, "picture_menu", value=pictured.menu[label])

    async def dialog(self, callback_id: str, other_than: str = "") -> Json:
        """Wait for the dialog that this person looks at; not the one whose view id is *other_than*."""

        def opened(workspace: Workspace) -> Json | None:
            view = workspace.modal_of(self.id)
            mine = view is not None and view["callback_id"] == callback_id and view["id"] != other_than
            return view if mine else None

        return await self.town.workspace.until(opened, WAIT_S)

    async def fills(self, view: Json, values: Json) -> Seen:
        """Type and choose in a dialog or in Home, which hears of it (see ``Workspace.fill_view``)."""
        seen = await self.town.workspace.fill_view(self.id, view["id"], values)
        assert seen.error is None, seen.error
        return seen

    async def submits(self, view: Json, values: Json | None = None) -> Seen:
        """Send a dialog off; ``payload`` is what Darkroom answered."""
        seen = await self.town.workspace.submit_view(self.id, view["id"], values or {})
        assert seen.error is None, (seen.error, seen.text)
        return seen

    async def varies(self, pictured: Pictured, number: int) -> None:
        """ "Variations…": so many."""
        before = self.town.workspace.modal_of(self.id)
        await self.presses(pictured, "picture_variations")
        view = await self.dialog("variations", before["id"] if before else "")
        await self.submits(view, {"choice": str(number)})

    async def uses(self, callback_id: str, message: Message | None = None) -> Seen:
        """Use a shortcut: of a message, or without one a global one."""
        place = {} if message is None else {"channel": message.channel, "message_ts": message.ts}
        seen = await self.town.workspace.use_shortcut(self.id, callback_id, **place)
        assert seen.error is None, seen.error
        return seen

    async def opens_home(self) -> Json:
        """Open the Home tab and wait until it is shown as things stand; gives the view."""
        before = (self.town.workspace.home_of(self.id) or {}).get("hash")
        await self.town.workspace.open_home(self.id)
        return await self.home_after(before)

    async def home_after(self, hash_: str | None) -> Json:
        """Wait for another Home than the one with that ``hash``."""

        def published(workspace: Workspace) -> Json | None:
            view = workspace.home_of(self.id)
            return view if view is not None and view["hash"] != hash_ else None

        return await self.town.workspace.until(published, WAIT_S)

    async def presses_in(self, view: Json, action_id: str, **more: Any) -> Seen:
        """Press in a dialog or in Home."""
        seen = await self.town.workspace.press_in_view(self.id, view["id"], action_id, **more)
        assert seen.error is None, seen.error
        return seen

    def pings(self) -> list[str]:
        """The messages by which this person was notified, by their ts, oldest first."""
        return [ping.ts for ping in self.town.workspace.notifications if ping.user == self.id]

    def private(self) -> list[str]:
        """Everything that only this person has been shown, oldest first: ephemeral, and by DM."""
        workspace = self.town.workspace
        shown = [e.text for e in workspace.ephemerals_for(self.id)]
        dm = workspace.dm(self.id, workspace.bot_user_id)
        return shown + [m.text for m in dm.messages.values() if m.user == workspace.bot_user_id]

    async def is_told(self, *words: str) -> str:
        """Wait until something private says all of *words*; gives it."""

        def said(_: Workspace) -> str | None:
            return next((t for t in self.private() if all(w.lower() in t.lower() for w in words)), None)

        return await self.town.workspace.until(said, WAIT_S)


class Thread:
    """A thread as everybody sees it."""

    def __init__(self, town: Town, channel: Channel, root: str) -> None:
        self.town = town
        self.channel = channel
        self.root = root

    @property
    def messages(self) -> list[Message]:
        """The root and its replies, oldest first."""
        return self.town.workspace.thread(self.channel.id, self.root)

    @property
    def pictures(self) -> list[Message]:
        """The replies that show a picture."""
        return [message for message in self.messages if any(b["type"] == "image" for b in message.blocks)]

    @property
    def versions(self) -> dict[int, Pictured]:
        """Every picture that is shown in it, by its version."""
        return {one.version: one for message in self.pictures for one in pictures_in(message)}

    async def version(self, number: int) -> Pictured:
        """Wait for that version; gives the picture with what stands under it."""
        return await self.town.workspace.until(lambda _: self.versions.get(number), WAIT_S)

    def sha256(self, number: int) -> str:
        """The digest of the bytes that are shown as that version."""
        return sha256_of(self.versions[number], self.town.workspace.files)

    @property
    def placeholder(self) -> Message | None:
        """The root, if it still stands."""
        return self.channel.messages.get(self.root)

    async def shows(self, wanted: Shown) -> Message:
        """Wait for a picture like *wanted*; gives its message."""

        def seen(_: Workspace) -> Message | None:
            return next((m for m in self.pictures if f"v{wanted.version} " in caption(m)), None)

        message = await self.town.workspace.until(seen, WAIT_S)
        line = caption(message)
        assert wanted.price is None or f"· {wanted.price} ·" in line, line
        assert (wanted.model is None) or wanted.model in line, line
        assert "AI-generated" in line, line
        return message

    async def says(self, *words: str) -> Message:
        """Wait for a reply of Darkroom's that has all of *words*."""

        def said(_: Workspace) -> Message | None:
            bot = self.town.workspace.bot_user_id
            own = [m for m in self.messages if m.user == bot]
            return next((m for m in own if all(w in m.text for w in words)), None)

        return await self.town.workspace.until(said, WAIT_S)

    def file(self, message: Message) -> File:
        """The file that a picture's message shows."""
        block = next(block for block in message.blocks if block["type"] == "image")
        return self.town.workspace.files[block["slack_file"]["id"]]


class Ledger:
    """The books, read by another connection, as an accountant would."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a query of the database gives."""
        found: list[sqlite3.Row] = self._with(lambda db: db.execute(query, values).fetchall())
        return found

    def adds_up(self) -> None:
        """Every invariant of the ledger holds."""
        self._with(check_books)

    def holds_nothing(self) -> None:
        """No money is held anywhere."""
        self._with(nothing_held)

    def charged(self) -> int:
        """Everything that was charged, in nano-dollars."""
        return int(self.rows("SELECT COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal")[0][0])

    def turns(self) -> list[tuple[str, str]]:
        """Outcome and reason of each turn, oldest first."""
        rows = self.rows("SELECT state, outcome, reason FROM turns ORDER BY created_at, id")
        return [(row["outcome"] or row["state"], row["reason"] or "") for row in rows]

    def attempts(self) -> list[str]:
        """The state of each attempt, oldest first."""
        return [row["state"] for row in self.rows("SELECT state FROM attempts ORDER BY held_at, id")]

    def _with(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        connection = connect_read_only(self.data_dir / DATABASE_NAME)
        try:
            return work(connection)
        finally:
            connection.close()


def _identity(envelope: dict[str, Any]) -> str:
    payload = envelope["payload"]
    return str(payload.get("event_id") or payload.get("trigger_id"))


def caption(message: Message) -> str:
    """The short line under a picture."""
    lines = [block["text"]["text"] for block in message.blocks if block["type"] == "section"]
    return " ".join(lines)


def nano(text: str) -> list[int]:
    """The dollar amounts in a text, in nano-dollars, in their order."""
    return [
        round(float(found.replace(",", "")) * 1_000_000_000) for found in re.findall(r"\$([\d.,]*\d)", text)
    ]


async def open_town(data_dir: Path, overrides: Overrides | None = None, **settings: Any) -> Town:
    """A town on a data directory; keywords are settings with ``__`` for the dot. Then ``close_town``.

    Its pictures are flat, which saves half of the time, unless the story has another ``town.images.painter``;
    and nobody waits for a second between two messages, unless *overrides* say so.
    """
    easel = Easel()
    # A scan that takes time is waited for in steps of half a second: that is for stories about scans.
    workspace = Workspace(file_processing_s=0.0)
    images = ImageApi(seconds_per_picture=1.0, sleep=easel.sleep, paint=FlatPainter())
    world = await start_world(workspace, images)
    heard = images.on_call

    def on_call(call: dict[str, Any]) -> None:
        # `workspace.until` looks again after a change; a call that arrives is one.
        workspace.changed({"kind": "image call"})
        if heard is not None:
            heard(call)

    images.on_call = on_call
    return await move_in(world, easel, data_dir, settings, overrides or Overrides(clock=HurriedClock()))


async def move_in(
    world: World, easel: Easel, data_dir: Path, settings: dict[str, Any], overrides: Overrides | None = None
) -> Town:
    """A Darkroom for a world that is there already."""
    flags: dict[str, Any] = {name.replace("__", "."): value for name, value in settings.items()}
    flags |= world.settings() | {"storage.data_dir": with_books(data_dir)}
    darkroom = Darkroom(plain_settings(flags), create_data=True, overrides=overrides)
    try:
        await darkroom.start()
    except BaseException:
        await world.close()
        raise
    return Town(world, darkroom, easel, data_dir, overrides)


async def close_town(town: Town) -> None:
    """Let everything go and stop listening; the books must add up at the end of every story."""
    town.easel.let_go()
    await town.darkroom.aclose()
    await town.world.close()
    await town.workspace.close()
    town.ledger.adds_up()


def as_json(text: str) -> Any:
    """What a command printed."""
    return json.loads(text)
