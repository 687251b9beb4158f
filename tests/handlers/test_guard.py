"""Who may spend, by what Slack says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from handlers.clients import SlackRefused
from handlers.guard import House, SlackGuard
from handlers.pacing import ANSWER_PATIENCE_S, TOO_LONG
from tests.examples import ALICE, BOB, TEAM, StillClock, command, turn
from tests.handlers.support import CAROL, GUEST, OLAF, OTHER_TEAM, PEOPLE, FakeSlack, refused, unclear

HOME = House(TEAM, None, (), allow_guests=False)


def guard(slack: FakeSlack, house: House = HOME) -> SlackGuard:
    return SlackGuard(slack, house, StillClock())


async def refusal(user: str, house: House = HOME, slack: FakeSlack | None = None) -> Ending | None:
    return await guard(slack or FakeSlack(), house).refusal(turn(command(user=user)))


async def test_people_of_the_workspace_may() -> None:
    assert await refusal(ALICE) is None


async def test_guests_may_only_where_the_settings_say_so() -> None:
    assert await refusal(GUEST) == Ending(Outcome.DECLINED, Reason.GUEST)
    assert await refusal(GUEST, replace(HOME, allow_guests=True)) is None


@pytest.mark.parametrize("user", [OLAF, "U0NOBODY01"])
async def test_outsiders_and_unknown_people_may_not(user: str) -> None:
    assert await refusal(user) == Ending(Outcome.DECLINED, Reason.OUTSIDER)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"team_id": None}, Reason.OUTSIDER),
        ({"is_stranger": True}, Reason.OUTSIDER),
        ({"is_bot": True}, Reason.OUTSIDER),
        ({"team_id": "T0SISTER01", "enterprise_id": "E0ORG00001"}, Reason.OUTSIDER),
    ],
)
async def test_whoever_is_not_plainly_of_the_workspace_may_not(
    known: dict[str, object], reason: Reason
) -> None:
    slack = FakeSlack(people={ALICE: replace(PEOPLE[ALICE], **known)})  # type: ignore[arg-type]  # fields by name
    assert await refusal(ALICE, slack=slack) == Ending(Outcome.DECLINED, reason)


async def test_an_org_wide_install_goes_by_the_organisation() -> None:
    house = replace(HOME, enterprise_id="E0ORG00001")
    sister = replace(PEOPLE[ALICE], team_id="T0SISTER01", enterprise_id="E0ORG00001")
    assert await refusal(ALICE, house, FakeSlack(people={ALICE: sister})) is None
    other = replace(sister, enterprise_id="E0OTHER001")
    assert await refusal(ALICE, house, FakeSlack(people={ALICE: other})) is not None


async def test_a_short_silence_of_slack_is_waited_out() -> None:
    slack = FakeSlack(faults={"user": [unclear("users.info"), unclear("users.info"), None]})
    assert await refusal(ALICE, slack=slack) is None


async def test_when_slack_stays_silent_nothing_is_spent() -> None:
    slack = FakeSlack(faults={"user": [unclear("users.info")] * 9})
    ending = await refusal(ALICE, slack=slack)
    details = {"slack_error": "users.info: no answer"}
    assert ending == Ending(Outcome.DECLINED, Reason.CANNOT_POST, details)


async def test_whether_somebody_is_an_admin_is_not_waited_for_longer_than_they_wait_for_the_answer() -> None:
    slack = FakeSlack(held_s={"user": ANSWER_PATIENCE_S + 1})
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await guard(slack).is_admin(CAROL)
    assert await refusal(ALICE, slack=slack) is None


async def test_another_refusal_of_slacks_is_named() -> None:
    slack = FakeSlack(faults={"user": [refused("missing_scope", "users.info")]})
    ending = await refusal(ALICE, slack=slack)
    assert ending == Ending(Outcome.DECLINED, Reason.CANNOT_POST, {"slack_error": "missing_scope"})


async def test_admins_are_those_of_the_settings_else_the_workspaces() -> None:
    assert await guard(FakeSlack()).is_admin(CAROL)
    assert not await guard(FakeSlack()).is_admin(BOB)
    named = guard(FakeSlack(), replace(HOME, admins=(BOB,)))
    assert await named.is_admin(BOB)
    assert not await named.is_admin(CAROL)


async def test_an_admin_elsewhere_is_none_here() -> None:
    assert PEOPLE[OLAF].is_admin
    assert not await guard(FakeSlack()).is_admin(OLAF)


def test_a_payload_that_names_no_team_says_nothing() -> None:
    plain = guard(FakeSlack())
    assert plain.outsider(OTHER_TEAM)
    assert not plain.outsider(None)
    assert not plain.outsider(TEAM)
