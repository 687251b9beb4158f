"""Makes one Answer out of the events of a response, whatever their order and however they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from openai import BaseModel
from openai.types.responses import (
    Response,
    ResponseOutputItem,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
)
from openai.types.responses.response_output_item import ImageGenerationCall
from openai.types.responses.tool import ImageGeneration

from darkroom.rendering import errors, picture
from darkroom.rendering.job import Answer, Billed, Blobs, Candidate, Failure, FailureKind, SavedPicture, Usage
from darkroom.rendering.picture import BadPictureError, Incoming
from darkroom.rendering.stream import BadStreamError, Event

PREVIEW_KEY = "partial_image_b64"
_ENDS = ("response.completed", "response.failed", "response.incomplete")
_BEGINNINGS = ("response.created", "response.queued", "response.in_progress")
UNREADABLE = "unreadable"
"""Stands for a model whose name cannot be one."""


class Reading:
    """What is known of a response so far.

    ``finished`` says that the API has ended it, ``response_id`` is set as soon as an event names it. *asked*
    is who was asked.
    """

    def __init__(self, blobs: Blobs, asked: Candidate | None = None) -> None:
        self.response_id: str | None = None
        self.finished = False
        self.picture: SavedPicture | None = None
        self._blobs = blobs
        self._asked = asked
        self._image_model: str | None = None
        self._host_model: str | None = None
        self._words: dict[str, str] = {}
        self._host_usage: Usage | None = None
        self._image_usage: Usage | None = None
        self._bad_picture = ""
        self._item_error: object = None
        self._item_failed = False
        self._error_event: Failure | None = None
        self._end: Response | None = None

    def begin(self, key: str) -> Incoming:
        """Where the long string of *key* goes: a file until there is a picture, except for previews."""
        wanted = self.picture is None and key != PREVIEW_KEY
        return Incoming(self._blobs.begin() if wanted else None)

    def take(self, event: Event) -> None:
        """One event of the stream; kinds not known here are passed over."""
        kind = event.data.get("type")
        if kind in _BEGINNINGS and isinstance(event.data.get("response"), dict):
            self._names(Response.construct(**_small(event.data["response"])))
        elif kind == "response.output_item.done":
            self._item(ResponseOutputItemDoneEvent.construct(**event.data).item, event)
        elif kind in _ENDS and isinstance(event.data.get("response"), dict):
            # The event's name decides, not the status inside of it.
            status = kind.removeprefix("response.")
            self.take_response({**event.data["response"], "status": status}, event)
        elif kind == "error":
            self._error_event = errors.of_event(event.data, self._asked)

    def take_response(self, data: Mapping[str, Any], event: Event) -> None:
        """A whole response: the end of a stream, or what ``GET /responses/{id}`` gives.

        BadStreamError when it is no response at all.
        """
        if not isinstance(data.get("status"), str) or not isinstance(data.get("output", []), list):
            raise BadStreamError("the answer is no response")
        response = Response.construct(**data)
        self._names(response)
        if response.status in ("queued", "in_progress"):
            return
        self.finished, self._end = True, response
        self._host_usage = _usage(data.get("usage"))
        tools = data.get("tool_usage")
        self._image_usage = _usage(tools.get("image_gen")) if isinstance(tools, dict) else None
        for item in _list(response.output):
            self._item(item, event)

    def answer(self, broken: Failure | None, *, request_id: str | None, headers: Mapping[str, str]) -> Answer:
        """What became of it. *broken* is why the stream ended early, None when it ended by itself."""
        return Answer(
            response_id=self.response_id,
            image_model=self._image_model,
            host_model=self._host_model,
            picture=self.picture,
            words="\n\n".join(text for text in self._words.values() if text.strip()),
            host_usage=self._host_usage,
            image_usage=self._image_usage,
            failure=None if self.picture is not None else self._failure(broken),
            request_id=request_id,
            headers=headers,
        )

    def _failure(self, broken: Failure | None) -> Failure | None:
        """Why there is no picture; None when the API just answered without one."""
        usage = self._host_usage is not None or self._image_usage is not None
        if self._end is None:
            return self._unfinished(broken)
        if self._end.status in ("failed", "cancelled"):
            if self._end.error is None and self._error_event is not None:
                return replace(self._error_event, billed=Billed.REPORTED if usage else Billed.NOTHING)
            return errors.of_failed(_plain(self._end.error), usage=usage, asked=self._asked)
        if self._item_failed:
            return errors.of_failed(self._item_error, usage=usage, asked=self._asked)
        if self._bad_picture:
            billed = Billed.REPORTED if usage else Billed.UNKNOWN
            return Failure(FailureKind.BAD_PICTURE, billed, code="bad_picture", message=self._bad_picture)
        if self._end.status == "incomplete":
            reason = errors.name(getattr(self._end.incomplete_details, "reason", None)) or ""
            blocked = reason == "content_filter"
            return Failure(
                FailureKind.MODERATION if blocked else FailureKind.SERVER,
                Billed.REPORTED if usage else Billed.UNKNOWN,
                code="incomplete",
                message=reason,
            )
        return None

    def _unfinished(self, broken: Failure | None) -> Failure:
        """The stream ended before the response did; the clearest thing it said counts."""
        if self._error_event is not None:
            return self._error_event
        if self._item_failed:
            failure = errors.of_failed(self._item_error, usage=False, asked=self._asked)
            if failure.kind is FailureKind.MODERATION:
                # What was generated until then is billed; only the end of the response would say how much.
                return replace(failure, billed=Billed.UNKNOWN)
        if self._bad_picture:
            return Failure(FailureKind.BAD_PICTURE, Billed.UNKNOWN, "bad_picture", self._bad_picture)
        return broken or Failure(FailureKind.SERVER, Billed.UNKNOWN, "stream_ended", "no end of the response")

    def _names(self, response: Response) -> None:
        self.response_id = self.response_id or errors.name(response.id)
        self._host_model = _model(response.model) or self._host_model
        for tool in _list(response.tools):
            if isinstance(tool, ImageGeneration):
                self._image_model = _model(tool.model) or self._image_model

    def _item(self, item: ResponseOutputItem, event: Event) -> None:
        if isinstance(item, ResponseOutputMessage):
            self._words[errors.name(item.id) or ""] = _words(item)
        elif isinstance(item, ImageGenerationCall) and self.picture is None:
            # ``result`` decides, not ``status``: a finished picture may come as "generating".
            if isinstance(item.result, str) and item.result:
                self._keep(item.result, _clean(item.revised_prompt), event)
            elif item.status == "failed" or item.error is not None:
                self._item_failed, self._item_error = True, _plain(item.error)

    def _keep(self, result: str, revised_prompt: str | None, event: Event) -> None:
        incoming = event.spilled.get(result)
        if incoming is None:
            incoming = Incoming(self._blobs.begin())
            incoming.feed(result.encode("ascii", "replace"))
            incoming.end()
        try:
            self.picture = picture.save(incoming, revised_prompt)
        except BadPictureError as error:
            self._bad_picture = str(error)


def _small(response: Mapping[str, Any]) -> dict[str, Any]:
    """Of a response that has only begun: what names it."""
    return {key: response[key] for key in ("id", "model", "tools") if key in response}


def _list(value: object) -> list[Any]:
    """A list, also where the API left out what its types promise."""
    return value if isinstance(value, list) else []


def _usage(value: object) -> Usage | None:
    return value if isinstance(value, dict) else None


def _plain(error: object) -> object:
    """An error object as it came, from the client's type for it (whose lists of codes are not complete)."""
    return error.to_dict(warnings=False) if isinstance(error, BaseModel) else error


def _words(message: ResponseOutputMessage) -> str:
    parts = []
    for content in _list(message.content):
        if isinstance(content, ResponseOutputText):
            parts.append(_clean(content.text) or "")
        elif isinstance(content, ResponseOutputRefusal):
            parts.append(_clean(content.refusal) or "")
    return "".join(parts)


def _clean(text: object) -> str | None:
    """Text without halves of surrogate pairs, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def _model(value: object) -> str | None:
    """A model's name that the API gave, None where it gave none."""
    return errors.name(value) or (UNREADABLE if isinstance(value, str) and value else None)


def warm() -> None:
    """Let the client build the types of an answer now, which takes it a while the first time."""
    message = {"type": "message", "id": "", "content": [{"type": "output_text", "text": ""}]}
    output = [
        message,
        {"type": "image_generation_call", "id": "", "status": "failed", "error": {"message": ""}},
    ]
    for item in output:
        ResponseOutputItemDoneEvent.construct(type="response.output_item.done", item=item)
    Response.construct(id="", status="completed", tools=[{"type": "image_generation"}], output=output)
