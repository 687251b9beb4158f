"""The dialogs under a picture: how many variations, which quality, once more for much money, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from darkroom.spending.money import format_usd
from darkroom.turns.model import Picture
from darkroom.turns.pricing import Quote
from handlers.blocks.prices import limit_tag, price_tag
from handlers.blocks.text import Block, context, section, shown

AGAIN_CALLBACK = "again"
VARIATIONS_CALLBACK = "variations"
HIGHER_CALLBACK = "higher_quality"
DELETE_CALLBACK = "delete_picture"
"""``callback_id`` of each dialog."""
CHOICE_BLOCK, CHOICE_ACTION = "choice", "choice"
"""Where the number of variations or the quality stands in a dialog's values."""

PROMPT_MAX = 300


def again_dialog(picture: Picture, quote: Quote, memo: str) -> Block:
    """Once more, for more money than is spent without asking. *memo* comes back when it is sent."""
    text = f"Another picture like v{picture.version} costs {_price(quote)}."
    return _dialog(AGAIN_CALLBACK, "Make it again?", "Make it", memo, (_about(picture), section(text)))


def variations_dialog(picture: Picture, prices: Mapping[int, Quote], memo: str, left: str = "") -> Block:
    """How many variations, at least one of *prices*; the fewest are chosen already. *left* says what money
    is left, where it may not be enough."""
    options = {
        str(number): f"{number} {'picture' if number == 1 else 'pictures'} · {_price(quote)}"
        for number, quote in prices.items()
    }
    blocks = (_about(picture), _choice("How many?", options), context(_billed(left)))
    return _dialog(VARIATIONS_CALLBACK, f"Variations of v{picture.version}", "Make them", memo, blocks)


def higher_dialog(picture: Picture, prices: Mapping[str, Quote], memo: str, left: str = "") -> Block:
    """Which quality, at least one of *prices* by its name; the first is chosen already. *left* as above."""
    options = {quality: f"{quality.capitalize()} · {_price(quote)}" for quality, quote in prices.items()}
    blocks = (
        _about(picture),
        _choice(f"Quality (now {picture.quality[:40]})", options),
        context(f"The picture is painted anew in that quality. {_billed(left)}"),
    )
    return _dialog(HIGHER_CALLBACK, f"Higher quality of v{picture.version}", "Paint it", memo, blocks)


def delete_dialog(picture: Picture, built_on: int, memo: str) -> Block:
    """What goes and what cannot be recalled, before it is done; *built_on* pictures were made from it."""
    goes = (
        f"This deletes v{picture.version} for everybody: from its message (and where it was shared or "
        "listed), its file in Slack, the bytes and the prompt that Darkroom keeps, and the answer that "
        "OpenAI stores."
    )
    stays = [
        f"its charge of {format_usd(picture.charged_nano_usd)}",
        "what people have seen, downloaded or copied",
        "your own messages, which hold the words you sent",
        "copies in backups, in Slack's exports and in OpenAI's logs, for as long as those are kept",
    ]
    if built_on:
        made = "the picture" if built_on == 1 else f"the {built_on} pictures"
        stays.append(f"{made} made from it")
    lines = "\n".join(f"• {one}" for one in stays)
    blocks = (_about(picture), section(goes), section(f"*What stays, and cannot be recalled*\n{lines}"))
    return _dialog(DELETE_CALLBACK, f"Delete v{picture.version}?", "Delete", memo, blocks)


def chosen_in(view: Mapping[str, Any]) -> str:
    """What was chosen in a dialog that was sent; nothing where nothing can be found."""
    found: Any = view.get("state")
    for key in ("values", CHOICE_BLOCK, CHOICE_ACTION, "selected_option", "value"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _price(quote: Quote) -> str:
    return f"likely {price_tag(quote.likely_nano_usd)}, at most {limit_tag(quote.at_most_nano_usd)}"


def _billed(left: str) -> str:
    billed = "What it really costs is charged to you; “at most” is held until then."
    return f"{left} {billed}" if left else billed


def _about(picture: Picture) -> Block:
    prompt = shown(picture.prompt, PROMPT_MAX) if picture.prompt.strip() else "a picture"
    return section(f"*v{picture.version}*: {prompt}")


def _choice(label: str, options: Mapping[str, str]) -> Block:
    listed = [{"text": _plain(text), "value": value} for value, text in options.items()]
    return {
        "type": "input",
        "block_id": CHOICE_BLOCK,
        "label": _plain(label),
        "element": {
            "type": "radio_buttons",
            "action_id": CHOICE_ACTION,
            "options": listed,
            "initial_option": listed[0],
        },
    }


def _dialog(callback_id: str, title: str, submit: str, memo: str, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "private_metadata": memo,
        "blocks": list(blocks),
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
