"""Every view, within Slack's limits and calling nobody, for prompts of any length in any script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.money import format_usd
from darkroom.spending.periods import Period, PeriodKind
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, InputRole, PassedOver, Picture, TurnInput
from darkroom.turns.outages import Trouble
from darkroom.turns.pricing import Quote
from darkroom.turns.waiting import Wait, WaitFor
from handlers.blocks import placeholder
from handlers.blocks.answers import answer_view, rest_view
from handlers.blocks.details import CLASS_NAMES, details_view
from handlers.blocks.dialogs import again_dialog, delete_dialog, higher_dialog, variations_dialog
from handlers.blocks.passed_over import notes_of
from handlers.blocks.picture import Setting, Shown, alt_text, pictures_view
from handlers.blocks.prices import left_tag, limit_tag, price_tag
from handlers.blocks.text import TEXT_MAX, Block, View
from handlers.blocks.versions import undone_view, versions_view
from handlers.words import Hearer, Voice
from handlers.words_endings import say
from handlers.words_waiting import wait_words
from sandbox.slack import words as slack
from sandbox.slack.blocks import check_blocks
from tests.examples import ALICE, BOB, NOON, command, picture, turn
from tests.handlers.gallery import attempt
from tests.handlers.support import USD, USUAL

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


STOPPED = Ending(Outcome.BLOCKED, Reason.MODERATION, {"categories": "violence, " * 200})
SOME = Ending(Outcome.PICTURES, Reason.PICTURES, {"wanted": 2, "made": 1, "rest": "moderation"})
VOICE, HEARER = Voice("/imagine", "/spend", "U0DARKROOM", (), "UTC"), Hearer("C0DESIGN01")
LONGEST_WAIT = wait_words(Wait(WaitFor.API, 12_345, Trouble.QUOTA, NOON + timedelta(hours=90)), NOON)


def passed(model: str, number: int) -> Attempt:
    """The call that made ``changed(model, number)``, after five others that could not be."""
    others = [PassedOver(f"{model}{one}", "images", "access") for one in range(5)]
    return attempt(f"attempt_{number}", image_model=model, passed_over=tuple(others))


def balance(charged: float, held: float, cap: float | None, kind: BudgetKind = BudgetKind.PERSON) -> Balance:
    return Balance(
        kind, NOVEMBER, int(charged * USD), int(held * USD), None if cap is None else int(cap * USD)
    )


def long(script: str, length: int) -> str:
    sample = SCRIPTS[script]
    return (sample * (length // len(sample) + 1))[:length]


def changed(text: str, number: int = 3) -> Picture:
    return picture(
        id=f"picture_{number}",
        attempt_id=f"attempt_{number}",
        version=number,
        parent_id="picture_2",
        parent_version=2,
        prompt=text,
        revised_prompt=text,
        image_model=text,
        background="transparent",
        charged_nano_usd=1_234_567_890_123,
    )


def setting(name: str = "Alice", **changes: Any) -> Setting:
    return replace(Setting(name, frozenset({USUAL}), 250_000_000), **changes)


def mask(covers_ppm: int) -> TurnInput:
    return TurnInput(InputRole.MASK, "0" * 64, "png", 1024, 1024, 3, "mask.png", covers_ppm)


REFERENCE = TurnInput(InputRole.REFERENCE, "0" * 64, "png", 1024, 1024, 3, "cat.png")
PRICE = Quote(1_234_567_890_123, 2_345_678_901_234, USUAL, "high")
NO_PRICE = Quote(900_000, 5_300_000, USUAL, "low")
VIEWS: dict[str, Callable[[str], View]] = {
    "working": lambda text: placeholder.working(text, text, 80_000_000),
    "working on four": lambda text: placeholder.working(text, text, 80_000_000, 4),
    "waiting": lambda text: placeholder.waiting(turn(command(text)), text, 80_000_000, LONGEST_WAIT),
    "waits": lambda text: placeholder.waits(turn(command(text)), 80_000_000, LONGEST_WAIT),
    "stopped by moderation": lambda text: answer_view(
        turn(command(text)), STOPPED, say(STOPPED, VOICE, HEARER)
    ),
    "some stopped": lambda text: rest_view(turn(command(text), ending=SOME), say(STOPPED, VOICE, HEARER)),
    "made by another model": lambda text: pictures_view(
        [Shown(changed(text, number), f"F0PICTURE{number}") for number in range(3, 7)],
        setting(text, passed_over=notes_of([passed(text, number) for number in range(3, 7)], None)),
    ),
    "done": lambda text: placeholder.done(text, text, (1, 4), 53_000_000, "https://slack.example/p1?a=1&b=2"),
    "answered": lambda text: placeholder.answered(text, text),
    "picture": lambda text: pictures_view([Shown(changed(text), "F0PICTURE1")], setting(text)),
    "four pictures": lambda text: pictures_view(
        [Shown(changed(text, number), f"F0PICTURE{number}") for number in range(3, 7)],
        setting(text, inputs=[REFERENCE] * 15 + [mask(123_456)]),
    ),
    "versions": lambda text: versions_view(
        [replace(changed(text, number), file_id=f"F0PICT{number:04d}") for number in range(101, 152)],
        {ALICE: text},
        "picture_151",
    ),
    "undone": lambda text: undone_view(replace(changed(text), file_id="F0PICTURE1"), 4),
    "details": lambda text: details_view(
        picture(prompt=text, revised_prompt=text), EVERY_CLASS, balance(1, 0, 10), "Europe/Zurich"
    ),
}
DIALOGS: dict[str, Callable[[str], Block]] = {
    "again": lambda text: again_dialog(changed(text), PRICE, "{}"),
    "variations": lambda text: variations_dialog(
        changed(text, 12_345), dict.fromkeys(range(1, 5), PRICE), "{}"
    ),
    "higher": lambda text: higher_dialog(
        replace(changed(text, 12_345), quality=text), {"medium": NO_PRICE, "high": PRICE}, "{}"
    ),
    "delete": lambda text: delete_dialog(changed(text, 12_345), 7, "{}"),
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


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("name", DIALOGS)
def test_every_dialog_fits_every_prompt(name: str, script: str, length: int) -> None:
    dialog = DIALOGS[name](long(script, length))
    blocks = [dict(block) for block in dialog["blocks"]]
    assert check_blocks(blocks, surface="modal", file_refused=lambda _: True) == []
    for part in ("title", "submit", "close"):
        assert 0 < len(dialog[part]["text"]) <= 24
    for kind, text in slack.texts_of(blocks):
        assert kind != "mrkdwn" or (slack.broadcasts(text), slack.mentions(text)) == (set(), set())


def test_the_placeholder_says_who_what_and_at_most_how_much() -> None:
    """And mentions nobody, not even who asked."""
    view = placeholder.working("Alice", "a red fox", 80_000_000)
    assert view.text == (
        "Alice asked Darkroom for a picture: a red fox. Working on it; it costs at most $0.08."
    )
    assert slack.mentions(str(view)) == set()


def test_the_placeholder_of_several_pictures_says_what_they_cost_together() -> None:
    view = placeholder.working("Alice", "a red fox", 240_000_000, 3)
    assert "asked Darkroom for 3 pictures: a red fox" in view.text
    assert "together they cost at most $0.24" in view.text


def test_a_done_placeholder_links_its_pictures() -> None:
    view = placeholder.done("Alice", "a red fox", (1, 1), 53_000_000, "https://slack.example/p1")
    assert "Done: <https://slack.example/p1|v1 is in the thread>, $0.05." in view.text
    assert "v1 is in the thread" in placeholder.done("Alice", "a red fox", (1, 1), 53_000_000, None).text
    several = placeholder.done("Alice", "a red fox", (2, 4), 159_000_000, None, 3)
    assert "v2 to v4 are in the thread, $0.16" in several.text


def test_the_pictures_line_is_short_and_mentions_who_asked_once() -> None:
    view = pictures_view([Shown(picture(), "F0PICTURE1")], setting())
    image, line, buttons, feedback = view.blocks
    assert line["text"]["text"] == f"v1 · <@{ALICE}> · $0.05 · AI-generated"
    assert str(view).count(f"<@{ALICE}>") == 1
    assert image["slack_file"] == {"id": "F0PICTURE1"}
    assert image["alt_text"] == "AI-generated picture, version 1: a red fox in snow"
    again, variations, menu = buttons["elements"]
    assert (again["text"]["text"], again["value"]) == ("Again · 5¢", "picture_1")
    assert (variations["text"]["text"], variations["value"]) == ("Variations…", "picture_1")
    assert [option["text"]["text"] for option in menu["options"]] == [
        "Edit this one",
        "Higher quality…",
        "Share to channel…",
        "Details",
        "Delete…",
    ]
    assert menu["options"][4]["value"] == "delete:picture_1"
    thumbs = feedback["elements"][0]
    assert thumbs["positive_button"]["value"] == "accepted:picture_1"
    assert thumbs["negative_button"]["value"] == "rejected:picture_1"
    assert view.text == (
        "Version 1 for Alice: a red fox in snow. Cost $0.05, AI-generated. Below: Again for 5¢, Variations, "
        "a menu (Edit this one, Higher quality, Share to channel, Details, Delete), and whether you like it."
    )


def test_several_pictures_have_each_its_line_and_one_mention_together() -> None:
    pictures = [picture(id=f"p{n}", version=n, parent_id="p2", parent_version=2) for n in (3, 4, 5)]
    view = pictures_view([Shown(one, f"F0PICTURE{one.version}") for one in pictures], setting())
    assert [block["type"] for block in view.blocks] == ["image", "section", "actions", "context_actions"] * 3
    lines = [block["text"]["text"] for block in view.blocks if block["type"] == "section"]
    assert lines == [
        f"v3 from v2 · <@{ALICE}> · $0.05 · AI-generated",
        "v4 from v2 · $0.05 · AI-generated",
        "v5 from v2 · $0.05 · AI-generated",
    ]
    assert view.text.startswith(
        "Versions 3, 4 and 5, from version 2, for Alice: a red fox in snow. Version 3: cost $0.05, "
    )


def test_what_went_along_is_said_as_it_was_understood() -> None:
    made = picture(version=4, parent_id="p3", parent_version=3)
    view = pictures_view([Shown(made, None)], setting(inputs=[REFERENCE, REFERENCE, mask(123_456)]))
    assert view.blocks[0]["text"]["text"].endswith(
        "AI-generated · 2 reference pictures · Only the marked 12 % of v3"
    )
    assert "2 reference pictures. Only the marked 12 % of v3." in view.text


@pytest.mark.parametrize(("ppm", "said"), [(0, "less than 1 %"), (4_999, "less than 1 %"), (5_000, "1 %")])
def test_a_tiny_mask_is_never_said_to_be_nothing(ppm: int, said: str) -> None:
    view = pictures_view([Shown(picture(), None)], setting(inputs=[mask(ppm)]))
    assert f"Only the marked {said} of the picture" in view.text


@pytest.mark.parametrize(
    ("model", "background", "asked", "said"),
    [
        (USUAL, None, False, None),
        (USUAL, "opaque", False, None),
        ("gpt-image-2.5-flare", None, False, "gpt-image-2.5-flare"),
        (USUAL, "transparent", False, "transparent background"),
        ("gpt-image-2.5-flare", "transparent", False, "transparent background by gpt-image-2.5-flare"),
        ("gpt-image-2.5-flare", "transparent", True, "transparent background, gpt-image-2.5-flare"),
    ],
)
def test_an_unusual_model_is_named_and_why_it_was_used(
    model: str, background: str | None, asked: bool, said: str | None
) -> None:
    made = picture(image_model=model, background=background)
    view = pictures_view([Shown(made, None)], setting(model_asked=asked))
    facts = view.blocks[0]["text"]["text"].split(" · ")
    assert facts[4:] == ([said] if said else [])
    assert said is None or said[1:] in view.text


@pytest.mark.parametrize(("limit", "asks"), [(52_999_999, True), (53_000_000, False)])
def test_only_a_press_that_costs_more_than_the_limit_asks_first(limit: int, asks: bool) -> None:
    view = pictures_view([Shown(picture(), None)], setting(confirm_nano_usd=limit))
    again = view.blocks[1]["elements"][0]
    assert ("confirm" in again) is asks
    assert not asks or "likely costs 5¢" in again["confirm"]["text"]["text"]


def test_the_words_of_a_change_are_not_all_that_a_screen_reader_hears_of_its_picture() -> None:
    made = picture(version=2, parent_id="p1", parent_version=1, prompt="bluer", revised_prompt="A blue <fox>")
    assert alt_text(made) == (
        "AI-generated picture, version 2: bluer \u2013 in the model's words: A blue \u2039fox\u203a"
    )


@given(st.integers(0, 10**13))
def test_the_most_that_something_can_cost_is_never_said_lower_than_it_is(nano: int) -> None:
    """And less than a cent above it."""
    tag = limit_tag(nano)
    if tag == "under 1¢":
        assert nano < 10_000_000
        return
    number = tag.removesuffix("¢").removeprefix("$").replace(",", "")
    cents = int(number.replace(".", ""))
    assert tag.endswith("¢") == (cents < 100)
    assert 0 <= cents * 10_000_000 - nano < 10_000_000


@given(st.integers(10_000_000, 10**13))
def test_a_likely_price_on_a_button_is_the_one_that_stands_under_the_picture(nano: int) -> None:
    cents = price_tag(nano).removesuffix("¢").removeprefix("$").replace(",", "").replace(".", "")
    assert int(cents) == int(format_usd(nano).removeprefix("$").replace(",", "").replace(".", ""))


@pytest.mark.parametrize(
    ("nano", "tag"),
    [
        (0, "under 1¢"),
        (9_999_999, "under 1¢"),
        (10_000_000, "1¢"),
        (53_000_000, "5¢"),
        (995_000_000, "$1.00"),
        (1_200_000_000, "$1.20"),
        (1_234_560_000_000, "$1,234.56"),
    ],
)
def test_prices_on_buttons_are_short(nano: int, tag: str) -> None:
    assert price_tag(nano) == tag


def test_what_is_left_is_never_said_to_be_more_than_it_is() -> None:
    cases = {0: "nothing", 1: "under 1¢", 129_000_000: "12¢", 999_999_999: "99¢", 1_209_999_999: "$1.20"}
    assert {nano: left_tag(nano) for nano in cases} == cases


def test_versions_say_what_each_was_made_from_by_whom_for_how_much() -> None:
    listed = [
        picture(id="p1", file_id="F0PICTURE1"),
        picture(
            id="p2", version=2, parent_id="p1", parent_version=1, user_id=BOB, prompt="", deleted_at=NOON
        ),
        picture(id="p3", version=3, parent_id="p1", parent_version=1, prompt="bluer", file_id="F0PICTURE3"),
    ]
    view = versions_view(listed, {ALICE: "Alice", BOB: "Bob"}, "p1")
    head, first, second, third = view.blocks
    assert head["text"]["text"] == "*3 versions, $0.16 in all*"
    assert first["text"]["text"] == (
        "*v1* · Alice · $0.05 · the next change builds on this one\na red fox in snow"
    )
    assert first["accessory"]["slack_file"] == {"id": "F0PICTURE1"}
    assert second["text"]["text"] == "*v2 from v1* · Bob · $0.05 · deleted"
    assert "accessory" not in second
    assert third["text"]["text"] == "*v3 from v1* · Alice · $0.05\nbluer"
    assert "v2 from v1, Bob, $0.05, deleted." in view.text
    assert "<@" not in str(view)
    plain = versions_view(listed, {ALICE: "Alice", BOB: "Bob"}, "p1", thumbnails=False)
    assert all("accessory" not in block for block in plain.blocks)


def test_of_many_versions_the_newest_are_listed_and_the_others_counted() -> None:
    listed = [picture(id=f"p{n}", version=n) for n in range(101, 201)]
    view = versions_view(listed, {}, None)
    assert len(view.blocks) == 50
    assert view.blocks[0]["text"]["text"] == "*The newest 100 versions*"
    assert view.blocks[1]["text"]["text"].startswith("*v153*")
    assert view.blocks[-1]["elements"][0]["text"] == "152 older versions are not listed."


def test_what_was_shared_here_is_listed_as_that_and_counts_as_a_version_and_no_others_do() -> None:
    shared = picture(id="p2", version=2, channel_id="D0ALICE001")
    view = versions_view([shared, picture(id="p3", version=3)], {ALICE: "Alice"}, "p2", shared_id="p2")
    assert view.blocks[0]["text"]["text"] == "*2 versions, $0.11 in all*"
    assert view.blocks[1]["text"]["text"].startswith(
        "*v2* · Alice · $0.05 · shared here · the next change builds on this one"
    )
    assert "shared here" not in view.blocks[2]["text"]["text"]
    assert "not listed" not in view.text
    many = [shared, *(picture(id=f"p{n}", version=n) for n in range(101, 201))]
    assert "151 older versions are not listed." in versions_view(many, {}, None, shared_id="p2").text


def test_a_thread_without_pictures_says_so() -> None:
    assert "no picture yet" in versions_view([], {}, None).text


def test_deleting_says_what_goes_and_what_cannot_be_recalled() -> None:
    text = str(delete_dialog(picture(), 2, "{}"))
    for fact in (
        "its file in Slack",
        "OpenAI stores",
        "$0.05",
        "downloaded",
        "backups",
        "the 2 pictures made",
    ):
        assert fact in text
    assert "made from it" not in str(delete_dialog(picture(), 0, "{}"))


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


@pytest.mark.parametrize(
    ("parent", "version", "said"),
    [
        ("p1", 1, "Made from: v1."),
        ("p1", None, "Made from: a picture of another thread."),
        (None, None, None),
    ],
)
def test_details_say_what_it_was_made_from(parent: str | None, version: int | None, said: str | None) -> None:
    text = details_view(picture(parent_id=parent, parent_version=version), None, None, "UTC").text
    assert said in text if said else "Made from" not in text


def test_details_say_what_is_left_where_a_balance_is_given() -> None:
    assert "$8.50 left of $10.00" in details_view(picture(), None, balance(1, 0.5, 10), "UTC").text


def test_every_class_of_tokens_has_a_name() -> None:
    assert set(CLASS_NAMES) == set(TokenClass)
