"""The Details button, and what holds for every button, through the real dispatcher."""

from __future__ import annotations

import pytest

from handlers.blocks.more_money import ASK_ACTION
from handlers.blocks.picture import DETAILS_ACTION
from handlers.blocks.report import REPORT_ACTION
from tests.examples import ALICE, BOB, DESIGN
from tests.handlers.support import OLAF, OTHER_TEAM, USD, Desk, clicked
from tests.handlers.test_spend import spent


async def test_details_answer_who_pressed_privately_with_what_is_left_for_who_asked(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    response = await desk.send(clicked(DETAILS_ACTION, "p1"))
    assert response.status == 200
    text = desk.slack.only("respond").text
    for fact in ("a red fox in snow", "gpt-image-2-2026-04-21", "responses", "1024x1024", "medium", "$3.00"):
        assert fact in text
    assert "picture painted: 1 tokens, $3.00" in text
    assert "Your budget has $7.00 left of $10.00" in text


async def test_others_see_the_details_without_the_askers_balance(desk: Desk) -> None:
    await spent(desk, ALICE, 3 * USD, "1")
    await desk.send(clicked(DETAILS_ACTION, "p1", user=BOB))
    text = desk.slack.only("respond").text
    assert "a red fox in snow" in text
    assert "left" not in text


async def test_an_outsiders_click_shows_nothing(desk: Desk) -> None:
    """Their own team stands in the payload's user, whatever its team says."""
    await spent(desk, ALICE, 3 * USD, "1")
    await desk.send(clicked(DETAILS_ACTION, "p1", user=OLAF, team=OTHER_TEAM))
    assert "people of the workspace" in desk.slack.only("respond").text


@pytest.mark.parametrize("action", [DETAILS_ACTION, ASK_ACTION, REPORT_ACTION])
async def test_an_outsider_is_told_so_by_every_button_where_it_stands(desk: Desk, action: str) -> None:
    """Also where only the button's message says which channel that is, and no reply address is open."""
    payload = clicked(action, "p1", user=OLAF, team=OTHER_TEAM)
    del payload["channel"], payload["response_url"]
    await desk.send(payload)
    said = desk.slack.only("post_ephemeral")
    assert "people of the workspace" in said.text
    assert (said.said["channel"], said.said["user_id"]) == (DESIGN, OLAF)


@pytest.mark.parametrize("value", ["", "nothing", "p1:2"])
async def test_a_picture_that_is_gone_is_said_to_be(desk: Desk, value: str) -> None:
    await desk.send(clicked(DETAILS_ACTION, value))
    assert "no record of this picture" in desk.slack.only("respond").text


async def test_a_button_that_nobody_listens_to_is_acknowledged(desk: Desk) -> None:
    assert (await desk.send(clicked("another_button", "1"))).status == 200
    assert desk.slack.calls == []


async def test_when_reading_breaks_who_pressed_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(desk.services.log, "picture", fail)
    await desk.send(clicked(DETAILS_ACTION, "p1"))
    assert "Darkroom itself failed" in desk.slack.only("respond").text
    assert "details for U0ALICE001 broke: RuntimeError" in caplog.text


async def test_a_payload_that_is_not_as_expected_is_acknowledged_and_its_person_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    payload = clicked(DETAILS_ACTION, "p1")
    del payload["user"]["id"]
    assert (await desk.send(payload)).status == 200
    assert "block_actions" in caplog.text
