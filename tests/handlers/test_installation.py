"""Whose installation of the app a payload is for: ours reach their surface, others' are acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers import words
from handlers.guard import House, SlackGuard
from tests.examples import TEAM, StillClock
from tests.handlers.support import OTHER_TEAM, Desk, FakeSlack, event, fixture, slash

HOME = House(TEAM, None, (), allow_guests=False)
ORGANISATION = replace(HOME, enterprise_id="E0ORG00001")


@pytest.mark.parametrize(
    ("house", "team_id", "enterprise_id", "elsewhere"),
    [
        (HOME, TEAM, None, False),
        (HOME, TEAM, "E0ORG00001", False),
        (HOME, OTHER_TEAM, None, True),
        (HOME, OTHER_TEAM, "E0ORG00001", True),
        (HOME, None, "E0ORG00001", True),
        (HOME, None, None, True),
        (ORGANISATION, TEAM, "E0ORG00001", False),
        (ORGANISATION, "T0SISTER01", "E0ORG00001", False),
        (ORGANISATION, None, "E0ORG00001", False),
        (ORGANISATION, None, "E0ELSEWHER", True),
        (ORGANISATION, OTHER_TEAM, None, True),
        (ORGANISATION, None, None, True),
        (ORGANISATION, OTHER_TEAM, "E0ELSEWHER", True),
    ],
)
def test_an_installation_is_a_team_or_an_organisation(
    house: House, team_id: str | None, enterprise_id: str | None, elsewhere: bool
) -> None:
    guard = SlackGuard(FakeSlack(), house, StillClock())
    assert guard.elsewhere(team_id, enterprise_id) is elsewhere


async def test_a_command_of_another_installation_is_answered_that_it_is_not_for_them(desk: Desk) -> None:
    response = await desk.send(slash("/spend", "", team_id=OTHER_TEAM))
    assert (response.status, words.OUTSIDER in response.body) == (200, True)
    assert desk.slack.calls == []


def dialog(*, installed: str, acted: str) -> dict[str, Any]:
    """Some dialog that was sent off."""
    payload = fixture("view_submission") | {"team": {"id": acted}}
    return payload | {"view": payload["view"] | {"app_installed_team_id": installed}}


@pytest.mark.parametrize(
    "payload",
    [
        {**event("message_channel"), "authorizations": [{"team_id": OTHER_TEAM}]},
        {**fixture("global_shortcut"), "team": {"id": OTHER_TEAM}},
        dialog(installed=OTHER_TEAM, acted=TEAM),
        {**fixture("tokens_revoked"), "team_id": OTHER_TEAM},
    ],
    ids=["event", "shortcut", "dialog", "revoked"],
)
async def test_all_else_is_acknowledged_and_nothing_is_done_or_told(
    desk: Desk, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    response = await desk.send(payload)
    assert (response.status, response.body) == (200, "")
    assert desk.slack.calls == []
    assert desk.line.turns == []
    assert "is not for this workspace" in caplog.text


async def test_who_acts_from_elsewhere_through_our_installation_reaches_the_surfaces(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """A dialog sent off on the other side of a shared channel names that side, and who installed."""
    await desk.send(dialog(installed=TEAM, acted=OTHER_TEAM))
    assert "nobody listens to view_submission" in caplog.text
