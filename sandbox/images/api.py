"""The image API in small: a plain class that answers like OpenAI's, on whatever clock it is given."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from sandbox.images import costs, errors, faults, painter, planning
from sandbox.images.errors import Dropped, Refusal
from sandbox.images.front_desk import Answer, FrontDesk, Headers, Visit
from sandbox.images.images_endpoint import ImagesPlan, plan_images
from sandbox.images.memory import Memory, Remembered, Run, Shown
from sandbox.images.models import HOST_MODELS, IMAGE_MODELS, listed
from sandbox.images.painter import Order
from sandbox.images.performance import LAST_EVENTS, Performance, as_base64
from sandbox.images.streaming import stream

__all__ = ["Answer", "ImageApi"]

Json = dict[str, Any]
T = TypeVar("T")


class ImageApi(FrontDesk):
    """OpenAI's image API in one process: no sockets, no real clock, no real model.

    Every method is one endpoint, takes the JSON body and the headers (names in lower case) and returns an
    `Answer`; refusals are answers too. It raises `Dropped` where the connection must end without an answer,
    also out of `Answer.events`. What has been started goes on when the caller leaves.

    Keywords: `now` (unix seconds) and `sleep` are its clock; `seconds_per_picture` how long a picture takes;
    `keys` the accepted API keys (None: any that is not empty); `images_per_minute` a rate limit (None: none);
    `paint` makes the encoded picture of an order, in a thread unless `offload` is False; `seed` makes ids
    repeatable (None: random); `on_call` is told each time a call changes, with its plain dict;
    `keep_responses`, `keep_characters` (of base64) and `keep_calls` bound what is remembered.

    May be changed at any time: `seconds_per_picture`, `keys`, `admin_keys`, `images_per_minute`, `painter`
    (what paints), `on_call`, and `faults`, a list of one-shot `Fault`s. `calls` are the newest calls, oldest
    first; `bill` is what was billed for them, and can be off; `memory` is what is remembered.
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
        super().__init__(
            now=now,
            sleep=sleep,
            keys=keys,
            images_per_minute=images_per_minute,
            seed=seed,
            on_call=on_call,
            keep_calls=keep_calls,
        )
        self.seconds_per_picture = seconds_per_picture
        self.painter = paint
        self._offload = offload
        self.bill = costs.Bill()
        self.memory = Memory(keep_responses, keep_characters)
        self._tasks: set[asyncio.Task[Any]] = set()

    def forget(self, response_id: str | None = None) -> None:
        """Expire one response, or with None everything that is remembered."""
        self.memory.forget(response_id)
        self._changed()

    async def close(self) -> None:
        """Stop every generation that still runs."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def create_response(self, body: Json, headers: Headers) -> Answer:
        """`POST /v1/responses`, streamed when the body says so."""

        async def work(visit: Visit) -> Answer:
            run, remembered = self._start(visit, body)
            if body.get("stream") and not visit.fault.late:
                told = stream(run, visit.fault, self._sleep, lambda: self._log.cut(visit.call))
                return self._answered(visit, events=told)
            if body.get("background"):
                return self._answered(visit, remembered.response)
            await run.ended()
            if visit.fault.drop_after is not None or visit.fault.drop_at_end:
                raise Dropped
            if visit.fault.late:
                return self._instead(visit)
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
        """`DELETE /v1/responses/{id}`: neither it nor what was built on it can be continued any more."""

        async def work(visit: Visit) -> Answer:
            self._stored(response_id)
            self.memory.delete(response_id)
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

    async def organization_costs(self, headers: Headers, query: Mapping[str, str]) -> Answer:
        """`GET /v1/organization/costs`, for admin keys: what was billed, by day."""

        async def work(visit: Visit) -> Answer:
            asked = costs.read_query(query, self._now())
            return self._answered(visit, self.bill.page(asked), outcome="ok")

        return await self._serve(faults.COSTS, dict(query), headers, work, admin=True)

    def _start(self, visit: Visit, body: Json) -> tuple[Run, Remembered]:
        """Begin a response, which then goes on by itself."""
        run = Run()
        if visit.fault.events is not None:
            return run, self._script(visit, run)
        reading = planning.read(body, self.memory, self._now(), visit.request_id)
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
            self._count_pictures(reading.options.model.id)
        visit.call.response_id = plan.job.response_id
        remembered = Remembered(
            plan.job.response("in_progress", []),
            stored=body.get("store") is not False,
            tokens=plan.tokens,
            subject=plan.subject,
            shown=plan.shown,
            run=run,
            items=plan.job.ids[:2],
            line=plan.line,
        )
        self.memory.add(plan.job.response_id, remembered)
        self._spawn(self._perform(visit, plan, run, remembered))
        return run, remembered

    async def _perform(self, visit: Visit, plan: planning.Plan, run: Run, remembered: Remembered) -> None:
        """Let the events of a job happen; before the last one is told, everything is billed and stored."""
        performance = Performance(
            plan.job, paint=self._paint, sleep=self._sleep, now=self._now, seconds=self.seconds_per_picture
        )
        try:
            async for event in performance.events():
                if event["type"] in LAST_EVENTS:
                    remembered.run = None
                    remembered.response = event["response"]
                    if performance.picture is not None and plan.job.order is not None:
                        order = plan.job.order
                        remembered.shown = Shown(performance.picture, order.width, order.height)
                    if self.memory.find(plan.job.response_id) is not None:
                        self.memory.add(plan.job.response_id, remembered)
                    billed, options = plan.job.billed(), plan.job.options
                    image_model = options.model.id if options is not None else None
                    self.bill.charge(
                        visit.call.started_at, str(plan.job.request["model"]), image_model, billed
                    )
                    self._log.close(visit.call, plan.job.decision, billed)
                self._log.event(visit.call, event)
                run.tell(event)
        finally:
            run.end()

    def _script(self, visit: Visit, run: Run) -> Remembered:
        """Tell a fault's raw events; the response they speak of can be fetched as they left it."""
        last: Json = {"id": self._id("resp"), "object": "response", "status": "failed", "output": []}
        response_id = last["id"]
        for raw in visit.fault.events or ():
            event = dict(raw.get("data", raw))
            if event.get("response"):
                last = dict(event["response"])
                last["id"] = last.get("id") or response_id
                event["response"] = last
            self._log.event(visit.call, event)
            run.tell(event)
        run.end()
        remembered = Remembered(last, stored=True)
        visit.call.response_id = str(last["id"])
        self.memory.add(str(last["id"]), remembered)
        self._log.close(visit.call, "scripted")
        return remembered

    async def _images(self, endpoint: str, body: Json, headers: Headers) -> Answer:
        """Both endpoints of the Images API; a request that was taken is finished and billed regardless."""

        async def work(visit: Visit) -> Answer:
            edit = endpoint == faults.EDITS
            plan = plan_images(body, self._now(), visit.request_id, self._variant, edit=edit)
            self._count_pictures(plan.options.model.id, len(plan.orders))
            answer = await asyncio.shield(self._spawn(self._make_images(visit, plan)))
            if visit.fault.drop_after is not None:
                raise Dropped
            return self._instead(visit) if visit.fault.late else answer

        return await self._serve(endpoint, body, headers, work)

    async def _make_images(self, visit: Visit, plan: ImagesPlan) -> Answer:
        visit.call.response_id = visit.request_id
        if visit.fault.hang:
            await asyncio.Event().wait()
        await self._sleep(self.seconds_per_picture * len(plan.orders))
        spoil = visit.fault.spoil or as_base64
        pictures = [spoil(await self._paint(order)) for order in plan.orders]
        body = plan.response(
            int(self._now()),
            pictures,
            usage=not visit.fault.omit_usage,
            details=not visit.fault.omit_details,
        )
        billed = plan.usage.billed()
        self.bill.charge(visit.call.started_at, None, plan.options.model.id, billed)
        self._log.close(visit.call, "picture", billed)
        return self._answered(visit, body)

    async def _meet_fault(self, visit: Visit) -> Answer | None:
        if visit.fault.forget:
            self.forget()
        return await super()._meet_fault(visit)

    def _stored(self, response_id: str) -> Remembered:
        found = self.memory.find(response_id)
        if found is None or not found.stored:
            raise errors.response_not_found(response_id)
        return found

    async def _paint(self, order: Order) -> bytes:
        if self._offload:
            return await asyncio.to_thread(self.painter, order)
        return self.painter(order)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
