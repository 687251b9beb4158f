"""The chart as a picture: legible whatever the time, for every kind of eyes, with its gaps in place."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from PIL import Image

from handlers.blocks.daily import PARTS
from handlers.chart import COLOURS, ChartsMissing, chart_figure, draw_chart
from tests.handlers.reports import nothing_spent, spend_report

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15(6), 2009, table 1, severity 1.0: protanopia, deuteranopia, tritanopia.
EYES = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def linear(colour: str) -> list[float]:
    """sRGB to linear light (IEC 61966-2-1)."""
    parts = [part / 255 for part in rgb(colour)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def lab(colour: str, eyes: str) -> list[float]:
    """CIELAB of what these eyes see, D65 white."""
    seen = linear(colour)
    seen = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, seen, strict=True)))) for row in EYES[eyes]]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [
        sum(a * b for a, b in zip(row, seen, strict=True)) / w for row, w in zip(to_xyz, white, strict=True)
    ]
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def distance(one: str, other: str, eyes: str) -> float:
    pairs = zip(lab(one, eyes), lab(other, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def luminance(colour: str) -> float:
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


@pytest.mark.parametrize("eyes", list(EYES))
def test_every_kind_of_eyes_tells_the_colours_apart(eyes: str) -> None:
    """Just noticeable is 2.3; twelve is clearly different, also for small fields."""
    for one, other in combinations(COLOURS, 2):
        assert distance(one, other, eyes) > 12, (one, other)
    assert len(COLOURS) == len(PARTS)


def test_every_colour_stands_out_from_the_paper() -> None:
    for colour in COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) > 1.7, colour


@pytest.mark.parametrize(
    "days", [1, 14, 31, 61, 366, *(pytest.param(days, marks=pytest.mark.slow) for days in (190, 900, 5_000))]
)
def test_labels_neither_touch_each_other_nor_leave_the_picture(days: int) -> None:
    figure = chart_figure(spend_report(days=days))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    named = [label for label in axes.get_xticklabels() if label.get_text()]
    assert named
    boxes = [label.get_window_extent() for label in named]
    for left, right in pairwise(boxes):
        assert left.x1 + 4 <= right.x0
    legend = axes.get_legend()
    assert legend is not None
    texts = [*figure.texts, *axes.get_yticklabels(), *legend.get_texts()]
    for box in [*boxes, *(text.get_window_extent() for text in texts)]:
        assert 0 <= box.x0 < box.x1 <= 1600
        assert 0 <= box.y0 < box.y1 <= 900
    assert legend.get_window_extent().y1 < min(text.get_window_extent().y0 for text in figure.texts)


@pytest.mark.parametrize(("times", "over"), [(100_000, 1), (1, 100_000)])
def test_dollars_of_any_size_are_written_out(times: int, over: int) -> None:
    report = spend_report(days=5)
    days = tuple(
        replace(day, classes={name: nano * times // over for name, nano in day.classes.items()})
        for day in report.days
    )
    figure = chart_figure(replace(report, days=days))
    figure.draw_without_rendering()
    labels = figure.axes[0].get_yticklabels()
    said = [label.get_text().replace("\\", "") for label in labels]
    assert all(label.startswith("$") for label in said)
    assert len(set(said)) == len(said) > 3
    assert all(label.get_window_extent().x0 >= 0 for label in labels)


def test_the_title_has_the_total_and_the_time() -> None:
    report = spend_report()
    said = " ".join(text.get_text().replace("\\", "") for text in chart_figure(report).texts)
    assert f"Spend per day: ${report.total.charged_nano_usd // 10**9:,}.00" in said
    assert "1 September to 31 October 2026 (Europe/Zurich)" in said


def test_days_without_spend_are_gaps_at_their_place(tmp_path: Path) -> None:
    """Of eleven days the first, the fifth and the last have a bar."""
    draw_chart(spend_report(days=11, on=(0, 4, 10)), tmp_path / "chart.png")
    picture = Image.open(tmp_path / "chart.png").convert("RGB")
    assert picture.size == (1600, 900)
    row = [picture.getpixel((x, 790)) for x in range(1600)]
    ours = [x for x, colour in enumerate(row) if colour == rgb(COLOURS[0])]
    starts = [x for x in ours if x - 1 not in ours]
    assert len(starts) == 3
    assert (starts[1] - starts[0]) / (starts[2] - starts[0]) == pytest.approx(0.4, abs=0.01)


def test_nothing_spent_is_drawn_as_such(tmp_path: Path) -> None:
    draw_chart(nothing_spent(), tmp_path / "chart.png")
    figure = chart_figure(nothing_spent())
    assert [text.get_text() for text in figure.axes[0].texts] == ["Nothing was spent."]


def test_two_threads_draw_the_same_at_once(tmp_path: Path) -> None:
    report = spend_report(days=31)
    paths = [tmp_path / f"{n}.png" for n in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: draw_chart(report, path), paths))
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) < 200_000


def test_without_matplotlib_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ChartsMissing, match=r"pip install 'darkroom\[charts\]'"):
        draw_chart(spend_report(), tmp_path / "chart.png")
    assert list(tmp_path.iterdir()) == []


def test_matplotlib_is_not_loaded_before_a_chart_is_drawn() -> None:
    code = "import sys, handlers.reporting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
