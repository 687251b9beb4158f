"""What each button asks for: the same, a variation, finer, elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom.turns import copies
from darkroom.turns.copies import Asker
from darkroom.turns.intake import PROMPT_CHARACTERS_MAX
from darkroom.turns.model import Attachment, Intent, Options, Surface
from tests.examples import ALICE, BOB, DESIGN, command, message, picture, turn

THREAD, ASKED = "1763640000.000100", "1763640005.000100"
ASKER = Asker(BOB, "button:1:again:picture_1", "1763640009.000100", DESIGN, THREAD, "http://127.0.0.1:9/a")
MADE = picture(
    parent_id="picture_0",
    parent_version=2,
    width=1536,
    quality="high",
    format="jpeg",
    background="opaque",
)
LOOKS = Options(1536, 1024, "high", None, "jpeg", "opaque")


def test_again_repeats_prompt_parent_and_looks_for_whoever_pressed() -> None:
    """The model stays open, so that one that has been retired since stands in nobody's way."""
    request = copies.again(MADE, turn(), ASKER, inputs=False)
    assert (request.prompt, request.options) == (MADE.prompt, LOOKS)
    assert (request.chosen_id, request.fresh, request.inputs_from) == ("picture_0", False, None)
    assert (request.user_id, request.key, request.order) == (BOB, ASKER.key, ASKER.order)
    assert (request.channel_id, request.thread_ts, request.message_ts) == (DESIGN, THREAD, None)
    assert (request.surface, request.wanted, request.intent) == (Surface.BUTTON, 1, Intent.MAKE)
    assert request.reply_url == ASKER.reply_url


def test_again_of_a_first_picture_builds_on_nothing_whatever_the_thread_has_by_now() -> None:
    request = copies.again(picture(), turn(), ASKER, inputs=False)
    assert (request.chosen_id, request.fresh) == (None, True)


def test_again_uses_the_same_references_and_the_model_that_was_asked_for() -> None:
    asked = turn(command(model="gpt-image-2.5-flare"))
    request = copies.again(MADE, asked, ASKER, inputs=True)
    assert request.inputs_from == asked.id
    assert request.options.model == "gpt-image-2.5-flare"


def test_variations_build_on_the_picture_and_say_so_once() -> None:
    """A variation of a variation does not pile up the words."""
    request = copies.variations(MADE, turn(), ASKER, 3)
    assert request.prompt == "A variation of this picture: a red fox in snow"
    assert (request.chosen_id, request.wanted, request.options) == (MADE.id, 3, LOOKS)
    assert copies.variations(replace(MADE, prompt=request.prompt), turn(), ASKER, 1).prompt == request.prompt


@pytest.mark.parametrize("length", [1, 3_000, PROMPT_CHARACTERS_MAX])
def test_a_variations_prompt_is_never_longer_than_the_models_take(length: int) -> None:
    request = copies.variations(picture(prompt="x" * length), turn(), ASKER, 1)
    assert len(request.prompt) <= PROMPT_CHARACTERS_MAX


def test_a_higher_quality_changes_nothing_but_that() -> None:
    request = copies.higher(picture(), turn(), ASKER, "high")
    assert request.prompt == "Paint this same picture in finer detail; change nothing else"
    assert request.options == Options(1024, 1024, "high", None, "png", None)
    assert (request.chosen_id, request.fresh) == ("picture_1", False)


def test_in_our_dm_everything_is_kept_but_the_place() -> None:
    files = (Attachment("F1", "cat.png", "image/png", 3),)
    asked = turn(replace(message("bluer", ASKED, THREAD), attachments=files, wanted=2, private=False))
    asker = replace(ASKER, user_id=ALICE, key=f"in-dm:{asked.id}")
    request = copies.in_our_dm(asked, asker, inputs=False)
    assert request.opens_thread
    assert request.private is True
    assert (request.prompt, request.wanted, request.attachments) == ("bluer", 2, files)
    assert (request.message_ts, request.fresh, request.inputs_from) == (None, True, None)
    assert (request.surface, request.key, request.user_id) == (Surface.BUTTON, asker.key, ALICE)


def test_in_our_dm_goes_on_from_what_the_request_built_on() -> None:
    asked = turn(message("bluer", ASKED, THREAD), parent_id="picture_1")
    request = copies.in_our_dm(asked, ASKER, inputs=True)
    assert (request.chosen_id, request.fresh, request.inputs_from) == ("picture_1", False, asked.id)


def test_edit_or_new_keeps_the_words_and_the_options_and_differs_in_what_it_builds_on() -> None:
    said = replace(message("make it blue", ASKED, ASKED, surface=Surface.MENTION), channel_id="D0ALICE001")
    asked = turn(replace(said, options=Options(quality="low")))
    last = picture(channel_id="D0ALICE001", thread_ts=THREAD)
    edit, new = copies.edit_instead(asked, last, ASKER), copies.new_instead(asked, ASKER)
    for request in (edit, new):
        assert (request.prompt, request.options.quality) == ("make it blue", "low")
        assert (request.key, request.surface) == (ASKER.key, Surface.BUTTON)
        assert request.channel_id == "D0ALICE001"
    assert (edit.thread_ts, edit.chosen_id, edit.fresh) == (THREAD, last.id, False)
    assert (new.thread_ts, new.chosen_id, new.fresh) == (ASKED, None, True)
