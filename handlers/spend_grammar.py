"""What people may say behind ``/spend``: text in, a command or a sentence about the mistake out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from darkroom.spending.changes import (
    Change,
    Channel,
    EndPilot,
    Everyone,
    Person,
    SetAccess,
    SetAlertsChannel,
    SetBlocked,
    SetExempt,
    SetPaused,
    SetPilot,
)
from darkroom.spending.models import QUALITY_NAMES
from darkroom.spending.policy import ALL, Dimension
from darkroom.spending.spans import Span
from handlers.blocks.text import escape, shown
from handlers.spend_amounts import read_cap, read_grant, read_revoke, read_uncertain
from handlers.spend_commands import (
    EXAMPLES,
    NAMED_EXAMPLE,
    Changes,
    ChannelSpend,
    Command,
    Help,
    ListAlerts,
    ListCaps,
    ListGrants,
    ListHistory,
    ListModels,
    ListPilots,
    Mistake,
    Own,
    PersonSpend,
    SendReport,
    TeamSpend,
    meant_by,
)
from handlers.spend_operands import (
    PICK,
    SHOWN_MAX,
    NoAmount,
    Rules,
    Wrong,
    first_of,
    nothing_more,
    read_person,
    read_span,
    says,
    show,
    split_name,
    typed_name,
    unresolved,
)
from handlers.spend_tokens import TYPED_MAX, Token, Word, tokens_of

PILOTS_AT_ONCE_MAX = 20
WHOLE_NAME = (
    "If it belongs to the name, the name was not understood: pick it from the list that Slack shows while "
    "you type `@`."
)


def read_command(text: str, rules: Rules) -> Command:
    """Read what was typed behind the command's name, as Slack sends it. Never raises."""
    if len(text) > TYPED_MAX:
        return Mistake(f"That is too long for a command. `{rules.spend} help` lists what there is.", False)
    words = tokens_of(text)
    if not words:
        return Help() if "?" in text else Own()
    first, rest = words[0], words[1:]
    name = first.text if isinstance(first, Word) else ""
    try:
        if isinstance(first, Person):
            return PersonSpend(first.user_id, _span_behind_name(rest, rules))
        if isinstance(first, Channel):
            return ChannelSpend(first.channel_id, _span_behind_name(rest, rules))
        if name == "help":
            return Help()
        if name in _READERS:
            return _READERS[name](rest, rules)
    except Wrong as wrong:
        # Behind a person's name a command is misplaced: then its own example shows where it stands.
        names = (name, *(word.text for word in rest[:1] if isinstance(word, Word)))
        example = next((EXAMPLES[each] for each in names if each in EXAMPLES), NAMED_EXAMPLE)
        whole = f" {WHOLE_NAME}" if isinstance(wrong, NoAmount) and split_name(words) else ""
        return Mistake(f"{wrong}{whole} For example: `{rules.spend} {example}`.", True)
    return Mistake(_unknown(first, rules), False)


def _unknown(first: Token, rules: Rules) -> str:
    more = f"`{rules.spend} help` lists what there is."
    if unresolved(first):
        return f"{PICK} For example: `{rules.spend} {NAMED_EXAMPLE}`. {more}"
    near = meant_by(first.text) if isinstance(first, Word) else ""
    if near == "help":
        return f"“{show(first)}” is nothing I know here. Did you mean `{rules.spend} help`?"
    meant = f" Did you mean `{rules.spend} {near}`?" if near else ""
    return f"“{show(first)}” is nothing I know here.{meant} {more}"


def _span_behind_name(rest: Sequence[Token], rules: Rules) -> Span:
    """The period behind a name; who writes a command there is told where it belongs."""
    if rest and isinstance(rest[0], Word) and rest[0].text in _READERS:
        raise Wrong(f"`{rest[0].text}` stands before the name.")
    return read_span(rest, rules)


def _access(allowed: bool) -> Callable[[Sequence[Token], Rules], Command]:
    def read(rest: Sequence[Token], rules: Rules) -> Command:
        first = first_of(rest, "whom it is for: a person, a channel or `everyone`")
        to = first if isinstance(first, Person | Channel) else None
        if to is None and not says(first, "everyone", "everybody"):
            raise Wrong(
                f"It is for a person, a channel or `everyone`; “{show(first)}” is none.{typed_name(first)}"
            )
        if len(rest) < 2 or not says(rest[1], "model", "models", "quality", "qualities"):
            raise Wrong("Say `model` or `quality` behind it.")
        dimension = Dimension.MODEL if says(rest[1], "model", "models") else Dimension.QUALITY
        values = [_shown_word(token) for token in rest[2:]]
        if not values:
            raise Wrong(f"Say which, or `all`, or `default`. {_values_allowed(dimension, rules)}")
        if values == ["default"]:
            return Changes((SetAccess(to or Everyone(), dimension, (), None),))
        named = tuple(dict.fromkeys(_value(value, dimension, rules) for value in values))
        return Changes((SetAccess(to or Everyone(), dimension, named, allowed),))

    return read


def _shown_word(token: Token) -> str:
    if not isinstance(token, Word):
        raise Wrong("Behind `model` or `quality` stand names only.")
    return token.text


def _values_allowed(dimension: Dimension, rules: Rules) -> str:
    names = sorted(rules.catalogue.images) if dimension is Dimension.MODEL else QUALITY_NAMES
    return f"There is {', '.join(f'`{escape(name)}`' for name in names)}."


def _value(text: str, dimension: Dimension, rules: Rules) -> str:
    if text == "all":
        return ALL
    if dimension is Dimension.QUALITY:
        if text in QUALITY_NAMES:
            return text
    else:
        # Words are read in small letters; an operator's own model may have others in its name.
        for model in rules.catalogue.images.values():
            if text in {name.lower() for name in (model.base, *model.aliases)}:
                return model.base
    raise Wrong(f"“{shown(text, SHOWN_MAX)}” is no {dimension}. {_values_allowed(dimension, rules)}")


def _pilot(member: bool) -> Callable[[Sequence[Token], Rules], Command]:
    def read(rest: Sequence[Token], rules: Rules) -> Command:
        if member and not rest:
            return ListPilots()
        if member and rest and says(rest[0], "off"):
            nothing_more(rest[1:], "pilot off")
            return Changes((EndPilot(),))
        first_of(rest, "whom, or which channel")
        if len(rest) > PILOTS_AT_ONCE_MAX:
            raise Wrong(f"At most {PILOTS_AT_ONCE_MAX} at once.")
        changes = []
        for token in dict.fromkeys(rest):
            if not isinstance(token, Person | Channel):
                raise Wrong(
                    PICK
                    if unresolved(token)
                    else f"The list has people and channels; “{show(token)}” is neither.{typed_name(token)}"
                )
            changes.append(SetPilot(token, member))
        return Changes(tuple(changes))

    return read


def _alerts(rest: Sequence[Token], rules: Rules) -> Command:
    if not rest:
        return ListAlerts()
    first = first_of(rest, "where")
    if not isinstance(first, Channel) and not says(first, "off"):
        raise Wrong(
            f"Alerts go to a channel, or `off` sends them to admins; “{show(first)}” is neither."
            f"{typed_name(first)}"
        )
    nothing_more(rest[1:], "alerts #channel")
    return Changes((SetAlertsChannel(first.channel_id if isinstance(first, Channel) else None),))


def _alone(name: str, command: Command) -> Callable[[Sequence[Token], Rules], Command]:
    def read(rest: Sequence[Token], rules: Rules) -> Command:
        nothing_more(rest, name)
        return command

    return read


def _of_person(name: str, change: Callable[[Person], Change]) -> Callable[[Sequence[Token], Rules], Command]:
    return lambda rest, rules: Changes((change(read_person(rest, name)),))


_READERS: Mapping[str, Callable[[Sequence[Token], Rules], Command]] = {
    "team": lambda rest, rules: TeamSpend(read_span(rest, rules)),
    "report": lambda rest, rules: SendReport(read_span(rest, rules)),
    "caps": _alone("caps", ListCaps()),
    "grants": _alone("grants", ListGrants()),
    "models": _alone("models", ListModels()),
    "history": _alone("history", ListHistory()),
    "pause": _alone("pause", Changes((SetPaused(True),))),
    "resume": _alone("resume", Changes((SetPaused(False),))),
    "block": _of_person("block", lambda person: SetBlocked(person, True)),
    "unblock": _of_person("unblock", lambda person: SetBlocked(person, False)),
    "exempt": _of_person("exempt", lambda person: SetExempt(person, True)),
    "unexempt": _of_person("unexempt", lambda person: SetExempt(person, False)),
    "cap": read_cap,
    "grant": read_grant,
    "revoke": read_revoke,
    "allow": _access(True),
    "deny": _access(False),
    "pilot": _pilot(True),
    "unpilot": _pilot(False),
    "alerts": _alerts,
    "uncertain": read_uncertain,
}
