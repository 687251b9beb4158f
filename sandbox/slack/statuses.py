"""What the app says it is doing in a thread (assistant.threads.setStatus), and that it lapses by itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.slack import limits

if TYPE_CHECKING:
    from sandbox.slack.state import State

Place = tuple[str, str]
"""A channel, and the stamp of a thread's parent in it."""
Held = tuple[str, float]
"""What is said, and until when (seconds)."""


def say(state: "State", place: Place, said: str) -> None:
    """The app does that there from now on, for two minutes; with nothing it does nothing any more."""
    state.statuses.pop(place, None)
    if said:
        _show(state, place, (said, state.now() + limits.STATUS_S))
    _tell(state, place, said)


def bring_back(state: "State", statuses: Mapping[Place, Held]) -> None:
    """What was said before a restart is shown for as long as is left."""
    state.statuses = {}
    for place, held in statuses.items():
        _show(state, place, held)


def _show(state: "State", place: Place, held: Held) -> None:
    state.statuses[place] = held
    if place not in state.lapsing:
        state.lapsing.add(place)
        state.spawn(_lapse(state, place))


async def _lapse(state: "State", place: Place) -> None:
    """What is said there when its time is over is taken away, and whoever looks on is told. There is one of
    these for a place, however often something is said in it."""
    while held := state.statuses.get(place):
        if (left := held[1] - state.now()) > 0:
            await state.sleep(left)
        else:
            del state.statuses[place]
            _tell(state, place, "")
    state.lapsing.discard(place)


def _tell(state: "State", place: Place, said: str) -> None:
    state.changed({"kind": "status", "channel": place[0], "thread_ts": place[1], "status": said})
