"""Findings as a table for people and as data for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from bot.doctor.finding import Finding, Grade
from bot.settings import Settings

_STYLES = {Grade.PASS: "green", Grade.WARN: "yellow", Grade.FAIL: "bold red", Grade.SKIP: "dim"}
_SECRET = re.compile(r"\b(xox[a-z]-|xapp-|xoxe\.|sk-|Bearer\s+)[\w*.-]{3,}")


def without_secrets(findings: Sequence[Finding], settings: Settings | None) -> list[Finding]:
    """The same with every secret of the settings, and everything that looks like one, taken out: what others
    answer may repeat what they were sent."""
    known = _values(settings)

    def clean(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "…")
        return _SECRET.sub(r"\1…", text)

    return [replace(each, said=clean(each.said), remedy=clean(each.remedy)) for each in findings]


def _values(settings: Settings | None) -> list[str]:
    if settings is None:
        return []
    secrets = (
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
        settings.openai_api_key,
        settings.openai_admin_key,
    )
    # One or two letters would be found in every sentence; no secret has so few.
    return [value for each in secrets if each is not None and len(value := each.get_secret_value()) > 5]


def as_data(findings: Sequence[Finding]) -> dict[str, Any]:
    """What ``--json`` prints."""
    counts = Counter(each.grade for each in findings)
    return {
        "findings": [
            {"check": each.check, "grade": each.grade.value, "said": each.said, "remedy": each.remedy}
            for each in findings
        ],
        "summary": {grade.value: counts[grade] for grade in Grade},
    }


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print the table, and under it what to do first."""
    table = Table(Column("Check", no_wrap=True), Column("", no_wrap=True), "What was found, and what to do")
    for each in findings:
        said = Text(each.said)
        if each.remedy:
            said.append(f"\n→ {each.remedy}", style="bold")
        table.add_row(Text(each.check), Text(each.grade.value, style=_STYLES[each.grade]), said)
    console.print(table)
    console.print(Text(_summary(findings)))


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(each.grade for each in findings)
    told = ", ".join(f"{counts[grade]} {grade.value}" for grade in Grade if counts[grade])
    if counts[Grade.FAIL]:
        first = next(each for each in findings if each.grade is Grade.FAIL)
        return f"{told}. Begin with {first.check}."
    return f"{told}. Nothing stands in the way."
