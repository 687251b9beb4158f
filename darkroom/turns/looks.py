"""What a wish comes to: what was said, else what is remembered, else as the parent is, else the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.spending.budgets import Bar, Barred
from darkroom.spending.catalogue import Catalogue, CatalogueProblem, UnpricedModel
from darkroom.spending.models import ImageModel
from darkroom.spending.policy import Dimension
from darkroom.spending.sizes import BadSize, check_size
from darkroom.turns.edits import reads_like_an_edit
from darkroom.turns.wish import Wish

TRANSPARENT = "transparent"
IMAGES_PROMPT_MAX = 32_000
"""Characters of a prompt that the Images endpoint takes (image generation reference)."""

_SHOWN_FORMATS = frozenset({"png", "jpeg"})
"""What every model makes and every place shows; what the API sent may have been something else."""


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """How pictures are made when nobody asks for anything else. ``provider`` is who answers the calls:
    ``openai``, or the host of another address; ``safety_key`` makes the names that it knows people by."""

    model: str
    fallback: tuple[str, ...]
    host_model: str
    width: int
    height: int
    quality: str
    format: str
    timeout_s: float
    provider: str
    safety_key: bytes = field(repr=False)


class Unusable(Exception):
    """No model can make this turn; the message says why and what would help. Tell the person, and the admins
    where *unpriced* names a model that lacks only a price."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(str(problem.args[0]))
        self.unpriced = problem.model if isinstance(problem, UnpricedModel) else ""


class Unable(Exception):
    """A model that can be used cannot do this; the message is a sentence that says what can."""


class NotAllowed(Exception):
    """An admin has decided against the model or quality that this turn would need. Tell the person which are
    ``allowed``."""

    def __init__(self, barred: Barred, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{barred.bar} {barred.value} is not allowed")
        self.barred = barred
        self.allowed = allowed


class Looks:
    """Decides each option of a wish. What was said is kept or refused; all else gives way."""

    def __init__(self, catalogue: Catalogue, settings: RenderSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings

    def models(self, wish: Wish) -> tuple[str, ...]:
        """The image models to try, in order: what was asked for or is usual, then the fallbacks."""
        first = wish.said.model or self._usual_model(wish)
        return tuple(dict.fromkeys((first, *self._settings.fallback)))

    def other_models(self, wish: Wish) -> tuple[str, ...]:
        """What to try where none of ``models`` will do and none was asked for: for a transparent background
        whatever model has one, the newest first."""
        if wish.said.model is not None or self.background(wish) != TRANSPARENT:
            return ()
        return tuple(self._transparent(wish))

    def by_images(self, wish: Wish) -> bool:
        """Whether the Images endpoint will do. It always makes a picture: where people also talk, only what
        plainly changes the last one goes there."""
        request = wish.turn.request
        if len(request.prompt) > IMAGES_PROMPT_MAX:
            return False
        return request.forces_picture or (wish.parent is not None and reads_like_an_edit(request.prompt))

    def check(self, wish: Wish, model: str) -> None:
        """Raise ``CatalogueProblem``, ``BadSize`` or ``Unable`` if *model* cannot make it."""
        known = self._catalogue.usable_image(model, wish.today)
        check_size(known, *self.size(wish))
        if self.background(wish) == TRANSPARENT and known.transparency != "yes":
            others = wish.access.among(Dimension.MODEL, self._transparent(wish))
            advice = f"; {others[0]} does." if others else ", and none that can be used here does."
            raise Unable(f"The model {model} makes no dependable transparent background{advice}")
        if wish.mask is not None and not known.masks:
            raise Unable(
                f"The model {model} cannot change a marked part of a picture. Ask for another model."
            )
        if wish.inputs and not known.edits:
            raise Unable(f"The model {model} takes no pictures along. Ask for another model.")

    def check_format(self, wish: Wish) -> None:
        """Raise ``Unable`` if what was said of the format and of the background contradict each other."""
        if wish.said.background == TRANSPARENT and wish.said.format not in (None, "png"):
            raise Unable(
                f"A {wish.said.format} has no transparent background. Ask for png, or leave the format out."
            )

    def size(self, wish: Wish) -> tuple[int, int]:
        """What was asked for; else what is remembered or the edited picture's own, unless no picture can be
        asked for in it: the API may have sent another one than it was asked for."""
        said, manner, parent = wish.said, wish.manner, wish.parent
        if said.width is not None and said.height is not None:
            return said.width, said.height
        if manner.width is not None and manner.height is not None:
            kept = manner.width, manner.height
        elif parent is not None:
            kept = parent.width, parent.height
        else:
            return self._settings.width, self._settings.height
        try:
            check_size(self._catalogue.image(said.model or self._usual_model(wish)), *kept)
        except BadSize:
            return self._settings.width, self._settings.height
        return kept

    def format(self, wish: Wish) -> str:
        """As asked for or as usual, if it can be shown; png where the background is transparent."""
        if self.background(wish) == TRANSPARENT:
            return "png"
        kept = wish.manner.format or (wish.parent.format if wish.parent else None)
        wanted = wish.said.format or kept or self._settings.format
        return wanted if wanted in _SHOWN_FORMATS else self._settings.format

    def background(self, wish: Wish) -> str | None:
        """As asked for; else as remembered or as the parent's is, unless what was asked for rules it out."""
        if wish.said.background:
            return wish.said.background
        kept = wish.manner.background or (wish.parent.background if wish.parent else None)
        if kept != TRANSPARENT:
            return kept
        if wish.said.format not in (None, "png"):
            return None
        asked = wish.said.model
        possible = self._transparent(wish) if asked is None else self._is_transparent(asked)
        return kept if possible else None

    def quality(self, wish: Wish, model: str) -> str:
        """What was asked for; else the usual, or the best below it that may be used, or the least above.

        Raises ``NotAllowed``.
        """
        asked = wish.said.quality
        kept = wish.manner.quality or (wish.parent.quality if wish.parent else None)
        wanted = asked or kept or self._settings.quality
        known = self._catalogue.image(model).qualities
        wanted = wanted if wanted in known else known[-1]
        allowed = wish.access.among(Dimension.QUALITY, known)
        if wanted in allowed:
            return wanted
        if asked or not allowed:
            raise NotAllowed(Barred(Bar.QUALITY, wanted), allowed)
        below = [quality for quality in allowed if known.index(quality) < known.index(wanted)]
        return below[-1] if below else allowed[0]

    def _usual_model(self, wish: Wish) -> str:
        """The model that is remembered or that of the picture to edit, while it can still be used; else the
        setting's."""
        for kept in (wish.manner.model, wish.parent.image_model if wish.parent else None):
            try:
                if kept is not None:
                    return self._catalogue.usable_image(kept, wish.today).id
            except CatalogueProblem:
                continue
        return self._settings.model

    def _transparent(self, wish: Wish) -> list[str]:
        """Every model that makes dependable transparent backgrounds and can be used, by its listed name:
        those of the settings first, then the newest."""
        ours = {self._settings.model, *self._settings.fallback}
        usable = [self._catalogue.image(name) for name in self._catalogue.usable_images(wish.today)]
        able = sorted((each for each in usable if each.transparency == "yes"), key=_newest_first)
        return [
            each.base for each in sorted(able, key=lambda each: ours.isdisjoint((each.base, *each.aliases)))
        ]

    def _is_transparent(self, model: str) -> bool:
        try:
            return self._catalogue.image(model).transparency == "yes"
        except CatalogueProblem:
            return False


def _newest_first(model: ImageModel) -> tuple[bool, int]:
    """What will be shut down comes last; else by the day it could first be bought, as far as is known."""
    return model.status != "current", -min(price.effective for price in model.prices).toordinal()
