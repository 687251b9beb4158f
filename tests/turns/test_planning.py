"""From a turn to an attempt: models, sizes, and what it goes on from."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.job import Candidate, Endpoint, InputPicture
from darkroom.spending.bound import bound, estimate
from darkroom.spending.policy import EVERYONE, Access, AccessRule, Dimension
from darkroom.turns.model import (
    Attempt,
    AttemptState,
    InputRole,
    Options,
    PassedOver,
    Picture,
    Surface,
    Turn,
    TurnInput,
)
from darkroom.turns.planning import CHAIN_PICTURES_MAX, INSTRUCTIONS, NotAllowed, Planner, Step, Unusable
from darkroom.turns.wish import Wish
from tests.examples import ALICE, BOB, picture
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
    """The image models that would be tried by the Responses endpoint."""
    return by(Endpoint.RESPONSES, planner.candidates(wish(asked, parent, **more)))


def by(endpoint: Endpoint, candidates: Sequence[Candidate]) -> list[str]:
    """The image models that *candidates* have of one endpoint, in order."""
    return [each.image_model for each in candidates if each.endpoint is endpoint]


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
        # Shared from a direct message: what was said there is not for those who see the picture here.
        (replace(PARENT, channel_id="D0ALICE001"), False),
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


def test_several_pictures_are_always_pictures_lest_one_answer_in_words_is_bought_several_times() -> None:
    reply = turn("t", thread="1.1")
    several = replace(reply, request=replace(reply.request, wanted=3))
    assert PLANNER.step(wish(several, PARENT), CANDIDATE, "a").job.forced


def test_the_api_knows_a_person_by_a_name_that_only_this_data_directory_can_make() -> None:
    def name_of(planner: Planner, user: str) -> str:
        return planner.step(wish(turn("t", user=user)), CANDIDATE, "a").job.safety_identifier

    elsewhere = Planner(CATALOGUE, replace(SETTINGS, safety_key=b"another" * 5), NamedFiles())
    name = name_of(PLANNER, ALICE)
    assert name == hmac.new(SETTINGS.safety_key, f"p_{ALICE}".encode(), "sha256").hexdigest()
    assert len(name) == 64
    assert len({name, name_of(PLANNER, BOB), name_of(elsewhere, ALICE)}) == 3
    assert name_of(PLANNER, ALICE) == name


def test_a_quality_that_the_model_lacks_becomes_one_it_has() -> None:
    step = PLANNER.step(wish(asking(quality="hd")), CANDIDATE, "a")
    assert step.plan.quality in CATALOGUE.image(FIRST).qualities


REFERENCE = TurnInput(InputRole.REFERENCE, "cd" * 32, "jpeg", 800, 600, 9, "sofa.jpg")
MASK = TurnInput(InputRole.MASK, "ef" * 32, "png", 1536, 1024, 9, "mask.png", covers_ppm=120_000)
CLEAR_PARENT = replace(PARENT, background="transparent", format="png")


def step_of(asked: Wish) -> Step:
    """Its first attempt."""
    return PLANNER.step(asked, PLANNER.candidates(asked)[0], "a")


def names(pictures: Sequence[InputPicture]) -> list[str]:
    return [picture.path.name for picture in pictures]


def test_what_was_said_comes_before_what_is_remembered_before_the_parent_before_the_settings() -> None:
    manner = Options(width=1024, height=1536, quality="low", format="png")
    assert step_of(wish(turn("t"))).job.quality == SETTINGS.quality
    kept = step_of(wish(turn("t"), PARENT)).job
    assert (kept.width, kept.height, kept.quality, kept.format) == (1536, 1024, "high", "jpeg")
    usual = step_of(wish(turn("t"), PARENT, manner=manner)).job
    assert (usual.width, usual.height, usual.quality, usual.format) == (1024, 1536, "low", "png")
    said = step_of(wish(asking(quality="medium", format="jpeg"), PARENT, manner=manner)).job
    assert (said.width, said.height, said.quality, said.format) == (1024, 1536, "medium", "jpeg")


def test_what_is_remembered_gives_way_where_it_cannot_be_had() -> None:
    """A model that is gone, a size that the asked model does not paint, a quality that is denied."""
    assert models(PLANNER, turn("t"), manner=Options(model="gone")) == [FIRST, SECOND]
    narrow = wish(asking(model="gpt-image-1.5"), manner=Options(width=2048, height=1024))
    assert (step_of(narrow).job.width, step_of(narrow).job.height) == (SETTINGS.width, SETTINGS.height)
    no_high = Access((AccessRule(EVERYONE, Dimension.QUALITY, "high", False),))
    denied = replace(wish(turn("t"), manner=Options(quality="high")), access=no_high)
    assert step_of(denied).job.quality == "medium"
    with pytest.raises(NotAllowed):
        PLANNER.candidates(replace(wish(asking(quality="high")), access=no_high))


def test_references_go_after_the_parent_and_are_paid_for() -> None:
    chained = step_of(wish(turn("t"), PARENT, inputs=(REFERENCE, REFERENCE)))
    assert chained.job.previous_response_id == "resp_0"
    assert names(chained.job.input_pictures) == [f"{REFERENCE.sha256}.jpeg"] * 2
    assert chained.ask.input_pictures == 2
    saved = step_of(wish(turn("t"), replace(PARENT, response_id=None), inputs=(REFERENCE,)))
    assert names(saved.job.input_pictures) == [f"{PARENT.sha256}.jpeg", f"{REFERENCE.sha256}.jpeg"]
    assert saved.ask.input_pictures == 2
    plain = step_of(wish(turn("t"), PARENT))
    assert chained.plan.bound.total_nano_usd > plain.plan.bound.total_nano_usd


def test_a_mask_is_of_the_parents_saved_bytes_and_never_of_a_conversation() -> None:
    step = step_of(wish(turn("t"), PARENT, inputs=(MASK,)))
    assert step.job.previous_response_id is None
    assert names(step.job.input_pictures) == [f"{PARENT.sha256}.jpeg"]
    assert step.job.mask is not None
    assert names([step.job.mask]) == [f"{MASK.sha256}.png"]
    assert (step.ask.input_pictures, step.ask.chain_pictures, step.ask.parent_host_tokens) == (2, 0, 0)


def test_a_mask_that_does_not_fit_what_it_would_mark_goes_along_as_a_picture() -> None:
    """The parent is another by now, or there is none."""
    for parent in (None, replace(PARENT, width=1024)):
        step = step_of(wish(turn("t"), parent, inputs=(MASK,)))
        assert step.job.mask is None
        assert f"{MASK.sha256}.png" in names(step.job.input_pictures)


def test_files_that_are_still_to_come_are_in_the_price() -> None:
    coming = step_of(wish(turn("t"), coming=2))
    brought = step_of(wish(turn("t"), inputs=(REFERENCE, REFERENCE)))
    assert coming.plan.bound == brought.plan.bound
    assert coming.job.input_pictures == ()


def test_a_transparent_background_goes_to_the_first_that_makes_a_dependable_one() -> None:
    assert models(PLANNER, asking(background="transparent")) == [SECOND]
    step = step_of(wish(asking(background="transparent")))
    assert (step.job.background, step.job.format, step.plan.background) == (
        "transparent",
        "png",
        "transparent",
    )


def test_where_no_configured_model_makes_one_the_newest_other_that_does_is_tried() -> None:
    planner = Planner(CATALOGUE, replace(SETTINGS, fallback=()), NamedFiles())
    found = models(planner, asking(background="transparent"))
    assert found[:2] == ["gpt-image-2.5-sunburst", SECOND]
    assert found[2:] == ["gpt-image-1.5", "gpt-image-1-mini"]
    after = replace(wish(asking(background="transparent")), today=date(2026, 12, 1))
    assert by(Endpoint.RESPONSES, planner.candidates(after)) == found[:2]


def test_where_the_configured_one_is_denied_another_that_is_allowed_is_tried() -> None:
    no_flare = Access((AccessRule(EVERYONE, Dimension.MODEL, SECOND, False),))
    asked = replace(wish(asking(background="transparent")), access=no_flare)
    assert PLANNER.candidates(asked)[0].image_model == "gpt-image-2.5-sunburst"


def test_a_model_that_was_asked_for_and_makes_none_is_refused_with_one_that_does() -> None:
    with pytest.raises(Unusable, match=f"{FIRST} makes no .* {SECOND} does"):
        PLANNER.candidates(wish(asking(background="transparent", model=FIRST)))


def test_a_jpeg_with_a_transparent_background_is_refused() -> None:
    with pytest.raises(Unusable, match="png"):
        PLANNER.candidates(wish(asking(background="transparent", format="jpeg")))


def test_a_kept_background_gives_way_to_what_is_said_now() -> None:
    kept = step_of(wish(turn("t"), CLEAR_PARENT)).job
    assert (kept.background, kept.format) == ("transparent", "png")
    assert step_of(wish(asking(format="jpeg"), CLEAR_PARENT)).job.background is None
    assert step_of(wish(asking(model=FIRST), CLEAR_PARENT)).job.background is None
    assert step_of(wish(asking(background="opaque"), CLEAR_PARENT)).job.background == "opaque"
    manner = Options(background="opaque")
    assert step_of(wish(turn("t"), CLEAR_PARENT, manner=manner)).job.background == "opaque"


def test_the_images_endpoint_comes_after_the_responses_endpoint() -> None:
    """With the same models, in the same order, and no host."""
    assert PLANNER.candidates(wish(turn("t"))) == (
        Candidate(Endpoint.RESPONSES, FIRST, "gpt-5.6-luna"),
        Candidate(Endpoint.RESPONSES, SECOND, "gpt-5.6-luna"),
        Candidate(Endpoint.IMAGES, FIRST, ""),
        Candidate(Endpoint.IMAGES, SECOND, ""),
    )


def said_in_a_thread(prompt: str, surface: Surface = Surface.REPLY) -> Turn:
    """Words in a thread, where people also talk."""
    plain = turn("t", thread="1.1")
    return replace(plain, request=replace(plain.request, prompt=prompt, surface=surface))


@pytest.mark.parametrize(
    ("prompt", "parent", "served"),
    [
        ("make it blue", PARENT, True),
        ("make it blue", None, False),
        ("thanks", PARENT, False),
        ("what is that on the left?", PARENT, False),
        ("a fox in a boat", PARENT, False),
    ],
)
@pytest.mark.parametrize("surface", [Surface.REPLY, Surface.MENTION])
def test_what_is_said_in_a_thread_goes_to_the_images_endpoint_only_as_a_plain_change(
    prompt: str, parent: Picture | None, served: bool, surface: Surface
) -> None:
    """It would paint a thank-you, and that costs money."""
    found = PLANNER.candidates(wish(said_in_a_thread(prompt, surface), parent))
    assert bool(by(Endpoint.IMAGES, found)) == served
    assert by(Endpoint.RESPONSES, found)


def test_a_prompt_longer_than_the_images_endpoint_takes_does_not_go_there() -> None:
    plain = turn("t")
    long = replace(plain, request=replace(plain.request, prompt="x" * 32_001))
    assert by(Endpoint.IMAGES, PLANNER.candidates(wish(long))) == []


def test_where_the_host_was_shut_down_the_images_endpoint_is_left() -> None:
    """A host without a price is another matter: somebody has to say what it costs."""
    planner = Planner(CATALOGUE, replace(SETTINGS, host_model="gpt-5"), NamedFiles())
    later = replace(wish(turn("t")), today=date(2026, 12, 11))
    assert by(Endpoint.RESPONSES, planner.candidates(later)) == []
    assert by(Endpoint.IMAGES, planner.candidates(later)) == [FIRST, SECOND]
    assert planner.left_out(later) == ()
    with pytest.raises(Unusable, match="gpt-5"):
        planner.candidates(replace(later, turn=said_in_a_thread("thanks"), parent=PARENT))


def test_what_was_left_out_before_the_first_candidate_is_told_with_its_reason() -> None:
    gone, mini = "gpt-image-1", "gpt-image-1-mini"
    planner = Planner(CATALOGUE, replace(SETTINGS, model=gone, fallback=(FIRST, mini)), NamedFiles())
    plain = wish(turn("t"))
    assert planner.left_out(plain) == (PassedOver(gone, "responses", "shut_down"),)
    clear = replace(plain, turn=asking(background="transparent"))
    assert planner.left_out(clear) == (
        PassedOver(gone, "responses", "shut_down"),
        PassedOver(FIRST, "responses", "cannot"),
    )
    assert planner.candidates(clear)[0].image_model == mini
    assert PLANNER.left_out(plain) == ()
    later = Planner(CATALOGUE, replace(SETTINGS, fallback=(gone, SECOND)), NamedFiles())
    assert later.left_out(plain) == (), "the first choice comes before it"


def test_on_the_images_endpoint_an_edit_takes_the_saved_picture_along_and_pays_no_host() -> None:
    """Whatever conversation its picture has."""
    by_images = Candidate(Endpoint.IMAGES, FIRST, "")
    step = PLANNER.step(wish(turn("t", thread="1.1"), PARENT), by_images, "a")
    assert step.job.previous_response_id is None
    assert [each.media_type for each in step.job.input_pictures] == ["image/jpeg"]
    ask = step.ask
    assert (ask.host_model, ask.instruction_bytes, ask.parent_host_tokens, ask.chain_pictures) == (
        None,
        0,
        0,
        0,
    )
    assert ask.input_pictures == 1
    assert not [line for line in step.plan.bound.lines if line.token_class.startswith("host_")]
    assert "+" not in step.plan.price_version


@given(
    prompt=st.sampled_from(["make it blue", "a fox", "thanks", "why?", "x" * 32_001]) | st.text(max_size=80),
    surface=st.sampled_from(Surface),
    wanted=st.integers(1, 4),
    parent=st.none() | st.just(PARENT),
    model=st.none() | st.sampled_from([FIRST, SECOND, "gpt-image-2.6-sunburst"]),
    background=st.none() | st.sampled_from(["transparent", "opaque"]),
)
def test_whatever_is_asked_for_the_images_endpoint_comes_last_and_pays_no_host(
    prompt: str,
    surface: Surface,
    wanted: int,
    parent: Picture | None,
    model: str | None,
    background: str | None,
) -> None:
    """With the same models as before it or with none, and never held for less than is likely."""
    plain = asking(model=model, background=background)
    request = replace(plain.request, prompt=prompt, surface=surface, wanted=wanted)
    asked = wish(replace(plain, request=request), parent)
    try:
        found = PLANNER.candidates(asked)
    except Unusable:
        return
    hosted = by(Endpoint.RESPONSES, found)
    assert hosted == [each.image_model for each in found[: len(hosted)]]
    assert by(Endpoint.IMAGES, found) in ([], hosted)
    if not request.forces_picture and parent is None:
        assert by(Endpoint.IMAGES, found) == []
    for candidate in found:
        step = PLANNER.step(asked, candidate, "a")
        by_images = candidate.endpoint is Endpoint.IMAGES
        assert (step.ask.host_model is None) == (candidate.host_model == "") == by_images
        assert estimate(step.ask, CATALOGUE).total_nano_usd <= step.plan.bound.total_nano_usd
        if by_images:
            assert step.job.previous_response_id is None
            assert len(step.job.input_pictures) == (parent is not None)


def test_an_attempt_by_the_images_endpoint_is_what_it_was_when_it_is_looked_at_again() -> None:
    """After a restart: the same price, no host, no conversation."""
    step = PLANNER.step(wish(turn("t", thread="1.1"), PARENT), Candidate(Endpoint.IMAGES, FIRST, ""), "a")
    plan, now = step.plan, datetime(2026, 11, 20, tzinfo=UTC)
    for kept in (plan.ask, None):
        kept_attempt = Attempt(
            id="a",
            turn_id="t",
            number=1,
            state=AttemptState.DISPATCHED,
            endpoint="images",
            provider="openai",
            image_model=FIRST,
            host_model="",
            width=plan.width,
            height=plan.height,
            quality=plan.quality,
            format=plan.format,
            parent_id="pic_1",
            hold_nano_usd=plan.bound.total_nano_usd,
            charged_nano_usd=0,
            bound=plan.bound,
            price_version=plan.price_version,
            response_id=None,
            held_at=now,
            dispatched_at=now,
            ended_at=None,
            ask=kept,
        )
        again = PLANNER.sent(turn("t", thread="1.1"), kept_attempt, PARENT)
        assert again.ask == step.ask
        assert again.job.candidate == step.job.candidate
        assert again.job.input_pictures == step.job.input_pictures
        assert bound(again.ask, CATALOGUE) == plan.bound
