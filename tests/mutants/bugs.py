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
        ("tests/storage",),
    ),
    Bug(
        "a refused call's hold is not given back",
        "darkroom/turns/attempting.py",
        "        await self._store.fall_back(attempt.id, why, None, self._caps, self._clock.now())\n",
        "",
        ("tests/turns",),
    ),
    Bug(
        "Slack is answered before the request is on disk",
        "handlers/commands/imagine.py",
        "        arrival = await services.intake.accept(request)\n        await ack()\n",
        "        await ack()\n        arrival = await services.intake.accept(request)\n",
        ("tests/handlers",),
    ),
    Bug(
        "the picture is posted before it is noted that posting begins",
        "handlers/showing.py",
        "        turn = await note(Told.POST_BEGUN, None)\n",
        "",
        ("tests/handlers",),
    ),
    Bug(
        "a message that may have been posted is not looked for",
        "handlers/showing.py",
        "        if turn.post_begun_at is not None:\n",
        "        if turn.post_begun_at is not None and False:\n",
        ("tests/handlers",),
    ),
    Bug(
        "after a crash a call that was sent is given back, and sent again",
        "darkroom/turns/closing.py",
        "            if attempt.state is AttemptState.HELD:\n",
        "            if attempt.state in (AttemptState.HELD, AttemptState.DISPATCHED):\n",
        ("tests/turns",),
    ),
    Bug(
        "what Slack sends twice is taken twice",
        "storage/arrivals.py",
        "    if first is not None:\n",
        "    if first is not None and False:\n",
        ("tests/storage", "tests/turns"),
    ),
    Bug(
        "a call is sent before that is on disk",
        "darkroom/turns/attempting.py",
        "        if not await self._store.send(attempt.id, self._clock.now()):\n"
        '            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")\n'
        "        answer = await self._renderer.render(step.job, response_id_seen)\n",
        "        answer = await self._renderer.render(step.job, response_id_seen)\n"
        "        if not await self._store.send(attempt.id, self._clock.now()):\n"
        '            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")\n',
        ("tests/turns",),
    ),
    Bug(
        "a call that may have been paid for is tried with the next model",
        "darkroom/rendering/fallbacks.py",
        "    if failure.billed is Billed.UNKNOWN:\n        return Stop()\n",
        "",
        ("tests/rendering", "tests/turns"),
    ),
    Bug(
        "nothing is charged for a call of which nobody knows what it cost",
        "darkroom/turns/settling.py",
        "        cost=attempt.bound,\n",
        "        cost=Cost((), 0),\n",
        ("tests/turns",),
    ),
    Bug(
        "money that is held counts as free",
        "storage/budgets.py",
        "            own = min(amount, max(0, budget.cap_nano_usd - charged - held))\n",
        "            own = min(amount, max(0, budget.cap_nano_usd - charged))\n",
        ("tests/storage",),
    ),
    Bug(
        "what has ended and was not told is forgotten at a start",
        "storage/turn_log.py",
        "                SELECT * FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL\n",
        "                SELECT * FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL"
        " AND state <> 'ended'\n",
        ("tests/turns", "tests/storage"),
    ),
    Bug(
        "the row of a picture is written although its file is not whole",
        "storage/blobs.py",
        "        self._file.flush()\n        os.fsync(self._file.fileno())\n        self._file.close()\n",
        "",
        ("tests/storage", "tests/rendering"),
    ),
    Bug(
        "a later request of a thread overtakes an earlier one",
        "darkroom/turns/line.py",
        "    return not request.opens_thread, request.order, entry.turn.id\n",
        '    return not request.opens_thread, "", entry.turn.id\n',
        ("tests/turns",),
    ),
    Bug(
        "a placeholder stays when the turn has ended without a picture",
        "handlers/delivery.py",
        "        await self._placeholders.close(turn, view)\n",
        "",
        ("tests/handlers",),
    ),
)
