"""Every reason has its sentence, with what happened and what to do next."""

from __future__ import annotations

import pytest

from darkroom.turns.endings import Ending, FileProblem, Outcome, Reason
from handlers.options import FLAGS, VALUED
from handlers.words import Hearer, Voice, admins_only, more_money, usage
from handlers.words_endings import rest_of, say
from sandbox.slack import words as slack
from tests.examples import ALICE, DESIGN

VOICE = Voice("/imagine", "/spend", "U0DARKROOM", (), "UTC")
OURS = Voice("/paint", "/costs", "U0DARKROOM", (ALICE,), "UTC")
HEARER = Hearer(DESIGN, user_id=ALICE)
DETAILS: dict[Reason, dict[str, str | int]] = {
    Reason.WORDS: {"words": "Which <fox>? <!channel>"},
    Reason.NO_MONEY: {
        "budget": "person",
        "cap_nano_usd": 10_000_000_000,
        "charged_nano_usd": 9_900_000_000,
        "held_nano_usd": 50_000_000,
        "needed_nano_usd": 80_000_000,
        "renews_at": "2026-12-01T00:00:00+00:00",
        "timezone": "UTC",
        "period": "month",
    },
    Reason.CANNOT_POST: {"slack_error": "is_archived"},
    Reason.NOT_ALLOWED: {"dimension": "quality", "value": "high", "allowed": "low, medium"},
    Reason.QUEUE_FULL: {"waiting": 500},
    Reason.MODEL_UNUSABLE: {"why": "The model x has no price."},
    Reason.MODERATION: {"stage": "input", "categories": "violence"},
    Reason.UNCERTAIN: {"held_nano_usd": 80_000_000},
    Reason.BAD_FILE: {"file": "cat.heic <!channel>", "why": "heic"},
    Reason.TOO_MANY_FILES: {"files": 17, "allowed": 15},
    Reason.EDIT_OR_NEW: {"picture_id": "picture_1", "version": 3},
    Reason.UNDONE: {"picture_id": "picture_1", "version": 2, "undone": 3},
    Reason.NOTHING_TO_UNDO: {"version": 1},
    Reason.API_CLOSED: {"trouble": "key", "message": "insufficient <quota>"},
    Reason.CALLED_OFF: {"by": ALICE},
    **{
        reason: {"message": "insufficient <quota>"}
        for reason in (
            Reason.QUOTA,
            Reason.KEY,
            Reason.REGION,
            Reason.NO_ACCESS,
            Reason.API_REFUSED,
            Reason.API_FAILED,
        )
    },
}
NEXT = {
    Reason.PICTURES: "Reply there",
    Reason.WORDS: "Which",
    Reason.NOTHING_TO_SAY: "send it again",
    Reason.NO_MONEY: "ask an admin",
    Reason.PAUSED: "Ask again later",
    Reason.BLOCKED: "Ask an admin",
    Reason.NOT_IN_PILOT: "ask an admin",
    Reason.NOT_ALLOWED: "Allowed here: low, medium (`--quality`)",
    Reason.NOTHING_TO_EDIT: "/imagine",
    Reason.NOT_IN_CHANNEL: "/invite",
    Reason.CANNOT_POST: "Ask in another channel",
    Reason.GUEST: "can ask for you",
    Reason.OUTSIDER: "Ask somebody",
    Reason.QUEUE_FULL: "Try again",
    Reason.MODEL_UNUSABLE: "--model",
    Reason.MODERATION: "other words",
    Reason.QUOTA: "Tell an admin",
    Reason.KEY: "Tell an admin",
    Reason.NO_ACCESS: "Tell an admin",
    Reason.RATE: "Try again",
    Reason.REGION: "Tell an admin",
    Reason.API_CLOSED: "Ask again later, or ask an admin",
    Reason.UNREACHABLE: "Try again",
    Reason.API_REFUSED: "other words",
    Reason.API_FAILED: "Try again",
    Reason.NO_PICTURE: "send it again",
    Reason.BAD_PICTURE: "Try again",
    Reason.UNCERTAIN: "ask again",
    Reason.TAKEN_BACK: "Send it again",
    Reason.CALLED_OFF: "Send it again",
    Reason.TOO_OLD: "Try again",
    Reason.REMOVED: "send your request again",
    Reason.BROKEN: "Try again",
    Reason.BAD_FILE: "screenshot",
    Reason.TOO_MANY_FILES: "Attach fewer",
    Reason.PICTURE_GONE: "describe a whole picture",
    Reason.EDIT_OR_NEW: "change your last picture (v3), or make a new one",
    Reason.UNDONE: "the next change builds on it",
    Reason.NOTHING_TO_UNDO: "“Edit this one”",
    Reason.VERSIONS: "listed",
}
PROBLEMS = {
    FileProblem.NOT_A_PICTURE: "Attach a PNG",
    FileProblem.HEIC: "Most Compatible",
    FileProblem.SVG: "Export it as PNG",
    FileProblem.UNKNOWN_KIND: "Save it as PNG",
    FileProblem.BROKEN: "save it anew",
    FileProblem.EMPTY: "Attach it again",
    FileProblem.TOO_MANY_BYTES: "50 MB",
    FileProblem.TOO_MANY_PIXELS: "Scale it down",
    FileProblem.ELSEWHERE: "attach the file itself",
    FileProblem.NO_ACCESS: "in our direct message",
    FileProblem.UNREACHABLE: "Try again",
}


def ending(reason: Reason) -> Ending:
    return Ending(Outcome.FAILED, reason, DETAILS.get(reason, {}))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_says_what_to_do_next(reason: Reason) -> None:
    text = say(ending(reason), VOICE, HEARER)
    assert NEXT[reason] in text
    assert "oops" not in text.lower()
    assert len(text) <= 4_000
    assert slack.broadcasts(text) == set()
    assert slack.mentions(text) <= {VOICE.bot_user_id}


def test_where_only_what_reads_messages_is_refused_it_says_how_pictures_are_still_asked_for() -> None:
    """Another image model would not help: `--model` is not proposed."""
    text = say(Ending(Outcome.FAILED, Reason.NO_ACCESS, {"concerns": "host"}), VOICE, HEARER)
    assert "such as “make it night”, or type `/imagine`" in text
    assert "--model" not in text


@pytest.mark.parametrize("reason", list(Reason))
def test_a_sentence_whose_details_are_missing_still_comes(reason: Reason) -> None:
    """A turn from an older version must not break the telling; only the date of a cap is always there."""
    details = {"renews_at": "2026-12-01T00:00:00+00:00"} if reason is Reason.NO_MONEY else {}
    text = say(Ending(Outcome.FAILED, reason, details), VOICE, HEARER)
    assert text != "" or reason is Reason.WORDS


def test_over_the_cap_the_person_reads_what_is_left_and_when_it_renews_and_whom_to_ask() -> None:
    text = say(ending(Reason.NO_MONEY), OURS, HEARER)
    for fact in ("up to $0.08", "$0.05 left of $10.00 this month", "$0.05 more is held", f"<@{ALICE}>"):
        assert fact in text
    assert "It renews on 1 December 2026, 00:00 (UTC)" in text
    assert "A smaller size" in text


def test_where_nothing_is_left_no_cheaper_picture_is_suggested() -> None:
    details = {**DETAILS[Reason.NO_MONEY], "left_nano_usd": 0}
    assert "smaller" not in say(Ending(Outcome.DECLINED, Reason.NO_MONEY, details), OURS, HEARER)


@pytest.mark.parametrize("reason", [Reason.QUOTA, Reason.API_CLOSED])
def test_only_admins_of_the_settings_read_the_apis_own_words(reason: Reason) -> None:
    """Escaped, like everything foreign."""
    assert "insufficient" not in say(ending(reason), VOICE, HEARER)
    assert "insufficient &lt;quota&gt;" in say(ending(reason), VOICE, Hearer(DESIGN, admin=True))


@pytest.mark.parametrize(
    ("trouble", "why", "todo"),
    [
        ("quota", "the OpenAI account has no money left", "OpenAI's billing page"),
        ("key", "OpenAI does not accept Darkroom's key", "OPENAI_API_KEY"),
        ("region", "OpenAI does not serve the place", "country or region"),
        ("of a newer version", "OpenAI cannot be used at the moment", ""),
    ],
)
def test_while_the_api_is_closed_everybody_reads_why_and_admins_how_to_mend_it(
    trouble: str, why: str, todo: str
) -> None:
    closed = Ending(Outcome.DECLINED, Reason.API_CLOSED, {"trouble": trouble})
    text, told = say(closed, OURS, HEARER), say(closed, OURS, Hearer(DESIGN, admin=True))
    assert text.startswith(f"Nothing was made and nothing was charged: {why}")
    assert "What was asked before keeps its place, and I go on by myself" in text
    assert "For you as an admin" not in text
    assert ("For you as an admin" in told) == bool(todo)
    assert todo in told


@pytest.mark.parametrize("reason", [Reason.QUOTA, Reason.KEY, Reason.REGION])
def test_what_waited_in_vain_was_not_charged_and_admins_read_why_and_how_to_mend_it(reason: Reason) -> None:
    text = say(ending(reason), VOICE, Hearer(DESIGN, admin=True))
    assert "for as long as your request could wait, so nothing was made." in text
    assert "Nothing was charged." in text
    assert "insufficient &lt;quota&gt;" in text
    assert "For you as an admin: " in text


def test_whose_request_somebody_else_has_cancelled_reads_who_did() -> None:
    by_bob = Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": "U0BOB00001"})
    assert say(by_bob, VOICE, HEARER).startswith("<@U0BOB00001> cancelled your request: nothing was made")
    assert say(ending(Reason.CALLED_OFF), VOICE, HEARER).startswith("Your request was cancelled: nothing was")


def test_in_a_direct_message_between_others_an_invitation_would_not_help() -> None:
    text = say(ending(Reason.NOT_IN_CHANNEL), VOICE, Hearer("D0ALICEBOB"))
    assert "/invite" not in text
    assert "our own direct message" in text


def test_moderation_says_at_which_stage() -> None:
    after = Ending(Outcome.BLOCKED, Reason.MODERATION, {"stage": "output"})
    assert "did not accept this request" in say(ending(Reason.MODERATION), VOICE, HEARER)
    assert "violence" in say(ending(Reason.MODERATION), VOICE, HEARER)
    assert "stopped the finished picture" in say(after, VOICE, HEARER)


@pytest.mark.parametrize(("categories", "named"), [("other", ""), ("", ""), ("violence, other", "violence")])
def test_moderation_names_no_category_that_says_nothing(categories: str, named: str) -> None:
    said = say(Ending(Outcome.BLOCKED, Reason.MODERATION, {"categories": categories}), VOICE, HEARER)
    assert (f" (it names: {named})" if named else "was made. Describe") in said
    assert "other)" not in said


def test_commands_go_by_the_names_of_the_settings() -> None:
    assert "/paint a red fox" in usage(OURS)
    assert "/costs" in admins_only(OURS)


def test_an_admin_is_not_sent_to_themselves_for_more_money() -> None:
    assert more_money(OURS, "U0BOB00001") == f"More money: ask <@{ALICE}>."
    assert "`/costs help` says how to give it" in more_money(OURS, ALICE)


@pytest.mark.parametrize("problem", list(FileProblem))
def test_every_file_that_cannot_go_along_is_named_with_the_way_out(problem: FileProblem) -> None:
    details: dict[str, str | int] = {"file": "a <b>.png", "why": problem}
    text = say(Ending(Outcome.DECLINED, Reason.BAD_FILE, details), VOICE, HEARER)
    assert text.startswith("Nothing was made and nothing was charged, because “a &lt;b&gt;.png”")
    assert PROBLEMS[problem] in text
    assert slack.mentions(text) <= {VOICE.bot_user_id}


def test_where_a_thread_has_no_picture_there_is_nothing_to_go_back_from() -> None:
    empty = Ending(Outcome.DECLINED, Reason.NOTHING_TO_UNDO, {"version": 0})
    assert "has no picture yet" in say(empty, VOICE, HEARER)


@pytest.mark.parametrize(
    ("made", "wanted", "begins"),
    [
        (2, 3, "2 of 3 pictures came, in the thread. The other one did not: "),
        (1, 4, "1 of 4 pictures came, in the thread. The other 3 did not: "),
    ],
)
def test_why_some_pictures_are_missing_is_said_with_that_reasons_sentence(
    made: int, wanted: int, begins: str
) -> None:
    """Which does not go on to say that nothing was made."""
    details = {**DETAILS[Reason.NO_MONEY], "made": made, "wanted": wanted, "rest": "no_money"}
    said = rest_of(Ending(Outcome.PICTURES, Reason.PICTURES, details), VOICE, HEARER)
    assert said is not None
    assert said.startswith(begins)
    assert "$0.05 left of $10.00" in said
    assert "Nothing was made" not in said


@pytest.mark.parametrize(
    ("wanted", "ends"), [(3, "Nothing was charged for it."), (4, "Nothing was charged for them.")]
)
def test_what_was_not_charged_is_what_did_not_come(wanted: int, ends: str) -> None:
    details: dict[str, str | int] = {"made": 2, "wanted": wanted, "rest": "moderation"}
    said = rest_of(Ending(Outcome.PICTURES, Reason.PICTURES, details), VOICE, HEARER)
    assert said is not None
    assert said.endswith(ends)


def test_too_little_money_never_reads_like_enough() -> None:
    """Rounded to cents both amounts would be $0.07."""
    details = {**DETAILS[Reason.NO_MONEY], "needed_nano_usd": 73_900_000, "left_nano_usd": 73_000_000}
    said = say(Ending(Outcome.DECLINED, Reason.NO_MONEY, details), VOICE, HEARER)
    assert "up to $0.07, and you have a little less than that left of $10.00" in said


@pytest.mark.parametrize(
    "details", [{}, {"made": 1}, {"made": 1, "wanted": 2, "rest": "of an older version"}]
)
def test_where_all_pictures_came_nothing_is_explained(details: dict[str, str | int]) -> None:
    assert rest_of(Ending(Outcome.PICTURES, Reason.PICTURES, details), VOICE, HEARER) is None


def test_the_usage_names_every_option_and_fits_a_screen() -> None:
    """``--transparent`` and ``--public`` are other words for what it names."""
    text = usage(OURS)
    for name in {*VALUED, *FLAGS} - {"transparent", "public"}:
        assert f"--{name}" in text
    for word in ("undo", "versions", "mask", "Attach", "attached"):
        assert word.lower() in text.lower()
    assert len(text) < 1_500
    assert text.count("\n") < 12


def test_who_has_filled_their_own_part_of_the_line_is_told_so() -> None:
    full = Ending(Outcome.DECLINED, Reason.QUEUE_FULL, {"waiting": 50, "own": 1})
    assert say(full, VOICE, Hearer("C1")).startswith("You have 50 requests waiting already")


def test_some_pictures_that_came_before_the_app_was_removed_are_not_called_none() -> None:
    some = Ending(Outcome.PICTURES, Reason.PICTURES, {"wanted": 3, "made": 1, "rest": "removed"})
    said = rest_of(some, VOICE, HEARER) or ""
    assert said.startswith("1 of 3 pictures came, in the thread. The other 2 did not: Darkroom was taken out")
    assert "othing" not in said
