"""From a wish to an attempt: which model, on what it builds, what goes along, and the most it can cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from darkroom.rendering.job import Candidate, Endpoint, InputPicture, RenderJob
from darkroom.spending.bound import Ask, bound, prices_for
from darkroom.spending.budgets import Bar, Barred
from darkroom.spending.catalogue import Catalogue, CatalogueProblem, RetiredModel, price_key
from darkroom.spending.policy import Dimension
from darkroom.spending.sizes import BadSize
from darkroom.turns.identifier import safety_identifier
from darkroom.turns.looks import Looks, NotAllowed, RenderSettings, Unable, Unusable
from darkroom.turns.model import CANNOT, SHUT_DOWN, Attempt, PassedOver, Picture, Turn
from darkroom.turns.store import Plan
from darkroom.turns.wish import Wish

__all__ = [
    "CHAIN_PICTURES_MAX",
    "INSTRUCTIONS",
    "MAX_OUTPUT_TOKENS",
    "NotAllowed",
    "PictureFiles",
    "Planner",
    "RenderSettings",
    "Step",
    "Unusable",
]

MAX_OUTPUT_TOKENS = 2_048
"""What the host model may write in one call: its thinking, the rewritten prompt, or an answer in words."""

CHAIN_PICTURES_MAX = 6
"""After so many pictures a conversation goes on from the saved one: the host reads all of it each time."""

INSTRUCTIONS = (
    "You make pictures for a team in Slack. When the message asks for a picture or for a change to the last "
    "one, make exactly one picture with the image tool and say nothing else. Keep every detail the person "
    "gave; quoted text belongs in the picture letter by letter. For a change, alter only what was asked for "
    "and keep the rest. When the message is a question, answer it in at most three sentences of plain text. "
    "When it asks for nothing, such as a thank-you, answer with nothing at all."
)
"""Sent with every call, because ``previous_response_id`` does not carry instructions over."""


class PictureFiles(Protocol):
    """Where saved pictures are."""

    def path_of(self, sha256: str, suffix: str) -> Path:
        """The file of the picture with that digest; its name ends in the picture's format."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt, planned whole: what is paid for, what is sent, and what its price is computed from."""

    plan: Plan
    job: RenderJob
    ask: Ask


class Planner:
    """Plans attempts. Reads the catalogue and the settings; changes nothing."""

    def __init__(self, catalogue: Catalogue, settings: RenderSettings, files: PictureFiles) -> None:
        self.catalogue = catalogue
        self._settings = settings
        self._files = files
        self._looks = Looks(catalogue, settings)

    def candidates(self, wish: Wish) -> tuple[Candidate, ...]:
        """The endpoints and models to try for *wish*, in order: all models by the Responses endpoint, then by
        the Images endpoint, where that will do. Raises ``Unusable`` if there is none, and ``NotAllowed``
        if its access leaves none or not the one that was asked for."""
        return self._sorted(wish)[0]

    def left_out(self, wish: Wish) -> tuple[PassedOver, ...]:
        """The models that would have come before the first candidate, were they not shut down or were they
        able to make it. Raises like ``candidates``."""
        return self._sorted(wish)[1]

    def _sorted(self, wish: Wish) -> tuple[tuple[Candidate, ...], tuple[PassedOver, ...]]:
        """The candidates, and what does not come before them."""
        try:
            self._looks.check_format(wish)
        except Unable as problem:
            raise Unusable(problem) from None
        models, others = self._looks.models(wish), self._looks.other_models(wish)
        problems = self._problems(wish, (*models, *others))
        try:
            found = self._allowed(wish, self._able(wish, models, problems))
        except (Unusable, NotAllowed):
            if not others:
                raise
            found = self._allowed(wish, self._able(wish, others, problems))
            models = (*models, *others)
        before = models[: models.index(found[0].image_model)]
        return found, tuple(_left_out(model, problems[model]) for model in before if model in problems)

    def _problems(self, wish: Wish, models: Sequence[str]) -> dict[str, Exception]:
        """Why those of *models* that cannot make it cannot."""
        problems: dict[str, Exception] = {}
        for model in models:
            try:
                self._looks.check(wish, model)
            except (CatalogueProblem, BadSize, Unable) as problem:
                problems[model] = problem
        return problems

    def _able(self, wish: Wish, models: Sequence[str], problems: Mapping[str, Exception]) -> list[Candidate]:
        """Those of *models* that can make it, by each endpoint. A host that was shut down leaves the Images
        endpoint; one without a price leaves nothing, since somebody must say what it costs."""
        able = [model for model in models if model not in problems]
        if not able or (wish.said.model and able[0] != models[0]):
            raise Unusable(problems[models[0]])
        host = self._settings.host_model
        by_images = [Candidate(Endpoint.IMAGES, model, "") for model in able if self._looks.by_images(wish)]
        try:
            self.catalogue.usable_host(host, wish.today)
        except CatalogueProblem as problem:
            if not by_images or not isinstance(problem, RetiredModel):
                raise Unusable(problem) from None
            return by_images
        return [*(Candidate(Endpoint.RESPONSES, model, host) for model in able), *by_images]

    def _allowed(self, wish: Wish, found: list[Candidate]) -> tuple[Candidate, ...]:
        """Those of *found* that may be used, each in a quality that may be used too."""
        allowed: list[Candidate] = []
        problems: list[NotAllowed] = []
        for each in found:
            listed = self._listed(each)
            try:
                if not wish.access.allows(Dimension.MODEL, listed):
                    offered = wish.access.among(Dimension.MODEL, self.catalogue.usable_images(wish.today))
                    raise NotAllowed(Barred(Bar.MODEL, listed), offered)
                self._looks.quality(wish, each.image_model)
            except NotAllowed as problem:
                problems.append(problem)
                continue
            allowed.append(each)
        if not allowed or (wish.said.model and allowed[0] != found[0]):
            raise problems[0]
        return tuple(allowed)

    def step(self, wish: Wish, candidate: Candidate, attempt_id: str, *, from_saved: bool = False) -> Step:
        """The attempt that makes *wish* with *candidate*, building on its parent.

        It goes on from the parent's response; from the parent's saved bytes when there is none, when
        *from_saved* says that the API has forgotten it, when the conversation has grown dear or was held in
        another channel, or when a mask marks a part of them; and always on the Images endpoint, which has no
        conversations. *candidate* is one of ``candidates`` for the same wish.
        """
        turn, parent, mask = wish.turn, wish.parent, wish.mask
        chained = _goes_on(candidate, parent, turn) and not from_saved and mask is None
        pictures = () if parent is None or chained else (self._saved(parent.sha256, parent.format),)
        width, height = self._looks.size(wish)
        job = RenderJob(
            turn_id=turn.id,
            attempt_id=attempt_id,
            candidate=candidate,
            prompt=turn.request.prompt,
            width=width,
            height=height,
            quality=self._looks.quality(wish, candidate.image_model),
            format=self._looks.format(wish),
            forced=turn.request.forces_picture,
            safety_identifier=safety_identifier(self._settings.safety_key, turn.person_key),
            timeout_s=self._settings.timeout_s,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            instructions=INSTRUCTIONS,
            previous_response_id=parent.response_id if parent and chained else None,
            input_pictures=pictures
            + tuple(self._saved(each.sha256, each.format) for each in wish.references),
            mask=self._saved(mask.sha256, mask.format) if mask else None,
            background=self._looks.background(wish),
        )
        ask = _ask_of(job, parent if chained else None, wish.today, wish.coming)
        return Step(self._plan(turn, parent, job, ask), job, ask)

    def sent(self, turn: Turn, attempt: Attempt, parent: Picture | None) -> Step:
        """The step that *attempt* was made of, from what was kept with its hold, whatever the settings and
        the rest are by now. What went along with it is not looked for: nothing of it is sent again."""
        candidate = Candidate(Endpoint(attempt.endpoint), attempt.image_model, attempt.host_model)
        chained = _goes_on(candidate, parent, turn)
        job = RenderJob(
            turn_id=turn.id,
            attempt_id=attempt.id,
            candidate=candidate,
            prompt=turn.request.prompt,
            width=attempt.width,
            height=attempt.height,
            quality=attempt.quality,
            format=attempt.format,
            forced=turn.request.forces_picture,
            safety_identifier=safety_identifier(self._settings.safety_key, turn.person_key),
            timeout_s=self._settings.timeout_s,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            instructions=INSTRUCTIONS,
            input_pictures=() if parent is None or chained else (self._saved(parent.sha256, parent.format),),
            background=attempt.background,
        )
        plan = Plan(
            attempt_id=attempt.id,
            candidate=job.candidate,
            provider=attempt.provider,
            width=job.width,
            height=job.height,
            quality=job.quality,
            format=job.format,
            bound=attempt.bound,
            price_version=attempt.price_version,
            parent_id=attempt.parent_id,
            revision=turn.revision,
            listed_model=attempt.image_model,
            ask=attempt.ask or _ask_of(job, parent if chained else None, attempt.held_at.date(), 0),
            background=attempt.background,
        )
        return Step(plan, job, plan.ask)

    def _plan(self, turn: Turn, parent: Picture | None, job: RenderJob, ask: Ask) -> Plan:
        candidate = job.candidate
        return Plan(
            attempt_id=job.attempt_id,
            candidate=candidate,
            provider=self._settings.provider,
            width=job.width,
            height=job.height,
            quality=job.quality,
            format=job.format,
            bound=bound(ask, self.catalogue),
            price_version=price_key(*prices_for(ask, self.catalogue)),
            parent_id=parent.id if parent else None,
            revision=turn.revision,
            listed_model=self._listed(candidate),
            ask=ask,
            background=job.background,
        )

    def _saved(self, sha256: str, suffix: str) -> InputPicture:
        return InputPicture(self._files.path_of(sha256, suffix), f"image/{suffix}")

    def _listed(self, candidate: Candidate) -> str:
        return self.catalogue.image(candidate.image_model).base


def _left_out(model: str, problem: Exception) -> PassedOver:
    why = SHUT_DOWN if isinstance(problem, RetiredModel) else CANNOT
    return PassedOver(model, Endpoint.RESPONSES, why)


def _ask_of(job: RenderJob, goes_on_from: Picture | None, today: date, coming: int) -> Ask:
    """What the price of *job* is computed from, with so many pictures more that are not in it yet."""
    hosted = job.candidate.endpoint is Endpoint.RESPONSES
    return Ask(
        image_model=job.candidate.image_model,
        host_model=job.candidate.host_model if hosted else None,
        width=job.width,
        height=job.height,
        quality=job.quality,
        prompt_bytes=len(job.prompt.encode()),
        instruction_bytes=len(job.instructions.encode()) if hosted else 0,
        input_pictures=len(job.input_pictures) + (job.mask is not None) + coming,
        max_output_tokens=job.max_output_tokens if hosted else 0,
        today=today,
        parent_host_tokens=goes_on_from.host_tokens if goes_on_from else 0,
        chain_pictures=goes_on_from.chain_pictures if goes_on_from else 0,
        picture_certain=job.forced or not hosted,
    )


def _goes_on(candidate: Candidate, parent: Picture | None, turn: Turn) -> bool:
    """From the parent's response: not from another channel. Whoever sees a picture that was shared from a
    direct message could ask the model for everything that was said and shown there before it."""
    return (
        candidate.endpoint is Endpoint.RESPONSES
        and parent is not None
        and parent.response_id is not None
        and parent.chain_pictures < CHAIN_PICTURES_MAX
        and parent.channel_id == turn.request.channel_id
    )
