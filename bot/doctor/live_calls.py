"""The calls of ``doctor --live``: planned as the bot plans them, and what they cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from bot.cli import Refused
from bot.settings import Settings
from darkroom.rendering.job import Answer, Billed, Candidate, Endpoint, FailureKind, RenderJob
from darkroom.spending.bound import Ask, bound
from darkroom.spending.catalogue import BadCatalogue, CatalogueProblem, load_catalogue
from darkroom.spending.cost import Charged, charge
from darkroom.turns.planning import INSTRUCTIONS, MAX_OUTPUT_TOKENS

PROMPT = "A plain blue circle on a white background."
SMALLEST = (1024, 640)
"""Exactly as many pixels as a picture must have (655,360) with models of flexible sizes."""
TIMEOUT_S = 180.0
"""Seconds for a picture, and for the end of a call that was left alone."""
IDENTIFIER = hashlib.sha256(b"darkroom doctor").hexdigest()
"""Stands for no person."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the probes as it would be sent, and what its price is computed from."""

    job: RenderJob
    ask: Ask
    bound_nano_usd: int


class Purse:
    """What was spent, and what may have been: both against one limit.

    Nothing of it reaches the books: what the doctor spends is nobody's turn.
    """

    def __init__(self, limit_nano_usd: int) -> None:
        self._limit = limit_nano_usd
        self.spent = 0
        self.unclear = 0

    def has(self, nano_usd: int) -> bool:
        """Whether that much may still be spent."""
        return self.spent + self.unclear + nano_usd <= self._limit

    def begin(self, call: Call) -> None:
        """From now on *call* may have cost all that it can, whatever ends it early."""
        self.unclear += call.bound_nano_usd

    def settle(self, call: Call, nano_usd: int | None) -> None:
        """Count what *call* cost; where that is not known (None) it stays unclear."""
        if nano_usd is not None:
            self.unclear -= call.bound_nano_usd
            self.spent += nano_usd


class Trials:
    """The calls of the probes, planned from the settings. Raises ``Refused`` where there are none."""

    def __init__(self, settings: Settings, today: date) -> None:
        try:
            self.catalogue = load_catalogue(settings.catalogue.file)
            self.model = self.catalogue.usable_image(settings.image.model, today)
            host = self.catalogue.usable_host(settings.image.host_model, today).id
            self.responses = self._call(Endpoint.RESPONSES, host, today)
            self.images = self._call(Endpoint.IMAGES, "", today)
        except (BadCatalogue, CatalogueProblem) as problem:
            raise Refused(str(problem.args[0])) from problem
        self.at_most = 3 * self.responses.bound_nano_usd + self.images.bound_nano_usd
        """Nano-dollars: a picture by each endpoint, one in background mode, one that should be refused."""

    def _call(self, endpoint: Endpoint, host: str, today: date) -> Call:
        model = self.model
        width, height = SMALLEST if model.flexible_sizes else min(model.fixed_sizes, key=_pixels)
        quality = "low" if "low" in model.qualities else model.qualities[0]
        ask = Ask(
            image_model=model.id,
            host_model=host or None,
            width=width,
            height=height,
            quality=quality,
            prompt_bytes=len(PROMPT.encode()),
            instruction_bytes=len(INSTRUCTIONS.encode()) if host else 0,
            input_pictures=0,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            today=today,
        )
        job = RenderJob(
            turn_id="doctor",
            attempt_id=f"doctor-{endpoint}",
            candidate=Candidate(endpoint, model.id, host),
            prompt=PROMPT,
            width=width,
            height=height,
            quality=quality,
            format="png",
            forced=True,
            safety_identifier=IDENTIFIER,
            timeout_s=TIMEOUT_S,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            instructions=INSTRUCTIONS,
        )
        return Call(job, ask, bound(ask, self.catalogue).total_nano_usd)

    def cost(self, call: Call, answer: Answer) -> int | None:
        """Nano-dollars that a call cost: what it reports, nothing where it was refused, else nobody knows."""
        billed = answer.failure.billed if answer.failure is not None else Billed.REPORTED
        if billed is Billed.UNKNOWN:
            return None
        return 0 if billed is Billed.NOTHING else self.charged(call, answer).cost.total_nano_usd

    def charged(self, call: Call, answer: Answer) -> Charged:
        """What *answer* costs by its usage, or by the estimate where it has none."""

        failure, asked = answer.failure, call.job.candidate
        return charge(
            answer.host_usage,
            answer.image_usage,
            ask=call.ask,
            catalogue=self.catalogue,
            image_model=answer.image_model or asked.image_model,
            host_model=answer.host_model or asked.host_model or None,
            picture_made=answer.picture is not None,
            moderated=failure is not None and failure.kind is FailureKind.MODERATION,
        )


def _pixels(size: tuple[int, int]) -> int:
    return size[0] * size[1]
