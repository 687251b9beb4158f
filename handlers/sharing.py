"""Showing a picture in another channel: the dialog, and the way there, again after whatever came between."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations, Share
from darkroom.turns.model import Picture
from handlers import words
from handlers.asking import mapping
from handlers.blocks.picture import Setting
from handlers.blocks.share import (
    CALLBACK,
    CHANNEL_BLOCK,
    CHANNEL_INPUT,
    COMMENT_BLOCK,
    COMMENT_INPUT,
    COMMENT_MAX,
    share_dialog,
    shared_view,
)
from handlers.blocks.text import View
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.errands import unbroken
from handlers.posting import name_of, tell_privately
from handlers.presses import Press
from handlers.recipients import passes
from handlers.rounds import Rounds
from handlers.services import Services
from handlers.showing import Manner
from handlers.showing_elsewhere import Elsewhere, PathOf
from handlers.words import Voice

logger = logging.getLogger("darkroom.handlers")

LOOK_S = 3600.0
"""The longest wait between two rounds."""
GIVE_UP_AFTER = timedelta(hours=1)
"""What could not be shared by then is not shared any more: its sharer is told so."""
LOOK_FOR = timedelta(days=7)
"""What may have been shared is looked for until then, while Slack does not say; then its sharer is told."""
LOOK_BACK = timedelta(days=90)

_NO_PICTURE = "This picture was deleted, so it cannot be shared."
_NOT_YOURS = "This picture is private: only who asked for it can share it."
_NO_CHANNEL = "Choose a channel."


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the dialog being sent."""

    @app.view(CALLBACK)
    async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        error = await _accept(services, body, view)
        if error is not None:
            await ack(response_action="errors", errors={CHANNEL_BLOCK: error})
            return
        await ack()
        services.wake_sharing()


async def open_dialog(services: Services, press: Press, picture: Picture) -> str | None:
    """Ask where *picture* is to be shown; gives the sentence for who may not share it, else None."""
    if picture.deleted_at is not None:
        return _NO_PICTURE
    if not await may_see(services, picture, press):
        return _NOT_YOURS
    await services.slack.open_view(press.trigger_id, share_dialog(picture.id, picture.version, press.channel))
    return None


async def may_see(services: Services, picture: Picture, press: Press) -> bool:
    """Whether a press shows that its person sees the picture: it stands where they pressed, and who is in a
    direct message with us sees what stands there."""
    if press.channel == picture.channel_id:
        return not press.channel.startswith("D") or press.user_id == picture.user_id
    there = await services.conversations.pictures_of_message(picture.team_id, press.channel, press.message_ts)
    return any(one.id == picture.id for one in there)


async def _accept(services: Services, body: Mapping[str, Any], view: Mapping[str, Any]) -> str | None:
    """Write the share down, in one transaction; or what is wrong with it."""
    user = mapping(body.get("user"))
    if services.guard.outsider(user.get("team_id"), user.get("enterprise_id")):
        return words.OUTSIDER
    values = mapping(mapping(view.get("state")).get("values"))
    channel = mapping(mapping(values.get(CHANNEL_BLOCK)).get(CHANNEL_INPUT)).get("selected_conversation")
    comment = mapping(mapping(values.get(COMMENT_BLOCK)).get(COMMENT_INPUT)).get("value")
    if not channel:
        return _NO_CHANNEL
    shared = await services.conversations.share(
        share_id=services.clock.new_id("share"),
        key=f"view:{view['id']}",
        # Who may share it was asked when the dialog was opened; nobody but us can write here.
        picture_id=str(mapping(json.loads(view["private_metadata"]))["picture"]),
        channel_id=str(channel),
        user_id=str(user["id"]),
        at=services.clock.now(),
        comment=str(comment or "").strip()[:COMMENT_MAX],
    )
    return _NO_PICTURE if shared is None else None


class Sharing:
    """Posts what is to be shared, oldest first, whenever it is woken, after the start, and every hour.

    Nothing depends on memory: a new ``Sharing`` on the same books goes on where the old one stopped. Of a
    picture that is deleted meanwhile the books say what is to be recalled: *wake_recalling* is called.
    """

    def __init__(
        self,
        conversations: Conversations,
        slack: SlackClient,
        clock: Clock,
        voice: Voice,
        manner: Manner,
        path_of: PathOf,
        wake_recalling: Callable[[], None],
    ) -> None:
        self._conversations = conversations
        self._slack = slack
        self._clock = clock
        self._voice = voice
        self._manner = manner
        self._wake_recalling = wake_recalling
        self._elsewhere = Elsewhere(slack, clock, conversations, path_of)
        self._rounds = Rounds("sharing", self.round, clock, LOOK_S)

    def wake(self) -> None:
        """Something is to be shared. Returns at once."""
        self._rounds.wake()

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._rounds.start()

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being posted arrive for *grace_s* seconds, then stop."""
        await self._rounds.aclose(grace_s)

    async def round(self) -> bool:
        """Share everything that waits for it; whether all of it could be done."""
        whole = True
        for share in await self._conversations.unfinished_shares(self._clock.now() - LOOK_BACK):
            if self._rounds.stopping:
                return False
            if share.channel_id.startswith("D"):
                # Nobody shares there: it is being brought home.
                continue
            whole = await unbroken(f"share {share.id}", self._share(share)) and whole
        return whole

    async def _share(self, share: Share) -> bool:
        """One picture into one channel; False if it is to be tried again."""
        late = self._clock.now() - share.begun_at >= GIVE_UP_AFTER
        try:
            ts = await self._elsewhere.found(share)
            if ts is None and late:
                await self._give_up(share, "too late")
                return True
            if ts is None:
                ts = await self._post(share)
            if ts is None:
                self._wake_recalling()
                return True
        except (SlackRefused, SlackUnclear) as error:
            logger.info("share %s not posted: %s", share.id, error)
            if passes(error) and self._clock.now() - share.begun_at < LOOK_FOR:
                return False
            await self._give_up(share, "unknown" if passes(error) else name_of(error))
            return True
        except FileNotFoundError:
            await self._give_up(share, "no file")
            return True
        noted = await self._conversations.note_share(share.id, None, ts)
        if noted.picture.deleted_at is not None:
            self._wake_recalling()
            return True
        link = await self._link(share.channel_id, ts)
        where = f"<{link}|shared>" if link else "shared"
        await self._tell(share, f"v{share.picture.version} is {where} to <#{share.channel_id}>.")
        return True

    async def _post(self, share: Share) -> str | None:
        """Its message's ts; None if it was deleted while its bytes were on their way."""
        picture = share.picture
        sharer, asker = await self._name(share.user_id), await self._name(picture.user_id)
        setting = Setting(asker, self._manner.usual_models, self._manner.confirm_nano_usd)
        link = await self._source(picture)
        return await self._elsewhere.post(
            share, lambda file_id: shared_view(share, sharer, file_id, link, setting)
        )

    async def _give_up(self, share: Share, why: str) -> None:
        logger.warning("share %s given up: %s", share.id, why)
        await self._conversations.give_up_share(share.id, why)
        what, there = f"v{share.picture.version} was not shared to <#{share.channel_id}>", share.channel_id
        if why in {"not_in_channel", "channel_not_found"}:
            text = (
                f"{what}, because I am not in that channel. Type `/invite` {self._voice.us} in <#{there}>, "
                "then share it again."
            )
        elif why == "too late":
            text = f"{what}: Slack could not be reached for too long. Share it again if you still want it."
        elif why == "unknown":
            text = (
                f"Whether v{share.picture.version} was shared to <#{there}> is not known: for days Slack did "
                "not say. Look there, and share it again if it is missing."
            )
        elif why == "no file":
            text = f"{what}, because its file is gone. Tell {self._voice.an_admin}."
        else:
            text = f"{what}, because {words.why_not_posted(why, self._voice)}"
        await self._tell(share, text)

    async def _tell(self, share: Share, text: str) -> None:
        """Tell who shared, where they pressed if that is sure to be no direct message of others."""
        picture = share.picture
        place, thread_ts = picture.channel_id, picture.thread_ts
        try:
            if place.startswith("D") and share.user_id != picture.user_id:
                await self._slack.post_private(share.user_id, text)
            else:
                await tell_privately(
                    self._slack,
                    self._clock,
                    View(text, ()),
                    channel=place,
                    user_id=share.user_id,
                    thread_ts=thread_ts,
                )
        except (SlackRefused, SlackUnclear) as error:
            logger.info("share %s: its sharer was not told: %s", share.id, error)

    async def _source(self, picture: Picture) -> str | None:
        """A link to where it was made; not into a direct message, which nobody else can follow."""
        if picture.channel_id.startswith("D"):
            return None
        return await self._link(picture.channel_id, picture.thread_ts)

    async def _link(self, channel: str, ts: str) -> str | None:
        try:
            return await self._slack.permalink(channel, ts)
        except (SlackRefused, SlackUnclear):
            return None

    async def _name(self, user_id: str) -> str:
        try:
            return (await self._slack.user(user_id)).name
        except (SlackRefused, SlackUnclear):
            return "Somebody"
