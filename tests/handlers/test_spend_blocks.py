"""What ``/spend`` shows: complete in words, within Slack's limits, and calling nobody who is not meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from darkroom.spending.alerts import Alert, AlertKind, Audience
from darkroom.spending.budgets import Balance, BudgetKind, Limit
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.changes import Entry, GrantNote, UncertainCharge
from darkroom.spending.periods import Period, PeriodKind
from darkroom.spending.policy import ALL, AccessRule, Dimension, Grant, Policy
from darkroom.spending.reports import RecentPicture, Spent
from darkroom.spending.spans import BadSpan, parse_span, span_of
from handlers.blocks.admin import (
    Decided,
    Standing,
    caps_view,
    channel_view,
    grants_view,
    listing,
    person_view,
    pilots_view,
)
from handlers.blocks.help import help_view
from handlers.blocks.journal import alerts_view, history_view, uncertain_view
from handlers.blocks.models import Usual, models_view
from handlers.blocks.spend import BAR_STEPS, Own, bar, bar_words, left_words, own_view
from handlers.blocks.text import BLOCKS_MAX, TEXT_MAX, View
from handlers.spend_commands import EXAMPLES
from sandbox.slack import words as slack
from sandbox.slack.blocks import check_blocks
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps
from tests.handlers.support import CAROL, USD

ZONE = "Europe/Zurich"
NOVEMBER = Period(
    PeriodKind.month, ZONE, datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC)
)
CATALOGUE = load_catalogue()
TODAY = date(2026, 11, 20)
HOSTILE = "fox & <!channel> <@U0EVIL0001> `_*~ \u202e" + "x" * 5_000


def balance(charged: float, held: float, cap: float | None, **more: Any) -> Balance:
    """A person's budget in November, in dollars."""
    kind = more.pop("kind", BudgetKind.PERSON)
    nano = {name: int(value * USD) for name, value in more.items()}
    limit = None if cap is None else int(cap * USD)
    return Balance(kind, NOVEMBER, int(charged * USD), int(held * USD), limit, **nano)


def grant(number: int, amount: float, until: datetime = NOVEMBER.end, **more: Any) -> Grant:
    """A grant for Alice."""
    values: dict[str, Any] = {"charged_nano_usd": 0, "held_nano_usd": 0, "budget": "person:k1", **more}
    return Grant(number, amount_nano_usd=int(amount * USD), ends_at=until, **values)


def shot(number: int, prompt: str = "a red fox in snow") -> RecentPicture:
    """A picture of Alice's."""
    at = NOON - timedelta(minutes=number)
    return RecentPicture(at, 2, prompt, 53_000_000)


def check(view: View, people: frozenset[str] = frozenset({ALICE, BOB, CAROL})) -> View:
    """Slack would take it, and nobody else is called."""
    assert 0 < len(view.text.encode("utf-16-le")) // 2 <= TEXT_MAX
    assert len(view.blocks) <= BLOCKS_MAX
    blocks = [dict(block) for block in view.blocks]
    assert check_blocks(blocks, surface="message", file_refused=lambda _: False) == []
    texts = [view.text, *(text for kind, text in slack.texts_of(blocks) if kind == "mrkdwn")]
    assert sum(len(text) for text in texts[1:]) <= 13_000
    for text in texts:
        assert slack.broadcasts(text) == set()
        assert slack.mentions(text) <= people
        assert "\u202e" not in text
    return view


def test_ones_own_spend_is_complete_in_words() -> None:
    view = check(own_view(Own(balance(3, 0.5, 10), [], 12), "More money: ask Carol."))
    for fact in (
        "35% of $10.00 used",
        "Spent this month: $3.00",
        "Held for pictures being made: $0.50",
        "Left: $6.50.",
        "Pictures: 12",
        "Renews: 1 December 2026, 00:00 (Europe/Zurich)",
        "More money: ask Carol.",
    ):
        assert fact in view.text
    assert "█" not in view.text
    assert "█" in view.blocks[0]["text"]["text"]


def test_the_last_ten_pictures_are_listed_with_their_cost_and_nothing_foreign_in_them_acts() -> None:
    recent = [shot(0), *(shot(number, HOSTILE) for number in range(1, 10))]
    view = check(own_view(Own(balance(3, 0, 10), [], 12, recent), "an admin"))
    line = "$0.05, 20 Nov 2026, 13:00, v2: a red fox in snow"
    assert line in view.text
    assert line in view.blocks[2]["text"]["text"]
    assert view.text.count(", v2: ") == 10
    assert "&lt;!channel&gt;" in view.text


def test_of_what_is_left_the_granted_part_is_named_with_its_last_day() -> None:
    own = Own(balance(8, 0, 10, granted_nano_usd=5), [], 1, (), [grant(1, 5)])
    view = check(own_view(own, "an admin"))
    assert "Left: $7.00, of which $5.00 granted until 30 November 2026." in view.text
    assert "53% of $15.00 used" in view.text
    later = datetime(2026, 12, 31, 23, tzinfo=UTC)
    grants = [grant(2, 3, later), grant(1, 5, charged_nano_usd=3 * USD), grant(3, 1, later)]
    view = own_view(replace(own, grants=[*grants, grant(4, 1, later)]), "an admin")
    assert "granted ($2.00 until 30 November 2026, $3.00 until 31 December 2026, $1.00 until" in view.text
    assert "and 1 more)" in view.text


def test_a_budget_of_others_is_named_only_when_it_cannot_pay_a_picture() -> None:
    spent = balance(499.98, 0, 500, kind=BudgetKind.WORKSPACE)
    rich, free = (balance(1, 0, cap, kind=BudgetKind.CHANNEL) for cap in (20, None))
    view = own_view(Own(balance(0, 0, 10), [rich, free, spent], 0, usual_nano_usd=50_000_000), "an admin")
    assert "The workspace's budget has $0.02 left of $500.00" in view.text
    assert "channel" not in view.text
    assert "workspace" not in own_view(Own(balance(0, 0, 10), [spent], 0), "an admin").text


def test_no_cap_is_said_so() -> None:
    view = check(own_view(Own(balance(1, 0, None), [], 1), "More money: ask Carol."))
    assert "There is no cap." in view.text
    assert "Left" not in view.text
    assert "More money" not in view.text


def test_a_little_of_much_is_not_shown_as_nothing_and_all_that_is_left_may_be_granted() -> None:
    assert bar_words(balance(0.01, 0, 500)) == "Less than 1% of $500.00 used."
    assert bar_words(balance(0, 0, 500)) == "0% of $500.00 used."
    assert left_words(balance(10, 0, 10, granted_nano_usd=5)) == "$5.00, all of it granted"


@pytest.mark.parametrize(
    ("charged", "filled"), [(0, 0), (0.001, 1), (5, BAR_STEPS // 2), (10, BAR_STEPS), (11, BAR_STEPS)]
)
def test_the_bar_fills_with_what_is_used(charged: float, filled: int) -> None:
    """Something spent is never shown as nothing, and an overrun not as more than everything."""
    assert bar(balance(charged, 0, 10)).count("█") == filled


@pytest.mark.parametrize("length", [0, 1, 40, 5_000])
def test_a_list_says_how_many_lines_it_leaves_out(length: int) -> None:
    lines = [f"• line {number:04d} " + "x" * 180 for number in range(length)]
    view = check(listing("Things", lines, ["A note."], "they are there."))
    seen = sum(block["text"]["text"].count("line ") for block in view.blocks if block["type"] == "section")
    heard = view.text.count("line ")
    assert ("more: they are there." in view.text) == (heard < length)
    if heard < length:
        assert f"And {length - heard:,} more" in view.text
    shown = str(view.blocks[-1])
    assert (f"And {length - seen:,} more" in shown) == (seen < length)
    assert "A note." in view.text


def decided(**more: Any) -> Decided:
    """What admins decided: nothing, unless said otherwise."""
    people = {"k1": ALICE, "k2": BOB}
    return Decided(TEAM, caps(person=10 * USD, workspace=500 * USD, timezone=ZONE), Policy(**more), people)


RULES = (
    AccessRule("everyone", Dimension.QUALITY, "high", False),
    AccessRule("everyone", Dimension.MODEL, ALL, False),
    AccessRule("everyone", Dimension.MODEL, "gpt-image-2", True),
    AccessRule("person:k1", Dimension.QUALITY, "high", True),
)
MUCH = decided(
    caps={
        "person:k1": Limit(20 * USD, PeriodKind.week),
        f"channel:{TEAM}:{DESIGN}": Limit(None, PeriodKind.month),
        "person:k9": Limit(0, PeriodKind.month),
        "every person": Limit(12 * USD, PeriodKind.month),
    },
    blocked=frozenset({"k2"}),
    exempt=frozenset({"k1"}),
    pilots=frozenset({"person:k1", f"channel:{TEAM}:{DESIGN}"}),
    access=RULES,
    paused=True,
)


def test_caps_show_the_defaults_and_every_exception() -> None:
    text = check(caps_view(MUCH, "/spend")).text
    for fact in (
        "Darkroom is paused",
        "Each person: $12.00 a month (set by an admin)",
        "Each channel: no cap (as in the settings)",
        "The workspace: $500.00 a month (as in the settings)",
        f"<@{ALICE}>: $20.00 a week",
        f"<#{DESIGN}>: no cap",
        "somebody whose name was erased: $0.00 a month",
        f"Blocked: <@{BOB}>",
        f"Exempt, no cap of their own: <@{ALICE}>",
        f"On the pilot list: <#{DESIGN}>",
        "Quality rules for everyone: `high` denied",
        "Model rules for everyone: `gpt-image-2` allowed; all others denied",
        f"Quality rules for <@{ALICE}>: `high` allowed",
        "begin in Europe/Zurich",
    ):
        assert fact in text
    assert "Blocked" not in caps_view(decided(), "/spend").text


def test_hundreds_of_exceptions_still_fit() -> None:
    many = {f"channel:{TEAM}:C{number:09d}": Limit(number * USD, PeriodKind.month) for number in range(600)}
    view = check(caps_view(decided(caps=many), "/spend"))
    assert "`darkroom spend --by person`" in view.text


def test_the_pilot_list_says_what_it_means() -> None:
    assert f"<@{ALICE}>" in check(pilots_view(MUCH, "/spend")).text
    assert "everybody can make pictures" in check(pilots_view(decided(), "/spend")).text


def test_grants_show_number_whose_what_is_left_and_until_when() -> None:
    notes = [
        GrantNote(grant(3, 15, charged_nano_usd=4 * USD, held_nano_usd=USD), ALICE, ""),
        GrantNote(grant(4, 5, budget=f"channel:{TEAM}:{DESIGN}"), "", DESIGN),
        GrantNote(grant(5, 5, budget=f"workspace:{TEAM}"), "", ""),
        GrantNote(grant(6, 5), "", ""),
    ]
    text = check(grants_view(notes, ZONE, "/spend")).text
    assert f"Grant 3 for <@{ALICE}>: $10.00 left of $15.00 ($1.00 held), until 30 November 2026." in text
    assert f"Grant 4 for <#{DESIGN}>: $5.00 left of $5.00, until 30 November 2026." in text
    assert "Grant 5 for the workspace" in text
    assert "Grant 6 for somebody whose name was erased" in text
    assert "There are none" in grants_view([], ZONE, "/spend").text


def standing(subject: str, **more: Any) -> Standing:
    """Three dollars spent in November."""
    spent = Spent(3 * USD, USD // 2, 7)
    usual: dict[str, Any] = {"balance": balance(3, 0.5, 20), "grants": []}
    return Standing(subject, span_of(NOVEMBER), spent, **{**usual, **more})


def test_one_person_is_shown_with_spend_cap_grants_and_what_was_decided() -> None:
    note = GrantNote(grant(3, 15), ALICE, "")
    text = check(person_view(standing(ALICE, grants=[note]), MUCH)).text
    for fact in (
        f"Spend of <@{ALICE}>, November 2026 (Europe/Zurich)",
        "17% of $20.00 used",
        "Spent: $3.00",
        "Held for pictures being made: $0.50",
        "Pictures: 7",
        "Cap: $20.00 a month.",
        "Left: $16.50",
        "Renews: 1 December 2026",
        "Grant 3: $15.00 left",
        "Exempt",
        "On the pilot list",
        "Quality rules: `high` allowed",
    ):
        assert fact in text
    assert "Blocked" in person_view(standing(BOB), MUCH).text
    assert "Cap: $20.00 a month, the default." in person_view(standing(BOB), MUCH).text
    granted = standing(BOB, balance=balance(3, 0, 20, granted_nano_usd=5))
    assert "Cap: $20.00 a month, the default; with grants $25.00." in person_view(granted, MUCH).text
    assert "pilot list" not in person_view(standing(BOB), decided()).text
    free = person_view(standing(BOB, balance=balance(3, 0, None)), decided(exempt=frozenset({"k2"})))
    assert "Cap: no cap. " in free.text


def test_somebody_of_whom_nothing_is_known_has_the_default() -> None:
    text = check(person_view(standing(CAROL), MUCH)).text
    assert "the default" in text
    assert "Not on the pilot list" in text
    assert "Exempt" not in text


def test_one_channel_is_shown_the_same_way() -> None:
    free = standing(DESIGN, balance=balance(3, 0, None, kind=BudgetKind.CHANNEL))
    text = check(channel_view(free, MUCH)).text
    assert f"Spend of <#{DESIGN}>" in text
    assert "Cap: no cap" in text
    assert "Left" not in text
    assert "On the pilot list" in text


def test_models_show_which_can_be_used_prices_and_until_when() -> None:
    marks = {
        "gpt-image-2-2026-04-21": "used when nobody names one",
        "gpt-5.6-luna": "the host",
        "gone": "never heard of",
    }
    usual = Usual(marks, (1024, 1024))
    view = check(models_view(CATALOGUE, decided(access=RULES), usual, TODAY, "/spend"))
    seen = "\n".join(block["text"]["text"] for block in view.blocks if block["type"] == "section")
    for fact in (
        "`gpt-image-2` (used when nobody names one): 1024x1024 low $0.006, medium $0.05, high $0.21 "
        f"(denied to everyone but <@{ALICE}>); a million tokens text in $5.00",
        "`gpt-image-2.5-flare`: denied to everyone",
        "shut down on 1 December 2026, use `gpt-image-2.5-sunburst` instead",
        "`gpt-5.6-luna` (the host): a million tokens in $",
        "`dall-e-3` cannot be used: The model dall-e-3 was shut down on 2026-05-12. Use gpt-image-2.5-flare",
        "Without a price, so that they cannot be used: `chatgpt-image-latest` (until 1 December 2026),",
        "`gpt-4.1-nano` (until 14 January 2027)",
    ):
        assert fact in seen
    assert "say what it costs" not in view.text


IN_DESIGN = f"channel:{TEAM}:{DESIGN}"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([], ""),
        ([("everyone", "high", False)], "denied to everyone"),
        ([("everyone", "high", False), ("person:k1", "high", True)], f"denied to everyone but <@{ALICE}>"),
        ([("everyone", ALL, False), (IN_DESIGN, ALL, True)], f"denied to everyone but <#{DESIGN}>"),
        ([("person:k1", ALL, False)], f"denied to <@{ALICE}>"),
        ([("person:k1", "low", False)], ""),
        ([("person:k1", ALL, False), ("person:k1", "high", True)], ""),
        (
            [(IN_DESIGN, "high", False), ("person:k1", "high", False), ("person:k2", ALL, True)],
            f"denied to <@{ALICE}> and <#{DESIGN}> (where <@{BOB}> may)",
        ),
        (
            [("everyone", "high", False), (IN_DESIGN, "high", True), ("person:k2", "high", False)],
            f"denied to everyone but <#{DESIGN}> (where <@{BOB}> may not)",
        ),
        (
            [(f"channel:{TEAM}:C{number}", "high", False) for number in range(5)],
            "denied to <#C0>, <#C1>, <#C2> and 2 more",
        ),
    ],
)
@pytest.mark.parametrize("dimension", Dimension)
def test_who_may_use_a_model_or_quality_is_said_with_the_exceptions(
    dimension: Dimension, rules: list[tuple[str, str, bool]], said: str
) -> None:
    """The rules are about the quality, or in its place about one model."""
    about = {"high": "gpt-image-1.5", "low": "gpt-image-2"} if dimension is Dimension.MODEL else {}
    access = tuple(
        AccessRule(scope, dimension, about.get(value, value), allowed) for scope, value, allowed in rules
    )
    view = check(models_view(CATALOGUE, decided(access=access), Usual({}, (1024, 1024)), TODAY, "/spend"))
    seen = "\n".join(block["text"]["text"] for block in view.blocks if block["type"] == "section")
    line = next(line for line in seen.splitlines() if line.startswith("• `gpt-image-1.5`"))
    words = f" ({said})" if said else ""
    if dimension is Dimension.QUALITY:
        assert re.search(rf"high \$[0-9.]+{re.escape(words)};", line)
    else:
        assert f"`gpt-image-1.5`: {f'{said}; ' if said else ''}1024x1024 low" in line
    assert "`/spend caps` lists every rule" in view.text


def test_a_usual_size_that_a_model_cannot_paint_is_not_priced_for_it() -> None:
    view = models_view(CATALOGUE, decided(), Usual({}, (2048, 1024)), TODAY, "/spend")
    assert "2048x1024 low" in view.text
    assert "`gpt-image-1.5`: 1024x1024 low" in view.text


def entry(
    action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, **more: Any
) -> Entry:
    """A change of Carol's about Alice."""
    about = {"subject": "person:k1", "subject_id": ALICE, "user_id": CAROL, **more}
    return Entry(number=1, at=NOON, action=action, before=before, after=after, **about)


OWN, DEFAULT = {"period": "month", "own": True}, {"period": "month", "own": False}
ENTRIES = [
    (
        entry("cap", {"cap_nano_usd": 10 * USD, **DEFAULT}, {"cap_nano_usd": 20 * USD, **OWN}),
        f"cap of <@{ALICE}>: $10.00 a month (default) → $20.00 a month",
    ),
    (
        entry("cap", {"cap_nano_usd": None, **OWN}, {"cap_nano_usd": None, **OWN}),
        "no cap → no cap (as it was)",
    ),
    (
        entry("grant", None, {"number": 3, "amount_nano_usd": 15 * USD, "ends_at": NOVEMBER.end.isoformat()}),
        f"granted $15.00 to <@{ALICE}> until 30 November 2026 (grant 3)",
    ),
    (
        entry(
            "grant",
            None,
            {"number": 3, "amount_nano_usd": USD, "ends_at": NOVEMBER.end.isoformat(), "request": 7},
        ),
        "(grant 3, as asked for in request 7)",
    ),
    (
        entry(
            "revoke",
            {"number": 3, "amount_nano_usd": 15 * USD, "left_nano_usd": 4 * USD},
            {"number": 3, "amount_nano_usd": 15 * USD, "left_nano_usd": 0},
        ),
        f"revoked grant 3 of <@{ALICE}>: $4.00 left → $0.00",
    ),
    (entry("blocked", {"blocked": False}, {"blocked": True}), f"<@{ALICE}>: not blocked → blocked"),
    (entry("exempt", {"exempt": True}, {"exempt": False}), "exempt → not exempt"),
    (entry("pilot", {"pilot": False}, {"pilot": True}), "not on the pilot list → on the pilot list"),
    (
        entry(
            "pilot off",
            {"members": ["person:k1"]},
            {"members": []},
            subject=f"workspace:{TEAM}",
            subject_id="",
        ),
        "pilot list: 1 entry → none",
    ),
    (
        entry(
            "access",
            {"dimension": "quality", "rules": {}},
            {"dimension": "quality", "rules": {"high": False, "low": True}},
            subject="everyone",
            subject_id="",
        ),
        "quality rules for everyone: no rule → `high` denied; `low` allowed",
    ),
    (entry("pause", {"paused": False}, {"paused": True}), "Darkroom: not paused → paused"),
    (entry("alerts", {"channel_id": None}, {"channel_id": DESIGN}), f"alerts: direct messages → <#{DESIGN}>"),
    (
        entry(
            "uncertain",
            {"number": 9, "attempt": "a", "charged_nano_usd": 210_000_000},
            {"number": 9, "attempt": "a", "charged_nano_usd": 50_000_000, "decided": "corrected"},
        ),
        f"corrected uncertain charge 9 of <@{ALICE}>: $0.21 → $0.05",
    ),
    (entry("refuse", None, {"request": 7}), "said no to request 7"),
    (entry("of a later version", None, None, user_id=""), "of a later version"),
]


@pytest.mark.parametrize(("change", "said"), ENTRIES)
def test_history_says_when_who_what_from_and_to(change: Entry, said: str) -> None:
    text = check(history_view([change], ZONE)).text
    assert said in text
    assert "(times in Europe/Zurich): 20 Nov 2026, 13:00, " in text
    assert (f"<@{CAROL}>" in text) == (change.user_id == CAROL)


def test_no_history_says_so() -> None:
    assert "Nobody has changed anything" in check(history_view([], ZONE)).text


def test_uncertain_charges_show_what_can_be_decided() -> None:
    charge = UncertainCharge(9, "a1", "t1", ALICE, DESIGN, NOON, "gpt-image-2", "resp_1", 210_000_000)
    lost = replace(charge, number=10, user_id="", channel_id="D0ALICE001", response_id=None)
    text = check(uncertain_view([charge, lost], ZONE, "/spend")).text
    assert f"9: $0.21 for <@{ALICE}> in <#{DESIGN}>" in text
    assert "OpenAI's id resp_1" in text
    assert "somebody whose name was erased in a direct message with me" in text
    assert "`/spend uncertain waive 9`" in text
    assert "There are none" in uncertain_view([], ZONE, "/spend").text
    check(uncertain_view([charge] * 50, ZONE, "/spend"))


def alert(kind: AlertKind, **details: str | int) -> Alert:
    """One for the admins."""
    return Alert(1, "k", TEAM, kind, Audience.ADMINS, "", details, NOON)


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_is_named(kind: AlertKind) -> None:
    check(alerts_view("to nobody", [(alert(kind), True, None)], ZONE, "/spend", channel=False))


def test_alerts_show_where_they_go_and_what_became_of_them() -> None:
    recent = [
        (alert(AlertKind.CAP_NEAR, budget="channel", channel_id=DESIGN, percent=80), True, None),
        (alert(AlertKind.SHUTDOWN, model="gpt-image-1.5", on="2026-12-01", days=7), False, None),
        (alert(AlertKind.QUOTA, message=HOSTILE), True, "channel_not_found " + HOSTILE),
        (alert(AlertKind.OVERRUN, model="gpt-image-2", number=4), True, None),
        (alert(AlertKind.RESUMED, trouble="region", began_at="2026-11-20T09:30:00+00:00"), True, None),
    ]
    text = check(alerts_view(f"to <#{DESIGN}>", recent, ZONE, "/spend", channel=True)).text
    assert f"Alerts go to <#{DESIGN}>." in text
    assert f"a cap is nearly reached (<#{DESIGN}>, 80%), sent" in text
    assert "a model that is used will be shut down (gpt-image-1.5, 2026-12-01), on its way" in text
    assert "OpenAI makes pictures again (after region), sent" in text
    assert "given up: channel_not_found fox" in text
    assert "(gpt-image-2, charge 4)" in text
    assert "with another channel, or `off`, changes that" in text
    nowhere = alerts_view("nowhere", [], ZONE, "/spend", channel=False).text
    assert "There was none yet" in nowhere
    assert "`off`" not in nowhere


def test_every_kind_of_period_is_in_the_help_and_can_be_read() -> None:
    """What the mistake about a period lists is what the help lists, each as it may be typed."""
    text = help_view("/spend", "/imagine", admin=True).text
    periods = re.findall(r"`([^`]+)`", text.partition("A period is ")[2].partition(". ")[0])
    with pytest.raises(BadSpan) as raised:
        parse_span("whenever", ZONE, NOON)
    named = re.findall(r"(?:this|last) \w+|today|yesterday", str(raised.value))
    assert set(named) == {period for period in periods if not period[0].isdigit()}
    assert all(parse_span(period, ZONE, NOON).start < NOON for period in periods)


def test_help_fits_on_a_screen_and_names_every_command_to_admins_only() -> None:
    admins, others = (help_view("/spend", "/imagine", admin=admin) for admin in (True, False))
    for view in (admins, others):
        check(view)
    for name in EXAMPLES:
        assert name in admins.text
    for said in ("`week`, `day`", "used once; or `#design`, `team`"):
        assert said in admins.text
    assert len(admins.text) < 2_500
    assert "block" not in others.text
    assert "`/spend`" in others.text
