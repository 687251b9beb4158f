"""A set-up in which all is well, in which faults are planted one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli.world import World
from bot.doctor.checks import CHECKS
from bot.doctor.examination import Machine, examine
from bot.doctor.finding import Finding, Grade
from bot.doctor.table import as_data, without_secrets
from darkroom.clock import SystemClock
from darkroom.turns.heartbeat import Beat
from sandbox.faults.rules import Rule
from storage.database import DATABASE_NAME, Database
from storage.heartbeat import SqlitePulse
from tests.fresh import with_books

SOUND_SQLITE = "3.53.1"
ROOMY = 10**12
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1111-2222-planted",
    "SLACK_APP_TOKEN": "xapp-1-A0DARKROOM-planted",
    "SLACK_SIGNING_SECRET": "0123456789abcdef" * 2,
    "OPENAI_API_KEY": "sk-proj-planted1234",
}


class OffClock(SystemClock):
    """The machine's clock, put forward or back."""

    def __init__(self, off: timedelta) -> None:
        self._off = off

    def now(self) -> datetime:
        """The wrong time."""
        return super().now() + self._off


@dataclass
class Patient:
    """What the doctor is sent to: a folder with settings and books, a local Slack and a local image API."""

    folder: Path
    world: World
    flags: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=lambda: Machine(sqlite=SOUND_SQLITE, free=lambda _: ROOMY))
    config: Path | None = None
    after: list[Callable[[], Any]] = field(default_factory=list)
    """Whatever has to be closed again."""

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def database(self) -> Path:
        """The file with the books."""
        return self.data / DATABASE_NAME

    def set_up(self) -> None:
        """Everything in its place."""
        with_books(self.data).chmod(0o700)
        (self.data / "pictures").mkdir()
        alice = self.world.workspace.user_named("alice").id
        (self.folder / "darkroom.toml").write_text(f'[slack]\nadmins = ["{alice}"]\n')
        self.world.workspace.bot_token = SECRETS["SLACK_BOT_TOKEN"]
        self.world.workspace.app_token = SECRETS["SLACK_APP_TOKEN"]
        self.env = SECRETS | {
            "SLACK_API_URL": self.world.slack_api_url,
            "OPENAI_BASE_URL": self.world.openai_base_url,
            "DARKROOM_STORAGE__DATA_DIR": str(self.data),
        }
        self.write_env()

    def write_env(self, *more: str, mode: int = 0o600, **changes: str | None) -> None:
        """``.env`` anew, with *changes* (None: without it) and lines of any kind at its end."""
        self.env = {name: value for name, value in (self.env | changes).items() if value is not None}
        file = self.folder / ".env"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.env.items()) + "\n".join(more))
        file.chmod(mode)

    def write_toml(self, text: str) -> None:
        """More of ``darkroom.toml``, beside the admins."""
        file = self.folder / "darkroom.toml"
        file.write_text(file.read_text() + text)

    def ill(self, side: Any, on: str, fault: str, **args: Any) -> None:
        """A fault of the sandbox's, at every call."""
        rule = Rule(side, on, fault, times=None, args=args)
        (self.world.workspace if side == "slack" else self.world.images).fault_plan.add(rule)

    def change(self, **machine: Any) -> None:
        """Another machine."""
        self.machine = replace(self.machine, **machine)

    def sql(self, *statements: str) -> None:
        """Change the books."""
        import sqlite3

        with closing(sqlite3.connect(self.database)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    async def write(self, work: Callable[[Database], Any]) -> None:
        """Write into the books as Darkroom does."""
        database = Database.open(self.data, inline=True)
        try:
            await work(database)
        finally:
            database.close()

    async def beat(self, ago: timedelta = timedelta(), stuck: tuple[str, ...] = ()) -> None:
        """A sign of life, so long ago."""
        at = datetime.now(UTC) - ago
        await self.write(lambda database: SqlitePulse(database).beat(Beat(4711, at, at, 0, 0, stuck)))

    async def examined(self) -> list[Finding]:
        """What is shown of what the doctor finds."""
        settings, found = await examine(self.config, self.flags, self.folder, self.machine)
        return without_secrets(found, settings)

    async def looked_at(self) -> list[Finding]:
        """What the doctor finds; no token or key is in any of it, and no file is left behind."""
        before = contents(self.folder)
        findings = await self.examined()
        told = json.dumps(as_data(findings))
        for secret in (*SECRETS.values(), *self.env.values()):
            if secret.startswith(("xox", "xapp", "sk-")) or secret == SECRETS["SLACK_SIGNING_SECRET"]:
                assert secret not in told, secret
                assert len(secret) < 16 or secret[8:] not in told, secret
        after = contents(self.folder)
        assert after == before, (before, after)
        for each in findings:
            assert each.said
            assert each.check in CHECKS or each.grade is Grade.SKIP, each
            if each.grade in (Grade.WARN, Grade.FAIL):
                assert each.remedy, each
        return findings


def contents(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Every file with its mode and size; a Darkroom that runs goes on writing its own."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {
        str(path): (path.stat().st_mode, 0 if path.suffix == ".db-wal" else path.stat().st_size)
        for path in files
    }


def bad(findings: list[Finding]) -> list[Finding]:
    """Those that somebody should do something about."""
    return [each for each in findings if each.grade in (Grade.WARN, Grade.FAIL)]
