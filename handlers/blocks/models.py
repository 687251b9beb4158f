"""The models for admins: which can be used today, who may, what a picture costs, until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from darkroom.spending.bound import Ask, estimate
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.classes import TokenClass
from darkroom.spending.models import CatalogueProblem, HostModel, ImageModel, RetiredModel
from darkroom.spending.money import format_usd
from darkroom.spending.policy import EVERYONE, Dimension
from darkroom.spending.sizes import BadSize, check_size
from darkroom.spending.spans import day_words
from handlers.blocks.admin import Decided, listing
from handlers.blocks.scopes import named_scope
from handlers.blocks.tables import fitting
from handlers.blocks.text import View, escape

SQUARE = (1024, 1024)
UNPRICED_MAX = 2_000
"""Characters for the names of models without a price."""
NAMED_MAX = 3
"""People and channels that are named as an exception; of more it is said how many."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is used when nobody says otherwise: ``marks`` says of models (by the settings' names) what they
    are used for; ``size`` is of a picture, in pixels."""

    marks: Mapping[str, str]
    size: tuple[int, int]


def models_view(catalogue: Catalogue, decided: Decided, usual: Usual, today: date, spend: str) -> View:
    """Every model of the catalogue: image models that can be used, host models, then those that cannot."""
    about = _About(catalogue, today, usual.size, _denied(catalogue, decided), _marks(catalogue, usual))
    models: list[ImageModel | HostModel] = [*catalogue.images.values(), *catalogue.hosts.values()]
    gone = {model.base: why for model in models if (why := about.why_gone(model))}
    unpriced = [model for model in models if not model.prices and model.base not in gone]
    lines = [f"• {about.line(model)}" for model in models if model.prices and model.base not in gone]
    lines += [f"• `{escape(name)}` cannot be used: {why.rstrip('.')}" for name, why in gone.items()]
    if unpriced:
        names = fitting([f"{name}," for name in _by_end(unpriced)], UNPRICED_MAX, "and more,")
        lines.append(
            f"• Without a price, so that they cannot be used: {names.removesuffix(',')}. A request for one "
            "of them is answered with the lines of configuration that would price it"
        )
    notes = [
        "Prices of pictures are estimates, and the host model's part comes on top. Where no last day is "
        "named, none is announced.",
        f"`{spend} allow` and `{spend} deny` say who may use what; `{spend} caps` lists every rule.",
    ]
    return listing("Models", lines, notes, "`darkroom estimate` on the server knows them all.")


def _by_end(models: Sequence[ImageModel | HostModel]) -> list[str]:
    """The models by their last day: "`a`, `b` (until 1 December 2026)"."""
    days: dict[date | None, list[str]] = {}
    for model in models:
        days.setdefault(model.shutdown_date, []).append(f"`{escape(model.base)}`")
    return [
        ", ".join(names) + (f" (until {day_words(day)})" if day else "")
        for day, names in sorted(days.items(), key=lambda each: each[0] or date.max)
    ]


_Value = tuple[Dimension, str]


def _denied(catalogue: Catalogue, decided: Decided) -> dict[_Value, str]:
    """To whom each image model and each quality is denied; empty where everybody may."""
    images = catalogue.images.values()
    qualities = dict.fromkeys(quality for model in images for quality in model.qualities)
    values = [(Dimension.MODEL, model.base) for model in images]
    values += [(Dimension.QUALITY, quality) for quality in qualities]
    return {value: _denied_to(value, decided) for value in values}


def _denied_to(wanted: _Value, decided: Decided) -> str:
    def may(person: str = "", channel: str = "") -> bool:
        # Nobody has an empty key: without a person or channel, the rules of the others decide.
        access = decided.policy.access_of(
            person.removeprefix("person:"), decided.team_id, channel.rpartition(":")[2]
        )
        return access.allows(*wanted)

    usual = may()
    scopes = sorted(
        {rule.scope for rule in decided.policy.access if rule.dimension is wanted[0]} - {EVERYONE}
    )
    people = [scope for scope in scopes if scope.startswith("person:")]
    others = [person for person in people if may(person) != usual]
    others += [scope for scope in scopes if scope not in people and may(channel=scope) != usual]

    def name(scope: str) -> str:
        words = named_scope(scope, decided.people)
        # Those with a rule of their own, which holds for them in such a channel too.
        apart = [] if scope in people else [person for person in people if may(person, scope) == usual]
        if not apart:
            return words
        named = _some(apart, lambda person: named_scope(person, decided.people))
        return f"{words} (where {named} may{'' if usual else ' not'})"

    if usual:
        return f"denied to {_some(others, name)}" if others else ""
    return f"denied to everyone{f' but {_some(others, name)}' if others else ''}"


def _some(scopes: Sequence[str], name: Callable[[str], str]) -> str:
    names = [name(scope) for scope in scopes[:NAMED_MAX]]
    if more := len(scopes) - len(names):
        names.append(f"{more:,} more")
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def _marks(catalogue: Catalogue, usual: Usual) -> dict[str, str]:
    """The marks by listed name."""
    found = {}
    for name, mark in usual.marks.items():
        for find in (catalogue.image, catalogue.host):
            try:
                found[find(name).base] = mark
            except CatalogueProblem:
                continue
    return found


@dataclass(frozen=True, slots=True)
class _About:
    catalogue: Catalogue
    today: date
    size: tuple[int, int]
    denied: Mapping[_Value, str]
    marks: Mapping[str, str]

    def why_gone(self, model: ImageModel | HostModel) -> str:
        """Why it does not exist any more, escaped; empty while it does."""
        usable = self.catalogue.usable_image if isinstance(model, ImageModel) else self.catalogue.usable_host
        try:
            usable(model.base, self.today)
        except RetiredModel as problem:
            return escape(str(problem))
        except CatalogueProblem:
            pass
        return ""

    def line(self, model: ImageModel | HostModel) -> str:
        """All about one that can be used."""
        usual = "" if isinstance(model, ImageModel) else "a host model"
        mark = self.marks.get(model.base, usual)
        name = f"`{escape(model.base)}`{f' ({mark})' if mark else ''}"
        parts = self._pictures(model) if isinstance(model, ImageModel) else []
        return f"{name}: " + "; ".join([*parts, self._rates(model), *_until(model)])

    def _pictures(self, model: ImageModel) -> list[str]:
        denied = self.denied[Dimension.MODEL, model.base]
        parts = [denied] if denied else []
        size = self.size if _paints(model, self.size) else SQUARE
        prices = []
        for quality in model.qualities:
            # The picture alone: no host model, no prompt.
            ask = Ask(model.base, None, *size, quality, 0, 0, 0, 0, self.today)
            price = format_usd(estimate(ask, self.catalogue).total_nano_usd)
            denied = self.denied[Dimension.QUALITY, quality]
            prices.append(f"{quality} {price}{f' ({denied})' if denied else ''}")
        return [*parts, f"{size[0]}x{size[1]} {', '.join(prices)}"] if prices else parts

    def _rates(self, model: ImageModel | HostModel) -> str:
        rates = self.catalogue.price_of(model.base, self.today).rates
        # Nano-dollars a token, times a million tokens.
        named = [
            f"{name} {format_usd(round(rates[each] * 1_000_000))}"
            for each, name in _SHOWN.items()
            if each in rates
        ]
        return f"a million tokens {', '.join(named)}"


def _paints(model: ImageModel, size: tuple[int, int]) -> bool:
    try:
        check_size(model, *size)
    except BadSize:
        return False
    return True


_SHOWN = {
    TokenClass.text_input: "text in",
    TokenClass.image_input: "pictures in",
    TokenClass.image_output: "pictures out",
    TokenClass.host_input: "in",
    TokenClass.host_output: "out",
}


def _until(model: ImageModel | HostModel) -> list[str]:
    """Its last day and what comes then, if that is announced."""
    if model.shutdown_date is None:
        return []
    instead = f", use `{escape(model.replacement)}` instead" if model.replacement else ""
    return [f"shut down on {day_words(model.shutdown_date)}{instead}"]
