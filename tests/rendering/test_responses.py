"""What becomes of an attempt, for every way in which a response can end."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from pathlib import Path
from typing import Any

import httpx2
import pytest

from darkroom.rendering.job import Answer, Billed, Failure, FailureKind, InputPicture, NoWord, RenderJob
from storage.blobs import BlobStore
from tests.rendering.support import (
    JOB,
    HandClock,
    Script,
    Scripted,
    Seen,
    b64,
    created,
    cut,
    done,
    ended,
    fixture_stream,
    image_item,
    job,
    message,
    nobody,
    png,
    renderer,
    response,
    sse,
)

SMALL, LARGE = png(), png(64, 48, padding=300_000)


async def render(
    blobs: BlobStore, *pieces: bytes | Exception | asyncio.Event, job: RenderJob = JOB
) -> Answer:
    """The answer to a stream of these pieces."""
    return await renderer(Scripted(Script(pieces)), blobs).render(job, nobody)


def failed(answer: Answer) -> Failure:
    """The failure; there must be one, and no picture."""
    assert answer.picture is None
    assert answer.failure is not None
    return answer.failure


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("size", [1000, 65_536, 10_000_000])
async def test_the_picture_is_saved_as_it_came(blobs: BlobStore, picture: bytes, size: int) -> None:
    """Its bytes, digest, size and format; usage and names come from the end of the response."""
    item = image_item(picture)
    preview = {"type": "response.image_generation_call.partial_image", "partial_image_b64": b64(LARGE)}
    stream = sse([created(), preview, done(item), ended("completed", item, message(""))])
    answer = await render(blobs, *cut(stream, size))
    assert answer.failure is None
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == picture
    assert answer.picture.sha256 == hashlib.sha256(picture).hexdigest()
    assert answer.picture.size_bytes == len(picture)
    assert (answer.picture.width, answer.picture.height) == ((8, 8) if picture is SMALL else (64, 48))
    assert answer.picture.format == "png"
    assert answer.picture.path.suffix == ".png"
    assert answer.picture.revised_prompt == "A red fox stands in snow."
    assert answer.host_usage == {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    assert answer.image_usage == {"input_tokens": 7, "output_tokens": 1756, "total_tokens": 1763}
    assert answer.image_model == "gpt-image-2-2026-04-21"
    assert answer.host_model == "gpt-5.6-luna-2026-08-01"
    assert answer.words == ""


async def test_the_response_id_is_reported_before_the_stream_is_read_on(blobs: BlobStore) -> None:
    """Once, and whoever writes it down is waited for."""
    order: list[str] = []

    async def seen(response_id: str) -> None:
        await asyncio.sleep(0)
        order.append(response_id)

    gate = asyncio.Event()

    async def report(response_id: str) -> None:
        await seen(response_id)
        gate.set()

    item = image_item(LARGE)
    script = Script([sse([created(), created()]), gate, sse([done(item), ended("completed", item)])])
    answer = await renderer(Scripted(script), blobs).render(JOB, report)
    assert order == ["resp_1"]
    assert answer.response_id == "resp_1"
    assert answer.picture is not None


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
async def test_a_picture_that_only_the_end_of_the_response_has_counts(
    blobs: BlobStore, picture: bytes
) -> None:
    """No item was announced."""
    answer = await render(blobs, *cut(sse([created(), ended("completed", image_item(picture))])))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == picture


async def test_the_result_is_trusted_and_not_the_status(blobs: BlobStore) -> None:
    """A finished picture may come as "generating", and stay so to the end."""
    item = image_item(LARGE, status="generating")
    answer = await render(blobs, *cut(sse([created(), done(item), ended("completed", item)])))
    assert answer.picture is not None
    assert answer.failure is None


async def test_the_order_of_keys_does_not_matter(blobs: BlobStore) -> None:
    """Usage behind the picture, type behind the item, result before the item's type."""
    item = dict(reversed(image_item(LARGE).items()))
    events = [dict(reversed(event.items())) for event in (done(item), ended("completed", item))]
    events[1]["response"] = dict(reversed(events[1]["response"].items()))
    answer = await render(blobs, *cut(sse([created(), *events]), 1000))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE
    assert answer.image_usage is not None


async def test_usage_that_is_missing_is_none_and_not_zero(blobs: BlobStore) -> None:
    """Whoever charges has to know the difference."""
    fields: list[dict[str, Any]] = [{"usage": None, "tool_usage": None}, {"tool_usage": {"web_search": {}}}]
    for missing in fields:
        answer = await render(blobs, sse([created(), ended("completed", image_item(SMALL), **missing)]))
        assert answer.image_usage is None
        assert (answer.host_usage is None) == ("usage" in missing)


async def test_words_and_refusals_are_collected(blobs: BlobStore) -> None:
    """Of all parts of a message; halves of surrogate pairs do not survive."""
    item = message("What colour ", "should it be?\ud83d", refusal=" I can't do that.")
    answer = await render(
        blobs, sse([created(), done(item), ended("completed", item)]), job=job(forced=False)
    )
    assert answer.words == "What colour should it be?? I can't do that."
    assert answer.failure is None


async def test_an_empty_message_is_no_words(blobs: BlobStore) -> None:
    """Which is what a model answers to a "thank you"."""
    answer = await render(blobs, sse([created(), done(message("")), ended("completed", message(""))]))
    assert (answer.words, answer.picture, answer.failure) == ("", None, None)


STREAMS = {
    "error_flat": (FailureKind.SERVER, Billed.UNKNOWN, "server_error"),
    "error_nested_then_failed": (FailureKind.QUOTA, Billed.NOTHING, "insufficient_quota"),
    "failed_only": (FailureKind.RATE, Billed.NOTHING, "rate_limit_exceeded"),
    "item_moderation_blocked": (FailureKind.MODERATION, Billed.REPORTED, "moderation_blocked"),
}


@pytest.mark.parametrize("size", [1, 100, 65_536])
@pytest.mark.parametrize("name", STREAMS)
async def test_captured_streams_that_fail(blobs: BlobStore, name: str, size: int) -> None:
    """All shapes of an error, however the stream is cut."""
    failure = failed(await render(blobs, *cut(fixture_stream(name), size)))
    assert (failure.kind, failure.billed, failure.code) == STREAMS[name]


async def test_a_captured_stream_with_a_picture(blobs: BlobStore) -> None:
    """With a reasoning item, a preview, and an empty message."""
    answer = await render(blobs, fixture_stream("image_ok"))
    assert answer.picture is not None
    assert (answer.picture.width, answer.picture.height) == (1, 1)
    assert answer.picture.revised_prompt == "An otter."
    assert answer.words == ""
    assert answer.host_usage is not None
    assert answer.image_model == "gpt-image-2.5-flare"
    assert answer.host_model == "gpt-6-luna"


async def test_moderation_says_stage_and_categories(blobs: BlobStore) -> None:
    """For the sentence that tells the person."""
    failure = failed(await render(blobs, fixture_stream("item_moderation_blocked")))
    assert failure.moderation_stage == "output"
    assert failure.moderation_categories == ("violence",)


NESTED: dict[str, Any] = {"type": "error", "error": {"code": "server_error", "message": "Sorry."}}
BLOCKED = image_item(
    None, status="failed", error={"code": "moderation_blocked", "message": "No.", "type": "x"}
)
NO_USAGE: dict[str, Any] = {"usage": None, "tool_usage": None}
ENDS: dict[str, tuple[list[dict[str, Any]], FailureKind, Billed, str]] = {
    "failed, with usage": (
        [ended("failed", error={"code": "server_error", "message": "x"})],
        FailureKind.SERVER, Billed.REPORTED, "server_error",
    ),
    "failed, without usage": (
        [ended("failed", error={"code": "server_error", "message": "x"}, **NO_USAGE)],
        FailureKind.SERVER, Billed.NOTHING, "server_error",
    ),
    "an error that the end confirms": (
        [NESTED, ended("failed", **NO_USAGE)], FailureKind.SERVER, Billed.NOTHING, "server_error",
    ),
    "an error, and no end": ([NESTED], FailureKind.SERVER, Billed.UNKNOWN, "server_error"),
    "an unknown error, and no end": (
        [{"type": "error", "code": "odd", "message": "?"}], FailureKind.SERVER, Billed.UNKNOWN, "odd",
    ),
    "a refusal, and no end": (
        [{"type": "error", "error": {"code": "rate_limit_exceeded", "message": "wait"}}],
        FailureKind.RATE, Billed.NOTHING, "rate_limit_exceeded",
    ),
    "incomplete": (
        [ended("incomplete", incomplete_details={"reason": "max_output_tokens"})],
        FailureKind.SERVER, Billed.REPORTED, "incomplete",
    ),
    "incomplete, filtered": (
        [ended("incomplete", incomplete_details={"reason": "content_filter"})],
        FailureKind.MODERATION, Billed.REPORTED, "incomplete",
    ),
    "incomplete, without usage": (
        [ended("incomplete", **NO_USAGE)], FailureKind.SERVER, Billed.UNKNOWN, "incomplete",
    ),
    "moderated, without usage": (
        [ended("completed", BLOCKED, **NO_USAGE)],
        FailureKind.MODERATION, Billed.NOTHING, "moderation_blocked",
    ),
    "moderated, and no end": ([done(BLOCKED)], FailureKind.MODERATION, Billed.UNKNOWN, "moderation_blocked"),
    "nothing more": ([], FailureKind.SERVER, Billed.UNKNOWN, "stream_ended"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
async def test_ends_without_a_picture(blobs: BlobStore, name: str) -> None:
    """What is charged is what the end reports; only an end that never came leaves it open."""
    events, kind, billed, code = ENDS[name]
    failure = failed(await render(blobs, sse([created(), *events])))
    assert (failure.kind, failure.billed, failure.code) == (kind, billed, code)


@pytest.mark.parametrize("kind", ["failed", "incomplete"])
async def test_a_picture_counts_however_its_response_ends(blobs: BlobStore, kind: str) -> None:
    """It is there and it is paid for."""
    answer = await render(blobs, sse([created(), done(image_item(SMALL)), NESTED, ended(kind)]))
    assert answer.picture is not None
    assert answer.failure is None
    assert answer.image_usage is not None


LOST = httpx2.ReadError("connection reset")


async def test_a_connection_lost_after_the_picture_costs_only_the_usage(blobs: BlobStore) -> None:
    """The picture is kept."""
    answer = await render(blobs, *cut(sse([created(), done(image_item(LARGE))])), LOST)
    assert answer.picture is not None
    assert answer.failure is None
    assert answer.host_usage is None
    assert answer.image_usage is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
async def test_a_connection_lost_before_the_picture_was_whole_leaves_the_money_open(
    blobs: BlobStore, share: float
) -> None:
    """And no file."""
    stream = sse([created(), done(image_item(LARGE))])
    answer = await render(blobs, stream[: int(len(stream) * share)], LOST)
    failure = failed(answer)
    assert (failure.kind, failure.billed) == (FailureKind.UNREACHABLE, Billed.UNKNOWN)
    assert answer.response_id == ("resp_1" if share else None)


async def test_a_stream_cut_inside_of_an_event_is_no_answer(blobs: BlobStore) -> None:
    """Even when the connection ends politely."""
    stream = sse([created(), done(image_item(LARGE))])
    failure = failed(await render(blobs, stream[: len(stream) // 2]))
    assert (failure.kind, failure.billed, failure.code) == (FailureKind.SERVER, Billed.UNKNOWN, "bad_stream")


@pytest.mark.parametrize(
    ("error", "kind", "billed"),
    [
        (httpx2.ConnectError("refused"), FailureKind.UNREACHABLE, Billed.NOTHING),
        (httpx2.ConnectTimeout("slow"), FailureKind.UNREACHABLE, Billed.NOTHING),
        (httpx2.RemoteProtocolError("hung up"), FailureKind.UNREACHABLE, Billed.UNKNOWN),
        (httpx2.WriteTimeout("slow"), FailureKind.TIMEOUT, Billed.UNKNOWN),
    ],
)
async def test_whether_it_was_sent_decides_about_the_money(
    blobs: BlobStore, error: Exception, kind: FailureKind, billed: Billed
) -> None:
    """Nothing was sent where no connection came about."""
    failure = failed(await renderer(Scripted(Script(refused=error)), blobs).render(JOB, nobody))
    assert (failure.kind, failure.billed) == (kind, billed)


async def test_the_whole_call_has_a_limit(blobs: BlobStore) -> None:
    """Whatever it is waiting for; the response id that was seen is kept."""
    clock, seen, never = HandClock(), Seen(), asyncio.Event()
    reached = asyncio.Event()

    async def report(response_id: str) -> None:
        await seen(response_id)
        reached.set()

    call = asyncio.create_task(
        renderer(Scripted(Script([sse([created()]), never])), blobs, clock).render(job(timeout_s=99), report)
    )
    await reached.wait()
    clock.ring()
    answer = await call
    assert clock.slept == [99]
    assert failed(answer).kind is FailureKind.TIMEOUT
    assert failed(answer).billed is Billed.UNKNOWN
    assert answer.response_id == "resp_1"


async def test_a_picture_that_came_in_time_is_kept_when_the_end_does_not(blobs: BlobStore) -> None:
    """The timeout takes the usage only."""
    clock, reached = HandClock(), asyncio.Event()

    class Waiting(asyncio.Event):
        async def wait(self) -> Any:
            reached.set()
            return await super().wait()

    stream: list[bytes | Exception | asyncio.Event] = [
        *cut(sse([created(), done(image_item(LARGE))])),
        Waiting(),
    ]
    call = asyncio.create_task(renderer(Scripted(Script(stream)), blobs, clock).render(JOB, nobody))
    await reached.wait()
    clock.ring()
    answer = await call
    assert answer.picture is not None
    assert answer.failure is None


NO_PICTURES = {
    "HTML in base64": b64(b"<html><body>Gateway error</body></html>"),
    "much HTML in base64": b64(b"<html>" + b"<p>Gateway error</p>" * 10_000),
    "HTML": "<html>" + "<p>Gateway error</p>" * 10_000,
    "a little HTML": "<html></html>",
    "a broken PNG": b64(png()[:20]),
    "BMP": b64(b"BM" + b"\0" * 100),
    "letters of another alphabet": "картина",
}


@pytest.mark.parametrize("name", NO_PICTURES)
async def test_what_is_no_picture_is_not_saved(blobs: BlobStore, name: str) -> None:
    """It is charged as reported."""
    item = image_item(None, result=NO_PICTURES[name])
    failure = failed(await render(blobs, sse([created(), done(item), ended("completed", item)])))
    assert (failure.kind, failure.billed) == (FailureKind.BAD_PICTURE, Billed.REPORTED)


async def test_a_second_copy_makes_good_for_a_broken_first(blobs: BlobStore) -> None:
    """The response's end repeats every picture."""
    broken = image_item(None, result=NO_PICTURES["HTML"])
    answer = await render(blobs, sse([created(), done(broken), ended("completed", image_item(LARGE))]))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE


async def test_a_picture_with_too_many_pixels_is_none(blobs: BlobStore) -> None:
    """A few bytes can claim to be billions of pixels."""
    bomb = bytearray(png())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    failure = failed(await render(blobs, sse([created(), done(image_item(bytes(bomb))), ended("completed")])))
    assert failure.kind is FailureKind.BAD_PICTURE


async def test_a_provider_that_does_not_stream_is_understood(blobs: BlobStore) -> None:
    """The same response in one JSON object."""
    script = Script.json(response("completed", image_item(LARGE)), headers={"x-ratelimit-limit-images": "5"})
    answer = await renderer(Scripted(script), blobs).render(JOB, nobody)
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE
    assert answer.request_id == "req_1"
    assert answer.headers == {"x-ratelimit-limit-images": "5"}


async def test_a_web_page_in_place_of_a_stream_leaves_the_money_open(blobs: BlobStore) -> None:
    """Some gateways answer 200 to everything."""
    script = Script([b"<html>Please log in</html>"], headers={"content-type": "text/html"})
    failure = failed(await renderer(Scripted(script), blobs).render(JOB, nobody))
    assert (failure.kind, failure.billed) == (FailureKind.SERVER, Billed.UNKNOWN)


async def test_what_is_sent(blobs: BlobStore) -> None:
    """Everything a hold is computed from is explicit; nothing is left to the API to inherit or choose."""
    transport = Scripted(Script([fixture_stream("image_ok")]), Script([fixture_stream("image_ok")]))
    made = renderer(transport, blobs)
    await made.render(JOB, nobody)
    await made.render(job(forced=False, previous_response_id="resp_0"), nobody)
    assert transport.bodies[0] == {
        "model": "gpt-5.6-luna",
        "input": "a red fox in snow",
        "instructions": "Make one picture.",
        "tools": [
            {
                "type": "image_generation",
                "model": "gpt-image-2-2026-04-21",
                "size": "1024x1024",
                "quality": "medium",
                "output_format": "png",
                "partial_images": 0,
            }
        ],
        "tool_choice": {"type": "image_generation"},
        "max_tool_calls": 1,
        "max_output_tokens": 4000,
        "parallel_tool_calls": False,
        "safety_identifier": "person-1",
        "store": True,
        "stream": True,
    }
    assert transport.bodies[1] == transport.bodies[0] | {
        "tool_choice": "auto",
        "previous_response_id": "resp_0",
    }
    assert transport.requests[0].headers["accept-encoding"] == "identity"
    assert transport.requests[0].url.path == "/v1/responses"


async def test_pictures_go_along_as_data_urls(blobs: BlobStore, tmp_path: Path) -> None:
    """Byte for byte, whatever the size of the pieces they are encoded in."""
    path = tmp_path / "in.png"
    path.write_bytes(png(padding=1_000_001))
    transport = Scripted(Script([fixture_stream("image_ok")]))
    await renderer(transport, blobs).render(job(input_pictures=(InputPicture(path, "image/png"),)), nobody)
    (entry,) = transport.bodies[0]["input"]
    assert entry["role"] == "user"
    assert entry["content"][0] == {"type": "input_text", "text": JOB.prompt}
    assert entry["content"][1] == {
        "type": "input_image",
        "image_url": "data:image/png;base64," + b64(path.read_bytes()),
        "detail": "auto",
    }


@pytest.mark.parametrize(
    ("size", "count", "code"),
    [(None, 1, "picture_unreadable"), (0, 1, "picture_unreadable"), (16_000_000, 1, "picture_too_large"),
     (10, 17, "too_many_pictures")],
)  # fmt: skip
async def test_a_picture_that_cannot_go_along_is_found_before_anything_is_sent(
    blobs: BlobStore, tmp_path: Path, size: int | None, count: int, code: str
) -> None:
    """Missing, empty, over the API's limit, or too many."""
    path = tmp_path / "in.png"
    if size is not None:
        path.write_bytes(bytes(size))
    transport = Scripted()
    sent = job(input_pictures=(InputPicture(path, "image/png"),) * count)
    failure = failed(await renderer(transport, blobs).render(sent, nobody))
    assert (failure.kind, failure.billed, failure.code) == (FailureKind.BAD_REQUEST, Billed.NOTHING, code)
    assert not transport.requests


class TestAsking:
    """``ask``: what became of a call that was sent before."""

    async def ask(self, blobs: BlobStore, script: Script) -> Answer | NoWord:
        """The answer to asking for resp_1."""
        transport = Scripted(script)
        answer = await renderer(transport, blobs).ask(JOB, "resp_1")
        assert transport.requests[0].method == "GET"
        assert transport.requests[0].url.path == "/v1/responses/resp_1"
        return answer

    @pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
    async def test_a_finished_response_is_an_answer(self, blobs: BlobStore, picture: bytes) -> None:
        """With its picture and what it cost."""
        answer = await self.ask(blobs, Script.json(response("completed", image_item(picture))))
        assert isinstance(answer, Answer)
        assert answer.picture is not None
        assert answer.picture.path.read_bytes() == picture
        assert answer.image_usage is not None

    async def test_a_failed_response_is_an_answer(self, blobs: BlobStore) -> None:
        """Confirmed without usage: it cost nothing."""
        body = response("failed", error={"code": "server_error", "message": "x"}, **NO_USAGE)
        answer = await self.ask(blobs, Script.json(body))
        assert isinstance(answer, Answer)
        assert failed(answer).billed is Billed.NOTHING

    async def test_a_response_that_is_not_known_is_an_answer(self, blobs: BlobStore) -> None:
        """By a code of ours, so that the asker can go on asking until the time is up."""
        answer = await self.ask(blobs, Script.json({"error": {"message": "not found"}}, 404))
        assert isinstance(answer, Answer)
        assert (failed(answer).code, failed(answer).billed) == ("response_not_found", Billed.UNKNOWN)

    @pytest.mark.parametrize("status", ["in_progress", "queued"])
    async def test_a_response_that_is_being_made_is_not_finished(self, blobs: BlobStore, status: str) -> None:
        assert await self.ask(blobs, Script.json(response(status))) is NoWord.NOT_FINISHED

    @pytest.mark.parametrize(
        "script",
        [
            Script.json({"error": {"message": "busy"}}, 500),
            Script.json({"error": {"message": "slow down"}}, 429),
            Script.json({"error": {"code": "invalid_api_key"}}, 401),
            Script.json({"hello": "from a gateway"}),
            Script([b"<html>"]),
            Script([]),
            Script([b'{"id": "resp_1", "status": "comp', LOST]),
            Script(refused=httpx2.ConnectError("refused")),
            Script.json({"error": {"message": "Invalid URL (GET /v1/responses/resp_1)"}}, 404),
            Script([b"<html>"], status=404),
            Script.json({"detail": "Not Found"}, 404),
        ],
        ids=[
            *("500", "429", "401", "a gateway", "HTML", "nothing", "cut off", "refused"),
            *("no such address", "a page for 404", "a gateway's 404"),
        ],
    )
    async def test_anything_else_only_says_that_it_could_not_be_asked_for(
        self, blobs: BlobStore, script: Script
    ) -> None:
        """The call may still be running, or its picture be there."""
        assert await self.ask(blobs, script) is NoWord.NOT_ASKED

    async def test_asking_has_a_limit(self, blobs: BlobStore) -> None:
        """An API that never answers does not hold up recovery."""
        clock, reached = HandClock(), asyncio.Event()

        class Waiting(asyncio.Event):
            async def wait(self) -> Any:
                reached.set()
                return await super().wait()

        call = asyncio.create_task(renderer(Scripted(Script([Waiting()])), blobs, clock).ask(JOB, "resp_1"))
        await reached.wait()
        clock.ring()
        assert await call is NoWord.NOT_ASKED
        assert clock.slept == [30.0]


async def test_a_compressed_stream_is_read_all_the_same(blobs: BlobStore) -> None:
    """Nobody asked for it, but some gateways compress whatever they carry."""
    item = image_item(LARGE)
    stream = gzip.compress(sse([created(), done(item), ended("completed", item)]))
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    answer = await renderer(Scripted(Script(cut(stream, 5000), headers=headers)), blobs).render(JOB, nobody)
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
async def test_a_picture_beyond_the_limits_is_none(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch, picture: bytes
) -> None:
    """Neither in bytes nor in pixels; it is charged as reported."""
    for limit in ("MAX_PICTURE", "MAX_PIXELS"):
        with monkeypatch.context() as patch:
            patch.setattr(f"darkroom.rendering.picture.{limit}", 50)
            failure = failed(await render(blobs, sse([created(), ended("completed", image_item(picture))])))
        assert (failure.kind, failure.billed) == (FailureKind.BAD_PICTURE, Billed.REPORTED)


async def test_a_bad_picture_without_an_end_leaves_the_money_open(blobs: BlobStore) -> None:
    """Something was made."""
    broken = image_item(None, result=NO_PICTURES["HTML"])
    failure = failed(await render(blobs, sse([created(), done(broken)])))
    assert (failure.kind, failure.billed) == (FailureKind.BAD_PICTURE, Billed.UNKNOWN)


async def test_a_string_with_a_broken_escape_ends_the_stream(blobs: BlobStore) -> None:
    """Even inside of what would be a picture."""
    stream = b'data: {"type": "x", "result": "' + b"QUFB" * 20_000 + b'\\q"}\n\n'
    failure = failed(await render(blobs, sse([created()]), stream))
    assert (failure.billed, failure.code) == (Billed.UNKNOWN, "bad_stream")


async def test_items_odder_than_any_type_allows_do_no_harm(blobs: BlobStore) -> None:
    """What is known is taken, the rest passed over."""
    odd: list[Any] = [
        None,
        7,
        {"type": "message"},
        {"type": "new_thing"},
        {"type": "message", "content": [None, 3]},
    ]
    fields: dict[str, Any] = {"tools": "none", "model": 5, "usage": [], "tool_usage": 3, "id": 9}
    stream = sse(
        [created(), *(done(item) for item in odd), ended("completed", *odd, image_item(SMALL), **fields)]
    )
    answer = await render(blobs, stream)
    assert answer.picture is not None
    assert answer.response_id == "resp_1"
    assert answer.host_model == "gpt-5.6-luna-2026-08-01"
    assert (answer.words, answer.host_usage, answer.image_usage) == ("", None, None)
