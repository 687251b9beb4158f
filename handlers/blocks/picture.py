"""The one message that brings a turn's pictures, and what can be done with each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from darkroom.spending.money import format_usd
from darkroom.turns.model import InputRole, Picture, TurnInput, Verdict
from handlers.blocks.buttons import actions, button
from handlers.blocks.prices import confirm, price_tag
from handlers.blocks.text import (
    ALT_TEXT_MAX,
    NAME_MAX,
    Block,
    View,
    context,
    counted,
    mention,
    one_line,
    section,
    shown,
    truncate,
)

AGAIN_ACTION = "picture_again"
"""The ``action_id`` of a button; its value is the picture's id."""
VARIATIONS_ACTION = "picture_variations"
"""The same for the button that asks how many."""
DETAILS_ACTION = "picture_details"
"""The button under the pictures of before there was a menu; its value is the picture's id."""
MENU_ACTION = "picture_menu"
"""The menu; the value of what is chosen is a ``Choice``, a colon and the picture's id."""
FEEDBACK_ACTION = "picture_feedback"
"""Slack's feedback buttons; a value is a ``Verdict``, a colon and the picture's id."""

PROMPT_MAX = 2_200
_PPM = 1_000_000


class Choice(StrEnum):
    """What the menu under a picture offers."""

    EDIT = "edit"
    HIGHER = "higher"
    SHARE = "share"
    DETAILS = "details"
    DELETE = "delete"


CHOICES: Mapping[Choice, str] = {
    Choice.EDIT: "Edit this one",
    Choice.HIGHER: "Higher quality…",
    Choice.SHARE: "Share to channel…",
    Choice.DETAILS: "Details",
    Choice.DELETE: "Delete…",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture and its file in Slack; without one only its line and its buttons are shown."""

    picture: Picture
    file_id: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pictures of one message have in common.

    ``asker`` is a plain name for screen readers. ``usual_models`` need no mention; where a transparent
    background is why another was used, that is said, unless it was asked for by name (``model_asked``).
    ``inputs`` went along with the prompt. A press that likely costs over ``confirm_nano_usd`` asks first.
    ``passed_over`` says by the attempt that made a picture what would have come before, and why it did not
    (``mrkdwn``, a clause without a full stop).
    """

    asker: str
    usual_models: frozenset[str]
    confirm_nano_usd: int
    inputs: Sequence[TurnInput] = ()
    model_asked: bool = False
    passed_over: Mapping[str, str] = field(default_factory=dict)


def pictures_view(pictures: Sequence[Shown], setting: Setting) -> View:
    """A turn's pictures (1 to 4, in the order of their versions), each with its line and its buttons.

    The one mention of the asker is in the first line, so that Slack notifies them once.
    """
    blocks: list[Block] = []
    said = ""
    for index, one in enumerate(pictures):
        if one.file_id is not None:
            blocks.append(image_block(one.picture, one.file_id))
        facts = line_of(one.picture, setting, first=index == 0)
        blocks.append(section(" · ".join(facts)))
        note = setting.passed_over.get(one.picture.attempt_id, "")
        if note not in ("", said):
            # Once where it is the same for those that follow.
            blocks.append(context(_sentence(note)))
        said = note
        blocks += controls(one.picture, setting.confirm_nano_usd)
    return View(text=spoken([one.picture for one in pictures], setting), blocks=tuple(blocks))


def line_of(picture: Picture, setting: Setting, *, first: bool = True) -> list[str]:
    """What stands under a picture, as ``mrkdwn``; who asked and what went along only with the *first*."""
    facts = [version_words(picture)]
    if first:
        facts.append(mention(picture.user_id))
    facts += [format_usd(picture.charged_nano_usd), "AI-generated"]
    how = how_words(picture, setting)
    if how:
        facts.append(how)
    if first:
        facts += inputs_words(setting.inputs, picture.parent_version)
    return facts


def version_words(picture: Picture) -> str:
    """ "v3 from v2", or "v1"."""
    parent = picture.parent_version
    return f"v{picture.version}" if parent is None else f"v{picture.version} from v{parent}"


def how_words(picture: Picture, setting: Setting) -> str:
    """What is unusual about how *picture* was made (``mrkdwn``), or nothing."""
    told = picture.attempt_id in setting.passed_over
    unusual = picture.image_model not in setting.usual_models and not told
    model = shown(picture.image_model, 200)
    if picture.background != "transparent":
        return model if unusual else ""
    if not unusual:
        return "transparent background"
    return f"transparent background, {model}" if setting.model_asked else f"transparent background by {model}"


def inputs_words(inputs: Sequence[TurnInput], parent_version: int | None) -> list[str]:
    """What went along with the prompt, as it was understood: "2 reference pictures"."""
    said = []
    references = sum(one.role is InputRole.REFERENCE for one in inputs)
    if references:
        said.append(counted(references, "reference picture", "reference pictures"))
    for mask in inputs:
        if mask.role is InputRole.MASK:
            whose = "the picture" if parent_version is None else f"v{parent_version}"
            said.append(f"Only the marked {_share(mask.covers_ppm or 0)} of {whose}")
    return said


def _sentence(clause: str) -> str:
    """A clause as a sentence; a model's name stays as it is."""
    begins = clause.partition(" ")[0]
    return f"{begins.capitalize() if begins in ('the', 'transparent') else begins}{clause[len(begins) :]}."


def _share(ppm: int) -> str:
    percent = (200 * ppm + _PPM) // (2 * _PPM)
    return f"{percent} %" if percent else "less than 1 %"


def image_block(picture: Picture, file_id: str) -> Block:
    """The picture itself."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text(picture)}


def image_element(picture: Picture, file_id: str) -> Block:
    """The picture beside a line of a list, small; what it shows is said in that line."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": f"Version {picture.version}"}


def alt_text(picture: Picture) -> str:
    """What a screen reader says of the picture: plain text, at most 2,000 characters.

    The words of a change say little of what is seen: there the model's own words are added.
    """
    text = f"AI-generated picture, version {picture.version}"
    if picture.prompt.strip():
        text = f"{text}: {truncate(one_line(picture.prompt), 1_000)}"
    if picture.parent_id is not None and picture.revised_prompt:
        text = f"{text} – in the model's words: {one_line(picture.revised_prompt)}"  # noqa: RUF001 -- a dash
    # Plain text is not escaped, and brackets could pass for markup: typographic ones look the same.
    return truncate(text.replace("<", "\u2039").replace(">", "\u203a").replace("&", "+"), ALT_TEXT_MAX)


def spoken(pictures: Sequence[Picture], setting: Setting) -> str:
    """Everything the message says, in words."""
    first, several = pictures[0], len(pictures) > 1
    prompt, who = shown(first.prompt, PROMPT_MAX), shown(setting.asker, NAME_MAX)
    named = f"{_versions(pictures)} for {who}"
    parts = [f"{named}: {prompt}." if first.prompt.strip() else f"{named}."]
    for picture in pictures:
        named = f"Version {picture.version}: cost" if several else "Cost"
        parts.append(f"{named} {format_usd(picture.charged_nano_usd)}, AI-generated.")
        how = how_words(picture, setting)
        if how:
            parts.append(_sentence(how) if how.startswith("trans") else f"Model {how}.")
        note = setting.passed_over.get(picture.attempt_id, "")
        if note and _sentence(note) not in parts:
            parts.append(_sentence(note))
    parts += [f"{one}." for one in inputs_words(setting.inputs, first.parent_version)]
    choices = ", ".join(label.rstrip("…") for label in CHOICES.values())
    below = "Under each" if several else "Below"
    prices = "" if several else f" for {price_tag(first.charged_nano_usd)}"
    parts.append(f"{below}: Again{prices}, Variations, a menu ({choices}), and whether you like it.")
    return " ".join(parts)


def _versions(pictures: Sequence[Picture]) -> str:
    numbers = [str(picture.version) for picture in pictures]
    if len(numbers) == 1:
        named = f"Version {numbers[0]}"
    else:
        named = f"Versions {', '.join(numbers[:-1])} and {numbers[-1]}"
    parent = pictures[0].parent_version
    return named if parent is None else f"{named}, from version {parent},"


def controls(picture: Picture, confirm_nano_usd: int) -> tuple[Block, ...]:
    """The buttons under a picture; each says which picture it is about."""
    return _actions(picture, confirm_nano_usd), _feedback(picture)


def _actions(picture: Picture, confirm_nano_usd: int) -> Block:
    price = price_tag(picture.charged_nano_usd)
    more: dict[str, Any] = {}
    if picture.charged_nano_usd > confirm_nano_usd:
        text = f"Another picture like v{picture.version} likely costs {price}."
        more["confirm"] = confirm("Make it again?", text, "Make it")
    label = f"Make version {picture.version} again, likely for {price}"
    again = button(AGAIN_ACTION, f"Again · {price}", picture.id, label=label, **more)
    label = f"Variations of version {picture.version}: asks how many"
    variations = button(VARIATIONS_ACTION, "Variations…", picture.id, label=label)
    menu = {
        "type": "overflow",
        "action_id": MENU_ACTION,
        "options": [
            {"text": {"type": "plain_text", "text": label}, "value": f"{choice}:{picture.id}"}
            for choice, label in CHOICES.items()
        ],
    }
    return actions(again, variations, menu)


def _feedback(picture: Picture) -> Block:
    def thumb(label: str, verdict: Verdict) -> Mapping[str, Any]:
        return {
            "text": {"type": "plain_text", "text": label},
            "accessibility_label": f"{label}: version {picture.version}",
            "value": f"{verdict}:{picture.id}",
        }

    buttons = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ACTION,
        "positive_button": thumb("Good picture", Verdict.ACCEPTED),
        "negative_button": thumb("Not what I wanted", Verdict.REJECTED),
    }
    return {"type": "context_actions", "elements": [buttons]}
