"""Whatever breaks: ids in the log, a sentence for the person, and events come again."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers import boundary
from tests.handlers.support import Desk, clicked, fixture


async def test_a_button_that_breaks_is_acknowledged_and_its_person_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None)

    app = AsyncApp(authorize=authorize, process_before_response=True, signing_secret="")
    boundary.register(app, desk.services)

    @app.action("breaks")
    async def breaks(body: dict[str, Any]) -> None:
        raise ValueError(body["actions"][0]["value"])

    payload = clicked("breaks", "secret words")
    response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
    await desk.services.errands.idle()
    assert response.status == 200
    assert "Darkroom itself failed" in desk.slack.only("respond").text
    assert "block_actions C0DESIGN01 broke: ValueError at" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("name", ["global_shortcut", "message_shortcut", "view_submission"])
async def test_what_nobody_listens_to_is_logged_without_its_contents(
    desk: Desk, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    payload = fixture(name)
    await desk.send({**payload, "message": {"text": "secret words"}})
    assert "nobody listens to" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "odd",
    [
        {"event": "secret words"},
        {"event": [], "channel": "secret words"},
        {"user": "secret words", "channel": [], "response_url": "https://hooks.example/x"},
        {"type": "view_submission", "view": []},
        {"type": "view_submission", "view": {"blocks": "secret words"}},
        {"type": "view_submission", "view": {"blocks": ["secret words", {"type": "input", "block_id": 1}]}},
    ],
    ids=str,
)
async def test_the_boundary_itself_breaks_on_nothing(
    desk: Desk, odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert boundary.ids_of(odd)
    assert "secret" not in boundary.ids_of(odd)
    app = AsyncApp(process_before_response=True, signing_secret="", token="xoxb-1")
    boundary.register(app, desk.services)
    assert app._async_listener_runner.listener_error_handler is not None
    handler = app._async_listener_runner.listener_error_handler
    request = AsyncBoltRequest(mode="socket_mode", body={"team_id": "T1"})
    request.body = odd
    await handler.handle(ValueError("secret words"), request, BoltResponse(status=200))
    await desk.services.errands.idle()
    assert "broke: ValueError" in caplog.text
    assert "secret" not in caplog.text
