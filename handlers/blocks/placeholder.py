"""The message that stands in the channel while pictures are being made, and what becomes of it."""

from __future__ import annotations

from darkroom.spending.money import format_usd
from darkroom.turns.model import Turn
from handlers.blocks.buttons import actions, button
from handlers.blocks.text import NAME_MAX, Block, View, context, counted, escape, section, shown

CANCEL_ACTION = "cancel_turn"
"""The ``action_id`` of the button that calls off what waits; its value is the turn's id."""
CANCEL = "Cancel"
_CALLS_OFF = f"The button “{CANCEL}” calls it off; then nothing is charged."

PROMPT_MAX = 1_500
PROMPT_SHOWN_MAX = 80
"""As much of a prompt as names a request to who made it."""


def working(name: str, prompt: str, at_most_nano_usd: int, wanted: int = 1) -> View:
    """Taken in: who asked (*name* is escaped here and notifies nobody), for what, and its highest price."""
    price = format_usd(at_most_nano_usd)
    costs = f"it costs at most {price}" if wanted == 1 else f"together they cost at most {price}"
    said = f"Working on it; {costs}."
    return _view(name, prompt, wanted, said, f"Working on it · at most {price}")


def waiting(turn: Turn, name: str, at_most_nano_usd: int, wait: str) -> View:
    """The same while it has to *wait* (``mrkdwn``: a clause without a full stop), with the way to call it
    off."""
    price, request = format_usd(at_most_nano_usd), turn.request
    said = f"Waiting: {wait}. It costs at most {price}. {_CALLS_OFF}"
    view = _view(name, request.prompt, request.wanted, said, f"Waiting: {wait} · at most {price}")
    return View(view.text, (*view.blocks, _cancel(turn)))


def done(
    name: str, prompt: str, versions: tuple[int, int], cost_nano_usd: int, link: str | None, wanted: int = 1
) -> View:
    """The pictures, from the first to the last of *versions*, are in the thread; *link* leads to them (None
    where Slack gave no link)."""
    first, last = versions
    between = "and" if last == first + 1 else "to"
    label = f"v{first} is" if first == last else f"v{first} {between} v{last} are"
    price = format_usd(cost_nano_usd)
    linked = f"<{escape(link)}|{label} in the thread>" if link else f"{label} in the thread"
    return _view(name, prompt, wanted, f"Done: {linked}, {price}.", f"Done · {linked} · {price}")


def kept(name: str, prompt: str, wanted: int = 1) -> View:
    """Made, and Slack does not take it just now."""
    return _view(
        name,
        prompt,
        wanted,
        "Made and kept; Slack does not take it just now, and it comes as soon as it does.",
        "Made and kept · comes as soon as Slack takes it",
    )


def answered(name: str, prompt: str) -> View:
    """There is no picture: the answer in the thread is in words."""
    return _view(name, prompt, 1, "Answered in words, in the thread.", "Answered in words, in the thread")


def pressed(wanted: int, at_most_nano_usd: int) -> str:
    """What whoever pressed a button reads at once, alone."""
    what = counted(wanted, "picture", "pictures")
    return f"Working on it: {what}, at most {format_usd(at_most_nano_usd)}, here in the thread."


def waits(turn: Turn, at_most_nano_usd: int, wait: str) -> View:
    """What whoever asked without a message of ours reads, alone, while it has to *wait* (as above)."""
    what = shown(turn.request.prompt, PROMPT_SHOWN_MAX) if turn.request.prompt.strip() else "a picture"
    said = f"Your request waits ({what}): {wait}. It costs at most {format_usd(at_most_nano_usd)}."
    return View(f"{said} {_CALLS_OFF}", (section(said), _cancel(turn)))


def _cancel(turn: Turn) -> Block:
    return actions(button(CANCEL_ACTION, CANCEL, turn.id, label="Cancel this request; nothing is charged"))


def elsewhere(link: str | None) -> str:
    """What whoever asked in a channel for something private reads there, alone."""
    place = f"<{escape(link)}|our direct message>" if link else "our direct message"
    return f"Working on it in {place}: only you see it there."


def _view(name: str, prompt: str, wanted: int, said: str, noted: str) -> View:
    who, what = shown(name, NAME_MAX), shown(prompt, PROMPT_MAX)
    pictures = "a picture" if wanted == 1 else f"{wanted} pictures"
    return View(
        text=f"{who} asked Darkroom for {pictures}: {what}. {said}",
        blocks=(section(f"*{who}* asked for {pictures}:\n{what}"), context(noted)),
    )
