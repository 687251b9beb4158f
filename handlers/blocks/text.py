"""Text that goes to and comes from Slack: escaped, measured and cut the way Slack does it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from darkroom.spending.periods import zone_of

Block = Mapping[str, Any]
"""One block of Slack's Block Kit, ready for JSON."""

TEXT_MAX = 4_000
"""Slack's advice for ``text``; ``chat.update`` refuses more."""
SECTION_MAX = 3_000
NAME_MAX = 80
"""As much of a person's name as is shown."""
ALT_TEXT_MAX = 2_000
BLOCKS_MAX = 50

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CONTROL = re.compile(r"<([@#!][^<>]*|(?:https?|mailto|tel):[^<>]*)>")
_ELLIPSIS = "…"
_JOINER = "\u200d"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class View:
    """A message to be posted: ``text`` is complete for screen readers, ``blocks`` what the eye sees."""

    text: str
    blocks: Sequence[Block]


def escape(text: str) -> str:
    """Make *text* harmless in ``mrkdwn``: nothing in it mentions anybody or becomes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """What a person typed, from what Slack sent: names for ``<@U…|bob>``, and ``&lt;`` turned back.

    Halves of surrogate pairs, which JSON can carry and nothing can store, become question marks.
    """
    text = text.encode("utf-8", "replace").decode()
    named = _CONTROL.sub(lambda match: _name_of(match[1]), text)
    return named.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _name_of(control: str) -> str:
    target, _, label = control.partition("|")
    if target[0] in "@#":
        return target[0] + (label.removeprefix(target[0]) or target[1:])
    if target[0] == "!":
        return label or "@" + target[1:].partition("^")[0]
    return label or target


def mention(user_id: str) -> str:
    """The markup that names a person and notifies them (nobody, in a message that only they see)."""
    return f"<@{user_id}>"


def truncate(text: str, limit: int) -> str:
    """*text*, cut so that its escaped form has at most *limit* UTF-16 units.

    An ellipsis marks the cut, which never falls inside an emoji or between a letter and its accents.
    """
    if len(text) <= limit and _cost(text) <= limit:
        return text
    room, end = limit - 1, 0
    for end, character in enumerate(text):  # noqa: B007 -- the position where the room ran out is wanted
        room -= _cost(character)
        if room < 0:
            break
    while end > 0 and _joined(text, end):
        end -= 1
    return text[:end].rstrip() + _ELLIPSIS


def _cost(text: str) -> int:
    return sum(len(_ENTITIES.get(c, c)) + (c > "\uffff") for c in text)


def _joined(text: str, end: int) -> bool:
    following = text[end]
    extends = (
        unicodedata.category(following) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= following <= "\U0001f3ff"
    )
    return extends or following == _JOINER or text[end - 1] == _JOINER


def one_line(text: str) -> str:
    """*text* without line breaks and with single spaces."""
    return " ".join(text.split())


def isolate(text: str) -> str:
    """*text* without marks that reorder writing; what runs from right to left is fenced in, so that it does
    not reorder what stands around it."""
    plainly = _BIDI_CONTROLS.sub("", text)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in plainly):
        return f"{_ISOLATE}{plainly}{_END_ISOLATE}"
    return plainly


def shown(text: str, limit: int) -> str:
    """*text* on one line, cut to *limit*, escaped and isolated: ready to stand inside a sentence."""
    return isolate(escape(truncate(one_line(text), limit - 2)))


def mrkdwn(text: str) -> Mapping[str, Any]:
    """A text object of ``mrkdwn`` (already escaped).

    ``verbatim``, because Slack would otherwise look for channels, links and "certain mentions" in plain words
    too (docs.slack.dev, text object), and escaping cannot stop that.
    """
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    """A section of ``mrkdwn`` (at most 3,000 characters, already escaped)."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> Block:
    """A line of small ``mrkdwn`` (already escaped)."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def when(at: datetime, timezone: str) -> str:
    """A time for people: "1 December 2026, 00:00 (Europe/Zurich)"."""
    local = at.astimezone(zone_of(timezone))
    return f"{local.day} {local:%B %Y, %H:%M} ({timezone})"


def moment(at: datetime, timezone: str) -> str:
    """A time in a list whose heading names the zone: "1 Dec 2026, 00:00"."""
    local = at.astimezone(zone_of(timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def counted(number: int, one: str, many: str) -> str:
    """ "1 picture", "1,234 pictures"."""
    return f"{number:,} {one if number == 1 else many}"
