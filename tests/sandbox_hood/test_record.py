"""The record is bounded, and what it keeps is short and harmless."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.hood.abridging import abridged, line
from sandbox.hood.record import MOST_SHOWN, Entry, Record

Json = dict[str, Any]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300) | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=30), inner, max_size=30),
    max_leaves=60,
)


def _record(**bounds: int) -> tuple[Record, list[Entry]]:
    told: list[Entry] = []
    return Record(lambda: 5.0, told.append, **bounds), told


def test_an_entry_that_changes_keeps_its_id_and_is_told_again() -> None:
    record, told = _record()
    entry = record.open("web", "chat.postMessage", "#design: hello", {"text": "hello"}, channel="C1")
    record.change(entry, ok=True, ms=3.0)
    record.change(entry, ok=True, ms=3.0)
    assert [(each.id, each.ok) for each in told] == [(entry, None), (entry, True)]
    assert record.newest()[-1].ms == 3.0


def test_only_the_newest_are_kept_and_shown() -> None:
    record, _ = _record(most=300)
    for number in range(500):
        record.open("web", "x", str(number))
    assert record.last == 500
    shown = record.newest()
    assert [shown[0].id, shown[-1].id, len(shown)] == [301, 500, MOST_SHOWN]
    assert [each.id for each in record.newest(497)] == [498, 499, 500]
    assert record.newest(0)[0].id == 201, "what is behind an id comes from there on, the oldest first"
    record.change(1, ok=True)
    assert record.details(1) is None


def test_details_that_weigh_too_much_go_and_their_entries_stay() -> None:
    record, _ = _record(heaviest=5_000)
    for number in range(20):
        record.open("web", "x", str(number), {"text": "y" * 1_000})
    assert len(record.newest()) == 20
    first, last = record.details(1), record.details(20)
    assert first is not None
    assert first["request"] == "(no longer kept)"
    assert last is not None
    assert last["request"]["text"].startswith("yyy")


def test_a_stream_is_kept_up_to_a_bound() -> None:
    record, _ = _record()
    entry = record.open("image", "responses", "a fox")
    for number in range(10_000):
        record.event(entry, number, "response.output_text.delta", "word " * 20)
    details = record.details(entry)
    assert details is not None
    assert 10 < len(details["stream"]) <= 100
    assert len(json.dumps(details)) < 64_000


def test_entries_of_one_channel_or_thread_can_be_asked_for() -> None:
    record, _ = _record()
    record.open("web", "a", "", channel="C1", thread="1.0")
    record.open("web", "b", "", channel="C1", thread="2.0")
    record.open("web", "c", "", channel="C2", thread="1.0")
    assert [each.name for each in record.newest(channel="C1")] == ["a", "b"]
    assert [each.name for each in record.newest(channel="C1", thread="1.0")] == ["a"]


@given(_JSON, st.integers(500, 24_000))
def test_whatever_it_is_it_becomes_json_within_the_bound(value: Any, most: int) -> None:
    text = abridged(value, most)
    json.loads(text)
    assert len(text) <= most


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"token": "xoxb-1-abc"}, {"token": "(secret)"}),
        ({"text": "use xapp-1-A0-abc now"}, {"text": "use (secret) now"}),
        ("Bearer sk-proj-abc_123", "Bearer (secret)"),
        ("ws://host/link/?ticket=abc123&app=1", "ws://host/link/?ticket=(secret)&app=1"),
        ("data:image/png;base64," + "A" * 5_000, "(image/png in base64, 5,022 characters)"),
        ("A" * 5_000, "(a picture or file in base64, 5,000 characters)"),
        (b"12345", "(5 bytes)"),
        ("word " * 1_000, "word " * 40 + "… (5,000 characters)"),
    ],
)
def test_pictures_and_secrets_are_replaced_by_what_they_are(value: Any, shown: Any) -> None:
    assert json.loads(abridged(value, 24_000)) == shown


def test_what_is_endlessly_deep_ends() -> None:
    deep: Json = {}
    deep["in"] = deep
    assert "deeper inside" in abridged(deep, 24_000)


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    made = line(text)
    assert len(made) <= 140
    assert "\n" not in made
