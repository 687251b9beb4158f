"""Whose tokens Slack says were revoked, in whatever shape it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handlers.uninstalling import revokes

FIXTURE = Path(__file__).parents[1] / "fixtures" / "slack" / "payloads" / "tokens_revoked.json"


def test_the_recorded_event_names_bots_by_their_user_ids() -> None:
    event = json.loads(FIXTURE.read_text(encoding="utf-8"))["event"]
    assert revokes(event, "UXXXXXXXX")
    assert not revokes(event, "U0DARKROOM")


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        [],
        "U0DARKROOM",
        {},
        {"bot": None},
        {"bot": "U0DARKROOM"},
        {"bot": {"U0DARKROOM": 1}},
        {"bot": []},
        {"oauth": ["U0DARKROOM"]},
        {"oauth": ["U0DARKROOM"], "bot": ["U0OTHERBOT"]},
    ],
)
def test_what_does_not_name_our_bot_is_not_ours(tokens: Any) -> None:
    assert not revokes({"type": "tokens_revoked", "tokens": tokens}, "U0DARKROOM")


def test_ours_may_be_one_of_several() -> None:
    assert revokes({"tokens": {"oauth": [], "bot": ["U0OTHERBOT", "U0DARKROOM"]}}, "U0DARKROOM")
