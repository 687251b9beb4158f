"""Alerts on their way: each claimed in the database, posted, noted; again after whatever came between."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from darkroom.clock import Clock
from darkroom.spending.alerts import Alert, AlertBook, AlertKind, Audience, Claim
from darkroom.spending.changes import AdminBooks
from darkroom.spending.spans import Span
from darkroom.spending.watch import Due
from handlers.blocks.alerts import alert_view, month_of, summary_view, unwritable
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.errands import unbroken
from handlers.posting import name_of
from handlers.recipients import GIVE_UP_AFTER, Recipients, find_private, passes
from handlers.rounds import Rounds
from handlers.words import Voice

logger = logging.getLogger("darkroom.handlers")

LOOK_S = 900.0
"""The longest wait between two rounds."""
WATCH_S = 3600.0
"""So often it is looked whether time has brought something by itself."""
ROUND_MAX = 1_000
"""Alerts looked at in one round."""
EACH_MAX = 20
"""Messages to one recipient in one round; what is more comes in one message."""
NOBODY = "nobody to tell"
ERASED = "their name was erased"

SendReport = Callable[[str, Span], Awaitable[None]]
"""Send the full report of a span to a person or channel; raises ``SlackRefused`` and ``SlackUnclear``."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What goes round with the alerts: *due* says what time has brought by itself, each of *others* is done
    in every round (such as telling what became of requests for more money)."""

    due: Callable[[], Awaitable[Sequence[Due]]]
    others: tuple[Callable[[], Awaitable[bool]], ...] = ()
    """Each tells whether all of it could be done; if not, it is tried again soon."""


class _Came(Enum):
    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Result:
    came: _Came
    error: str = ""


@dataclass
class _Round:
    """What one round knows: who is told, how much each was sent, and what is left to be summed up."""

    to: Recipients
    sent: Counter[str] = field(default_factory=Counter)
    over: dict[str, list[Alert]] = field(default_factory=dict)
    closed: str | None = None
    """Why the alerts channel cannot be written to, once it was found so."""
    troubled: bool = False


class Alerting:
    """Sends what is unsent, oldest first, whenever it is woken and every quarter of an hour.

    One alert that breaks is logged and passed over. Nothing of what is sent depends on memory: a new
    ``Alerting`` on the same books goes on where the old one stopped.
    """

    def __init__(
        self,
        book: AlertBook,
        admin: AdminBooks,
        slack: SlackClient,
        clock: Clock,
        voice: Voice,
        team_id: str,
        send_report: SendReport,
        watching: Watching,
    ) -> None:
        self._book = book
        self._admin = admin
        self._slack = slack
        self._clock = clock
        self._voice = voice
        self._team_id = team_id
        self._send_report = send_report
        self._watching = watching
        self._rounds = Rounds("alerting", self.round, clock, LOOK_S)
        self._watched_at: float | None = None

    def wake(self) -> None:
        """Something may have been raised. Returns at once."""
        self._rounds.wake()

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._rounds.start()

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being sent arrive for *grace_s* seconds, then stop; the rest is for the next start."""
        await self._rounds.aclose(grace_s)

    async def round(self) -> bool:
        """Send everything that is unsent; whether all of it could be done."""
        whole = True
        if self._watched_at is None or self._clock.monotonic() - self._watched_at >= WATCH_S:
            whole = await unbroken("watch", self._watch())
        for other in self._watching.others:
            whole = await unbroken("what goes round with alerts", other()) and whole
        alerts = await self._book.unsent(ROUND_MAX)
        if not alerts:
            return whole
        policy, _ = await self._admin.policy(self._team_id)
        now = _Round(Recipients(policy.alerts_channel, self._voice.admins))
        for alert in alerts:
            if self._rounds.stopping:
                return False
            whole = await unbroken(f"alert {alert.number}", self._tell(alert, now)) and whole
        for recipient, rest in now.over.items():
            whole = await unbroken("summary of alerts", self._sum_up(rest, recipient, now)) and whole
        if len(alerts) == ROUND_MAX and not now.troubled:
            self._rounds.wake()
        return whole and not now.troubled

    async def _watch(self) -> bool:
        for due in await self._watching.due():
            await self._book.add(due.key, self._team_id, due.kind, due.details, self._clock.now())
        self._watched_at = self._clock.monotonic()
        return True

    async def _tell(self, alert: Alert, now: _Round) -> bool:
        """One alert to everybody it is for; False if somebody is to be tried again."""
        if alert.audience is Audience.PERSON:
            if not alert.user_id:
                await self._give_up(alert, ERASED)
                return True
            return await self._to_all(alert, (alert.user_id,), now)
        if now.to.channel is not None and now.closed is None:
            result = await self._to_one(alert, now.to.channel, now)
            if result is None or result.came is not _Came.REFUSED:
                return result is None or await self._settle(alert, [result], now)
            now.closed = result.error
            logger.warning("alerts cannot be written to channel %s: %s", now.to.channel, result.error)
        if not now.to.admins:
            if now.closed is not None:
                # Inviting us there is all it takes, and nobody else could be told.
                return await self._settle(alert, [_Result(_Came.LATER, now.closed)], now)
            await self._give_up(alert, NOBODY)
            return True
        return await self._to_all(alert, now.to.admins, now)

    async def _to_all(self, alert: Alert, recipients: Sequence[str], now: _Round) -> bool:
        results = [await self._to_one(alert, recipient, now) for recipient in recipients]
        if any(result is None for result in results):
            # The rest of it is in a summary, after which it is looked at as a whole.
            return True
        return await self._settle(alert, [result for result in results if result is not None], now)

    async def _settle(self, alert: Alert, results: Sequence[_Result], now: _Round) -> bool:
        """Close an alert if nobody is to be tried again."""
        at = self._clock.now()
        later = next((result.error for result in results if result.came is _Came.LATER), None)
        if later is not None and at - alert.raised_at < GIVE_UP_AFTER:
            now.troubled = True
            return False
        if any(result.came is _Came.SENT for result in results):
            await self._book.done(alert.number, at)
        else:
            await self._give_up(alert, next(result.error for result in results))
        return True

    async def _give_up(self, alert: Alert, why: str) -> None:
        logger.warning("alert %d (%s) is told to nobody: %s", alert.number, alert.kind, why)
        await self._book.done(alert.number, self._clock.now(), given_up=why)

    async def _to_one(self, alert: Alert, recipient: str, now: _Round) -> _Result | None:
        """Post to one recipient, unless they have it; None when it will be in the summary."""
        if now.sent[recipient] >= EACH_MAX:
            now.over.setdefault(recipient, []).append(alert)
            return None
        claim = await self._book.claim(alert.number, recipient, self._clock.now())
        if claim.sent:
            return _Result(_Came.SENT)
        view, post_id = alert_view(alert, self._voice, self._note(recipient, now)), _post_id(alert, recipient)
        try:
            # It may have been sent alone or summed up.
            posted = await self._found(claim, recipient, post_id, _summary_id(claim.claimed_at, recipient))
            if posted is None:
                now.sent[recipient] += 1
                posted = await self._slack.post_private(
                    recipient, view.text, blocks=view.blocks, turn_id=post_id
                )
            if alert.kind is AlertKind.MONTH_END:
                await self._report(alert, recipient)
        except (SlackRefused, SlackUnclear) as error:
            logger.info("alert %d not sent: %s", alert.number, error)
            return _Result(_Came.LATER if passes(error) else _Came.REFUSED, name_of(error))
        await self._book.sent(alert.number, recipient, posted.channel, posted.ts, self._clock.now())
        return _Result(_Came.SENT)

    async def _report(self, alert: Alert, recipient: str) -> None:
        span = month_of(alert)
        if span is not None:
            await self._send_report(recipient, span)

    async def _found(self, claim: Claim, recipient: str, *wanted: str) -> Posted | None:
        """The message of a send that was begun before; None also where it cannot be looked for."""
        if claim.fresh:
            return None
        return await find_private(self._slack, recipient, claim.channel_id, wanted, claim.claimed_at)

    async def _sum_up(self, alerts: Sequence[Alert], recipient: str, now: _Round) -> bool:
        """What is more than a recipient should get in one round, in one message; not a month's report, which
        waits for the next round.

        All that is claimed at one moment is one summary, also when it is begun again after a crash.
        """
        begun_at = self._clock.now()
        groups: dict[datetime, list[tuple[Alert, Claim]]] = {}
        for alert in alerts:
            if alert.kind is not AlertKind.MONTH_END:
                claim = await self._book.claim(alert.number, recipient, begun_at)
                if not claim.sent:
                    groups.setdefault(claim.claimed_at, []).append((alert, claim))
        try:
            for group in groups.values():
                await self._send_group(group, recipient, self._note(recipient, now))
        except (SlackRefused, SlackUnclear) as error:
            logger.info("a summary of alerts was not sent: %s", error)
            now.troubled = True
            return False
        # The next round finds them sent, and closes them.
        self._rounds.wake()
        return True

    async def _send_group(self, group: Sequence[tuple[Alert, Claim]], recipient: str, note: str) -> None:
        first, claim = group[0]
        summary = _summary_id(claim.claimed_at, recipient)
        alone = (_post_id(first, recipient),) if len(group) == 1 else ()
        posted = await self._found(claim, recipient, *alone, summary)
        if posted is None:
            view = summary_view([alert for alert, _ in group], self._voice, note)
            posted = await self._slack.post_private(recipient, view.text, blocks=view.blocks, turn_id=summary)
        for alert, _ in group:
            await self._book.sent(alert.number, recipient, posted.channel, posted.ts, self._clock.now())

    def _note(self, recipient: str, now: _Round) -> str:
        if now.closed is None or now.to.channel is None or recipient not in now.to.admins:
            return ""
        return unwritable(now.to.channel, now.closed, self._voice)


def _post_id(alert: Alert, recipient: str) -> str:
    return f"alert:{alert.number}:{recipient}"


def _summary_id(claimed_at: datetime, recipient: str) -> str:
    """All that is in one summary was claimed at one moment, by which its message is found again."""
    return f"alerts:{claimed_at.timestamp():.6f}:{recipient}"
