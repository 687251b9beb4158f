"""``python -m tests.simulation --days 1000``: so many simulated days, and the figures."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.simulation.figures import Figures, Report, quiet, report_of
from tests.simulation.progress import Progress

DAYS_EACH = 20
RUNS_EACH = 20
"""Runs in one process, which then makes room for a fresh one."""
LAST_LINES = 120


def main() -> int:
    """Run what is asked for; 0 when nothing went wrong."""
    options = _options().parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of words is part of what a seed repeats.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], environment)  # noqa: S606 -- it starts itself, with what it was given
    warnings.simplefilter("ignore", ResourceWarning)
    progress = Progress(options.keep, options.seed, options.days) if options.keep is not None else None
    figures, before_s = progress.load() if progress is not None else (Figures(), 0.0)
    began = time.monotonic() - before_s
    each = options.days if options.one else min(options.days, DAYS_EACH)
    works = [(options.seed + number, each) for number in range(-(-options.days // each))]
    for report in _reports(works[figures.runs :], options.processes):
        figures.add(report)
        if progress is not None:
            progress.note(figures, time.monotonic() - began)
        if options.digest:
            sys.stdout.write(f"seed {report.seed}: {report.digest}\n")
        if report.wrong:
            _tell(report, options.lines)
            if options.first:
                break
    seconds = time.monotonic() - began
    made = json.dumps(figures.as_json(seconds))
    if options.keep is not None:
        options.keep.parent.mkdir(parents=True, exist_ok=True)
        options.keep.write_text(made, encoding="utf-8")
    if progress is not None:
        progress.over()
    said = made if options.json else figures.as_text(seconds)
    sys.stdout.write(said + "\n")
    sys.stdout.flush()
    return 1 if figures.failed else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=100, help="how many days in all")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count up")
    parser.add_argument("--one", action="store_true", help="all days in one run, as when a seed is replayed")
    parser.add_argument("--first", action="store_true", help="stop at the first run that goes wrong")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--keep",
        type=Path,
        help="a file for the figures as JSON (python -m tests.reliability); what was begun with it goes on",
    )
    parser.add_argument("--digest", action="store_true", help="each run's digest of everything that happened")
    parser.add_argument("--lines", type=int, default=LAST_LINES, help="of a failed run's trace")
    return parser


def _reports(works: Sequence[tuple[int, int]], processes: int) -> Iterator[Report]:
    if processes <= 1 or len(works) == 1:
        yield from map(report_of, works)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(processes, len(works)), quiet, maxtasksperchild=RUNS_EACH) as pool:
        yield from pool.imap(report_of, works)


def _tell(report: Report, lines: int) -> None:
    say = sys.stderr.write
    say(f"\nSeed {report.seed} went wrong:\n")
    for line in report.lines[max(0, len(report.lines) - lines) :]:
        say(f"    {line}\n")
    for wrong in report.wrong:
        say(f"  - {wrong}\n")
    say(f"Replay it: python -m tests.simulation --seed {report.seed} --days {report.days} --one\n\n")


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # What stopped in the middle would say so while the interpreter takes it apart.
    os._exit(code)
