"""Whatever the API answers, the turn ends, its money is known, and Darkroom goes on."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.logs import configure_logging
from sandbox.images.painter import Order, paint
from tests.memory import forget_peak, has_kb, peak_kb
from tests.rendering.support import b64, created, done, ended, image_item, message, png
from tests.scenarios.hostile_api import STREAM, HostileApi, Say, besieged, plainly, saying, streamed
from tests.scenarios.story import Town, close_town, picture

Besiege = Callable[..., Awaitable[tuple[Town, HostileApi]]]
USUAL = "gpt-image-2-2026-04-21"


@pytest.fixture
async def besiege(tmp_path: Path) -> AsyncIterator[Besiege]:
    """Opens a town whose image API says what it is given."""
    opened: list[tuple[Town, HostileApi]] = []

    async def make(say: Say, **settings: Any) -> tuple[Town, HostileApi]:
        api = HostileApi(say)
        town = await besieged(api, tmp_path / str(len(opened)), **settings)
        opened.append((town, api))
        return town, api

    yield make
    for town, api in opened:
        await close_town(town)
        await api.close()


def _bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is very large."""
    data = bytearray(png())
    head = b"IHDR" + struct.pack(">II", width, height) + bytes(data[24:29])
    data[12:33] = head + struct.pack(">I", zlib.crc32(head))
    return bytes(data)


def _in(kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1024, 1024), "teal").save(file, kind, **more)
    return file.getvalue()


def _shown(item: dict[str, Any], **fields: Any) -> bytes:
    return streamed(created(), done(item), ended("completed", item, **fields))


PNG = paint(Order("a fox", 64, 64, "png"))
HTML = image_item(None, result="<html><body>502 Bad Gateway</body></html>" * 4_000)
UNCERTAIN, FAILED = ("uncertain", "uncertain"), ("failed", "bad_picture")
PICTURE = ("pictures", "pictures")

ANSWERS: dict[str, tuple[bytes, tuple[str, str], str]] = {
    "html_for_base64": (_shown(HTML), FAILED, "settled"),
    "50_megapixels": (_shown(image_item(_bomb(7_200, 7_200))), FAILED, "settled"),
    "a_cut_picture": (STREAM + b'data: {"type":"x","result":"' + b"A" * 300_000, UNCERTAIN, "uncertain"),
    "a_cut_id": (streamed(created()) + b'data: {"type": "resp', UNCERTAIN, "uncertain"),
    "html": (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>", UNCERTAIN, "uncertain"),
    "json_error_with_200": (plainly({"error": {"code": "x", "message": "y"}}), UNCERTAIN, "uncertain"),
    "no_id": (_shown(image_item(PNG), id=None), PICTURE, "settled"),
    "two_pictures": (
        streamed(
            created(),
            done(image_item(PNG)),
            done(image_item(png())),
            ended("completed", image_item(png()), image_item(PNG)),
        ),
        PICTURE,
        "settled",
    ),
    "two_pictures_at_once": (
        streamed(ended("completed", image_item(png(padding=90_000)), image_item(PNG))),
        PICTURE,
        "settled",
    ),
    "jpeg_for_png": (_shown(image_item(_in("JPEG"))), PICTURE, "settled"),
    "many_pictures_in_a_jpeg": (
        _shown(image_item(_in("MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))]))),
        PICTURE,
        "settled",
    ),
    "an_item_id_that_is_a_list": (
        streamed(created(), done(message("hi") | {"id": ["x"]}), ended("completed", image_item(PNG))),
        PICTURE,
        "settled",
    ),
    "a_reason_that_is_a_truth": (
        streamed(created(), ended("incomplete", incomplete_details=True)),
        ("failed", "api_failed"),
        "settled",
    ),
    "half_a_character_in_a_code": (
        plainly({"error": {"code": "bad\ud800", "message": "\udfff", "type": "t"}}, 400),
        ("failed", "api_refused"),
        "released",
    ),
    "a_redirect": (
        plainly({}, 307, location="http://127.0.0.1:9/v1/responses"),
        ("failed", "api_refused"),
        "released",
    ),
    "forty_pictures_in_an_event": (
        streamed(created(), {"type": "x", "list": [b64(png(padding=66_000))] * 40}),
        UNCERTAIN,
        "uncertain",
    ),
    "deep_json": (STREAM + b"data: " + b"[" * 200_000 + b"\n\n", UNCERTAIN, "uncertain"),
    "numbers_without_end": (STREAM + b"data: " + b"9" * 100_000 + b"\n\n", UNCERTAIN, "uncertain"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_is_answered_the_turn_ends_and_its_money_is_known(
    besiege: Besiege, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer, ending, attempt = ANSWERS[name]
    town, api = await besiege(saying(answer))
    await town.alice.types("/imagine a red fox")
    await town.rests()
    assert town.ledger.turns() == [ending]
    assert town.ledger.attempts() == [attempt]
    assert len(api.posts) == 1, "sent once"
    assert (town.ledger.charged() > 0) == (attempt != "released")
    town.ledger.holds_nothing()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    roots = [m for m in town.messages() if not m.is_reply]
    assert len(roots) == (ending == PICTURE)
    if ending != PICTURE:
        assert len(town.alice.private()) == 1


ODD_COUNTS = [-1, True, 10**30, 1.5, "7", None, [], {}]


@pytest.mark.parametrize("count", ODD_COUNTS, ids=str)
async def test_counts_that_make_no_sense_are_estimated_and_never_credit_anybody(
    besiege: Besiege, count: object
) -> None:
    item = image_item(PNG)
    usage = {"input_tokens": count, "output_tokens": count, "total_tokens": count}
    answer = _shown(item, usage=usage, tool_usage={"image_gen": dict(usage)})
    town, _ = await besiege(saying(answer))
    thread = await town.alice.imagines("a red fox")
    await thread.shows(picture(version=1))
    await town.rests()
    charged = town.ledger.charged()
    held = town.ledger.rows("SELECT hold_nano_usd FROM attempts")[0][0]
    assert 0 < charged <= held
    flags = json.loads(town.ledger.rows("SELECT flags FROM journal WHERE kind = 'settle'")[0]["flags"])
    assert {"estimated", "bad_usage"} & set(flags)


async def test_a_model_nobody_knows_is_shown_and_priced_as_the_one_asked_for(besiege: Besiege) -> None:
    tools = [{"type": "image_generation", "model": "gpt-image-99"}]
    town, _ = await besiege(saying(_shown(image_item(PNG), tools=tools, model="gpt-99")))
    thread = await town.alice.imagines("a red fox")
    shown = await thread.shows(picture(version=1))
    await town.rests()
    assert "<!channel>" not in shown.text + str(shown.blocks)
    flags = town.ledger.rows("SELECT flags FROM journal WHERE kind = 'settle'")[0]["flags"]
    assert "unknown_model" in flags
    assert town.ledger.charged() > 0


def _mrkdwn(value: object) -> list[dict[str, Any]]:
    """Every text object of that type in blocks."""
    if isinstance(value, list):
        return [found for inner in value for found in _mrkdwn(inner)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") == "mrkdwn" else []
    return own + [found for inner in value.values() for found in _mrkdwn(inner)]


async def test_the_models_own_words_notify_nobody(besiege: Besiege) -> None:
    """Words, a reworded prompt, categories of moderation: all of it is foreign."""
    evil = "<!channel> <!here> <@U0BOB> <https://evil.example|Click> @here *bold*"
    town, api = await besiege(saying(_shown(image_item(PNG, revised_prompt=evil))))
    thread = await town.alice.imagines("a red fox")
    shown = await thread.shows(picture(version=1))
    await town.rests()
    await town.bob.chooses(shown, "Details")
    await town.rests()
    api.say = saying(streamed(created(), ended("completed", message(evil))))
    await town.alice.replies(thread, "what is this?")
    await thread.says("&lt;!channel&gt;")
    blocked = {"code": "moderation_blocked", "moderation_details": {"categories": [evil]}, "message": evil}
    api.say = saying(plainly({"error": blocked}, 400))
    await town.alice.replies(thread, "something else")
    await town.rests()
    seen = [(m.text, m.blocks) for m in town.messages()]
    seen += [(e.text, e.blocks) for e in town.workspace.ephemerals]
    for text, blocks in seen:
        for mark in ("<!channel>", "<!here>", "<@U0BOB>", "<https://evil"):
            assert mark not in text + json.dumps(blocks)
        assert all(part.get("verbatim") for part in _mrkdwn(blocks)), "@here in plain words is left alone"
    assert {n.user for n in town.workspace.notifications} <= {town.alice.id}


async def test_a_redirect_never_takes_the_key_elsewhere(besiege: Besiege) -> None:
    async def listen(writer: asyncio.StreamWriter) -> None:
        writer.write(plainly({}))

    other = await HostileApi(listen).open()
    town, api = await besiege(saying(b""))
    for status in (301, 302, 303, 307, 308):
        api.say = saying(plainly({}, status, location=f"{other.url}/responses"))
        await town.alice.types("/imagine a red fox")
        await town.rests()
    await other.close()
    assert other.heads == []
    assert town.ledger.charged() == 0


async def _for_ever(writer: asyncio.StreamWriter, beginning: bytes, piece: bytes) -> None:
    writer.write(beginning)
    while True:
        writer.write(piece)
        await writer.drain()


async def _slowly(writer: asyncio.StreamWriter) -> None:
    for byte in itertools.cycle(b": still here\n"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)


ENDLESS: dict[str, Say] = {
    "comments": lambda writer: _for_ever(writer, STREAM, b": ping\n\n"),
    "a_line": lambda writer: _for_ever(writer, STREAM, b"x" * 65_536),
    "data": lambda writer: _for_ever(writer, STREAM + b"data: {", b" " * 65_536),
    "a_string": lambda writer: _for_ever(writer, STREAM + b'data: {"a": "', b"A" * 65_536),
    "events": lambda writer: _for_ever(writer, STREAM, b'data: {"type": "x"}\n\n' * 100),
    "json": lambda writer: _for_ever(
        writer, b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{", b" " * 65_536
    ),
    "refusal": lambda writer: _for_ever(
        writer, b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\n\r\n{", b" " * 65_536
    ),
    "refusal_in_html": lambda writer: _for_ever(
        writer, b"HTTP/1.1 400 X\r\ncontent-type: text/html\r\n\r\n", b"x" * 65_536
    ),
    "headers": lambda writer: _for_ever(writer, b"HTTP/1.1 200 OK\r\n", b"a: " + b"x" * 65_000 + b"\r\n"),
    "a_byte_at_a_time": _slowly,
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_what_never_ends_is_ended_in_time_and_in_little_memory(besiege: Besiege, name: str) -> None:
    town, _ = await besiege(ENDLESS[name])
    forget_peak()
    before = has_kb()
    await town.alice.types("/imagine a red fox")
    await town.rests()
    grown_kb = peak_kb() - before
    assert town.ledger.turns()[0][0] in ("uncertain", "failed")
    town.ledger.holds_nothing()
    assert grown_kb < 120_000
    assert not list((town.ledger.data_dir / "pictures" / "tmp").glob("*"))


async def test_a_hostile_answer_leaves_nothing_of_the_prompt_in_the_log(besiege: Besiege) -> None:
    """The API may quote what it was sent, in any place of an answer."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", stream)
    try:
        quoted = "crimson fox sk-sandbox"
        error = {"code": quoted, "type": quoted, "param": quoted, "message": quoted}
        town, api = await besiege(saying(plainly({"error": error}, 400, x_request_id=quoted)))
        await town.alice.types("/imagine a crimson fox")
        await town.rests()
        named = _shown(
            image_item(PNG), id=quoted, model=quoted, tools=[{"type": "image_generation", "model": quoted}]
        )
        for answer in (named, STREAM + b"data: crimson fox\n\n", streamed({"type": "error", "error": error})):
            api.say = saying(answer)
            await town.alice.types("/imagine a crimson fox")
            await town.rests()
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = stream.getvalue()
    assert "turn_" in said
    assert "crimson" not in said, [line for line in said.splitlines() if "crimson" in line]
    assert "sk-sandbox" not in said
    assert town.workspace.bot_token not in said


async def test_an_odd_picture_can_be_edited_all_the_same(besiege: Besiege) -> None:
    """What came is not what was asked for: 100 x 37 pixels, a GIF. The edit asks for what can be made."""
    file = io.BytesIO()
    Image.new("RGB", (100, 37), "teal").save(file, "GIF")
    town, api = await besiege(saying(_shown(image_item(file.getvalue()))))
    thread = await town.alice.imagines("a red fox")
    await thread.shows(picture(version=1))
    api.say = saying(_shown(image_item(PNG)))
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    assert town.ledger.turns() == [PICTURE, PICTURE]
    asked = town.ledger.rows("SELECT format, width, height FROM attempts ORDER BY held_at")[1]
    assert tuple(asked) == ("png", 1024, 1024)
