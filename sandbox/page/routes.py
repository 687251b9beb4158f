"""The page's routes: static files from the package, what the page needs to begin, the pace of pictures.

    GET  /, /archives/{channel}/{message}   the page (the second is where Slack's permalinks lead)
    GET  /page/{name}                       its style sheet, scripts and icon
    GET  /page/setup                        {"viewers": [{"id", "name", "real_name", "is_admin", "is_guest",
                                                          "is_outside"}],
                                             "commands": [{"name", "usage", "about"}],
                                             "seconds_per_picture": number|null,
                                             "hood": whether /control/hood is there}
    GET  /page/state?viewer=U…&since=TOKEN  as /control/state, and a "token" that names this moment; what has
                                            changed `since` one, or everything when it is not known any more
    POST /page/pace                         {"seconds_per_picture": number from 0 to 60}; answers the same

Like the control routes they are for this machine's own page: a foreign Host or Origin gets 403.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Final

from aiohttp import web

from sandbox.images.api import ImageApi
from sandbox.images.pace import PACE_MAX, pace_in
from sandbox.reading import read_json
from sandbox.slack import view
from sandbox.slack.changes import Journal
from sandbox.slack.control import Handler
from sandbox.slack.model import Json, User
from sandbox.slack.workspace import Workspace

_KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""Nothing inline, nothing from elsewhere, and no way to turn a string into markup."""
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class Command:
    """A slash command the composer suggests: its name, what comes behind it, one line about it."""

    name: str
    usage: str
    about: str


COMMANDS: Final = (
    Command("/imagine", "a red fox in snow", "make a picture; or say status, last or help"),
    Command("/spend", "", "what you have spent, and what is left"),
)


def add_page(
    app: web.Application,
    workspace: Workspace,
    images: ImageApi | None = None,
    *,
    commands: Sequence[Command] = COMMANDS,
) -> None:
    """Add the page to an app made by `slack_app` that has the control routes (`add_control`).

    With `images`, `POST /page/pace` sets its `seconds_per_picture`.
    """
    files = {
        item.name: (item.read_bytes(), kind)
        for item in resources.files("sandbox.page").iterdir()
        if (kind := _KINDS.get("." + item.name.rpartition(".")[2])) is not None
    }
    index = _static(*files.pop("index.html"))
    app.router.add_get("/", index)
    app.router.add_get("/archives/{channel}/{message}", index)
    journal = Journal()
    workspace.on_change.append(journal.note)
    app.router.add_get("/page/state", _state(workspace, journal))
    app.router.add_get("/page/setup", _setup(workspace, images, commands))
    app.router.add_post("/page/pace", _pace(images))
    for name, (body, kind) in files.items():
        app.router.add_get(f"/page/{name}", _static(body, kind))


def _static(body: bytes, kind: str) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)

    return serve


def _state(workspace: Workspace, journal: Journal) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        changes = journal.since(request.query.get("since", ""))
        try:
            viewer = workspace.user_named(request.query.get("viewer", ""))
        except KeyError:
            return web.json_response({"ok": False, "error": "unknown viewer"}, status=404)
        shown = view.snapshot(workspace, viewer.id, changes)
        return web.json_response(shown | {"token": journal.token})

    return serve


def _setup(workspace: Workspace, images: ImageApi | None, commands: Sequence[Command]) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        people = [user for user in workspace.users.values() if not (user.is_bot or user.deleted)]
        routes = {resource.canonical for resource in request.app.router.resources()}
        shown: Json = {
            "viewers": [_viewer(workspace, user) for user in people],
            "commands": [asdict(command) for command in commands],
            "hood": "/control/hood" in routes,
        }
        return web.json_response(shown | _pace_of(images))

    return serve


def _viewer(workspace: Workspace, user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "is_admin": user.is_admin,
        "is_guest": user.is_restricted or user.is_ultra_restricted,
        "is_outside": user.team_id != workspace.team_id,
    }


def _pace(images: ImageApi | None) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        if images is None:
            raise web.HTTPNotFound
        seconds = _seconds(await request.read())
        if seconds is None:
            said = f"seconds_per_picture must be a number from 0 to {PACE_MAX:g}"
            return web.json_response({"ok": False, "error": said}, status=400)
        images.seconds_per_picture = seconds
        return web.json_response(_pace_of(images))

    return serve


def _pace_of(images: ImageApi | None) -> Json:
    return {"seconds_per_picture": None if images is None else images.seconds_per_picture}


def _seconds(body: bytes) -> float | None:
    """The number of seconds that is asked for; None when the body does not name one."""
    try:
        given = read_json(body)
    except ValueError:
        return None
    return pace_in(given.get("seconds_per_picture")) if isinstance(given, dict) else None
