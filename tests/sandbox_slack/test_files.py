"""Pictures: uploaded in three steps, scanned, shown in a block, downloaded with the right token."""

import hashlib
import io
import math
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.files import sniff
from sandbox.slack.model import Dropped, Fault
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import Clock, api, ok, png, uploaded

DESIGN = "C0DESIGN01"


def image(file_id: str) -> dict[str, Any]:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}


async def test_the_sdk_uploads_waits_for_the_scan_and_posts_the_picture_with_a_button(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    workspace.file_processing_s = math.inf
    done = await client.files_upload_v2(filename="fox.png", file=png(), title="A fox")
    file_id = done["files"][0]["id"]
    early = await client.files_info(file=file_id)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=DESIGN, text="A fox", blocks=[image(file_id)])
    workspace.finish_processing(file_id)
    late = await client.files_info(file=file_id)
    posted = await client.chat_postMessage(channel=DESIGN, text="A fox", blocks=[image(file_id)])

    assert (early["file"]["mimetype"], late["file"]["mimetype"]) == ("", "image/png")
    assert refused.value.response["error"] == "invalid_blocks"
    assert "invalid slack file" in str(refused.value.response["response_metadata"])
    assert workspace.files[file_id].sha256 == hashlib.sha256(png()).hexdigest()
    assert workspace.files[file_id].shares == {DESIGN: [posted["ts"]]}
    assert late["file"]["shares"] == {}
    assert not workspace.files[file_id].title.endswith(".png")


async def test_the_scan_takes_its_time(still: Workspace, clock: Clock) -> None:
    file_id = await uploaded(still, png())
    await clock.advance(4.9)
    before = (await ok(still, "files.info", file=file_id))["file"]["mimetype"]
    await clock.advance(0.2)
    after = (await ok(still, "files.info", file=file_id))["file"]["mimetype"]

    assert (before, after) == ("", "image/png")


async def test_a_private_file_wants_the_bots_token_and_answers_others_with_a_login_page(
    workspace: Workspace, server: RunningServer, client: AsyncWebClient
) -> None:
    done = await client.files_upload_v2(filename="fox.png", file=png())
    url = (await client.files_info(file=done["files"][0]["id"]))["file"]["url_private_download"]
    answers = []
    async with aiohttp.ClientSession() as session:
        for token in (workspace.bot_token, "xoxb-wrong", None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.get(url, headers=headers) as answer:
                answers.append((answer.status, answer.content_type, await answer.read()))

    assert url.startswith(server.url)
    assert answers[0][0] == 200
    assert answers[0][2] == png()
    for status, kind, body in answers[1:]:
        assert (status, kind) == (200, "text/html")
        assert b"Sign in" in body


async def test_a_file_is_completed_once_and_only_with_all_its_bytes(still: Workspace) -> None:
    begun = await ok(still, "files.getUploadURLExternal", filename="fox.png", length=10)
    files = [{"id": begun["file_id"]}]
    without_bytes = await api(still, "files.completeUploadExternal", files=files)
    short = await still.send_bytes(begun["upload_url"], b"123")
    await still.send_bytes(begun["upload_url"], b"1234567890")
    first = await api(still, "files.completeUploadExternal", files=files)
    second = await api(still, "files.completeUploadExternal", files=files)
    nowhere = await still.send_bytes(f"{still.base_url}/upload/v1/none", b"1")

    assert without_bytes.body["error"] == "file_not_found"
    assert short.status == 400
    assert first.ok
    assert second.body["error"] == "file_not_found"
    assert nowhere.status == 404


@pytest.mark.parametrize("params", [{"filename": "a"}, {"filename": "a", "length": 0}, {"length": 3}])
async def test_an_upload_needs_a_name_and_a_length(still: Workspace, params: dict[str, Any]) -> None:
    assert (await api(still, "files.getUploadURLExternal", **params)).body["error"] == "invalid_arguments"


@pytest.mark.parametrize("data", [b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"hello", b"\x00\xff\x00\xff"])
async def test_only_png_jpeg_and_gif_can_be_shown_in_a_block(still: Workspace, data: bytes) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, data)
    answer = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[image(file_id)])

    assert "invalid slack file" in str(answer.body)


async def test_a_file_can_be_named_by_its_url_but_not_by_both(still: Workspace) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    url = (await ok(still, "files.info", file=file_id))["file"]["url_private"]
    by_url = {"type": "image", "slack_file": {"url": url}, "alt_text": "a fox"}
    both = {"type": "image", "slack_file": {"url": url, "id": file_id}, "alt_text": "a fox"}

    assert (await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[by_url])).ok
    assert not (await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[both])).ok


async def test_no_ephemeral_message_holds_a_file(still: Workspace) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    answer = await api(
        still, "chat.postEphemeral", channel=DESIGN, user="U0ALICE001", text="x", blocks=[image(file_id)]
    )

    assert answer.body["error"] == "invalid_blocks"
    assert not still.ephemerals


async def test_an_update_with_a_file_that_was_never_shared_shows_it_broken(still: Workspace) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="soon")
    place = {"channel": DESIGN, "ts": posted["ts"], "text": "A fox"}
    await ok(still, "chat.update", **place, blocks=[image(file_id)])
    broken = list(still.message(DESIGN, posted["ts"]).broken_files)
    await ok(still, "chat.postMessage", channel=DESIGN, text="A fox", blocks=[image(file_id)])
    await ok(still, "chat.update", **place, blocks=[image(file_id)])

    assert broken == [file_id]
    assert still.message(DESIGN, posted["ts"]).broken_files == []


async def test_completing_with_a_channel_shares_the_file_in_its_thread(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    begun = await ok(still, "files.getUploadURLExternal", filename="fox.png", length=len(png()))
    await still.send_bytes(begun["upload_url"], png())
    files = [{"id": begun["file_id"], "title": "A fox"}]
    await ok(still, "files.completeUploadExternal", files=files, channel_id=DESIGN, thread_ts=parent.ts)

    shared = still.thread(DESIGN, parent.ts)[1]
    assert (shared.subtype, shared.files, shared.bot_id) == ("file_share", [begun["file_id"]], still.bot_id)


async def test_an_alt_text_on_the_upload_prevents_the_share_silently(still: Workspace) -> None:
    begun = await ok(
        still, "files.getUploadURLExternal", filename="f.png", length=len(png()), alt_txt="a fox"
    )
    await still.send_bytes(begun["upload_url"], png())
    await ok(still, "files.completeUploadExternal", files=[{"id": begun["file_id"]}], channel_id=DESIGN)

    assert not still.channels[DESIGN].messages


async def test_a_markdown_block_on_completion_is_an_internal_error(still: Workspace) -> None:
    begun = await ok(still, "files.getUploadURLExternal", filename="f.png", length=len(png()))
    await still.send_bytes(begun["upload_url"], png())
    answer = await api(
        still,
        "files.completeUploadExternal",
        files=[{"id": begun["file_id"]}],
        channel_id=DESIGN,
        blocks=[{"type": "markdown", "text": "hi"}],
    )

    assert answer.body["error"] == "internal_error"


async def test_a_deleted_file_is_gone_everywhere(still: Workspace) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    url = (await ok(still, "files.info", file=file_id))["file"]["url_private"]
    await ok(still, "files.delete", file=file_id)

    assert (await api(still, "files.info", file=file_id)).body["error"] == "file_deleted"
    assert (await still.download(url, still.bot_token)).status == 404
    assert not (await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[image(file_id)])).ok


async def test_peoples_files_are_known_only_where_the_app_is(still: Workspace) -> None:
    file = await still.upload("alice", "cat.png", png())
    await still.post("alice", "#secret", "look", files=(file.id,))
    hidden = await api(still, "files.info", file=file.id)
    await still.post("alice", "#design", "look", files=(file.id,))
    known = await api(still, "files.info", file=file.id)
    deleted = await api(still, "files.delete", file=file.id)

    assert hidden.body["error"] == "file_not_found"
    assert known.ok
    assert deleted.body["error"] == "cant_delete_file"


async def test_the_bytes_may_come_as_a_form_and_dropped_ones_leave_nothing(
    workspace: Workspace, server: RunningServer, client: AsyncWebClient
) -> None:
    begun = await client.files_getUploadURLExternal(filename="fox.png", length=len(png()))
    workspace.faults.append(Fault("upload", drop="before"))
    workspace.faults.append(Fault("download", drop="before", times=2))  # aiohttp repeats a lost GET once
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(begun["upload_url"], data=png())
        assert not workspace.files[begun["file_id"]].uploaded
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{server.url}/files-pri/x")
        async with session.post(begun["upload_url"], data={"file": io.BytesIO(png())}) as answer:
            assert answer.status == 200

    assert workspace.files[begun["file_id"]].data == png()


async def test_uploads_and_downloads_can_fail_on_purpose(still: Workspace) -> None:
    begun = await ok(still, "files.getUploadURLExternal", filename="f.png", length=len(png()))
    still.faults += [
        Fault("upload", status=503),
        Fault("upload", drop="after"),
        Fault("download", drop="before"),
    ]

    assert (await still.send_bytes(begun["upload_url"], png())).status == 503
    with pytest.raises(Dropped):
        await still.send_bytes(begun["upload_url"], png())
    assert still.files[begun["file_id"]].uploaded
    with pytest.raises(Dropped):
        await still.download("/files-pri/x", still.bot_token)


def test_sizes_are_read_from_the_bytes() -> None:
    jpeg = bytes.fromhex("ffd8ffe000044a46ffc0000b080007000901011100")
    assert sniff(png(30, 20)) == ("image/png", 30, 20)
    assert sniff(b"GIF89a\x05\x00\x06\x00") == ("image/gif", 5, 6)
    assert sniff(jpeg) == ("image/jpeg", 9, 7)
    assert sniff(b"\xff\xd8\xff") == ("image/jpeg", 0, 0)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04rest", "application/zip"),
        (b"\0\0\0\x18ftypheicrest", "image/heic"),
        (b'<?xml version="1.0"?><svg onload="x()"/>', "image/svg+xml"),
        (b" <svg/>", "image/svg+xml"),
        (b"<html></html>", "text/plain"),
        (b"", "text/plain"),
    ],
)
def test_what_is_no_picture_is_told_by_its_bytes(data: bytes, kind: str) -> None:
    assert sniff(data) == (kind, 0, 0)


async def test_slack_may_believe_what_a_file_only_claims(still: Workspace) -> None:
    zipped = await still.upload("alice", "Meine Füchse #1.png", b"PK\x03\x04", claimed="image/png")
    await still.post("alice", "#design", "look", files=(zipped.id,))
    shown = (await ok(still, "files.info", file=zipped.id))["file"]

    assert (shown["mimetype"], shown["name"]) == ("image/png", "Meine Füchse #1.png")
    assert shown["url_private_download"].endswith("/meine_f_chse_1.png")
    assert (await still.download(shown["url_private_download"], still.bot_token)).body == b"PK\x03\x04"


async def test_files_are_shared_with_a_reply_in_one_step(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    reply = await still.share("bob", "#design", "like these", {"a.png": png(), "b.png": png()}, parent.ts)

    assert [still.files[f].name for f in reply.files] == ["a.png", "b.png"]
    assert (reply.thread_ts, reply.subtype) == (parent.ts, "file_share")
