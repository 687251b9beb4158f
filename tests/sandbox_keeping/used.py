"""A workspace that people and the app use: steps that hypothesis may put together, and how it is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from sandbox.keeping.folder import Folder
from sandbox.keeping.plain import plain
from sandbox.slack.keeping import WorkspaceKept
from sandbox.slack.model import Message, Refused
from sandbox.slack.view import snapshot
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
DESIGN = "C0DESIGN01"
PEOPLE = ("alice", "bob", "carol", "gus", "olaf")
ROOMS = ("design", "general", "partners", "secret")
TEXTS = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["hi @Darkroom", "<@U0BOB00001> & #design", "\ud800"]
)
STEPS = st.one_of(
    st.tuples(st.just("post"), st.sampled_from(PEOPLE), st.sampled_from(ROOMS), TEXTS),
    st.tuples(st.just("reply"), st.sampled_from(PEOPLE), st.integers(0, 9), TEXTS, st.booleans()),
    st.tuples(
        st.just("share"), st.sampled_from(PEOPLE), st.sampled_from(ROOMS), st.binary(min_size=1, max_size=40)
    ),
    st.tuples(st.just("react"), st.integers(0, 9), st.sampled_from(["eyes", "tada"])),
    st.tuples(st.just("edit"), st.integers(0, 9), TEXTS),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("command"), st.sampled_from(PEOPLE), TEXTS),
    st.tuples(st.just("upload"), st.binary(min_size=1, max_size=40), st.booleans()),
    st.tuples(st.just("home"), st.sampled_from(PEOPLE[:4]), st.text(min_size=1, max_size=20)),
    st.tuples(st.just("status"), st.integers(0, 9), st.text(min_size=1, max_size=20)),
    st.tuples(st.just("dialog"), st.sampled_from(PEOPLE[:4])),
    st.tuples(st.just("join"), st.sampled_from(["dora", "emil", "fay"])),
)


async def take(workspace: Workspace, step: tuple[Any, ...]) -> None:
    """Do a step; what Slack's client would not allow is left."""
    kind, *given = step
    try:
        await _STEPS[kind](workspace, *given)
    except Refused:
        return


def messages(workspace: Workspace) -> list[Message]:
    """All there are."""
    return [message for room in workspace.channels.values() for message in room.messages.values()]


def _some(workspace: Workspace, number: int) -> Message:
    found = messages(workspace)
    if not found:
        raise Refused("there is nothing yet")
    return found[number % len(found)]


async def _reply(workspace: Workspace, who: str, number: int, text: str, broadcast: bool) -> None:
    parent = _some(workspace, number)
    await workspace.post(who, parent.channel, text, thread_ts=parent.ts, broadcast=broadcast)


async def _share(workspace: Workspace, who: str, room: str, data: bytes) -> None:
    await workspace.share(who, room, "look", {"a.png": data})


async def _react(workspace: Workspace, number: int, name: str) -> None:
    message = _some(workspace, number)
    member = sorted(workspace.channels[message.channel].members)[0]
    await workspace.react(member, message.channel, message.ts, name)


async def _edit(workspace: Workspace, number: int, text: str) -> None:
    message = _some(workspace, number)
    await workspace.edit_message(message.user, message.channel, message.ts, text)


async def _delete(workspace: Workspace, number: int) -> None:
    message = _some(workspace, number)
    await workspace.delete_message(message.user, message.channel, message.ts)


async def _command(workspace: Workspace, who: str, text: str) -> None:
    await workspace.type_command(who, "general", f"/imagine {text}")


async def _upload(workspace: Workspace, data: bytes, complete: bool) -> None:
    begun = await call(workspace, "files.getUploadURLExternal", filename="v1.png", length=len(data))
    await workspace.send_bytes(begun["upload_url"], data)
    if complete:
        await call(workspace, "files.completeUploadExternal", files=[{"id": begun["file_id"]}])


async def _home(workspace: Workspace, who: str, text: str) -> None:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": text}}]
    user = workspace.user_named(who).id
    await call(workspace, "views.publish", user_id=user, view={"type": "home", "blocks": blocks})


async def _status(workspace: Workspace, number: int, text: str) -> None:
    message = _some(workspace, number)
    await call(
        workspace,
        "assistant.threads.setStatus",
        channel_id=message.channel,
        thread_ts=message.ts,
        status=text,
    )


async def _dialog(workspace: Workspace, who: str) -> None:
    seen = await workspace.type_command(who, "general", "/imagine")
    if not seen.payload:
        raise Refused("the app has not answered")
    name = {"type": "plain_text", "text": "Name"}
    field = {"type": "input", "label": name, "element": {"type": "plain_text_input", "action_id": "a"}}
    view = {"type": "modal", "title": name, "submit": name, "blocks": [field]}
    await call(workspace, "views.open", trigger_id=seen.payload["trigger_id"], view=view)


async def _join(workspace: Workspace, name: str) -> None:
    if all(user.name != name for user in workspace.users.values()):
        workspace.add_person(name, is_restricted=name == "fay")


async def call(workspace: Workspace, method: str, **params: Any) -> Json:
    """A call of the app's, however it goes."""
    return (await workspace.call(method, params, workspace.bot_token)).body


_STEPS: dict[str, Callable[..., Any]] = {
    "post": lambda w, who, room, text: w.post(who, room, text),
    "reply": _reply,
    "share": _share,
    "react": _react,
    "edit": _edit,
    "delete": _delete,
    "command": _command,
    "upload": _upload,
    "home": _home,
    "status": _status,
    "dialog": _dialog,
    "join": _join,
}


def kept_in(place: Path, workspace: Workspace) -> None:
    """Write a workspace into a folder."""
    folder = Folder(place)
    shelf = folder.shelf()
    folder.write(folder.pack({"slack": WorkspaceKept(workspace).kept(shelf)}, shelf))


def brought_back(place: Path, workspace: Workspace) -> Workspace:
    """Bring back into *workspace* what the folder has; gives it."""
    folder = Folder(place)
    state = folder.read()
    assert state is not None
    WorkspaceKept(workspace).restore(state["slack"], folder.fetch)
    return workspace


def all_of(workspace: Workspace) -> Json:
    """All that is kept of a workspace but for the beginning of its run, and what each person sees of it."""
    shelf = Folder(Path("nowhere")).shelf()
    kept: Json = json.loads(json.dumps(WorkspaceKept(workspace).kept(shelf), default=plain))
    del kept["run"]
    seen = {user: snapshot(workspace, user) for user in workspace.users}
    bytes_of = {file.id: file.data for file in workspace.files.values()}
    return {"kept": kept, "seen": seen, "bytes": bytes_of}
