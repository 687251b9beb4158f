"""Pictures in the books and on disk, made the way turns make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from darkroom.rendering.job import SavedPicture
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attempt,
    InputRole,
    Intent,
    Options,
    Picture,
    Request,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnInput,
)
from storage.blobs import BlobStore
from storage.database import Database
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, DESIGN, NOON, TEAM, caps, plan, settlement

FREE = caps()


@dataclass(frozen=True)
class Asked:
    """What a turn is made of, beyond the usual."""

    prompt: str = "a red fox in snow"
    user: str = ALICE
    channel: str = DESIGN
    thread_ts: str | None = None
    message_ts: str | None = None
    parent_id: str | None = None
    key: str | None = None
    revised: str | None = None
    at: datetime = NOON


class Gallery:
    """Makes turns and pictures, and numbers them. A picture has bytes of its own unless they are given."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.store = SqliteTurnStore(database)
        self.blobs = blobs
        self._numbers = count(1)

    async def picture(self, asked: Asked = Asked(), data: bytes | None = None) -> Picture:
        """One picture of a turn that was told."""
        [made] = await self.pictures(1, asked, data)
        return made

    async def pictures(self, wanted: int, asked: Asked = Asked(), data: bytes | None = None) -> list[Picture]:
        """The pictures of one turn that was told."""
        turn = await self.begun(asked, wanted)
        made = [await self.render(turn, asked, data) for _ in range(wanted)]
        await self.end(turn, made)
        return [replace(each, file_id=f"F_{each.id}") for each in made]

    async def begun(self, asked: Asked = Asked(), wanted: int = 1) -> Turn:
        """A turn that waits, in its thread."""
        number = next(self._numbers)
        turn_id, order = f"turn_{number}", f"17636400{number:02}.000000"
        request = Request(
            key=asked.key or f"command:{number}",
            surface=Surface.COMMAND if asked.thread_ts is None else Surface.MENTION,
            team_id=TEAM,
            channel_id=asked.channel,
            user_id=asked.user,
            prompt=asked.prompt,
            order=asked.message_ts or order,
            options=Options(),
            thread_ts=asked.thread_ts,
            message_ts=asked.message_ts,
            wanted=wanted,
        )
        await self.store.arrive(turn_id, request, asked.at, ThreadReplies.JOINED)
        await self.store.queue(turn_id, plan("none"), FREE, asked.at)
        return await self.store.tell(turn_id, Told.PLACEHOLDER, order, asked.at)

    async def render(
        self, turn: Turn, asked: Asked = Asked(), data: bytes | None = None, failed: str | None = None
    ) -> Picture:
        """One picture of *turn*; before it a call that failed, if that left an answer (*failed*: its id)."""
        if failed is not None:
            attempt = await self._sent(turn, asked, failed)
            await self.store.fall_back(attempt, "server_error", None, FREE, asked.at)
        number = next(self._numbers)
        attempt = await self._sent(turn, asked, f"resp_{number}")
        bytes_ = data or f"picture {number} of {turn.id}".encode()
        sha256 = self.write(bytes_)
        saved = SavedPicture(sha256, self.blobs.path_of(sha256, "png"), len(bytes_), "png", 1024, 1024)
        saved = replace(saved, revised_prompt=asked.revised)
        paid = replace(
            settlement(50, picture_id=f"picture_{number}"), picture=saved, response_id=f"resp_{number}"
        )
        made = await self.store.render(attempt, paid, FREE, asked.at)
        assert made is not None
        return made

    async def end(self, turn: Turn, pictures: Sequence[Picture], at: datetime = NOON) -> Turn:
        """It ends with its pictures and is told; each has its file, and all one message."""
        await self.store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES), at)
        for picture in pictures:
            await self.store.tell(turn.id, Told.FILE, f"F_{picture.id}", at, picture.id)
        await self.store.tell(turn.id, Told.MESSAGE, posted(turn.id), at)
        return await self.store.tell(turn.id, Told.DONE, None, at)

    async def vain(
        self,
        picture: Picture,
        prompt: str,
        key: str,
        thread_ts: str,
        channel: str = DESIGN,
        why: Reason = Reason.NO_MONEY,
    ) -> str:
        """What a button under *picture* asked for, there, and did not get; gives the turn's id."""
        turn_id = f"turn_{next(self._numbers)}"
        request = Request(
            key=key,
            surface=Surface.BUTTON,
            team_id=TEAM,
            channel_id=channel,
            user_id=ALICE,
            prompt=prompt,
            order="1763640900.000000",
            options=Options(),
            thread_ts=thread_ts,
            chosen_id=picture.id,
        )
        await self.store.arrive(turn_id, request, NOON, ThreadReplies.JOINED)
        await self.store.end(turn_id, Ending(Outcome.DECLINED, why), NOON)
        await self.store.tell(turn_id, Told.DONE, None, NOON)
        return turn_id

    async def listed(self, asked: Asked, at: datetime) -> str:
        """Somebody wrote "versions" in a thread, and it was answered; gives the answer's ts."""
        number = next(self._numbers)
        turn_id, ts = f"turn_{number}", f"17636407{number:02}.000000"
        request = Request(
            key=f"message:{asked.message_ts}",
            surface=Surface.MENTION,
            team_id=TEAM,
            channel_id=asked.channel,
            user_id=asked.user,
            prompt="versions",
            order=asked.message_ts or "",
            options=Options(),
            thread_ts=asked.thread_ts,
            message_ts=asked.message_ts,
            intent=Intent.VERSIONS,
        )
        await self.store.arrive(turn_id, request, at, ThreadReplies.JOINED)
        await self.store.end(turn_id, Ending(Outcome.WORDS, Reason.VERSIONS), at)
        await self.store.tell(turn_id, Told.MESSAGE, ts, at)
        await self.store.tell(turn_id, Told.DONE, None, at)
        return ts

    async def bring(self, turn: Turn, *names: str, mask: bytes | None = None) -> list[TurnInput]:
        """What goes along with its prompt: pictures whose bytes are their names, and a mask."""
        inputs = [self.input(name) for name in names]
        if mask is not None:
            sha256 = self.write(mask)
            inputs.append(TurnInput(InputRole.MASK, sha256, "png", 1, 1, len(mask), "mask.png", 120_000))
        await self.store.bring(turn.id, turn.revision, inputs, NOON)
        return inputs

    def input(self, name: str) -> TurnInput:
        """A reference whose bytes are its name."""
        sha256 = self.write(name.encode())
        return TurnInput(InputRole.REFERENCE, sha256, "png", 1, 1, len(name), name)

    def write(self, data: bytes) -> str:
        """Bytes on disk, as a PNG; gives their digest."""
        file = self.blobs.begin()
        file.write(data)
        return file.finish("png")[0]

    async def _sent(self, turn: Turn, asked: Asked, response_id: str) -> str:
        attempt = f"try_{next(self._numbers)}"
        planned = plan(attempt, revision=turn.revision, parent_id=asked.parent_id)
        assert isinstance(await self.store.hold(turn.id, planned, FREE, asked.at), Attempt)
        assert await self.store.send(attempt, asked.at)
        assert await self.store.send(attempt, asked.at, response_id)
        return attempt


def posted(turn_id: str) -> str:
    """The ts of the message that brought a turn's pictures."""
    return f"17636500{turn_id.removeprefix('turn_').zfill(2)}.000000"
