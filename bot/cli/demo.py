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
from bot.cli.sandbox import faults_file, page_port, port_taken

if TYPE_CHECKING:
    from bot.cli.mixes import Mix
    from bot.cli.world import World
    from sandbox.faults.rules import FaultPlan
    from sandbox.keeping.keeper import Keeper


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
    from bot.cli.demo_opening import can_open_a_browser, lives_already
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


async def _demo(wanted: _Wanted) -> None:
    from bot.app import Darkroom, Overrides
    from bot.cli.demo_clock import DemoClock
    from bot.cli.demo_history import MONTH
    from bot.cli.demo_keeping import kept_demo, let_go
    from bot.cli.demo_opening import address, open_browser, play_the_month
    from bot.cli.demo_side import DemoSide
    from bot.cli.serving import serve, stop_signal
    from bot.cli.world import app_shortcuts, faults_told, start_world
    from bot.settings import plain_settings
    from sandbox.faults.rules import FaultPlan
    from sandbox.images.api import ImageApi
    from sandbox.page.routes import COMMANDS
    from sandbox.slack.workspace import Workspace

    plan, mix = wanted.faults, wanted.mix
    stop, clock = stop_signal(), DemoClock(datetime.now(UTC) - MONTH if wanted.past else None)
    commands = frozenset(known.name for known in COMMANDS)
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, commands=commands, shortcuts=app_shortcuts())
    images = ImageApi(now=clock.unix, sleep=clock.sleep, seconds_per_picture=wanted.seconds)
    side = DemoSide(workspace, clock, mix.real)
    keeper: Keeper | None = None
    async with AsyncExitStack() as ending:
        if wanted.keep is not None:
            keeper = kept_demo(wanted.keep, workspace, images, clock)
            ending.push_async_callback(let_go, keeper)
        try:
            world = await start_world(
                workspace,
                images,
                port=wanted.port,
                # Nothing went wrong in the past.
                faults=FaultPlan() if wanted.past else plan,
                bot_side=side,
                paints=not mix.real.images,
            )
        except OSError as error:
            raise Refused(port_taken(wanted.port, error)) from error
        ending.push_async_callback(world.close)
        if keeper is not None:
            # Not before: a demo that could not start leaves nothing behind, and has its month next time.
            keeper.begin()
        # Named, so that alerts and requests for more money reach somebody.
        admins = tuple(user.id for user in workspace.users.values() if user.is_admin)
        settings = plain_settings(
            world.settings() | {"slack.admins": admins} | wanted.flags | dict(mix.settings)
        )
        darkroom = Darkroom(settings, create_data=True, overrides=Overrides(clock=clock))
        side.attach(darkroom)
        page = [world.page_url]

        async def first() -> None:
            page[0] = address(world.page_url, await play_the_month(workspace, images, darkroom, clock))
            workspace.fault_plan = images.fault_plan = plan

        def ready() -> None:
            _greet(world, page[0], settings.storage.data_dir, mix)
            if plan.standing:
                click.echo(faults_told(plan, world.page_url))
            if wanted.browser:
                open_browser(page[0])

        await serve(darkroom, stop, ready, first=first if wanted.past else None, last=side.give_back)


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
