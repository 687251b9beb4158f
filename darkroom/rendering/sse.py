"""The frame around a stream's events: lines of ``data:``, ended by an empty line (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.rendering.stream import BadStreamError, Begin, Document, Event

MAX_STREAM = 256 * 1024 * 1024
"""Bytes of a whole answer: the largest picture twice in base64, with room to spare."""
_DATA = b"data:"


@dataclass(slots=True)
class EventReader:
    """Events out of bytes that may be cut anywhere, also inside of a line's end or its name."""

    begin: Begin
    received: int = 0
    _document: Document | None = None
    _event: Event | None = None
    _name: bytes = b""  # the line's first bytes, until it is clear whether it is data
    _after_cr: bool = False
    _line_empty: bool = True

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that *chunk* completes. An event's unclaimed files go when the next is asked for."""
        self.received += len(chunk)
        if self.received > MAX_STREAM:
            raise BadStreamError("the stream is too long")
        at = 0
        if self._after_cr and chunk:
            at = 1 if chunk[:1] == b"\n" else 0
            self._after_cr = False
        while at < len(chunk):
            newline = chunk.find(b"\n", at)
            carriage = chunk.find(b"\r", at, newline if newline >= 0 else len(chunk))
            end = carriage if carriage >= 0 else newline
            self._text(chunk[at:] if end < 0 else chunk[at:end])
            if end < 0:
                return
            at = end + 1
            if end == carriage:
                self._after_cr = at == len(chunk)
                at += chunk[at : at + 1] == b"\n"
            if self._line_empty:
                yield from self._dispatch()
            elif self._document is not None and self._name == _DATA:
                self._document.feed(b"\n")
            self._name, self._line_empty = b"", True

    def close(self) -> Iterator[Event]:
        """The stream is over: an event whose empty line never came; BadStreamError when it is broken off."""
        yield from self._dispatch()

    def discard(self) -> None:
        """Forget what is unfinished or unclaimed, and its files."""
        if self._document is not None:
            self._document.discard()
            self._document = None
        if self._event is not None:
            self._event.discard()
            self._event = None

    def _text(self, text: bytes) -> None:
        if not text:
            return
        self._line_empty = False
        if self._name != _DATA:
            missing = len(_DATA) - len(self._name)
            self._name, text = self._name + text[:missing], text[missing:]
            if self._name != _DATA:
                return
        if self._document is None:
            self._document = Document(self.begin)
        self._document.feed(text)

    def _dispatch(self) -> Iterator[Event]:
        if self._document is None:
            return
        event = self._document.event()
        self._document = None
        if event is not None:
            self._event = event
            yield event
            event.discard()
