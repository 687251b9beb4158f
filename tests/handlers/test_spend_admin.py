"""What admins say behind ``/spend`` is done once, for admins only, and answered."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from darkroom.spending.changes import Author, GiveGrant, Person
from darkroom.spending.reports import SpendReport
from darkroom.turns.model import AttemptState, Told
from handlers.errands import Errands
from handlers.reporting import Reporter
from handlers.services import Services
from handlers.spend_commands import EXAMPLES
from handlers.surfaces import build_app
from storage.database import Database
from tests.examples import ALICE, BOB, DESIGN, TEAM, command, plan, settlement
from tests.handlers.support import (
    CAROL,
    GUEST,
    OLAF,
    OTHER_TEAM,
    USD,
    Desk,
    config,
    refused,
    said_in,
    slash,
    unclear,
)

BOB_SENT, DESIGN_SENT = f"<@{BOB}|bob>", f"<#{DESIGN}|design>"


class Postbox(Reporter):
    """Remembers what it was to send."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.slack, services.clock)
        self.sent: list[tuple[str, SpendReport]] = []
        self.fault: Exception | None = None

    async def send(self, to: str, report: SpendReport) -> None:
        """See ``Reporter``."""
        if self.fault is not None:
            raise self.fault
        self.sent.append((to, report))


@dataclass
class Office:
    """A desk whose worker only counts how often it is asked to look again."""

    desk: Desk
    postbox: Postbox
    looked_again: list[None]
    database: Database

    @classmethod
    def make(cls, database: Database, **settings: Any) -> Office:
        """An office over these books; without settings the workspace's admins decide."""
        desk, looked_again = Desk.make(database, **settings), list[None]()
        postbox = Postbox(desk.services)
        services = replace(desk.services, reporter=postbox, policy_changed=lambda: looked_again.append(None))
        app = build_app(services, AsyncWebClient(base_url="http://127.0.0.1:9/api/"))
        return cls(replace(desk, app=app, services=services), postbox, looked_again, database)

    async def says(self, text: str, user_id: str = CAROL, **fields: Any) -> str:
        """What somebody is told for ``/spend`` and that text."""
        before = len(self.desk.slack.named("respond"))
        at_once = await self.desk.type(text, name="/spend", user_id=user_id, **fields)
        answers = [call.text for call in self.desk.slack.named("respond")[before:]]
        assert bool(at_once) + len(answers) == 1, (at_once, answers)
        assert [call.method for call in self.desk.slack.calls if call.method != "user"] == ["respond"] * len(
            self.desk.slack.named("respond")
        )
        return at_once or answers[0]

    async def decided(self) -> list[tuple[str, str, str]]:
        """Who decided what about whom, oldest first."""
        entries = await self.desk.services.admin.history(TEAM, 100)
        return [(entry.user_id, entry.action, entry.subject_id) for entry in reversed(entries)]

    async def uncertain(self, user: str = BOB, amount: int = 210_000_000) -> int:
        """An uncertain charge of that much; gives its number."""
        caps, now, store = config().caps, self.desk.clock.now(), self.desk.store
        turn = await self.desk.arrive(command(user=user, trigger="u1"))
        await store.queue(turn.id, plan("a1", amount), caps, now)
        await store.tell(turn.id, Told.PLACEHOLDER, "1763640000.000001", now)
        await store.hold(turn.id, plan("a1", amount), caps, now)
        await store.send("a1", now)
        await store.render("a1", settlement(amount, state=AttemptState.UNCERTAIN), caps, now)
        return (await self.desk.services.admin.uncertain(TEAM, 5))[0].number


@pytest.fixture
def office(database: Database) -> Office:
    """An office with usual settings."""
    return Office.make(database)


CHANGES = [
    (f"cap {BOB_SENT} 20", ("cap", BOB), f"<@{BOB}>'s cap is now $20.00 a month; it was $10.00 a month"),
    (
        f"cap {DESIGN_SENT} $5.50 week",
        ("cap", DESIGN),
        f"<#{DESIGN}>'s cap is now $5.50 a week; it was unlim",
    ),
    ("cap default 12", ("cap", ""), "The default cap of each person is now $12.00 a month; it was $10.00"),
    ("cap default channels 30", ("cap", ""), "The default cap of each channel is now $30.00 a month"),
    ("cap team none", ("cap", ""), "The workspace's cap is now unlimited; it was $500.00 a month"),
    (f"grant {BOB_SENT} 15 until 2026-12-31", ("grant", BOB), "until 31 December 2026, that day included"),
    (f"grant {DESIGN_SENT} 15", ("grant", DESIGN), f"Granted $15.00 to <#{DESIGN}>, to be used until 30 Nov"),
    ("grant team 15", ("grant", ""), "Left there now: $515.00, of which $15.00 granted"),
    (f"block {BOB_SENT}", ("blocked", BOB), f"<@{BOB}> is now blocked"),
    (f"exempt {BOB_SENT}", ("exempt", BOB), f"<@{BOB}> is now exempt"),
    (f"deny {BOB_SENT} quality high", ("access", BOB), "are now: `high` denied. They were: no rule"),
    (f"allow {DESIGN_SENT} model all", ("access", DESIGN), "are now: all allowed"),
    (
        "deny everyone model gpt-image-2-2026-04-21",
        ("access", ""),
        "`gpt-image-2`, which is used when nobody",
    ),
    (f"pilot {DESIGN_SENT}", ("pilot", DESIGN), f"<#{DESIGN}> is now on the pilot list"),
    ("pause", ("pause", ""), "Darkroom is now paused"),
    (f"alerts {DESIGN_SENT}", ("alerts", DESIGN), f"Alerts now go to <#{DESIGN}>"),
]
IDLE = [
    (f"cap {BOB_SENT} default", "Nothing changed"),
    (f"unblock {BOB_SENT}", "Nothing changed"),
    (f"unexempt {BOB_SENT}", "Nothing changed"),
    (f"unpilot {BOB_SENT}", "Nothing changed"),
    ("allow everyone quality default", "Nothing changed"),
    ("pilot off", "Nothing changed"),
    ("resume", "Nothing changed"),
    ("alerts off", "Nothing changed"),
    ("revoke 99", "There is no grant with that number"),
    ("uncertain accept 99", "There is no uncertain charge with that number"),
]
LOOKS = [
    ("team", "Spend, November 2026 (UTC): $0.00 spent"),
    (BOB_SENT, f"Spend of <@{BOB}>, November 2026 (UTC)"),
    (f"<@{BOB}> last month", "October 2026"),
    (DESIGN_SENT, f"Spend of <#{DESIGN}>"),
    ("caps", "Each person: $10.00 a month (as in the settings)"),
    ("grants", "There are none"),
    ("pilot", "everybody can make pictures"),
    ("models", "`gpt-image-2` (used when nobody names one)"),
    ("history", "Nobody has changed anything yet"),
    ("report 2026-10", "The report for October 2026 (UTC) is in our direct message"),
    ("alerts", "There was none yet"),
    ("uncertain", "There are none"),
]
TEXTS = [*(change[0] for change in CHANGES), *(text for text, _ in (*IDLE, *LOOKS))]
WRONG = [
    "cap @bob 20",
    f"cap {BOB_SENT} -1",
    "revoke all",
    "team next month",
    f"block {DESIGN_SENT}",
    "pause it",
]


@pytest.mark.parametrize(("text", "entry", "said"), CHANGES)
async def test_what_an_admin_changes_is_in_the_journal_once_and_answered(
    office: Office, text: str, entry: tuple[str, str], said: str
) -> None:
    first = await office.says(text, trigger="1")
    assert said in first
    action, about = entry
    about = "" if action == "alerts" else about
    assert await office.decided() == [(CAROL, action, about)]
    assert len(office.looked_again) == 1
    # Slack sends it again.
    assert await office.says(text, trigger="1") == first
    assert await office.decided() == [(CAROL, action, about)]
    assert len(office.looked_again) == 1


@pytest.mark.parametrize("user", [ALICE, GUEST])
@pytest.mark.parametrize("named", [(), (CAROL,)])
async def test_nobody_else_changes_or_sees_anything(
    database: Database, user: str, named: tuple[str, ...]
) -> None:
    office = Office.make(database, admins=named)
    for number, text in enumerate((*TEXTS, *WRONG)):
        answer = await office.says(text, user, trigger=str(number))
        assert "for admins" in answer, text
        assert str(BOB) not in answer
        assert "$" not in answer
    assert await office.decided() == []
    assert office.looked_again == []
    assert office.postbox.sent == []


@pytest.mark.parametrize(("text", "said"), LOOKS)
async def test_what_an_admin_looks_at(office: Office, text: str, said: str) -> None:
    assert said in await office.says(text)
    assert await office.decided() == []


@pytest.mark.parametrize(("text", "said"), IDLE)
async def test_what_changes_nothing_says_so(office: Office, text: str, said: str) -> None:
    assert said in await office.says(text)


@pytest.mark.parametrize("text", WRONG)
async def test_a_mistake_changes_nothing_and_shows_a_right_example(office: Office, text: str) -> None:
    assert "For example: `/spend " in await office.says(text)
    assert await office.decided() == []
    assert office.looked_again == []


async def test_outsiders_learn_nothing(office: Office) -> None:
    for text in TEXTS:
        answer = await office.says(text, OLAF, team_id=OTHER_TEAM)
        assert "people of the workspace" in answer
    assert await office.decided() == []
    assert office.desk.slack.calls == []


async def test_named_admins_replace_the_workspaces(database: Database) -> None:
    """Also a guest, if the settings name one; and Slack is not asked who they are."""
    office = Office.make(database, admins=(ALICE, GUEST))
    assert "for admins" in await office.says("pause", CAROL, trigger="1")
    assert "now paused" in await office.says("pause", ALICE, trigger="2")
    assert "goes on" in await office.says("resume", GUEST, trigger="3")
    assert [entry[0] for entry in await office.decided()] == [ALICE, GUEST]
    assert office.desk.slack.named("user") == []


async def test_a_grant_is_granted_once_and_tells_the_new_balance(office: Office) -> None:
    for _ in range(3):
        answer = await office.says(f"grant {BOB_SENT} 15", trigger="7")
        assert "Left there now: $25.00, of which $15.00 granted" in answer
        assert "It is grant 1" in answer
    assert "Grant 1 for" in await office.says("grants", trigger="8")
    assert "$15.00 left of $15.00" in await office.says("grants", trigger="9")
    assert "of which $15.00 granted until 30 November 2026" in await office.says("", BOB, trigger="10")
    # Typed once more, it is another.
    assert "Left there now: $40.00" in await office.says(f"grant {BOB_SENT} 15", trigger="11")


async def test_a_revoked_grant_gives_nothing_any_more(office: Office) -> None:
    await office.says(f"grant {BOB_SENT} 15", trigger="1")
    answer = await office.says("revoke 1", trigger="2")
    assert "Grant 1 of" in answer
    assert "$15.00 of $15.00 was left" in answer
    assert await office.says("revoke 1", trigger="2") == answer
    assert "That grant was revoked before" in await office.says("revoke 1", trigger="3")
    assert "Left: $10.00." in await office.says("", BOB, trigger="4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uncertain accept {}", "stands at $0.21, as it was"),
        ("uncertain correct {} 0.05", "is now $0.05; it was $0.21"),
        ("uncertain waive {}", "is now $0.00 (waived); it was $0.21"),
    ],
)
async def test_an_uncertain_charge_is_decided_once(office: Office, text: str, said: str) -> None:
    number = await office.uncertain()
    assert f"{number}: $0.21 for <@{BOB}> in <#{DESIGN}>" in await office.says("uncertain", trigger="1")
    answer = await office.says(text.format(number), trigger="2")
    assert said in answer
    assert await office.says(text.format(number), trigger="2") == answer
    assert "was decided before" in await office.says(text.format(number), trigger="3")
    assert "There are none" in await office.says("uncertain", trigger="4")
    assert [entry[1:] for entry in await office.decided()] == [("uncertain", BOB)]


async def test_several_pilots_are_each_in_the_journal_and_only_once(office: Office) -> None:
    for _ in range(2):
        answer = await office.says(f"pilot {BOB_SENT} {DESIGN_SENT}", trigger="1")
        assert f"<@{BOB}> is now on the pilot list" in answer
        assert f"<#{DESIGN}> is now on the pilot list" in answer
        assert answer.count("only these people") == 1
    assert await office.decided() == [(CAROL, "pilot", BOB), (CAROL, "pilot", DESIGN)]
    assert "The pilot list: " in await office.says("pilot", trigger="2")
    assert "it had 2 entries" in await office.says("pilot off", trigger="3")


async def test_what_was_decided_is_seen_where_it_matters(office: Office) -> None:
    for number, text in enumerate((f"cap {BOB_SENT} 20", f"block {BOB_SENT}", "deny everyone quality high")):
        await office.says(text, trigger=str(number))
    person = await office.says(BOB_SENT, trigger="10")
    assert "Cap: $20.00 a month." in person
    assert "Blocked" in person
    assert "Blocked: " in await office.says("caps", trigger="11")
    assert "(denied to everyone)" in await office.says("models", trigger="12")
    history = await office.says("history", trigger="13")
    assert "quality rules for everyone: no rule → `high` denied" in history
    assert history.index("quality rules") < history.index("cap of")
    assert "20% of" not in await office.says("", BOB, trigger="14")


async def test_an_admin_who_blocks_themselves_reads_what_it_means_and_stays_an_admin(office: Office) -> None:
    assert "That is you" in await office.says(f"block <@{CAROL}|carol>", trigger="1")
    assert "not blocked any more" in await office.says(f"unblock <@{CAROL}|carol>", trigger="2")


async def test_the_report_goes_to_whoever_asked(office: Office) -> None:
    await office.says("report 2026-10", trigger="1")
    [(to, report)] = office.postbox.sent
    assert to == CAROL
    assert report.span.start.isoformat() == "2026-10-01T00:00:00+00:00"


@pytest.mark.parametrize("fault", [refused("messages_tab_disabled"), unclear()])
async def test_a_report_that_cannot_be_sent_is_said_so(office: Office, fault: Exception) -> None:
    office.postbox.fault = fault
    answer = await office.says("report")
    assert "could not be sent by direct message" in answer


async def test_help_is_for_everybody_and_shows_admins_their_part(office: Office) -> None:
    assert "`/spend grant @anna 15 until" in await office.says("help", CAROL, trigger="1")
    other = await office.says("Help.", GUEST, trigger="2")
    assert "what you have spent" in other
    assert not any(f"/spend {name}" in other for name in EXAMPLES)


async def test_no_answer_is_long_or_hostile(office: Office) -> None:
    for number, text in enumerate(
        ("<!channel>", "x" * 10_000, "&lt;!here&gt; \u202e\x00", "deny everyone model <!x>")
    ):
        answer = await office.says(text, trigger=str(number))
        assert not re.search(r"<!|\u202e|\x00", answer)
        assert "`/spend " in answer
        assert len(answer) < 1_000


class Lost(Errands):
    """What is to be done after the acknowledgement is never done: the process died."""

    def start(self, name: str, work: Any, sorry: Any = None) -> None:
        """See ``Errands``."""
        work.close()


async def dies_after_acknowledging(office: Office, text: str, user: str) -> BoltResponse:
    """What Slack gets, if nothing happens after it."""
    services = replace(office.desk.services, errands=Lost())
    app = build_app(services, AsyncWebClient(base_url="http://127.0.0.1:9/api/"))
    payload = slash("/spend", text, user_id=user, trigger="1")
    response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
    assert response.status == 200
    return response


async def test_a_change_of_a_named_admin_is_in_the_books_before_it_is_acknowledged(
    database: Database,
) -> None:
    office = Office.make(database, admins=(ALICE,))
    assert said_in(await dies_after_acknowledging(office, f"grant {BOB_SENT} 15", ALICE)) == ""
    assert await office.decided() == [(ALICE, "grant", BOB)]
    assert len(office.looked_again) == 1
    # Sent again, it is answered and not done again.
    assert "It is grant 1" in await office.says(f"grant {BOB_SENT} 15", ALICE, trigger="1")
    assert len(await office.decided()) == 1


async def test_where_slack_must_be_asked_first_it_is_acknowledged_and_then_done(office: Office) -> None:
    """A crash between the two loses the change, and its admin reads no answer."""
    assert said_in(await dies_after_acknowledging(office, f"grant {BOB_SENT} 15", CAROL)) == ""
    assert await office.decided() == []
    assert office.desk.slack.calls == []


async def test_a_change_that_the_books_do_not_take_is_not_acknowledged_as_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office.make(database, admins=(ALICE,))

    async def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(office.desk.services.admin, "change", fail)
    assert "Darkroom itself failed" in await office.says("pause", ALICE)
    assert office.looked_again == []


async def test_a_key_belongs_to_one_typing_whoever_else_types_the_same(office: Office) -> None:
    author = Author(TEAM, CAROL, "command:1")
    await office.desk.services.admin.change(
        GiveGrant(Person(BOB), USD, office.desk.clock.now().replace(month=12)),
        author,
        config().caps,
        office.desk.clock.now(),
    )
    assert "Granted $1.00" in await office.says(f"grant {BOB_SENT} 15", trigger="1")
    assert len(await office.decided()) == 1


async def test_what_was_decided_before_the_books_broke_acts_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several changes in one command the first may be on disk when the second fails."""
    books, change = office.desk.services.admin, office.desk.services.admin.change

    async def fail_later(wanted: Any, by: Author, *rest: Any) -> object:
        if by.key.endswith(":1"):
            raise OSError("disk full")
        return await change(wanted, by, *rest)

    monkeypatch.setattr(books, "change", fail_later)
    await office.says(f"pilot {BOB_SENT} {DESIGN_SENT}")
    assert await office.decided() == [(CAROL, "pilot", BOB)]
    assert len(office.looked_again) == 1


async def test_a_command_without_its_trigger_is_refused_instead_of_taken_for_another(
    database: Database,
) -> None:
    office = Office.make(database, admins=(ALICE,))
    for text in (f"grant {BOB_SENT} 15", "pause"):
        assert "Darkroom itself failed" in await office.says(text, ALICE, trigger_id=None)
    assert await office.decided() == []


async def test_when_too_much_is_being_answered_nothing_is_acknowledged_as_done(office: Office) -> None:
    """Slack's answers hang: what cannot be worked on is refused at once, not taken and dropped."""
    hangs = asyncio.Event()

    async def waits() -> None:
        await hangs.wait()

    errands = office.desk.services.errands
    while not errands.full:
        errands.start("hangs", waits())
    payload = AsyncBoltRequest(mode="socket_mode", body=slash("/spend", "pause", user_id=CAROL))
    response = await office.desk.app.async_dispatch(payload)
    assert "nothing was looked up or changed" in said_in(response)
    hangs.set()
    await errands.idle()
    policy, _ = await office.desk.services.admin.policy(TEAM)
    assert not policy.paused
