"""From a turn to an attempt: which model, which size, on what it builds, and what it can cost at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from darkroom.rendering.job import Candidate, Endpoint, InputPicture, RenderJob
from darkroom.spending.bound import Ask, bound, prices_for
from darkroom.spending.budgets import Bar, Barred
from darkroom.spending.catalogue import Catalogue, CatalogueProblem, UnpricedModel, price_key
from darkroom.spending.policy import Access, Dimension
from darkroom.spending.sizes import BadSize, check_size
from darkroom.turns.model import Picture, Surface, Turn
from darkroom.turns.store import Plan

MAX_OUTPUT_TOKENS = 2_048
"""What the host model may write in one call: its thinking, the rewritten prompt, or an answer in words."""

CHAIN_PICTURES_MAX = 6
"""After so many pictures a conversation goes on from the saved one: the host reads all of it each time."""

_SHOWN_FORMATS = frozenset({"png", "jpeg"})
"""What every model makes and every place shows; what the API sent may have been something else."""

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
class RenderSettings:
    """How pictures are made when nobody asks for anything else. ``provider`` is who answers the calls:
    ``openai``, or the host of another address."""

    model: str
    fallback: tuple[str, ...]
    host_model: str
    width: int
    height: int
    quality: str
    format: str
    timeout_s: float
    provider: str


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt, planned whole: what is paid for, what is sent, and what its price is computed from."""

    plan: Plan
    job: RenderJob
    ask: Ask


class Unusable(Exception):
    """No model can make this turn; the message says why and what would help. Tell the person, and the admins
    where *unpriced* names a model that lacks only a price."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(str(problem.args[0]))
        self.unpriced = problem.model if isinstance(problem, UnpricedModel) else ""


class NotAllowed(Exception):
    """An admin has decided against the model or quality that this turn would need. Tell the person which are
    ``allowed``."""

    def __init__(self, barred: Barred, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{barred.bar} {barred.value} is not allowed")
        self.barred = barred
        self.allowed = allowed


class Planner:
    """Plans attempts. Reads the catalogue and the settings; changes nothing."""

    def __init__(self, catalogue: Catalogue, settings: RenderSettings, files: PictureFiles) -> None:
        self.catalogue = catalogue
        self._settings = settings
        self._files = files

    def candidates(
        self, turn: Turn, parent: Picture | None, today: date, access: Access
    ) -> tuple[Candidate, ...]:
        """The endpoints and models to try for *turn*, in order. Raises ``Unusable`` if there is none, and
        ``NotAllowed`` if *access* leaves none or not the one that was asked for."""
        asked = turn.request.options.model
        first = asked or self._usual_model(parent, today)
        host = self._settings.host_model
        problems: list[Exception] = []
        found: list[Candidate] = []
        for model in dict.fromkeys((first, *self._settings.fallback)):
            try:
                known = self.catalogue.usable_image(model, today)
                self.catalogue.usable_host(host, today)
                check_size(known, *self._size(turn, parent, today))
            except (CatalogueProblem, BadSize) as problem:
                problems.append(problem)
                continue
            found.append(Candidate(Endpoint.RESPONSES, model, host))
        if not found or (asked and found[0].image_model != first):
            raise Unusable(problems[0])
        return self._allowed(turn, parent, found, today, access)

    def _allowed(
        self, turn: Turn, parent: Picture | None, found: list[Candidate], today: date, access: Access
    ) -> tuple[Candidate, ...]:
        """Those of *found* that may be used, each in a quality that may be used too."""
        allowed: list[Candidate] = []
        problems: list[NotAllowed] = []
        for each in found:
            listed = self._listed(each)
            try:
                if not access.allows(Dimension.MODEL, listed):
                    offered = access.among(Dimension.MODEL, self.catalogue.usable_images(today))
                    raise NotAllowed(Barred(Bar.MODEL, listed), offered)
                self._quality(turn, parent, each.image_model, access)
            except NotAllowed as problem:
                problems.append(problem)
                continue
            allowed.append(each)
        if not allowed or (turn.request.options.model and allowed[0] != found[0]):
            raise problems[0]
        return tuple(allowed)

    def step(
        self,
        turn: Turn,
        parent: Picture | None,
        candidate: Candidate,
        *,
        attempt_id: str,
        today: date,
        access: Access,
        from_saved: bool = False,
    ) -> Step:
        """The attempt that makes *turn* with *candidate*, building on *parent*.

        It goes on from the parent's response; from the parent's saved bytes when there is none, when
        *from_saved* says that the API has forgotten it, or when the conversation has grown dear. *candidate*
        is one of ``candidates`` for the same *access*.
        """
        chained = _goes_on_from_response(parent) and not from_saved
        pictures = () if parent is None or chained else (self._saved(parent),)
        width, height = self._size(turn, parent, today)
        job = RenderJob(
            turn_id=turn.id,
            attempt_id=attempt_id,
            candidate=candidate,
            prompt=turn.request.prompt,
            width=width,
            height=height,
            quality=self._quality(turn, parent, candidate.image_model, access),
            format=self._format(turn, parent),
            forced=turn.request.surface is Surface.COMMAND,
            safety_identifier=turn.person_key,
            timeout_s=self._settings.timeout_s,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            instructions=INSTRUCTIONS,
            previous_response_id=parent.response_id if parent and chained else None,
            input_pictures=pictures,
        )
        ask = _ask_of(job, parent if chained else None, today)
        return Step(self._plan(turn, parent, job, ask), job, ask)

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
        )

    def _saved(self, picture: Picture) -> InputPicture:
        path = self._files.path_of(picture.sha256, picture.format)
        return InputPicture(path, f"image/{picture.format}")

    def _usual_model(self, parent: Picture | None, today: date) -> str:
        """The model of the picture that is edited, while it can still be used; else the setting's."""
        if parent is not None:
            try:
                return self.catalogue.usable_image(parent.image_model, today).id
            except CatalogueProblem:
                return self._settings.model
        return self._settings.model

    def _size(self, turn: Turn, parent: Picture | None, today: date) -> tuple[int, int]:
        """What was asked for, else the edited picture's own size, unless no picture can be asked for in it:
        the API may have sent another one than it was asked for."""
        options = turn.request.options
        if options.width is not None and options.height is not None:
            return options.width, options.height
        if parent is not None:
            model = self.catalogue.image(options.model or self._usual_model(parent, today))
            try:
                check_size(model, parent.width, parent.height)
            except BadSize:
                return self._settings.width, self._settings.height
            return parent.width, parent.height
        return self._settings.width, self._settings.height

    def _format(self, turn: Turn, parent: Picture | None) -> str:
        wanted = turn.request.options.format or (parent.format if parent else self._settings.format)
        return wanted if wanted in _SHOWN_FORMATS else self._settings.format

    def _quality(self, turn: Turn, parent: Picture | None, model: str, access: Access) -> str:
        """What was asked for; else the usual, or the best below it that may be used, or the least above."""
        asked = turn.request.options.quality
        wanted = asked or (parent.quality if parent else self._settings.quality)
        known = self.catalogue.image(model).qualities
        wanted = wanted if wanted in known else known[-1]
        allowed = access.among(Dimension.QUALITY, known)
        if wanted in allowed:
            return wanted
        if asked or not allowed:
            raise NotAllowed(Barred(Bar.QUALITY, wanted), allowed)
        below = [quality for quality in allowed if known.index(quality) < known.index(wanted)]
        return below[-1] if below else allowed[0]

    def _listed(self, candidate: Candidate) -> str:
        return self.catalogue.image(candidate.image_model).base


def _ask_of(job: RenderJob, goes_on_from: Picture | None, today: date) -> Ask:
    """What the price of *job* is computed from."""
    return Ask(
        image_model=job.candidate.image_model,
        host_model=job.candidate.host_model,
        width=job.width,
        height=job.height,
        quality=job.quality,
        prompt_bytes=len(job.prompt.encode()),
        instruction_bytes=len(job.instructions.encode()),
        input_pictures=len(job.input_pictures),
        max_output_tokens=job.max_output_tokens,
        today=today,
        parent_host_tokens=goes_on_from.host_tokens if goes_on_from else 0,
        chain_pictures=goes_on_from.chain_pictures if goes_on_from else 0,
        picture_certain=job.forced,
    )


def _goes_on_from_response(parent: Picture | None) -> bool:
    return (
        parent is not None and parent.response_id is not None and parent.chain_pictures < CHAIN_PICTURES_MAX
    )
