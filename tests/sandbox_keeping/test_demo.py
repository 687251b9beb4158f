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
from tests.sandbox_keeping.demo_process import ROOT, Demo, Json, pictures, room


def root_of(state: Json, message: Json) -> Json:
    """The message that opened a thread of #design."""
    found: Json = next(m for m in room(state, "design")["messages"] if m["ts"] == message["thread_ts"])
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_new_demo_has_a_month_behind_it_once_and_people_find_all_as_they_left_it(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        assert "Three people have had Darkroom for a month already" in "".join(demo.said)
        channel, _, root = demo.first.removeprefix("#").partition("/")
        past = demo.state()
        assert channel == room(past, "design")["id"]
        assert [m["ts"] for m in pictures(past) if m["thread_ts"] == root]
        demo.does("type", viewer="alice", channel="design", text="/imagine a red fox in snow")
        first = demo.until(lambda state: next(iter(pictures(state)[len(pictures(past)) :]), None))
        demo.does("home", viewer="alice")
        demo.until(lambda state: state["home"])
        demo.does("react", viewer="bob", channel="design", ts=first["ts"], name="heart")
        # Its placeholder is closed: nothing changes any more.
        demo.until(lambda state: "Done: " in root_of(state, first)["text"])
        before = demo.state()
    with Demo(tmp_path) as demo:
        assert "Three people" not in "".join(demo.said)
        assert demo.first == ""
        state = demo.state()
        for name in ("design", "general"):
            assert room(state, name)["messages"] == room(before, name)["messages"]
        assert state["home"]
        for file in before["files"].values():
            with urllib.request.urlopen(demo.url + file["url"].lstrip("/")) as answer:  # noqa: S310 -- loopback only
                assert len(answer.read()) == file["size"]
        demo.does(
            "post", viewer="alice", channel="design", thread_ts=first["thread_ts"], text="make it night"
        )
        demo.until(lambda state: "v2 from v1" in json.dumps(pictures(state)[-1]["blocks"]))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_after_a_kill_slack_and_the_books_go_on_together(tmp_path: Path) -> None:
    with Demo(tmp_path, "--empty") as demo:
        demo.does("type", viewer="alice", channel="design", text="/imagine a red fox in snow")
        first = demo.until(lambda state: next(iter(pictures(state)), None))
        kept = tmp_path / "sandbox" / "state.json"
        demo.until(lambda _: kept.exists() and first["ts"] in kept.read_text())
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
            new = os.read(process.stdout.fileno(), 1000)
            assert new, said.decode()
            said += new
        process.send_signal(signal.SIGINT)
        said += process.communicate()[0]
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert b"Open:" not in said
