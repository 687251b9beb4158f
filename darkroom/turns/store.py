"""What a turn needs from storage: one method for each step of its life, each of them one transaction.

The order and the names are those of the table "The life of a turn" in ``docs/architecture.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from darkroom.rendering.job import Candidate, SavedPicture, Usage
from darkroom.spending.bound import Ask
from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.spending.classes import Cost
from darkroom.spending.policy import Access
from darkroom.turns.endings import Ending
from darkroom.turns.model import (
    Attachment,
    Attempt,
    AttemptState,
    Intent,
    Options,
    PassedOver,
    Picture,
    Request,
    ThreadReplies,
    Told,
    Turn,
    TurnInput,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """``turn`` is None for a message that is not for Darkroom; ``new`` is false for a repeat."""

    turn: Turn | None
    new: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One attempt before it is paid for: what would be called, and the most it can cost, by class."""

    attempt_id: str
    candidate: Candidate
    provider: str
    width: int
    height: int
    quality: str
    format: str
    bound: Cost
    price_version: str
    parent_id: str | None
    revision: int
    """Of the turn that was planned: a turn edited since then is planned again."""
    listed_model: str
    """The image model's name in the catalogue, which admins allow or deny."""
    ask: Ask
    """What the price is computed from; kept, so that a charge can be computed again."""
    background: str | None = None
    passed_over: tuple[PassedOver, ...] = ()
    """What would have come before this candidate, and why it is not used."""


class NotWaiting(Exception):
    """The turn has ended, or was edited, since it was read: nothing was held. Read it again."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an attempt really cost and brought; ``state`` is ``settled`` or ``uncertain`` (the whole hold)."""

    state: AttemptState
    cost: Cost
    price_version: str
    flags: frozenset[str] = frozenset()
    host_usage: Usage | None = None
    image_usage: Usage | None = None
    image_model: str | None = None
    host_model: str | None = None
    response_id: str | None = None
    picture: SavedPicture | None = None
    picture_id: str | None = None
    seconds: float = 0.0
    host_tokens: int = 0
    chain_pictures: int = 0


class TurnStore(Protocol):
    """Every change of a turn. Each method is one transaction, on disk when it returns, told time and ids."""

    async def arrive(self, turn_id: str, request: Request, at: datetime, replies: ThreadReplies) -> Arrival:
        """Write a turn as ``received``; a repeat (same key) finds the first and changes nothing (but brings
        the attachments that Slack left out of the first of a mention's two events).

        A reply that is not for Darkroom (unknown thread, or a person that *replies* does not count) leaves
        nothing behind. A mention, and whatever else asks in a thread, opens that thread and joins its person.
        ``request.private`` of None becomes what the person prefers where the request opens a thread, else
        false. With ``inputs_from``, that turn's inputs become this one's too.
        """
        ...

    async def join(self, team_id: str, channel_id: str, thread_ts: str, user_id: str, at: datetime) -> None:
        """Somebody used a button in a thread of ours: their replies there count from now on."""
        ...

    async def revise(
        self,
        team_id: str,
        channel_id: str,
        message_ts: str,
        prompt: str,
        options: Options,
        attachments: tuple[Attachment, ...],
        at: datetime,
        *,
        wanted: int = 1,
        intent: Intent = Intent.MAKE,
    ) -> Turn | None:
        """Replace what a message asks for while its turn still waits, which makes it another revision; gives
        the turn as it now is, whatever its state, or None if that message never was one."""
        ...

    async def queue(
        self, turn_id: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Turn | NoMoney | Barred:
        """``received → queued``; or nothing changes, and either the budget is named that even idle could not
        pay *plan*, or what an admin has decided against. A turn that is queued already is only looked at.
        Without a *plan*, for what costs nothing, it is always queued."""
        ...

    async def bring(
        self, turn_id: str, revision: int, inputs: Sequence[TurnInput], at: datetime
    ) -> tuple[TurnInput, ...]:
        """The references and the mask of a turn in that revision, in the order they are sent in; whatever
        stood there before is replaced. Their bytes are on disk already. Raises ``NotWaiting`` if the turn
        has ended or is in another revision."""
        ...

    async def hold(
        self, turn_id: str, plan: Plan, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred:
        """Turn ``working``, attempt ``held``, all budgets at once; or nothing changes but the turn waits.

        A turn may have as many attempts that are open or were paid for as it wants pictures; with any such
        it is ``working``, also while it waits for the rest. Its parent is the first plan's. What was said in
        it of options is remembered for its thread, unless it came from a button. Raises ``NotWaiting`` if
        the turn has ended, is in another revision than the planned, or wants no more pictures.
        """
        ...

    async def send(self, attempt_id: str, at: datetime, response_id: str | None = None) -> bool:
        """Without an id: ``held → dispatched``; false if no row changed, and then nothing may be sent.
        With one: note the response's id on the dispatched attempt."""
        ...

    async def render(
        self, attempt_id: str, settlement: Settlement, caps: Caps, at: datetime
    ) -> Picture | None:
        """Picture row, usage, charge and end of the hold together, and the alerts that come of it. A picture
        of a turn that was asked for after its thread's choice takes that choice's place. Repeating it is a
        no-op."""
        ...

    async def fall_back(
        self, attempt_id: str, why: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred | None:
        """Release an attempt that was not billed and, with a *plan*, take the next one's hold with it."""
        ...

    async def end(self, turn_id: str, ending: Ending, at: datetime, *, waiting_only: bool = False) -> Turn:
        """The turn's outcome, with what will be said. A turn that has ended keeps its first ending, and with
        *waiting_only* one that is being worked on goes on. One with an open hold cannot end. With the reason
        ``UNDONE``, the picture it names becomes the thread's choice as of the turn's place in the order."""
        ...

    async def tell(
        self, turn_id: str, step: Told, value: str | None, at: datetime, picture_id: str | None = None
    ) -> Turn:
        """Note one step of telling; ``value`` is Slack's id or ts, or None where the time is all.

        ``FILE`` is noted with the *picture_id* it belongs to. ``PLACE`` is where a private turn goes on, and
        is remembered as the person's direct message with us.
        """
        ...


class TurnLog(Protocol):
    """What a turn needs to read; none of it changes anything."""

    async def turn(self, turn_id: str) -> Turn | None:
        """One turn."""
        ...

    async def turn_of_message(self, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
        """The turn that a message asked for."""
        ...

    async def reply_counts(
        self, team_id: str, channel_id: str, thread_ts: str, user_id: str, replies: ThreadReplies
    ) -> bool:
        """Whether ``arrive`` would take a reply of *user_id* in that thread."""
        ...

    async def unfinished(self) -> list[Turn]:
        """Every turn that has not ended, or has ended and was not told, oldest first."""
        ...

    async def undelivered(self, paid_since: datetime, said_since: datetime) -> list[Turn]:
        """Turns that have ended and that Slack has not taken: those that brought pictures or words, of since
        *paid_since*, then all others of since *said_since*; each oldest first, at most 2,000 together."""
        ...

    async def undelivered_pictures(self, team_id: str, user_id: str, most: int) -> list[Picture]:
        """Pictures that somebody asked for, of turns that Slack has not taken, newest first; deleted ones do
        not count."""
        ...

    async def beside_others(self, turn: Turn) -> bool:
        """Whether its person has asked for something else in that channel, within an hour of *turn*, that was
        not told yet when they asked for *turn*, or that they asked for after it."""
        ...

    async def attempts(self, turn_id: str) -> list[Attempt]:
        """A turn's attempts in their order."""
        ...

    async def charge_of(self, picture_id: str) -> Cost:
        """What a picture cost, by class."""
        ...

    async def picture(self, picture_id: str) -> Picture | None:
        """One picture."""
        ...

    async def pictures(self, turn_id: str) -> list[Picture]:
        """A turn's pictures in the order of their versions."""
        ...

    async def current_picture(
        self, team_id: str, channel_id: str, thread_ts: str, order: str
    ) -> Picture | None:
        """What a request of that *order* builds on: the picture chosen in the thread, if it was chosen before
        the request, else the thread's newest, else the one whose sharing opened it, or None. Deleted pictures
        do not count."""
        ...

    async def last_picture(self, team_id: str, channel_id: str, user_id: str) -> Picture | None:
        """The newest picture that *user_id* asked for in that channel and that was not deleted, or None."""
        ...

    async def inputs(self, turn_id: str) -> tuple[TurnInput, ...]:
        """The references and the mask of a turn, in their order; empty before ``bring``."""
        ...

    async def manner(self, turn: Turn) -> Options:
        """What holds for *turn* where its person said nothing: what is remembered of its thread; where it
        opens one (or its message does), what that person prefers."""
        ...

    async def person(self, team_id: str, user_id: str) -> str | None:
        """The key that the books know somebody by; None for who never asked for anything."""
        ...

    async def access(self, turn: Turn) -> Access:
        """Which models and qualities whoever asked for *turn* may use where they asked."""
        ...
