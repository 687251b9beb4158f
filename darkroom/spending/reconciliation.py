"""Our charges beside the provider's bill, day by day. Pure: amounts in, a verdict out.

Days are UTC days, because the bill's are. An unfinished day is shown and never counted.

A day differs when the gap is more than the tolerance, in per cent of what was billed. So a day that was
billed and on which we charged nothing differs by 100 %, and one on which we charged and nothing was billed
differs by more than any tolerance: it has no per cent. Not only the total decides: in a month, a whole day
that is missing from the books is about 3 %.

A call that runs over midnight may be billed on either of its two days. Its charge is on the day on which it
began, and both days may be off by it, beside the tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

DEFAULT_TOLERANCE = Fraction(5)
"""Per cent."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OurDay:
    """What the books have for the calls that began on one day, in nano-dollars.

    ``charged`` is everything, corrections included. The rest says why it may not be what was billed: charges
    whose call never ended clearly and whose amount stands, accepted or not looked at (``uncertain``, and of
    how many calls), later ``corrections`` (negative for money given back), charges by estimate
    because no usage was reported, and charges of calls that ended after midnight (``overnight``).
    """

    charged: int = 0
    uncertain: int = 0
    uncertain_calls: int = 0
    corrections: int = 0
    estimated: int = 0
    overnight: int = 0

    def __add__(self, other: OurDay) -> OurDay:
        return OurDay(
            self.charged + other.charged,
            self.uncertain + other.uncertain,
            self.uncertain_calls + other.uncertain_calls,
            self.corrections + other.corrections,
            self.estimated + other.estimated,
            self.overnight + other.overnight,
        )


@dataclass(frozen=True, slots=True)
class OurCharges:
    """The books of some days: what the compared provider was paid by day, and others by their name."""

    days: Mapping[date, OurDay]
    elsewhere: Mapping[str, int]


class Verdict(StrEnum):
    """How two sides stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNFINISHED = "unfinished"
    """The day is not over: both sides still grow."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two amounts in nano-dollars; ``overnight`` is what may be billed on a neighbouring day."""

    ours: int
    theirs: int
    overnight: int
    verdict: Verdict

    @property
    def difference(self) -> int:
        """Ours less theirs: above zero, we charged more than was billed."""
        return self.ours - self.theirs

    @property
    def percent(self) -> Fraction | None:
        """The difference in per cent of what was billed; None where nothing was billed and we charged."""
        if self.difference == 0:
            return Fraction(0)
        return Fraction(self.difference * 100, abs(self.theirs)) if self.theirs else None


@dataclass(frozen=True, slots=True)
class Row:
    """One day."""

    day: date
    compared: Compared


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Each day from the first to the last, and the total of those that are over."""

    rows: tuple[Row, ...]
    total: Compared
    tolerance: Fraction

    @property
    def finished(self) -> tuple[Row, ...]:
        """The days that count."""
        return tuple(row for row in self.rows if row.compared.verdict is not Verdict.UNFINISHED)

    @property
    def off(self) -> tuple[Row, ...]:
        """The days that differ."""
        return tuple(row for row in self.rows if row.compared.verdict is Verdict.DIFFERS)

    @property
    def agrees(self) -> bool:
        """Whether neither the total nor any day that is over differs by more than the tolerance."""
        return self.total.verdict is not Verdict.DIFFERS and not self.off


def reconcile(
    ours: Mapping[date, int],
    theirs: Mapping[date, int],
    first: date,
    last: date,
    *,
    today: date,
    tolerance: Fraction = DEFAULT_TOLERANCE,
    overnight: Mapping[date, int] | None = None,
) -> Reconciliation:
    """Compare the days from *first* to *last*, both included; a day that is missing has nothing.

    Amounts are nano-dollars, *tolerance* is per cent; *today*, and whatever comes after it, is unfinished.
    *overnight*: charges of calls that ran over the midnight at the end of their day, for the day before
    *first* too. ValueError for a last day before the first, or a tolerance below zero.
    """
    if last < first or tolerance < 0:
        raise ValueError("the days or the tolerance make no sense")
    crossing = overnight or {}
    rows = []
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        around = crossing.get(day - _DAY, 0) + crossing.get(day, 0)
        done = day < today
        rows.append(Row(day, _compare(ours.get(day, 0), theirs.get(day, 0), around, tolerance, done=done)))
    over = [row.compared for row in rows if row.day < today]
    edges = 0
    if over:
        end = first + (len(over) - 1) * _DAY
        edges = crossing.get(first - _DAY, 0) + crossing.get(end, 0)
    total = _compare(
        sum(each.ours for each in over), sum(each.theirs for each in over), edges, tolerance, done=bool(over)
    )
    return Reconciliation(tuple(rows), total, tolerance)


def _compare(ours: int, theirs: int, overnight: int, tolerance: Fraction, *, done: bool) -> Compared:
    gap = max(0, abs(ours - theirs) - abs(overnight))
    differs = gap * 100 > tolerance * abs(theirs)
    verdict = (Verdict.DIFFERS if differs else Verdict.AGREES) if done else Verdict.UNFINISHED
    return Compared(ours, theirs, overnight, verdict)
