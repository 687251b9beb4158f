"""Computes every stored charge again from what is stored beside it, and says where the books differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from darkroom.spending.bound import Ask, ask_from, bound
from darkroom.spending.catalogue import Catalogue, CatalogueProblem, UnknownModel
from darkroom.spending.classes import Cost
from darkroom.spending.cost import BAD_USAGE, ESTIMATED, MODERATED, Charged, charge
from darkroom.spending.sizes import BadSize
from darkroom.spending.tokens import BadQuality


class EntryKind(StrEnum):
    """What an entry of the journal did to the charge of its attempt."""

    SETTLE = "settle"
    """The real cost, from usage."""
    UNCERTAIN = "uncertain"
    """The whole hold, until the cost is known."""
    RELEASE = "release"
    """Nothing was charged."""
    CORRECTION = "correction"
    """An admin's word, or the real cost that became known, after an uncertain end."""


@dataclass(frozen=True, slots=True)
class StoredCharge:
    """One entry of the journal with everything its amount was computed from; amounts in nano-dollars.

    `ask` is what `ask_data` wrote when the hold was taken, None for an entry made before it was kept.
    `cost` is the amount as stored: its lines need not add up to its total, which is then a difference.
    `hold` is the bound of the attempt by class. `charged_before` is what the attempt's other entries
    charged, `picture_made` whether this one brought a picture.
    """

    entry_id: int
    attempt_id: str
    kind: EntryKind
    ask: Mapping[str, Any] | None
    hold: Cost
    host_usage: Mapping[str, Any] | None
    image_usage: Mapping[str, Any] | None
    image_model: str
    host_model: str
    price_version: str
    flags: frozenset[str]
    picture_made: bool
    cost: Cost
    charged_before: int = 0


class CannotReprice(LookupError):
    """The charge cannot be computed again; the message is a sentence that says why."""


class MadeBefore(CannotReprice):
    """The entry was made before calls were kept, and its usage alone does not give its amount."""

    def __init__(self) -> None:
        super().__init__("It was made before the call was kept with its hold, and its usage is not complete.")


class Verdict(StrEnum):
    """What came of computing an entry again."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """It should be possible to compute it, and it is not: its prices are gone, or a record is broken."""
    MADE_BEFORE = "made_before"
    """It was never possible: see `MadeBefore`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An entry and what it should be: `computed` is None where that is not known, and `why` says why."""

    entry: StoredCharge
    verdict: Verdict
    computed: Cost | None
    why: str = ""


def reprice(entry: StoredCharge, catalogue: Catalogue) -> Cost:
    """The amount that the entry should have, by class.

    A settled call is charged by its usage again, at its price version; an uncertain one its whole hold,
    which is computed from the call where that is kept; a release nothing. A correction is somebody's word:
    it is taken as it stands. Raises `CannotReprice`.
    """
    if entry.kind is EntryKind.RELEASE:
        return Cost((), 0)
    if entry.kind is EntryKind.CORRECTION:
        return entry.cost
    try:
        ask = None if entry.ask is None else ask_from(entry.ask)
        if entry.kind is EntryKind.UNCERTAIN:
            return entry.hold if ask is None else bound(ask, catalogue, price_version=entry.price_version)
        _usage_is_a_record(entry)
        return _settled(entry, ask, catalogue)
    except (CatalogueProblem, BadQuality, BadSize) as problem:
        raise CannotReprice(str(problem.args[0])) from problem
    except ValueError as fault:
        raise CannotReprice(f"What is stored of the call cannot be read: {fault}") from fault


def check(entry: StoredCharge, catalogue: Catalogue) -> Finding:
    """Compare what is stored with what `reprice` gives, by class and in all."""
    stored = entry.cost
    if sum(line.charged_nano_usd for line in stored.lines) != stored.total_nano_usd:
        why = "Its amounts by class do not add up to the amount that was charged."
        return Finding(entry, Verdict.DIFFERENT, _or_none(entry, catalogue), why)
    try:
        computed = reprice(entry, catalogue)
    except MadeBefore as problem:
        return Finding(entry, Verdict.MADE_BEFORE, None, str(problem))
    except CannotReprice as problem:
        return Finding(entry, Verdict.UNKNOWN, None, str(problem))
    if entry.kind is EntryKind.CORRECTION and entry.charged_before + stored.total_nano_usd < 0:
        why = "The correction takes back more than was charged."
        return Finding(entry, Verdict.DIFFERENT, computed, why)
    if set(computed.lines) != set(stored.lines):
        why = (
            "The amount is another one."
            if computed.total_nano_usd != stored.total_nano_usd
            else "The amount is the same, but its classes are others."
        )
        return Finding(entry, Verdict.DIFFERENT, computed, why)
    return Finding(entry, Verdict.SAME, computed)


def _or_none(entry: StoredCharge, catalogue: Catalogue) -> Cost | None:
    try:
        return reprice(entry, catalogue)
    except CannotReprice:
        return None


def _usage_is_a_record(entry: StoredCharge) -> None:
    for usage in (entry.host_usage, entry.image_usage):
        if usage is not None and not isinstance(usage, Mapping):
            raise CannotReprice("What is stored as its usage is no record of usage.")


def _settled(entry: StoredCharge, ask: Ask | None, catalogue: Catalogue) -> Cost:
    if ask is not None:
        return _charge(entry, ask, catalogue).cost
    try:
        charged = _charge(entry, _stand_in(entry), catalogue)
    except (UnknownModel, BadQuality, BadSize) as problem:
        raise MadeBefore from problem
    if charged.flags & {ESTIMATED, BAD_USAGE}:
        raise MadeBefore
    return charged.cost


def _charge(entry: StoredCharge, ask: Ask, catalogue: Catalogue) -> Charged:
    return charge(
        entry.host_usage,
        entry.image_usage,
        ask=ask,
        catalogue=catalogue,
        image_model=entry.image_model,
        host_model=entry.host_model,
        picture_made=entry.picture_made,
        moderated=MODERATED in entry.flags,
        price_version=entry.price_version,
    )


def _stand_in(entry: StoredCharge) -> Ask:
    """A call of which only the models are known: all that a charge needs whose usage is complete."""
    return Ask(
        image_model=entry.image_model,
        host_model=entry.host_model if "+" in entry.price_version else None,
        width=0,
        height=0,
        quality="",
        prompt_bytes=0,
        instruction_bytes=0,
        input_pictures=0,
        max_output_tokens=0,
        today=date.min,
    )
