"""``darkroom forget`` put together: the data directory, and Slack and OpenAI where they can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.proxies import in_the_way
from bot.settings import Settings
from darkroom.clock import SystemClock
from darkroom.rendering.address import provider_name
from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import Known, Left, Trace, Whom
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from storage.forgetter import (
    Forgetter,
    Found,
    NotForgotten,
    found_in,
    known_of,
    longer_than,
    still_known,
    whom_of,
)

if TYPE_CHECKING:
    import aiohttp

    from handlers.web_client import WebSlackClient

AT_ONCE = 8
"""Stored responses that are deleted side by side."""
CHECK_TIMEOUT_S = 10.0
NO_ANSWER = "no answer"
_NAMES_MAX = 50
"""Pages of people, 200 each, that a name is looked for in."""


class CannotReach(Exception):
    """Slack or OpenAI cannot be asked; the message says why. What is there stays there, or may be deleted by
    hand. *passing*: another try may help."""

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass(slots=True)
class Report:
    """What came of it. ``left`` is what is still elsewhere, ``found`` where they are still named in the data
    directory, ``other_teams`` the workspaces that know the same person; ``in_vain`` are files that could not
    be removed, ``unscrubbed`` and ``undone`` say why copies may be left, and why nothing was deleted here;
    ``done`` is false if nothing was."""

    whom: Whom
    known: Known
    left: list[Left] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    other_teams: Sequence[str] = ()
    files_removed: int = 0
    in_vain: Sequence[Path] = ()
    unscrubbed: str = ""
    undone: str = ""
    done: bool = False

    @property
    def passing(self) -> bool:
        """Whether another try may reach more of what is elsewhere."""
        return any(each.passing for each in self.left)

    @property
    def whole(self) -> bool:
        """Whether nothing is left of them anywhere."""
        something = (self.left, self.found.paths, self.found.closed, self.in_vain, self.unscrubbed)
        return self.done and not any(something)


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Why Slack and OpenAI cannot be asked; None where they can."""

    slack: CannotReach | None
    openai: CannotReach | None


class Forgetting:
    """Forgets on a data directory whose lock it holds."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        blobs = BlobStore(settings.storage.data_dir / PICTURES_NAME)
        self._forgetter = Forgetter(database, blobs)

    @classmethod
    @asynccontextmanager
    async def on(cls, settings: Settings) -> AsyncIterator[Forgetting]:
        """On the data directory of *settings*. Raises ``DataProblem``, ``DataDirectoryInUse`` among them."""
        database = Database.open(settings.storage.data_dir)
        try:
            yield cls(settings, database)
        finally:
            await asyncio.to_thread(database.close)

    async def candidates(self, user_id: str | None, team_id: str | None) -> list[Whom]:
        """Who may be meant."""
        return await self._database.report(lambda db: whom_of(db, user_id, team_id))

    async def known(self, whom: Whom) -> Known:
        """What there is of them."""
        return await self._database.report(lambda db: known_of(db, whom))

    async def finish(self) -> str:
        """Do what a crash has left of the last time; gives why copies may still be left, if so."""
        return (await self._forgetter.finish()).unscrubbed

    async def forget(
        self, whom: Whom, known: Known, *, anyway: bool, heard: Callable[[], None] = lambda: None
    ) -> Report:
        """Take back what is elsewhere, then delete everything here.

        Where something elsewhere could not be reached and another try may help, nothing is deleted here
        unless *anyway*: its name would be gone with it. *heard* is called after each thing.
        """
        report = Report(whom, known)
        report.left += await self._from_slack(whom, known, heard)
        report.left += await self._from_openai(known.traces, heard)
        if report.passing and not anyway:
            return report
        try:
            removed = await self._forgetter.forget(whom, self._settings.caps.caps(), SystemClock().now())
        except NotForgotten as error:
            report.undone = str(error)
            return report
        report.done = True
        report.files_removed, report.in_vain = removed.number, removed.in_vain
        report.unscrubbed = removed.unscrubbed
        await self._search(report)
        return report

    async def _search(self, report: Report) -> None:
        """Where they are still named. In an organisation a person has one id in several workspaces."""
        whom, folder = report.whom, self._settings.storage.data_dir
        people = report.known.people
        if whom.user_id:
            others = await self.candidates(whom.user_id, None)
            report.other_teams = [each.team_id for each in others]
        else:
            elsewhere = await self._database.report(lambda db: still_known(db, people))
            people = [each for each in people if each not in elsewhere]
        longer = await self._database.report(lambda db: longer_than(db, whom.ids))
        ids = tuple(dict.fromkeys((*whom.ids, *people)))
        report.found = await asyncio.to_thread(found_in, folder, ids, longer)

    async def _from_slack(self, whom: Whom, known: Known, heard: Callable[[], None]) -> list[Left]:
        theirs = [each for each in known.traces if each.kind is not Recall.RESPONSE]
        if not (theirs or known.people):
            return []
        from handlers.taking_back import empty_homes, take_back

        try:
            async with slack_of(self._settings, whom.team_id) as slack:
                left = await take_back(slack, theirs, heard)
                return left + await empty_homes(slack, known.people)
        except CannotReach as problem:
            return [Left(each, str(problem), problem.passing) for each in theirs]

    async def _from_openai(self, traces: Sequence[Trace], heard: Callable[[], None]) -> list[Left]:
        stored = [each for each in traces if each.kind is Recall.RESPONSE]
        here = provider_name(self._settings.openai_base_url)
        elsewhere = [
            Left(each, f"it is at {each.provider}", passing=False) for each in stored if each.provider != here
        ]
        ours = [each for each in stored if each.provider == here]
        if not ours:
            return elsewhere
        problem = openai_problem(self._settings)
        if problem is not None:
            return elsewhere + [Left(each, str(problem), passing=False) for each in ours]
        return elsewhere + await _delete_responses(self._settings, ours, heard)


async def _delete_responses(
    settings: Settings, traces: Sequence[Trace], heard: Callable[[], None]
) -> list[Left]:
    """Delete stored responses; gives those that are still there. Where none of so many is heard of, the rest
    is not tried."""
    from darkroom.rendering.provider import Provider
    from darkroom.rendering.renderer import EndpointRenderer

    key = settings.openai_api_key
    blobs = BlobStore(settings.storage.data_dir / PICTURES_NAME)
    provider = Provider(settings.openai_base_url, key.get_secret_value() if key else "")
    renderer = EndpointRenderer(provider, blobs, SystemClock())
    left: list[Left] = []
    try:
        for start in range(0, len(traces), AT_ONCE):
            some = traces[start : start + AT_ONCE]
            gone = await asyncio.gather(*(renderer.forget(each.ref) for each in some))
            for _ in some:
                heard()
            left += [
                Left(each, NO_ANSWER, passing=True) for each, went in zip(some, gone, strict=True) if not went
            ]
            if not any(gone):
                rest = traces[start + AT_ONCE :]
                return left + [Left(each, f"not tried, after {NO_ANSWER}", passing=True) for each in rest]
    finally:
        await renderer.aclose()
    return left


def openai_problem(settings: Settings) -> CannotReach | None:
    """Why stored responses cannot be deleted, as far as the settings say."""
    from darkroom.rendering.address import could_be_key

    key = settings.openai_api_key
    if key is None or not could_be_key(key.get_secret_value()):
        return CannotReach("OPENAI_API_KEY is not set")
    found = in_the_way(api_url=settings.openai_url)
    return CannotReach(found[0].said) if found else None


@asynccontextmanager
async def slack_of(settings: Settings, team_id: str) -> AsyncIterator[WebSlackClient]:
    """The workspace's Slack. Raises ``CannotReach`` where there is no token that it takes."""
    from handlers.outward import slack_session
    from handlers.web_client import WebSlackClient

    token = _token(settings)
    _no_proxy_in_the_way(settings)
    session = slack_session(settings.slack_url)
    try:
        bot_id = await _bot_of(settings, session, token, team_id)
        base_url = settings.slack_url
        yield WebSlackClient(session, token, SystemClock(), base_url, bot_id)
    finally:
        await session.close()


async def slack_problem(settings: Settings, team_id: str) -> CannotReach | None:
    """Why the workspace's Slack cannot be asked, if so."""
    try:
        async with slack_of(settings, team_id):
            return None
    except CannotReach as problem:
        return problem


def _token(settings: Settings) -> str:
    token = settings.slack_bot_token.get_secret_value().strip() if settings.slack_bot_token else ""
    if not token:
        raise CannotReach("SLACK_BOT_TOKEN is not set")
    return token


def _no_proxy_in_the_way(settings: Settings) -> None:
    for proxy in in_the_way(slack_url=settings.slack_url):
        raise CannotReach(proxy.said)


async def _bot_of(settings: Settings, session: aiohttp.ClientSession, token: str, team_id: str) -> str:
    answer = await _asked(settings, session, token, "auth.test")
    if answer.get("team_id") != team_id:
        raise CannotReach(f"SLACK_BOT_TOKEN is of another workspace, {answer.get('team_id')}")
    return str(answer.get("bot_id") or "")


async def people_named(settings: Settings, name: str) -> list[tuple[str, str]]:
    """The id and the team of each person whom Slack calls *name*, of the workspace of the bot's token.
    Raises ``CannotReach``."""
    from handlers.outward import slack_session

    token, wanted = _token(settings), name.casefold()
    _no_proxy_in_the_way(settings)
    session = slack_session(settings.slack_url)
    found: list[tuple[str, str]] = []
    try:
        cursor = ""
        for _ in range(_NAMES_MAX):
            answer = await _asked(settings, session, token, "users.list", limit=200, cursor=cursor)
            for member in answer.get("members") or ():
                profile = member.get("profile") or {}
                names = (member.get("name"), profile.get("display_name"), profile.get("real_name"))
                if wanted in {str(each or "").casefold() for each in names}:
                    found.append((str(member["id"]), str(member.get("team_id", ""))))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        else:
            # Somebody else of that name may be among the rest.
            raise CannotReach("Slack has more people than are looked through")
    finally:
        await session.close()
    return found


async def _asked(
    settings: Settings, session: aiohttp.ClientSession, token: str, method: str, **params: str | int
) -> dict[str, Any]:
    import aiohttp
    from slack_sdk.errors import SlackApiError

    from handlers.outward import slack_client

    client = slack_client(settings.slack_url, token, session)
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            answer = await client.api_call(method, params={k: v for k, v in params.items() if v != ""})
    except SlackApiError as error:
        said = str(error.response.get("error", "an error"))
        raise CannotReach(f"Slack answers {said}", passing=said == "ratelimited") from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise CannotReach(f"Slack does not answer ({type(error).__name__})", passing=True) from None
    return dict(answer.data) if isinstance(answer.data, dict) else {}
