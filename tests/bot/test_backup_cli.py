"""``darkroom backup`` and ``darkroom restore``: what they print, what they refuse, and with which words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from tests.fresh import with_books
from tests.storage.gallery import Gallery


@pytest.fixture(autouse=True)
def _books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with books and two pictures."""
    monkeypatch.chdir(tmp_path)

    async def write() -> None:
        database = Database.open(with_books(tmp_path / "data"), create=True, inline=True)
        gallery = Gallery(database, BlobStore(tmp_path / "data" / PICTURES_NAME))
        for _ in range(2):
            await gallery.picture()
        database.close()

    asyncio.run(write())


def darkroom(*arguments: str) -> Result:
    """What the command line makes of *arguments*."""
    return CliRunner().invoke(main, list(arguments))


def test_a_copy_is_made_and_put_back_and_both_say_what_is_in_it() -> None:
    made = darkroom("backup", "copy.tar")
    assert made.exit_code == 0
    assert "2 turns and 2 pictures" in made.output
    assert "restore copy.tar --data-dir" in made.output
    back = darkroom("restore", "copy.tar", "--data-dir", "other")
    assert back.exit_code == 0
    assert "2 turns and 2 pictures" in back.output
    assert "Stop any other Darkroom" in back.output
    assert back.output.endswith("run --data-dir other\n"), "else the old data would be taken up"
    assert darkroom("turns", "--data-dir", "other").output == darkroom("turns").output


def test_programs_read_the_same_from_both() -> None:
    made = json.loads(darkroom("backup", "copy.tar", "--json").output)
    assert made["pictures"] == 2
    assert made["missing"] == []
    assert made["size_bytes"] == Path("copy.tar").stat().st_size
    assert json.loads(darkroom("restore", "copy.tar", "--data-dir", "other", "--json").output) == made


def test_a_copy_that_lacks_a_picture_is_made_and_says_so_by_its_exit_code() -> None:
    next(Path("data", PICTURES_NAME).rglob("*.png")).unlink()
    made = darkroom("backup", "copy.tar")
    assert made.exit_code == 1
    assert "2 turns and 1 picture," in made.output
    assert "Missing, though the books name them (1)" in made.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backup", "data/darkroom.db"), "exists already; it was left as it is"),
        (("backup", "nowhere/copy.tar"), "could not be written: No such file or directory"),
        (("backup", "copy.tar", "--data-dir", "nowhere"), "There is no Darkroom data"),
        (("restore", "missing.tar"), "does not exist"),
        (("restore", "data/darkroom.db", "--data-dir", "other"), "is no backup"),
        (("restore", "data/darkroom.db"), "is not empty; it was left as it is"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(arguments: tuple[str, ...], words: str) -> None:
    refused = darkroom(*arguments)
    assert refused.exit_code == 2
    assert words in " ".join(refused.output.split())
    assert not Path("other").exists()
