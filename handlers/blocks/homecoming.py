"""A picture in the direct message with whoever asked for it, though it was made for another place."""

from __future__ import annotations

from darkroom.spending.money import format_usd
from darkroom.turns.model import Picture
from handlers.blocks.picture import Setting, controls, how_words, image_block, spoken, version_words
from handlers.blocks.text import View, section


def home_view(said: str, picture: Picture, file_id: str | None, link: str | None, setting: Setting) -> View:
    """The message: *said* (``mrkdwn``) is why it comes, *link* leads to where it was made. Without a file
    that stands above as one of its own."""
    facts = [
        version_words(picture) + (f", for <{link}|its thread>" if link else ""),
        format_usd(picture.charged_nano_usd),
        "AI-generated",
        *([how] if (how := how_words(picture, setting)) else []),
    ]
    image = [image_block(picture, file_id)] if file_id is not None else []
    return View(
        text=f"{said} {spoken([picture], setting)}",
        blocks=(
            section(said),
            *image,
            section(" · ".join(facts)),
            *controls(picture, setting.confirm_nano_usd),
        ),
    )
