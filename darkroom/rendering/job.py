"""What one attempt asks the API for, and what it answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

Usage = Mapping[str, Any]
"""Raw usage as the API reported it: kept as it came, so that a charge can be computed again."""


class Endpoint(StrEnum):
    """Which of OpenAI's two ways to a picture."""

    RESPONSES = "responses"
    """The image tool of the Responses API."""
    IMAGES = "images"
    """The Images API."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint and the models to try there; the fallbacks are a tuple of these."""

    endpoint: Endpoint
    image_model: str
    host_model: str


@dataclass(frozen=True, slots=True)
class InputPicture:
    """A picture that goes along with the prompt: a file of ours and its media type."""

    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One attempt, ready to be sent: at most one picture comes of it.

    ``width`` and ``height`` are pixels, ``timeout_s`` seconds for the whole call, and
    ``previous_response_id`` the conversation to go on with. ``forced`` says that only a picture will do;
    otherwise the host model may answer in words or not at all.
    """

    turn_id: str
    attempt_id: str
    candidate: Candidate
    prompt: str
    width: int
    height: int
    quality: str
    format: str
    forced: bool
    safety_identifier: str
    timeout_s: float
    max_output_tokens: int
    instructions: str
    previous_response_id: str | None = None
    input_pictures: tuple[InputPicture, ...] = ()
    mask: InputPicture | None = None
    """Transparent where the first of ``input_pictures`` may change; of the same size as that one."""
    background: str | None = None
    """``transparent`` or ``opaque``; None leaves it to the model."""


@dataclass(frozen=True, slots=True)
class SavedPicture:
    """A picture's bytes, safe on disk under their SHA-256, exactly as they came."""

    sha256: str
    path: Path
    size_bytes: int
    format: str
    width: int
    height: int
    revised_prompt: str | None = None


class FailureKind(StrEnum):
    """Why there is no picture, by what has to happen next."""

    MODERATION = "moderation"
    ACCESS = "access"
    MODEL_GONE = "model_gone"
    QUOTA = "quota"
    RATE = "rate"
    KEY = "key"
    REGION = "region"
    """The API does not serve the place that it is called from: another model would not help."""
    BAD_REQUEST = "bad_request"
    FORGOTTEN = "forgotten"
    """The API no longer has the conversation that ``previous_response_id`` names."""
    SERVER = "server"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BAD_PICTURE = "bad_picture"
    """Something came as a picture that is none, or is larger than any picture may be."""


class Billed(StrEnum):
    """What we know of the money when an attempt failed."""

    NOTHING = "nothing"
    """Never sent, refused before generation, or confirmed as failed without usage."""
    REPORTED = "reported"
    """The answer carries usage; charge what it says."""
    UNKNOWN = "unknown"
    """Sent, and no answer says what became of it."""


class Concern(StrEnum):
    """What of a candidate was refused: all others that have it in common would be refused too."""

    IMAGE_MODEL = "image_model"
    HOST = "host"
    """The host model, or streaming from it: the Images endpoint knows neither."""
    ENDPOINT = "endpoint"
    """The endpoint is not there, or not for this key."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt's failure. ``message`` is the API's own and for admins and logs only. ``concerns`` is set
    for ``ACCESS`` and ``MODEL_GONE``."""

    kind: FailureKind
    billed: Billed
    code: str | None = None
    message: str = ""
    retry_after_s: float | None = None
    moderation_stage: str | None = None
    moderation_categories: tuple[str, ...] = ()
    concerns: Concern | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt: a picture, words, nothing at all, or a failure.

    ``image_model`` and ``host_model`` are the names the answer itself gives, None where it gives none;
    ``host_usage`` is ``response.usage`` and ``image_usage`` is ``response.tool_usage.image_gen``, both
    None when missing (which is not zero).
    """

    response_id: str | None = None
    image_model: str | None = None
    host_model: str | None = None
    picture: SavedPicture | None = None
    words: str = ""
    host_usage: Usage | None = None
    image_usage: Usage | None = None
    failure: Failure | None = None
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """The rate-limit headers of the answer, in lower case; nothing else."""


class NoWord(StrEnum):
    """Why there is no answer to the question what became of a call."""

    NOT_FINISHED = "not_finished"
    """The API knows the call, and is still at it."""
    NOT_ASKED = "not_asked"
    """The question itself failed, which says nothing of the call: the next one may be answered."""
    NEVER = "never"
    """Such a call cannot be asked for: the API keeps nothing of it."""


ResponseIdSeen = Callable[[str], Awaitable[None]]
"""Called once, as soon as the API has named the response, and awaited before the stream is read on."""


class BlobWriter(Protocol):
    """A picture file while it is being written."""

    def write(self, data: bytes) -> None:
        """Append *data*."""
        ...

    def finish(self, suffix: str) -> tuple[str, Path]:
        """Make it durable under its SHA-256; gives the digest in hex and the path."""
        ...

    def path(self) -> Path:
        """Where the bytes are while they are being written."""
        ...

    def discard(self) -> None:
        """Forget it; harmless after ``finish``."""
        ...


class Blobs(Protocol):
    """Where pictures are kept: files named by the SHA-256 of their bytes."""

    def begin(self) -> BlobWriter:
        """A new file to write to."""
        ...


class Renderer(Protocol):
    """Sends one attempt. Expected trouble comes back as ``Answer.failure``, never as an exception."""

    async def ready(self) -> None:
        """Return when calls can be made, or never will be: ``render`` then says so."""
        ...

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call and read its answer to the end."""
        ...

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """What became of a call that was sent before: its answer, or why there is none. That the API does
        not know the call is an answer, with a failure."""
        ...

    async def forget(self, response_id: str) -> bool:
        """Delete a stored response at the API. True if it is gone now (also if it was before), False if it
        cannot be said at the moment: try again later."""
        ...
