"""Slack over its Web API, through Slack's own client."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from darkroom.clock import Clock
from handlers.asking import CallHeard, counted, mapping, nobody_hears
from handlers.blocks.text import Block
from handlers.clients import Posted, SlackRefused, SlackUnclear, UserInfo
from handlers.our_messages import is_opening, metadata_of, names
from handlers.outward import CALL_TIMEOUT_S, slack_session
from handlers.web_files import PAGE, PAGES_MAX, WebFiles

USERS_MAX = 2_000
USER_AGE_MAX_S = 300.0

_ERROR_NAME = re.compile(r'(?:"error": *")?\b(?!ok\b|error\b|false\b)([a-z_]{1,60})')


class WebSlackClient(WebFiles):
    """``SlackClient`` over HTTP for one workspace. Messages are *bot_id*'s own (where that is given) when
    they are looked for: others may name our turns in theirs."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: str,
        clock: Clock,
        base_url: str,
        bot_id: str = "",
        heard: CallHeard = nobody_hears,
    ) -> None:
        super().__init__(session, token, clock, base_url, heard)
        self._bot_id = bot_id
        self._users: OrderedDict[str, tuple[float, UserInfo]] = OrderedDict()

    def within(self, patience_s: float) -> WebSlackClient:
        """See ``SlackClient``: the same pace, connections and people."""
        other = copy(self)
        other._patience_s = patience_s
        return other

    async def post_message(
        self,
        channel: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
        broadcast: bool = False,
        turn_id: str | None = None,
    ) -> str:
        """See ``SlackClient``."""
        answer = await self._ask(
            "chat.postMessage",
            lambda: self._once.chat_postMessage(
                channel=channel,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                thread_ts=thread_ts,
                reply_broadcast=broadcast or None,
                metadata=metadata_of(turn_id),
                unfurl_links=False,
                unfurl_media=False,
            ),
            channel,
        )
        return str(answer["ts"])

    async def post_private(
        self, user_id: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> Posted:
        """See ``SlackClient``."""
        answer = await self._ask(
            "chat.postMessage",
            lambda: self._once.chat_postMessage(
                channel=user_id,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                metadata=metadata_of(turn_id),
                unfurl_links=False,
                unfurl_media=False,
            ),
            user_id,
        )
        return Posted(channel=str(answer["channel"]), ts=str(answer["ts"]))

    async def update_message(
        self, channel: str, ts: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> None:
        """See ``SlackClient``."""
        await self._ask(
            "chat.update",
            lambda: self._again.chat_update(
                channel=channel,
                ts=ts,
                text=text,
                blocks=[dict(block) for block in blocks],
                metadata=metadata_of(turn_id),
            ),
        )

    async def delete_message(self, channel: str, ts: str) -> None:
        """See ``SlackClient``."""
        await self._ask("chat.delete", lambda: self._again.chat_delete(channel=channel, ts=ts))

    async def post_ephemeral(
        self,
        channel: str,
        user_id: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
    ) -> None:
        """See ``SlackClient``."""
        await self._ask(
            "chat.postEphemeral",
            lambda: self._once.chat_postEphemeral(
                channel=channel,
                user=user_id,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                thread_ts=thread_ts,
            ),
        )

    async def respond(self, reply_url: str, text: str, *, blocks: Sequence[Block] = ()) -> None:
        """See ``SlackClient``."""
        body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False, "text": text}
        if blocks:
            body["blocks"] = [dict(block) for block in blocks]
        with counted("response_url", self._clock, self._heard):
            try:
                async with self._session.post(
                    reply_url, json=body, allow_redirects=False, timeout=aiohttp.ClientTimeout(CALL_TIMEOUT_S)
                ) as answer:
                    said = await answer.content.read(200)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise SlackUnclear("response_url") from error
            if answer.status >= 500:
                raise SlackUnclear("response_url")
            if answer.status != 200:
                name = _ERROR_NAME.search(said.decode("utf-8", "replace"))
                raise SlackRefused(name[1] if name else f"http_{answer.status}", "response_url")

    async def add_reaction(self, channel: str, ts: str, name: str) -> None:
        """See ``SlackClient``."""
        await self._ask(
            "reactions.add", lambda: self._again.reactions_add(channel=channel, timestamp=ts, name=name)
        )

    async def remove_reaction(self, channel: str, ts: str, name: str) -> None:
        """See ``SlackClient``."""
        await self._ask(
            "reactions.remove", lambda: self._again.reactions_remove(channel=channel, timestamp=ts, name=name)
        )

    async def open_view(self, trigger_id: str, view: Block) -> str:
        """See ``SlackClient``; asked once, since a trigger is good for one try."""
        opening = self._once.views_open(trigger_id=trigger_id, view=dict(view))
        try:
            answer = await self._asked("views.open", opening)
        except SlackRefused as refused:
            if refused.error != "exchanged_trigger_id":
                raise
            # Slack sent what was done twice: its dialog is open.
            return ""
        return str(mapping(answer.get("view")).get("id") or "")

    async def push_view(self, trigger_id: str, view: Block) -> str:
        """See ``SlackClient``; asked once, since a trigger is good for one try."""
        answer = await self._asked(
            "views.push", self._once.views_push(trigger_id=trigger_id, view=dict(view))
        )
        return str(mapping(answer.get("view")).get("id") or "")

    async def update_view(self, view_id: str, view: Block, *, hash_: str | None = None) -> None:
        """See ``SlackClient``."""
        await self._ask(
            "views.update", lambda: self._again.views_update(view_id=view_id, view=dict(view), hash=hash_)
        )

    async def publish_home(self, user_id: str, view: Block) -> None:
        """See ``SlackClient``."""
        await self._ask("views.publish", lambda: self._again.views_publish(user_id=user_id, view=dict(view)))

    async def user(self, user_id: str) -> UserInfo:
        """See ``SlackClient``; remembers up to 2,000 people for five minutes."""
        known = self._users.get(user_id)
        if known is not None and self._clock.monotonic() - known[0] < USER_AGE_MAX_S:
            self._users.move_to_end(user_id)
            return known[1]
        answer = await self._ask("users.info", lambda: self._again.users_info(user=user_id))
        info = read_user(user_id, mapping(answer.get("user")))
        self._users[user_id] = (self._clock.monotonic(), info)
        self._users.move_to_end(user_id)
        while len(self._users) > USERS_MAX:
            self._users.popitem(last=False)
        return info

    async def permalink(self, channel: str, ts: str) -> str:
        """See ``SlackClient``."""
        answer = await self._ask(
            "chat.getPermalink", lambda: self._again.chat_getPermalink(channel=channel, message_ts=ts)
        )
        return str(answer["permalink"])

    async def find_message(
        self, channel: str, turn_id: str, *, thread_ts: str | None, since: datetime, but: str | None = None
    ) -> str | None:
        """See ``SlackClient``."""

        def is_it(message: Mapping[str, Any]) -> bool:
            return names(message, turn_id) and message.get("ts") not in (thread_ts, but)

        return next(iter(await self._find(channel, thread_ts, since, is_it, most=1)), None)

    async def find_openings(self, channel: str, turn_id: str, *, since: datetime) -> tuple[str, ...]:
        """See ``SlackClient``."""

        def opens(message: Mapping[str, Any]) -> bool:
            return names(message, turn_id) and is_opening(message)

        return tuple(await self._find(channel, None, since, opens, most=PAGE))

    async def _find(
        self,
        channel: str,
        thread_ts: str | None,
        since: datetime,
        is_it: Callable[[Mapping[str, Any]], bool],
        *,
        most: int,
    ) -> list[str]:
        """The ts of our messages there, at most so many."""
        found: list[str] = []
        oldest = f"{since.timestamp():.6f}"
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": PAGE, "cursor": cursor}
            page["include_all_metadata"] = True
            if thread_ts is None:
                history = partial(self._again.conversations_history, **page)
                answer = await self._ask("conversations.history", history)
            else:
                replies = partial(self._again.conversations_replies, ts=thread_ts, **page)
                answer = await self._ask("conversations.replies", replies)
            for message in answer.get("messages") or ():
                if self._ours(message) and is_it(message):
                    found.append(str(message["ts"]))
            cursor = mapping(answer.get("response_metadata")).get("next_cursor") or None
            if cursor is None or len(found) >= most:
                break
        return found[:most]

    def _ours(self, message: Mapping[str, Any]) -> bool:
        return not self._bot_id or message.get("bot_id") == self._bot_id


@asynccontextmanager
async def web_slack_client(
    token: str, clock: Clock, base_url: str = AsyncWebClient.BASE_URL
) -> AsyncIterator[WebSlackClient]:
    """A client with connections of its own, closed at the end."""
    async with slack_session(base_url) as session:
        yield WebSlackClient(session, token, clock, base_url)


def read_user(user_id: str, user: Mapping[str, Any]) -> UserInfo:
    """A person from the ``user`` object of ``users.info``."""
    profile = mapping(user.get("profile"))
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return UserInfo(
        id=user_id,
        name=next((str(name) for name in names if name), "Somebody"),
        team_id=user.get("team_id") or profile.get("team") or None,
        enterprise_id=mapping(user.get("enterprise_user")).get("enterprise_id") or None,
        is_admin=bool(user.get("is_admin") or user.get("is_owner") or user.get("is_primary_owner")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
        is_bot=bool(user.get("is_bot")),
    )
