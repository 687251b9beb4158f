"""What a deleted picture has left elsewhere is recalled, again until it is gone or given up and said."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.erasing import TRIES_MAX, Errand, NotScrubbed, Recall
from darkroom.turns.model import Told
from handlers.blocks.picture import AGAIN_ACTION
from handlers.blocks.recalled import PLACEHOLDER, left_view
from handlers.recalling import GONE, LOOK_S, Reach, Recalling, rewriting
from handlers.rounds import RETRY_S
from handlers.showing import Manner, Showing
from sandbox.slack import words as slack_words
from storage.blobs import BlobStore
from storage.database import Database
from storage.erasing import remove_bytes
from tests.examples import ALICE, BOB, DESIGN, NOON, StillClock
from tests.handlers.support import USD, USUAL, Desk, refused, unclear
from tests.handlers.test_alerting import GatedClock
from tests.handlers.test_spend import spent

MESSAGE, ROOT = "1763640200.000001", "1763640000.1"


@dataclass
class Rooms:
    """A picture of Alice's in #design with all that it leaves: message, placeholder, file, answer, bytes."""

    desk: Desk
    database: Database
    blobs: BlobStore
    forgotten: list[str] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    """What the API says next of a stored answer: whether it is gone."""

    def recalling(self, clock: StillClock | None = None) -> Recalling:
        """A new one on the same books."""
        desk, voice = self.desk, self.desk.services.config.voice
        showing = Showing(desk.slack, desk.clock, Manner(frozenset({USUAL}), True, USD))

        async def forget(response_id: str) -> bool:
            self.forgotten.append(response_id)
            return self.answers.pop(0) if self.answers else True

        remove = partial(remove_bytes, self.database, self.blobs)
        reach = Reach(forget, remove, rewriting(desk.log, desk.slack, showing))
        services = desk.services
        return Recalling(
            services.eraser, services.conversations, desk.slack, clock or desk.clock, voice, reach
        )

    async def path(self) -> Path:
        """Where the bytes are."""
        made = await self.desk.log.picture("p1")
        assert made is not None
        return self.blobs.path_of(made.sha256, made.format)

    async def erase(self, picture_id: str = "p1") -> None:
        """Alice deletes it."""
        await self.desk.services.eraser.erase(picture_id, ALICE, self.desk.clock.now())

    async def open(self) -> set[Recall]:
        """What is left to recall."""
        return {errand.kind for errand in await self.desk.services.eraser.open_errands(100)}


@pytest.fixture
async def rooms(desk: Desk, database: Database, tmp_path: Path) -> Rooms:
    """With one picture, told as pictures are."""
    await spent(desk, ALICE, USD, "1")
    made, now = await desk.log.picture("p1"), desk.clock.now()
    assert made is not None
    await desk.store.tell(made.turn_id, Told.FILE, "F0PICTURE1", now, "p1")
    await desk.store.end(made.turn_id, Ending(Outcome.PICTURES, Reason.PICTURES), now)
    await desk.store.tell(made.turn_id, Told.MESSAGE, MESSAGE, now)
    await desk.store.tell(made.turn_id, Told.DONE, None, now)
    blobs = BlobStore(tmp_path / "pictures")
    path = blobs.path_of(made.sha256, made.format)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"png")
    return Rooms(desk, database, blobs)


async def test_message_file_answer_and_bytes_go_and_the_placeholder_says_no_prompt(rooms: Rooms) -> None:
    await rooms.erase()
    assert await rooms.recalling().round()
    slack = rooms.desk.slack
    assert slack.only("delete_message").said == {"channel": DESIGN, "ts": MESSAGE}
    assert slack.only("delete_file").said == {"file_id": "F0PICTURE1"}
    assert rooms.forgotten == ["resp_1"]
    assert not (await rooms.path()).exists()
    placeholder = slack.only("update_message")
    assert (placeholder.said["ts"], placeholder.text) == (ROOT, PLACEHOLDER)
    assert "fox" not in placeholder.payload
    assert await rooms.open() == set()
    assert slack.named("post_private") == [], "what went well is not worth a message"


async def test_before_anything_is_deleted_there_is_nothing_to_do(rooms: Rooms) -> None:
    assert await rooms.recalling().round()
    assert rooms.desk.slack.calls == []
    assert (await rooms.path()).exists()


@pytest.mark.parametrize("error", sorted(GONE))
async def test_what_is_gone_already_is_what_was_wanted(rooms: Rooms, error: str) -> None:
    await rooms.erase()
    for method in ("delete_message", "update_message", "delete_file"):
        rooms.desk.slack.faults[method] = [refused(error)]
    assert await rooms.recalling().round()
    assert await rooms.open() == set()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("delete_message", Recall.MESSAGE),
        ("update_message", Recall.PLACEHOLDER),
        ("delete_file", Recall.FILE),
    ],
)
@pytest.mark.parametrize("fault", [unclear(), refused("ratelimited"), refused("is_archived")])
async def test_what_cannot_be_recalled_now_is_tried_again_later_also_after_a_restart(
    rooms: Rooms, method: str, kind: Recall, fault: Exception
) -> None:
    await rooms.erase()
    rooms.desk.slack.faults[method] = [fault]
    recalling = rooms.recalling()
    assert not await recalling.round()
    assert await rooms.open() == {kind}
    assert not await recalling.round(), "it waits"
    assert len(rooms.desk.slack.named(method)) == 0
    assert await rooms.recalling().round()
    assert await rooms.open() == set()


async def test_an_answer_that_the_api_still_has_is_asked_for_again(rooms: Rooms) -> None:
    await rooms.erase()
    rooms.answers = [False, False, True]
    recalling = rooms.recalling()
    for _ in range(2):
        assert not await recalling.round()
        rooms.desk.clock.at += timedelta(hours=1)
    assert await recalling.round()
    assert rooms.forgotten == ["resp_1"] * 3
    assert await rooms.open() == set()


async def test_each_try_comes_later_than_the_one_before_and_after_the_last_who_deleted_is_told_once(
    rooms: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    await rooms.erase()
    slack, clock, recalling = rooms.desk.slack, rooms.desk.clock, rooms.recalling()
    slack.faults["delete_message"] = [refused("is_archived")] * TRIES_MAX
    tried: list[float] = []
    for _ in range(TRIES_MAX * 130):
        before = len(slack.calls)
        await recalling.round()
        if any(call.method == "delete_message refused" for call in slack.calls[before:]):
            tried.append(clock.monotonic())
        clock.at += timedelta(seconds=RETRY_S)
    waits = [round(b - a) for a, b in pairwise(tried)]
    assert len(tried) == TRIES_MAX
    assert waits == [min(int(LOOK_S), 30 * 2**n) for n in range(TRIES_MAX - 1)]
    told = slack.only("post_private")
    assert told.said["user_id"] == ALICE
    assert f"its message in <#{DESIGN}>, because of “is_archived”" in told.text
    assert "can delete it in Slack" in told.text
    assert await rooms.open() == set(), "it is given up"
    assert "errand" in caplog.text
    assert "fox" not in caplog.text


async def test_a_message_that_brings_other_pictures_is_written_anew_with_those(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rooms.erase()
    await spent(rooms.desk, ALICE, USD, "2")
    other = await rooms.desk.log.picture("p2")
    assert other is not None

    async def those(*_: Any) -> list[Any]:
        return [other]

    monkeypatch.setattr(rooms.desk.services.conversations, "pictures_of_message", those)
    assert await rooms.recalling().round()
    slack = rooms.desk.slack
    assert slack.named("delete_message") == []
    anew = next(call for call in slack.named("update_message") if call.said["ts"] == MESSAGE)
    assert AGAIN_ACTION in anew.payload
    assert '"value": "p2"' in anew.payload
    assert "p1" not in anew.payload.replace("p1763", "")


async def test_bytes_that_another_picture_needs_stay(rooms: Rooms) -> None:
    """Two pictures of the same bytes: they are one file, which goes with the last of them."""
    await spent(rooms.desk, BOB, USD, "2")
    await rooms.erase("p1")
    assert await rooms.recalling().round()
    assert (await rooms.path()).exists()
    await rooms.erase("p2")
    assert await rooms.recalling().round()
    assert not (await rooms.path()).exists()


async def test_the_files_of_the_database_are_scrubbed_after_a_deletion_and_after_a_start(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash may have come between a deletion and its scrubbing; an idle hour scrubs nothing."""
    scrubbed = []

    async def scrub() -> None:
        scrubbed.append(len(rooms.desk.slack.named("delete_file")))

    monkeypatch.setattr(rooms.desk.services.eraser, "scrub", scrub)
    recalling = rooms.recalling()
    await recalling.round()
    await recalling.round()
    assert scrubbed == [0]
    await rooms.erase()
    recalling.wake()
    await recalling.round()
    await recalling.round()
    assert scrubbed == [0, 1]


async def test_scrubbing_that_fails_is_done_again(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    async def scrub() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("disk is busy")

    monkeypatch.setattr(rooms.desk.services.eraser, "scrub", scrub)
    recalling = rooms.recalling()
    assert not await recalling.round()
    assert await recalling.round()
    assert await recalling.round()
    assert len(tries) == 2


async def test_scrubbing_that_somebody_who_reads_is_in_the_way_of_is_no_fault_and_is_done_later(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "darkroom")
    tries: list[Exception | None] = [NotScrubbed("somebody reads the database"), None]

    async def scrub() -> None:
        if (error := tries.pop(0)) is not None:
            raise error

    monkeypatch.setattr(rooms.desk.services.eraser, "scrub", scrub)
    recalling = rooms.recalling()
    assert not await recalling.round()
    assert await recalling.round()
    assert tries == []
    assert [(one.levelname, "somebody reads" in one.message) for one in caplog.records] == [("INFO", True)]


async def test_one_errand_that_breaks_keeps_none_behind_it(
    rooms: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    await rooms.erase()
    rooms.desk.slack.faults["delete_message"] = [RuntimeError("secret words")]
    recalling = rooms.recalling()
    assert not await recalling.round()
    assert await rooms.open() == {Recall.MESSAGE}
    assert "secret" not in caplog.text
    rooms.desk.clock.at += timedelta(hours=1)
    assert await recalling.round()


async def old_ones(rooms: Rooms, number: int) -> None:
    """So many errands of a picture that went by its age, which came before all others."""
    await spent(rooms.desk, BOB, USD, "2")

    def work(db: sqlite3.Connection) -> None:
        for each in range(number):
            db.execute(
                """
                INSERT INTO erasures (kind, team_id, channel_id, ref, picture_id, by_user_id, created_at)
                VALUES ('file', 'T0TEAM0001', '', ?, 'p2', '', '2020-01-01T00:00:00.000000Z')
                """,
                (f"F{each}",),
            )

    await rooms.database.write(work)


async def test_what_somebody_deletes_is_recalled_before_hundreds_that_went_by_their_age(rooms: Rooms) -> None:
    await old_ones(rooms, 600)
    await rooms.erase()
    errands = await rooms.desk.services.eraser.open_errands(500)
    theirs = [errand for errand in errands if errand.by_user_id]
    assert theirs
    assert errands[: len(theirs)] == theirs
    assert len(errands) == 500
    few = await rooms.desk.services.eraser.open_errands(4)
    assert [bool(errand.by_user_id) for errand in few] == [True, True, False, False]


async def test_a_round_that_recalls_old_ones_makes_way_for_what_somebody_deletes_meanwhile(
    rooms: Rooms,
) -> None:
    await old_ones(rooms, 50)
    recalling, slack = rooms.recalling(), rooms.desk.slack
    assert not slack.named("delete_file")
    first = slack.delete_file

    async def deleted_meanwhile(file_id: str) -> None:
        slack.delete_file = first  # type: ignore[method-assign]  # once
        await rooms.erase()
        recalling.wake()
        await first(file_id)

    slack.delete_file = deleted_meanwhile  # type: ignore[method-assign]  # somebody deletes a picture now
    assert not await recalling.round()
    assert len(slack.named("delete_file")) == 1
    assert await recalling.round()
    assert await rooms.open() == set()


async def test_it_runs_at_start_when_it_is_woken_and_every_hour(rooms: Rooms) -> None:
    await rooms.erase()
    clock = GatedClock()
    recalling = rooms.recalling(clock)
    recalling.start()
    await clock.asleep.wait()
    assert await rooms.open() == set()
    assert clock.slept[-1] == LOOK_S
    await spent(rooms.desk, ALICE, USD, "2")
    await rooms.erase("p2")
    clock.asleep.clear()
    recalling.wake()
    await clock.asleep.wait()
    assert await rooms.open() == set()
    for _ in range(9):
        await asyncio.sleep(0)
    assert clock.slept == [LOOK_S] * 2, "woken once, it goes round once"
    await recalling.aclose()


@pytest.mark.parametrize("channel", [DESIGN, "D0ALICE001"])
def test_what_is_left_is_said_of_every_kind_with_what_to_do(channel: str) -> None:
    left = [
        (Errand(number, kind, "T", channel, "<!channel>", "p1", 19, NOON, ALICE), "<why>")
        for number, kind in enumerate(Recall)
    ]
    view = left_view(left, "an admin")
    assert view.text.count("What is left: ") == len(Recall)
    assert slack_words.broadcasts(view.text) == set()
    assert "30 days" in view.text
    assert len(left_view(left * 40, "an admin").text) <= 4_000
