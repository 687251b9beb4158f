"""Mentions, replies in threads, and messages in our direct message; also edited and deleted ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.turns.model import Request, Surface, TurnState
from handlers import words
from handlers.asking import mapping, named
from handlers.attached import files_of
from handlers.blocks import hints
from handlers.blocks.text import View
from handlers.hearing import Heard, Place, from_person, hear
from handlers.meeting import meet
from handlers.options import BadOption
from handlers.services import Services

Event = Mapping[str, Any]

PAIR_WAIT_S = 3.0
"""A mention's other event comes within so long, where Slack sends us both."""
TWICE_MAX = 1_000
"""Of so many messages it is remembered that they came as ``message``, or when they were edited."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to messages and mentions."""
    threads = Threads(services)

    @app.event("app_mention")
    async def mentioned(ack: AsyncAck, event: dict[str, Any]) -> None:
        await threads.said(ack, event)

    @app.event("message")
    async def message(ack: AsyncAck, event: dict[str, Any]) -> None:
        if event.get("subtype") == "message_changed":
            await threads.edited(event)
        elif event.get("subtype") == "message_deleted":
            await threads.deleted(event)
        else:
            await threads.said(ack, event)


class Threads:
    """What happens to messages. Bolt acknowledges when a method returns; none waits for Slack."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._whole: dict[tuple[str, str], None] = {}
        self._edits: dict[tuple[str, str], str] = {}

    async def said(self, ack: AsyncAck, event: Event) -> None:
        """Somebody wrote something: a request if it is for us and its person counts."""
        services = self._services
        heard = hear(event, services) if from_person(event, services) else None
        if heard is None:
            return
        whole = event.get("type") == "message"
        if whole:
            self._remember(heard.place)
        if heard.request is None:
            # A mention comes twice; only as `message` is it sure to have its files, so that it may complain.
            hint = self._hint(heard) if whole else self._hint_if_alone(heard)
            services.errands.start(f"hint for {heard.place.channel_id} {heard.place.ts}", hint)
            return
        arrival = await services.intake.accept(heard.request)
        await ack()
        services.intake.submit(arrival)
        if heard.place.direct:
            user_id, channel_id = heard.place.user_id, heard.place.channel_id
            services.errands.start(f"meeting {user_id}", meet(services, user_id, channel_id))

    async def edited(self, event: Event) -> None:
        """Somebody changed a message: what still waits is replaced, or taken back if it asks no more."""
        services = self._services
        now, before = mapping(event.get("message")), mapping(event.get("previous_message"))
        channel_id, ts = named(event, "channel"), named(now, "ts") or named(before, "ts")
        if now.get("subtype") == "tombstone":
            await self._take_back(channel_id, ts, before, words.DELETE_TOO_LATE)
            return
        same = now.get("text") == before.get("text") and _files(now) == _files(before)
        as_said = {**now, "channel": channel_id, "ts": ts, "channel_type": event.get("channel_type")}
        if same or not from_person(as_said, services):
            return
        if self._is_outdated(channel_id, ts, named(mapping(now.get("edited")), "ts")):
            return
        heard = hear(as_said, services)
        if heard is None or heard.empty:
            await self._take_back(channel_id, ts, now, words.EDIT_TOO_LATE)
        elif heard.request is None:
            services.errands.start(f"edit of {channel_id} {ts}", self._refuse_edit(heard))
        else:
            await self._revise(heard, heard.request)

    def _is_outdated(self, channel_id: str, ts: str, edited_ts: str) -> bool:
        """Whether a later edit of that message came before this one: Slack sends an event again, minutes
        later, that nobody acknowledged."""
        latest = self._edits.pop((channel_id, ts), "")
        self._edits[channel_id, ts] = max(latest, edited_ts)
        if len(self._edits) > TWICE_MAX:
            del self._edits[next(iter(self._edits))]
        return bool(edited_ts) and edited_ts < latest

    async def _revise(self, heard: Heard, request: Request) -> None:
        services = self._services
        ts = heard.place.ts
        before = await services.log.turn_of_message(request.team_id, request.channel_id, ts)
        if before is None:
            return
        if before.request.intent is not request.intent:
            complaint = replace(heard, complaint=BadOption(hints.EDITED_INTO_ANOTHER))
            services.errands.start(f"edit of {request.channel_id} {ts}", self._refuse_edit(complaint))
            return
        turn = await services.intake.revise(
            request.team_id,
            request.channel_id,
            ts,
            request.prompt,
            request.options,
            request.attachments,
            wanted=request.wanted,
        )
        if turn is not None and _asks(turn.request) != _asks(request):
            self._whisper(heard.place, words.EDIT_TOO_LATE)

    async def deleted(self, event: Event) -> None:
        """Somebody deleted a message: cancel what still waits."""
        before = mapping(event.get("previous_message"))
        ts = named(event, "deleted_ts") or named(before, "ts")
        await self._take_back(named(event, "channel"), ts, before, words.DELETE_TOO_LATE)

    async def _take_back(self, channel_id: str, ts: str, message: Event, too_late: str) -> None:
        services = self._services
        if not ts or message.get("bot_id"):
            return
        turn = await services.intake.take_back(services.config.team_id, channel_id, ts)
        if turn is not None and turn.state is TurnState.WORKING:
            request = turn.request
            place = Place(channel_id, ts, request.user_id, request.thread_ts or ts, True, request.surface)
            self._whisper(place, too_late)

    def _remember(self, place: Place) -> None:
        self._whole[(place.channel_id, place.ts)] = None
        if len(self._whole) > TWICE_MAX:
            del self._whole[next(iter(self._whole))]

    async def _hint_if_alone(self, heard: Heard) -> None:
        """Answer a mention that did not also come as ``message``, since we may not read that channel."""
        message = heard.place.channel_id, heard.place.ts
        if message not in self._whole:
            await self._services.clock.sleep(PAIR_WAIT_S)
        if message not in self._whole:
            await self._hint(heard)

    async def _hint(self, heard: Heard) -> None:
        services, place = self._services, heard.place
        if place.surface is Surface.REPLY:
            # Whoever just talks never hears from us.
            config = services.config
            if not await services.log.reply_counts(
                config.team_id, place.channel_id, place.thread_ts, place.user_id, config.thread_replies
            ):
                return
        await self._tell(place, heard.hint or self._objection(heard.complaint))

    async def _refuse_edit(self, heard: Heard) -> None:
        services, place = self._services, heard.place
        team_id = services.config.team_id
        turn = await services.log.turn_of_message(team_id, place.channel_id, place.ts)
        if turn is not None and heard.complaint is not None:
            services.note(heard.complaint)
            await self._tell(place, words.edit_not_taken(str(heard.complaint)))

    def _objection(self, complaint: BadOption | None) -> str:
        if complaint is None:
            return words.usage(self._services.config.voice)
        self._services.note(complaint)
        return words.bad_option(str(complaint))

    def _whisper(self, place: Place, text: str) -> None:
        self._services.errands.start(f"hint for {place.channel_id} {place.ts}", self._tell(place, text))

    async def _tell(self, place: Place, text: str) -> None:
        await self._services.whisper(
            View(text, ()),
            channel=place.channel_id,
            user_id=place.user_id,
            thread_ts=place.thread_ts if place.reply else None,
        )


def _asks(request: Request) -> tuple[object, ...]:
    return request.prompt, request.options, request.wanted


def _files(message: Event) -> list[object]:
    return [file.get("id") for file in files_of(message)]
