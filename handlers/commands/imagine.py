"""``/imagine``: a picture from words."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.model import Request, Surface
from handlers import last, modals, status, words
from handlers.blocks import modal
from handlers.blocks.hints import magic_outside
from handlers.blocks.text import plain
from handlers.hearing import magic_word
from handlers.last import Fetch, Fetcher, read_last
from handlers.options import BadOption, Said, read_options
from handlers.services import Services
from handlers.status import Status, read_status


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the command."""

    @app.command(services.config.imagine)
    async def imagine(ack: AsyncAck, command: dict[str, Any]) -> None:
        request = read_command(command, services)
        if isinstance(request, str):
            await ack(text=request)
            return
        if isinstance(request, Fetch):
            await ack(text=last.start(services, _fetcher(command), request))
            return
        if isinstance(request, Status):
            await ack(text=status.start(services, _asker(command)) or "")
            return
        if isinstance(request, Said):
            if services.errands.full:
                await ack(text=modal.not_opened(services.config.imagine))
                return
            await ack()
            modals.start(services, _caller(command), request)
            return
        arrival = await services.intake.accept(request)
        await ack()
        services.intake.submit(arrival)


def _caller(command: dict[str, Any]) -> modals.Caller:
    return modals.Caller(
        user_id=command["user_id"],
        trigger_id=command["trigger_id"],
        channel_id=command["channel_id"],
        reply_url=command.get("response_url"),
    )


def _fetcher(command: dict[str, Any]) -> Fetcher:
    return Fetcher(
        user_id=command["user_id"],
        channel_id=command["channel_id"],
        reply_url=command.get("response_url"),
        key=command["trigger_id"],
    )


def _asker(command: dict[str, Any]) -> status.Asker:
    return status.Asker(command["user_id"], command["channel_id"], command.get("response_url"))


def read_command(command: dict[str, Any], services: Services) -> Request | Said | Fetch | Status | str:
    """The request that a command is; what was said, for the dialog, where the prompt is missing; the pictures
    that are to be fetched; that it is how things are that is wanted; or what to answer instead."""
    config = services.config
    if services.guard.outsider(command.get("team_id"), command.get("enterprise_id")):
        return words.OUTSIDER
    text = plain(str(command.get("text") or "")).strip()
    if text.lower() == "help":
        return words.usage(config.voice)
    if (fetch := read_last(text)) is not None:
        return fetch
    if (asked := read_status(text)) is not None:
        return asked
    if (magic := magic_word(text)) is not None:
        return magic_outside(magic)
    try:
        said = read_options(text, services.rules, services.today())
    except BadOption as error:
        services.note(error)
        return words.bad_option(str(error))
    if not said.prompt:
        return said
    return Request(
        key=f"command:{command['trigger_id']}",
        surface=Surface.COMMAND,
        team_id=config.team_id,
        channel_id=command["channel_id"],
        user_id=command["user_id"],
        prompt=said.prompt,
        order=f"{services.clock.now().timestamp():.6f}",
        options=said.options,
        reply_url=command.get("response_url"),
        wanted=said.wanted,
        private=said.private,
    )
