"""What the sandbox sends has the shape of the published samples, but for what docs/sandbox.md says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.slack.api import METHODS
from tests.sandbox_clients.documented import PAGE
from tests.sandbox_fidelity import samples
from tests.sandbox_fidelity.compare import LEFT_OUT, MORE, adds, lacks, merged
from tests.sandbox_fidelity.samples import ERRORS, REFUSED, SKELETONS, SLACK, STREAM, STREAMS, read

Json = dict[str, Any]
Difference = tuple[str, str, str]


def test_the_comparison_notices_what_is_left_out_more_and_of_another_type() -> None:
    sample = {"a": {"b": 1}, "c": [{"type": "x", "d": "y"}, {"type": "z", "e": 1}], "n": None}
    ours = {"a": {"b": "1", "more": 1}, "c": [{"type": "z", "e": 1}, {"type": "x"}], "n": 3}

    assert lacks(sample, ours) == {("a.b", "text for number"), ("c[].d", LEFT_OUT)}
    assert lacks({"flag": True, "C0123456789": {"a": 1}}, {"flag": 1, "C9876543210": {}}) == {
        ("flag", "number for boolean"),
        ("*.a", LEFT_OUT),
    }
    skeleton = merged({"a": {"b": 0}, "c": [{"type": ""}, {"d": ""}], "n": {}})
    assert skeleton["c"] == [{"type": "", "d": ""}]
    assert adds(skeleton, ours) == {("a.b", "text for number"), ("a.more", MORE), ("c[].e", MORE)} | {
        ("n", "number for object")
    }


@dataclass(frozen=True)
class Row:
    """A line of the page's table: in which parts which fields differ how."""

    parts: tuple[str, ...]
    fields: tuple[str, ...]
    how: str

    def tells(self, difference: Difference) -> bool:
        """Whether it speaks of this difference."""
        part, field, how = difference
        return how == self.how and _any(self.parts, part) and _any(self.fields, field)


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), name) for each in patterns)


def told() -> list[Row]:
    """The rows of the table of differences, each with a reason."""
    table = PAGE.partition("| sent | fields | here | why |")[2].partition("\n\n")[0]
    rows = []
    for line in table.strip().splitlines()[1:]:
        parts, fields, how, why = (cell.strip() for cell in line.strip("|").split("|"))
        assert why, line
        ticked = [tuple(re.findall(r"`([^`]+)`", cell)) for cell in (parts, fields)]
        rows.append(Row(ticked[0], ticked[1], how))
    return rows


async def differences() -> set[Difference]:
    """Every difference there is."""
    made = await samples.payloads()
    pairs = [
        (path.stem, lacks(read(path), made[path.stem]))
        for path in (SLACK / "payloads").glob("*.json")
        if path.stem in made
    ]
    pairs += [(name, adds(_skeleton(file), made[name])) for name, file in SKELETONS.items()]
    for name, ours in (await samples.envelopes()).items():
        pairs.append((name, lacks(read(SLACK / "socket_mode" / f"{name}.json"), ours)))
    for method in samples.here("responses"):
        sample = read(SLACK / "responses" / f"{method}.ok.json")
        pairs.append((method, lacks(sample, await samples.answer(method))))
    for method in samples.here("shapes"):
        pairs.append((method, adds(_skeleton(method), await samples.answer(method))))
    wanted = samples.by_kind([each["data"] for each in read(STREAM / "image_ok.json")])
    events = await samples.stream()
    pairs += [(kind, lacks(event, events.get(kind, {}))) for kind, event in wanted.items()]
    return {(part, field, how) for part, found in pairs for field, how in found}


def _skeleton(name: str) -> Any:
    return merged(read(SLACK / "shapes" / f"{name}.json"))


def test_the_page_names_every_method() -> None:
    listed = PAGE.partition("| methods that are here |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`([^`]+)`", listed)) == sorted(METHODS)


async def test_every_payload_of_the_sandbox_has_a_sample() -> None:
    known = {path.stem for path in (SLACK / "payloads").glob("*.json")} | set(SKELETONS)
    assert set(await samples.payloads()) <= known
    assert len(known) > 20


async def test_the_page_tells_every_difference_and_no_other() -> None:
    found, rows = await differences(), told()

    assert sorted(each for each in found if not any(row.tells(each) for row in rows)) == []
    for row in rows:
        for field in row.fields:
            alone = Row(row.parts, (field,), row.how)
            assert any(alone.tells(each) for each in found), f"nothing differs like this any more: {alone}"
        for part in row.parts:
            alone = Row((part,), row.fields, row.how)
            assert any(alone.tells(each) for each in found), f"nothing differs like this any more: {alone}"


def test_every_answer_that_has_a_sample_is_compared() -> None:
    """Of the methods that the sandbox has; so a method that is new brings its sample into the comparison."""
    named = {path.name.removesuffix(".ok.json") for path in (SLACK / "responses").glob("*.ok.json")}
    assert named & set(METHODS) == set(samples.here("responses"))
    assert set(REFUSED) == set(samples.here("refusals"))
    assert len(samples.here("responses")) >= 13


@pytest.mark.parametrize("method", samples.here("refusals"))
async def test_a_refusal_has_the_shape_of_slacks(method: str) -> None:
    refused = await samples.refusal(method)

    assert lacks(read(SLACK / "refusals" / f"{method}.json"), refused) == set()
    assert refused["ok"] is False


async def test_a_stream_has_the_events_of_the_captured_one_in_their_order() -> None:
    captured = samples.by_kind([each["data"] for each in read(STREAM / "image_ok.json")])

    assert list(await samples.stream()) == list(captured)


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_that_fails_has_the_shape_of_the_captured_one(name: str) -> None:
    captured = samples.by_kind([each["data"] for each in read(STREAM / f"{name}.json")])
    events = await samples.failing_stream(STREAMS[name])

    assert list(events)[-1] == list(captured)[-1]
    for kind, event in captured.items():
        assert lacks(event, events[kind]) == set()


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_of_the_image_api_has_the_shape_of_the_captured_one(name: str) -> None:
    captured = read(STREAM.parent / "errors.json")[name]
    status, body = await samples.error(ERRORS[name])

    assert status == captured.get("status", int(name.rpartition("_")[2]))
    assert lacks(captured["body"], body) == set()
    assert set(body["error"]) == set(captured["body"]["error"])
    assert body["error"]["type"] == captured["body"]["error"]["type"]
    assert str(body["error"]["code"]) in str(captured["body"]["error"]["code"])
