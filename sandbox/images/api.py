"""The image API in small: a plain class that answers like OpenAI's, on whatever clock it is given."""

import asyncio
import base64
import hashlib
import os
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.images import errors, faults, painter, planning
from sandbox.images.errors import Dropped, Refusal
from sandbox.images.faults import NO_FAULT, Call, Fault
from sandbox.images.images_endpoint import ImagesPlan, plan_images
from sandbox.images.log import CallLog
from sandbox.images.memory import Memory, Remembered, Run, Shown
from sandbox.images.models import HOST_MODELS, IMAGE_MODELS, listed
from sandbox.images.painter import Order
from sandbox.images.performance import Performance

Json = dict[str, Any]
Headers = Mapping[str, str]
T = TypeVar("T")
_MINUTE = 60.0
_MOST_PROMPTS = 10_000
_LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, headers, and either a JSON body or the events of a stream."""

    status: int
    body: Json | None = None
    events: AsyncGenerator[Json, None] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Visit:
    """One call being answered: its record, its request id and the fault it met."""

    call: Call
    request_id: str
    fault: Fault = NO_FAULT


class ImageApi:
    """OpenAI's image API in one process: no sockets, no real clock, no real model.

    Every method is one endpoint, takes the JSON body and the headers (names in lower case) and returns an
    `Answer`; refusals are answers too. It raises `Dropped` where the connection must end without an answer,
    also out of `Answer.events`. What has been started goes on when the caller leaves.

    Keywords: `now` (unix seconds) and `sleep` are its clock; `seconds_per_picture` how long a picture takes
    (may be changed at any time); `keys` the accepted API keys (None: any that is not empty);
    `images_per_minute` a rate limit (None: none; may be changed); `paint` makes the encoded picture of an
    order, in a thread unless `offload` is False; `seed` makes ids repeatable (None: random); `on_call` is
    told each time a call changes, with its plain dict; `keep_responses`, `keep_characters` (of base64) and
    `keep_calls` bound what is remembered. `faults` is a list of one-shot `Fault`s.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seconds_per_picture: float = 4.0,
        keys: frozenset[str] | None = None,
        images_per_minute: int | None = None,
        paint: Callable[[Order], bytes] = painter.paint,
        offload: bool = True,
        seed: int | None = None,
        on_call: Callable[[Json], None] | None = None,
        keep_responses: int = 1_000,
        keep_characters: int = 256_000_000,
        keep_calls: int = 10_000,
    ) -> None:
        self.seconds_per_picture = seconds_per_picture
        self.keys = keys
        self.images_per_minute = images_per_minute
        self.faults: list[Fault] = []
        self._now = now
        self._sleep = sleep
        self._painter = paint
        self._offload = offload
        self._seed = os.urandom(8).hex() if seed is None else str(seed)
        self._issued = 0
        self._log = CallLog(keep_calls, now)
        self._log.on_call = on_call
        self._memory = Memory(keep_responses, keep_characters)
        self._recent: deque[float] = deque()
        self._asked: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def calls(self) -> list[Call]:
        """The newest calls, oldest first."""
        return self._log.calls

    @property
    def on_call(self) -> Callable[[Json], None] | None:
        """Told of every change of a call, with its plain dict."""
        return self._log.on_call

    @on_call.setter
    def on_call(self, listener: Callable[[Json], None] | None) -> None:
        self._log.on_call = listener

    def forget(self, response_id: str | None = None) -> None:
        """Expire one response, or with None everything that is remembered."""
        self._memory.forget(response_id)

    async def close(self) -> None:
        """Stop every generation that still runs."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def create_response(self, body: Json, headers: Headers) -> Answer:
        """`POST /v1/responses`, streamed when the body says so."""

        async def work(visit: Visit) -> Answer:
            run, remembered = self._start(visit, body)
            if body.get("stream"):
                return self._answered(visit, events=self._stream(visit, run))
            if body.get("background"):
                return self._answered(visit, remembered.response)
            await run.ended()
            if visit.fault.drop_after is not None:
                raise Dropped
            return self._answered(visit, remembered.response)

        return await self._serve(faults.RESPONSES, body, headers, work)

    async def retrieve_response(
        self, response_id: str, headers: Headers, query: Mapping[str, str] | None = None
    ) -> Answer:
        """`GET /v1/responses/{id}`: `in_progress` while it runs; streaming it again is refused."""

        async def work(visit: Visit) -> Answer:
            found = self._stored(response_id)
            if (query or {}).get("stream") == "true":
                raise Refusal(400, "Only background responses can be streamed again.", param="stream")
            return self._answered(visit, found.response, outcome="ok")

        asked = {"response_id": response_id, **(query or {})}
        return await self._serve(faults.RETRIEVE, asked, headers, work)

    async def delete_response(self, response_id: str, headers: Headers) -> Answer:
        """`DELETE /v1/responses/{id}`."""

        async def work(visit: Visit) -> Answer:
            self._stored(response_id)
            self._memory.forget(response_id)
            gone = {"id": response_id, "object": "response.deleted", "deleted": True}
            return self._answered(visit, gone, outcome="ok")

        return await self._serve(faults.DELETE, {"response_id": response_id}, headers, work)

    async def generate_images(self, body: Json, headers: Headers) -> Answer:
        """`POST /v1/images/generations`."""
        return await self._images(faults.GENERATIONS, body, headers)

    async def edit_images(self, body: Json, headers: Headers) -> Answer:
        """`POST /v1/images/edits`; pictures as bytes (from a form) or as data URLs (from JSON)."""
        return await self._images(faults.EDITS, body, headers)

    async def models(self, headers: Headers, model_id: str | None = None) -> Answer:
        """`GET /v1/models`, or one of them by `model_id`."""

        async def work(visit: Visit) -> Answer:
            if model_id is None:
                every = [model.as_json() for model in listed(self._now())]
                return self._answered(visit, {"object": "list", "data": every}, outcome="ok")
            model = IMAGE_MODELS.get(model_id) or HOST_MODELS.get(model_id)
            if model is None or not model.alive(self._now()):
                raise errors.model_not_found(model_id)
            return self._answered(visit, model.as_json(), outcome="ok")

        return await self._serve(faults.MODELS, {"model": model_id}, headers, work)

    async def _serve(
        self, endpoint: str, body: Json, headers: Headers, work: Callable[[Visit], Awaitable[Answer]]
    ) -> Answer:
        """Answer one call: its fault first, then its key, then its work; every end is recorded."""
        call = self._log.open(endpoint, body, headers)
        visit = Visit(call, self._id("req"), self._take_fault(endpoint, body))
        fault = visit.fault
        try:
            if fault.delay:
                await self._sleep(fault.delay)
            if fault.drop_before:
                raise Dropped
            if fault.silent:
                await asyncio.Event().wait()
            if fault.status is not None:
                call.status = fault.status
                self._log.close(call, f"refused:{fault.status}")
                return Answer(
                    fault.status, dict(fault.body or {}), headers=self._headers(visit, fault.headers)
                )
            self._authorise(headers)
            return await work(visit)
        except Refusal as refusal:
            call.status = refusal.status
            self._log.close(call, f"refused:{refusal.code or refusal.status}")
            return Answer(refusal.status, refusal.body, headers=self._headers(visit, refusal.headers))
        except (Dropped, asyncio.CancelledError):
            self._log.cut(call)
            if call.response_id is None and call.outcome == "running":
                self._log.close(call, "cut")
            raise

    def _start(self, visit: Visit, body: Json) -> tuple[Run, Remembered]:
        """Begin a response, which then goes on by itself."""
        run = Run()
        if visit.fault.events is not None:
            return run, self._script(visit, run)
        reading = planning.read(body, self._memory, self._now(), visit.request_id)
        plan = planning.plan(
            body,
            reading,
            visit.fault,
            response_id=self._id("resp"),
            ids=(self._id("rs"), self._id("ig"), self._id("msg")),
            now=self._now(),
            variant=self._variant,
        )
        if plan.job.order is not None and reading.options is not None:
            self._admit(reading.options.model.id)
        visit.call.response_id = plan.job.response_id
        remembered = Remembered(
            plan.job.response("in_progress", []),
            stored=body.get("store") is not False,
            tokens=plan.tokens,
            subject=plan.subject,
            shown=plan.shown,
            run=run,
            items=plan.job.ids[:2],
        )
        self._memory.add(plan.job.response_id, remembered)
        self._spawn(self._perform(visit, plan, run, remembered))
        return run, remembered

    async def _perform(self, visit: Visit, plan: planning.Plan, run: Run, remembered: Remembered) -> None:
        """Let the events of a job happen; before the last one is told, everything is billed and stored."""
        performance = Performance(
            plan.job, paint=self._paint, sleep=self._sleep, now=self._now, seconds=self.seconds_per_picture
        )
        try:
            async for event in performance.events():
                if event["type"] in _LAST_EVENTS:
                    remembered.run = None
                    remembered.response = event["response"]
                    if performance.picture is not None and plan.job.order is not None:
                        order = plan.job.order
                        remembered.shown = Shown(performance.picture, order.width, order.height)
                    if self._memory.find(plan.job.response_id) is not None:
                        self._memory.add(plan.job.response_id, remembered)
                    self._log.close(visit.call, plan.job.decision, plan.job.billed())
                run.tell(event)
        finally:
            run.end()

    def _script(self, visit: Visit, run: Run) -> Remembered:
        """Tell a fault's raw events; the response they speak of can be fetched as they left it."""
        last: Json = {"id": self._id("resp"), "object": "response", "status": "failed", "output": []}
        for raw in visit.fault.events or ():
            event = dict(raw.get("data", raw))
            last = event.get("response") or last
            run.tell(event)
        run.end()
        remembered = Remembered(last, stored=True)
        if "id" in last:
            visit.call.response_id = str(last["id"])
            self._memory.add(str(last["id"]), remembered)
        self._log.close(visit.call, "scripted")
        return remembered

    async def _stream(self, visit: Visit, run: Run) -> AsyncGenerator[Json, None]:
        """A run's events for one caller, up to the point where its fault ends them."""
        fault, sent, whole = visit.fault, 0, False
        events = run.follow()
        try:
            while True:
                if fault.drop_after is not None and sent >= fault.drop_after:
                    raise Dropped
                if fault.silent_after is not None and sent >= fault.silent_after:
                    await asyncio.Event().wait()
                event = await anext(events, None)
                if event is None:
                    whole = True
                    return
                sent += 1
                whole = event["type"] in _LAST_EVENTS
                yield event
        finally:
            if not whole:
                self._log.cut(visit.call)

    async def _images(self, endpoint: str, body: Json, headers: Headers) -> Answer:
        """Both endpoints of the Images API; a request that was taken is finished and billed regardless."""

        async def work(visit: Visit) -> Answer:
            edit = endpoint == faults.EDITS
            plan = plan_images(body, self._now(), visit.request_id, self._variant, edit=edit)
            self._admit(plan.options.model.id, len(plan.orders))
            answer = await asyncio.shield(self._spawn(self._make_images(visit, plan)))
            if visit.fault.drop_after is not None:
                raise Dropped
            return answer

        return await self._serve(endpoint, body, headers, work)

    async def _make_images(self, visit: Visit, plan: ImagesPlan) -> Answer:
        visit.call.response_id = visit.request_id
        if visit.fault.hang:
            await asyncio.Event().wait()
        await self._sleep(self.seconds_per_picture * len(plan.orders))
        pictures = [base64.b64encode(await self._paint(order)).decode() for order in plan.orders]
        body = plan.response(
            int(self._now()),
            pictures,
            usage=not visit.fault.omit_usage,
            details=not visit.fault.omit_details,
        )
        self._log.close(visit.call, "picture", plan.usage.billed())
        return self._answered(visit, body)

    def _answered(
        self,
        visit: Visit,
        body: Json | None = None,
        *,
        events: AsyncGenerator[Json, None] | None = None,
        outcome: str | None = None,
    ) -> Answer:
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
        return headers | dict(extra or {})

    def _authorise(self, headers: Headers) -> None:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        if not key or (self.keys is not None and key not in self.keys):
            raise errors.invalid_key(key)

    def _admit(self, model: str, pictures: int = 1) -> None:
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

    def _stored(self, response_id: str) -> Remembered:
        found = self._memory.find(response_id)
        if found is None or not found.stored:
            raise errors.response_not_found(response_id)
        return found

    def _take_fault(self, endpoint: str, body: Json) -> Fault:
        for index, fault in enumerate(self.faults):
            if fault.meets(endpoint, body):
                return self.faults.pop(index)
        return NO_FAULT

    def _variant(self, words: str) -> int:
        """How often the same was asked before, so that asking again gives another picture."""
        if len(self._asked) >= _MOST_PROMPTS:
            self._asked.clear()
        self._asked[words] += 1
        return self._asked[words] - 1

    async def _paint(self, order: Order) -> bytes:
        if self._offload:
            return await asyncio.to_thread(self._painter, order)
        return self._painter(order)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _id(self, kind: str) -> str:
        """The next id of a kind: unlike any other, and repeatable for a seed."""
        self._issued += 1
        return f"{kind}_{hashlib.sha256(f'{self._seed}:{self._issued}'.encode()).hexdigest()[:48]}"
