"""Every surface on one Bolt app."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from handlers import (
    actions,
    again,
    boundary,
    calling_off,
    deleting,
    elsewhere,
    feedback,
    home,
    installation,
    modals,
    more,
    more_money,
    report_button,
    rewording,
    sharing,
    shortcuts,
    threads,
    uninstalling,
)
from handlers.answering import Answered, AnsweringApp, nobody_counts
from handlers.commands import imagine, spend
from handlers.services import Services

_ANY = re.compile(".*")


def build_app(
    services: Services,
    web_client: AsyncWebClient,
    answered: Answered = nobody_counts,
) -> AsyncApp:
    """A Bolt app for one workspace with every surface on it; *answered* hears of each answer.

    Who we are comes from the settings, so that no request waits for ``auth.test``; the listeners use our own
    client, so that Bolt's needs no token. Signatures are verified before it (``bot/http_mode.py``).
    """
    config = services.config
    who = AuthorizeResult(
        enterprise_id=config.enterprise_id,
        team_id=config.team_id,
        bot_id=config.bot_id,
        bot_user_id=config.bot_user_id,
    )

    async def authorize() -> AuthorizeResult:
        return who

    app = AnsweringApp(
        answered,
        services.clock,
        # Bolt logs under the app's name and sets that logger's level: never ours.
        name="slack_bolt.app",
        client=web_client,
        authorize=authorize,
        # A request that came past that is taken by nobody, whatever the environment has.
        signing_secret="",
        # Events would otherwise be acknowledged before they are on disk.
        process_before_response=True,
        # To our boundary, because Bolt's warning about it would print the payload.
        raise_error_for_unhandled_request=True,
    )
    register_all(app, services)
    return app


def register_all(app: AsyncApp, services: Services) -> None:
    """Register every surface, then what catches the rest: Slack repeats what nobody acknowledges. Views and
    shortcuts that nobody listens to are acknowledged, and logged, by the boundary."""
    for surface in (
        boundary,
        installation,
        imagine,
        spend,
        threads,
        actions,
        again,
        more,
        feedback,
        deleting,
        elsewhere,
        calling_off,
        rewording,
        more_money,
        report_button,
        modals,
        shortcuts,
        home,
        sharing,
        uninstalling,
    ):
        surface.register(app, services)

    @app.event(_ANY)
    async def other_event() -> None:
        """Acknowledged by returning."""

    @app.action(_ANY)
    async def other_action(ack: AsyncAck) -> None:
        await ack()
