"""What reads like a change of a picture, and what merely begins like one."""

from __future__ import annotations

import pytest

from darkroom.turns.edits import EDIT_WORDS_MAX, reads_like_an_edit


@pytest.mark.parametrize(
    "text",
    [
        "make it blue",
        "Make them bigger",
        "can you make it blue?",
        "please make it darker",
        "<@U0DARKROOM> make it blue",
        "now make it night",
        "now with snow",
        "change the sky to red",
        "remove the fox",
        "add a hat",
        "replace the dog with a cat",
        "same but at night",
        "the same, but blue",
        "brighter",
        "a bit darker",
        "more contrast",
        "too dark",
        "without the text",
        "no background, please".replace(",", ""),
        "turn it into a watercolour",
        "get rid of the people",
    ],
)
def test_what_only_makes_sense_about_a_picture_that_is_there(text: str) -> None:
    assert reads_like_an_edit(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red fox",
        "make a poster of a fox",
        "change of seasons painting",
        "now and then, a painting",
        "more than words, poster",
        "same-sex wedding illustration",
        "remove before flight keychain",
        "add to cart button icon",
        "without a trace, film poster",
        "a fox without the tail",
        "too many cooks in a kitchen",
        "the same old song",
        "last supper",
        "undo",
        "make this world better poster",
        "bigger splash by Hockney",
        "warmer clothes for winter, product photo",
        "nowhere man",
        "make it blue " + "and " * EDIT_WORDS_MAX,
    ],
)
def test_what_is_a_picture_of_its_own(text: str) -> None:
    assert not reads_like_an_edit(text)
