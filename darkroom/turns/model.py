"""The words of a turn: what was asked, where it stands, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from darkroom.spending.bound import Ask
from darkroom.spending.classes import Cost
from darkroom.turns.endings import Ending

WANTED_MAX = 4
"""The most pictures that one request may make."""
REFERENCES_MAX = 16
"""The most pictures that may go along with a prompt (the API's limit, the parent and a mask included)."""


class Surface(StrEnum):
    """Where in Slack a request came from."""

    COMMAND = "command"
    REPLY = "reply"
    MENTION = "mention"
    BUTTON = "button"
    """A button under a picture or under an answer, also where it asked for more in a dialog first."""
    SHORTCUT = "shortcut"
    """"Edit with Darkroom" in the menu of a message."""
    MODAL = "modal"
    """The dialog for a new picture: the global shortcut, ``/imagine`` without a prompt, Home."""

    @property
    def forces_picture(self) -> bool:
        """Whether only a picture will do; in a thread people also talk, and may be answered in words."""
        return self not in (Surface.REPLY, Surface.MENTION)


class Intent(StrEnum):
    """What a request is for."""

    MAKE = "make"
    """A picture, or several."""
    UNDO = "undo"
    """Go back to the picture that the thread's current one was made from. Costs nothing."""
    VERSIONS = "versions"
    """List the thread's pictures. Costs nothing."""


class ThreadReplies(StrEnum):
    """Whose replies in a Darkroom thread are requests (the setting ``slack.thread_replies``)."""

    JOINED = "joined"
    """The asker's, and those of whoever mentioned Darkroom or used a button in that thread."""
    EVERYONE = "everyone"
    MENTIONS = "mentions"
    """Nobody's, unless they mention Darkroom."""


class TurnState(StrEnum):
    """``received → queued → working → ended``; no way back except ``working → queued`` to wait for money."""

    RECEIVED = "received"
    """On disk, so that Slack can be answered; nobody has looked at it yet."""
    QUEUED = "queued"
    """May be made; waits for its thread, its person's other turns, a free place or money."""
    WORKING = "working"
    """Has a hold, or had one and its outcome is being written."""
    ENDED = "ended"
    """Has an outcome; nothing more will be bought for it."""


class InputRole(StrEnum):
    """What a picture that goes along with a prompt is for."""

    REFERENCE = "reference"
    MASK = "mask"
    """Transparent where the parent picture may change."""


class Verdict(StrEnum):
    """What somebody thinks of a picture."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class AttemptState(StrEnum):
    """``held → dispatched → settled | released | uncertain``; only what was never sent is given back."""

    HELD = "held"
    DISPATCHED = "dispatched"
    SETTLED = "settled"
    RELEASED = "released"
    UNCERTAIN = "uncertain"


class Told(StrEnum):
    """The steps of telling a person, each its own column of the turn."""

    PLACE = "channel_id"
    """A private turn goes on in the direct message with its person; comes before all else."""
    PLACEHOLDER = "placeholder_ts"
    FILE = "file_id"
    """Of one picture: the only step that is noted with a picture's id."""
    POST_BEGUN = "post_begun_at"
    MESSAGE = "message_ts"
    PLACEHOLDER_CLOSED = "placeholder_closed_at"
    DONE = "told_at"
    UNDELIVERED = "undelivered_reason"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for beyond the words; None is "as usual"."""

    width: int | None = None
    height: int | None = None
    quality: str | None = None
    model: str | None = None
    format: str | None = None
    background: str | None = None
    """``transparent`` or ``opaque``."""

    def or_else(self, others: Options) -> Options:
        """These, and where nothing was said, those of *others*. A size is taken whole."""
        whole = self.width is not None and self.height is not None
        width, height = (self.width, self.height) if whole else (others.width, others.height)
        return Options(
            width,
            height,
            self.quality or others.quality,
            self.model or others.model,
            self.format or others.format,
            self.background or others.background,
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: Slack's id, its name and what Slack says it is."""

    file_id: str
    name: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, and where.

    ``key`` is unique for one thing a person did, however often Slack sends it. ``order`` sorts the requests
    of a thread (a message's ts, a press's, or the time of a command or dialog as such a ts). ``message_ts``
    is the message that asks (None where none does), ``thread_ts`` the thread the picture goes to (None: its
    thread begins with the placeholder). ``reply_url`` is Slack's ``response_url``: good for 5 private answers
    within 30 minutes.

    ``wanted`` pictures are made, 1 to ``WANTED_MAX``. ``chosen_id`` is the picture to build on; without one
    it is the thread's current picture, or none at all if it is to be ``fresh``. ``private`` pictures are made
    in the direct message with their person; None is as that person prefers. ``inputs_from`` is the turn whose
    references and mask are used again.
    """

    key: str
    surface: Surface
    team_id: str
    channel_id: str
    user_id: str
    prompt: str
    order: str
    options: Options = field(default_factory=Options)
    thread_ts: str | None = None
    message_ts: str | None = None
    reply_url: str | None = None
    attachments: tuple[Attachment, ...] = ()
    intent: Intent = Intent.MAKE
    wanted: int = 1
    chosen_id: str | None = None
    fresh: bool = False
    private: bool | None = None
    inputs_from: str | None = None

    @property
    def opens_thread(self) -> bool:
        """Whether its thread begins with its placeholder."""
        return self.thread_ts is None

    @property
    def forces_picture(self) -> bool:
        """Whether only a picture will do: also where several are wanted, lest one answer in words be bought
        several times."""
        return self.surface.forces_picture or self.wanted > 1


@dataclass(frozen=True, slots=True)
class TurnInput:
    """A picture that goes along with a prompt: its bytes, made ready to be sent, are the blob ``sha256``.

    ``covers_ppm`` is how much of the parent a mask lets change, in millionths; None for references.
    """

    role: InputRole
    sha256: str
    format: str
    width: int
    height: int
    size_bytes: int
    name: str
    covers_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it stands in the database."""

    id: str
    person_key: str
    """Opaque and stable; what the books and the API know the person by."""
    request: Request
    state: TurnState
    ending: Ending | None
    revision: int
    """How often the message that asked was edited while the turn waited."""
    parent_id: str | None
    thread_ts: str | None
    """Of the request, or the placeholder's once that is posted."""
    placeholder_ts: str | None
    post_begun_at: datetime | None
    message_ts: str | None
    placeholder_closed_at: datetime | None
    told_at: datetime | None
    undelivered_reason: str | None
    created_at: datetime
    updated_at: datetime
    brought_revision: int | None = None
    """The revision whose attached files were fetched and made ready; None while none were."""


SHUT_DOWN = "shut_down"
"""Why a model was not used: it is no more."""
CANNOT = "cannot"
"""It cannot make what was asked for."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A model and endpoint that would have come before, and why it was not used: a ``FailureKind``'s value,
    ``SHUT_DOWN`` or ``CANNOT``."""

    image_model: str
    endpoint: str
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the API as it stands in the database; amounts in nano-dollars."""

    id: str
    turn_id: str
    number: int
    state: AttemptState
    endpoint: str
    provider: str
    image_model: str
    host_model: str
    width: int
    height: int
    quality: str
    format: str
    parent_id: str | None
    hold_nano_usd: int
    charged_nano_usd: int
    bound: Cost
    """The hold by class: what is charged when nobody can say what it cost."""
    price_version: str
    response_id: str | None
    held_at: datetime
    dispatched_at: datetime | None
    ended_at: datetime | None
    ask: Ask | None = None
    """What its price is computed from; None for calls of before this was kept."""
    background: str | None = None
    release_reason: str | None = None
    """Why its hold was given back: the API's code."""
    passed_over: tuple[PassedOver, ...] = ()
    """What would have come before, in order; empty for the first choice."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that exists: its bytes are the blob ``sha256``; it is version ``version`` of its thread.

    ``host_tokens`` are all tokens of the host model's side of its response and ``chain_pictures`` the
    pictures in the conversation up to it: both bound what going on from here can cost. ``seconds`` is how
    long it took. ``file_id`` is its file in Slack once that is uploaded. A deleted picture keeps its row, for
    the books and the versions, without its prompt; its bytes are gone.
    """

    id: str
    turn_id: str
    attempt_id: str
    team_id: str
    channel_id: str
    thread_ts: str
    user_id: str
    version: int
    parent_id: str | None
    parent_version: int | None
    """Of a parent that was made in the same thread, or whose sharing opened it; else None: versions are a
    thread's."""
    sha256: str
    format: str
    width: int
    height: int
    size_bytes: int
    prompt: str
    revised_prompt: str | None
    image_model: str
    host_model: str
    endpoint: str
    provider: str
    quality: str
    response_id: str | None
    host_tokens: int
    chain_pictures: int
    charged_nano_usd: int
    flags: tuple[str, ...]
    seconds: float
    created_at: datetime
    background: str | None = None
    file_id: str | None = None
    deleted_at: datetime | None = None
