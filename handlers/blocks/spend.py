"""What somebody spent, for themselves: in words, as a bar, and picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.money import format_usd, format_usd_exact
from darkroom.spending.periods import Period
from darkroom.spending.policy import Grant
from darkroom.spending.reports import RecentPicture
from handlers.blocks.scopes import last_day_words, period_words
from handlers.blocks.tables import fitting
from handlers.blocks.text import TEXT_MAX, View, context, escape, moment, section, shown, when

BAR_STEPS = 20
PROMPT_SHOWN_MAX = 60
GRANTS_NAMED_MAX = 3
_OWNERS = {
    BudgetKind.PERSON: "Your",
    BudgetKind.CHANNEL: "This channel's",
    BudgetKind.WORKSPACE: "The workspace's",
}


@dataclass(frozen=True, slots=True)
class Own:
    """A person's own spend: their budget, its grants, how many pictures in its period, the newest of all.

    ``others`` are the budgets they share; only those that cannot pay ``usual_nano_usd``, the likely price of
    a picture that nobody says more about, are named, because then it is those that stand in the way.
    """

    balance: Balance
    others: Sequence[Balance]
    pictures: int
    recent: Sequence[RecentPicture] = ()
    grants: Sequence[Grant] = ()
    usual_nano_usd: int = 1


def own_view(own: Own, more_money: str) -> View:
    """What is spent, held and left, when it renews, the newest pictures, what stands in the way, and with
    a cap *more_money*: how there can be more."""
    balance = own.balance
    period, timezone = period_words(balance.period.kind), balance.period.timezone
    capped = balance.cap_nano_usd is not None
    facts = [
        f"Spent {period}: {_exactly(balance.charged_nano_usd)}",
        f"Held for pictures being made: {format_usd(balance.held_nano_usd)}",
        *([f"Left: {left_words(balance)}{_until(own.grants, timezone)}"] if capped else []),
        f"Pictures: {own.pictures:,}",
        f"Renews: {renews(balance.period)}",
    ]
    notes = [balance_sentence(other) for other in own.others if _in_the_way(other, own.usual_nano_usd)]
    if capped:
        notes.append(more_money)
    recent = [picture_line(picture, timezone) for picture in own.recent]
    last = f"Your last {'picture' if len(recent) == 1 else 'pictures'} (times in {escape(timezone)})"
    blocks = [section(f"*Your spend {period}*\n{bar(balance)}"), section("\n".join(facts))]
    if recent:
        blocks.append(section("\n".join([f"*{last}*", *(f"• {line}" for line in recent)])))
    blocks += [context(note) for note in notes]
    spoken = [bar_words(balance), *(f"{fact}." for fact in facts), *notes]
    spoken += [f"{last}:"] if recent else []
    spoken += [f"{line}." for line in recent]
    return View(fitting(spoken, TEXT_MAX, ""), tuple(blocks))


def _in_the_way(balance: Balance, usual_nano_usd: int) -> bool:
    return balance.left_nano_usd is not None and balance.left_nano_usd < usual_nano_usd


def _until(grants: Sequence[Grant], timezone: str) -> str:
    """Behind what is left, of which some is granted: until when."""
    named = [grant for grant in grants if grant.left_nano_usd > 0]
    if not named:
        return ""
    if len(named) == 1:
        return f" until {last_day_words(named[0].ends_at, timezone)}"
    parts = [
        f"{format_usd(grant.left_nano_usd)} until {last_day_words(grant.ends_at, timezone)}"
        for grant in sorted(named, key=lambda grant: grant.ends_at)[:GRANTS_NAMED_MAX]
    ]
    more = f", and {len(named) - len(parts)} more" if len(named) > len(parts) else ""
    return f" ({', '.join(parts)}{more})"


def picture_line(picture: RecentPicture, timezone: str) -> str:
    """One of somebody's own pictures: "$0.05, 20 Nov 2026, 12:00, v2: a red fox in snow"."""
    at, cost = moment(picture.created_at, timezone), format_usd(picture.charged_nano_usd)
    line = f"{cost}, {at}, v{picture.version}"
    return f"{line}: {shown(picture.prompt, PROMPT_SHOWN_MAX)}" if picture.prompt.strip() else line


def bar(balance: Balance) -> str:
    """How much of a cap (with grants) is used, as a bar with its percentage in words behind it."""
    cap = balance.cap_with_grants_nano_usd
    if cap is None:
        return "No cap"
    used = balance.charged_nano_usd + balance.held_nano_usd
    filled = BAR_STEPS if used >= cap else -(-used * BAR_STEPS // cap)
    return f"{'█' * filled}{'░' * (BAR_STEPS - filled)} {bar_words(balance)}"


def bar_words(balance: Balance) -> str:
    """The bar for whoever does not see it."""
    cap = balance.cap_with_grants_nano_usd
    if cap is None:
        return "There is no cap."
    used = balance.charged_nano_usd + balance.held_nano_usd
    percent = 100 if used >= cap else used * 100 // cap
    part = "Less than 1%" if used and not percent else f"{percent}%"
    return f"{part} of {format_usd(cap)} used."


def _exactly(nano_usd: int) -> str:
    """The rounded amount, and behind it what the books say where that differs."""
    rounded, exact = format_usd(nano_usd), format_usd_exact(nano_usd)
    return rounded if rounded == exact else f"{rounded} (exactly {exact})"


def left_words(balance: Balance) -> str:
    """What is left, and how much of it is granted."""
    left = balance.left_nano_usd
    if left is None:
        return "no cap"
    granted = balance.granted_nano_usd
    if granted == left and granted:
        return f"{format_usd(left)}, all of it granted"
    return f"{format_usd(left)}, of which {format_usd(granted)} granted" if granted else format_usd(left)


def balance_sentence(balance: Balance) -> str:
    """What is left of a budget, and when it renews."""
    owner, cap = _OWNERS[balance.kind], balance.cap_with_grants_nano_usd
    if cap is None:
        spent = format_usd(balance.charged_nano_usd)
        return f"{owner} budget has no cap; {spent} was spent {period_words(balance.period.kind)}."
    return (
        f"{owner} budget has {format_usd(balance.left_nano_usd or 0)} left of {format_usd(cap)}; "
        f"it renews on {renews(balance.period)}."
    )


def renews(period: Period) -> str:
    """When a period's money comes again."""
    return when(period.end, period.timezone)
