"""``doctor --live-slack``: what only a real workspace can show, with a person who looks at it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from bot.cli import Refused
from bot.doctor.finding import Finding, Grade
from bot.doctor.finishing import to_its_end
from bot.doctor.live_asking import Ask
from bot.doctor.live_slack_probes import SlackProbes
from bot.doctor.live_traces import Traces
from bot.proxies import in_the_way
from bot.settings import Settings
from darkroom.clock import Clock, SystemClock
from handlers.clients import SlackRefused, SlackUnclear
from handlers.outward import slack_session
from handlers.posting import name_of
from handlers.probing import ProbingClient

Say = Callable[[str], None]
PATIENCE_S = 60.0
"""Seconds that a rate limit of Slack's may hold a call back: a person waits."""


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)


async def run_live_slack(
    settings: Settings, channel: str, ask: Ask, *, say: Say = _to_stderr, clock: Clock | None = None
) -> list[Finding]:
    """Try it in *channel* (a name or an id), ask the person in front of the terminal what they see
    (``live_asking.ask_person``), and take everything away again, also when it is cancelled.

    What may remain even so is said. Raises ``bot.cli.Refused`` where nothing can be tried at all.
    """
    token = settings.slack_bot_token.get_secret_value().strip() if settings.slack_bot_token else ""
    if not token:
        raise Refused("SLACK_BOT_TOKEN is missing. It is on your app's page under OAuth & Permissions.")
    clock, base_url = clock or SystemClock(), settings.slack_url
    for proxy in in_the_way(slack_url=base_url):
        raise Refused(str(proxy))
    async with slack_session(base_url) as session:
        client = ProbingClient(session, token, clock, base_url)
        await _introduced(client)
        slack = client.patient(PATIENCE_S)
        traces = Traces(slack, clock)
        with tempfile.TemporaryDirectory(prefix="darkroom-doctor-") as folder:
            probes = SlackProbes(slack, traces, channel, ask, Path(folder), clock)
            try:
                await probes.run(say)
            finally:
                left = await to_its_end(_cleared(traces, say))
            return [*probes.found, _of_cleanup(left)]


async def _cleared(traces: Traces, say: Say) -> list[str]:
    left = await traces.clear()
    gone = "Everything that was put there is gone again."
    say(f"This could not be taken away: {'; '.join(left)}." if left else gone)
    return left


async def _introduced(client: ProbingClient) -> None:
    try:
        if await client.own_bot_id():
            return
    except (SlackRefused, SlackUnclear) as error:
        raise Refused(
            f"Slack does not take the bot token ({name_of(error)}); nothing was tried. "
            "darkroom doctor says what is wrong with it."
        ) from error
    raise Refused("SLACK_BOT_TOKEN is not a bot's token. It is under OAuth & Permissions.")


def _of_cleanup(left: list[str]) -> Finding:
    check = "live_slack.cleanup"
    if left:
        said = f"this may remain: {'; '.join(left)}"
        return Finding(check, Grade.WARN, said, "Delete it by hand: in the menu of the message or file.")
    return Finding(
        check, Grade.PASS, "everything that was put there is gone; your own reply is yours to delete"
    )
