"""files.*: an upload in three steps, and what is known of a file."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import files, limits, posting
from sandbox.slack.methods_chat import channel_to_post, required, thread_of, whole_number
from sandbox.slack.model import ApiError, File, Json

if TYPE_CHECKING:
    from sandbox.slack.state import State


async def get_upload_url(state: "State", params: Json) -> Json:
    """files.getUploadURLExternal"""
    required(params, "filename", "length")
    length = whole_number(params["length"])
    if length is None or length <= 0:
        raise ApiError("invalid_arguments")
    if length > limits.FILE_MAX_BYTES:
        raise ApiError("file_upload_size_restricted")
    file = files.begin(state, name=str(params["filename"]), length=length, user=state.bot_user_id)
    file.alt_txt = None if params.get("alt_txt") is None else str(params["alt_txt"])
    return {"upload_url": files.upload_url(state, file), "file_id": file.id}


async def complete_upload(state: "State", params: Json) -> Json:
    """files.completeUploadExternal, once per file; with `channel_id` it also posts a plain share.

    A file that was given an alt text is not shared, silently: that is what Slack does.
    """
    wanted = _wanted(state, params.get("files"))
    if params.get("blocks") and _has_markdown(params["blocks"]):
        raise ApiError("internal_error")
    place = params.get("channel_id") or params.get("channels")
    channel = channel_to_post(state, {"channel": place}) if place else None
    thread_ts = thread_of(channel, params) if channel else None
    for file, title in wanted:
        file.title = title or file.title
        files.complete(state, file)
    shared = [file for file, _ in wanted if file.alt_txt is None]
    if channel and shared:
        comment = str(params.get("initial_comment") or "")
        message = posting.own_message(state, channel.id, comment, [])
        message.thread_ts, message.files = thread_ts, [file.id for file in shared]
        message.subtype = "file_share"
        await posting.add(state, message)
    return {"files": [files.file_json(state, file) for file, _ in wanted]}


def _wanted(state: "State", given: object) -> list[tuple[File, str | None]]:
    if not isinstance(given, list) or not given:
        raise ApiError("invalid_arguments")
    if len(given) > limits.FILES_PER_COMPLETION:
        raise ApiError("too_many_files")
    found: list[tuple[File, str | None]] = []
    for item in given:
        file = state.files.get(str(item.get("id"))) if isinstance(item, dict) else None
        if file is None or file.deleted or not file.uploaded or file.completed:
            raise ApiError("file_not_found")
        title = item.get("title")
        found.append((file, None if title is None else str(title)))
    return found


def _has_markdown(blocks: object) -> bool:
    return "markdown" in str(blocks)


def _known(state: "State", params: Json) -> File:
    required(params, "file")
    file = state.files.get(str(params["file"]))
    if file is None or not file.completed or not files.readable(state, file):
        raise ApiError("file_not_found")
    if file.deleted:
        raise ApiError("file_deleted")
    return file


async def info(state: "State", params: Json) -> Json:
    """files.info; other people's files only where the app is in one of their channels."""
    file = _known(state, params)
    return {"file": files.file_json(state, file), "comments": [], "response_metadata": {"next_cursor": ""}}


async def delete(state: "State", params: Json) -> Json:
    """files.delete: the app's own files only."""
    file = _known(state, params)
    if file.user != state.bot_user_id:
        raise ApiError("cant_delete_file")
    files.forget(state, file)
    return {}


METHODS: Final[Mapping[str, Callable[["State", Any], Awaitable[Json]]]] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": info,
    "files.delete": delete,
}
