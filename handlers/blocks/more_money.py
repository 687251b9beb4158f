"""Asking for more money: the button under a refusal, what admins are asked, and every answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.budgets import BudgetKind
from darkroom.spending.money import format_usd
from darkroom.spending.periods import zone_of
from darkroom.spending.reports import Spent
from darkroom.spending.requests import MoneyRequest, RequestState
from darkroom.turns.endings import Reason
from darkroom.turns.model import Turn
from handlers.blocks.buttons import actions, button
from handlers.blocks.scopes import Details, channel_words, last_day_words, person_words, whose_words
from handlers.blocks.text import View, context, counted, section, when
from handlers.words import Voice

ASK_ACTION = "more_money_ask"
"""The ``action_id`` of the button under a refusal; its value is the turn's id."""
ANSWERS: Mapping[str, int | None] = {
    "more_money_grant_5": 5_000_000_000,
    "more_money_grant_10": 10_000_000_000,
    "more_money_no": None,
}
"""The admins' buttons by ``action_id``: the grant in nano-dollars, or None; their value is the request's
number."""
_ASK = "Ask for more"


@dataclass(frozen=True, slots=True)
class Asked:
    """What admins see beside a request: the details of the ending that declined the turn, and what the
    person spent in the calendar month."""

    request: MoneyRequest
    details: Mapping[str, str | int]
    month: Spent
    month_start: datetime


def refusal_view(turn: Turn, text: str) -> View:
    """A refusal (``mrkdwn``, already escaped); with the button where money was the reason.

    ``text`` is complete: it names the button, too.
    """
    if turn.ending is None or turn.ending.reason is not Reason.NO_MONEY:
        return View(text, ())
    ask = button(ASK_ACTION, _ASK, turn.id, style="primary")
    spoken = f"{text} The button “{_ASK}” asks the admins for more money."
    return View(spoken, (section(text), actions(ask)))


def request_view(asked: Asked, voice: Voice, note: str = "") -> View:
    """The question to the admins, with a button for each answer; never what the picture was to be.

    *note* (``mrkdwn``, already escaped) says why it comes here.
    """
    head, facts = _question(asked, voice)
    beside = f"{_month(asked, voice)} {note}".strip()
    number = str(asked.request.number)
    answers = actions(
        *(
            button(action, "No" if amount is None else f"Grant {_round(amount)}", number)
            for action, amount in ANSWERS.items()
        )
    )
    spoken = f"{head} {facts} {beside} Answer with the buttons Grant $5, Grant $10 or No."
    return View(spoken, (section(f"{head}\n{facts}"), context(beside), answers))


def answered_view(request: MoneyRequest, voice: Voice) -> View:
    """What becomes of the question once it is answered: no buttons are left."""
    where = channel_words(request.channel_id)
    head = f"{person_words(request.user_id)} asked in {where} for more money in {_whose(request.budget)}."
    text = f"{head} {answer_words(request, voice)}"
    return View(text, (section(text),))


def answer_words(request: MoneyRequest, voice: Voice) -> str:
    """Who answered what."""
    who = person_words(request.answered_by or "")
    on = f" on {when(request.answered_at, voice.timezone)}" if request.answered_at else ""
    if request.state is RequestState.GRANTED:
        until = last_day_words(request.ends_at, voice.timezone)
        amount = format_usd(request.amount_nano_usd or 0)
        return f"{who} granted {amount}{on}, to be used until {until}."
    if request.state is RequestState.REFUSED:
        return f"{who} said no{on}. Nothing was granted."
    return "It is not answered yet."


def told_view(request: MoneyRequest, voice: Voice) -> View:
    """The answer to whoever asked."""
    who = person_words(request.answered_by or "")
    ends = when(request.ends_at, voice.timezone)
    if request.state is RequestState.GRANTED:
        amount, whom = format_usd(request.amount_nano_usd or 0), _to(request)
        until = last_day_words(request.ends_at, voice.timezone)
        text = f"{who} granted {whom} {amount}, to be used until {until}. Send your request again."
    else:
        whose = whose_words(request.budget, request.channel_id)
        text = f"{who} answered your request for more money with no. {whose} renews on {ends}."
    return View(text, (section(text),))


def asked_words(request: MoneyRequest, voice: Voice, *, new: bool, own: bool) -> str:
    """What whoever pressed the button reads at once. Without *own* it was somebody else who asked for the
    same budget, who is not named: whom a budget declines is private."""
    if new:
        return "The admins are asked for more money. You are told by direct message what they answer."
    if request.state is RequestState.OPEN:
        at = when(request.asked_at, voice.timezone)
        if not own:
            whose = whose_words(request.budget, request.channel_id)
            return (
                f"The admins were asked already, on {at}: somebody else was declined too. {whose} gets what "
                f"they grant; send your request again later, `{voice.spend}` shows what is left."
            )
        return f"The admins were asked already, on {at}. You are told by direct message what they answer."
    after = " Send your request again." if request.state is RequestState.GRANTED else ""
    return f"This was answered already: {answer_words(request, voice)}{after}"


def nobody_words(voice: Voice) -> str:
    """There is nobody whom the button could ask."""
    return (
        "Darkroom knows nobody to ask: its settings name no admins, and there is no channel for alerts. "
        f"Ask {voice.an_admin} yourself; `{voice.spend} grant` gives more."
    )


def not_asked_words(voice: Voice, *, renewed: bool) -> str:
    """The button of a refusal that is not theirs, or is over."""
    if renewed:
        return "Your budget has renewed since then: send your request again."
    return (
        f"Only the person who was declined can ask with this button. `{voice.spend}` shows your own budget."
    )


def answered_already_words(request: MoneyRequest, voice: Voice) -> str:
    """An admin pressed, and somebody had answered before."""
    return f"This request was answered before: {answer_words(request, voice)} Nothing was changed now."


def budget_renewed_words(voice: Voice) -> str:
    """An admin granted when the budget had renewed already."""
    return (
        "Nothing was granted: that budget has renewed since the request. "
        f"`{voice.spend} grant` gives more money all the same."
    )


def only_admins_words(voice: Voice) -> str:
    """Somebody else pressed an admin's button."""
    return f"Only admins of Darkroom answer requests for more money. Ask {voice.an_admin}."


GONE = "Darkroom has no record of this request any more. Whoever was declined can ask again."


def _question(asked: Asked, voice: Voice) -> tuple[str, str]:
    request, details = asked.request, Details(asked.details)
    head = (
        f"{person_words(request.user_id)} asks in {channel_words(request.channel_id)} for more money in "
        f"{_whose(request.budget)}."
    )
    needed, cap, charged, held = (
        details.number(f"{name}_nano_usd") for name in ("needed", "cap", "charged", "held")
    )
    meanwhile = f", {format_usd(held)} held" if held else ""
    facts = (
        f"The picture that was declined could cost up to {format_usd(needed)}; {format_usd(charged)} of "
        f"{format_usd(cap)} was spent {details.period()}{meanwhile}. A grant can be used "
        f"until {last_day_words(request.ends_at, voice.timezone)}; then the budget renews."
    )
    return head, facts


def _month(asked: Asked, voice: Voice) -> str:
    month = f"{asked.month_start.astimezone(zone_of(voice.timezone)):%B %Y}"
    spent = asked.month
    return (
        f"{person_words(asked.request.user_id)} in {month}: "
        f"{counted(spent.pictures, 'picture', 'pictures')}, {format_usd(spent.charged_nano_usd)} spent"
        f"{f', {format_usd(spent.held_nano_usd)} held' if spent.held_nano_usd else ''}."
    )


def _whose(budget: BudgetKind) -> str:
    return {
        BudgetKind.PERSON: "their own budget",
        BudgetKind.CHANNEL: "the channel's budget",
        BudgetKind.WORKSPACE: "the workspace's budget",
    }[budget]


def _to(request: MoneyRequest) -> str:
    return {
        BudgetKind.PERSON: "you",
        BudgetKind.CHANNEL: channel_words(request.channel_id),
        BudgetKind.WORKSPACE: "the workspace",
    }[request.budget]


def _round(nano_usd: int) -> str:
    return f"${nano_usd // 1_000_000_000}"
