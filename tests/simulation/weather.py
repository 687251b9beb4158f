"""What goes wrong, and when: seeded faults of both sides by the sandbox's names, scattered ones, storms, and
troubles of minutes and hours."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.faults.named import PLACES, Side, Value
from sandbox.faults.rules import FaultPlan, Met, Rule
from sandbox.faults.vocabulary import NAMES
from sandbox.images.faults import EDITS, GENERATIONS, RESPONSES
from tests.simulation.trace import Trace

MAKING = frozenset({RESPONSES, GENERATIONS, EDITS})
"""The endpoints whose calls cost money."""
OFTEN = 12
"""What happens on any bad day is so many times as likely as what hardly ever happens."""
PER_MINUTE = 40
"""Pictures that the API makes in a minute when all is well."""

_DAILY = frozenset(
    {
        "ratelimited", "ratelimited without a time", "internal_error", "fatal_error", "service_unavailable",
        "request_timeout", "server error", "server error after", "internal_error after", "slow",
        "connection lost before", "connection lost after", "page instead of json",
    }
)  # fmt: skip
_NOT_HERE = frozenset({"images per minute", "huge picture", "download endless", "file never processed"})
"""What is done in another way here, what takes long to make, and what would go on for ever."""
_API_TROUBLES: tuple[tuple[str, str], ...] = (
    ("rate limit", "*"), ("rate limit without a time", "*"), ("rate limit of requests", "*"),
    ("out of credit", "*"), ("wrong key", "*"), ("unsupported region", "*"), ("server error", "*"),
    ("bad gateway", "*"), ("refused connection", "*"), ("model gone", RESPONSES), ("host gone", RESPONSES),
    ("unverified for streams", RESPONSES), ("slow", "*"),
)  # fmt: skip
_SLACK_TROUBLES: tuple[tuple[str, str], ...] = (
    ("token_revoked", "*"), ("account_inactive", "*"), ("ratelimited", "*"), ("ratelimited", "chat.*"),
    ("ratelimited", "files.*"), ("ratelimited", "reactions.*"), ("server error", "*"), ("slow", "*"),
    ("channel_not_found", "*"), ("restricted_action", "*"), ("internal_error", "chat.postMessage"),
    ("connection lost after", "chat.postMessage"), ("page instead of json", "*"),
)  # fmt: skip
_DELIVERIES: tuple[tuple[str, str, float, dict[str, Any]], ...] = (
    ("delivered twice", "*", 0.02, {}),
    ("delivery late", "*", 0.02, {"seconds": 1.5}),
    ("delivery late", "*", 0.005, {"seconds": 20.0}),
    ("delivery out of order", "*", 0.02, {}),
    ("acknowledgement lost", "*", 0.01, {}),
    ("delivery lost", "*", 0.003, {}),
    ("socket cut", "*", 0.005, {}),
    ("socket cut", "hello", 0.01, {}),
    ("socket cut after", "*", 0.005, {}),
    ("socket hangs", "*", 0.004, {}),
    ("socket refresh", "*", 0.01, {}),
)


@dataclass(frozen=True)
class Trouble:
    """A fault of one side that is met at *places* until a time: always, or with a chance."""

    side: Side
    fault: str
    places: frozenset[str]
    chance: float
    until: float


class Deliveries(FaultPlan):
    """What goes wrong between Slack and the socket, by the sandbox's own rules; *heard* is told of each."""

    def __init__(self, seed: int, heard: Callable[[Met], None]) -> None:
        rules = [Rule("slack", on, name, None, chance, args=args) for name, on, chance, args in _DELIVERIES]
        super().__init__(rules, seed=seed)
        self._heard = heard

    def take(self, *asked: Any, **more: Any) -> Met | None:
        """See ``FaultPlan``."""
        met = super().take(*asked, **more)
        if met is not None:
            self._heard(met)
        return met


class Weather:
    """Decides for each request what meets it. ``calm`` ends everything, as at the end of a run."""

    def __init__(
        self,
        rng: random.Random,
        trace: Trace,
        now: Callable[[], float],
        *,
        slack: float = 0.01,
        api: float = 0.08,
    ) -> None:
        self._rng = rng
        self._trace = trace
        self._now = now
        self._chance: dict[Side, float] = {"slack": slack, "openai": api}
        self._storm = 0.0
        self._troubles: list[Trouble] = []
        self.per_minute = PER_MINUTE
        self.deliveries = Deliveries(rng.getrandbits(32), self._delivered)
        self.listeners: list[Callable[[Met], None]] = []

    def changes(self) -> None:
        """Perhaps a storm begins or ends, perhaps a trouble that stays for a while."""
        rng, now = self._rng, self._now()
        self._storm = rng.choice((0.0, 0.0, 0.0, 0.1, 0.4)) if rng.random() < 0.5 else 0.0
        self.per_minute = rng.choice((PER_MINUTE, PER_MINUTE, PER_MINUTE, 10, 3))
        self._troubles = [trouble for trouble in self._troubles if trouble.until > now]
        if rng.random() < 0.12:
            self._begins("openai", *rng.choice(_API_TROUBLES))
        if rng.random() < 0.08:
            self._begins("slack", *rng.choice(_SLACK_TROUBLES))
        said = [f"{trouble.side} {trouble.fault}" for trouble in self._troubles]
        self._trace.note(f"weather {self._storm} {self.per_minute} {said}")

    def _begins(self, side: Side, fault: str, on: str) -> None:
        rng = self._rng
        places = NAMES[side, fault].places(on)
        long_s = rng.choice((60.0, 300.0, 1_200.0, 7_200.0)) * rng.uniform(0.5, 1.5)
        self._troubles.append(Trouble(side, fault, places, rng.choice((1.0, 1.0, 0.5)), self._now() + long_s))

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self._chance = {"slack": 0.0, "openai": 0.0}
        self._storm = 0.0
        self._troubles = []
        self.per_minute = PER_MINUTE
        self.deliveries.clear()
        self._trace.note("calm")

    def take(self, side: Side, place: str, pointless: Callable[[], frozenset[str]]) -> Met | None:
        """The fault that a request of *side* to *place* meets now, or None; *pointless* are those that would
        change nothing for it."""
        found = self._found(side, place)
        if found is None or found in pointless():
            return None
        self._trace.count(f"fault: {side} {found}")
        return self._met(side, place, found)

    def _found(self, side: Side, place: str) -> str | None:
        rng, now = self._rng, self._now()
        for trouble in self._troubles:
            if trouble.side == side and place in trouble.places and now < trouble.until:
                if trouble.chance >= 1.0 or rng.random() < trouble.chance:
                    return trouble.fault
                return None
        chance = self._chance[side]
        if chance and rng.random() < (max(chance, self._storm) if side == "slack" else chance):
            names, weights = _AT[side, place]
            return rng.choices(names, weights)[0] if names else None
        return None

    def _met(self, side: Side, place: str, fault: str) -> Met:
        args = {name: arg.default for name, arg in NAMES[side, fault].args.items()}
        ranges = _SLACK_ARGS if side == "slack" else _API_ARGS
        args |= {name: self._rng.choice(ranges[name]) for name in args if name in ranges}
        return Met("weather", side, place, fault, self._now(), args)

    def _delivered(self, met: Met) -> None:
        self._trace.count(f"fault: slack {met.fault}")
        self._trace.note(f"{met.place}: {met.fault}")
        for tell in self.listeners:
            tell(met)

    def scan_s(self) -> float:
        """How long Slack takes to process a file: sometimes for ever."""
        odd = self._chance["slack"] > 0 and self._rng.random() < 0.02
        if odd:
            self._trace.count("fault: slack file never processed")
        return float("inf") if odd else self._rng.choice((0.0, 0.3, 2.0))


_SLACK_ARGS: Mapping[str, tuple[Value, ...]] = {
    "retry_after": (1, 3, 10, 30, 90),
    "seconds": (2.0, 5.0, 25.0),
    "status": (500, 502, 503),
}
_API_ARGS: Mapping[str, tuple[Value, ...]] = {
    "retry_after": (1, 5, 12, 60),
    "seconds": (2.0, 20.0, 100.0, 400.0),
    "milliseconds": (20, 1_500, 30_000),
    "shape": ("images", "without reset", "only remaining", "requests", "milliseconds"),
    "remaining": (0, 3, 30),
}


def _scattered(side: Side, place: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Which faults may be scattered at a place, and how often each."""
    names = [
        named.name
        for named in NAMES.values()
        if named.side == side and place in named.places("*") and named.name not in _NOT_HERE
    ]
    return tuple(names), tuple(OFTEN if name in _DAILY else 1 for name in names)


_AT = {(side, place): _scattered(side, place) for side, places in PLACES.items() for place in places}
