"""What becomes of a picture when one of Slack's methods answers with one error, again and again: each cell of
the table is a delivery over real HTTP, and what then stands in the sandbox's workspace.

``python -m tests.handlers.slack_matrix`` prints the table of ``docs/reliability.md``.
"""

from __future__ import annotations

import asyncio
import math
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Request, Surface, ThreadReplies, Told, Turn
from darkroom.turns.redelivering import Redelivery
from handlers.delivery import SlackDelivery
from handlers.homeward import Homeward
from handlers.showing import Manner
from handlers.web_client import WebSlackClient, web_slack_client
from handlers.words import Voice
from sandbox.slack.model import Fault, Message
from sandbox.slack.server import serve_slack
from sandbox.slack.workspace import Workspace
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import StillClock, caps, command, message, plan, settlement
from tests.fresh import with_books

ALICE, DESIGN, DM = "U0ALICE001", "C0DESIGN01", "D0ALICE001"
MANNER = Manner(frozenset({"gpt-image-2-2026-04-21"}), broadcast_first=True, confirm_nano_usd=10**9)
VOICE = Voice("/imagine", "/spend", "U0DARKROOM", (), "UTC")
LIMITS = caps(person=10**12)
FOR_EVER = 10**6


@dataclass(frozen=True)
class Trouble:
    """A column: what goes wrong."""

    name: str
    fault: Callable[[str], Fault]


def _refused(error: str) -> Trouble:
    return Trouble(error, lambda method: Fault(method, error=error, status=_status(method)))


def _status(method: str) -> int:
    return 400 if method == "response_url" else 500 if method == "upload" else 200


TROUBLES = (
    Trouble(
        "429", lambda method: Fault(method, error="ratelimited", status=429, headers={"Retry-After": "30"})
    ),
    Trouble("5xx", lambda method: Fault(method, status=503, body={})),
    Trouble("no answer, not done", lambda method: Fault(method, drop="before")),
    Trouble("no answer, done", lambda method: Fault(method, drop="after")),
    *map(
        _refused,
        (
            "not_in_channel",
            "channel_not_found",
            "is_archived",
            "msg_too_long",
            "invalid_blocks",
            "token_revoked",
            "message_not_found",
            "thread_not_found",
            "some_new_error",
        ),
    ),
)


@dataclass(frozen=True)
class Scene:
    """A row: the method that is in trouble, and what makes sure that it is called."""

    method: str
    reply: bool = False
    unprocessed: bool = False
    also: Callable[[], list[Fault]] = list
    some_missing: bool = False


def _unclear_post() -> list[Fault]:
    return [Fault("chat.postMessage", drop="after")]


def _no_reply_url() -> list[Fault]:
    return [Fault("response_url", status=404, error="used_url", times=FOR_EVER)]


SCENES = (
    Scene("chat.postMessage"),
    Scene("files.getUploadURLExternal"),
    Scene("upload"),
    Scene("files.completeUploadExternal"),
    Scene("files.info"),
    Scene("files.delete", unprocessed=True),
    Scene("conversations.replies", also=_unclear_post),
    Scene("chat.update"),
    Scene("chat.delete"),
    Scene("reactions.remove", reply=True),
    Scene("response_url", some_missing=True),
    Scene("chat.postEphemeral", some_missing=True, also=_no_reply_url),
    Scene("chat.getPermalink"),
    Scene("users.info"),
)


def _of(trouble: str, when: Callable[[Any], bool] | None = None) -> list[Fault]:
    return [Fault("*", error=trouble, times=FOR_EVER, when=when)]


def _here(params: Any) -> bool:
    return DESIGN in (params.get("channel"), params.get("channel_id"))


def _in_thread(params: Any) -> bool:
    return _here(params) and bool(params.get("thread_ts"))


WHOLE: Mapping[str, Callable[[], list[Fault]]] = {
    **{
        f"`{error}` in its channel, whatever is asked": partial(_of, error, _here)
        for error in ("not_in_channel", "channel_not_found", "is_archived", "restricted_action")
    },
    "`thread_not_found`, whatever is asked of its thread": partial(_of, "thread_not_found", _in_thread),
    "`token_revoked`, `account_inactive`, whatever is asked": partial(_of, "token_revoked"),
    "429 that last longer than an hour, whatever is asked": lambda: [
        Fault("*", error="ratelimited", status=429, headers={"Retry-After": "5000"}, times=FOR_EVER)
    ],
    "no answer, whatever is asked": lambda: [Fault("*", drop="before", times=FOR_EVER)],
    "a file that is never processed": list,
}
"""What can be wrong with everything at once."""


@dataclass(frozen=True)
class Seen:
    """Where the picture stood while the trouble lasted, and after it had passed; "" is nowhere yet."""

    during: str
    after: str
    times: int
    told: bool
    working: int
    """Placeholders that still promise something at the end."""

    @property
    def words(self) -> str:
        """As in the table."""
        return self.during or f"kept, then {self.after}"


class Stage:
    """A workspace, our client, and the books; a scene at a time."""

    def __init__(self, workspace: Workspace, slack: WebSlackClient, clock: StillClock, folder: Path) -> None:
        self.workspace, self.clock = workspace, clock
        self._slack = slack
        self._path = folder / "0.png"
        self._path.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(2_000))
        self._database = Database.open(with_books(folder / "data"), create=True, inline=True)
        self._store, self._log = SqliteTurnStore(self._database), SqliteTurnLog(self._database)
        conversations = SqliteConversations(self._database)
        home = Homeward(slack, clock, conversations, MANNER, lambda *_: self._path)
        self._delivery = SlackDelivery(slack, clock, VOICE, MANNER, self._log, conversations, home)
        self._number = 0

    def path_of(self, sha256: str, suffix: str) -> Path:
        """See ``PictureFiles``."""
        return self._path

    def close(self) -> None:
        """Close the books."""
        self._database.close()

    async def play(self, scene: Scene, trouble: Trouble, times: int = FOR_EVER) -> Seen:
        """One cell."""
        return await self.meet(scene, [*scene.also(), replace(trouble.fault(scene.method), times=times)])

    async def meet(self, scene: Scene, faults: list[Fault]) -> Seen:
        """A delivery that meets with *faults*, and after they have passed."""
        workspace = self.workspace
        # A client that has been told to wait for long would go on waiting on its own clock.
        self.clock.at += timedelta(hours=2)
        known = {ts for channel in workspace.channels.values() for ts in channel.messages}
        workspace.faults.clear()
        turn = await self._made(scene)
        workspace.file_processing_s = math.inf if scene.unprocessed else 0
        workspace.faults += faults
        again = Redelivery(self._store, self._log, self._delivery, self, self.clock, lambda: None)
        await again.tell(turn)
        during, _ = self._shown(known)
        workspace.faults.clear()
        workspace.file_processing_s = 0
        self.clock.at += timedelta(hours=7)
        left = await self._turn(turn.id)
        if left.told_at is None:
            await again.tell(left)
        after, shown = self._shown(known)
        told = (await self._turn(turn.id)).told_at is not None
        return Seen(during, after, shown, told, self._working(known))

    async def _made(self, scene: Scene) -> Turn:
        """A turn whose picture is in the books and nowhere else; its placeholder stands."""
        self._number += 1
        attempt, now = f"a{self._number}", self.clock.now()
        turn = await self._arrive(await self._request(scene))
        await self._store.queue(turn.id, plan(attempt), LIMITS, now)
        await self._delivery.placeholder(turn, 80_000_000, self._note(turn))
        await self._store.hold(turn.id, plan(attempt), LIMITS, now)
        await self._store.send(attempt, now)
        await self._store.render(attempt, settlement(10**7, picture_id=f"p{self._number}"), LIMITS, now)
        details: dict[str, str | int] = {}
        if scene.some_missing:
            details = {"wanted": 2, "made": 1, "rest": Reason.RATE}
        return await self._store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES, details), now)

    async def _request(self, scene: Scene) -> Request:
        if scene.reply:
            root = await self.workspace.post(ALICE, DESIGN, "look")
            asked = await self.workspace.post(ALICE, DESIGN, "a fox", thread_ts=root.ts)
            mention = message("a fox", asked.ts, root.ts, user=ALICE)
            request = replace(mention, surface=Surface.MENTION)
        else:
            request = command("a fox", trigger=f"{self._number}", user=ALICE)
        reply_url = None
        if scene.some_missing:
            from sandbox.slack.response_urls import issue

            user, channel = self.workspace.users[ALICE], self.workspace.channels[DESIGN]
            reply_url, _ = issue(self.workspace, user, channel, "commands")
        return replace(request, team_id=self.workspace.team_id, channel_id=DESIGN, reply_url=reply_url)

    async def _arrive(self, request: Request) -> Turn:
        arrival = await self._store.arrive(
            self.clock.new_id("turn"), request, self.clock.now(), ThreadReplies.EVERYONE
        )
        assert arrival.turn is not None
        return arrival.turn

    def _note(self, turn: Turn) -> Any:
        async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
            return await self._store.tell(turn.id, step, value, self.clock.now(), picture_id)

        return note

    async def _turn(self, turn_id: str) -> Turn:
        turn = await self._log.turn(turn_id)
        assert turn is not None
        return turn

    def _shown(self, known: set[str]) -> tuple[str, int]:
        """Where the new picture is seen, and how often."""
        new = [
            (channel.id, one)
            for channel in self.workspace.channels.values()
            for ts, one in channel.messages.items()
            if ts not in known
        ]
        seen = [(channel, one) for channel, one in new if self._pictures(one)]
        places = sorted({_place(channel, one) for channel, one in seen})
        return " and ".join(places), sum(self._pictures(one) for _, one in seen)

    def _working(self, known: set[str]) -> int:
        messages = self.workspace.channels[DESIGN].messages
        new = [one for ts, one in messages.items() if ts not in known]
        working = sum("Working on it" in one.text or "Made and kept" in one.text for one in new)
        return working + sum("eyes" in one.reactions for one in new)

    def _pictures(self, one: Message) -> int:
        ids = [block["slack_file"]["id"] for block in one.blocks if block.get("type") == "image"]
        return sum(not self.workspace.files[file_id].deleted for file_id in [*ids, *one.files])


def _place(channel: str, one: Message) -> str:
    if channel == DM:
        return "DM"
    where = "thread" if one.thread_ts else "channel"
    return f"{where}, as a file" if one.files else where


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A workspace on a port of its own."""
    clock = StillClock(datetime.now(UTC))
    workspace = Workspace(file_processing_s=0, now=clock.monotonic, sleep=clock.sleep)
    server = await serve_slack(workspace)
    try:
        async with web_slack_client(workspace.bot_token, clock, workspace.base_url + "/api/") as slack:
            with tempfile.TemporaryDirectory() as folder:
                made = Stage(workspace, slack, clock, Path(folder))
                try:
                    yield made
                finally:
                    made.close()
    finally:
        await server.close()


def table(cells: Mapping[tuple[str, str], Seen]) -> str:
    """Rows of a Markdown table: methods down, troubles across."""
    names = [trouble.name for trouble in TROUBLES]
    head = f"| | {' | '.join(f'`{name}`' for name in names)} |\n|---|{'---|' * len(names)}\n"
    rows = [
        f"| `{scene.method}` | {' | '.join(cells[scene.method, name].words for name in names)} |"
        for scene in SCENES
    ]
    return head + "\n".join(rows) + "\n"


async def whole() -> dict[str, Seen]:
    """What comes of what is wrong with everything at once."""
    async with stage() as here:
        return {
            name: await here.meet(Scene("*", unprocessed=faults is list), faults())
            for name, faults in WHOLE.items()
        }


async def matrix() -> dict[tuple[str, str], Seen]:
    """Every cell, with a trouble that lasts."""
    async with stage() as here:
        return {
            (scene.method, trouble.name): await here.play(scene, trouble)
            for scene in SCENES
            for trouble in TROUBLES
        }


if __name__ == "__main__":
    for name, seen in asyncio.run(whole()).items():
        print(f"| {name} | {seen.words} |")  # noqa: T201 -- it is what the command is for
    print(table(asyncio.run(matrix())), end="")  # noqa: T201 -- it is what the command is for
