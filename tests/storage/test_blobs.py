"""Picture files: named by their bytes, whole or not there."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import storage.blobs
from storage.blobs import WRITTEN_AGAIN_S, BlobFile, BlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path)


def written(blobs: BlobStore, *pieces: bytes) -> BlobFile:
    """A file with these bytes, not finished."""
    file = blobs.begin()
    for piece in pieces:
        file.write(piece)
    return file


def files_in(folder: Path) -> list[Path]:
    """Every file there."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(pieces=st.lists(st.binary(max_size=50), max_size=6))
def test_the_name_is_the_digest_of_all_that_was_written(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    blobs = BlobStore(tmp_path_factory.mktemp("blobs"))
    digest, path = written(blobs, *pieces).finish("png")
    assert path.read_bytes() == b"".join(pieces)
    assert digest == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert path == blobs.path_of(digest, "png")


def test_the_same_bytes_are_one_file(blobs: BlobStore, tmp_path: Path) -> None:
    first, second = written(blobs, b"fox"), written(blobs, b"f", b"ox")
    assert first.finish("png") == second.finish("png")
    assert len(files_in(tmp_path)) == 1


def test_what_is_not_finished_is_not_there_under_its_name(blobs: BlobStore) -> None:
    file = written(blobs, b"fox")
    assert not blobs.path_of(hashlib.sha256(b"fox").hexdigest(), "png").exists()
    file.discard()


def test_all_that_was_written_so_far_can_be_read(blobs: BlobStore) -> None:
    file = written(blobs, b"fo")
    assert file.path().read_bytes() == b"fo"
    file.write(b"x")
    assert file.path().read_bytes() == b"fox"
    file.discard()


def test_discarding_leaves_nothing_and_may_be_repeated(blobs: BlobStore, tmp_path: Path) -> None:
    file = written(blobs, b"fox")
    file.discard()
    file.discard()
    assert files_in(tmp_path) == []


def test_discarding_what_is_finished_is_harmless(blobs: BlobStore) -> None:
    file = written(blobs, b"fox")
    _, path = file.finish("png")
    file.discard()
    assert path.read_bytes() == b"fox"


def test_what_a_crash_left_half_written_is_swept_and_nothing_else(blobs: BlobStore, tmp_path: Path) -> None:
    _, kept = written(blobs, b"kept").finish("png")
    left = [written(blobs, b"half"), written(blobs, b"")]
    assert BlobStore(tmp_path).sweep() == 2
    assert files_in(tmp_path) == [kept]
    assert blobs.sweep() == 0
    for file in left:
        file.discard()


def test_an_empty_folder_can_be_swept(tmp_path: Path) -> None:
    assert BlobStore(tmp_path / "nothing").sweep() == 0


def test_many_writers_of_the_same_bytes_leave_one_whole_file(blobs: BlobStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 500
    start = threading.Barrier(8)
    found: list[tuple[str, Path]] = []

    def write() -> None:
        file = written(blobs, data)
        start.wait(20)
        found.append(file.finish("png"))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert files_in(tmp_path) == [found[0][1]]
    assert found[0][1].read_bytes() == data


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_removed_is_gone_and_may_be_removed_again(blobs: BlobStore, tmp_path: Path) -> None:
    digest, _ = written(blobs, b"fox").finish("png")
    _, other = written(blobs, b"kept").finish("png")
    assert blobs.remove(digest, "png")
    assert files_in(tmp_path) == [other]
    assert blobs.remove(digest, "png")
    assert blobs.remove("0" * 64, "png")


def test_removing_is_on_disk_when_it_returns(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, path = written(blobs, b"fox").finish("png")
    synced: list[Path] = []
    monkeypatch.setattr(storage.blobs, "_fsync_folder", synced.append)
    blobs.remove(digest, "png")
    assert synced == [path.parent]


def test_bytes_written_again_are_not_removed_for_a_while(tmp_path: Path) -> None:
    """Whoever wrote them may have yet to say so in the books."""
    clock = Seconds()
    blobs = BlobStore(tmp_path, clock)
    digest, path = written(blobs, b"logo").finish("png")
    clock.now += 10 * WRITTEN_AGAIN_S
    written(blobs, b"logo").finish("png")
    assert not blobs.remove(digest, "png")
    clock.now += WRITTEN_AGAIN_S - 1
    assert not blobs.remove(digest, "png")
    assert path.read_bytes() == b"logo"
    clock.now += 2
    assert blobs.remove(digest, "png")
    assert not path.exists()


def test_bytes_written_once_more_after_their_removal_are_not_removed_for_a_while(tmp_path: Path) -> None:
    """Two requests to remove them may both be for the old ones."""
    clock = Seconds()
    blobs = BlobStore(tmp_path, clock)
    digest, path = written(blobs, b"logo").finish("png")
    assert blobs.remove(digest, "png")
    written(blobs, b"logo").finish("png")
    assert not blobs.remove(digest, "png")
    assert path.exists()
    clock.now += WRITTEN_AGAIN_S + 1
    assert blobs.remove(digest, "png")


def test_what_was_written_again_is_not_remembered_for_ever(tmp_path: Path) -> None:
    clock = Seconds()
    blobs = BlobStore(tmp_path, clock)
    for number in range(50):
        for _ in range(2):
            written(blobs, b"%d" % number).finish("png")
        clock.now += WRITTEN_AGAIN_S
    assert len(blobs._not_before) <= 2


def test_a_file_is_there_for_whoever_wrote_it_while_others_remove_it(tmp_path: Path) -> None:
    """Any number of writers and removers of the same bytes: who wrote last finds them."""
    blobs = BlobStore(tmp_path)
    written(blobs, b"logo").finish("png")
    start = threading.Barrier(8)
    digest = hashlib.sha256(b"logo").hexdigest()
    missing: list[Path] = []

    def remove() -> None:
        start.wait(20)
        for _ in range(50):
            blobs.remove(digest, "png")

    def write() -> None:
        start.wait(20)
        for _ in range(10):
            _, path = written(blobs, b"logo").finish("png")
            if not path.exists():
                missing.append(path)

    threads = [threading.Thread(target=each) for each in (remove, write) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert missing == []
