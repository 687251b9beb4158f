"""What a refusal means: from the API's code to a Failure. Pure functions.

Codes and their cases are from the API's error reference and from bodies captured live
(``tests/fixtures/openai/errors.json``). The code decides; the HTTP status only where there is no code, and
the words only for an unverified organisation, for a host without the image tool and for items that were not
kept, which have no code of their own; and for which of two models a refusal is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai

from darkroom.rendering.job import Billed, Candidate, Concern, Endpoint, Failure, FailureKind

MAX_MESSAGE = 500
"""Characters of the API's own words that are kept."""
MAX_RETRY_AFTER_S = 600.0
"""Longest wait that is believed, in seconds."""

_CODES: Mapping[str, FailureKind] = {
    **dict.fromkeys(
        (
            "moderation_blocked",
            "content_policy_violation",
            "image_content_policy_violation",
            "content_filter",
            "bio_policy",
            "misalignment_policy_violation",
            # Of host models: "your prompt was flagged as potentially violating our usage policy".
            "invalid_prompt",
        ),
        FailureKind.MODERATION,
    ),
    **dict.fromkeys(
        (
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_hard_limit_reached",
            "billing_not_active",
        ),
        FailureKind.QUOTA,
    ),
    "rate_limit_exceeded": FailureKind.RATE,
    "invalid_api_key": FailureKind.KEY,
    "unsupported_country_region_territory": FailureKind.REGION,
    "model_not_found": FailureKind.MODEL_GONE,
    "previous_response_not_found": FailureKind.FORGOTTEN,
    **dict.fromkeys(("server_error", "internal_error", "vector_store_timeout"), FailureKind.SERVER),
    **dict.fromkeys(
        (
            "invalid_value",
            "invalid_type",
            "missing_required_parameter",
            "unknown_parameter",
            "unsupported_parameter",
            "unsupported_value",
            "invalid_input_fidelity_model",
            "context_length_exceeded",
            "string_above_max_length",
            "data_residency_mismatch",
            "invalid_image",
            "invalid_image_file",
            "invalid_image_format",
            "invalid_image_mode",
            "invalid_image_url",
            "invalid_base64_image",
            "image_too_large",
            "image_too_small",
            "image_parse_error",
            "image_file_too_large",
            "image_file_not_found",
            "empty_image_file",
            "unsupported_image_media_type",
            "failed_to_download_image",
        ),
        FailureKind.BAD_REQUEST,
    ),
}
_STATUSES: Mapping[int, FailureKind] = {
    401: FailureKind.KEY,
    403: FailureKind.ACCESS,
    404: FailureKind.ACCESS,
    405: FailureKind.ACCESS,
    429: FailureKind.RATE,
}
_UNVERIFIED = "must be verified"
_NO_TOOL = re.compile(r"\bHosted tool '?image_generation'? is not supported", re.IGNORECASE)
_NAMED = re.compile(r"\bmodels?:? [`'\"]([\w.:/+=~@-]{1,200})[`'\"]", re.IGNORECASE | re.ASCII)
_PAINTS = re.compile(r"image|dall-e", re.IGNORECASE)
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")
_NOT_KEPT = re.compile(r"\bItem with id .* not found|Items are not persisted", re.IGNORECASE | re.DOTALL)
_NO_ADDRESS = re.compile(r"\s*Invalid URL\b", re.IGNORECASE)
_MODEL_PARAM = re.compile(r"(^|\.)model$")
_KEY = re.compile(r"\b(?:sk|sess|rk|pk)-[\w*.-]{3,}|\bBearer\s+\S+", re.IGNORECASE)
_NAME = re.compile(r"(?!sk-)[\w.:/+=~@-]{1,200}", re.ASCII)
_WAIT = re.compile(
    r"try again in\s+(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?"
    r"(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+(?:\.\d+)?)ms)?",
    re.IGNORECASE,
)
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error object of the API, whichever of its shapes it came in; missing things are empty."""

    code: str
    type: str
    param: str
    message: str
    stage: str | None
    categories: tuple[str, ...]

    @classmethod
    def read(cls, error: object) -> ApiError:
        """From ``{code, type, param, message, moderation_details}``; anything may be missing or odd."""
        fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
        details = fields.get("moderation_details")
        details = details if isinstance(details, Mapping) else {}
        categories = details.get("categories")
        return cls(
            code=_text(fields.get("code")),
            type=_text(fields.get("type")),
            param=_text(fields.get("param")),
            message=_text(fields.get("message")),
            stage=_text(details.get("moderation_stage")) or None,
            categories=tuple(_text(name) for name in categories[:20]) if isinstance(categories, list) else (),
        )


def of_status(
    status: int, body: object, headers: Mapping[str, str], asked: Candidate | None = None
) -> Failure:
    """A call that was refused with an HTTP status: nothing was generated, but a 5xx leaves that open.
    Here and below, *asked* is who was asked."""
    error = ApiError.read(_inner(body))
    message = error.message or (_text(body) if isinstance(body, str) else "")
    kind = _kind(error)
    if kind is None:
        kind = FailureKind.SERVER if status >= 500 else _STATUSES.get(status, FailureKind.BAD_REQUEST)
    billed = Billed.UNKNOWN if status >= 500 else Billed.NOTHING
    failure = _failure(kind, billed, error, asked, message or f"HTTP {status}", headers)
    return failure if failure.code else replace(failure, code=f"http_{status}")


def of_event(event: Mapping[str, Any], asked: Candidate | None = None) -> Failure:
    """An ``error`` event, nested or flat, with no end of the response after it.

    A code that refuses says that nothing was generated; a server's error, or a code not known here, leaves
    the money open.
    """
    nested = event.get("error")
    error = ApiError.read(nested if isinstance(nested, Mapping) else event)
    kind = _kind(error)
    open_end = kind is None or kind is FailureKind.SERVER
    return _failure(kind or FailureKind.SERVER, Billed.UNKNOWN if open_end else Billed.NOTHING, error, asked)


def of_failed(error: object, *, usage: bool, asked: Candidate | None = None) -> Failure:
    """A response or an item that the API itself calls failed: charged what it reports, nothing without."""
    read = ApiError.read(error)
    billed = Billed.REPORTED if usage else Billed.NOTHING
    return _failure(_kind(read) or FailureKind.SERVER, billed, read, asked)


def of_exception(error: openai.OpenAIError | httpx2.HTTPError, asked: Candidate | None = None) -> Failure:
    """What the client raised: a status, or a connection that failed before or after the request was sent."""
    if isinstance(error, openai.APIStatusError):
        return of_status(error.status_code, error.body, error.response.headers, asked)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
    name = type(cause).__name__
    if isinstance(cause, _NEVER_SENT):
        return Failure(FailureKind.UNREACHABLE, Billed.NOTHING, code="not_sent", message=name)
    if isinstance(cause, httpx2.TimeoutException | openai.APITimeoutError):
        return Failure(FailureKind.TIMEOUT, Billed.UNKNOWN, code="timeout", message=name)
    return Failure(FailureKind.UNREACHABLE, Billed.UNKNOWN, code="connection_lost", message=name)


def is_of_what_was_asked_for(error: openai.NotFoundError) -> bool:
    """Whether it is the API's own word that there is no such thing: not a gateway's page, nor an address that
    is not there, which say nothing of it."""
    message = ApiError.read(_inner(error.body)).message
    return bool(message) and not _NO_ADDRESS.match(message)


def scrub(message: str) -> str:
    """The API's own words, shortened, without anything that looks like a key."""
    return _text(_KEY.sub("[key]", message[: 4 * MAX_MESSAGE])[:MAX_MESSAGE])


def retry_after(message: str, headers: Mapping[str, str]) -> float | None:
    """Seconds the API asks to wait, from ``retry-after-ms``, ``retry-after`` or "try again in 1m30s"."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", headers.get(name, "").strip()):
            return min(float(headers[name]) * unit, MAX_RETRY_AFTER_S)
    found = _WAIT.search(message[: 4 * MAX_MESSAGE])
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, millis = (float(found[name] or 0) for name in ("h", "m", "s", "ms"))
    return min(hours * 3600 + minutes * 60 + seconds + millis / 1000, MAX_RETRY_AFTER_S)


def _kind(error: ApiError) -> FailureKind | None:
    """What the error itself says, None when it says nothing that is known here."""
    if _UNVERIFIED in error.message.lower():
        return FailureKind.ACCESS
    if error.type == "insufficient_quota":
        return FailureKind.QUOTA
    if error.param == "previous_response_id" or _NOT_KEPT.search(error.message[: 4 * MAX_MESSAGE]):
        return FailureKind.FORGOTTEN
    if error.code == "invalid_value" and _MODEL_PARAM.search(error.param):
        return FailureKind.MODEL_GONE
    if _NO_TOOL.search(error.message[: 4 * MAX_MESSAGE]):
        return FailureKind.ACCESS
    return _CODES.get(error.code)


def _concern(error: ApiError, asked: Candidate | None) -> Concern:
    """What a refusal of access is about: what it names, else what it points at, else, where it does neither
    and has no code, the endpoint itself."""
    if asked is None or asked.endpoint is Endpoint.RESPONSES:
        if error.param == "stream" or _NO_TOOL.search(error.message[: 4 * MAX_MESSAGE]):
            return Concern.HOST
        named = _NAMED.search(error.message[: 4 * MAX_MESSAGE])
        if named is not None:
            return Concern.IMAGE_MODEL if _paints(named[1], asked) else Concern.HOST
        if error.param == "model":
            return Concern.HOST
    says_something = error.code or error.param or _UNVERIFIED in error.message.lower()
    return Concern.IMAGE_MODEL if says_something else Concern.ENDPOINT


def _paints(model: str, asked: Candidate | None) -> bool:
    """Whether that is the image model: its name, with the day of a snapshot or without, else what it sounds
    like."""
    name = _DATED.sub("", model)
    if asked is not None and name in (_DATED.sub("", asked.image_model), _DATED.sub("", asked.host_model)):
        return name == _DATED.sub("", asked.image_model)
    return _PAINTS.search(model) is not None


def _failure(
    kind: FailureKind,
    billed: Billed,
    error: ApiError,
    asked: Candidate | None,
    message: str = "",
    headers: Mapping[str, str] | None = None,
) -> Failure:
    said = message or error.message
    return Failure(
        kind=kind,
        billed=billed,
        code=name(error.code),
        message=scrub(said),
        retry_after_s=retry_after(said, headers or {}) if kind is FailureKind.RATE else None,
        moderation_stage=error.stage,
        moderation_categories=error.categories,
        concerns=_concern(error, asked) if kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE) else None,
    )


def _inner(body: object) -> object:
    """The error object of a body, which the client may have unwrapped already."""
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        return body["error"]
    return body


def name(value: object) -> str | None:
    """A name, a code or an id that the API gave; None where it is anything else. Those reach the log and
    the books: they may not be sentences, which can quote what was asked for, and not look like a key."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _text(value: object) -> str:
    """As text that can be stored: JSON can carry halves of surrogate pairs, UTF-8 cannot."""
    text = value if isinstance(value, str) else "" if value is None else str(value)[:MAX_MESSAGE]
    return text.encode("utf-8", "replace").decode()
