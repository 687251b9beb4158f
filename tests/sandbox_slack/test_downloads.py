"""Files that people bring: read only where the app may, gone when deleted, and downloads that go wrong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, api, ok, png, uploaded

DESIGN = "C0DESIGN01"
BIG = png(2000, 1000)


@dataclass(frozen=True)
class Place:
    """A shared file on a running workspace, and a session that follows no redirects by itself."""

    workspace: Workspace
    session: aiohttp.ClientSession
    url: str

    def get(self, url: str | None = None) -> "aiohttp.client._RequestContextManager":
        headers = {"Authorization": f"Bearer {self.workspace.bot_token}"}
        return self.session.get(url or self.url, headers=headers, allow_redirects=False)


@pytest.fixture
async def place(workspace: Workspace, server: RunningServer) -> AsyncIterator[Place]:
    file = await workspace.upload("alice", "cat.png", BIG)
    await workspace.post("alice", "#design", "look", files=(file.id,))
    url = (await ok(workspace, "files.info", file=file.id))["file"]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        yield Place(workspace, session, url)


async def test_a_download_can_be_sent_to_a_stranger_who_notes_the_token(place: Place) -> None:
    place.workspace.break_downloads("redirect")
    async with place.get() as answer:
        target = answer.headers["Location"]
    async with place.get(target) as stranger:
        kind = stranger.content_type
    async with place.get() as good:
        body = await good.read()

    assert answer.status == 302
    assert "localhost" in target
    assert kind == "image/png"
    assert body == BIG
    assert [(r.stranger, r.token) for r in place.workspace.downloads][1] == (True, place.workspace.bot_token)


async def test_a_download_can_move_within_slack_or_go_in_circles(place: Place) -> None:
    place.workspace.break_downloads("moved")
    async with place.get() as answer:
        target = answer.headers["Location"]
    async with place.get(target) as moved:
        assert await moved.read() == BIG
    place.workspace.break_downloads("loop", times=3)
    for _ in range(3):
        async with place.get() as answer:
            assert answer.headers["Location"] == place.url


async def test_a_download_can_be_a_page_cut_slow_or_endless(place: Place) -> None:
    place.workspace.break_downloads("login")
    async with place.get() as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    place.workspace.break_downloads("truncated")
    with pytest.raises(aiohttp.ClientPayloadError):
        async with place.get() as answer:
            await answer.read()
    place.workspace.break_downloads("slow", pause_s=0.001)
    async with place.get() as answer:
        assert await answer.read() == BIG
    place.workspace.break_downloads("endless")
    async with place.get() as answer:
        assert answer.content_length is None
        got = b"".join([await answer.content.readexactly(len(BIG)) for _ in range(3)])
    assert got == BIG * 3


async def test_a_mishap_can_be_meant_for_one_file(place: Place) -> None:
    place.workspace.break_downloads("login", file_id="F0ANOTHER1")
    async with place.get() as answer:
        assert await answer.read() == BIG


async def test_a_file_from_a_channel_without_the_app_answers_with_the_login_page(still: Workspace) -> None:
    file = await still.upload("alice", "cat.png", png())
    await still.post("alice", "#secret", "look", files=(file.id,))
    url = f"{still.base_url}/files-pri/{still.team_id}-{file.id}/download/cat.png"
    hidden = await still.download(url, still.bot_token)
    await still.post("alice", "#design", "look", files=(file.id,))

    assert hidden.content_type.startswith("text/html")
    assert (await still.download(url, still.bot_token)).body == png()


async def test_replies_carry_their_files_in_pages_and_a_deleted_one_is_a_tombstone(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    names = []
    for n in range(3):
        file = await still.upload("bob", f"{n}.png", png())
        await still.post("bob", "#design", "", thread_ts=parent.ts, files=(file.id,))
        names.append(file.id)
    still.files[names[1]].deleted = True
    first = await ok(still, "conversations.replies", channel=DESIGN, ts=parent.ts, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await ok(still, "conversations.replies", channel=DESIGN, ts=parent.ts, limit=2, cursor=cursor)
    shown = [m["files"][0] for m in [*first["messages"], *second["messages"]] if m.get("files")]

    assert [f["id"] for f in shown] == names
    assert shown[0]["url_private_download"]
    assert shown[1] == {"id": names[1], "mode": "tombstone"}
    assert not second["has_more"]


async def test_an_outsiders_file_is_a_stub_in_events_and_shortcuts_and_whole_in_files_info(
    still: Workspace,
) -> None:
    app = App(still)
    await still.attach(app.send)
    file = await still.upload("olaf", "cat.png", png())
    message = await still.post("olaf", "#partners", "look", files=(file.id,))
    seen = await still.use_shortcut("alice", "edit", channel="#partners", message_ts=message.ts)

    for shown in (app.events[-1], seen.payload["message"]):
        assert shown["files"][0]["file_access"] == "check_file_info"
        assert "url_private" not in shown["files"][0]
    assert (await ok(still, "files.info", file=file.id))["file"]["mimetype"] == "image/png"


async def test_deleting_twice_is_told_apart_from_deleting_nothing(still: Workspace) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    await ok(still, "files.delete", file=file_id)

    assert (await api(still, "files.delete", file=file_id)).body["error"] == "file_deleted"
    assert (await api(still, "files.delete", file="F0NOTHING1")).body["error"] == "file_not_found"
    assert still.files[file_id].data == b""
