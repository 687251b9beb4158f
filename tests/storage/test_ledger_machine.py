"""The ledger against a plain model of it: any sequence of holds, ends, corrections, caps, grants, decisions,
periods, clocks and restarts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from darkroom.spending import changes
from darkroom.spending.budgets import Bar, BudgetKind
from darkroom.spending.changes import Channel, EveryChannel, Everyone, EveryPerson, Person, Workspace
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import ALL, Dimension
from darkroom.turns.model import AttemptState
from tests.storage.ledger_model import OPEN, Call, Who
from tests.storage.ledger_stories import STORIES, Story, bars, owners
from tests.storage.ledger_world import USUAL, Twins

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland")
AMOUNTS = st.one_of(st.just(100), st.sampled_from([0, 1, 99, 101]), st.integers(1, 300))
LIMITS = st.one_of(st.sampled_from([100, 200, 300, 400]), st.sampled_from([None, 0]), st.integers(0, 900))
PAYERS = (Who("T1", "C1", "U1"), Who("T1", "C1", "U2"), Who("T1", "C2", "U1"), Who("T2", "C1", "U1"))
PEOPLE = st.sampled_from(PAYERS)
TEAMS = st.sampled_from(["T1", "T1", "T1", "T2"])
SOMEBODY = st.sampled_from([Person("U1"), Person("U2")])
SOMEWHERE = st.sampled_from([Channel("C1"), Channel("C2")])
OWNERS = st.one_of(st.just(Workspace()), SOMEBODY, SOMEWHERE)
CAPPED = st.one_of(OWNERS, st.just(EveryPerson()), st.just(EveryChannel()))
SOMETHING = (1, 50, 100, 250)
DAYS = (1, 7, 40, 120)
Capped = changes.Owner | EveryPerson | EveryChannel
CEILINGS = (None, 0, 100, 100, 150, 200, 300, 400, 900)
SCOPES: tuple[tuple[Capped, Capped], ...] = (
    (EveryPerson(), Person("U1")),
    (EveryChannel(), Channel("C1")),
    (Person("U1"), Person("U1")),
    (Person("U2"), Person("U2")),
    (Channel("C1"), Channel("C1")),
    (Workspace(), Workspace()),
)
"""Whose cap is decided, and whom it is about too."""
COSTS = ("less", "all", "nothing", "more")
FATES = (*COSTS, "held", "sent", "sent", "uncertain")
MUCH = (100, 100, 100, 1, 0, 99, 101, 37, 250)
CORRECTIONS = ("accept", "less", "more", "waive")
RANDOM = st.randoms(use_true_random=True)
"""For acts of several steps: hypothesis alone would choose much the same in each of them."""
USES = st.tuples(st.sampled_from([USUAL[0], "gpt-image-1"]), st.sampled_from([USUAL[1], "high"]))
RULES = st.sampled_from(
    [(Dimension.MODEL, value) for value in (USUAL[0], "gpt-image-1", ALL)]
    + [(Dimension.QUALITY, value) for value in (USUAL[1], "high", ALL)]
)
INTERESTING = (
    *(f"{what} of a {kind}" for what in ("MustWait", "NoMoney") for kind in BudgetKind),
    *(f"{what} with grants" for what in ("MustWait", "NoMoney")),
    *(f"{what} with a grant" for what in ("released", "corrected")),
    *(f"{what}barred: {bar}" for what in ("", "queue ") for bar in Bar),
    *(f"corrected: {what}" for what in CORRECTIONS),
    *("split between cap and grant", "split between grants", "revoked while it was held"),
    *("charged to a revoked grant", "corrected in a later month", "overrun", "queue refused"),
    *("held for an exempt person", "sent again", "kept a period of its own"),
    *("cannot: already_corrected", "cannot: grant_revoked", "cannot: no_such_charge"),
)
"""What histories that prove something must come to; it is counted."""


class LedgerMachine(RuleBasedStateMachine):
    """People of two workspaces spend and admins decide; the model adds up what the ledger counts."""

    seen: ClassVar[Counter[str]] = Counter()
    """What came of it, over all histories."""

    @initialize(story=st.sampled_from(STORIES), who=PEOPLE, kind=st.integers(0, len(BudgetKind) - 1))
    def begin(self, story: Story | None, who: Who, kind: int) -> None:
        """With what would seldom come of itself, or with nothing."""
        self.twins = Twins(self.seen)
        self.facts = self.twins.facts
        if story is not None:
            story(self.twins, who, owners(who)[kind])

    def teardown(self) -> None:
        if hasattr(self, "twins"):
            self.twins.close()

    # --- The world ---------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 2, 24, 24 * 7, 24 * 31]), minutes=st.integers(-10, 0))
    def time_leaps(self, hours: int, minutes: int) -> None:
        self.facts.now += timedelta(hours=hours if minutes > -5 else 0, minutes=minutes)

    @rule(kind=st.sampled_from(list(BudgetKind)), limit=LIMITS)
    def the_settings_cap_changes(self, kind: BudgetKind, limit: int | None) -> None:
        caps = self.facts.caps
        self.facts.caps = replace(caps, limits={**caps.limits, kind: limit})

    @rule(period=st.sampled_from(list(PeriodKind)), zone=st.sampled_from(ZONES))
    def the_settings_period_changes(self, period: PeriodKind, zone: str) -> None:
        self.facts.caps = replace(self.facts.caps, period=period, timezone=zone)

    @rule()
    def darkroom_restarts(self) -> None:
        self.twins.restart()

    # --- Turns and calls ---------------------------------------------------------------------------------

    @rule(who=PEOPLE, amount=AMOUNTS)
    def somebody_asks(self, who: Who, amount: int) -> None:
        self.twins.ask(who, amount)

    @rule(random=RANDOM)
    def people_buy(self, random: Random) -> None:
        """The usual way, all in one, some of them still unfinished when the next one asks."""
        if random.random() < 0.7:
            self._free()
        for _ in range(random.randint(2, 6)):
            self.twins.buy(random.choice(PAYERS), random.choice(MUCH), random.choice(FATES))

    @rule(who=PEOPLE, use=USES, amount=AMOUNTS)
    def somebody_wants_another_model(self, who: Who, use: tuple[str, str], amount: int) -> None:
        self.twins.hold(self.twins.ask(who, amount, use), amount, use)

    @precondition(lambda self: self.twins.turns)
    @rule(data=st.data(), amount=AMOUNTS)
    def hold(self, data: st.DataObject, amount: int) -> None:
        self.twins.hold(data.draw(st.sampled_from(sorted(self.twins.turns))), amount)

    @precondition(lambda self: self.facts.calls)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        self.twins.send(*self._some_call(data, *OPEN))

    @precondition(lambda self: self.facts.calls)
    @rule(data=st.data(), cost=st.sampled_from(COSTS), picture=st.booleans())
    def settle(self, data: st.DataObject, cost: str, picture: bool) -> None:
        self.twins.settle(*self._some_call(data, AttemptState.DISPATCHED), cost, picture=picture)

    @precondition(lambda self: self.facts.calls)
    @rule(data=st.data())
    def nobody_can_say(self, data: st.DataObject) -> None:
        self.twins.settle(*self._some_call(data, AttemptState.DISPATCHED), "uncertain", picture=False)

    @precondition(lambda self: self.facts.calls)
    @rule(data=st.data(), following=st.one_of(st.none(), AMOUNTS))
    def fall_back(self, data: st.DataObject, following: int | None) -> None:
        self.twins.fall_back(*self._some_call(data, *OPEN), following)

    # --- What admins do ----------------------------------------------------------------------------------

    @rule(random=RANDOM)
    def caps_are_decided(self, random: Random) -> None:
        """Everybody's or somebody's; sometimes with one more that keeps the period in force."""
        team = random.choice(("T1", "T1", "T2"))
        of, member = random.choice(SCOPES)
        period = random.choice((None, *PeriodKind))
        self.twins.decide(team, changes.SetCap(of, random.choice(CEILINGS), period))
        if random.random() < 0.4:
            self.twins.decide(team, changes.SetCap(member, random.choice(CEILINGS), None))

    @rule(team=TEAMS, of=CAPPED)
    def a_cap_is_dropped(self, team: str, of: Capped) -> None:
        self.twins.decide(team, changes.DropCap(of))

    @rule(random=RANDOM)
    def money_is_granted_and_spent(self, random: Random) -> None:
        """Somebody at their cap gets more and buys with it; it may be taken back while calls hold it."""
        self._free()
        who = random.choice(PAYERS)
        owner = random.choice(owners(who))
        period = random.choice((None, *PeriodKind))
        self.twins.decide(who.team, changes.SetCap(owner, random.choice((0, 100, 150, 250)), period))
        for _ in range(random.randint(1, 2)):
            self.twins.grant(who.team, owner, random.choice(SOMETHING), random.choice(DAYS))
        for _ in range(random.randint(1, 4)):
            self.twins.buy(who, random.choice(MUCH), random.choice(FATES))
        if random.random() < 0.6:
            self.twins.buy(who, 100, "sent")
            held = [given for given in self.facts.given if given.held and not given.revoked]
            revoked = (held or self.facts.given)[-1]
            self.twins.revoke(revoked.budget[1], revoked)
        for attempt_id, call in self.twins.calls_of(who, AttemptState.DISPATCHED):
            self.twins.settle(attempt_id, call, random.choice(COSTS), picture=False)
        if random.random() < 0.3:
            self.twins.buy(who, 50, "held")
        for attempt_id, call in self.twins.calls_of(who, AttemptState.HELD)[-2:]:
            self.twins.fall_back(attempt_id, call, random.choice((None, 100)))
        self._corrections(random, who)

    @rule(random=RANDOM, kind=st.sampled_from(list(BudgetKind)))
    def an_unfinished_call_stands_in_the_way(self, random: Random, kind: BudgetKind) -> None:
        """One budget has room for one call, and somebody wants two."""
        self._free()
        who = random.choice(PAYERS)
        for each, owner in zip(BudgetKind, owners(who), strict=True):
            sums = self.facts.sums(each, who.budget(each))
            cap = sums.own_charged + sums.own_held + 150 if each is kind else None
            self.twins.decide(who.team, changes.SetCap(owner, cap, None))
        for _ in range(2):
            self.twins.buy(who, 100, "sent")

    @rule(random=RANDOM)
    def an_uncertain_charge_is_corrected(self, random: Random) -> None:
        """One is bought if there is none; somewhat later an admin decides, and another one comes too late."""
        self._free()
        who = random.choice(PAYERS)
        if not self.twins.calls_of(who, AttemptState.UNCERTAIN):
            self.twins.buy(who, random.choice(MUCH), "uncertain")
        self.facts.now += timedelta(hours=random.choice((0, 0, 24, 24 * 8)))
        self._corrections(random, who)

    @rule(team=TEAMS, owner=OWNERS, amount=st.sampled_from(SOMETHING), days=st.sampled_from(DAYS))
    def money_is_granted(self, team: str, owner: changes.Owner, amount: int, days: int) -> None:
        self.twins.grant(team, owner, amount, days)

    @precondition(lambda self: self.facts.given)
    @rule(data=st.data(), team=TEAMS)
    def a_grant_is_revoked(self, data: st.DataObject, team: str) -> None:
        given = data.draw(st.sampled_from(self.facts.given))
        mine = data.draw(st.integers(0, 4)) > 0
        self.twins.revoke(given.budget[1] if mine else team, given)

    @rule(random=RANDOM)
    def somebody_is_barred_a_while(self, random: Random) -> None:
        """Paused, blocked, others in a pilot, or the usual model or quality denied; seldom for long."""
        self._free()
        who, amount = random.choice(PAYERS), random.choice(MUCH)
        for barred, free in random.sample(bars(who), 3):
            waits = self.twins.ask(who, 0)
            self.twins.decide(who.team, barred)
            self.twins.hold(waits, amount)
            self.twins.ask(who, amount)
            if random.random() < 0.9:
                self.twins.decide(who.team, free)
                self.twins.hold(waits, amount)

    @rule(team=TEAMS, of=st.one_of(SOMEBODY, SOMEWHERE), member=st.booleans())
    def the_pilot_list_changes(self, team: str, of: Person | Channel, member: bool) -> None:
        self.twins.decide(team, changes.SetPilot(of, member))

    @rule(team=TEAMS, person=SOMEBODY, exempt=st.booleans())
    def somebody_is_exempt(self, team: str, person: Person, exempt: bool) -> None:
        self.twins.decide(team, changes.SetExempt(person, exempt))

    @rule(
        team=TEAMS,
        to=st.one_of(SOMEBODY, SOMEWHERE, st.just(Everyone())),
        what=RULES,
        allowed=st.sampled_from([True, False, None]),
        which=st.booleans(),
    )
    def access_is_decided(
        self,
        team: str,
        to: Person | Channel | Everyone,
        what: tuple[Dimension, str],
        allowed: bool | None,
        which: bool,
    ) -> None:
        values = (what[1],) if which or allowed is not None else ()
        self.twins.decide(team, changes.SetAccess(to, what[0], values, allowed))

    @precondition(lambda self: self.facts.calls)
    @rule(data=st.data(), what=st.sampled_from(CORRECTIONS))
    def a_charge_is_corrected(self, data: st.DataObject, what: str) -> None:
        self.twins.correct(*self._some_call(data, AttemptState.UNCERTAIN), what)

    @precondition(lambda self: self.twins.decided)
    @rule(data=st.data())
    def slack_sends_it_again(self, data: st.DataObject) -> None:
        self.twins.again(data.draw(st.integers(0, len(self.twins.decided) - 1)))

    # --- What must hold ----------------------------------------------------------------------------------

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        if hasattr(self, "twins"):
            self.twins.check()

    def _free(self) -> None:
        """Take back whatever keeps anybody from anything."""
        for team in sorted(self.facts.paused):
            self.twins.decide(team, changes.SetPaused(False))
        for rule_, scope in sorted(self.facts.standing):
            if rule_ == "blocked":
                self.twins.decide(scope[1], changes.SetBlocked(Person(scope[2]), False))
            if ("pilot", scope) in self.facts.standing:
                self.twins.decide(scope[1], changes.EndPilot())

    def _corrections(self, random: Random, who: Who) -> None:
        """The newest two that are uncertain, each decided on twice."""
        for attempt_id, call in self.twins.calls_of(who, AttemptState.UNCERTAIN)[-2:]:
            self.twins.correct(attempt_id, call, random.choice(CORRECTIONS))
            self.twins.correct(attempt_id, call, random.choice(CORRECTIONS))

    def _some_call(self, data: st.DataObject, *states: AttemptState) -> tuple[str, Call]:
        """Mostly one in such a state, sometimes any."""
        calls = self.facts.calls
        fitting = sorted(name for name, call in calls.items() if call.state in states)
        anyone = not fitting or data.draw(st.integers(0, 5)) == 0
        attempt_id = data.draw(st.sampled_from(sorted(calls) if anyone else fitting))
        return attempt_id, calls[attempt_id]


def run(sequences: int, *, each: int, often: int, shrink: bool) -> None:
    """The machine, the same sequences each time. Making a failing one short takes minutes.

    What is interesting must have come of them *each* times at least, the usual more than *often*.
    """
    LedgerMachine.seen.clear()
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=23,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        ),
    )
    seldom = {name: LedgerMachine.seen[name] for name in INTERESTING if LedgerMachine.seen[name] < each}
    assert not seldom, seldom
    usual = ("Attempt", "MustWait", "NoMoney", "drawn", "charged to a grant", "Correct")
    assert all(LedgerMachine.seen[name] > often for name in usual), LedgerMachine.seen


@pytest.mark.slow
def test_sixty_histories_agree_with_the_model() -> None:
    run(60, each=1, often=25, shrink=False)


@pytest.mark.proof
def test_two_thousand_histories_agree_with_the_model() -> None:
    run(2_000, each=20, often=500, shrink=True)
