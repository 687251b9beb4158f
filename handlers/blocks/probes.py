"""What the doctor shows in a real Slack to find out how it looks there."""

from __future__ import annotations

from handlers.blocks.buttons import actions, button
from handlers.blocks.tables import Cell, Row, Style, table_blocks
from handlers.blocks.text import Block, View, section

OPENING = (
    "Darkroom's doctor is trying out what this Slack shows. Everything it posts here is deleted again in "
    "a few minutes."
)
REPLY = "Whoever runs it: please reply to this message, in its thread, with any word."
BEFORE, AFTER = "Before", "After"
_UNHEARD_INPUT = "doctor_probe"
"""A press of it is acknowledged, and nobody listens."""
_ALT = "A test picture: a blue circle on white."
_DAYS = (("Mon", 1.25), ("Tue", 0.5), ("Wed", 2.0))


def opening_view() -> View:
    """The first message, which everything else hangs on."""
    return View(f"{OPENING} {REPLY}", (section(OPENING), section(REPLY)))


def picture_view(file_id: str, label: str) -> View:
    """A message with a picture and a button under it, which says *label*."""
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": _ALT}
    pressed = button(_UNHEARD_INPUT, label, label, label=f"{label}: this button does nothing")
    return View(f"{_ALT} Under it is a button that says {label}.", (image, actions(pressed)))


def table_view() -> View:
    """A message with Slack's sortable table, made as the reports make it."""
    rows: list[Row] = [(Cell(day), Cell(f"${usd:.2f}", usd)) for day, usd in _DAYS]
    blocks, _ = table_blocks("A test table", ("Day", "Spent"), rows, [], Style.DATA_TABLE)
    return View("A test table: three days, and what was spent on each.", tuple(blocks))


def chart_view() -> View:
    """A message with Slack's own chart, of the form that the reports use."""
    days = [day for day, _ in _DAYS]
    series = [{"name": "Spent", "data": [{"label": day, "value": usd} for day, usd in _DAYS]}]
    axis = {"categories": days, "x_label": "Day", "y_label": "US dollars"}
    chart = {"type": "bar", "series": series, "axis_config": axis}
    block = {"type": "data_visualization", "title": "A test chart", "chart": chart}
    return View("A test chart: three days, and what was spent on each.", (block,))


def looking_view() -> View:
    """A message that is there for a moment, to learn where it stands."""
    said = "Darkroom's doctor is looking for a message that it may have left here."
    return View(said, (section(said),))


def home_view(file_id: str) -> Block:
    """A Home tab with the picture."""
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": _ALT}
    return {"type": "home", "blocks": [section("Darkroom's doctor shows a test picture here:"), image]}


def home_after_view() -> Block:
    """What stays in the Home tab until the bot shows the real one."""
    said = "Darkroom's doctor was here. Go to another tab and come back: then this is your Home again."
    return {"type": "home", "blocks": [section(said)]}
