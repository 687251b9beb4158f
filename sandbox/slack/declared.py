"""What an app declares in its manifest, taken over by a workspace, which so can be any app's home."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from sandbox.slack.model import Json, Shortcut

if TYPE_CHECKING:
    from sandbox.slack.state import State

_ENTRIES_MAX: Final = 100
_TEXT_MAX: Final = 255


class BadManifest(Exception):
    """A manifest that cannot be taken; the text says what to mend."""


def declare(state: "State", manifest: Json) -> Json:
    """Take over a manifest in JSON (https://docs.slack.dev/reference/app-manifest): the app's name, its slash
    commands, shortcuts, bot scopes and bot events. A part that is left out stays as it was, the rest of the
    manifest is not looked at. Returns what is in force. Raises BadManifest, and then nothing has changed."""
    name = _text(_part(manifest, "display_information").get("name", state.app_name), "its name")
    features = _part(manifest, "features")
    commands = _entries(features, "slash_commands", "command")
    listed = _entries(features, "shortcuts", "callback_id", "name", "type")
    shortcuts = (
        None if listed is None else tuple(Shortcut(id, title, _kind(kind)) for id, title, kind in listed)
    )
    scopes = _words(_part(manifest, "oauth_config", "scopes"), "bot")
    events = _words(_part(manifest, "settings", "event_subscriptions"), "bot_events")
    state.app_name = name
    state.users[state.bot_user_id] = replace(
        state.users[state.bot_user_id], name=name.lower().replace(" ", ""), real_name=name
    )
    if commands is not None:
        state.commands = frozenset(command for (command,) in commands)
    if shortcuts is not None:
        state.shortcuts = shortcuts
    if scopes is not None:
        state.scopes = frozenset(scopes)
    if events is not None:
        state.subscriptions = frozenset("message" if e.startswith("message.") else e for e in events)
    state.changed({"kind": "app"})
    return in_force(state)


def in_force(state: "State") -> Json:
    """What the workspace takes the app for. `commands` null: every command is the app's; without shortcuts,
    every callback id is."""
    return {
        "name": state.app_name,
        "commands": None if state.commands is None else sorted(state.commands),
        "shortcuts": [
            {"callback_id": s.callback_id, "name": s.name, "kind": s.kind} for s in state.shortcuts
        ],
        "scopes": sorted(state.scopes),
        "events": sorted(state.subscriptions),
    }


def _kind(given: str) -> Literal["message", "global"]:
    if given not in ("message", "global"):
        raise BadManifest('features.shortcuts: type must be "message" or "global"')
    return "message" if given == "message" else "global"


def _part(manifest: Json, *path: str) -> Json:
    found: Any = manifest
    for step in path:
        found = {} if found.get(step) is None else found[step]
        if not isinstance(found, dict):
            raise BadManifest(f"{'.'.join(path)} must be an object")
    return dict(found)


def _entries(features: Json, name: str, *fields: str) -> list[tuple[str, ...]] | None:
    given = features.get(name)
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise BadManifest(f"features.{name} must be a list of objects")
    if len(given) > _ENTRIES_MAX:
        raise BadManifest(f"features.{name} has {len(given)} entries; at most {_ENTRIES_MAX} are taken")
    return [tuple(_text(entry.get(each), f"features.{name}: {each}") for each in fields) for entry in given]


def _words(part: Json, name: str) -> list[str] | None:
    given = part.get(name)
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > _ENTRIES_MAX:
        raise BadManifest(f"{name} must be a list of at most {_ENTRIES_MAX} names")
    return [_text(each, name) for each in given]


def _text(given: object, what: str) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= _TEXT_MAX:
        raise BadManifest(f"{what} must be a text of 1 to {_TEXT_MAX} characters")
    return given
