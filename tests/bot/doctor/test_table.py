"""What is shown of findings: all of it, and never a secret."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bot.doctor.finding import fail, good, skip, warn
from bot.doctor.table import as_data, show, without_secrets
from bot.settings import plain_settings


def test_a_secret_that_looks_like_none_is_taken_out_too() -> None:
    settings = plain_settings({"slack_signing_secret": "correct horse", "openai_api_key": "our gateway's"})
    found = [fail("x", "it says: correct horse was sent", "Not our gateway's.")]
    [clean] = without_secrets(found, settings)
    assert (clean.said, clean.remedy) == ("it says: … was sent", "Not ….")


@pytest.mark.parametrize(
    "secret", ["xoxb-1-2-abc", "xapp-1-A0-abc", "sk-proj-abc", "xoxe.xoxb-1-abc", "Bearer abcdef"]
)
def test_whatever_looks_like_a_secret_is_taken_out_without_settings(secret: str) -> None:
    [clean] = without_secrets([fail("x", f"not {secret}, please", "")], None)
    assert secret not in clean.said
    assert clean.said.endswith("…, please")


def test_the_data_counts_every_grade() -> None:
    data = as_data([good("a", "well"), good("b", "well"), warn("c", "so so", "do"), skip("d", "why")])
    assert data["summary"] == {"pass": 2, "warn": 1, "fail": 0, "skip": 1}
    assert data["findings"][2] == {"check": "c", "grade": "warn", "said": "so so", "remedy": "do"}


def test_the_table_shows_words_as_they_stand_also_in_brackets() -> None:
    out = io.StringIO()
    show([warn("a", "[bold]said[/bold]", "write [slack]")], Console(file=out, width=100))
    assert "[bold]said[/bold]" in out.getvalue()
    assert "→ write [slack]" in out.getvalue()
    assert "Nothing stands in the way." in out.getvalue()
