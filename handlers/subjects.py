"""Which picture a press is about, and where what is asked of it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from darkroom.turns.copies import Asker
from darkroom.turns.endings import Outcome
from darkroom.turns.model import Picture, Request, Turn, TurnState
from darkroom.turns.store import Arrival
from handlers import words_endings, words_pictures
from handlers.asking import mapping
from handlers.blocks.text import View
from handlers.presses import Press
from handlers.services import Services
from handlers.words import Hearer

TRIES_MAX = 50
"""How often a button that acts once may be pressed again after it came to nothing."""
_IN_VAIN = frozenset({Outcome.DECLINED, Outcome.FAILED, Outcome.CANCELLED})


@dataclass(frozen=True, slots=True)
class Subject:
    """A living picture and the turn that made it."""

    picture: Picture
    turn: Turn

    @property
    def has_words(self) -> bool:
        """Whether what it was asked with is still kept."""
        return bool(self.picture.prompt.strip())


@dataclass(frozen=True, slots=True)
class Memo:
    """What a dialog carries along: its picture, and where it was asked for."""

    picture: str
    channel: str
    thread: str

    def write(self) -> str:
        """As ``private_metadata``."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> Memo:
        """What ``write`` wrote; nobody but us can write there, and what cannot be read names nothing."""
        try:
            held = mapping(json.loads(str(view.get("private_metadata"))))
        except ValueError:
            held = {}
        return cls(*(str(held.get(key, "")) for key in ("picture", "channel", "thread")))


async def find(services: Services, picture_id: str) -> Subject | View:
    """The picture, or what to say where there is none any more."""
    picture = await services.log.picture(picture_id)
    if picture is None or picture.team_id != services.config.team_id:
        return View(words_pictures.GONE, ())
    if picture.deleted_at is not None:
        return View(words_pictures.deleted(picture.version), ())
    turn = await services.log.turn(picture.turn_id)
    return View(words_pictures.GONE, ()) if turn is None else Subject(picture, turn)


def thread_of(subject: Subject, press: Press) -> str:
    """The thread of what is asked for: the picture's own, or that of the message which shares it."""
    own = press.message_ts in ("", subject.turn.message_ts) and press.channel == subject.picture.channel_id
    # Where its thread was gone, a picture's message stands in the channel, as a shared one does.
    return subject.picture.thread_ts if own else press.root_ts


def asker_of(services: Services, press: Press, key: str, thread_ts: str) -> Asker:
    """What a press says of who wants it, when and where."""
    order = press.action_ts or f"{services.clock.now().timestamp():.6f}"
    return Asker(press.user_id, key, order, press.channel, thread_ts)


async def key_of(services: Services, press: Press, picture_id: str) -> str:
    """The key of a button that acts once. Where it came to nothing, the next press may try anew: its key goes
    on from the turn that failed."""
    key = first = f"button:{press.message_ts}:{press.action_id}:{picture_id}"
    for _ in range(TRIES_MAX):
        turn = await services.conversations.turn_of_key(services.config.team_id, key)
        if turn is None or not _in_vain(turn) or turn.request.order == press.action_ts:
            break
        key = f"{first}:{turn.id}"
    return key


async def accept(services: Services, request: Request) -> Arrival | View:
    """Take *request* on; or what to say to a second press."""
    arrival = await services.intake.accept(request)
    services.intake.submit(arrival)
    if arrival.new or arrival.turn is None:
        return arrival
    return await before(services, arrival.turn, request.user_id)


async def before(services: Services, turn: Turn, user_id: str) -> View:
    """What came of the press that was first."""
    pictures = await services.log.pictures(turn.id)
    voice, hearer = services.config.voice, Hearer(turn.request.channel_id, user_id in services.config.admins)
    ending = words_endings.say(turn.ending, voice, hearer) if turn.ending else ""
    return View(words_pictures.pressed_before(turn, pictures, user_id, ending), ())


def _in_vain(turn: Turn) -> bool:
    return turn.state is TurnState.ENDED and turn.ending is not None and turn.ending.outcome in _IN_VAIN
