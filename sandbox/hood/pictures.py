"""The image API's calls in the record: request, stream, tokens and price."""

import time
from collections.abc import Callable
from fractions import Fraction
from http import HTTPStatus
from typing import Any, Final

from sandbox.hood.record import Record
from sandbox.images.costs import host_prices, image_prices
from sandbox.images.faults import DELETE, GENERATIONS, RETRIEVE, Call

Json = dict[str, Any]
_MOST_OPEN: Final = 1_000
_PICTURES_IN: Final = ("result", "partial_image_b64")


class PictureWatcher:
    """A `Watcher` of an `ImageApi` that writes into a record.

    `moved` hears of each call that begins or ends; `placed` is asked to find out for which thread a call was
    that has ended, by its entry and the id of its response.
    """

    def __init__(
        self, record: Record, moved: Callable[[], None], placed: Callable[[int, str], None] | None = None
    ) -> None:
        self._record = record
        self._moved = moved
        self._placed = placed
        self._open: dict[int, tuple[int, float]] = {}

    def call(self, call: Call) -> None:
        """A call has come in, or has changed."""
        if call.number not in self._open:
            if call.outcome == "running" and call.ended_at is None and not call.cut:
                entry = self._record.open("image", call.endpoint, _said(call), call.body)
                self._open[call.number] = entry, time.perf_counter()
                while len(self._open) > _MOST_OPEN:
                    del self._open[next(iter(self._open))]
                self._moved()
            return
        entry, began = self._open[call.number]
        if call.cut and call.outcome == "running":
            self._record.change(entry, error="the connection ended; it goes on")
        if call.ended_at is not None:
            ms = round((time.perf_counter() - began) * 1_000, 1)
            self._record.change(entry, ms=ms, **_ended(call))
            if call.response_id and self._placed is not None:
                self._placed(entry, call.response_id)
        self._moved()

    def event(self, call: Call, event: Json) -> None:
        """An event has happened in what the call began."""
        if call.number not in self._open:
            return
        entry, began = self._open[call.number]
        kind = str(event.get("type", "event"))
        self._record.event(entry, (time.perf_counter() - began) * 1_000, kind, _told(event))
        if isinstance(event.get("response"), dict) and kind.rpartition(".")[2] not in (
            "created",
            "in_progress",
            "queued",
        ):
            self._record.answer(entry, event["response"])

    def answered(self, call: Call, status: int, body: Json | None) -> None:
        """The answer, or with a stream its beginning."""
        if call.number not in self._open or body is None:
            return
        entry = self._open[call.number][0]
        self._record.answer(entry, body)
        error = body.get("error")
        if status >= HTTPStatus.BAD_REQUEST and isinstance(error, dict):
            self._record.change(entry, error=str(error.get("code") or error.get("type") or status))


def price_usd(host: str | None, image: str | None, billed: dict[str, int]) -> str:
    """What these tokens cost at the image API's own prices: dollars, six places."""
    nano = sum(
        tokens * (host_prices(host) if name.startswith("host_") else image_prices(image))[name]
        for name, tokens in billed.items()
    )
    return f"{float(Fraction(nano, 1_000_000_000)):.6f}"


def _ended(call: Call) -> Json:
    """What is known of a call once it has ended."""
    refused = call.outcome.partition("refused:")[2]
    bad = bool(refused) and refused != "200"
    error = refused if bad else call.outcome if call.outcome in ("blocked", "incomplete", "cut") else None
    if call.cut and error is None:
        error = "the connection ended before the answer did"
    made: Json = {"ok": error is None, "error": error}
    if call.billed:
        asked = call.asked
        made["tokens"] = {name: tokens for name, tokens in call.billed.items() if tokens}
        made["price_usd"] = price_usd(asked.host, asked.model, call.billed)
    return made


def _said(call: Call) -> str:
    """A call in one line."""
    if call.endpoint in (RETRIEVE, DELETE):
        return str(call.body.get("response_id", ""))
    asked = call.asked
    if not asked.prompt and call.endpoint != GENERATIONS:
        return str(call.body.get("model") or call.endpoint)
    with_pictures = f"{len(asked.pictures)} sent along" if asked.pictures else None
    going_on = "goes on" if asked.parent else None
    look = ", ".join(
        str(each) for each in (asked.model, asked.quality, asked.size, going_on, with_pictures) if each
    )
    return f"{asked.prompt} ({look})" if look else asked.prompt


def _told(event: Json) -> str:
    """An event in one line: what it brought."""
    item = event.get("item") if isinstance(event.get("item"), dict) else event
    for name in _PICTURES_IN:
        if isinstance(picture := (item or {}).get(name), str):
            return f"a picture, {len(picture):,} characters of base64"
    words = event.get("delta") or event.get("text") or (item or {}).get("status") or ""
    return words if isinstance(words, str) else ""
