"""What goes wrong, and when: seeded faults on both sides, scattered ones, storms, and long troubles."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from sandbox.images.faults import EDITS, GENERATIONS, RESPONSES
from sandbox.images.faults import Fault as ApiFault
from sandbox.images.mishaps import MISHAPS, mishap
from tests.simulation.trace import Trace

MAKING = frozenset({RESPONSES, GENERATIONS, EDITS})
"""The endpoints whose calls cost money."""
API_TROUBLES = ("rate limit", "out of credit", "wrong key", "server error", "unreachable", "model gone")
"""What can be the matter for hours."""
_REFUSED = ("internal_error", "fatal_error", "service_unavailable")
_ONE_SIDED = frozenset({"model gone", "unverified organisation", "unverified for streams"})


@dataclass(frozen=True)
class SlackFault:
    """What meets one request to Slack: refused before it does anything (``error``, ``status``,
    ``retry_after``), ``lost`` before it or after it, or answered ``late``."""

    name: str
    error: str = ""
    status: int = 200
    retry_after: int | None = None
    lost: str = ""
    late_s: float = 0.0

    @property
    def takes_effect(self) -> bool:
        """Whether Slack does what was asked."""
        return not self.error and self.lost != "before"


class Weather:
    """Decides for each request what meets it. ``calm`` ends everything, as at the end of a run."""

    def __init__(self, rng: random.Random, trace: Trace, *, slack: float = 0.01, api: float = 0.08) -> None:
        self._rng = rng
        self._trace = trace
        self._slack = slack
        self._api = api
        self._slack_storm = 0.0
        self.api_trouble: str | None = None
        self.slack_trouble: str | None = None

    def changes(self) -> None:
        """Perhaps a storm begins or ends, perhaps a long trouble."""
        rng = self._rng
        self._slack_storm = rng.choice((0.0, 0.0, 0.0, 0.1, 0.4)) if rng.random() < 0.5 else 0.0
        self.api_trouble = rng.choice(API_TROUBLES) if rng.random() < 0.12 else None
        self.slack_trouble = (
            rng.choice(("token_revoked", "ratelimited", "down")) if rng.random() < 0.05 else None
        )
        self._trace.note(f"weather {self._slack_storm} {self.api_trouble} {self.slack_trouble}")

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self._slack = self._api = self._slack_storm = 0.0
        self.api_trouble = self.slack_trouble = None
        self._trace.note("calm")

    def on_slack(self, method: str) -> SlackFault | None:
        """What meets this request."""
        rng = self._rng
        if self.slack_trouble is not None:
            fault = {
                "token_revoked": SlackFault("token revoked", error="token_revoked"),
                "ratelimited": SlackFault("slack 429", "ratelimited", 429, rng.randint(1, 30)),
                "down": SlackFault("slack 503", error="service_unavailable", status=503),
            }[self.slack_trouble]
        elif rng.random() >= max(self._slack, self._slack_storm):
            return None
        else:
            fault = self._any_slack(method)
        self._trace.count(f"fault: {fault.name}")
        return fault

    def _any_slack(self, method: str) -> SlackFault:
        rng = self._rng
        match rng.randrange(8):
            case 0:
                return SlackFault("slack 429", "ratelimited", 429, rng.choice((1, 3, 10, 30, 90)))
            case 1:
                return SlackFault("slack error", error=rng.choice(_REFUSED))
            case 2:
                return SlackFault("slack 503", error="service_unavailable", status=503)
            case 3 | 4:
                return SlackFault("lost before", lost="before")
            case 5 | 6:
                return SlackFault("lost after", lost="after")
            case _:
                return SlackFault("late", late_s=rng.choice((2.0, 25.0)))

    def on_api(self, endpoint: str) -> tuple[str, ApiFault | None] | None:
        """What meets this call: its name and the sandbox's fault (None: it never gets there)."""
        rng = self._rng
        name = self.api_trouble
        if name is not None and name in _ONE_SIDED and endpoint != RESPONSES:
            name = None
        if name is not None and endpoint not in MAKING and name != "unreachable":
            name = None
        if name is None:
            if rng.random() >= self._api:
                return None
            name = rng.choice(("unreachable", "slow", *sorted(MISHAPS)))
        if endpoint not in MAKING and name not in (
            "unreachable",
            "slow",
            "server error",
            "refused connection",
        ):
            return None
        self._trace.count(f"fault: {name}")
        if name == "unreachable":
            return name, None
        if name == "slow":
            return name, ApiFault(endpoint=endpoint, delay=rng.choice((20.0, 100.0, 400.0)))
        fault = mishap(name, endpoint)
        if endpoint != RESPONSES and fault.events is not None:
            return "server error", mishap("server error", endpoint)
        if fault.headers.get("retry-after"):
            fault = replace(fault, headers={**fault.headers, "retry-after": str(rng.randint(1, 60))})
        return name, fault

    def scan_s(self) -> float:
        """How long Slack takes to process a file: sometimes for ever."""
        odd = self._slack > 0 and self._rng.random() < 0.02
        return math.inf if odd else self._rng.choice((0.0, 0.3, 2.0))
