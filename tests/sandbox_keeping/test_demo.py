"""What was done in the demo is there after a restart, and after a kill."""

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import demo_history, main
from bot.cli.demo import _demo, _Wanted
from bot.cli.demo_first import lives_already
from bot.cli.mixes import Mix
from bot.cli.serving import Stop
from sandbox.faults.rules import FaultPlan
from tests.sandbox_keeping.demo_process import Demo, Json, pictures, room


def seen(state: Json, name: str, url: str) -> list[Json]:
    """A channel's messages, with addresses that do not depend on where Slack listens."""
    found: list[Json] = json.loads(json.dumps(room(state, name)["messages"]).replace(url, "http://here/"))
    return found


def root_of(state: Json, message: Json) -> Json:
    """The message that opened a thread of #design."""
    found: Json = next(m for m in room(state, "design")["messages"] if m["ts"] == message["thread_ts"])
    return found


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_demo_has_a_month_behind_it_once_and_after_a_kill_people_find_all_as_they_left_it(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "sandbox" / "state.json"
    with Demo(tmp_path) as demo:
        told = "".join(demo.said)
        assert "Three people have had Darkroom for a month already: playing it… done in" in told
        channel, _, root = demo.first.removeprefix("#").partition("/")
        past = demo.state()
        assert channel == room(past, "design")["id"]
        assert [m["ts"] for m in pictures(past) if m["thread_ts"] == root]
        demo.does("type", viewer="alice", channel="design", text="/imagine a red fox in snow")
        first = demo.until(lambda state: next(iter(pictures(state)[len(pictures(past)) :]), None))
        demo.does("home", viewer="alice")
        demo.until(lambda state: state["home"])
        # Its placeholder is closed: nothing changes any more, but for this.
        demo.until(lambda state: "Done: " in root_of(state, first)["text"])
        demo.does("post", viewer="bob", channel="design", text="// the last word")
        before = demo.state()
        demo.does("switch", id="fill_cap", value=True, viewer="carol")
        demo.until(lambda _: "the last word" in kept.read_text())
        # Killed while the next one is being made.
        demo.does("type", viewer="alice", channel="general", text="/imagine a blue fox")
        demo.killed()
    with Demo(tmp_path) as again:
        assert "Three people" not in "".join(again.said)
        assert again.first == ""
        state = again.state()
        assert seen(state, "design", again.url) == seen(before, "design", demo.url)
        earlier = {message["ts"]: message for message in seen(state, "general", again.url)}
        assert [earlier[message["ts"]] for message in seen(before, "general", demo.url)] == seen(
            before, "general", demo.url
        )
        assert state["home"]
        for file in before["files"].values():
            with urllib.request.urlopen(again.url + file["url"].lstrip("/")) as answer:  # noqa: S310 -- loopback only
                assert len(answer.read()) == file["size"]
        assert '"filled": {}' in (tmp_path / "sandbox" / "demo.json").read_text()
        again.does("post", viewer="alice", channel="design", thread_ts=first["thread_ts"], text="add a tree")
        again.until(lambda state: "v2 from v1" in json.dumps(pictures(state)[-1]["blocks"]))


def test_a_state_that_cannot_be_read_is_named_and_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox" / "state.json"
    kept.parent.mkdir()
    kept.write_text('{"format": 99}')
    printed = CliRunner().invoke(main, ["demo", "--port", "0", "--data-dir", str(tmp_path)])
    assert printed.exit_code == 2
    assert f"{kept}: its format is 99, and this version reads 1" in printed.output
    assert "name another --data-dir, or move the folder" in printed.output
    assert kept.read_text() == '{"format": 99}'


async def test_a_stop_while_the_month_is_played_ends_it_at_once_and_the_next_start_plays_all_of_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = Stop()

    async def told_to_stop(_: object) -> None:
        stop.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("bot.cli.serving.stop_signal", lambda: stop)
    monkeypatch.setattr("bot.cli.serving.tune_process", lambda: None)
    monkeypatch.setattr(demo_history, "ACTS", (demo_history.the_boat, told_to_stop))
    flags = {"storage.data_dir": tmp_path}
    await _demo(_Wanted(0, flags, 0, FaultPlan(), Mix(), keep=tmp_path, past=True, browser=False))
    said = capsys.readouterr().out
    assert "playing it…" in said
    assert "Open:" not in said

    def boats() -> int:
        rooms = json.loads((tmp_path / "sandbox" / "state.json").read_text())["slack"]["rooms"]
        said = [message["text"] for room in rooms for message in room["messages"]]
        return sum("That boat could go on" in text for text in said)

    assert (boats(), lives_already(tmp_path)) == (1, False)
    again = Stop()
    monkeypatch.setattr("bot.cli.serving.stop_signal", lambda: again)
    monkeypatch.setattr("bot.cli.demo_opening.open_browser", lambda _: again.set())
    monkeypatch.setattr(demo_history, "ACTS", (demo_history.the_boat,))
    await _demo(_Wanted(0, flags, 0, FaultPlan(), Mix(), keep=tmp_path, past=True, browser=True))
    assert "was ended amid its month. It begins once more." in capsys.readouterr().out
    assert (boats(), lives_already(tmp_path)) == (1, True), "once, not twice"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
