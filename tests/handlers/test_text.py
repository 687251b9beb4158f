"""Text to and from Slack: nothing foreign mentions anybody, and cuts fall where they may."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.blocks.text import escape, isolate, plain, shown, truncate, when
from sandbox.slack import words as slack
from tests.examples import NOON

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@given(st.text())
def test_what_is_escaped_reads_the_same_and_calls_nobody(text: str) -> None:
    """Slack's own reading of it finds no mention and gives the text back."""
    assert slack.mentions(escape(text)) == set()
    assert slack.broadcasts(escape(text)) == set()
    assert plain(escape(text)) == text


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("<@U0BOB00001|bob> in snow", "@bob in snow"),
        ("<@U0BOB00001>", "@U0BOB00001"),
        ("like <#C0DESIGN01|design>", "like #design"),
        ("<!channel> <!here>", "@channel @here"),
        ("<!subteam^S0TEAM0001|@painters>", "@painters"),
        ("<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2"),
        ("<https://example.com|example.com>", "example.com"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_what_slack_sends_becomes_what_was_typed(sent: str, typed: str) -> None:
    assert plain(sent) == typed


@given(st.text(), st.integers(4, 60))
def test_a_cut_fits_and_does_not_split_what_belongs_together(text: str, limit: int) -> None:
    """Measured as Slack may: escaped, in UTF-16 units."""
    cut = truncate(text, limit)
    assert len(escape(cut).encode("utf-16-le", "surrogatepass")) // 2 <= limit
    if cut != text:
        kept = cut[:-1]
        assert text.startswith(kept)
        rest = text[len(kept) :]
        assert kept.strip() == "" or not rest or unicodedata.category(rest[0]) not in {"Mn", "Me"}


def test_an_emoji_made_of_several_is_kept_or_left_out_whole() -> None:
    assert truncate("ab" + FAMILY * 3, 14) == "ab" + FAMILY + "…"


def test_writing_from_right_to_left_does_not_reach_beyond_its_place() -> None:
    """Marks that would reorder the rest of the line are taken out, and the text is fenced in."""
    assert isolate("\u202eab\u2066c") == "abc"
    assert isolate("\u202e\u05d0\u05d1") == "\u2068\u05d0\u05d1\u2069"


def test_a_shown_prompt_is_one_escaped_line() -> None:
    assert shown("a <b>fox</b>\n\n in snow", 100) == "a &lt;b&gt;fox&lt;/b&gt; in snow"


def test_times_are_shown_where_the_caps_live() -> None:
    assert when(NOON, "Asia/Tokyo") == "20 November 2026, 21:00 (Asia/Tokyo)"
