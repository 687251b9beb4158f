"""Long strings leave the stream on the way, wherever it is cut; everything else is plain JSON."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.rendering import stream
from darkroom.rendering.picture import Incoming
from darkroom.rendering.sse import EventReader
from darkroom.rendering.stream import BadStreamError, Document, Event
from tests.rendering.support import b64, cut, sse


class Memory:
    """A picture file that is none."""

    def __init__(self) -> None:
        self.data = b""
        self.discarded = False

    def write(self, data: bytes) -> None:
        """Append."""
        self.data += data

    def finish(self, suffix: str) -> tuple[str, Path]:
        """Not wanted here."""
        raise AssertionError(suffix)

    def path(self) -> Path:
        """Not wanted here."""
        raise AssertionError

    def discard(self) -> None:
        """Remembered."""
        self.discarded = True


class Desk:
    """Gives a file for every long string and remembers for which key."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Memory]] = []

    def begin(self, key: str) -> Incoming:
        """A new file."""
        self.given.append((key, Memory()))
        return Incoming(self.given[-1][1])


def read(data: bytes, cuts: list[int], desk: Desk) -> list[Event]:
    """The events of *data*, cut at *cuts*."""
    reader = EventReader(desk.begin)
    edges = [0, *sorted(place % (len(data) + 1) for place in cuts), len(data)]
    events = []
    for start, end in itertools.pairwise(edges):
        events += list(reader.feed(data[start:end]))
    events += list(reader.close())
    return events


def whole(value: Any, event: Event) -> Any:
    """*value* with the strings that were taken out put back in, from their bytes."""
    if isinstance(value, dict):
        return {key: whole(inner, event) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner, event) for inner in value]
    if isinstance(value, str) and value in event.spilled:
        writer = event.spilled[value].writer
        assert isinstance(writer, Memory)
        return b64(writer.data)
    return value


def encode(value: Any, slashes: bool, ascii_only: bool) -> str:
    """JSON in one of the ways that are all the same."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    return text.replace("/", "\\/") if slashes else text


_LONG = 200
LONG_BASE64 = st.binary(min_size=_LONG, max_size=700).map(b64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=16) | LONG_BASE64,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.lists(st.dictionaries(st.text(max_size=12), JSON, max_size=5), max_size=4)


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strings count as long much earlier, so that thousands of examples stay quick."""
    monkeypatch.setattr(stream, "SPILL_OVER", _LONG)


@settings(max_examples=150)
@given(
    EVENTS,
    st.lists(st.integers(0, 100_000), max_size=30),
    st.booleans(),
    st.booleans(),
    st.sampled_from("nrb"),
)
def test_any_events_cut_anywhere_are_what_json_makes_of_the_whole(
    events: list[dict[str, Any]], cuts: list[int], slashes: bool, ascii_only: bool, ending: str
) -> None:
    """Cuts fall inside of escapes, of UTF-8, of line ends and of names; the sum is always the same."""
    newline = {"n": "\n", "r": "\r", "b": "\r\n"}[ending]
    frames = [f"event: x{newline}data: {encode(e, slashes, ascii_only)}{newline * 2}" for e in events]
    desk = Desk()
    seen = [whole(event.data, event) for event in read("".join(frames).encode(), cuts, desk)]
    assert seen == events


@settings(max_examples=200)
@given(st.text(max_size=300), st.integers(1, 7))
def test_strings_of_any_kind_survive_pieces_of_any_size(text: str, size: int) -> None:
    """Long strings that are no base64 are marked as such; short ones are untouched."""
    desk = Desk()
    document = Document(desk.begin)
    for piece in cut(json.dumps({"k": text, "after": 1}).encode(), size):
        document.feed(piece)
    event = document.event()
    assert event is not None
    assert event.data["after"] == 1
    if event.data["k"] != text:
        assert event.spilled[event.data["k"]].fault


@given(st.binary(min_size=300, max_size=900), st.lists(st.integers(0, 5000), max_size=20))
def test_escaped_base64_is_the_same_bytes(picture: bytes, cuts: list[int]) -> None:
    """Slashes, plus and equals signs may be written as escapes, and lines may be broken."""
    text = b64(picture)
    text = text.replace("/", "\\u002f").replace("+", "\\u002B").replace("=", "\\u003d")
    text = text[:100] + "\\n" + text[100:] if "\\" not in text[90:110] else text
    desk = Desk()
    (event,) = read(f'data: {{"result": "{text}"}}\n\n'.encode(), cuts, desk)
    assert [writer.data for _, writer in desk.given] == [picture]
    assert event.spilled[event.data["result"]].size == len(picture)


def test_the_key_of_a_long_string_is_told_before_its_bytes() -> None:
    """Wherever it stands: first, last, deep down, with spaces around the colon; none inside of a list."""
    long = b64(b"x" * 300)
    deep = f'{{"deep":1,"partial_image_b64" :\t"{long}"}}'
    text = f'{{"a" : "{long}","b":{deep},"c":["{long}"], "result":"{long}"}}'
    desk = Desk()
    read(f"data:{text}\n\n".encode(), [], desk)
    assert [key for key, _ in desk.given] == ["a", "partial_image_b64", "", "result"]


def test_unclaimed_files_go_when_the_next_event_is_read() -> None:
    """A second copy of the picture, or a preview, leaves nothing behind."""
    desk = Desk()
    reader = EventReader(desk.begin)
    event = {"type": "x", "result": b64(b"y" * 300)}
    assert len(list(reader.feed(sse([event, event])))) == 2
    reader.discard()
    assert [writer.discarded for _, writer in desk.given] == [True, True]


def test_a_string_that_never_ends_leaves_no_file() -> None:
    """The connection broke inside of the picture."""
    desk = Desk()
    reader = EventReader(desk.begin)
    assert not list(reader.feed(b'data: {"result": "' + b"QUFB" * 100))
    with pytest.raises(BadStreamError):
        list(reader.close())
    reader.discard()
    assert desk.given[0][1].discarded


@pytest.mark.parametrize(
    "text",
    ["QUFB" * 80 + "QQ==" + "QUFB", "<html>" + "x" * 300, "QUFB" * 80 + "Q", "QUFB" * 80 + "ä"],
    ids=["data after padding", "HTML", "one character too many", "not ASCII"],
)
def test_what_is_no_base64_is_marked_and_its_file_is_gone(text: str) -> None:
    """Nothing after the fault is written."""
    desk = Desk()
    (event,) = read(f'data: {{"result": "{text}"}}\n\n'.encode(), [], desk)
    assert event.spilled[event.data["result"]].fault
    assert desk.given[0][1].discarded


@pytest.mark.parametrize("missing", [1, 2])
def test_padding_that_was_left_out_is_made_up_for(missing: int) -> None:
    """Some encoders leave the equals signs out."""
    picture = b"z" * (300 - missing)
    desk = Desk()
    read(f'data: {{"result": "{b64(picture).rstrip("=")}"}}\n\n'.encode(), [], desk)
    assert desk.given[0][1].data == picture


def test_an_event_over_several_data_lines_is_one() -> None:
    """As the standard allows; comments and unknown fields are passed over."""
    text = b': hello\nid: 7\nretry: 10\ndata: {"a":\ndata: 1,\ndata:"b": 2}\n\ndata: [DONE]\n\n: bye\n\n'
    assert [event.data for event in read(text, [], Desk())] == [{"a": 1, "b": 2}]


def test_the_last_event_counts_without_its_empty_line() -> None:
    """When its JSON is whole."""
    assert [event.data for event in read(b'data: {"a": 1}', [], Desk())] == [{"a": 1}]


@pytest.mark.parametrize(
    "text", [b"data: {no json}\n\n", b"data: [1]\n\n", b'data: {"a": "\xff"}\n\n', b"data: 7\n\n"]
)
def test_what_is_no_event_is_refused(text: bytes) -> None:
    """With one kind of error, whatever it is."""
    with pytest.raises(BadStreamError):
        read(text, [], Desk())


def test_nesting_without_end_is_refused() -> None:
    """Rather than ending the process."""
    with pytest.raises(BadStreamError):
        read(b"data: " + b'{"a":' * 200_000 + b"\n\n", [], Desk())


def test_the_small_rest_of_an_event_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many short strings are not a way around the limit on memory."""
    monkeypatch.setattr(stream, "MAX_REST", 1000)
    document = Document(Desk().begin)
    with pytest.raises(BadStreamError, match="too large"):
        document.feed(b'["short", "short", "short"],' * 100)


def test_a_stream_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is nothing but comments."""
    monkeypatch.setattr("darkroom.rendering.sse.MAX_STREAM", 1000)
    reader = EventReader(Desk().begin)
    assert not list(reader.feed(b": still here\n\n" * 60))
    with pytest.raises(BadStreamError, match="too long"):
        list(reader.feed(b": still here\n\n" * 60))


def test_a_picture_beyond_the_limit_is_dropped_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after it has filled the disk."""
    monkeypatch.setattr("darkroom.rendering.picture.MAX_PICTURE", 1000)
    desk = Desk()
    (event,) = read(f'data: {{"result": "{b64(b"q" * 5000)}"}}\n\n'.encode(), list(range(0, 7000, 100)), desk)
    assert "more than" in event.spilled[event.data["result"]].fault
    assert len(desk.given[0][1].data) <= 1000
