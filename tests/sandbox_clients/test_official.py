"""The official clients of Slack and OpenAI, and apps that are not Darkroom, against `darkroom sandbox`."""

from __future__ import annotations

import asyncio
import base64
import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI, OpenAI
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AsyncSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox_clients.documented import blocks
from tests.sandbox_slack.conftest import png

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT_S = 60
Json = dict[str, Any]
DESIGN, ALICE = "C0DESIGN01", "U0ALICE001"


@dataclass(frozen=True)
class Sandbox:
    """`darkroom sandbox` as a process: its page, and the variables it printed."""

    url: str
    variables: dict[str, str]

    def web(self) -> WebClient:
        """The official client, as the printed variables configure it."""
        return WebClient(self.variables["SLACK_BOT_TOKEN"], base_url=self.variables["SLACK_API_URL"])

    def async_web(self) -> AsyncWebClient:
        """The same, asynchronous."""
        return AsyncWebClient(self.variables["SLACK_BOT_TOKEN"], base_url=self.variables["SLACK_API_URL"])


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
    return {**kept, **more, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for these tests; each begins with a reset."""
    command = [sys.executable, "-m", "bot", "sandbox", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path_factory.mktemp("sandbox"),
        env=_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    page = re.search(r"http://127\.0\.0\.1:\d+(?=/\n)", said)
    assert page is not None, said
    yield Sandbox(page[0], dict(re.findall(r"^([A-Z_]+)=(\S+)$", said, re.MULTILINE)))
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, said + rest
    assert "Traceback" not in rest


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """Drives the sandbox, which begins again; no picture takes any time."""
    async with aiohttp.ClientSession(sandbox.url) as session:
        for path, body in (("/control/reset", {}), ("/page/pace", {"seconds_per_picture": 0})):
            async with session.post(path, json=body) as answer:
                assert answer.status == 200
        yield session


async def do(http: aiohttp.ClientSession, what: str, **given: Any) -> Json:
    """Something that alice does in #design."""
    body = {"viewer": "alice", "channel": "design", **given}
    async with http.post(f"/control/{what}", json=body) as answer:
        made = dict(await answer.json())
    assert made["ok"], made
    return made


async def answers(http: aiohttp.ClientSession, **where: Any) -> Json:
    """What the app says in #design, once it says something."""
    place = {"viewer": "alice", "channel": "design", "seconds": str(WAIT_S), **where}
    async with http.get("/control/answers", params=place) as answer:
        return dict(await answer.json())


async def connected(http: aiohttp.ClientSession, count: int) -> None:
    """Wait until so many sockets of the app are there, as the page hears of it."""
    async with asyncio.timeout(WAIT_S), http.ws_connect("/control/live") as live:
        while True:
            async with http.get("/control/state?viewer=alice") as answer:
                if (await answer.json())["app"]["connected"] == bool(count):
                    return
            while (await live.receive_json())["kind"] != "socket":
                pass


@pytest.mark.proof
async def test_a_bolt_app_of_ten_lines_lives_here(
    sandbox: Sandbox, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The one that docs/sandbox.md shows, word by word."""
    shown = next(example for example in blocks("python") if "SocketModeHandler" in example)
    assert (
        len([line for line in shown.splitlines() if line and not line.startswith(("import", "from"))]) <= 10
    )
    program = tmp_path / "greeter.py"
    program.write_text(shown)
    bot = await asyncio.create_subprocess_exec(
        sys.executable, str(program), env=_environment(sandbox.variables), cwd=tmp_path
    )
    try:
        await connected(http, 1)
        said = await do(http, "post", text="hello everybody")
        heard = await answers(http, after=said["ts"], thread_ts=said["ts"])
        assert [m["text"] for m in heard["messages"]] == [f"Hello, <@{ALICE}>!"]
    finally:
        bot.terminate()
        await bot.wait()
        await connected(http, 0)


@pytest.mark.proof
async def test_the_image_example_of_the_page_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = next(example for example in blocks("python") if "OpenAI" in example)
    (tmp_path / "fox.py").write_text(shown)
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "fox.py",
        env=_environment(sandbox.variables),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await run.communicate()
    assert run.returncode == 0
    assert re.fullmatch(r"\d{3,} bytes, [1-9]\d* tokens\n", said.decode())


def _through_the_web_api(client: WebClient) -> Json:
    """A post with a picture, as an app makes it: upload, post, change, react, ask for the thread."""
    assert client.auth_test()["user"] == "darkroom"
    parent = client.chat_postMessage(channel=DESIGN, text="Here it comes")
    shared = client.files_upload_v2(
        channel=DESIGN,
        thread_ts=parent["ts"],
        filename="fox.png",
        content=png(),
        initial_comment="A fox",
        request_file_info=False,
    )
    client.chat_update(channel=DESIGN, ts=parent["ts"], text="Here it is")
    client.reactions_add(channel=DESIGN, timestamp=parent["ts"], name="fox_face")
    client.chat_postEphemeral(channel=DESIGN, user=ALICE, text="Only for you")
    thread = client.conversations_replies(channel=DESIGN, ts=parent["ts"])
    texts = [message["text"] for message in thread["messages"]]
    assert texts == ["Here it is", "A fox"]
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0SECRET01", text="x")
    assert refused.value.response["error"] == "channel_not_found"
    return {"parent": parent["ts"], "file": shared["files"][0]["id"]}


async def test_the_synchronous_web_client_works(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    made = await asyncio.to_thread(_through_the_web_api, sandbox.web())

    async with http.get("/control/state?viewer=alice") as answer:
        state = await answer.json()
    assert made["file"] in state["files"]
    private = (await answers(http, after="0"))["ephemerals"]
    assert [only["text"] for only in private] == ["Only for you"]


async def test_the_asynchronous_web_client_works(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    client = sandbox.async_web()
    parent = await client.chat_postMessage(channel=DESIGN, text="Here it comes")
    await client.files_upload_v2(channel=DESIGN, thread_ts=parent["ts"], filename="fox.png", content=png())
    await client.chat_update(channel=DESIGN, ts=str(parent["ts"]), text="Here it is")
    thread = await client.conversations_replies(channel=DESIGN, ts=str(parent["ts"]))
    messages: list[Json] = thread["messages"]
    assert [message["text"] for message in messages] == ["Here it is", ""]
    info = await client.files_info(file=messages[1]["files"][0]["id"])
    assert info["file"]["size"] == len(png())
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_delete(channel=DESIGN, ts="1.000001")


@pytest.mark.proof
async def test_the_synchronous_socket_client_hears_and_answers(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    client = SocketModeClient(app_token=sandbox.variables["SLACK_APP_TOKEN"], web_client=sandbox.web())
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listener(link: Any, request: SocketModeRequest) -> None:
        heard.put(request.type)
        payload = {"text": "waved"} if request.type == "slash_commands" else None
        link.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))

    client.socket_mode_request_listeners.append(listener)
    await asyncio.to_thread(client.connect)
    try:
        await connected(http, 1)
        assert (await do(http, "type", text="/wave"))["text"] == "waved"
        await do(http, "post", text="hello")
        for kind in ("slash_commands", "events_api"):
            assert await asyncio.to_thread(heard.get, timeout=WAIT_S) == kind
    finally:
        await asyncio.to_thread(client.close)
        await connected(http, 0)


async def test_the_asynchronous_socket_client_hears_and_answers(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    client = AsyncSocketModeClient(
        app_token=sandbox.variables["SLACK_APP_TOKEN"], web_client=sandbox.async_web()
    )
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listener(link: Any, request: SocketModeRequest) -> None:
        heard.put_nowait(request.type)
        payload = {"text": "waved"} if request.type == "slash_commands" else None
        await link.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))

    client.socket_mode_request_listeners.append(listener)
    await client.connect()  # type: ignore[no-untyped-call] # slack_sdk leaves it unannotated
    try:
        await connected(http, 1)
        assert (await do(http, "type", text="/wave"))["text"] == "waved"
        await do(http, "post", text="hello")
        async with asyncio.timeout(WAIT_S):
            assert [await heard.get(), await heard.get()] == ["slash_commands", "events_api"]
    finally:
        await client.close()  # type: ignore[no-untyped-call] # slack_sdk leaves it unannotated
        await connected(http, 0)


def _openai(sandbox: Sandbox) -> Json:
    return {
        "api_key": sandbox.variables["OPENAI_API_KEY"],
        "base_url": sandbox.variables["OPENAI_BASE_URL"],
        "max_retries": 0,
    }


def _pictures(client: OpenAI) -> None:
    tool: Any = {"type": "image_generation", "model": "gpt-image-2", "quality": "low", "size": "1024x1024"}
    first = client.responses.create(
        model="gpt-5.6-luna", input="a red fox", tools=[tool], tool_choice={"type": "image_generation"}
    )
    drawn = next(item for item in first.output if item.type == "image_generation_call")
    assert drawn.result is not None
    assert base64.b64decode(drawn.result).startswith(b"\x89PNG")
    again = client.responses.create(
        model="gpt-5.6-luna",
        input="make it night",
        previous_response_id=first.id,
        tools=[tool],
        tool_choice={"type": "image_generation"},
    )
    assert client.responses.retrieve(again.id).status == "completed"
    made = client.images.generate(model="gpt-image-2", prompt="a fox", size="1024x1024", quality="low", n=2)
    assert made.data is not None
    assert made.usage is not None
    assert len(made.data) == 2
    assert made.usage.output_tokens > 0
    picture = BytesIO(base64.b64decode(made.data[0].b64_json or ""))
    picture.name = "fox.png"
    edited = client.images.edit(model="gpt-image-2", image=picture, prompt="at night", quality="low")
    assert edited.data is not None
    assert "gpt-image-2" in {model.id for model in client.models.list()}


async def test_the_official_openai_client_makes_pictures(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    with OpenAI(**_openai(sandbox)) as client:
        await asyncio.to_thread(_pictures, client)
    async with http.get("/control/calls") as answer:
        calls = (await answer.json())["images"]
    assert [call["endpoint"] for call in calls] == [
        *("responses", "responses", "responses.retrieve"),
        *("images.generations", "images.edits", "models"),
    ]
    assert {call["outcome"] for call in calls} == {"picture", "ok"}


async def test_the_official_openai_client_streams(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    tool: Any = {"type": "image_generation", "model": "gpt-image-2", "quality": "low", "partial_images": 1}
    async with AsyncOpenAI(**_openai(sandbox)) as client:
        stream = await client.responses.create(
            model="gpt-5.6-luna",
            input="a red fox",
            tools=[tool],
            tool_choice={"type": "image_generation"},
            stream=True,
        )
        kinds = [event.type async for event in stream]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "response.image_generation_call.partial_image" in kinds
