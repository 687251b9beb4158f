"""What admins look up: caps, grants, the pilot list, and how one person or channel stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkroom.spending.budgets import Balance, BudgetKind, Caps, Limit
from darkroom.spending.changes import GrantNote
from darkroom.spending.money import format_usd
from darkroom.spending.policy import (
    EVERY_CHANNEL,
    EVERY_PERSON,
    AccessRule,
    Dimension,
    Policy,
    channel_budget,
    person_budget,
    workspace_budget,
)
from darkroom.spending.reports import Spent
from darkroom.spending.spans import Span, span_words
from handlers.blocks.scopes import (
    channel_words,
    last_day_words,
    limit_words,
    named_scope,
    period_words,
    person_words,
    rules_words,
    scope_words,
)
from handlers.blocks.spend import bar, bar_words, left_words, renews
from handlers.blocks.tables import chunks, fitting, within
from handlers.blocks.text import (
    SECTION_MAX,
    TEXT_MAX,
    Block,
    View,
    context,
    escape,
    section,
)

LIST_MAX = 9_000
"""Characters of a list in one message: Slack refuses messages much above 13,000 (``msg_blocks_too_long``)."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything that was decided, over the settings, with people's Slack ids by their opaque keys."""

    team_id: str
    caps: Caps
    policy: Policy
    people: Mapping[str, str]

    def key_of(self, user_id: str) -> str:
        """The key of a person about whom something was decided; else one that nobody has."""
        return next((key for key, known in self.people.items() if known == user_id), "")


def listing(
    title: str, lines: Sequence[str], notes: Sequence[str] = (), rest: str = "the database has them."
) -> View:
    """A heading, a line each, and notes below (all escaped ``mrkdwn``), cut where Slack's limits are: then
    the last note counts what is left out, and *rest* says where it is."""
    shown = within(lines, LIST_MAX)
    blocks: list[Block] = [section(f"*{title}*")]
    blocks += [section(chunk) for chunk in chunks(shown, SECTION_MAX)]
    blocks += [context(note) for note in (*notes, *_more(len(lines) - len(shown), rest))]
    spoken = [f"{line.removeprefix('• ')}." for line in lines]
    heard = within(spoken, TEXT_MAX - len(title) - sum(len(note) + 1 for note in notes) - len(rest) - 50)
    below = (*notes, *_more(len(lines) - len(heard), rest))
    return View(" ".join([f"{title}{':' if heard else '.'}", *heard, *below]), tuple(blocks))


def _more(hidden: int, rest: str) -> list[str]:
    return [f"And {hidden:,} more: {rest}"] if hidden else []


def caps_view(decided: Decided, spend: str) -> View:
    """The defaults and all exceptions: caps, who is blocked, exempt, on the pilot list, what is allowed."""
    policy, people = decided.policy, decided.people
    lines = ["• Darkroom is paused: nothing new is made"] if policy.paused else []
    lines += [f"• {name}: {words}" for name, words in _defaults(decided)]
    usual = {EVERY_PERSON, EVERY_CHANNEL, workspace_budget(decided.team_id)}
    own = {scope: limit for scope, limit in policy.caps.items() if scope not in usual}
    lines += [f"• {named_scope(scope, people)}: {limit_words(own[scope])}" for scope in sorted(own)]
    lines += [f"• Blocked: {_person(key, people)}" for key in sorted(policy.blocked)]
    lines += [f"• Exempt, no cap of their own: {_person(key, people)}" for key in sorted(policy.exempt)]
    lines += [f"• On the pilot list: {named_scope(scope, people)}" for scope in sorted(policy.pilots)]
    lines += [
        f"• {dimension.capitalize()} rules for {named_scope(scope, people)}: {words}"
        for scope, dimension, words in access_words(policy.access)
    ]
    notes = [f"Days, weeks and months begin in {escape(decided.caps.timezone)}."]
    if policy.pilots:
        notes.append("Only who is on the pilot list can make pictures, and anybody in its channels.")
    notes.append(f"`{spend} history` shows who decided what; `{spend} grants` lists extra money.")
    return listing("Caps", lines, notes, "`darkroom spend --by person` on the server shows everybody's cap.")


def _defaults(decided: Decided) -> list[tuple[str, str]]:
    policy, caps = decided.policy, decided.caps
    found = []
    for name, scope, kind in (
        ("Each person", EVERY_PERSON, BudgetKind.PERSON),
        ("Each channel", EVERY_CHANNEL, BudgetKind.CHANNEL),
        ("The workspace", workspace_budget(decided.team_id), BudgetKind.WORKSPACE),
    ):
        limit = policy.caps.get(scope)
        where = "set by an admin" if limit else "as in the settings"
        found.append((name, f"{limit_words(limit or caps.limit(kind))} ({where})"))
    return found


def _person(key: str, people: Mapping[str, str]) -> str:
    return person_words(people.get(key, ""))


def access_words(rules: Sequence[AccessRule]) -> list[tuple[str, Dimension, str]]:
    """Each scope and dimension with rules, and what they say."""
    found: dict[tuple[str, Dimension], list[tuple[str, bool]]] = {}
    for rule in rules:
        found.setdefault((rule.scope, rule.dimension), []).append((rule.value, rule.allowed))
    return [
        (scope, dimension, rules_words(rules_of)) for (scope, dimension), rules_of in sorted(found.items())
    ]


def pilots_view(decided: Decided, spend: str) -> View:
    """Who is on the pilot list."""
    lines = [f"• {named_scope(scope, decided.people)}" for scope in sorted(decided.policy.pilots)]
    if not lines:
        note = f"There is none: everybody can make pictures. `{spend} pilot` with names begins one."
        return listing("The pilot list", [], [note])
    note = f"Only they can make pictures. `{spend} pilot off` ends it, `{spend} unpilot` takes one off."
    return listing("The pilot list", lines, [note], f"`{spend} caps` has all lists.")


def grants_view(grants: Sequence[GrantNote], timezone: str, spend: str) -> View:
    """The grants that may still be drawn on."""
    lines = [f"• {_grant_line(note, timezone, named=True)}" for note in grants]
    if not lines:
        return listing(
            "Grants", [], [f"There are none. `{spend} grant` with a name and an amount gives one."]
        )
    notes = [f"`{spend} revoke` and a number takes back what is left of one."]
    return listing("Grants", lines, notes, "they are in the table `grants` of the database.")


def _grant_line(note: GrantNote, timezone: str, *, named: bool) -> str:
    grant = note.grant
    whose = f" for {scope_words(grant.budget, note.user_id or note.channel_id)}" if named else ""
    held = f" ({format_usd(grant.held_nano_usd)} held)" if grant.held_nano_usd else ""
    return (
        f"Grant {grant.number}{whose}: {format_usd(grant.left_nano_usd)} left of "
        f"{format_usd(grant.amount_nano_usd)}{held}, until {last_day_words(grant.ends_at, timezone)}"
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """One person or channel: *spent* in *span*, and how its budget stands now."""

    subject_id: str
    span: Span
    spent: Spent
    balance: Balance
    grants: Sequence[GrantNote]


def person_view(standing: Standing, decided: Decided) -> View:
    """What one person spent, what they have left, and what was decided about them."""
    key, policy = decided.key_of(standing.subject_id), decided.policy
    facts = []
    if key in policy.blocked:
        facts.append("Blocked: nothing is made for them")
    if key in policy.exempt:
        facts.append("Exempt: no cap of their own; the channel's and the workspace's hold")
    return _standing_view(person_words(standing.subject_id), standing, decided, person_budget(key), facts)


def channel_view(standing: Standing, decided: Decided) -> View:
    """What was spent in one channel, what it has left, and what was decided about it."""
    budget = channel_budget(decided.team_id, standing.subject_id)
    return _standing_view(channel_words(standing.subject_id), standing, decided, budget, [])


def _with_grants(balance: Balance) -> str:
    """What the bar is a part of, where that is not the cap alone."""
    whole = balance.cap_with_grants_nano_usd
    return "" if whole is None or whole == balance.cap_nano_usd else f"; with grants {format_usd(whole)}"


def _standing_view(who: str, standing: Standing, decided: Decided, budget: str, facts: Sequence[str]) -> View:
    policy, spent, balance = decided.policy, standing.spent, standing.balance
    exempt = budget.removeprefix("person:") in policy.exempt
    own = "" if exempt or budget in policy.caps else ", the default"
    limit = Limit(balance.cap_nano_usd, balance.period.kind)
    then = [
        f"Spent: {format_usd(spent.charged_nano_usd)}",
        f"Held for pictures being made: {format_usd(spent.held_nano_usd)}",
        f"Pictures: {spent.pictures:,}",
    ]
    capped = limit.cap_nano_usd is not None
    lines = [
        f"Cap: {limit_words(limit)}{own}{_with_grants(balance)}",
        *([f"Left: {left_words(balance)}", f"Renews: {renews(balance.period)}"] if capped else []),
        *(_grant_line(note, decided.caps.timezone, named=False) for note in standing.grants),
        *facts,
    ]
    if policy.pilots:
        lines.append("On the pilot list" if budget in policy.pilots else "Not on the pilot list")
    rules = [rule for rule in policy.access if rule.scope == budget]
    lines += [f"{dimension.capitalize()} rules: {words}" for _, dimension, words in access_words(rules)]
    shown = within(lines, SECTION_MAX)
    title = f"Spend of {who}, {escape(span_words(standing.span))}"
    now = f"Now, {period_words(balance.period.kind)}"
    blocks: list[Block] = [
        section("\n".join([f"*{title}*", *then])),
        section("\n".join([f"*{now}*", *([bar(balance)] if capped else []), *shown])),
    ]
    notes = _more(len(lines) - len(shown), "the lists of caps and grants have them all.")
    blocks += [context(note) for note in notes]
    spoken = [f"{title}:", *(f"{line}." for line in then), f"{now}."]
    spoken += [bar_words(balance)] if capped else []
    spoken += [*(f"{line}." for line in shown), *notes]
    return View(fitting(spoken, TEXT_MAX, ""), tuple(blocks))
