"""Presses of buttons: what a payload says of one, and how it is answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck

from handlers import words
from handlers.blocks.text import View
from handlers.clients import SlackRefused
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")

TOO_LATE = frozenset({"expired_trigger_id", "invalid_trigger_id", "trigger_expired"})
"""Slack's names for a press that is too long ago to open a dialog."""

Answer = Callable[[View], Awaitable[None]]
"""Tells whoever pressed, and nobody else."""
Work = Callable[[Answer], Awaitable[None]]
"""What a press asks for, told how to answer."""


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
    """Of the button, or of what was chosen in a menu."""
    trigger_id: str = ""
    """Opens a dialog, once, within 3 seconds."""

    @classmethod
    def of(cls, body: dict[str, Any], action: dict[str, Any]) -> Press:
        """Read out of Slack's payload."""
        user, container = body["user"], body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or user["id"]
        chosen = action.get("selected_option") or action
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
            value=str(chosen.get("value")),
            trigger_id=str(body.get("trigger_id", "")),
        )

    @property
    def key(self) -> str:
        """The same for one press however often Slack sends it, and another for the next one."""
        return f"action:{self.channel}:{self.message_ts}:{self.user_id}:{self.action_id}:{self.action_ts}"

    @property
    def root_ts(self) -> str:
        """The thread that the button's message stands in, or opens."""
        return self.thread_ts or self.message_ts


async def settle(
    services: Services,
    press: Press,
    ack: AsyncAck,
    name: str,
    decide: Callable[[], Awaitable[Work | None]],
) -> None:
    """Let *decide* write down what was pressed, which asks our own books alone, then acknowledge; what is
    left to do and to say runs beside the listeners. An outsider is told that it is not for them."""
    outsider = services.guard.outsider(press.team_id, press.enterprise_id)
    rest = _not_for_them if outsider else await decide()
    await ack()
    if rest is not None:
        start(services, press, name, rest)


def saying(view: View) -> Work:
    """Nothing is left to do but to say so."""

    async def say(answer: Answer) -> None:
        await answer(view)

    return say


async def _not_for_them(answer: Answer) -> None:
    await answer(View(words.OUTSIDER, ()))


def start(services: Services, press: Press, name: str, work: Work) -> None:
    """Run *work* beside the listeners, unless an outsider pressed; *name* is what the log calls it.

    Never waits. Outsiders are told that it is not for them; if *work* breaks, or its dialog comes too late,
    whoever pressed is told so.
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
        outsider = services.guard.outsider(press.team_id, press.enterprise_id)
        try:
            await (_not_for_them if outsider else work)(answer)
        except SlackRefused as refused:
            if refused.error not in TOO_LATE:
                raise
            logger.info("%s %s: no dialog: %s", name, press.user_id, refused.error)
            await answer(View(words.DIALOG_TOO_LATE, ()))

    services.errands.start(
        f"{name} {press.user_id}",
        guarded(),
        lambda: answer(View(words.broken(services.config.voice), ())),
    )
