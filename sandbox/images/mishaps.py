"""Faults with a name, ready to be met: what a page offers as buttons and a simulation picks from."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.images import errors
from sandbox.images.errors import Refusal
from sandbox.images.faults import RESPONSES, Fault

Json = dict[str, Any]
REFUSED_S = 2.0
VERIFY = (
    "Please go to: https://platform.openai.com/settings/organization/general and click on Verify "
    "Organization. If you just verified, it can take up to 15 minutes for access to propagate."
)


def mishap(name: str, endpoint: str | None = RESPONSES) -> Fault:
    """A fresh fault by its name (see `MISHAPS`) for one endpoint, or None for any. Raises `KeyError`."""
    fault = MISHAPS[name]()
    return replace(fault, endpoint=endpoint)


def answer(refusal: Refusal) -> Fault:
    """A fault that gives this answer."""
    return Fault(status=refusal.status, body=refusal.body, headers=refusal.headers)


def _quota(code: str) -> Fault:
    message = "You exceeded your current quota, please check your plan and billing details."
    return answer(Refusal(429, message, type="insufficient_quota", code=code))


def _unverified() -> Fault:
    message = f"Your organization must be verified to use the model `gpt-image-2`. {VERIFY}"
    return answer(Refusal(403, message))


def _unverified_stream() -> Fault:
    message = f"Your organization must be verified to stream this model. {VERIFY}"
    return answer(Refusal(400, message, code="unsupported_value", param="stream"))


def _server_error() -> Fault:
    message = "The server had an error while processing your request. Sorry about that!"
    return answer(Refusal(500, message, type="server_error"))


def _billing_limit() -> Fault:
    message = "Billing hard limit has been reached"
    return answer(Refusal(400, message, type=errors.IMAGE_ERROR, code="billing_hard_limit_reached"))


def _stream_error(*, nested: bool) -> Fault:
    """An `error` event in a stream that began well: flat, or nested and followed by `response.failed`."""
    error: Json = {"code": "server_error", "message": "An error occurred.", "param": None}
    events = [*_opening(), {"type": "error", "sequence_number": 2, **error}]
    if nested:
        nest = {"type": "server_error", **error}
        events[-1] = {"type": "error", "sequence_number": 2, "error": nest}
        events.append(_ending("failed", 3, error={"code": "server_error", "message": "An error occurred."}))
    return Fault(events=events)


def _failed() -> Fault:
    error = {"code": "rate_limit_exceeded", "message": "Rate limit reached"}
    return Fault(events=[*_opening(), _ending("failed", 2, error=error)])


def _incomplete() -> Fault:
    return Fault(
        events=[*_opening(), _ending("incomplete", 2, incomplete_details={"reason": "content_filter"})]
    )


def _opening() -> list[Json]:
    begun = _response("in_progress")
    return [
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.in_progress", "sequence_number": 1, "response": begun},
    ]


def _ending(status: str, number: int, **fields: object) -> Json:
    return {
        "type": f"response.{status}",
        "sequence_number": number,
        "response": {**_response(status), **fields},
    }


def _response(status: str) -> Json:
    """A response without an id, which the API gives it."""
    return {
        "id": "",
        "object": "response",
        "created_at": 1_795_000_000,
        "status": status,
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": "gpt-5.6-luna",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium", "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


MISHAPS: Mapping[str, Callable[[], Fault]] = {
    "rate limit": lambda: answer(errors.rate_limited("gpt-image-2", 5, 12)),
    "out of credit": lambda: _quota("credit_balance_exhausted"),
    "project limit": lambda: _quota("project_spend_limit_exceeded"),
    "billing limit": _billing_limit,
    "wrong key": lambda: answer(errors.invalid_key("sk-wrong")),
    "unverified organisation": _unverified,
    "unverified for streams": _unverified_stream,
    "model gone": lambda: answer(errors.model_not_found("gpt-image-2")),
    "server error": _server_error,
    "flat error event": lambda: _stream_error(nested=False),
    "nested error event": lambda: _stream_error(nested=True),
    "failed event": _failed,
    "incomplete event": _incomplete,
    "refused connection": lambda: Fault(unreachable=REFUSED_S),
    "connection lost before": lambda: Fault(drop_before=True),
    "connection lost at once": lambda: Fault(drop_after=0),
    "connection lost half-way": lambda: Fault(drop_after=6),
    "stream falls silent": lambda: Fault(silent_after=6),
    "never answers": lambda: Fault(silent=True),
    "never finishes": lambda: Fault(hang=True),
    "usage missing": lambda: Fault(omit_tool_usage=True),
    "usage without details": lambda: Fault(omit_details=True),
    "no picture": lambda: Fault(no_picture=True),
    "stuck status": lambda: Fault(stuck_status=True),
}
