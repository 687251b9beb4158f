"""What reading pictures costs: ours beside the client's own loop, in one run against one server.

``python -m bench.rendering`` streams 30 pictures at once, each 3 MB with 2 previews of the same size, from a
server in a process of its own to a reader in a process of its own:

- *plain*: ``async for event in stream`` on the loop that would answer Slack;
- *ours*: the render thread, with the loop that answers Slack beside it, the process tuned for that
  (``tune_process``), and the pictures on disk (with fsync).

The longest block is how much later than planned a 2 ms timer came on the loop that answers Slack. CPU is the
reader's process time (all threads) for each picture. Both are medians of five rounds. Memory is how far the
process's peak resident size rose above that after a first small picture, for each call in flight.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from openai import AsyncOpenAI

from darkroom.clock import SystemClock
from darkroom.rendering.job import Candidate, Endpoint, RenderJob
from darkroom.rendering.provider import Provider
from darkroom.rendering.renderer import EndpointRenderer
from darkroom.rendering.thread import RenderThread, tune_process
from storage.blobs import BlobStore

AT_ONCE = 30
PREVIEWS = 2
ROUNDS = 5
PICTURE_BYTES = 3_000_000
WARM_UP = "warm up"
_CHUNK = 64 * 1024
_TICK_S = 0.002
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Cost:
    """What one reader needed."""

    longest_block_ms: float
    cpu_ms_per_picture: float
    memory_mb_per_call: float
    seconds: float


def picture(size: int) -> bytes:
    """A PNG of about *size* bytes that does not compress, 1024 pixels wide."""
    rows = max(1, size // (1024 * 3 + 1))
    noise = Random(1)  # noqa: S311 -- noise for a picture
    pixels = b"".join(b"\0" + noise.randbytes(1024 * 3) for _ in range(rows))
    header = struct.pack(">IIBBBBB", 1024, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 0)), (b"IEND", b""))
    body = (struct.pack(">I", len(data)) + kind + data + _crc(kind + data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def stream(size: int, previews: int) -> bytes:
    """The whole body of an answer, as chunks of HTTP/1.1."""
    result = base64.b64encode(picture(size)).decode()
    tools = [{"type": "image_generation", "model": "gpt-image-2-2026-04-21", "size": "1024x1024"}]
    response = {"id": "resp_1", "object": "response", "model": "gpt-5.6-luna", "tools": tools, "output": []}
    begun = response | {"status": "in_progress", "usage": None}
    item = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": result}
    place = {"item_id": "ig_1", "output_index": 0}
    usage = {
        "usage": {"input_tokens": 2400, "output_tokens": 60, "total_tokens": 2460},
        "tool_usage": {"image_gen": {"input_tokens": 20, "output_tokens": 1756, "total_tokens": 1776}},
    }
    call = "response.image_generation_call."
    preview = place | {"type": f"{call}partial_image", "partial_image_index": 0, "partial_image_b64": result}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item | {"result": None}},
        place | {"type": f"{call}in_progress"},
        place | {"type": f"{call}generating"},
        *([preview] * previews),
        place | {"type": f"{call}completed"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {
            "type": "response.completed",
            "response": response | usage | {"status": "completed", "output": [item]},
        },
    ]
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    pieces = (text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def serve(port: Connection) -> None:
    """Serve for ever: full streams begin when all of them have been asked for; a warm-up gets a small one."""
    asyncio.run(_serve(port))


async def _serve(port: Connection) -> None:
    small, full = stream(20_000, 0), stream(PICTURE_BYTES, PREVIEWS)
    everybody = asyncio.Barrier(AT_ONCE)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in request.split(b"\r\n")
            if line.lower().startswith(b"content-len")
        )
        body = small if WARM_UP.encode() in await reader.readexactly(length) else full
        if body is full:
            await everybody.wait()
        writer.write(head)
        for at in range(0, len(body), _CHUNK):
            writer.write(body[at : at + _CHUNK])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def read(name: str, url: str, result: Connection) -> None:
    """Be one of the readers, and send back what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        result.send(asyncio.run(_plain(url) if name == "plain" else _ours(url, Path(folder))))


async def _plain(url: str) -> Cost:
    client = AsyncOpenAI(api_key="sk-bench", base_url=url, max_retries=0)

    async def one(prompt: str) -> None:
        found = 0
        async for event in await client.responses.create(
            model="gpt-5.6-luna",
            input=prompt,
            stream=True,
            tools=[
                {"type": "image_generation", "model": "gpt-image-2-2026-04-21", "partial_images": PREVIEWS}
            ],
        ):
            if event.type == "response.output_item.done" and event.item.type == "image_generation_call":
                found = len(base64.b64decode(event.item.result or ""))
        assert found

    cost = await _measured(one)
    await client.close()
    return cost


async def _ours(url: str, folder: Path) -> Cost:
    thread = RenderThread(
        lambda: EndpointRenderer(Provider(url, "sk-bench"), BlobStore(folder), SystemClock())
    )
    await thread.start()

    async def one(prompt: str) -> None:
        answer = await thread.render(_job(prompt), _seen)
        assert answer.picture is not None

    tune_process()
    cost = await _measured(one)
    await thread.aclose()
    return cost


async def _seen(response_id: str) -> None:
    assert response_id


def _job(prompt: str) -> RenderJob:
    candidate = Candidate(Endpoint.RESPONSES, "gpt-image-2-2026-04-21", "gpt-5.6-luna")
    return RenderJob(
        "turn", prompt, candidate, prompt, 1024, 1024, "medium", "png", True, "bench", 300.0, 4000, ""
    )


async def _measured(one: Callable[[str], Coroutine[Any, Any, None]]) -> Cost:
    """Rounds of calls of *one* at once, beside a timer on this loop."""
    await one(WARM_UP)
    before = _peak_bytes()
    rounds = [await _round([one(f"picture {number}") for number in range(AT_ONCE)]) for _ in range(ROUNDS)]
    blocks, cpu, seconds = (median(values) for values in zip(*rounds, strict=True))
    return Cost(blocks * 1e3, cpu / AT_ONCE * 1e3, (_peak_bytes() - before) / AT_ONCE / 1e6, seconds)


async def _round(calls: list[Coroutine[Any, Any, None]]) -> tuple[float, float, float]:
    """The longest block, the CPU and the time of all calls at once, in seconds."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            planned = time.perf_counter() + _TICK_S
            await asyncio.sleep(_TICK_S)
            longest = max(longest, time.perf_counter() - planned)

    ticking = asyncio.ensure_future(tick())
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*calls)
    ticking.cancel()
    return longest, time.process_time() - cpu, time.perf_counter() - began


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(name: str, url: str) -> Cost:
    """What the reader *name* needs, in a fresh process."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=read, args=(name, url, theirs), daemon=True)
    process.start()
    theirs.close()
    cost = ours.recv()
    process.join()
    assert isinstance(cost, Cost)
    return cost


def main() -> dict[str, Any]:
    """Measure both, print the table, and give it: costs, ratios, and whether the limits hold."""
    ours, theirs = _SPAWN.Pipe()
    server = _SPAWN.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}/v1"
        plain, mine = measure("plain", url), measure("ours", url)
    finally:
        server.terminate()
        server.join()
    rows = (
        (
            "longest block of Slack's loop, ms",
            plain.longest_block_ms,
            mine.longest_block_ms,
            "under a fifth",
            0.2,
        ),
        ("CPU for each picture, ms", plain.cpu_ms_per_picture, mine.cpu_ms_per_picture, "under a half", 0.5),
    )
    print(f"{AT_ONCE} pictures at once, {PICTURE_BYTES / 1e6:g} MB each, {PREVIEWS} previews")
    print(f"{'':36}{'plain':>9}{'ours':>9}{'ratio':>8}  holds")
    holds = {}
    for name, theirs_cost, ours_cost, limit, share in rows:
        ratio = ours_cost / theirs_cost
        holds[name] = ratio < share
        print(f"{name:36}{theirs_cost:9.1f}{ours_cost:9.1f}{ratio:8.2f}  {_yes(ratio < share)} ({limit})")
    memory = mine.memory_mb_per_call
    holds["memory"] = memory < 2.0
    share = memory / plain.memory_mb_per_call
    print(
        f"{'peak RSS for each call in flight, MB':36}{plain.memory_mb_per_call:9.1f}{memory:9.1f}{share:8.2f}"
        f"  {_yes(memory < 2.0)} (under 2 MB)"
    )
    print(f"{'time for all, s':36}{plain.seconds:9.1f}{mine.seconds:9.1f}")
    return {"plain": asdict(plain), "ours": asdict(mine), "holds": all(holds.values())}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.exit(0 if main()["holds"] else 1)
