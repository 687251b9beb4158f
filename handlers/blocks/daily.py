"""Spend per day, stacked: what the chart shows, whoever draws it, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from darkroom.spending.classes import HOST_CLASSES, TokenClass
from darkroom.spending.money import NANO_PER_USD, format_usd
from darkroom.spending.reports import SpendReport
from darkroom.spending.spans import day_words, first_and_last, span_words
from darkroom.spending.tables import share
from handlers.blocks.text import ALT_TEXT_MAX, Block, counted, truncate

DAYS_MAX = 400
"""More days than this are shown as months: a bar would be thinner than a pixel or two."""
CATEGORIES_MAX = 20
"""What Slack's chart block takes: categories a chart, characters a title."""
TITLE_MAX = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of the stack; ``name`` fits Slack's 20 characters."""

    name: str
    classes: tuple[TokenClass, ...]

    def of(self, charged: Mapping[TokenClass, int]) -> int:
        """This part of what was charged by class."""
        return sum(charged.get(name, 0) for name in self.classes)


PARTS = (
    Part("Image output", (TokenClass.image_output,)),
    Part("Image input", (TokenClass.image_input,)),
    Part("Cached image input", (TokenClass.cached_image_input,)),
    Part("Text input", (TokenClass.text_input,)),
    Part("Cached text input", (TokenClass.cached_text_input,)),
    Part("Host model", HOST_CLASSES),
)
"""The five classes of image tokens in the price list, from the bottom up; the host model's four as one."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar: the day (or the first day of the month) that it stands for, nano-dollars by ``PARTS``."""

    day: date
    nano_usd: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Daily:
    """All places on the axis from ``first`` to ``last`` and the bars on them; places without spend have
    none. ``monthly`` is for spans of more than 400 days."""

    first: date
    last: date
    monthly: bool
    stacks: tuple[Stack, ...]


def daily(report: SpendReport) -> Daily | None:
    """What to draw; None when nothing was charged."""
    spent = [day for day in report.days if any(day.classes.values())]
    if not spent:
        return None
    first, last = first_and_last(report.span)
    if (last - first).days >= DAYS_MAX:
        first, last = spent[0].day, spent[-1].day
    monthly = (last - first).days >= DAYS_MAX
    bars: dict[date, list[int]] = {}
    for day in spent:
        bar = bars.setdefault(day.day.replace(day=1) if monthly else day.day, [0] * len(PARTS))
        for index, part in enumerate(PARTS):
            bar[index] += part.of(day.classes)
    if monthly:
        first, last = first.replace(day=1), last.replace(day=1)
    return Daily(first, last, monthly, tuple(Stack(day, tuple(bar)) for day, bar in sorted(bars.items())))


def chart_alt_text(report: SpendReport, *, stacked: bool = True) -> str:
    """What the chart shows, in at most 2,000 characters of plain text; Slack's own is not *stacked*."""
    total = report.total.charged_nano_usd
    words = [f"Spend, {span_words(report.span)}: {format_usd(total)} in all."]
    spent = [day for day in report.days if any(day.classes.values())]
    if not spent:
        return truncate(f"{words[0]} There is nothing to show.", ALT_TEXT_MAX)
    dearest = max(spent, key=lambda day: day.spent.charged_nano_usd)
    shown = daily(report)
    step = "month" if shown is not None and shown.monthly else "day"
    if stacked:
        words.insert(0, f"A bar for each {step}, stacked by token class.")
    else:
        words.insert(0, f"Bars side by side for each {step}, one for each token class.")
    words.append(f"Something was spent on {counted(len(spent), 'day', 'days')}.")
    words.append(
        f"The dearest was {day_words(dearest.day)} with {format_usd(dearest.spent.charged_nano_usd)}."
    )
    charged = {name: each.charged_nano_usd for name, each in report.classes.items()}
    shares = sorted(((part.of(charged), part.name) for part in PARTS), reverse=True)
    told = [f"{name} {format_usd(nano)} ({share(nano, total)}%)" for nano, name in shares if nano]
    words.append(f"By class: {', '.join(told)}.")
    return truncate(" ".join(words), ALT_TEXT_MAX)


def chart_block(report: SpendReport) -> Block | None:
    """Slack's own chart, for at most 20 days between the first and the last with spend; else None.

    Slack draws several series as bars side by side, not stacked (docs.slack.dev, data visualization block):
    a class without spend takes no place.
    """
    shown = daily(report)
    if shown is None or shown.monthly:
        return None
    first, last = shown.stacks[0].day, shown.stacks[-1].day
    if (last - first).days >= CATEGORIES_MAX:
        return None
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    by_day = {stack.day: stack.nano_usd for stack in shown.stacks}
    nothing = (0,) * len(PARTS)
    series = [
        {
            "name": part.name,
            "data": [
                # Only to be drawn: four decimals, no sums.
                {"label": short_day(day), "value": round(by_day.get(day, nothing)[index] / NANO_PER_USD, 4)}
                for day in days
            ],
        }
        for index, part in enumerate(PARTS)
        if any(stack.nano_usd[index] for stack in shown.stacks)
    ]
    axis = {"categories": [short_day(day) for day in days], "x_label": "Day", "y_label": "US dollars"}
    title = f"Spend per day: {format_usd(report.total.charged_nano_usd)}"
    chart = {"type": "bar", "series": series, "axis_config": axis}
    return {"type": "data_visualization", "title": title[:TITLE_MAX], "chart": chart}


def short_day(day: date) -> str:
    """ "3 Oct"."""
    return f"{day.day} {day:%b}"
