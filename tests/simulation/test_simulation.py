"""Days of crashes and faults, in processes of their own: a few here, a thousand as a proof."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulation.checks import _once
from tests.simulation.figures import Figures, Report
from tests.simulation.loop import LIFE, Crashed, Mortal, Stuck, VirtualLoop, in_the_world, inside
from tests.simulation.progress import EVERY, Progress
from tests.simulation.slack_side import Looked
from tests.simulation.trace import Trace

FOLDER = Path(__file__).parents[2]
PROOF_DAYS = 1_000
PROOF_S = 1_200
MUST_BE_NONE = ("lost", "double charges", "over cap", "unexplained double posts", "other")


def simulate(*arguments: str, timeout_s: float = 100) -> tuple[str, str]:
    """What ``python -m tests.simulation`` says, and what it says of runs that went wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout, done.stderr


def figures_of(said: str, wrong: str) -> dict[str, Any]:
    """The figures, of which those that must be 0 are."""
    figures: dict[str, Any] = json.loads(said)
    assert {name: figures[name] for name in MUST_BE_NONE} == dict.fromkeys(MUST_BE_NONE, 0), wrong
    assert not figures["failed seeds"], wrong
    return figures


@pytest.mark.proof
def test_a_seed_replays_exactly_and_keeps_every_promise() -> None:
    """Two processes live through the same days: all that happens is the same in both, step by step."""
    command = [sys.executable, "-m", "tests.simulation", "--days", "2", "--seed", "7", "--one", "--digest"]
    both = [
        subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    (first, wrong), (second, _) = (each.communicate(timeout=100) for each in both)
    assert [each.returncode for each in both] == [0, 0], wrong
    assert first.splitlines()[0].startswith("seed 7: ")
    assert first.splitlines()[0] == second.splitlines()[0]


@pytest.mark.slow
def test_days_of_crashes_and_faults_lose_no_picture_and_no_cent() -> None:
    """Another seed, with crashes, faults and turns of many kinds."""
    figures = figures_of(*simulate("--days", "7", "--seed", "21", "--processes", "1", "--json"))
    assert figures["crashes"] > 2
    assert figures["faults"] > 20
    assert figures["turns"] > 20
    assert figures["outcomes"]["pictures"] > 12


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(PROOF_S + 30)
def test_a_thousand_days_of_crashes_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """What is promised holds on each of them; the figures are printed."""
    said, wrong = simulate(
        "--days", str(PROOF_DAYS), "--seed", "1000", "--processes", "2", "--json", timeout_s=PROOF_S
    )
    figures = figures_of(said, wrong)
    assert figures["days"] == PROOF_DAYS
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(figures, indent=2)}\n")


def test_what_a_long_run_has_found_goes_on_after_an_interruption_with_the_same_code(tmp_path: Path) -> None:
    """What was begun with other seeds, or other code, is begun anew."""
    keep, figures = tmp_path / "soak.json", Figures()
    begun = Progress(keep, 1, 20_000)
    for seed in range(1, EVERY + 3):
        wrong = ["turn x was lost"] if seed == 3 else []
        figures.add(Report(seed, 20, Counter(turns=2), wrong, [], ""))
        begun.note(figures, 7.0 * seed)
    loaded, seconds = Progress(keep, 1, 20_000).load()
    assert (loaded.runs, loaded.seeds, loaded.failed) == (EVERY, (1, EVERY), [3])
    assert (loaded.counted["turns"], loaded.wrong["lost"], seconds) == (2 * EVERY, 1, 7.0 * EVERY)
    assert Progress(keep, 2, 20_000).load()[0].runs == 0
    begun.over()
    assert begun.load()[0].runs == 0


class _Somebody:
    """A life as the loop sees it."""

    alive = True


def test_a_dead_lifes_tasks_never_run_again_while_the_worlds_go_on() -> None:
    """Neither what it waited for nor its ``finally`` reaches it; what it had asked the world for is done."""
    loop, life, seen = VirtualLoop(), _Somebody(), list[str]()

    async def world() -> None:
        await asyncio.sleep(5)
        seen.append("the world has done it")

    async def living() -> None:
        try:
            await asyncio.shield(in_the_world(world()))
            seen.append("the dead has read the answer")
        finally:
            seen.append("the dead has tidied up")

    async def story() -> None:
        mortal: Mortal = life
        loop.create_task(living(), context=inside(mortal))
        await asyncio.sleep(1)
        life.alive = False
        loop.bury(mortal)
        await asyncio.sleep(10)
        assert LIFE.get() is None

    try:
        loop.run_until_complete(story())
        assert seen == ["the world has done it"]
        assert loop.time() == pytest.approx(11)
    finally:
        loop.buried.clear()
        loop.close()


def test_virtual_time_jumps_and_says_when_nothing_is_left_to_wait_for() -> None:
    """A year passes at once; a wait without an end is an error instead of a hang."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(asyncio.sleep(31_536_000))
        assert loop.time() == pytest.approx(31_536_000)
        with pytest.raises(Stuck):
            loop.run_until_complete(loop.create_future())
    finally:
        loop.close()


def test_what_is_handed_to_a_thread_runs_at_once_and_a_crash_goes_through_it() -> None:
    """An executor's errors come with the future; a crash is the end at the very place."""
    loop = VirtualLoop()

    def dies() -> None:
        raise Crashed

    async def story() -> None:
        assert await asyncio.to_thread(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        with pytest.raises(Crashed):
            loop.run_in_executor(None, dies)

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("looked", "excused"),
    [(("C1", 5.0), True), (("", 5.0), True), (("C2", 5.0), False), (("C1", 20.0), False)],
)
def test_a_second_post_is_excused_where_nobody_could_look_in_its_channel_before_it(
    looked: tuple[str, float], excused: bool
) -> None:
    first, second = (SimpleNamespace(channel="C1", ts=f"{at}", at=at) for at in (1.0, 9.0))
    side = SimpleNamespace(unseen=[Looked(*looked)], belated=set())
    world: Any = SimpleNamespace(slack_side=side, trace=Trace(lambda: 0.0))
    posts: list[Any] = [second, first]
    assert (list(_once(world, "a turn", posts)) == []) is excused
