"""Reading what somebody sends: forms, and JSON with a bottom before its readers' recursion ends."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

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


async def read_form(request: web.Request) -> Mapping[str, Any]:
    """The fields of a form, texts and files. Raises ValueError for what is none."""
    try:
        return await request.post()
    except (LookupError, RuntimeError, HttpProcessingError) as error:
        # Unknown character sets, encodings of a part, and a part's headers: each has its own kind.
        raise ValueError(str(error)) from error


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
