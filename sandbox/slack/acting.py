"""What a person does, in plain JSON: the page and the control routes act by it.

`apply(workspace, viewer, action)` does something as that person; `action["do"]` is one of

    type    {"channel", "text", "thread_ts"?}                    a slash command
    post    {"channel", "text", "thread_ts"?, "files"?, "broadcast"?}
    press   {"channel", "message_ts", "action_id", "block_id"?, "value"?}, or in a modal or the Home tab
            {"view_id", "action_id", "block_id"?, "value"?, "values"?}: these are put in silently before
    edit    {"channel", "ts", "text"}
    delete  {"channel", "ts"}
    react   {"channel", "ts", "name"}
    home    {"tab"?: "home"|"messages"}                          opens the app's Home tab
    options {"action_id", "value"?: what is typed, "block_id"?}, and "channel" and "message_ts", or "view_id":
            the app is asked for the choices of a menu, they stand in the answer's "payload"
    shortcut {"callback_id", "channel"?, "message_ts"?}
    fill    {"view_id", "values"}                                puts in what differs; tells the app if asked
    submit  {"view_id", "values"}
    close   {"view_id", "whole_stack"?}

and answers `{"ok": true, "ts": str|null, "text": str, "error": null, "payload": {…}}`; what Slack's client
would not allow comes back as `{"ok": false, "error": "…"}`, and so does an app that did not answer
(`"operation_timeout"`, `"dispatch_failed"`).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sandbox.slack import dialogs
from sandbox.slack.limits import FILES_PER_COMPLETION
from sandbox.slack.model import Json, Message, Refused, Seen
from sandbox.slack.workspace import Workspace


async def apply(workspace: Workspace, viewer: str, action: Mapping[str, Any]) -> Json:
    """Do what `action` says as this person (the module's docstring lists the actions)."""
    work = _ACTIONS.get(str(action.get("do")))
    if work is None:
        return {"ok": False, "error": f"unknown action {action.get('do')!r}"}
    try:
        done = await work(workspace, viewer, action)
    except Refused as refusal:
        return {"ok": False, "error": str(refusal)}
    except KeyError as missing:
        return {"ok": False, "error": f"missing or unknown: {missing.args[0]}"}
    if isinstance(done, Seen):
        ts = done.message.ts if done.message else done.ephemeral.ts if done.ephemeral else None
        payload = done.payload if action["do"] in {"submit", "options"} else {}
        return {
            "ok": done.error is None,
            "error": done.error,
            "text": done.text,
            "ts": ts,
            "payload": payload,
        }
    ts = done.ts if isinstance(done, Message) else None
    return {"ok": True, "error": None, "text": "", "ts": ts, "payload": {}}


Doing = Awaitable[Seen | Message | list[Seen] | None]


def _type(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Doing:
    return workspace.type_command(who, given["channel"], given["text"], thread_ts=given.get("thread_ts"))


def _post(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Doing:
    files = tuple(given.get("files") or ())
    if len(files) > FILES_PER_COMPLETION:
        raise Refused(f"a message takes at most {FILES_PER_COMPLETION} files")
    return workspace.post(
        who,
        given["channel"],
        given.get("text", ""),
        thread_ts=given.get("thread_ts"),
        files=files,
        broadcast=bool(given.get("broadcast")),
    )


async def _press_in_view(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Seen:
    dialogs.put_in_silently(workspace, who, given["view_id"], given.get("values") or {})
    return await workspace.press_in_view(
        who, given["view_id"], given["action_id"], block_id=given.get("block_id"), value=given.get("value")
    )


def _press(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Doing:
    if "view_id" in given:
        return _press_in_view(workspace, who, given)
    return workspace.press(
        who,
        given["channel"],
        given["message_ts"],
        given["action_id"],
        block_id=given.get("block_id"),
        value=given.get("value"),
    )


def _options(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Doing:
    names = ("view_id",) if given.get("view_id") else ("channel", "message_ts")
    place = {name: given[name] for name in names}
    return workspace.ask_options(
        who, given["action_id"], given.get("value") or "", block_id=given.get("block_id"), **place
    )


def _shortcut(workspace: Workspace, who: str, given: Mapping[str, Any]) -> Doing:
    return workspace.use_shortcut(
        who, given["callback_id"], channel=given.get("channel"), message_ts=given.get("message_ts")
    )


_ACTIONS: Final[Mapping[str, Callable[[Workspace, str, Mapping[str, Any]], Doing]]] = {
    "type": _type,
    "post": _post,
    "press": _press,
    "edit": lambda w, who, a: w.edit_message(who, a["channel"], a["ts"], a["text"]),
    "delete": lambda w, who, a: w.delete_message(who, a["channel"], a["ts"]),
    "react": lambda w, who, a: w.react(who, a["channel"], a["ts"], a["name"]),
    "home": lambda w, who, a: w.open_home(who, str(a.get("tab", "home"))),
    "options": _options,
    "shortcut": _shortcut,
    "fill": lambda w, who, a: w.fill_view(who, a["view_id"], a["values"]),
    "submit": lambda w, who, a: w.submit_view(who, a["view_id"], a["values"]),
    "close": lambda w, who, a: w.close_view(who, a["view_id"], whole_stack=bool(a.get("whole_stack"))),
}
