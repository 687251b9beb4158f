"""Every view, within Slack's limits and calling nobody, for prompts of any length in any script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.periods import Period, PeriodKind
from handlers.blocks import placeholder
from handlers.blocks.details import CLASS_NAMES, details_view
from handlers.blocks.picture import picture_view
from handlers.blocks.text import TEXT_MAX, View
from sandbox.slack import words as slack
from sandbox.slack.blocks import check_blocks
from tests.examples import ALICE, picture
from tests.handlers.support import USD

SCRIPTS = {
    "latin": "fox & <!channel> ",
    "arabic": "\u062b\u0639\u0644\u0628 \u0623\u062d\u0645\u0631 ",
    "japanese": "\u8d64\u3044\u72d0",
    "emoji": "\U0001f98a\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "html": "<b>&amp;</b>",
    "marks": "e\u0301\u0302*_~`",
}
LENGTHS = (1, 3_000, 32_000)
NOVEMBER = Period(
    PeriodKind.month,
    "Europe/Zurich",
    datetime(2026, 10, 31, 23, tzinfo=UTC),
    datetime(2026, 11, 30, 23, tzinfo=UTC),
)
EVERY_CLASS = Cost(tuple(Line(one, 1_000_000, 12_345_678) for one in TokenClass), 12_345_678 * 9)


def balance(charged: float, held: float, cap: float | None, kind: BudgetKind = BudgetKind.PERSON) -> Balance:
    return Balance(
        kind, NOVEMBER, int(charged * USD), int(held * USD), None if cap is None else int(cap * USD)
    )


def long(script: str, length: int) -> str:
    sample = SCRIPTS[script]
    return (sample * (length // len(sample) + 1))[:length]


VIEWS: dict[str, Callable[[str], View]] = {
    "working": lambda text: placeholder.working(text, text, 80_000_000),
    "done": lambda text: placeholder.done(text[:80], text, 1, 53_000_000, "https://slack.example/p1"),
    "answered": lambda text: placeholder.answered(text[:80], text),
    "picture": lambda text: picture_view(
        picture(prompt=text, image_model=text),
        asker=text[:80],
        file_id="F0PICTURE1",
        show_model=True,
        files_unused=True,
    ),
    "details": lambda text: details_view(
        picture(prompt=text, revised_prompt=text), EVERY_CLASS, balance(1, 0, 10), "Europe/Zurich"
    ),
}


def check(view: View) -> None:
    """Slack would take it, and nobody but Alice is called."""
    assert 0 < len(view.text.encode("utf-16-le")) // 2 <= TEXT_MAX
    found = check_blocks(
        [dict(block) for block in view.blocks], surface="message", file_refused=lambda _: False
    )
    assert found == []
    texts = [view.text, *(text for kind, text in slack.texts_of(map(dict, view.blocks)) if kind == "mrkdwn")]
    for text in texts:
        assert slack.broadcasts(text) == set()
        assert slack.mentions(text) <= {ALICE}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_fits_every_prompt(name: str, script: str, length: int) -> None:
    check(VIEWS[name](long(script, length)))


def test_the_placeholder_says_who_what_and_at_most_how_much() -> None:
    """And mentions nobody, not even who asked."""
    view = placeholder.working("Alice", "a red fox", 80_000_000)
    assert view.text == (
        "Alice asked Darkroom for a picture: a red fox. Working on it; it costs at most $0.08."
    )
    assert slack.mentions(str(view)) == set()


def test_a_done_placeholder_links_its_picture() -> None:
    view = placeholder.done("Alice", "a red fox", 1, 53_000_000, "https://slack.example/p1")
    assert "Done: <https://slack.example/p1|v1 is in the thread>, $0.05." in view.text
    assert "v1 is in the thread" in placeholder.done("Alice", "a red fox", 1, 53_000_000, None).text


def test_the_pictures_line_is_short_and_mentions_who_asked_once() -> None:
    view = picture_view(picture(), asker="Alice", file_id="F0PICTURE1", show_model=False, files_unused=False)
    image, line, buttons = view.blocks
    assert line["text"]["text"] == f"v1 · <@{ALICE}> · $0.05 · AI-generated"
    assert str(view).count(f"<@{ALICE}>") == 1
    assert image["slack_file"] == {"id": "F0PICTURE1"}
    assert image["alt_text"] == "AI-generated picture, version 1: a red fox in snow"
    assert buttons["elements"][0]["value"] == "picture_1"
    assert view.text == (
        "Version 1 for Alice: a red fox in snow. Cost $0.05, AI-generated. "
        "The Details button shows how it was made."
    )


def test_an_unusual_model_and_unused_files_are_named() -> None:
    view = picture_view(
        picture(image_model="gpt-image-2.5-flare"),
        asker="Alice",
        file_id=None,
        show_model=True,
        files_unused=True,
    )
    assert "gpt-image-2.5-flare" in view.blocks[0]["text"]["text"]
    assert view.blocks[0]["text"]["text"].endswith("attached files were not used")
    assert "Attached files were not used." in view.text


def test_details_show_how_it_was_made_and_what_each_class_cost() -> None:
    cost = Cost((Line(TokenClass.image_output, 1_756, 52_680_000),), 52_680_000)
    text = details_view(picture(), cost, None, "UTC").text
    for fact in (
        "a red fox in snow",
        "A red fox stands in deep snow.",
        "gpt-image-2-2026-04-21",
        "responses",
        "1024x1024",
        "medium",
        "picture painted: 1,756 tokens, $0.05268",
        "12.3 s, 20 November 2026, 12:00 (UTC)",
    ):
        assert fact in text
    assert "left" not in text


def test_details_say_what_is_left_where_a_balance_is_given() -> None:
    assert "$8.50 left of $10.00" in details_view(picture(), None, balance(1, 0.5, 10), "UTC").text


def test_every_class_of_tokens_has_a_name() -> None:
    assert set(CLASS_NAMES) == set(TokenClass)
