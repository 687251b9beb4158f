"""What would have come before a picture's model or endpoint is said under it, with why, and what it means for
the price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from bot.parts import manner_of
from darkroom.rendering.job import Endpoint, FailureKind
from darkroom.spending.bound import estimate
from darkroom.spending.catalogue import load_catalogue
from darkroom.turns.model import CANNOT, SHUT_DOWN, Attempt, PassedOver, Turn, TurnInput
from handlers.blocks.passed_over import notes_of
from handlers.blocks.picture import Setting, Shown, pictures_view
from handlers.recalling import rewriting
from handlers.showing import Manner, Showing
from tests.examples import StillClock, picture, turn
from tests.handlers.gallery import attempt
from tests.handlers.support import USUAL, FakeSlack, config

CATALOGUE = load_catalogue()
FLARE, SOLE = "gpt-image-2.5-flare", "attempt_1"
RESPONSES, IMAGES = str(Endpoint.RESPONSES), str(Endpoint.IMAGES)


def made_with(model: str, *before: PassedOver, **changes: Any) -> Attempt:
    """A call to *model* after what came *before*."""
    ask = attempt().ask
    assert ask is not None
    return attempt(image_model=model, ask=replace(ask, image_model=model), passed_over=before, **changes)


def note(call: Attempt) -> str:
    return notes_of([call], CATALOGUE).get(SOLE, "")


def over(why: str, model: str = "gpt-image-2", endpoint: str = RESPONSES) -> PassedOver:
    return PassedOver(model, endpoint, why)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (FailureKind.ACCESS, "is not available to this account"),
        (FailureKind.MODEL_GONE, "is not offered any more"),
        (SHUT_DOWN, "was shut down"),
        (CANNOT, "cannot make this"),
        ("of a newer version", "could not be used"),
    ],
)
def test_why_a_model_was_passed_over_is_said_with_the_one_that_made_it(why: str, words: str) -> None:
    said = note(made_with(FLARE, over(why)))
    assert said.startswith(f"gpt-image-2 {words}; made with {FLARE}, ")


def likely(model: str) -> int:
    ask = attempt().ask
    assert ask is not None
    return estimate(replace(ask, image_model=model), CATALOGUE).total_nano_usd


@pytest.mark.parametrize("ours", ["gpt-image-2", FLARE, "gpt-image-1.5", "gpt-image-1-mini"])
@pytest.mark.parametrize("theirs", ["gpt-image-2-2026-04-21", FLARE, "gpt-image-1.5", "gpt-image-1-mini"])
def test_the_price_is_about_the_same_where_it_is_less_than_15_percent_apart(ours: str, theirs: str) -> None:
    if ours == theirs:
        return
    said = note(made_with(ours, over(FailureKind.ACCESS, theirs)))
    ratio = likely(ours) / likely(theirs)
    wanted = "about the same price" if 0.85 < ratio < 1.15 else "cheaper" if ratio < 1 else "dearer"
    assert said.endswith(f"; made with {ours}, {wanted}")


def test_every_comparison_of_prices_occurs() -> None:
    """Of the models that the catalogue knows, or the test above says little."""
    names = ["gpt-image-2", FLARE, "gpt-image-1.5", "gpt-image-1-mini"]
    found = {
        note(made_with(ours, over(FailureKind.ACCESS, theirs))).rpartition(", ")[2]
        for ours in names
        for theirs in ["gpt-image-2-2026-04-21", *names]
        if ours != theirs
    }
    assert found == {"about the same price", "cheaper", "dearer"}


@pytest.mark.parametrize("model", ["a model that nobody knows", "<!channel> & <@U0ALICE001>"])
def test_of_a_model_without_a_price_nothing_is_said_of_the_price(model: str) -> None:
    said = note(made_with(FLARE, over(FailureKind.ACCESS, model)))
    assert said.endswith(f"; made with {FLARE}")
    assert "<" not in said


def test_a_call_of_before_prices_were_kept_says_nothing_of_the_price() -> None:
    call = replace(made_with(FLARE, over(FailureKind.ACCESS)), ask=None)
    assert note(call).endswith(f"; made with {FLARE}")


def test_the_endpoint_that_stepped_in_is_named() -> None:
    call = made_with(USUAL, over("access", USUAL), endpoint=IMAGES, host_model="")
    assert note(call) == "the Responses endpoint could not serve this; made by the Images endpoint"


def test_a_model_and_an_endpoint_that_were_passed_over_are_both_named() -> None:
    before = over("model_gone"), over("access", FLARE), over("access", "gpt-image-2", IMAGES)
    said = note(made_with(FLARE, *before, endpoint=IMAGES, host_model=""))
    # The last of its reasons counts: that of the endpoint that was used in the end.
    assert said.startswith(
        "gpt-image-2 is not offered any more and the Responses endpoint could not serve this; made with "
        f"{FLARE} by the Images endpoint, "
    )


def test_a_model_that_comes_behind_the_one_that_was_used_is_no_loss() -> None:
    call = made_with(USUAL, over("access", USUAL), over("access", FLARE), endpoint=IMAGES, host_model="")
    assert FLARE not in note(call)


def test_a_model_that_was_only_left_out_says_nothing_of_its_endpoint() -> None:
    call = made_with(FLARE, over(SHUT_DOWN), endpoint=IMAGES, host_model="")
    assert "endpoint" not in note(call)


def test_many_models_are_counted() -> None:
    said = note(made_with(FLARE, *(over("access", f"m{number}") for number in range(5))))
    assert said.startswith("m0 is not available to this account, m1 is")
    assert "m2 is not available to this account and 2 more could not be used; made with" in said


def test_that_only_another_model_makes_a_transparent_background_is_said_once() -> None:
    call = made_with("gpt-image-1.5", over(CANNOT), background="transparent")
    assert note(call) == ""
    refused = made_with("gpt-image-1.5", over(CANNOT), over("access", FLARE), background="transparent")
    assert note(refused).startswith(f"{FLARE} is not available")


def test_the_first_choice_needs_no_word() -> None:
    assert notes_of([attempt()], CATALOGUE) == {}


def test_it_stands_below_the_pictures_line_and_a_screen_reader_hears_it_once() -> None:
    said = note(made_with(FLARE, over(FailureKind.ACCESS)))
    setting = Setting("Alice", frozenset({USUAL}), 250_000_000, passed_over={SOLE: said, "attempt_2": said})
    made = [
        picture(image_model=FLARE),
        picture(id="p2", attempt_id="attempt_2", version=2, image_model=FLARE),
    ]
    view = pictures_view([Shown(one, "F0PICTURE1") for one in made], setting)
    kinds = [block["type"] for block in view.blocks]
    assert kinds[:3] == ["image", "section", "context"]
    # The same for the second: said once.
    assert kinds.count("context") == 1
    assert view.blocks[2]["elements"][0]["text"] == f"{said}."
    assert view.text.count(f" {said}.") == 1
    # The model is named there, and nowhere else.
    assert FLARE not in view.blocks[1]["text"]["text"]
    assert view.text.count(FLARE) == 1


def test_another_picture_of_the_same_message_made_as_usual_has_no_such_line() -> None:
    setting = Setting("Alice", frozenset({USUAL}), 250_000_000, passed_over={"attempt_2": "the Responses x"})
    made = [picture(), picture(id="p2", attempt_id="attempt_2", version=2)]
    view = pictures_view([Shown(one, "F0PICTURE1") for one in made], setting)
    kinds = [block["type"] for block in view.blocks]
    usual = ["image", "section", "actions", "context_actions"]
    assert kinds == [*usual, "image", "section", "context", *usual[2:]]
    assert " The Responses x. " in view.text


async def test_a_message_that_is_written_anew_keeps_its_line() -> None:
    """As when one of its pictures was deleted."""
    call = made_with(USUAL, over(FailureKind.ACCESS, FLARE))

    class Log:
        async def turn(self, turn_id: str) -> Turn:
            return turn()

        async def inputs(self, turn_id: str) -> tuple[TurnInput, ...]:
            return ()

        async def attempts(self, turn_id: str) -> list[Attempt]:
            return [call]

    manner = Manner(
        frozenset({USUAL}), broadcast_first=True, confirm_nano_usd=250_000_000, catalogue=CATALOGUE
    )
    slack = FakeSlack()
    anew = rewriting(cast(Any, Log()), slack, Showing(slack, StillClock(), manner))
    view = await anew([picture(file_id="F0PICTURE1")])
    assert f"{note(call)}." in view.text
    assert note(call) != ""


def test_how_pictures_are_shown_knows_the_prices_of_the_catalogue() -> None:
    assert manner_of(config(), CATALOGUE).catalogue is CATALOGUE
