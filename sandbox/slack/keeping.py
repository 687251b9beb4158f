"""What a workspace keeps over a restart: everything that people and the app can see of it, ids never given
twice, and what Slack would still bring.

Not kept: the records for tests (calls, acknowledgements, downloads), what goes wrong, connections and their
tickets, and commands and clicks that wait for an answer: their person has seen by then that none came.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.keeping.folder import Shelf
from sandbox.keeping.plain import plain, read
from sandbox.slack import files as scans
from sandbox.slack import statuses
from sandbox.slack.held import NOTHING, ByteStore, Held
from sandbox.slack.model import (
    Channel,
    ChannelKind,
    Ephemeral,
    File,
    Json,
    Message,
    Notification,
    ResponseUrl,
    Trigger,
    User,
)
from sandbox.slack.state import State

_ONLY_SEEN: Final = frozenset({"hood", "ledger", "socket"})
"""Notices of what is not kept."""
_SILENT: Final = frozenset(
    {"conversations.open", "files.getUploadURLExternal", "files.completeUploadExternal"}
)
"""Calls that change something of which no other notice tells."""
_RUN_END: Final = 1 << 48
_COUNT_END: Final = 36**8
_LAST_END: Final = 10**18
"""Beyond any run in ms, any number of ids, any stamp in µs that comes about; no id could be made of more."""
_STAMP: Final = re.compile(r"\d{1,12}\.\d{6}")
_VIEW: Final[Mapping[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("id", "type", "hash", "root_view_id", "external_id", "_user"), str),
    **dict.fromkeys(("previous_view_id", "_channel"), (str, type(None))),
    **{"blocks": list, "state": dict, "clear_on_close": bool, "submit": (dict, type(None))},
}
"""What is read of a view, and what it is."""


@dataclass
class Room:
    """A channel; its `replies` are the stamps of messages."""

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    archived: bool
    shared_with: frozenset[str]
    messages: list[Message]
    replies: dict[str, list[str]]


@dataclass
class Status:
    """What the app says it is doing in a thread, and until when Slack shows it."""

    channel: str
    thread_ts: str
    said: str
    until: float


@dataclass
class Event:
    """An event that the app has not acknowledged, and how often it was sent."""

    payload: Json
    attempt: int


@dataclass
class Kept:
    """All of it. `files` are the fields of `File`, with the name of the bytes (or "") as `data`."""

    team_id: str
    run: int
    count: int
    last_ts: int
    installed: bool
    users: list[User]
    rooms: list[Room]
    ephemerals: list[Ephemeral]
    files: list[Json]
    statuses: list[Status]
    views: dict[str, Json]
    homes: dict[str, Json]
    response_urls: list[ResponseUrl]
    triggers: list[Trigger]
    notifications: list[Notification]
    unanswered: list[Event]


class WorkspaceKept:
    """A workspace as something that a `Keeper` keeps."""

    def __init__(self, state: State) -> None:
        self._state = state

    def listen(self, tell: Callable[[], None]) -> None:
        """Let *tell* hear of each change of what is kept; what is only looked at, or recorded, is none."""
        self._state.on_change.append(lambda notice: tell() if _kept(notice) else None)

    def kept(self, shelf: Shelf) -> Kept:
        """The workspace as it is now. It shares its parts: make JSON of it before anything else happens."""
        state = self._state
        run, count, last_ts = state.counters
        return Kept(
            team_id=state.team_id,
            run=run,
            count=count,
            last_ts=last_ts,
            installed=state.installed,
            users=list(state.users.values()),
            rooms=[_room(channel) for channel in state.channels.values()],
            ephemerals=state.ephemerals,
            files=[_file(file, shelf) for file in state.files.values()],
            statuses=[Status(*key, *value) for key, value in state.statuses.items()],
            views=state.views,
            homes=state.homes,
            response_urls=list(state.response_urls.values()),
            triggers=list(state.triggers.values()),
            notifications=list(state.notifications),
            unanswered=[
                Event(parcel.payload, parcel.attempt)
                for parcel in state.delivery.unanswered
                if parcel.kind == "events_api"
            ],
        )

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        """Take the place of everything that a new workspace begins with. Scans go on, and what the app had
        not acknowledged waits for its next connection. Raises ValueError, and then nothing has changed."""
        state = self._state
        found = read(Kept, kept)
        if found.team_id != state.team_id:
            raise ValueError(f"it is of the workspace {found.team_id}, and this one is {state.team_id}")
        rooms = [_channel(room) for room in found.rooms]
        held = ByteStore()
        files = [_brought_back(file, held, fetch) for file in found.files]
        _countable(found)
        _whole(found, files, state.bot_user_id)
        for key, view in found.views.items():
            _drawable(view, "modal", {"id": key}, found)
        for user, view in found.homes.items():
            _drawable(view, "home", {"_user": user}, found)
        state.count_on(found.run, found.count, found.last_ts)
        state.installed = found.installed
        state.users = {user.id: user for user in found.users}
        state.channels = {room.id: room for room in rooms}
        state.ephemerals = found.ephemerals
        state.files, state.held = {file.id: file for file in files}, held
        state.uploads = {file.upload_key: file.id for file in files if not file.completed}
        said = {(each.channel, each.thread_ts): (each.said, each.until) for each in found.statuses}
        statuses.bring_back(state, said)
        state.views, state.homes = found.views, found.homes
        state.response_urls = {url.key: url for url in found.response_urls}
        state.triggers = {trigger.id: trigger for trigger in found.triggers}
        state.notifications.extend(found.notifications)
        for file in files:
            if file.completed and not file.processed and not file.deleted:
                scans.complete(state, file)
        for event in found.unanswered:
            state.delivery.resume(event.payload, event.attempt)


def _kept(notice: Json) -> bool:
    """Whether a notice may be of what is kept. An acknowledgement is: the event need not come again, and a
    command or a click has made a response_url."""
    if notice.get("kind") == "call":
        return notice.get("method") in _SILENT and notice.get("error") is None
    return notice.get("kind") not in _ONLY_SEEN


def _room(channel: Channel) -> Room:
    return Room(
        channel.id,
        channel.name,
        channel.kind,
        channel.members,
        channel.archived,
        channel.shared_with,
        list(channel.messages.values()),
        {parent: [message.ts for message in replies] for parent, replies in channel.replies.items()},
    )


def _channel(room: Room) -> Channel:
    messages = {message.ts: message for message in room.messages}
    replies = {parent: [messages[ts] for ts in stamps] for parent, stamps in room.replies.items()}
    return Channel(
        room.id, room.name, room.kind, room.members, room.archived, room.shared_with, messages, replies
    )


def _file(file: File, shelf: Shelf) -> Json:
    kept: Json = plain(file)
    held: Held = kept.pop("held")
    return kept | {"data": shelf.put(file.sha256, held.read) if held.size else ""}


def _brought_back(kept: Json, held: ByteStore, fetch: Callable[[str], bytes]) -> File:
    """The file, its bytes held where there is room."""
    fields = dict(kept)
    name = fields.pop("data")
    return read(File, fields | {"held": held.put(name, fetch(name)) if name else NOTHING})


def _countable(kept: Kept) -> None:
    """What is counted on from can be. ValueError."""
    counters = ((kept.run, _RUN_END), (kept.count, _COUNT_END), (kept.last_ts, _LAST_END))
    if not all(0 <= number < end for number, end in counters):
        raise ValueError("its counters are none")
    if not all(math.isfinite(status.until) for status in kept.statuses):
        raise ValueError("one of its statuses is shown until a time that is none")
    for event in kept.unanswered:
        if event.attempt < 0 or not isinstance(event.payload.get("event"), dict):
            raise ValueError("one of the events that nobody has acknowledged is none")


def _drawable(view: Json, kind: str, place: Json, kept: Kept) -> None:
    """The view has all that is read of it, and is where it belongs. ValueError."""
    right = {"type": kind, **place}
    wrong = [name for name, types in _VIEW.items() if not isinstance(view.get(name), types)]
    wrong += [name for name, value in right.items() if view.get(name) != value]
    if wrong:
        raise ValueError(f"a {kind} cannot have {wrong[0]} {str(view.get(wrong[0]))[:40]!r}")
    values = view["state"].get("values")
    held = values.values() if isinstance(values, dict) else [None]
    if not all(isinstance(each, dict) for each in [*view["blocks"], *held]):
        raise ValueError(f"the {kind} {view['id'][:40]} has blocks or values that are none")
    if view["_user"] not in {user.id for user in kept.users}:
        raise ValueError(f"the {kind} {view['id'][:40]} is of somebody who is not there")


def _whole(kept: Kept, files: list[File], bot: str) -> None:
    """Nothing speaks of somebody or something that is not there. ValueError."""
    users, known = {user.id for user in kept.users}, {file.id for file in files}
    if bot not in users:
        raise ValueError(f"{bot} is not among its people")
    rooms = {room.id for room in kept.rooms}
    for file in files:
        if lost := sorted(({file.user} - users) | (file.shares.keys() - rooms)):
            raise ValueError(f"{file.id} speaks of {lost[0]}, which is not there")
    for room in kept.rooms:
        attached = {file for message in room.messages for file in message.files}
        if lost := sorted((room.members - users) | (attached - known)):
            raise ValueError(f"{room.id} speaks of {lost[0]}, which is not there")
        for message in room.messages:
            if message.channel != room.id or not _STAMP.fullmatch(message.ts):
                raise ValueError(f"{room.id} cannot have the message {message.ts[:40]!r}")
