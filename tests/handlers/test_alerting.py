"""Alerts reach whom they are for, once, whatever Slack does and wherever Darkroom stops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from darkroom.spending.alerts import Alert, AlertKind, Audience
from darkroom.spending.budgets import Caps
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.changes import Author, SetAlertsChannel
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import Span
from darkroom.spending.watch import Due, Used
from handlers.alerting import EACH_MAX, LOOK_S, NOBODY, Alerting, Watching
from handlers.blocks.alerts import alert_view, summary_view
from handlers.rounds import RETRY_S
from handlers.watching import Watch
from handlers.words import Voice
from sandbox.slack import words as slack_words
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.people import person_key
from storage.raising import raise_alert
from storage.reports import SqliteSpendReader
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, StillClock, caps
from tests.handlers.support import BOT, CAROL, Call, FakeSlack, refused, unclear

OPS = "C0OPS00001"
BUDGET: dict[str, str | int] = {
    "budget": "person",
    "channel_id": DESIGN,
    "percent": 83,
    "cap_nano_usd": 10_000_000_000,
    "charged_nano_usd": 8_300_000_000,
    "renews_at": "2026-12-01T00:00:00+00:00",
    "period": "month",
    "timezone": "UTC",
}
CHARGE: dict[str, str | int] = {
    "number": 7,
    "turn_id": "turn_1",
    "attempt_id": "attempt_1",
    "user_id": ALICE,
    "channel_id": DESIGN,
    "model": "gpt-image-2",
    "priced_as": "gpt-image-2",
    "hold_nano_usd": 80_000_000,
    "charged_nano_usd": 90_000_000,
}
DETAILS: dict[AlertKind, dict[str, str | int]] = {
    AlertKind.CAP_NEAR: BUDGET,
    AlertKind.CAP_REACHED: BUDGET,
    AlertKind.OVERRUN: CHARGE,
    AlertKind.UNCERTAIN: CHARGE,
    AlertKind.UNKNOWN_MODEL: {**CHARGE, "model": "gpt-<new>"},
    AlertKind.UNPRICED: {"why": "The model x has no price:\n[x] <!channel>"},
    AlertKind.SHUTDOWN: {
        "model": "gpt-image-2",
        "on": "2027-06-30",
        "days": 14,
        "replacement": "gpt-image-2.5-flare",
        "setting": "image.model",
    },
    AlertKind.QUOTA: {"message": "insufficient <quota>"},
    AlertKind.KEY: {"message": "bad <key>"},
    AlertKind.REGION: {"message": "not <here>"},
    AlertKind.FAILING: {"message": "server <error>"},
    AlertKind.RESUMED: {"trouble": "key", "began_at": "2026-11-20T09:30:00+00:00"},
    AlertKind.NO_ACCESS: {"message": "no <access>"},
    AlertKind.MONTH_END: {
        "start": "2026-10-01T00:00:00+00:00",
        "end": "2026-11-01T00:00:00+00:00",
        "timezone": "UTC",
    },
}
SAYS = {
    AlertKind.CAP_NEAR: ("83% used", "$8.30 of $10.00 this month", "`/spend team`", "1 December 2026"),
    AlertKind.CAP_REACHED: ("is as good as spent", "`/spend team`"),
    AlertKind.OVERRUN: ("$0.09", "$0.08", "`/spend models`", "turn_1"),
    AlertKind.UNCERTAIN: ("$0.09", "`/spend uncertain accept 7`", "`waive 7`"),
    AlertKind.UNKNOWN_MODEL: ("gpt-&lt;new&gt;", "priced as gpt-image-2", "`/spend models`"),
    AlertKind.UNPRICED: ("has no price", "`/spend models`"),
    AlertKind.SHUTDOWN: ("in 14 days", "2027-06-30", "Set image.model to gpt-image-2.5-flare"),
    AlertKind.QUOTA: ("insufficient &lt;quota&gt;", "billing page", "keeps its place for 24 hours"),
    AlertKind.KEY: ("bad &lt;key&gt;", "OPENAI_API_KEY", "goes on by itself", "new requests are declined"),
    AlertKind.REGION: ("not &lt;here&gt;", "country or region", "keeps its place for 24 hours"),
    AlertKind.FAILING: ("server &lt;error&gt;", "nothing is declined", "goes on by itself", "status page"),
    AlertKind.RESUMED: (
        "again",
        "20 November 2026, 09:30 (UTC)",
        "key was not accepted",
        "`/spend uncertain`",
    ),
    AlertKind.NO_ACCESS: ("no &lt;access&gt;", "`/spend models`"),
    AlertKind.MONTH_END: ("October 2026 (UTC) has ended", "`/spend report last month`", "reports.month_end"),
}
VOICE = Voice("/imagine", "/spend", BOT, (BOB,), "UTC")


def alert(
    kind: AlertKind, details: dict[str, str | int], audience: Audience = Audience.ADMINS, number: int = 1
) -> Alert:
    """An alert as the book gives it."""
    return Alert(number, "key", TEAM, kind, audience, "", details, NOON)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_says_what_happened_and_what_to_do(kind: AlertKind) -> None:
    view = alert_view(alert(kind, DETAILS[kind]), VOICE)
    for fact in SAYS[kind]:
        assert fact in view.text
    assert len(view.text) <= 4_000
    assert [block["type"] for block in view.blocks] == ["section", "context"]
    assert slack_words.broadcasts(view.text) == set()
    assert "oops" not in view.text.lower()


@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("details", [{}, {"renews_at": "soon", "start": "then", "end": 5, "percent": "x"}])
def test_what_an_older_version_left_out_or_wrote_otherwise_breaks_no_sentence(
    kind: AlertKind, details: dict[str, str | int]
) -> None:
    assert alert_view(alert(kind, details), VOICE).text


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("person", ("Your budget", f"<@{BOB}>")),
        ("channel", (f"The budget of <#{DESIGN}>", f"`/spend cap` <#{DESIGN}>")),
        ("workspace", ("The workspace's budget", "`/spend cap` team", "`/spend team` shows")),
    ],
)
def test_a_budgets_alert_speaks_to_whom_it_is_for(budget: str, words: Sequence[str]) -> None:
    audience = Audience.PERSON if budget == "person" else Audience.ADMINS
    view = alert_view(alert(AlertKind.CAP_NEAR, {**BUDGET, "budget": budget}, audience), VOICE)
    for fact in words:
        assert fact in view.text


def test_an_admins_own_alert_does_not_send_them_to_themselves() -> None:
    own = alert(AlertKind.CAP_NEAR, {**BUDGET, "budget": "person"}, Audience.PERSON)
    text = alert_view(replace(own, user_id=BOB), VOICE).text
    assert f"<@{BOB}>" not in text
    assert "you are an admin, `/spend help` says how to give it" in text


def test_a_summary_counts_what_it_stands_for() -> None:
    kinds = [AlertKind.OVERRUN, AlertKind.UNCERTAIN, AlertKind.OVERRUN]
    text = summary_view([alert(kind, CHARGE) for kind in kinds], VOICE).text
    assert "3 more alerts: a charge above its hold (2), an uncertain charge (1)" in text
    assert "`/spend alerts`" in text


class GatedClock(StillClock):
    """A clock whose sleeps last until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Note it, and wait."""
        self.slept.append(seconds)
        self.asleep.set()
        await self.gate.wait()
        self.gate.clear()
        self.at += timedelta(seconds=seconds)


@dataclass
class Post:
    """Where alerts leave: the books, a Slack, and Alertings that come and go."""

    database: Database
    book: SqliteAlertBook
    admin: SqliteAdminBooks
    slack: FakeSlack = field(default_factory=FakeSlack)
    clock: GatedClock = field(default_factory=GatedClock)
    admins: tuple[str, ...] = (BOB,)
    reports: list[tuple[str, Span]] = field(default_factory=list)
    report_faults: list[Exception] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    others: int = 0

    def alerting(self) -> Alerting:
        """A new one, as after a restart."""

        async def send_report(to: str, span: Span) -> None:
            if self.report_faults:
                raise self.report_faults.pop(0)
            self.reports.append((to, span))

        async def due() -> list[Due]:
            return self.due

        async def other() -> bool:
            self.others += 1
            return True

        voice = Voice("/imagine", "/spend", BOT, self.admins, "UTC")
        return Alerting(
            self.book, self.admin, self.slack, self.clock, voice, TEAM, send_report, Watching(due, (other,))
        )

    async def raised(self, kind: AlertKind = AlertKind.KEY, key: str = "key") -> int:
        """An alert for the admins."""
        assert await self.book.add(key, TEAM, kind, DETAILS[kind], self.clock.now())
        return (await self.book.unsent(1_000))[-1].number

    async def raised_for(self, user_id: str, key: str = "near") -> None:
        """An alert for a person."""

        def work(db: sqlite3.Connection) -> None:
            of = person_key(db, TEAM, user_id, NOON)
            raise_alert(db, key, TEAM, AlertKind.CAP_NEAR, BUDGET, self.clock.now(), person_key=of)

        await self.database.write(work)

    async def alerts_go_to(self, channel: str | None) -> None:
        """An admin says where."""
        author = Author(TEAM, BOB, f"k:{channel}")
        await self.admin.change(SetAlertsChannel(channel), author, caps(), NOON)

    def said(self) -> list[tuple[str, str]]:
        """To whom, and what."""
        return [(call.said["user_id"], call.text) for call in self.sent()]

    def sent(self) -> list[Call]:
        """The messages that were posted."""
        return self.slack.named("post_private")

    async def outcomes(self) -> list[tuple[bool, str | None]]:
        """What became of the admins' alerts, oldest first."""
        return [(done, why) for _, done, why in reversed(await self.book.recent(TEAM, 1_000))]


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database, SqliteAlertBook(database), SqliteAdminBooks(database))


async def test_a_persons_alert_goes_to_them_alone_and_once(post: Post) -> None:
    await post.raised_for(ALICE)
    alerting = post.alerting()
    assert await alerting.round()
    assert await alerting.round()
    ((to, text),) = post.said()
    assert to == ALICE
    assert "83% used" in text
    assert await post.book.unsent(10) == []


async def test_admins_alerts_go_to_each_named_admin_or_to_the_channel(post: Post) -> None:
    post.admins = (BOB, CAROL)
    await post.raised(key="one")
    await post.alerting().round()
    assert [to for to, _ in post.said()] == [BOB, CAROL]
    await post.alerts_go_to(OPS)
    await post.raised(key="two")
    await post.alerting().round()
    assert [to for to, _ in post.said()] == [BOB, CAROL, OPS]


async def test_without_channel_and_named_admins_nobody_is_written_to_and_the_log_names_it(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.admins = ()
    number = await post.raised(AlertKind.UNCERTAIN)
    await post.alerting().round()
    assert post.sent() == []
    assert await post.outcomes() == [(True, NOBODY)]
    assert f"alert {number} (uncertain) is told to nobody: nobody to tell" in caplog.text


async def test_an_erased_person_is_not_looked_for(post: Post) -> None:
    await post.raised_for(ALICE)
    await post.database.write(lambda db: db.execute("DELETE FROM people"))
    assert await post.alerting().round()
    assert post.sent() == []
    assert await post.book.unsent(1) == []


async def test_oldest_first(post: Post) -> None:
    for kind in (AlertKind.QUOTA, AlertKind.OVERRUN, AlertKind.KEY):
        await post.raised(kind, key=kind)
    await post.alerting().round()
    ids = [call.said["turn_id"] for call in post.sent()]
    assert ids == [f"alert:{number}:{BOB}" for number in (1, 2, 3)]


@pytest.mark.parametrize("channel", [OPS, None])
async def test_killed_after_the_post_and_before_the_note_it_is_found_and_not_repeated(
    post: Post, monkeypatch: pytest.MonkeyPatch, channel: str | None
) -> None:
    """In a direct message too, once its channel is known from an earlier one."""
    await post.alerts_go_to(channel)
    await post.raised(key="earlier")
    await post.alerting().round()
    await post.raised(key="now")

    async def killed(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteAlertBook, "sent", killed)
        assert not await post.alerting().round()
    assert len(post.sent()) == 2
    assert await post.alerting().round()
    assert len(post.sent()) == 2
    assert await post.outcomes() == [(True, None), (True, None)]


async def test_killed_between_claim_and_post_it_is_not_lost(post: Post) -> None:
    await post.alerts_go_to(OPS)
    await post.raised()
    post.slack.faults["post_private"] = [RuntimeError("killed")]
    assert not await post.alerting().round()
    assert await post.alerting().round()
    assert [to for to, _ in post.said()] == [OPS]
    assert len(post.slack.named("find_message")) == 2


async def test_a_first_direct_message_that_cannot_be_looked_for_is_posted_again(post: Post) -> None:
    await post.raised()
    post.slack.faults["post_private"] = [unclear()]
    assert not await post.alerting().round()
    assert await post.alerting().round()
    assert post.slack.named("find_message") == []
    assert len(post.sent()) == 1


async def test_a_post_whose_answer_was_lost_is_found(post: Post) -> None:
    await post.alerts_go_to(OPS)
    await post.raised()
    post.slack.after["post_private"] = [unclear()]
    alerting = post.alerting()
    assert not await alerting.round()
    assert await alerting.round()
    assert len(post.sent()) == 1
    assert await post.outcomes() == [(True, None)]


async def test_while_slack_does_not_say_whether_it_is_there_nothing_is_posted_again(post: Post) -> None:
    await post.alerts_go_to(OPS)
    await post.raised()
    post.slack.after["post_private"] = [unclear()]
    post.slack.faults["find_message"] = [unclear(), refused("ratelimited"), refused("token_revoked")]
    alerting = post.alerting()
    for _ in range(4):
        assert not await alerting.round()
    assert await alerting.round()
    assert len(post.sent()) == 1


@pytest.mark.parametrize("error", ["not_in_channel", "missing_scope"])
async def test_where_it_may_not_look_it_posts_again(post: Post, error: str) -> None:
    await post.alerts_go_to(OPS)
    await post.raised()
    post.slack.faults["post_private"] = [unclear()]
    post.slack.faults["find_message"] = [refused(error), refused(error)]
    await post.alerting().round()
    assert await post.alerting().round()
    assert len(post.sent()) == 1


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel"])
async def test_a_channel_that_cannot_be_written_to_falls_back_to_the_named_admins_who_read_why(
    post: Post, error: str
) -> None:
    await post.alerts_go_to(OPS)
    await post.raised(key="one")
    await post.raised(key="two")
    post.slack.faults["post_private"] = [refused(error)]
    assert await post.alerting().round()
    assert [to for to, _ in post.said()] == [BOB, BOB]
    for _, text in post.said():
        assert f"I cannot write to <#{OPS}> ({error})" in text
        assert "`/spend alerts`" in text
    assert await post.outcomes() == [(True, None), (True, None)]


async def test_without_named_admins_what_is_for_a_closed_channel_waits_there_for_seven_days(
    post: Post,
) -> None:
    """Whoever sets the channel before inviting us would otherwise never hear of what came between."""
    post.admins = ()
    await post.alerts_go_to(OPS)
    await post.raised(key="one")
    await post.raised(key="two")
    alerting = post.alerting()
    post.slack.faults["post_private"] = [refused("not_in_channel")]
    assert not await alerting.round()
    assert len(post.slack.calls) == 1, "it is tried once a round, not once an alert"
    assert await alerting.round()
    assert [to for to, _ in post.said()] == [OPS, OPS]
    assert await post.outcomes() == [(True, None), (True, None)]
    await post.raised(key="three")
    post.clock.at += timedelta(days=7)
    post.slack.faults["post_private"] = [refused("is_archived")]
    assert await alerting.round()
    assert await post.outcomes() == [(True, None), (True, None), (True, "is_archived")]


async def test_a_person_whom_slack_refuses_for_good_is_given_up_and_does_not_stop_the_others(
    post: Post,
) -> None:
    await post.raised_for(ALICE)
    await post.raised()
    post.slack.faults["post_private"] = [refused("user_disabled")]
    assert await post.alerting().round()
    assert [to for to, _ in post.said()] == [BOB]
    assert await post.book.unsent(10) == []


async def test_one_admin_who_is_gone_does_not_keep_the_other_from_it(post: Post) -> None:
    post.admins = (CAROL, BOB)
    await post.raised()
    post.slack.faults["post_private"] = [refused("user_disabled")]
    assert await post.alerting().round()
    assert [to for to, _ in post.said()] == [BOB]
    assert await post.outcomes() == [(True, None)]


async def test_passing_trouble_is_tried_again_until_seven_days_are_over(post: Post) -> None:
    await post.raised()
    alerting = post.alerting()
    for hours in (0, 1, 167):
        post.clock.at = NOON + timedelta(hours=hours)
        post.slack.faults["post_private"] = [refused("ratelimited")]
        assert not await alerting.round()
        assert await post.outcomes() == [(False, None)]
    post.clock.at = NOON + timedelta(days=7)
    post.slack.faults["post_private"] = [refused("ratelimited")]
    assert await alerting.round()
    assert await post.outcomes() == [(True, "ratelimited")]


async def test_who_has_it_gets_it_no_second_time_while_another_is_tried_again(post: Post) -> None:
    post.admins = (BOB, CAROL)
    await post.raised()
    post.slack.faults["post_private"] = [None, unclear()]
    alerting = post.alerting()
    assert not await alerting.round()
    assert await alerting.round()
    assert [to for to, _ in post.said()] == [BOB, CAROL]
    assert post.slack.named("find_message") == []


async def test_one_alert_that_breaks_blocks_none_behind_it(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = await post.raised(key="one")
    await post.raised(key="two")
    claim = SqliteAlertBook.claim

    async def broken(book: SqliteAlertBook, number: int, recipient: str, at: datetime) -> Any:
        if number == first:
            raise RuntimeError("secret words")
        return await claim(book, number, recipient, at)

    monkeypatch.setattr(SqliteAlertBook, "claim", broken)
    assert not await post.alerting().round()
    assert await post.outcomes() == [(False, None), (True, None)]
    assert f"alert {first} broke: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_more_than_a_recipient_should_get_at_once_is_summed_up(post: Post) -> None:
    for number in range(EACH_MAX + 5):
        await post.raised(AlertKind.OVERRUN, key=str(number))
        post.clock.at += timedelta(seconds=1)
    alerting = post.alerting()
    assert await alerting.round()
    assert len(post.sent()) == EACH_MAX + 1
    assert "5 more alerts: a charge above its hold (5)" in post.sent()[-1].text
    assert await alerting.round()
    assert await post.book.unsent(100) == []
    assert len(post.sent()) == EACH_MAX + 1


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_summary_whose_answer_was_lost_comes_once(post: Post, arrived: bool) -> None:
    await post.alerts_go_to(OPS)
    for number in range(EACH_MAX * 2 + 5):
        await post.raised(AlertKind.OVERRUN, key=str(number))
    faults: list[Exception | None] = [None] * EACH_MAX
    if arrived:
        send = post.slack.post_private

        async def lost(*given: Any, **more: Any) -> Any:
            posted = await send(*given, **more)
            if "more alerts" in given[1]:
                post.slack.post_private = send  # type: ignore[method-assign]  # the next ones arrive again
                raise unclear()
            return posted

        post.slack.post_private = lost  # type: ignore[method-assign]  # a fault for one message alone
    else:
        post.slack.faults["post_private"] = [*faults, unclear()]
    alerting = post.alerting()
    assert not await alerting.round()
    for _ in range(4):
        post.clock.at += timedelta(minutes=1)
        await post.alerting().round()
    assert await post.book.unsent(100) == []
    summaries = [call.text for call in post.sent() if "more alerts" in call.text]
    assert len(summaries) == 1
    assert len(post.sent()) == EACH_MAX + 1 + (0 if arrived else EACH_MAX)


async def test_a_months_report_follows_its_sentence_and_only_the_report_is_sent_again(post: Post) -> None:
    await post.alerts_go_to(OPS)
    await post.raised(AlertKind.MONTH_END)
    post.report_faults = [unclear()]
    assert not await post.alerting().round()
    assert await post.alerting().round()
    month = Span("UTC", datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert post.reports == [(OPS, month)]
    assert [to for to, _ in post.said()] == [OPS]


async def test_what_time_has_brought_is_raised_at_start_and_each_hour_and_told_once(post: Post) -> None:
    alerting = post.alerting()
    await alerting.round()
    post.due = [Due("shutdown:x", AlertKind.SHUTDOWN, DETAILS[AlertKind.SHUTDOWN])]
    await alerting.round()
    assert post.sent() == []
    post.clock.at += timedelta(hours=1)
    await alerting.round()
    post.clock.at += timedelta(hours=1)
    await alerting.round()
    await post.alerting().round()
    assert len(post.sent()) == 1
    assert post.others == 5


async def test_it_sleeps_until_it_is_woken_or_a_quarter_of_an_hour_is_over(post: Post) -> None:
    alerting = post.alerting()
    alerting.start()
    await post.clock.asleep.wait()
    assert post.clock.slept == [LOOK_S]
    await post.raised(key="one")
    post.clock.asleep.clear()
    alerting.wake()
    await post.clock.asleep.wait()
    assert len(post.sent()) == 1
    await post.raised(key="two")
    post.clock.asleep.clear()
    post.clock.gate.set()
    await post.clock.asleep.wait()
    assert len(post.sent()) == 2
    await alerting.aclose()
    assert post.clock.slept == [LOOK_S] * 3


async def test_after_trouble_it_comes_back_sooner_and_ever_more_slowly(post: Post) -> None:
    await post.raised()
    post.slack.faults["post_private"] = [unclear()] * 8
    alerting = post.alerting()
    alerting.start()
    for _ in range(9):
        await post.clock.asleep.wait()
        post.clock.asleep.clear()
        post.clock.gate.set()
    await alerting.aclose()
    assert post.clock.slept[:9] == [RETRY_S, 60, 120, 240, 480, LOOK_S, LOOK_S, LOOK_S, LOOK_S]
    assert len(post.sent()) == 1


async def test_closing_lets_what_is_being_sent_arrive(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    await post.raised(key="one")
    await post.raised(key="two")
    begun, go = asyncio.Event(), asyncio.Event()
    send = post.slack.post_private

    async def slow(*given: Any, **more: Any) -> Any:
        begun.set()
        await go.wait()
        return await send(*given, **more)

    monkeypatch.setattr(post.slack, "post_private", slow)
    alerting = post.alerting()
    alerting.start()
    await begun.wait()
    closing = asyncio.create_task(alerting.aclose())
    go.set()
    await closing
    assert len(post.sent()) == 1
    assert await post.outcomes() == [(True, None), (False, None)]


class Books(SqliteSpendReader):
    """Books in which so much was spent."""

    def __init__(self, database: Database, spent: Spent) -> None:
        super().__init__(database)
        self.spent = spent
        self.asked: list[Span] = []

    async def report(self, team_id: str | None, span: Span, caps: Caps, at: datetime) -> SpendReport:
        """See ``SpendReader``."""
        self.asked.append(span)
        return SpendReport(span, self.spent, (), (), (), (), {})


def watch(books: Books, clock: StillClock, *, month_end_report: bool = True) -> Watch:
    """A watch over the usual model."""
    used = [Used("image.model", "gpt-image-2-2026-04-21")]
    return Watch(load_catalogue(), used, books, TEAM, caps(), clock, month_end_report=month_end_report)


async def test_a_month_is_due_after_it_ended_when_something_was_spent_and_it_is_wanted(
    database: Database,
) -> None:
    clock = StillClock()
    spent, nothing = Books(database, Spent(1, 0, 1)), Books(database, Spent(0, 0, 0))
    watching = watch(spent, clock)
    for _ in range(2):
        assert [due.key for due in await watching.due()] == ["month_end:2026-10-01T00:00:00+00:00"]
    clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert [due.key for due in await watching.due()] == ["month_end:2026-11-01T00:00:00+00:00"]
    assert len(spent.asked) == 2
    assert await watch(nothing, clock).due() == []
    assert await watch(spent, clock, month_end_report=False).due() == []
