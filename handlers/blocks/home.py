"""The Home tab: what is left, one's settings, one's last pictures, how it works, and for admins the team."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.spending.budgets import Balance
from darkroom.spending.money import format_usd
from darkroom.spending.reports import SpendReport
from darkroom.turns.conversations import Page, Preferences
from darkroom.turns.model import Picture
from handlers.blocks.buttons import actions, button
from handlers.blocks.picture import alt_text
from handlers.blocks.report import team_summary_view
from handlers.blocks.scopes import period_words
from handlers.blocks.spend import balance_sentence, bar, bar_words, left_words, renews
from handlers.blocks.text import Block, context, escape, moment, mrkdwn, section, shown

NEW_ACTION = "home_new_picture"
SIZE_ACTION, QUALITY_ACTION, PRIVATE_ACTION = "home_size", "home_quality", "home_private"
NEWER_ACTION, OLDER_ACTION = "home_newer", "home_older"
PAUSE_ACTION = "home_pause"
"""The ``action_id`` of both "Pause" and "Resume"; its value says which."""

USUAL = "usual"
"""The value of "as the settings say"."""
PAUSE, RESUME, PRIVATE = "pause", "resume", "private"
PAGE_SIZE = 6
TOP = 3
PROMPT_MAX = 300
_PAGE = "page"

PAUSED = "Darkroom is paused by an admin: nothing new is made until it is resumed."
PILOT = (
    "Darkroom is being tried out: you are not among the people who take part, so it makes pictures for you "
    "only in the channels that do."
)
UNKNOWN_PERSON = "Slack does not say who you are at the moment. Open this tab again in a minute."


def blocked_words(an_admin: str) -> str:
    """Somebody reads that they are blocked, and whom to ask."""
    return f"An admin has blocked you from making pictures. Ask {an_admin} about it."


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be preferred: sizes by their names, qualities, and what is used where nobody says anything."""

    sizes: Mapping[str, tuple[int, int]]
    qualities: Sequence[str]
    size: tuple[int, int]
    quality: str


@dataclass(frozen=True, slots=True)
class Team:
    """What admins see: everybody's spend, and whether nothing new is made."""

    report: SpendReport
    paused: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """What a person sees: their budget, ``others`` that stand in the way, why nothing can be made just now
    (``notices``, as ``mrkdwn``), what they prefer, a page of their pictures with a link to each one's message
    by the picture's id (where there is one), and for admins the team."""

    balance: Balance
    others: Sequence[Balance]
    notices: Sequence[str]
    preferences: Preferences
    choices: Choices
    page: Page
    links: Mapping[str, str]
    timezone: str
    imagine: str
    spend: str
    more_money: str
    team: Team | None = None


def home_view(mine: Mine, pictures: frozenset[str]) -> Block:
    """The tab's view; *pictures* are the ids of those that are shown, the others have their line alone."""
    blocks: list[Block] = [_heading("Darkroom"), *_left(mine), _new(), {"type": "divider"}]
    blocks += [_heading("Your settings"), *_settings(mine.preferences, mine.choices), {"type": "divider"}]
    blocks += [*_gallery(mine, pictures), {"type": "divider"}, *_how_to(mine)]
    if mine.team is not None:
        blocks += [{"type": "divider"}, *_team(mine.team, mine.spend)]
    return _home(blocks, mine.page.number)


def closed_view(sentence: str) -> Block:
    """The tab of somebody who may not use Darkroom: why, as ``mrkdwn``."""
    return _home([_heading("Darkroom"), section(sentence)], 0)


def page_of_view(view: Mapping[str, Any]) -> int:
    """Which page of pictures a view of ours shows; the first one for any other."""
    try:
        number = json.loads(str(view.get("private_metadata") or "{}")).get(_PAGE, 0)
    except (ValueError, AttributeError):
        return 0
    return number_of(str(number))


def number_of(value: str) -> int:
    """A page's number from the value of a button; the first page for anything else."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 7 else 0


def _home(blocks: list[Block], page: int) -> Block:
    return {"type": "home", "private_metadata": json.dumps({_PAGE: page}), "blocks": blocks}


def _heading(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _left(mine: Mine) -> list[Block]:
    balance = mine.balance
    period = period_words(balance.period.kind)
    if balance.cap_nano_usd is None:
        money = f"{bar_words(balance)} You have spent {format_usd(balance.charged_nano_usd)} {period}."
    else:
        money = f"{bar(balance)}\nLeft: {left_words(balance)}. Renews on {renews(balance.period)}."
    notes = [*(balance_sentence(other) for other in mine.others)]
    if balance.cap_nano_usd is not None:
        notes.append(mine.more_money)
    return [
        *(section(f":warning: {notice}") for notice in mine.notices),
        section(f"*What you have left {period}*\n{money}"),
        *(context(note) for note in notes),
    ]


def _new() -> Block:
    new = button(NEW_ACTION, "New picture", "home", label="Make a new picture", style="primary")
    return actions(new)


def _settings(wanted: Preferences, choices: Choices) -> list[Block]:
    size = None if wanted.width is None or wanted.height is None else (wanted.width, wanted.height)
    sizes = {_size(each): f"{name.capitalize()}, {_size(each)}" for name, each in choices.sizes.items()}
    if size is not None:
        sizes.setdefault(_size(size), _size(size))
    qualities = {each: each.capitalize() for each in (*choices.qualities, *filter(None, [wanted.quality]))}
    private = {
        "text": _plain("Private: make my new pictures in our direct message"),
        "description": _plain("From there, “Share to channel…” shows one to others."),
        "value": PRIVATE,
    }
    boxes: dict[str, Any] = {"type": "checkboxes", "action_id": PRIVATE_ACTION, "options": [private]}
    if wanted.private:
        boxes["initial_options"] = [private]
    return [
        context("Used where you say nothing else; saved as soon as you choose."),
        _select(SIZE_ACTION, "Size", sizes, size and _size(size), _size(choices.size)),
        _select(QUALITY_ACTION, "Quality", qualities, wanted.quality, choices.quality),
        # Slack keeps what was chosen in a block of the same id: what is stored has one of its own.
        {"type": "actions", "block_id": f"{PRIVATE_ACTION}:{wanted.private}", "elements": [boxes]},
    ]


def _select(action_id: str, name: str, values: Mapping[str, str], chosen: str | None, usual: str) -> Block:
    options = [
        {"text": _plain(text), "value": value}
        for value, text in {USUAL: f"As usual ({usual})", **values}.items()
    ]
    return {
        "type": "section",
        "block_id": f"{action_id}:{chosen or USUAL}",
        "text": mrkdwn(f"*{name}*"),
        "accessory": {
            "type": "static_select",
            "action_id": action_id,
            "placeholder": _plain(name),
            "options": options,
            "initial_option": next(each for each in options if each["value"] == (chosen or USUAL)),
        },
    }


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _gallery(mine: Mine, pictures: frozenset[str]) -> list[Block]:
    page = mine.page
    blocks: list[Block] = [_heading("Your pictures")]
    if not page.pictures:
        return [*blocks, section("None yet. What you make appears here, wherever you made it.")]
    zone = escape(mine.timezone)
    blocks.append(context(f"The newest first, page {page.number + 1:,} of {page.pages:,}; times in {zone}."))
    blocks += [_picture(each, mine, image=each.id in pictures) for each in page.pictures]
    turn = [
        *([_page_button(NEWER_ACTION, "Newer", page.number - 1)] if page.number > 0 else []),
        *([_page_button(OLDER_ACTION, "Older", page.number + 1)] if page.number + 1 < page.pages else []),
    ]
    return [*blocks, actions(*turn)] if turn else blocks


def _picture(picture: Picture, mine: Mine, *, image: bool) -> Block:
    facts = [
        f"*v{picture.version}*",
        format_usd(picture.charged_nano_usd),
        moment(picture.created_at, mine.timezone),
        *([f"<{link}|Open>"] if (link := mine.links.get(picture.id)) else []),
    ]
    text = " · ".join(facts)
    if picture.prompt.strip():
        text = f"{text}\n{shown(picture.prompt, PROMPT_MAX)}"
    if not image or picture.file_id is None:
        return section(text)
    accessory = {
        "type": "image",
        "slack_file": {"id": picture.file_id},
        "alt_text": alt_text(picture),
    }
    return {**section(text), "accessory": accessory}


def _page_button(action_id: str, text: str, page: int) -> Block:
    return button(action_id, text, str(page), label=f"{text} pictures, page {page + 1}")


def _how_to(mine: Mine) -> list[Block]:
    lines = [
        f"• `{mine.imagine} a red fox in snow` makes a picture; it arrives in a thread.",
        "• A reply in that thread changes it. Pictures that you attach go along; `undo` goes back one, "
        "`versions` lists them all.",
        "• Under each picture: Again, Variations, and a menu with more. The price stands there before "
        "you press.",
        "• In our direct message just write what you want. “Edit with Darkroom” in the menu of any message "
        "takes its pictures.",
        f"• `{mine.imagine} help` and `{mine.spend} help` say the rest.",
    ]
    return [_heading("How it works"), section("\n".join(lines))]


def _team(team: Team, spend: str) -> list[Block]:
    return [
        _heading("The team, for admins"),
        *team_summary_view(team.report, top=TOP).blocks,
        section(_state(team)),
        actions(_pause_button(team)),
        context(f"`{spend} help` lists what else admins can see and decide."),
    ]


def _state(team: Team) -> str:
    return "Darkroom is *paused*: nothing new is made." if team.paused else "Darkroom takes requests."


def _pause_button(team: Team) -> Block:
    if team.paused:
        what, value, why = "Resume", RESUME, "Requests are taken again, at once and from everybody."
    else:
        what, value = "Pause", PAUSE
        why = "Nothing new is made until somebody resumes it; pictures that are being made are finished."
    confirm = {
        "title": _plain(f"{what} Darkroom?"),
        "text": _plain(why),
        "confirm": _plain(what),
        "deny": _plain("Cancel"),
    }
    danger = {} if team.paused else {"style": "danger"}
    return button(
        PAUSE_ACTION, what, value, label=f"{what} Darkroom for everybody", confirm=confirm, **danger
    )
