"""Files that people attach, of every bad kind: handled or refused in a clear sentence, and nothing bought."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.app import Overrides
from bot.cli.world import start_world
from sandbox.images.api import ImageApi
from sandbox.slack.bad_downloads import How
from sandbox.slack.workspace import Workspace
from tests.memory import peak_kb
from tests.scenarios.bot_process import Bot
from tests.scenarios.flat import FlatPainter
from tests.scenarios.hostile_files import HEIC, HTML, SVG, half_a_jpeg, moving_gif, vast_png, zipped
from tests.scenarios.pictures import png
from tests.scenarios.story import HurriedClock, Ledger, Town, close_town, open_town

REFUSED: list[tuple[str, bytes, str | None, tuple[str, ...]]] = [
    ("vast.png", vast_png(), None, ("too many pixels", "Scale it down")),
    ("archive.png", zipped(), "image/png", ("not a picture", "PNG, JPEG, WebP or GIF")),
    ("page.png", HTML, "image/png", ("not a picture",)),
    ("page.html", HTML, "text/html", ("not a picture",)),
    ("half.jpg", half_a_jpeg(), None, ("cannot be read to its end", "save it anew")),
    ("nothing.png", b"", "image/png", ("it is empty", "Attach it again")),
    ("drawing.svg", SVG, None, ("SVG", "Export it as PNG")),
    ("drawing.png", SVG, "image/png", ("SVG", "Export it as PNG")),
    ("photo.heic", HEIC, None, ("HEIC", "Most Compatible")),
    ("photo.jpg", HEIC, "image/jpeg", ("HEIC", "Most Compatible")),
]
"""Name, bytes, what Slack says it is (None: what it is), and words of the answer."""

BROKEN: list[tuple[How, dict[str, Any], tuple[str, ...]]] = [
    ("redirect", {}, ("not kept by Slack", "attach the file itself")),
    ("loop", {"times": 1_000}, ("not kept by Slack",)),
    ("login", {"times": 3}, ("Slack does not let me read it", "direct message")),
    ("truncated", {"times": 3}, ("did not give it out in time", "Try again in a minute")),
    ("endless", {}, ("larger than 50 MB",)),
]
"""What goes wrong with the download, and words of the answer."""


@pytest.fixture
async def hurried(tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which waiting is quick."""
    town = await open_town(tmp_path / "data", Overrides(clock=HurriedClock()))
    yield town
    await close_town(town)


def _bought_nothing(town: Town, turns: int) -> None:
    """No call, no hold, no bytes, and every turn declined."""
    assert town.calls == []
    assert town.ledger.charged() == 0
    assert {outcome for outcome, _ in town.ledger.turns()} == {"declined"}
    assert len(town.ledger.turns()) == turns
    assert town.ledger.attempts() == []
    town.ledger.holds_nothing()
    assert [path for path in (town.ledger.data_dir / "pictures").rglob("*") if path.is_file()] == []


async def test_what_is_no_picture_is_refused_in_a_sentence_that_names_it_and_the_way_out(
    hurried: Town,
) -> None:
    for name, data, claimed, words in REFUSED:
        file = await hurried.workspace.upload(hurried.alice.id, name, data, claimed)
        await hurried.alice.mentions("make this one blue", files=(file.id,))
        await hurried.alice.is_told(f"“{name}”", "nothing was charged", *words)
    await hurried.rests()
    _bought_nothing(hurried, len(REFUSED))
    assert len({m.ts for m in hurried.messages() if m.user == hurried.workspace.bot_user_id}) == 0


async def test_the_same_in_the_dialog_and_in_our_direct_message(hurried: Town) -> None:
    file = await hurried.workspace.upload(hurried.alice.id, "page.png", HTML, "image/png")
    await hurried.alice.uses("new_picture_shortcut")
    view = await hurried.alice.dialog("new_picture")
    await hurried.alice.submits(
        view, {"prompt": "make it blue", "references": [file.id], "channel": "design"}
    )
    await hurried.alice.is_told("“page.png”", "not a picture")
    await hurried.bob.shares("make this one blue", {"half.jpg": half_a_jpeg()}, "")
    await hurried.bob.is_told("“half.jpg”", "cannot be read to its end")
    await hurried.rests()
    _bought_nothing(hurried, 2)


@pytest.mark.proof
async def test_a_download_that_goes_wrong_is_refused_and_the_token_goes_nowhere_else(hurried: Town) -> None:
    workspace = hurried.workspace
    for how, more, words in BROKEN:
        name = f"{how}.png"
        file = await workspace.upload(hurried.alice.id, name, png())
        workspace.break_downloads(how, file_id=file.id, **more)
        await hurried.alice.mentions("make this one blue", files=(file.id,))
        await hurried.alice.is_told(f"“{name}”", *words)
        workspace.bad_downloads.clear()
    await hurried.rests()
    _bought_nothing(hurried, len(BROKEN))
    assert [record for record in workspace.downloads if record.stranger] == []


async def test_a_download_that_is_moved_slow_or_once_cut_still_arrives(hurried: Town) -> None:
    ways: tuple[How, ...] = ("moved", "slow", "truncated")
    for how in ways:
        file = await hurried.workspace.upload(hurried.alice.id, f"{how}.png", png())
        hurried.workspace.break_downloads(how, file_id=file.id, pause_s=0.001)
        thread = await hurried.alice.mentions("make this one blue", files=(file.id,))
        assert "1 reference picture" in (await thread.version(1)).line
    await hurried.rests()
    assert {call.asked.pictures for call in hurried.calls} == {(file.sha256,)}


async def test_of_what_moves_the_first_frame_goes_along(hurried: Town) -> None:
    file = await hurried.workspace.upload(hurried.alice.id, "cat.gif", moving_gif())
    thread = await hurried.alice.mentions("make this one blue", files=(file.id,))
    await thread.version(1)
    await hurried.rests()
    (sent,) = hurried.calls[0].asked.pictures
    (kept,) = (hurried.ledger.data_dir / "pictures").glob(f"*/{sent}.*")
    with Image.open(io.BytesIO(kept.read_bytes())) as image:
        assert image.size == (40, 30)
        assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
        assert getattr(image, "n_frames", 1) == 1


async def test_a_picture_from_another_workspace_is_asked_for_by_its_id(hurried: Town) -> None:
    photo = png(50, 40)
    shared = await hurried.olaf.shares("our logo", {"logo.png": photo}, "partners")
    assert hurried.workspace.files[shared.files[0]].shown_as_stub
    thread = await hurried.thread_of(shared.ts, "partners")
    await hurried.alice.replies(thread, f"<@{hurried.workspace.bot_user_id}> make this one blue")
    assert "1 reference picture" in (await thread.version(1)).line
    page = await hurried.olaf.shares("our page", {"page.html": HTML}, "partners")
    await hurried.alice.uses("edit_with_darkroom", page)
    view = await hurried.alice.dialog("edit_picture")
    await hurried.alice.submits(view, {"prompt": "make it red"})
    await hurried.alice.is_told("not a picture")
    await hurried.rests()
    assert [call.asked.pictures for call in hurried.calls] == [
        (hurried.workspace.files[shared.files[0]].sha256,)
    ]
    hurried.ledger.holds_nothing()


async def test_sixteen_pictures_go_along_and_seventeen_do_not(hurried: Town) -> None:
    photos = {f"{number}.png": png(32, 32, (number, 0, 0)) for number in range(17)}
    us = f"<@{hurried.workspace.bot_user_id}>"
    await hurried.alice.shares(f"{us} make a poster of these", photos)
    await hurried.alice.is_told("17 pictures are attached", "at most 16", "Attach fewer")
    await hurried.rests()
    _bought_nothing(hurried, 1)
    del photos["16.png"]
    shared = await hurried.alice.shares(f"{us} make a poster of these", photos)
    thread = await hurried.thread_of(shared.ts)
    assert "16 reference pictures" in (await thread.version(1)).line
    await hurried.rests()
    assert len(set(hurried.calls[0].asked.pictures)) == 16
    await hurried.alice.replies_with(thread, "and with these", photos)
    await hurried.alice.is_told("16 pictures are attached", "at most 15")
    await hurried.rests()
    assert len(hurried.calls) == 1


async def test_one_bad_file_among_good_ones_stops_all_and_a_new_try_without_it_works(hurried: Town) -> None:
    us = f"<@{hurried.workspace.bot_user_id}>"
    files = {"good.png": png(), "bad.jpg": half_a_jpeg()}
    await hurried.alice.shares(f"{us} make a poster of these", files)
    await hurried.alice.is_told("“bad.jpg”", "nothing was charged")
    await hurried.rests()
    _bought_nothing(hurried, 1)
    shared = await hurried.alice.shares(f"{us} make a poster of these", {"good.png": png()})
    await (await hurried.thread_of(shared.ts)).version(1)
    await hurried.rests()


GROWTH_MB = 520
"""What the process of the whole bot may grow by at its worst moment, one picture of 40 megapixels with
transparency; 426 were measured, and 771 when several threads made pictures ready."""
FLOOD = 6


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_hostile_files_take_bounded_memory_of_the_whole_bot(tmp_path: Path) -> None:
    """Measured as the most that a process of its own ever held, beyond what it held when it was ready."""
    workspace, images = Workspace(file_processing_s=0.0), ImageApi(paint=FlatPainter())
    world = await start_world(workspace, images)
    bot = await Bot.start(world, tmp_path / "data", caps__person_usd="none", queue__per_person=8)
    try:
        thread_ts = (await workspace.post("alice", "design", f"<@{workspace.bot_user_id}> a red fox")).ts
        await bot.rests(world)
        before = peak_kb(bot.process.pid)
        allowed = vast_png(8_000, 5_000, depth=8, colours=6)
        bombs = [vast_png(depth=8, colours=2), vast_png(60_000, 60_000), zipped(), allowed]
        for number in range(FLOOD):
            for name, data in [(f"{number}-{at}.png", data) for at, data in enumerate(bombs)]:
                await workspace.share(
                    "alice", "design", f"<@{workspace.bot_user_id}> make this blue", {name: data}
                )
        endless = await workspace.upload("alice", "endless.png", png(512, 512))
        workspace.break_downloads("endless", file_id=endless.id, times=3)
        await workspace.post("alice", "design", "and this", thread_ts=thread_ts, files=(endless.id,))
        await bot.rests(world)
        grown = (peak_kb(bot.process.pid) - before) // 1024
    finally:
        await bot.killed()
        await world.close()
        await workspace.close()
    ledger = Ledger(tmp_path / "data")
    reasons = [reason for _, reason in ledger.turns()]
    assert reasons.count("bad_file") == 3 * FLOOD + 1
    assert reasons.count("pictures") == FLOOD + 1
    ledger.holds_nothing()
    assert grown < GROWTH_MB, grown
