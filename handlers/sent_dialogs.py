"""Dialogs about a picture when they are sent: read, taken on in one transaction, acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.copies import Asker
from darkroom.turns.model import Request
from handlers import words
from handlers.asking import mapping
from handlers.blocks.dialogs import chosen_in
from handlers.blocks.text import View
from handlers.services import Services
from handlers.subjects import Memo, Subject, accept, find


@dataclass(frozen=True, slots=True)
class Sent:
    """A dialog that was sent: whose, about which picture, where it was opened, and what was ``chosen``."""

    user_id: str
    view_id: str
    memo: Memo
    chosen: str
    asker: Asker

    @classmethod
    def of(cls, body: dict[str, Any], services: Services) -> Sent:
        """Read out of Slack's payload."""
        view, memo = body["view"], Memo.read(body["view"])
        user_id, order = str(body["user"]["id"]), f"{services.clock.now().timestamp():.6f}"
        asker = Asker(user_id, f"view:{view['id']}", order, memo.channel, memo.thread)
        return cls(user_id, str(view["id"]), memo, chosen_in(view), asker)


Wanted = Callable[[Subject, Sent], Awaitable[Request | str]]
"""The request that a dialog is, or a sentence why it is none; asks our own books alone."""


def listen(app: AsyncApp, services: Services, callback_id: str, wanted: Wanted) -> None:
    """Listen to the dialog *callback_id*, which asks for pictures."""

    @app.view(callback_id)
    async def sent(ack: AsyncAck, body: dict[str, Any]) -> None:
        dialog = Sent.of(body, services)
        said = None if not_for(services, body) else await _take(services, dialog, wanted)
        await ack()
        if not_for(services, body):
            said = View(words.OUTSIDER, ())
        if said is not None:
            whisper(services, dialog, said)


def not_for(services: Services, body: dict[str, Any]) -> bool:
    """Whether an outsider sent it."""
    user = mapping(body.get("user"))
    return services.guard.outsider(user.get("team_id"), user.get("enterprise_id"))


def whisper(services: Services, sent: Sent, view: View) -> None:
    """Tell who sent a dialog, where they had opened it. Never waits."""

    async def say(said: View) -> None:
        await services.whisper(
            said,
            channel=sent.memo.channel or sent.user_id,
            user_id=sent.user_id,
            thread_ts=sent.memo.thread or None,
        )

    services.errands.start(
        f"answer to the dialog of {sent.user_id}",
        say(view),
        lambda: say(View(words.broken(services.config.voice), ())),
    )


async def _take(services: Services, sent: Sent, wanted: Wanted) -> View | None:
    subject = await find(services, sent.memo.picture)
    if isinstance(subject, View):
        return subject
    request = await wanted(subject, sent)
    if isinstance(request, str):
        return View(request, ())
    arrival = await accept(services, request)
    return arrival if isinstance(arrival, View) else None
