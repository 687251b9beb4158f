"""Deleting a picture: what is gone at once, what has to be recalled elsewhere, and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from darkroom.turns.model import Picture


class Recall(StrEnum):
    """What is still somewhere after a picture was deleted here."""

    MESSAGE = "message"
    """``channel_id`` and ``ref`` (the ts): the message that brought or shared it. Deleted, or written anew
    where it brings other pictures that are still there."""
    PLACEHOLDER = "placeholder"
    """``channel_id`` and ``ref`` (the ts): the message that repeats the prompt and roots the thread. Written
    anew, without the prompt."""
    FILE = "file"
    """``ref``: the id of a file in Slack."""
    RESPONSE = "response"
    """``ref``: the id of a stored response at the API."""
    BLOB = "blob"
    """``ref``: ``sha256.format`` of bytes that nothing else in the books needs."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to recall, tried until it is gone, or ``tries`` were in vain. ``by_user_id`` deleted it."""

    id: int
    kind: Recall
    team_id: str
    channel_id: str
    ref: str
    picture_id: str
    tries: int
    created_at: datetime
    by_user_id: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """What deleting a picture has done. ``first`` is false when it had been deleted before;
    ``asked_in_words`` says that a person's own message still holds the prompt, ``built_on`` how many living
    pictures were made from it: those show what they show."""

    picture: Picture
    first: bool
    asked_in_words: bool
    built_on: int


class NotScrubbed(Exception):
    """Something deleted may still be in the files of the database; the message says why. Try again later:
    somebody who reads them, or a full disk, is in the way."""


class Eraser(Protocol):
    """Deletes, and knows what is left to recall. Each method is one transaction."""

    async def erase(self, picture_id: str, by_user_id: str, at: datetime) -> Erased | None:
        """Delete a picture: its row loses the prompt, its turn too unless another picture of it lives or may
        still come, and what is to be recalled is listed. The charge stays. None if there never was such a
        picture. Repeated, it lists what has come to light since."""
        ...

    async def open_errands(self, limit: int) -> Sequence[Errand]:
        """What is to be recalled: first what somebody deleted, then what went by its age, which has half of
        the *limit* if it needs that; of either what was tried least, then the oldest, so that nothing waits
        behind what cannot be recalled."""
        ...

    async def close_errand(self, errand_id: int, failure: str | None, at: datetime) -> None:
        """It is gone (no *failure*), or this try was in vain. After ``TRIES_MAX`` it is given up and kept."""
        ...

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the files of the database (its write-ahead log too).

        Returns when that is so; a very large database has the rest done at its next start. Raises
        ``NotScrubbed`` where somebody who reads, or a full disk, is in the way: try again later.
        """
        ...


TRIES_MAX = 20
"""How often something is tried to be recalled."""
