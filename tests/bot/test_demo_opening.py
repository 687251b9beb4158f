"""When a demo begins with a past, and when it opens a browser."""

from __future__ import annotations

import socket
import threading
import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.app import Darkroom
from bot.cli import demo_opening, main
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_first import lives_already
from bot.cli.demo_opening import address, can_open_a_browser, open_browser
from bot.cli.demo_stage import StageProblem, Thread
from bot.settings import plain_settings
from sandbox.images.api import ImageApi
from sandbox.slack.model import Refused
from sandbox.slack.workspace import Workspace


@pytest.mark.parametrize(
    ("platform", "environment", "can"),
    [
        ("darwin", {}, True),
        ("win32", {}, True),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"BROWSER": "lynx"}, False),
    ],
)
def test_a_browser_needs_a_screen(platform: str, environment: dict[str, str], can: bool) -> None:
    assert can_open_a_browser(platform, environment) is can


@pytest.mark.parametrize("goes_wrong", [False, True])
def test_the_page_is_shown_and_a_browser_that_does_not_start_harms_nothing(
    goes_wrong: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def show(url: str) -> bool:
        shown.append(url)
        if goes_wrong:
            raise webbrowser.Error("no browser")
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    open_browser("http://127.0.0.1:1/")
    for thread in threading.enumerate():
        if thread.name == "browser":
            thread.join()
    assert shown == ["http://127.0.0.1:1/"]


def test_the_page_opens_with_the_thread_beside_the_channel() -> None:
    assert address("http://127.0.0.1:1/", Thread("C1", "2.3")) == "http://127.0.0.1:1/#C1/2.3"
    assert address("http://127.0.0.1:1/", None) == "http://127.0.0.1:1/"


@pytest.mark.parametrize("breaks", [False, True])
async def test_the_month_is_told_in_one_line_also_when_it_breaks_off(
    breaks: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def play(*given: object) -> Thread:
        if breaks:
            raise StageProblem("version 2 did not come")
        return Thread("C1", "2.3")

    monkeypatch.setattr(demo_opening, "play", play)
    workspace, images, clock = Workspace(), ImageApi(), DemoClock()
    darkroom = Darkroom(plain_settings({}))
    thread = await demo_opening.play_the_month(workspace, images, darkroom, clock)
    assert thread == (None if breaks else Thread("C1", "2.3"))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Three people have had Darkroom for a month already: playing it… ")
    assert ("because version 2 did not come" in line) is breaks


async def test_what_cannot_be_pressed_breaks_the_month_off_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def press(*_: object) -> Thread:
        raise Refused("message 1.2 has no 'picture_variations' to press")

    monkeypatch.setattr(demo_opening, "play", press)
    darkroom = Darkroom(plain_settings({}))
    assert await demo_opening.play_the_month(Workspace(), ImageApi(), darkroom, DemoClock()) is None
    assert "has no 'picture_variations' to press. The demo works all the same." in capsys.readouterr().out


def test_a_demo_whose_port_is_taken_leaves_nothing_that_would_keep_it_from_its_month(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--no-browser", "--port", port, "--data-dir", str(tmp_path)]
        ended = CliRunner().invoke(main, ["demo", *options])
    assert ended.exit_code == 2
    assert "cannot be used" in ended.output
    assert f"Is a demo running already? Then it is at http://127.0.0.1:{port}/" in ended.output
    assert not lives_already(tmp_path)


@pytest.mark.parametrize("which", ["--port", "--images-port"])
def test_a_sandbox_whose_port_is_taken_names_the_option_that_takes_any(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--images-port": "0", which: port}
        ended = CliRunner().invoke(main, ["sandbox", *(each for pair in ports.items() for each in pair)])
    assert ended.exit_code == 2
    assert f"Port {port} cannot be used" in ended.output
    assert f"{which} 0 takes any free one" in ended.output
