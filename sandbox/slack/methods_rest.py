"""The rest of the Web API: auth, connections, people, threads, status."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import events, limits
from sandbox.slack.methods_chat import channel_to_post, flag, required, visible_channel
from sandbox.slack.model import ApiError, Json, Message, User

if TYPE_CHECKING:
    from sandbox.slack.state import State


async def auth_test(state: "State", params: Json) -> Json:
    """auth.test"""
    return {
        "url": f"{state.base_url}/",
        "team": state.team_name,
        "user": state.users[state.bot_user_id].name,
        "team_id": state.team_id,
        "user_id": state.bot_user_id,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }


async def connections_open(state: "State", params: Json) -> Json:
    """apps.connections.open: an address that works once."""
    ticket = state.mint("tkt")
    state.tickets[ticket] = None
    limits.forget_oldest(state.tickets)
    base = state.base_url.replace("http", "ws", 1)
    return {"url": f"{base}/link/?ticket={ticket}&app_id={state.app_id}"}


async def team_info(state: "State", params: Json) -> Json:
    """team.info"""
    icon = {"image_default": True}
    team = {"id": state.team_id, "name": state.team_name, "domain": state.team_domain, "icon": icon}
    return {"team": {**team, "email_domain": ""}}


def user_json(state: "State", user: User) -> Json:
    """A person as users.info returns them; people of other teams are strangers."""
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "9f69e7",
        "real_name": user.real_name,
        "tz": "Europe/Amsterdam",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": {
            "real_name": user.real_name,
            "real_name_normalized": user.real_name,
            "display_name": user.name,
            "display_name_normalized": user.name,
            "team": user.team_id,
        },
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_stranger": user.team_id != state.team_id,
        "updated": 1_790_000_000,
    }


async def users_info(state: "State", params: Json) -> Json:
    """users.info"""
    required(params, "user")
    user = state.users.get(str(params["user"]))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_json(state, user)}


async def replies(state: "State", params: Json) -> Json:
    """conversations.replies, with limit, cursor, oldest, latest, inclusive and include_all_metadata."""
    required(params, "channel", "ts")
    channel = visible_channel(state, str(params["channel"]))
    if state.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    thread = state.thread(channel.id, str(params["ts"]))
    if not thread:
        raise ApiError("thread_not_found")
    shown = [m for m in thread if _in_range(m, params) or not m.is_reply]
    return _page(state, shown, params)


async def history(state: "State", params: Json) -> Json:
    """conversations.history: a channel's own messages and broadcast replies, newest first, in pages."""
    required(params, "channel")
    channel = visible_channel(state, str(params["channel"]))
    if state.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    found = [m for m in channel.messages.values() if not m.is_reply or m.broadcast]
    shown = sorted((m for m in found if _in_range(m, params)), key=lambda m: m.ts, reverse=True)
    return _page(state, shown, params)


def _page(state: "State", shown: list[Message], params: Json) -> Json:
    size = max(1, min(int(params.get("limit") or limits.REPLIES_PAGE_MAX), limits.REPLIES_PAGE_MAX))
    start = cursor_of(params, len(shown))
    page = shown[start : start + size]
    metadata = flag(params.get("include_all_metadata"))
    made: Json = {"messages": [events.message_json(state, m, metadata=metadata) for m in page]}
    more = start + size < len(shown)
    made |= {"has_more": more}
    return made | ({"response_metadata": {"next_cursor": f"next:{start + size}"}} if more else {})


def cursor_of(params: Json, count: int) -> int:
    """The place in a list of so many at which the wanted page begins. Raises invalid_cursor."""
    given = str(params.get("cursor") or "next:0")
    word, _, position = given.partition(":")
    if word != "next" or not position.isdecimal() or len(position) > 9 or int(position) > count:
        raise ApiError("invalid_cursor")
    return int(position)


def _in_range(message: Message, params: Json) -> bool:
    oldest, latest = params.get("oldest"), params.get("latest")
    ts, inclusive = float(message.ts), flag(params.get("inclusive"))
    after = oldest is None or ts > float(oldest) or (inclusive and ts == float(oldest))
    return after and (latest is None or ts < float(latest) or (inclusive and ts == float(latest)))


async def conversations_open(state: "State", params: Json) -> Json:
    """conversations.open for one person."""
    required(params, "users")
    user = state.users.get(str(params["users"]))
    if user is None:
        raise ApiError("user_not_found")
    return {"channel": {"id": state.dm(state.bot_user_id, user.id).id}}


async def set_status(state: "State", params: Json) -> Json:
    """assistant.threads.setStatus: gone after two minutes, or with the next post; empty clears it."""
    required(params, "channel_id", "thread_ts")
    if "status" not in params:
        raise ApiError("invalid_arguments")
    channel = channel_to_post(state, {"channel": params["channel_id"]})
    if str(params["thread_ts"]) not in channel.messages:
        raise ApiError("thread_not_found")
    key = (channel.id, str(params["thread_ts"]))
    status = str(params["status"] or "")
    for over in [at for at, (_, until) in state.statuses.items() if until <= state.now()]:
        del state.statuses[over]
    if status:
        state.statuses[key] = (status, state.now() + limits.STATUS_S)
    else:
        state.statuses.pop(key, None)
    state.changed({"kind": "status", "channel": channel.id, "thread_ts": key[1], "status": status})
    return {}


METHODS: Final[Mapping[str, Callable[["State", Any], Awaitable[Json]]]] = {
    "auth.test": auth_test,
    "apps.connections.open": connections_open,
    "team.info": team_info,
    "users.info": users_info,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.open": conversations_open,
    "assistant.threads.setStatus": set_status,
}
