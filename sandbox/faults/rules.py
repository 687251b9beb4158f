"""Rules: when which fault happens; and a plan of them, which is asked at each call."""

import hashlib
from collections import Counter, deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.faults.named import Named, Side, Value
from sandbox.faults.vocabulary import NAMES

Json = dict[str, Any]
MOST_RULES: Final = 500
MOST_RECORDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault, where it happens, and when.

    `side` and `fault` name it (`sandbox.faults.vocabulary`); `on` is a method, an endpoint, a kind of
    delivery or a pattern (`chat.*`), and `*` is wherever the fault is at home. Of the calls it fits, `after`
    are let by, then each meets the fault with `probability` until it has happened `times` times (None:
    always). It fits only from `from_s` until `until_s` seconds, on the sandbox's clock, after the plan was
    put into place (a rule added later: after that). `seed` is its own chance, None the plan's; `args` are
    the fault's.
    """

    side: Side
    on: str
    fault: str
    times: int | None = 1
    probability: float = 1.0
    after: int = 0
    from_s: float = 0.0
    until_s: float | None = None
    seed: int | None = None
    args: Mapping[str, Value] = field(default_factory=dict)

    def as_json(self) -> Json:
        """What a scenario would say; what is left out there is left out here."""
        made: Json = {"side": self.side, "on": self.on, "fault": self.fault}
        made |= {"always": True} if self.times is None else {"times": self.times}
        for name, plain in (("probability", 1.0), ("after", 0), ("from_s", 0.0), ("until_s", None)):
            if (value := getattr(self, name)) != plain:
                made[name] = value
        if self.seed is not None:
            made["seed"] = self.seed
        return made | ({"args": dict(self.args)} if self.args else {})


@dataclass(frozen=True, slots=True)
class Met:
    """A fault that happened: to which call, when (the sandbox's seconds), by which rule."""

    rule_id: str
    side: Side
    place: str
    fault: str
    at: float
    args: Mapping[str, Value]

    def number(self, name: str) -> float:
        """An argument that is a number."""
        return float(self.args[name])

    def whole(self, name: str) -> int:
        """An argument that is a whole number."""
        return int(self.args[name])

    def text(self, name: str) -> str:
        """An argument that is a text."""
        return str(self.args[name])


@dataclass(slots=True)
class Standing:
    """A rule in force: since when, how many calls fitted it, and how many of them met its fault."""

    id: str
    rule: Rule
    named: Named
    places: frozenset[str]
    since: float | None
    seen: int = 0
    met: int = 0

    def strikes(self, place: str, now: float, seed: int) -> bool:
        """Count a call of this side; whether it would meet the fault."""
        rule = self.rule
        if self.since is None:
            self.since = now
        age = now - self.since
        if (
            place not in self.places
            or age < rule.from_s
            or (rule.until_s is not None and age >= rule.until_s)
        ):
            return False
        self.seen += 1
        if self.seen <= rule.after or (rule.times is not None and self.met >= rule.times):
            return False
        chance = seed if rule.seed is None else rule.seed
        return rule.probability >= 1.0 or _drawn(f"{chance}:{self.id}:{self.seen}") < rule.probability

    def as_json(self) -> Json:
        """The rule with its id and its counts, and whether it may still happen."""
        spent = self.rule.times is not None and self.met >= self.rule.times
        return {"id": self.id, **self.rule.as_json(), "seen": self.seen, "met": self.met, "spent": spent}


class FaultPlan:
    """The rules in force. Asked at each call; the same seed and the same calls give the same faults.

    A call meets the first rule, in their order, that strikes; every rule that fits counts it. `log` are the
    newest faults that happened, oldest first; `counts` how many of each, by side and name.
    """

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self.seed = seed
        self.log: deque[Met] = deque(maxlen=MOST_RECORDS)
        self.counts: Counter[tuple[Side, str]] = Counter()
        self._standing: list[Standing] = []
        self._issued: Counter[Side] = Counter()
        for rule in rules:
            self.add(rule)

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Every rule with its counts, in their order."""
        return tuple(self._standing)

    def add(self, rule: Rule, now: float | None = None) -> Standing:
        """One more rule, whose time counts from `now`. Raises ValueError for a fault or a place that is not
        known, and beyond `MOST_RULES`."""
        named = NAMES.get((rule.side, rule.fault))
        places = named.places(rule.on) if named is not None else frozenset[str]()
        if named is None or not places:
            raise ValueError(f"no fault {rule.fault!r} of {rule.side} on {rule.on!r}")
        if len(self._standing) >= MOST_RULES:
            raise ValueError(f"there are {MOST_RULES} rules already")
        self._issued[rule.side] += 1
        standing = Standing(f"{rule.side}-{self._issued[rule.side]}", rule, named, places, now)
        self._standing.append(standing)
        return standing

    def remove(self, rule_id: str) -> bool:
        """Drop one rule by its id; False when there is none."""
        before = len(self._standing)
        self._standing = [standing for standing in self._standing if standing.id != rule_id]
        return len(self._standing) < before

    def clear(self, side: Side | None = None) -> None:
        """Drop every rule (of one side)."""
        self._standing = [s for s in self._standing if side is not None and s.rule.side != side]

    def begin(self, now: float) -> None:
        """The plan is in place: the time of its rules counts from here, unless it counts already."""
        for standing in self._standing:
            if standing.since is None:
                standing.since = now

    def take(
        self, side: Side, place: str, now: float, *, pointless: Container[str] = frozenset()
    ) -> Met | None:
        """The fault that a call of `side` to `place` meets now, or None; those that are `pointless` for this
        very call let it by uncounted."""
        struck: Standing | None = None
        for standing in self._standing:
            if standing.rule.side != side or standing.rule.fault in pointless:
                continue
            if standing.strikes(place, now, self.seed):
                struck = struck or standing
        if struck is None:
            return None
        struck.met += 1
        defaults = {name: arg.default for name, arg in struck.named.args.items()}
        met = Met(struck.id, side, place, struck.rule.fault, now, {**defaults, **struck.rule.args})
        self.log.append(met)
        self.counts[side, met.fault] += 1
        return met


def _drawn(words: str) -> float:
    """A number from 0 to below 1 that follows from the words."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:7], "big") / 2**56
