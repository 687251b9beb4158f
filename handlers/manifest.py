"""The Slack app as data: what ``manifest.yml`` says, built from the names in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME = "Darkroom"
EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
"""The event types that we subscribe to."""

NEW_SHORTCUT, EDIT_SHORTCUT = "new_picture_shortcut", "edit_with_darkroom"
"""The ``callback_id`` of the global shortcut, and of the one in the menu of a message."""

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "mpim:history",
    "reactions:write",
    "users:read",
)
"""The bot's scopes, no more than what is used (``METHOD_SCOPES``, ``EVENT_SCOPES`` and the commands)."""


@dataclass(frozen=True, slots=True)
class ScopeReason:
    """Why Slack is asked for a scope: ``use`` is what Darkroom does with it, ``without`` what does not work
    where it is missing. Sentences without a full stop."""

    use: str
    without: str


_REPLIES = "replies without a mention, attached files, edited and deleted requests"
SCOPE_REASONS: Mapping[str, ScopeReason] = {
    "app_mentions:read": ScopeReason(
        "hear messages that mention it", "where it reads no other messages, mentions are not heard"
    ),
    "channels:history": ScopeReason(
        "hear replies in the threads of its pictures in public channels, and find its own posts again when "
        "Slack did not answer",
        f"in public channels: no {_REPLIES}; a post that Slack left unanswered may stand twice",
    ),
    "chat:write": ScopeReason(
        "post, change and delete its own messages where it was invited", "no picture reaches anybody"
    ),
    "commands": ScopeReason(
        "offer its two slash commands and the two shortcuts", "Slack offers neither commands nor shortcuts"
    ),
    "files:read": ScopeReason(
        "fetch the pictures that people attach, and see whether its own uploads are ready",
        "attached pictures cannot go along, and pictures are not shown under their buttons",
    ),
    "files:write": ScopeReason("upload its pictures, and delete them again", "no picture reaches Slack"),
    "groups:history": ScopeReason(
        "the same as channels:history in private channels that it was invited to",
        f"in private channels: no {_REPLIES}; a post that Slack left unanswered may stand twice",
    ),
    "im:history": ScopeReason(
        "read what people write to it in their direct messages with it",
        "nothing that is written to it there is heard: no prompts, and no replies to private pictures",
    ),
    "mpim:history": ScopeReason(
        "the same as channels:history in group direct messages that it was added to",
        f"in group direct messages: no {_REPLIES}; a post that Slack left unanswered may stand twice",
    ),
    "reactions:write": ScopeReason(
        "mark a message that it works on, and take the mark away again", "replies are answered without a sign"
    ),
    "users:read": ScopeReason(
        "know who is a guest, an admin, or of another workspace",
        "nobody gets a picture, since nobody can be told from a guest or an outsider",
    ),
}
"""What each scope is for, and what breaks without it."""

APP_SCOPE, APP_SCOPE_REASON = (
    "connections:write",
    ScopeReason(
        "open the connection of Socket Mode", "Socket Mode does not connect; HTTP needs no such token"
    ),
)
"""The scope of the app-level token, which no manifest can ask for."""

MESSAGE_SCOPES = ("channels:history", "groups:history", "mpim:history")
"""What Darkroom does without when it hears mentions only. The direct messages to it stay: there is no other
way to be written to there."""
MESSAGE_EVENTS = ("message.channels", "message.groups", "message.mpim")
"""The events that need them."""

METHOD_SCOPES = {
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.getPermalink": (),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.info": ("files:read",),
    "files.delete": ("files:write",),
    "users.info": ("users:read",),
    "conversations.history": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "views.open": (),
    "views.push": (),
    "views.update": (),
    "views.publish": (),
}
"""The scopes that each Web API method we call needs (Slack's method reference)."""

EVENT_SCOPES: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_uninstalled": (),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "tokens_revoked": (),
}
"""The scopes that each event type needs (Slack's event reference)."""


def build_manifest(
    imagine: str = "/imagine",
    spend: str = "/spend",
    *,
    http_url: str | None = None,
    mentions_only: bool = False,
) -> dict[str, Any]:
    """The manifest with these names for its commands.

    With *http_url* Slack sends everything to that address (``https://…``, at most 3,500 characters) instead
    of through Socket Mode. With *mentions_only* it asks for no scope that shows messages of channels.
    """
    spared = MESSAGE_SCOPES + MESSAGE_EVENTS if mentions_only else ()
    manifest = _manifest(
        [
            _command(imagine, "Make a picture", "a red fox in snow --size landscape"),
            _command(spend, _SPEND, _HINT),
        ],
        [scope for scope in SCOPES if scope not in spared],
        [event for event in EVENTS if event not in spared],
    )
    return manifest if http_url is None else _over_http(manifest, http_url)


_SPEND = "Show what your pictures cost"
_HINT = "[help | team | @person | #channel | cap | grant | report …]"


def _command(name: str, description: str, hint: str) -> dict[str, Any]:
    return {"command": name, "description": description, "usage_hint": hint, "should_escape": True}


def _over_http(manifest: dict[str, Any], url: str) -> dict[str, Any]:
    """The same for an app that Slack sends requests to."""
    settings, features = manifest["settings"], manifest["features"]
    commands = [{**command, "url": url} for command in features["slash_commands"]]
    return {
        **manifest,
        "features": {**features, "slash_commands": commands},
        "settings": {
            **settings,
            "event_subscriptions": {"request_url": url, **settings["event_subscriptions"]},
            "interactivity": {"is_enabled": True, "request_url": url},
            "socket_mode_enabled": False,
        },
    }


def _manifest(commands: list[dict[str, Any]], scopes: list[str], events: list[str]) -> dict[str, Any]:
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": NAME,
            "description": "Makes pictures: every picture has a price, every person a cap.",
            "background_color": "#1d1c1d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "shortcuts": [
                {
                    "name": "New picture",
                    "type": "global",
                    "callback_id": NEW_SHORTCUT,
                    "description": "Describe a picture and see its price",
                },
                {
                    "name": "Edit with Darkroom",
                    "type": "message",
                    "callback_id": EDIT_SHORTCUT,
                    "description": "Change the picture of this message",
                },
            ],
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {"bot_events": events},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
