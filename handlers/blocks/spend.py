"""Who spent what, for one person and for admins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.money import format_usd, format_usd_exact
from darkroom.spending.periods import Period, PeriodKind, zone_of
from darkroom.spending.reports import PersonSpend, SpendReport
from darkroom.spending.spans import Span
from handlers.blocks.text import SECTION_MAX, TEXT_MAX, View, context, counted, mention, section, when

BAR_STEPS = 20
PEOPLE_MAX = 100
_SECTIONS_MAX = 45
_THIS = {PeriodKind.month: "this month", PeriodKind.week: "this week", PeriodKind.day: "today"}
_OWNERS = {
    BudgetKind.PERSON: "Your",
    BudgetKind.CHANNEL: "This channel's",
    BudgetKind.WORKSPACE: "The workspace's",
}


def own_view(balance: Balance, others: Iterable[Balance], pictures: int, who_can_raise: str) -> View:
    """A person's own spend. *others* are the budgets they share; only those with a cap and nothing left
    are named, because then it is those that stand in the way."""
    period = _THIS[balance.period.kind]
    facts = [
        f"Spent {period}: {_exactly(balance.charged_nano_usd)}",
        f"Held for pictures being made: {format_usd(balance.held_nano_usd)}",
        f"Left: {_left(balance)}",
        f"Pictures: {pictures:,}",
        f"Renews: {renews(balance.period)}",
    ]
    notes = [balance_sentence(other) for other in others if other.left_nano_usd == 0]
    if balance.cap_nano_usd is not None:
        notes.append(f"More money: ask {who_can_raise}.")
    spoken = f"{_percent_words(balance)} " + ". ".join(facts) + ". " + " ".join(notes)
    blocks = [section(f"*Your spend {period}*\n{bar(balance)}"), section("\n".join(facts))]
    blocks += [context(note) for note in notes]
    return View(text=spoken.strip(), blocks=tuple(blocks))


def bar(balance: Balance) -> str:
    """How much of a cap is used, as a bar with its percentage in words behind it."""
    if balance.cap_nano_usd is None:
        return "No cap"
    used = balance.charged_nano_usd + balance.held_nano_usd
    cap = balance.cap_nano_usd
    filled = BAR_STEPS if used >= cap else -(-used * BAR_STEPS // cap)
    return f"{'█' * filled}{'░' * (BAR_STEPS - filled)} {_percent_words(balance)}"


def _percent_words(balance: Balance) -> str:
    if balance.cap_nano_usd is None:
        return "There is no cap."
    used = balance.charged_nano_usd + balance.held_nano_usd
    percent = 100 if used >= balance.cap_nano_usd else used * 100 // balance.cap_nano_usd
    return f"{percent}% of {format_usd(balance.cap_nano_usd)} used."


def _exactly(nano_usd: int) -> str:
    """The rounded amount, and behind it what the books say where that differs."""
    rounded, exact = format_usd(nano_usd), format_usd_exact(nano_usd)
    return rounded if rounded == exact else f"{rounded} (exactly {exact})"


def _left(balance: Balance) -> str:
    left = balance.left_nano_usd
    return "no cap" if left is None else format_usd(left)


def balance_sentence(balance: Balance) -> str:
    """What is left of a budget, and when it renews."""
    owner = _OWNERS[balance.kind]
    if balance.cap_nano_usd is None:
        spent = format_usd(balance.charged_nano_usd)
        return f"{owner} budget has no cap; {spent} was spent {_THIS[balance.period.kind]}."
    return (
        f"{owner} budget has {_left(balance)} left of {format_usd(balance.cap_nano_usd)}; "
        f"it renews on {renews(balance.period)}."
    )


def renews(period: Period) -> str:
    """When a period's money comes again."""
    return when(period.end, period.timezone)


def team_view(report: SpendReport) -> View:
    """Everyone's spend, for admins: a line each, by falling spend, within Slack's limits."""
    head = f"Spend from {span(report.span)}: {_spent_words(report.total.charged_nano_usd)}"
    head += f", {format_usd(report.total.held_nano_usd)} held, "
    head += counted(report.total.pictures, "picture", "pictures") + "."
    lines = [person_line(person) for person in report.people[:PEOPLE_MAX]]
    hidden = len(report.people) - len(lines)
    if not lines:
        lines = ["Nobody has spent anything in this period."]
    blocks = [section(head)]
    blocks += [section(chunk) for chunk in _chunks(lines, SECTION_MAX)][:_SECTIONS_MAX]
    if hidden:
        blocks.append(context(_more(hidden)))
    return View(text=_spoken(head, lines, hidden), blocks=tuple(blocks))


def person_line(person: PersonSpend) -> str:
    """ "@anna: 3 pictures, $0.15 spent, $0.05 held, cap $10.00"."""
    cap = "no cap" if person.cap_nano_usd is None else f"cap {format_usd(person.cap_nano_usd)}"
    spent = person.spent
    who = mention(person.user_id) if person.user_id else "Somebody whose name was erased"
    return (
        f"{who}: {counted(spent.pictures, 'picture', 'pictures')}, "
        f"{_spent_words(spent.charged_nano_usd)}, {format_usd(spent.held_nano_usd)} held, {cap}"
    )


def span(period: Span) -> str:
    """Days in their own time zone: "1 November 2026 to 30 November 2026 (UTC)"."""
    zone = zone_of(period.timezone)
    first = period.start.astimezone(zone)
    last = (period.end - timedelta(seconds=1)).astimezone(zone)
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y} ({period.timezone})"


def _spent_words(nano_usd: int) -> str:
    return f"{format_usd(nano_usd)} spent"


def _more(hidden: int) -> str:
    return f"And {counted(hidden, 'person', 'people')} more: `darkroom spend` on the server lists everyone."


def _spoken(head: str, lines: list[str], hidden: int) -> str:
    kept, room = [head], TEXT_MAX - len(head) - 200
    for index, line in enumerate(lines):
        room -= len(line) + 2
        if room < 0:
            hidden += len(lines) - index
            break
        kept.append(line + ".")
    return " ".join([*kept, _more(hidden)] if hidden else kept)


def _chunks(lines: list[str], limit: int) -> list[str]:
    chunks: list[str] = []
    for line in lines:
        if chunks and len(chunks[-1]) + 1 + len(line) <= limit:
            chunks[-1] += "\n" + line
        else:
            chunks.append(line)
    return chunks
