"""``/imagine status``: how things are, for everybody; for admins also what they rest on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from darkroom.rendering.access import Access
from darkroom.rendering.job import Candidate, Endpoint
from darkroom.spending.models import CatalogueProblem, UnknownModel
from darkroom.turns.account_book import ModelCheck
from darkroom.turns.account_watch import CHECK_EVERY
from darkroom.turns.calls import CALLS_MAX, Call, called, typical_seconds
from darkroom.turns.standing import likely_wait_s
from handlers import words
from handlers.blocks.reach import Reach, parts_of
from handlers.blocks.status import ModelNow, Now, status_view
from handlers.blocks.text import View
from handlers.services import Services


@dataclass(frozen=True, slots=True)
class Status:
    """Somebody wants to know how things are."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and Slack's way to answer them alone."""

    user_id: str
    channel_id: str
    reply_url: str | None


def read_status(text: str) -> Status | None:
    """Whether *text*, as all that was typed, asks for it."""
    return Status() if text.rstrip("?").strip().lower() == "status" else None


def start(services: Services, asker: Asker) -> str | None:
    """Look it up beside the listeners; gives what is read instead where too much is being answered."""
    name = f"status for {asker.user_id}"
    if services.errands.full or services.errands.runs(name):
        return words.busy_with_status(services.config.voice)

    async def answer(view: View) -> None:
        await services.whisper(
            view, channel=asker.channel_id, user_id=asker.user_id, reply_url=asker.reply_url
        )

    async def work() -> None:
        await answer(await status(services, asker.user_id))

    sorry = View(words.broken(services.config.voice), ())
    services.errands.start(name, work(), lambda: answer(sorry))
    return None


async def status(services: Services, user_id: str) -> View:
    """How things are, as *user_id* may see it."""
    config, standing = services.config, services.standing
    calls = await standing.calls.last_calls(config.team_id, CALLS_MAX)
    checks = await standing.account.checks(standing.provider)
    policy, _ = await services.admin.policy(config.team_id)
    admin = await services.guard.is_admin(user_id)
    running, waiting, _ = standing.pulse()
    slowed, typical_s = standing.gate.slowed(), typical_seconds(calls)
    names = tuple(dict.fromkeys((config.model, *config.fallback)))
    known = {check.seen.model: check for check in checks}
    now = Now(
        at=services.clock.now(),
        timezone=config.caps.timezone,
        models=[_image(services, name, known.get(name), calls) for name in names],
        host=_host(services, known.get(config.host_model)),
        paused=policy.paused,
        closed=standing.gate.closed(),
        slowed=slowed,
        running=running,
        waiting=waiting,
        wait_s=likely_wait_s(
            running, waiting, standing.places, typical_s, slowed.per_minute if slowed else None
        ),
        typical_s=typical_s,
        spend=config.spend,
        an_admin=config.voice.an_admin,
    )
    if not admin:
        return status_view(now, admin=False)
    used = {config.model: "used when nobody names one"}
    used |= dict.fromkeys(names[1:], "a fallback")
    if config.host_model:
        used[config.host_model] = "the host model"
    rates, providers = await asyncio.gather(
        standing.account.rates(standing.provider), standing.account.providers(config.team_id)
    )
    reach = Reach(used, standing.provider, checks, rates, providers, called(calls), len(calls))
    return status_view(now, parts_of(reach, services.catalogue, now.at, now.timezone), admin=True)


def _image(services: Services, name: str, check: ModelCheck | None, calls: Sequence[Call]) -> ModelNow:
    problem, ends_on = "", check.seen.shutdown if check is not None else None
    try:
        model = services.catalogue.usable_image(name, services.today())
        ends_on = _sooner(model.shutdown_date, ends_on)
    except CatalogueProblem as error:
        problem = str(error.args[0])
    return ModelNow(name, problem, ends_on, refused=_refused(services, name, check, calls))


def _refused(services: Services, name: str, check: ModelCheck | None, calls: Sequence[Call]) -> bool:
    """Whether neither endpoint gives it to this account, as its calls have shown lately; where none have, as
    the API says, unless it made a picture since or on the day before: some providers list no models."""
    gate, host = services.standing.gate, services.config.host_model
    candidates = (Candidate(Endpoint.RESPONSES, name, host), Candidate(Endpoint.IMAGES, name, ""))
    if all(gate.refused(candidate) is not None for candidate in candidates):
        return True
    if check is None or check.learned_at is None or check.seen.access is not Access.REFUSED:
        return False
    provider, base = services.standing.provider, _base(services, name)
    since = check.learned_at - CHECK_EVERY
    return not any(
        call.picture
        and call.provider == provider
        and call.sent_at > since
        and _base(services, call.image_model) == base
        for call in calls
    )


def _base(services: Services, name: str) -> str:
    """The model that *name* is one of the names of."""
    try:
        return services.catalogue.image(name).base
    except UnknownModel:
        return name


def _host(services: Services, check: ModelCheck | None) -> ModelNow:
    name = services.config.host_model
    try:
        model = services.catalogue.usable_host(name, services.today())
    except CatalogueProblem as error:
        return ModelNow(name, str(error.args[0]))
    return ModelNow(name, "", _sooner(model.shutdown_date, check.seen.shutdown if check else None))


def _sooner(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
