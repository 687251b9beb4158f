"""What many runs add up to."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.town import run
from tests.simulation.world import Plan

_WRONG = {
    "lost": ("was lost", "still unfinished", "nowhere to be seen"),
    "double charges": ("was sent twice", "and billed"),
    "over cap": ("after entry",),
    "unexplained double posts": ("and again at",),
}
"""Figures that must be 0, by what their sentences say."""


@dataclass(frozen=True)
class Report:
    """One run: what was counted, what went wrong, and then the last lines of its trace."""

    seed: int
    days: int
    counted: Counter[str]
    wrong: list[str]
    lines: list[str]
    digest: str


def quiet() -> None:
    """A life that ended in a crash is taken apart where it stood, and its tasks would say so one by one."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None


def report_of(work: tuple[int, int]) -> Report:
    """Run a seed for so many days."""
    warnings.simplefilter("ignore", ResourceWarning)
    seed, days = work
    made = run(seed, Plan(days=days))
    lines = list(made.trace.lines) if made.wrong else []
    return Report(seed, days, Counter(made.trace.counted), made.wrong, lines, made.trace.digest)


@dataclass
class Figures:
    """The sums, and the seeds that failed."""

    counted: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    seeds: tuple[int, int] | None = None
    """The first and the last."""
    wrong: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """One run more."""
        self.runs += 1
        first, last = self.seeds or (report.seed, report.seed)
        self.seeds = min(first, report.seed), max(last, report.seed)
        self.counted += report.counted
        for sentence in report.wrong:
            kinds = [kind for kind, words in _WRONG.items() if any(word in sentence for word in words)]
            self.wrong[kinds[0] if kinds else "other"] += 1
        if report.wrong:
            self.failed.append(report.seed)

    def as_json(self, seconds: float) -> dict[str, Any]:
        """All of them, by name, of a run that took so long."""
        faults = {
            name[7:]: count for name, count in sorted(self.counted.items()) if name.startswith("fault: ")
        }
        outcomes = {
            name[9:]: count for name, count in sorted(self.counted.items()) if name.startswith("outcome: ")
        }
        names = ("days", "events", "turns", "calls", "crashes", "crashes while starting", "stops")
        return {
            "runs": self.runs,
            **{name: self.counted[name] for name in names},
            "faults": sum(faults.values()),
            **{name: self.wrong[name] for name in [*_WRONG, "other"]},
            "uncertain": self.counted["attempts uncertain"],
            "moderated, usage kept back": self.counted["moderated, usage kept back"],
            "undelivered": self.counted["undelivered"],
            "double posts": self.counted["double posts"],
            "left standing": self.counted["left standing"],
            "left standing, refused": self.counted["left standing, refused"],
            "left standing, belated": self.counted["left standing, belated"],
            "left standing, unseen": self.counted["left standing, unseen"],
            "outcomes": outcomes,
            "faults by kind": faults,
            "failed seeds": self.failed,
            "seeds": "{} to {}".format(*self.seeds or (0, 0)),
            "on": f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%d}",
            "minutes": round(seconds / 60),
            "seconds": round(seconds, 1),
        }

    def as_text(self, seconds: float) -> str:
        """One line each."""
        lines: list[str] = []
        for name, value in self.as_json(seconds).items():
            if isinstance(value, dict):
                lines.append(f"{name}:")
                lines += [f"    {kind:<28}{count:>8,}" for kind, count in value.items()]
            else:
                shown = f"{value:,}" if isinstance(value, int) else str(value)
                lines.append(f"{name:<32}{shown:>8}")
        return "\n".join(lines)
