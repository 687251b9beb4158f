"""What Slack sends the app over its socket, in the record, with the time until it was acknowledged."""

import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.hood.record import Kind, Record
from sandbox.hood.wire import Place, id_in, opened_by, room_name
from sandbox.slack.delivery import Parcel
from sandbox.slack.limits import forget_oldest
from sandbox.slack.workspace import Workspace

_KINDS: Final[Mapping[str, Kind]] = {
    "events_api": "event",
    "slash_commands": "command",
    "interactive": "interactive",
}


class DeliveryWatcher:
    """Hears of parcels (`Delivery.watchers`) and writes them into a record: each delivery is an entry."""

    def __init__(self, workspace: Workspace, record: Record) -> None:
        self._workspace = workspace
        self._record = record
        self._open: dict[str, tuple[int, float]] = {}

    def __call__(self, parcel: Parcel, envelope_id: str, news: str | None) -> None:
        """A delivery was sent (no news), was acknowledged, or came to nothing."""
        if news is None:
            self._open[envelope_id] = self._begin(parcel), time.perf_counter()
            forget_oldest(self._open)
        elif not envelope_id:
            self._record.change(self._begin(parcel), ok=False, error=news)
        elif envelope_id in self._open:
            entry, began = self._open[envelope_id]
            ms = round((time.perf_counter() - began) * 1_000, 1)
            if news != "acknowledged":
                self._record.change(entry, ok=False, error=news)
                return
            self._record.change(entry, ms=ms, ok=True, error=None)
            if parcel.answer is not None:
                self._record.answer(entry, parcel.answer)

    def _begin(self, parcel: Parcel) -> int:
        kind = _KINDS.get(parcel.kind, "event")
        payload = parcel.payload
        name, said = self._told(kind, payload)
        channel, thread = self._place(kind, payload)
        again = parcel.attempt
        return self._record.open(kind, name, said, payload, channel=channel, thread=thread, again=again)

    def _told(self, kind: Kind, payload: Mapping[str, Any]) -> tuple[str, str]:
        """The name of what is delivered, and one line about it."""
        if kind == "command":
            where = room_name(self._workspace, id_in(payload.get("channel_id")))
            words = f"{payload.get('command')} {payload.get('text', '')}"
            return str(payload.get("command")), f"{self._who(payload.get('user_id'))} in {where}: {words}"
        if kind == "interactive":
            user = payload.get("user")
            who = self._who(user.get("id") if isinstance(user, dict) else None)
            return str(payload.get("type")), f"{who}: {_pressed(payload)}"
        event = _event(payload)
        where = room_name(self._workspace, self._place(kind, payload)[0])
        inner = _message(event)
        words = inner.get("text") or event.get("reaction") or event.get("tab") or ""
        about = " ".join(str(each) for each in (event.get("subtype"), words) if each)
        place = f" in {where}" if where else ""
        who = self._who(event.get("user") or inner.get("user"))
        return str(event.get("type", "event")), f"{who}{place}: {about}"

    def _who(self, user: object) -> str:
        person = self._workspace.users.get(str(user))
        return person.real_name if person is not None else "somebody"

    def _place(self, kind: Kind, payload: Mapping[str, Any]) -> Place:
        if kind == "command":
            return id_in(payload.get("channel_id")), id_in(payload.get("thread_ts"))
        if kind == "interactive":
            return self._place_of_press(payload)
        event = _event(payload)
        inner = _message(event)
        channel = id_in(event.get("channel") or inner.get("channel"))
        if channel is None:
            return None, None
        thread = id_in(inner.get("thread_ts"))
        return channel, thread or opened_by(self._workspace, channel, inner.get("ts"))

    def _place_of_press(self, payload: Mapping[str, Any]) -> Place:
        room, message = payload.get("channel"), payload.get("message")
        container = payload.get("container")
        channel = id_in(room.get("id")) if isinstance(room, dict) else None
        if isinstance(message, dict):
            return channel, id_in(message.get("thread_ts")) or id_in(message.get("ts"))
        if isinstance(container, dict):
            return channel, id_in(container.get("thread_ts")) or opened_by(
                self._workspace, channel, container.get("message_ts")
            )
        return channel, None


def _event(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    event = payload.get("event")
    return event if isinstance(event, dict) else {}


def _message(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message that an event is about, itself where it is one."""
    found = event.get("message") or event.get("previous_message") or event.get("item")
    return found if isinstance(found, dict) else event


def _pressed(payload: Mapping[str, Any]) -> str:
    """What was pressed, chosen, submitted or closed."""
    actions = payload.get("actions")
    if isinstance(actions, list) and actions and isinstance(actions[0], dict):
        text = actions[0].get("text")
        words = text.get("text") if isinstance(text, dict) else None
        return str(words or actions[0].get("action_id"))
    view = payload.get("view")
    if isinstance(view, dict):
        title = view.get("title")
        return str(title.get("text") if isinstance(title, dict) else view.get("callback_id"))
    return str(payload.get("callback_id") or "")
