"""``docs/life-of-a-turn.svg``: the states of a turn and of an attempt, drawn from the code's own names."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from darkroom.turns.endings import Outcome
from darkroom.turns.model import AttemptState, TurnState

WIDTH, HEIGHT = 1000, 620
BOX: Final = (150, 44)
TURN_Y, ATTEMPT_Y = 76, 330
INK, LINE, PAPER = "#1d1c1d", "#6b6f76", "#ffffff"
TURN, ATTEMPT, END = "#dbe9ff", "#fff0d1", "#e3f4e1"

TURN_STATES: Final = {
    TurnState.RECEIVED: (40, TURN, "when this is on disk,", "Slack has its answer"),
    TurnState.QUEUED: (280, TURN, "a place in the line,", "a placeholder in Slack"),
    TurnState.WORKING: (520, TURN, "an attempt for each", "picture that is wanted"),
    TurnState.ENDED: (760, END, "what will be said is on", "disk; then it is told"),
}
"""Where each stands, its colour, and what is said of it."""
ATTEMPT_STATES: Final = {
    AttemptState.HELD: (280, 0, "the most it can cost is", "held, in every cap at once"),
    AttemptState.DISPATCHED: (520, 0, "on disk before the request", "leaves; then the response id"),
    AttemptState.SETTLED: (760, -84, "picture, charge and the end", "of the hold, in one step"),
    AttemptState.RELEASED: (760, 12, "refused, nothing charged:", "the next model, or later"),
    AttemptState.UNCERTAIN: (760, 108, "may have been paid for: charged,", "told, listed; never sent again"),
}


def made() -> str:
    """The picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">',
        "<title>The life of a turn, and of the attempts inside it</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}"/>',
        _words(40, 44, "A turn: one request, one outcome", bold=True),
        _words(40, ATTEMPT_Y + 18, "An attempt:", bold=True),
        _words(40, ATTEMPT_Y + 36, "one call to the API, one hold", small=True),
    ]
    for state, (x, colour, *lines) in TURN_STATES.items():
        parts.append(_box(x, TURN_Y, state.value, lines, colour))
    for x in (190, 430, 670):
        parts.append(_arrow(x + 4, TURN_Y + 22, x + 86, TURN_Y + 22))
    for attempt, (x, down, *said) in ATTEMPT_STATES.items():
        parts.append(_box(x, ATTEMPT_Y + down, attempt.value, said, ATTEMPT))
    outcomes = ", ".join(outcome.value for outcome in Outcome)
    parts += [
        _path(f"M560 {TURN_Y + 88} C560 {TURN_Y + 170} 355 {TURN_Y + 150} 355 {ATTEMPT_Y - 6}"),
        _path(f"M670 {TURN_Y + 10} C715 20 500 0 430 {TURN_Y + 8}"),
        _words(552, 24, "waits for money that others only hold, or for the API", small=True, middle=True),
        _arrow(434, ATTEMPT_Y + 22, 516, ATTEMPT_Y + 22),
        _arrow(674, ATTEMPT_Y + 14, 756, ATTEMPT_Y - 54),
        _arrow(674, ATTEMPT_Y + 22, 756, ATTEMPT_Y + 32),
        _arrow(674, ATTEMPT_Y + 30, 756, ATTEMPT_Y + 122),
        _words(40, 552, "Outcomes of a turn", bold=True),
        _words(200, 552, outcomes),
        _words(40, 580, "After a crash", bold=True),
        _words(200, 580, "each goes on from what is on disk: what was never sent is made, what was sent is"),
        _words(200, 600, "asked for by its response id, what nobody can say about is uncertain"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _path(way: str) -> str:
    return f'<path d="{way}" fill="none" stroke="{LINE}" stroke-width="1.5" marker-end="url(#tip)"/>'


def _box(x: int, y: int, name: str, said: Iterable[str], colour: str) -> str:
    width, height = BOX
    lines = "".join(
        _words(x + width // 2, y + height + 16 + 16 * row, text, small=True, middle=True)
        for row, text in enumerate(said)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{colour}" stroke="{LINE}"/>'
        + _words(x + width // 2, y + height // 2 + 5, name, bold=True, middle=True)
        + lines
    )


def _arrow(x1: int, y1: int, x2: int, y2: int) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}" stroke-width="1.5" '
        'marker-end="url(#tip)"/>'
    )


def _words(
    x: int, y: int, text: str, *, bold: bool = False, small: bool = False, middle: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    size = ' font-size="12"' if small else ""
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x}" y="{y}" fill="{INK}"{weight}{size}{anchor}>{escape(text)}</text>'
