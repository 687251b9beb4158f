"""What whoever presses something under a picture reads, alone: what it does, or why it cannot any more."""

from __future__ import annotations

from collections.abc import Sequence

from darkroom.turns.endings import Outcome
from darkroom.turns.erasing import Erased
from darkroom.turns.model import Picture, Turn, TurnState
from handlers.blocks.text import mention
from handlers.words import Voice

GONE = "Darkroom has no record of this picture any more. Reply in the thread to make another."
NOT_ASKED_BY_YOU = "Only the person who asked can answer this."
OVER = "This question is over. Send your request again."
WORDS_DELETED = (
    "The words of this request are not kept any more, so nothing can be made of them. Send what you want as "
    "a new request."
)
WORDLESS = (
    "The words of this picture are not kept any more, so it cannot be made again or varied. Reply in its "
    "thread with what should be different."
)
HIGHEST = "There is no higher quality that you may use here. The menu's “Edit this one” changes the picture."


def deleted(version: int) -> str:
    """A button under a picture that was deleted."""
    return f"v{version} was deleted, so nothing was made. Reply in the thread to make another picture."


def chosen(version: int) -> str:
    """A version was chosen to go on from."""
    return (
        f"The next request in this thread changes v{version}, whatever came after it. Reply here with what "
        "should be different."
    )


def chosen_where_shared(version: int) -> str:
    """The same where the picture was shared from another thread."""
    return f"Reply in the thread of this message with what should be different: it changes v{version}."


def not_of_here(version: int) -> str:
    """It was pressed where the picture is neither made nor known to be shared."""
    return (
        f"A reply here does not change v{version}. Press “Variations…” here, or choose “Edit this one” in "
        f"the thread that v{version} comes from."
    )


def pressed_before(turn: Turn, pictures: Sequence[Picture], user_id: str, ending: str) -> str:
    """A button that acts once was pressed again: who pressed it first and what came of it. *ending* is the
    sentence of that turn's end, which only its own person reads."""
    own = turn.request.user_id == user_id
    who = "You have" if own else f"{mention(turn.request.user_id)} has"
    head = f"{who} pressed this already"
    if turn.state is not TurnState.ENDED or turn.ending is None:
        return f"{head}: it is being made. Nothing more was started."
    if turn.ending.outcome is Outcome.PICTURES:
        versions = ", ".join(f"v{picture.version}" for picture in pictures) or "a picture"
        return f"{head}: it became {versions}. For one more, press Again or Variations under that one."
    came = f"no picture came of it. {ending}" if own else "no picture came of it."
    return f"{head}: {came} To ask anew, reply in the thread."


def deleting_not_yours(voice: Voice) -> str:
    """Somebody else wants a picture deleted."""
    return f"Only who asked for a picture and admins can delete it. Ask them, or {voice.an_admin}."


def erased(done: Erased) -> str:
    """What deleting has done, and what is left."""
    version = done.picture.version
    if not done.first:
        return f"v{version} had been deleted before."
    said = [f"v{version} is deleted, and is being taken out of Slack and of OpenAI's store."]
    if done.asked_in_words:
        said.append(
            "The message that asked for it is not mine: delete it yourself if its words should go, too."
        )
    if done.built_on:
        if done.built_on == 1:
            said.append("1 picture that was made from it still shows what it shows.")
        else:
            said.append(f"{done.built_on} pictures that were made from it still show what they show.")
    return " ".join(said)


EDITING = "Editing your last picture: the new version comes in its thread."
MAKING_NEW = "Making a new picture: it comes in the thread of your message."
"""What becomes of the question whether to edit or to make anew."""
