"""A program that spends money until it is killed; run by ``test_crash.py`` as a process of its own.

It says on its output what was promised to somebody: each line is written only after the store has returned.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from darkroom.rendering.job import SavedPicture
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Told
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from storage.turns import SqliteTurnStore
from tests.examples import caps, command, plan, settlement

LIMITS = caps(person=10**9, channel=10**9, workspace=10**9)
PICTURE_BYTES = 300_000


def promise(*words: str) -> None:
    """Say it, whole lines only, before going on."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def one(store: SqliteTurnStore, blobs: BlobStore, name: str, rng: random.Random) -> None:
    """One turn from its arrival to being told, in one of its ways."""
    now = datetime.now(UTC)
    turn_id, attempt_id = f"turn_{name}", f"try_{name}"
    await store.arrive(turn_id, command(trigger=name, user=f"U{name[-1]}"), now, ThreadReplies.JOINED)
    promise("arrived", turn_id)
    await store.queue(turn_id, plan("none", 100), LIMITS, now)
    await store.tell(turn_id, Told.PLACEHOLDER, f"ts_{name}", now)
    if not isinstance(await store.hold(turn_id, plan(attempt_id), LIMITS, now), Attempt):
        return
    promise("held", attempt_id)
    if rng.random() < 0.2:
        following = plan(f"{attempt_id}_b")
        await store.fall_back(attempt_id, "refused", following, LIMITS, now)
        promise("released", attempt_id)
        attempt_id = following.attempt_id
    await store.send(attempt_id, now)
    promise("sent", attempt_id)
    await store.send(attempt_id, now, f"resp_{name}")
    if rng.random() < 0.2:
        await store.render(attempt_id, settlement(100, state=AttemptState.UNCERTAIN), LIMITS, now)
        promise("uncertain", attempt_id)
    else:
        file = blobs.begin()
        data = rng.randbytes(PICTURE_BYTES)
        for start in range(0, len(data), 65_536):
            file.write(data[start : start + 65_536])
        digest, path = file.finish("png")
        picture = SavedPicture(digest, path, len(data), "png", 1024, 1024)
        paid = replace(settlement(60, picture_id=f"pic_{name}"), picture=picture)
        await store.render(attempt_id, paid, LIMITS, now)
        promise("settled", attempt_id)
    await store.end(turn_id, Ending(Outcome.PICTURES, Reason.PICTURES), now)
    await store.tell(turn_id, Told.DONE, None, now)
    promise("told", turn_id)


async def spend(folder: Path, seed: str) -> None:
    """Several turns at a time, without end."""
    rng = random.Random(seed)  # noqa: S311 -- a seeded test
    database = Database.open(folder)
    store, blobs = SqliteTurnStore(database), BlobStore(folder / PICTURES_NAME)
    number = 0
    while True:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                number += 1
                group.create_task(one(store, blobs, f"{seed}_{number}", rng))


if __name__ == "__main__":
    asyncio.run(spend(Path(sys.argv[1]), sys.argv[2]))
