"""Hundreds of people who type, reply, press, change their minds, and admins who decide."""

from __future__ import annotations

import asyncio
import random
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.slack import values
from sandbox.slack.model import Channel, Ephemeral, Json, Message, Refused
from sandbox.slack.workspace import Workspace
from tests.simulation.trace import Trace

_THINGS = ("fox", "cat", "dog", "house", "boat", "robot", "rocket", "tree", "balloon", "fish")
_COLOURS = ("red", "blue", "green", "golden", "purple", "white")
_SCENES = ("in snow", "at night", "by the sea", "in the rain", "on a hill", "at dawn")
_EDITS = ("make it {c}", "add a {t}", "now {s}", "remove the {t}", "two of them", "a bit darker, {s}")
_CHATTER = ("thanks!", "what is this?", "// just between us", "<@U0ALICE001> look at that", "nice", "lol ok")
_OPTIONS = (
    "", "", "", "", " --quality low", " --quality high", " --n 2", " --n 3", " --private",
    " --size 1536x1024", " --format jpeg", " --transparent", " --model gpt-image-1-mini", " --n 9",
)  # fmt: skip
_ADMIN = (
    "cap {p} {a}", "cap {p} {a} {w}", "cap {p} default", "cap {ch} {a} {w}", "cap {ch} default",
    "cap team {b}", "cap team {b} {w}", "cap default {a} {w}", "cap channels {a} {w}", "cap channels default",
    "cap default default", "grant {p} {a}", "grant {ch} {a}", "grant team {b}", "pause",
    "block {p}", "unblock {p}", "deny everyone quality high", "allow everyone quality high", "uncertain",
    "team", "history", "caps", "uncertain waive {n}", "uncertain correct {n} 0.01", "revoke {n}",
)  # fmt: skip
_SHORTCUTS_MAX = 50


class People:
    """A town's worth of people in a workspace; each thing they do is one call of ``something``."""

    def __init__(
        self, workspace: Workspace, rng: random.Random, trace: Trace, *, how_many: int, channels: int
    ) -> None:
        self._workspace = workspace
        self._rng = rng
        self._trace = trace
        self._words = 0
        self.rooms = ["C0DESIGN01", "C0GENERAL1"]
        for number in range(channels):
            room = Channel(f"C0ROOM{number:04d}", f"room{number}", "channel", {workspace.bot_user_id})
            workspace.channels[room.id] = room
            self.rooms.append(room.id)
        self.ids: list[str] = []
        for number in range(how_many):
            mine = tuple(rng.sample(self.rooms, k=min(len(self.rooms), rng.randint(1, 4))))
            self.ids.append(workspace.add_person(f"person{number}", mine).id)
        self.admin = workspace.user_named("carol").id
        self.dms = {
            next(iter(room.members - {workspace.bot_user_id})): room.id
            for room in workspace.channels.values()
            if room.kind == "im" and workspace.bot_user_id in room.members
        }

    async def something(self) -> None:
        """One thing that somebody does, and sees the immediate answer of."""
        rng = self._rng
        what: list[tuple[float, Callable[[], Awaitable[object]]]] = [
            (20, self._command), (4, self._mention), (3, self._direct), (18, self._reply), (12, self._press),
            (4, self._change_one), (3, self._delete_one), (4, self._decide), (3, self._share_files),
            (2, self._home), (2, self._again_delivered), (2, self._press_whisper), (1, self._last),
        ]  # fmt: skip
        (work,) = rng.choices([each for _, each in what], [weight for weight, _ in what])
        self._trace.note(f"somebody: {work.__name__.strip('_')}")
        self._trace.count("events")
        try:
            await work()
        except Refused as refused:
            self._trace.note(f"Slack's client does not let them: {refused}")

    async def answers(self) -> None:
        """Somebody replies in a thread."""
        self._trace.note("somebody: reply, later")
        self._trace.count("events")
        try:
            await self._reply()
        except Refused as refused:
            self._trace.note(f"Slack's client does not let them: {refused}")

    async def resume(self) -> None:
        """An admin lets everything go on that was paused, and gives everybody money."""
        await self._workspace.type_command(self.admin, "C0DESIGN01", "/spend resume")

    def _somebody(self) -> tuple[str, str]:
        """A person, and a channel they are in."""
        person = self._rng.choice(self.ids)
        rooms = [room for room in self.rooms if person in self._workspace.channels[room].members]
        return person, self._rng.choice(rooms)

    def _prompt(self) -> str:
        rng = self._rng
        self._words += 1
        odd = rng.random()
        word = " forbidden" if odd < 0.03 else " blocked-output" if odd < 0.05 else ""
        return f"a {rng.choice(_COLOURS)} {rng.choice(_THINGS)} {rng.choice(_SCENES)} no {self._words}{word}"

    def _edit(self) -> str:
        rng = self._rng
        text = rng.choice(_CHATTER if rng.random() < 0.2 else _EDITS)
        return text.format(c=rng.choice(_COLOURS), t=rng.choice(_THINGS), s=rng.choice(_SCENES))

    async def _command(self) -> None:
        person, room = self._somebody()
        place = self.dms[person] if self._rng.random() < 0.15 else room
        text = f"/imagine {self._prompt()}{self._rng.choice(_OPTIONS)}"
        await self._workspace.type_command(person, place, text)

    async def _last(self) -> None:
        person, room = self._somebody()
        await self._workspace.type_command(person, room, "/imagine last")

    async def _mention(self) -> None:
        person, room = self._somebody()
        await self._workspace.post(person, room, f"<@{self._workspace.bot_user_id}> {self._prompt()}")

    async def _direct(self) -> None:
        person, _ = self._somebody()
        await self._workspace.post(person, self.dms[person], self._prompt())

    def _threads(self) -> list[Message]:
        """The newest messages of ours that have a thread under them, or may have one."""
        ours = self._workspace.bot_user_id
        found: list[Message] = []
        for room in [*self.rooms, *self.dms.values()]:
            newest = list(self._workspace.channels[room].messages.values())[-30:]
            found += [message for message in newest if message.user == ours]
        found.sort(key=lambda message: message.ts)
        return found[-12:]

    async def _reply(self) -> None:
        threads = self._threads()
        if not threads:
            return await self._command()
        message = self._rng.choice(threads)
        room = self._workspace.channels[message.channel]
        inside = [person for person in sorted(room.members) if person in self.dms]
        joined = [m.user for m in self._workspace.thread(room.id, message.thread_ts or message.ts)]
        joined = [user for user in joined if user in self.dms and user in room.members]
        person = self._rng.choice(joined if joined and self._rng.random() < 0.6 else inside)
        text = self._edit()
        if self._rng.random() < 0.3:
            text = f"<@{self._workspace.bot_user_id}> {text}"
        thread = message.thread_ts or message.ts
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            await self._workspace.post(person, room.id, text, thread_ts=thread)
        return None

    def _own(self) -> tuple[str, str, str] | None:
        """A message that somebody wrote not long ago."""
        found = [
            (message.user, room, message.ts)
            for room in [*self.rooms, *self.dms.values()]
            for message in list(self._workspace.channels[room].messages.values())[-15:]
            if message.user in self.dms
        ]
        found.sort(key=lambda one: one[2])
        return self._rng.choice(found[-8:]) if found else None

    async def _change_one(self) -> None:
        if (own := self._own()) is not None:
            await self._workspace.edit_message(*own, self._prompt())

    async def _delete_one(self) -> None:
        if (own := self._own()) is not None:
            await self._workspace.delete_message(*own)

    async def _share_files(self) -> None:
        person, room = self._somebody()
        files = {
            f"photo{n}.png": tiny_png(self._rng.getrandbits(64)) for n in range(self._rng.choice((1, 1, 2)))
        }
        text = f"<@{self._workspace.bot_user_id}> {self._edit()}"
        await self._workspace.share(person, room, text, files)

    async def _home(self) -> None:
        person, _ = self._somebody()
        await self._workspace.open_home(person)

    async def _again_delivered(self) -> None:
        sent = list(self._workspace.delivery.sent)[-20:]
        if sent:
            self._trace.count("fault: delivered again")
            await self._workspace.redeliver(self._rng.choice(sent))

    async def _decide(self) -> None:
        rng = self._rng
        person = self._workspace.users[rng.choice(self.ids)].name
        room = self._workspace.channels[rng.choice(self.rooms)].name
        said = rng.choice(_ADMIN).format(
            p=f"@{person}",
            ch=f"#{room}",
            a=rng.choice(("0.1", "0.5", "2", "20")),
            b=rng.choice(("3", "500")),
            w=rng.choice(("daily", "weekly", "monthly")),
            n=rng.randint(1, 60),
        )
        await self._workspace.type_command(self.admin, "C0DESIGN01", f"/spend {said}")
        if said == "pause" or said.startswith(("block", "deny")):
            await asyncio.sleep(rng.uniform(5, 120))
            undone = {"pause": "resume", "deny everyone quality high": "allow everyone quality high"}
            back = undone.get(said) or said.replace("block", "unblock")
            await self._workspace.type_command(self.admin, "C0DESIGN01", f"/spend {back}")

    async def _press(self) -> None:
        shown = [message for message in self._threads() if any(values.elements(message.blocks))]
        if shown:
            message = self._rng.choice(shown)
            members = self._workspace.channels[message.channel].members
            inside = [person for person in sorted(members) if person in self.dms]
            await self._press_on(self._rng.choice(inside), message)

    async def _press_whisper(self) -> None:
        newest = [e for e in self._workspace.ephemerals[-30:] if any(values.elements(e.blocks))]
        if newest:
            only = self._rng.choice(newest)
            await self._press_on(only.user, only)

    async def _press_on(self, person: str, source: Message | Ephemeral) -> None:
        block, element = self._rng.choice(list(values.elements(source.blocks)))
        before = self._workspace.modal_of(person)
        chosen = self._choice(element)
        await self._workspace.press(
            person, source.channel, source.ts, element["action_id"], block_id=block["block_id"], value=chosen
        )
        self._trace.note(f"pressed {element['action_id']} {chosen}")
        await asyncio.sleep(self._rng.uniform(1, 4))
        view = self._workspace.modal_of(person)
        if view is not None and view is not before:
            await self._fill(person, view)

    def _choice(self, element: Json) -> Any:
        rng = self._rng
        if element["type"] == "feedback_buttons":
            return rng.choice(("positive", "negative"))
        options = values.options_of(element)
        return rng.choice(options)["value"] if options else None

    async def _fill(self, person: str, view: Json) -> None:
        """Some fields, then off with it, or closed."""
        given: Json = {}
        for block, element in values.elements(view["blocks"]):
            if not values.holds(element) or self._rng.random() < 0.4:
                continue
            kind = element["type"]
            if kind == "plain_text_input":
                given[block["block_id"]] = self._edit()
            elif kind in ("static_select", "radio_buttons"):
                given[block["block_id"]] = self._choice(element)
        if view["submit"] and self._rng.random() < 0.85:
            seen = await self._workspace.submit_view(person, view["id"], given)
            self._trace.note(f"sent dialog {view['callback_id']}: {seen.error} {sorted(seen.payload)}")
        for _ in range(3):
            left = self._workspace.modal_of(person)
            if left is None:
                break
            await self._workspace.close_view(person, left["id"], whole_stack=True)


def tiny_png(number: int, *, transparent: bool = False, size: tuple[int, int] = (16, 16)) -> bytes:
    """A small valid PNG that looks like no other number's."""
    width, height = size
    kind, depth = (6, 4) if transparent else (2, 3)
    noise = random.Random(number).randbytes(depth)  # noqa: S311 -- a picture's colour, no secret
    rows = (b"\0" + noise * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    mark = b"number\0" + str(number).encode()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (
            (b"IHDR", header), (b"tEXt", mark), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""),
        )
    )  # fmt: skip
