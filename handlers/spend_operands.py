"""The parts that commands of ``/spend`` are made of: whom, how much, when; what is wrong, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from darkroom.spending.catalogue import Catalogue
from darkroom.spending.changes import Channel, Owner, Person, Workspace
from darkroom.spending.money import BadAmount, parse_usd
from darkroom.spending.spans import BadSpan, BadYear, Span, parse_span
from handlers.blocks.text import escape, mention, shown
from handlers.spend_tokens import Token, Word

GRANT_YEARS_MAX = 5
"""A grant ends within so many years."""
SHOWN_MAX = 40
_NUMBER = re.compile(r"#?0*([1-9][0-9]{0,8})")
LAST_DAY = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
"""How the last day of a grant is written: a day, or a month for its last one."""
_NAME = re.compile(r"[^\W\d][\w.-]*")
_BETWEEN = ("to", "until", "till", "-")


@dataclass(frozen=True, slots=True)
class Rules:
    """What commands are read against: the command's name, the workspace's zone, the time, the models."""

    spend: str
    timezone: str
    now: datetime
    catalogue: Catalogue


class Wrong(Exception):
    """What is wrong, as a sentence of escaped ``mrkdwn`` without an example."""


class NoAmount(Wrong):
    """What stands where an amount should is none."""


def show(token: Token) -> str:
    """A token as it may stand in a sentence: escaped, and short."""
    if isinstance(token, Person):
        return mention(token.user_id)
    if isinstance(token, Channel):
        return channel_mention(token.channel_id)
    return shown(token.text if isinstance(token, Word) else token.name, SHOWN_MAX)


def channel_mention(channel_id: str) -> str:
    """The markup that names a channel."""
    return f"<#{channel_id}>"


PICK = (
    "Slack did not say whom or which channel that is: pick the name from the list that Slack shows while "
    "you type `@` or `#`."
)


def unresolved(token: Token) -> bool:
    """Whether it is a name that Slack left as it was typed."""
    return isinstance(token, Word) and token.text[0] in "@#" and not _NUMBER.fullmatch(token.text)


def typed_name(token: Token) -> str:
    """The hint for who typed a name as a plain word: how Slack learns whom they mean; else nothing."""
    if isinstance(token, Word) and _NAME.fullmatch(token.text):
        return " Begin a name with `@` or `#` and pick it from the list that Slack shows."
    return ""


def split_name(words: Sequence[Token]) -> bool:
    """Whether a person is followed by a word that may be the rest of their name: of a name that is typed
    by hand, Slack may have read only what stands before the blank."""
    return any(isinstance(one, Person) and typed_name(next_one) for one, next_one in pairwise(words))


def read_span(rest: Sequence[Token], rules: Rules) -> Span:
    """The period that the words write; this month without any."""
    if not all(isinstance(token, Word) for token in rest):
        raise Wrong("Behind it may stand a period, and nothing else.")
    said = [token.text for token in rest if isinstance(token, Word)]
    if len(said) == 3 and said[1] in _BETWEEN:
        said = [f"{said[0]}..{said[2]}"]
    text = " ".join(said)
    try:
        return parse_span(text, rules.timezone, rules.now)
    except BadSpan as bad:
        raise Wrong(escape(str(bad))) from bad


def nothing_more(rest: Sequence[Token], name: str) -> None:
    """Raise when something stands behind what is whole."""
    if rest:
        raise Wrong(f"`{name}` takes nothing behind it; “{show(rest[0])}” is too much.")


def read_amount(token: Token) -> int:
    """An amount of money, in nano-dollars."""
    try:
        return parse_usd(token.text if isinstance(token, Word) else "")
    except BadAmount as bad:
        raise NoAmount(f"“{show(token)}” is no amount. {escape(str(bad))}") from bad


def first_of(rest: Sequence[Token], wanted: str) -> Token:
    """The first token, which must be there and no name that Slack left alone."""
    if not rest:
        raise Wrong(f"Say {wanted}.")
    if unresolved(rest[0]):
        raise Wrong(PICK)
    return rest[0]


def read_person(rest: Sequence[Token], name: str) -> Person:
    """The one person that everything is about."""
    first = first_of(rest, "whom")
    if not isinstance(first, Person):
        raise Wrong(f"`{name}` is about one person; “{show(first)}” is none.{typed_name(first)}")
    nothing_more(rest[1:], f"{name} @person")
    return first


def read_number(rest: Sequence[Token], wanted: str) -> int:
    """The number of something that is listed, as "3" or "#3"."""
    first = first_of(rest, f"the number of {wanted}")
    match = _NUMBER.fullmatch(first.text) if isinstance(first, Word) else None
    if match is None:
        raise Wrong(f"“{show(first)}” is not the number of {wanted}.")
    return int(match[1])


def says(token: Token, *words: str) -> bool:
    """Whether the token is one of these words."""
    return isinstance(token, Word) and token.text in words


def owner_of(token: Token) -> Owner | None:
    """Whose budget, or None when it is nobody's."""
    if isinstance(token, Person | Channel):
        return token
    return Workspace() if says(token, "team", "workspace") else None


def read_last_day(day: str, rules: Rules) -> datetime:
    """The end of the last day that a grant is good for (UTC, exclusive)."""
    relative = {f"end of {kind}": f"this {kind}" for kind in ("month", "week", "year")} | {"today": "today"}
    if day not in relative and not LAST_DAY.fullmatch(day):
        raise Wrong("The last day is written like `2026-12-31`, or it is `end of month`.")
    try:
        ends = parse_span(relative.get(day, day), rules.timezone, rules.now).end
    except BadYear as bad:
        raise Wrong(escape(str(bad))) from bad
    except BadSpan as bad:
        raise Wrong(f"“{escape(day)}” is no date of the calendar.") from bad
    if ends <= rules.now:
        raise Wrong("That day is over: a grant ends today or later.")
    if ends > rules.now + timedelta(days=366 * GRANT_YEARS_MAX):
        raise Wrong(f"A grant ends within {GRANT_YEARS_MAX} years.")
    return ends
