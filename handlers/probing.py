"""Slack as the doctor asks it: by the bot's own client, and with a look at what Slack says of messages."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from handlers.asking import mapping
from handlers.our_messages import metadata_of
from handlers.web_client import WebSlackClient

REPLIES_MAX = 50


class ProbingClient(WebSlackClient):
    """``WebSlackClient``, and what no other part needs to know. Raises like every ``SlackClient``."""

    def patient(self, seconds: float) -> ProbingClient:
        """The same, for which a rate limit may hold a call back for so long."""
        other = copy(self)
        other._patience_s = seconds
        return other

    async def own_bot_id(self) -> str:
        """Whose messages ours are; by them they are known again from now on."""
        answer = await self._ask("auth.test", self._again.auth_test)
        self._bot_id = str(answer.get("bot_id") or "")
        return self._bot_id

    async def replies(self, channel: str, thread_ts: str) -> list[Mapping[str, Any]]:
        """The messages of a thread as Slack gives them, its root first; 50 at most."""
        answer = await self._ask(
            "conversations.replies",
            lambda: self._again.conversations_replies(
                channel=channel, ts=thread_ts, limit=REPLIES_MAX, include_all_metadata=True
            ),
        )
        return [mapping(message) for message in answer.get("messages") or ()]

    async def first_person(self, channel: str, thread_ts: str) -> str | None:
        """The first person who replied in a thread."""
        for message in await self.replies(channel, thread_ts):
            user = message.get("user")
            if isinstance(user, str) and not message.get("bot_id") and message.get("ts") != thread_ts:
                return user
        return None

    async def reply(self, channel: str, thread_ts: str, ts: str) -> Mapping[str, Any]:
        """One message of a thread; empty if it is not there."""
        found = (each for each in await self.replies(channel, thread_ts) if each.get("ts") == ts)
        return next(found, {})

    async def visibility(self, file_id: str, channel: str) -> str:
        """How Slack says the file is shared in *channel*: ``private``, ``public``, or nothing where it does
        not say that it is."""
        shares = mapping((await self._file(file_id)).get("shares"))
        return next((kind for kind in ("private", "public") if channel in mapping(shares.get(kind))), "")


def carries(message: Mapping[str, Any], name: str) -> bool:
    """Whether a message as Slack gives it has exactly the metadata that it was posted with."""
    return dict(mapping(message.get("metadata"))) == metadata_of(name)


def block_types(message: Mapping[str, Any]) -> list[str]:
    """The types of a message's blocks as Slack gives them."""
    return [str(mapping(block).get("type")) for block in message.get("blocks") or ()]


def button_labels(message: Mapping[str, Any]) -> list[str]:
    """What is written on a message's buttons."""
    rows = [mapping(block).get("elements") or () for block in message.get("blocks") or ()]
    texts = [mapping(mapping(each).get("text")).get("text") for row in rows for each in row]
    return [text for text in texts if isinstance(text, str)]
