"""Requests for more money on their way: admins are asked, whoever asked is told the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.clock import Clock
from darkroom.spending.changes import AdminBooks
from darkroom.spending.periods import PeriodKind, period_at
from darkroom.spending.reports import SpendReader
from darkroom.spending.requests import MoneyRequest, MoneyRequests, Posted, RequestState
from darkroom.spending.spans import span_of
from darkroom.turns.store import TurnLog
from handlers.blocks import more_money as blocks
from handlers.blocks.alerts import unwritable
from handlers.blocks.text import View
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.errands import unbroken
from handlers.posting import Repeat, name_of
from handlers.recipients import GIVE_UP_AFTER, Recipients, find_private, passes
from handlers.words import Voice

logger = logging.getLogger("darkroom.handlers")

_UPDATE_PAUSES_S = (1.0, 5.0)
"""Waits before the tries to take the buttons from an answered question; pressing one finds it answered."""


@dataclass(slots=True)
class _Asking:
    """Whom one round asks, and why the alerts channel cannot be written to, once it was found so."""

    to: Recipients
    closed: SlackRefused | SlackUnclear | None = None


class MoneyTeller:
    """Asks the admins and tells whoever asked what was answered, from the books alone: a new one on the same
    books goes on where the old one stopped.

    What Slack does not answer for, where it cannot be looked for, is sent again rather than not at all.
    """

    def __init__(
        self,
        requests: MoneyRequests,
        admin: AdminBooks,
        log: TurnLog,
        spend: SpendReader,
        slack: SlackClient,
        clock: Clock,
        voice: Voice,
    ) -> None:
        self._requests = requests
        self._admin = admin
        self._log = log
        self._spend = spend
        self._slack = slack
        self._clock = clock
        self._voice = voice
        self._repeat = Repeat(clock, _UPDATE_PAUSES_S)
        self._since = clock.now()
        self._asked: dict[int, frozenset[str]] = {}
        """Of open requests, who was asked: so that nothing is read again for each of them in every round."""
        self._tried: set[tuple[int, str]] = set()

    async def round(self) -> bool:
        """Do what is left to do; False if some of it must be tried again. One request that breaks is logged
        and passed over."""
        whole = True
        untold = await self._requests.untold()
        self._asked = {
            request.number: self._asked.get(request.number, frozenset())
            for request in untold
            if request.state is RequestState.OPEN
        }
        to = await self._recipients(untold)
        for request in untold:
            if request.state is RequestState.OPEN:
                work = self._ask_admins(request, to[request.team_id])
            else:
                work = self._tell_answer(request)
            whole = await unbroken(f"request {request.number}", work) and whole
        return whole

    async def _recipients(self, untold: Sequence[MoneyRequest]) -> dict[str, _Asking]:
        """Who is asked in each workspace, read once a round: there may be hundreds of open requests."""
        found: dict[str, _Asking] = {}
        for team_id in {request.team_id for request in untold}:
            policy, _ = await self._admin.policy(team_id)
            found[team_id] = _Asking(Recipients(policy.alerts_channel, self._voice.admins))
        return found

    async def _ask_admins(self, request: MoneyRequest, asking: _Asking) -> bool:
        # An open request stays untold, because an answer could come between asking and noting that: what is
        # told then would be noted as told of an answer that nobody was told.
        now = self._clock.now()
        if request.ends_at <= now:
            await self._requests.told(request.number, now)
            return True
        to = asking.to
        if self._asked[request.number].issuperset(to.first):
            return True
        asked = {post.recipient for post in await self._requests.posts(request.number)}
        wanted, note, whole = to.first, "", True
        if to.channel is not None and to.channel not in asked:
            error = asking.closed or await self._ask_one(request, to.channel, note)
            if error is not None and not passes(error):
                if asking.closed is None:
                    logger.warning("requests cannot be written to channel %s: %s", to.channel, name_of(error))
                asking.closed = error
                # With nobody else to ask it is tried again: inviting us there is all it takes.
                whole = bool(to.admins)
                note, wanted = unwritable(to.channel, name_of(error), self._voice), to.admins
            else:
                whole, wanted = error is None, ()
        for recipient in wanted:
            if recipient not in asked:
                error = await self._ask_one(request, recipient, note)
                whole = whole and (error is None or not passes(error))
        if whole:
            self._asked[request.number] = frozenset(to.first)
        return whole or now - request.asked_at >= GIVE_UP_AFTER

    async def _ask_one(
        self, request: MoneyRequest, recipient: str, note: str
    ) -> SlackRefused | SlackUnclear | None:
        """Ask one admin, or in the alerts channel; gives what went wrong."""
        post_id = f"request:{request.number}:{recipient}"
        begun = (request.number, recipient) in self._tried or request.asked_at < self._since
        self._tried.add((request.number, recipient))
        view = blocks.request_view(await self._beside(request), self._voice, note)
        try:
            # A direct message's channel is not known before the first post, so it cannot be looked for there.
            posted = (
                await find_private(self._slack, recipient, None, (post_id,), request.asked_at)
                if begun
                else None
            )
            if posted is None:
                posted = await self._slack.post_private(
                    recipient, view.text, blocks=view.blocks, turn_id=post_id
                )
        except (SlackRefused, SlackUnclear) as error:
            logger.info("request %d: %s not asked: %s", request.number, recipient, error)
            return error
        await self._requests.posted(request.number, Posted(recipient, posted.channel, posted.ts))
        self._tried.discard((request.number, recipient))
        return None

    async def _beside(self, request: MoneyRequest) -> blocks.Asked:
        turn = await self._log.turn(request.turn_id)
        details = turn.ending.details if turn is not None and turn.ending is not None else {}
        month = span_of(period_at(PeriodKind.month, self._voice.timezone, request.asked_at))
        spent = await self._spend.person(request.team_id, request.user_id, month)
        return blocks.Asked(request, details, spent, month.start)

    async def _tell_answer(self, request: MoneyRequest) -> bool:
        """Take the buttons from every question, then tell whoever asked."""
        for post in await self._requests.posts(request.number):
            view = blocks.answered_view(request, self._voice)
            try:
                await self._update(post, view)
            except (SlackRefused, SlackUnclear) as error:
                logger.info("request %d: a question keeps its buttons: %s", request.number, name_of(error))
        now = self._clock.now()
        if request.user_id:
            view = blocks.told_view(request, self._voice)
            try:
                await self._slack.post_private(
                    request.user_id,
                    view.text,
                    blocks=view.blocks,
                    turn_id=f"request:{request.number}:{request.state}",
                )
            except (SlackRefused, SlackUnclear) as error:
                since = request.answered_at or request.asked_at
                if passes(error) and now - since < GIVE_UP_AFTER:
                    return False
                logger.warning("request %d: whoever asked is not told: %s", request.number, name_of(error))
        await self._requests.told(request.number, now)
        return True

    async def _update(self, post: Posted, view: View) -> None:
        await self._repeat(
            lambda: self._slack.update_message(
                post.channel_id, post.message_ts, view.text, blocks=view.blocks
            )
        )
