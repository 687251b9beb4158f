"""Deleting what is older than the settings say: pictures everywhere, words here, at last whole requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from darkroom.clock import Clock
from darkroom.turns.redelivering import PAID_FOR

BATCH = 100
"""So many are looked at in one transaction: what is asked for meanwhile waits behind no more of them."""
PICTURES_MAX = 500
"""So many pictures one round of a running bot deletes: each has a few things in Slack to be recalled, which
Slack lets about one a second of; somebody who deletes a picture of theirs waits behind them."""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days pictures, words and whole requests are kept; None is for ever."""

    pictures_days: int | None = None
    prompts_days: int | None = None
    turns_days: int | None = None

    def before(self, now: datetime) -> Before:
        """What is old enough at *now*. A request that goes takes its pictures and words with it."""
        return Before(
            now=now,
            pictures=_days_before(now, self.pictures_days, self.turns_days),
            words=_days_before(now, self.prompts_days, self.turns_days),
            turns=_days_before(now, self.turns_days),
            given_up=now - PAID_FOR,
        )

    @property
    def for_ever(self) -> bool:
        """Whether nothing ever goes by itself."""
        return self.pictures_days is None and self.prompts_days is None and self.turns_days is None


@dataclass(frozen=True, slots=True)
class Before:
    """Whatever was last heard of before these moments is old enough, seen from *now*; None: nothing ever is.

    A picture is as old as its making, a request as its last step. What Slack has not taken is told again
    until ``given_up``, and kept for that long whatever the settings say.
    """

    now: datetime
    pictures: datetime | None
    words: datetime | None
    turns: datetime | None
    given_up: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many went, or would: pictures; requests whose words are taken away, and comments of shares; whole
    requests. ``later`` are requests that are old enough, and wait until what they have left elsewhere is
    recalled, or what is still open is over."""

    pictures: int = 0
    words: int = 0
    comments: int = 0
    turns: int = 0
    later: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """What one step has done: how many, whose Home showed them, and which bytes (digest, format) may have
    been needed by nothing else."""

    number: int
    user_ids: frozenset[str] = frozenset()
    bytes: tuple[tuple[str, str], ...] = ()


class RetentionBook(Protocol):
    """Finds what is old enough and deletes it, at most so many in one transaction. Nothing that is unfinished
    is touched, nor what it builds on; no sum changes. What a step has done it does not find again."""

    async def count(self, before: Before) -> Counts:
        """What there is to be deleted; changes nothing."""
        ...

    async def take_comments(self, before: Before, most: int) -> Gone:
        """Take away what people said about pictures when they shared them."""
        ...

    async def erase_pictures(self, before: Before, most: int) -> Gone:
        """Delete pictures as the button does: their words go, and what stands elsewhere is listed."""
        ...

    async def take_words(self, before: Before, most: int) -> Gone:
        """Take from requests what was asked for, what went along, and what the API said to it; their pictures
        stay."""
        ...

    async def forget_turns(self, before: Before, most: int) -> Gone:
        """Forget whole requests that have no picture any more (none that was deleted just ``now`` either),
        with all that hangs on them. What was charged stays in the books."""
        ...

    async def forget_threads(self, before: Before, most: int) -> Gone:
        """Forget threads in which nothing that was asked is left; who writes there opens a new one."""
        ...

    async def drop_rows(self, before: Before, most: int) -> Gone:
        """Remove what is left of forgotten requests once nothing is kept that was made of their pictures."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has done. ``more`` pictures are due than one run may delete; ``user_ids`` are those whose
    Home showed what is gone."""

    counts: Counts
    more: bool
    user_ids: frozenset[str]


class Retention:
    """Deletes what is older than *keep* says. *remove* takes bytes from disk, unless something that lives
    needs them."""

    def __init__(
        self, book: RetentionBook, keep: Keep, clock: Clock, remove: Callable[[str, str], Awaitable[bool]]
    ) -> None:
        self._book = book
        self._keep = keep
        self._clock = clock
        self._remove = remove

    async def look(self) -> Counts:
        """What a run would do now."""
        return await self._book.count(self._keep.before(self._clock.now()))

    async def run(self, pictures_max: int | None = None) -> Outcome:
        """Delete all that is old enough; of pictures no more than *pictures_max*. Broken off, it goes on from
        there the next time."""
        now = self._clock.now()
        before, book = self._keep.before(now), self._book
        # In this order, so that all of it is what ``look`` would have counted.
        comments, _ = await _all(lambda most: book.take_comments(before, most))
        pictures, more = await _all(lambda most: book.erase_pictures(before, most), pictures_max)
        words, _ = await _all(lambda most: book.take_words(before, most))
        turns, _ = await _all(lambda most: book.forget_turns(before, most))
        await _all(lambda most: book.forget_threads(before, most))
        await _all(lambda most: book.drop_rows(before, most))
        for sha256, suffix in (*words.bytes, *turns.bytes):
            await self._remove(sha256, suffix)
        later = (await book.count(before)).later
        counts = Counts(pictures.number, words.number, comments.number, turns.number, later)
        return Outcome(counts, more, pictures.user_ids | words.user_ids)


async def _all(step: Callable[[int], Awaitable[Gone]], at_most: int | None = None) -> tuple[Gone, bool]:
    """*step* again and again until it finds nothing more; and whether it was ended by *at_most*."""
    gone = Gone(0)
    while at_most is None or gone.number < at_most:
        some = BATCH if at_most is None else min(BATCH, at_most - gone.number)
        did = await step(some)
        gone = Gone(gone.number + did.number, gone.user_ids | did.user_ids, (*gone.bytes, *did.bytes))
        if did.number < some:
            return gone, False
    return gone, True


def _days_before(now: datetime, *days: int | None) -> datetime | None:
    """The latest of the moments that are so many days before *now*."""
    counted = [each for each in days if each is not None]
    return now - timedelta(days=min(counted)) if counted else None
