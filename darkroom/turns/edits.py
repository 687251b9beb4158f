"""Does a direct message change the last picture, or ask for a new one? Asked only where both are possible."""

from __future__ import annotations

import re

EDIT_WORDS_MAX = 40
"""A longer text describes a picture of its own, whatever it begins with."""

_MENTION = re.compile(r"^(?:<@[A-Z0-9]+(?:\|[^>]*)?>[\s,:]*)+")
_COURTESY = re.compile(
    r"^(?:(?:please|and|ok|okay|now|then|also|(?:can|could)\syou)[,\s]+)+(?=\S)", re.IGNORECASE
)

_NOW = re.compile(r"(?:and\s|ok(?:ay)?\s)?now\s(?:with|without|in|at)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"""(?:make|turn|paint|give|keep|move|put|rotate|flip|mirror|crop|edit|redo|try)\s
            (?:it|them|this|that|these|those|everything)\b
    | (?:change|remove|delete|erase|replace|swap|recolou?r|brighten|darken|lighten|soften|sharpen|blur
            |extend|enlarge|shrink|fix)\s
            (?:the|its|it|his|her|their|this|that|these|those|all|everything)\b
    | add\s(?:a|an|some|more|the|another|two|three|it)\b
    | (?:get\srid\sof|take\s(?:away|out|off))\s
    | (?:the\s)?same(?:,|\s(?:picture|one|image|but|again|as|with|without|in|scene|style)\b)
    | (?:a\s(?:bit|little|touch)|slightly|much)\s(?:more|less|\w+er)\b
    | without\s(?:the|any|its|his|her|their)\s\w+(?:\splease)?[.!]?$
    | no\s(?:text|background|border|frame|people|shadows?|words|letters)(?:\splease)?[.!]?$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""How messages begin that only make sense about a picture that is there."""

_IN_A_WORD = re.compile(
    r"""(?:more|less|fewer|bigger|smaller|larger|brighter|darker|lighter|warmer|colder|cooler|softer|sharper
        |wider|taller|closer|bolder|simpler|cleaner|not\sso|too)
    (?:\s\w+)?(?:\splease)?[.!]?$""",
    re.IGNORECASE | re.VERBOSE,
)
"""What changes a picture if it is all that is said."""

_A_WORK = re.compile(r"\b(?:poster|painting|illustration|wallpaper|cover|photo)s?[.!]?$", re.IGNORECASE)
"""What texts end in that name a new picture: "change the world poster"."""


def reads_like_an_edit(prompt: str) -> bool:
    """Whether *prompt*, read on its own, is a change of a picture rather than a picture.

    In doubt it is not: whoever is asked without need has to press a button for nothing.
    """
    whole = _MENTION.sub("", prompt.strip()).strip()
    text = _COURTESY.sub("", whole)
    if len(text.split()) > EDIT_WORDS_MAX or _A_WORK.search(text):
        return False
    return (_NOW.match(whole) or _CHANGES.match(text) or _IN_A_WORD.match(text)) is not None
