"""What admins are answered: what was, what is now, what it means for what waits; a no-op says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.changes import CannotChange, Changed, Entry
from darkroom.spending.periods import Period, PeriodKind
from darkroom.spending.policy import Policy
from handlers.words import Voice
from handlers.words_admin import Situation, alerts_words, cannot_words, changed_words
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM
from tests.handlers.support import CAROL, USD

VOICE = Voice("/imagine", "/spend", "U0DARKROOM", (), "UTC")
NAMED = Voice("/imagine", "/costs", "U0DARKROOM", (CAROL,), "UTC")
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
NOVEMBER = Period(PeriodKind.month, "UTC", datetime(2026, 11, 1, tzinfo=UTC), DECEMBER)


def entry(
    action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, **more: Any
) -> Entry:
    """A change of Carol's about Alice."""
    about = {"subject": "person:k1", "subject_id": ALICE, "user_id": CAROL, **more}
    return Entry(number=1, at=NOON, action=action, before=before, after=after, **about)


def said(of: Entry, voice: Voice = VOICE, **more: Any) -> str:
    """The answer to Carol."""
    usual: dict[str, Any] = {"policy": Policy(), "usual_model": "gpt-image-2", "asker": CAROL}
    return changed_words(Changed(of), Situation(voice=voice, **{**usual, **more}))


def cap(usd: int | None, own: bool = True, period: str = "month") -> dict[str, Any]:
    """A cap as the journal writes it."""
    return {"cap_nano_usd": None if usd is None else usd * USD, "period": period, "own": own}


def rules(**found: bool) -> dict[str, Any]:
    """Rules about qualities as the journal writes them."""
    return {"dimension": "quality", "rules": found}


GRANTED = {"number": 3, "amount_nano_usd": 15 * USD, "ends_at": DECEMBER.isoformat()}
EVERY_PERSON = {"subject": "every person", "subject_id": ""}
WORKSPACE = {"subject": f"workspace:{TEAM}", "subject_id": ""}
CHARGE = {"number": 9, "attempt": "a1", "charged_nano_usd": 210_000_000}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            entry("cap", cap(10, own=False), cap(20)),
            f"<@{ALICE}>'s cap is now $20.00 a month; it was $10.00 a month (the default). It acts at once, "
            "also on requests that wait; pictures that are being made now are finished.",
        ),
        (entry("cap", cap(20), cap(None)), "is now unlimited; it was $20.00 a month."),
        (entry("cap", cap(20), cap(0, period="day")), "is now $0.00 a day; it was $20.00 a month."),
        (entry("cap", cap(20), cap(10, own=False)), "is now $10.00 a month (the default); it was $20.00"),
        (
            entry("cap", cap(10, own=False), cap(12), **EVERY_PERSON),
            "The default cap of each person is now $12.00 a month; it was $10.00 a month (as in the"
            " settings).",
        ),
        (
            entry("cap", cap(500, own=False), cap(600), **WORKSPACE),
            "The workspace's cap is now $600.00 a month; it was $500.00 a month (as in the settings).",
        ),
        (
            entry("grant", None, GRANTED),
            f"Granted $15.00 to <@{ALICE}>, to be used until 30 November 2026, that day included. It is "
            "grant 3",
        ),
        (
            entry(
                "revoke",
                {"number": 3, "amount_nano_usd": 15 * USD, "left_nano_usd": 4 * USD},
                {"number": 3, "amount_nano_usd": 15 * USD, "left_nano_usd": 0},
            ),
            f"Grant 3 of <@{ALICE}> is revoked: $4.00 of $15.00 was left, and nothing is now.",
        ),
        (
            entry("blocked", {"blocked": False}, {"blocked": True}),
            "is now blocked, and was not: nothing is made",
        ),
        (entry("blocked", {"blocked": True}, {"blocked": False}), "they can make pictures again"),
        (entry("exempt", {"exempt": False}, {"exempt": True}), "is now exempt, and was not"),
        (entry("exempt", {"exempt": True}, {"exempt": False}), "their own cap holds again"),
        (entry("pilot", {"pilot": False}, {"pilot": True}), "What others have waiting is declined"),
        (entry("pilot", {"pilot": True}, {"pilot": False}), "The list is empty, so everybody can"),
        (
            entry("pilot off", {"members": ["a", "b"]}, {"members": []}, **WORKSPACE),
            "There is no pilot list any more (it had 2 entries): everybody can make pictures now.",
        ),
        (
            entry("access", rules(), rules(high=False), subject="everyone", subject_id=""),
            "The quality rules for everyone are now: `high` denied. They were: no rule.",
        ),
        (entry("pause", {"paused": False}, {"paused": True}, **WORKSPACE), "what waits is declined"),
        (
            entry("resume", {"paused": True}, {"paused": False}, **WORKSPACE),
            "Darkroom goes on, and was paused",
        ),
        (
            entry("alerts", {"channel_id": None}, {"channel_id": DESIGN}, **WORKSPACE),
            f"Alerts now go to <#{DESIGN}>; before, they went nowhere, because the settings name no admins. "
            "If I am not in that channel, type `/invite` <@U0DARKROOM> there.",
        ),
        (
            entry("alerts", {"channel_id": DESIGN}, {"channel_id": None}, **WORKSPACE),
            f"Alerts now go nowhere, because the settings name no admins; before, they went to <#{DESIGN}>.",
        ),
        (
            entry("uncertain", CHARGE, {**CHARGE, "charged_nano_usd": 50_000_000, "decided": "corrected"}),
            f"The uncertain charge 9 of <@{ALICE}> is now $0.05; it was $0.21.",
        ),
        (
            entry("uncertain", CHARGE, {**CHARGE, "charged_nano_usd": 0, "decided": "waived"}),
            "is now $0.00 (waived); it was $0.21.",
        ),
        (
            entry("uncertain", CHARGE, {**CHARGE, "decided": "accepted"}),
            f"Accepted: uncertain charge 9 of <@{ALICE}> stands at $0.21, as it was.",
        ),
        (entry("refuse", None, {"request": 7}), "Request 7 for more money is answered with no."),
    ],
)
def test_every_change_says_what_was_and_what_is_now(change: Entry, sentence: str) -> None:
    assert sentence in said(change)


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("cap", cap(10, own=False)),
        ("blocked", {"blocked": True}),
        ("blocked", {"blocked": False}),
        ("exempt", {"exempt": False}),
        ("pilot", {"pilot": True}),
        ("pilot off", {"members": []}),
        ("access", rules(high=False)),
        ("pause", {"paused": True}),
        ("resume", {"paused": False}),
        ("alerts", {"channel_id": None}),
    ],
)
def test_what_was_so_already_is_said_to_have_changed_nothing(action: str, values: Mapping[str, Any]) -> None:
    answer = said(entry(action, values, dict(values)))
    assert answer.startswith("Nothing changed: ")
    assert "at once" not in answer


def balance(cap_usd: int | None) -> Balance:
    """Three dollars spent, fifteen granted."""
    limit = None if cap_usd is None else cap_usd * USD
    return Balance(BudgetKind.PERSON, NOVEMBER, 3 * USD, 0, limit, granted_nano_usd=15 * USD)


def test_a_grant_names_the_new_balance() -> None:
    answer = said(entry("grant", None, GRANTED), balance=balance(10))
    assert "Left there now: $22.00, of which $15.00 granted." in answer
    assert "`/spend revoke 3`" in answer
    assert "There is no cap there now" in said(entry("grant", None, GRANTED), balance=balance(None))


def test_a_cap_for_somebody_exempt_says_when_it_will_act() -> None:
    answer = said(entry("cap", cap(10, own=False), cap(20)), policy=Policy(exempt=frozenset({"k1"})))
    assert "exempt" in answer
    assert "at once" not in answer


def test_who_blocks_themselves_or_an_admin_reads_what_that_means() -> None:
    blocked = {"before": {"blocked": False}, "after": {"blocked": True}}
    assert "That is you" in said(entry("blocked", **blocked, subject_id=CAROL), NAMED)
    other = said(entry("blocked", **blocked, subject_id=CAROL), NAMED, asker=BOB)
    assert "They stay an admin" in other
    assert "That is you" not in other
    assert "admin" not in said(entry("blocked", **blocked), NAMED)


def test_a_pilot_list_says_how_long_it_is() -> None:
    policy = Policy(pilots=frozenset({"person:k1", "person:k2"}))
    joined = said(entry("pilot", {"pilot": False}, {"pilot": True}), policy=policy)
    assert "The list has 2 entries" in joined
    left = said(entry("pilot", {"pilot": True}, {"pilot": False}), policy=policy)
    assert "What they have waiting is declined" in left


def test_denying_everyone_the_usual_model_is_pointed_out() -> None:
    def deny(**found: bool) -> Entry:
        values = {"dimension": "model", "rules": {name.replace("_", "-"): on for name, on in found.items()}}
        before = {"dimension": "model", "rules": {}}
        return entry("access", before, values, subject="everyone", subject_id="")

    for found in ({"gpt_image_2": False}, {"*": False}):
        assert "`gpt-image-2`, which is used when nobody names a model" in said(deny(**found))
    assert "which is used when" not in said(deny(**{"*": False, "gpt_image_2": True}))
    assert "all others denied" in said(deny(**{"*": False, "gpt_image_2": True}))


REASONS = (
    "no_such_grant",
    "grant_revoked",
    "grant_ended",
    "no_such_charge",
    "already_corrected",
    "no_such_request",
    "already_answered",
    "budget_renewed",
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_why_not_has_its_sentence(reason: str) -> None:
    sentence = cannot_words(CannotChange(reason), VOICE)
    assert sentence.startswith("Nothing was changed. ")
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_what_settled_it_before_is_named() -> None:
    before = entry("revoke", {}, {})
    sentence = cannot_words(CannotChange("grant_revoked", before), NAMED)
    assert f"It was done by <@{CAROL}> on 20 November 2026, 12:00 (UTC)." in sentence
    assert "`/costs grants`" in sentence


def test_alerts_go_to_a_channel_else_to_the_named_admins() -> None:
    assert alerts_words(DESIGN, NAMED) == f"to <#{DESIGN}>"
    assert alerts_words(None, NAMED) == "by direct message to the admins named in the settings"
    assert "`/spend alerts`" in said(entry("alerts", {"channel_id": DESIGN}, {"channel_id": None}))
