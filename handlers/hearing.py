"""From one of Slack's message events to what it asks for, if it asks for anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.turns.model import Intent, Request, Surface
from handlers.asking import named
from handlers.attached import attachments_of
from handlers.blocks import hints
from handlers.blocks.text import plain
from handlers.options import BadOption, Said, read_options
from handlers.services import Services

_KEPT_SUBTYPES = (None, "file_share", "thread_broadcast")
_INTENTS = {"undo": Intent.UNDO, "versions": Intent.VERSIONS}
_MAGIC = re.compile(r"(undo|versions)[\s.!\u2026]*", re.IGNORECASE)
"""A magic word counts only as the whole text: "undo the hat" is a prompt."""
_TO_OTHERS = re.compile(r"\s*(?:<@[UW][^>]*>|<!(?:subteam|here|channel|everyone)[^>]*>)")


@dataclass(frozen=True, slots=True)
class Place:
    """Which message it is, by whom and where; ``reply`` says that it stands inside a thread."""

    channel_id: str
    ts: str
    user_id: str
    thread_ts: str
    reply: bool
    surface: Surface
    direct: bool = False
    """In a direct message between two: ours, since of others' we hear nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message comes to: a request, a ``complaint`` (it would be one, but an option is wrong), or
    neither (``empty``: somebody called us and said nothing, or "help"). ``hint`` is what to answer to
    nothing where that is not how to ask at all."""

    place: Place
    request: Request | None = None
    complaint: BadOption | None = None
    empty: bool = False
    hint: str = ""


def from_person(event: Mapping[str, Any], services: Services) -> bool:
    """Whether a message is one that a person of our workspace wrote, as far as the event says."""
    if event.get("bot_id") or event.get("subtype") not in _KEPT_SUBTYPES:
        return False
    user_id = named(event, "user")
    if not (user_id and named(event, "ts") and named(event, "channel")):
        return False
    if user_id == services.config.bot_user_id:
        return False
    return not services.guard.outsider(event.get("user_team") or event.get("team"))


def magic_word(text: str) -> str | None:
    """The magic word that *text* is, as its whole; None for anything else."""
    magic = _MAGIC.fullmatch(text)
    return None if magic is None else magic[1].lower()


def hear(event: Mapping[str, Any], services: Services) -> Heard | None:
    """What a message of a person asks for; None for talk that is not for us.

    One parser for ``message`` and ``app_mention``, so that both make the same request.
    """
    place, text = _place(event, services.config.bot_user_id)
    if place is None or _left_alone(text, place):
        return None
    words = plain(_us(services.config.bot_user_id).sub(" ", text)).strip()
    if not words or words.lower() == "help":
        return _wordless(event, place, called_help=bool(words))
    magic = magic_word(words)
    if magic is not None and not place.reply:
        return Heard(place, empty=True, hint=hints.magic_outside(magic))
    try:
        said = Said(words) if magic else _read(words, place, services)
    except BadOption as error:
        return Heard(place, complaint=error)
    request = Request(
        key=f"message:{place.channel_id}:{place.ts}",
        surface=place.surface,
        team_id=services.config.team_id,
        channel_id=place.channel_id,
        user_id=place.user_id,
        prompt=said.prompt,
        order=place.ts,
        options=said.options,
        thread_ts=place.thread_ts,
        message_ts=place.ts,
        attachments=() if magic else attachments_of(event),
        intent=_INTENTS[magic] if magic else Intent.MAKE,
        wanted=said.wanted,
        private=said.private,
    )
    return Heard(place, request=request)


def _read(words: str, place: Place, services: Services) -> Said:
    called = place.surface is Surface.MENTION
    said = read_options(words, services.rules, services.today(), strict=called)
    if said.private and not place.direct:
        raise BadOption(hints.PRIVATE_ELSEWHERE.format(imagine=services.config.imagine))
    if not said.prompt:
        raise BadOption("Say also what should be in the picture.")
    return said


def _wordless(event: Mapping[str, Any], place: Place, *, called_help: bool) -> Heard | None:
    """Who called us reads how to ask; a picture without a word in our thread could be meant for us."""
    files = attachments_of(event)
    if place.surface is Surface.MENTION:
        return Heard(place, empty=True, hint=hints.FILES_ALONE if files and not called_help else "")
    if not called_help and files and all(file.media_type.startswith("image/") for file in files):
        return Heard(place, empty=True, hint=hints.FILES_ALONE)
    return None


def _place(event: Mapping[str, Any], bot_user_id: str) -> tuple[Place | None, str]:
    text = event.get("text")
    text = text if isinstance(text, str) else ""
    channel_id, ts = named(event, "channel"), named(event, "ts")
    thread_ts = named(event, "thread_ts") or ts
    reply = thread_ts != ts
    ours = event.get("channel_type") == "im" or channel_id.startswith("D")
    if _us(bot_user_id).search(text) or (ours and not reply):
        surface = Surface.MENTION
    elif reply:
        surface = Surface.REPLY
    else:
        return None, text
    return Place(channel_id, ts, named(event, "user"), thread_ts, reply, surface, ours), text


def _us(bot_user_id: str) -> re.Pattern[str]:
    return re.compile(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>")


def _left_alone(text: str, place: Place) -> bool:
    """A reply that opens by addressing somebody else, or with ``//``, is not for us."""
    if text.lstrip().startswith("//"):
        return True
    return place.reply and place.surface is Surface.REPLY and _TO_OTHERS.match(text) is not None
