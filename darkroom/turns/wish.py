"""What is to be made, with everything that decides how."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from darkroom.spending.policy import Access
from darkroom.turns.model import InputRole, Options, Picture, Turn, TurnInput


@dataclass(frozen=True, slots=True)
class Wish:
    """A turn and all that its plan depends on; the catalogue and the settings aside, nothing else does.

    ``manner`` holds where the person said nothing, and gives way where it cannot be had. ``coming`` counts
    the attached files that were not fetched yet: each is a picture in the price.
    """

    turn: Turn
    access: Access
    today: date
    manner: Options = field(default_factory=Options)
    parent: Picture | None = None
    inputs: tuple[TurnInput, ...] = ()
    coming: int = 0

    @property
    def said(self) -> Options:
        """What the person asked for in so many words."""
        return self.turn.request.options

    @property
    def mask(self) -> TurnInput | None:
        """What marks where the parent may change, if it fits the parent: that one may be another by now."""
        return next((each for each in self.inputs if self._masks(each)), None)

    @property
    def references(self) -> tuple[TurnInput, ...]:
        """The pictures that go along beside the parent and its mask, in their order."""
        return tuple(each for each in self.inputs if not self._masks(each))

    def _masks(self, given: TurnInput) -> bool:
        fits = self.parent is not None and (given.width, given.height) == (
            self.parent.width,
            self.parent.height,
        )
        return given.role is InputRole.MASK and fits
