"""A thread's pictures, listed: what each was made from, by whom, for how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from darkroom.spending.money import format_usd
from darkroom.turns.model import Picture
from handlers.blocks.picture import image_element, version_words
from handlers.blocks.tables import fitting
from handlers.blocks.text import (
    BLOCKS_MAX,
    NAME_MAX,
    TEXT_MAX,
    Block,
    View,
    context,
    counted,
    section,
    shown,
)

ROWS_MAX = BLOCKS_MAX - 2
"""Pictures in one list: Slack takes 50 blocks, of which two are the heading and what is left out."""
PROMPT_MAX = 100
SPOKEN_PROMPT_MAX = 60
NO_PICTURES = "This thread has no picture yet. Describe one, and it becomes v1."


def versions_view(
    pictures: Sequence[Picture],
    names: Mapping[str, str],
    current_id: str | None,
    *,
    thumbnails: bool = True,
) -> View:
    """*pictures* by version, the newest ``ROWS_MAX`` of them; *names* of people by their ids, plain, so that
    nobody is notified. The next change builds on *current_id*."""
    if not pictures:
        return View(NO_PICTURES, (section(NO_PICTURES),))
    listed = pictures[-ROWS_MAX:]
    spent = format_usd(sum(picture.charged_nano_usd for picture in pictures))
    older = pictures[0].version - 1 + len(pictures) - len(listed)
    counted_words = counted(len(pictures), "version", "versions")
    head = f"{counted_words}, {spent} in all" if pictures[0].version == 1 else f"The newest {counted_words}"
    blocks: list[Block] = [section(f"*{head}*")]
    spoken = [f"{head}."]
    for picture in listed:
        current = picture.id == current_id
        blocks.append(_row(picture, names, current=current, thumbnails=thumbnails))
        facts = ", ".join(_facts(picture, names, current=current))
        spoken.append(
            f"{facts}: {shown(picture.prompt, SPOKEN_PROMPT_MAX)}." if picture.prompt else f"{facts}."
        )
    if older > 0:
        more = f"{counted(older, 'older version is', 'older versions are')} not listed."
        blocks.append(context(more))
        spoken.append(more)
    return View(fitting(spoken, TEXT_MAX, "The rest stands in the list."), tuple(blocks))


def undone_view(target: Picture, undone: int, *, thumbnail: bool = True) -> View:
    """The thread is back at *target*; the version *undone* stays where it is."""
    text = (
        f"Back to v{target.version}: the next change builds on it. v{undone} stays above; “Edit this one” "
        "in its menu goes on from there."
    )
    return View(text, (_with_thumbnail(target, text) if thumbnail else section(text),))


def _facts(picture: Picture, names: Mapping[str, str], *, current: bool) -> list[str]:
    who = shown(names.get(picture.user_id, "Somebody"), NAME_MAX)
    facts = [version_words(picture), who, format_usd(picture.charged_nano_usd)]
    if picture.deleted_at is not None:
        facts.append("deleted")
    if current:
        facts.append("the next change builds on this one")
    return facts


def _row(picture: Picture, names: Mapping[str, str], *, current: bool, thumbnails: bool) -> Block:
    version, *facts = _facts(picture, names, current=current)
    text = " · ".join([f"*{version}*", *facts])
    if picture.deleted_at is not None or not picture.prompt:
        return section(text)
    text = f"{text}\n{shown(picture.prompt, PROMPT_MAX)}"
    return _with_thumbnail(picture, text) if thumbnails else section(text)


def _with_thumbnail(picture: Picture, text: str) -> Block:
    if picture.file_id is None or picture.deleted_at is not None:
        return section(text)
    return {**section(text), "accessory": image_element(picture, picture.file_id)}
