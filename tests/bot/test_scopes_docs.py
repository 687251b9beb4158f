"""docs/scopes.md says of each scope what the code says, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

from handlers.manifest import (
    APP_SCOPE,
    APP_SCOPE_REASON,
    EVENT_SCOPES,
    EVENTS,
    MESSAGE_EVENTS,
    MESSAGE_SCOPES,
    METHOD_SCOPES,
    SCOPE_REASONS,
    SCOPES,
)

PAGE = (Path(__file__).parents[2] / "docs" / "scopes.md").read_text()


def test_each_scope_has_one_line_which_is_the_codes() -> None:
    reasons = {**SCOPE_REASONS, APP_SCOPE: APP_SCOPE_REASON}
    rows = re.findall(r"^\| `([a-z_:]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(scope, reason.use, reason.without) for scope, reason in reasons.items()]


def test_every_scope_that_is_asked_for_has_its_reason_and_no_other_has() -> None:
    assert tuple(SCOPE_REASONS) == SCOPES


def test_the_numbers_are_counted() -> None:
    assert f"It asks for {len(SCOPES)} scopes of a bot" in PAGE
    assert f"asks for {len(SCOPES) - len(MESSAGE_SCOPES)} scopes: " in PAGE


def test_mentions_only_does_without_what_the_page_names() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("asks for"))
    named = set(re.findall(r"`([^`]+)`", line.partition("Slack then")[0]))
    assert named == {*MESSAGE_SCOPES, *MESSAGE_EVENTS}


def test_with_mentions_only_no_event_lacks_its_scope() -> None:
    left = set(SCOPES) - set(MESSAGE_SCOPES)
    for event in set(EVENTS) - set(MESSAGE_EVENTS):
        assert set(EVENT_SCOPES[event]) <= left, event
    for event in MESSAGE_EVENTS:
        assert not set(EVENT_SCOPES[event]) & left, event


def test_with_mentions_only_no_method_but_looking_lacks_a_scope() -> None:
    left = set(SCOPES) - set(MESSAGE_SCOPES)
    lacking = {method for method, scopes in METHOD_SCOPES.items() if scopes and not set(scopes) <= left}
    assert lacking == {"conversations.history", "conversations.replies"}


def test_what_the_page_says_is_not_asked_for_is_not() -> None:
    part = PAGE.partition("## What it does not ask for")[2].partition("##")[0]
    for line in part.splitlines():
        if line.startswith("- Not"):
            named = set(re.findall(r"`([a-z:.-]+)`", line.partition(": ")[0]))
            assert named
            assert not named & set(SCOPES), line
