"""The Home tab: shown when it is opened, and again after what is chosen or pressed there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.spending.budgets import Balance
from darkroom.spending.changes import Author, SetPaused
from darkroom.spending.models import CatalogueProblem
from darkroom.spending.policy import person_budget
from darkroom.spending.sizes import BadSize, check_size, named_sizes, parse_size
from darkroom.spending.spans import span_of
from darkroom.turns.conversations import Preferences
from darkroom.turns.endings import Reason
from darkroom.turns.model import Picture
from handlers import modals, words, words_endings
from handlers.asking import mapping, named
from handlers.blocks import home as blocks
from handlers.blocks.text import View
from handlers.clients import SlackRefused, SlackUnclear
from handlers.commands.spend import usual_price
from handlers.meeting import meet
from handlers.pacing import SIGN_PATIENCE_S
from handlers.posting import Repeat
from handlers.presses import Answer, Press, start
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")

QUALITIES = ("low", "medium", "high")
"""What may be preferred: the same that may be the setting."""
_VIEW_REFUSED = frozenset({"invalid_arguments", "invalid_blocks", "invalid_blocks_format", "file_not_found"})
"""What Slack says of a view with a picture that it does not take (any more)."""


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the tab being opened, and to everything on it but the reports' button."""
    homes = Homes(services)

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        homes.opened(event)

    async def prefer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        # On disk before it is acknowledged: nothing else says that it was kept.
        await homes.prefer(body, action)
        await ack()

    async def turn_page(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        homes.turn_page(Press.of(body, action))

    for action_id in (blocks.SIZE_ACTION, blocks.QUALITY_ACTION, blocks.PRIVATE_ACTION):
        app.action(action_id)(prefer)
    for action_id in (blocks.NEWER_ACTION, blocks.OLDER_ACTION):
        app.action(action_id)(turn_page)

    @app.action(blocks.NEW_ACTION)
    async def new(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = Press.of(body, action)
        if not services.guard.outsider(press.team_id, press.enterprise_id):
            modals.start(services, modals.Caller(press.user_id, str(body.get("trigger_id")), ""))

    @app.action(blocks.PAUSE_ACTION)
    async def pause(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        homes.pause(Press.of(body, action), blocks.page_of_view(mapping(body.get("view"))))


class Homes:
    """Everybody's tab. One person's is published by one task at a time, which goes on while more is wanted:
    what was wanted last is what stands there."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repeat = Repeat(services.clock)
        self._wanted: dict[str, int] = {}
        self._publishing: set[str] = set()
        self._preferring = asyncio.Lock()

    def opened(self, event: Mapping[str, Any]) -> None:
        """Somebody opened the tab, or the messages beside it. Never waits."""
        user_id, channel_id = named(event, "user"), named(event, "channel")
        if not user_id:
            return
        if channel_id.startswith("D"):
            self._services.errands.start(f"meeting {user_id}", meet(self._services, user_id, channel_id))
        if event.get("tab") == "home":
            self.refresh(user_id, 0)

    def refresh(self, user_id: str, page: int) -> None:
        """Show somebody's tab as things stand, with that page of their pictures. Never waits."""
        self._wanted[user_id] = page
        if user_id in self._publishing or self._services.errands.full:
            return
        self._publishing.add(user_id)
        self._services.errands.start(f"home of {user_id}", self._publish_wanted(user_id))

    def turn_page(self, press: Press) -> None:
        """Somebody wants other pictures to be shown."""
        if not self._services.guard.outsider(press.team_id, press.enterprise_id):
            self.refresh(press.user_id, blocks.number_of(press.value))

    async def prefer(self, body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        """Keep what somebody chose; what is none of our values changes nothing."""
        services, user = self._services, mapping(body.get("user"))
        user_id, team_id = named(user, "id"), services.config.team_id
        if not user_id or services.guard.outsider(user.get("team_id"), user.get("enterprise_id")):
            return
        # One after the other: each change is made of what was kept before it.
        async with self._preferring:
            before = await services.conversations.preferences(team_id, user_id)
            after = chosen(before, action, self._paints)
            if after != before:
                await services.conversations.prefer(team_id, user_id, after, services.clock.now())
        self.refresh(user_id, blocks.page_of_view(mapping(body.get("view"))))

    def pause(self, press: Press, page: int) -> None:
        """An admin wants nothing new to be made, or again."""

        async def work(answer: Answer) -> None:
            services, config = self._services, self._services.config
            if not await services.guard.is_admin(press.user_id):
                await answer(View(words.admins_only(config.voice), ()))
            elif press.value in (blocks.PAUSE, blocks.RESUME):
                change = SetPaused(press.value == blocks.PAUSE)
                author = Author(config.team_id, press.user_id, press.key)
                await services.admin.change(change, author, config.caps, services.clock.now())
                services.policy_changed()
            self.refresh(press.user_id, page)

        start(self._services, press, "pause by", work)

    async def _publish_wanted(self, user_id: str) -> None:
        try:
            while (page := self._wanted.pop(user_id, None)) is not None:
                await self._publish(user_id, page)
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("home of %s not shown: %s", user_id, error)
        finally:
            self._publishing.discard(user_id)

    async def _publish(self, user_id: str, page: int) -> None:
        refusal = await self._services.guard.refuses(user_id)
        if refusal is not None:
            if refusal.reason is Reason.CANNOT_POST:
                sentence = blocks.UNKNOWN_PERSON
            else:
                sentence = words_endings.say(refusal, self._services.config.voice, words.Hearer(user_id))
            await self._show(user_id, blocks.closed_view(sentence))
            return
        mine = await self._mine(user_id, page)
        pictures = frozenset(picture.id for picture in mine.page.pictures)
        try:
            await self._show(user_id, blocks.home_view(mine, pictures))
        except SlackRefused as refused:
            if refused.error not in _VIEW_REFUSED:
                raise
            logger.info("home of %s: Slack does not take a picture: %s", user_id, refused.detail or refused)
            await self._show_what_can_be(user_id, mine)

    async def _show_what_can_be(self, user_id: str, mine: blocks.Mine) -> None:
        """Somebody deleted a file in Slack: its picture is named all the same."""
        there = [each.id for each in mine.page.pictures if await self._is_there(each)]
        try:
            await self._show(user_id, blocks.home_view(mine, frozenset(there)))
        except SlackRefused as refused:
            if refused.error not in _VIEW_REFUSED:
                raise
            await self._show(user_id, blocks.home_view(mine, frozenset()))

    async def _is_there(self, picture: Picture) -> bool:
        try:
            slack = self._services.slack.within(SIGN_PATIENCE_S)
            return picture.file_id is not None and (await slack.file_info(picture.file_id)).usable
        except (SlackRefused, SlackUnclear):
            return False

    async def _show(self, user_id: str, view: Mapping[str, Any]) -> None:
        await self._repeat(lambda: self._services.slack.publish_home(user_id, view))

    async def _mine(self, user_id: str, number: int) -> blocks.Mine:
        services, config, now = self._services, self._services.config, self._services.clock.now()
        team_id = config.team_id
        own, *others = await services.spend.balances(team_id, user_id, None, config.caps, now)
        page = await services.conversations.page_of(team_id, user_id, number, blocks.PAGE_SIZE)
        links = await asyncio.gather(*(self._link(each) for each in page.pictures))
        usual = usual_price(services)
        return blocks.Mine(
            balance=own,
            others=[each for each in others if each.left_nano_usd is not None and each.left_nano_usd < usual],
            notices=await self._notices(user_id),
            preferences=await services.conversations.preferences(team_id, user_id),
            choices=self._choices(),
            page=page,
            links={each.id: link for each, link in zip(page.pictures, links, strict=True) if link},
            timezone=config.caps.timezone,
            imagine=config.imagine,
            spend=config.spend,
            more_money=words.more_money(config.voice, user_id),
            team=await self._team(others[-1]) if await services.guard.is_admin(user_id) else None,
        )

    async def _notices(self, user_id: str) -> Sequence[str]:
        services = self._services
        policy, names = await services.admin.policy(services.config.team_id)
        key = next((key for key, known in names.people.items() if known == user_id), "")
        voice = services.config.voice
        return [
            *([blocks.PAUSED] if policy.paused else []),
            *([blocks.blocked_words(voice.an_admin)] if key in policy.blocked else []),
            *([blocks.PILOT] if policy.pilots and person_budget(key) not in policy.pilots else []),
        ]

    async def _team(self, workspace: Balance) -> blocks.Team:
        services, config = self._services, self._services.config
        span = span_of(workspace.period)
        report = await services.spend.report(config.team_id, span, config.caps, services.clock.now())
        policy, _ = await services.admin.policy(config.team_id)
        return blocks.Team(report, policy.paused)

    async def _link(self, picture: Picture) -> str | None:
        """To the message that brought it, else to its thread; None where there is none any more."""
        turn = await self._services.log.turn(picture.turn_id)
        ts = turn.message_ts if turn is not None and turn.message_ts else picture.thread_ts
        try:
            return await self._services.slack.permalink(picture.channel_id, ts)
        except (SlackRefused, SlackUnclear):
            return None

    def _choices(self) -> blocks.Choices:
        config = self._services.config
        sizes = {name: size for name, size in named_sizes.items() if self._paints(*size)}
        return blocks.Choices(sizes, QUALITIES, (config.width, config.height), config.quality)

    def _paints(self, width: int, height: int) -> bool:
        services = self._services
        try:
            check_size(services.catalogue.image(services.config.model), width, height)
        except (BadSize, CatalogueProblem):
            return False
        return True


def chosen(before: Preferences, action: Mapping[str, Any], paints: Callable[[int, int], bool]) -> Preferences:
    """What somebody prefers after they used one of the three; the same where Slack says nothing of ours, or
    a size that the model does not paint."""
    action_id = action.get("action_id")
    if action_id == blocks.PRIVATE_ACTION:
        options = action.get("selected_options")
        ticked = [mapping(each).get("value") for each in options] if isinstance(options, list) else []
        return replace(before, private=blocks.PRIVATE in ticked)
    value = str(mapping(action.get("selected_option")).get("value"))
    if action_id == blocks.QUALITY_ACTION:
        wanted = {blocks.USUAL: None, **dict(zip(QUALITIES, QUALITIES, strict=True))}
        return replace(before, quality=wanted[value]) if value in wanted else before
    if value == blocks.USUAL:
        return replace(before, width=None, height=None)
    try:
        width, height = parse_size(value)
    except BadSize:
        return before
    return replace(before, width=width, height=height) if paints(width, height) else before
