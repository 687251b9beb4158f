"""What happens in a workspace just before a call, by somebody else's hand: a thing is deleted or closed."""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.reading import read_json
from sandbox.slack import posting
from sandbox.slack.bad_downloads import BadDownload, How
from sandbox.slack.model import Channel, Json

if TYPE_CHECKING:
    from sandbox.slack.state import State

Happening = Callable[["State", Json], Awaitable[None]]
_ROOM: Final = frozenset({"channel archived", "app removed from channel"})
_THREAD: Final = frozenset({"thread deleted"})


def pointless(state: "State", method: str, params: Json) -> frozenset[str]:
    """The named faults that would change nothing for this very call, and so should wait for another."""
    none = frozenset[str]()
    room = _room(state, params)
    closed = none if room is not None and room.kind in {"channel", "group"} else _ROOM
    return closed | (none if method != "chat.postMessage" or params.get("thread_ts") else _THREAD)


def _room(state: "State", params: Json) -> Channel | None:
    return state.channels.get(str(params.get("channel") or params.get("channel_id")))


def _admin(state: "State") -> str:
    return next(user.id for user in state.users.values() if user.is_admin)


async def delete_message(state: "State", params: Json) -> None:
    """An admin deletes the message that the call names."""
    room = _room(state, params)
    message = room.messages.get(str(params.get("ts"))) if room is not None else None
    if message is not None:
        await posting.remove(state, message, by=_admin(state))


async def delete_thread(state: "State", params: Json) -> None:
    """An admin deletes the thread that the call names, its replies first, so that no tombstone stays."""
    room = _room(state, params)
    if room is not None:
        for message in reversed(state.thread(room.id, str(params.get("thread_ts")))):
            await posting.remove(state, message, by=_admin(state))


async def archive(state: "State", params: Json) -> None:
    """An admin archives the channel."""
    if (room := _room(state, params)) is not None:
        room.archived = True
        state.changed({"kind": "archived", "channel": room.id})


async def remove_app(state: "State", params: Json) -> None:
    """Somebody takes the app out of the channel."""
    if (room := _room(state, params)) is not None:
        room.members.discard(state.bot_user_id)
        state.changed({"kind": "members", "channel": room.id})


def scan_takes(seconds: float) -> Happening:
    """The scan of the call's files takes so long; `math.inf` is for ever."""

    async def happen(state: "State", params: Json) -> None:
        given = params.get("files")
        listed: Any = _read(given) if isinstance(given, str) else given
        for item in listed if isinstance(listed, list) else ():
            file = state.files.get(str(item.get("id"))) if isinstance(item, Mapping) else None
            if file is not None:
                file.scan_s = seconds

    return happen


def _read(given: str) -> Any:
    try:
        return read_json(given)
    except ValueError:
        return None


def never_scanned() -> Happening:
    """The scan of the call's files never ends."""
    return scan_takes(math.inf)


def spoiled(how: How, pause_s: float = 0.0) -> Happening:
    """The download that follows goes wrong like that."""

    async def happen(state: "State", params: Json) -> None:
        state.bad_downloads.insert(0, BadDownload(how, pause_s=pause_s))

    return happen
