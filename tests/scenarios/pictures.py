"""What a person sees of pictures: each with its line and its buttons, and pictures of their own to attach."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from sandbox.slack.model import File, Json, Message

_LINE = re.compile(r"v(\d+)(?: from v(\d+))? ·(?: <@(\w+)> ·)? \$([\d.,]*\d) ·")


@dataclass(frozen=True)
class Pictured:
    """One picture of a message, as a person sees it.

    ``line`` is what stands under it; ``parent`` the version after "from"; ``asker`` whom the line mentions;
    ``again`` the label of its button; ``menu`` what its menu offers, by its labels; ``id`` Darkroom's own.
    """

    message: Message
    file_id: str
    alt: str
    line: str
    version: int
    parent: int | None
    asker: str | None
    nano_usd: int
    id: str = ""
    again: str = ""
    menu: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    """The ``block_id`` in which each ``action_id`` stands."""

    @property
    def came_from(self) -> tuple[int, int | None]:
        """Its version and the one it was made from."""
        return self.version, self.parent


def pictures_in(message: Message) -> list[Pictured]:
    """The pictures that *message* shows, in their order, each with what stands under it."""
    found: list[Pictured] = []
    parts: list[list[Json]] = []
    for block in message.blocks:
        if block["type"] == "image":
            parts.append([block])
        elif parts:
            parts[-1].append(block)
    for image, *below in parts:
        line = " ".join(block["text"]["text"] for block in below if block["type"] == "section")
        facts = _LINE.search(line)
        if facts is None:
            continue
        elements = [(block, each) for block in below for each in block.get("elements", ())]
        buttons = {each["action_id"]: each for _, each in elements if "action_id" in each}
        menu = buttons.get("picture_menu", {}).get("options", ())
        again = buttons.get("picture_again", {})
        found.append(
            Pictured(
                message=message,
                file_id=image["slack_file"]["id"],
                alt=image["alt_text"],
                line=line,
                version=int(facts[1]),
                parent=int(facts[2]) if facts[2] else None,
                asker=facts[3],
                nano_usd=round(float(facts[4].replace(",", "")) * 1_000_000_000),
                id=again.get("value", ""),
                again=again.get("text", {}).get("text", ""),
                menu={option["text"]["text"]: option["value"] for option in menu},
                blocks={
                    each["action_id"]: block["block_id"] for block, each in elements if "action_id" in each
                },
            )
        )
    return found


def sha256_of(pictured: Pictured, files: Mapping[str, File]) -> str:
    """The SHA-256 of the bytes that Slack has of it."""
    return files[pictured.file_id].sha256


def png(width: int = 64, height: int = 64, colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    """A picture of somebody's own."""
    return _encoded(Image.new("RGB", (width, height), colour))


def mask_png(width: int, height: int, clear: float = 0.25) -> bytes:
    """A PNG whose left part, so much of it as *clear* says, is transparent."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, round(width * clear), height))
    return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    into = io.BytesIO()
    image.save(into, "PNG", compress_level=1)
    return into.getvalue()
