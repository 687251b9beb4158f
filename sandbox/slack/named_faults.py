"""What the named faults of Slack's side mean: from a fault that was met to a `Fault` for one call."""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.faults.rules import Met
from sandbox.faults.slack_names import CODES
from sandbox.slack import happenings
from sandbox.slack.model import Fault, Json

_PAGE: Final = "<!DOCTYPE html><html><body><h1>Slack is having a bad day</h1></body></html>"
_TOO_EARLY: Final = "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"


def fault_of(met: Met) -> Fault:
    """The fault of one call. Raises KeyError for a name that is not Slack's."""
    if met.fault in CODES:
        return Fault(met.place, error=met.fault)
    return _MAKERS[met.fault](met)


def _limited(headers: Mapping[str, str]) -> Callable[[Met], Fault]:
    return lambda met: Fault(met.place, error="ratelimited", status=429, headers=headers)


def _rate(met: Met) -> Fault:
    return _limited({"Retry-After": str(met.whole("retry_after"))})(met)


def _too_early(met: Met) -> Fault:
    body: Json = {"ok": False, "error": "invalid_blocks", "errors": [_TOO_EARLY]}
    return Fault(met.place, body=body | {"response_metadata": {"messages": [_TOO_EARLY]}})


def _server(*, done: bool) -> Callable[[Met], Fault]:
    return lambda met: Fault(met.place, error="server_error", status=met.whole("status"), done=done)


def _url(code: str) -> Callable[[Met], Fault]:
    return lambda met: Fault(met.place, error=f'{{"ok":false,"error":"{code}"}}', status=404)


def _happens(first: happenings.Happening) -> Callable[[Met], Fault]:
    return lambda met: Fault(met.place, first=first)


_MAKERS: Final[Mapping[str, Callable[[Met], Fault]]] = {
    "ratelimited": _rate,
    "ratelimited without a time": _limited({}),
    "error": lambda met: Fault(met.place, error=met.text("code")),
    "invalid slack file": _too_early,
    "server error": _server(done=False),
    "server error after": _server(done=True),
    "internal_error after": lambda met: Fault(met.place, error="internal_error", done=True),
    "page instead of json": lambda met: Fault(met.place, body={}, page=_PAGE),
    "connection lost before": lambda met: Fault(met.place, drop="before"),
    "connection lost after": lambda met: Fault(met.place, drop="after"),
    "slow": lambda met: Fault(met.place, delay_s=met.number("seconds")),
    "no answer": lambda met: Fault(met.place, delay_s=met.number("seconds"), drop="before"),
    "message deleted": _happens(happenings.delete_message),
    "thread deleted": _happens(happenings.delete_thread),
    "channel archived": _happens(happenings.archive),
    "app removed from channel": _happens(happenings.remove_app),
    "file never processed": _happens(happenings.never_scanned()),
    "file processed late": lambda met: _happens(happenings.scan_takes(met.number("seconds")))(met),
    "upload cut": lambda met: Fault(met.place, error="length mismatch", status=400),
    "expired_url": _url("expired_url"),
    "used_url": _url("used_url"),
    "download redirected away": _happens(happenings.spoiled("redirect")),
    "download moved": _happens(happenings.spoiled("moved")),
    "download in circles": _happens(happenings.spoiled("loop")),
    "download login page": _happens(happenings.spoiled("login")),
    "download garbage": _happens(happenings.spoiled("garbage")),
    "download truncated": _happens(happenings.spoiled("truncated")),
    "download slow": lambda met: _happens(happenings.spoiled("slow", met.number("seconds")))(met),
    "download endless": _happens(happenings.spoiled("endless")),
}
