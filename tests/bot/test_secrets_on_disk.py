"""No token and no key gets to any disk by Darkroom, but by ``init`` into ``.env``: a whole life of it, as the
processes that people start, and then every byte that any of them has written is read.

The last is meant: each process notes what it opens for writing, wherever that is.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.slack.model import Fault as SlackFault
from sandbox.slack.model import Message
from sandbox.slack.workspace import Workspace
from tests.bot.noting import NOTES
from tests.bot.test_http_run import free_port
from tests.bot.test_running import ROOT, WAIT_S, Process
from tests.scenarios.flat import FlatPainter

pytestmark = pytest.mark.slow

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1111-2222-RecognizableBotToken",
    "SLACK_APP_TOKEN": "xapp-1-A0DARKROOM-RecognizableAppToken",
    "SLACK_SIGNING_SECRET": "5ec2e7" + "0123456789abcdef" + "5ec2e75ec2",
    "OPENAI_API_KEY": "sk-proj-RecognizableProjectKey",
    "OPENAI_ADMIN_KEY": "sk-admin-RecognizableAdminKey",
}


class Home:
    """A machine of its own for the processes: everything that they might write to is in *top*."""

    def __init__(self, top: Path, world: World) -> None:
        self.top, self.world = top, world
        self.work, self.outside = top / "work", top / "notes"
        for name in ("work", "home", "tmp", "run"):
            (top / name).mkdir()
        self.outside.mkdir()
        (self.outside / "sitecustomize.py").write_text(NOTES)
        self.said: list[Process] = []

    @property
    def variables(self) -> dict[str, str]:
        """What tells a process where it is."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
        for name in [each for each in kept if each.startswith(("XDG_", "MPL", "PYTEST", "COV"))]:
            del kept[name]
        return kept | {
            "HOME": str(self.top / "home"),
            "TMPDIR": str(self.top / "tmp"),
            "XDG_RUNTIME_DIR": str(self.top / "run"),
            "NOTES": str(self.outside / "written"),
            "PYTHONPATH": f"{self.outside}:{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The tokens and keys, and the addresses of who takes them."""
        return SECRETS | {
            "SLACK_API_URL": self.world.slack_api_url,
            "OPENAI_BASE_URL": self.world.openai_base_url,
        }

    async def starts(self, *arguments: str, answers: str = "", **more: str) -> Process:
        """A command that runs, with the secrets in its environment unless it has *answers*."""
        secrets = {} if answers else self.secrets
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            cwd=self.work,
            env=self.variables | secrets | more,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert started.stdin is not None
        started.stdin.write(answers.encode())
        started.stdin.close()
        process = Process(started)
        self.said.append(process)
        return process

    async def does(self, *arguments: str, code: int = 0, answers: str = "", **more: str) -> str:
        """What a command says that comes to its end."""
        process = await self.starts(*arguments, answers=answers, **more)
        assert await process.ends() == code, process.said
        return process.said

    def written(self) -> list[Path]:
        """Every file that is there, and every one that was opened for writing and is still there."""
        noted = {Path(line) for line in (self.outside / "written").read_text().splitlines()}
        here = files_in(self.top)
        devices = ("/dev/", "/proc/")
        return sorted(
            {*here} | {path for path in noted if path.is_file() and not str(path).startswith(devices)}
        )


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """With a Slack and an image API that know these tokens."""
    workspace = Workspace(file_processing_s=0.01)
    workspace.bot_token, workspace.app_token = SECRETS["SLACK_BOT_TOKEN"], SECRETS["SLACK_APP_TOKEN"]
    workspace.signing_secret = SECRETS["SLACK_SIGNING_SECRET"]
    world = await start_world(workspace, ImageApi(seconds_per_picture=0, paint=FlatPainter()))
    home = Home(tmp_path, world)
    yield home
    for process in home.said:
        if process.process.returncode is None:
            process.process.kill()
            await process.process.wait()
    await world.close()
    await workspace.close()


def files_in(folder: Path) -> list[Path]:
    """Every file under *folder*."""
    return [path for path in folder.rglob("*") if path.is_file()]


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it might stand somewhere: as it is, encoded, or without how its kind begins."""
    raw = secret.encode()
    core = raw.rpartition(b"-")[2]
    yield from (core, quote(secret).encode(), raw[::-1], core.hex().encode())
    # In base64 the same letters look different by where they begin.
    yield from (base64.b64encode(core[skip : skip + (len(core) - skip) // 3 * 3]) for skip in range(3))


def holding(paths: list[Path]) -> list[str]:
    """Which files hold which of the secrets."""
    found = []
    for path in paths:
        data = path.read_bytes()
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as packed:
                opened = [packed.extractfile(each) for each in packed.getmembers() if each.isfile()]
                data += b"".join(each.read() for each in opened if each is not None)
        found += [
            f"{path}: {name}"
            for name, secret in SECRETS.items()
            if any(form in data for form in forms(secret))
        ]
    return found


def picture_of(workspace: Workspace) -> Message | None:
    """A picture that was posted."""
    found = workspace.channel_named("design").messages.values()
    return next((m for m in found if any(block["type"] == "image" for block in m.blocks)), None)


async def lives(home: Home) -> None:
    """A working day: pictures, refusals that repeat the key, metrics, checks and a copy meanwhile."""
    world, workspace = home.world, home.world.workspace
    port = str(free_port())
    bot = await home.starts("run", "--set", "log.level=debug", "--set", f"watch.port={port}")
    await bot.says("Darkroom is connected")
    await workspace.type_command("alice", "design", "/imagine a red fox")
    await workspace.until(picture_of, WAIT_S)
    workspace.faults.append(SlackFault("chat.postMessage", error=SECRETS["SLACK_BOT_TOKEN"]))
    await workspace.type_command("alice", "design", "/imagine a yellow bird")
    await bot.says("cannot_post")
    said = f"Incorrect API key provided: {SECRETS['OPENAI_API_KEY']}."
    refusal = {"error": {"message": said, "code": "invalid_api_key", "type": SECRETS["OPENAI_API_KEY"]}}
    world.images.faults += [
        Fault(endpoint=each, status=401, body=refusal) for each in ("responses", "images")
    ]
    await workspace.type_command("bob", "design", "/imagine a blue whale")
    await bot.says(r"nothing was billed|401|invalid_api_key")
    await workspace.type_command("alice", "design", "/imagine status")
    await workspace.type_command("alice", "design", "/spend")
    async with aiohttp.ClientSession() as session:
        for path in ("/metrics", "/readyz", "/healthz"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                assert not holding_text(await answer.text()), path

    async def asks(*command: str) -> None:
        process = await home.starts(*command)
        await process.ends()
        assert "Traceback" not in process.said, process.said

    await asyncio.gather(asks("doctor", "--json"), asks("spend", "--json"), asks("backup", "copy.tar"))
    world.images.faults.clear()
    # It dies in the middle of its work.
    await workspace.type_command("carol", "design", "/imagine a green owl")
    assert await bot.ends(signal.SIGKILL) == -signal.SIGKILL


def holding_text(text: str) -> list[str]:
    """Which of the secrets are in what was said."""
    return [name for name, secret in SECRETS.items() if any(form in text.encode() for form in forms(secret))]


async def goes_on(home: Home) -> None:
    """It is started again, over HTTP too, with wrong tokens and without a place; then comes all the rest."""
    bot = await home.starts("run", "--set", "log.level=debug", "--set", "log.format=json")
    await bot.says("Darkroom is connected")
    assert await bot.ends(signal.SIGTERM) == 0
    port = str(free_port())
    bot = await home.starts(
        "run", "--set", "log.level=debug", DARKROOM_SLACK__MODE="http", DARKROOM_SLACK__PORT=port
    )
    await bot.says("Darkroom is connected")
    async with aiohttp.ClientSession() as session:
        headers = {"X-Slack-Signature": SECRETS["SLACK_SIGNING_SECRET"], "X-Slack-Request-Timestamp": "1"}
        address = f"http://127.0.0.1:{port}/slack/events"
        async with session.post(address, data=SECRETS["SLACK_BOT_TOKEN"], headers=headers) as answer:
            assert answer.status == 401
    assert await bot.ends(signal.SIGTERM) == 0
    await asyncio.gather(
        home.does("run", "--data-dir", "nowhere", code=2),
        home.does("restore", "copy.tar", "--data-dir", "elsewhere"),
        demonstrates(home),
    )
    home.world.workspace.bot_token = "xoxb-another"
    await home.does("run", "--set", "log.level=debug", code=2)


async def demonstrates(home: Home) -> None:
    """The demo, which has tokens of its own, and takes what it wrote away at its end."""
    demo = await home.starts("demo", "--empty", "--no-browser", "--port", "0")
    kept = (await demo.says(r"--data-dir (\S+)")).group(1)
    assert not holding(files_in(Path(kept)))
    assert await demo.ends(signal.SIGINT) == 0


@pytest.mark.proof
async def test_a_whole_life_leaves_no_token_or_key_on_any_disk(home: Home) -> None:
    await home.does("init", "--no-ask")
    await lives(home)
    await goes_on(home)
    written = home.written()
    assert {"darkroom.db", "copy.tar"} <= {path.name for path in written}
    assert [path for path in written if not path.is_relative_to(home.top)] == []
    assert holding(written) == []
    for process in home.said:
        # Whatever is said may be kept by who started it: a journal, a container's log.
        assert not holding_text(process.said), process.said


async def test_init_alone_writes_them_into_one_file_that_is_its_owners_and_no_gits(home: Home) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=home.work, env=home.variables, check=True)  # noqa: ASYNC221, S607 -- a moment; git is found by the path
    asked = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY")
    answers = "\n" * 6 + "".join(f"{SECRETS[name]}\n" for name in asked)
    said = await home.does("init", "--ask", answers=answers)
    env = home.work / ".env"
    assert holding(home.written()) == [f"{env}: {name}" for name in asked]
    assert not holding_text(said)
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    listed = subprocess.run(  # noqa: ASYNC221 -- a moment
        ["git", "status", "--porcelain", "--untracked-files=all"],  # noqa: S607 -- git is found by the path
        cwd=home.work,
        env=home.variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "darkroom.toml" in listed
    assert ".env" not in listed


def test_a_secret_is_found_in_whatever_form_it_stands(tmp_path: Path) -> None:
    """Else all of this would prove nothing."""
    secret = SECRETS["OPENAI_API_KEY"]
    for number, data in enumerate(
        (
            secret.encode(),
            b"x" + base64.b64encode(f"Bearer {secret}".encode()),
            base64.b64encode(f" Bearer {secret}".encode()),
            base64.b64encode(f"  Bearer {secret}".encode()),
            secret.encode().hex().encode(),
        )
    ):
        file = tmp_path / str(number)
        file.write_bytes(data)
        assert holding([file]) == [f"{file}: OPENAI_API_KEY"], data
    assert re.fullmatch(r"[0-9a-f]{32}", SECRETS["SLACK_SIGNING_SECRET"])
