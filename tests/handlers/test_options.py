"""Options are read out of what people type, and what is wrong is said with what is allowed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.catalogue import load_catalogue
from darkroom.turns.model import Options
from handlers.options import NAMES, BadOption, OptionRules, Said, read_options
from tests.handlers.support import USUAL

TODAY = date(2026, 11, 20)
RULES = OptionRules(load_catalogue(), USUAL, "medium", 1024, 1024, "png")


LISTED = ", ".join(f"--{name}" for name in NAMES)


def read(text: str, *, strict: bool = True) -> Said:
    return read_options(text, RULES, TODAY, strict=strict)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a fox --size square", Options(1024, 1024)),
        ("--size landscape a fox", Options(1536, 1024)),
        ("a --size portrait fox", Options(1024, 1536)),
        ("a fox --size 1536x1024", Options(1536, 1024)),
        ("a fox --SIZE 1536x1024", Options(1536, 1024)),
        ("a fox --ar 16:9", Options(1280, 720)),
        ("a fox --quality HIGH", Options(quality="high")),
        ("a fox --quality=low", Options(quality="low")),
        ("a fox --model gpt-image-2.5-flare", Options(model="gpt-image-2.5-flare")),
        ("a fox --format jpg", Options(format="jpeg")),
        ("a fox \u2014size square", Options(1024, 1024)),
        ("a fox -quality low", Options(quality="low")),
        ("-size=square a fox", Options(1024, 1024)),
        ("a fox \u2013quality low", Options(quality="low")),
        ("a fox --model \u201cgpt-image-2\u201d", Options(model="gpt-image-2")),
        ("a fox --size \u2018square\u2019", Options(1024, 1024)),
        ('a fox --size "square"', Options(1024, 1024)),
        ("a fox --size square --quality low", Options(1024, 1024, quality="low")),
        ("a fox --size banner", Options(1920, 640)),
        ("a --size STORY fox", Options(864, 1536)),
        ("a fox --background opaque", Options(background="opaque")),
        ("a fox --background Transparent", Options(format="png", background="transparent")),
        ("--transparent a fox", Options(format="png", background="transparent")),
        ("a \u2014transparent fox", Options(format="png", background="transparent")),
        ("a fox --transparent --background transparent", Options(format="png", background="transparent")),
    ],
)
def test_an_option_is_read_wherever_it_stands(text: str, options: Options) -> None:
    """Also with a phone's long dash, one short dash, and curly quotes; the words around it are the prompt."""
    assert read(text) == Said("a fox", options)


@pytest.mark.parametrize(
    ("text", "wanted", "private"),
    [
        ("a fox --n 3", 3, None),
        ("--n=3 a fox", 3, None),
        ("a fox \u2014n 4", 4, None),
        ("-n 2 a fox", 2, None),
        ("a --number 2 fox", 2, None),
        ("a fox --n 1", 1, None),
        ("--private a fox", 1, True),
        ("a fox --private", 1, True),
        ("a -private fox", 1, True),
        ("a \u2013PRIVATE fox", 1, True),
        ("--private: a fox", 1, True),
        ("--public a fox", 1, False),
        ("a --n 2 --private fox", 2, True),
    ],
)
def test_how_many_and_for_whom_is_read_too(text: str, wanted: int, private: bool | None) -> None:
    """A flag leaves the word behind it in the prompt."""
    assert read(text) == Said("a fox", Options(), wanted, private)


def test_no_option_leaves_everything_as_usual() -> None:
    assert read("a red fox in snow") == Said("a red fox in snow")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("a fox --size 1x1", "multiples of 16"),
        ("a fox --size 99999x99999", "3,840"),
        ("a fox --size huge", "square, landscape, portrait"),
        ("a fox --ar 9:1", "between 1:3 and 3:1"),
        ("a fox --quality", "--quality low"),
        ("a fox --quality ", "--quality low"),
        ("a fox --quality=", "--quality low"),
        ("a fox --quality --size square", "--quality low"),
        ("a fox --quality best", "low, medium or high"),
        ("a fox --quality xhigh", "low, medium or high"),
        ("a fox --model nonsense", "gpt-image-2"),
        ("a fox --model nonsense", f"without it, {USUAL} is used"),
        ("a fox --model dall-e-3", "shut down"),
        ("a fox --format webp", "png or jpeg"),
        ("a fox --format svg", "png or jpeg"),
        ("a fox --sise square", LISTED),
        ("a fox \u2014sise square", LISTED),
        ("a fox --n4", LISTED),
        ("a fox --n", "--n 3"),
        ("a fox --n 0", "1 to 4"),
        ("a fox --n 5", "1 to 4"),
        ("a fox --n many", "1 to 4"),
        ("a fox --n \u0663", "1 to 4"),
        ("a fox --n " + "9" * 5_000, "1 to 4"),
        ("a fox --n 2 --number 3", "twice"),
        ("a fox --private --public", "contradict"),
        ("a fox --private=yes", "without a value"),
        ("a fox --transparent --background opaque", "contradict"),
        ("a fox --background red", "transparent or opaque"),
        ("a fox --transparent --format jpeg", "cannot be transparent"),
        ("a fox --model gpt-image-1-mini --size banner", "(banner) is none of them"),
        ("a fox --ar16:9", LISTED),
        ("a fox --size square --size portrait", "twice"),
        ("a fox --size square --ar 16:9", "one of them"),
        ("x" * 100_000, "32,000"),
    ],
)
def test_a_bad_option_is_answered_with_what_is_allowed(text: str, allowed: str) -> None:
    with pytest.raises(BadOption) as refusal:
        read(text)
    assert allowed in str(refusal.value)
    assert len(str(refusal.value)) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        "a fox \u2014 in snow",
        "a fox \u2014running home",
        "a fox -- in snow",
        "well-known --",
        "\u2014Hola",
        "a -sized fox -5 -n",
    ],
)
def test_a_dash_in_prose_is_prose(text: str) -> None:
    assert read(text) == Said(text)


def test_an_unknown_option_in_a_reply_is_prose() -> None:
    """Replies are talk; only what is plainly an option of ours is taken for one."""
    assert read("like --this=that please --quality low", strict=False) == Said(
        "like --this=that please", Options(quality="low")
    )


def test_line_breaks_of_the_prompt_stay() -> None:
    assert read("a fox\nin snow --quality low\nat night").prompt == "a fox\nin snow \nat night"


@given(st.text(max_size=200))
def test_reading_never_breaks(text: str) -> None:
    """Whatever is typed: a prompt and options, or a sentence."""
    try:
        said = read(text)
    except BadOption:
        return
    assert set(said.prompt.split()) <= set(text.split())


DASHES = "-\u2012\u2013\u2014\u2015"
LETTERS = st.characters(exclude_categories=["Z", "C"], exclude_characters=DASHES)
WORDS = st.lists(st.text(LETTERS, min_size=1), max_size=8)
GOOD = {
    "size": "square",
    "ar": "16:9",
    "quality": "low",
    "model": USUAL,
    "format": "png",
    "n": "3",
    "private": "",
}
GIVEN = st.lists(st.sampled_from(["quality", "model", "format", "size", "n", "private"]), unique=True)


@given(WORDS, GIVEN, st.lists(st.integers(0, 8), min_size=6, max_size=6))
def test_the_words_of_the_prompt_keep_their_order(words: list[str], names: list[str], at: list[int]) -> None:
    """Options may be strewn in anywhere."""
    pieces = list(words)
    for name, place in zip(names, at, strict=False):
        pieces.insert(place, f"--{name} {GOOD[name]}".strip())
    said = read(" ".join(pieces))
    assert said.prompt.split() == words
    assert (said.options.quality is not None) == ("quality" in names)
    assert (said.wanted, said.private) == (3 if "n" in names else 1, "private" in names or None)
    assert set(NAMES) >= set(names)
