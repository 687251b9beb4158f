"""Presses of buttons: what a payload says of one, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from handlers import words
from handlers.blocks.text import View
from handlers.services import Services

Answer = Callable[[View], Awaitable[None]]
"""Tells whoever pressed, and nobody else."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a button, as far as it matters here."""

    user_id: str
    team_id: str | None
    enterprise_id: str | None
    channel: str
    message_ts: str
    thread_ts: str | None
    reply_url: str | None
    action_id: str
    action_ts: str
    value: str

    @classmethod
    def of(cls, body: dict[str, Any], action: dict[str, Any]) -> Press:
        """Read out of Slack's payload."""
        user, container = body["user"], body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or user["id"]
        return cls(
            user_id=user["id"],
            team_id=user.get("team_id"),
            enterprise_id=user.get("enterprise_id"),
            channel=str(channel),
            message_ts=str(container.get("message_ts", "")),
            thread_ts=container.get("thread_ts"),
            reply_url=body.get("response_url"),
            action_id=str(action.get("action_id")),
            action_ts=str(action.get("action_ts", "")),
            value=str(action.get("value")),
        )

    @property
    def key(self) -> str:
        """The same for one press however often Slack sends it, and another for the next one."""
        return f"action:{self.channel}:{self.message_ts}:{self.user_id}:{self.action_id}:{self.action_ts}"


def start(services: Services, press: Press, name: str, work: Callable[[Answer], Awaitable[None]]) -> None:
    """Run *work* beside the listeners, unless an outsider pressed; *name* is what the log calls it.

    Never waits. Outsiders are told that it is not for them; if *work* breaks, whoever pressed is told so.
    """

    async def answer(view: View) -> None:
        await services.whisper(
            view,
            channel=press.channel,
            user_id=press.user_id,
            reply_url=press.reply_url,
            thread_ts=press.thread_ts,
        )

    async def guarded() -> None:
        # The payload's team can be the installing one for an outsider's press; the user's own is right.
        if services.guard.outsider(press.team_id, press.enterprise_id):
            await answer(View(words.OUTSIDER, ()))
        else:
            await work(answer)

    services.errands.start(
        f"{name} {press.user_id}",
        guarded(),
        lambda: answer(View(words.broken(services.config.voice), ())),
    )
