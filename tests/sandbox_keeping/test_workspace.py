"""A workspace that was used is the same after a restart, and goes on from there."""

import asyncio
import copy
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.keeping.folder import Folder
from sandbox.slack import response_urls
from sandbox.slack.keeping import WorkspaceKept
from sandbox.slack.model import Json
from sandbox.slack.workspace import Workspace
from tests.sandbox_keeping.used import DESIGN, STEPS, all_of, brought_back, call, kept_in, messages, take
from tests.sandbox_slack.conftest import App, Clock, png


async def used(clock: Clock, *steps: tuple[Any, ...], acks: bool = True) -> Workspace:
    """A workspace with an app, after those steps."""
    workspace = Workspace(now=clock.now, sleep=clock.sleep, commands=frozenset({"/imagine"}))
    await workspace.attach(App(workspace, acks=acks).send)
    for step in steps:
        await take(workspace, step)
    return workspace


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_whatever_was_done_in_it_everybody_sees_the_same_after_a_restart(
    steps: list[tuple[Any, ...]],
) -> None:
    async def story(place: Path) -> None:
        clock = Clock()
        before = await used(clock, *steps)
        kept_in(place, before)
        was = all_of(before)
        await before.close()
        after = brought_back(place, Workspace(now=clock.now, sleep=clock.sleep))
        # Nothing is connected to it yet.
        for seen in was["seen"].values():
            seen["app"]["connected"] = False
            seen["shortcuts"] = []
        assert all_of(after) == was
        stamps = [message.ts for message in messages(after)]
        ids = {*after.users, *after.channels, *after.files, *after.views}
        new = await after.post("alice", DESIGN, "and on it goes")
        assert new.ts > max(stamps, default="")
        assert after.mint("F") not in ids
        await after.close()

    with tempfile.TemporaryDirectory() as place:
        asyncio.run(story(Path(place)))


async def test_a_response_url_and_a_thread_go_on_where_they_were(clock: Clock, tmp_path: Path) -> None:
    before = await used(clock)
    seen = await before.type_command("alice", DESIGN, "/imagine a fox")
    url = seen.payload["response_url"]
    for _ in range(4):
        assert (await before.respond(url, {"text": "more"})).status == 200
    root = await before.post("alice", DESIGN, "a thread")
    await before.post("bob", DESIGN, "first", thread_ts=root.ts)
    kept_in(tmp_path, before)
    after = brought_back(tmp_path, Workspace(now=clock.now, sleep=clock.sleep))
    assert (await after.respond(url, {"text": "the fifth"})).status == 200
    assert (await after.respond(url, {"text": "the sixth"})).status == 404
    await after.post("carol", DESIGN, "second", thread_ts=root.ts)
    assert [message.text for message in after.thread(DESIGN, root.ts)] == ["a thread", "first", "second"]
    assert after.message(DESIGN, after.thread(DESIGN, root.ts)[1].ts) is after.thread(DESIGN, root.ts)[1]


async def test_a_scan_that_was_under_way_goes_on(clock: Clock, tmp_path: Path) -> None:
    before = await used(clock)
    data = png()
    begun = await call(before, "files.getUploadURLExternal", filename="v1.png", length=len(data))
    await before.send_bytes(begun["upload_url"], data)
    await call(before, "files.completeUploadExternal", files=[{"id": begun["file_id"]}])
    kept_in(tmp_path, before)
    after = brought_back(tmp_path, Workspace(now=clock.now, sleep=clock.sleep))
    assert after.files[begun["file_id"]].mimetype == ""
    await clock.advance(0.5)
    assert after.files[begun["file_id"]].mimetype == "image/png"
    assert (
        await after.download(
            str((await call(after, "files.info", file=begun["file_id"]))["file"]["url_private"]),
            after.bot_token,
        )
    ).body == data


async def test_what_the_app_had_not_acknowledged_comes_again_when_it_connects(
    clock: Clock, tmp_path: Path
) -> None:
    before = await used(clock, ("post", "alice", "design", "hello"), acks=False)
    kept_in(tmp_path, before)
    await before.close()
    after = brought_back(tmp_path, Workspace(now=clock.now, sleep=clock.sleep))
    app = App(after)
    await after.attach(app.send)
    await clock.settle()
    texts = [message["payload"]["event"]["text"] for message in app.got if "envelope_id" in message]
    assert texts == ["hello"]
    assert not after.delivery.unanswered
    await after.close()


async def test_a_status_lapses_when_it_would_have_and_the_page_hears_of_it(
    clock: Clock, tmp_path: Path
) -> None:
    before = await used(clock, ("post", "alice", "design", "a fox"))
    (root,) = messages(before)
    place = {"channel": DESIGN, "thread_ts": root.ts}
    await call(
        before, "assistant.threads.setStatus", channel_id=DESIGN, thread_ts=root.ts, status="is drawing"
    )
    await clock.advance(100)
    kept_in(tmp_path, before)
    await before.close()
    after = brought_back(tmp_path, Workspace(now=clock.now, sleep=clock.sleep))
    told: list[Json] = []
    after.on_change.append(told.append)
    await clock.advance(19)
    assert (after.status(DESIGN, root.ts), told) == ("is drawing", [])
    await clock.advance(1)
    assert told == [{"kind": "status", **place, "status": ""}]
    assert not after.statuses
    await after.close()


async def test_what_was_acknowledged_does_not_come_again(clock: Clock, tmp_path: Path) -> None:
    before = await used(clock, ("post", "alice", "design", "hello"))
    kept_in(tmp_path, before)
    after = brought_back(tmp_path, Workspace(now=clock.now, sleep=clock.sleep))
    app = App(after)
    await after.attach(app.send)
    assert [message["type"] for message in app.got] == ["hello"]


def _without_users(state: Json) -> None:
    state["users"] = []


def _of_another_team(state: Json) -> None:
    state["team_id"] = "T0OTHER"


def _with_a_lost_member(state: Json) -> None:
    state["rooms"][0]["members"].append("U0NOBODY")


def _with_a_lost_file(state: Json) -> None:
    state["rooms"][0]["messages"][0]["files"] = ["F0NOTHING1"]


def _with_a_file_of_nobody(state: Json) -> None:
    state["files"][0]["user"] = "U0NOBODY"


def _with_a_file_in_a_lost_channel(state: Json) -> None:
    state["files"][0]["shares"]["C0NOWHERE1"] = ["1.000000"]


def _with_a_lost_reply(state: Json) -> None:
    state["rooms"][0]["replies"]["1.000000"] = ["1.000001"]


def _with_another_field(state: Json) -> None:
    state["users"][0]["shoe_size"] = 43


def _without_a_field(state: Json) -> None:
    del state["rooms"][0]["messages"][0]["text"]


def _with_a_number_for_a_name(state: Json) -> None:
    state["users"][0]["name"] = 7


def _with_a_kind_nobody_knows(state: Json) -> None:
    state["rooms"][0]["kind"] = "tunnel"


def _with(**fields: Any) -> Any:
    """Those fields of the whole in place of what was kept."""

    def spoil(state: Json) -> None:
        assert state.keys() >= fields.keys()
        state.update(fields)

    return spoil


def _with_an_event_that_is_none(state: Json) -> None:
    state["unanswered"][0]["payload"]["event"] = 5


def _with_an_attempt_before_the_first(state: Json) -> None:
    state["unanswered"][0]["attempt"] = -3


def _with_a_status_for_ever(state: Json) -> None:
    state["statuses"] = [{"channel": DESIGN, "thread_ts": "1.000000", "said": "hm", "until": math.inf}]


def _with_a_stamp_that_is_none(state: Json) -> None:
    message = next(message for room in state["rooms"] for message in room["messages"])
    message["ts"] = "soon"


def _with_a_message_of_elsewhere(state: Json) -> None:
    message = next(message for room in state["rooms"] for message in room["messages"])
    message["channel"] = "C0NOWHERE1"


def _view(kind: str, **fields: Any) -> Any:
    """That view, of which the rest is as it was; None takes a field away."""

    def spoil(state: Json) -> None:
        (view,) = state[kind].values()
        assert view.keys() >= fields.keys()
        view.update(fields)
        for name in [name for name, value in fields.items() if value is None]:
            del view[name]

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _with(count=-5),
        _with(count=10**4000),
        _with(run=-1),
        _with(run=1 << 64),
        _with(last_ts=10**4000),
        _with(views={"V1": {"a": 1}}),
        _with(homes={"U0ALICE001": {}}),
        _with_an_event_that_is_none,
        _with_an_attempt_before_the_first,
        _with_a_status_for_ever,
        _with_a_stamp_that_is_none,
        _with_a_message_of_elsewhere,
        _view("views", id="V0ANOTHER1"),
        _view("views", blocks=None),
        _view("views", blocks=[7]),
        _view("views", state={"values": {"b": 7}}),
        _view("views", _user="U0NOBODY"),
        _view("views", root_view_id=None),
        _view("homes", _user="U0BOB00001"),
        _view("homes", type="modal"),
    ],
)
async def test_a_state_from_which_nothing_could_go_on_is_refused_and_changes_nothing(
    clock: Clock, tmp_path: Path, spoil: Any
) -> None:
    before = await used(clock, ("post", "alice", "design", "hello"), acks=False)
    trigger = response_urls.trigger(before, before.user_named("alice"), channel=DESIGN)
    title = {"type": "plain_text", "text": "A picture"}
    modal = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
    await call(before, "views.open", trigger_id=trigger, view=modal)
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await call(before, "views.publish", user_id="U0ALICE001", view=home)
    kept_in(tmp_path, before)
    state = json.loads((tmp_path / "state.json").read_text())["slack"]
    fresh = Workspace(now=clock.now, sleep=clock.sleep)
    was = all_of(fresh)
    spoilt = copy.deepcopy(state)
    spoil(spoilt)
    with pytest.raises((ValueError, KeyError)):
        WorkspaceKept(fresh).restore(spoilt, Folder(tmp_path).fetch)
    assert all_of(fresh) == was
    WorkspaceKept(fresh).restore(state, Folder(tmp_path).fetch)
    assert fresh.homes.keys() == {"U0ALICE001"}
    await fresh.close()


@pytest.mark.parametrize(
    "spoil",
    [
        _without_users,
        _of_another_team,
        _with_a_lost_member,
        _with_a_lost_file,
        _with_a_file_of_nobody,
        _with_a_file_in_a_lost_channel,
        _with_a_lost_reply,
        _with_another_field,
        _without_a_field,
        _with_a_number_for_a_name,
        _with_a_kind_nobody_knows,
    ],
)
async def test_a_state_that_does_not_hold_together_is_refused_and_changes_nothing(
    clock: Clock, tmp_path: Path, spoil: Any
) -> None:
    before = await used(clock, ("post", "alice", "design", "hello"), ("upload", b"bytes", True))
    kept_in(tmp_path, before)
    state = json.loads((tmp_path / "state.json").read_text())["slack"]
    spoil(state)
    fresh = Workspace(now=clock.now, sleep=clock.sleep)
    was = all_of(fresh)
    with pytest.raises((ValueError, KeyError)):
        WorkspaceKept(fresh).restore(state, Folder(tmp_path).fetch)
    assert all_of(fresh) == was


async def test_an_alt_text_that_is_no_text_can_be_read_again(clock: Clock, tmp_path: Path) -> None:
    before = Workspace(now=clock.now, sleep=clock.sleep)
    params = {"filename": "fox.png", "length": 3, "alt_txt": 7}
    await before.call("files.getUploadURLExternal", params, before.bot_token)
    kept_in(tmp_path, before)
    state = json.loads((tmp_path / "state.json").read_text())["slack"]
    WorkspaceKept(Workspace(now=clock.now, sleep=clock.sleep)).restore(state, Folder(tmp_path).fetch)
    assert state["files"][0]["alt_txt"] == "7"
