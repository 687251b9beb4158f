"""Deleting a picture: for who asked for it and for admins, after a dialog that says what stays."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.model import Picture
from handlers import words, words_pictures
from handlers.blocks.dialogs import DELETE_CALLBACK, delete_dialog
from handlers.blocks.text import View
from handlers.home import Homes
from handlers.presses import Answer, Press
from handlers.sent_dialogs import Sent, not_for, whisper
from handlers.services import Services
from handlers.subjects import Memo, Subject, thread_of


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the dialog being sent."""
    homes = Homes(services)

    @app.view(DELETE_CALLBACK)
    async def sent(ack: AsyncAck, body: dict[str, Any]) -> None:
        dialog = Sent.of(body, services)
        said = words.OUTSIDER if not_for(services, body) else await _erase(services, homes, dialog)
        await ack()
        services.wake_recalling()
        whisper(services, dialog, View(said, ()))


async def ask_to_delete(services: Services, press: Press, subject: Subject, answer: Answer) -> None:
    """Open the dialog, or say who may delete."""
    picture = subject.picture
    if not await _may(services, picture, press.user_id):
        await answer(View(words_pictures.deleting_not_yours(services.config.voice), ()))
        return
    built_on = await services.conversations.built_on(picture.id)
    memo = Memo(picture.id, press.channel, thread_of(subject, press)).write()
    await services.slack.open_view(press.trigger_id, delete_dialog(picture, built_on, memo))


async def _may(services: Services, picture: Picture, user_id: str) -> bool:
    return user_id == picture.user_id or await services.guard.is_admin(user_id)


async def _erase(services: Services, homes: Homes, sent: Sent) -> str:
    # Who may was asked when the dialog was opened; nobody else can send it.
    done = await services.eraser.erase(sent.memo.picture, sent.user_id, services.clock.now())
    if done is None:
        return words_pictures.GONE
    # Slack keeps what it shows there, prompts and all, until it is shown anew.
    homes.refresh(done.picture.user_id, 0)
    return words_pictures.erased(done)
