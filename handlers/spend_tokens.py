"""What a person typed behind ``/spend``, as words and mentions: forgiving of phones, deaf to hostile text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from darkroom.spending.changes import Channel, Person
from handlers.blocks.text import plain

TYPED_MAX = 2_000
"""More characters than this are no command."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word in small letters, without the punctuation around it."""

    text: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """Something that Slack made of what was typed and that is neither a person nor a channel."""

    name: str


Token = Word | Person | Channel | Stranger

_TOKEN = re.compile(r"<([@#!])([^<>|]*)(?:\|[^<>]*)?>|(<|[^\s<]+)")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,30}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
# Phones and word processors: longer dashes and minus signs, the ellipsis for two dots or three, quotes.
_TYPOGRAPHY = {
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys(map(ord, "\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb"), ""),
    ord("\u2026"): "..",
}
_DOTS = re.compile(r"\s*\.\.+\s*")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_PUNCTUATION = ".,;:!?"


def tokens_of(text: str) -> list[Token]:
    """The words and mentions of *text*, as Slack sends it with ``should_escape``. Never raises."""
    found: list[Token] = []
    # "2026-10-01 .. 2026-10-31" is one word.
    text = _DOTS.sub("..", text.translate(_TYPOGRAPHY))
    for match in _TOKEN.finditer(text):
        sign, name, word = match.groups()
        if sign is None:
            found += _words(word)
        elif sign == "@" and _PERSON.fullmatch(name):
            found.append(Person(name))
        elif sign == "#" and _CHANNEL.fullmatch(name):
            found.append(Channel(name))
        else:
            found.append(Stranger(_seen(sign + name)))
    return found


def _words(text: str) -> list[Token]:
    typed = _seen(plain(text)).lower()
    stripped = (word.rstrip(_PUNCTUATION) for word in typed.split())
    return [Word(word) for word in stripped if word]


def _seen(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in _UNSEEN)
