"""The faults of Slack's side, by name. The errors are Slack's own codes."""

from typing import Final

from sandbox.faults.named import ADDRESSES, DELIVERIES, HELLO, METHODS, Arg, Named

_UNTOLD: Final = (*METHODS, *ADDRESSES)
_POSTS: Final = ("chat.postMessage",)
_WRITES: Final = ("chat.postMessage", "chat.postEphemeral", "chat.update", "files.completeUploadExternal")
_BLOCKS: Final = ("chat.postMessage", "chat.postEphemeral", "chat.update")
_ROOMS: Final = (*_WRITES, "reactions.add", "reactions.remove", "conversations.replies")
_READS: Final = ("conversations.history", "conversations.replies")
_VIEWS: Final = ("views.open", "views.push", "views.update", "views.publish")
_TRIGGERS: Final = ("views.open", "views.push")
_ALL: Final = tuple(method for method in METHODS if method != "apps.connections.open")

CODES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "not_in_channel": ("the app is not in the channel", _ROOMS),
    "channel_not_found": ("the app cannot see the channel", _ROOMS),
    "is_archived": ("the channel is archived", _WRITES),
    "restricted_action": ("an admin allows no posts there", _WRITES),
    "thread_not_found": ("the thread is gone", (*_POSTS, *_READS)),
    "message_not_found": ("the message is gone", ("chat.update", "chat.delete", "chat.getPermalink")),
    "cant_update_message": ("the message may not be changed", ("chat.update",)),
    "edit_window_closed": ("the message is too old to be changed", ("chat.update",)),
    "cant_delete_message": ("the message may not be deleted", ("chat.delete",)),
    "msg_too_long": ("the text is too long", _BLOCKS),
    "msg_blocks_too_long": ("the blocks together are too long", _BLOCKS),
    "invalid_blocks": ("the blocks are refused", _BLOCKS),
    "invalid_arguments": ("an argument is refused", _VIEWS),
    "token_revoked": ("the token was revoked", _ALL),
    "token_expired": ("the token has expired", _ALL),
    "account_inactive": ("the app was removed", _ALL),
    "invalid_auth": ("the token is not known", _ALL),
    "missing_scope": ("the token may not do this", _READS),
    "access_denied": ("the workspace's rules forbid it", _WRITES),
    "ekm_access_denied": ("an admin suspended posting", _WRITES),
    "user_not_found": ("there is no such person", ("users.info", "conversations.open")),
    "user_not_in_channel": ("the person is not in the channel", ("chat.postEphemeral",)),
    "user_disabled": ("the person's account is closed", ("conversations.open", "chat.postMessage")),
    "messages_tab_disabled": ("the app takes no direct messages", _POSTS),
    "file_not_found": ("the file is gone", ("files.info", "files.completeUploadExternal")),
    "file_deleted": ("the file was deleted", ("files.info",)),
    "file_upload_size_restricted": ("the file is too big", ("files.getUploadURLExternal",)),
    "storage_limit_reached": ("the workspace has no room for files", ("files.getUploadURLExternal",)),
    "already_reacted": ("the emoji is there", ("reactions.add",)),
    "no_reaction": ("the emoji is not there", ("reactions.remove",)),
    "too_many_reactions": ("the message has too many emoji", ("reactions.add",)),
    "expired_trigger_id": ("the dialog is asked for too late", _TRIGGERS),
    "exchanged_trigger_id": ("the dialog was opened before", _TRIGGERS),
    "not_found": ("the dialog is gone", ("views.update",)),
    "hash_conflict": ("the view has changed meanwhile", ("views.update", "views.publish")),
    "internal_error": ("Slack failed and says so with HTTP 200", _ALL),
    "fatal_error": ("Slack failed; something may have been done", _ALL),
    "request_timeout": ("Slack did not read the request in time", _ALL),
    "service_unavailable": ("Slack is not available", _ALL),
}
"""Refusals by Slack's code: what each means, and in which methods it is at home."""

_WAIT: Final = {"retry_after": Arg(30, "seconds in `Retry-After`", 0, 86_400)}
_STATUS: Final = {"status": Arg(500, "HTTP status", 500, 599)}


def _slack(
    name: str,
    about: str,
    where: tuple[str, ...],
    usual: tuple[str, ...] = (),
    /,
    **args: Arg,
) -> Named:
    return Named("slack", name, about, where, usual, args)


_REFUSALS: Final = tuple(_slack(code, about, METHODS, usual) for code, (about, usual) in CODES.items())
_ANSWERS: Final = (
    _slack("ratelimited", "429, to be tried again after a while", _UNTOLD, _ALL, **_WAIT),
    _slack("ratelimited without a time", "429 without `Retry-After`", _UNTOLD, _ALL),
    _slack(
        "error",
        "any refusal at all by its code",
        METHODS,
        code=Arg("fatal_error", "the code"),
    ),
    _slack("invalid slack file", "`invalid_blocks`, since the file is not ready", _BLOCKS, _POSTS),
    _slack("server error", "a 5xx, nothing is done", _UNTOLD, **_STATUS),
    _slack("server error after", "it is done, and a 5xx is answered: unclear", _UNTOLD, **_STATUS),
    _slack("internal_error after", "it is done, and `internal_error` is answered", METHODS),
    _slack("page instead of json", "HTTP 200 and an HTML page", METHODS),
    _slack("connection lost before", "the connection ends, nothing is done", _UNTOLD),
    _slack("connection lost after", "it is done, and the connection ends without an answer", _UNTOLD),
    _slack("slow", "the answer comes late", _UNTOLD, seconds=Arg(10.0, "how late", 0.0, 86_400.0)),
    _slack(
        "no answer",
        "it is not done, and for very long nothing is answered",
        _UNTOLD,
        seconds=Arg(3_600.0, "how long, then the connection ends", 0.0, 86_400.0),
    ),
)
_HAPPENINGS: Final = (
    _slack("message deleted", "the message that is meant is deleted just before", ("chat.update",)),
    _slack("thread deleted", "the thread that is meant is deleted just before", _POSTS),
    _slack("channel archived", "the channel is archived just before, and stays so", _WRITES, _POSTS),
    _slack("app removed from channel", "the app is removed from the channel just before", _WRITES, _POSTS),
)
_FILES: Final = (
    _slack("file never processed", "the scan of the file never ends", ("files.completeUploadExternal",)),
    _slack(
        "file processed late",
        "the scan of the file takes long",
        ("files.completeUploadExternal",),
        seconds=Arg(60.0, "how long", 0.0, 86_400.0),
    ),
    _slack("upload cut", "half of the bytes arrive and are refused", ("upload",)),
    _slack("expired_url", "the response_url has expired", ("response_url",)),
    _slack("used_url", "the response_url was used up", ("response_url",)),
)
_DOWNLOADS: Final = (
    _slack("download redirected away", "302 to a host that is not Slack's", ("download",)),
    _slack("download moved", "302 to another address of Slack's, which has the file", ("download",)),
    _slack("download in circles", "302 to itself", ("download",)),
    _slack("download login page", "HTTP 200 and a page to sign in", ("download",)),
    _slack("download garbage", "HTTP 200, an image's media type, and bytes of no picture", ("download",)),
    _slack("download truncated", "half of the bytes, then the connection ends", ("download",)),
    _slack(
        "download slow",
        "ten pieces with pauses between them",
        ("download",),
        seconds=Arg(1.0, "each pause", 0.0, 3_600.0),
    ),
    _slack("download endless", "the bytes again and again", ("download",)),
)
_SOCKETS: Final = (
    _slack("socket cut", "the connection ends before the delivery", (*DELIVERIES, HELLO), DELIVERIES),
    _slack("socket cut after", "the connection ends right after the delivery", DELIVERIES),
    _slack(
        "socket hangs",
        "the connection stands, but nothing passes any more, not even a pong",
        (*DELIVERIES, HELLO),
        DELIVERIES,
    ),
    _slack("socket refresh", "Slack asks every connection to be replaced", (*DELIVERIES, HELLO), DELIVERIES),
    _slack(
        "delivered twice",
        "the same payload again, in another envelope",
        DELIVERIES,
        copies=Arg(1, "how many more", 1, 20),
        seconds=Arg(0.0, "the wait before each", 0.0, 86_400.0),
    ),
    _slack("delivery late", "it arrives late", DELIVERIES, seconds=Arg(5.0, "how late", 0.0, 86_400.0)),
    _slack(
        "delivery out of order",
        "it waits until another delivery has overtaken it",
        DELIVERIES,
        seconds=Arg(5.0, "at most", 0.0, 3_600.0),
    ),
    _slack("delivery lost", "it never arrives, and Slack believes that it did", DELIVERIES),
    _slack("acknowledgement lost", "it arrives, and Slack never hears the answer", DELIVERIES),
)
SLACK_NAMES: Final = (*_REFUSALS, *_ANSWERS, *_HAPPENINGS, *_FILES, *_DOWNLOADS, *_SOCKETS)
