"""The words of a turn: what was asked, where it stands, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from darkroom.spending.bound import Ask
from darkroom.spending.classes import Cost

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


class Outcome(StrEnum):
    """How a turn ended."""

    PICTURES = "pictures"
    WORDS = "words"
    DECLINED = "declined"
    """We would not: no money, no permission, nothing to build on."""
    BLOCKED = "blocked"
    """The API's moderation would not."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"
    """It may have been made and paid for, and nobody can say."""


class Reason(StrEnum):
    """Why a turn ended as it did; each has its sentence in ``handlers/words.py``.

    After each: the keys of ``Ending.details`` that its sentence needs. Where the API was called and made no
    picture, ``charged_nano_usd`` says what that cost all the same (missing is nothing).
    """

    PICTURES = "pictures"
    WORDS = "words"
    """``words``: what the model said."""
    NOTHING_TO_SAY = "nothing_to_say"
    """The model answered with nothing at all, as to a "thank you"."""
    NO_MONEY = "no_money"
    """``budget`` (person, channel, workspace), ``cap_nano_usd``, ``charged_nano_usd``, ``held_nano_usd``,
    ``left_nano_usd``, ``needed_nano_usd``, ``renews_at`` (ISO 8601, UTC), ``timezone``, ``period`` (month,
    week, day)."""
    PAUSED = "paused"
    """An admin has paused Darkroom."""
    BLOCKED = "blocked"
    """An admin has blocked this person."""
    NOT_IN_PILOT = "not_in_pilot"
    """Darkroom is being tried out, by others or elsewhere."""
    NOT_ALLOWED = "not_allowed"
    """``dimension`` (model, quality), ``value``: what an admin does not allow here; ``allowed``: what is
    (comma-separated, may be empty)."""
    NOTHING_TO_EDIT = "nothing_to_edit"
    NOT_IN_CHANNEL = "not_in_channel"
    """``at_most_nano_usd``: what it can cost elsewhere."""
    CANNOT_POST = "cannot_post"
    """``slack_error``: Slack's name for it, such as is_archived; ``at_most_nano_usd``, where it is known."""
    GUEST = "guest"
    OUTSIDER = "outsider"
    QUEUE_FULL = "queue_full"
    """``waiting``: how many turns wait; ``own``: 1 where all of them are this person's."""
    MODEL_UNUSABLE = "model_unusable"
    """``why``: a sentence: unpriced (with the lines that would price it), retired, unknown, or unable;
    ``unpriced``: the model, where that is it."""
    MODERATION = "moderation"
    """``stage`` (input, output or empty), ``categories`` (comma-separated, may be empty)."""
    QUOTA = "quota"
    """``message``: the API's own words, for admins."""
    KEY = "key"
    """``message``: the API's own words, for admins."""
    NO_ACCESS = "no_access"
    """No model of the fallbacks may be used by this account. ``message``: the API's own words, for admins."""
    RATE = "rate"
    """Still rate limited after the longest wait we allow."""
    UNREACHABLE = "unreachable"
    API_REFUSED = "api_refused"
    """``message``: the API's own words, for admins."""
    API_FAILED = "api_failed"
    """The API confirmed that it failed. ``message``: the API's own words, for admins."""
    NO_PICTURE = "no_picture"
    """The API answered, with no picture, though one was asked for."""
    BAD_PICTURE = "bad_picture"
    """What came as a picture is none."""
    UNCERTAIN = "uncertain"
    """``held_nano_usd``: what is charged until it is known."""
    TAKEN_BACK = "taken_back"
    """The person deleted the message that asked."""
    TOO_OLD = "too_old"
    """It waited over an hour while Darkroom was not running."""
    BROKEN = "broken"
    """A fault of Darkroom's own; the log has the turn's id."""
    BAD_FILE = "bad_file"
    """``file`` (its name), ``why``: a key of ``FileProblem``; nothing was made."""
    TOO_MANY_FILES = "too_many_files"
    """``files``, ``allowed``: more pictures than may go along."""
    PICTURE_GONE = "picture_gone"
    """The picture that it builds on was deleted."""
    EDIT_OR_NEW = "edit_or_new"
    """A direct message that reads like a change of the last picture: ``picture_id``, ``version`` of that
    picture; ``edit_nano_usd`` and ``new_nano_usd``, what either answer costs at most, where it can be had.
    Two buttons answer it."""
    UNDONE = "undone"
    """``picture_id``, ``version``: what the next change builds on; ``undone``: the version left."""
    NOTHING_TO_UNDO = "nothing_to_undo"
    """``version``: of the thread's current picture, 0 if it has none."""
    VERSIONS = "versions"
    """The thread's pictures are listed, read when it is told."""


class FileProblem(StrEnum):
    """Why an attached file cannot go along with a prompt; each has its sentence in ``handlers/words.py``."""

    NOT_A_PICTURE = "not_a_picture"
    HEIC = "heic"
    SVG = "svg"
    UNKNOWN_KIND = "unknown_kind"
    """A picture, of a kind that the image models do not read."""
    BROKEN = "broken"
    """It begins like a picture and cannot be read to its end."""
    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    ELSEWHERE = "elsewhere"
    """It is not kept by Slack, and Darkroom fetches from nowhere else."""
    NO_ACCESS = "no_access"
    """Slack does not let Darkroom read it."""
    UNREACHABLE = "unreachable"
    """Slack did not give it out in time."""


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
class Ending:
    """How a turn ended and what will be said: ``reason`` names a sentence, ``details`` fill it in.

    A turn that brought some of the pictures it should have says so in its details: ``wanted``, ``made``, and
    ``rest``: the reason why the others did not come, with that reason's own details beside it.
    """

    outcome: Outcome
    reason: Reason
    details: Mapping[str, str | int] = field(default_factory=dict)


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
