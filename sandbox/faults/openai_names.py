"""The faults of the image API's side, by name."""

from typing import Final

from sandbox.faults.named import ENDPOINTS, PICTURES, RESPONSES, Arg, Named

_GETS: Final = ("responses.retrieve",)
_STAGES: Final = ("input", "output")


def _openai(
    name: str,
    about: str,
    where: tuple[str, ...] = PICTURES,
    usual: tuple[str, ...] = (),
    /,
    **args: Arg,
) -> Named:
    return Named("openai", name, about, where, usual, args)


_WAIT: Final = Arg(12, "seconds in `retry-after`", 0, 86_400)
_MODEL: Final = Arg("gpt-image-2", "the model it speaks of")
_EVENTS: Final = Arg(6, "events that come before", 0, 1_000)

_RATES: Final = (
    _openai(
        "rate limit",
        "429, too many pictures a minute",
        ENDPOINTS,
        PICTURES,
        retry_after=_WAIT,
        limit=Arg(5, "pictures a minute", 0, 100_000),
        model=_MODEL,
    ),
    _openai("rate limit without a time", "429 that names no time to wait", ENDPOINTS, PICTURES),
    _openai(
        "rate limit in milliseconds",
        "429 with `retry-after-ms`",
        ENDPOINTS,
        PICTURES,
        milliseconds=Arg(1_500, "to wait", 0, 86_400_000),
    ),
    _openai(
        "rate limit of requests", "429, too many requests a minute", ENDPOINTS, PICTURES, retry_after=_WAIT
    ),
    _openai("rate limit of tokens", "429, too many tokens a minute", ENDPOINTS, PICTURES, retry_after=_WAIT),
    _openai(
        "images per minute",
        "from this call on so many pictures a minute are allowed",
        PICTURES,
        limit=Arg(5, "pictures a minute; 0: no limit", 0, 100_000),
    ),
    _openai(
        "rate headers",
        "the answer carries other x-ratelimit headers",
        ENDPOINTS,
        PICTURES,
        shape=Arg(
            "images",
            "which",
            choices=("images", "without reset", "only remaining", "requests", "milliseconds", "nonsense"),
        ),
        limit=Arg(5, "pictures a minute", 0, 100_000),
        remaining=Arg(0, "pictures left", 0, 100_000),
        reset=Arg(12, "seconds until there are more", 0, 86_400),
    ),
)
_CLOSED: Final = (
    _openai("out of credit", "429 `credit_balance_exhausted`", ENDPOINTS, PICTURES),
    _openai("project limit", "429 `project_spend_limit_exceeded`", ENDPOINTS, PICTURES),
    _openai("billing limit", "400 `billing_hard_limit_reached`", ENDPOINTS, PICTURES),
    _openai("wrong key", "401 `invalid_api_key`", ENDPOINTS, PICTURES),
    _openai("missing scope", "401, the key may not do this", ENDPOINTS, PICTURES),
    _openai("unsupported region", "403 `unsupported_country_region_territory`", ENDPOINTS, PICTURES),
)
_REFUSED: Final = (
    _openai("moderation", "400 `moderation_blocked`", stage=Arg("input", "which", choices=_STAGES)),
    _openai("moderation of the picture", "the picture's item ends as `moderation_blocked`", RESPONSES),
    _openai("flagged prompt", "400 `invalid_prompt`, against the usage policy"),
    _openai("unverified organisation", "403, the image model wants a verified organisation", model=_MODEL),
    _openai("unverified for streams", "400 `unsupported_value` on `stream`", RESPONSES),
    _openai(
        "unverified for the host",
        "404 `model_not_found`, the host model wants a verified organisation",
        RESPONSES,
        model=Arg("gpt-5.6-luna", "the host model"),
    ),
    _openai("model gone", "404 `model_not_found`", (*PICTURES, "models"), PICTURES, model=_MODEL),
    _openai("model retired", "400 `invalid_value` on `model`", model=_MODEL),
    _openai("host gone", "404, the host model is not there", RESPONSES, model=Arg("gpt-5.6-luna", "which")),
    _openai("endpoint gone", "404, there is no such address", ENDPOINTS, PICTURES),
    _openai("method not allowed", "405", ENDPOINTS, PICTURES),
    _openai("bad size", "400 `invalid_value` on `size`"),
    _openai("bad picture", "400 `invalid_image_file`"),
    _openai("previous response lost", "400 `previous_response_not_found`", RESPONSES),
    _openai("item not kept", "404, items are not persisted", RESPONSES),
    _openai("response lost", "404, there is no such response", _GETS),
    _openai("memory expires", "every response is forgotten just before the call", ENDPOINTS, RESPONSES),
)
_BROKEN: Final = (
    _openai("server error", "500", ENDPOINTS, status=Arg(500, "HTTP status", 500, 599)),
    _openai("server error after", "the picture is made and billed, and a 500 is answered"),
    _openai("slow", "nothing happens for a while", ENDPOINTS, seconds=Arg(60.0, "how long", 0.0, 86_400.0)),
    _openai(
        "slow stream", "a pause before each event", RESPONSES, seconds=Arg(5.0, "each pause", 0.0, 3_600.0)
    ),
    _openai(
        "refused connection",
        "nobody takes the connection, and nothing is sent",
        ENDPOINTS,
        PICTURES,
        seconds=Arg(2.0, "how long, over HTTP", 0.0, 3_600.0),
    ),
    _openai(
        "connection lost before", "the connection ends before the request was taken", ENDPOINTS, PICTURES
    ),
    _openai("connection lost at once", "the connection ends after the headers; billed"),
    _openai(
        "connection lost half-way", "the connection ends after some events; billed", RESPONSES, events=_EVENTS
    ),
    _openai("connection lost before the end", "all events but the last one come; billed", RESPONSES),
    _openai("stream falls silent", "after some events nothing more comes; billed", RESPONSES, events=_EVENTS),
    _openai("never answers", "not even headers come", ENDPOINTS, PICTURES),
    _openai("never finishes", "the generation never ends"),
    _openai("page instead of json", "HTTP 200 and an HTML page", ENDPOINTS, PICTURES),
    _openai("bad gateway", "HTTP 502 and an HTML page", ENDPOINTS, PICTURES),
    _openai("half an answer", "HTTP 200 and JSON that ends in the middle", ENDPOINTS, PICTURES),
)
_STREAMS: Final = (
    _openai("flat error event", "an `error` event, its fields beside its type", RESPONSES),
    _openai("nested error event", "an `error` event with a nested error, then `response.failed`", RESPONSES),
    _openai("failed event", "`response.failed` alone", RESPONSES),
    _openai("incomplete event", "`response.incomplete`", RESPONSES),
    _openai("unknown events", "event types that nobody has heard of, among the others", RESPONSES),
    _openai("stuck status", "the picture's item stays `generating`", RESPONSES),
    _openai("usage missing", "`tool_usage` is missing", RESPONSES),
    _openai("host usage missing", "`usage` is missing"),
    _openai("usage without details", "the usage has no details of its output"),
)
_CONTENT: Final = (
    _openai("no picture", "an empty message comes in place of the picture", RESPONSES),
    _openai("page instead of a picture", "the picture's bytes are an HTML page"),
    _openai("garbage instead of a picture", "the picture's bytes are no picture"),
    _openai("half a picture", "the second half of the picture's bytes is missing"),
    _openai("empty picture", "the picture has no bytes"),
    _openai("no base64", "the picture is no base64"),
    _openai("huge picture", "a PNG of 52 megapixels in a few kilobytes"),
    _openai("tiny picture", "a PNG of one pixel"),
)
OPENAI_NAMES: Final = (*_RATES, *_CLOSED, *_REFUSED, *_BROKEN, *_STREAMS, *_CONTENT)
