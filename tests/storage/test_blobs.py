"""Picture files: named by their bytes, whole or not there."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.blobs import BlobFile, BlobStore


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
