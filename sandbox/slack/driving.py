"""For programs that drive the sandbox: wait for answers, read calls, add people, begin again."""

import re
from typing import Any, Final

from aiohttp import web

from sandbox.images.api import ImageApi
from sandbox.slack import view
from sandbox.slack.asking import Fields, Wrong, given_by, number_of, viewer_of
from sandbox.slack.declared import BadManifest, declare, in_force
from sandbox.slack.model import Json
from sandbox.slack.server import WORKSPACE
from sandbox.slack.workspace import Workspace

IMAGES: Final = web.AppKey("images", list[ImageApi])
WAIT_MAX_S: Final = 60.0
CALLS_MAX: Final = 200
PEOPLE_MAX: Final = 1000
_TEXT_MAX: Final = 2000
_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,20}")
_PERSON: Final = Fields({"name": str}, {"channels": list, "is_admin": bool, "is_guest": bool})
_RESET: Final = Fields({}, {"keep_faults": bool})


def add_driving(app: web.Application, images: ImageApi | None) -> None:
    """Add these routes; with `images` its calls are shown, too, and it begins again with the workspace."""
    app[IMAGES] = [] if images is None else [images]
    app.router.add_get("/control/answers", _answers)
    app.router.add_get("/control/calls", _calls)
    app.router.add_get("/control/app", _app)
    app.router.add_post("/control/app", _app)
    app.router.add_post("/control/person", _person)
    app.router.add_post("/control/reset", _reset)


async def _answers(request: web.Request) -> web.StreamResponse:
    viewer = viewer_of(request, request.query.get("viewer"))
    after, thread = request.query.get("after", ""), request.query.get("thread_ts")
    seconds = number_of(request, "seconds", 10.0, WAIT_MAX_S)
    workspace = request.app[WORKSPACE]
    try:
        room = workspace.channel_named(request.query.get("channel", ""))
    except KeyError:
        raise Wrong('"channel" must be a channel\'s id or name, such as design', 404) from None

    def said(here: Workspace) -> Json | None:
        shown = next((c for c in view.snapshot(here, viewer.id)["channels"] if c["id"] == room.id), None)
        if shown is None:
            raise Wrong(f"{viewer.name} is not in that channel and sees nothing of it")
        kept = [m for m in shown["messages"] if m["user"] == here.bot_user_id]
        found = {"messages": kept, "ephemerals": shown["ephemerals"]}
        new = {
            kind: [m for m in every if m["ts"] > after and thread in (None, m["thread_ts"])]
            for kind, every in found.items()
        }
        return new if any(new.values()) else None

    try:
        new = await workspace.until(said, seconds)
    except AssertionError:
        new = {"messages": [], "ephemerals": []}
    return web.json_response({"ok": True, **new})


async def _calls(request: web.Request) -> web.StreamResponse:
    newest = int(number_of(request, "newest", 100, CALLS_MAX, least=1))
    slack = [_shortened(vars(call)) for call in list(request.app[WORKSPACE].calls)[-newest:]]
    images = [_shortened(call.as_dict()) for api in request.app[IMAGES] for call in api.calls[-newest:]]
    return web.json_response({"slack": slack, "images": images})


def _shortened(value: Any) -> Any:
    """As JSON, with long texts cut and bytes counted."""
    if isinstance(value, dict):
        return {str(key): _shortened(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return f"({len(value):,} bytes)"
    if isinstance(value, str) and len(value) > _TEXT_MAX:
        return f"{value[:_TEXT_MAX]}… ({len(value):,} characters)"
    return value


async def _app(request: web.Request) -> web.StreamResponse:
    workspace = request.app[WORKSPACE]
    if request.method == "GET":
        return web.json_response({"ok": True, "app": in_force(workspace)})
    try:
        return web.json_response({"ok": True, "app": declare(workspace, await given_by(request))})
    except BadManifest as bad:
        raise Wrong(str(bad)) from None


async def _person(request: web.Request) -> web.StreamResponse:
    given = await given_by(request)
    if mistake := _PERSON.mistake("person", given):
        raise Wrong(mistake.replace("viewer, ", ""))
    workspace, name = request.app[WORKSPACE], given["name"]
    if not _NAME.fullmatch(name) or any(user.name == name for user in workspace.users.values()):
        raise Wrong(
            '"name" must be one that nobody has, of a-z, 0-9, ".", "_" and "-", at most 21 characters'
        )
    if len(workspace.users) >= PEOPLE_MAX:
        raise Wrong(f"there are {PEOPLE_MAX:,} people already; POST /control/reset sends the new ones home")
    channels = tuple(given.get("channels") or ("#design", "#general"))
    for channel in channels:
        try:
            workspace.channel_named(channel)
        except KeyError:
            raise Wrong(f"there is no channel {channel[:50]!r}") from None
    flags = {"is_admin": bool(given.get("is_admin")), "is_restricted": bool(given.get("is_guest"))}
    user = workspace.add_person(name, channels, **flags)
    workspace.changed({"kind": "person", "user": user.id})
    return web.json_response({"ok": True, "user": {"id": user.id, "name": user.name}})


async def _reset(request: web.Request) -> web.StreamResponse:
    given = await given_by(request)
    if mistake := _RESET.mistake("reset", given):
        raise Wrong(mistake.replace("viewer, ", ""))
    workspace = request.app[WORKSPACE]
    for api in request.app[IMAGES]:
        await api.close()
        api.forget()
        api.calls.clear()
        api.faults.clear()
        api.asked.clear()
        api.bill.forget()
    if not given.get("keep_faults"):
        for plan in [workspace.fault_plan, *(api.fault_plan for api in request.app[IMAGES])]:
            plan.clear()
    await workspace.reset()
    return web.json_response({"ok": True, "connections": len(workspace.delivery.sockets)})
