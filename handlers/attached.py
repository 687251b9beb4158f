"""The files that stand with a message, as Slack's events and answers tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.turns.model import Attachment
from handlers.asking import mapping, named
from handlers.blocks.text import plain

ATTACHMENTS_MAX = 20
"""Of one message; more than may go along with a prompt, so that too many can be told from enough."""


def files_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ``file`` objects that came with a message, without those that were deleted since: of these a
    ``tombstone`` is left."""
    files = message.get("files")
    found = [mapping(file) for file in files] if isinstance(files, list) else []
    return [file for file in found if named(file, "id") and file.get("mode") != "tombstone"]


def attachments_of(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files that came with a message; of one from another workspace often no more than its id is
    known."""
    return tuple(
        Attachment(
            file_id=named(file, "id"),
            name=plain(str(file.get("name") or file.get("title") or "file")),
            media_type=named(file, "mimetype"),
            size_bytes=size if isinstance(size := file.get("size"), int) else 0,
        )
        for file in files_of(message)[:ATTACHMENTS_MAX]
    )
