"""``/imagine last``: a person's newest pictures, into our direct message with them; what Slack has not taken
comes first. It costs nothing."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from darkroom.turns.model import Picture
from handlers import words_delivery
from handlers.blocks.text import View, escape
from handlers.clients import Posted, SlackRefused, SlackUnclear
from handlers.errands import where
from handlers.meanings import WAITING, Meaning, meaning
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")

USUALLY = 3
"""So many come where nobody says how many."""
_TYPED = re.compile(r"last(?:\s+(\d{1,9}))?(?:\s+(?:pictures?|images?))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Somebody wants their last pictures."""

    count: int


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Who, and where they are told what became of it; *key* is the same however often Slack sends it."""

    user_id: str
    channel_id: str
    reply_url: str | None
    key: str


def read_last(text: str) -> Fetch | None:
    """What ``last``, ``last 5`` or ``last 5 pictures``, as all that was typed, asks for: never more than may
    be brought at once, since whoever asks for more does not want to buy a picture of "last 20"."""
    typed = _TYPED.fullmatch(text)
    if typed is None:
        return None
    return Fetch(min(max(1, int(typed[1] or USUALLY)), words_delivery.LAST_MAX))


def start(services: Services, fetcher: Fetcher, fetch: Fetch) -> str:
    """Bring them, beside the listeners; gives what is read at once. One person has one such errand at a time:
    where Slack is slow they would soon be all that is run."""
    name = f"last pictures of {fetcher.user_id}"
    if services.errands.full or services.errands.runs(name):
        return words_delivery.TOO_BUSY
    services.errands.start(name, _bring(services, fetcher, fetch))
    return words_delivery.BRINGING


async def _bring(services: Services, fetcher: Fetcher, fetch: Fetch) -> None:
    links, failed = [], 0
    for picture in await wanted(services, fetcher.user_id, fetch.count):
        try:
            posted = await _home(services, picture, fetcher)
            if posted is not None:
                links.append(await _linked(services, posted, f"v{picture.version}"))
        except (SlackRefused, SlackUnclear, OSError) as error:
            logger.warning("picture %s was not brought: %s", picture.id, where(error))
            failed += 1
    await services.whisper(
        View(words_delivery.brought(links, failed), ()),
        channel=fetcher.channel_id,
        user_id=fetcher.user_id,
        reply_url=fetcher.reply_url,
    )


async def _linked(services: Services, posted: Posted, name: str) -> str:
    """*name* as a link; without one where Slack gives none: what was brought stands there all the same."""
    try:
        return f"<{escape(await services.slack.permalink(posted.channel, posted.ts))}|{name}>"
    except (SlackRefused, SlackUnclear) as error:
        logger.info("no link to a picture that was brought: %s", error)
        return name


async def wanted(services: Services, user_id: str, count: int) -> list[Picture]:
    """What Slack has not taken, and then the newest, *count* in all; oldest first."""
    team_id = services.config.team_id
    kept = await services.log.undelivered_pictures(team_id, user_id, words_delivery.LAST_MAX)
    newest = (await services.conversations.page_of(team_id, user_id, 0, count)).pictures
    chosen = list({picture.id: picture for picture in (*kept, *newest)}.values())[:count]
    return sorted(chosen, key=lambda picture: (picture.created_at, picture.id))


async def _home(services: Services, picture: Picture, fetcher: Fetcher) -> Posted | None:
    """Where it stands in our direct message: there already, brought there before, or brought now."""
    turn = await services.log.turn(picture.turn_id)
    if turn is not None and turn.message_ts is not None and picture.channel_id.startswith("D"):
        own = Posted(picture.channel_id, turn.message_ts)
        if await _stands(services, own):
            return own
    said = words_delivery.fetched(picture.channel_id)
    posted = await services.homeward.bring(picture, said)
    if posted is None or await _stands(services, posted):
        return posted
    return await services.homeward.bring(picture, said, f"home:{picture.id}:{fetcher.key}")


async def _stands(services: Services, posted: Posted) -> bool:
    """Whether a message is there: somebody may have deleted it. Where Slack does not say so soon, it is taken
    to be."""
    try:
        await services.slack.permalink(posted.channel, posted.ts)
    except (SlackRefused, SlackUnclear) as error:
        if meaning(error) is Meaning.MESSAGE_GONE:
            return False
        if meaning(error) not in WAITING:
            raise
    return True
