"""A program in which everything is loaded, and which turns into a Darkroom in an instant, as often as asked.

``python -m tests.crash.nursery PATH`` listens at a Unix socket. Each connection is one Darkroom: its first
line says which, the process forks, and the child answers. When it has ended, its exit code is the last line.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.app import Darkroom, Overrides
from bot.settings import plain_settings
from darkroom.rendering import picture, reading
from handlers import chart  # noqa: F401 -- loaded here, not in each child
from handlers.rounds import Rounds
from tests.crash.clock import PointsClock
from tests.crash.faulty_disk import Disk, FaultySqlite, faulty_files
from tests.crash.points import Points
from tests.simulation.town import run
from tests.simulation.world import Plan

QUIET_SEED = 11
"""Of a simulated day without a crash, which would leave a life lying about."""


class Line:
    """Whole lines of JSON over a connection; may be used by several threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def say(self, **words: Any) -> None:
        """Say it before going on."""
        with self._lock:
            self._connection.sendall(json.dumps(words).encode() + b"\n")


class Resting:
    """What goes round by itself, and whether all of it waits to be woken."""

    def __init__(self) -> None:
        self._busy: set[int] = set()
        self._changed = asyncio.Event()

    def install(self) -> None:
        """Look at everything that goes round in this process."""
        run, pause = Rounds._run, Rounds._pause

        async def watched_run(rounds: Rounds) -> None:
            self._busy.add(id(rounds))
            await run(rounds)

        async def watched_pause(rounds: Rounds, seconds: float) -> None:
            if not rounds._woken.is_set():
                self._busy.discard(id(rounds))
                self._changed.set()
            await pause(rounds, seconds)
            self._busy.add(id(rounds))

        setattr(Rounds, "_run", watched_run)  # noqa: B010 -- a method is replaced on purpose
        setattr(Rounds, "_pause", watched_pause)  # noqa: B010 -- a method is replaced on purpose

    async def wait(self) -> None:
        """Return when all of them wait."""
        while self._busy:
            self._changed.clear()
            await self._changed.wait()


async def _live(connection: socket.socket, order: dict[str, Any]) -> None:
    """A Darkroom, until it is told to stop or dies."""
    line = Line(connection)
    points = Points(lambda name: line.say(dies=name))
    points.install()
    rounds = Resting()
    rounds.install()
    if order["from_start"]:
        points.arm(order["die_at"])
    settings = plain_settings(order["flags"])
    disk = Disk(str(settings.storage.data_dir))
    # To be kept as long as there are connections.
    sqlite = FaultySqlite(disk) if order["faulty_disk"] else None
    if sqlite is not None:
        sqlite.install()
        faulty_files(disk)
    overrides = Overrides(clock=PointsClock(mends=order["faulty_disk"]))
    connection.setblocking(False)
    reader, _ = await asyncio.open_unix_connection(sock=connection.dup())
    async with Darkroom(settings, create_data=True, overrides=overrides) as darkroom:
        line.say(ready=os.getpid())
        while text := await reader.readline():
            words = json.loads(text)
            if words["do"] == "arm":
                points.arm(words["die_at"])
                line.say(armed=True)
            elif words["do"] == "rest":
                assert darkroom.worker is not None
                await darkroom.worker.idle()
                await darkroom.errands.idle()
                await rounds.wait()
                await darkroom.worker.idle()
                line.say(rests=True)
            elif words["do"] == "fail":
                disk.arm(words["at"], words["error"], lasting=words["lasting"])
                line.say(faulty=True)
            elif words["do"] == "mend":
                line.say(mended=[disk.operations, disk.failed])
                disk.arm(0, 0, lasting=False)
            elif words["do"] == "points":
                line.say(points=points.reached)
            else:
                break
    line.say(stopped=True)


def _child(connection: socket.socket, order: dict[str, Any]) -> None:
    signal.set_wakeup_fd(-1)
    faulthandler.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    logging.basicConfig(filename=order["log"], level=logging.INFO, force=True)
    code = 1
    try:
        asyncio.run(_live(connection, order))
        code = 0
    except BaseException:
        logging.getLogger("tests.crash").exception("the child broke")
        raise
    finally:
        os._exit(code)


class Server:
    """Forks one child a connection, and says how each ended."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(16)
        self._children: dict[int, socket.socket] = {}
        # Closed when whoever asked closes theirs: a connection with something unread in it would be reset,
        # and what was said last would be lost with it.
        self._over: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)

    def serve(self) -> None:
        """Until its input ends."""
        for file in (self._listener, self._woken, sys.stdin):
            self._selector.register(file, selectors.EVENT_READ)
        print("ready", flush=True)  # noqa: T201 -- whoever started this program waits for it
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._fork()
                elif key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                elif isinstance(key.fileobj, socket.socket):
                    self._drain(key.fileobj)
                else:
                    return

    def _fork(self) -> None:
        connection, _ = self._listener.accept()
        text = connection.makefile("rb").readline()
        if not text:
            # Whoever wanted one has gone: the others still want theirs.
            connection.close()
            return
        order = json.loads(text)
        pid = os.fork()
        if pid == 0:
            self._listener.close()
            for other in (*self._children.values(), *self._over):
                other.close()
            _child(connection, order)
        self._children[pid] = connection

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self._children.pop(pid)
            # Whoever asked for it may have gone.
            with suppress(OSError):
                Line(connection).say(ended=os.waitstatus_to_exitcode(status))
            self._over.add(connection)
            self._selector.register(connection, selectors.EVENT_READ)

    def _drain(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if connection.recv(4096):
                return
        self._selector.unregister(connection)
        self._over.discard(connection)
        connection.close()


if __name__ == "__main__":
    picture.warm()
    reading.warm()
    # What is made at its first use is made here, not in each child: a child takes a third less time.
    run(QUIET_SEED, Plan(days=1))
    server = Server(str(Path(sys.argv[1])))
    gc.collect()
    gc.freeze()
    server.serve()
