"""The models that the settings name: known, priced, for how long, and whether this account may call them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bot.doctor.finding import Finding, fail, good, skip, warn
from bot.settings import Settings
from darkroom.rendering.access import Access, ModelSeen
from darkroom.spending.catalogue import (
    BadCatalogue,
    Catalogue,
    CatalogueProblem,
    RetiredModel,
    UnpricedModel,
    load_catalogue,
)

SOON = timedelta(days=45)
"""So long before a model is shut down somebody should know."""
OLD = timedelta(days=365)
"""From so long after its first day on a price is worth another look."""
VERIFY = (
    "Verify the organisation: platform.openai.com/settings/organization/general → Verify Organization. That "
    "takes up to half an hour; until then the fallbacks are used."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that the settings name, and in which one of them; ``shutdown`` is the catalogue's day."""

    setting: str
    model: str
    shutdown: date | None = None


def look_at_models(settings: Settings, today: date) -> tuple[list[Candidate], list[Finding]]:
    """Every model that may be called, once, and what the catalogue says of all that are named."""
    image = settings.image
    named = [("image.model", image.model), *(("image.fallback", name) for name in image.fallback)]
    try:
        catalogue = load_catalogue(settings.catalogue.file)
    except BadCatalogue as bad:
        remedy = "Mend the file that catalogue.file names; docs/configuration.md says what it may hold."
        return [Candidate(*each) for each in named], [fail("catalogue", str(bad), remedy)]
    candidates: list[Candidate] = []
    findings: list[Finding] = []
    for setting, model in (*named, ("image.host_model", image.host_model)):
        if any(each.model == model for each in candidates):
            remedy = f"Take it out of {setting}, or name another one: it is no way out when it fails."
            findings.append(warn(f"{setting}.catalogue", f"{model} is named twice", remedy))
            continue
        candidate, found = _catalogued(catalogue, setting, model, today)
        findings += found
        if candidate is not None:
            candidates.append(candidate)
    if not image.fallback:
        remedy = 'Name one, such as: image.fallback = ["gpt-image-2.5-flare"]'
        findings.append(warn("image.fallback.catalogue", "there is no fallback when the model fails", remedy))
    return candidates, findings


def _catalogued(
    catalogue: Catalogue, setting: str, model: str, today: date
) -> tuple[Candidate | None, list[Finding]]:
    """What the catalogue says; a model that it refuses is none to ask the API about."""
    check = f"{setting}.catalogue"
    is_host = setting == "image.host_model"
    try:
        usable = catalogue.usable_host(model, today) if is_host else catalogue.usable_image(model, today)
    except RetiredModel as gone:
        remedy = f"Set {setting} to {gone.replacement or 'a model that lives'}."
        return None, [fail(check, str(gone.args[0]), remedy)]
    except UnpricedModel as unpriced:
        remedy = f"Say what it costs, in the file that catalogue.file names:\n{unpriced.lines}"
        return None, [fail(check, f"{model} has no price", remedy)]
    except CatalogueProblem as problem:
        remedy = f"Set {setting} to a model of the catalogue, or add it there with its price."
        return None, [fail(check, str(problem.args[0]).partition(" To use it")[0], remedy)]
    price = catalogue.price_of(model, today)
    age = today - price.effective
    said = f"{model}: prices of {price.effective}, {age.days} days old, from {price.source}"
    findings: list[Finding] = []
    if usable.shutdown_date is not None and usable.shutdown_date - today <= SOON:
        remedy = f"Set {setting} to {usable.replacement or 'another model'} before that."
        findings.append(warn(check, f"{model} is shut down on {usable.shutdown_date}", remedy))
    if age > OLD or price.confidence != "H":
        remedy = "Compare them with OpenAI's price page; your own go into the file that catalogue.file names."
        findings.append(warn(check, f"{said} (confidence {price.confidence})", remedy))
    return Candidate(setting, model, usable.shutdown_date), findings or [good(check, said)]


def look_at_access(candidate: Candidate, seen: ModelSeen, today: date) -> list[Finding]:
    """What the API says of a model to this account, beside what the catalogue says."""
    check, model = f"{candidate.setting}.access", candidate.model
    if seen.access is Access.UNKNOWN:
        return [skip(check, f"{model}: the API did not say ({seen.code or seen.message})")]
    if seen.access is Access.REFUSED:
        said = f"{model} is refused to this account: {seen.message} ({seen.code})"
        if "must be verified" in seen.message.lower():
            return [fail(check, said, VERIFY)]
        remedy = f"Allow it in the project's limits, or set {candidate.setting} to a model that it has."
        return [fail(check, said, remedy)]
    if seen.shutdown is not None and seen.shutdown <= today:
        remedy = f"Set {candidate.setting} to another model."
        return [fail(check, f"the API says that {model} was shut down on {seen.shutdown}", remedy)]
    if seen.shutdown != candidate.shutdown:
        theirs, ours = seen.shutdown or "none", candidate.shutdown or "none"
        said = f"the API's day of shutdown for {model} is {theirs}, the catalogue's {ours}"
        remedy = f"Believe the API: {_before(candidate, seen.shutdown)}"
        return [warn(check, said, remedy)]
    until = f", until {seen.shutdown}" if seen.shutdown is not None else ""
    return [good(check, f"{model} is listed to this account{until}")]


def _before(candidate: Candidate, day: date | None) -> str:
    if day is None:
        return "an update of Darkroom, or an entry in the file that catalogue.file names, sets it right."
    return f"set {candidate.setting} to another model before {day}."
