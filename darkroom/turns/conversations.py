"""What people do with pictures beside asking for more: choose a version, judge, share, and look back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from darkroom.turns.model import Picture, Turn, Verdict


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one person wants where they say nothing; None is as the settings say. A size is whole or not at
    all."""

    width: int | None = None
    height: int | None = None
    quality: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some pictures of a person, newest first; ``number`` counts from 0, ``pages`` is at least 1."""

    pictures: Sequence[Picture]
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class Share:
    """A picture on its way into a channel, or there: ``message_ts`` is None until it was posted.

    ``comment`` is what its sharer says about it, in plain text.
    """

    id: str
    picture: Picture
    channel_id: str
    user_id: str
    file_id: str | None
    message_ts: str | None
    begun_at: datetime
    comment: str = ""


class Conversations(Protocol):
    """Pictures and threads, for buttons and views. Each method is one transaction; told time and ids.

    Deleted pictures are found where that is said, and nowhere else.
    """

    async def choose(
        self, picture_id: str, channel_id: str, thread_ts: str, user_id: str, order: str, at: datetime
    ) -> Picture | None:
        """The next request in that thread with a later *order* builds on the picture, and *user_id* is one of
        the thread's people from now on. None, and nothing changes, if there is no such picture, it was
        deleted, or the thread is neither its own nor one that sharing it opened."""
        ...

    async def versions(self, team_id: str, channel_id: str, thread_ts: str) -> Sequence[Picture]:
        """A thread's pictures by version, the deleted ones too: at most the newest 100, and before them the
        one whose sharing opened the thread, with its file there."""
        ...

    async def built_on(self, picture_id: str) -> int:
        """How many living pictures were made from it, wherever that was."""
        ...

    async def pictures_of_message(self, team_id: str, channel_id: str, ts: str) -> Sequence[Picture]:
        """The pictures that a message of ours brought, also one that shares a picture; else none."""
        ...

    async def turn_of_key(self, team_id: str, key: str) -> Turn | None:
        """The turn that something a person did has made: who pressed first, and what came of it."""
        ...

    async def page_of(self, team_id: str, user_id: str, number: int, size: int) -> Page:
        """A page of the pictures that a person asked for; past the last one it is the last one."""
        ...

    async def judge(self, picture_id: str, user_id: str, verdict: Verdict, at: datetime) -> bool:
        """Keep what *user_id* thinks of a picture, in place of what they thought before. False if there is
        no such picture."""
        ...

    async def preferences(self, team_id: str, user_id: str) -> Preferences:
        """What a person prefers."""
        ...

    async def prefer(self, team_id: str, user_id: str, preferences: Preferences, at: datetime) -> None:
        """Keep what a person prefers, in place of what was kept before."""
        ...

    async def private_channel(self, team_id: str, user_id: str) -> str | None:
        """The channel (D…) of our direct message with a person, where it is known."""
        ...

    async def met(self, team_id: str, user_id: str, channel_id: str, at: datetime) -> None:
        """Our direct message with a person is *channel_id*."""
        ...

    async def share(
        self,
        share_id: str,
        key: str,
        picture_id: str,
        channel_id: str,
        user_id: str,
        at: datetime,
        comment: str = "",
    ) -> Share | None:
        """A picture is to be shown in another channel, or the share that *key* began before. None if there is
        no such picture, or it was deleted. The comment goes when the picture is deleted."""
        ...

    async def note_share(self, share_id: str, file_id: str | None, message_ts: str | None) -> Share:
        """How far a share has come; None leaves what was noted. With its message, a thread of ours opens
        there, whose choice the picture is and of which its sharer is one of the people."""
        ...

    async def give_up_share(self, share_id: str, failure: str) -> None:
        """It cannot be shown there, and *failure* says why: it is not tried again."""
        ...

    async def unfinished_shares(self, since: datetime) -> Sequence[Share]:
        """What was begun since then, has no message yet and was not given up, nor its picture deleted, oldest
        first; at most 100."""
        ...
