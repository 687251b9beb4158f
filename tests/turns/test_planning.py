"""From a turn to an attempt: models, sizes, and what it goes on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from darkroom.rendering.job import Candidate, Endpoint
from darkroom.spending.bound import bound
from darkroom.spending.policy import Access
from darkroom.turns.model import Picture, Surface, Turn
from darkroom.turns.planning import CHAIN_PICTURES_MAX, INSTRUCTIONS, Planner, Unusable
from darkroom.turns.wish import Wish
from tests.examples import ALICE, picture
from tests.turns.fakes import CATALOGUE, FIRST, SECOND, SETTINGS, NamedFiles
from tests.turns.test_line import turn

TODAY = date(2026, 11, 20)
PLANNER = Planner(CATALOGUE, SETTINGS, NamedFiles())
CANDIDATE = Candidate(Endpoint.RESPONSES, FIRST, "gpt-5.6-luna")
PARENT = picture(
    id="pic_1",
    turn_id="turn_0",
    sha256="ab" * 32,
    format="jpeg",
    width=1536,
    prompt="a fox",
    image_model="gpt-image-2.5-flare",
    quality="high",
    response_id="resp_0",
    host_tokens=1000,
)


def asking(**options: object) -> Turn:
    """A command with these options."""
    plain = turn("t")
    request = replace(plain.request, options=replace(plain.request.options, **options))  # type: ignore[arg-type] # any option
    return replace(plain, request=request)


def wish(asked: Turn, parent: Picture | None = None, **more: Any) -> Wish:
    """What *asked* wishes for, where everything may be used."""
    return Wish(asked, Access(), TODAY, parent=parent, **more)


def models(planner: Planner, asked: Turn, parent: Picture | None = None, **more: Any) -> list[str]:
    """The image models that would be tried."""
    return [candidate.image_model for candidate in planner.candidates(wish(asked, parent, **more))]


def test_the_settings_model_comes_first_then_its_fallbacks() -> None:
    assert models(PLANNER, turn("t")) == [FIRST, SECOND]


def test_an_edit_starts_with_the_model_of_its_picture() -> None:
    assert models(PLANNER, turn("t"), PARENT) == [SECOND]
    assert models(PLANNER, turn("t"), replace(PARENT, image_model="gone")) == [FIRST, SECOND]


def test_a_model_that_was_asked_for_is_first_or_nothing_is() -> None:
    assert models(PLANNER, asking(model="gpt-image-1.5"))[0] == "gpt-image-1.5"
    with pytest.raises(Unusable, match="gpt-image-9"):
        PLANNER.candidates(wish(asking(model="gpt-image-9")))


def test_a_fallback_that_cannot_be_used_is_passed_over() -> None:
    planner = Planner(CATALOGUE, replace(SETTINGS, fallback=("gpt-image-9", SECOND)), NamedFiles())
    assert models(planner, turn("t")) == [FIRST, SECOND]


def test_without_a_priced_host_nothing_can_be_made() -> None:
    planner = Planner(CATALOGUE, replace(SETTINGS, host_model="gpt-9"), NamedFiles())
    with pytest.raises(Unusable, match="gpt-9"):
        planner.candidates(wish(turn("t")))


def test_a_size_that_no_model_makes_is_refused() -> None:
    with pytest.raises(Unusable):
        PLANNER.candidates(wish(asking(width=17, height=17)))


def test_an_edit_keeps_what_its_picture_had_unless_asked() -> None:
    step = PLANNER.step(wish(turn("t"), PARENT), CANDIDATE, "a")
    assert (step.plan.width, step.plan.height, step.plan.quality, step.plan.format) == (
        1536,
        1024,
        "high",
        "jpeg",
    )
    asked = asking(width=1024, height=1024, quality="low", format="png")
    step = PLANNER.step(wish(asked, PARENT), CANDIDATE, "a")
    assert (step.job.width, step.job.height, step.job.quality, step.job.format) == (1024, 1024, "low", "png")


def test_an_edit_goes_on_from_the_response_of_its_picture() -> None:
    step = PLANNER.step(wish(turn("t", thread="1.1"), PARENT), CANDIDATE, "a")
    assert (step.job.previous_response_id, step.job.input_pictures) == ("resp_0", ())
    assert (step.ask.parent_host_tokens, step.ask.chain_pictures, step.ask.input_pictures) == (1000, 1, 0)
    assert step.plan.parent_id == "pic_1"


@pytest.mark.parametrize(
    ("parent", "from_saved"),
    [
        (replace(PARENT, response_id=None), False),
        (replace(PARENT, chain_pictures=CHAIN_PICTURES_MAX), False),
        (PARENT, True),
    ],
)
def test_without_a_conversation_to_go_on_with_the_saved_picture_goes_along(
    parent: Picture, from_saved: bool
) -> None:
    step = PLANNER.step(wish(turn("t"), parent), CANDIDATE, "a", from_saved=from_saved)
    assert step.job.previous_response_id is None
    assert [given.path for given in step.job.input_pictures] == [Path(f"{PARENT.sha256}.jpeg")]
    assert [given.media_type for given in step.job.input_pictures] == ["image/jpeg"]
    assert (step.ask.parent_host_tokens, step.ask.chain_pictures, step.ask.input_pictures) == (0, 0, 1)


def test_what_is_held_is_the_bound_of_what_is_sent() -> None:
    """The ask that the price comes from says the same as the job that is sent."""
    step = PLANNER.step(wish(turn("t")), CANDIDATE, "a")
    assert step.plan.bound == bound(step.ask, CATALOGUE)
    assert (step.ask.image_model, step.ask.host_model) == (
        step.job.candidate.image_model,
        step.job.candidate.host_model,
    )
    assert step.ask.prompt_bytes == len(step.job.prompt.encode())
    assert step.ask.instruction_bytes == len(step.job.instructions.encode()) == len(INSTRUCTIONS.encode())
    assert step.ask.max_output_tokens == step.job.max_output_tokens
    assert step.ask.input_pictures == len(step.job.input_pictures)
    assert (step.ask.width, step.ask.height, step.ask.quality) == (
        step.job.width,
        step.job.height,
        step.job.quality,
    )


def test_only_a_command_must_have_a_picture() -> None:
    forced = PLANNER.step(wish(turn("t")), CANDIDATE, "a")
    free = PLANNER.step(wish(turn("t", thread="1.1")), CANDIDATE, "a")
    assert turn("t", thread="1.1").request.surface is Surface.REPLY
    assert (forced.job.forced, forced.ask.picture_certain) == (True, True)
    assert (free.job.forced, free.ask.picture_certain) == (False, False)


def test_the_api_knows_a_person_by_an_opaque_key() -> None:
    step = PLANNER.step(wish(turn("t")), CANDIDATE, "a")
    assert step.job.safety_identifier == f"p_{ALICE}"


def test_a_quality_that_the_model_lacks_becomes_one_it_has() -> None:
    step = PLANNER.step(wish(asking(quality="hd")), CANDIDATE, "a")
    assert step.plan.quality in CATALOGUE.image(FIRST).qualities
