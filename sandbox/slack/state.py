"""The contents of a workspace: who and what is in it, its clock, its ids, who wants to hear of changes."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar

from sandbox.faults.rules import FaultPlan
from sandbox.slack import limits
from sandbox.slack.contents import Contents
from sandbox.slack.furniture import furnish
from sandbox.slack.model import Channel, Ephemeral, Json, Message, Shortcut, User
from sandbox.slack.rough_delivery import RoughDelivery
from sandbox.slack.transcript import transcript

T = TypeVar("T")
TEAM_ID = "T0SANDBOX1"
"""The workspace that there is when no other is asked for."""
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def base36(number: int, width: int) -> str:
    """`number` in capital base 36, filled with zeros to `width`."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = ALPHABET[rest] + digits
    return digits.rjust(width, "0")


class State(Contents):
    """Everything a workspace remembers. Ids follow from a counter and the time of creation, so that a run on
    simulated time repeats exactly and two runs on real time never share an id."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        team_id: str = TEAM_ID,
        bot_token: str = "xoxb-sandbox",  # noqa: S107 -- opens nothing but this sandbox
        app_token: str = "xapp-sandbox",  # noqa: S107 -- opens nothing but this sandbox
        signing_secret: str = "5a" * 16,
        file_processing_s: float = 0.3,
        scopes: frozenset[str] | None = None,
        rate_limits: bool = False,
        app_name: str = "Darkroom",
        base_url: str = "http://slack.sandbox",
        commands: frozenset[str] | None = None,
        shortcuts: tuple[Shortcut, ...] = (),
    ) -> None:
        super().__init__(team_id, app_name)
        self.now, self.sleep = now, sleep
        self.bot_token, self.app_token = bot_token, app_token
        self.signing_secret = signing_secret
        self.scopes = limits.DEFAULT_SCOPES if scopes is None else scopes
        self.file_processing_s = file_processing_s
        self.rate_limits = rate_limits
        self.base_url = base_url
        self.commands, self.shortcuts = commands, shortcuts
        self._run = int(now() * 1000)
        self._count = 0
        self._last_ts = 0
        self._waiting: set[asyncio.Event] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fault_plan = FaultPlan()
        self.delivery = RoughDelivery(
            lambda place: self.fault_plan.take("slack", place, self.now()),
            now=now,
            sleep=sleep,
            spawn=self.spawn,
            changed=self.changed,
            mint=self.mint_uuid,
            app_id=self.app_id,
        )
        furnish(self)

    @property
    def fault_plan(self) -> FaultPlan:
        """The rules by which things go wrong here; a new plan's time counts from when it is put in."""
        return self._fault_plan

    @fault_plan.setter
    def fault_plan(self, plan: FaultPlan) -> None:
        plan.begin(self.now())
        self._fault_plan = plan

    @property
    def counters(self) -> tuple[int, int, int]:
        """What ids and stamps follow from: the run's beginning (ms), how many ids, the newest stamp (µs)."""
        return self._run, self._count, self._last_ts

    def count_on(self, run: int, count: int, last_ts: int) -> None:
        """Go on after the `counters` of a run before this one: no id of that is given again."""
        self._run = max(self._run, run + 1)
        self._count, self._last_ts = count, max(last_ts, self._last_ts)

    def mint(self, prefix: str = "") -> str:
        """A new id: prefix and capital letters and digits, as Slack's are."""
        self._count += 1
        return f"{prefix}{base36(self._run % 36**6, 6)}{base36(self._count, 4)}"

    def mint_uuid(self) -> str:
        """A new id in the shape of a UUID."""
        self._count += 1
        return str(uuid.UUID(int=(self._run << 64) | self._count))

    def mint_ts(self) -> str:
        """A new message timestamp: seconds and microseconds, never the same one twice."""
        self._last_ts = max(round(self.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def changed(self, notice: Json) -> None:
        """Tell the subscribers (`on_change`) and wake those in `until`."""
        for tell in list(self.on_change):
            tell(notice)
        for waiting in list(self._waiting):
            waiting.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the caller; `close` ends what is left."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop what runs in the background: pending retries, file scans."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reset(self) -> None:
        """Back to the beginning: everything that was written, uploaded, opened or recorded is gone, so are
        people who were added and faults in the lists. Connections and whoever hears of changes stay; ids are
        never used again. Settings and `fault_plan` are kept."""
        await self.close()
        for task in self._tasks:  # What began while those ended is of before, too.
            task.cancel()
        self._fill()
        self.notifications.clear()
        self.downloads.clear()
        self.calls.clear()
        self.faults.clear()
        self.bad_downloads.clear()
        self.limiter = limits.RateLimiter()
        self.installed = True
        self.token_revoked = False
        self.delivery.forget()
        furnish(self)
        self.changed({"kind": "reset"})

    async def until(self, predicate: Callable[[Self], T | None], timeout: float = 30) -> T:
        """Wait until `predicate(workspace)` gives something true, looking again after every change.

        Returns what it gave. After `timeout` seconds raises AssertionError with a dump of all channels.
        """
        waiting = asyncio.Event()
        self._waiting.add(waiting)
        sleeping = asyncio.ensure_future(self.sleep(timeout))
        try:
            while True:
                waiting.clear()
                if found := predicate(self):
                    return found
                if sleeping.done():
                    raise AssertionError(f"not within {timeout} s; the workspace shows:\n{transcript(self)}")
                waking = asyncio.ensure_future(waiting.wait())
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
        finally:
            self._waiting.discard(waiting)
            sleeping.cancel()

    def user_named(self, name: str) -> User:
        """A person by id or by name. KeyError when there is none."""
        found = self.users.get(name) or next((u for u in self.users.values() if u.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def channel_named(self, name: str) -> Channel:
        """A channel by id, `#name` or name. KeyError when there is none."""
        bare = name.removeprefix("#")
        found = self.channels.get(name) or next(
            (c for c in self.channels.values() if c.name == bare and c.kind in {"channel", "group"}), None
        )
        if found is None:
            raise KeyError(name)
        return found

    def dm(self, *users: str) -> Channel:
        """The direct conversation of exactly these users, opened when there was none yet."""
        members = set(users)
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == members:
                return channel
        opened = Channel(self.mint("D"), "", "im", members)
        self.channels[opened.id] = opened
        return opened

    def message(self, channel: str, ts: str) -> Message:
        """One message. KeyError when it is not there."""
        return self.channel_named(channel).messages[ts]

    def thread(self, channel: str, thread_ts: str) -> list[Message]:
        """The parent and its replies, oldest first; empty when there is no such message."""
        room = self.channel_named(channel)
        parent = room.messages.get(thread_ts)
        return [*([parent] if parent else []), *room.replies.get(thread_ts, [])]

    def ephemerals_for(self, user: str, channel: str | None = None) -> list[Ephemeral]:
        """What only this person sees (in one channel), oldest first."""
        person = self.user_named(user).id
        room = None if channel is None else self.channel_named(channel).id
        return [e for e in self.ephemerals if e.user == person and room in (None, e.channel)]

    def status(self, channel: str, thread_ts: str) -> str | None:
        """What the app says it is doing in this thread, as long as Slack shows it."""
        said, until = self.statuses.get((self.channel_named(channel).id, thread_ts), ("", 0.0))
        return said if said and self.now() < until else None

    def transcript(self, channel: str | None = None) -> str:
        """A readable dump of one channel or all."""
        return transcript(self, channel)
