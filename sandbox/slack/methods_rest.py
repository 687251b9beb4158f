"""The rest of the Web API: auth, connections, people, threads, status."""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import events, limits, statuses
from sandbox.slack.methods_chat import channel_to_post, flag, required, visible_channel, whole_number
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
    shown = [m for m in thread if not m.is_reply] + _in_range([m for m in thread if m.is_reply], params)
    return _page(state, shown, params)


async def history(state: "State", params: Json) -> Json:
    """conversations.history: a channel's own messages and broadcast replies, newest first, in pages."""
    required(params, "channel")
    channel = visible_channel(state, str(params["channel"]))
    if state.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    found = [m for m in channel.messages.values() if not m.is_reply or m.broadcast]
    shown = sorted(_in_range(found, params), key=lambda m: m.ts, reverse=True)
    return _page(state, shown, params)


def _page(state: "State", shown: list[Message], params: Json) -> Json:
    size = page_size(params)
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


def page_size(params: Json) -> int:
    """How many entries a page may have: `limit`, or as many as Slack gives at most. Raises invalid_limit."""
    given = params.get("limit")
    size = limits.REPLIES_PAGE_MAX if given in (None, "", 0, "0") else whole_number(given)
    if size is None or size < 1:
        raise ApiError("invalid_limit")
    return min(size, limits.REPLIES_PAGE_MAX)


def _in_range(found: list[Message], params: Json) -> list[Message]:
    """The messages between `oldest` and `latest`. Raises invalid_ts_oldest, invalid_ts_latest."""
    oldest, latest = _stamp(params, "oldest", -math.inf), _stamp(params, "latest", math.inf)
    if flag(params.get("inclusive")):
        return [m for m in found if oldest <= float(m.ts) <= latest]
    return [m for m in found if oldest < float(m.ts) < latest]


def _stamp(params: Json, name: str, default: float) -> float:
    given = params.get(name)
    if given in (None, ""):
        return default
    try:
        stamp = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        stamp = math.nan
    if not math.isfinite(stamp):
        raise ApiError(f"invalid_ts_{name}")
    return stamp


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
    statuses.say(state, (channel.id, str(params["thread_ts"])), str(params["status"] or ""))
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
