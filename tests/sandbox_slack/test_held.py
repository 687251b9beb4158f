"""The bytes of files: bounded in memory, whole wherever they are, gone with who held them."""

import asyncio
import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack import files, held, limits, statuses
from sandbox.slack.held import ByteStore, Held
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import Clock, api, ok, png, uploaded


def put(store: ByteStore, data: bytes) -> Held:
    return store.put(hashlib.sha256(data).hexdigest(), data)


def spools(place: Path) -> int:
    """How many temporary files of this folder this process has open."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(entry.readlink()).startswith(str(place))
    return found


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(0, 100))
def test_every_byte_comes_back_and_memory_has_its_bound(pieces: list[bytes], most: int) -> None:
    store = ByteStore(in_memory=most)
    kept = [put(store, data) for data in pieces]

    assert [each.read() for each in kept] == pieces
    assert store.weight <= most
    assert sum(each.size for each in set(kept) if each.in_memory) <= most


def test_the_newest_stay_in_memory_and_the_same_bytes_are_held_once() -> None:
    store = ByteStore(in_memory=10)
    old, new, same = put(store, b"1234567"), put(store, b"abcdefg"), put(store, b"abcdefg")

    assert (old.in_memory, new.in_memory) == (False, True)
    assert new is same


def test_what_fits_into_memory_touches_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    kept = put(ByteStore(in_memory=10), b"1234567890")

    assert kept.read() == b"1234567890"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells which files are open")
def test_a_temporary_file_has_no_name_and_goes_with_its_last_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = ByteStore(in_memory=0)
    kept = [put(store, b"a fox"), put(store, b"an owl")]
    both = spools(tmp_path)
    del kept[0]
    one = spools(tmp_path)

    assert kept[0].read() == b"an owl"
    assert list(tmp_path.iterdir()) == []
    del kept[0]
    assert (both, one, spools(tmp_path)) == (1, 1, 0)


def test_a_full_temporary_file_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "SPOOL_MAX", 8)
    opened = Mock(wraps=tempfile.TemporaryFile)
    monkeypatch.setattr(tempfile, "TemporaryFile", opened)
    store = ByteStore(in_memory=0)
    pieces = [bytes([number]) * 5 for number in range(6)]
    kept = [put(store, data) for data in pieces]

    assert [each.read() for each in kept] == pieces
    assert opened.call_count == 3


def test_a_forked_process_and_its_parent_do_not_write_over_each_other() -> None:
    store = ByteStore(in_memory=0)
    before = put(store, b"before the fork")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        fine = False
        try:
            os.close(writing)
            os.read(reading, 1)
            mine = put(store, b"of the child's!")
            fine = before.read() == b"before the fork" and mine.read() == b"of the child's!"
        finally:
            # Whatever went wrong, the rest of the tests is the parent's to run.
            os._exit(0 if fine else 1)
    try:
        after = put(store, b"of the parents!")
    finally:
        os.close(writing)
        _, ended = os.waitpid(child, 0)
        os.close(reading)

    assert os.waitstatus_to_exitcode(ended) == 0
    assert (before.read(), after.read()) == (b"before the fork", b"of the parents!")


def test_on_a_full_disk_pictures_stay_in_memory_which_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*given: object) -> int:
        raise OSError("no space left on device")

    caplog.set_level(logging.WARNING)
    store = ByteStore(in_memory=0)
    monkeypatch.setattr(os, "pwrite", full)
    kept = [put(store, b"a fox"), put(store, b"an owl")]
    monkeypatch.undo()

    assert [each.read() for each in kept] == [b"a fox", b"an owl"]
    assert len(caplog.records) == 1


async def test_a_workspace_with_many_pictures_keeps_few_in_memory_and_gives_all_of_them(
    still: Workspace,
) -> None:
    still.file_processing_s = 0
    still.held = ByteStore(in_memory=3 * len(png()))
    pictures = [png(3, 2 + number) for number in range(10)]
    ids = [await uploaded(still, picture) for picture in pictures]
    answers = []
    for file_id in ids:
        url = (await ok(still, "files.info", file=file_id))["file"]["url_private"]
        answers.append((await still.download(url, still.bot_token)).body)

    assert answers == pictures
    assert still.held.weight <= 3 * len(png())
    assert not still.files[ids[0]].held.in_memory


async def test_deleting_a_file_frees_its_bytes_unless_another_has_the_same(still: Workspace) -> None:
    still.file_processing_s = 0
    first, second = await uploaded(still, png()), await uploaded(still, png())
    await ok(still, "files.delete", file=first)
    one = (still.held.weight, still.files[first].data, still.files[second].data)
    await ok(still, "files.delete", file=second)

    assert one == (len(png()), b"", png())
    assert still.held.weight == 0


async def test_uploads_that_nobody_completes_are_forgotten_in_the_end(
    still: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "UPLOADS_MAX", 3)
    begun = [
        await ok(still, "files.getUploadURLExternal", filename="fox.png", length=len(png(3, 9)))
        for _ in range(2)
    ]
    await still.send_bytes(begun[0]["upload_url"], png(3, 9))
    done = [await uploaded(still, png(3, 2 + number)) for number in range(5)]
    late = await api(still, "files.completeUploadExternal", files=[{"id": begun[0]["file_id"]}])
    await asyncio.gather(*(still.upload("alice", "fox.png", png(3, 9)) for _ in range(3)))
    again = await still.send_bytes(begun[1]["upload_url"], png(3, 9))

    assert late.ok
    assert again.status == 200
    for _ in range(3):
        await ok(still, "files.getUploadURLExternal", filename="fox.png", length=3)
    assert (await still.send_bytes(begun[1]["upload_url"], png(3, 9))).status == 404
    assert len(still.uploads) == 3
    assert set(done) <= set(still.files)


async def test_tickets_of_no_use_are_forgotten(still: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORDS_MAX", 5)
    for _ in range(8):
        await still.call("apps.connections.open", {}, still.app_token)

    assert len(still.tickets) == 5


async def test_however_often_a_status_is_said_in_a_thread_one_task_waits_for_its_end(
    still: Workspace, clock: Clock
) -> None:
    place, other = ("C0DESIGN01", "1.000000"), ("C0DESIGN01", "2.000000")
    before = asyncio.all_tasks()
    for said in ("is drawing", "is still drawing", "", "is drawing"):
        statuses.say(still, place, said)
        await clock.advance(1)
    one = len(asyncio.all_tasks() - before)
    statuses.say(still, other, "is drawing")
    two = len(asyncio.all_tasks() - before)

    assert (one, two) == (1, 2)
    await clock.advance(limits.STATUS_S - 2)
    assert set(still.statuses) == {place, other}
    await clock.advance(1)
    assert set(still.statuses) == {other}
    await clock.advance(1)
    assert (still.statuses, asyncio.all_tasks()) == ({}, before)
    statuses.say(still, place, "is drawing")
    await clock.advance(limits.STATUS_S)
    assert not still.statuses


async def test_after_everything_began_again_a_status_lapses_too(still: Workspace, clock: Clock) -> None:
    place = ("C0DESIGN01", "1.000000")
    statuses.say(still, place, "is drawing")
    await clock.advance(1)
    await still.reset()
    statuses.say(still, place, "is drawing")
    await clock.advance(limits.STATUS_S)

    assert not still.statuses


async def test_the_record_of_calls_holds_no_files(still: Workspace) -> None:
    await still.call("files.upload", {"file": bytes(1000)}, still.bot_token)

    assert still.calls[-1].params == {"file": "(1,000 bytes)"}
