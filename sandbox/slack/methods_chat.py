"""chat.* and reactions.*: Slack's refusals in Slack's order."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import events, limits, posting, words
from sandbox.slack.model import ApiError, Channel, Ephemeral, Json, Message

if TYPE_CHECKING:
    from sandbox.slack.state import State


def flag(value: object) -> bool:
    """A boolean parameter, from JSON or from a form."""
    return value in (True, 1, "1", "true", "True")


def whole_number(value: object) -> int | None:
    """A whole number, from JSON or from a form; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def required(params: Json, *names: str) -> None:
    """Raise ApiError("invalid_arguments") unless all of these are given."""
    missing = [name for name in names if not params.get(name)]
    if missing:
        text = [f"[ERROR] missing required field: {name}" for name in missing]
        raise ApiError("invalid_arguments", response_metadata={"messages": text})


def channel_to_post(state: "State", params: Json, *, people: bool = False) -> Channel:
    """The channel that is meant, if the app may write there; with `people`, a user id is that person's DM."""
    given = str(params.get("channel") or "")
    if people and given in state.users and given != state.bot_user_id:
        if state.users[given].team_id != state.team_id:
            raise ApiError("channel_not_found")
        return state.dm(state.bot_user_id, given)
    channel = visible_channel(state, given)
    if channel.archived:
        raise ApiError("is_archived")
    if state.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def visible_channel(state: "State", given: str) -> Channel:
    """A channel the app knows of: private ones and strangers' DMs are `channel_not_found`."""
    try:
        channel = state.channel_named(given)
    except KeyError:
        raise ApiError("channel_not_found") from None
    if channel.kind != "channel" and state.bot_user_id not in channel.members:
        raise ApiError("channel_not_found")
    return channel


def content(state: "State", params: Json, *, maximum: int, private: bool = False) -> tuple[str, list[Json]]:
    """Text and blocks of a message to be shown. Raises no_text, msg_too_long, invalid_blocks."""
    text = str(params.get("text") or params.get("markdown_text") or "")
    if params.get("markdown_text") and (params.get("text") or params.get("blocks")):
        raise ApiError("markdown_text_conflict")
    given = params.get("blocks")
    if given is not None and not isinstance(given, list):
        raise ApiError("invalid_blocks_format")
    attachments = params.get("attachments")
    if isinstance(attachments, list) and len(attachments) > 100:
        raise ApiError("too_many_attachments")
    if not text and not given and not attachments:
        raise ApiError("no_text")
    if len(text) > maximum:
        raise ApiError("msg_too_long")
    blocks = posting.checked_blocks(state, given, private=private) if given else []
    return text, blocks


def thread_of(channel: Channel, params: Json) -> str | None:
    """The thread that is meant. Raises thread_not_found, or cannot_reply_to_message for a reply's own ts."""
    given = params.get("thread_ts")
    if not given:
        return None
    parent = channel.messages.get(str(given))
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.is_reply:
        raise ApiError("cannot_reply_to_message")
    return parent.ts


def metadata_of(params: Json) -> Json | None:
    """`metadata` as it will be stored. Raises invalid_metadata_format, metadata_too_large."""
    given = params.get("metadata")
    if given is None:
        return None
    if not isinstance(given, dict) or (given and not _is_metadata(given)):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(given).encode()) > limits.METADATA_MAX_BYTES:
        raise ApiError("metadata_too_large")
    return given


def _is_metadata(given: Json) -> bool:
    payload = given.get("event_payload")
    return (
        isinstance(given.get("event_type"), str) and isinstance(payload, dict) and bool(given["event_type"])
    )


async def post_message(state: "State", params: Json) -> Json:
    """chat.postMessage"""
    required(params, "channel")
    channel = channel_to_post(state, params, people=True)
    text, blocks = content(state, params, maximum=limits.TEXT_MAX)
    thread_ts = thread_of(channel, params)
    message = posting.own_message(state, channel.id, text, blocks)
    message.thread_ts = thread_ts
    message.metadata = metadata_of(params) or None
    if thread_ts and flag(params.get("reply_broadcast")):
        message.broadcast, message.subtype = True, "thread_broadcast"
    await posting.add(state, message)
    return {"channel": channel.id, "ts": message.ts, "message": events.message_json(state, message)}


def own(state: "State", params: Json, refusal: str) -> tuple[Channel, Message]:
    """A message of the app's own by channel and ts."""
    required(params, "channel", "ts")
    channel = visible_channel(state, str(params["channel"]))
    message = channel.messages.get(str(params["ts"]))
    if message is None or message.subtype == "tombstone":
        raise ApiError("message_not_found")
    if message.bot_id != state.bot_id:
        raise ApiError(refusal)
    return channel, message


async def update(state: "State", params: Json) -> Json:
    """chat.update: text without blocks drops the blocks; metadata stays unless given."""
    channel, message = own(state, params, "cant_update_message")
    if channel.archived:
        raise ApiError("is_archived")
    text, blocks = content(state, params, maximum=limits.UPDATE_TEXT_MAX)
    metadata = metadata_of(params)
    if metadata is not None:
        message.metadata = metadata or None
    await posting.change(
        state, message, text=text or words.summary(blocks), blocks=blocks, by=state.bot_user_id
    )
    shown = events.message_json(state, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


async def delete(state: "State", params: Json) -> Json:
    """chat.delete"""
    channel, message = own(state, params, "cant_delete_message")
    await posting.remove(state, message, by=state.bot_user_id)
    return {"channel": channel.id, "ts": message.ts}


async def post_ephemeral(state: "State", params: Json) -> Json:
    """chat.postEphemeral: the person must be in the channel; files are refused."""
    required(params, "channel", "user")
    channel = channel_to_post(state, params)
    user = str(params["user"])
    if user not in state.users or user not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks = content(state, params, maximum=limits.TEXT_MAX, private=True)
    shown = Ephemeral(
        channel=channel.id,
        ts=state.mint_ts(),
        user=user,
        text=text or words.summary(blocks),
        blocks=blocks,
        thread_ts=thread_of(channel, params),
        author=state.bot_user_id,
    )
    posting.whisper(state, shown)
    return {"message_ts": shown.ts}


async def get_permalink(state: "State", params: Json) -> Json:
    """chat.getPermalink"""
    required(params, "channel", "message_ts")
    channel = visible_channel(state, str(params["channel"]))
    message = channel.messages.get(str(params["message_ts"]))
    if message is None:
        raise ApiError("message_not_found")
    link = f"{state.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _reaction_target(state: "State", params: Json) -> tuple[str, Message]:
    required(params, "channel", "timestamp", "name")
    channel = channel_to_post(state, params)
    message = channel.messages.get(str(params["timestamp"]))
    if message is None:
        raise ApiError("message_not_found")
    name = str(params["name"]).strip(":")
    if not words.names_emoji(name):
        raise ApiError("invalid_name")
    return name, message


async def react(state: "State", params: Json) -> Json:
    """reactions.add"""
    name, message = _reaction_target(state, params)
    if state.bot_user_id in message.reactions.get(name, []):
        raise ApiError("already_reacted")
    mine = sum(state.bot_user_id in who for who in message.reactions.values())
    if mine >= limits.REACTIONS_PER_PERSON:
        raise ApiError("too_many_reactions")
    message.reactions.setdefault(name, []).append(state.bot_user_id)
    await _reacted(state, name, message, added=True)
    return {}


async def unreact(state: "State", params: Json) -> Json:
    """reactions.remove"""
    name, message = _reaction_target(state, params)
    if state.bot_user_id not in message.reactions.get(name, []):
        raise ApiError("no_reaction")
    message.reactions[name].remove(state.bot_user_id)
    if not message.reactions[name]:
        del message.reactions[name]
    await _reacted(state, name, message, added=False)
    return {}


async def _reacted(state: "State", name: str, message: Message, *, added: bool) -> None:
    state.changed(
        {"kind": "reaction", "channel": message.channel, "ts": message.ts, "name": name, "added": added}
    )
    event = events.reaction_event(state, name, state.bot_user_id, message, added=added)
    await posting.tell(state, state.channels[message.channel], event)


METHODS: Final[Mapping[str, Callable[["State", Any], Awaitable[Json]]]] = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "reactions.add": react,
    "reactions.remove": unreact,
}
