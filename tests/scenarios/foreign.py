"""Everything that Slack may send us, with the ids of a real town in it, from wherever one likes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from handlers.blocks.picture import Choice
from handlers.manifest import EVENTS
from sandbox.slack import events, response_urls, values, views
from sandbox.slack.model import Json, Message
from storage.database import DATABASE_NAME, connect_read_only
from tests.handlers.test_manifest import ACTIONS, VIEWS, shortcuts
from tests.scenarios.story import Thread, Town

TEAM, PERSON, ENTERPRISE = "T0ELSEWHER", "U0ELSEWHER", "E0ELSEWHER"
Foreign = Callable[[Json], Json]


@dataclass(frozen=True)
class Parcel:
    """One payload, and how Slack sends it."""

    name: str
    kind: str
    payload: Json


@dataclass
class Sender:
    """Writes every payload there is about a thread of a town, as one of its people would cause it."""

    town: Town
    thread: Thread
    words: tuple[str, ...] = ("/imagine", "/spend")

    def everything(self) -> list[Parcel]:
        """By what is registered: each button with each value that it has or could have, each dialog, …"""
        made = [*self._commands(), *self._presses(), *self._dialogs(), *self._shortcuts(), *self._events()]
        return [*made, self._menu()]

    def _begin(self, kind: str) -> Json:
        workspace = self.town.workspace
        person = workspace.user_named("carol")
        trigger = response_urls.trigger(workspace, person, channel=self.thread.channel.id)
        return events.interaction(workspace, kind, person, trigger)

    def _commands(self) -> Iterator[Parcel]:
        workspace, room = self.town.workspace, self.thread.channel
        person = workspace.user_named("carol")
        for word in self.words:
            for text in ("", "help", "a blue boat", "last 3", "cap person 5", "status", "pause", "me"):
                urls = response_urls.issue(workspace, person, room, "commands")
                yield Parcel(
                    f"command {word}",
                    "slash_commands",
                    events.command(workspace, person, room, word, text, urls),
                )

    def _picture(self) -> Message:
        return self.thread.pictures[0]

    def _presses(self) -> Iterator[Parcel]:
        message = self._picture()
        of_message = {
            "container": events.message_container(message),
            "channel": events.channel_ref(self.thread.channel),
            "message": events.message_json(self.town.workspace, message),
            "response_url": f"{self.town.workspace.base_url}/actions/T/none",
            "state": {"values": {}},
        }
        for action_id in sorted(ACTIONS):
            view = self._view_with(action_id)
            place = of_message
            if view is not None:
                place = {"container": {"type": "view", "view_id": view["id"]}, "view": views.shown(view)}
            for value in self._values(action_id):
                body = self._begin("block_actions") | place | {"actions": [_used(action_id, value)]}
                yield Parcel(f"action {action_id}", "interactive", body)

    def _view_with(self, action_id: str) -> Json | None:
        """The open dialog, or the Home, that the button stands in."""
        workspace = self.town.workspace
        for view in (*workspace.views.values(), *workspace.homes.values()):
            if any(element["action_id"] == action_id for _, element in values.elements(view["blocks"])):
                return view
        return None

    def _values(self, action_id: str) -> list[str]:
        """What the button has where it stands, else every id of ours that it could be given."""
        standing = [value for found, value in self._standing() if found == action_id]
        return standing or self._ids()

    def _standing(self) -> Iterator[tuple[str, str]]:
        workspace = self.town.workspace
        surfaces = [m.blocks for room in workspace.channels.values() for m in room.messages.values()]
        surfaces += [e.blocks for e in workspace.ephemerals]
        surfaces += [view["blocks"] for view in (*workspace.views.values(), *workspace.homes.values())]
        for blocks in surfaces:
            for _, element in values.elements(blocks):
                options = element.get("options") or [
                    element[name] for name in ("positive_button", "negative_button") if name in element
                ]
                for holder in (element, *options):
                    if "value" in holder:
                        yield element["action_id"], str(holder["value"])

    def _ids(self) -> list[str]:
        ledger = self.town.ledger
        pictures = [row["id"] for row in ledger.rows("SELECT id FROM pictures")]
        turns = [row["id"] for row in ledger.rows("SELECT id FROM turns")]
        chosen = [f"{choice}:{pictures[0]}" for choice in Choice]
        return [*pictures, *turns, *chosen, "1", "pause", "none"]

    def _dialogs(self) -> Iterator[Parcel]:
        workspace = self.town.workspace
        opened = {view["callback_id"]: view for view in workspace.views.values()}
        for callback_id in sorted(VIEWS):
            for like in [opened[callback_id]] if callback_id in opened else opened.values():
                view = copy.deepcopy(views.shown(like)) | {"callback_id": callback_id}
                body = self._begin("view_submission") | {"view": view, "response_urls": []}
                yield Parcel(f"view {callback_id}", "interactive", body)

    def _shortcuts(self) -> Iterator[Parcel]:
        message = self._picture()
        for callback_id, kind in shortcuts().items():
            of = {"global": "shortcut", "message": "message_action"}[kind]
            body = self._begin(of) | {"callback_id": callback_id, "action_ts": "1.1"}
            if kind == "message":
                body |= {
                    "message": events.message_json(self.town.workspace, message),
                    "message_ts": message.ts,
                    "channel": events.channel_ref(self.thread.channel),
                    "response_url": f"{self.town.workspace.base_url}/actions/T/none",
                }
            yield Parcel(f"shortcut {callback_id}", "interactive", body)

    def _menu(self) -> Parcel:
        body = self._begin("block_suggestion") | {"action_id": "which", "block_id": "b", "value": "fox"}
        return Parcel("options", "interactive", body)

    def _events(self) -> Iterator[Parcel]:
        for kind in sorted({name.partition(".")[0] for name in EVENTS}):
            for event in self._of_kind(kind):
                body = events.envelope(self.town.workspace, event)
                yield Parcel(f"event {kind} {event.get('subtype', '')}".strip(), "events_api", body)

    def _of_kind(self, kind: str) -> Iterator[Json]:
        workspace, room = self.town.workspace, self.thread.channel
        person = workspace.user_named("alice")
        if kind == "app_home_opened":
            dm = workspace.dm(person.id, workspace.bot_user_id)
            yield {"type": kind, "user": person.id, "channel": dm.id, "tab": "home", "event_ts": "1.1"}
            return
        if kind not in ("message", "app_mention"):
            tokens = {"oauth": [person.id], "bot": [workspace.bot_user_id]}
            yield {"type": kind, "event_ts": "1.1"} | ({"tokens": tokens} if kind == "tokens_revoked" else {})
            return
        base: Json = {
            "type": kind,
            "user": person.id,
            "team": workspace.team_id,
            "channel": room.id,
            "channel_type": "channel",
        }
        us = f"<@{workspace.bot_user_id}> "
        for text in ("make it night", us + "make it night", us + "a blue boat", "undo", "versions"):
            for thread_ts in (self.thread.root, None):
                ts = workspace.mint_ts()
                said = base | {"text": text, "ts": ts, "event_ts": ts}
                yield said | ({"thread_ts": thread_ts} if thread_ts else {})
        if kind == "message":
            yield from self._changes(base)

    def _changes(self, base: Json) -> Iterator[Json]:
        """Each message that asked for something is edited, and deleted."""
        for row in self.town.ledger.rows("SELECT message_ts FROM turns WHERE message_ts IS NOT NULL"):
            message = self.thread.channel.messages.get(row["message_ts"])
            if message is None or message.user == self.town.workspace.bot_user_id:
                continue
            was = events.message_json(self.town.workspace, message)
            now = was | {"text": "make it a boat", "edited": {"user": message.user, "ts": "1.1"}}
            hidden = base | {"hidden": True, "ts": self.town.workspace.mint_ts(), "previous_message": was}
            yield hidden | {"subtype": "message_changed", "message": now}
            yield hidden | {"subtype": "message_deleted", "deleted_ts": message.ts}


def _used(action_id: str, value: str) -> Json:
    """One entry of `actions`, readable as a button, a menu, a thumb or ticks."""
    option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
    made: Json = {"type": "button", "action_id": action_id, "block_id": "b", "action_ts": "1.1"}
    return made | {"value": value, "selected_option": option, "selected_options": [option]}


def for_another_workspace(payload: Json) -> Json:
    """The same of another installation, whose person did it: all else is ours."""
    made = copy.deepcopy(payload)
    if "team" in made:
        made["team"] = {"id": TEAM, "domain": "elsewhere"}
        made["user"] |= {"id": PERSON, "team_id": TEAM}
    for name in ("team_id", "context_team_id"):
        if name in made:
            made[name] = TEAM
    if "user_id" in made:
        made["user_id"] = PERSON
    for each in made.get("authorizations", ()):
        each["team_id"] = TEAM
    if "event" in made:
        made["event"] |= {"user": PERSON} | ({"team": TEAM} if "team" in made["event"] else {})
    if "view" in made:
        made["view"] |= {"team_id": TEAM, "app_installed_team_id": TEAM}
    return made


def with_our_people_in_it(payload: Json) -> Json:
    """The same of another installation, naming somebody of ours as who did it."""
    made = for_another_workspace(payload)
    if "team" in made:
        made["user"] = {k: v for k, v in payload["user"].items() if k != "team_id"}
    if "user_id" in made:
        made["user_id"] = payload["user_id"]
    if "event" in made:
        made["event"] = copy.deepcopy(payload["event"])
    return made


def for_another_organisation(payload: Json) -> Json:
    """The same of an installation for a whole organisation, which names no team where it can."""
    made = with_our_people_in_it(payload)
    enterprise: Any = {"id": ENTERPRISE, "name": "Elsewhere"}
    if "team" in made:
        made |= {"team": None, "enterprise": enterprise, "is_enterprise_install": True}
    if "enterprise_id" in made or "command" in made:
        made |= {"enterprise_id": ENTERPRISE, "is_enterprise_install": "true"}
    for each in made.get("authorizations", ()):
        each |= {"team_id": None, "enterprise_id": ENTERPRISE, "is_enterprise_install": True}
    if "view" in made:
        del made["view"]["team_id"], made["view"]["app_installed_team_id"]
    return made


def naming_no_installation(payload: Json) -> Json:
    """Ours, but that nothing says whose it is, as Slack never sends it."""
    made = copy.deepcopy(payload)
    for name in ("team", "team_id", "enterprise", "enterprise_id", "context_team_id", "authorizations"):
        made.pop(name, None)
    for part in ("user", "event", "view"):
        for name in ("team_id", "team", "app_installed_team_id"):
            if isinstance(made.get(part), dict):
                made[part].pop(name, None)
    return made


FOREIGN: tuple[Foreign, ...] = (
    for_another_workspace,
    with_our_people_in_it,
    for_another_organisation,
    naming_no_installation,
)


def through_a_shared_channel(outsider: str, team: str) -> Foreign:
    """The same of our installation, done by an outsider in a channel that both workspaces share."""

    def made_of(payload: Json) -> Json:
        made = copy.deepcopy(payload)
        if "user" in made:
            made["user"] |= {"id": outsider, "team_id": team}
        if "event" in made:
            made["event"] |= {"user": outsider, "user_team": team, "source_team": team}
        return made

    return made_of


def books(town: Town) -> list[str]:
    """Everything in the database, but for its sign of life."""
    connection = connect_read_only(town.ledger.data_dir / DATABASE_NAME)
    try:
        return [line for line in connection.iterdump() if '"heartbeat"' not in line]
    finally:
        connection.close()
