"""What becomes of an attempt on the Images endpoint, for every way in which its answer can end."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.rendering.job import (
    Answer,
    Billed,
    Concern,
    Failure,
    FailureKind,
    InputPicture,
    NoWord,
    RenderJob,
)
from darkroom.rendering.provider import Provider
from darkroom.rendering.renderer import EndpointRenderer
from storage.blobs import BlobStore
from tests.rendering.support import (
    IMAGES_JOB,
    IMAGES_USAGE,
    JOB,
    HandClock,
    Script,
    Scripted,
    b64,
    cut,
    images_answer,
    images_renderer,
    nobody,
    png,
)
from tests.rendering.test_errors import CASES, EXPECTED, bodies

SMALL, LARGE = png(), png(64, 48, padding=300_000)
JSON = {"content-type": "application/json", "x-request-id": "req_1"}


async def render(
    blobs: BlobStore, *pieces: bytes | Exception | asyncio.Event, job: RenderJob = IMAGES_JOB
) -> Answer:
    """The answer to a body of these pieces."""
    return await images_renderer(Scripted(Script(pieces, headers=JSON)), blobs).render(job, nobody)


def body(picture: bytes | None, **fields: Any) -> bytes:
    """An answer as it goes over the wire."""
    return json.dumps(images_answer(picture, **fields)).encode()


def failed(answer: Answer) -> Failure:
    """The failure; there must be one, and no picture."""
    assert answer.picture is None
    assert answer.failure is not None
    return answer.failure


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("size", [999, 65_536, 10_000_000])
async def test_the_picture_is_saved_as_it_came(blobs: BlobStore, picture: bytes, size: int) -> None:
    """Its bytes, digest and format; nothing about a host, and no name that a call could be asked for by."""
    answer = await render(blobs, *cut(body(picture), size))
    assert answer.failure is None
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == picture
    assert answer.picture.sha256 == hashlib.sha256(picture).hexdigest()
    assert (answer.picture.format, answer.picture.size_bytes) == ("png", len(picture))
    assert answer.picture.revised_prompt is None
    assert answer.image_usage == IMAGES_USAGE
    assert (answer.host_usage, answer.host_model, answer.image_model) == (None, None, None)
    assert (answer.response_id, answer.request_id, answer.words) == (None, "req_1", "")


@pytest.mark.parametrize("picture", [SMALL, LARGE], ids=["small", "large"])
async def test_the_order_of_keys_does_not_matter_and_a_rewritten_prompt_is_kept(
    blobs: BlobStore, picture: bytes
) -> None:
    data = [{"revised_prompt": "A red fox\ud800.", "b64_json": b64(picture)}]
    turned = dict(reversed(images_answer(None, data=data).items()))
    answer = await render(blobs, json.dumps(turned).encode())
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == picture
    assert answer.picture.revised_prompt == "A red fox?."
    assert answer.image_usage == IMAGES_USAGE


async def test_usage_that_is_missing_is_none_and_not_zero(blobs: BlobStore) -> None:
    for odd in (None, 7, "many"):
        answer = await render(blobs, body(SMALL, usage=odd))
        assert answer.picture is not None
        assert answer.image_usage is None
    assert (await render(blobs, body(SMALL, usage={}))).image_usage == {}


async def test_only_the_first_of_several_pictures_counts(blobs: BlobStore) -> None:
    """One was asked for; the others leave no file."""
    data = [{"b64_json": b64(LARGE)}, {"b64_json": b64(png(32, 32, padding=200_000))}]
    answer = await render(blobs, body(None, data=data))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE


async def test_no_other_long_text_is_taken_for_the_picture_or_kept(blobs: BlobStore) -> None:
    """Wherever it stands: it goes into nothing while it comes."""
    long = "QUJD" * 40_000
    data = [{"revised_prompt": long, "b64_json": b64(LARGE), "url": long}]
    answer = await render(blobs, body(None, background=long, data=data, data_too=[long]))
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE
    assert answer.picture.revised_prompt is None
    failure = failed(await render(blobs, body(None, background=long, data=[{"url": long}])))
    assert failure.kind is FailureKind.BAD_PICTURE


async def test_only_rate_limit_headers_are_kept(blobs: BlobStore) -> None:
    said = {**JSON, "X-RateLimit-Remaining-Images": "3", "set-cookie": "secret"}
    transport = Scripted(Script([body(SMALL)], headers=said))
    answer = await images_renderer(transport, blobs).render(IMAGES_JOB, nobody)
    assert answer.headers == {"x-ratelimit-remaining-images": "3"}


async def test_a_body_that_was_compressed_unasked_is_read_all_the_same(blobs: BlobStore) -> None:
    packed = {**JSON, "content-encoding": "gzip"}
    transport = Scripted(Script(cut(gzip.compress(body(LARGE)), 1000), headers=packed))
    answer = await images_renderer(transport, blobs).render(IMAGES_JOB, nobody)
    assert answer.picture is not None
    assert transport.requests[0].headers["accept-encoding"] == "identity"


async def test_what_is_sent_for_a_new_picture(blobs: BlobStore) -> None:
    """Everything is named, and nothing is sent that is only for hosts."""
    transport = Scripted(Script([body(SMALL)], headers=JSON))
    await images_renderer(transport, blobs).render(
        replace(IMAGES_JOB, background="transparent", previous_response_id="resp_0"), nobody
    )
    assert transport.requests[0].url.path == "/v1/images/generations"
    assert transport.bodies == [
        {
            "model": "gpt-image-2-2026-04-21",
            "prompt": "a red fox in snow",
            "n": 1,
            "size": "1024x1024",
            "quality": "medium",
            "output_format": "png",
            "background": "transparent",
            "safety_identifier": "person-1",
        }
    ]


@pytest.mark.parametrize("name", EXPECTED)
async def test_captured_refusals_cost_nothing(blobs: BlobStore, name: str) -> None:
    """They are those of the other endpoint, and no host can be what they are about."""
    kind, status = EXPECTED[name]
    for said in bodies(CASES[name]):
        transport = Scripted(Script.json(said, status))
        answer = await images_renderer(transport, blobs).render(IMAGES_JOB, nobody)
        failure = failed(answer)
        assert (failure.kind, failure.billed) == (kind, Billed.NOTHING)
        assert failure.concerns in (None, Concern.IMAGE_MODEL)
        assert answer.request_id == "req_1"
        assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_leaves_the_money_open_and_is_not_tried_again(
    blobs: BlobStore, status: int
) -> None:
    page = Script([b"<html>Bad gateway</html>"], status, {"content-type": "text/html"})
    transport = Scripted(page)
    failure = failed(await images_renderer(transport, blobs).render(IMAGES_JOB, nobody))
    assert (failure.kind, failure.billed) == (FailureKind.SERVER, Billed.UNKNOWN)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [404, 405])
async def test_an_address_without_the_images_api_is_no_fault_of_the_model(
    blobs: BlobStore, status: int
) -> None:
    page = Script([b"<html>Not here</html>"], status, {"content-type": "text/html"})
    failure = failed(await images_renderer(Scripted(page), blobs).render(IMAGES_JOB, nobody))
    assert (failure.kind, failure.billed) == (FailureKind.ACCESS, Billed.NOTHING)
    assert failure.concerns is Concern.ENDPOINT


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"   ",
        b"<html><body class='x'>Sign in, please</body></html>",
        b'<html><a href="x">Sign in',
        b"[]",
        b'"picture"',
        b"{}",
        b'{"data": {"b64_json": "AAAA"}}',
        b'{"data": null}',
        b'{"created": 1',
        b"\xff\xfe\x00",
        b"data: {}\n\n",
    ],
)
async def test_what_is_no_answer_leaves_the_money_open(blobs: BlobStore, text: bytes) -> None:
    """A page of a proxy with the status of an answer; nobody knows what stands behind it."""
    failure = failed(await render(blobs, text))
    assert (failure.kind, failure.billed, failure.code) == (
        FailureKind.SERVER,
        Billed.UNKNOWN,
        "bad_stream",
    )


@pytest.mark.parametrize("usage", [IMAGES_USAGE, None])
@pytest.mark.parametrize(
    "data",
    [
        [{"b64_json": b64(b"<html>Sorry</html>" * 9_000)}],
        [{"b64_json": b64(b"<html>Sorry</html>")}],
        [{"b64_json": "no base64 at all!"}],
        [{"b64_json": "ÄÖÜ" * 40_000}],
        [{"b64_json": b64(png(9, 9)[:20])}],
        [{"url": "https://example.com/fox.png"}],
        [{"b64_json": None, "url": "https://example.com/fox.png"}],
    ],
)
async def test_what_is_no_picture_is_said_so(
    blobs: BlobStore, data: list[dict[str, Any]], usage: dict[str, Any] | None
) -> None:
    """Charged as reported; and it is never fetched from elsewhere."""
    answer = await render(blobs, body(None, data=data, usage=usage))
    failure = failed(answer)
    assert failure.kind is FailureKind.BAD_PICTURE
    assert failure.billed is (Billed.UNKNOWN if usage is None else Billed.REPORTED)
    assert answer.image_usage == usage


@pytest.mark.parametrize("usage", [IMAGES_USAGE, None])
@pytest.mark.parametrize("data", [[], [None], [{}], ["AAAA"], [{"b64_json": ""}], [{"b64_json": 7}]])
async def test_an_answer_without_a_picture_is_a_failure(
    blobs: BlobStore, data: list[Any], usage: dict[str, Any] | None
) -> None:
    """There is nothing else that this endpoint could have meant."""
    failure = failed(await render(blobs, body(None, data=data, usage=usage)))
    assert (failure.kind, failure.code) == (FailureKind.SERVER, "no_picture")
    assert failure.billed is (Billed.UNKNOWN if usage is None else Billed.REPORTED)


@pytest.mark.parametrize(
    ("error", "usage", "kind", "billed"),
    [
        ({"code": "moderation_blocked", "message": ""}, None, FailureKind.MODERATION, Billed.NOTHING),
        ({"code": "moderation_blocked"}, IMAGES_USAGE, FailureKind.MODERATION, Billed.REPORTED),
        ({"code": "server_error"}, None, FailureKind.SERVER, Billed.UNKNOWN),
        ({"message": "upstream"}, IMAGES_USAGE, FailureKind.SERVER, Billed.REPORTED),
        ("upstream is away", None, FailureKind.SERVER, Billed.UNKNOWN),
    ],
)
async def test_an_error_with_the_status_of_an_answer_is_an_error(
    blobs: BlobStore, error: object, usage: dict[str, Any] | None, kind: FailureKind, billed: Billed
) -> None:
    failure = failed(await render(blobs, json.dumps({"error": error, "usage": usage}).encode()))
    assert (failure.kind, failure.billed) == (kind, billed)


LOST = httpx2.RemoteProtocolError("peer closed connection")
WHOLE = body(LARGE)
PICTURE_ENDS = WHOLE.index(b'"}]')


@pytest.mark.parametrize("lost", [LOST, httpx2.ReadTimeout("late"), None], ids=["lost", "late", "ended"])
@pytest.mark.parametrize("at", [0, 1, 100, 70_000, PICTURE_ENDS])
async def test_an_answer_that_breaks_off_before_its_picture_is_whole_leaves_the_money_open(
    blobs: BlobStore, at: int, lost: Exception | None
) -> None:
    failure = failed(await render(blobs, WHOLE[:at], *([lost] if lost else [])))
    assert failure.billed is Billed.UNKNOWN


@pytest.mark.parametrize("lost", [LOST, httpx2.ReadTimeout("late"), None], ids=["lost", "late", "ended"])
@pytest.mark.parametrize("at", [PICTURE_ENDS + 1, len(WHOLE) - 1])
async def test_a_picture_that_is_whole_counts_though_the_rest_is_lost(
    blobs: BlobStore, at: int, lost: Exception | None
) -> None:
    """It was paid for, and nobody can ask for it again; what it cost is not known."""
    answer = await render(blobs, WHOLE[:at], *([lost] if lost else []))
    assert answer.failure is None
    assert answer.picture is not None
    assert answer.picture.path.read_bytes() == LARGE
    assert answer.image_usage is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(at=st.integers(0, len(WHOLE)), size=st.integers(1, 100_000))
async def test_wherever_an_answer_is_cut_there_is_a_whole_picture_or_open_money(
    blobs: BlobStore, at: int, size: int
) -> None:
    answer = await render(blobs, *cut(WHOLE[:at], size), *([LOST] if at < len(WHOLE) else []))
    if at > PICTURE_ENDS:
        assert answer.picture is not None
        assert answer.picture.path.read_bytes() == LARGE
    else:
        assert failed(answer).billed is Billed.UNKNOWN
    assert (answer.image_usage is not None) == (at == len(WHOLE))


class Silence(asyncio.Event):
    """Nothing more comes; it can be awaited that somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Any:
        """For ever."""
        self.reached.set()
        return await super().wait()


async def out_of_time(blobs: BlobStore, text: bytes) -> Answer:
    """The answer when the call's time is over after *text*."""
    clock, silence = HandClock(), Silence()
    script = Script([text, silence], headers=JSON)
    call = asyncio.create_task(images_renderer(Scripted(script), blobs, clock).render(IMAGES_JOB, nobody))
    await silence.reached.wait()
    clock.ring()
    answer = await call
    assert clock.slept == [IMAGES_JOB.timeout_s]
    return answer


async def test_an_answer_that_never_ends_is_given_up_in_time(blobs: BlobStore) -> None:
    """Nothing of it is kept; the money is open."""
    failure = failed(await out_of_time(blobs, WHOLE[:100_000]))
    assert (failure.kind, failure.billed) == (FailureKind.TIMEOUT, Billed.UNKNOWN)


async def test_when_the_time_is_over_a_whole_picture_still_counts(blobs: BlobStore) -> None:
    """Its usage would have come after it."""
    answer = await out_of_time(blobs, WHOLE[: PICTURE_ENDS + 1])
    assert answer.picture is not None
    assert answer.image_usage is None


@pytest.mark.slow
async def test_an_answer_without_end_is_cut_off(blobs: BlobStore) -> None:
    """Whatever it is made of, neither memory nor the disk fills up."""
    piece = b"A" * 1_048_576
    for start, why in (
        (b'{"data":[{"b64_json":"', "the answer is too long"),
        (b'{"data":[{"url":"', "the answer is too long"),
        (b'{"data":', "an event is too large"),
    ):
        failure = failed(await render(blobs, start, *[piece] * 260))
        assert (failure.billed, failure.code) == (Billed.UNKNOWN, "bad_stream")
        assert failure.message == why


async def test_a_connection_that_was_never_made_costs_nothing(blobs: BlobStore) -> None:
    for refused in (httpx2.ConnectError("no"), httpx2.ConnectTimeout("late"), httpx2.PoolTimeout("full")):
        transport = Scripted(Script(refused=refused))
        failure = failed(await images_renderer(transport, blobs).render(IMAGES_JOB, nobody))
        assert (failure.kind, failure.billed) == (FailureKind.UNREACHABLE, Billed.NOTHING)


def edit(tmp_path: Path, *pictures: bytes, mask: bytes | None = None) -> RenderJob:
    """A job with these pictures."""
    files = []
    for number, data in enumerate((*pictures, *([mask] if mask is not None else []))):
        path = tmp_path / f"{'ab' * 32}-{number}"
        path.write_bytes(data)
        files.append(InputPicture(path, "image/jpeg" if number == 1 else "image/png"))
    last = files.pop() if mask is not None else None
    return replace(IMAGES_JOB, input_pictures=tuple(files), mask=last)


async def test_an_edit_sends_its_pictures_in_their_order_and_the_mask(
    blobs: BlobStore, tmp_path: Path
) -> None:
    """As files, byte for byte, under names that say nothing."""
    transport = Scripted(Script([body(SMALL)], headers=JSON))
    job = edit(tmp_path, b"parent" * 50_000, b"reference", mask=b"the mask")
    answer = await images_renderer(transport, blobs).render(job, nobody)
    assert answer.picture is not None
    request = transport.requests[0]
    assert request.url.path == "/v1/images/edits"
    sent = request.content
    order = [sent.index(part) for part in (b"parent" * 50_000, b"reference", b"the mask")]
    assert order == sorted(order)
    assert sent.count(b'name="image[]"; filename="picture-') == 2
    assert b'filename="picture-2.jpeg"\r\nContent-Type: image/jpeg' in sent
    assert b'name="mask"; filename="mask.png"' in sent
    assert b"ab" * 32 not in sent


@pytest.mark.parametrize(
    ("pictures", "mask", "code"),
    [
        ((b"",), None, "picture_unreadable"),
        ((b"x",), b"", "picture_unreadable"),
        ((b"x",), b"m" * 4_000_000, "picture_too_large"),
        ((b"x",) * 17, None, "too_many_pictures"),
        ((b"x",) * 16, b"m", "too_many_pictures"),
        ((), b"m", "mask_alone"),
    ],
)
async def test_what_cannot_go_along_is_found_before_anything_is_sent(
    blobs: BlobStore, tmp_path: Path, pictures: tuple[bytes, ...], mask: bytes | None, code: str
) -> None:
    transport = Scripted()
    job = edit(tmp_path, *pictures, mask=mask)
    failure = failed(await images_renderer(transport, blobs).render(job, nobody))
    assert (failure.kind, failure.billed, failure.code) == (FailureKind.BAD_REQUEST, Billed.NOTHING, code)
    assert transport.requests == []


async def test_a_picture_that_is_gone_or_too_large_is_not_sent(blobs: BlobStore, tmp_path: Path) -> None:
    transport = Scripted()
    huge = edit(tmp_path, b"x")
    with huge.input_pictures[0].path.open("r+b") as file:
        file.truncate(50_000_000)
    assert failed(await images_renderer(transport, blobs).render(huge, nobody)).code == "picture_too_large"
    huge.input_pictures[0].path.unlink()
    assert failed(await images_renderer(transport, blobs).render(huge, nobody)).code == "picture_unreadable"
    assert transport.requests == []


async def test_all_pictures_together_have_a_limit_too(blobs: BlobStore, tmp_path: Path) -> None:
    """Each of these could go alone, and two of them can."""
    transport = Scripted(Script([body(SMALL)], headers=JSON))
    for number in (2, 5):
        many = edit(tmp_path, *[b"x"] * number)
        for picture in many.input_pictures:
            with picture.path.open("r+b") as file:
                file.truncate(30_000_000)
        answer = await images_renderer(transport, blobs).render(many, nobody)
        assert (answer.failure.code if answer.failure else None) == (
            None if number == 2 else "picture_too_large"
        )
    assert len(transport.requests) == 1


async def test_each_attempt_goes_to_the_endpoint_of_its_candidate(blobs: BlobStore) -> None:
    """And the Images endpoint is never asked what became of a call: it could not say."""
    refusal = {"error": {"code": "invalid_api_key", "message": "No."}}
    transport = Scripted(Script.json(refusal, 401), Script.json(refusal, 401))
    client = httpx2.AsyncClient(transport=transport)
    provider = Provider("http://scripted/v1", "sk-test", http_client=client)
    made = EndpointRenderer(provider, blobs, HandClock())
    made.warm()
    await made.render(JOB, nobody)
    await made.render(IMAGES_JOB, nobody)
    assert [request.url.path for request in transport.requests] == [
        "/v1/responses",
        "/v1/images/generations",
    ]
    assert await made.ask(IMAGES_JOB, "resp_1") is NoWord.NEVER
    assert len(transport.requests) == 2
    await made.aclose()
    assert client.is_closed
