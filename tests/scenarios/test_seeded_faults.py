"""Everything at once, seeded: people who act, a Slack and an API that fail at random, sockets that change."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.app import Overrides
from sandbox.images.mishaps import MISHAPS, mishap
from sandbox.slack.model import Fault
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.hostile_api import HastyClock
from tests.scenarios.story import WAIT_S, Person, Thread, Town

STEPS = 30
METHODS = (
    "chat.postMessage",
    "chat.update",
    "chat.delete",
    "chat.postEphemeral",
    "chat.getPermalink",
    "conversations.history",
    "conversations.replies",
    "users.info",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
    "reactions.add",
    "reactions.remove",
    "response_url",
)
HOW: tuple[dict[str, Any], ...] = (
    {"drop": "before"},
    {"drop": "after"},
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "2"}, "error": "ratelimited"},
)


class Storm:
    """A town in which one random thing happens after another."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.rng = random.Random(seed)  # noqa: S311 -- a seeded test
        self.threads: list[Thread] = []

    async def step(self, number: int) -> None:
        """Some faults to come, and one act."""
        workspace, rng = self.town.workspace, self.rng
        for _ in range(rng.randrange(4)):
            workspace.faults.append(Fault(rng.choice(METHODS), **rng.choice(HOW)))
        if rng.random() < 0.5:
            self.town.images.faults.append(mishap(rng.choice(list(MISHAPS))))
        acts: list[Callable[[Person, str], Coroutine[Any, Any, None]]] = [
            self._command,
            self._command,
            self._mention,
            self._reply,
            self._second_thoughts,
            self._refresh,
        ]
        person = rng.choice([self.town.alice, self.town.bob, self.town.carol])
        await rng.choice(acts)(person, f"picture {number}")

    async def _command(self, person: Person, prompt: str) -> None:
        # It may find no socket, and then its person is told so.
        await self.town.workspace.type_command(person.id, "design", f"/imagine {prompt}")

    async def _mention(self, person: Person, prompt: str) -> None:
        self.threads.append(await person.mentions(prompt))

    async def _reply(self, person: Person, prompt: str) -> None:
        if self.threads:
            await person.replies(self.rng.choice(self.threads), prompt)

    async def _second_thoughts(self, person: Person, prompt: str) -> None:
        workspace = self.town.workspace
        us = f"<@{workspace.bot_user_id}>"
        message = await person.writes(f"{us} {prompt}")
        await workspace.edit_message(person.id, "design", message.ts, f"{us} {prompt} in blue")
        if self.rng.random() < 0.5:
            await workspace.delete_message(person.id, "design", message.ts)

    async def _refresh(self, person: Person, prompt: str) -> None:
        await self.town.workspace.refresh_sockets()


def _check(town: Town) -> None:
    town.ledger.holds_nothing()
    for turn in town.ledger.rows("SELECT * FROM turns"):
        assert turn["state"] == "ended", dict(turn)
        assert turn["told_at"] or turn["undelivered_reason"], dict(turn)
    made = [call.body["input"] for call in town.calls if call.outcome in ("picture", "words", "nothing")]
    assert len(made) == len({str(asked) for asked in made}), "bought twice"
    everything, us = town.messages(), town.workspace.bot_user_id
    shown = [m for m in everything if any(block["type"] == "image" for block in m.blocks)]
    of_turns = [m.metadata["event_payload"]["turn_id"] for m in shown if m.metadata]
    posted = town.ledger.rows(
        """SELECT turn_id FROM pictures JOIN turns ON turns.id = turn_id
        WHERE message_ts IS NOT NULL OR undelivered_reason IS NULL"""
    )
    assert sorted(of_turns) == sorted(row["turn_id"] for row in posted), "each picture once"
    assert not _signs(town)
    assert {n.user for n in town.workspace.notifications} <= {town.alice.id, town.bob.id, town.carol.id, us}
    caps = town.ledger.rows(
        """SELECT MAX(charged_nano_usd) FROM counters WHERE budget LIKE 'person:%'""",
    )
    assert (caps[0][0] or 0) <= 2_000_000_000


def _signs(town: Town) -> list[str]:
    """What still says of a turn that it is being made."""
    us = town.workspace.bot_user_id
    return [m.text for m in town.messages() if "Working on it" in m.text or us in m.reactions.get("eyes", [])]


async def _settles(town: Town) -> None:
    """Slack gives an event up whose acknowledgements were lost with their sockets, while Darkroom is still at
    it: that Slack waits for nothing is not yet rest. A sign that Slack has not let go of in an hour, which
    this clock makes short, goes in a later round."""

    def all_ended(_: Workspace) -> bool:
        return not town.ledger.rows("SELECT id FROM turns WHERE state <> 'ended'")

    async with asyncio.timeout(WAIT_S):
        await town.rests()
        while not all_ended(town.workspace):
            await town.workspace.until(all_ended, WAIT_S)
            await town.rests()
    await town.workspace.until(lambda _: not _signs(town), WAIT_S)
    await town.rests()


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_every_turn_ends_once_and_the_books_are_right(
    towns: OpenTown, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HastyClock()
    town = await towns(
        overrides=Overrides(clock=clock), caps__person_usd="2", queue__waiting=30, image__timeout_s=10
    )
    # It is the same time on both sides: Darkroom looks for what Slack posted since a turn came.
    town.workspace.now = lambda: clock.now().timestamp()
    storm = Storm(town, seed)
    for number in range(STEPS):
        await storm.step(number)
    await _settles(town)
    _check(town)
    ours = [record for record in caplog.records if record.name.startswith(("darkroom", "handlers"))]
    # That the account has no money left is no fault of ours, and an admin's log says so.
    told = [record.getMessage() for record in ours if record.levelno >= logging.ERROR]
    assert not [each for each in told if not each.startswith("the image API is not called")]
