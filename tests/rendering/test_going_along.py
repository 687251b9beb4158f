"""What goes along with a prompt (pictures, a mask, a background), and having a response deleted again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai.types.responses import ResponseInputImageParam, tool_param
from pydantic import TypeAdapter

from darkroom.rendering import request
from darkroom.rendering.job import Answer, Billed, Failure, FailureKind, InputPicture
from darkroom.rendering.responses import FORGET_TIMEOUT_S
from storage.blobs import BlobStore
from tests.rendering.support import (
    JOB,
    HandClock,
    Script,
    Scripted,
    b64,
    fixture_stream,
    job,
    nobody,
    renderer,
)


def failure_of(answer: Answer) -> Failure:
    """There must be one."""
    assert answer.failure is not None
    return answer.failure


TOOL: TypeAdapter[Any] = TypeAdapter(tool_param.ImageGeneration)
CONTENT: TypeAdapter[Any] = TypeAdapter(ResponseInputImageParam)


def checked(body: dict[str, Any]) -> dict[str, Any]:
    """The image tool that was asked for; it and what goes along are of the client's own types."""
    (tool,) = body["tools"]
    TOOL.validate_python(tool, strict=True)
    assert set(tool) <= set(tool_param.ImageGeneration.__annotations__)
    for picture in body["input"][0]["content"][1:]:
        CONTENT.validate_python(picture, strict=True)
    return dict(tool)


def along(folder: Path, *names: str, size: int = 1000) -> tuple[InputPicture, ...]:
    """Files with different bytes."""
    for name in names:
        (folder / name).write_bytes(name.encode() + bytes(size))
    return tuple(InputPicture(folder / name, "image/png") for name in names)


async def test_a_mask_goes_along_for_the_first_picture(blobs: BlobStore, tmp_path: Path) -> None:
    """In the tool, as a data URL; the pictures keep their order."""
    parent, reference, mask = along(tmp_path, "parent", "reference", "mask")
    transport = Scripted(Script([fixture_stream("image_ok")]))
    sent = job(input_pictures=(parent, reference), mask=mask)
    await renderer(transport, blobs).render(sent, nobody)
    tool = checked(transport.bodies[0])
    assert tool["input_image_mask"] == {"image_url": "data:image/png;base64," + b64(mask.path.read_bytes())}
    assert "background" not in tool
    assert [part["image_url"][22:] for part in transport.bodies[0]["input"][0]["content"][1:]] == [
        b64(parent.path.read_bytes()),
        b64(reference.path.read_bytes()),
    ]


@pytest.mark.parametrize("background", ["transparent", "opaque"])
async def test_a_background_is_asked_for(blobs: BlobStore, tmp_path: Path, background: str) -> None:
    transport = Scripted(Script([fixture_stream("image_ok")]))
    sent = job(background=background, input_pictures=along(tmp_path, "parent"))
    await renderer(transport, blobs).render(sent, nobody)
    assert checked(transport.bodies[0])["background"] == background


async def test_sixteen_pictures_go_along_a_mask_included(blobs: BlobStore, tmp_path: Path) -> None:
    """The API's limit; whoever has more finds out before anything is sent."""
    *pictures, mask = along(tmp_path, *(f"{number:02d}" for number in range(17)))
    transport = Scripted(Script([fixture_stream("image_ok")]))
    made = renderer(transport, blobs)
    await made.render(job(input_pictures=tuple(pictures[:15]), mask=mask), nobody)
    assert len(transport.bodies[0]["input"][0]["content"]) == 16
    failure = failure_of(await made.render(job(input_pictures=tuple(pictures), mask=mask), nobody))
    assert (failure.code, failure.billed) == ("too_many_pictures", Billed.NOTHING)


async def test_a_mask_is_not_sent_alone_nor_larger_than_the_api_takes(
    blobs: BlobStore, tmp_path: Path
) -> None:
    parent, large = along(tmp_path, "parent", "large", size=4_000_000)
    made = renderer(Scripted(), blobs)
    assert failure_of(await made.render(job(mask=parent), nobody)).code == "mask_alone"
    large_one = job(input_pictures=(parent,), mask=large)
    assert failure_of(await made.render(large_one, nobody)).code == "picture_too_large"


async def test_pictures_are_bounded_together_too(
    blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "MAX_PICTURES_LENGTH", 3000)
    made = renderer(Scripted(Script([fixture_stream("image_ok")])), blobs)
    pictures = along(tmp_path, "1", "2", "3")
    answer = await made.render(job(input_pictures=pictures[:2]), nobody)
    assert answer.failure is None
    failure = failure_of(await made.render(job(input_pictures=pictures), nobody))
    assert (failure.code, failure.billed) == ("picture_too_large", Billed.NOTHING)


@pytest.mark.parametrize("code", ["invalid_image_file", "image_too_large", "invalid_base64_image"])
async def test_a_picture_that_the_api_refuses_costs_nothing(blobs: BlobStore, code: str) -> None:
    """And is not tried elsewhere: it is the same picture there."""
    error = {"message": "Invalid image file or mode for image 3.", "param": "", "code": code}
    refused = Script.json({"error": error | {"type": "image_generation_user_error"}}, 400)
    failure = failure_of(await renderer(Scripted(refused), blobs).render(JOB, nobody))
    assert (failure.kind, failure.billed, failure.code) == (
        FailureKind.BAD_REQUEST,
        Billed.NOTHING,
        code,
    )


@pytest.mark.parametrize(
    ("script", "gone"),
    [
        (Script.json({"id": "resp_1", "object": "response", "deleted": True}), True),
        (Script([], status=204), True),
        (Script.json({"error": {"message": "No response found"}}, 404), True),
        (Script.json({"error": {"message": "Sorry"}}, 500), False),
        (Script.json({"error": {"code": "rate_limit_exceeded", "message": "Slowly"}}, 429), False),
        (Script.json({"error": {"code": "invalid_api_key", "message": "Who?"}}, 401), False),
        (Script(refused=httpx2.ConnectError("down")), False),
        (Script(refused=httpx2.ReadTimeout("slow")), False),
    ],
)
async def test_a_stored_response_is_deleted(blobs: BlobStore, script: Script, gone: bool) -> None:
    """What the API does not know is gone; what it cannot say now is asked again by others."""
    transport = Scripted(script)
    assert await renderer(transport, blobs).forget("resp_1") is gone
    (sent,) = transport.requests
    assert (sent.method, sent.url.path) == ("DELETE", "/v1/responses/resp_1")


async def test_deleting_has_a_limit(blobs: BlobStore) -> None:
    clock = HandClock()
    script = Script([asyncio.Event()], headers={"content-type": "application/json"})
    clock.ring()
    assert await renderer(Scripted(script), blobs, clock).forget("resp_1") is False
    assert clock.slept == [FORGET_TIMEOUT_S]
