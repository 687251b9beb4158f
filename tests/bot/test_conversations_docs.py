"""The page for people and the code, held together: options, magic words, what stands under a picture."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bot.settings import plain_settings
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.sizes import named_sizes
from darkroom.turns.model import REFERENCES_MAX, WANTED_MAX
from handlers.blocks.answers import REWORD
from handlers.blocks.picture import CHOICES
from handlers.blocks.placeholder import CANCEL
from handlers.hearing import magic_word
from handlers.last import Fetch, read_last
from handlers.manifest import build_manifest
from handlers.options import BACKGROUNDS, FORMATS, NAMES, OptionRules, read_options
from handlers.words_files import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conversations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| option |")[2].partition("\n\n")[0]
TYPED = re.findall(r"`(--[^`]+)`", PAGE)
RULES = OptionRules(load_catalogue(), "gpt-image-2", "medium", 1024, 1024, "png")


@pytest.mark.parametrize("typed", sorted(set(TYPED) - {"--size"}))
def test_every_option_on_the_page_is_understood(typed: str) -> None:
    said = read_options(f"a red fox {typed}", RULES, date(2026, 11, 20))
    assert said.prompt == "a red fox"


def test_every_option_and_its_values_are_on_the_page() -> None:
    assert {typed.split()[0].removeprefix("--") for typed in re.findall(r"`(--[^`]+)`", TABLE)} == set(NAMES)
    values = {*named_sizes, "low", "medium", "high", *BACKGROUNDS, *FORMATS}
    assert values <= set(re.findall(r"`(?:--\w+ )?([^`]+)`", TABLE))
    assert f"up to {WANTED_MAX} pictures" in TABLE


def test_every_magic_word_on_the_page_is_one_and_the_reverse() -> None:
    named = set(re.findall(r"`(\w+)`, as the whole reply", PAGE))
    assert named == {word for word in ("undo", "versions", "variations", "help", "redo") if magic_word(word)}


def test_the_words_that_fetch_pictures_on_the_page_do_and_bring_so_many() -> None:
    typed = re.findall(r"`/imagine (last[^`]*)` (?:brings your (\d+) newest|up to (\d+))", PAGE)
    assert [words for words, _, _ in typed] == ["last", "last 10"]
    assert [read_last(words) for words, *_ in typed] == [Fetch(int(one or ten)) for _, one, ten in typed]
    assert "`/imagine last`" in README


def test_the_menu_on_the_page_is_the_one_under_a_picture_in_its_order() -> None:
    assert re.findall(r"^\| menu: \*\*(.+?)\*\*", PAGE, re.MULTILINE) == list(CHOICES.values())


def test_the_buttons_of_what_waits_and_of_what_is_refused_are_on_the_page() -> None:
    listed = PAGE.partition("## When it has to wait, or is refused")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- \*\*(.+?)\*\*", listed, re.MULTILINE)) == {CANCEL, REWORD}


def test_the_shortcuts_and_limits_on_the_page_are_those_there_are() -> None:
    named = [one["name"] for one in build_manifest()["features"]["shortcuts"] if one["type"] == "message"]
    assert [name for name in named if f"**{name}**" not in PAGE] == []
    assert f"{KINDS} (its first frame), each up to 50 MB, {REFERENCES_MAX} in all" in PAGE
    cents = plain_settings({}).slack.confirm_usd // 10_000_000
    assert f"({cents}¢ unless the settings say otherwise)" in PAGE


def test_the_readme_leads_to_the_page_and_every_picture_is_small_enough_to_load() -> None:
    assert "(docs/conversations.md)" in README
    for shown in sorted((ROOT / "docs").glob("*.png")):
        assert shown.stat().st_size < 300_000, f"{shown.name} is too large"
