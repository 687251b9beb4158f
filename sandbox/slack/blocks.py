"""Block Kit as strict as Slack: unknown types and keys are refused, sizes are counted, files must exist.

Sizes: docs.slack.dev/reference/block-kit (November 2026), slack_sdk 3.47's validators.
"""

import copy
from collections.abc import Callable
from typing import Any, Final

from sandbox.slack import limits
from sandbox.slack.files import FILE_ID
from sandbox.slack.model import Json
from sandbox.slack.shapes import (
    Check,
    Findings,
    anything,
    boolean,
    integer,
    items,
    kinds,
    number,
    one_of,
    shape,
    string,
)

_ID = string(255, minimum=1)


def text(maximum: int, *allowed: str, minimum: int = 1) -> Check:
    """A text object, `plain_text` or `mrkdwn` (or only `allowed`)."""
    body = string(maximum, minimum=minimum)
    forms = {
        "plain_text": shape({"text": body}, {"emoji": boolean}),
        "mrkdwn": shape({"text": body}, {"verbatim": boolean}),
    }
    return kinds(forms, *allowed)


def _slack_file(value: Any, path: str, found: Findings) -> None:
    if not isinstance(value, dict):
        found.add("must be an object", path)
        return
    given = [key for key in ("id", "url") if key in value]
    extra = set(value) - {"id", "url"}
    malformed = "id" in value and not (isinstance(value["id"], str) and FILE_ID.match(value["id"]))
    if len(given) != 1 or extra:
        found.add("must define exactly one of: id, url", path)
    elif not found.files_allowed or malformed or found.file_refused(value):
        found.add("invalid slack file", path)


def _image(value: Any, path: str, found: Findings) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        found.add("must define exactly one of: image_url, slack_file", path)


def both(*checks: Check) -> Check:
    """All of these checks."""

    def check(value: Any, path: str, found: Findings) -> None:
        for each in checks:
            each(value, path, found)

    return check


_PLAIN = "plain_text"
_IMAGE_KEYS: Final = {"alt_text": string(2000, minimum=1)}
_IMAGE_SOURCES: Final = {"image_url": string(3000, minimum=1), "slack_file": _slack_file}
_OPTION = shape(
    {"text": text(75), "value": string(150, minimum=1)}, {"description": text(75), "url": string(3000)}
)
_CONFIRM = shape(
    {"title": text(100, _PLAIN), "text": text(300), "confirm": text(30, _PLAIN), "deny": text(30, _PLAIN)},
    {"style": one_of("primary", "danger")},
)
_OPTIONS = items(_OPTION, 100)
_GROUPS = items(shape({"label": text(75, _PLAIN), "options": _OPTIONS}), 100)
_COMMON: Final[dict[str, Check]] = {"action_id": _ID, "confirm": _CONFIRM, "focus_on_load": boolean}
_PICK: Final[dict[str, Check]] = {**_COMMON, "placeholder": text(150, _PLAIN)}
_MANY: Final[dict[str, Check]] = {"max_selected_items": integer(1)}


def _picker(**own: Check) -> tuple[Check, Check]:
    """A select of some kind, and its multi form."""
    single = shape({}, {**_PICK, **own, "response_url_enabled": boolean, "filter": anything})
    return single, shape({}, {**_PICK, **own, **_MANY, "filter": anything})


_STATIC, _MULTI_STATIC = _picker(
    options=_OPTIONS, option_groups=_GROUPS, initial_option=_OPTION, initial_options=_OPTIONS
)
_EXTERNAL, _MULTI_EXTERNAL = _picker(
    min_query_length=integer(0), initial_option=_OPTION, initial_options=_OPTIONS
)
_USERS, _MULTI_USERS = _picker(initial_user=string(), initial_users=items(string(), 100))
_ROOMS, _MULTI_ROOMS = _picker(
    initial_conversation=string(),
    initial_conversations=items(string(), 100),
    default_to_current_conversation=boolean,
)
_CHANNELS, _MULTI_CHANNELS = _picker(initial_channel=string(), initial_channels=items(string(), 100))

ELEMENTS: Final[dict[str, Check]] = {
    "button": shape(
        {"text": text(75, _PLAIN)},
        {
            "action_id": _ID,
            "url": string(3000),
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "confirm": _CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "workflow_button": shape({"text": text(75, _PLAIN), "workflow": anything, "action_id": _ID}),
    "icon_button": shape(
        {"icon": string(), "text": text(75, _PLAIN), "action_id": _ID},
        {
            "value": string(2000),
            "confirm": _CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": anything,
        },
    ),
    "feedback_buttons": shape({"positive_button": anything, "negative_button": anything}, {"action_id": _ID}),
    "image": both(shape(_IMAGE_KEYS, _IMAGE_SOURCES), _image),
    "overflow": shape({"options": items(_OPTION, 5)}, {"action_id": _ID, "confirm": _CONFIRM}),
    "static_select": _STATIC,
    "multi_static_select": _MULTI_STATIC,
    "external_select": _EXTERNAL,
    "multi_external_select": _MULTI_EXTERNAL,
    "users_select": _USERS,
    "multi_users_select": _MULTI_USERS,
    "conversations_select": _ROOMS,
    "multi_conversations_select": _MULTI_ROOMS,
    "channels_select": _CHANNELS,
    "multi_channels_select": _MULTI_CHANNELS,
    "checkboxes": shape({"options": items(_OPTION, 10)}, {**_COMMON, "initial_options": _OPTIONS}),
    "radio_buttons": shape({"options": items(_OPTION, 10)}, {**_COMMON, "initial_option": _OPTION}),
    "datepicker": shape({}, {**_PICK, "initial_date": string()}),
    "timepicker": shape({}, {**_PICK, "initial_time": string(), "timezone": string()}),
    "datetimepicker": shape({}, {**_COMMON, "initial_date_time": integer(0)}),
    "plain_text_input": shape(
        {},
        {
            **_PICK,
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": anything,
        },
    ),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {
            **_PICK,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
            "dispatch_action_config": anything,
        },
    ),
    "email_text_input": shape({}, {**_PICK, "initial_value": string(), "dispatch_action_config": anything}),
    "url_text_input": shape({}, {**_PICK, "initial_value": string(), "dispatch_action_config": anything}),
    "file_input": shape(
        {}, {"action_id": _ID, "filetypes": items(string(), 50), "max_files": integer(1, 10)}
    ),
    "rich_text_input": shape({}, {**_PICK, "initial_value": anything, "dispatch_action_config": anything}),
}
_SELECTS: Final = tuple(name for name in ELEMENTS if name.endswith("_select"))
_ACCESSORIES: Final = (
    "button",
    "image",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "workflow_button",
    *_SELECTS,
)
_ACTIONS: Final = (
    "button",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "workflow_button",
    "rich_text_input",
    *_SELECTS,
)
_INPUTS: Final = (
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "file_input",
    "rich_text_input",
    *_SELECTS,
)


def _section(value: Any, path: str, found: Findings) -> None:
    if "text" not in value and "fields" not in value:
        found.add("must define at least one of: text, fields", path)


def _unique_actions(value: Any, path: str, found: Findings) -> None:
    seen: set[str] = set()
    elements = value.get("elements")
    for index, element in enumerate(elements if isinstance(elements, list) else []):
        action = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(action, str) and action in seen:
            found.add(f'`action_id` "{action}" already exists', f"{path}/elements/{index}/action_id")
        seen.add(str(action))


def _even_rows(value: Any, path: str, found: Findings) -> None:
    rows = value.get("rows")
    if isinstance(rows, list) and len({len(row) for row in rows if isinstance(row, list)}) > 1:
        found.add("all rows must have the same number of cells", f"{path}/rows")


def _series_fit(value: Any, path: str, found: Findings) -> None:
    chart = value.get("chart")
    if not isinstance(chart, dict) or chart.get("type") == "pie":
        return
    axis, series = chart.get("axis_config"), chart.get("series")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    for index, one in enumerate(series if isinstance(series, list) else []):
        data = one.get("data") if isinstance(one, dict) else None
        labels = [point.get("label") for point in data or [] if isinstance(point, dict)]
        if labels != categories:
            found.add("labels must match axis_config categories", f"{path}/chart/series/{index}")


_INLINE = ("text", "link", "user", "usergroup", "channel", "emoji", "broadcast", "color", "date", "team")
_RICH_INLINE = items(kinds(dict.fromkeys(_INLINE, anything)), 1000, minimum=0)
_RICH_SECTION = shape({"elements": _RICH_INLINE})
_RICH: Final[dict[str, Check]] = {
    "rich_text_section": _RICH_SECTION,
    "rich_text_preformatted": shape(
        {"elements": _RICH_INLINE}, {"border": integer(0, 1), "language": string()}
    ),
    "rich_text_quote": shape({"elements": _RICH_INLINE}, {"border": integer(0, 1)}),
    "rich_text_list": shape(
        {
            "elements": items(kinds({"rich_text_section": _RICH_SECTION}), 1000),
            "style": one_of("bullet", "ordered"),
        },
        {"indent": integer(0, 8), "offset": integer(0), "border": integer(0, 1)},
    ),
}
_RICH_TEXT = shape({"elements": items(kinds(_RICH), 1000)}, {"block_id": _ID})
_CELLS: Final[dict[str, Check]] = {"rich_text": _RICH_TEXT, "raw_text": shape({"text": string(minimum=1)})}
_DATA_CELLS: Final[dict[str, Check]] = {**_CELLS, "raw_number": shape({"value": number}, {"text": string()})}
_POINTS = items(shape({"label": string(20, minimum=1), "value": number}), 20)
_XY = shape(
    {
        "series": items(shape({"name": string(20, minimum=1), "data": _POINTS}), 6),
        "axis_config": shape(
            {"categories": items(string(20, minimum=1), 20)}, {"x_label": string(50), "y_label": string(50)}
        ),
    }
)
_CHARTS: Final[dict[str, Check]] = {"pie": shape({"segments": _POINTS}), "bar": _XY, "area": _XY, "line": _XY}


def _block(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return shape(required, {"block_id": _ID, **(optional or {})})


def _buttons(maximum: int) -> Check:
    return items(kinds(ELEMENTS, "button", "icon_button", "feedback_buttons"), maximum)


_PICTURE = kinds(ELEMENTS, "image")
_CARD = _block(
    {},
    {
        "hero_image": _PICTURE,
        "icon": _PICTURE,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": _buttons(3),
    },
)
_CONTEXT_ITEM = kinds(
    {**{k: v for k, v in ELEMENTS.items() if k == "image"}, "plain_text": text(3000), "mrkdwn": text(3000)}
)

BLOCKS: Final[dict[str, Check]] = {
    "section": both(
        _block(
            {},
            {
                "text": text(3000),
                "fields": items(text(2000), 10),
                "accessory": kinds(ELEMENTS, *_ACCESSORIES),
                "expand": boolean,
            },
        ),
        _section,
    ),
    "divider": _block({}),
    "header": _block({"text": text(150, _PLAIN)}),
    "image": both(_block(_IMAGE_KEYS, {**_IMAGE_SOURCES, "title": text(2000, _PLAIN)}), _image),
    "actions": both(_block({"elements": items(kinds(ELEMENTS, *_ACTIONS), 25)}), _unique_actions),
    "context": _block({"elements": items(_CONTEXT_ITEM, 10)}),
    "context_actions": both(
        _block({"elements": items(kinds(ELEMENTS, "feedback_buttons", "icon_button"), 5)}), _unique_actions
    ),
    "input": _block(
        {"label": text(2000, _PLAIN), "element": kinds(ELEMENTS, *_INPUTS)},
        {"hint": text(2000, _PLAIN), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _RICH_TEXT,
    "markdown": _block({"text": string(12_000, minimum=1)}),
    "file": _block({"external_id": string(), "source": one_of("remote")}),
    "video": _block(
        {"alt_text": string(), "title": text(200, _PLAIN), "video_url": string(), "thumbnail_url": string()},
        {
            "title_url": string(),
            "description": text(200, _PLAIN),
            "provider_icon_url": string(),
            "provider_name": string(),
            "author_name": string(50),
        },
    ),
    "table": both(
        _block(
            {"rows": items(items(kinds(_CELLS), 20), 100)},
            {"column_settings": items(anything, 20, minimum=0)},
        ),
        _even_rows,
    ),
    "data_table": both(
        _block(
            {"caption": string(minimum=1), "rows": items(items(kinds(_DATA_CELLS), 20), 101, minimum=2)},
            {"page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
        ),
        _even_rows,
    ),
    "data_visualization": both(
        _block({"title": string(50, minimum=1), "chart": kinds(_CHARTS)}), _series_fit
    ),
    "card": _CARD,
    "carousel": _block({"elements": items(kinds({"card": _CARD}), 10)}),
    "alert": _block({"text": text(200)}, {"level": one_of("default", "info", "warning", "error", "success")}),
    "task_card": _block(
        {"task_id": string(), "title": string()},
        {
            "details": anything,
            "output": anything,
            "sources": anything,
            "status": one_of("pending", "in_progress", "complete", "error"),
        },
    ),
    "plan": _block({"title": anything}, {"tasks": items(anything, 50, minimum=0)}),
}
BLOCKS["container"] = _block(
    {"child_blocks": items(kinds(BLOCKS), 10)},
    {
        "title": text(150, _PLAIN),
        "rich_text_title": anything,
        "subtitle": text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": anything,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
)
_PER_MESSAGE: Final = {"table": 1, "data_visualization": 2}
_NOT_ON: Final = {"message": {"alert"}, "modal": {"markdown", "table", "data_table", "task_card", "plan"}}


def check_blocks(
    given: Any, *, surface: str, file_refused: Callable[[Json], bool], files_allowed: bool = True
) -> list[str]:
    """What Slack would put into `response_metadata.messages`; empty when the blocks are fine.

    `surface` is "message", "modal" or "home".
    """
    found = Findings(surface, file_refused, files_allowed)
    most = limits.BLOCKS_MESSAGE if surface == "message" else limits.BLOCKS_VIEW
    if not isinstance(given, list):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    items(kinds(BLOCKS), most, minimum=0)(given, "/blocks", found)
    seen: list[str] = []
    for index, block in enumerate(given):
        if not isinstance(block, dict):
            continue
        kind, block_id = str(block.get("type")), block.get("block_id")
        seen.append(kind)
        if kind in _NOT_ON.get(surface, ()):
            found.add(f"{kind} blocks are not allowed in a {surface}", f"/blocks/{index}")
        if seen.count(kind) > _PER_MESSAGE.get(kind, most):
            found.add(f"no more than {_PER_MESSAGE[kind]} {kind} blocks allowed", f"/blocks/{index}")
        if isinstance(block_id, str) and block_id in found.block_ids:
            found.add(f'`block_id` "{block_id}" already exists', f"/blocks/{index}/block_id")
        found.block_ids.add(str(block_id))
    return found.messages


def files_in(blocks: list[Json]) -> list[Json]:
    """Every `slack_file` object in the blocks, in order."""
    found: list[Json] = []

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if isinstance(inner := node.get("slack_file"), dict):
                found.append(inner)
            for value in node.values():
                walk(value)

    walk(blocks)
    return found


def as_returned(blocks: list[Json], mint: Callable[[], str], sizes: Callable[[Json], Json]) -> list[Json]:
    """Blocks as Slack keeps and returns them: every one with a `block_id`, images with facts that
    may not be sent back (`sizes` gives them for a `slack_file`)."""
    made = copy.deepcopy(blocks)
    for block in made:
        block.setdefault("block_id", mint())
        if block.get("type") == "image":
            known = sizes(block["slack_file"]) if "slack_file" in block else {}
            block |= {"fallback": block.get("alt_text", ""), "is_animated": False, **known}
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("type") in _ACTIONS:
                element.setdefault("action_id", mint())
    return made
