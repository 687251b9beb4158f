"""Every request of Slack's is told of when it is answered, and is no other turn's work."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from darkroom.turn_context import current_turn, work_for
from handlers.answering import AnsweringApp, Kind, kind_of
from tests.examples import StillClock
from tests.handlers.support import clicked, event, fixture, slash

Told = list[tuple[Kind, bool, float]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def app(told: Told, clock: StillClock) -> AnsweringApp:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None)

    def answered(kind: Kind, acknowledged: bool, seconds: float) -> None:
        told.append((kind, acknowledged, seconds))

    return AnsweringApp(
        answered, clock, authorize=authorize, process_before_response=True, signing_secret="", name="test"
    )


async def sends(app: AnsweringApp, body: dict[str, Any]) -> None:
    await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))


async def test_how_long_it_took_is_told_also_of_what_was_not_acknowledged(
    app: AnsweringApp, told: Told, clock: StillClock
) -> None:
    @app.action("slow")
    async def slow(ack: AsyncAck) -> None:
        await clock.sleep(0.75)
        await ack()

    @app.event("message")
    async def breaks() -> None:
        raise ValueError

    await sends(app, clicked("slow", ""))
    await sends(app, event("message_user"))
    assert told == [(Kind.BUTTON, True, 0.75), (Kind.EVENT, False, 0.0)]


async def test_what_one_request_was_about_is_not_what_the_next_is_about(app: AnsweringApp) -> None:
    """Two of them may come one after the other in one task, as over one HTTP connection."""
    seen: list[str | None] = []

    @app.action("turn")
    async def turn(ack: AsyncAck) -> None:
        seen.append(current_turn())
        work_for("turn_1")
        await ack()

    await sends(app, clicked("turn", ""))
    await sends(app, clicked("turn", ""))
    assert seen == [None, None]
    assert current_turn() is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (slash("/imagine", "a fox"), Kind.COMMAND),
        (event("message_user"), Kind.EVENT),
        (clicked("a", "b"), Kind.BUTTON),
        (fixture("view_submission"), Kind.DIALOG),
        (fixture("global_shortcut"), Kind.SHORTCUT),
        (fixture("message_shortcut"), Kind.SHORTCUT),
        ({"type": "block_suggestion"}, Kind.OPTIONS),
        ({"type": "U0ALICE001"}, Kind.OTHER),
        ({"type": ["event_callback"]}, Kind.OTHER),
        ({}, Kind.OTHER),
    ],
)
def test_requests_are_told_apart_and_what_is_unknown_is_other(body: dict[str, Any], kind: Kind) -> None:
    assert kind_of(body) is kind
