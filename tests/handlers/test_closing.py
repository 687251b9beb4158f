"""A placeholder that the books do not know of goes all the same."""

from __future__ import annotations

from darkroom.turns.endings import Ending, Outcome, Reason
from handlers.closing import Closing
from tests.examples import StillClock
from tests.handlers.support import FakeSlack, ended

POSTED = "1763640000.000100"
BROKEN = Ending(Outcome.FAILED, Reason.BROKEN)
POOR = Ending(Outcome.DECLINED, Reason.NO_MONEY)


async def _closed(ending: Ending, *, posted: bool = True) -> FakeSlack:
    """What Slack was asked when a command's turn ended whose placeholder nobody has noted."""
    slack = FakeSlack()
    turn = ended(ending)
    if posted:
        slack.posted[turn.id] = POSTED
    assert await Closing(slack, StillClock()).close(turn, None) is None
    return slack


async def test_a_placeholder_that_was_posted_and_could_not_be_noted_is_found_and_taken_away() -> None:
    slack = await _closed(BROKEN)
    assert [call.method for call in slack.calls] == ["find_message", "delete_message"]
    assert slack.calls[-1].said["ts"] == POSTED


async def test_where_none_was_posted_there_is_nothing_to_take_away() -> None:
    slack = await _closed(BROKEN, posted=False)
    assert [call.method for call in slack.calls] == ["find_message"]


async def test_what_is_declined_at_once_never_had_one_and_is_not_looked_for() -> None:
    slack = await _closed(POOR)
    assert slack.calls == []
