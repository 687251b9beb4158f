"""The HTTP shell, met by the real client."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import openai
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from sandbox.images.api import ImageApi
from sandbox.images.door import Door
from sandbox.images.faults import Fault
from sandbox.images.server import serve_images
from sandbox.images.wire import handle
from tests.sandbox_images.support import KEY, collected, data_url, png, quick_api, request, unknown_fields


@pytest.fixture
def api() -> ImageApi:
    """The API behind the server."""
    return quick_api(keys=frozenset({"sk-test"}))


@pytest.fixture
async def client(api: ImageApi) -> AsyncIterator[AsyncOpenAI]:
    """The real client, talking to the server."""
    server = await serve_images(api)
    async with AsyncOpenAI(api_key="sk-test", base_url=server.url, max_retries=0) as connected:
        yield connected
    await server.close()


def asked(**fields: Any) -> Any:
    """A request as keywords of the client."""
    return request(**fields)


async def read_events(client: AsyncOpenAI, kinds: list[str], *, stream: bool) -> None:
    """Ask, and note the type of each event as it comes; without `stream` just ask."""
    if not stream:
        await client.responses.create(**asked())
        return
    async for event in await client.responses.create(stream=True, **asked()):
        kinds.append(event.type)


async def test_while_connections_are_refused_nothing_can_be_sent(api: ImageApi, client: AsyncOpenAI) -> None:
    """The call that came upon it had been sent already; those after it have not."""
    api.faults.append(Fault(unreachable=600.0))
    with pytest.raises(openai.APIConnectionError) as lost:
        await client.responses.create(**asked())
    assert isinstance(lost.value.__cause__, httpx2.RemoteProtocolError | httpx2.ReadError)
    with pytest.raises(openai.APIConnectionError) as refused:
        await client.responses.create(**asked())
    assert isinstance(refused.value.__cause__, httpx2.ConnectError)
    assert len(api.calls) == 1


async def test_while_nobody_can_connect_the_port_is_given_to_nobody_else() -> None:
    """It is wanted again."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    door = Door(runner, "127.0.0.1", 0)
    port = await door.open()
    door.shut(600.0)
    # What was to be shut is, once its task has had its turn.
    await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    await door.close()
    await runner.cleanup()


async def test_after_connections_were_refused_it_is_as_before_at_the_same_address(
    api: ImageApi, client: AsyncOpenAI
) -> None:
    api.faults.append(Fault(unreachable=0.0))
    answered = None
    while answered is None:
        with suppress(openai.APIConnectionError):
            answered = await client.responses.create(**asked())
    assert answered.status == "completed"
    assert len(api.calls) == 2


async def test_the_client_reads_a_streamed_picture(client: AsyncOpenAI) -> None:
    kinds, last = [], None
    async for event in await client.responses.create(stream=True, **asked(tool={"partial_images": 2})):
        assert unknown_fields(event) == []
        kinds.append(event.type)
        last = event
    assert kinds.count("response.image_generation_call.partial_image") == 2
    assert last is not None
    assert last.type == "response.completed"
    assert last.response.tool_usage is not None
    assert last.response.tool_usage.image_gen.output_tokens == 396


async def test_the_client_reads_a_whole_response_and_fetches_it_again(client: AsyncOpenAI) -> None:
    response = await client.responses.create(**asked())
    image = response.output[1]
    assert image.type == "image_generation_call"
    assert base64.b64decode(image.result or "").startswith(b"\x89PNG")
    assert await client.responses.retrieve(response.id) == response
    await client.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(response.id)


async def test_the_raw_stream_is_server_sent_events_in_several_chunks(client: AsyncOpenAI) -> None:
    raw = client.responses.with_streaming_response
    async with raw.create(stream=True, **asked()) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-request-id"].startswith("req_")
        body = b"".join([chunk async for chunk in response.iter_bytes()])
    blocks = body.decode().removesuffix("\n\n").split("\n\n")
    for block in blocks:
        name, data = block.split("\n")
        assert name.removeprefix("event: ") == json.loads(data.removeprefix("data: "))["type"]


async def test_large_pictures_and_large_requests_go_through(client: AsyncOpenAI, api: ImageApi) -> None:
    """A picture of 3 MB out, a data URL of 20 MB in."""
    noise = png(1024, 1024) + bytes(range(256)) * 12_000
    api.painter = lambda order: noise
    big = png() + bytes(15_000_000)
    part = {"type": "input_image", "image_url": data_url(big)}
    response = await client.responses.create(**asked(prompt=[{"role": "user", "content": [part]}]))
    image = response.output[1]
    assert image.type == "image_generation_call"
    assert base64.b64decode(image.result or "") == noise


async def test_the_client_generates_and_edits_by_the_images_api(client: AsyncOpenAI, api: ImageApi) -> None:
    made = await client.images.generate(model="gpt-image-2", prompt="a fox", n=2, quality="low")
    assert unknown_fields(made) == []
    assert made.usage is not None
    assert (len(made.data or []), made.usage.output_tokens) == (2, 392)
    edited = await client.images.edit(
        model="gpt-image-2",
        prompt="a hat\nfor both",
        image=[("a.png", png(1024, 1024)), ("b.png", png())],
        mask=("m.png", png(1024, 1024, "RGBA")),
        n=1,
        output_compression=100,
    )
    assert edited.usage is not None
    assert edited.usage.input_tokens_details.image_tokens == 1_024 + 16
    body = api.calls[-1].body
    assert (body["prompt"], body["n"], len(body["image"])) == ("a hat\nfor both", 1, 2)


async def test_the_client_lists_models_with_their_end(client: AsyncOpenAI) -> None:
    listed = {model.id: model async for model in client.models.list()}
    assert listed["gpt-5.6-luna"].shutdown_date is None
    assert listed["gpt-5"].shutdown_date == "2026-12-11"
    assert (await client.models.retrieve("gpt-image-2")).id == "gpt-image-2"


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"prompt": "forbidden"}, openai.BadRequestError, "moderation_blocked"),
        ({"model": "X"}, openai.NotFoundError, "model_not_found"),
        ({"tool": {"n": 2}}, openai.BadRequestError, "unknown_parameter"),
    ],
)
async def test_the_client_raises_what_it_raises_live(
    client: AsyncOpenAI, fields: dict[str, Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as raised:
        await client.responses.create(stream=True, **asked(**fields))
    assert raised.value.code == code
    assert (raised.value.request_id or "").startswith("req_")


async def test_the_client_meets_a_wrong_key(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="sk-other").models.list()


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("fault", [Fault(drop_before=True), Fault(drop_after=0)])
async def test_a_dropped_connection_is_a_connection_error(
    client: AsyncOpenAI, api: ImageApi, fault: Fault, streamed: bool
) -> None:
    api.faults.append(fault)
    with pytest.raises((openai.APIConnectionError, httpx2.TransportError)):
        await read_events(client, [], stream=streamed)


async def test_a_stream_cut_half_way_raises_after_its_events(client: AsyncOpenAI, api: ImageApi) -> None:
    api.faults.append(Fault(drop_after=4))
    kinds: list[str] = []
    with pytest.raises((openai.APIConnectionError, httpx2.TransportError)):
        await read_events(client, kinds, stream=True)
    assert len(kinds) == 4
    found = await client.responses.retrieve(str(api.calls[0].response_id))
    assert found.status == "completed"


async def test_a_client_that_hangs_up_is_noticed_and_the_picture_is_still_made(
    client: AsyncOpenAI, api: ImageApi
) -> None:
    changed = asyncio.Event()
    api.on_call = lambda call: changed.set() if call["cut"] else None
    api.faults.append(Fault(silent_after=2))
    stream = await client.responses.create(stream=True, **asked())
    await anext(stream)
    await stream.close()
    await asyncio.wait_for(changed.wait(), 5)
    assert (await client.responses.retrieve(str(api.calls[0].response_id))).status == "completed"


async def test_closing_the_server_does_not_wait_for_calls_that_never_end(api: ImageApi) -> None:
    server = await serve_images(api)
    api.faults.append(Fault(hang=True))
    async with AsyncOpenAI(api_key="sk-test", base_url=server.url, max_retries=0) as connected:
        stream = await connected.responses.create(stream=True, **asked())
        await anext(stream)
        await asyncio.wait_for(server.close(), 5)
        await stream.close()


async def test_the_wire_needs_no_sockets() -> None:
    """The same bytes as over HTTP, for a transport inside one process."""
    body = json.dumps(request(stream=True)).encode()
    reply = await handle(quick_api(), "POST", "/responses", {"Authorization": "Bearer x"}, body)
    assert reply.chunks is not None
    assert (await collected(reply.chunks)).startswith(b"event: response.created\ndata: {")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("POST", "/responses", b"{", 400),
        ("POST", "/responses", b"[]", 400),
        ("PUT", "/models", b"", 404),
        ("GET", "/models/", b"", 200),
        ("GET", "/responses/resp_x", b"", 404),
    ],
)
async def test_what_is_no_request_is_refused(method: str, path: str, body: bytes, status: int) -> None:
    assert (await handle(quick_api(), method, path, KEY, body)).status == status


def nested(depth: int) -> bytes:
    """A request whose input stands in so many lists."""
    return b'{"model": "gpt-5.6-luna", "input": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("depth", [70, 600, 5_000])
async def test_what_is_nested_too_deep_to_be_looked_through_is_refused(depth: int) -> None:
    api = quick_api()
    reply = await handle(api, "POST", "/responses", KEY, nested(depth))
    assert (reply.status, api.calls) == (400, [])
    assert b"could not parse the JSON body" in reply.body


async def test_what_is_nested_as_deep_as_it_may_be_is_looked_at() -> None:
    api = quick_api()
    reply = await handle(api, "POST", "/responses", KEY, nested(60))
    assert b"could not parse" not in reply.body
    assert len(api.calls) == 1


@pytest.mark.parametrize("path", ["/images/generations", "/images/edits", "/responses"])
@pytest.mark.parametrize("text", [b'"\\ud800"', b'"a fox\xed\xa0\x80"'])
async def test_half_of_a_surrogate_pair_is_no_text(path: str, text: bytes) -> None:
    body = b'{"model": "gpt-image-2", "prompt": %b, "input": %b}' % (text, text)
    assert (await handle(quick_api(), "POST", path, KEY, body)).status == 400


async def test_a_form_whose_text_is_none_is_refused() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\r\n--x--'
    headers = KEY | {"content-type": "multipart/form-data; boundary=x"}
    assert (await handle(quick_api(), "POST", "/images/edits", headers, body)).status == 400
