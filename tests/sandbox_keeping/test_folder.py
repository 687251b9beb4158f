"""The folder is always readable as a whole, or left alone."""

import hashlib
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.keeping import folder as folders
from sandbox.keeping.folder import Folder, Unreadable, Written


def write(folder: Folder, number: int, *pieces: bytes) -> Written:
    """Write a state with those bytes; gives what was written."""
    shelf = folder.shelf()
    names = [shelf.put(hashlib.sha256(piece).hexdigest(), partial(bytes, piece)) for piece in pieces]
    written = folder.pack({"number": number, "names": names}, shelf)
    folder.write(written)
    return written


def test_without_a_state_there_is_nothing(tmp_path: Path) -> None:
    assert Folder(tmp_path / "new").read() is None
    assert not (tmp_path / "new").exists()


def test_what_is_written_is_read_back_and_what_nobody_speaks_of_any_more_is_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write(folder, 1, b"old", b"both")
    write(folder, 2, b"both", b"new")
    state = Folder(tmp_path).read()
    assert state is not None
    assert state["number"] == 2
    assert [folder.fetch(name) for name in state["names"]] == [b"both", b"new"]
    assert len(list((tmp_path / "bytes").iterdir())) == 2


def test_bytes_that_are_on_the_disk_are_not_written_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write(folder, 1, b"one")
    assert not write(folder, 2, b"one").new
    assert [fetch() for fetch in write(folder, 3, b"one", b"two").new.values()] == [b"two"]


def test_bytes_that_were_brought_back_are_not_written_again(tmp_path: Path) -> None:
    names = write(Folder(tmp_path), 1, b"one", b"two").names
    again = Folder(tmp_path)
    assert {again.fetch(name) for name in names} == {b"one", b"two"}
    assert not write(again, 2, b"one", b"two").new


def test_one_after_the_other_is_fetched_when_it_is_written(tmp_path: Path) -> None:
    folder, seen = Folder(tmp_path), list[list[str]]()
    shelf = folder.shelf()
    pieces = (b"one", b"two")

    def fetched(piece: bytes) -> bytes:
        seen.append(sorted(path.name for path in (tmp_path / "bytes").iterdir()))
        return piece

    names = [shelf.put(hashlib.sha256(piece).hexdigest(), partial(fetched, piece)) for piece in pieces]
    folder.write(folder.pack({}, shelf))
    assert seen == [[], [names[0]]]


@pytest.mark.parametrize("steps", range(4))
def test_whoever_is_stopped_while_writing_leaves_the_state_before(
    tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the first, the second, … file of the new state has its place."""
    folder = Folder(tmp_path)
    write(folder, 1, b"one")
    done = 0
    real = Path.replace

    def replace(path: Path, target: Path) -> Path:
        nonlocal done
        if done == steps:
            raise OSError("the power is gone")
        done += 1
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    pieces = (b"two", b"three", b"four")
    if steps < 4:
        with pytest.raises(OSError, match="power"):
            write(folder, 2, *pieces)
    monkeypatch.undo()
    state = Folder(tmp_path).read()
    assert state is not None
    assert state["number"] == 1
    assert [Folder(tmp_path).fetch(name) for name in state["names"]] == [b"one"]
    write(folder, 3, *pieces)
    state = Folder(tmp_path).read()
    assert state is not None
    assert [Folder(tmp_path).fetch(name) for name in state["names"]] == list(pieces)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 2}', '{"format": "1"}', "{}", "[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_named_and_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(Unreadable) as raised:
        Folder(tmp_path).read()
    assert raised.value.path == tmp_path / "state.json"
    assert (tmp_path / "state.json").read_text() == text


def test_a_newer_format_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"format": folders.FORMAT + 1}))
    with pytest.raises(Unreadable, match=f"its format is {folders.FORMAT + 1}"):
        Folder(tmp_path).read()


@pytest.mark.parametrize(
    ("name", "said"), [("0" * 64, "No such file"), ("../../state.json", "no name of bytes")]
)
def test_bytes_that_are_missing_are_named(tmp_path: Path, name: str, said: str) -> None:
    write(Folder(tmp_path), 1, b"one")
    with pytest.raises(Unreadable, match=said):
        Folder(tmp_path).fetch(name)


def test_bytes_that_are_damaged_are_named(tmp_path: Path) -> None:
    name = next(iter(write(Folder(tmp_path), 1, b"one").names))
    (tmp_path / "bytes" / name).write_bytes(b"uno")
    with pytest.raises(Unreadable, match="damaged") as raised:
        Folder(tmp_path).fetch(name)
    assert raised.value.path == tmp_path / "bytes" / name


def test_what_cannot_be_kept_is_refused_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(TypeError, match="bytes cannot be kept"):
        folder.pack({"picture": b"bytes"}, folder.shelf())


def test_the_text_of_lone_surrogates_is_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    state: dict[str, Any] = {"said": "\ud800 and \U0001f98a"}
    folder.write(folder.pack(state, folder.shelf()))
    assert Folder(tmp_path).read() == {"format": folders.FORMAT, **state}


def test_what_somebody_else_put_beside_the_bytes_stays(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = next(iter(write(folder, 1, b"one").names))
    (tmp_path / "bytes" / "holiday.jpg").write_bytes(b"mine")
    (tmp_path / "bytes" / "more").mkdir()
    (tmp_path / "bytes" / f"{first}.new").write_bytes(b"half")
    second = next(iter(write(folder, 2, b"two").names))
    assert {path.name for path in (tmp_path / "bytes").iterdir()} == {"holiday.jpg", "more", second}


@pytest.fixture
def everybody_reads() -> Iterator[None]:
    """The usual umask, by which what is made can be read by all."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("everybody_reads")
def test_what_is_kept_is_its_owners_alone_to_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data" / "sandbox")
    folder.take()
    write(folder, 1, b"one")
    write(folder, 2, b"one", b"two")
    folder.release()
    made = {path.relative_to(tmp_path): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert len(made) == 7
    assert {str(path): mode for path, mode in made.items() if mode & 0o077} == {}


def test_a_link_in_the_place_of_a_file_half_written_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    folder = Folder(tmp_path / "kept")
    folder.take()
    (tmp_path / "kept" / "state.json.new").symlink_to(tmp_path / "mine")
    write(folder, 1, b"one")
    folder.release()
    assert (tmp_path / "mine").read_text() == "mine"
    state = Folder(tmp_path / "kept").read()
    assert state is not None
    assert state["number"] == 1


def test_a_link_in_the_place_of_the_bytes_is_refused_and_nothing_is_removed_there(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ("0" * 64)).write_bytes(b"of another demo")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "bytes").symlink_to(elsewhere)
    folder = Folder(tmp_path / "kept")
    with pytest.raises(NotADirectoryError, match="bytes is a link"):
        folder.take()
    with pytest.raises(NotADirectoryError, match="bytes is a link"):
        write(folder, 1, b"one")
    assert [path.name for path in elsewhere.iterdir()] == ["0" * 64]
