"""The Images endpoint against the sandbox over real sockets: pictures, edits, faults, and what it costs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from darkroom.clock import SystemClock
from darkroom.rendering.images import ImagesRenderer
from darkroom.rendering.job import Answer, Billed, Concern, Failure, FailureKind, InputPicture, RenderJob
from darkroom.rendering.provider import Provider
from darkroom.spending.bound import Ask, bound
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.cost import ESTIMATED, charge
from sandbox.images.api import ImageApi
from sandbox.images.costs import image_prices
from sandbox.images.faults import EDITS, GENERATIONS, Fault
from sandbox.images.mishaps import MISHAPS, mishap
from sandbox.images.painter import Order
from sandbox.images.server import serve_images
from storage.blobs import BlobStore
from tests.rendering.support import IMAGES_JOB, images_answer, nobody, png

CATALOGUE = load_catalogue()
LATER = b"later bytes, such as a C2PA manifest" * 3_000


@dataclass
class World:
    """The sandbox's API and a renderer that talks to it."""

    api: ImageApi
    renderer: ImagesRenderer
    painted: list[bytes]

    async def render(self, job: RenderJob = IMAGES_JOB) -> Answer:
        """The answer; nothing is ever named on the way."""

        async def seen(response_id: str) -> None:
            raise AssertionError(f"the Images endpoint has no responses, not even {response_id}")

        return await self.renderer.render(job, seen)


@pytest.fixture
async def world(blobs: BlobStore) -> AsyncIterator[World]:
    """Pictures take no time, and end in bytes that no reader of pictures looks at."""
    painted: list[bytes] = []

    def paint(order: Order) -> bytes:
        painted.append(png(order.width, order.height) + LATER)
        return painted[-1]

    api = ImageApi(seconds_per_picture=0.0, seed=7, offload=False, paint=paint)
    server = await serve_images(api)
    made = ImagesRenderer(Provider(server.url, "sk-test"), blobs, SystemClock())
    yield World(api, made, painted)
    await made.aclose()
    await server.close()


def failed(answer: Answer) -> Failure:
    """The failure; there must be one, and no picture."""
    assert answer.picture is None
    assert answer.failure is not None
    return answer.failure


def saved(folder: Path, name: str, data: bytes, kind: str = "png") -> InputPicture:
    """A picture of ours."""
    path = folder / name
    path.write_bytes(data)
    return InputPicture(path, f"image/{kind}")


def mask_of(folder: Path, width: int, height: int) -> InputPicture:
    """A mask with a hole."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, width // 2, height // 2))
    image.save(folder / "mask.png")
    return InputPicture(folder / "mask.png", "image/png")


async def test_a_new_picture_byte_for_byte(world: World) -> None:
    """With everything that was asked for, and a request id that is no response's."""
    answer = await world.render(replace(IMAGES_JOB, quality="low", width=1536, format="jpeg"))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == world.painted[0]
    assert (answer.picture.width, answer.picture.height) == (1536, 1024)
    assert answer.image_usage is not None
    assert answer.image_usage["output_tokens"] == 158
    assert (answer.response_id, answer.host_usage, answer.host_model) == (None, None, None)
    assert answer.request_id is not None
    call = world.api.calls[0]
    assert (call.endpoint, call.body["n"]) == (GENERATIONS, 1)
    asked = call.asked
    assert (asked.prompt, asked.model, asked.size, asked.quality, asked.output_format) == (
        "a red fox in snow",
        "gpt-image-2-2026-04-21",
        "1536x1024",
        "low",
        "jpeg",
    )
    assert asked.safety_identifier == "person-1"


async def test_an_edit_takes_the_parent_first_then_the_references_and_the_mask(
    world: World, tmp_path: Path
) -> None:
    """All of them as they are on disk."""
    parent, reference = png(1024, 1024, padding=200_000), png(64, 48, padding=7)
    mask = mask_of(tmp_path, 1024, 1024)
    job = replace(
        IMAGES_JOB,
        prompt='put "true" on the sign\r\n--and a line\r\n',
        input_pictures=(saved(tmp_path, "a", parent), saved(tmp_path, "b", reference)),
        mask=mask,
    )
    answer = await world.render(job)
    assert answer.picture is not None
    call = world.api.calls[0]
    assert call.endpoint == EDITS
    assert call.asked.prompt == job.prompt
    assert call.asked.pictures == tuple(hashlib.sha256(data).hexdigest() for data in (parent, reference))
    assert call.asked.mask == hashlib.sha256(mask.path.read_bytes()).hexdigest()
    assert call.asked.safety_identifier == "person-1"
    assert answer.image_usage is not None
    assert answer.image_usage["input_tokens_details"]["image_tokens"] == 1_024 + 12


async def test_a_prompt_that_a_form_could_take_for_something_else_arrives_as_it_is(
    world: World, tmp_path: Path
) -> None:
    for prompt in ("true", "7", "null"):
        answer = await world.render(
            replace(IMAGES_JOB, prompt=prompt, input_pictures=(saved(tmp_path, "a", png(64, 64)),))
        )
        assert answer.picture is not None
        assert world.api.calls[-1].asked.prompt == prompt


@pytest.mark.parametrize(
    ("prompt", "stage"), [("forbidden fox", "input"), ("a blocked-output fox", "output")]
)
async def test_moderation_costs_nothing_and_says_its_stage(world: World, prompt: str, stage: str) -> None:
    failure = failed(await world.render(replace(IMAGES_JOB, prompt=prompt)))
    assert (failure.kind, failure.billed, failure.moderation_stage) == (
        FailureKind.MODERATION,
        Billed.NOTHING,
        stage,
    )


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "gpt-image-9"])
async def test_a_model_that_is_gone_is_what_the_refusal_is_about(world: World, model: str) -> None:
    gone = replace(IMAGES_JOB, candidate=replace(IMAGES_JOB.candidate, image_model=model))
    failure = failed(await world.render(gone))
    assert (failure.kind, failure.billed, failure.concerns) == (
        FailureKind.MODEL_GONE,
        Billed.NOTHING,
        Concern.IMAGE_MODEL,
    )


async def test_what_cannot_be_made_is_refused_and_costs_nothing(world: World, tmp_path: Path) -> None:
    """A size, a background, a broken picture, a mask of another size."""
    broken = saved(tmp_path, "broken", b"\x89PNG\r\n\x1a\nno more")
    whole = saved(tmp_path, "whole", png(1024, 1024))
    for job in (
        replace(IMAGES_JOB, width=1000),
        replace(IMAGES_JOB, background="transparent"),
        replace(IMAGES_JOB, quality="xhigh"),
        replace(IMAGES_JOB, input_pictures=(broken,)),
        replace(IMAGES_JOB, input_pictures=(whole,), mask=mask_of(tmp_path, 64, 64)),
    ):
        failure = failed(await world.render(job))
        assert (failure.kind, failure.billed) == (FailureKind.BAD_REQUEST, Billed.NOTHING)
        assert failure.concerns is None
    assert world.painted == []


REFUSALS = {
    "rate limit": (FailureKind.RATE, Billed.NOTHING),
    "out of credit": (FailureKind.QUOTA, Billed.NOTHING),
    "project limit": (FailureKind.QUOTA, Billed.NOTHING),
    "billing limit": (FailureKind.QUOTA, Billed.NOTHING),
    "wrong key": (FailureKind.KEY, Billed.NOTHING),
    "unverified organisation": (FailureKind.ACCESS, Billed.NOTHING),
    "model gone": (FailureKind.MODEL_GONE, Billed.NOTHING),
    "server error": (FailureKind.SERVER, Billed.UNKNOWN),
    "connection lost before": (FailureKind.UNREACHABLE, Billed.UNKNOWN),
    "connection lost at once": (FailureKind.UNREACHABLE, Billed.UNKNOWN),
}


@pytest.mark.parametrize("edit", [False, True], ids=["new", "edit"])
@pytest.mark.parametrize("name", REFUSALS)
async def test_every_mishap_of_the_api_has_its_meaning(
    world: World, tmp_path: Path, name: str, edit: bool
) -> None:
    """Also while a form is on its way; it is sent once."""
    assert name in MISHAPS
    kind, billed = REFUSALS[name]
    world.api.faults.append(mishap(name, EDITS if edit else GENERATIONS))
    pictures = (saved(tmp_path, "a", png(64, 64, padding=2_000_000)),) if edit else ()
    answer = await world.render(replace(IMAGES_JOB, input_pictures=pictures))
    failure = failed(answer)
    assert (failure.kind, failure.billed) == (kind, billed)
    assert failure.retry_after_s == (12.0 if kind is FailureKind.RATE else None)
    assert len(world.api.calls) == 1


async def test_an_api_without_the_endpoint_is_what_that_refusal_is_about(world: World) -> None:
    body = {"error": {"message": "Invalid URL (POST /v1/images/generations)", "type": "x", "code": None}}
    world.api.faults.append(Fault(GENERATIONS, status=404, body=body))
    failure = failed(await world.render())
    assert (failure.kind, failure.billed, failure.concerns) == (
        FailureKind.ACCESS,
        Billed.NOTHING,
        Concern.ENDPOINT,
    )


async def test_a_wrong_key_is_told_apart_from_a_missing_model(world: World) -> None:
    world.api.keys = frozenset({"sk-other"})
    assert failed(await world.render()).kind is FailureKind.KEY


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(hang=True)], ids=["never answers", "never ends"])
async def test_a_call_has_an_end_though_the_api_has_none(world: World, fault: Fault) -> None:
    world.api.faults.append(replace(fault, endpoint=GENERATIONS))
    failure = failed(await world.render(replace(IMAGES_JOB, timeout_s=0.05)))
    assert (failure.kind, failure.billed) == (FailureKind.TIMEOUT, Billed.UNKNOWN)


async def test_nobody_listening_costs_nothing(blobs: BlobStore) -> None:
    server = await serve_images(ImageApi())
    await server.close()
    made = ImagesRenderer(Provider(server.url, "sk-test"), blobs, SystemClock())
    failure = failed(await made.render(IMAGES_JOB, nobody))
    assert (failure.kind, failure.billed) == (FailureKind.UNREACHABLE, Billed.NOTHING)
    await made.aclose()


async def test_what_the_limits_are_is_in_the_answer_also_of_a_refusal(world: World) -> None:
    world.api.images_per_minute = 1
    first, second = await world.render(), await world.render()
    assert first.headers == {"x-ratelimit-limit-images": "1", "x-ratelimit-remaining-images": "0"}
    assert failed(second).kind is FailureKind.RATE
    assert second.headers["x-ratelimit-remaining-images"] == "0"


PICTURE = png(64, 48, padding=300_000)
BODY = json.dumps(images_answer(PICTURE)).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
WHOLE = HEAD + BODY
PHASES = {
    "before the answer": 0,
    "in its headers": 20,
    "after its headers": len(HEAD),
    "in the picture": len(HEAD) + 200_000,
    "at the picture's end": len(HEAD) + BODY.index(b'"}]') + 1,
    "in the usage": len(WHOLE) - 30,
    "after all": len(WHOLE),
}


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
@pytest.mark.parametrize("phase", PHASES)
async def test_a_connection_that_is_cut_at_each_phase(blobs: BlobStore, phase: str, reset: bool) -> None:
    """A whole picture is kept; short of that, the money is open and nothing is sent again."""
    asked: list[bytes] = []

    async def answer_in_part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.readexactly(int(asked[-1].lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        writer.write(WHOLE[: PHASES[phase]])
        await writer.drain()
        if reset and PHASES[phase] in (0, len(WHOLE)):
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(answer_in_part, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = ImagesRenderer(Provider(f"http://127.0.0.1:{port}/v1", "sk-test"), blobs, SystemClock())
    answer = await made.render(IMAGES_JOB, nobody)
    if PHASES[phase] >= PHASES["at the picture's end"]:
        assert answer.picture is not None
        assert answer.picture.path.read_bytes() == PICTURE
        assert (answer.image_usage is not None) == (phase == "after all")
    else:
        failure = failed(answer)
        assert (failure.kind, failure.billed) == (FailureKind.UNREACHABLE, Billed.UNKNOWN)
    assert len(asked) == 1
    await made.aclose()
    server.close()
    await server.wait_closed()


def asked_for(job: RenderJob) -> Ask:
    """What the price of *job* is computed from."""
    return Ask(
        image_model=job.candidate.image_model,
        host_model=None,
        width=job.width,
        height=job.height,
        quality=job.quality,
        prompt_bytes=len(job.prompt.encode()),
        instruction_bytes=0,
        input_pictures=len(job.input_pictures) + (job.mask is not None),
        max_output_tokens=0,
        today=date(2026, 11, 20),
    )


@pytest.mark.parametrize("pictures", [0, 1, 16])
@pytest.mark.parametrize(
    ("model", "quality", "size"),
    [
        ("gpt-image-2-2026-04-21", "low", (1024, 1024)),
        ("gpt-image-2", "high", (2048, 1152)),
        ("gpt-image-2.5-flare", "max", (1024, 1536)),
        ("gpt-image-2.6-sunburst", "medium", (1536, 1024)),
        ("gpt-image-1.5", "medium", (1024, 1024)),
        ("gpt-image-1-mini", "high", (1536, 1024)),
    ],
)
async def test_what_is_charged_is_what_was_billed_and_never_more_than_was_held(
    world: World, tmp_path: Path, model: str, quality: str, size: tuple[int, int], pictures: int
) -> None:
    """In nano-dollars; without a host there is nothing that could be missing of it."""
    job = replace(
        IMAGES_JOB,
        candidate=replace(IMAGES_JOB.candidate, image_model=model),
        quality=quality,
        width=size[0],
        height=size[1],
        input_pictures=tuple(saved(tmp_path, str(n), png(900 + n, 700)) for n in range(pictures)),
    )
    answer = await world.render(job)
    assert answer.picture is not None
    charged = charge(
        answer.host_usage,
        answer.image_usage,
        ask=asked_for(job),
        catalogue=CATALOGUE,
        image_model=answer.image_model or model,
        host_model="",
        picture_made=True,
    )
    billed = world.api.calls[0].billed
    prices = image_prices(model)
    assert charged.cost.total_nano_usd == sum(tokens * prices[name] for name, tokens in billed.items())
    assert charged.flags == frozenset()
    assert charged.cost.total_nano_usd <= bound(asked_for(job), CATALOGUE).total_nano_usd


@pytest.mark.parametrize(
    "fault", [Fault(omit_usage=True), Fault(omit_details=True)], ids=["usage", "details"]
)
async def test_usage_that_is_missing_is_estimated_and_flagged_and_details_are_not_needed(
    world: World, fault: Fault
) -> None:
    world.api.faults.append(replace(fault, endpoint=GENERATIONS))
    answer = await world.render()
    charged = charge(
        answer.host_usage,
        answer.image_usage,
        ask=asked_for(IMAGES_JOB),
        catalogue=CATALOGUE,
        image_model="gpt-image-2-2026-04-21",
        host_model="",
        picture_made=True,
    )
    assert charged.flags == (frozenset({ESTIMATED}) if fault.omit_usage else frozenset())
    assert charged.cost.total_nano_usd >= 1_756 * 30_000


async def test_no_log_has_the_prompt_the_key_or_the_picture(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At any level, from any logger, whether it goes well or not."""
    caplog.set_level(logging.DEBUG)
    secret = "purple walrus"
    await world.render(replace(IMAGES_JOB, prompt=secret))
    pictures = (saved(tmp_path, "a", png(64, 64)),)
    await world.render(replace(IMAGES_JOB, prompt=f"forbidden {secret}", input_pictures=pictures))
    assert "attempt_1" in caplog.text
    for word in (secret, "sk-test", "iVBOR"):
        assert word not in caplog.text
