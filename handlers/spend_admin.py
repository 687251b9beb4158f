"""What admins say behind ``/spend`` is looked up or changed, and answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.changes import (
    Author,
    CannotChange,
    Change,
    Changed,
    Channel,
    GiveGrant,
    GrantNote,
    Person,
)
from darkroom.spending.models import CatalogueProblem
from darkroom.spending.spans import Span, span_words
from handlers import words, words_admin
from handlers.blocks import admin, journal
from handlers.blocks.models import Usual, models_view
from handlers.blocks.report import team_summary_view
from handlers.blocks.tables import fitting
from handlers.blocks.text import TEXT_MAX, View, escape
from handlers.clients import SlackRefused, SlackUnclear
from handlers.posting import name_of
from handlers.services import Services
from handlers.spend_commands import (
    Changes,
    ChannelSpend,
    ListAlerts,
    ListCaps,
    ListGrants,
    ListHistory,
    ListModels,
    ListPilots,
    ListUncertain,
    PersonSpend,
    Reading,
    SendReport,
    TeamSpend,
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who typed a command: ``trigger_id`` is Slack's, unique for one typing however often it is sent."""

    user_id: str
    trigger_id: str


Done = tuple[Changed | CannotChange, ...]
"""What came of each of the changes, in their order."""


async def change(services: Services, wanted: Changes, asker: Asker) -> Done | None:
    """Do what an admin wants changed; None, and nothing done, when it is no admin who wants it.

    Each change is one transaction, keyed by what Slack sent: the same command sent again changes nothing.
    """
    if not await services.guard.is_admin(asker.user_id):
        return None
    if not asker.trigger_id:
        raise ValueError("a change without Slack's trigger id would be taken for the last such one")
    config, now = services.config, services.clock.now()
    done: list[Changed | CannotChange] = []
    try:
        for place, each in enumerate(wanted.changes):
            key = f"command:{asker.trigger_id}" + (f":{place}" if place else "")
            try:
                author = Author(config.team_id, asker.user_id, key)
                done.append(await services.admin.change(each, author, config.caps, now))
            except CannotChange as problem:
                done.append(problem)
    finally:
        # Also when a later one broke: the earlier ones are decided, and act at once.
        if any(isinstance(one, Changed) and not one.repeat for one in done):
            services.policy_changed()
    return tuple(done)


async def answer_to(services: Services, wanted: Changes, done: Done, asker: Asker) -> View:
    """What an admin is told of their changes."""
    config = services.config
    policy, _ = await services.admin.policy(config.team_id)
    sentences = []
    last = max((place for place, came in enumerate(done) if _acts(came)), default=-1)
    for place, (each, came) in enumerate(zip(wanted.changes, done, strict=True)):
        if isinstance(came, CannotChange):
            sentences.append(words_admin.cannot_words(came, config.voice))
            continue
        balance = await _balance_after(services, each, asker)
        now = words_admin.Situation(
            config.voice, asker.user_id, policy, _listed(services), balance, last=place == last
        )
        sentences.append(words_admin.changed_words(came, now))
    rest = f"`{config.spend} history` shows the rest."
    return View(fitting(sentences, TEXT_MAX, rest), ())


def _acts(came: Changed | CannotChange) -> bool:
    return isinstance(came, Changed) and came.entry.before != came.entry.after


async def _balance_after(services: Services, change: Change, asker: Asker) -> Balance | None:
    if not isinstance(change, GiveGrant):
        return None
    if isinstance(change.to, Person):
        return await _balance(services, BudgetKind.PERSON, change.to.user_id, None)
    if isinstance(change.to, Channel):
        return await _balance(services, BudgetKind.CHANNEL, asker.user_id, change.to.channel_id)
    return await _balance(services, BudgetKind.WORKSPACE, asker.user_id, None)


async def _balance(services: Services, kind: BudgetKind, user_id: str, channel_id: str | None) -> Balance:
    config, now = services.config, services.clock.now()
    balances = await services.spend.balances(config.team_id, user_id, channel_id, config.caps, now)
    return next(balance for balance in balances if balance.kind is kind)


def _listed(services: Services) -> str:
    """The listed name of the model that is used when nobody names one."""
    try:
        return services.catalogue.image(services.config.model).base
    except CatalogueProblem:
        return services.config.model


async def look(services: Services, wanted: Reading, asker: Asker) -> View:
    """What an admin wants to see; it is for the caller to know that they are one."""
    config, now = services.config, services.clock.now()
    zone, spend, team = config.caps.timezone, config.spend, config.team_id
    match wanted:
        case TeamSpend(span):
            return team_summary_view(await services.spend.report(team, span, config.caps, now))
        case SendReport(span):
            return await send_report(services, span, asker.user_id)
        case PersonSpend(user_id, span):
            return await _person(services, user_id, span)
        case ChannelSpend(channel_id, span):
            return await _channel(services, channel_id, span, asker)
        case ListCaps():
            return admin.caps_view(await _decided(services), spend)
        case ListPilots():
            return admin.pilots_view(await _decided(services), spend)
        case ListGrants():
            return admin.grants_view(await services.admin.grants(team, now), zone, spend)
        case ListModels():
            return await _models(services)
        case ListHistory():
            return journal.history_view(await services.admin.history(team, journal.HISTORY_MAX), zone)
        case ListUncertain():
            charges = await services.admin.uncertain(team, journal.UNCERTAIN_MAX)
            return journal.uncertain_view(charges, zone, spend)
        case ListAlerts():
            policy, _ = await services.admin.policy(team)
            where = words_admin.alerts_words(policy.alerts_channel, config.voice)
            recent = await services.alerts.recent(team, journal.ALERTS_MAX)
            return journal.alerts_view(where, recent, zone, spend, channel=policy.alerts_channel is not None)


async def _decided(services: Services) -> admin.Decided:
    config = services.config
    policy, names = await services.admin.policy(config.team_id)
    return admin.Decided(config.team_id, config.caps, policy, names.people)


async def _person(services: Services, user_id: str, span: Span) -> View:
    config = services.config
    spent = await services.spend.person(config.team_id, user_id, span)
    balance = await _balance(services, BudgetKind.PERSON, user_id, None)
    grants = [note for note in await _grants(services) if note.user_id == user_id]
    standing = admin.Standing(user_id, span, spent, balance, grants)
    return admin.person_view(standing, await _decided(services))


async def _channel(services: Services, channel_id: str, span: Span, asker: Asker) -> View:
    config = services.config
    spent = await services.spend.channel(config.team_id, channel_id, span)
    balance = await _balance(services, BudgetKind.CHANNEL, asker.user_id, channel_id)
    grants = [note for note in await _grants(services) if note.channel_id == channel_id]
    standing = admin.Standing(channel_id, span, spent, balance, grants)
    return admin.channel_view(standing, await _decided(services))


async def _grants(services: Services) -> Sequence[GrantNote]:
    return await services.admin.grants(services.config.team_id, services.clock.now())


async def _models(services: Services) -> View:
    config = services.config
    marks = {
        **dict.fromkeys(config.fallback, "a fallback"),
        config.host_model: "the host model",
        config.model: "used when nobody names one",
    }
    usual = Usual(marks, (config.width, config.height))
    return models_view(services.catalogue, await _decided(services), usual, services.today(), config.spend)


async def send_report(services: Services, span: Span, user_id: str) -> View:
    """Send an admin the full report by direct message; gives what to tell them here."""
    config, now = services.config, services.clock.now()
    report = await services.spend.report(config.team_id, span, config.caps, now)
    what = f"The report for {escape(span_words(span))}"
    try:
        await services.reporter.send(user_id, report)
    except (SlackRefused, SlackUnclear) as error:
        why = words.why_not_posted(name_of(error), config.voice)
        return View(f"{what} could not be sent by direct message, because {why}", ())
    return View(f"{what} is in our direct message: open it through {config.voice.us}.", ())
