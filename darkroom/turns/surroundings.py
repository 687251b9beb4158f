"""What a turn needs from whoever talks to people; ``handlers`` satisfies it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from darkroom.rendering.job import BlobWriter
from darkroom.turns.endings import Ending, FileProblem
from darkroom.turns.model import Attachment, Picture, Told, Turn, TurnInput
from darkroom.turns.waiting import Wait


class Note(Protocol):
    """Writes down one step of telling before the next is taken; gives the turn as it then is. *picture_id*
    goes with ``Told.FILE``, and with nothing else."""

    async def __call__(self, step: Told, value: str | None, picture_id: str | None = None) -> Turn:
        """See ``TurnStore.tell``."""
        ...


class Guard(Protocol):
    """Who may."""

    async def refusal(self, turn: Turn) -> Ending | None:
        """Why this person may not have this turn (``declined``), or None."""
        ...


class Delivery(Protocol):
    """The way to a person. Slack's passing troubles are waited out inside, within bounds."""

    async def placeholder(
        self, turn: Turn, at_most_nano_usd: int, note: Note, wait: Wait | None = None
    ) -> Ending | None:
        """Show that the turn was taken in: a message where it opens a thread, a reaction where a message
        asked, a word to its person alone where a button did; and that it has to *wait*, with a way to call it
        off. An ending if the picture could not be posted there at all, e.g. where Darkroom is not a member.

        A private turn goes to the direct message with its person first, and notes that as ``PLACE``.
        """
        ...

    async def show_wait(self, turn: Turn, at_most_nano_usd: int, wait: Wait | None) -> None:
        """Say anew what a turn whose placeholder is shown waits for, or with None that it is being made.
        Tries once, and never raises but when cancelled: whoever waits learns the rest in the end."""
        ...

    async def deliver(
        self,
        turn: Turn,
        pictures: Sequence[tuple[Picture, Path]],
        inputs: Sequence[TurnInput],
        note: Note,
    ) -> None:
        """Put the turn's pictures (each with the file of its bytes) into the thread, in one message, and
        close the placeholder. *inputs* went along with the prompt; what is understood of them is said.

        Notes ``FILE`` of each, ``POST_BEGUN``, ``MESSAGE``, ``PLACEHOLDER_CLOSED`` as they happen and skips
        what is noted already. Why some of the wanted pictures did not come is told to the person alone.
        Raises ``Undeliverable`` when bounded tries have failed.
        """
        ...

    async def tell(self, turn: Turn, note: Note) -> None:
        """Say how a turn ended that brought no picture: ``turn.ending`` names the sentence. Words are
        posted in the thread (empty ones become a reaction), all else goes to the person alone, and the
        placeholder does not stay. Raises ``Undeliverable``."""
        ...


class Attachments(Protocol):
    """Where attached files come from."""

    async def above(self, turn: Turn) -> tuple[Attachment, ...]:
        """The pictures that stand in the thread above the message of *turn*, oldest first: at most
        ``REFERENCES_MAX``, the newest of them. Empty where the thread cannot be read."""
        ...

    async def fetch(self, attachment: Attachment, file: BlobWriter) -> None:
        """Write the bytes of *attachment* to *file*, bounded in size and time. Raises ``CannotFetch``."""
        ...


class CannotFetch(Exception):
    """An attached file cannot be had; ``problem`` says why. Tell the person, and buy nothing."""

    def __init__(self, problem: FileProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Undeliverable(Exception):
    """Slack would not take it within bounds. Nothing to do at once: the turn is kept as undelivered with
    this reason; see ``darkroom turns`` and ask Slack's status page or the channel's settings why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
