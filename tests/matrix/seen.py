"""What became of what was asked: what its person sees, what was charged, and whether that is as promised."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handlers.blocks.placeholder import CANCEL_ACTION
from handlers.delivery import NOTHING_REACTION
from handlers.homeward import OPENING
from handlers.placeholders import WORKING_REACTION
from sandbox.images.faults import Call
from sandbox.slack.model import Message
from storage.database import DATABASE_NAME
from tests.matrix.street import Street
from tests.simulation.checks import is_opening, price_of
from tests.simulation.life import look_from_outside
from tests.simulation.weather import MAKING
from tests.storage.books import check_books, nothing_held

ALICE = "U0ALICE001"
WORDS_MAX = 120
BY_IMAGES = "The Responses endpoint could not serve this; made by the Images endpoint."
_MONEY = re.compile(r"\$[\d.,]*\d")
_REFUSED_BY_MODERATION = ("refused:moderation_blocked", "refused:invalid_prompt", "blocked")


@dataclass(frozen=True)
class Mark:
    """How far things had come before: of what comes after it somebody asks."""

    turns: int
    calls: int
    told: int
    messages: frozenset[tuple[str, str]]

    @classmethod
    def at(cls, street: Street) -> Mark:
        """Now."""
        return cls(
            len(street.rows("SELECT id FROM turns")),
            len(street.api.calls),
            len(street.workspace.ephemerals),
            frozenset((message.channel, message.ts) for message in street.ours()),
        )


@dataclass(frozen=True)
class Seen:
    """One cell of the matrix, in the end.

    ``reason`` is the ending's in the books; ``pictures`` where each picture is seen, ``told`` what its person
    was told, ``standing`` what still says that something is being made, ``charged`` in words; ``again`` how
    often the API was asked for more pictures than were wanted; ``wrong`` what is not as promised, ever.
    """

    reason: str
    pictures: tuple[str, ...]
    told: tuple[str, ...]
    standing: tuple[str, ...]
    charged: str
    again: int
    seconds: float
    wrong: tuple[str, ...]

    @property
    def sees(self) -> str:
        """What the person sees, in short."""
        told = [
            (words if words.startswith("the ") else f"“{shortened(words)}”")
            + (f", {n} times" if n > 1 else "")
            for words, n in Counter(self.told).items()
        ]
        return "; ".join(dict.fromkeys([*self.pictures, *told, *self.standing]))


def shortened(words: str) -> str:
    """The first sentences that fit, without amounts, and names as they are read."""
    words = _MONEY.sub("$…", " ".join(words.split()).replace("|", "/"))
    words = words.replace("<#C0DESIGN01>", "#design").replace("<@U0DARKROOM>", "@Darkroom")
    if len(words) <= WORDS_MAX:
        return words
    return words[: words.rfind(" ", 0, WORDS_MAX)] + " …"


def look(street: Street, mark: Mark, wanted: int) -> Seen:
    """What there is since *mark*, of one turn."""
    (turn,) = street.rows("SELECT * FROM turns ORDER BY created_at, id")[mark.turns :]
    new = [one for one in street.ours() if (one.channel, one.ts) not in mark.messages]
    pictures = [f"{_place(one)}{_note(one)}" for one in new for _ in range(_pictures(one))]
    calls = [call for call in street.api.calls[mark.calls :] if call.endpoint in MAKING]
    took = datetime.fromisoformat(turn["told_at"]) - datetime.fromisoformat(turn["created_at"])
    return Seen(
        turn["reason"],
        tuple(pictures),
        tuple(_told(street, mark, new)),
        tuple(dict.fromkeys(_standing(street))),
        _charged(street, turn["id"]),
        max(0, len(calls) - wanted),
        took.total_seconds(),
        tuple(_wrong(street, turn["id"], wanted, len(pictures), calls)),
    )


def _told(street: Street, mark: Mark, new: list[Message]) -> Iterator[str]:
    """What the person was told as it ended; that something waits is said before, and a first picture in the
    direct message comes after a line of its own."""
    for one in street.workspace.ephemerals[mark.told :]:
        if one.user == ALICE and CANCEL_ACTION not in json.dumps(one.blocks):
            yield one.text
    for message in new:
        if message.channel.startswith("D") and not _pictures(message) and message.text != OPENING:
            yield message.text
    for message in _all_messages(street):
        if street.workspace.bot_user_id in message.reactions.get(NOTHING_REACTION, ()):
            yield f"the reaction :{NOTHING_REACTION}:"


def _all_messages(street: Street) -> Iterator[Message]:
    for room in street.workspace.channels.values():
        yield from room.messages.values()


def _pictures(message: Message) -> int:
    return len([block for block in message.blocks if block["type"] == "image"]) + len(message.files)


def _place(message: Message) -> str:
    if message.channel.startswith("D"):
        return "picture in the DM"
    if not message.thread_ts:
        return "picture in the channel"
    return "picture as a plain file" if message.files else "picture"


def _note(message: Message) -> str:
    """The line about models that were passed over, if there is one."""
    texts = [text for block in message.blocks for text in _texts(block)]
    note = next((text for text in texts if "made with " in text or "made by the Images" in text), "")
    return f": “{note}”" if note else ""


def _texts(block: object) -> Iterator[str]:
    if isinstance(block, dict):
        if isinstance(block.get("text"), str):
            yield block["text"]
        for part in block.values():
            yield from _texts(part)
    elif isinstance(block, list):
        for part in block:
            yield from _texts(part)


def _charged(street: Street, turn_id: str) -> str:
    """In words, of all attempts of the turn together."""
    found: Counter[str] = Counter()
    for attempt in street.rows("SELECT * FROM attempts WHERE turn_id = ?", turn_id):
        call = _call_of(street, attempt["id"])
        billed = price_of(call) if call is not None else 0
        if attempt["state"] == "uncertain":
            found["its hold (uncertain)"] += 1
        elif attempt["charged_nano_usd"]:
            found["as billed" if attempt["charged_nano_usd"] == billed else "an estimate"] += 1
    return " and ".join(sorted(found)) or "nothing"


def _call_of(street: Street, attempt_id: str) -> Call | None:
    return next((sent.call for sent in street.api_side.sent if sent.attempt_id == attempt_id), None)


def _wrong(street: Street, turn_id: str, wanted: int, shown: int, calls: list[Call]) -> Iterator[str]:
    """What must never be."""
    for one in (check_books, nothing_held):
        try:
            look_from_outside(street.folder, DATABASE_NAME, one)
        except AssertionError as error:
            yield f"{one.__name__}: {error}"
    yield from _charges(street, turn_id)
    made = street.rows("SELECT id FROM pictures WHERE turn_id = ?", turn_id)
    if shown != len(made):
        yield f"{len(made)} pictures were made and {shown} are seen"
    if sum(bool(call.billed) for call in calls) > wanted:
        yield f"{wanted} wanted, and more was bought"
    if len(calls) > wanted and any(call.outcome in _REFUSED_BY_MODERATION for call in calls):
        yield "asked again after the moderation's refusal"


def _standing(street: Street) -> Iterator[str]:
    if any(is_opening(message) for message in street.ours()):
        yield "the placeholder stays"
    for message in _all_messages(street):
        if street.workspace.bot_user_id in message.reactions.get(WORKING_REACTION, ()):
            yield "the reaction :eyes: stays"


def _charges(street: Street, turn_id: str) -> Iterator[str]:
    """Each attempt was sent once at most, and charged what was billed for it, or its hold."""
    sent = Counter(one.attempt_id for one in street.api_side.sent)
    yield from (f"attempt {name} was sent {times} times" for name, times in sent.items() if times > 1)
    attempts = street.rows("SELECT * FROM attempts WHERE turn_id = ? ORDER BY held_at, id", turn_id)
    for attempt in attempts:
        call = _call_of(street, attempt["id"])
        billed = price_of(call) if call is not None else 0
        charged, hold, state = attempt["charged_nano_usd"], attempt["hold_nano_usd"], attempt["state"]
        flags = street.rows(
            "SELECT flags FROM journal WHERE attempt_id = ? AND kind IN ('settle', 'uncertain')",
            attempt["id"],
        )
        estimated = any("estimated" in json.loads(row["flags"]) for row in flags)
        if billed > hold:
            yield f"billed {billed}, more than the hold of {hold}"
        if state == "uncertain" and charged != hold:
            yield f"uncertain, and charged {charged} of a hold of {hold}"
        if state == "released" and (charged or billed):
            yield f"released, charged {charged}, billed {billed}"
        if state == "settled" and charged != billed and not estimated:
            yield f"settled at {charged}, billed {billed}"
