"""Reading what a program asks of the sandbox: the JSON body of each action, and who is meant. What is wrong
is said so that it can be mended."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from sandbox.reading import read_json
from sandbox.slack.model import Json, User
from sandbox.slack.server import WORKSPACE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Kinds = type | tuple[type, ...]
ANY: Final[Kinds] = object
_NAMED: Final[Mapping[Kinds, str]] = {
    str: "a text",
    bool: "true or false",
    list: "a list of file ids",
    dict: "an object",
}


@dataclass(frozen=True)
class Fields:
    """The fields of an action besides `viewer`: those it needs, and those it may have (or null)."""

    needs: Mapping[str, Kinds] = field(default_factory=dict)
    may: Mapping[str, Kinds] = field(default_factory=dict)

    def mistake(self, action: str, given: Json) -> str | None:
        """What is wrong with a body, in one sentence; None when nothing is."""
        known = {**self.needs, **self.may}
        takes = ", ".join(["viewer", *self.needs, *(f"{name} (optional)" for name in self.may)])
        for name in self.needs:
            if given.get(name) is None:
                return f'"{name}" is missing; {action} takes {takes}'
        for name, value in given.items():
            if name not in known:
                return f'"{str(name)[:50]}" is not known; {action} takes {takes}'
            if value is not None and not _fits(value, known[name]):
                return f'"{name}" must be {_NAMED[known[name]]}'
        return None


def _fits(value: Any, kinds: Kinds) -> bool:
    if kinds is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kinds)


_PLACE: Final = {"channel": str}
_SAID: Final = {"thread_ts": str}
_VIEW: Final = {"view_id": str}

ACTIONS: Final[Mapping[str, Fields]] = {
    "type": Fields({**_PLACE, "text": str}, _SAID),
    "post": Fields(_PLACE, {"text": str, **_SAID, "files": list, "broadcast": bool}),
    "press": Fields(
        {"action_id": str},
        {**_PLACE, "message_ts": str, **_VIEW, "block_id": str, "value": ANY, "values": dict},
    ),
    "options": Fields(
        {"action_id": str}, {**_PLACE, "message_ts": str, **_VIEW, "block_id": str, "value": str}
    ),
    "edit": Fields({**_PLACE, "ts": str, "text": str}),
    "delete": Fields({**_PLACE, "ts": str}),
    "react": Fields({**_PLACE, "ts": str, "name": str}),
    "home": Fields({}, {"tab": str}),
    "shortcut": Fields({"callback_id": str}, {**_PLACE, "message_ts": str}),
    "fill": Fields({**_VIEW, "values": dict}),
    "submit": Fields({**_VIEW, "values": dict}),
    "close": Fields(_VIEW, {"whole_stack": bool}),
}
"""Everything that a person does (`acting.apply`)."""


class Wrong(Exception):
    """A request that cannot be read; the text says what to mend."""

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.status = status


@web.middleware
async def told_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Below /control/ refusals are JSON, those of the server itself included."""
    if not request.path.startswith("/control/"):
        return await handler(request)
    try:
        return await handler(request)
    except Wrong as wrong:
        return refusal(str(wrong), wrong.status)
    except web.HTTPNotFound as missing:
        own = missing.text if missing.text != web.HTTPNotFound().text else None
        return refusal(own or f"there is no {request.path[:100]}; docs/sandbox.md lists what there is", 404)
    except web.HTTPMethodNotAllowed as wrong:
        allowed = ", ".join(sorted(wrong.allowed_methods))
        return refusal(f"{request.path[:100]} takes {allowed}, not {wrong.method}", wrong.status)
    except (web.HTTPForbidden, web.HTTPRequestEntityTooLarge) as refused:
        return refusal(refused.text or refused.reason, refused.status)


def refusal(said: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": said}, status=status)


def viewer_of(request: web.Request, named: object) -> User:
    """The person of this id or name; the app is none. Raises Wrong."""
    workspace = request.app[WORKSPACE]
    with contextlib.suppress(KeyError):
        found = workspace.user_named(named if isinstance(named, str) else "")
        if not (found.is_bot or found.deleted):
            return found
    known = [user.name for user in workspace.users.values() if not (user.is_bot or user.deleted)]
    people = ", ".join(known[:20])
    raise Wrong(f'unknown viewer: "viewer" must name a person, such as {people}', 404)


async def given_by(request: web.Request) -> Json:
    """The body as an object; without a body, an empty one. Raises Wrong."""
    try:
        given = read_json(await request.read() or b"{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Wrong('the body must be a JSON object, such as {"viewer": "alice"}')
    return given


def number_of(request: web.Request, name: str, default: float, most: float, *, least: float = 0) -> float:
    """A number of the query from `least` to `most`. Raises Wrong."""
    try:
        number = float(request.query.get(name, default))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise Wrong(f'"{name}" must be a number from {least:g} to {most:g}')
    return number
