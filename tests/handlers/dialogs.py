"""Dialogs as Slack would hold them: opened at a desk, filled in, sent off; with prices and people made up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.turns.conversations import Preferences
from darkroom.turns.endings import Ending
from darkroom.turns.model import Picture, Request
from darkroom.turns.pricing import Quote
from handlers.blocks import modal
from handlers.blocks.text import Block
from sandbox.slack import values, views
from sandbox.slack.workspace import Workspace
from tests.examples import ALICE, TEAM
from tests.handlers.support import Desk, fixture

CENT = 10_000_000
LENGTHS = (1, 3_000, 32_000)
SCRIPTS = {
    "latin": "fox & <!channel> ",
    "arabic": "\u062b\u0639\u0644\u0628 \u0623\u062d\u0645\u0631 ",
    "japanese": "\u8d64\u3044\u72d0",
    "emoji": "\U0001f98a\U0001f468\u200d\U0001f469\u200d\U0001f467",
}
STATES = {
    modal.PROMPT: (modal.PROMPT_INPUT, "plain_text_input", "value"),
    modal.CHANNEL: (modal.CHANNEL_ACTION, "conversations_select", "selected_conversation"),
    modal.FILES: (modal.FILES_INPUT, "file_input", "files"),
    modal.SIZE: (modal.SIZE_ACTION, "static_select", "selected_option"),
    modal.QUALITY: (modal.QUALITY_ACTION, "static_select", "selected_option"),
    modal.NUMBER: (modal.NUMBER_ACTION, "static_select", "selected_option"),
    modal.WHICH: (modal.WHICH_ACTION, "static_select", "selected_option"),
    modal.PRIVATE: (modal.PRIVATE_ACTION, "checkboxes", "selected_options"),
}
"""Of each input: its action, what it is, and under which key Slack sends what stands in it."""


@dataclass
class MadeUpPrices:
    """``Pricing``: 5 cents a picture and 9 at most, with 2 more for each file, or one answer for everything;
    it remembers the requests. While ``still`` is set, nothing is answered."""

    asked: list[Request] = field(default_factory=list)
    answer: Quote | Ending | None = None
    still: asyncio.Event | None = None
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until_asked(self, times: int) -> None:
        """Return when so many prices were asked for."""
        async with self.came:
            await self.came.wait_for(lambda: len(self.asked) >= times)

    async def quote(self, request: Request) -> Quote | Ending:
        """See ``Pricing``."""
        self.asked.append(request)
        async with self.came:
            self.came.notify_all()
        if self.still is not None:
            await self.still.wait()
        each = 21 if request.options.quality == "high" else 5
        n = request.wanted
        files = 2 * len(request.attachments)
        return self.answer or Quote(each * n * CENT, (each + 4 + files) * n * CENT, "gpt-image-2", "medium")


@dataclass
class MadeUpConversations:
    """As much of ``Conversations`` as a dialog reads."""

    prefers: Preferences = field(default_factory=Preferences)
    home: str | None = None
    pictures: list[Picture] = field(default_factory=list)

    async def preferences(self, team_id: str, user_id: str) -> Preferences:
        """See ``Conversations``."""
        return self.prefers

    async def private_channel(self, team_id: str, user_id: str) -> str | None:
        """See ``Conversations``."""
        return self.home

    async def pictures_of_message(self, team_id: str, channel_id: str, ts: str) -> list[Picture]:
        """See ``Conversations``."""
        return [one for one in self.pictures if one.channel_id == channel_id]


@dataclass
class Counter:
    """A desk with made up prices and people behind it."""

    desk: Desk
    prices: MadeUpPrices
    people: MadeUpConversations

    @classmethod
    def at(cls, desk: Desk) -> Counter:
        """Put them behind *desk*."""
        prices, people = MadeUpPrices(), MadeUpConversations()
        # The desk's services are frozen, and its surfaces hold them already.
        object.__setattr__(desk.services, "pricing", prices)
        object.__setattr__(desk.services, "conversations", people)
        return cls(desk, prices, people)

    @property
    def opened(self) -> Block:
        """The one dialog that was opened, which Slack would take."""
        view: Block = self.desk.slack.only("open_view").said["view"]
        check(view)
        return view

    @property
    def updated(self) -> Block:
        """What the dialog was last made to show, which Slack would take."""
        view: Block = self.desk.slack.named("update_view")[-1].said["view"]
        check(view)
        return view


def check(view: Block) -> None:
    """Slack would take this view."""
    views.checked(Workspace(), dict(view), kind="modal")
    assert len(view.get("private_metadata", "").encode("utf-16-le")) <= 2 * 3_000


def long(script: str, length: int) -> str:
    """So many characters of a script."""
    sample = SCRIPTS[script]
    return (sample * (length // len(sample) + 1))[:length]


def held(view: Block, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A view as Slack sends it, with what stands in its inputs: what they begin with, and *changes* by
    ``block_id``."""
    blocks = [{"block_id": f"b{index}", **block} for index, block in enumerate(view["blocks"])]
    state: dict[str, Any] = values.carried_over(blocks, {}, None)
    for block_id, given in changes.items():
        action_id, kind, key = STATES[block_id]
        value = _chosen(block_id, given)
        state.setdefault(block_id, {})[action_id] = {"type": kind, key: value}
    return {
        **fixture("view_submission")["view"],
        **view,
        "blocks": blocks,
        "state": {"values": state},
    }


def _chosen(block_id: str, given: Any) -> Any:
    if block_id in {modal.PROMPT, modal.CHANNEL, modal.FILES} or given is None:
        return given
    options = [{"text": {"type": "plain_text", "text": "?"}, "value": value} for value in _listed(given)]
    return options if block_id == modal.PRIVATE else options[0]


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def submission(view: Block, *, view_id: str = "V111", user: str = ALICE, **changes: Any) -> dict[str, Any]:
    """``view_submission`` of a view by Alice."""
    payload = fixture("view_submission")
    payload["user"] |= {"id": user, "team_id": TEAM}
    payload["team"] = {"id": TEAM, "domain": "team"}
    payload["view"] = {**held(view, changes), "id": view_id}
    return payload


def change(
    view: Block, action_id: str, *, ts: str = "1.1", view_id: str = "V111", **changes: Any
) -> dict[str, Any]:
    """``block_actions`` of a view: something was chosen in it."""
    payload = fixture("block_actions")
    for key in ("channel", "response_url"):
        payload.pop(key)
    payload |= {
        "user": {"id": ALICE, "team_id": TEAM},
        "team": {"id": TEAM},
        "container": {"type": "view", "view_id": view_id},
        "view": {**held(view, changes), "id": view_id, "hash": "1.old"},
    }
    payload["actions"] = [{"action_id": action_id, "block_id": "b", "type": "static_select", "action_ts": ts}]
    return payload


def words_of(view: Block) -> str:
    """Everything that the dialog says beside its inputs."""
    said = [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]
    for block in view["blocks"]:
        if block["type"] == "context":
            said += [element["text"] for element in block["elements"]]
    return "\n".join(said)


def element(view: Block, block_id: str) -> Mapping[str, Any]:
    """The input of that name."""
    found: Mapping[str, Any] = next(b["element"] for b in view["blocks"] if b.get("block_id") == block_id)
    return found


def offered(view: Block, block_id: str) -> list[str]:
    """The values that a menu offers."""
    return [option["value"] for option in element(view, block_id)["options"]]


def begins(view: Block, block_id: str) -> Any:
    """What stands in an input at first."""
    given = element(view, block_id)
    if "initial_option" in given:
        return given["initial_option"]["value"]
    if "initial_options" in given:
        return [option["value"] for option in given["initial_options"]]
    return given.get("initial_value", given.get("initial_conversation"))
