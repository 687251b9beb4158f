"""The workspace as a page shows it, in plain JSON.

`snapshot(workspace, viewer)` gives what one person sees::

    {
      "team":   {"id", "name"},
      "now":    the workspace's time in seconds,
      "app":    {"id", "name", "user_id", "connected": bool, "installed": bool},
      "viewer": USER,
      "users":  [USER],           USER = {"id", "name", "real_name", "team_id", "is_bot", "is_admin",
                                          "is_guest", "is_outside"}
      "channels": [{              only those the viewer is in
        "id", "name", "kind": "channel"|"group"|"im"|"mpim",
        "title": str,             "#design", or the names of the others in a DM
        "members": [user id], "has_app": bool, "archived": bool, "shared": bool,
        "messages": [{            oldest first, replies included (they have "is_reply": true)
          "ts", "user", "text": str (mrkdwn, & < > escaped), "blocks": [Block Kit],
          "thread_ts": str|null, "is_reply": bool, "broadcast": bool, "subtype": str|null,
          "edited": bool, "reply_count": int, "reactions": [{"name", "users": [user id]}],
          "files": [file id], "broken_files": [file id], "mine": bool
        }],
        "ephemerals": [{"ts", "author": user id, "text", "blocks", "thread_ts": str|null}],
        "statuses": [{"thread_ts", "status"}]
      }],
      "files": {file id: {"id", "name", "title", "mimetype", "processed": bool, "deleted": bool,
                          "width", "height", "size", "sha256", "url"}},
                                every file in a message, a modal or the Home tab that the viewer sees
      "notifications": [{"channel", "ts", "kind"}],      what pinged the viewer
      "modals": [VIEW], "home": VIEW|null,               views as Slack's API returns them
      "shortcuts": [{"callback_id", "name", "kind": "message"|"global"}]
    }

With `changes` (`sandbox.slack.changes`) a channel has only the messages that changed, `"partial": true` and
`"gone": [ts]`, unless all of it has to be read; `files` has only what goes with these, and what changed.

In blocks, an image with `slack_file: {"id"}` is drawn from `files[id].url`; one whose id is in the message's
`broken_files` is drawn as broken, because Slack does so.
"""

from collections.abc import Iterator

from sandbox.slack import blocks as block_kit
from sandbox.slack import views
from sandbox.slack.changes import Changes
from sandbox.slack.model import Channel, Ephemeral, File, Json, Message, User
from sandbox.slack.workspace import Workspace


def snapshot(workspace: Workspace, viewer: str, changes: Changes | None = None) -> Json:
    """Everything this person sees, or what of it changed (the module's docstring has the shape). KeyError for
    an unknown viewer."""
    person = workspace.user_named(viewer)
    rooms = [room for room in workspace.channels.values() if person.id in room.members]
    modals = [view for view in workspace.views.values() if view["_user"] == person.id]
    return {
        "team": {"id": workspace.team_id, "name": workspace.team_name},
        "now": workspace.now(),
        "app": {
            "id": workspace.app_id,
            "name": workspace.app_name,
            "user_id": workspace.bot_user_id,
            "connected": bool(workspace.delivery.sockets),
            "installed": workspace.installed,
        },
        "viewer": _user(workspace, person),
        "users": [_user(workspace, user) for user in workspace.users.values()],
        "channels": [_channel(workspace, room, person, changes) for room in rooms],
        "files": {file.id: _file(file) for file in _files_seen(workspace, person, rooms, changes)},
        "notifications": [
            {"channel": n.channel, "ts": n.ts, "kind": n.kind}
            for n in workspace.notifications
            if n.user == person.id
        ],
        "modals": [views.shown(view) for view in modals],
        "home": views.shown(home) if (home := workspace.homes.get(person.id)) else None,
        "shortcuts": [
            {"callback_id": s.callback_id, "name": s.name, "kind": s.kind} for s in workspace.shortcuts
        ],
    }


def _user(workspace: Workspace, user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "team_id": user.team_id,
        "is_bot": user.is_bot,
        "is_admin": user.is_admin,
        "is_guest": user.is_restricted or user.is_ultra_restricted,
        "is_outside": user.team_id != workspace.team_id,
    }


def _fresh(room: Channel, changes: Changes | None) -> tuple[list[Message], Json]:
    """The messages of a room that have to be shown, and what is said of the others."""
    if changes is None or room.id in changes.rooms:
        return list(room.messages.values()), {}
    changed = sorted(ts for channel, ts in changes.messages if channel == room.id)
    gone = [ts for ts in changed if ts not in room.messages]
    return [room.messages[ts] for ts in changed if ts in room.messages], {"partial": True, "gone": gone}


def _channel(workspace: Workspace, room: Channel, person: User, changes: Changes | None) -> Json:
    others = [workspace.users[user].real_name for user in sorted(room.members - {person.id})]
    now = workspace.now()
    messages, partly = _fresh(room, changes)
    return partly | {
        "id": room.id,
        "name": room.name,
        "kind": room.kind,
        "title": f"#{room.name}" if room.name else ", ".join(others),
        "members": sorted(room.members),
        "has_app": workspace.bot_user_id in room.members,
        "archived": room.archived,
        "shared": room.is_shared,
        "messages": [_message(workspace, message, person) for message in messages],
        "ephemerals": [_ephemeral(only) for only in workspace.ephemerals_for(person.id, room.id)],
        "statuses": [
            {"thread_ts": thread_ts, "status": status}
            for (channel, thread_ts), (status, until) in workspace.statuses.items()
            if channel == room.id and now < until
        ],
    }


def _message(workspace: Workspace, message: Message, person: User) -> Json:
    replies = 0 if message.is_reply else len(workspace.thread(message.channel, message.ts)) - 1
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "is_reply": message.is_reply,
        "broadcast": message.broadcast,
        "subtype": message.subtype,
        "edited": message.edited is not None,
        "reply_count": replies,
        "reactions": [{"name": name, "users": list(who)} for name, who in message.reactions.items()],
        "files": list(message.files),
        "broken_files": list(message.broken_files),
        "mine": message.user == person.id,
    }


def _ephemeral(only: Ephemeral) -> Json:
    return {
        "ts": only.ts,
        "author": only.author,
        "text": only.text,
        "blocks": only.blocks,
        "thread_ts": only.thread_ts,
    }


def _files(workspace: Workspace, messages: list[Message]) -> list[File]:
    found: dict[str, File] = {}
    for message in messages:
        named = [str(image.get("id")) for image in block_kit.files_in(message.blocks)]
        for file_id in [*message.files, *named]:
            if file_id in workspace.files:
                found[file_id] = workspace.files[file_id]
    return list(found.values())


def _files_seen(
    workspace: Workspace, person: User, rooms: list[Channel], changes: Changes | None
) -> Iterator[File]:
    for room in rooms:
        yield from _files(workspace, _fresh(room, changes)[0])
    if changes is not None and changes.files:
        for room in rooms:
            yield from (
                file for file in _files(workspace, list(room.messages.values())) if file.id in changes.files
            )
    mine = [view for view in workspace.views.values() if view["_user"] == person.id]
    for view in [*mine, *([home] if (home := workspace.homes.get(person.id)) else [])]:
        for image in block_kit.files_in(view["blocks"]):
            if file := workspace.files.get(str(image.get("id"))):
                yield file


def _file(file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "processed": file.processed,
        "deleted": file.deleted,
        "width": file.width,
        "height": file.height,
        "size": file.length,
        "sha256": file.sha256,
        "url": f"/control/files/{file.id}",
    }
