"""What the sandbox sends, one of each, and the published samples of it, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.images.api import Answer, ImageApi
from sandbox.slack.api import METHODS
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import KEY, events_of, quick_api, request
from tests.sandbox_slack.conftest import App, Clock, ok
from tests.sandbox_slack.test_shapes import MODAL, one_answer, one_of_everything

Json = dict[str, Any]
FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
SLACK: Final = FIXTURES / "slack"
STREAM: Final = FIXTURES / "openai" / "streams"
DESIGN: Final = "C0DESIGN01"

SKELETONS: Final[Mapping[str, str]] = {
    "slash_command": "SlashCommandPayload",
    "app_mention": "AppMentionPayload",
    "message_user": "MessagePayload",
    "message_from_bot": "MessageBotPayload",
    "message_changed": "MessageChangedPayload",
    "message_deleted": "MessageDeletedPayload",
    "message_file_share_full": "MessageFileSharePayload",
    "reaction_added": "ReactionAddedPayload",
    "app_home_opened": "AppHomeOpenedPayload",
    "app_uninstalled": "AppUninstalledPayload",
    "tokens_revoked": "TokensRevokedPayload",
    "block_actions": "BlockActionPayload",
    "message_shortcut": "MessageShortcutPayload",
    "view_submission": "ViewSubmissionPayload",
    "view_closed": "ViewClosedPayload",
}
"""The skeleton, with every field there is, of each payload."""

REFUSED: Final[Mapping[str, Json]] = {
    "bots.info": {"bot": "B0NOBODY01"},
    "conversations.info": {"channel": "C0NOWHERE1"},
    "reactions.get": {"token": "xoxb-unknown"},
    "auth.test": {"token": "xoxb-unknown"},
    "chat.delete": {"channel": DESIGN, "ts": "1.000001"},
    "chat.postEphemeral": {"channel": DESIGN, "user": "U0OUTSIDE1", "text": "x"},
    "chat.postMessage": {"channel": DESIGN, "text": "x" * 40_001},
    "chat.update": {"channel": "C0ATTIC001", "ts": "1.000001", "text": "x"},
    "conversations.open": {"users": "U0NOBODY01"},
    "conversations.replies": {"channel": DESIGN, "ts": "1.000001"},
    "files.info": {"file": "F0NOTHING1"},
    "reactions.add": {"channel": DESIGN, "timestamp": "1.000001", "name": "Not a name"},
    "team.info": {"token": "xoxb-unknown"},
    "users.info": {"user": "U0NOBODY01"},
    "views.open": {"trigger_id": "1.2.3", "view": {"type": "modal"}},
    "views.publish": {"user_id": "U0ALICE001", "view": {"type": "home"}},
}
"""Arguments that each method refuses."""

ERRORS: Final[Mapping[str, str]] = {
    "moderation_blocked_images_400": "moderation",
    "retired_model_images_400": "model retired",
    "org_unverified_403": "unverified organisation",
    "org_unverified_host_404": "unverified for the host",
    "model_not_found_404": "model gone",
    "invalid_key_401": "wrong key",
    "missing_scope_401": "missing scope",
    "quota_429": "out of credit",
    "billing_hard_limit_400": "billing limit",
    "ipm_429": "rate limit",
    "invalid_image_file_400": "bad picture",
}
"""The named fault that is each captured error of the image API."""
STREAMS: Final[Mapping[str, str]] = {
    "error_flat": "flat error event",
    "error_nested_then_failed": "nested error event",
    "failed_only": "failed event",
    "item_moderation_blocked": "moderation of the picture",
}
"""The named fault that is each captured stream without a picture."""


def read(path: Path) -> Any:
    """A sample."""
    return json.loads(path.read_text())


def workspace() -> Workspace:
    """On a clock that stands still, with every scope, and files that need no scan."""
    clock = Clock()
    made = Workspace(now=clock.now, sleep=clock.sleep, file_processing_s=0)
    made.scopes |= {"team:read", "im:write", "channels:read", "reactions:read"}
    return made


async def payloads() -> Json:
    """One of each payload, by the name of its sample."""
    made = await one_of_everything(workspace())
    made["message_file_share_small"] = made["message_file_share_full"]
    made["message_channel"] = made["message_user"]
    slack = workspace()
    app = App(slack)
    await slack.attach(app.send)
    view = {"type": "home", "blocks": [{"type": "divider"}]}
    await ok(slack, "views.publish", user_id="U0ALICE001", view=view)
    await slack.open_home("alice")
    await slack.uninstall()
    made |= {each["payload"]["event"]["type"]: each["payload"] for each in app.envelopes}
    made["view_submission_response_urls"] = await _with_response_urls()
    return made


async def _with_response_urls() -> Json:
    slack = workspace()
    app = App(slack)
    await slack.attach(app.send)
    channel = {
        "type": "conversations_select",
        "action_id": "a",
        "response_url_enabled": True,
        "default_to_current_conversation": True,
    }
    block = {"type": "input", "block_id": "b", "label": MODAL["title"], "element": channel}
    seen = await slack.type_command("alice", DESIGN, "/imagine")
    view = {**MODAL, "blocks": [block]}
    opened = await ok(slack, "views.open", trigger_id=seen.payload["trigger_id"], view=view)
    await slack.submit_view("alice", opened["view"]["id"], {})
    return dict(app.envelopes[-1]["payload"])


async def envelopes() -> Json:
    """One envelope of each kind."""
    slack = workspace()
    app = App(slack)
    await slack.attach(app.send)
    await slack.type_command("alice", DESIGN, "/imagine a fox")
    await slack.post("alice", DESIGN, "a fox")
    await slack.use_shortcut("alice", "make")
    return {f"envelope_{each['type']}": each for each in app.envelopes}


async def answer(method: str) -> Json:
    """A good answer of a method."""
    slack = workspace()
    await slack.attach(App(slack).send)
    return await one_answer(slack, method)


async def refusal(method: str) -> Json:
    """An answer of a method that refuses."""
    slack = workspace()
    return dict((await slack.call(method, REFUSED[method], slack.bot_token)).body)


def here(folder: str) -> list[str]:
    """The methods of the samples in a folder that the sandbox has."""
    named = [path.name.removesuffix(".json").removesuffix(".ok") for path in (SLACK / folder).glob("*.json")]
    return sorted(name for name in named if name in METHODS)


async def stream() -> dict[str, Json]:
    """The events of a picture, as the sample's was made: by the host's own choice, with one preview."""
    return by_kind(await events_of(await _streamed(quick_api())))


async def failing_stream(fault: str) -> dict[str, Json]:
    """The events of a picture that meets a named fault; not all of them are of the client's own types."""
    api = quick_api()
    api.fault_plan = FaultPlan([Rule("openai", "responses", fault)])
    answer = await _streamed(api)
    assert answer.events is not None
    return by_kind([event async for event in answer.events])


async def _streamed(api: ImageApi) -> Answer:
    asked = request(stream=True, tool={"partial_images": 1}, tool_choice="auto")
    return await api.create_response(asked, KEY)


def by_kind(events: list[Json]) -> dict[str, Json]:
    """Events by their type, those of items also by the item's."""
    named: dict[str, Json] = {}
    for event in events:
        item = event.get("item", {}).get("type", "")
        named.setdefault(f"{event['type']} {item}".strip(), event)
    return named


async def error(fault: str) -> tuple[int, Json]:
    """Status and body of a call that meets a named fault."""
    api = quick_api()
    api.fault_plan = FaultPlan([Rule("openai", "responses", fault)])
    answer = await api.create_response(request(), KEY)
    return answer.status, answer.body or {}
