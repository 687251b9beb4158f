"""What the inputs of a view hold: where they begin, what a person puts in, what the client refuses to send.

A holding is one entry of `view.state.values`, shaped as Slack sends it: `{"type": "static_select",
"selected_option": {…} | null}`, `{"type": "plain_text_input", "value": "…" | null}`, `{"type": "file_input",
"files": [file objects]}`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import files
from sandbox.slack.model import File, Json, Refused

if TYPE_CHECKING:
    from sandbox.slack.state import State

TEXTS: Final = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    # type: the field of the holding, and of the element's beginning
    **dict.fromkeys(TEXTS, ("value", "initial_value")),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}
_MANY: Final = frozenset(
    {"checkboxes", "file_input", *(kind for kind in _FIELDS if kind.startswith("multi_"))}
)
_KINDS: Final = {"channel": "public", "group": "private", "im": "im", "mpim": "mpim"}

Values = dict[str, dict[str, Json]]


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) a person can use, in the order of the view."""
    for block in blocks:
        for element in [block.get("element"), block.get("accessory"), *block.get("elements", [])]:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def holds(element: Json) -> bool:
    """Whether this kind of element keeps what was put in (buttons and overflow menus do not)."""
    return element["type"] in _FIELDS


def beginning(element: Json, channel: str | None) -> Json:
    """The holding of an untouched element, in a view opened from `channel`."""
    kind = element["type"]
    field, first = _FIELDS[kind]
    value = element.get(first, [] if kind in _MANY else None)
    if value is None and element.get("default_to_current_conversation"):
        value = channel
    return {"type": kind, field: value}


def carried_over(blocks: list[Json], before: Mapping[str, Mapping[str, Json]], channel: str | None) -> Values:
    """The values of a view: what `before` holds for the same block_id, action_id and type is kept, as Slack
    keeps what was typed when a view is updated; a chosen option that is no longer offered is not."""
    made: Values = {}
    for block, element in elements(blocks):
        if not holds(element):
            continue
        held = before.get(block["block_id"], {}).get(element["action_id"])
        kept = held is not None and held["type"] == element["type"] and _offered(element, held)
        now = dict(held) if kept and held is not None else beginning(element, channel)
        made.setdefault(block["block_id"], {})[element["action_id"]] = now
    return made


def options_of(element: Json) -> list[Json]:
    """All options of a menu, groups included."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def _offered(element: Json, held: Json) -> bool:
    field = _FIELDS[element["type"]][0]
    if field not in {"selected_option", "selected_options"} or element["type"].endswith("external_select"):
        return True
    chosen = held[field] if isinstance(held[field], list) else [held[field]] if held[field] else []
    offered = {option["value"] for option in options_of(element)}
    return all(option["value"] in offered for option in chosen)


def put_in(state: "State", element: Json, given: Any) -> Json:
    """The holding after a person put `given` in: a text or number, the value of an option, a person's or
    channel's name or id, a file's id (a list of these where several are possible), None to empty it; or a
    ready holding with its `type`. Raises Refused for what the client does not offer."""
    kind = element["type"]
    field = _FIELDS[kind][0]
    if isinstance(given, dict) and given.get("type") == kind:
        given = _plain(given.get(field))
    if kind in _MANY:
        items = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
        return {"type": kind, field: [_one(state, element, field, item) for item in items]}
    if given is None or given == "":
        return {"type": kind, field: None}
    return {"type": kind, field: _one(state, element, field, given)}


def _plain(value: Any) -> Any:
    """Options by their values and files by their ids, as `put_in` takes them."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return (
        value.get("value", value.get("id"))
        if isinstance(value, dict) and value.get("type") is None
        else value
    )


def _one(state: "State", element: Json, field: str, given: Any) -> Any:
    if field == "files":
        file = given if isinstance(given, File) else state.files.get(str(given))
        if file is None or file.deleted:
            raise Refused(f"there is no file {given}")
        return files.file_json(state, file, in_event=True)
    if field.startswith("selected_option"):
        return _option(element, str(given))
    if field.startswith("selected_user"):
        return state.user_named(str(given)).id
    if field.startswith(("selected_conversation", "selected_channel")):
        return _room(state, element, str(given))
    return str(given) if field == "value" else given


def _option(element: Json, value: str) -> Json:
    for option in options_of(element):
        if option["value"] == value:
            return dict(option)
    raise Refused(f"{element['action_id']!r} has no option {value!r}")


def _room(state: "State", element: Json, given: str) -> str:
    room = state.channel_named(given)
    wanted = element.get("filter") or {}
    kinds = wanted.get("include") or (["public"] if "channels" in element["type"] else list(_KINDS.values()))
    hidden = _KINDS[room.kind] not in kinds or room.archived
    outside = wanted.get("exclude_external_shared_channels") and room.is_shared
    bots = wanted.get("exclude_bot_users") and room.kind == "im" and state.bot_user_id in room.members
    if hidden or outside or bots:
        raise Refused(f"{element['action_id']!r} does not offer {room.name or room.id}")
    return room.id


def refusal(block: Json, element: Json, held: Json) -> str | None:
    """Why the client does not submit this input: empty, too short or long, no number, too many files."""
    value = held[_FIELDS[element["type"]][0]]
    if value in (None, [], ""):
        return None if block.get("optional") else "is required"
    if element["type"] in {"plain_text_input", "number_input"}:
        return _text_refusal(element, str(value))
    if element["type"] == "file_input":
        return _file_refusal(element, value)
    most = element.get("max_selected_items")
    return f"takes at most {most}" if most and isinstance(value, list) and len(value) > most else None


def _text_refusal(element: Json, value: str) -> str | None:
    if element["type"] == "plain_text_input":
        if len(value) > element.get("max_length", 3000):
            return f"takes at most {element.get('max_length', 3000)} characters"
        short = len(value) < element.get("min_length", 0)
        return f"takes at least {element['min_length']} characters" if short else None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return "takes a number"
    if not element["is_decimal_allowed"] and number != int(number):
        return "takes a whole number"
    below = "min_value" in element and number < float(element["min_value"])
    above = "max_value" in element and number > float(element["max_value"])
    return "is out of range" if below or above else None


def _file_refusal(element: Json, held: list[Json]) -> str | None:
    if len(held) > element.get("max_files", 10):
        return f"takes at most {element.get('max_files', 10)} files"
    allowed = element.get("filetypes")
    for file in held:
        ending = str(file.get("name", "")).rpartition(".")[2].lower()
        if allowed and ending not in allowed:
            return f"takes no .{ending} files"
    return None
