"""Files: the upload in three steps, the scan that follows, and the download that needs the right token."""

import hashlib
import math
import re
import struct
from typing import TYPE_CHECKING

from sandbox.slack.held import NOTHING
from sandbox.slack.limits import UPLOADS_MAX
from sandbox.slack.model import Channel, File, HttpAnswer, Json

if TYPE_CHECKING:
    from sandbox.slack.state import State

FILE_ID = re.compile(r"^F[A-Z0-9]{8,}$")
PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
_PRETTY = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP"}
_LOGIN_PAGE = (
    b"<!DOCTYPE html><html lang='en'><head><title>Slack</title></head>"
    b"<body><h1>Sign in to your workspace</h1><form action='/' method='post'></form></body></html>"
)


def sniff(data: bytes) -> tuple[str, int, int]:
    """Media type, width and height of a file's bytes (0 x 0 when they are not in the header)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return "image/png", width, height
    if data.startswith((b"GIF87a", b"GIF89a")) and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return "image/gif", width, height
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", *_jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", 0, 0
    if data[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1"}:
        return "image/heic", 0, 0
    if data.startswith(b"PK\x03\x04"):
        return "application/zip", 0, 0
    if data.lstrip().startswith((b"<svg", b"<?xml")) and b"<svg" in data[:4096]:
        return "image/svg+xml", 0, 0
    try:
        data[:4096].decode()
    except UnicodeDecodeError:
        return "application/octet-stream", 0, 0
    return "text/plain", 0, 0


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from the first start-of-frame marker (ITU T.81, B.2.2)."""
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + length
    return 0, 0


def begin(state: "State", *, name: str, length: int, user: str) -> File:
    """Step one: a file id and a place to send the bytes to."""
    file = File(
        id=state.mint("F"),
        name=name,
        title=name,
        user=user,
        length=length,
        created=int(state.now()),
        upload_key=state.mint("K"),
    )
    state.files[file.id] = file
    state.uploads[file.upload_key] = file.id
    while len(state.uploads) > UPLOADS_MAX:
        _abandon(state, state.files.pop(state.uploads.pop(next(iter(state.uploads)))))
    return file


def _abandon(state: "State", file: File) -> None:
    """Nobody can speak of this file any more: its bytes are free."""
    if all(other.sha256 != file.sha256 or other.deleted for other in state.files.values()):
        state.held.drop(file.sha256)


def upload_url(state: "State", file: File) -> str:
    """Where step two sends the bytes."""
    return f"{state.base_url}/upload/v1/{file.upload_key}"


def receive(state: "State", url: str, data: bytes) -> HttpAnswer:
    """Step two: the bytes arrive. Refused when the URL is unknown or used, or the length is wrong."""
    key = url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
    file = state.files.get(state.uploads.get(key, ""))
    if file is None:
        return HttpAnswer(404, b"Not found")
    if len(data) != file.length:
        return HttpAnswer(400, b"length mismatch")
    file.sha256 = hashlib.sha256(data).hexdigest()
    file.held, file.uploaded = state.held.put(file.sha256, data), True
    return HttpAnswer(200, f"OK - {len(data)}".encode())


def complete(state: "State", file: File) -> None:
    """Step three: the scan begins; `mimetype` appears `file_processing_s` later (never, when infinite), or
    as the file's own `scan_s` says."""
    close(state, file)
    seconds = state.file_processing_s if file.scan_s is None else file.scan_s
    if file.processed or math.isinf(seconds):
        return
    if seconds <= 0:
        finish(state, file)
    else:
        state.spawn(_scan(state, file, seconds))


def close(state: "State", file: File) -> None:
    """The upload is over: its address is of no use any more."""
    file.completed = True
    state.uploads.pop(file.upload_key, None)


async def _scan(state: "State", file: File, seconds: float) -> None:
    await state.sleep(seconds)
    finish(state, file)


def finish(state: "State", file: File) -> None:
    """The scan is over: the file can be used in blocks."""
    file.mimetype, file.width, file.height = sniff(file.data)
    file.processed = True
    state.changed({"kind": "file", "id": file.id, "mimetype": file.mimetype})


def url_private(state: "State", file: File, *, download: bool = False) -> str:
    """The address of the bytes; it wants the bot's token."""
    place = "download/" if download else ""
    return f"{state.base_url}/files-pri/{state.team_id}-{file.id}/{place}{_slug(file.name)}"


def _slug(name: str) -> str:
    """A file's name as it stands in an address."""
    return re.sub(r"[^a-z0-9._-]+", "_", name.lower()) or "file"


def readable(state: "State", file: File) -> bool:
    """Whether the app may see a file: its own, one in a channel it is in, one from its own modal."""
    rooms = [state.channels[channel] for channel in file.shares]
    mine = file.user == state.bot_user_id or file.handed_over
    return mine or any(state.bot_user_id in room.members for room in rooms)


def forget(state: "State", file: File) -> None:
    """Delete a file: its bytes are gone, and messages that showed it say so."""
    file.deleted, file.held = True, NOTHING
    _abandon(state, file)
    state.changed({"kind": "file", "id": file.id, "deleted": True})


def fetch(state: "State", url: str, token: str | None) -> HttpAnswer:
    """Download: with a wrong token, or for a file the app may not see, Slack answers 200 and a page to sign
    in."""
    found = re.search(r"/files-pri/[^-/]+-(F[A-Z0-9]+)/", url)
    file = state.files.get(found[1]) if found else None
    strange = token != state.bot_token or not state.installed or "files:read" not in state.scopes
    if strange or (file is not None and not readable(state, file)):
        return sign_in()
    if file is None or file.deleted or not file.uploaded:
        return HttpAnswer(404, b"<html><body>Not found</body></html>", "text/html; charset=utf-8")
    return HttpAnswer(200, file.data, file.mimetype or sniff(file.data)[0])


def sign_in() -> HttpAnswer:
    """The page that a wrong token gets instead of the bytes."""
    return HttpAnswer(200, _LOGIN_PAGE, "text/html; charset=utf-8")


def refusal_in_blocks(state: "State", image: Json) -> bool:
    """Whether a block's `slack_file` is unusable: unknown, deleted, still scanned, or no png, jpg or gif."""
    file = file_of(state, image)
    return file is None or file.deleted or file.mimetype not in PICTURES


def file_of(state: "State", slack_file: Json) -> File | None:
    """The file that a `{"id": …}` or `{"url": …}` names."""
    if isinstance(given := slack_file.get("id"), str):
        return state.files.get(given)
    url = slack_file.get("url")
    return next(
        (f for f in state.files.values() if url in (url_private(state, f), permalink(state, f))), None
    )


def permalink(state: "State", file: File) -> str:
    """The address a person would open."""
    return f"{state.base_url}/files/{file.user}/{file.id}/{_slug(file.name)}"


def file_json(state: "State", file: File, *, in_event: bool = False) -> Json:
    """A file object as `files.info` and messages carry it. Before the scan ends it has no `mimetype`.

    In events about files from other workspaces it is a stub with `file_access: "check_file_info"`, and in
    messages a deleted one is a tombstone.
    """
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    base: Json = {"id": file.id, "created": file.created, "timestamp": file.created}
    if in_event and file.shown_as_stub:
        return base | {"user": file.user, "file_access": "check_file_info"}
    made = base | {
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": PICTURES.get(file.mimetype, file.mimetype.rpartition("/")[2].partition("+")[0]),
        "pretty_type": _PRETTY.get(file.mimetype, ""),
        "user": file.user,
        "user_team": state.users[file.user].team_id,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(file.shares),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": url_private(state, file),
        "url_private_download": url_private(state, file, download=True),
        "permalink": permalink(state, file),
        "permalink_public": f"{state.base_url}/public/{state.team_id}-{file.id}",
        "has_rich_preview": False,
        "file_access": "visible",
        "media_display_type": "unknown",
    }
    if file.width:
        made |= {"original_w": file.width, "original_h": file.height}
    return made if in_event else made | _shares(state, file)


def _share(state: "State", channel: Channel, ts: str) -> Json:
    message = channel.messages.get(ts)
    thread_ts = message.thread_ts if message else None
    replies = [m for m in state.thread(channel.id, thread_ts or ts) if m.is_reply]
    made: Json = {
        "ts": ts,
        "channel_name": channel.name,
        "team_id": state.team_id,
        "share_user_id": message.user if message else "",
        "reply_users": list(dict.fromkeys(m.user for m in replies)),
        "reply_users_count": len({m.user for m in replies}),
        "reply_count": len(replies),
    }
    return made | ({"thread_ts": thread_ts, "latest_reply": replies[-1].ts} if thread_ts and replies else {})


def _shares(state: "State", file: File) -> Json:
    by_kind: dict[str, dict[str, list[Json]]] = {"public": {}, "private": {}}
    rooms: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
    for channel_id, stamps in file.shares.items():
        channel = state.channels[channel_id]
        visibility = "public" if channel.kind == "channel" else "private"
        by_kind[visibility][channel_id] = [_share(state, channel, ts) for ts in stamps]
        rooms[{"channel": "channels", "im": "ims"}.get(channel.kind, "groups")].append(channel_id)
    return rooms | {
        "comments_count": 0,
        "is_starred": False,
        "shares": {k: v for k, v in by_kind.items() if v},
    }
