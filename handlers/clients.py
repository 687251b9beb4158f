"""What we ask of Slack: one narrow interface, the same for the real thing and for a simulation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from darkroom.turns.model import Attachment
from handlers.blocks.text import Block

METADATA_EVENT = "darkroom_turn"
"""The ``event_type`` of our messages' metadata; its payload is ``{"turn_id": …}``."""


Begun = Callable[[str], Awaitable[None]]
"""Hears the id of a file that is about to be there."""


class SlackRefused(Exception):
    """Slack said no: ``error`` is its own name for why, ``method`` what was called, ``detail`` what its
    validator said of our blocks. Asking again changes nothing unless the error is a passing one."""

    def __init__(self, error: str, method: str, detail: str = "") -> None:
        super().__init__(f"{method}: {error}")
        self.error = error
        self.method = method
        self.detail = detail


NO_ANSWER = "no answer"
"""How the name of what Slack did not answer ends, where errors have names."""


class SlackUnclear(Exception):
    """No usable answer came: it may or may not have happened. Look before doing it again."""

    def __init__(self, method: str) -> None:
        super().__init__(f"{method}: {NO_ANSWER}")
        self.method = method


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A person as ``users.info`` knows them; ``is_admin`` covers owners, ``team_id`` None is unknown."""

    id: str
    name: str
    team_id: str | None
    enterprise_id: str | None
    is_admin: bool
    is_guest: bool
    is_stranger: bool
    is_bot: bool


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as ``files.info`` knows it; ``media_type`` is empty until Slack has processed it, ``shown_in``
    are the channels where it is shared, with the ts of the message there."""

    id: str
    media_type: str
    name: str = ""
    size_bytes: int = 0
    shown_in: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether the file may be put into a message."""
        return self.media_type != ""


class TooManyBytes(Exception):
    """A file is larger than may be taken. Say so to whoever sent it; nothing of it was kept."""


class NotTheFile(Exception):
    """Slack gave out something else than the file (a login page, a way to another host). Say so, and look
    at the bot's scopes if it happens with every file."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message of ours stands: a direct message's channel (D…) is known only once one was posted."""

    channel: str
    ts: str


class SlackClient(Protocol):
    """A workspace's Slack. Every method raises ``SlackRefused`` and ``SlackUnclear``; waits for rate limits
    happen inside, within bounds."""

    def within(self, patience_s: float) -> SlackClient:
        """The same Slack for what is worth less of a wait: what a rate limit has held back for *patience_s*
        seconds is refused (``pacing.TOO_LONG``). The constants of ``pacing`` say for what."""
        ...

    async def post_message(
        self,
        channel: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
        broadcast: bool = False,
        turn_id: str | None = None,
    ) -> str:
        """Post; gives the message's ts. A user id as *channel* is our direct message with that person,
        *broadcast* shows a thread's reply in its channel too, *turn_id* goes into the metadata."""
        ...

    async def post_private(
        self, user_id: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> Posted:
        """Post to one person's direct message with us; gives the channel too, which files need. A channel's
        id may stand for the person's; *turn_id* (or any other id of ours) goes into the metadata."""
        ...

    async def update_message(
        self, channel: str, ts: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> None:
        """Replace a message's text and blocks."""
        ...

    async def delete_message(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""
        ...

    async def post_ephemeral(
        self,
        channel: str,
        user_id: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
    ) -> None:
        """Show something to one person only, until they reload."""
        ...

    async def respond(self, reply_url: str, text: str, *, blocks: Sequence[Block] = ()) -> None:
        """Answer a command or a click privately, by its ``response_url``; replaces nothing."""
        ...

    async def add_reaction(self, channel: str, ts: str, name: str) -> None:
        """React to a message; doing so twice is refused as ``already_reacted``."""
        ...

    async def remove_reaction(self, channel: str, ts: str, name: str) -> None:
        """Take a reaction of ours back."""
        ...

    async def upload(
        self,
        path: Path,
        name: str,
        *,
        channel: str | None = None,
        thread_ts: str | None = None,
        begun: Begun | None = None,
    ) -> str:
        """Send a file's bytes, unchanged, from disk; gives its id. Nobody sees it unless it is shared at
        once, in a *channel* (and thread). *begun* is told the id before anybody can see it.

        Where Slack does not answer, whether a share stands is for whoever asked to find out."""
        ...

    async def file_info(self, file_id: str) -> FileInfo:
        """Whether Slack has processed a file."""
        ...

    async def download(self, file_id: str, write: Callable[[bytes], object], *, bytes_max: int) -> None:
        """Read a file's bytes, piece by piece, into *write*.

        The token goes to Slack's own hosts only, redirects are followed by hand, and what is not the file is
        recognised. Raises ``TooManyBytes`` and ``NotTheFile`` too.
        """
        ...

    async def delete_file(self, file_id: str) -> None:
        """Delete a file of ours, wherever it is shown."""
        ...

    async def files_above(self, channel: str, thread_ts: str, before_ts: str) -> tuple[Attachment, ...]:
        """The files of a thread's messages (its root too) that are older than *before_ts*, oldest first; of a
        long thread the newest part."""
        ...

    async def open_view(self, trigger_id: str, view: Block) -> str:
        """Open a dialog, within 3 seconds of what a person did; gives the view's id, or nothing where that
        has opened one before."""
        ...

    async def push_view(self, trigger_id: str, view: Block) -> str:
        """Open a dialog on top of the one that is open; gives the view's id."""
        ...

    async def update_view(self, view_id: str, view: Block, *, hash_: str | None = None) -> None:
        """Replace what a dialog shows; with its *hash_* only if nobody has in between."""
        ...

    async def publish_home(self, user_id: str, view: Block) -> None:
        """Replace what a person sees in our Home tab."""
        ...

    async def user(self, user_id: str) -> UserInfo:
        """A person; may be some minutes old."""
        ...

    async def permalink(self, channel: str, ts: str) -> str:
        """A link to a message."""
        ...

    async def find_message(
        self, channel: str, turn_id: str, *, thread_ts: str | None, since: datetime, but: str | None = None
    ) -> str | None:
        """The ts of our message whose metadata names *turn_id*: among the replies of *thread_ts*, or of the
        channel's own messages when that is None; None if there is none since *since* beside *but*."""
        ...

    async def find_openings(self, channel: str, turn_id: str, *, since: datetime) -> tuple[str, ...]:
        """The ts of each message of ours since *since* that names *turn_id*, stands in no thread but its own,
        and shows no picture."""
        ...
