"""Commands, events and clicks over a real socket, with Bolt at the other end."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import Connect


async def test_a_command_reaches_bolt_and_its_ack_text_is_shown_to_the_person_only(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[dict[str, Any]] = []

    @bolt.command("/imagine")
    async def imagine(ack: AsyncAck, body: dict[str, Any]) -> None:
        got.append(body)
        await ack("On it.")

    await connect(bolt)
    seen = await workspace.type_command("alice", "#design", "/imagine a fox & a <hen> for @bob in #design")

    assert seen.error is None
    assert seen.text == "On it."
    assert got[0]["text"] == "a fox &amp; a &lt;hen&gt; for <@U0BOB00001|bob> in <#C0DESIGN01|design>"
    assert [e.text for e in workspace.ephemerals_for("alice")] == ["On it."]
    assert not workspace.ephemerals_for("bob")


async def test_a_mention_arrives_as_message_and_as_app_mention_with_two_event_ids(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[dict[str, Any]] = []

    @bolt.event("message")
    @bolt.event("app_mention")
    async def heard(body: dict[str, Any]) -> None:
        got.append(body)

    await connect(bolt)
    message = await workspace.post("alice", "#design", "@Darkroom a fox")
    await workspace.until(lambda w: len(w.delivery.acks) == 2)

    assert sorted(body["event"]["type"] for body in got) == ["app_mention", "message"]
    assert len({body["event_id"] for body in got}) == 2
    assert {body["event"]["ts"] for body in got} == {message.ts}
    assert all(ack.payload is None and not ack.late for ack in workspace.delivery.acks)
