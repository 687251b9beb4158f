"""Deleting a picture: what is gone, what stays, what is to be recalled; and nothing is left in the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.erasing import TRIES_MAX, Errand, Recall
from darkroom.turns.model import Attachment, Options, Picture, ThreadReplies, Told, Turn, Verdict
from storage.blobs import WRITTEN_AGAIN_S, BlobStore
from storage.conversations import SqliteConversations
from storage.database import PICTURES_NAME, Database
from storage.erasing import SqliteEraser, remove_bytes
from storage.turn_log import SqliteTurnLog
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, command, plan
from tests.storage.books import nothing_held
from tests.storage.gallery import FREE, Asked, Gallery, posted

ADMIN, RANDOM, LATE = "U0ADMIN001", "C0RANDOM01", "1999999999.000000"
SECRET = "the unannounced kettle of Acme, half full, 紅茶 ☕"
"""What must be nowhere afterwards."""


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def blobs(tmp_path: Path, seconds: Seconds) -> BlobStore:
    return BlobStore(tmp_path / PICTURES_NAME, seconds)


@pytest.fixture
def gallery(database: Database, blobs: BlobStore) -> Gallery:
    return Gallery(database, blobs)


@pytest.fixture
def eraser(database: Database) -> SqliteEraser:
    return SqliteEraser(database)


@pytest.fixture
def log(database: Database) -> SqliteTurnLog:
    return SqliteTurnLog(database)


@pytest.fixture
def talk(database: Database) -> SqliteConversations:
    return SqliteConversations(database)


async def listed(eraser: SqliteEraser) -> set[tuple[Recall, str, str]]:
    """What is to be recalled: kind, channel, ref."""
    return {(each.kind, each.channel_id, each.ref) for each in await eraser.open_errands(1000)}


def of(kind: Recall, refs: Iterable[tuple[Recall, str, str]]) -> set[str]:
    """The refs of one kind."""
    return {ref for found, _, ref in refs if found is kind}


async def turn_of(log: SqliteTurnLog, picture: Picture) -> Turn:
    """The turn that made it."""
    turn = await log.turn(picture.turn_id)
    assert turn is not None
    return turn


async def test_a_deleted_picture_loses_its_words_and_keeps_its_charge(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    picture = await gallery.picture(Asked(revised="a crimson fox"))
    charge = await log.charge_of(picture.id)
    erased = await eraser.erase(picture.id, BOB, NOON)
    assert erased is not None
    assert (erased.first, erased.asked_in_words, erased.built_on) == (True, False, 0)
    left = await log.picture(picture.id)
    assert left == erased.picture
    assert (left.prompt, left.revised_prompt, left.deleted_at) == ("", None, NOON)
    assert (left.version, left.charged_nano_usd) == (1, 50)
    assert await log.charge_of(picture.id) == charge
    assert (await turn_of(log, picture)).request.prompt == ""


async def test_everything_that_one_picture_left_is_listed(eraser: SqliteEraser, gallery: Gallery) -> None:
    picture = await gallery.picture()
    await eraser.erase(picture.id, BOB, NOON)
    assert await listed(eraser) == {
        (Recall.MESSAGE, DESIGN, posted(picture.turn_id)),
        (Recall.PLACEHOLDER, DESIGN, picture.thread_ts),
        (Recall.FILE, "", f"F_{picture.id}"),
        (Recall.RESPONSE, "", str(picture.response_id)),
        (Recall.BLOB, "", f"{picture.sha256}.png"),
    }
    errands = await eraser.open_errands(1000)
    assert {(each.by_user_id, each.picture_id, each.team_id, each.tries) for each in errands} == {
        (BOB, picture.id, TEAM, 0)
    }


async def test_what_never_was_cannot_be_deleted(eraser: SqliteEraser) -> None:
    assert await eraser.erase("picture_none", ALICE, NOON) is None
    assert await eraser.open_errands(10) == []


async def test_deleting_twice_is_the_first(eraser: SqliteEraser, gallery: Gallery) -> None:
    picture = await gallery.picture()
    await eraser.erase(picture.id, ALICE, NOON)
    before = await eraser.open_errands(1000)
    again = await eraser.erase(picture.id, BOB, NOON + timedelta(hours=1))
    assert again is not None
    assert not again.first
    assert again.picture.deleted_at == NOON
    assert await eraser.open_errands(1000) == before


async def test_the_turn_keeps_its_words_until_its_last_picture_goes(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    first, second = await gallery.pictures(2, Asked(prompt=SECRET))
    await eraser.erase(first.id, ALICE, NOON)
    refs = await listed(eraser)
    assert (await turn_of(log, first)).request.prompt == SECRET
    assert (await log.pictures(first.turn_id))[1].prompt == SECRET
    assert of(Recall.PLACEHOLDER, refs) == set()
    assert of(Recall.RESPONSE, refs) == {first.response_id}
    assert of(Recall.FILE, refs) == {f"F_{first.id}"}
    assert of(Recall.MESSAGE, refs) == {posted(first.turn_id)}
    await eraser.erase(second.id, ALICE, NOON)
    refs = await listed(eraser)
    assert (await turn_of(log, first)).request.prompt == ""
    assert of(Recall.PLACEHOLDER, refs) == {first.thread_ts}
    assert of(Recall.RESPONSE, refs) == {first.response_id, second.response_id}


async def test_answers_of_calls_that_failed_go_with_the_last_picture(
    eraser: SqliteEraser, gallery: Gallery
) -> None:
    turn = await gallery.begun(wanted=2)
    pictures = [await gallery.render(turn, failed="resp_failed"), await gallery.render(turn)]
    await gallery.end(turn, pictures)
    await eraser.erase(pictures[0].id, ALICE, NOON)
    assert "resp_failed" not in of(Recall.RESPONSE, await listed(eraser))
    await eraser.erase(pictures[1].id, ALICE, NOON)
    responses = [each.ref for each in await eraser.open_errands(1000) if each.kind is Recall.RESPONSE]
    assert sorted(responses) == sorted(["resp_failed", *(str(each.response_id) for each in pictures)])


async def test_what_a_person_wrote_themselves_is_said_to_stay(eraser: SqliteEraser, gallery: Gallery) -> None:
    first = await gallery.picture()
    reply = await gallery.picture(Asked(thread_ts=first.thread_ts, message_ts="1763640500.000000"))
    erased = await eraser.erase(reply.id, ALICE, NOON)
    assert erased is not None
    assert erased.asked_in_words
    refs = await listed(eraser)
    assert of(Recall.PLACEHOLDER, refs) == set()
    assert of(Recall.MESSAGE, refs) == {posted(reply.turn_id)}


async def test_living_pictures_that_build_on_it_are_counted_and_keep_their_parent(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    parent = await gallery.picture(Asked(prompt=SECRET))
    again = Asked(SECRET, thread_ts=parent.thread_ts, message_ts="1763640500.000000", parent_id=parent.id)
    child, other = (
        await gallery.picture(again),
        await gallery.picture(
            Asked(thread_ts=parent.thread_ts, message_ts="1763640501.000000", parent_id=parent.id)
        ),
    )
    await eraser.erase(other.id, ALICE, NOON)
    erased = await eraser.erase(parent.id, ALICE, NOON)
    assert erased is not None
    assert erased.built_on == 1
    kept = await log.picture(child.id)
    assert kept is not None
    assert (kept.parent_id, kept.parent_version, kept.prompt) == (parent.id, 1, SECRET)
    assert (await turn_of(log, child)).request.prompt == SECRET, "another request with the same words"


async def test_the_next_request_does_not_build_on_a_deleted_choice(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog, talk: SqliteConversations
) -> None:
    first, second, third = await gallery.pictures(3)
    await talk.choose(first.id, DESIGN, first.thread_ts, ALICE, "1763640600.000000", NOON)
    await eraser.erase(first.id, ALICE, NOON)
    assert await log.current_picture(TEAM, DESIGN, first.thread_ts, LATE) == third
    await eraser.erase(third.id, ALICE, NOON)
    assert await log.current_picture(TEAM, DESIGN, first.thread_ts, LATE) == second


async def test_bytes_that_another_living_picture_shares_stay(
    eraser: SqliteEraser, gallery: Gallery, database: Database, blobs: BlobStore
) -> None:
    one, other = await gallery.picture(data=b"same"), await gallery.picture(data=b"same")
    await eraser.erase(one.id, ALICE, NOON)
    assert of(Recall.BLOB, await listed(eraser)) == set()
    await eraser.erase(other.id, ALICE, NOON)
    assert of(Recall.BLOB, await listed(eraser)) == {f"{one.sha256}.png"}


async def test_what_went_along_goes_too_unless_another_turn_needs_it(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    turn, other = await gallery.begun(), await gallery.begun()
    shared, own, mask = await gallery.bring(turn, "shared", "own", mask=b"marked")
    await gallery.bring(other, "shared")
    picture = await gallery.render(turn)
    await gallery.end(turn, [picture])
    await eraser.erase(picture.id, ALICE, NOON)
    assert await log.inputs(turn.id) == ()
    assert await log.inputs(other.id) == (shared,)
    assert of(Recall.BLOB, await listed(eraser)) == {
        f"{sha256}.png" for sha256 in (picture.sha256, own.sha256, mask.sha256)
    }


async def test_a_picture_that_went_along_with_another_turn_keeps_its_bytes_there(
    eraser: SqliteEraser, gallery: Gallery
) -> None:
    picture, other = await gallery.picture(data=b"logo"), await gallery.begun()
    await gallery.bring(other, "logo")
    await eraser.erase(picture.id, ALICE, NOON)
    assert of(Recall.BLOB, await listed(eraser)) == set()


async def test_the_names_of_attached_files_are_forgotten(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    asked = Asked(message_ts="1763640500.000000", thread_ts="1763640500.000000")
    turn = await gallery.begun(asked)
    attached = Attachment("F0LOGO", f"{SECRET}.png", "image/png", 7)
    await gallery.store.revise(TEAM, DESIGN, "1763640500.000000", asked.prompt, Options(), (attached,), NOON)
    revised = await log.turn(turn.id)
    assert revised is not None
    picture = await gallery.render(revised, asked)
    await gallery.end(turn, [picture])
    await eraser.erase(picture.id, ALICE, NOON)
    left = (await turn_of(log, picture)).request.attachments
    assert left == (Attachment("F0LOGO", "", "image/png", 7),)


async def test_what_the_api_said_and_what_repeats_the_prompt_leaves_the_ending(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    turn = await gallery.begun(Asked(prompt=SECRET), wanted=2)
    picture = await gallery.render(turn, Asked(prompt=SECRET))
    details: dict[str, str | int] = {
        "made": 1,
        "rest": "words",
        "words": "A kettle? How nice.",
        "why": f"not {SECRET}",
    }
    await gallery.store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES, details), NOON)
    await gallery.store.tell(turn.id, Told.DONE, None, NOON)
    await eraser.erase(picture.id, ALICE, NOON)
    ending = (await turn_of(log, picture)).ending
    assert ending is not None
    assert ending.details == {"made": 1, "rest": "words", "words": "", "why": ""}


@pytest.mark.parametrize("prefix", ["in-dm", "edit-or-new"])
async def test_the_turn_that_only_asked_where_or_whether_forgets_with_it(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog, prefix: str
) -> None:
    asked = command(SECRET, trigger="first")
    await gallery.store.arrive("turn_asked", asked, NOON, ThreadReplies.JOINED)
    await gallery.store.end("turn_asked", Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL), NOON)
    picture = await gallery.picture(Asked(prompt=SECRET, key=f"{prefix}:turn_asked"))
    await eraser.erase(picture.id, ALICE, NOON)
    first = await log.turn("turn_asked")
    assert first is not None
    assert first.request.prompt == ""


async def test_what_was_to_be_made_like_it_and_came_to_nothing_forgets_with_it(
    eraser: SqliteEraser, gallery: Gallery, talk: SqliteConversations, log: SqliteTurnLog
) -> None:
    """Buttons copy the prompt into turns of their own: in its thread, and where it was shared."""
    picture = await gallery.picture(Asked(prompt=SECRET))
    share = await talk.share("share", "view:V1", picture.id, RANDOM, BOB, NOON)
    assert share is not None
    await talk.note_share(share.id, "F_SHARED", "1763640500.000000")
    here = await gallery.vain(picture, SECRET, "button:1", picture.thread_ts)
    there = await gallery.vain(
        picture, f"A variation of this picture: {SECRET}", "view:V9", "1763640500.000000", RANDOM
    )
    other = await gallery.vain(picture, "a hen", "button:2", picture.thread_ts)
    await eraser.erase(picture.id, ALICE, NOON)
    turns = [await log.turn(turn_id) for turn_id in (here, there, other)]
    assert [turn and turn.request.prompt for turn in turns] == ["", "", "a hen"]


async def test_what_was_to_vary_it_and_came_too_late_forgets_when_it_is_told(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    picture = await gallery.picture(Asked(prompt=SECRET))
    await eraser.erase(picture.id, ALICE, NOON)
    late = await gallery.vain(picture, SECRET, "view:V9", picture.thread_ts, why=Reason.PICTURE_GONE)
    turn = await log.turn(late)
    assert turn is not None
    assert turn.request.prompt == ""


async def test_lists_of_versions_that_name_it_are_recalled(eraser: SqliteEraser, gallery: Gallery) -> None:
    """They repeat the prompt. One from before the picture was made does not."""
    first = await gallery.picture(Asked(prompt="a hen"))
    later = NOON + timedelta(minutes=1)
    asked = Asked(thread_ts=first.thread_ts, message_ts="1763640601.000000")
    early = await gallery.listed(asked, NOON)
    secret = await gallery.picture(Asked(prompt=SECRET, thread_ts=first.thread_ts, at=later))
    late = await gallery.listed(replace(asked, message_ts="1763640602.000000"), later)
    await eraser.erase(secret.id, ALICE, later)
    messages = of(Recall.MESSAGE, await listed(eraser))
    assert late in messages
    assert early not in messages


async def test_so_are_those_of_threads_that_sharing_it_opened(
    eraser: SqliteEraser, gallery: Gallery, talk: SqliteConversations
) -> None:
    secret, root = await gallery.picture(Asked(prompt=SECRET)), "1763640900.000000"
    share = await talk.share("share_1", "view:1", secret.id, RANDOM, ALICE, NOON)
    assert share is not None
    await talk.note_share(share.id, "F_SHARED", root)
    there = await gallery.listed(Asked(channel=RANDOM, thread_ts=root, message_ts="1763640901.000000"), NOON)
    await eraser.erase(secret.id, ALICE, NOON)
    assert (Recall.MESSAGE, RANDOM, there) in await listed(eraser)


async def test_an_unknown_turn_in_such_a_key_is_no_matter(eraser: SqliteEraser, gallery: Gallery) -> None:
    picture = await gallery.picture(Asked(key="in-dm:turn_none"))
    assert await eraser.erase(picture.id, ALICE, NOON) is not None


async def test_shares_are_recalled_and_lose_what_was_said(
    eraser: SqliteEraser, gallery: Gallery, talk: SqliteConversations, database: Database
) -> None:
    picture = await gallery.picture()
    for number, ts in enumerate(("1763640900.000000", None)):
        share = await talk.share(f"share_{number}", f"view:{number}", picture.id, RANDOM, BOB, NOON, SECRET)
        assert share is not None
        await talk.note_share(share.id, f"F_share_{number}", ts)
    await eraser.erase(picture.id, ALICE, NOON)
    refs = await listed(eraser)
    assert (Recall.MESSAGE, RANDOM, "1763640900.000000") in refs
    assert of(Recall.FILE, refs) == {f"F_{picture.id}", "F_share_0", "F_share_1"}
    assert await talk.unfinished_shares(NOON) == []
    comments = await database.look(lambda db: db.execute("SELECT comment FROM shares").fetchall())
    assert {row["comment"] for row in comments} == {""}


async def test_a_share_that_arrives_after_the_deletion_is_recalled_and_opens_no_thread(
    eraser: SqliteEraser, gallery: Gallery, talk: SqliteConversations, log: SqliteTurnLog
) -> None:
    picture, ts = await gallery.picture(), "1763640900.000000"
    share = await talk.share("share_1", "view:1", picture.id, RANDOM, BOB, NOON)
    assert share is not None
    await eraser.erase(picture.id, ALICE, NOON)
    noted = await talk.note_share(share.id, "F_late", ts)
    assert noted.picture.deleted_at == NOON
    late = [each for each in await eraser.open_errands(1000) if each.ref in ("F_late", ts)]
    assert {(each.kind, each.channel_id, each.by_user_id) for each in late} == {
        (Recall.MESSAGE, RANDOM, ALICE),
        (Recall.FILE, "", ALICE),
    }
    assert not await log.reply_counts(TEAM, RANDOM, ts, BOB, ThreadReplies.JOINED)
    assert await log.current_picture(TEAM, RANDOM, ts, LATE) is None


async def test_an_errand_is_tried_until_it_is_done(eraser: SqliteEraser, gallery: Gallery) -> None:
    picture = await gallery.picture()
    await eraser.erase(picture.id, ALICE, NOON)
    first, *others = await eraser.open_errands(1000)
    await eraser.close_errand(first.id, "not_now", NOON)
    again = [each for each in await eraser.open_errands(1000) if each.tries]
    assert [(each.id, each.tries) for each in again] == [(first.id, 1)]
    await eraser.close_errand(first.id, None, NOON)
    assert list(await eraser.open_errands(1000)) == others


async def test_what_cannot_be_recalled_keeps_nothing_else_waiting(
    eraser: SqliteEraser, gallery: Gallery
) -> None:
    await eraser.erase((await gallery.picture()).id, ALICE, NOON)
    in_vain = await eraser.open_errands(1000)
    for errand in in_vain:
        await eraser.close_errand(errand.id, "cant_delete_message", NOON)
    later = await gallery.picture(Asked(prompt="a cat"))
    await eraser.erase(later.id, ALICE, NOON + timedelta(hours=1))
    first = await eraser.open_errands(len(in_vain))
    assert {errand.picture_id for errand in first} == {later.id}


async def test_an_errand_in_vain_is_given_up_and_kept(
    eraser: SqliteEraser, gallery: Gallery, database: Database
) -> None:
    await eraser.erase((await gallery.picture()).id, ALICE, NOON)
    errand: Errand = (await eraser.open_errands(1))[0]
    for _ in range(TRIES_MAX):
        assert errand.id in {each.id for each in await eraser.open_errands(1000)}
        await eraser.close_errand(errand.id, "cant_delete_message", NOON)
    assert errand.id not in {each.id for each in await eraser.open_errands(1000)}
    await eraser.close_errand(errand.id, None, NOON)
    query = "SELECT tries, failure, done_at FROM erasures WHERE id = ?"
    row = await database.look(lambda db: db.execute(query, (errand.id,)).fetchone())
    assert tuple(row) == (TRIES_MAX, "cant_delete_message", "2026-11-20T12:00:00.000000Z")


async def test_deleting_while_a_turn_builds_on_it_breaks_nothing(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog, database: Database, blobs: BlobStore
) -> None:
    """The call goes on with the bytes that it has; they are removed once it has ended."""
    parent = await gallery.picture()
    asked = Asked(thread_ts=parent.thread_ts, message_ts="1763640500.000000", parent_id=parent.id)
    turn = await gallery.begun(asked)
    await gallery.store.hold(turn.id, plan("try_child", parent_id=parent.id), FREE, NOON)
    await eraser.erase(parent.id, ALICE, NOON)
    assert not await remove_bytes(database, blobs, parent.sha256, "png")
    assert blobs.path_of(parent.sha256, "png").exists()
    await gallery.store.fall_back("try_child", "refused", None, FREE, NOON)
    child = await gallery.render(turn, asked)
    await gallery.end(turn, [child])
    assert child.parent_id == parent.id
    assert await remove_bytes(database, blobs, parent.sha256, "png")
    assert not blobs.path_of(parent.sha256, "png").exists()
    await database.look(nothing_held)


async def test_a_turn_that_is_still_being_made_keeps_its_words_until_it_is_told(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    """Its other pictures need them; if none of those comes, it forgets them then."""
    turn = await gallery.begun(Asked(prompt=SECRET), wanted=2)
    first = await gallery.render(turn)
    await eraser.erase(first.id, BOB, NOON)
    assert (await turn_of(log, first)).request.prompt == SECRET
    assert of(Recall.MESSAGE, await listed(eraser)) == of(Recall.PLACEHOLDER, await listed(eraser)) == set()
    await gallery.end(turn, [first])
    assert (await turn_of(log, first)).request.prompt == ""
    refs = await listed(eraser)
    assert of(Recall.MESSAGE, refs) == {posted(turn.id)}
    assert of(Recall.PLACEHOLDER, refs) == {first.thread_ts}
    assert of(Recall.FILE, refs) == {f"F_{first.id}"}
    assert {each.by_user_id for each in await eraser.open_errands(1000)} == {BOB}


async def test_what_is_deleted_while_it_is_being_told_is_recalled_when_nothing_is_written_any_more(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    """Who tells is about to write the prompt into the placeholder, and would do so after it was recalled."""
    turn = await gallery.begun(Asked(prompt=SECRET))
    first = await gallery.render(turn)
    await gallery.store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES), NOON)
    await gallery.store.tell(turn.id, Told.MESSAGE, posted(turn.id), NOON)
    await eraser.erase(first.id, BOB, NOON)
    refs = await listed(eraser)
    assert of(Recall.MESSAGE, refs) == {posted(turn.id)}
    assert of(Recall.PLACEHOLDER, refs) == set()
    await gallery.store.tell(turn.id, Told.DONE, None, NOON)
    assert of(Recall.PLACEHOLDER, await listed(eraser)) == {first.thread_ts}
    assert (await turn_of(log, first)).request.prompt == ""


async def test_a_turn_whose_other_picture_came_keeps_its_words(
    eraser: SqliteEraser, gallery: Gallery, log: SqliteTurnLog
) -> None:
    turn = await gallery.begun(Asked(prompt=SECRET), wanted=2)
    first = await gallery.render(turn)
    await eraser.erase(first.id, BOB, NOON)
    second = await gallery.render(turn)
    await gallery.end(turn, [second])
    assert (await turn_of(log, first)).request.prompt == SECRET
    assert second.prompt == SECRET


async def test_bytes_are_removed_only_when_nothing_needs_them(
    eraser: SqliteEraser, gallery: Gallery, database: Database, blobs: BlobStore
) -> None:
    picture = await gallery.picture()
    path = blobs.path_of(picture.sha256, "png")
    assert await remove_bytes(database, blobs, picture.sha256, "png"), "there is nothing to be done"
    assert path.exists()
    await eraser.erase(picture.id, ALICE, NOON)
    assert await remove_bytes(database, blobs, picture.sha256, "png")
    assert not path.exists()
    assert await remove_bytes(database, blobs, picture.sha256, "png")


async def test_bytes_that_another_turn_has_just_written_are_not_taken_from_it(
    eraser: SqliteEraser, gallery: Gallery, database: Database, blobs: BlobStore, seconds: Seconds
) -> None:
    """Between a file and its row in the books nobody can know what it is for."""
    picture, other = await gallery.picture(data=b"logo"), await gallery.begun()
    seconds.now += 5 * WRITTEN_AGAIN_S
    await eraser.erase(picture.id, ALICE, NOON)
    brought = gallery.input("logo")
    assert not await remove_bytes(database, blobs, picture.sha256, "png")
    await gallery.store.bring(other.id, 0, [brought], NOON)
    seconds.now += WRITTEN_AGAIN_S + 1
    assert await remove_bytes(database, blobs, picture.sha256, "png"), "needed, and no trouble"
    assert blobs.path_of(picture.sha256, "png").read_bytes() == b"logo"


async def test_verdicts_stay_with_a_deleted_picture(
    talk: SqliteConversations, gallery: Gallery, database: Database, eraser: SqliteEraser
) -> None:
    picture = await gallery.picture()
    await talk.judge(picture.id, ALICE, Verdict.REJECTED, NOON)
    await eraser.erase(picture.id, ALICE, NOON)
    count = await database.look(lambda db: db.execute("SELECT COUNT(*) FROM feedback").fetchone()[0])
    assert count == 1
