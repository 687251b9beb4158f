"""Everyone's spend: the short answer to an admin, and the full report as messages within Slack's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from darkroom.spending.money import format_usd
from darkroom.spending.periods import BadTimezone, zone_of
from darkroom.spending.reports import ModelSpend, PersonSpend, SpendReport
from darkroom.spending.spans import Span, span_words
from darkroom.spending.tables import share
from handlers.blocks.buttons import actions, button
from handlers.blocks.daily import PARTS
from handlers.blocks.tables import (
    ROWS_MAX,
    Cell,
    Row,
    Style,
    chunks,
    fit,
    fitting,
    money,
    percent,
    table_blocks,
)
from handlers.blocks.text import (
    SECTION_MAX,
    TEXT_MAX,
    Block,
    View,
    context,
    counted,
    escape,
    isolate,
    mention,
    one_line,
    section,
    truncate,
)

REPORT_ACTION = "spend_report"
"""The ``action_id`` of "Send me the full report"; its value is read by ``span_of_value``."""

TOP = 10
NAME_CELL_MAX = 40
MODEL_CELL_MAX = 60
ERASED = "(name erased)"


def team_summary_view(report: SpendReport, top: int = TOP) -> View:
    """The totals and the *top* who spent most, with the button for more.

    For a message that only one person sees: people are mentioned.
    """
    title, totals = f"Spend, {span_words(report.span)}", _totals(report)
    lines = [
        f"{place}. {_line(mention(person.user_id) if person.user_id else ERASED, person, report)}"
        for place, person in enumerate(report.people[:top], start=1)
    ]
    more = len(report.people) - len(lines)
    notes = [f"{counted(more, 'more person is', 'more people are')} in the full report."] if more else []
    if not lines:
        notes.append("Nobody has spent anything in this time.")
    blocks: list[Block] = [section(f"*{escape(title)}*\n{totals}")]
    blocks += [section(chunk) for chunk in chunks(lines, SECTION_MAX)]
    blocks += [context(note) for note in notes]
    spoken = [f"{escape(title)}: {totals}.", *(f"{line}." for line in lines), *notes]
    if lines:
        blocks.append(_button(report.span))
        spoken.append("The button “Send me the full report” sends all of it as a direct message.")
    return View(text=fitting(spoken, TEXT_MAX, ""), blocks=tuple(blocks))


def span_value(span: Span) -> str:
    """A span as the value of a button: it can be read again after a restart."""
    return f"{span.start.isoformat()}..{span.end.isoformat()}..{span.timezone}"


def span_of_value(value: str) -> Span | None:
    """What ``span_value`` wrote; None for anything else."""
    parts = value.split("..")
    if len(parts) != 3:
        return None
    try:
        start, end = datetime.fromisoformat(parts[0]), datetime.fromisoformat(parts[1])
        zone_of(parts[2])
    except (ValueError, BadTimezone):
        return None
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        return None
    return Span(parts[2], start, end)


def _button(span: Span) -> Block:
    label = "Send me the full report as a direct message"
    return actions(button(REPORT_ACTION, "Send me the full report", span_value(span), label=label))


def _totals(report: SpendReport) -> str:
    total = report.total
    people = counted(len(report.people), "person", "people")
    return (
        f"{format_usd(total.charged_nano_usd)} spent, {format_usd(total.held_nano_usd)} held, "
        f"{counted(total.pictures, 'picture', 'pictures')} by {people}"
    )


def _names(people: Sequence[PersonSpend], names: Mapping[str, str]) -> list[str]:
    """Plain names; two people of one name are told apart by their ids."""
    plain = [names.get(person.user_id, person.user_id) if person.user_id else ERASED for person in people]
    plain = [isolate(truncate(one_line(name), NAME_CELL_MAX - 2)) or "–" for name in plain]  # noqa: RUF001 -- a dash for "no name"
    often = Counter(plain)
    return [
        f"{name} ({person.user_id})" if often[name] > 1 and person.user_id else name
        for name, person in zip(plain, people, strict=True)
    ]


def _line(who: str, person: PersonSpend, report: SpendReport) -> str:
    spent, cap = person.spent, person.cap_nano_usd
    return (
        f"{who}: {counted(spent.pictures, 'picture', 'pictures')}, "
        f"{format_usd(spent.charged_nano_usd)} spent, {_held(spent.held_nano_usd)}"
        f"{'no cap' if cap is None else f'cap {format_usd(cap)}'}, "
        f"{share(spent.charged_nano_usd, report.total.charged_nano_usd)}% of all"
    )


def _held(nano_usd: int) -> str:
    """What is held, where something is."""
    return f"{format_usd(nano_usd)} held, " if nano_usd else ""


def people_view(report: SpendReport, names: Mapping[str, str], style: Style = Style.DATA_TABLE) -> View:
    """The totals and a table of people; without people it says so.

    *names* are plain names by user id; who is not in it appears as their id, and nobody is mentioned.
    """
    title, totals = f"Spend report, {span_words(report.span)}", _totals(report)
    header = ("Person", "Pictures", "Spent", "Held", "Cap", "Share")
    shown = report.people[: ROWS_MAX - 1 if style is Style.TABLE else ROWS_MAX]
    called = _names(shown, names)
    rows = fit([_person_row(who, person, report) for who, person in zip(called, shown, strict=True)])
    lines = [_line(escape(who), person, report) for who, person in zip(called, shown, strict=True)][
        : len(rows)
    ]
    blocks: list[Block] = [section(f"*{escape(title)}*\n{totals}.")]
    body, told = table_blocks(f"People by spend, {span_words(report.span)}", header, rows, lines, style)
    hidden = len(report.people) - told
    blocks += body
    rest = f"{counted(hidden, 'more person is', 'more people are')} in the CSV file, which has everybody."
    if hidden:
        blocks.append(context(f"These are the {told} who spent most. {rest}"))
    if not report.people:
        blocks.append(context("Nobody has spent anything in this time."))
    spoken = [f"{escape(title)}: {totals}.", *(f"{line}." for line in lines), *([rest] if hidden else [])]
    return View(
        fitting(spoken, TEXT_MAX, "The table has more of them, the CSV file has everybody."), tuple(blocks)
    )


def _person_row(who: str, person: PersonSpend, report: SpendReport) -> Row:
    spent, cap = person.spent, person.cap_nano_usd
    return (
        Cell(who),
        Cell(f"{spent.pictures:,}", spent.pictures),
        money(spent.charged_nano_usd),
        money(spent.held_nano_usd),
        Cell("no cap") if cap is None else money(cap),
        percent(spent.charged_nano_usd, report.total.charged_nano_usd),
    )


def models_view(report: SpendReport, style: Style = Style.DATA_TABLE) -> View:
    """A table of models and what each token class cost, for a report in which something was called."""
    header = ("Model", "Endpoint", "Provider", "Pictures", "Spent", "Share")
    total = report.total.charged_nano_usd
    rows = fit([_model_row(each, total) for each in report.models[: ROWS_MAX - 1]])
    lines = [_model_line(row) for row in rows]
    body, told = table_blocks(f"Models really called, {span_words(report.span)}", header, rows, lines, style)
    hidden = len(report.models) - told
    rest = [f"{counted(hidden, 'more model', 'more models')}: `darkroom spend --by model` lists all."]
    classes = _class_lines(report)
    blocks: list[Block] = [section("*By model, as really called*"), *body]
    blocks += [context(line) for line in rest if hidden]
    if classes:
        blocks.append(section("*By token class*\n" + "\n".join(classes)))
    spoken = ["By model, as really called.", *(f"{line}." for line in lines), *(rest if hidden else [])]
    spoken += [*(["By token class."] if classes else []), *(f"{line}." for line in classes)]
    return View(fitting(spoken, TEXT_MAX, "The table has the rest."), tuple(blocks))


def _model_row(model: ModelSpend, total_nano_usd: int) -> Row:
    spent = model.spent
    provider = "OpenAI" if model.provider == "openai" else model.provider
    return (
        *(Cell(_short(part)) for part in (model.image_model, model.endpoint, provider)),
        Cell(f"{spent.pictures:,}", spent.pictures),
        money(spent.charged_nano_usd),
        percent(spent.charged_nano_usd, total_nano_usd),
    )


def _model_line(row: Row) -> str:
    model, endpoint, provider, pictures, spent, part = (escape(cell.text) for cell in row)
    return f"{model} at {provider} ({endpoint}): pictures {pictures}, {spent} spent, {part} of all"


def _class_lines(report: SpendReport) -> list[str]:
    total = report.total.charged_nano_usd
    lines = []
    for part in PARTS:
        found = [report.classes[name] for name in part.classes if name in report.classes]
        tokens, charged = sum(each.tokens for each in found), sum(each.charged_nano_usd for each in found)
        if tokens or charged:
            lines.append(f"{part.name}: {tokens:,} tokens, {format_usd(charged)}, {share(charged, total)}%")
    return lines


def _short(text: str) -> str:
    return isolate(truncate(one_line(text), MODEL_CELL_MAX - 2)) or "–"  # noqa: RUF001 -- a dash for "none"
