"""The renderer against the sandbox's image API over real sockets: conversations, and what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from darkroom.clock import SystemClock
from darkroom.rendering.fallbacks import NextCandidate, ResendPicture, Step, Stop, next_step
from darkroom.rendering.job import Answer, Billed, Failure, FailureKind, InputPicture, NoWord, RenderJob
from darkroom.rendering.provider import Provider
from darkroom.rendering.renderer import EndpointRenderer
from darkroom.rendering.responses import ResponsesRenderer
from darkroom.rendering.thread import RenderThread
from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.images.server import serve_images
from storage.blobs import BlobStore
from tests.rendering.support import JOB, Seen, job, nobody
from tests.scenarios.flat import FlatPainter


@dataclass
class World:
    """The sandbox's API and a renderer that talks to it."""

    api: ImageApi
    url: str
    renderer: ResponsesRenderer
    blobs: BlobStore

    async def render(self, wanted: RenderJob = JOB) -> Answer:
        """The answer, for who does not care about the response id."""
        return await self.renderer.render(wanted, nobody)


@pytest.fixture
async def world(blobs: BlobStore) -> AsyncIterator[World]:
    """Pictures take no time."""
    api = ImageApi(seconds_per_picture=0.0, seed=7, offload=False, paint=FlatPainter())
    server = await serve_images(api)
    made = ResponsesRenderer(Provider(server.url, "sk-test"), blobs, SystemClock())
    yield World(api, server.url, made, blobs)
    await made.aclose()
    await server.close()


def failed(answer: Answer) -> Failure:
    """The failure; there must be one, and no picture."""
    assert answer.picture is None
    assert answer.failure is not None
    return answer.failure


def after(failure: Failure) -> Step:
    """The step after *failure*, with one candidate left and nothing tried before."""
    return next_step(failure, candidates_left=1, rate_waits=0, unsent=0, resent=False, closed=False)


async def test_a_picture_and_asking_for_it_again(world: World) -> None:
    """The same picture, usage and names either way."""
    seen = Seen()
    answer = await world.renderer.render(JOB, seen)
    assert answer.picture is not None
    assert answer.picture.sha256 == hashlib.sha256(answer.picture.path.read_bytes()).hexdigest()
    assert (answer.picture.width, answer.picture.height) == (1024, 1024)
    assert answer.image_usage is not None
    assert answer.image_usage["output_tokens"] == 1756
    assert seen.ids == [answer.response_id]
    assert answer.response_id is not None
    again = await world.renderer.ask(JOB, answer.response_id)
    assert isinstance(again, Answer)
    assert replace(again, request_id=None) == replace(answer, request_id=None)


async def test_a_conversation_goes_on_and_survives_being_forgotten(world: World) -> None:
    """An edit by response id; when the API forgot, the saved picture goes along and the thread goes on."""
    first = await world.render()
    edit = job(prompt="make it night", previous_response_id=first.response_id)
    second = await world.render(edit)
    assert second.picture is not None
    assert first.picture is not None
    assert second.picture.sha256 != first.picture.sha256
    world.api.forget()
    forgotten = failed(await world.render(edit))
    assert (forgotten.kind, forgotten.billed) == (FailureKind.FORGOTTEN, Billed.NOTHING)
    assert after(forgotten) == ResendPicture()
    saved = InputPicture(first.picture.path, "image/png")
    third = await world.render(replace(edit, previous_response_id=None, input_pictures=(saved,)))
    assert third.picture is not None


async def test_words_and_nothing_where_a_picture_is_not_forced(world: World) -> None:
    """A question gets an answer, thanks get none."""
    question = await world.render(job(prompt="what can you do?", forced=False))
    assert question.words
    assert (question.picture, question.failure) == (None, None)
    assert question.host_usage is not None
    thanks = await world.render(job(prompt="thank you!", forced=False))
    assert (thanks.words, thanks.picture, thanks.failure) == ("", None, None)


@pytest.mark.parametrize(
    ("prompt", "stage", "billed"),
    [("something forbidden", "input", Billed.NOTHING), ("a blocked-output fox", "output", Billed.REPORTED)],
)
async def test_moderation_before_and_after_generation(
    world: World, prompt: str, stage: str, billed: Billed
) -> None:
    """Neither is tried again."""
    failure = failed(await world.render(job(prompt=prompt)))
    assert (failure.kind, failure.moderation_stage, failure.billed) == (FailureKind.MODERATION, stage, billed)
    assert after(failure) == Stop()


async def test_a_model_that_is_gone_leads_to_the_next(world: World) -> None:
    """By what the API says now."""
    gone = job(candidate=replace(JOB.candidate, image_model="dall-e-3"))
    failure = failed(await world.render(gone))
    assert failure.kind is FailureKind.MODEL_GONE
    assert after(failure) == NextCandidate()


@pytest.mark.parametrize("events", [0, 1, 5])
async def test_a_connection_lost_on_the_way_is_asked_after(world: World, events: int) -> None:
    """The money is open until the response is found by its id; then there is a picture after all."""
    world.api.faults.append(Fault("responses", drop_after=events))
    seen = Seen()
    failure = failed(await world.renderer.render(JOB, seen))
    assert failure.billed is Billed.UNKNOWN
    assert len(seen.ids) == min(events, 1)
    if seen.ids:
        found = await world.renderer.ask(JOB, seen.ids[0])
        assert isinstance(found, Answer)
        assert found.picture is not None


async def test_a_response_that_is_still_running_is_no_answer_yet(world: World) -> None:
    """And one that nobody knows is."""
    world.api.faults.append(Fault("responses", hang=True, drop_after=2))
    seen = Seen()
    await world.renderer.render(JOB, seen)
    assert await world.renderer.ask(JOB, seen.ids[0]) is NoWord.NOT_FINISHED
    unknown = await world.renderer.ask(JOB, "resp_nobody_knows")
    assert isinstance(unknown, Answer)
    assert failed(unknown).code == "response_not_found"


async def test_nobody_listening_costs_nothing(blobs: BlobStore) -> None:
    """Nothing was sent."""
    server = await serve_images(ImageApi())
    await server.close()
    made = ResponsesRenderer(Provider(server.url, "sk-test"), blobs, SystemClock())
    failure = failed(await made.render(JOB, nobody))
    assert (failure.kind, failure.billed) == (FailureKind.UNREACHABLE, Billed.NOTHING)
    await made.aclose()


async def test_no_log_has_the_prompt_the_key_or_the_picture(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """At any level, from any logger, whether it goes well or not."""
    caplog.set_level(logging.DEBUG)
    secret = "purple walrus"
    await world.render(job(prompt=secret, instructions="silver instructions"))
    await world.render(job(prompt=f"forbidden {secret}", previous_response_id="resp_x"))
    assert "attempt_1" in caplog.text
    for word in (secret, "silver", "sk-test", "iVBOR"):
        assert word not in caplog.text


async def test_a_thread_of_its_own_gives_the_same_answer(world: World) -> None:
    """Also for several calls at once; the response ids are reported on the caller's loop."""
    thread = RenderThread(
        lambda: EndpointRenderer(Provider(world.url, "sk-test"), world.blobs, SystemClock())
    )
    await thread.start()
    here = asyncio.get_running_loop()
    seen: list[str] = []

    async def report(response_id: str) -> None:
        assert asyncio.get_running_loop() is here
        seen.append(response_id)

    answers = await asyncio.gather(*(thread.render(job(prompt=f"fox {n}"), report) for n in range(5)))
    assert sorted(seen) == sorted(answer.response_id or "" for answer in answers)
    assert all(answer.picture is not None for answer in answers)
    again = await thread.ask(JOB, seen[0])
    assert isinstance(again, Answer)
    assert again.picture is not None
    await thread.aclose()
