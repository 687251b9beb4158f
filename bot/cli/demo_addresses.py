"""The addresses of a kept demo's Slack, which may listen elsewhere when it starts again."""

from __future__ import annotations

import re
from typing import Any

from sandbox.slack.workspace import Workspace


def readdress(workspace: Workspace, before: str) -> None:
    """Let every address of the Slack that listened at *before*, in what the app has said and shown, be one of
    the Slack that listens now."""
    here = workspace.base_url
    if before in ("", here):
        return

    def now(said: Any) -> Any:
        match said:
            case str():
                return re.sub(rf"{re.escape(before)}(?=[/|>]|$)", here, said)
            case list():
                return [now(each) for each in said]
            case dict():
                return {name: now(value) for name, value in said.items()}
        return said

    posted = [each for room in workspace.channels.values() for each in room.messages.values()]
    for message in posted:
        message.text, message.blocks = now(message.text), now(message.blocks)
    for only in workspace.ephemerals:
        only.text, only.blocks = now(only.text), now(only.blocks)
    for shown in (workspace.homes, workspace.views):
        for name, view in shown.items():
            shown[name] = now(view)
