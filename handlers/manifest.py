"""The Slack app as data: what ``manifest.yml`` says, built from the names in the settings."""

from __future__ import annotations

from typing import Any

NAME = "Darkroom"
EVENTS = (
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
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
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
}
"""The scopes that each event type needs (Slack's event reference)."""


def build_manifest(imagine: str = "/imagine", spend: str = "/spend") -> dict[str, Any]:
    """The manifest with these names for its commands."""
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
            "slash_commands": [
                {
                    "command": imagine,
                    "description": "Make a picture",
                    "usage_hint": "a red fox in snow --size landscape",
                    "should_escape": True,
                },
                {
                    "command": spend,
                    "description": "Show what your pictures cost",
                    "usage_hint": "[help | team | @person | #channel | cap | grant | report …]",
                    "should_escape": True,
                },
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
