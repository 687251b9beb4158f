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
    shared_id: str | None = None,
) -> View:
    """*pictures* by version, the newest ``ROWS_MAX`` of them; *names* of people by their ids, plain, so that
    nobody is notified. The next change builds on *current_id*; *shared_id* is the first of them where it
    opened the thread by being shared."""
    if not pictures:
        return View(NO_PICTURES, (section(NO_PICTURES),))
    listed = pictures[-ROWS_MAX:]
    spent = format_usd(sum(picture.charged_nano_usd for picture in pictures))
    left_out = _left_out(pictures, shared_id)
    older = left_out + len(pictures) - len(listed)
    counted_words = counted(len(pictures), "version", "versions")
    head = f"{counted_words}, {spent} in all" if left_out == 0 else f"The newest {counted_words}"
    blocks: list[Block] = [section(f"*{head}*")]
    spoken = [f"{head}."]
    for picture in listed:
        facts = _facts(picture, names, current=picture.id == current_id, shared=picture.id == shared_id)
        blocks.append(_row(picture, facts, thumbnails=thumbnails))
        told = ", ".join(facts)
        spoken.append(
            f"{told}: {shown(picture.prompt, SPOKEN_PROMPT_MAX)}." if picture.prompt else f"{told}."
        )
    if older > 0:
        more = f"{counted(older, 'older version is', 'older versions are')} not listed."
        blocks.append(context(more))
        spoken.append(more)
    return View(fitting(spoken, TEXT_MAX, "The rest stands in the list."), tuple(blocks))


def undone_view(target: Picture, undone: int, *, thumbnail: bool = True, here: bool = True) -> View:
    """The thread is back at *target*; the version *undone* stays where it is. What is not *here* but in
    another thread has a number that this one never showed, or shows of another picture."""
    back = f"v{target.version}" if here else "the picture that this thread began with"
    text = (
        f"Back to {back}: the next change builds on it. v{undone} stays above; “Edit this one” "
        "in its menu goes on from there."
    )
    return View(text, (_with_thumbnail(target, text) if thumbnail else section(text),))


def _left_out(pictures: Sequence[Picture], shared_id: str | None) -> int:
    """How many versions of the thread *pictures* leaves out: it has those after the shared one's, or all."""
    shared = pictures[0].version if pictures[0].id == shared_id else 0
    made = [picture for picture in pictures if picture.id != shared_id]
    return max(0, made[0].version - 1 - shared) if made else 0


def _facts(picture: Picture, names: Mapping[str, str], *, current: bool, shared: bool) -> list[str]:
    who = shown(names.get(picture.user_id, "Somebody"), NAME_MAX)
    facts = [version_words(picture), who, format_usd(picture.charged_nano_usd)]
    if shared:
        facts.append("shared here")
    if picture.deleted_at is not None:
        facts.append("deleted")
    if current:
        facts.append("the next change builds on this one")
    return facts


def _row(picture: Picture, said: Sequence[str], *, thumbnails: bool) -> Block:
    version, *facts = said
    text = " · ".join([f"*{version}*", *facts])
    if picture.deleted_at is not None:
        return section(text)
    if picture.prompt.strip():
        text = f"{text}\n{shown(picture.prompt, PROMPT_MAX)}"
    return _with_thumbnail(picture, text) if thumbnails else section(text)


def _with_thumbnail(picture: Picture, text: str) -> Block:
    if picture.file_id is None or picture.deleted_at is not None:
        return section(text)
    return {**section(text), "accessory": image_element(picture, picture.file_id)}
