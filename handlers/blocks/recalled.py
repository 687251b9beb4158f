"""What stands where something was deleted, and what its person is told when it could not be."""

from __future__ import annotations

from collections.abc import Sequence

from darkroom.turns.erasing import Errand, Recall
from handlers.blocks.scopes import channel_words
from handlers.blocks.tables import fitting
from handlers.blocks.text import TEXT_MAX, Block, View, context, escape, truncate

PLACEHOLDER = "A picture was made here and deleted."

HOME = "Nothing is kept about you. Whatever you ask for starts from nothing."
"""In the Home of somebody who was forgotten, until they open it again."""

_WHAT = {
    Recall.MESSAGE: "its message in {where}",
    Recall.PLACEHOLDER: "the message in {where} that repeats what was asked for",
    Recall.FILE: "its file in Slack ({ref})",
    Recall.RESPONSE: "the stored answer at OpenAI ({ref})",
    Recall.BLOB: "its file on Darkroom's own disk ({ref})",
}
_HOW = {
    Recall.MESSAGE: "You, or an admin of this workspace, can delete it in Slack.",
    Recall.PLACEHOLDER: "An admin of this workspace can delete it in Slack.",
    Recall.FILE: "An admin of this workspace can delete it in Slack.",
    Recall.RESPONSE: "OpenAI drops stored answers by itself after 30 days.",
    Recall.BLOB: "Whoever runs Darkroom can delete it there.",
}


def placeholder_view() -> View:
    """In place of the message that repeated what was asked for: its thread may go on."""
    return View(PLACEHOLDER, (context(PLACEHOLDER),))


def home_view() -> Block:
    """In place of a Home that shows somebody's pictures and prompts."""
    return {"type": "home", "blocks": [context(HOME)]}


def left_view(left: Sequence[tuple[Errand, str]], an_admin: str) -> View:
    """What of the pictures that somebody deleted could not be recalled, each with Slack's word for why."""
    sentences = ["The picture that you deleted is gone here, but not all of it could be recalled."]
    for errand, why in left:
        what = _WHAT[errand.kind].format(
            where=channel_words(errand.channel_id), ref=escape(truncate(errand.ref, 80))
        )
        sentences.append(
            f"What is left: {what}, because of “{escape(truncate(why, 80))}”. {_HOW[errand.kind]}"
        )
    sentences.append(f"For anything else, ask {an_admin}.")
    return View(fitting(sentences, TEXT_MAX, ""), ())
