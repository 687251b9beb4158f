"""The one message that brings a picture."""

from __future__ import annotations

from darkroom.spending.money import format_usd
from darkroom.turns.model import Picture
from handlers.blocks.text import (
    ALT_TEXT_MAX,
    NAME_MAX,
    Block,
    View,
    mention,
    one_line,
    section,
    shown,
    truncate,
)

DETAILS_ACTION = "picture_details"
"""The ``action_id`` of the button; its value is the picture's id."""

PROMPT_MAX = 2_500
FILES_UNUSED = "attached files were not used"


def picture_view(
    picture: Picture, *, asker: str, file_id: str | None, show_model: bool, files_unused: bool
) -> View:
    """The picture with its line and its button; without a *file_id* only the line and the button.

    *asker* is a plain name for screen readers; the one mention of them is in the line, so that Slack
    notifies them once.
    """
    facts = [
        f"v{picture.version}",
        mention(picture.user_id),
        format_usd(picture.charged_nano_usd),
        "AI-generated",
    ]
    if show_model:
        facts.append(shown(picture.image_model, 200))
    if files_unused:
        facts.append(FILES_UNUSED)
    image: list[Block] = []
    if file_id is not None:
        image = [{"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text(picture)}]
    return View(
        text=spoken(picture, asker, show_model=show_model, files_unused=files_unused),
        blocks=(*image, section(" · ".join(facts)), _buttons(picture)),
    )


def alt_text(picture: Picture) -> str:
    """What a screen reader says of the picture: plain text, at most 2,000 characters."""
    text = f"AI-generated picture, version {picture.version}: {one_line(picture.prompt)}"
    # Plain text is not escaped, and brackets could pass for markup: typographic ones look the same.
    return truncate(text.replace("<", "\u2039").replace(">", "\u203a").replace("&", "+"), ALT_TEXT_MAX)


def spoken(picture: Picture, asker: str, *, show_model: bool, files_unused: bool) -> str:
    """Everything the message says, in words."""
    parts = [f"Version {picture.version} for {shown(asker, NAME_MAX)}: {shown(picture.prompt, PROMPT_MAX)}."]
    parts.append(f"Cost {format_usd(picture.charged_nano_usd)}, AI-generated.")
    if show_model:
        parts.append(f"Model {shown(picture.image_model, 200)}.")
    if files_unused:
        parts.append(f"{FILES_UNUSED.capitalize()}.")
    parts.append("The Details button shows how it was made.")
    return " ".join(parts)


def _buttons(picture: Picture) -> Block:
    details = {
        "type": "button",
        "action_id": DETAILS_ACTION,
        "text": {"type": "plain_text", "text": "Details"},
        "accessibility_label": f"Details of version {picture.version}",
        "value": picture.id,
    }
    return {"type": "actions", "elements": [details]}
