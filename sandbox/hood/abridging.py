"""What was sent, made short and harmless enough to be looked at: no picture's bytes, no keys, a bounded size.

Long texts, bytes and secrets are replaced by what they are: `(a picture or file in base64, 1,204,992
characters)`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]

TEXT_MAX: Final = 2_000
"""A longer text is shown by its beginning."""
_BEGINNING: Final = 200
_DEEPEST: Final = 40
_TIGHTER: Final = ((TEXT_MAX, 200), (400, 40), (80, 10))
"""Characters of a text and items of a list, until all of it is small enough."""
_SECRET_NAMES: Final = frozenset({"token", "authorization", "api_key", "client_secret"})
_SECRETS: Final = re.compile(r"\b(xox[a-z]|xapp|sk)-[\w-]+|(?<=[?&]ticket=)[^&\s\"]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]{200}")


def abridged(value: Any, most: int) -> str:
    """A value as JSON of at most `most` characters (a few hundred at least)."""
    for text_max, items_max in _TIGHTER:
        text = json.dumps(_short(value, text_max, items_max, 0))
        if len(text) <= most:
            return text
    return json.dumps(f"(too much to be shown: {len(text):,} characters even when shortened)")


def line(text: object, most: int = 140) -> str:
    """One short line of plain text, without secrets."""
    words = " ".join(_SECRETS.sub("(secret)", str(text)[: 4 * most]).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _short(value: Any, text_max: int, items_max: int, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value, text_max)
    if isinstance(value, bytes | bytearray):
        return f"({len(value):,} bytes)"
    if depth > _DEEPEST:
        return "(more, deeper inside)"
    if isinstance(value, Mapping):
        return _object(value, text_max, items_max, depth)
    if isinstance(value, Sequence):
        made = [_short(item, text_max, items_max, depth + 1) for item in value[:items_max]]
        return made + ([f"({len(value) - items_max:,} more)"] if len(value) > items_max else [])
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _object(value: Mapping[Any, Any], text_max: int, items_max: int, depth: int) -> Json:
    made: Json = {}
    for number, (key, item) in enumerate(value.items()):
        if number == items_max:
            made["…"] = f"({len(value) - items_max:,} more)"
            break
        secret = str(key).lower() in _SECRET_NAMES and isinstance(item, str)
        made[_text(str(key), text_max)] = (
            "(secret)" if secret else _short(item, text_max, items_max, depth + 1)
        )
    return made


def _text(text: str, most: int) -> str:
    if text.startswith("data:") and ";base64," in text[:100]:
        return f"({text[5:100].partition(';')[0]} in base64, {len(text):,} characters)"
    if len(text) > TEXT_MAX and _BASE64.match(text):
        return f"(a picture or file in base64, {len(text):,} characters)"
    if len(text) > most:
        begins = _SECRETS.sub("(secret)", text[: min(_BEGINNING, most)])
        return f"{begins}… ({len(text):,} characters)"
    return _SECRETS.sub("(secret)", text)
