"""What every call meets first: its record, its fault, its key and the rate limit; and the ids and headers."""

import asyncio
import hashlib
import os
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults.rules import FaultPlan
from sandbox.images import errors
from sandbox.images.errors import Dropped, NotConnected, Refusal
from sandbox.images.faults import NO_FAULT, Call, Fault
from sandbox.images.log import CallLog, Watcher
from sandbox.images.named_faults import fault_of, pointless

Json = dict[str, Any]
Headers = Mapping[str, str]
ADMIN_KEY = "sk-admin-"
_MINUTE = 60.0
_MOST_PROMPTS = 10_000


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, headers, and a JSON body, the events of a stream, or `raw` bytes."""

    status: int
    body: Json | None = None
    events: AsyncGenerator[Json, None] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass
class Visit:
    """One call being answered: its record, its request id and the fault it met."""

    call: Call
    request_id: str
    fault: Fault = NO_FAULT


class FrontDesk:
    """The part of the API that is the same for every endpoint.

    `faults` are met once each by the first call they match, and what matches none of them may meet what
    `fault_plan` decides; `calls` are the newest calls, oldest first;
    `on_call` hears of each change of one, and those in `on_change` that anything has changed; `asked` counts
    how often the same was asked; `keys`, `admin_keys` (None: any that begins as theirs do) and
    `images_per_minute` may be changed at any time.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        keys: frozenset[str] | None,
        images_per_minute: int | None,
        seed: int | None,
        on_call: Callable[[Json], None] | None,
        keep_calls: int,
    ) -> None:
        self.keys = keys
        self.admin_keys: frozenset[str] | None = None
        self.images_per_minute = images_per_minute
        self.faults: list[Fault] = []
        self.on_call = on_call
        self.on_change: list[Callable[[], None]] = []
        self._now = now
        self._sleep = sleep
        self._seed = os.urandom(8).hex() if seed is None else str(seed)
        self._issued = 0
        self._log = CallLog(keep_calls, now, self._tell)
        self._recent: deque[float] = deque()
        self.asked: Counter[str] = Counter()
        self.fault_plan = FaultPlan()

    @property
    def fault_plan(self) -> FaultPlan:
        """The rules by which things go wrong here; a new plan's time counts from when it is put in."""
        return self._fault_plan

    @fault_plan.setter
    def fault_plan(self, plan: FaultPlan) -> None:
        plan.begin(self._now())
        self._fault_plan = plan

    @property
    def calls(self) -> list[Call]:
        """The newest calls, oldest first."""
        return self._log.calls

    @property
    def watchers(self) -> list[Watcher]:
        """Who looks on; may be changed at any time."""
        return self._log.watchers

    async def _serve(
        self,
        endpoint: str,
        body: Json,
        headers: Headers,
        work: Callable[[Visit], Awaitable[Answer]],
        *,
        admin: bool = False,
    ) -> Answer:
        """Answer one call: its fault first, then its key, then its work; every end is recorded."""
        call = self._log.open(endpoint, body, headers)
        visit = Visit(call, self._id("req"), self._take_fault(endpoint, body))
        try:
            answer = await self._meet_fault(visit) or await self._admitted(visit, headers, work, admin=admin)
            self._log.answered(call, answer.status, answer.body)
            return answer
        except Refusal as refusal:
            call.status = refusal.status
            self._log.answered(call, refusal.status, refusal.body)
            self._log.close(call, f"refused:{refusal.code or refusal.status}")
            return Answer(refusal.status, refusal.body, headers=self._headers(visit, refusal.headers))
        except (Dropped, asyncio.CancelledError):
            if call.response_id is None and call.outcome == "running":
                self._log.close(call, "cut")
            self._log.cut(call)
            raise

    async def _meet_fault(self, visit: Visit) -> Answer | None:
        """What a fault does before the call is looked at; None when the call goes on."""
        fault = visit.fault
        if fault.allow is not None:
            self.images_per_minute = fault.allow or None
        if fault.delay:
            await self._sleep(fault.delay)
        if fault.unreachable is not None:
            raise NotConnected(fault.unreachable)
        if fault.drop_before:
            raise Dropped
        if fault.silent:
            await asyncio.Event().wait()
        if not fault.answers or fault.late:
            return None
        self._log.close(visit.call, f"refused:{fault.status or 200}")
        return self._instead(visit)

    def _instead(self, visit: Visit) -> Answer:
        """What the call's fault answers in place of the endpoint."""
        fault = visit.fault
        status = visit.call.status = fault.status or 200
        return Answer(status, dict(fault.body or {}), headers=self._headers(visit), raw=fault.raw)

    async def _admitted(
        self, visit: Visit, headers: Headers, work: Callable[[Visit], Awaitable[Answer]], *, admin: bool
    ) -> Answer:
        """The work, for a caller with a key that is accepted; what is the `admin`s' needs one of theirs."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        known = self.admin_keys if admin and key.startswith(ADMIN_KEY) else self.keys
        if not key or (known is not None and key not in known):
            raise errors.invalid_key(key)
        if admin and not key.startswith(ADMIN_KEY):
            raise errors.missing_scope("api.usage.read")
        return await work(visit)

    def _answered(
        self,
        visit: Visit,
        body: Json | None = None,
        *,
        events: AsyncGenerator[Json, None] | None = None,
        outcome: str | None = None,
    ) -> Answer:
        """A 200; `outcome` closes the call's record for endpoints that generate nothing."""
        visit.call.status = 200
        if outcome is not None:
            self._log.close(visit.call, outcome)
        return Answer(200, body, events, self._headers(visit))

    def _headers(self, visit: Visit, extra: Headers | None = None) -> dict[str, str]:
        """The headers every answer has; those about pictures only where a limit is set."""
        headers = {
            "x-request-id": visit.request_id,
            "openai-version": "2020-10-01",
            "openai-processing-ms": str(int((self._now() - visit.call.started_at) * 1_000)),
        }
        if self.images_per_minute is not None:
            self._forget_old_pictures()
            left = max(0, self.images_per_minute - len(self._recent))
            headers["x-ratelimit-limit-images"] = str(self.images_per_minute)
            headers["x-ratelimit-remaining-images"] = str(left)
        return headers | dict(extra or {}) | dict(visit.fault.headers)

    def _count_pictures(self, model: str, pictures: int = 1) -> None:
        """Count pictures against the limit of a minute. Raises `Refusal` (429) when it is reached."""
        if self.images_per_minute is None:
            return
        self._forget_old_pictures()
        if len(self._recent) + pictures > self.images_per_minute:
            wait = self._recent[0] + _MINUTE - self._now() if self._recent else _MINUTE
            raise errors.rate_limited(model, self.images_per_minute, max(1, -int(-wait // 1)))
        self._recent.extend([self._now()] * pictures)

    def _forget_old_pictures(self) -> None:
        while self._recent and self._recent[0] <= self._now() - _MINUTE:
            self._recent.popleft()

    def _take_fault(self, endpoint: str, body: Json) -> Fault:
        for index, fault in enumerate(self.faults):
            if fault.meets(endpoint, body):
                return self.faults.pop(index)
        met = self.fault_plan.take("openai", endpoint, self._now(), pointless=pointless(body))
        return NO_FAULT if met is None else fault_of(met)

    def _variant(self, words: str) -> int:
        """How often the same was asked before, so that asking again gives another picture."""
        if len(self.asked) >= _MOST_PROMPTS:
            self.asked.clear()
        self.asked[words] += 1
        return self.asked[words] - 1

    def _id(self, kind: str) -> str:
        """The next id of a kind: unlike any other, and repeatable for a seed."""
        self._issued += 1
        return f"{kind}_{hashlib.sha256(f'{self._seed}:{self._issued}'.encode()).hexdigest()[:48]}"

    def _tell(self, call: Json) -> None:
        if self.on_call is not None:
            self.on_call(call)
        self._changed()

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()
