"""The message that stands in the channel while a picture is being made, and what becomes of it."""

from __future__ import annotations

from darkroom.spending.money import format_usd
from handlers.blocks.text import NAME_MAX, View, context, section, shown

PROMPT_MAX = 1_500


def working(name: str, prompt: str, at_most_nano_usd: int) -> View:
    """Taken in: who asked (*name* is escaped here and notifies nobody), for what, and its highest price."""
    who, what, price = shown(name, NAME_MAX), shown(prompt, PROMPT_MAX), format_usd(at_most_nano_usd)
    return View(
        text=f"{who} asked Darkroom for a picture: {what}. Working on it; it costs at most {price}.",
        blocks=(
            section(f"*{who}* asked for a picture:\n{what}"),
            context(f"Working on it · at most {price}"),
        ),
    )


def done(name: str, prompt: str, version: int, cost_nano_usd: int, link: str | None) -> View:
    """The picture is in the thread; *link* leads to it (None where Slack gave no link)."""
    who, what, price = shown(name, NAME_MAX), shown(prompt, PROMPT_MAX), format_usd(cost_nano_usd)
    label = f"v{version}"
    linked = f"<{link}|{label} is in the thread>" if link else f"{label} is in the thread"
    return View(
        text=f"{who} asked Darkroom for a picture: {what}. Done: {linked}, {price}.",
        blocks=(
            section(f"*{who}* asked for a picture:\n{what}"),
            context(f"Done · {linked} · {price}"),
        ),
    )


def answered(name: str, prompt: str) -> View:
    """There is no picture: the answer in the thread is in words."""
    who, what = shown(name, NAME_MAX), shown(prompt, PROMPT_MAX)
    return View(
        text=f"{who} asked Darkroom for a picture: {what}. Answered in words, in the thread.",
        blocks=(
            section(f"*{who}* asked for a picture:\n{what}"),
            context("Answered in words, in the thread"),
        ),
    )
