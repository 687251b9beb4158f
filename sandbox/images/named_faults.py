"""What the named faults of the image API's side mean: from a fault that was met to a `Fault` for one call."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.faults.rules import Met
from sandbox.images import errors, spoiling
from sandbox.images.errors import Refusal
from sandbox.images.faults import Fault
from sandbox.images.mishaps import MISHAPS, VERIFY, answer

Json = dict[str, Any]
_PAGE: Final = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1><hr>cloudflare</body></html>"
_HALF: Final = b'{"id": "resp_0", "object": "response", "status": "comp'
_JSON: Final = {"content-type": "application/json"}
_STREAMED: Final = frozenset(
    {
        "unverified for streams",
        "slow stream",
        "stream falls silent",
        "connection lost half-way",
        "unknown events",
    }
)
_CONTINUED: Final = frozenset({"previous response lost", "item not kept"})


def fault_of(met: Met) -> Fault:
    """The fault of one call. Raises KeyError for a name that is not the image API's."""
    maker = _MAKERS.get(met.fault)
    return MISHAPS[met.fault]() if maker is None else maker(met)


def pointless(body: Mapping[str, Any]) -> frozenset[str]:
    """The named faults that would change nothing for this very call, and so should wait for another."""
    none = frozenset[str]()
    return (none if body.get("stream") else _STREAMED) | (
        none if body.get("previous_response_id") else _CONTINUED
    )


def _refused(make: Callable[[Met], Refusal]) -> Callable[[Met], Fault]:
    return lambda met: answer(make(met))


def _always(refusal: Refusal) -> Callable[[Met], Fault]:
    return lambda met: answer(refusal)


def _limited(what: str, kind: str, headers: Callable[[int], Mapping[str, str]]) -> Callable[[Met], Fault]:
    """A 429 that says in its words and its headers how long to wait."""

    def made(met: Met) -> Fault:
        seconds = met.whole("retry_after")
        message = (
            f"Rate limit reached for gpt-image-2 in organization org-sandbox on {what}: Limit 100, Used 100, "
            f"Requested 1. Please try again in {seconds}s."
        )
        told = {"retry-after": str(seconds), **headers(seconds)}
        return answer(Refusal(429, message, type=kind, code="rate_limit_exceeded", headers=told))

    return made


def _in_milliseconds(met: Met) -> Fault:
    wait = met.whole("milliseconds")
    message = f"Rate limit reached for gpt-image-2 on input-images per min. Please try again in {wait}ms."
    told = {"retry-after-ms": str(wait)}
    return answer(Refusal(429, message, type="input-images", code="rate_limit_exceeded", headers=told))


def _rate_headers(met: Met) -> Fault:
    """The headers of one shape; which one the live API uses for pictures is not confirmed."""
    limit, left, reset = (met.whole(name) for name in ("limit", "remaining", "reset"))
    minutes, seconds = divmod(reset, 60)
    whole = {"limit": str(limit), "remaining": str(left), "reset": f"{reset}s"}
    shapes = {
        "images": ("images", whole),
        "without reset": ("images", {"limit": str(limit), "remaining": str(left)}),
        "only remaining": ("images", {"remaining": str(left)}),
        "requests": ("requests", whole | {"reset": f"{minutes}m{seconds}s"}),
        "milliseconds": ("images", whole | {"reset": f"{reset * 1_000}ms"}),
        "nonsense": ("images", {"limit": "many", "remaining": "-1", "reset": "soon"}),
    }
    of, values = shapes[met.text("shape")]
    return Fault(headers={f"x-ratelimit-{name}-{of}": value for name, value in values.items()})


def _moderation(met: Met) -> Refusal:
    category = "other" if met.text("stage") == "input" else "violence"
    return errors.moderation_blocked(met.text("stage"), [category], "req_sandbox")


def _unverified(status: int, code: str | None) -> Callable[[Met], Refusal]:
    def made(met: Met) -> Refusal:
        message = f"Your organization must be verified to use the model `{met.text('model')}`. {VERIFY}"
        return Refusal(status, message, code=code)

    return made


def _server_error(met: Met) -> Fault:
    message = "The server had an error while processing your request. Sorry about that!"
    return answer(Refusal(met.whole("status"), message, type="server_error"))


def _server_error_after(met: Met) -> Fault:
    message = "The server had an error while processing your request. Sorry about that!"
    return Fault(status=500, body=Refusal(500, message, type="server_error").body, late=True)


_MAKERS: Final[Mapping[str, Callable[[Met], Fault]]] = {
    "rate limit": _refused(
        lambda met: errors.rate_limited(met.text("model"), met.whole("limit"), met.whole("retry_after"))
    ),
    "rate limit without a time": _always(
        Refusal(429, "Rate limit reached", type="input-images", code="rate_limit_exceeded")
    ),
    "rate limit in milliseconds": _in_milliseconds,
    "rate limit of requests": _limited(
        "requests per min (RPM)",
        "requests",
        lambda seconds: {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{seconds}s"},
    ),
    "rate limit of tokens": _limited(
        "tokens per min (TPM)",
        "tokens",
        lambda seconds: {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": f"{seconds}s"},
    ),
    "images per minute": lambda met: Fault(allow=met.whole("limit")),
    "rate headers": _rate_headers,
    "missing scope": _always(
        Refusal(
            401,
            "You have insufficient permissions for this operation. Missing scopes: model.request.",
        )
    ),
    "unsupported region": _always(
        Refusal(
            403,
            "Country, region, or territory not supported",
            type="request_forbidden",
            code="unsupported_country_region_territory",
        )
    ),
    "moderation": _refused(_moderation),
    "moderation of the picture": lambda met: Fault(blocked=True),
    "flagged prompt": _always(
        Refusal(
            400,
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try "
            "again with a different prompt.",
            code="invalid_prompt",
        )
    ),
    "unverified organisation": _refused(_unverified(403, None)),
    "unverified for the host": _refused(_unverified(404, "model_not_found")),
    "model gone": _refused(lambda met: errors.model_not_found(met.text("model"))),
    "model retired": _refused(lambda met: errors.image_model_gone(met.text("model"))),
    "host gone": _refused(lambda met: errors.model_not_found(met.text("model"))),
    "endpoint gone": _refused(lambda met: Refusal(404, f"Invalid URL (POST /v1/{met.place})")),
    "method not allowed": _refused(lambda met: Refusal(405, "Not allowed to POST on this address.")),
    "bad size": _always(errors.bad_size("872x2048", "Width and height must both be divisible by 16.")),
    "bad picture": _always(errors.bad_picture(1)),
    "previous response lost": _always(errors.previous_response_not_found("resp_lost")),
    "item not kept": _always(errors.item_not_persisted("ig_lost")),
    "response lost": _always(errors.response_not_found("resp_lost")),
    "memory expires": lambda met: Fault(forget=True),
    "server error": _server_error,
    "server error after": _server_error_after,
    "slow": lambda met: Fault(delay=met.number("seconds")),
    "slow stream": lambda met: Fault(pause=met.number("seconds")),
    "refused connection": lambda met: Fault(unreachable=met.number("seconds")),
    "connection lost half-way": lambda met: Fault(drop_after=met.whole("events")),
    "connection lost before the end": lambda met: Fault(drop_at_end=True),
    "stream falls silent": lambda met: Fault(silent_after=met.whole("events")),
    "page instead of json": lambda met: Fault(raw=_PAGE),
    "bad gateway": lambda met: Fault(status=502, raw=_PAGE),
    "half an answer": lambda met: Fault(raw=_HALF, headers=_JSON),
    "unknown events": lambda met: Fault(strange_events=True),
    "host usage missing": lambda met: Fault(omit_usage=True),
    "page instead of a picture": lambda met: Fault(spoil=spoiling.page),
    "garbage instead of a picture": lambda met: Fault(spoil=spoiling.garbage),
    "half a picture": lambda met: Fault(spoil=spoiling.half),
    "empty picture": lambda met: Fault(spoil=spoiling.nothing),
    "no base64": lambda met: Fault(spoil=spoiling.no_base64),
    "huge picture": lambda met: Fault(spoil=spoiling.huge),
    "tiny picture": lambda met: Fault(spoil=spoiling.tiny),
}
