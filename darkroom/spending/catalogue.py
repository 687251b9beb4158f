"""The catalogue: which models there are, what they can do, and what a token of theirs costs on a day."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from darkroom.spending.catalogue_file import MAX_BYTES, Entry, read_entries
from darkroom.spending.families import family_of, marked
from darkroom.spending.models import (
    BadCatalogue,
    CatalogueProblem,
    Family,
    HostModel,
    ImageModel,
    LongContext,
    PriceVersion,
    RetiredModel,
    UnknownModel,
    UnknownPrice,
    UnpricedModel,
    pricing_lines,
)

__all__ = [
    "BadCatalogue",
    "Catalogue",
    "CatalogueProblem",
    "Family",
    "HostModel",
    "ImageModel",
    "LongContext",
    "PriceVersion",
    "RetiredModel",
    "UnknownModel",
    "UnknownPrice",
    "UnpricedModel",
    "load_catalogue",
    "price_key",
    "pricing_lines",
]

READ_ON = date(2026, 11, 20)
"""When the catalogue that ships with Darkroom was last held against OpenAI's own pages."""

_DATED = re.compile(r"(.+)-\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models by name. Snapshots are found under their own names and priced as their entry.

    `families` holds their token numbers by name and mark: ours, and an operator's where they differ.
    """

    images: Mapping[str, ImageModel]
    hosts: Mapping[str, HostModel]
    families: Mapping[tuple[str, str], Family]

    def image(self, model_id: str, family_mark: str | None = None) -> ImageModel:
        """The image model of that name, usable or not, with the token numbers of that mark or today's.

        Raises `UnknownModel`, and `UnknownPrice` when no numbers of that mark are stored.
        """
        for model in self.images.values():
            if model_id == model.base or model_id in model.aliases:
                tokens = model.tokens
                if family_mark is not None and family_mark != tokens.mark:
                    tokens = self._numbers(model.family, family_mark)
                return replace(model, id=model_id, tokens=tokens)
        raise UnknownModel(model_id, pricing_lines("image", model_id), self.images)

    def _numbers(self, family: str, mark: str) -> Family:
        try:
            return self.families[family, mark]
        except KeyError:
            which = f"marked {mark}" if mark else "of Darkroom's own"
            raise UnknownPrice(
                f"The catalogue has no token numbers {which} for the family {family}."
            ) from None

    def host(self, model_id: str) -> HostModel:
        """The host model of that name, usable or not. Raises `UnknownModel`."""
        for model in self.hosts.values():
            if model_id == model.base or model_id in model.aliases:
                return replace(model, id=model_id)
        raise UnknownModel(model_id, pricing_lines("host", model_id), self.hosts)

    def usable_image(self, model_id: str, on: date) -> ImageModel:
        """The image model, when it exists on that day and has a price.

        Raises `UnknownModel`, `RetiredModel` (from its shutdown date on) or `UnpricedModel`.
        """
        model = self.image(model_id)
        _refuse_unusable(model, "image", on)
        return model

    def usable_images(self, on: date) -> list[str]:
        """The listed names of all image models that can be used on that day."""
        found: list[str] = []
        for name in self.images:
            try:
                found.append(self.usable_image(name, on).base)
            except CatalogueProblem:
                continue
        return found

    def usable_host(self, model_id: str, on: date) -> HostModel:
        """The host model, when it exists on that day and has a price; raises like `usable_image`."""
        model = self.host(model_id)
        _refuse_unusable(model, "host", on)
        return model

    def price_of(self, model_id: str, at: date) -> PriceVersion:
        """The prices of an image or host model in force on a day.

        An operator's prices win over ours from the day they take effect. The first known price also covers
        the days before it: a clock that is wrong must not make a model unpriced. Raises `UnknownModel` or
        `UnpricedModel`.
        """
        kind, model = self.find(model_id)
        own = [price for price in model.prices if price.operator]
        ours = [price for price in model.prices if not price.operator]
        for prices in (own, ours):
            if in_force := [price for price in prices if price.effective <= at]:
                return max(in_force, key=lambda price: price.effective)
        for prices in (ours, own):
            if prices:
                return min(prices, key=lambda price: price.effective)
        raise UnpricedModel(model_id, pricing_lines(kind, model.base, listed=True))

    def price_version(self, key: str) -> PriceVersion:
        """The prices that a journal entry names by `PriceVersion.key`. Raises `UnknownPrice`."""
        base, _, rest = key.partition("@")
        version, _, family_mark = rest.partition("^")
        for model in (self.images.get(base), self.hosts.get(base)):
            for price in model.prices if model else ():
                if price.version == version:
                    return replace(price, family_mark=family_mark)
        raise UnknownPrice(f"The catalogue has no prices called {key}.")

    def stored_prices(self, price_version: str) -> tuple[PriceVersion, PriceVersion | None]:
        """The image model's and the host's prices behind the text that `price_key` made, the host's None on
        the Images API. Raises `UnknownPrice`."""
        image, _, host = price_version.partition("+")
        return self.price_version(image), self.price_version(host) if host else None

    def answered_image(self, model_id: str) -> str | None:
        """The listed, priced name for an image model named in an answer; None when there is none.

        Answers name dated snapshots that no list has yet: those count as the model they are dated from.
        """
        return _answered(model_id, self.images)

    def answered_host(self, model_id: str) -> str | None:
        """The listed, priced name for a host model named in an answer; None when there is none."""
        return _answered(model_id, self.hosts)

    def find(self, model_id: str) -> tuple[str, ImageModel | HostModel]:
        """The image or host model of that name, usable or not, and which of both: "image" or "host". Raises
        `UnknownModel`."""
        try:
            return "image", self.image(model_id)
        except UnknownModel as error:
            try:
                return "host", self.host(model_id)
            except UnknownModel as second:
                raise (error if "image" in model_id else second) from None


def load_catalogue(override: Path | None = None) -> Catalogue:
    """Read the catalogue that ships with Darkroom, and an operator's file on top of it.

    In the operator's file a key overrides ours, prices are added and win, new models are added. Raises
    `BadCatalogue`, also when the operator's file cannot be read.
    """
    shipped = files("darkroom.spending").joinpath("catalogue.toml").read_text(encoding="utf-8")
    entries = list(read_entries(shipped, "catalogue.toml", operator=False))
    name = "catalogue.toml"
    if override is not None:
        name = str(override)
        entries += read_entries(_read(override), name, operator=True)
    return _build(entries, name)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadCatalogue(f"{path}: larger than {MAX_BYTES:,} bytes")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCatalogue(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _build(entries: Iterable[Entry], file: str) -> Catalogue:
    models: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        models.setdefault((entry.kind, entry.model), []).append(entry)
    families = {
        family.name: family
        for family in (_family(given) for (kind, _), given in models.items() if kind == "family")
    }
    images: dict[str, ImageModel] = {}
    hosts: dict[str, HostModel] = {}
    for (kind, name), given in models.items():
        if kind == "image":
            images[name] = _image(name, given, families)
        elif kind == "host":
            hosts[name] = HostModel(**_common(name, given))
    _check_names(images, hosts, file)
    for model in images.values():
        _check_qualities(model, file)
    known = {(family.name, family.mark): family for family in families.values()}
    for (kind, name), given in models.items():
        if kind == "family" and not given[0].operator:
            known[name, ""] = _family(given[:1])
    return Catalogue(MappingProxyType(images), MappingProxyType(hosts), MappingProxyType(known))


def _family(given: list[Entry]) -> Family:
    """The family as all files together have it, marked when an operator's numbers are not ours."""
    values: dict[str, Any] = {}
    ours: Family | None = None
    for entry in given:
        # Who replaces a formula by a table, or the other way round, need not take the first back.
        if "table" in entry.values:
            values.pop("factors", None)
        if "factors" in entry.values:
            values.pop("table", None)
        values |= entry.values
        family = family_of(entry.model, values, entry.place)
        if not entry.operator:
            ours = family
    return marked(family, ours)


def _common(name: str, given: list[Entry]) -> dict[str, Any]:
    values: dict[str, Any] = {"status": "current", "id": name, "base": name, "prices": ()}
    for entry in given:
        values |= {**entry.values, "prices": values["prices"] + entry.prices}
    return values


def _image(name: str, given: list[Entry], families: Mapping[str, Family]) -> ImageModel:
    values = _common(name, given)
    place = next((entry.place for entry in reversed(given) if "family" in entry.values), given[-1].place)
    if values.get("family") not in families:
        problem = "one of" if "family" in values else "missing; one of"
        raise (place / "family").fault(f"{problem} {', '.join(sorted(families))}")
    family = families[values["family"]]
    values.setdefault("qualities", family.qualities)
    values.setdefault("flexible_sizes", not family.table)
    if family.table and values["flexible_sizes"]:
        place = next((each.place for each in reversed(given) if "flexible_sizes" in each.values), place)
        raise (place / "flexible_sizes").fault(f"false: family {family.name} has a table of its sizes")
    prices = tuple(replace(price, family_mark=family.mark) for price in values["prices"])
    return ImageModel(**{**values, "tokens": family, "prices": prices})


def _check_names(images: Mapping[str, ImageModel], hosts: Mapping[str, HostModel], file: str) -> None:
    seen: set[str] = set()
    for kind, models in (("image", images), ("host", hosts)):
        for model in models.values():
            for name in (model.base, *model.aliases):
                if name in seen:
                    raise BadCatalogue(f"{file}: {kind}.{model.base}.aliases: {name} is listed twice")
                seen.add(name)
            if model.replacement is not None and not _listed(model.replacement, models):
                raise BadCatalogue(f"{file}: {kind}.{model.base}.replacement: a model of this catalogue")


def _check_qualities(model: ImageModel, file: str) -> None:
    allowed = model.tokens.qualities
    if bool(allowed) != bool(model.qualities) or not set(model.qualities) <= set(allowed):
        key = f"image.{model.base}.qualities"
        raise BadCatalogue(f"{file}: {key}: family {model.family} has {', '.join(allowed) or 'none'}")
    if model.prices and not model.qualities:
        # How many tokens its pictures take is not known: nothing could be held for one.
        raise BadCatalogue(
            f"{file}: image.{model.base}.prices: family {model.family} does not say how many tokens a "
            "picture takes, so a price is of no use. Name another family, or give this one factors or a table"
        )


def _listed(name: str, models: Mapping[str, ImageModel] | Mapping[str, HostModel]) -> bool:
    return any(name == model.base or name in model.aliases for model in models.values())


def _answered(model_id: str, models: Mapping[str, ImageModel] | Mapping[str, HostModel]) -> str | None:
    dated = _DATED.fullmatch(model_id)
    for name in (model_id, dated.group(1) if dated else model_id):
        for model in models.values():
            if (name == model.base or name in model.aliases) and model.prices:
                return name
    return None


def _refuse_unusable(model: ImageModel | HostModel, kind: str, on: date) -> None:
    shut_down = model.shutdown_date is not None and on >= model.shutdown_date
    if shut_down or model.status == "retired":
        raise RetiredModel(model.id, model.replacement, model.shutdown_date)
    if not model.prices:
        raise UnpricedModel(model.id, pricing_lines(kind, model.base, listed=True))


def price_key(image: PriceVersion, host: PriceVersion | None = None) -> str:
    """The text that a charge keeps for its price versions: the image model's key and, behind a "+", the
    host's, if there is one. `Catalogue.stored_prices` reads it."""
    return image.key if host is None else f"{image.key}+{host.key}"
