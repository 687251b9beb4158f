"""What a long run has found so far, kept in a file: one that was interrupted goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

from tests.simulation.figures import Figures

ROOT = Path(__file__).parents[2]
WHAT_RUNS = ("bot", "darkroom", "handlers", "storage", "sandbox", "tests/simulation")
EVERY = 10
"""So many runs are made before they are written down."""


class Progress:
    """Beside *keep*: the figures of *seed* and those after it, of the same code, and how long they took."""

    def __init__(self, keep: Path, seed: int, days: int) -> None:
        self._file = keep.with_suffix(".begun.json")
        self._what = f"{seed} {days} {_code()}"

    def load(self) -> tuple[Figures, float]:
        """What there is; nothing if it was of anything else."""
        try:
            begun = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Figures(), 0.0
        if begun["what"] != self._what:
            return Figures(), 0.0
        first, last = begun["seeds"]
        counted, wrong = Counter(begun["counted"]), Counter(begun["wrong"])
        return Figures(counted, begun["runs"], (first, last), wrong, begun["failed"]), begun["seconds"]

    def note(self, figures: Figures, seconds: float) -> None:
        """Write it down, from time to time."""
        if figures.runs % EVERY:
            return
        begun = {
            "what": self._what,
            "counted": figures.counted,
            "runs": figures.runs,
            "seeds": figures.seeds,
            "wrong": figures.wrong,
            "failed": figures.failed,
            "seconds": seconds,
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half = self._file.with_suffix(".half")
        half.write_text(json.dumps(begun), encoding="utf-8")
        half.replace(self._file)

    def over(self) -> None:
        """All of it is made."""
        self._file.unlink(missing_ok=True)


def _code() -> str:
    """Another one with each change of what runs."""
    found = hashlib.sha256()
    for folder in WHAT_RUNS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()
