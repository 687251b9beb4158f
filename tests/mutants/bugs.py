"""Bugs that somebody could really make, each a change of one place, and which tests look there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bug:
    """In *file*, *right* (which stands there once) becomes *wrong*; some of *tests* must fail."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]

    def plant(self, root: Path) -> None:
        """Make the change in the tree at *root*."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        found = text.count(self.right)
        if found != 1:
            raise ValueError(f"{self.name}: what it changes stands {found} times in {self.file}")
        path.write_text(text.replace(self.right, self.wrong), encoding="utf-8")


BUGS = (
    Bug(
        "a hold is settled twice",
        "storage/attempts.py",
        "needed = \"('held', 'dispatched')\" if end is AttemptState.RELEASED else \"('dispatched')\"",
        "needed = \"('held', 'dispatched', 'settled', 'uncertain')\"",
        ("tests/storage/test_turn_store.py", "tests/storage/test_ledger_machine.py"),
    ),
    Bug(
        "a refused call's hold is not given back",
        "darkroom/turns/attempting.py",
        "        await self._give_back(failed, None)\n        purse.moved()\n",
        "        purse.moved()\n",
        ("tests/turns/test_making.py",),
    ),
    Bug(
        "Slack is answered before a message is on disk",
        "handlers/surfaces.py",
        "        process_before_response=True,\n",
        "        process_before_response=False,\n",
        ("tests/handlers/test_threads.py::test_an_event_that_breaks_is_not_acknowledged",),
    ),
    Bug(
        "the picture is posted before it is noted that posting begins",
        "handlers/showing.py",
        "        turn = await note(Told.POST_BEGUN, None)\n",
        "",
        (
            "tests/handlers/test_delivery.py::"
            "test_killed_between_a_file_and_its_words_the_picture_is_not_shown_twice",
        ),
    ),
    Bug(
        "a message that may have been posted is not looked for",
        "handlers/showing.py",
        "        if turn.post_begun_at is not None:\n",
        "        if turn.post_begun_at is not None and False:\n",
        ("tests/handlers/test_delivery.py",),
    ),
    Bug(
        "after a crash a call that was sent is given back, and sent again",
        "darkroom/turns/closing.py",
        "            if attempt.state is AttemptState.HELD:\n",
        "            if attempt.state in (AttemptState.HELD, AttemptState.DISPATCHED):\n",
        (
            "tests/turns/test_recovery.py::"
            "test_what_was_sent_without_a_name_is_uncertain_and_never_sent_again",
        ),
    ),
    Bug(
        "what Slack sends twice is taken twice",
        "storage/arrivals.py",
        "    if first is not None:\n",
        "    if first is not None and False:\n",
        ("tests/storage/test_arrivals.py", "tests/turns/test_intake.py"),
    ),
    Bug(
        "a call is sent before that is on disk",
        "darkroom/turns/sending.py",
        "        if not await self._store.send(attempt.id, self._clock.now()):\n"
        '            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")\n'
        "        if self._gate.over() is not None:\n"
        "            # It had its pass, and the gate has ended since.\n"
        "            return _NEVER_SENT\n"
        "        answer = await self._renderer.render(step.job, response_id_seen)\n",
        "        answer = await self._renderer.render(step.job, response_id_seen)\n"
        "        if not await self._store.send(attempt.id, self._clock.now()):\n"
        '            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")\n',
        ("tests/turns/test_making.py", "tests/turns/test_faults.py"),
    ),
    Bug(
        "a call that may have been paid for is given back as if it had cost nothing",
        "darkroom/turns/attempting.py",
        "            if failure is None or failure.billed is not Billed.NOTHING:\n",
        "            if failure is None or failure.billed is Billed.REPORTED:\n",
        ("tests/turns/test_making.py", "tests/turns/test_settling.py"),
    ),
    Bug(
        "a call that may have been paid for is tried with the next model",
        "darkroom/rendering/fallbacks.py",
        "    if failure.billed is not Billed.NOTHING:\n        return Stop()\n",
        "",
        ("tests/rendering/test_fallbacks.py",),
    ),
    Bug(
        "a request that the moderation refused is sent again with the next model",
        "darkroom/rendering/fallbacks.py",
        "        case FailureKind.ACCESS | FailureKind.MODEL_GONE:\n",
        "        case FailureKind.ACCESS | FailureKind.MODEL_GONE | FailureKind.MODERATION:\n",
        ("tests/rendering/test_fallbacks.py",),
    ),
    Bug(
        "nothing is charged for a call of which nobody knows what it cost",
        "darkroom/turns/settling.py",
        "        cost=attempt.bound,\n",
        "        cost=Cost((), 0),\n",
        ("tests/turns/test_settling.py",),
    ),
    Bug(
        "money that is held counts as free",
        "storage/budgets.py",
        "            own = min(amount, max(0, budget.cap_nano_usd - charged - held))\n",
        "            own = min(amount, max(0, budget.cap_nano_usd - charged))\n",
        ("tests/storage/test_turn_store.py", "tests/storage/test_ledger_machine.py"),
    ),
    Bug(
        "what has ended and was not told is forgotten at a start",
        "storage/turn_log.py",
        "                SELECT * FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL\n",
        "                SELECT * FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL"
        " AND state <> 'ended'\n",
        ("tests/turns/test_recovery.py", "tests/storage/test_turn_store.py"),
    ),
    Bug(
        "what was being made when Darkroom died is begun anew instead of being closed first",
        "darkroom/turns/recovering.py",
        "                entry.closing = turn.state is TurnState.WORKING\n",
        "",
        ("tests/turns/test_recovery.py", "tests/turns/test_thousand.py"),
    ),
    Bug(
        "the row of a picture is written although its file is not whole",
        "storage/blobs.py",
        "        self._file.flush()\n        os.fsync(self._file.fileno())\n        self._file.close()\n",
        "",
        ("tests/storage/test_blobs.py",),
    ),
    Bug(
        "a later request of a thread overtakes an earlier one",
        "darkroom/turns/line.py",
        "    return not request.opens_thread, request.order, entry.turn.id\n",
        '    return not request.opens_thread, "", entry.turn.id\n',
        (
            "tests/turns/test_worker.py::"
            "test_messages_that_arrive_the_wrong_way_round_are_made_in_their_order",
        ),
    ),
    Bug(
        "a placeholder stays when the turn has ended without a picture",
        "handlers/delivery.py",
        "        await self._close(turn, await self._without_picture(turn, ending))\n"
        "        await note(Told.PLACEHOLDER_CLOSED, None)\n",
        "        await note(Told.PLACEHOLDER_CLOSED, None)\n",
        ("tests/handlers/test_delivery.py",),
    ),
    Bug(
        "whoever tried a closed API in vain keeps the place of the one who tries",
        "darkroom/turns/api_gate.py",
        "        if passed.probe and passed.spell == self._breaker.spell:\n"
        "            self._breaker.probing = False\n",
        "",
        ("tests/turns/test_api_gate.py", "tests/turns/test_outages.py"),
    ),
    Bug(
        "after the API's 429 others go on asking",
        "darkroom/turns/rate.py",
        "        self._shut_until = max(self._shut_until, at + min(wait, LONGEST_WAIT_S))\n",
        "        self._shut_until = max(self._shut_until, at)\n",
        ("tests/turns/test_rate.py",),
    ),
    Bug(
        "a picture that Slack did not take is tried for a day instead of a week",
        "darkroom/turns/redelivering.py",
        "self._log.undelivered(now - PAID_FOR, now - SAID)",
        "self._log.undelivered(now - SAID, now - SAID)",
        ("tests/handlers/test_last.py",),
    ),
    Bug(
        "after Slack's 429 everybody goes on asking",
        "handlers/pacing.py",
        "        self._careful = True\n",
        "        self._closed_until = self._clock.monotonic()\n",
        ("tests/handlers/test_pacing.py",),
    ),
)

_MONEY = (
    "a refused call's hold is not given back",
    "after a crash a call that was sent is given back, and sent again",
    "a call that may have been paid for is given back as if it had cost nothing",
    "nothing is charged for a call of which nobody knows what it cost",
)
SIMULATED = tuple(bug for bug in BUGS if bug.name in _MONEY)
"""Bugs with money that simulated days notice by themselves, too, and within a few."""
