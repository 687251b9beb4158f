"""Takes the long strings out of JSON while it arrives, so that no picture is ever held in memory.

A picture travels as one base64 string of megabytes inside a JSON event. Such a string goes through a decoder
straight into its file, piece by piece as it comes; what is left of the event is small and goes to ``json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.rendering.picture import Incoming

SPILL_OVER = 64 * 1024
"""Strings with more bytes than this between their quotes are taken out."""
MAX_REST = 4 * 1024 * 1024
"""Bytes an event may have beside the strings taken out."""
MAX_SPILLED = 32
"""Long strings an event may have: each may be an open file, and an answer has one picture."""
_KEY = re.compile(rb'"([^"\\]*)"\s*:\s*"\Z')

Begin = Callable[[str], Incoming]
"""Told the key of a long string, gives what takes its bytes; the key is empty inside of a list."""


class BadStreamError(ValueError):
    """What arrived is no JSON object or no event stream, or larger than any may be."""


@dataclass(frozen=True, slots=True)
class Event:
    """One JSON object, and the strings taken out of it by the short marker that stands in their place."""

    data: Mapping[str, Any]
    spilled: Mapping[str, Incoming]

    def discard(self) -> None:
        """Forget the files that nobody has claimed."""
        for incoming in self.spilled.values():
            incoming.discard()


@dataclass(slots=True)
class Document:
    """One JSON object, arriving in pieces that may be cut anywhere."""

    begin: Begin
    _rest: bytearray = field(default_factory=bytearray)
    _spilled: dict[str, Incoming] = field(default_factory=dict)
    _string: int = -1  # where in the rest the open string begins; -1 outside of strings
    _long: Incoming | None = None
    _tail: bytes = b""  # the beginning of an escape whose end has not arrived

    def feed(self, data: bytes) -> None:
        """Take the next piece; BadStreamError when the rest grows too large."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        at = 0
        while at < len(data):
            at = self._outside(data, at) if self._string < 0 else self._inside(data, at)
            if len(self._rest) > MAX_REST:
                raise BadStreamError("an event is too large")

    def event(self) -> Event | None:
        """The finished object, None when nothing came or only ``[DONE]``; BadStreamError when broken."""
        text = self._rest.strip()
        if not text or text == b"[DONE]":
            return None
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadStreamError("an event is not JSON") from error
        if not isinstance(data, dict):
            raise BadStreamError("an event is no object")
        return Event(data, self._spilled)

    def discard(self) -> None:
        """Forget it, and the files that it began."""
        for incoming in (*self._spilled.values(), *([self._long] if self._long else [])):
            incoming.discard()

    def _outside(self, data: bytes, at: int) -> int:
        quote = data.find(b'"', at)
        end = quote + 1 if quote >= 0 else len(data)
        self._rest += data[at:end]
        if quote >= 0:
            self._string = len(self._rest)
        return end

    def _inside(self, data: bytes, at: int) -> int:
        quote = data.find(b'"', at)
        while quote > at and _backslashes(data, at, quote) % 2:
            quote = data.find(b'"', quote + 1)
        if quote < 0:
            end = len(data) - _open_escape(data, at)
            self._take(data[at:end])
            self._tail = data[end:]
            return len(data)
        self._take(data[at:quote])
        self._close()
        return quote + 1

    def _take(self, text: bytes) -> None:
        if self._long is None:
            self._rest += text
            if len(self._rest) - self._string <= SPILL_OVER:
                return
            if len(self._spilled) >= MAX_SPILLED:
                raise BadStreamError("an event has too many long strings")
            text = bytes(self._rest[self._string :])
            del self._rest[self._string :]
            key = _KEY.search(self._rest[-256:])
            self._long = self.begin(key[1].decode("utf-8", "replace") if key else "")
        self._long.feed(_unescape(text) if b"\\" in text else text)

    def _close(self) -> None:
        if self._long is not None:
            self._long.end()
            marker = f"spilled:{len(self._spilled)}"
            self._spilled[marker], self._long = self._long, None
            self._rest += marker.encode()
        self._rest += b'"'
        self._string = -1


def _backslashes(data: bytes, start: int, end: int) -> int:
    """How many backslashes stand directly before *end*, none of them before *start*."""
    at = end
    while at > start and data[at - 1] == 0x5C:
        at -= 1
    return end - at


def _open_escape(data: bytes, start: int) -> int:
    """How many bytes at the end of *data* are the beginning of an escape (at most 5, of ``\\uXXXX``)."""
    last = data.rfind(b"\\", max(start, len(data) - 5))
    if last < 0 or _backslashes(data, start, last + 1) % 2 == 0:
        return 0
    after = data[last + 1 :]
    return 1 + len(after) if not after or after[:1] == b"u" else 0


def _unescape(text: bytes) -> bytes:
    """A piece of a JSON string with its escapes resolved; line breaks, which base64 may have, are dropped."""
    try:
        plain: str = json.loads(f'"{text.decode("latin-1")}"', strict=False)
    except ValueError as error:
        raise BadStreamError("a string has a broken escape") from error
    return plain.encode("latin-1", "replace").replace(b"\n", b"").replace(b"\r", b"")
