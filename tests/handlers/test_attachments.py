"""What people attach, for the turns that want it: found above them, fetched, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from darkroom.turns.endings import FileProblem
from darkroom.turns.model import REFERENCES_MAX, Attachment, Surface
from darkroom.turns.surroundings import CannotFetch
from handlers.attachments import BYTES_MAX, PAUSES_S, SlackAttachments
from handlers.clients import NotTheFile, SlackRefused, SlackUnclear, TooManyBytes
from handlers.downloading import ELSEWHERE, PAGE
from handlers.pacing import FETCH_PATIENCE_S
from storage.blobs import BlobStore
from tests.examples import StillClock, message, turn
from tests.handlers.support import FakeSlack


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


FILE = Attachment("F1", "fox.png", "image/png", 3)
ROOT, TS = "1763640000.000100", "1763640060.000100"


class Interrupted(FakeSlack):
    """Downloads that break off after so many bytes, one after the other."""

    def __init__(self, *breaks: int) -> None:
        super().__init__(files={"F1": b"abcdefgh"})
        self.breaks = list(breaks)

    async def download(self, file_id: str, write: Callable[[bytes], object], *, bytes_max: int) -> None:
        if not self.breaks:
            return await super().download(file_id, write, bytes_max=bytes_max)
        write(self.files[file_id][: self.breaks.pop(0)])
        raise SlackUnclear("download")


async def fetched(slack: FakeSlack, folder: Path, clock: StillClock, file: Attachment = FILE) -> bytes:
    """The bytes that reach the blob."""
    blob = BlobStore(folder).begin()
    try:
        await SlackAttachments(slack, clock).fetch(file, blob)
        return blob.path().read_bytes()
    finally:
        blob.discard()


async def test_a_file_is_fetched_whatever_its_message_says_of_it(tmp_path: Path, clock: StillClock) -> None:
    """A message from another workspace says nothing at all."""
    slack = FakeSlack(files={"F1": b"fox"})
    assert await fetched(slack, tmp_path, clock, Attachment("F1", "file", "", 0)) == b"fox"
    assert slack.only("download").said["bytes_max"] == BYTES_MAX == 50 * 1024 * 1024


@pytest.mark.parametrize("breaks", [(0,), (3,), (5, 2), (2, 7), (8,)])
async def test_a_download_that_breaks_off_goes_on_where_it_was(
    tmp_path: Path, clock: StillClock, breaks: tuple[int, ...]
) -> None:
    assert await fetched(Interrupted(*breaks), tmp_path, clock) == b"abcdefgh"
    assert clock.slept == list(PAUSES_S[: len(breaks)])


@pytest.mark.parametrize("trouble", [SlackUnclear("download"), SlackRefused("ratelimited", "files.info")])
async def test_passing_trouble_is_given_three_tries(
    tmp_path: Path, clock: StillClock, trouble: Exception
) -> None:
    slack = FakeSlack(faults={"download": [trouble] * 9})
    with pytest.raises(CannotFetch) as cannot:
        await fetched(slack, tmp_path, clock)
    assert cannot.value.problem is FileProblem.UNREACHABLE
    assert len(slack.named("download refused")) == 3


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (TooManyBytes(), FileProblem.TOO_MANY_BYTES),
        (NotTheFile(PAGE), FileProblem.NO_ACCESS),
        (NotTheFile(ELSEWHERE), FileProblem.ELSEWHERE),
        (SlackRefused("file_not_found", "files.info"), FileProblem.NO_ACCESS),
        (SlackRefused("missing_scope", "files.info"), FileProblem.NO_ACCESS),
        (SlackRefused("http_403", "download"), FileProblem.NO_ACCESS),
    ],
)
async def test_what_stays_a_no_has_its_reason_at_once(
    tmp_path: Path, clock: StillClock, fault: Exception, problem: FileProblem
) -> None:
    slack = FakeSlack(faults={"download": [fault]})
    with pytest.raises(CannotFetch) as cannot:
        await fetched(slack, tmp_path, clock)
    assert cannot.value.problem is problem
    assert clock.slept == []


async def test_a_file_that_slack_holds_back_for_long_is_not_waited_for(
    tmp_path: Path, clock: StillClock
) -> None:
    """Whoever waits for it keeps a place from others."""
    slack = FakeSlack(files={"F1": b"fox"}, held_s={"download": FETCH_PATIENCE_S + 1})
    with pytest.raises(CannotFetch) as cannot:
        await fetched(slack, tmp_path, clock)
    assert cannot.value.problem is FileProblem.UNREACHABLE
    assert clock.slept == []
    slack.held_s["download"] = FETCH_PATIENCE_S
    assert await fetched(slack, tmp_path, clock) == b"fox"


async def test_a_file_that_is_said_to_be_too_large_is_not_asked_for(
    tmp_path: Path, clock: StillClock
) -> None:
    slack = FakeSlack()
    with pytest.raises(CannotFetch, match="too_many_bytes"):
        await fetched(slack, tmp_path, clock, Attachment("F1", "a.png", "image/png", BYTES_MAX + 1))
    assert slack.calls == []


async def above(slack: FakeSlack, thread_ts: str = ROOT) -> list[str]:
    """The ids of the pictures above a mention."""
    asked = message("make this one blue", TS, thread_ts, surface=Surface.MENTION)
    return [file.file_id for file in await SlackAttachments(slack, StillClock()).above(turn(asked))]


async def test_the_pictures_above_are_those_by_type_or_by_name() -> None:
    files = [
        Attachment("F1", "a.png", "image/png", 1),
        Attachment("F2", "notes.pdf", "application/pdf", 1),
        Attachment("F3", "Photo.JPG", "", 1),
        Attachment("F4", "IMG_1.HEIC", "application/octet-stream", 1),
        Attachment("F1", "a.png", "image/png", 1),
    ]
    slack = FakeSlack(above=tuple(files))
    assert await above(slack) == ["F3", "F4", "F1"]
    assert slack.named("files_above")[0].said["before_ts"] == TS


async def test_of_many_pictures_above_the_newest_count() -> None:
    files = tuple(Attachment(f"F{n:02d}", "a.png", "image/png", 1) for n in range(40))
    assert await above(FakeSlack(above=files)) == [f"F{n}" for n in range(40 - REFERENCES_MAX, 40)]


async def test_another_workspaces_file_above_is_asked_for_what_it_is() -> None:
    """Its message carries only its id."""
    stubs = (
        Attachment("F1", "file", "", 0),
        Attachment("F2", "file", "", 0),
        Attachment("F3", "file", "", 0),
    )
    slack = FakeSlack(above=stubs, media_types=["image/jpeg", "text/plain"])
    slack.faults["file_info"] = [None, None, SlackRefused("file_not_found", "files.info")]
    assert await above(slack) == ["F1"]


async def test_where_the_thread_cannot_be_read_there_is_nothing_above() -> None:
    for fault in (
        SlackRefused("not_in_channel", "conversations.replies"),
        SlackUnclear("conversations.replies"),
    ):
        assert await above(FakeSlack(above=(FILE,), faults={"files_above": [fault]})) == []


async def test_a_message_that_opens_its_thread_has_nothing_above() -> None:
    slack = FakeSlack(above=(FILE,))
    assert await above(slack, thread_ts=TS) == []
    assert slack.calls == []


async def test_whoever_asked_is_told_that_we_may_not_see_the_pictures_above() -> None:
    """With mentions only; else the picture would seem to be made of them."""
    slack = FakeSlack(faults={"files_above": [SlackRefused("missing_scope", "conversations.replies")]})
    assert await above(slack) == []
    assert "Edit with Darkroom" in slack.only("post_ephemeral").text


@pytest.mark.parametrize(
    "trouble",
    [SlackRefused("thread_not_found", "conversations.replies"), SlackUnclear("conversations.replies")],
)
async def test_where_looking_above_only_went_wrong_nothing_is_said(trouble: Exception) -> None:
    slack = FakeSlack(faults={"files_above": [trouble]})
    assert await above(slack) == []
    assert slack.named("post_ephemeral") == []
