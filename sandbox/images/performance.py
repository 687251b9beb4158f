"""One response performed: what the host decided, and the stream events that tell it, in the live order."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images.faults import Fault
from sandbox.images.options import Options
from sandbox.images.painter import Order
from sandbox.images.tokens import HostUsage, ImageUsage

Json = dict[str, Any]
LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")
MODERATION_MESSAGE = "Your request was rejected by the safety system."


def as_base64(data: bytes) -> str:
    """Bytes as they stand in JSON."""
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Job:
    """A response to be: everything about it is settled but the picture itself.

    `decision` is `picture`, `words`, `nothing`, `blocked` or `incomplete`; `order` is what to paint when it
    is `picture`; `ids` are those of the reasoning item, the image item and the message.
    """

    response_id: str
    ids: tuple[str, str, str]
    created_at: int
    request: Mapping[str, Any]
    options: Options | None
    decision: str
    words: str
    action: str
    revised_prompt: str
    order: Order | None
    host: HostUsage
    image: ImageUsage | None
    fault: Fault

    def billed(self) -> dict[str, int]:
        """Tokens per class that this response costs."""
        return self.host.billed() | (self.image.billed() if self.image else {})

    def response(self, status: str, output: list[Json], completed_at: int | None = None) -> Json:
        """The response object at one moment; with usage once it has ended."""
        asked = self.request
        effort = (asked.get("reasoning") or {}).get("effort") or "medium"
        ended = status in ("completed", "incomplete")
        body: Json = {
            "id": self.response_id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": bool(asked.get("background")),
            "completed_at": completed_at if status == "completed" else None,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": asked.get("instructions"),
            "max_output_tokens": asked.get("max_output_tokens"),
            "max_tool_calls": asked.get("max_tool_calls"),
            "model": asked["model"],
            "output": output,
            "parallel_tool_calls": asked.get("parallel_tool_calls") is not False,
            "previous_response_id": asked.get("previous_response_id"),
            "prompt_cache_key": asked.get("prompt_cache_key"),
            "reasoning": {"effort": effort, "summary": None},
            "safety_identifier": asked.get("safety_identifier"),
            "service_tier": "default",
            "store": asked.get("store") is not False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": asked.get("tool_choice") or "auto",
            "tools": [self.options.as_tool()] if self.options else [],
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": self.host.as_json() if ended and not self.fault.omit_usage else None,
            "user": None,
            "metadata": dict(asked.get("metadata") or {}),
        }
        if ended and self.image is not None and not self.fault.omit_tool_usage:
            image = self.image.as_json(details=not self.fault.omit_details)
            body["tool_usage"] = {"image_gen": image, "web_search": {"num_requests": 0}}
        return body


class Performance:
    """Tells a job's events one by one. `outcome` and `picture` (base64) hold once the events have ended."""

    def __init__(
        self,
        job: Job,
        *,
        paint: Callable[[Order], Awaitable[bytes]],
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], float],
        seconds: float,
    ) -> None:
        self._job = job
        self._paint = paint
        self._sleep = sleep
        self._now = now
        self._seconds = seconds
        self._sequence = 0
        self.picture: str | None = None

    async def events(self) -> AsyncIterator[Json]:
        """Every event in its order; a job that hangs stops after the first two, for ever."""
        job, output = self._job, list[Json]()
        yield self._event("response.created", response=job.response("in_progress", []))
        yield self._event("response.in_progress", response=job.response("in_progress", []))
        if job.fault.hang:
            await asyncio.Event().wait()
        reasoning: Json = {"id": job.ids[0], "type": "reasoning", "summary": []}
        yield self._event("response.output_item.added", output_index=0, item=reasoning)
        yield self._event("response.output_item.done", output_index=0, item=reasoning)
        output.append(reasoning)
        if job.decision in ("picture", "blocked"):
            async for event in self._picture_events(output):
                yield event
        elif job.decision != "incomplete":
            await self._sleep(self._seconds / 4)
        if job.decision != "incomplete":
            for event in self._message_events(output):
                yield event
        status = "incomplete" if job.decision == "incomplete" else "completed"
        final = job.response(status, output, int(self._now()))
        yield self._event(f"response.{status}", response=final)

    async def _picture_events(self, output: list[Json]) -> AsyncIterator[Json]:
        """The image call, from its announcement to its result or its refusal."""
        job, item_id = self._job, self._job.ids[1]
        added = {"id": item_id, "type": "image_generation_call", "status": "in_progress", "result": None}
        where: Json = {"output_index": 1, "item_id": item_id}
        yield self._event("response.output_item.added", output_index=1, item=added)
        yield self._event("response.image_generation_call.in_progress", **where)
        yield self._event("response.image_generation_call.generating", **where)
        if job.decision == "blocked":
            await self._sleep(self._seconds)
            item = self._blocked_item()
        else:
            async for event in self._partials(where):
                yield event
            item = await self._finished_item()
            if not job.fault.stuck_status:
                yield self._event("response.image_generation_call.completed", **where)
        yield self._event("response.output_item.done", output_index=1, item=item)
        output.append(item)

    async def _partials(self, where: Json) -> AsyncIterator[Json]:
        """The unfinished pictures, evenly over the time a picture takes."""
        options, order = self._job.options, self._job.order
        if options is None or order is None:
            return
        steps = options.partial_images + 1
        for index in range(options.partial_images):
            await self._sleep(self._seconds / steps)
            data = await self._paint(order.draft((index + 1) / steps))
            yield self._event(
                "response.image_generation_call.partial_image",
                **where,
                partial_image_index=index,
                partial_image_b64=base64.b64encode(data).decode(),
                **self._looks(),
            )
        await self._sleep(self._seconds / steps)

    async def _finished_item(self) -> Json:
        job = self._job
        if job.order is None:
            raise ValueError("a picture without an order")
        data = await self._paint(job.order)
        self.picture = as_base64(data)
        return {
            "id": job.ids[1],
            "type": "image_generation_call",
            "status": "generating" if job.fault.stuck_status else "completed",
            "action": job.action,
            **self._looks(),
            "result": self.picture if job.fault.spoil is None else job.fault.spoil(data),
            "revised_prompt": job.revised_prompt,
        }

    def _blocked_item(self) -> Json:
        return {
            "id": self._job.ids[1],
            "type": "image_generation_call",
            "status": "failed",
            "result": None,
            "error": {
                "code": "moderation_blocked",
                "message": MODERATION_MESSAGE,
                "param": None,
                "type": "image_generation_user_error",
                "moderation_details": {"moderation_stage": "output", "categories": ["violence"]},
            },
        }

    def _message_events(self, output: list[Json]) -> list[Json]:
        """The message after everything: with the host's words, or empty as it often is."""
        words, index, item_id = self._job.words, len(output), self._job.ids[2]
        where: Json = {"item_id": item_id, "output_index": index, "content_index": 0}
        empty: Json = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        head: Json = {"id": item_id, "type": "message", "role": "assistant"}
        full = {**empty, "text": words}
        item = {**head, "status": "completed", "content": [full]}
        added = {**head, "status": "in_progress", "content": []}
        events = [
            self._event("response.output_item.added", output_index=index, item=added),
            self._event("response.content_part.added", **where, part=empty),
        ]
        for piece in words.splitlines(keepends=True):
            events.append(self._event("response.output_text.delta", **where, delta=piece, logprobs=[]))
        events += [
            self._event("response.output_text.done", **where, text=words, logprobs=[]),
            self._event("response.content_part.done", **where, part=full),
            self._event("response.output_item.done", output_index=index, item=item),
        ]
        output.append(item)
        return events

    def _looks(self) -> Json:
        """How the picture really is: what `auto` became."""
        options, order = self._job.options, self._job.order
        if options is None or order is None:
            return {}
        return {
            "size": f"{order.width}x{order.height}",
            "quality": options.settled_quality,
            "background": "transparent" if order.transparent else "opaque",
            "output_format": options.output_format,
        }

    def _event(self, kind: str, **fields: Any) -> Json:
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return event
