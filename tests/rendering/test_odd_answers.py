"""Answers in which one thing is of another type than promised, or missing: none breaks the reading."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.rendering.job import Answer, NoWord
from storage.blobs import BlobStore
from tests.rendering.support import (
    Script,
    Scripted,
    created,
    done,
    ended,
    image_item,
    job,
    message,
    nobody,
    png,
    renderer,
    response,
)

ODD: list[Any] = [None, True, -1, 10**30, 1.5, "", "\ud800", "x" * 9_000, [], [[]], {}, [{}], float("nan")]
MISSING = object()
SOME_OR_ALL = pytest.mark.parametrize(
    "every",
    [pytest.param(5, marks=pytest.mark.slow, id="some"), pytest.param(1, marks=pytest.mark.proof, id="all")],
)
"""Of every part about three of the fourteen odd things, other ones each time; or all of them."""
BLOCKED = {
    "code": "moderation_blocked",
    "message": "no",
    "type": "t",
    "param": "p",
    "moderation_details": {"moderation_stage": "output", "categories": ["a"]},
}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "picture": [
        created(),
        done(image_item(png())),
        done(message("hi", refusal="no")),
        ended("completed", image_item(png()), message("hi")),
    ],
    "blocked": [
        created(),
        done(image_item(None, status="failed", error=BLOCKED)),
        {"type": "error", "error": BLOCKED},
        ended("failed", error=BLOCKED),
    ],
    "incomplete": [created(), ended("incomplete", incomplete_details={"reason": "content_filter"})],
}


def _paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


def _mutants(value: Any, every: int) -> Iterator[tuple[str, Any]]:
    """*value* with each of its parts replaced by each odd thing, or gone; of all these every fifth, say."""
    pairs = itertools.product((path for path in _paths(value) if path), (*ODD, MISSING))
    for path, odd in itertools.islice(pairs, 0, None, every):
        mutant = copy.deepcopy(value)
        place = mutant
        for step in path[:-1]:
            place = place[step]
        if odd is MISSING:
            del place[path[-1]]
        else:
            place[path[-1]] = odd
        yield f"{path} = {odd!r:.40}", mutant


def _check(answer: Answer | NoWord, what: str) -> None:
    """It can be written into a database: every text is one."""
    if isinstance(answer, NoWord):
        return
    failure = answer.failure
    texts = [answer.response_id, answer.image_model, answer.host_model, answer.words, answer.request_id]
    texts += [answer.picture.revised_prompt if answer.picture else None]
    if failure is not None:
        texts += [failure.code, failure.message, failure.moderation_stage, *failure.moderation_categories]
    for text in texts:
        assert text is None or text.encode().decode() == text, what


@SOME_OR_ALL
@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_with_anything_odd_in_it_gives_an_answer(
    name: str, every: int, tmp_path: Path
) -> None:
    blobs = BlobStore(tmp_path)
    for what, events in _mutants(STREAMS[name], every):
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
        read = renderer(Scripted(Script([body])), blobs)
        _check(await read.render(job(), nobody), what)
        await read.aclose()
    assert not list((tmp_path / "tmp").glob("*"))


@SOME_OR_ALL
@pytest.mark.parametrize("status", [200, 302, 400, 429, 500])
async def test_a_refusal_with_anything_odd_in_it_gives_an_answer(
    status: int, every: int, tmp_path: Path
) -> None:
    blobs = BlobStore(tmp_path)
    for what, body in [*_mutants({"error": BLOCKED}, every), *((repr(odd)[:40], odd) for odd in ODD)]:
        for ask in (False, True):
            read = renderer(Scripted(Script.json(body, status)), blobs)
            _check(await (read.ask(job(), "resp_1") if ask else read.render(job(), nobody)), what)
            await read.aclose()


@SOME_OR_ALL
async def test_a_whole_response_with_anything_odd_in_it_gives_an_answer(every: int, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    for what, body in _mutants(response("completed", image_item(png()), message("hi")), every):
        read = renderer(Scripted(Script.json(body)), blobs)
        _check(await read.ask(job(), "resp_1"), what)
        await read.aclose()
