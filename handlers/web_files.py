"""Files over Slack's Web API: sent, looked at, read, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from darkroom.turns.model import Attachment
from handlers.asking import counted, mapping
from handlers.attached import attachments_of
from handlers.clients import Begun, FileInfo, SlackRefused, SlackUnclear
from handlers.downloading import download, place_of
from handlers.web_calls import WebCalls

UPLOAD_TIMEOUT_S = 120.0
PAGE = 200
"""Messages looked at per page."""
PAGES_MAX = 5
FILES_ABOVE_MAX = 200
"""Files of a thread that are named; the newest."""


class WebFiles(WebCalls):
    """The part of ``SlackClient`` that is about files."""

    async def upload(
        self,
        path: Path,
        name: str,
        *,
        channel: str | None = None,
        thread_ts: str | None = None,
        begun: Begun | None = None,
    ) -> str:
        """See ``SlackClient``; where the last answer is lost it looks whether a file is there that nobody is
        to see yet."""
        size = (await asyncio.to_thread(path.stat)).st_size
        place = await self._ask(
            "files.getUploadURLExternal",
            lambda: self._again.files_getUploadURLExternal(filename=name, length=size),
        )
        file_id = str(place["file_id"])
        with counted("upload", self._clock, self._heard):
            await self._send_bytes(str(place["upload_url"]), path)
        if begun is not None:
            await begun(file_id)
        try:
            await self._ask(
                "files.completeUploadExternal",
                lambda: self._once.files_completeUploadExternal(
                    files=[{"id": file_id, "title": name}], channel_id=channel, thread_ts=thread_ts
                ),
            )
        except SlackUnclear:
            if channel is not None or not await self._came(file_id):
                raise
        return file_id

    async def _came(self, file_id: str) -> bool:
        """Whether a file whose last answer was lost is there."""
        try:
            await self._file(file_id)
        except (SlackRefused, SlackUnclear):
            return False
        return True

    async def _send_bytes(self, url: str, path: Path) -> None:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            async with self._session.post(
                url,
                data=file,
                headers={"Content-Type": "application/octet-stream"},
                timeout=aiohttp.ClientTimeout(UPLOAD_TIMEOUT_S),
            ) as answer:
                await answer.content.read(200)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackUnclear("upload") from error
        finally:
            await asyncio.to_thread(file.close)
        if answer.status != 200:
            raise SlackUnclear("upload")

    async def file_info(self, file_id: str) -> FileInfo:
        """See ``SlackClient``."""
        file = await self._file(file_id)
        size = file.get("size")
        return FileInfo(
            id=file_id,
            media_type=str(file.get("mimetype") or ""),
            name=str(file.get("name") or ""),
            size_bytes=size if isinstance(size, int) else 0,
            shown_in={
                str(channel): str(mapping(shares[-1]).get("ts", ""))
                for channels in mapping(file.get("shares")).values()
                for channel, shares in mapping(channels).items()
                if shares
            },
        )

    async def _file(self, file_id: str) -> Mapping[str, Any]:
        answer = await self._ask("files.info", lambda: self._again.files_info(file=file_id))
        return mapping(answer.get("file"))

    async def download(self, file_id: str, write: Callable[[bytes], object], *, bytes_max: int) -> None:
        """See ``SlackClient``."""
        place = place_of(await self._file(file_id))
        with counted("download", self._clock, self._heard):
            await download(self._session, self._hosts, self._token, place, write, bytes_max)

    async def delete_file(self, file_id: str) -> None:
        """See ``SlackClient``."""
        await self._ask("files.delete", lambda: self._again.files_delete(file=file_id))

    async def files_above(self, channel: str, thread_ts: str, before_ts: str) -> tuple[Attachment, ...]:
        """See ``SlackClient``; looks at a thread's first 1,000 messages."""
        found: dict[str, tuple[Attachment, ...]] = {}
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page: dict[str, Any] = {"latest": before_ts, "inclusive": False, "limit": PAGE, "cursor": cursor}
            replies = partial(self._again.conversations_replies, channel=channel, ts=thread_ts, **page)
            answer = await self._ask("conversations.replies", replies)
            for message in answer.get("messages") or ():
                if (ts := str(message.get("ts", ""))) < before_ts:
                    found[ts] = attachments_of(message)  # the root comes on every page
            cursor = mapping(answer.get("response_metadata")).get("next_cursor") or None
            if cursor is None:
                break
        files = [file for ts in sorted(found) for file in found[ts]]
        return tuple(files[-FILES_ABOVE_MAX:])
