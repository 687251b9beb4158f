"""Showing a picture in another channel: the dialog that asks which, and the message that stands there."""

from __future__ import annotations

import json

from darkroom.spending.money import format_usd
from darkroom.turns.conversations import Share
from handlers.blocks.picture import Setting, controls, how_words, image_block, spoken, version_words
from handlers.blocks.text import (
    NAME_MAX,
    SECTION_MAX,
    Block,
    View,
    context,
    escape,
    isolate,
    section,
    shown,
    truncate,
)

CALLBACK = "share_picture"
CHANNEL_BLOCK, CHANNEL_INPUT = "share_channel", "channel"
COMMENT_BLOCK, COMMENT_INPUT = "share_comment", "comment"
COMMENT_MAX = 500
SPOKEN_MAX = 1_000


def share_dialog(picture_id: str, version: int, pressed_in: str) -> Block:
    """The dialog: a channel, and what one likes to say about it."""
    channel = {
        "type": "conversations_select",
        "action_id": CHANNEL_INPUT,
        "placeholder": _plain("Choose a channel"),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    comment = {
        "type": "plain_text_input",
        "action_id": COMMENT_INPUT,
        "multiline": True,
        "max_length": COMMENT_MAX,
        "placeholder": _plain("Say something about it"),
    }
    note = (
        f"Everybody there will see version {version}, the words it was made from, its price, and that you "
        "shared it. A reply of yours to it there goes on from it."
    )
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps({"picture": picture_id, "pressed_in": pressed_in}),
        "title": _plain("Share to channel"),
        "submit": _plain("Share"),
        "close": _plain("Cancel"),
        "blocks": [
            _input(CHANNEL_BLOCK, "Channel", channel),
            _input(COMMENT_BLOCK, "Comment", comment, optional=True),
            context(note),
        ],
    }


def shared_view(share: Share, sharer: str, file_id: str | None, link: str | None, setting: Setting) -> View:
    """The message in the other channel, which notifies nobody: *sharer* is a plain name, *link* leads to
    where it was made (None where only some could follow it)."""
    picture, who = share.picture, shown(sharer, NAME_MAX)
    comment = isolate(escape(truncate(share.comment, SECTION_MAX - 2)))
    facts = [
        version_words(picture),
        f"shared by {who}" + (f" from <{link}|its thread>" if link else ""),
        format_usd(picture.charged_nano_usd),
        "AI-generated",
        *([how] if (how := how_words(picture, setting)) else []),
    ]
    image = [image_block(picture, file_id)] if file_id is not None else []
    said = [
        f"{who} shared a picture.",
        *([f"They say: “{shown(share.comment, SPOKEN_MAX)}”."] if comment else []),
    ]
    return View(
        text=" ".join([*said, spoken([picture], setting)]),
        blocks=(
            *([section(comment)] if comment else []),
            *image,
            section(" · ".join(facts)),
            *controls(picture, setting.confirm_nano_usd),
        ),
    )


def _input(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    return {
        "type": "input",
        "block_id": block_id,
        "label": _plain(label),
        "element": element,
        "optional": optional,
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
