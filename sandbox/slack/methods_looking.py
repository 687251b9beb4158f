"""Looking around: channels, their members, people, bots, reactions; and joining a channel. Other apps than
Darkroom need it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack.events import bot_profile, message_json
from sandbox.slack.methods_chat import flag, required, visible_channel
from sandbox.slack.methods_rest import cursor_of, page_size, user_json
from sandbox.slack.model import OTHER_BOT_ID, ApiError, Channel, Json

if TYPE_CHECKING:
    from sandbox.slack.state import State

TYPES: Final[Mapping[str, str]] = {
    "public_channel": "channel",
    "private_channel": "group",
    "mpim": "mpim",
    "im": "im",
}
"""What `types` of conversations.list are, as the sandbox calls them."""
READ: Final[Mapping[str, str]] = {
    "channel": "channels:read",
    "group": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
"""The scope that looking at a conversation of each kind needs."""
_CREATED: Final = 1_790_000_000


def channel_json(state: "State", channel: Channel) -> Json:
    """A conversation as conversations.info returns it."""
    base: Json = {
        "id": channel.id,
        "created": _CREATED,
        "is_archived": channel.archived,
        "is_org_shared": False,
    }
    if channel.kind == "im":
        other = next(iter(channel.members - {state.bot_user_id}), state.bot_user_id)
        return base | {"is_im": True, "user": other, "is_user_deleted": False, "priority": 0}
    creator = next(user.id for user in state.users.values() if user.is_admin)
    said = {"value": "", "creator": "", "last_set": 0}
    return base | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_general": channel.name == "general",
        "is_read_only": False,
        "is_member": state.bot_user_id in channel.members,
        "is_shared": channel.is_shared,
        "is_ext_shared": channel.is_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "previous_names": [],
        "parent_conversation": None,
        "creator": creator,
        "unlinked": 0,
        "topic": dict(said),
        "purpose": dict(said),
    }


async def conversations_info(state: "State", params: Json) -> Json:
    """conversations.info, with include_num_members and include_locale."""
    required(params, "channel")
    channel = visible_channel(state, str(params["channel"]))
    shown = channel_json(state, channel)
    if flag(params.get("include_num_members")):
        shown["num_members"] = len(channel.members)
    if flag(params.get("include_locale")):
        shown["locale"] = "en-US"
    return {"channel": shown}


async def conversations_list(state: "State", params: Json) -> Json:
    """conversations.list: public channels, and others where the app is; types, exclude_archived, pages."""
    wanted = kinds_of(params)
    found = [
        channel_json(state, room) | {"num_members": len(room.members)}
        for room in state.channels.values()
        if room.kind in wanted
        and (room.kind == "channel" or state.bot_user_id in room.members)
        and not (room.archived and flag(params.get("exclude_archived")))
    ]
    return _page("channels", found, params)


def kinds_of(params: Json) -> list[str]:
    """The kinds of conversations that are asked for. Raises invalid_types."""
    names = [name.strip() for name in str(params.get("types") or "public_channel").split(",")]
    if not set(names) <= set(TYPES):
        raise ApiError("invalid_types")
    return [TYPES[name] for name in names]


async def conversations_members(state: "State", params: Json) -> Json:
    """conversations.members, in pages."""
    required(params, "channel")
    channel = visible_channel(state, str(params["channel"]))
    return _page("members", sorted(channel.members), params)


async def conversations_join(state: "State", params: Json) -> Json:
    """conversations.join: the app enters a public channel."""
    required(params, "channel")
    channel = visible_channel(state, str(params["channel"]))
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    if state.bot_user_id in channel.members:
        shown = {"channel": channel_json(state, channel), "warning": "already_in_channel"}
        return shown | {"response_metadata": {"warnings": ["already_in_channel"]}}
    channel.members.add(state.bot_user_id)
    state.changed({"kind": "members", "channel": channel.id})
    return {"channel": channel_json(state, channel)}


async def users_list(state: "State", params: Json) -> Json:
    """users.list: everybody of the team, and strangers from shared channels, in pages."""
    everybody = [user_json(state, user) for user in state.users.values()]
    return _page("members", everybody, params) | {"cache_ts": int(state.now())}


async def bots_info(state: "State", params: Json) -> Json:
    """bots.info: the app itself, or the other one."""
    given = params.get("bot")
    if given not in (state.bot_id, OTHER_BOT_ID):
        raise ApiError("bot_not_found")
    profile = bot_profile(state, str(given))
    return {"bot": {key: value for key, value in profile.items() if key != "team_id"}}


async def reactions_get(state: "State", params: Json) -> Json:
    """reactions.get of a message."""
    required(params, "channel", "timestamp")
    channel = visible_channel(state, str(params["channel"]))
    message = channel.messages.get(str(params["timestamp"]))
    if message is None:
        raise ApiError("message_not_found")
    return {"type": "message", "channel": channel.id, "message": message_json(state, message)}


def _page(name: str, found: Sequence[Any], params: Json) -> Json:
    """One page of a list: `limit` entries behind `cursor`. Raises invalid_limit, invalid_cursor."""
    size = page_size(params)
    start = cursor_of(params, len(found))
    end = start + size
    cursor = f"next:{end}" if end < len(found) else ""
    return {name: list(found[start:end]), "response_metadata": {"next_cursor": cursor}}


METHODS: Final[Mapping[str, Callable[["State", Any], Awaitable[Json]]]] = {
    "conversations.info": conversations_info,
    "conversations.list": conversations_list,
    "conversations.members": conversations_members,
    "conversations.join": conversations_join,
    "users.list": users_list,
    "bots.info": bots_info,
    "reactions.get": reactions_get,
}
