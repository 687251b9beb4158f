"""A conversation in the books: pictures that go along, choices, shares, opinions, deletion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from darkroom.spending.budgets import Caps
from darkroom.turns.conversations import Preferences
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attachment,
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
    Verdict,
)
from storage.blobs import BlobStore
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.erasing import SqliteEraser, remove_bytes
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import DESIGN, NOON, TEAM, command, message, plan, settlement

CAROL, OUR_DM, RANDOM = "U0CAROL001", "D0CAROL001", "C0RANDOM01"
ROOT, CENT = "1763650000.000100", 10_000_000
REFERENCE = TurnInput(InputRole.REFERENCE, "a" * 64, "png", 640, 480, 1000, "fox.png")
MASK = TurnInput(InputRole.MASK, "b" * 64, "png", 1024, 1024, 2000, "mask.png", covers_ppm=120_000)


class Conversing:
    """Carol works on a picture for a while; uses each method that the first Darkroom did not have."""

    def __init__(self, database: Database, limits: Caps) -> None:
        self._database, self._limits = database, limits
        self._store, self._log = SqliteTurnStore(database), SqliteTurnLog(database)
        self._conversations, self._eraser = SqliteConversations(database), SqliteEraser(database)

    async def happen(self) -> None:
        """All of it, in an order that makes sense."""
        await self._prefer()
        first = await self._made(
            "c1", replace(command(trigger="c1", user=CAROL), options=Options(1024, 1024))
        )
        file = Attachment("F0FILE0002", "fox.png", "image/png", 10)
        mention = message("make it blue", "1763650010.000100", ROOT, user=CAROL, surface=Surface.MENTION)
        await self._made("c2", replace(mention, attachments=(file,)))
        await self._conversations.choose(first.id, DESIGN, ROOT, CAROL, "1763650020.000100", NOON)
        again = replace(mention, surface=Surface.BUTTON, key="button:1", order="1763650030.000100")
        third = await self._made("c3", replace(again, message_ts=None, inputs_from="c2", wanted=2))
        await self._undo(third)
        await self._private()
        await self._shared(first)
        await self._deleted(third)
        await self._read(first)

    async def _prefer(self) -> None:
        await self._conversations.prefer(TEAM, CAROL, Preferences(2048, 1024, "low", private=False), NOON)
        await self._conversations.preferences(TEAM, CAROL)
        await self._conversations.met(TEAM, CAROL, OUR_DM, NOON)
        await self._conversations.private_channel(TEAM, CAROL)

    async def _made(self, turn_id: str, request: Request) -> Picture:
        """A picture on what it builds on, told."""
        turn = (await self._store.arrive(turn_id, request, NOON, ThreadReplies.JOINED)).turn
        assert turn is not None
        if request.attachments:
            await self._store.bring(turn_id, 0, [REFERENCE, MASK], NOON)
        assert isinstance(await self._store.queue(turn_id, plan("none", CENT), self._limits, NOON), Turn)
        await self._store.tell(turn_id, Told.PLACEHOLDER, ROOT, NOON)
        await self._log.manner(turn)
        current = await self._log.current_picture(TEAM, DESIGN, ROOT, request.order)
        planned = plan(f"try_{turn_id}", CENT, parent_id=current.id if current else None)
        assert isinstance(await self._store.hold(turn_id, planned, self._limits, NOON), Attempt)
        await self._store.send(f"try_{turn_id}", NOON)
        paid = settlement(CENT, picture_id=f"picture_{turn_id}")
        picture = await self._store.render(f"try_{turn_id}", paid, self._limits, NOON)
        assert picture is not None
        await self._store.end(turn_id, Ending(Outcome.PICTURES, Reason.PICTURES), NOON)
        await self._store.tell(turn_id, Told.FILE, f"F0{turn_id}", NOON, picture.id)
        await self._store.tell(turn_id, Told.MESSAGE, f"1763650000.{turn_id}", NOON)
        await self._store.tell(turn_id, Told.DONE, None, NOON)
        return picture

    async def _undo(self, last: Picture) -> None:
        """Back to what the last one was made from."""
        undo = message("undo", "1763650040.000100", ROOT, user=CAROL)
        request = replace(undo, intent=Intent.UNDO)
        await self._store.arrive("c_undo", request, NOON, ThreadReplies.JOINED)
        await self._store.queue("c_undo", None, self._limits, NOON)
        details: dict[str, str | int] = {"picture_id": last.parent_id or "", "version": 1, "undone": 3}
        await self._store.end("c_undo", Ending(Outcome.WORDS, Reason.UNDONE, details), NOON)
        await self._store.tell("c_undo", Told.DONE, None, NOON)

    async def _private(self) -> None:
        request = message("a bluer one", "1763650050.000100", ROOT, user=CAROL, surface=Surface.MENTION)
        await self._store.arrive("c_private", replace(request, private=True), NOON, ThreadReplies.JOINED)
        await self._store.tell("c_private", Told.PLACE, OUR_DM, NOON)
        await self._store.end("c_private", Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), NOON)
        await self._store.tell("c_private", Told.DONE, None, NOON)

    async def _shared(self, picture: Picture) -> None:
        """Into one channel, and not into another; and what Carol thinks of it."""
        for name in ("share_1", "share_2"):
            share = await self._conversations.share(name, name, picture.id, RANDOM, CAROL, NOON, "Look!")
            assert share is not None
        await self._conversations.unfinished_shares(NOON)
        await self._conversations.note_share("share_1", "F0SHARED01", None)
        await self._conversations.note_share("share_1", None, "1763650060.000100")
        ts = "1763650060.000200"
        await self._conversations.choose(picture.id, RANDOM, "1763650060.000100", CAROL, ts, NOON)
        await self._conversations.give_up_share("share_2", "not_in_channel")
        await self._conversations.judge(picture.id, CAROL, Verdict.ACCEPTED, NOON)

    async def _deleted(self, picture: Picture) -> None:
        for _ in range(2):
            assert await self._eraser.erase(picture.id, CAROL, NOON) is not None
        await self._store.tell(picture.turn_id, Told.FILE, "F0LATE0001", NOON, picture.id)
        await self._store.tell(picture.turn_id, Told.MESSAGE, "1763650070.000100", NOON)
        first, *others = await self._eraser.open_errands(10)
        await self._eraser.close_errand(first.id, "ratelimited", NOON)
        for errand in others:
            await self._eraser.close_errand(errand.id, None, NOON)
        folder = Path(
            str(await self._database.look(lambda db: db.execute("PRAGMA database_list").fetchone()[2]))
        )
        blobs = BlobStore(folder.parent / "pictures")
        for needed_or_not in ("b", "c"):
            await remove_bytes(self._database, blobs, needed_or_not * 64, "png")
        await self._eraser.scrub()

    async def _read(self, picture: Picture) -> None:
        await self._conversations.versions(TEAM, DESIGN, ROOT)
        await self._conversations.pictures_of_message(TEAM, DESIGN, "1763650000.c1")
        await self._conversations.pictures_of_message(TEAM, RANDOM, "1763650060.000100")
        await self._conversations.turn_of_key(TEAM, "button:1")
        await self._conversations.page_of(TEAM, CAROL, 0, 10)
        await self._log.last_picture(TEAM, DESIGN, CAROL)
        await self._log.person(TEAM, CAROL)
        await self._log.inputs("c2")
        for turn_id in ("c1", "c2"):
            turn = await self._log.turn(turn_id)
            assert turn is not None
            await self._log.manner(turn)
            await self._log.beside_others(turn)
        assert await self._log.picture(picture.id) is not None
