"""What somebody who is to be forgotten has left in Slack is taken back, one thing after another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import Left, Trace
from handlers.blocks.recalled import home_view, placeholder_view
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.meanings import Meaning, meaning
from handlers.posting import name_of
from handlers.recalling import GONE

logger = logging.getLogger("darkroom.handlers")

IN_VAIN_MAX = 3
"""After so many in a row that Slack did not answer, nothing more is tried."""
HOME = "Home"
"""Where the messages of a Home stand, in place of a channel's id."""
NOT_TRIED = "not tried, because Slack does not answer"
_ORDER = (Recall.FILE, Recall.MESSAGE, Recall.PLACEHOLDER)
_PASSING = frozenset({Meaning.UNCLEAR, Meaning.PASSING, Meaning.LATER})


async def take_back(
    slack: SlackClient, traces: Sequence[Trace], heard: Callable[[], None] = lambda: None
) -> list[Left]:
    """Delete files and messages, and write anew what opens a thread in which others go on; gives what is
    still there. *heard* is called after each.

    What is there no more is well. Where Slack does not know us any more, the rest is left as it is.
    """
    left: list[Left] = []
    in_vain = 0
    ordered = sorted(
        (each for each in traces if each.kind in _ORDER), key=lambda each: _ORDER.index(each.kind)
    )
    for number, trace in enumerate(ordered):
        try:
            await _take_back(slack, trace)
            in_vain = 0
        except (SlackRefused, SlackUnclear) as error:
            if isinstance(error, SlackRefused) and error.error in GONE:
                in_vain = 0
                continue
            why = meaning(error)
            left.append(Left(trace, name_of(error), why in _PASSING))
            in_vain = in_vain + 1 if why in _PASSING else 0
            rest = ordered[number + 1 :]
            if why is Meaning.REVOKED and not _of_one_thing(error):
                return left + [Left(each, name_of(error), passing=False) for each in rest]
            if in_vain >= IN_VAIN_MAX:
                return left + [Left(each, NOT_TRIED, passing=True) for each in rest]
        finally:
            heard()
    return left


async def empty_homes(slack: SlackClient, people: Sequence[str]) -> list[Left]:
    """Have the Home of each of *people* show nothing; gives those that could not be changed. Who cannot be
    shown anything any more sees nothing."""
    left: list[Left] = []
    for user_id in people:
        try:
            await slack.publish_home(user_id, home_view())
        except (SlackRefused, SlackUnclear) as error:
            why = meaning(error)
            if why is not Meaning.PERSON:
                left.append(Left(Trace(Recall.MESSAGE, HOME, user_id), name_of(error), why in _PASSING))
            if why in _PASSING or why is Meaning.REVOKED:
                return left
    return left


def _of_one_thing(error: SlackRefused | SlackUnclear) -> bool:
    """Whether other things may go well all the same: a missing scope concerns one method."""
    return isinstance(error, SlackRefused) and error.error in {"missing_scope", "access_denied"}


async def _take_back(slack: SlackClient, trace: Trace) -> None:
    if trace.kind is Recall.FILE:
        await slack.delete_file(trace.ref)
    elif trace.kind is Recall.MESSAGE:
        await slack.delete_message(trace.channel_id, trace.ref)
    else:
        view = placeholder_view()
        await slack.update_message(trace.channel_id, trace.ref, view.text, blocks=view.blocks)
