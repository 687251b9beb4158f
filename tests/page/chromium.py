"""The system's Chromium, without a window: one process for all tests of one worker."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, Final

MISSING: Final = "no Chromium on this machine (Debian: apt install chromium-headless-shell)"
_LISTENS: Final = "DevTools listening on "
_END_S: Final = 10
_ARGUMENTS: Final = (
    "--headless",
    "--remote-debugging-port=0",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-startup-window",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    "--force-color-profile=srgb",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    # Each window would start a renderer for the menus of an address bar that nobody sees, and one to spare:
    # nearly half of what a page costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess",
    # Pages that stand behind another one are tested at the same time.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # A mouse is there; a page with touch says so itself.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
)


def find_chromium() -> str | None:
    """The path of the system's Chromium; None when there is none. The one without windows comes first: it
    takes less than half of the CPU."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Chromium:
    """A Chromium with a profile that goes with it. It begins with the first `address()`, and ends with
    `close()`; one that has died by itself begins anew."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._process: subprocess.Popen[str] | None = None
        self._profile: Path | None = None
        self._drain: Thread | None = None
        self._address = ""

    def address(self) -> str:
        """Where its DevTools listen, for Playwright's `connect_over_cdp`. RuntimeError if it fails."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._begin()
        return self._address

    def close(self) -> None:
        """End it with all that it started, and throw its profile away."""
        if self._process is not None:
            self._end(self._process)
        if self._profile is not None:
            shutil.rmtree(self._profile, ignore_errors=True)
        self._process = self._profile = None

    def _begin(self) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="darkroom-chromium-"))
        self._process = subprocess.Popen(
            [*_ends_with_us(), self._path, *_ARGUMENTS, f"--user-data-dir={self._profile}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # What it keeps beside its profile goes with the profile.
            env={**os.environ, "HOME": str(self._profile), "XDG_CONFIG_HOME": str(self._profile)},
            # A group of its own, so that it ends with everything that it has started.
            start_new_session=True,
        )
        assert self._process.stderr is not None
        told = []
        for line in self._process.stderr:
            told.append(line)
            if line.startswith(_LISTENS):
                self._address = line.removeprefix(_LISTENS).strip()
                break
        else:
            raise RuntimeError("Chromium did not begin: " + "".join(told[-20:]))
        # A pipe that nobody reads would be full one day, and stop it.
        self._drain = Thread(target=_read_out, args=(self._process.stderr,), daemon=True)
        self._drain.start()

    def _end(self, process: subprocess.Popen[str]) -> None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        if self._drain is not None:
            self._drain.join(_END_S)
            self._drain = None
        if process.stderr is not None:
            process.stderr.close()


def _ends_with_us() -> list[str]:
    """What stands before the browser's command, so that it ends when these tests are killed. Nothing where
    util-linux is not there (busybox has a `setpriv` that cannot do it)."""
    setpriv = shutil.which("setpriv")
    able = setpriv is not None and Path(setpriv).resolve().name == "setpriv"
    return ["setpriv", "--pdeathsig", "TERM"] if able else []


def _read_out(stream: IO[str]) -> None:
    for _ in stream:
        pass


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
