"""Build the wheel, install it into a clean environment, start it from an empty folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"
COMMANDS = (
    ["--version"],
    ["--help"],
    ["run", "--help"],
    ["manifest"],
    ["manifest", "--http", "https://darkroom.example.com", "--mentions-only", "--command-prefix", "test"],
    ["init"],
    ["spend", "--json"],
    ["turns"],
)


def main() -> None:
    """Raises ``CalledProcessError`` or ``AssertionError`` with the output of what failed."""
    with tempfile.TemporaryDirectory(prefix="darkroom-wheel-") as folder:
        place = Path(folder)
        wheel = build(place / "dist")
        bin_dir = install(wheel, place / "venv")
        empty = place / "empty"
        empty.mkdir()
        for command in COMMANDS:
            run([str(bin_dir / "darkroom"), *command], empty)
        run([str(bin_dir / "python"), "-I", "-m", "bot", "--help"], empty)
        set_up(bin_dir, place / "own")
        demo(bin_dir, empty)
    sys.stdout.write(f"wheel: {wheel.name} installs, starts and serves its page\n")


def build(out: Path) -> Path:
    """The wheel, built from the checkout without a download."""
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)], ROOT)
    return next(out.glob("*.whl"))


def install(wheel: Path, target: Path) -> Path:
    """A new environment with the locked packages and the wheel; gives its folder of programs."""
    venv.create(target, with_pip=True)
    bin_dir = target / "bin"
    pip = [str(bin_dir / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Most of what is installed is never loaded here: compiling it is most of the time.
    run([*pip, "--no-compile", "--require-hashes", "-r", str(ROOT / "requirements.lock")], target)
    run([*pip, "--no-deps", str(wheel)], target)
    return bin_dir


def set_up(bin_dir: Path, folder: Path) -> None:
    """``init`` asks and writes its files; ``doctor`` looks at what came of it and says what is missing."""
    folder.mkdir()
    program = str(bin_dir / "darkroom")
    answers = "\n" * 7 + "xapp-1\nsk-1\n"
    run([program, "init", "--ask"], folder, answers)
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert (folder / "data" / "darkroom.db").exists()
    done = subprocess.run(
        [program, "doctor", "--json"], cwd=folder, env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SLACK_BOT_TOKEN is missing" in done.stdout, done.stdout
    assert isinstance(json.loads(done.stdout), dict), done.stdout


def demo(bin_dir: Path, empty: Path) -> None:
    """The demo comes up, serves its page, and stops at Ctrl-C without a complaint."""
    with subprocess.Popen(
        [str(bin_dir / "darkroom"), "demo", "--no-browser", "--port", "0"],
        cwd=empty,
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            for line in process.stdout:
                said += line
                if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                    with straight.open(found.group(), timeout=10) as page:
                        assert b"<html" in page.read().lower()
                    break
            else:
                raise AssertionError(f"the demo did not come up:\n{said}")
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=30) == 0, said + rest
        assert "Traceback" not in rest, rest


def clean() -> dict[str, str]:
    """The environment without anything of ours or of Python's; Slack and OpenAI are where nobody answers."""
    others = ("PYTHON", "COV_", "DARKROOM_", "SLACK_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "SLACK_API_URL": f"{NOWHERE}/api/", "OPENAI_BASE_URL": f"{NOWHERE}/v1"}


def run(command: list[str], where: Path, typed: str = "") -> None:
    """Run and, if it fails, show what it said."""
    done = subprocess.run(
        command, cwd=where, env=clean(), input=typed, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()


if __name__ == "__main__":
    main()
