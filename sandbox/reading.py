"""Reading JSON that somebody sends: it must have a bottom before the recursion of those who use it ends."""

import json
from typing import Any, Final

DEPTH_MAX: Final = 64
"""Arrays and objects inside one another: about five times as many as the deepest message or view has."""


def read_json(text: str | bytes) -> Any:
    """What a JSON text says. Raises ValueError for what is none, or is nested deeper than `DEPTH_MAX`."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if len(text) > 2 * DEPTH_MAX and _is_deep(value):
        raise ValueError("nested too deep")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True
