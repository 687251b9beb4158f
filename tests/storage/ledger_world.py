"""What people, calls and admins do, done to the real ledger and to the model of it alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from darkroom.spending.budgets import Barred, MustWait, NoMoney
from darkroom.spending.changes import (
    Author,
    CannotChange,
    Change,
    Correct,
    Entry,
    GiveGrant,
    Owner,
    RevokeGrant,
    SetCap,
)
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Told, Turn
from darkroom.turns.store import NotWaiting, Plan
from storage.ledger import LedgerFault
from tests.examples import command, plan, settlement
from tests.storage import ledger_decisions
from tests.storage.ledger_checks import Compared, done
from tests.storage.ledger_model import OPEN, Admitted, Call, Given, Short, Who

USUAL = ("gpt-image-2", "medium")
"""The model and the quality of most requests."""


class Twins(Compared):
    """The real one and the model, which must never differ."""

    _attempts = 0

    # --- Turns and calls ---------------------------------------------------------------------------------

    def ask(self, who: Who, amount: int, use: tuple[str, str] = USUAL) -> str:
        """A turn arrives and tries to get into the queue."""
        turn_id = f"turn_{len(self.turns)}"
        request = replace(command(user=who.user, trigger=turn_id, channel=who.channel), team_id=who.team)
        done(self.store.arrive(turn_id, request, self.facts.now, ThreadReplies.JOINED))
        self.turns[turn_id], self.queued[turn_id] = who, False
        self._queue(turn_id, amount, use)
        return turn_id

    def _queue(self, turn_id: str, amount: int, use: tuple[str, str]) -> None:
        who, caps = self.turns[turn_id], self.facts.caps
        answer = done(self.store.queue(turn_id, _plan("none", amount, use), caps, self.facts.now))
        bar = self.facts.bar(who, *use)
        if bar is not None:
            self.seen[f"queue barred: {bar}"] += 1
            assert answer == Barred(bar, answer.value if isinstance(answer, Barred) else "")
            return
        short = self.facts.lacking(who, amount)
        if short is not None:
            self.seen["queue refused"] += 1
            self.check_short(answer, short, amount)
            return
        assert isinstance(answer, Turn)
        done(self.store.tell(turn_id, Told.PLACEHOLDER, turn_id, self.facts.now))
        self.queued[turn_id] = True

    def hold(self, turn_id: str, amount: int, use: tuple[str, str] = USUAL) -> Call | None:
        """A turn asks for its money; gives the call that has it."""
        if not self.queued[turn_id] and not self._working(turn_id):
            self._queue(turn_id, amount, use)
        planned = self._next_plan(amount, use)
        if not self.queued[turn_id]:
            with pytest.raises(NotWaiting):
                done(self.store.hold(turn_id, planned, self.facts.caps, self.facts.now))
            return None
        expected = self._expected(turn_id, amount, use)
        result = done(self.store.hold(turn_id, planned, self.facts.caps, self.facts.now))
        return self._held(turn_id, planned, expected, result)

    def fall_back(self, attempt_id: str, call: Call, following: int | None) -> None:
        """A call is given back, and with *following* the next one is held in the same step."""
        caps, now = self.facts.caps, self.facts.now
        planned = None if following is None else self._next_plan(following, USUAL)
        if call.state not in (*OPEN, AttemptState.RELEASED):
            with pytest.raises(LedgerFault):
                done(self.store.fall_back(attempt_id, "why", planned, caps, now))
            return
        if call.state is AttemptState.RELEASED:
            done(self.store.fall_back(attempt_id, "again", None, caps, now))
            return
        call.state = AttemptState.RELEASED
        self.queued[call.turn] = True
        expected = self._expected(call.turn, following or 0, USUAL)
        result = done(self.store.fall_back(attempt_id, "why", planned, caps, now))
        self.seen["released with a grant"] += any(call.drawn.values())
        if planned is None:
            assert result is None
        else:
            assert result is not None
            self._held(call.turn, planned, expected, result)

    def send(self, attempt_id: str, call: Call) -> None:
        """``held → dispatched``, once."""
        assert done(self.store.send(attempt_id, self.facts.now)) is (call.state is AttemptState.HELD)
        if call.state is AttemptState.HELD:
            call.state = AttemptState.DISPATCHED

    def settle(self, attempt_id: str, call: Call, cost: str, *, picture: bool) -> None:
        """A call ends with less, all, nothing or more of its hold charged; or nobody can say."""
        amount = {"nothing": 0, "less": call.hold // 2, "more": call.hold + 7}.get(cost, call.hold)
        state = AttemptState.UNCERTAIN if cost == "uncertain" else AttemptState.SETTLED
        picture_id = f"pic_{attempt_id}" if picture and state is AttemptState.SETTLED else None
        written = replace(settlement(amount, picture_id=picture_id, state=state), cost=_cost(amount))
        if call.state not in (AttemptState.DISPATCHED, state):
            with pytest.raises(LedgerFault):
                done(self.store.render(attempt_id, written, self.facts.caps, self.facts.now))
            return
        done(self.store.render(attempt_id, written, self.facts.caps, self.facts.now))
        if call.state is AttemptState.DISPATCHED:
            call.state, call.charged = state, amount
            self.seen["overrun"] += amount > call.hold
            for drawn in call.drawn.values():
                self.seen["charged to a grant"] += any(call.paid_by(given) for given, _ in drawn)
                self.seen["charged to a revoked grant"] += any(
                    given.revoked and call.paid_by(given) for given, _ in drawn
                )

    def buy(self, who: Who, amount: int, cost: str) -> None:
        """Ask, hold, send and settle in one; or only as far as "held" or "sent", or as the money goes."""
        call = self.hold(self.ask(who, amount), amount)
        if call is None or cost == "held":
            return
        attempt_id = next(name for name, each in self.facts.calls.items() if each is call)
        self.send(attempt_id, call)
        if cost != "sent":
            self.settle(attempt_id, call, cost, picture=cost == "less")

    def calls_of(self, who: Who, state: AttemptState) -> list[tuple[str, Call]]:
        """Somebody's calls in that state, oldest first."""
        return [
            (name, call) for name, call in self.facts.calls.items() if (call.who, call.state) == (who, state)
        ]

    # --- What admins do ----------------------------------------------------------------------------------

    def decide(self, team: str, change: Change, cannot: str | None = None) -> Entry | None:
        """An admin changes something, and it is done, or refused as the model says."""
        reason = cannot or ledger_decisions.cannot(self.facts, team, change)
        by = Author(team, "UADMIN", f"key_{len(self.decided)}_{sum(self.seen.values())}")
        if reason is not None:
            with pytest.raises(CannotChange, match=f"^{reason}$"):
                done(self.admin.change(change, by, self.facts.caps, self.facts.now))
            self.seen[f"cannot: {reason}"] += 1
            return None
        changed = done(self.admin.change(change, by, self.facts.caps, self.facts.now))
        assert not changed.repeat
        self._count_kept_period(change, changed.entry)
        ledger_decisions.apply(self.facts, team, change, changed.entry.after or {})
        self.decided.append((change, by, changed.entry))
        self.seen[type(change).__name__] += 1
        return changed.entry

    def grant(self, team: str, owner: Owner, amount: int, days: int) -> None:
        """An admin gives more money."""
        self.decide(team, GiveGrant(owner, amount, self.facts.now + timedelta(days=days)))

    def revoke(self, team: str, given: Given) -> None:
        """An admin takes it back, and calls may hold some of it."""
        held = given.held
        self.decide(team, RevokeGrant(given.number))
        self.seen["revoked while it was held"] += given.revoked and held > 0

    def _count_kept_period(self, change: Change, entry: Entry) -> None:
        if isinstance(change, SetCap) and change.period is None:
            kept = (entry.before or {})["period"]
            self.seen["kept a period of its own"] += kept != self.facts.caps.period

    def again(self, which: int) -> None:
        """Slack sends what an admin did once more."""
        change, by, entry = self.decided[which]
        changed = done(self.admin.change(change, by, self.facts.caps, self.facts.now))
        assert (changed.repeat, changed.entry) == (True, entry)
        self.seen["sent again"] += 1

    def correct(self, attempt_id: str, call: Call, what: str) -> None:
        """An admin says what an uncertain charge really was."""
        row = self.database._writer.execute(
            "SELECT id FROM journal WHERE attempt_id = ? AND kind = 'uncertain'", (attempt_id,)
        ).fetchone()
        number = 0 if row is None else int(row["id"])
        amount = {"accept": None, "less": call.hold // 3, "more": call.hold + 11, "waive": 0}[what]
        refused = "already_corrected" if call.corrected else None
        if call.state is not AttemptState.UNCERTAIN:
            refused = "no_such_charge"
        if self.decide(call.who.team, Correct(number, amount), refused) is None:
            return
        call.corrected = True
        call.charged = call.charged if amount is None else amount
        self.seen[f"corrected: {what}"] += 1
        self.seen["corrected with a grant"] += any(call.drawn.values())
        self.seen["corrected in a later month"] += call.held_at.month != self.facts.now.month

    def _expected(self, turn_id: str, amount: int, use: tuple[str, str]) -> Admitted | Short | Barred:
        """What the model says, before it is done."""
        who = self.turns[turn_id]
        bar = self.facts.bar(who, *use)
        return self.facts.admission(who, amount) if bar is None else Barred(bar)

    def _held(
        self,
        turn_id: str,
        planned: Plan,
        expected: Admitted | Short | Barred,
        result: Attempt | MustWait | NoMoney | Barred,
    ) -> Call | None:
        who, amount = self.turns[turn_id], planned.bound.total_nano_usd
        if isinstance(expected, Barred):
            assert isinstance(result, Barred)
            assert result.bar is expected.bar
            self.seen[f"barred: {expected.bar}"] += 1
            return None
        if isinstance(expected, Short):
            self.check_short(result, expected, amount)
            return None
        assert isinstance(result, Attempt), (result, expected)
        call = Call(who, turn_id, amount, self.facts.now, expected.drawn)
        self.facts.calls[planned.attempt_id] = call
        for drawn in expected.drawn.values():
            for given, _ in drawn:
                given.calls.append(call)
        self.queued[turn_id] = False
        self.check_no_cap_is_passed(call)
        self.count(call)
        return call

    def _working(self, turn_id: str) -> bool:
        return any(call.turn == turn_id for call in self.facts.calls.values())

    def _next_plan(self, amount: int, use: tuple[str, str]) -> Plan:
        self._attempts += 1
        return _plan(f"try_{self._attempts:04d}", amount, use)


def _plan(attempt_id: str, amount: int, use: tuple[str, str]) -> Plan:
    return replace(plan(attempt_id, amount), listed_model=use[0], quality=use[1])


def _cost(amount: int) -> Cost:
    """*amount* in as many classes as it divides into: corrections must keep the lines adding up."""
    parts = {TokenClass.image_output: amount // 2, TokenClass.text_input: amount // 3}
    parts[TokenClass.host_output] = amount - sum(parts.values())
    return Cost(tuple(Line(name, 1, part) for name, part in parts.items() if part), amount)
