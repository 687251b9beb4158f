"""What goes along with a prompt: fetched once, understood and written down, or refused before any call."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.rendering import inputs
from darkroom.rendering.encoding import Prepared
from darkroom.rendering.job import Answer, FailureKind
from darkroom.turns import bringing
from darkroom.turns.endings import Outcome
from darkroom.turns.model import REFERENCES_MAX, Attachment, InputRole, Options, Picture, Surface, TurnInput
from storage.turns import SqliteTurnStore
from tests.examples import BOB, DESIGN, TEAM, caps, message
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import NOT_A_MEMBER, failed, painted, said
from tests.turns.world import World, turns_of_the_loop

TS = "1763650000.000001"


def drawn(width: int = 64, height: int = 64, kind: str = "PNG", hole: tuple[int, int] | None = None) -> bytes:
    """A picture; with a *hole* so many columns and rows of it are transparent."""
    image = Image.new("RGBA" if hole is not None else "RGB", (width, height), (200, 30, 30))
    if hole:
        image.paste((0, 0, 0, 0), (0, 0, *hole))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def attach(world: World, **files: bytes) -> tuple[Attachment, ...]:
    """Files of a message, kept by Slack."""
    world.attachments.files |= files
    return tuple(Attachment(name, f"{name}.png", "image/png", len(data)) for name, data in files.items())


async def hold_of(world: World) -> int:
    """What a picture of "a room" holds."""
    made = await world.made("a room", channel="C0PRICED01")
    return (await world.attempts(made.turn_id))[0].hold_nano_usd


async def brought(world: World, turn_id: str) -> list[tuple[InputRole, str]]:
    """The role and name of each of a turn's inputs."""
    return [(each.role, each.name) for each in await world.log.inputs(turn_id)]


def left_behind(world: World) -> list[Path]:
    """Files that were being written."""
    return list((world.folder / "tmp").glob("*"))


def kept(world: World) -> set[str]:
    """The digests of all files on the disk, half written ones too."""
    return {path.stem for path in world.folder.rglob("*") if path.is_file()}


async def test_pictures_of_a_reply_go_along_after_its_parent_and_are_held_for(world: World) -> None:
    first = await world.made()
    files = attach(world, sofa=drawn(), lamp=drawn(80, 40, "JPEG"))
    turn_id = await world.reply("use these", TS, first.turn_id, attachments=files)
    await world.rest()
    assert await brought(world, turn_id) == [
        (InputRole.REFERENCE, "sofa.png"),
        (InputRole.REFERENCE, "lamp.png"),
    ]
    job = world.renderer.jobs[-1]
    assert job.previous_response_id == first.response_id
    sent = [each.path.read_bytes() for each in job.input_pictures]
    assert sent == [world.attachments.files["sofa"], world.attachments.files["lamp"]]
    assert [each.media_type for each in job.input_pictures] == ["image/png", "image/jpeg"]
    ask = (await world.attempts(turn_id))[0].ask
    assert ask is not None
    assert ask.input_pictures == 2
    assert world.slack.inputs[turn_id] == [("reference", "sofa.png"), ("reference", "lamp.png")]
    assert left_behind(world) == []


async def test_all_pictures_of_a_turn_share_what_was_fetched_once(world: World) -> None:
    root = message("a room", TS, TS, surface=Surface.MENTION)
    turn_id = await world.ask(replace(root, attachments=attach(world, sofa=drawn()), wanted=3))
    await world.rest()
    assert world.attachments.fetched == ["sofa"]
    assert len(world.renderer.jobs) == 3
    assert len({job.input_pictures for job in world.renderer.jobs}) == 1
    assert len(await world.log.pictures(turn_id)) == 3


async def first_of(world: World, width: int = 1024, height: int = 1024) -> Picture:
    """A picture to mark, of that size."""
    first = await world.made()
    query = "UPDATE pictures SET width = ?, height = ? WHERE id = ?"
    await world.database.write(lambda db: db.execute(query, (width, height, first.id)).rowcount)
    return first


@pytest.mark.parametrize("size", [(64, 64), (199, 200)])
async def test_a_png_with_a_hole_and_the_parents_shape_marks_it(world: World, size: tuple[int, int]) -> None:
    first = await first_of(world)
    files = attach(world, mask=drawn(*size, hole=(size[0], size[1] // 4)))
    turn_id = await world.reply("a lake here", TS, first.turn_id, attachments=files)
    await world.rest()
    (mask,) = await world.log.inputs(turn_id)
    assert (mask.role, mask.format, mask.width, mask.height) == (InputRole.MASK, "png", 1024, 1024)
    assert mask.covers_ppm == pytest.approx(250_000, abs=5_000)
    assert kept(world) == {mask.sha256}
    job = world.renderer.jobs[-1]
    assert job.previous_response_id is None
    assert [each.path.name for each in job.input_pictures] == [f"{first.sha256}.png"]
    assert job.mask is not None
    with Image.open(job.mask.path) as image:
        assert image.size == (1024, 1024)
    assert world.slack.inputs[turn_id] == [("mask", "mask.png")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (drawn(64, 40, hole=(10, 10)), "another shape"),
        (drawn(64, 63, hole=(10, 10)), "more than a hundredth off"),
        (drawn(64, 64, hole=(0, 0)), "no hole"),
        (drawn(64, 64), "no transparency"),
        (drawn(64, 64, "WEBP", hole=(30, 30)), "no PNG"),
    ],
)
async def test_what_is_not_quite_a_mask_goes_along_as_a_picture(world: World, data: bytes, why: str) -> None:
    first = await first_of(world)
    turn_id = await world.reply("like this", TS, first.turn_id, attachments=attach(world, file=data))
    await world.rest()
    assert await brought(world, turn_id) == [(InputRole.REFERENCE, "file.png")], why
    assert world.renderer.jobs[-1].mask is None


async def test_two_files_or_no_parent_are_no_mask(world: World) -> None:
    first = await first_of(world)
    holed = drawn(hole=(30, 30))
    two = await world.reply("like these", TS, first.turn_id, attachments=attach(world, one=holed, two=holed))
    root = message("a room", "1763650000.000009", "1763650000.000009", surface=Surface.MENTION)
    alone = await world.ask(replace(root, attachments=attach(world, one=holed)))
    await world.rest()
    assert [role for role, _ in await brought(world, two)] == [InputRole.REFERENCE] * 2
    assert [role for role, _ in await brought(world, alone)] == [InputRole.REFERENCE]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "not_a_picture"),
        (b"PK\x03\x04" + b"\0" * 400, "not_a_picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "svg"),
        (drawn()[:60], "broken"),
        (None, "no_access"),
    ],
)
async def test_a_file_that_cannot_go_along_ends_the_turn_before_anything_is_bought(
    world: World, data: bytes | None, why: str
) -> None:
    """Also when another one is fine; nothing half written stays."""
    first = await world.made()
    files = attach(world, fine=drawn(), bad=data or b"")
    if data is None:
        del world.attachments.files["bad"]
    turn_id = await world.reply("use these", TS, first.turn_id, attachments=files)
    await world.rest()
    ending = await world.ending(turn_id)
    assert (ending.outcome, ending.reason.value) == (Outcome.DECLINED, "bad_file")
    assert ending.details == {"file": "bad.png", "why": why}
    assert await world.attempts(turn_id) == []
    assert await world.log.inputs(turn_id) == ()
    assert kept(world) == set()


@pytest.mark.parametrize(("surface", "allowed"), [(Surface.REPLY, 15), (Surface.MENTION, 16)])
async def test_more_than_may_go_along_is_refused_before_any_is_fetched(
    world: World, surface: Surface, allowed: int
) -> None:
    """The parent counts: it may have to be sent as well."""
    first = await world.made()
    thread = first.thread_ts if surface is Surface.REPLY else "1763650000.000009"
    one = Attachment("F1", "a.png", "image/png", 9)
    asked = message("use these", "1763650000.000009", thread, surface=surface)
    turn_id = await world.ask(replace(asked, attachments=(one,) * (allowed + 1)))
    await world.rest()
    ending = await world.ending(turn_id)
    assert ending.reason.value == "too_many_files"
    assert ending.details == {"files": allowed + 1, "allowed": allowed}
    assert world.attachments.fetched == []
    assert allowed <= REFERENCES_MAX


async def test_a_mention_in_a_thread_without_a_picture_of_ours_takes_those_above(world: World) -> None:
    world.attachments.in_thread = attach(world, photo=drawn())
    asked = message("make this one blue", TS, "1763640001.000001", surface=Surface.MENTION)
    turn_id = await world.ask(asked)
    await world.rest()
    assert await brought(world, turn_id) == [(InputRole.REFERENCE, "photo.png")]
    later = message("and green", "1763650000.000002", "1763640001.000001", surface=Surface.MENTION)
    second = await world.ask(later)
    await world.rest()
    assert await brought(world, second) == []
    assert (await world.log.pictures(second))[0].parent_version == 1


async def test_own_files_and_top_level_mentions_do_not_look_above(world: World) -> None:
    world.attachments.in_thread = attach(world, photo=drawn())
    own = message("like this", TS, "1763640001.000001", surface=Surface.MENTION)
    first = await world.ask(replace(own, attachments=attach(world, mine=drawn(32, 32))))
    top = await world.ask(message("a fox", "1763650000.000002", "1763650000.000002", surface=Surface.MENTION))
    await world.rest()
    assert await brought(world, first) == [(InputRole.REFERENCE, "mine.png")]
    assert await brought(world, top) == []


async def test_a_reply_with_a_picture_needs_none_of_ours(world: World) -> None:
    """Its thread's own was deleted."""
    first = await world.made()
    query = "UPDATE pictures SET deleted_at = '2026-11-20T12:00:00.000000Z'"
    await world.database.write(lambda db: db.execute(query).rowcount)
    turn_id = await world.reply("like this", TS, first.turn_id, attachments=attach(world, mine=drawn()))
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert len(world.renderer.jobs[-1].input_pictures) == 1


async def test_an_edit_while_files_are_fetched_brings_those_of_the_edit(world: World) -> None:
    first = await world.made()
    before, after = attach(world, before=drawn()), attach(world, after=drawn(32, 32))
    world.gates.shut("fetch:before")
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=before)
    await world.gates.reached("fetch:before")
    await world.intake.revise(TEAM, DESIGN, TS, "rather this", Options(), after)
    world.gates.open("fetch:before")
    await world.rest()
    assert world.renderer.prompts()[-1] == "rather this"
    assert await brought(world, turn_id) == [(InputRole.REFERENCE, "after.png")]
    assert len(world.renderer.jobs) == 2
    assert kept(world) == {each.sha256 for each in await world.log.inputs(turn_id)}


async def test_an_edit_that_takes_the_files_away_sends_none(world: World) -> None:
    first = await world.made()
    world.gates.shut("fetch:sofa")
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=attach(world, sofa=drawn()))
    await world.gates.reached("fetch:sofa")
    await world.intake.revise(TEAM, DESIGN, TS, "rather not", Options())
    world.gates.open("fetch:sofa")
    await world.rest()
    assert world.renderer.jobs[-1].input_pictures == ()
    assert world.slack.inputs[turn_id] == []


async def test_an_edit_that_takes_away_what_was_brought_sends_none_of_it(make_world: MakeWorld) -> None:
    """It waits for money meanwhile."""
    hold = await hold_of(make_world())
    world = make_world(caps(channel=2 * hold))
    world.gates.shut("render:a room")
    other = message("a room", "1763650000.000009", "1763650000.000009", user=BOB, surface=Surface.MENTION)
    await world.ask(replace(other, channel_id="C0PAINT001"))
    await world.gates.reached("render:a room")
    asked = message("a sofa", TS, TS, surface=Surface.MENTION)
    asked = replace(asked, channel_id="C0PAINT001", attachments=attach(world, sofa=drawn()))
    turn_id = await world.ask(asked)
    while not await world.log.inputs(turn_id):
        await turns_of_the_loop(1)
    await turns_of_the_loop()
    await world.intake.revise(TEAM, "C0PAINT001", TS, "no sofa", Options())
    world.gates.open("render:a room")
    await world.rest()
    assert world.renderer.prompts() == ["a room", "no sofa"]
    assert world.renderer.jobs[-1].input_pictures == ()
    assert world.slack.inputs[turn_id] == []
    assert await world.log.inputs(turn_id) == ()
    assert kept(world) == set()


async def test_taking_back_while_files_are_fetched_buys_nothing(world: World) -> None:
    first = await world.made()
    world.gates.shut("fetch:sofa")
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=attach(world, sofa=drawn()))
    await world.gates.reached("fetch:sofa")
    await world.intake.take_back(TEAM, DESIGN, TS)
    world.gates.open("fetch:sofa")
    await world.rest()
    assert await world.outcome(turn_id) == "taken_back"
    assert len(world.renderer.jobs) == 1
    assert kept(world) == set()


@pytest.mark.parametrize("answer", [failed(FailureKind.MODERATION), said("Which sofa?")])
async def test_what_went_along_with_what_came_to_nothing_does_not_stay(world: World, answer: Answer) -> None:
    """Else a disk is filled with files of which nobody has anything, for nothing."""
    first = await world.made()
    world.renderer.scripts["use this"] = [answer]
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=attach(world, sofa=drawn()))
    await world.rest()
    assert len(world.renderer.jobs[-1].input_pictures) == 1
    assert await world.log.inputs(turn_id) == ()
    assert kept(world) == set()


async def test_what_may_yet_be_made_in_our_direct_message_keeps_what_goes_along(world: World) -> None:
    made = await world.reply(
        "use this", TS, (await world.made()).turn_id, attachments=attach(world, sofa=drawn())
    )
    await world.rest()
    world.delivery.no_place = NOT_A_MEMBER
    asked = message("again", "1763650000.000007", "1763650000.000001", surface=Surface.BUTTON)
    turn_id = await world.ask(replace(asked, message_ts=None, fresh=True, inputs_from=made))
    await world.rest()
    assert await world.outcome(turn_id) == "not_in_channel"
    assert len(await world.log.inputs(turn_id)) == 1


async def test_what_a_fault_keeps_out_of_the_books_does_not_stay_on_the_disk(world: World) -> None:
    class Full(SqliteTurnStore):
        async def bring(
            self, turn_id: str, revision: int, inputs: Sequence[TurnInput], at: datetime
        ) -> tuple[TurnInput, ...]:
            raise ZeroDivisionError

    world.store = Full(world.database)
    world.start()
    root = message("a room", TS, TS, surface=Surface.MENTION)
    turn_id = await world.ask(replace(root, attachments=attach(world, sofa=drawn())))
    await world.rest()
    assert await world.outcome(turn_id) == "broken"
    assert kept(world) == set()


async def test_a_stop_while_files_are_fetched_leaves_nothing_and_fetches_again(world: World) -> None:
    first = await world.made()
    world.gates.shut("fetch:sofa")
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=attach(world, sofa=drawn()))
    await world.gates.reached("fetch:sofa")
    await world.restart()
    assert left_behind(world) == []
    world.gates.open("fetch:sofa")
    await world.recover()
    await world.rest()
    assert await brought(world, turn_id) == [(InputRole.REFERENCE, "sofa.png")]
    assert world.attachments.fetched == ["sofa", "sofa"]


async def test_what_was_brought_is_not_fetched_again_after_a_stop(world: World) -> None:
    first = await world.made()
    turn_id = await world.reply("use this", TS, first.turn_id, attachments=attach(world, sofa=drawn()))
    world.gates.shut("render:use this")
    await world.gates.reached("render:use this")
    await world.restart()
    world.gates.open("render:use this")
    world.renderer.asks = [painted(world.renderer.jobs[-1], "resp_2")]
    await world.recover()
    await world.rest()
    assert world.attachments.fetched == ["sofa"]
    assert world.slack.inputs[turn_id] == [("reference", "sofa.png")]


async def test_the_inputs_of_an_earlier_turn_are_used_again_without_being_fetched(world: World) -> None:
    root = message("a room", TS, TS, surface=Surface.MENTION)
    turn_id = await world.ask(replace(root, attachments=attach(world, sofa=drawn())))
    await world.rest()
    again = await world.reply(
        "a room", "1763650000.000005", turn_id, surface=Surface.BUTTON, fresh=True, inputs_from=turn_id
    )
    await world.rest()
    assert world.attachments.fetched == ["sofa"]
    assert world.renderer.jobs[-1].input_pictures == world.renderer.jobs[0].input_pictures
    assert await brought(world, again) == [(InputRole.REFERENCE, "sofa.png")]


async def test_inputs_that_no_longer_fit_with_a_parent_are_refused(world: World) -> None:
    """Sixteen went along with a first picture; with a parent that is one too many."""
    first = await world.made()
    root = message("a room", TS, TS, surface=Surface.MENTION)
    full = await world.ask(replace(root, attachments=attach(world, **{f"f{n}": drawn() for n in range(16)})))
    await world.rest()
    assert await world.outcome(full) == "pictures"
    again = await world.reply(
        "again",
        "1763650000.000005",
        first.turn_id,
        surface=Surface.BUTTON,
        chosen_id=first.id,
        inputs_from=full,
    )
    await world.rest()
    assert await world.outcome(again) == "too_many_files"


async def test_the_files_of_few_turns_are_on_their_way_at_once(make_world: MakeWorld) -> None:
    """However many people send their fifty megabytes."""
    world = make_world(per_person=9, overall=32)
    world.gates.shut("fetch")
    for number in range(bringing.AT_ONCE_MAX + 3):
        ts = f"17636500{number:02}.000001"
        asked = message("use this", ts, ts, user=f"U0{number}", surface=Surface.MENTION)
        await world.ask(replace(asked, attachments=attach(world, sofa=drawn())))
    await turns_of_the_loop(200)
    assert len(left_behind(world)) == bringing.AT_ONCE_MAX
    world.gates.open("fetch")
    await world.rest()
    assert len(world.renderer.jobs) == bringing.AT_ONCE_MAX + 3


async def test_files_are_made_ready_one_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many turns want it at once: what decoding takes of memory is bounded."""
    busy, most, lock = 0, 0, threading.Lock()
    true_prepare = inputs.prepare

    def watched(path: Path, begin: Callable[[], Any], name: str) -> Prepared:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return true_prepare(path, begin, name)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(bringing, "prepare", watched)
    files = attach(world, sofa=drawn(600, 600), lamp=drawn(500, 500))
    for number in range(6):
        moment = f"176365000{number}.000001"
        asked = message("a room", moment, moment, user=f"U{number}", surface=Surface.MENTION)
        await world.ask(replace(asked, attachments=files))
    await world.rest()
    assert most == 1
    assert len(world.renderer.jobs) == 6


async def test_a_stop_waits_for_the_thread_that_is_at_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are not pulled away from under it."""
    started, go_on, found = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def slow(path: Path, begin: Callable[[], Any], name: str) -> Prepared:
        loop.call_soon_threadsafe(started.set)
        go_on.wait(10)
        found.append(path.exists())
        raise RuntimeError(name)

    monkeypatch.setattr(bringing, "prepare", slow)
    asked = message("a room", TS, TS, surface=Surface.MENTION)
    await world.ask(replace(asked, attachments=attach(world, sofa=drawn())))
    await started.wait()
    stopping = asyncio.create_task(world.worker.aclose(0))
    await turns_of_the_loop()
    assert not stopping.done()
    go_on.set()
    await stopping
    assert found == [True]
    assert left_behind(world) == []
    monkeypatch.undo()
    world.start()
    await world.recover()


async def test_somebody_elses_turn_is_not_held_up_by_a_slow_file(world: World) -> None:
    world.gates.shut("fetch:sofa")
    asked = message("a room", TS, TS, surface=Surface.MENTION)
    await world.ask(replace(asked, attachments=attach(world, sofa=drawn())))
    await world.gates.reached("fetch:sofa")
    other = await world.imagine("a fox", user=BOB)
    await turns_of_the_loop()
    assert await world.outcome(other) == "pictures"
    world.gates.open("fetch:sofa")
    await world.rest()
