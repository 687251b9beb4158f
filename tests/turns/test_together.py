"""From how each picture ended to how the turn did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.job import Concern
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.progress import Slots
from darkroom.turns.together import together

MADE = Ending(Outcome.PICTURES, Reason.PICTURES)
UNCERTAIN = Ending(Outcome.UNCERTAIN, Reason.UNCERTAIN, {"held_nano_usd": 70})
BLOCKED = Ending(Outcome.BLOCKED, Reason.MODERATION, {"stage": "output", "charged_nano_usd": 5})
SAID = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?", "charged_nano_usd": 2})
SILENT = Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY, {"charged_nano_usd": 1})
BROKEN = Ending(Outcome.FAILED, Reason.API_FAILED, {"message": "no"})
NO_MONEY = Ending(Outcome.DECLINED, Reason.NO_MONEY, {"charged_nano_usd": 900, "held_nano_usd": 30})
ORDER = [UNCERTAIN, BLOCKED, SAID, SILENT, BROKEN, NO_MONEY, Ending(Outcome.CANCELLED, Reason.TOO_OLD)]


def test_all_pictures_are_just_pictures() -> None:
    assert together([MADE, MADE, MADE]) == MADE


def test_one_that_was_wanted_ends_as_it_did() -> None:
    assert [together([ending]) for ending in ORDER] == ORDER


def test_what_is_missing_is_counted_and_explained() -> None:
    ending = together([MADE, BLOCKED, MADE])
    assert (ending.outcome, ending.reason) == (Outcome.PICTURES, Reason.PICTURES)
    assert ending.details == {
        "wanted": 3,
        "made": 2,
        "rest": "moderation",
        "stage": "output",
        "charged_nano_usd": 5,
    }


@given(st.lists(st.sampled_from(ORDER), min_size=1, max_size=4))
def test_without_any_picture_the_most_telling_ending_is_told(endings: list[Ending]) -> None:
    told = together(endings)
    assert told.reason is min(endings, key=ORDER.index).reason


def test_what_all_of_them_cost_is_said_once() -> None:
    assert together([BLOCKED, SAID, SILENT]).details["charged_nano_usd"] == 8
    assert together([UNCERTAIN, UNCERTAIN, BROKEN]).details == {"held_nano_usd": 140}


def test_the_amounts_of_a_budget_are_not_those_of_calls() -> None:
    assert together([NO_MONEY, NO_MONEY]).details == NO_MONEY.details
    assert together([BROKEN, NO_MONEY]).details == BROKEN.details
    assert together([BLOCKED, NO_MONEY]).details["charged_nano_usd"] == 5


def test_an_edit_tries_again_what_was_given_up_and_keeps_what_was_paid_for() -> None:
    slots = Slots()
    first, second, third = slots.to_make(3)
    first.paid_for = "try_1"
    second.refused[Concern.IMAGE_MODEL, "gpt-image-2"] = "access"
    slots.end(first, MADE)
    slots.end(third, BLOCKED)
    assert slots.left(3) == 1
    slots.follow(1)
    assert slots.left(3) == 2
    assert slots.to_make(3)[0] is second
    assert second.refused == {}
    assert slots.paid_for == {"try_1": MADE}
