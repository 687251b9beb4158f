"""What the dialog says of what is edited, as ``mrkdwn``: short, since the dialog has to remember it."""

from __future__ import annotations

from collections.abc import Sequence

from darkroom.turns.model import Picture
from handlers.blocks.text import counted, shown

NAME_SHOWN_MAX, PROMPT_SHOWN_MAX = 40, 80

REWORDING = "This is what you asked for. Change the words, and send it off as a new request."
REWORDING_HERE = (
    "This is what you asked for. Change the words, and send it off as a new request: it comes in the same "
    "thread, unless you choose another place."
)
UNREADABLE = "I cannot read this message's picture: add it below."


def ours(pictures: Sequence[Picture]) -> str:
    """One or several pictures of Darkroom's own, by version."""
    first = pictures[0]
    if len(pictures) == 1:
        which = f"Editing Darkroom's *v{first.version}*"
        return f"{which}: {shown(first.prompt, PROMPT_SHOWN_MAX)}" if first.prompt.strip() else f"{which}."
    versions = [f"*v{one.version}*" for one in pictures]
    return f"This message has Darkroom's {', '.join(versions[:-1])} and {versions[-1]}. Choose which to edit."


def theirs(names: Sequence[str]) -> str:
    """Somebody's files, by name."""
    first = shown(names[0], NAME_SHOWN_MAX)
    if len(names) == 1:
        return f"Editing *{first}*."
    return f"Editing the {counted(len(names), 'picture', 'pictures')} of this message (*{first}* …)."


def go_along(inputs: int) -> str:
    """So many pictures went along with what is worded anew."""
    which = (
        "The picture that went along goes" if inputs == 1 else f"The {inputs:,} pictures that went along go"
    )
    return f"{which} along again."


def in_our_dm(us: str, channel_id: str) -> str:
    """Where the edit goes if it cannot go where it was asked for; *us* is our name as a mention."""
    if channel_id.startswith("D"):
        return "I cannot be in a direct message between others: the result comes to our own."
    return (
        f"I am not in this conversation, so the result comes to our direct message. To have it here, type "
        f"`/invite` {us} first."
    )
