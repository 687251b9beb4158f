"""What the sandbox sends has the fields and types of Slack's published samples."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, ok, png, uploaded

FIXTURES = Path(__file__).parent.parent / "fixtures" / "slack"
DESIGN = "C0DESIGN01"
Json = dict[str, Any]
CHANNEL_ID = re.compile(r"^C[A-Z0-9]{8,}$")

OPTIONAL = {
    # of enterprise grids, of older payloads, or only there after a picture was thumbnailed
    *("enterprise_id", "enterprise_name", "authed_users", "enterprise", "file_access", "media_display_type"),
    *("thumb_tiny", "deanimate_gif", "pjpeg", "image_exif_rotation", "style"),
    *("bot_profile", "is_ext_shared_channel", "event_context", "authorizations"),
    *("has_2fa", "email", "avatar_hash", "status_emoji", "status_text"),
    # of the reader, not of the message; of modals without them
    *("last_read", "unread_count", "subscribed", "next_cursor", "response_metadata"),
    *("attachments", "username", "subtype", "has_rich_preview", "permalink_public"),
}
OURS = {
    "context_team_id": str,
    "context_enterprise_id": type(None),
    "app_id": str,
    "source_team": str,
    "user_team": str,
    "parent_conversation": type(None),
}


def fixture(name: str) -> Json:
    made = json.loads((FIXTURES / f"{name}.json").read_text())
    assert isinstance(made, dict)
    return made


def lacking(sample: Any, ours: Any, path: str = "") -> list[str]:
    """Where `ours` lacks a field of the sample, or has it with another type."""
    if isinstance(sample, dict) and isinstance(ours, dict):
        if sample.get("type", ours.get("type")) != ours.get("type"):
            return [] if "/elements/" in path else [f"{path} is a {ours.get('type')}"]
        found: list[str] = []
        for key, value in sample.items():
            if CHANNEL_ID.match(key):
                found += lacking(value, next(iter(ours.values()), None), f"{path}/*")
                continue
            if key in OPTIONAL or key.startswith(("thumb_", "image_")):
                continue
            if key not in ours:
                found.append(f"{path}/{key} is missing")
            else:
                found += lacking(value, ours[key], f"{path}/{key}")
        return found
    if isinstance(sample, list) and isinstance(ours, list):
        return lacking(sample[0], ours[0], f"{path}/0") if sample and ours else []
    if sample is None or ours is None or isinstance(ours, type(sample)):
        return []
    return [f"{path} is {type(ours).__name__}, not {type(sample).__name__}"]


def strange(skeleton: Any, ours: Any, path: str = "") -> list[str]:
    """Where `ours` has a field the official skeleton does not know, or another type."""
    if isinstance(skeleton, dict) and isinstance(ours, dict):
        found: list[str] = []
        for key, value in ours.items():
            if key in skeleton:
                found += strange(skeleton[key], value, f"{path}/{key}")
            elif key not in OURS and key not in {"is_stranger"}:
                found.append(f"{path}/{key} is unknown")
        return found
    if isinstance(skeleton, list) and isinstance(ours, list):
        return [line for item in ours for line in strange(skeleton[0], item, f"{path}/0")] if skeleton else []
    if ours is None or isinstance(ours, type(skeleton)):
        return []
    return [f"{path} is {type(ours).__name__}, not {type(skeleton).__name__}"]


def test_the_comparison_itself_notices_missing_wrong_and_unknown_fields() -> None:
    assert lacking({"a": {"b": 1}, "c": [{"d": "x"}]}, {"a": {"b": "1"}, "c": [{}]}) == [
        "/a/b is str, not int",
        "/c/0/d is missing",
    ]
    assert strange({"a": 1}, {"a": "1", "b": 2}) == ["/a is str, not int", "/b is unknown"]


@pytest.fixture
async def app(still: Workspace) -> App:
    still.file_processing_s = 0
    made = App(still)
    await still.attach(made.send)
    return made


def again() -> list[Json]:
    label = {"type": "plain_text", "text": "Again", "emoji": True}
    return [
        {"type": "actions", "elements": [{"type": "button", "text": label, "action_id": "a", "value": "v"}]}
    ]


MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Edit", "emoji": True},
    "submit": {"type": "plain_text", "text": "Go"},
    "close": {"type": "plain_text", "text": "Cancel"},
    "blocks": [
        {
            "type": "input",
            "block_id": "hspI",
            "label": {"type": "plain_text", "text": "Prompt", "emoji": True},
            "element": {"type": "plain_text_input", "action_id": "maBWU"},
            "optional": False,
        }
    ],
}


async def one_of_everything(workspace: Workspace) -> Json:
    """Do each thing once; the payloads by the name of their sample."""
    app = App(workspace)
    await workspace.attach(app.send)

    def last() -> Json:
        return dict(app.envelopes[-1]["payload"])

    made: Json = {}
    await workspace.type_command("alice", "#design", "/imagine a fox")
    made["slash_command"] = last()
    parent = await workspace.post("alice", "#design", "@Darkroom a fox")
    made["app_mention"], made["message_user"] = last(), app.envelopes[-2]["payload"]
    await workspace.edit_message("alice", "#design", parent.ts, "a red fox")
    made["message_changed"] = last()
    file = await workspace.upload("alice", "cat.png", png())
    await workspace.post("alice", "#design", "like this", files=(file.id,))
    made["message_file_share_full"] = last()
    await workspace.post("alice", "#design", "and this", files=(file.id,), thread_ts=parent.ts)
    made["message_file_share_in_thread_derived"] = last()
    await workspace.post("bob", "#design", "hi", thread_ts=parent.ts, broadcast=True)
    made["message_thread_broadcast"] = last()
    posted = await ok(workspace, "chat.postMessage", channel=DESIGN, text="x", blocks=again())
    made["message_from_bot"] = last()
    await workspace.press("bob", "#design", posted["ts"], "a")
    made["block_actions"] = last()
    await workspace.use_shortcut("bob", "make", channel="#design", message_ts=parent.ts)
    made["message_shortcut"] = last()
    seen = await workspace.use_shortcut("bob", "make")
    made["global_shortcut"] = last()
    modal = {**MODAL, "notify_on_close": True}
    view = (await ok(workspace, "views.open", trigger_id=seen.payload["trigger_id"], view=modal))["view"]
    app.answer = {"response_action": "errors", "errors": {"hspI": "Too vague"}}
    await workspace.submit_view("bob", view["id"], {"hspI": "a fox"})
    made["view_submission"], app.answer = last(), None
    await workspace.close_view("bob", view["id"])
    made["view_closed"] = last()
    made["block_suggestion"] = await _suggestion(workspace, app)
    workspace.subscriptions |= {"reaction_added"}
    await workspace.react("bob", "#design", parent.ts, "heart")
    made["reaction_added"] = last()
    message = await workspace.post("alice", "#design", "oops")
    await workspace.delete_message("alice", "#design", message.ts)
    made["message_deleted"] = last()
    return made


async def _suggestion(workspace: Workspace, app: App) -> Json:
    """What the app hears while somebody types in a menu of a modal."""
    text = {"type": "plain_text", "text": "Search"}
    menus = [
        {
            "type": "input",
            "block_id": kind,
            "label": text,
            "optional": False,
            "element": {"type": kind, "action_id": kind, "placeholder": text},
        }
        for kind in ("external_select", "multi_external_select")
    ]
    seen = await workspace.use_shortcut("bob", "make")
    view = {**MODAL, "blocks": [*MODAL["blocks"], *menus]}
    opened = await ok(workspace, "views.open", trigger_id=seen.payload["trigger_id"], view=view)
    await workspace.ask_options("bob", "external_select", "search word", view_id=opened["view"]["id"])
    return dict(app.envelopes[-1]["payload"])


PAYLOADS = (
    *("slash_command", "app_mention", "message_user", "message_changed", "message_deleted"),
    *("message_file_share_full", "message_file_share_in_thread_derived", "message_thread_broadcast"),
    *("message_from_bot", "block_actions", "message_shortcut", "global_shortcut", "reaction_added"),
    *("view_submission", "view_closed", "block_suggestion"),
)


@pytest.mark.parametrize("name", PAYLOADS)
async def test_payloads_have_what_slacks_samples_have(still: Workspace, name: str) -> None:
    made = await one_of_everything(still)

    assert lacking(fixture(f"payloads/{name}"), made[name]) == []


async def test_a_command_has_no_field_that_slack_does_not_send(still: Workspace, app: App) -> None:
    await still.type_command("alice", "#design", "/imagine a fox")
    payload = {**app.envelopes[0]["payload"], "is_enterprise_install": False}

    assert strange(fixture("shapes/SlashCommandPayload"), payload) == []


async def test_envelopes_have_what_slacks_samples_have(still: Workspace, app: App) -> None:
    await still.type_command("alice", "#design", "/imagine a fox")
    await still.post("alice", "#design", "a fox")
    await still.use_shortcut("alice", "make")
    command, event, click = (dict(envelope) for envelope in app.envelopes)

    for name, envelope in (("slash_commands", command), ("events_api", event), ("interactive", click)):
        sample = fixture(f"socket_mode/envelope_{name}")
        assert lacking(sample, envelope) == []
        assert envelope["accepts_response_payload"] == sample["accepts_response_payload"]
        assert set(envelope) == set(sample)


async def one_answer(workspace: Workspace, method: str) -> Json:
    """A good answer of a method."""
    seen = await workspace.type_command("alice", "#design", "/imagine")
    parent = await workspace.post("alice", "#design", "a fox")
    await workspace.post("bob", "#design", "hi", thread_ts=parent.ts)
    posted = await ok(workspace, "chat.postMessage", channel=DESIGN, text="x")
    begun = await ok(workspace, "files.getUploadURLExternal", filename="fox.png", length=len(png()))
    await workspace.send_bytes(begun["upload_url"], png())
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "hello", "verbatim": False}}
    place = {"channel": DESIGN, "ts": posted["ts"]}
    params: dict[str, Json] = {
        "chat.postMessage": {"channel": DESIGN, "text": "x"},
        "chat.update": {**place, "text": "y"},
        "chat.delete": place,
        "chat.postEphemeral": {"channel": DESIGN, "user": "U0ALICE001", "text": "x"},
        "chat.getPermalink": {"channel": DESIGN, "message_ts": posted["ts"]},
        "reactions.add": {"channel": DESIGN, "timestamp": posted["ts"], "name": "eyes"},
        "files.getUploadURLExternal": {"filename": "a.png", "length": 3},
        "files.completeUploadExternal": {"files": [{"id": begun["file_id"], "title": "A fox"}]},
        "users.info": {"user": "U0ALICE001"},
        "conversations.replies": {"channel": DESIGN, "ts": parent.ts},
        "conversations.open": {"users": "U0ALICE001"},
        "conversations.info": {"channel": DESIGN, "include_locale": True},
        "bots.info": {"bot": workspace.bot_id},
        "views.open": {"trigger_id": seen.payload["trigger_id"], "view": MODAL},
        "views.publish": {"user_id": "U0ALICE001", "view": {"type": "home", "blocks": [section]}},
        "assistant.threads.setStatus": {"channel_id": DESIGN, "thread_ts": parent.ts, "status": "is drawing"},
    }
    if method in {"files.info", "files.delete"}:
        file_id = await uploaded(workspace, png())
        image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
        await ok(workspace, "chat.postMessage", channel=DESIGN, text="x", blocks=[image], thread_ts=parent.ts)
        params[method] = {"file": file_id}
    if method == "apps.connections.open":
        return dict((await workspace.call(method, {}, workspace.app_token)).body)
    return await ok(workspace, method, **params.get(method, {}))


@pytest.fixture
async def open_app(still: Workspace) -> Workspace:
    """Every scope, and files that need no scan."""
    still.scopes |= {"team:read", "im:write", "channels:read"}
    still.file_processing_s = 0
    await still.attach(App(still).send)
    return still


@pytest.mark.parametrize("path", sorted((FIXTURES / "responses").glob("*.json")), ids=lambda path: path.stem)
async def test_answers_have_what_slacks_samples_have(open_app: Workspace, path: Path) -> None:
    method = path.name.removesuffix(".ok.json")

    assert lacking(fixture(f"responses/{path.stem}"), await one_answer(open_app, method)) == []


SKELETONS = sorted(p for p in (FIXTURES / "shapes").glob("*.json") if "." in p.stem)


@pytest.mark.parametrize("path", SKELETONS, ids=lambda path: path.stem)
async def test_answers_have_no_field_that_slack_does_not_know(open_app: Workspace, path: Path) -> None:
    answer = await one_answer(open_app, path.stem)

    assert strange(fixture(f"shapes/{path.stem}"), answer) == []
