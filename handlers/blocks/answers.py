"""What a person alone reads of a turn without a picture, with the buttons that go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Turn
from handlers.blocks.buttons import actions, button
from handlers.blocks.more_money import refusal_view
from handlers.blocks.prices import limit_tag
from handlers.blocks.text import View, section

IN_DM_ACTION = "make_in_dm"
"""The ``action_id`` of "Make it in our DM"; its value is the turn's id."""
EDIT_LAST_ACTION, MAKE_NEW_ACTION = "edit_last", "make_new"
"""The two answers to what reads like a change of the last picture; their values are the turn's id."""
REWORD_ACTION = "reword"
"""Opens the dialog with what moderation did not accept; its value is the turn's id."""

IN_DM = "Make it in our DM"
REWORD = "Reword…"


def answer_view(turn: Turn, ending: Ending, text: str) -> View:
    """*text* (``mrkdwn``, already escaped) and the buttons that *ending* calls for; it names them, too."""
    if ending.reason is Reason.EDIT_OR_NEW:
        version = ending.details.get("version", "")
        what = _priced(f"Edit v{version}" if version else "Edit it", ending, "edit_nano_usd")
        edit = button(EDIT_LAST_ACTION, what, turn.id, style="primary")
        new = button(MAKE_NEW_ACTION, _priced("New picture", ending, "new_nano_usd"), turn.id)
        labels = f"“{edit['text']['text']}” and “{new['text']['text']}”"
        return _view(text, f"The buttons {labels} answer it.", edit, new)
    if ending.reason in (Reason.NOT_IN_CHANNEL, Reason.CANNOT_POST) and not turn.request.private:
        what = _priced(IN_DM, ending, "at_most_nano_usd")
        make = button(IN_DM_ACTION, what, turn.id, style="primary")
        return _view(text, f"The button “{what}” makes it there.", make)
    if may_be_reworded(ending):
        return _rewording(turn, text)
    return refusal_view(turn, text)


def rest_view(turn: Turn, text: str) -> View:
    """Why some of the wanted pictures did not come (as above), and what can be done about it."""
    if turn.ending is not None and may_be_reworded(turn.ending):
        return _rewording(turn, text)
    return View(text, (section(text),))


def may_be_reworded(ending: Ending) -> bool:
    """Whether moderation stopped it, or some of its pictures."""
    return Reason.MODERATION in (ending.reason, ending.details.get("rest"))


def _rewording(turn: Turn, text: str) -> View:
    reword = button(
        REWORD_ACTION, REWORD, turn.id, style="primary", label="Reword it: opens the dialog with your words"
    )
    return _view(text, f"The button “{REWORD}” opens the dialog with what you asked for.", reword)


def _view(text: str, buttons: str, *elements: Mapping[str, Any]) -> View:
    return View(f"{text} {buttons}", (section(text), actions(*elements)))


def _priced(label: str, ending: Ending, key: str) -> str:
    """*label* with the most that pressing it can cost, where *ending* knows that."""
    at_most = ending.details.get(key)
    return f"{label} · up to {limit_tag(at_most)}" if isinstance(at_most, int) else label
