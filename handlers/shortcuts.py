"""Slack's shortcuts: a new picture from anywhere, and "Edit with Darkroom" in the menu of a message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.model import REFERENCES_MAX, Attachment, Picture
from handlers import dialog_facts, modals, words
from handlers.asking import mapping, named
from handlers.attached import attachments_of, files_of
from handlers.blocks import modal, modal_about
from handlers.blocks.modal import Form
from handlers.blocks.modal_memo import KeptPicture, Memo
from handlers.blocks.text import View
from handlers.clients import SlackRefused, SlackUnclear
from handlers.manifest import EDIT_SHORTCUT, NEW_SHORTCUT
from handlers.modals import Caller
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")

_NO_FILE = frozenset({"file_not_found", "file_deleted", "not_visible", "access_denied", "missing_scope"})
"""Slack's names for a file that we may not read (files.info)."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to both shortcuts."""

    @app.global_shortcut(NEW_SHORTCUT)
    async def new_picture(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        caller = _caller(body)
        if not _turned_away(services, body, caller):
            modals.start(services, caller)

    @app.message_shortcut(EDIT_SHORTCUT)
    async def edit(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        caller = _caller(body)
        if not _turned_away(services, body, caller):
            services.errands.start(
                f"edit dialog of {caller.user_id}",
                _edit(services, caller, mapping(body.get("message"))),
                lambda: modals.not_opened(services, caller, View(words.broken(services.config.voice), ())),
            )


def _caller(body: Mapping[str, Any]) -> Caller:
    return Caller(
        user_id=str(body["user"]["id"]),
        trigger_id=str(body["trigger_id"]),
        channel_id=named(mapping(body.get("channel")), "id"),
        reply_url=body.get("response_url"),
    )


def _turned_away(services: Services, body: Mapping[str, Any], caller: Caller) -> bool:
    user = mapping(body.get("user"))
    away = services.guard.outsider(user.get("team_id"), user.get("enterprise_id"))
    if away:
        work = modals.not_opened(services, caller, View(words.OUTSIDER, ()))
        services.errands.start(f"outsider {caller.user_id}", work)
    return away


@dataclass(frozen=True, slots=True)
class _Found:
    """What a message has to edit: pictures of ours, or somebody's files and whether we may read them."""

    pictures: Sequence[Picture]
    files: tuple[Attachment, ...]
    readable: bool
    outside: bool


async def _edit(services: Services, caller: Caller, message: Mapping[str, Any]) -> None:
    found = await _look(services, caller, message)
    if not found.pictures and not found.files:
        await _say_nothing_to_edit(services, caller)
        return
    us = services.config.voice.us
    if found.pictures:
        about = modal_about.ours(found.pictures)
    elif found.readable:
        about = modal_about.theirs([file.name for file in found.files])
    else:
        about = modal_about.UNREADABLE
    direct = found.outside or not found.readable
    memo = Memo(
        channel_id=caller.channel_id,
        thread_ts=named(message, "thread_ts") or named(message, "ts"),
        pictures=tuple(KeptPicture(one.id, one.version) for one in found.pictures),
        files=found.files if found.readable and not found.pictures else (),
        direct=direct,
        about=f"{about} {modal_about.in_our_dm(us, caller.channel_id)}" if direct else about,
    )
    form = Form(which=found.pictures[-1].id if found.pictures else None)
    await modals.Dialogs(services).open(caller, modal.EDIT_VIEW, form, memo)


async def _look(services: Services, caller: Caller, message: Mapping[str, Any]) -> _Found:
    ts = named(message, "ts")
    pictures = await services.conversations.pictures_of_message(
        services.config.team_id, caller.channel_id, ts
    )
    files = () if pictures else _pictures_in(message)
    if not pictures and not files:
        return _Found((), (), readable=True, outside=False)
    outside, readable = await asyncio.gather(
        dialog_facts.is_outside(services, caller.channel_id), _readable(services, files)
    )
    return _Found(pictures, files, readable, outside is True)


def _pictures_in(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files of a message that are pictures, or may be: of a file from another workspace Slack says
    nothing but that it has to be asked for (``check_file_info``)."""
    likely = [
        file
        for file in files_of(message)
        if named(file, "mimetype").startswith("image/") or file.get("file_access") == "check_file_info"
    ]
    return attachments_of({"files": likely})[:REFERENCES_MAX]


async def _readable(services: Services, files: Sequence[Attachment]) -> bool:
    """Whether we may read the files of a message: as the first of them, since they were shared together.
    Where Slack does not say so in time, it is found out when they are fetched."""
    if not files:
        return True
    try:
        async with asyncio.timeout(dialog_facts.ANSWER_WAIT_S):
            await services.slack.file_info(files[0].file_id)
    except SlackRefused as refused:
        return refused.error not in _NO_FILE
    except (SlackUnclear, TimeoutError):
        return True
    return True


async def _say_nothing_to_edit(services: Services, caller: Caller) -> None:
    try:
        await services.slack.open_view(caller.trigger_id, modal.nothing_to_edit_view())
    except (SlackRefused, SlackUnclear) as error:
        logger.info("a dialog was not opened: %s", error)
        await modals.not_opened(services, caller, View(modal.NOTHING_TO_EDIT, ()))
