"""For programs that drive the sandbox: wait for answers, read calls, add people, begin again."""

import re
from itertools import takewhile
from typing import Final

from aiohttp import web

from sandbox.images.api import ImageApi
from sandbox.slack import view
from sandbox.slack.asking import Fields, Wrong, given_by, number_of, viewer_of
from sandbox.slack.called import abridged
from sandbox.slack.changes import Changes
from sandbox.slack.declared import BadManifest, declare, in_force
from sandbox.slack.model import Channel, Json
from sandbox.slack.server import WORKSPACE
from sandbox.slack.workspace import Workspace

IMAGES: Final = web.AppKey("images", list[ImageApi])
WAIT_MAX_S: Final = 60.0
CALLS_MAX: Final = 200
PEOPLE_MAX: Final = 1000
_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,20}")
_PERSON: Final = Fields({"name": str}, {"channels": list, "is_admin": bool, "is_guest": bool})
_REVOKE: Final = Fields({}, {"users": list})
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
    app.router.add_post("/control/uninstall", _uninstall)
    app.router.add_post("/control/revoke", _revoke)


async def _answers(request: web.Request) -> web.StreamResponse:
    viewer = viewer_of(request, request.query.get("viewer"))
    after, thread = request.query.get("after", ""), request.query.get("thread_ts")
    seconds = number_of(request, "seconds", 10.0, WAIT_MAX_S)
    workspace = request.app[WORKSPACE]
    try:
        room = workspace.channel_named(request.query.get("channel", ""))
    except KeyError:
        raise Wrong('"channel" must be a channel\'s id or name, such as design', 404) from None

    looked_at = after

    def said(here: Workspace) -> Json | None:
        nonlocal looked_at
        since, looked_at = looked_at, max(looked_at, _newest_ts(here, room.id))
        now = here.channels.get(room.id)
        if now is None or viewer.id not in now.members:
            raise Wrong(f"{viewer.name} is not in that channel and sees nothing of it")
        # A message gets its thread_ts with its first reply: in a thread, what was passed over may fit later.
        return _said_by_app(here, viewer.id, now, since if thread is None else after, thread)

    try:
        new = await workspace.until(said, seconds)
    except AssertionError:
        new = {"messages": [], "ephemerals": []}
    return web.json_response({"ok": True, **new})


def _newest_ts(here: Workspace, room: str) -> str:
    """The stamp up to which a look sees everything."""
    newest = next(reversed(here.channels[room].messages), "") if room in here.channels else ""
    return max(newest, here.ephemerals[-1].ts if here.ephemerals else "")


def _said_by_app(here: Workspace, viewer: str, room: Channel, after: str, thread: str | None) -> Json | None:
    """What the app has said in a channel (in a thread) behind `after`, as this person sees it; None when it
    is nothing. It is asked at every notice: what is older, or elsewhere, is not read."""
    known = room.messages.values() if thread is None else here.thread(room.id, thread)
    behind = list(takewhile(lambda m: m.ts > after, reversed(known)))
    said = {m.ts for m in behind if m.user == here.bot_user_id and thread in (None, m.thread_ts)}
    whispers = takewhile(lambda e: e.ts > after, reversed(here.ephemerals))
    alone = {
        e.ts for e in whispers if (e.user, e.channel) == (viewer, room.id) and thread in (None, e.thread_ts)
    }
    if not said and not alone:
        return None
    only = Changes(frozenset((room.id, ts) for ts in said), frozenset(), frozenset())
    shown = next(c for c in view.snapshot(here, viewer, only)["channels"] if c["id"] == room.id)
    whispered = [e for e in shown["ephemerals"] if e["ts"] in alone]
    return {"messages": shown["messages"], "ephemerals": whispered}


async def _calls(request: web.Request) -> web.StreamResponse:
    newest = int(number_of(request, "newest", 100, CALLS_MAX, least=1))
    slack = [abridged(vars(call)) for call in list(request.app[WORKSPACE].calls)[-newest:]]
    images = [abridged(call.as_dict()) for api in request.app[IMAGES] for call in api.calls[-newest:]]
    return web.json_response({"slack": slack, "images": images})


async def _app(request: web.Request) -> web.StreamResponse:
    workspace = request.app[WORKSPACE]
    if request.method == "GET":
        return web.json_response({"ok": True, "app": in_force(workspace)})
    try:
        return web.json_response({"ok": True, "app": declare(workspace, await given_by(request))})
    except BadManifest as bad:
        raise Wrong(str(bad)) from None


async def _uninstall(request: web.Request) -> web.StreamResponse:
    if mistake := Fields().mistake("uninstall", await given_by(request)):
        raise Wrong(mistake.replace("viewer", "nothing"))
    await request.app[WORKSPACE].uninstall()
    return web.json_response({"ok": True})


async def _revoke(request: web.Request) -> web.StreamResponse:
    given = await given_by(request)
    if mistake := _REVOKE.mistake("revoke", given):
        raise Wrong(mistake.replace("viewer, ", "").replace("file ids", "people"))
    try:
        await request.app[WORKSPACE].revoke_tokens(*(given.get("users") or ()))
    except KeyError as missing:
        raise Wrong(f"there is nobody called {missing.args[0]}", 404) from None
    return web.json_response({"ok": True})


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


async def reset_asked(request: web.Request) -> Json:
    """What a request to begin again asks for. Raises Wrong, before anything is emptied."""
    given = await given_by(request)
    if mistake := _RESET.mistake("reset", given):
        raise Wrong(mistake.replace("viewer, ", ""))
    return given


async def _reset(request: web.Request) -> web.StreamResponse:
    given = await reset_asked(request)
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
