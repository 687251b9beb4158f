"""Put what was kept in a folder into ``docs/reliability.md``; what is not there stays as it stands."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.handlers.slack_matrix import TROUBLES
from tests.reliability.tables import PAGE, markdown, parts, rows_of, with_parts

Rows = list[list[str | int]]
HEADS: Final[Mapping[str, Sequence[str]]] = {
    "openai": ("fault", "when it comes", "the person sees", "charged", "asked again"),
    "openai-hour": ("fault", "the person sees", "charged", "asked again", "told after"),
    "slack-once": ("fault", "at", "the person sees", "charged"),
    "slack-hour": ("fault", "at", "the person sees", "charged"),
    "slack-http": ("at", *(f"`{trouble.name}`" for trouble in TROUBLES)),
    "slack-whole": ("what is the matter", "where the picture is seen"),
    "day-of-429s": ("what was measured", "how much"),
    "thousand-left": ("what was measured", "started again after half a minute", "after two hours"),
    "storm": ("what was measured", "how much"),
    "mutants": ("the bug", "in", "the test that noticed first"),
}
"""The tables whose rows tests keep, by their names."""
SUMS: Final = ("what was tried or found", "how often")
_DISK = re.compile(r"^E[A-Z]+ ")
_SIMULATED: Final[Mapping[str, str]] = {
    "days": "simulated days",
    "events": "things that people did",
    "turns": "turns",
    "calls": "calls of the image API that may cost money",
    "faults": "faults, on both sides",
    "crashes": "crashes",
    "crashes while starting": "of them while starting",
    "stops": "deploys",
    "lost": "turns lost",
    "double charges": "charged twice, or otherwise than billed",
    "over cap": "holds over a cap",
    "unexplained double posts": "posted twice although the first post could be seen",
    "other": "anything else that was wrong",
    "uncertain": "calls that ended uncertain, each charged with its hold and listed",
    "moderated, usage kept back": "refused by the moderation, and no word of what that cost: charged nothing",
    "double posts": "posted twice where nobody could look for the first post",
    "undelivered": "undelivered at the end, kept with the reason",
    "left standing": "placeholders that Slack would not let us take away",
    "left standing, refused": "placeholders of which Slack says that they are not there, or not ours",
    "left standing, belated": "placeholders and signs that came when nobody waited for them any more",
    "left standing, unseen": "placeholders in a direct message that nobody can look for",
    "seeds": "seeds",
    "on": "begun on",
    "minutes": "minutes it took",
}


def main(folder: Path) -> None:
    """Rewrite the page from *folder*."""
    kept = {path.stem: _rows(path) for path in sorted(folder.glob("*.jsonl"))}
    made = {name: markdown(HEADS[name], rows) for name, rows in kept.items() if name in HEADS}
    sums: dict[str, str | int] = {}
    if (path := folder / "simulation.json").exists():
        figures = json.loads(path.read_text(encoding="utf-8"))
        made["simulation"] = markdown(SUMS, _simulated(figures))
        made["simulation-faults"] = markdown(("fault", "how often"), _by_kind(figures["faults by kind"]))
        sums |= {words: figures[name] for name, words in _SIMULATED.items() if name in _SUMMED}
    if (path := folder / "soak.json").exists():
        figures = json.loads(path.read_text(encoding="utf-8"))
        made["soak"] = markdown(SUMS, _simulated(figures))
        sums["simulated days of the longest run"] = figures["days"]
    if (path := folder / "crash.md").exists():
        crash, disk = _of_crashes(path)
        made["crash"] = markdown(("story", "steps"), crash)
        made["disk"] = markdown(("how the disk fails, in which story", "operations"), disk)
        sums["steps at which a real process was killed"] = sum(int(row[1]) for row in crash)
        sums["operations at which the disk failed"] = sum(int(row[1]) for row in disk)
    sums |= {str(name): count for name, count in kept.get("cells", [])}
    if "mutants" in kept:
        sums["deliberate bugs, each noticed by a test"] = len(kept["mutants"])
    text = PAGE.read_text(encoding="utf-8")
    if made.keys() < parts(text).keys() - {"sums"}:
        before: dict[str, str | int] = {row[0]: row[1] for row in rows_of("sums", text)}
        sums = before | sums
    made["sums"] = markdown(SUMS, [[name, value] for name, value in sums.items()])
    PAGE.write_text(with_parts(text, made), encoding="utf-8")


_SUMMED: Final = ("days", "turns", "crashes", "faults", "lost", "double charges", "over cap", "uncertain")


def _rows(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _simulated(figures: Mapping[str, Any]) -> Rows:
    return [[words, figures[name]] for name, words in _SIMULATED.items()]


def _by_kind(faults: Mapping[str, int]) -> Rows:
    return [[name, count] for name, count in sorted(faults.items(), key=lambda one: -one[1])]


def _of_crashes(path: Path) -> tuple[Rows, Rows]:
    """The stories with a process that is killed, and those with a disk that fails."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    rows: Rows = [[name, int(count)] for name, count in cells if name != "all"]
    disk = [row for row in rows if _DISK.match(str(row[0]))]
    return [row for row in rows if row not in disk], disk


if __name__ == "__main__":
    main(Path(sys.argv[1]))
