"""What a picture costs is told before anything is bought, without data, token or key."""

from __future__ import annotations

import json
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from bot.cli import Refused
from bot.cli.estimate import Wanted, command, estimated
from bot.settings import plain_settings
from darkroom.spending.bound import bound
from darkroom.spending.catalogue import load_catalogue

FOX = "a red fox in snow"


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    """What the command makes of *arguments*."""
    return CliRunner().invoke(command, list(arguments))


def data(*arguments: str) -> Any:
    """What it prints for programs."""
    printed = run(*arguments, "--json")
    assert printed.exit_code == 0, printed.output
    return json.loads(printed.output)


def picture(path: Path, kind: str, size: tuple[int, int] = (64, 48)) -> str:
    """A small picture of that kind, in that file."""
    Image.new("RGB", size, "red").save(path, kind)
    return str(path)


def test_the_likely_and_the_largest_cost_are_told_by_class_and_in_all() -> None:
    found = data(FOX, "--quality", "high", "--size", "landscape")
    assert (found["model"], found["host_model"]) == ("gpt-image-2-2026-04-21", "gpt-5.6-luna")
    assert (found["width"], found["height"], found["quality"]) == (1536, 1024, "high")
    for cost in (found["likely"], found["largest"]):
        assert cost["classes"]["image_output"] == {"tokens": 5_488, "cost_nano_usd": 164_640_000}
        assert sum(line["cost_nano_usd"] for line in cost["classes"].values()) == cost["total_nano_usd"]
    assert found["likely"]["total_nano_usd"] < found["largest"]["total_nano_usd"] == found["hold_nano_usd"]


def test_people_read_a_table_and_what_would_be_held() -> None:
    printed = run(FOX)
    assert printed.exit_code == 0
    for words in ("1024x1024, medium", "image output", "host input", "Likely", "At most", "Total", "1,756"):
        assert words in printed.output
    hold = data(FOX)["hold_nano_usd"]
    assert f"${hold / 10**9:.9f}".rstrip("0") + " would be held before the call" in printed.output


def test_the_largest_cost_is_the_hold_that_would_be_taken() -> None:
    wanted = Wanted(FOX, None, None, None, None, ())
    found = estimated(wanted, plain_settings({}), date(2026, 11, 20))
    assert found.largest == bound(found.ask, load_catalogue())
    assert found.ask.prompt_bytes == len(FOX)
    assert found.ask.instruction_bytes > 0


def test_the_settings_say_what_is_usual() -> None:
    Path("darkroom.toml").write_text(
        '[image]\nmodel = "gpt-image-2.5-flare"\nhost_model = "gpt-6-luna"\nquality = "low"\n'
        'size = "portrait"\n'
    )
    found = data(FOX)
    assert (found["model"], found["host_model"], found["quality"]) == (
        "gpt-image-2.5-flare",
        "gpt-6-luna",
        "low",
    )
    assert (found["width"], found["height"]) == (1024, 1536)
    assert data(FOX, "--set", "image.quality=high")["quality"] == "high"
    assert data(FOX, "--quality", "MAX", "--host-model", "gpt-6.1-terra")["quality"] == "max"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_each_reference_counts_as_a_picture_that_is_sent(tmp_path: Path, kind: str) -> None:
    file = picture(tmp_path / f"a.{kind}", kind)
    found = data(FOX, "--reference", file, "--reference", file)
    assert found["references"] == 2
    assert found["likely"]["classes"]["image_input"]["tokens"] == 2 * 1_024
    assert found["largest"]["classes"]["image_input"]["tokens"] == 2 * 1_536
    assert "2 references" in run(FOX, "--reference", file, "--reference", file).output


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    words = tmp_path / "words.png"
    words.write_text("not a picture")
    for file, why in (
        (words, "not a picture; png, jpeg, webp and gif"),
        (tmp_path / "missing.png", "there is no such file"),
        (tmp_path, "there is no such file"),
        (Path(picture(tmp_path / "a.bmp", "bmp")), "not a picture"),
    ):
        printed = run(FOX, "--reference", str(file))
        assert printed.exit_code == 2
        assert f"{file}: {why}" in printed.output


def test_a_picture_that_claims_to_be_huge_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    for width, height in ((0x7FFFFFFF, 0x7FFFFFFF), (10_001, 10_000)):
        file = Path(picture(tmp_path / "huge.png", "png"))
        head = bytearray(file.read_bytes())
        head[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        head[29:33] = zlib.crc32(bytes(head[12:29])).to_bytes(4, "big")
        file.write_bytes(bytes(head))
        printed = run(FOX, "--reference", str(file))
        assert printed.exit_code == 2
        assert "at most 100 million pixels" in printed.output


def test_too_many_and_too_heavy_references_are_refused(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", "png")
    printed = run(FOX, *["--reference", file] * 17)
    assert (printed.exit_code, "At most 16 pictures" in printed.output) == (2, True)
    with Path(file).open("r+b") as heavy:
        heavy.truncate(50_000_000)
    printed = run(FOX, "--reference", file)
    assert (printed.exit_code, "less than 50 MB" in printed.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--size", "huge"), "A size is square, landscape, portrait, banner, story or WIDTHxHEIGHT"),
        (("--size", "1000x1000"), "multiples of 16"),
        (("--size", "1280x720", "--model", "gpt-image-1-mini"), "paints 1024x1024 (square), 1536x1024"),
        (("--quality", "ultra"), "--quality is low, medium, high for gpt-image-2-2026-04-21; ultra is none"),
        (("--quality", "auto"), "--quality is low, medium, high"),
        (("--model", "gpt-image-9"), '[[image."gpt-image-9".prices]]'),
        (("--model", "dall-e-3"), "Use gpt-image-2.5-flare instead"),
        (("--host-model", "gpt-9"), '[[host."gpt-9".prices]]'),
        (("--host-model", "gpt-4o"), "host_output"),
    ],
)
def test_what_cannot_be_made_is_refused_with_what_helps(arguments: tuple[str, ...], words: str) -> None:
    settings = plain_settings({})
    names = dict(zip(arguments[::2], arguments[1::2], strict=True))
    wanted = Wanted(
        FOX, names.get("--size"), names.get("--quality"), names.get("--model"), names.get("--host-model"), ()
    )
    with pytest.raises(Refused) as refused:
        estimated(wanted, settings, date(2026, 11, 20))
    assert words in refused.value.message
    assert refused.value.exit_code == 2


def test_a_prompt_is_needed_and_has_a_longest_length() -> None:
    assert "needs a prompt" in run("  ").output
    printed = run("x" * 100_000)
    assert (printed.exit_code, "at most" in printed.output) == (2, True)


def test_the_operators_prices_count_and_a_broken_file_is_named(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        "[[host.'gpt-5.6-luna'.prices]]\neffective = 2026-01-01\nsource = 'x'\nconfidence = 'H'\n"
        "host_input = 90\nhost_output = 90\n"
    )
    with_file = ("--set", f"catalogue.file={prices}")
    assert data(FOX, *with_file)["largest"]["total_nano_usd"] > data(FOX)["largest"]["total_nano_usd"]
    prices.write_text("[image.x")
    printed = run(FOX, *with_file)
    assert (printed.exit_code, str(prices) in printed.output) == (2, True)
