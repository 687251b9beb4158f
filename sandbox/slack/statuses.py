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
    for over in [at for at, (_, until) in state.statuses.items() if until <= state.now()]:
        del state.statuses[over]
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
    state.spawn(_lapse(state, place, held))


async def _lapse(state: "State", place: Place, held: Held) -> None:
    """Once its time is over it is taken away, and whoever looks on is told; not what was said after it."""
    while (left := held[1] - state.now()) > 0:
        await state.sleep(left)
    if state.statuses.get(place) is held:
        del state.statuses[place]
        _tell(state, place, "")


def _tell(state: "State", place: Place, said: str) -> None:
    state.changed({"kind": "status", "channel": place[0], "thread_ts": place[1], "status": said})
