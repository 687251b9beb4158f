"""What people do in the demo's Slack before anybody looks: typed, pressed, answered by Darkroom itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

from bot.app import Darkroom
from bot.cli.demo_clock import DemoClock
from sandbox.slack.model import Channel, Ephemeral, Json, Message, Seen
from sandbox.slack.workspace import Workspace

S = TypeVar("S", Message, Ephemeral)
T = TypeVar("T")
PATIENCE_S = 20.0
"""How many real seconds Darkroom may take for anything that is done here."""
AFTERWARDS_S = 20.0
"""How many more for what it does in rounds of its own, such as sharing and asking admins."""


class StageProblem(Exception):
    """Something that should have been seen was not; the message says what."""


@dataclass(frozen=True)
class Thread:
    """A thread: its channel's id, and the message that opened it."""

    channel: str
    root: str


class Stage:
    """The workspace with Darkroom in it, on a clock that jumps from scene to scene. What does not come raises
    ``StageProblem``, and what Slack lets nobody do its ``Refused``."""

    def __init__(self, workspace: Workspace, darkroom: Darkroom, clock: DemoClock, today: datetime) -> None:
        """It goes on until *today*, which is a time of day too."""
        self._workspace, self._darkroom, self._clock = workspace, darkroom, clock
        self._today = today.astimezone()

    def at(self, days_ago: int, at: str) -> None:
        """Go on so many days before today, at such a time of the machine's day: "10:42"."""
        day = self._today.date() - timedelta(days=days_ago)
        self._clock.jump(datetime.combine(day, time.fromisoformat(at)).astimezone())

    def before(self, minutes: float) -> None:
        """Go on so many minutes before now."""
        self._clock.jump(self._today - timedelta(minutes=minutes))

    async def rests(self) -> None:
        """Wait until nobody waits for Darkroom, nor it for anything."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._workspace.until(lambda w: not w.delivery.unanswered, PATIENCE_S)
                if self._darkroom.worker is not None:
                    await self._darkroom.worker.idle()
                await self._darkroom.errands.idle()
        except (TimeoutError, AssertionError) as never:
            raise StageProblem(f"Darkroom was not ready after {PATIENCE_S:g} s") from never

    async def says(self, who: str, where: str | Thread, text: str) -> Thread:
        """Write a message in a channel, or a reply in a thread; gives its thread."""
        channel, root = (where.channel, where.root) if isinstance(where, Thread) else (where, None)
        message = await self._workspace.post(who, channel, text, thread_ts=root)
        return Thread(message.channel, root or message.ts)

    async def mentions(self, who: str, channel: str, prompt: str) -> Thread:
        """Mention Darkroom; gives the thread once its picture is there."""
        thread = await self.says(who, channel, f"@Darkroom {prompt}")
        await self._picture(thread, 1)
        return thread

    async def likes(self, who: str, thread: Thread, emoji: str, version: int = 0) -> None:
        """Put an emoji on the message that opened a thread, or on one of its pictures."""
        ts = (await self._picture(thread, version)).ts if version else thread.root
        await self._workspace.react(who, thread.channel, ts, emoji)

    async def types(self, who: str, channel: str, text: str) -> Seen:
        """Type a command."""
        seen = await self._workspace.type_command(who, channel, text)
        if seen.error is not None:
            raise StageProblem(f"{text}: {seen.error}")
        return seen

    async def imagines(self, who: str, channel: str, prompt: str) -> Thread:
        """``/imagine``; gives its thread once its picture is there. Without a channel, it is in the direct
        messages with Darkroom."""
        person, bot = self._workspace.user_named(who).id, self._workspace.bot_user_id
        room = self._workspace.channel_named(channel) if channel else self._workspace.dm(person, bot)
        before = set(room.messages)
        await self.types(who, room.id, f"/imagine {prompt}")
        root = await self._seen(
            "a thread", lambda _: next((m for m in _roots(room) if m.ts not in before), None)
        )
        thread = Thread(room.id, root.ts)
        await self._picture(thread, 1)
        return thread

    async def edits(self, who: str, thread: Thread, text: str, version: int) -> None:
        """Ask for a change in a thread, which makes that version."""
        await self.says(who, thread, text)
        await self._picture(thread, version)

    async def chooses(self, who: str, thread: Thread, version: int, label: str) -> None:
        """Choose in the menu under a picture."""
        message = await self._picture(thread, version)
        menus = [each for each in _elements(message) if each["action_id"] == "picture_menu"]
        options = [option for menu in menus for option in menu["options"]]
        value = next((o["value"] for o in options if o["text"]["text"] == label), None)
        if value is None:
            raise StageProblem(f"there is no {label!r} under version {version}")
        await self._press(who, message, "picture_menu", value=value)

    async def varies(self, who: str, thread: Thread, version: int, made: int) -> None:
        """ "Variations…", one; it is version *made*."""
        await self._press(who, await self._picture(thread, version), "picture_variations")
        await self._submits(who, "variations", {"choice": "1"})
        await self._picture(thread, made)

    async def shares(self, who: str, thread: Thread, version: int, channel: str, comment: str) -> None:
        """Share a picture to a channel, and read that it is there."""
        told = len(self._workspace.ephemerals_for(who))
        await self.chooses(who, thread, version, "Share to channel…")
        await self._submits(who, "share_picture", {"share_channel": channel, "share_comment": comment})
        await self._seen("the word that it is shared", lambda w: len(w.ephemerals_for(who)) > told)

    async def asks_for_more(self, who: str, admin: str) -> None:
        """Press the button under the newest refusal; an admin grants five dollars."""
        refused = await self._seen(
            "a refusal", lambda w: _newest_with(w.ephemerals_for(who), "more_money_ask")
        )
        await self._press(who, refused, "more_money_ask")
        dm = self._workspace.dm(self._workspace.user_named(admin).id, self._workspace.bot_user_id)
        asked = await self._seen(
            "a question", lambda _: _newest_with(dm.messages.values(), "more_money_grant_5")
        )
        await self._press(admin, asked, "more_money_grant_5")

    async def _press(self, who: str, source: Message | Ephemeral, action: str, **more: Any) -> None:
        seen = await self._workspace.press(who, source.channel, source.ts, action, **more)
        if seen.error is not None:
            raise StageProblem(f"{action}: {seen.error}")

    async def _submits(self, who: str, callback: str, values: Json) -> None:
        def opened(workspace: Workspace) -> Json | None:
            view = workspace.modal_of(who)
            return view if view is not None and view["callback_id"] == callback else None

        view = await self._seen(f"the dialog {callback}", opened)
        seen = await self._workspace.submit_view(who, view["id"], values)
        if seen.error is not None:
            raise StageProblem(f"{callback}: {seen.error}")

    async def _picture(self, thread: Thread, version: int) -> Message:
        """The message that shows that version."""

        def shown(workspace: Workspace) -> Message | None:
            for message in workspace.thread(thread.channel, thread.root):
                lines = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
                if any(f"v{version} " in line or f"v{version}*" in line for line in lines):
                    return message
            return None

        return await self._seen(f"version {version}", shown)

    async def _seen(self, what: str, look: Callable[[Workspace], T | None]) -> T:
        """What *look* finds once Darkroom rests, or a little later."""
        await self.rests()
        try:
            return await self._workspace.until(look, AFTERWARDS_S)
        except AssertionError as never:
            raise StageProblem(f"{what} did not come") from never


def _roots(room: Channel) -> Iterator[Message]:
    return (message for message in room.messages.values() if not message.is_reply)


def _elements(source: Message | Ephemeral) -> Iterator[Json]:
    for block in source.blocks:
        yield from (each for each in block.get("elements", ()) if "action_id" in each)


def _newest_with(sources: Iterable[S], action: str) -> S | None:
    found = [s for s in sources if any(each["action_id"] == action for each in _elements(s))]
    return found[-1] if found else None
