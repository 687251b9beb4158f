"""How a turn ends, and why: each reason has its sentence in ``handlers/words_endings.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
    """Why a turn ended as it did; each has its sentence in ``handlers/words_endings.py``.

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
    REGION = "region"
    """The API does not serve the place that it is called from. ``message``: its own words, for admins."""
    API_CLOSED = "api_closed"
    """Nothing is taken in until an admin has mended it. ``trouble``: a key of ``outages.Trouble``;
    ``message``: the API's own words, for admins."""
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
    CALLED_OFF = "called_off"
    """Somebody pressed "Cancel" while it waited. ``by``: their Slack id."""
    TOO_OLD = "too_old"
    """It waited over an hour while Darkroom was not running."""
    REMOVED = "removed"
    """It waited when the app was removed from the workspace, or its token revoked."""
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
    """Why an attached file cannot go along with a prompt; its sentence is in ``handlers/words_files.py``."""

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


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended and what will be said: ``reason`` names a sentence, ``details`` fill it in.

    A turn that brought some of the pictures it should have says so in its details: ``wanted``, ``made``, and
    ``rest``: the reason why the others did not come, with that reason's own details beside it.
    """

    outcome: Outcome
    reason: Reason
    details: Mapping[str, str | int] = field(default_factory=dict)
