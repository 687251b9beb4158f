"""response_url: five answers in thirty minutes, private unless asked otherwise, never a file in private."""

from typing import Any

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.slack.model import Dropped, Fault
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, ok, png, uploaded

DESIGN = "C0DESIGN01"


@pytest.fixture
async def app(still: Workspace) -> App:
    made = App(still)
    await still.attach(made.send)
    return made


async def url_of_command(workspace: Workspace) -> str:
    return str((await workspace.type_command("alice", "#design", "/imagine a fox")).payload["response_url"])


async def press(workspace: Workspace, ts: str) -> str:
    return str((await workspace.press("alice", "#design", ts, "again")).payload["response_url"])


def again() -> list[dict[str, Any]]:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Again"}, "action_id": "again"}
    return [{"type": "actions", "elements": [button]}]


async def test_the_sdk_answers_through_it_and_only_the_person_sees_it(
    workspace: Workspace, server: object
) -> None:
    app = App(workspace)
    await workspace.attach(app.send)
    hook = AsyncWebhookClient(await url_of_command(workspace))
    answer = await hook.send(text="Your budget is spent.")

    assert (answer.status_code, answer.body) == (200, "ok")
    assert [e.text for e in workspace.ephemerals_for("alice", "#design")] == ["Your budget is spent."]
    assert not workspace.channels[DESIGN].messages


async def test_the_sixth_answer_is_refused(still: Workspace, app: App) -> None:
    url = await url_of_command(still)
    answers = [await still.respond(url, {"text": f"{n}"}) for n in range(6)]

    assert [a.status for a in answers] == [200] * 5 + [404]
    assert b"used_url" in answers[-1].body
    assert len(still.ephemerals) == 5


async def test_after_thirty_minutes_it_is_expired(still: Workspace, app: App, clock: Clock) -> None:
    url = await url_of_command(still)
    await clock.advance(30 * 60 - 1)
    in_time = await still.respond(url, {"text": "in time"})
    await clock.advance(2)
    late = await still.respond(url, {"text": "late"})

    assert (in_time.status, late.status) == (200, 404)
    assert b"expired_url" in late.body


async def test_an_answer_in_channel_is_public_even_where_the_app_is_no_member(
    still: Workspace, app: App
) -> None:
    seen = await still.type_command("alice", "#secret", "/imagine a fox")
    await still.respond(seen.payload["response_url"], {"text": "A fox", "response_type": "in_channel"})

    assert [m.text for m in still.channels["C0SECRET01"].messages.values()] == ["A fox"]


async def test_a_private_answer_with_a_file_is_refused_and_costs_no_use(still: Workspace, app: App) -> None:
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
    url = await url_of_command(still)
    refused = await still.respond(url, {"text": "A fox", "blocks": [image]})
    public = await still.respond(url, {"text": "A fox", "blocks": [image], "response_type": "in_channel"})

    assert (refused.status, refused.body) == (400, b'{"ok":false,"error":"invalid_blocks"}')
    assert public.status == 200


async def test_a_click_can_replace_or_delete_the_message_it_came_from(still: Workspace, app: App) -> None:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="before", blocks=again())
    url = await press(still, posted["ts"])
    await still.respond(url, {"text": "after", "replace_original": True})
    after = still.message(DESIGN, posted["ts"])
    assert (after.text, after.blocks) == ("after", [])

    await still.respond(url, {"delete_original": True})
    assert posted["ts"] not in still.channels[DESIGN].messages


async def test_a_click_that_replaces_nothing_adds_a_private_line_in_the_same_thread(
    still: Workspace, app: App
) -> None:
    parent = await still.post("bob", "#design", "a fox")
    posted = await ok(
        still, "chat.postMessage", channel=DESIGN, text="x", blocks=again(), thread_ts=parent.ts
    )
    await still.respond(await press(still, posted["ts"]), {"text": "Only you see this."})

    (only,) = still.ephemerals_for("alice")
    assert (only.text, only.thread_ts) == ("Only you see this.", parent.ts)


async def test_an_ephemeral_message_stays_private_when_replaced(still: Workspace, app: App) -> None:
    shown = await ok(
        still, "chat.postEphemeral", channel=DESIGN, user="U0ALICE001", text="yours", blocks=again()
    )
    url = await press(still, shown["message_ts"])
    body = {"text": "still yours", "replace_original": True, "response_type": "in_channel"}
    await still.respond(url, body)
    assert [e.text for e in still.ephemerals_for("alice")] == ["still yours"]
    assert not still.channels[DESIGN].messages

    await still.respond(url, {"delete_original": True})
    assert not still.ephemerals


async def test_a_private_message_is_not_replaced_by_one_with_a_file(still: Workspace, app: App) -> None:
    still.file_processing_s = 0
    image = {"type": "image", "slack_file": {"id": await uploaded(still, png())}, "alt_text": "a fox"}
    shown = await ok(
        still, "chat.postEphemeral", channel=DESIGN, user="U0ALICE001", text="yours", blocks=again()
    )
    url = await press(still, shown["message_ts"])
    body = {"text": "A fox", "blocks": [image], "replace_original": True, "response_type": "in_channel"}

    assert (await still.respond(url, body)).status == 400
    assert [e.text for e in still.ephemerals_for("alice")] == ["yours"]


async def test_what_was_clicked_may_be_gone_by_then(still: Workspace, app: App) -> None:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=again())
    url = await press(still, posted["ts"])
    await ok(still, "chat.delete", channel=DESIGN, ts=posted["ts"])

    for body in ({"delete_original": True}, {"replace_original": True, "text": "x"}):
        assert b"message_not_found" in (await still.respond(url, body)).body


async def test_an_empty_answer_and_a_strange_address_are_refused(still: Workspace, app: App) -> None:
    url = await url_of_command(still)

    assert b"no_text" in (await still.respond(url, {})).body
    assert (await still.respond(f"{still.base_url}/commands/T0/NONE", {"text": "x"})).status == 404


@pytest.mark.parametrize(("drop", "shown"), [("before", 0), ("after", 1)])
async def test_an_answer_can_get_lost_on_the_way(still: Workspace, app: App, drop: Any, shown: int) -> None:
    url = await url_of_command(still)
    still.faults.append(Fault("response_url", drop=drop))
    with pytest.raises(Dropped):
        await still.respond(url, {"text": "x"})

    assert len(still.ephemerals) == shown
