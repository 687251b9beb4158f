"""A turn's pictures on their way into the thread: uploaded one by one, shown in one message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from darkroom.clock import Clock
from darkroom.spending.catalogue import Catalogue
from darkroom.turns.model import Attempt, Picture, Told, Turn, TurnInput
from darkroom.turns.surroundings import Note
from handlers.blocks.passed_over import notes_of
from handlers.blocks.picture import Setting, Shown, pictures_view
from handlers.clients import SlackClient
from handlers.posting import PATIENT_PAUSES_S, Poster

logger = logging.getLogger("darkroom.handlers")


@dataclass(frozen=True, slots=True)
class Manner:
    """How pictures are shown: the models that need no mention, whether a thread's first picture also shows
    in its channel, and from which likely price a press asks first. The catalogue compares the price of a
    model with that of one that was passed over for it."""

    usual_models: frozenset[str]
    broadcast_first: bool
    confirm_nano_usd: int
    catalogue: Catalogue | None = None


class Showing:
    """Posts what was paid for, with patience; every step is noted before the next is taken."""

    def __init__(self, slack: SlackClient, clock: Clock, manner: Manner) -> None:
        self._manner = manner
        self._poster = Poster(slack, clock, PATIENT_PAUSES_S)

    async def post(
        self,
        turn: Turn,
        pictures: Sequence[tuple[Picture, Path]],
        inputs: Sequence[TurnInput],
        name: str,
        note: Note,
        attempts: Sequence[Attempt] = (),
    ) -> Turn:
        """One message with all *pictures*, at least one. Raises ``SlackRefused`` and ``SlackUnclear``."""
        first = pictures[0][0]
        channel, thread_ts = first.channel_id, first.thread_ts
        setting = self.setting(turn, inputs, name, attempts)
        broadcast = first.version == 1 and self._manner.broadcast_first
        stand: frozenset[str] = frozenset()
        if turn.post_begun_at is not None:
            found = await self._poster.find(channel, turn, thread_ts)
            if found is not None:
                return await note(Told.MESSAGE, found)
            pictures, stand = await self._left(pictures, channel)
        ts = None
        if not stand:
            pictures = [(await self._uploaded(picture, path, note), path) for picture, path in pictures]
            for picture, _ in pictures:
                await self._poster.wait_until_usable(picture.file_id or "")
            turn = await note(Told.POST_BEGUN, None)
            view = pictures_view([Shown(picture, picture.file_id) for picture, _ in pictures], setting)
            ts = await self._poster.post_with_file(
                turn,
                channel,
                view,
                thread_ts=thread_ts,
                broadcast=broadcast,
                file_id=pictures[0][0].file_id or "",
            )
        if ts is None:
            logger.warning("turn %s: Slack does not take its files in a message; sharing them", turn.id)
            await self._share_plainly([one for one in pictures if one[0].id not in stand], note)
            bare = pictures_view([Shown(picture, None) for picture, _ in pictures], setting)
            ts = await self._poster.post(turn, channel, bare, thread_ts=thread_ts, broadcast=broadcast)
        return await note(Told.MESSAGE, ts)

    async def _left(
        self, pictures: Sequence[tuple[Picture, Path]], channel: str
    ) -> tuple[list[tuple[Picture, Path]], frozenset[str]]:
        """What an earlier try has left of the *pictures*' files: without those that are not there after all,
        and the ids of the pictures that stand in the channel already."""
        left: list[tuple[Picture, Path]] = []
        stand: set[str] = set()
        for picture, path in pictures:
            stands = None if picture.file_id is None else await self._poster.stands(picture.file_id, channel)
            if stands:
                stand.add(picture.id)
            left.append((picture if stands is not None else replace(picture, file_id=None), path))
        return left, frozenset(stand)

    def setting(
        self, turn: Turn, inputs: Sequence[TurnInput], name: str, attempts: Sequence[Attempt] = ()
    ) -> Setting:
        """What the pictures of *turn* have in common; its *attempts* say what was passed over for them."""
        return Setting(
            asker=name,
            usual_models=self._manner.usual_models,
            confirm_nano_usd=self._manner.confirm_nano_usd,
            inputs=inputs,
            model_asked=turn.request.options.model is not None,
            passed_over=notes_of(attempts, self._manner.catalogue),
        )

    async def _uploaded(self, picture: Picture, path: Path, note: Note) -> Picture:
        if picture.file_id is not None:
            return picture
        file_id = await self._poster.upload(path, file_name(picture))
        await note(Told.FILE, file_id, picture.id)
        return replace(picture, file_id=file_id)

    async def _share_plainly(self, pictures: Sequence[tuple[Picture, Path]], note: Note) -> None:
        """Each as a file of its own. The one that is seen is the one that is recalled when the picture is
        deleted: it is noted before it can be seen, after the one that nobody will see is gone."""
        for picture, path in pictures:
            if picture.file_id is not None:
                await self._poster.discard(picture.file_id)
            await self._poster.upload(
                path,
                file_name(picture),
                channel=picture.channel_id,
                thread_ts=picture.thread_ts,
                begun=partial(_noted, note, picture.id),
            )


async def _noted(note: Note, picture_id: str, file_id: str) -> None:
    await note(Told.FILE, file_id, picture_id)


def file_name(picture: Picture) -> str:
    """What the picture's file is called in Slack."""
    return f"darkroom-v{picture.version}.{'jpg' if picture.format == 'jpeg' else picture.format}"
