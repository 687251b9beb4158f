"""A little of everything that the storage can be asked for, so that every table has a row."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import timedelta
from itertools import count

from darkroom.spending.budgets import Caps, NoMoney
from darkroom.spending.changes import (
    AnswerRequest,
    Author,
    Change,
    Channel,
    Correct,
    DropCap,
    EndPilot,
    EveryChannel,
    Everyone,
    EveryPerson,
    GiveGrant,
    Person,
    RevokeGrant,
    SetAccess,
    SetAlertsChannel,
    SetBlocked,
    SetCap,
    SetExempt,
    SetPaused,
    SetPilot,
    Workspace,
)
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import Dimension
from darkroom.spending.requests import Posted
from darkroom.spending.spans import span_of
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.heartbeat import Beat
from darkroom.turns.model import Attempt, AttemptState, Options, Picture, ThreadReplies, Told, Turn
from darkroom.turns.outages import Outage, Trouble
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.gauges import SqliteGauges
from storage.hash_keys import safety_key
from storage.heartbeat import SqlitePulse, last_beat
from storage.outages import SqliteOutageBook
from storage.reconciliation import our_charges
from storage.reports import SqliteSpendReader
from storage.repricing import charged_entries
from storage.requests import SqliteMoneyRequests
from storage.turn_log import SqliteTurnLog
from storage.turn_report import turn_rows
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, message, plan, settlement
from tests.storage.accounting import learn_of_the_account
from tests.storage.balances import balances
from tests.storage.conversing import Conversing

CENT = 10_000_000
LIMITS = caps(person=30 * CENT, channel=200 * CENT, workspace=500 * CENT)


class Everything:
    """Uses each method of the storage at least once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store, self._log = SqliteTurnStore(database), SqliteTurnLog(database)
        self._admin, self._requests = SqliteAdminBooks(database), SqliteMoneyRequests(database)
        self._alerts, self._reader = SqliteAlertBook(database), SqliteSpendReader(database)
        self._numbers = count(1)

    async def happen(self) -> None:
        """All of it, in an order that makes sense."""
        await self._decide()
        picture = await self._picture()
        await self._reply(picture)
        await self._uncertain()
        await self._declined()
        await Conversing(self._database, LIMITS).happen()
        await self._trouble()
        await learn_of_the_account(self._database)
        await self._tell_alerts()
        await self._read(picture)

    async def _decide(self) -> None:
        ends = NOON + timedelta(days=40)
        for change in (
            SetCap(EveryPerson(), 30 * CENT),
            SetCap(EveryChannel(), 200 * CENT, PeriodKind.week),
            SetCap(Person(BOB), 5 * CENT),
            DropCap(EveryChannel()),
            SetCap(Channel(DESIGN), None),
            GiveGrant(Person(ALICE), 40 * CENT, ends),
            GiveGrant(Workspace(), CENT, ends),
            RevokeGrant(2),
            SetBlocked(Person("U0EVE00001"), True),
            SetExempt(Person("U0CAROL001"), True),
            SetPilot(Channel(DESIGN), True),
            EndPilot(),
            SetPilot(Channel(DESIGN), True),
            SetAccess(Everyone(), Dimension.QUALITY, ("high",), False),
            SetPaused(True),
            SetPaused(False),
            SetAlertsChannel("C0ALERTS01"),
        ):
            await self._change(change)

    async def _change(self, change: Change, caps: Caps = LIMITS) -> None:
        number = next(self._numbers)
        await self._admin.change(change, Author(TEAM, BOB, f"command:{number}"), caps, NOON)

    async def _held(self, turn_id: str, user: str = ALICE, cents: int = 10) -> str:
        """A turn that was sent; gives its attempt."""
        attempt = f"try_{turn_id}"
        await self._store.arrive(turn_id, command(trigger=turn_id, user=user), NOON, ThreadReplies.JOINED)
        assert isinstance(await self._store.queue(turn_id, plan(attempt, cents * CENT), LIMITS, NOON), Turn)
        await self._store.tell(turn_id, Told.PLACEHOLDER, f"1763640000.00{next(self._numbers):04}", NOON)
        assert isinstance(await self._store.hold(turn_id, plan(attempt, cents * CENT), LIMITS, NOON), Attempt)
        return attempt

    async def _picture(self) -> Picture:
        """A picture after a fallback, told step by step; it costs more than was held."""
        first = await self._held("turn_1", cents=28)
        following = plan("try_again", 35 * CENT)
        again = await self._store.fall_back(first, "rate_limit", following, LIMITS, NOON)
        assert isinstance(again, Attempt)
        await self._store.send(again.id, NOON)
        await self._store.send(again.id, NOON, "resp_1")
        paid = settlement(36 * CENT, picture_id="picture_1")
        made = await self._store.render(again.id, paid, LIMITS, NOON)
        assert made is not None
        assert await self._store.render(again.id, paid, LIMITS, NOON) == made
        await self._store.end("turn_1", Ending(Outcome.PICTURES, Reason.PICTURES), NOON)
        for step in Told:
            file_of = made.id if step is Told.FILE else None
            value = DESIGN if step is Told.PLACE else None
            await self._store.tell("turn_1", step, value, NOON, file_of)
        return made

    async def _reply(self, picture: Picture) -> None:
        """An edit of the picture's thread that was revised while it waited, and one that is not for us."""
        thread = picture.thread_ts
        await self._store.join(TEAM, DESIGN, thread, BOB, NOON)
        reply = message("make it night", "1763640009.000001", thread, user=BOB)
        await self._store.arrive("turn_reply", reply, NOON, ThreadReplies.JOINED)
        await self._store.arrive("turn_again", reply, NOON, ThreadReplies.JOINED)
        await self._store.revise(TEAM, DESIGN, reply.message_ts or "", "by night", Options(), (), NOON)
        await self._store.end("turn_reply", Ending(Outcome.DECLINED, Reason.GUEST), NOON)
        failed = Ending(Outcome.FAILED, Reason.QUOTA, {"message": "insufficient_quota"})
        await self._store.arrive("turn_failed", command(trigger="failed"), NOON, ThreadReplies.JOINED)
        await self._store.end("turn_failed", failed, NOON, waiting_only=True)

    async def _uncertain(self) -> None:
        """A call that nobody knows the price of, with usage, which an admin corrects."""
        attempt = await self._held("turn_2", "U0DAVE0001", cents=9)
        await self._store.send(attempt, NOON)
        unknown = settlement(9 * CENT, state=AttemptState.UNCERTAIN)
        unknown = replace(unknown, flags=frozenset({"uncertain"}), host_usage={"input_tokens": 20})
        await self._store.render(attempt, unknown, LIMITS, NOON)
        [charge] = await self._admin.uncertain(TEAM, 10)
        await self._change(Correct(charge.number, 5 * CENT))

    async def _declined(self) -> None:
        """Somebody without money asks for more, and gets it."""
        asked = command(trigger="declined", user=BOB)
        await self._store.arrive("turn_declined", asked, NOON, ThreadReplies.JOINED)
        why = await self._store.queue("turn_declined", plan("never", 20 * CENT), LIMITS, NOON)
        assert isinstance(why, NoMoney)
        details = {"budget": "person", "renews_at": why.balance.period.end.isoformat()}
        await self._store.end("turn_declined", Ending(Outcome.DECLINED, Reason.NO_MONEY, details), NOON)
        made = await self._requests.ask("turn_declined", BOB, NOON)
        assert made is not None
        number = made[0].number
        await self._requests.untold()
        await self._requests.posted(number, Posted("U0ADMIN001", "D0ADMIN001", "1763640011.000001"))
        await self._change(AnswerRequest(number, 500 * CENT))
        await self._requests.posts(number)
        await self._requests.told(number, NOON)

    async def _trouble(self) -> None:
        """An outage of the API that ended, and a sign of life."""
        book, pulse = SqliteOutageBook(self._database), SqlitePulse(self._database)
        outage = Outage("out_1", Trouble.QUOTA, "You exceeded your current quota", NOON)
        assert await book.begin(outage, TEAM) == outage
        assert await book.current() == outage
        await book.end(outage.id, NOON)
        for waiting in (3, 4):
            await pulse.beat(Beat(4711, NOON, NOON, 2, waiting, ("turn_2",)))
        beat = await self._database.report(last_beat)
        assert beat is not None
        assert beat.waiting == 4
        assert await safety_key(self._database) == await safety_key(self._database)

    async def _tell_alerts(self) -> None:
        for alert in await self._alerts.unsent(100):
            await self._alerts.claim(alert.number, "C0ALERTS01", NOON)
            await self._alerts.claim(alert.number, "C0ALERTS01", NOON)
            await self._alerts.sent(alert.number, "C0ALERTS01", "C0ALERTS01", "1763640012.000001", NOON)
            await self._alerts.done(alert.number, NOON)
        await self._alerts.recent(TEAM, 10)

    async def _read(self, picture: Picture) -> None:
        turn = await self._log.turn(picture.turn_id)
        assert turn is not None
        await self._log.turn_of_message(TEAM, DESIGN, "1763640009.000001")
        await self._log.reply_counts(TEAM, DESIGN, picture.thread_ts, ALICE, ThreadReplies.JOINED)
        await self._log.unfinished()
        await self._log.attempts(turn.id)
        await self._log.charge_of(picture.id)
        await self._log.picture(picture.id)
        await self._log.pictures(turn.id)
        await self._log.current_picture(TEAM, DESIGN, picture.thread_ts, "9")
        await self._log.access(turn)
        await balances(self._database, turn, LIMITS, NOON)
        await self._admin.policy(TEAM)
        await self._admin.grants(TEAM, NOON)
        await self._admin.history(TEAM, 10)
        span = span_of(LIMITS.period_at(NOON))
        for team in (TEAM, None):
            await self._reader.report(team, span, LIMITS, NOON)
        await self._reader.balances(TEAM, ALICE, DESIGN, LIMITS, NOON)
        await self._reader.recent_pictures(TEAM, ALICE, 10)
        await self._reader.pictures_of(TEAM, ALICE, span)
        await self._reader.channel(TEAM, DESIGN, span)
        day = NOON.date()
        await self._database.report(lambda db: turn_rows(db, 10))
        gauges = SqliteGauges(self._database)
        await gauges.ping()
        await gauges.moved(0)
        await gauges.standing(TEAM, LIMITS, NOON)
        await self._database.report(lambda db: our_charges(db, "openai", day, day))
        await self._database.report(lambda db: deque(charged_entries(db, NOON, None), maxlen=0))
