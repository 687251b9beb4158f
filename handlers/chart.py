"""Spend per day as a picture, for spans that Slack's own chart block has too few columns for."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.spending.money import NANO_PER_USD, format_usd
from darkroom.spending.reports import SpendReport
from darkroom.spending.spans import span_words
from darkroom.spending.tables import share
from handlers.blocks.daily import PARTS, Daily, daily, short_day

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 1600, 900, 100
COLOURS = ("#009E73", "#D55E00", "#F0B35A", "#0072B2", "#7CC4EE", "#5B2A6E")
"""One for each of ``PARTS``: hues that also the colour-blind tell apart (after Okabe and Ito, "Color
Universal Design", 2008); the cached classes are a lighter shade of their own."""
INK, SOFT, GRID = "#1b1b1b", "#444444", "#d9d9d9"
FEW_DAYS = 14
MONTH_DAYS = 31
HALF_YEAR_DAYS = 190
WIDE_ENOUGH = 7
"""A single bar is not drawn wider than one of a week."""
MANY_MONTHS = 30


class ChartsMissing(Exception):
    """matplotlib is not installed; the message is a sentence for an admin that says how to get it."""

    def __init__(self) -> None:
        super().__init__(
            "There is no chart, because matplotlib is not installed where Darkroom runs: "
            "`pip install 'darkroom[charts]'` adds it."
        )


def draw_chart(report: SpendReport, path: Path) -> None:
    """Write ``chart_figure`` as a PNG of 1600 by 900 pixels.

    Takes up to a second or two of computing: call it in a thread, one at a time. Raises ``ChartsMissing``
    without matplotlib, and ``OSError`` when *path* cannot be written.
    """
    chart_figure(report).savefig(path, format="png", dpi=DPI)


def chart_figure(report: SpendReport) -> Figure:
    """Dollars per day, stacked by ``PARTS``; more than 400 days as months. Raises ``ChartsMissing``."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ChartsMissing from error
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.075, 0.095, 0.9, 0.685))
    shown = daily(report)
    per = "month" if shown is not None and shown.monthly else "day"
    head = f"Spend per {per}: {format_usd(report.total.charged_nano_usd)}"
    figure.text(0.03, 0.935, _literal(head), fontsize=25, fontweight="bold", color=INK)
    figure.text(0.03, 0.89, _literal(span_words(report.span)), fontsize=16, color=SOFT)
    _plain_frame(axes)
    if shown is None:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.text(0.5, 0.5, "Nothing was spent.", fontsize=20, color=SOFT, ha="center", va="center")
    else:
        _bars(axes, report, shown)
        _day_axis(axes, shown)
        _dollar_axis(axes)
    return figure


def _plain_frame(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.tick_params(colors=INK, labelsize=14, length=0, pad=6)


def _bars(axes: Axes, report: SpendReport, shown: Daily) -> None:
    places = [_place(stack.day, shown) for stack in shown.stacks]
    width = 0.82 if _places(shown) <= HALF_YEAR_DAYS else 1.0
    bottoms = [0.0] * len(places)
    handles, names = [], []
    charged = {name: each.charged_nano_usd for name, each in report.classes.items()}
    for index, (part, colour) in enumerate(zip(PARTS, COLOURS, strict=True)):
        # Dollars only to be drawn; what is read in words comes from the whole numbers.
        heights = [stack.nano_usd[index] / NANO_PER_USD for stack in shown.stacks]
        bars = axes.bar(places, heights, width, bottoms, color=colour, linewidth=0)
        bottoms = [low + height for low, height in zip(bottoms, heights, strict=True)]
        handles.append(bars)
        amount = part.of(charged)
        percent = share(amount, report.total.charged_nano_usd)
        names.append(_literal(f"{part.name}\n{format_usd(amount)} · {percent}%"))
    legend = axes.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(-0.055, 1.015),
        ncols=len(PARTS),
        frameon=False,
        fontsize=13.5,
        handlelength=1.1,
        handleheight=1.1,
        columnspacing=1.8,
    )
    for text in legend.get_texts():
        text.set_color(INK)


def _day_axis(axes: Axes, shown: Daily) -> None:
    count = _places(shown)
    margin = 0.6 + max(0, WIDE_ENOUGH - count) / 2
    axes.set_xlim(-margin, count - 1 + margin)
    ticks = _ticks(shown)
    axes.set_xticks([_place(day, shown) for day, _ in ticks], [label for _, label in ticks])


def _ticks(shown: Daily) -> list[tuple[date, str]]:
    """The days that are named below the axis, and how: never more than fit."""
    if shown.monthly:
        months = [_month_after(shown.first, n) for n in range(_places(shown))]
        if len(months) <= MANY_MONTHS:
            return _with_years([(month, f"{month:%b}") for month in months])
        every = -(-len(months) // (MANY_MONTHS * 12)) * 12
        return [(month, str(month.year)) for month in months if month.month == 1][:: every // 12]
    days = [shown.first + timedelta(days=n) for n in range(_places(shown))]
    if len(days) <= FEW_DAYS:
        return [(day, f"{day:%a}\n{short_day(day)}") for day in days]
    if len(days) <= MONTH_DAYS:
        return [(day, _numbered(day, day is days[0])) for day in days]
    if len(days) <= HALF_YEAR_DAYS:
        step = 7 if len(days) <= HALF_YEAR_DAYS // 2 else 14
        return _with_years([(day, short_day(day)) for day in days[::step]])
    return _with_years([(day, f"{day:%b}") for day in days if day.day == 1])


def _with_years(ticks: list[tuple[date, str]]) -> list[tuple[date, str]]:
    """With the year below the first of each."""
    seen: set[int] = set()
    labels = []
    for day, label in ticks:
        labels.append((day, label if day.year in seen else f"{label}\n{day.year}"))
        seen.add(day.year)
    return labels


def _numbered(day: date, begins: bool) -> str:
    return f"{day.day}\n{day:%b}" if begins or day.day == 1 else str(day.day)


def _dollar_axis(axes: Axes) -> None:
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.margins(y=0.06)
    ticks = [tick for tick in axes.get_yticks() if tick >= 0]
    axes.set_yticks(ticks, [_literal(_dollars(tick, ticks)) for tick in ticks])


def _dollars(tick: float, ticks: list[float]) -> str:
    """With as many decimals as the step between two ticks needs."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = next((n for n in (0, 2, 4) if abs(round(step, n) - step) < step / 1000), 6)
    return f"${tick:,.{decimals}f}"


def _places(shown: Daily) -> int:
    return _place(shown.last, shown) + 1


def _place(day: date, shown: Daily) -> int:
    if shown.monthly:
        return (day.year - shown.first.year) * 12 + day.month - shown.first.month
    return (day - shown.first).days


def _month_after(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _literal(text: str) -> str:
    """matplotlib takes what stands between two dollar signs for a formula."""
    return text.replace("$", r"\$")
