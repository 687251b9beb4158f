"""What people are called where they are not to be notified."""

from __future__ import annotations

from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.pacing import SIGN_PATIENCE_S

SOMEBODY = "Somebody"


async def name_of_person(slack: SlackClient, user_id: str) -> str:
    """A person's plain name (foreign text: escape it), or "Somebody" where Slack does not say soon."""
    try:
        return (await slack.within(SIGN_PATIENCE_S).user(user_id)).name
    except (SlackRefused, SlackUnclear):
        return SOMEBODY
