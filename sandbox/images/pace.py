"""How long the image API takes for a picture, as somebody sets it."""

from typing import Final

PACE_MAX: Final = 60.0
"""Seconds."""


def pace_in(value: object) -> float | None:
    """The seconds that a value from JSON stands for; None where it is no number from 0 to `PACE_MAX`."""
    # Compared as it is: an int may be too large to be a float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= PACE_MAX:
        return None
    return float(value)
