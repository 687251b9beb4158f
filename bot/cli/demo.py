"""``darkroom demo``: sandbox and bot together, in a browser, with no account."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, as_typed, flags_of, to_mend
from bot.cli.sandbox import faults_file, free, page_port, runs_already

if TYPE_CHECKING:
    from bot.cli.demo_clock import DemoClock
    from bot.cli.demo_first import Playing
    from bot.cli.demo_note import Note
    from bot.cli.demo_side import DemoSide
    from bot.cli.mixes import Mix
    from bot.cli.world import World
    from bot.settings import Settings
    from sandbox.faults.rules import FaultPlan
    from sandbox.images.api import ImageApi
    from sandbox.keeping.keeper import Keeper
    from sandbox.slack.workspace import Workspace


@click.command("demo")
@page_port
@click.option(
    "--data-dir",
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    help="Keep everything there, what is in Slack too; otherwise it goes when the demo ends.",
)
@click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="One setting, such as caps.person_usd=1."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 120),
    default=4.0,
    show_default=True,
    help="How long a picture takes.",
)
@faults_file
@click.option(
    "--images",
    "painter",
    type=click.Choice(["sandbox", "openai"]),
    default="sandbox",
    show_default=True,
    help="Who makes the pictures. With openai they are real and cost money: needs OPENAI_API_KEY.",
)
@click.option("--empty", is_flag=True, help="Begin with an empty workspace, not with a month of its life.")
@click.option(
    "--browser/--no-browser", default=True, help="Open the page in a browser, where there is a screen."
)
def command(
    port: int,
    data_dir: Path | None,
    pairs: tuple[str, ...],
    seconds: float,
    faults: Path | None,
    painter: str,
    empty: bool,
    browser: bool,
) -> None:
    """Try all of Darkroom in a browser: a local Slack and a local image API, no account, no key, no cost.

    Tokens, keys and settings in the environment are ignored, but for OPENAI_* with --images openai.
    """
    from bot.cli.demo_first import lives_already
    from bot.cli.demo_opening import can_open_a_browser
    from bot.cli.mixes import check_demo_books, check_demo_flags, costs_told, demo_with
    from bot.cli.world import fault_plan
    from bot.logs import configure_logging
    from bot.settings import BadSettings, plain_settings
    from sandbox.slack.state import TEAM_ID

    plan, mix = fault_plan(faults), demo_with(painter)
    configure_logging("warning")
    temporary = None if data_dir else Path(tempfile.mkdtemp(prefix="darkroom-demo-"))
    try:
        flags = {**mix.defaults, **check_demo_flags(flags_of(pairs, data_dir or temporary))}
        settings = plain_settings(flags)
        check_demo_books(settings.storage.data_dir, mix, TEAM_ID)
        if mix.real.images:
            click.echo(costs_told(mix, settings, kept=data_dir is not None))
        past = not (empty or mix.real.images or lives_already(settings.storage.data_dir))
        browser = browser and can_open_a_browser()
        wanted = _Wanted(port, flags, seconds, plan, mix, keep=data_dir, past=past, browser=browser)
        asyncio.run(_demo(wanted))
    except BadSettings as bad:
        raise to_mend(bad.faults) from bad
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for. ``keep`` is the folder that outlives the demo, ``past`` whether the workspace has a
    month behind it, ``browser`` whether one is opened."""

    port: int
    flags: dict[str, Any]
    seconds: float
    faults: FaultPlan
    mix: Mix
    keep: Path | None
    past: bool
    browser: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A demo's parts before anything listens: its time, its Slack, its image API, what the page sees of the
    bot, what was noted when the demo ran before, and who keeps all that."""

    clock: DemoClock
    workspace: Workspace
    images: ImageApi
    side: DemoSide
    before: Note
    keeper: Keeper | None


async def _demo(wanted: _Wanted) -> None:
    from bot.cli.demo_bot import DemoBot
    from bot.cli.demo_opening import address, open_browser, play_the_month
    from bot.cli.serving import serve, stop_signal
    from bot.cli.world import faults_told

    plan, stop = wanted.faults, stop_signal()
    async with AsyncExitStack() as ending:
        made = _make(wanted, ending)
        world = await _open(wanted, made, ending)
        playing = _keep(wanted, made, ending)
        settings = _settings(wanted, world)
        bot = DemoBot(settings, made.clock, made.side)
        page = [world.page_url]

        async def first() -> None:
            await made.side.give_back()
            if wanted.past:
                thread = await play_the_month(made.workspace, made.images, bot.darkroom, made.clock)
                page[0] = address(world.page_url, thread)
                if playing is not None:
                    playing.ends()
                await made.side.arrive()
                made.workspace.fault_plan = made.images.fault_plan = plan

        def ready() -> None:
            made.side.note(world.slack_server.url, world.images_port)
            ending.callback(asyncio.create_task(made.side.go_on()).cancel)
            bot.lives()
            _greet(world, page[0], settings.storage.data_dir, wanted.mix)
            if plan.standing:
                click.echo(faults_told(plan, world.page_url))
            if wanted.browser:
                open_browser(page[0])

        await serve(bot, stop, ready, first=first, last=made.side.give_back)


def _make(wanted: _Wanted, ending: AsyncExitStack) -> _Made:
    """The parts, as they were where they are kept; *ending* lets go of what was taken. Needs a running
    loop."""
    from bot.cli.demo_clock import DemoClock
    from bot.cli.demo_history import MONTH
    from bot.cli.demo_keeping import kept_demo, let_go
    from bot.cli.demo_note import Note, read_note
    from bot.cli.demo_side import DemoSide
    from bot.cli.world import app_shortcuts
    from sandbox.images.api import ImageApi
    from sandbox.page.routes import COMMANDS
    from sandbox.slack.workspace import Workspace

    clock = DemoClock(datetime.now(UTC) - MONTH if wanted.past else None)
    commands = frozenset(known.name for known in COMMANDS)
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, commands=commands, shortcuts=app_shortcuts())
    images = ImageApi(now=clock.unix, sleep=clock.sleep, seconds_per_picture=wanted.seconds)
    before, keeper = Note(), None
    if wanted.keep is not None:
        keeper = kept_demo(wanted.keep, workspace, images, clock)
        ending.push_async_callback(let_go, keeper)
        before = read_note(wanted.keep)
    side = DemoSide(workspace, clock, wanted.mix.real, before)
    return _Made(clock, workspace, images, side, before, keeper)


async def _open(wanted: _Wanted, made: _Made, ending: AsyncExitStack) -> World:
    """Let it listen: the page where it is wanted, the image API where it was before, if that can be had."""
    from bot.cli.demo_addresses import readdress
    from bot.cli.world import start_world
    from sandbox.faults.rules import FaultPlan

    try:
        world = await start_world(
            made.workspace,
            made.images,
            port=wanted.port,
            images_port=free(made.before.images_port),
            # Nothing went wrong in the past.
            faults=FaultPlan() if wanted.past else wanted.faults,
            bot_side=made.side,
            paints=not wanted.mix.real.images,
        )
    except OSError as error:
        raise Refused(runs_already(wanted.port, error)) from error
    ending.push_async_callback(world.close)
    readdress(made.workspace, made.before.slack_url)
    return world


def _keep(wanted: _Wanted, made: _Made, ending: AsyncExitStack) -> Playing | None:
    """Let all of it be kept from now on, and a month that is to be played be marked before. Not before
    everything listens: a demo that could not start leaves nothing behind, and has its month next time."""
    from bot.cli.demo_first import Playing

    playing = None
    if made.keeper is not None and wanted.keep is not None:
        if wanted.past:
            playing = Playing(wanted.keep, made.keeper)
            ending.push_async_callback(playing.aclose)
        made.keeper.begin()
    return playing


def _settings(wanted: _Wanted, world: World) -> Settings:
    from bot.settings import plain_settings

    # Named, so that alerts and requests for more money reach somebody.
    admins = tuple(user.id for user in world.workspace.users.values() if user.is_admin)
    own = world.settings() | {"slack.admins": admins}
    return plain_settings(own | wanted.flags | dict(wanted.mix.settings))


def _greet(world: World, page: str, data_dir: Path, mix: Mix) -> None:
    where = f"--data-dir {shlex.quote(str(data_dir))}"
    click.echo(f"Darkroom's demo is running. Open:\n\n    {page}\n")
    click.echo("A prompt is waiting there: press Enter. Then reply in the thread: make it night")
    click.echo("Be Carol, the admin, and type: /spend help")
    if mix.real.images:
        click.echo(f"The books, in another terminal:\n\n    {as_typed()} spend {where}\n")
        click.echo(f"{mix.real.words} Stop with Ctrl-C.")
        return
    bill = {
        "OPENAI_BASE_URL": world.openai_base_url,
        "OPENAI_ADMIN_KEY": world.settings()["openai_admin_key"],
    }
    environment = " ".join(f"{name}={value}" for name, value in bill.items())
    click.echo("The books, in another terminal, and beside them what the image API would bill:\n")
    click.echo(f"    {as_typed()} spend {where}")
    click.echo(f"    {environment} \\\n        {as_typed()} spend reconcile {where}\n")
    click.echo("Everything stays on this machine and costs nothing. Stop with Ctrl-C.")
