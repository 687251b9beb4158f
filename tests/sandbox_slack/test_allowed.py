"""People, and programs in their name, do what Slack's client lets them, and no more."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from sandbox.slack.acting import apply
from sandbox.slack.control import add_control
from sandbox.slack.limits import REACTIONS_PER_PERSON, TEXT_MAX
from sandbox.slack.server import serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, ok, png

ALICE, DESIGN = "U0ALICE001", "C0DESIGN01"
LABEL = {"type": "plain_text", "text": "Picture"}


async def does(workspace: Workspace, action: str, **given: Any) -> str | None:
    """What alice is told when she cannot do something in #design; None when she can."""
    error = (await apply(workspace, ALICE, {"do": action, "channel": DESIGN, **given}))["error"]
    return None if error is None else str(error)


@pytest.mark.parametrize("viewer", ["darkroom", "U0DARKROOM", "gone"])
async def test_the_app_and_people_who_have_left_are_no_viewers(workspace: Workspace, viewer: str) -> None:
    workspace.add_person("gone", deleted=True)
    app = slack_app(workspace)
    add_control(app)
    server = await serve_app(app)
    given = {"viewer": viewer, "channel": DESIGN, "text": "x"}
    async with aiohttp.ClientSession(server.url) as session:
        async with session.post("/control/post", json=given) as answer:
            said = await answer.json()
            assert (answer.status, said["ok"]) == (404, False)
            assert said["error"] == (
                'unknown viewer: "viewer" must name a person, such as alice, bob, carol, gus, olaf'
            )
        async with session.post("/control/upload", params={"viewer": viewer}, data=png()) as answer:
            assert answer.status == 404
    await server.close()
    assert not workspace.channels[DESIGN].messages


@pytest.mark.parametrize("name", ["<b>bold</b>", "x" * 101, "", "Heart", "a b", "Héllo"])
async def test_what_is_no_name_of_an_emoji_is_no_reaction(still: Workspace, name: str) -> None:
    message = await still.post("bob", DESIGN, "hello")

    assert await does(still, "react", ts=message.ts, name=name) == f"no emoji is called {name[:50]!r}"
    assert message.reactions == {}
    assert await does(still, "react", ts=message.ts, name="wave::skin-tone-3") is None


async def test_nobody_puts_more_emoji_on_a_message_than_slack_allows(still: Workspace) -> None:
    message = await still.post("bob", DESIGN, "hello")
    for number in range(REACTIONS_PER_PERSON):
        assert await does(still, "react", ts=message.ts, name=f"emoji-{number}") is None

    assert await does(still, "react", ts=message.ts, name="one-more")
    assert await does(still, "react", ts=message.ts, name="emoji-0") is None, "it is there already"
    assert len(message.reactions) == REACTIONS_PER_PERSON


async def test_a_message_has_a_longest_text(still: Workspace) -> None:
    long = "x" * (TEXT_MAX + 1)
    message = await still.post("alice", DESIGN, "x" * TEXT_MAX)

    for action in ({"action": "post"}, {"action": "type"}, {"action": "edit", "ts": message.ts}):
        said = await does(still, **action, text=long)
        assert said == "this has 40,001 characters; a message has at most 40,000"
    assert list(still.channels[DESIGN].messages.values()) == [message]
    assert message.edited is None


async def test_only_files_of_ones_own_are_attached_each_once_and_at_most_ten(still: Workspace) -> None:
    mine = [(await still.upload("alice", "fox.png", png())).id for _ in range(11)]
    theirs = await still.upload("bob", "cat.png", png())
    still.files[mine[10]].deleted = True

    assert await does(still, "post", files=[theirs.id]) == f"alice has no file {theirs.id} to attach"
    assert await does(still, "post", files=mine[10:]) == f"alice has no file {mine[10]} to attach"
    assert await does(still, "post", files=mine) == "a message takes at most 10 files"
    assert await does(still, "post", files=mine[:1] * 2) == "a message takes each file once"
    assert not still.channels[DESIGN].messages
    assert await does(still, "post", files=mine[:10]) is None


async def test_only_files_of_ones_own_are_put_into_a_modal(still: Workspace) -> None:
    await still.attach(App(still).send)
    seen = await still.type_command("alice", DESIGN, "/imagine")
    file_input = {"type": "file_input", "action_id": "file"}
    block = {"type": "input", "block_id": "image", "label": LABEL, "element": file_input}
    view = {"type": "modal", "title": LABEL, "submit": LABEL, "blocks": [block]}
    opened = await ok(still, "views.open", trigger_id=seen.payload["trigger_id"], view=view)
    mine = await still.upload("alice", "fox.png", png())
    theirs = await still.upload("bob", "cat.png", png())

    async def fill(file_id: str) -> str | None:
        return await does(still, "fill", view_id=opened["view"]["id"], values={"image": [file_id]})

    assert await fill(theirs.id) == f"alice has no file {theirs.id} to put in"
    assert not theirs.handed_over
    assert await fill(mine.id) is None
    assert mine.handed_over
