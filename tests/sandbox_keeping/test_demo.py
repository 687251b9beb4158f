"""What was done in the demo is there after a restart, and after a kill."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.sandbox_keeping.demo_process import ROOT, Demo, pictures, room


@pytest.mark.slow
def test_people_find_everything_as_they_left_it_and_go_on(tmp_path: Path) -> None:
    with Demo(tmp_path, "--empty") as demo:
        demo.does("type", viewer="alice", channel="design", text="/imagine a red fox in snow")
        first = demo.until(lambda state: next(iter(pictures(state)), None))
        demo.does("home", viewer="alice")
        demo.until(lambda state: state["home"])
        demo.does("react", viewer="bob", channel="design", ts=first["ts"], name="heart")
    with Demo(tmp_path, "--empty") as demo:
        state = demo.state()
        (there,) = pictures(state)
        assert there["reactions"] == [{"name": "heart", "users": ["U0BOB00001"]}]
        assert there["blocks"] == first["blocks"]
        (file,) = (f for f in state["files"].values() if f["mimetype"] == "image/png")
        with urllib.request.urlopen(demo.url + file["url"].lstrip("/")) as answer:  # noqa: S310 -- loopback only
            assert answer.read().startswith(b"\x89PNG")
        assert state["home"]
        demo.does(
            "post", viewer="alice", channel="design", thread_ts=there["thread_ts"], text="make it night"
        )
        second = demo.until(lambda state: next(iter(pictures(state)[1:]), None))
        assert "v2 from v1" in json.dumps(second["blocks"])


@pytest.mark.slow
def test_after_a_kill_slack_and_the_books_go_on_together(tmp_path: Path) -> None:
    with Demo(tmp_path, "--empty") as demo:
        demo.does("type", viewer="alice", channel="design", text="/imagine a red fox in snow")
        first = demo.until(lambda state: next(iter(pictures(state)), None))
        kept = tmp_path / "sandbox" / "state.json"
        demo.until(lambda _: first["ts"] in kept.read_text())
        # Killed while the next one is being made.
        demo.does(
            "post", viewer="alice", channel="design", thread_ts=first["thread_ts"], text="make it night"
        )
        demo.killed()
    with Demo(tmp_path, "--empty") as demo:
        state = demo.state()
        assert pictures(state)[0]["blocks"] == first["blocks"]
        demo.does("post", viewer="alice", channel="design", thread_ts=first["thread_ts"], text="add a tree")
        demo.until(lambda state: "add a tree" in json.dumps([m["blocks"] for m in pictures(state)]))


def test_a_state_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox" / "state.json"
    kept.parent.mkdir()
    kept.write_text('{"format": 99}')
    printed = CliRunner().invoke(main, ["demo", "--port", "0", "--data-dir", str(tmp_path)])
    assert printed.exit_code == 2
    assert f"{kept}: its format is 99, and this version reads 1" in printed.output
    assert "name another --data-dir, or move the folder" in printed.output
    assert kept.read_text() == '{"format": 99}'


@pytest.mark.slow
def test_a_month_is_behind_a_new_demo_once_and_its_thread_is_the_first_thing_to_see(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        assert "Three people have had Darkroom for a month already" in "".join(demo.said)
        channel, _, root = demo.first.removeprefix("#").partition("/")
        state = demo.state()
        assert channel == room(state, "design")["id"]
        assert [m["ts"] for m in pictures(state) if m["thread_ts"] == root]
        before = [message["ts"] for message in room(state, "general")["messages"]]
    with Demo(tmp_path) as demo:
        assert "Three people" not in "".join(demo.said)
        assert demo.first == ""
        assert [message["ts"] for message in room(demo.state(), "general")["messages"]] == before


@pytest.mark.slow
def test_a_stop_while_the_month_is_played_ends_it_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "bot", "demo", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said = b""
        while b"playing it" not in said:
            said += os.read(process.stdout.fileno(), 1000)
        process.send_signal(signal.SIGINT)
        said += process.communicate()[0]
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert b"Open:" not in said


@pytest.mark.slow
def test_two_demos_cannot_keep_one_folder(tmp_path: Path) -> None:
    with Demo(tmp_path, "--empty"):
        printed = CliRunner().invoke(main, ["demo", "--port", "0", "--data", str(tmp_path)])
        assert printed.exit_code == 2
        assert "Another demo is running" in printed.output
