"""Block Kit as strict as Slack: unknown types and keys are refused, sizes are counted, files must exist.

Sizes: docs.slack.dev/reference/block-kit (November 2026), slack_sdk 3.47's validators.
"""

import copy
import json
from collections.abc import Callable
from typing import Any, Final

from sandbox.slack import limits
from sandbox.slack.elements import (
    ACCESSORIES,
    ACTIONS,
    ELEMENTS,
    ID,
    IMAGE_KEYS,
    IMAGE_SOURCES,
    INPUTS,
    PLAIN,
    one_source,
    text,
)
from sandbox.slack.model import Json
from sandbox.slack.shapes import (
    Check,
    Findings,
    anything,
    boolean,
    both,
    integer,
    items,
    kinds,
    number,
    one_of,
    shape,
    string,
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


def _plain_header(value: Any, path: str, found: Findings) -> None:
    rows = value.get("rows")
    head = rows[0] if isinstance(rows, list) and rows else None
    for index, cell in enumerate(head if isinstance(head, list) else []):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            found.add("rich_text is not allowed in the header", f"{path}/rows/0/{index}")


def _series_fit(value: Any, path: str, found: Findings) -> None:
    chart = value.get("chart")
    if not isinstance(chart, dict) or chart.get("type") == "pie":
        return
    axis, series = chart.get("axis_config"), chart.get("series")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    for index, one in enumerate(series if isinstance(series, list) else []):
        data = one.get("data") if isinstance(one, dict) else None
        points = data if isinstance(data, list) else []
        labels = [point.get("label") for point in points if isinstance(point, dict)]
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
_RICH_TEXT = shape({"elements": items(kinds(_RICH), 1000)}, {"block_id": ID})
_CELLS: Final[dict[str, Check]] = {
    "rich_text": _RICH_TEXT,
    "raw_text": shape({"text": string(minimum=1)}),
    "raw_number": shape({"value": number, "text": string(minimum=1)}),
}
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
    return shape(required, {"block_id": ID, **(optional or {})})


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
                "accessory": kinds(ELEMENTS, *ACCESSORIES),
                "expand": boolean,
            },
        ),
        _section,
    ),
    "divider": _block({}),
    "header": _block({"text": text(150, PLAIN)}),
    "image": both(_block(IMAGE_KEYS, {**IMAGE_SOURCES, "title": text(2000, PLAIN)}), one_source),
    "actions": both(_block({"elements": items(kinds(ELEMENTS, *ACTIONS), 25)}), _unique_actions),
    "context": _block({"elements": items(_CONTEXT_ITEM, 10)}),
    "context_actions": both(
        _block({"elements": items(kinds(ELEMENTS, "feedback_buttons", "icon_button"), 5)}), _unique_actions
    ),
    "input": _block(
        {"label": text(2000, PLAIN), "element": kinds(ELEMENTS, *INPUTS)},
        {"hint": text(2000, PLAIN), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _RICH_TEXT,
    "markdown": _block({"text": string(12_000, minimum=1)}),
    "file": _block({"external_id": string(), "source": one_of("remote")}),
    "video": _block(
        {"alt_text": string(), "title": text(200, PLAIN), "video_url": string(), "thumbnail_url": string()},
        {
            "title_url": string(),
            "description": text(200, PLAIN),
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
            {"caption": string(minimum=1), "rows": items(items(kinds(_CELLS), 20), 101, minimum=2)},
            {"page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
        ),
        _even_rows,
        _plain_header,
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
        "title": text(150, PLAIN),
        "rich_text_title": anything,
        "subtitle": text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": anything,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
)
_INTERACTIVE: Final = frozenset(ELEMENTS) - {"image"}
_PER_MESSAGE: Final = {"table": 1, "data_visualization": 2}
_TABLES: Final = ("table", "data_table")
CELL_CHARACTERS: Final = 10_000
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
    if not _is_json(given):
        return ["[ERROR] must be JSON, which has no NaN and no Infinity [json-pointer:/blocks]"]
    items(kinds(BLOCKS), most, minimum=0)(given, "/blocks", found)
    seen: list[str] = []
    for index, block in enumerate(given[:most]):
        if not isinstance(block, dict):
            continue
        kind, block_id = str(block.get("type")), block.get("block_id")
        seen.append(kind)
        element = block.get("element")
        if surface != "modal" and isinstance(element, dict) and element.get("type") == "file_input":
            found.add("unsupported element: file_input", f"/blocks/{index}/element")
        if kind in _NOT_ON.get(surface, ()):
            found.add(f"{kind} blocks are not allowed in a {surface}", f"/blocks/{index}")
        if kind in _PER_MESSAGE and seen.count(kind) > _PER_MESSAGE[kind]:
            found.add(f"no more than {_PER_MESSAGE[kind]} {kind} blocks allowed", f"/blocks/{index}")
        if isinstance(block_id, str) and block_id in found.block_ids:
            found.add(f'`block_id` "{block_id}" already exists', f"/blocks/{index}/block_id")
        found.block_ids.add(str(block_id))
    tables = [block for block in given[:most] if isinstance(block, dict) and block.get("type") in _TABLES]
    if _characters_in_cells(tables) > CELL_CHARACTERS:
        found.add(f"no more than {CELL_CHARACTERS} characters allowed in the cells of a message", "/blocks")
    return found.messages


def _is_json(given: Any) -> bool:
    try:
        json.dumps(given, allow_nan=False)
    except ValueError:
        return False
    return True


def _characters_in_cells(node: Any) -> int:
    if isinstance(node, list):
        return sum(_characters_in_cells(item) for item in node)
    if not isinstance(node, dict):
        return 0
    text = node.get("text")
    inside = sum(_characters_in_cells(node.get(key)) for key in ("rows", "elements"))
    return inside + (len(text) if isinstance(text, str) else 0)


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
        for element in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and element.get("type") in _INTERACTIVE:
                element.setdefault("action_id", mint())
    return made
