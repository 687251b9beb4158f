"""What people do, what the app hears of it, and who is pinged by what the app posts."""

import asyncio
import dataclasses

import pytest

from sandbox.slack.model import Refused
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, api, ok, png


@pytest.fixture
async def app(still: Workspace) -> App:
    made = App(still)
    await still.attach(made.send)
    return made


def pinged(workspace: Workspace) -> list[tuple[str, str]]:
    return [(n.user, n.kind) for n in workspace.notifications]


async def test_typed_text_is_escaped_and_names_become_ids(still: Workspace, app: App) -> None:
    await still.post("alice", "#design", "@bob <b> & co in #general, not a@bob.example")

    event = app.events[0]
    assert event["text"] == "<@U0BOB00001> &lt;b&gt; &amp; co in <#C0GENERAL1|>, not a@bob.example"
    kinds = [element["type"] for element in event["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["user", "text", "channel", "text"]


@pytest.mark.parametrize("order", [("app_mention", "message"), ("message",), ("app_mention",)])
async def test_which_of_the_two_mention_events_come_and_in_which_order_can_be_set(
    still: Workspace, app: App, order: tuple[str, ...]
) -> None:
    still.mention_events = order
    file = await still.upload("alice", "cat.png", png())
    await still.post("alice", "#design", "@Darkroom like this", files=(file.id,))

    assert tuple(event["type"] for event in app.events) == order
    assert [("files" in event) for event in app.events] == [kind == "message" for kind in order]


async def test_a_dm_to_the_app_is_a_message_only(still: Workspace, app: App) -> None:
    await still.post("alice", "D0ALICE001", "@Darkroom a fox")

    assert [(e["type"], e["channel_type"]) for e in app.events] == [("message", "im")]


@pytest.mark.parametrize("channel", ["#secret", "#lobby", "D0ALICEBOB"])
async def test_the_app_hears_nothing_where_it_is_not_a_member(
    still: Workspace, app: App, channel: str
) -> None:
    await still.post("alice", channel, "@Darkroom a fox")

    assert not app.envelopes


async def test_a_reply_names_its_thread_and_its_parents_author(still: Workspace, app: App) -> None:
    parent = await still.post("bob", "#design", "hello")
    reply = await still.post("alice", "#design", "hi", thread_ts=parent.ts)
    nested = await still.post("bob", "#design", "hi hi", thread_ts=reply.ts)

    assert (app.events[1]["thread_ts"], app.events[1]["parent_user_id"]) == (parent.ts, "U0BOB00001")
    assert nested.thread_ts == parent.ts
    assert "thread_ts" not in app.events[0]


async def test_a_reply_also_sent_to_the_channel_is_a_thread_broadcast_with_its_root(
    still: Workspace, app: App
) -> None:
    parent = await still.post("bob", "#design", "hello")
    await still.post("alice", "#design", "hi", thread_ts=parent.ts, broadcast=True)

    event = app.events[1]
    assert event["subtype"] == "thread_broadcast"
    assert (event["root"]["ts"], event["root"]["reply_count"]) == (parent.ts, 1)


async def test_an_edit_and_a_deletion_are_told_with_what_was_there_before(still: Workspace, app: App) -> None:
    message = await still.post("alice", "#design", "a fx")
    await still.edit_message("alice", "#design", message.ts, "a fox")
    await still.delete_message("alice", "#design", message.ts)

    changed, deleted = app.events[1:]
    assert changed["subtype"] == "message_changed"
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("a fx", "a fox")
    assert deleted["subtype"] == "message_deleted"
    assert deleted["deleted_ts"] == message.ts
    assert deleted["previous_message"]["text"] == "a fox"
    assert message.ts not in still.channels["C0DESIGN01"].messages


async def test_a_deleted_parent_with_replies_leaves_a_tombstone(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "hello")
    await still.post("bob", "#design", "hi", thread_ts=parent.ts)
    await still.delete_message("alice", "#design", parent.ts)

    assert still.message("#design", parent.ts).subtype == "tombstone"


async def test_people_change_only_their_own_messages_and_write_only_where_they_are(still: Workspace) -> None:
    message = await still.post("alice", "#design", "mine")
    with pytest.raises(Refused):
        await still.edit_message("bob", "#design", message.ts, "yours")
    with pytest.raises(Refused):
        await still.delete_message("bob", "#design", message.ts)
    with pytest.raises(Refused):
        await still.post("carol", "#secret", "hello")
    with pytest.raises(Refused):
        await still.post("alice", "#attic", "hello")
    with pytest.raises(Refused):
        await still.post("alice", "#design", "")


async def test_slash_commands_do_not_work_inside_threads(still: Workspace, app: App) -> None:
    parent = await still.post("alice", "#lobby", "hello")
    seen = await still.type_command("alice", "#lobby", "/imagine a fox", thread_ts=parent.ts)

    assert seen.error == "not_in_thread"
    assert not app.envelopes


@pytest.mark.parametrize(
    ("channel", "name"), [("#secret", "privategroup"), ("D0ALICEBOB", "directmessage"), ("#lobby", "lobby")]
)
async def test_commands_work_where_the_app_is_not_a_member(
    still: Workspace, app: App, channel: str, name: str
) -> None:
    seen = await still.type_command("alice", channel, "/imagine a fox")

    assert seen.error is None
    assert app.envelopes[0]["payload"]["channel_name"] == name


async def test_a_command_that_no_app_has_is_answered_by_slack_itself(still: Workspace, app: App) -> None:
    still.commands = frozenset({"/imagine"})
    seen = await still.type_command("alice", "#design", "/imagin a fox")
    assert (seen.error, seen.text) == ("invalid_command", "/imagin is not a valid command.")
    assert app.envelopes == []


async def test_an_answer_in_channel_is_a_message_for_everybody(still: Workspace, app: App) -> None:
    app.answer = {"text": "A fox for all", "response_type": "in_channel"}
    seen = await still.type_command("alice", "#design", "/imagine a fox")

    assert seen.message is not None
    assert still.message("#design", seen.message.ts).text == "A fox for all"
    assert not still.ephemerals


async def test_an_acknowledgement_with_bad_blocks_is_an_error_the_person_sees(
    still: Workspace, app: App
) -> None:
    app.answer = {"text": "x", "blocks": [{"type": "poem"}]}
    seen = await still.type_command("alice", "#design", "/imagine a fox")

    assert seen.text == 'failed with the error "invalid_blocks"'


async def test_outsiders_cannot_run_commands(still: Workspace, app: App) -> None:
    seen = await still.type_command("olaf", "#partners", "/imagine a fox")

    assert seen.error == "invalid_command"
    assert not app.envelopes


async def test_an_outsiders_messages_and_clicks_carry_their_own_team(still: Workspace, app: App) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Again"}, "action_id": "again"}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = await ok(still, "chat.postMessage", channel="C0PARTNER1", text="A fox", blocks=blocks)
    await still.post("olaf", "#partners", "@Darkroom a hen")
    await still.press("olaf", "#partners", posted["ts"], "again")

    heard = [e for e in app.envelopes if e["type"] == "events_api"][1:]
    assert {(e["payload"]["event"]["user_team"], e["payload"]["team_id"]) for e in heard} == {
        ("T0OUTSIDE1", "T0SANDBOX1")
    }
    assert all(e["payload"]["is_ext_shared_channel"] for e in heard)
    assert app.envelopes[-1]["payload"]["user"]["team_id"] == "T0OUTSIDE1"
    assert app.envelopes[-1]["payload"]["team"]["id"] == "T0SANDBOX1"


async def test_an_outsiders_file_comes_as_a_stub_without_a_team_and_files_info_knows_more(
    still: Workspace, app: App
) -> None:
    file = await still.upload("olaf", "cat.png", png())
    await still.post("olaf", "#partners", "like this", files=(file.id,))

    event = app.events[0]
    assert not {"team", "user_team", "source_team"} & set(event)
    assert event["files"][0]["file_access"] == "check_file_info"
    assert "url_private" not in event["files"][0]
    known = (await ok(still, "files.info", file=file.id))["file"]
    assert known["mimetype"] == "image/png"
    assert (await ok(still, "users.info", user="U0OUTSIDE1"))["user"]["team_id"] == "T0OUTSIDE1"


async def test_the_apps_own_posts_come_back_to_it_unless_switched_off(still: Workspace, app: App) -> None:
    await ok(still, "chat.postMessage", channel="C0DESIGN01", text="A fox")
    still.echo_bot_messages = False
    await ok(still, "chat.postMessage", channel="C0DESIGN01", text="A hen")

    assert [(e["text"], e["bot_id"], e["user"]) for e in app.events] == [
        ("A fox", still.bot_id, still.bot_user_id)
    ]


async def test_only_those_a_new_post_names_are_pinged(still: Workspace) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "for <@U0BOB00001>"}}
    plain = {"type": "section", "text": {"type": "plain_text", "text": "and <@U0ADMIN001>"}}
    escaped = "A fox for <@U0ALICE001>, not &lt;@U0ADMIN001&gt;"
    await ok(still, "chat.postMessage", channel="C0DESIGN01", text=escaped, blocks=[section, plain])

    assert pinged(still) == [("U0ALICE001", "mention"), ("U0BOB00001", "mention")]


async def test_a_mention_added_by_an_update_pings_nobody(still: Workspace) -> None:
    posted = await ok(still, "chat.postMessage", channel="C0DESIGN01", text="soon")
    await ok(still, "chat.update", channel="C0DESIGN01", ts=posted["ts"], text="here, <@U0ALICE001>")
    await ok(still, "chat.postEphemeral", channel="C0DESIGN01", user="U0BOB00001", text="<!channel>")

    assert not still.notifications


async def test_channel_and_here_ping_everybody_and_a_dm_its_person(still: Workspace) -> None:
    await ok(still, "chat.postMessage", channel="C0PARTNER1", text="<!here> fire")
    everybody = ["U0ADMIN001", "U0ALICE001", "U0BOB00001", "U0OUTSIDE1"]
    assert pinged(still) == [(user, "here") for user in everybody]

    still.notifications.clear()
    await ok(still, "chat.postMessage", channel="U0BOB00001", text="psst")
    assert pinged(still) == [("U0BOB00001", "dm")]


async def test_a_button_that_is_not_there_cannot_be_pressed(still: Workspace) -> None:
    posted = await ok(still, "chat.postMessage", channel="C0DESIGN01", text="no buttons")
    with pytest.raises(Refused, match="has no 'again'"):
        await still.press("alice", "#design", posted["ts"], "again")


async def test_a_button_of_an_ephemeral_is_its_readers_alone(still: Workspace, app: App) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Again"}, "action_id": "again"}
    blocks = [{"type": "actions", "elements": [button]}]
    shown = await ok(
        still, "chat.postEphemeral", channel="C0DESIGN01", user="U0ALICE001", text="yours", blocks=blocks
    )
    with pytest.raises(Refused):
        await still.press("bob", "#design", shown["message_ts"], "again")
    await still.press("alice", "#design", shown["message_ts"], "again")

    payload = app.envelopes[0]["payload"]
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload


async def test_a_choice_in_a_menu_is_in_the_action_and_in_the_state(still: Workspace, app: App) -> None:
    options = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("low", "high")]
    menu = {"type": "static_select", "action_id": "quality", "options": options}
    blocks = [{"type": "actions", "block_id": "row", "elements": [menu]}]
    posted = await ok(still, "chat.postMessage", channel="C0DESIGN01", text="choose", blocks=blocks)
    await still.press("alice", "#design", posted["ts"], "quality", value="high")

    payload = app.envelopes[-1]["payload"]
    assert payload["actions"][0]["selected_option"]["value"] == "high"
    assert payload["state"]["values"]["row"]["quality"]["selected_option"]["value"] == "high"
    with pytest.raises(Refused):
        await still.press("alice", "#design", posted["ts"], "quality", value="best")


async def test_a_message_shortcut_carries_the_message_and_a_global_one_no_channel(
    still: Workspace, app: App
) -> None:
    message = await still.post("alice", "#lobby", "a fox")
    await still.use_shortcut("alice", "make", channel="#lobby", message_ts=message.ts)
    await still.use_shortcut("alice", "make")

    about, anywhere = (e["payload"] for e in app.envelopes)
    assert (about["type"], about["message"]["text"], about["channel"]["id"]) == (
        "message_action",
        "a fox",
        "C0LOBBY001",
    )
    assert anywhere["type"] == "shortcut"
    assert "channel" not in anywhere


async def test_opening_home_tells_the_app_and_shows_what_it_published(still: Workspace, app: App) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}}
    await ok(still, "views.publish", user_id="U0ALICE001", view={"type": "home", "blocks": [section]})
    await still.open_home("alice")

    assert app.events[0]["type"] == "app_home_opened"
    assert app.events[0]["view"]["blocks"][0]["text"]["text"] == "Hello"


async def test_an_uninstalled_app_is_told_and_then_refused(still: Workspace, app: App) -> None:
    await still.uninstall()

    assert [event["type"] for event in app.events] == ["tokens_revoked", "app_uninstalled"]
    answer = await still.call("auth.test", {}, still.bot_token)
    assert answer.body["error"] == "account_inactive"
    assert (await still.type_command("alice", "#design", "/imagine a fox")).error == "invalid_command"


async def test_a_reaction_is_told_only_to_an_app_that_asked_for_it(still: Workspace, app: App) -> None:
    message = await still.post("alice", "#design", "a fox")
    await still.react("bob", "#design", message.ts, "heart")
    still.subscriptions |= {"reaction_added"}
    await still.react("carol", "#design", message.ts, "heart")

    assert [e["user"] for e in app.events if e["type"] == "reaction_added"] == ["U0ADMIN001"]
    assert message.reactions == {"heart": ["U0BOB00001", "U0ADMIN001"]}


async def test_files_of_people_are_ready_at_once(still: Workspace) -> None:
    file = await still.upload("alice", "cat.png", png())

    assert file.processed
    assert dataclasses.asdict(file)["sha256"]


async def test_an_invited_app_hears_and_may_post(still: Workspace, app: App) -> None:
    still.subscriptions |= {"member_joined_channel"}
    before = await api(still, "chat.postMessage", channel="#lobby", text="x")

    invited = await still.type_command("alice", "#lobby", "/invite @Darkroom")
    await still.type_command("alice", "#lobby", "/invite @Darkroom")
    await still.post("alice", "#lobby", "hello")
    await ok(still, "chat.postMessage", channel="#lobby", text="x")

    assert (before.body["error"], invited.error) == ("not_in_channel", None)
    assert [event["type"] for event in app.events] == ["member_joined_channel", "message", "message"]
    unknown = await still.type_command("alice", "#lobby", "/invite @nobody")
    assert unknown.error == "user_not_found"
    with pytest.raises(Refused):
        await still.invite("alice", "D0ALICE001", "bob")


async def test_another_apps_message_names_its_own_bot(still: Workspace, app: App) -> None:
    await still.post_as_other_app("#design", "<@U0DARKROOM> hi")

    assert {event["bot_id"] for event in app.events} == {"B0OTHERAPP"}
    assert {event["bot_profile"]["name"] for event in app.events} == {"Otherbot"}
    assert [event["type"] for event in app.events] == ["message", "app_mention"]


async def test_more_people_can_move_in(still: Workspace, app: App) -> None:
    dora = still.add_person("dora", is_admin=True)
    await still.post("dora", "#design", "hello")
    await still.type_command("dora", still.dm(still.bot_user_id, dora.id).id, "/imagine a fox")

    assert app.events[0]["user"] == dora.id
    assert (await ok(still, "users.info", user=dora.id))["user"]["is_admin"]


async def test_a_status_is_gone_after_two_minutes_or_with_the_next_post(
    still: Workspace, clock: Clock
) -> None:
    parent = await still.post("alice", "#design", "a fox")
    place = {"channel_id": "C0DESIGN01", "thread_ts": parent.ts}
    await ok(still, "assistant.threads.setStatus", **place, status="is drawing")
    assert still.status("#design", parent.ts) == "is drawing"

    await clock.advance(121)
    assert still.status("#design", parent.ts) is None

    await ok(still, "assistant.threads.setStatus", **place, status="is drawing")
    await ok(still, "chat.postMessage", channel="C0DESIGN01", thread_ts=parent.ts, text="A fox")
    assert still.status("#design", parent.ts) is None


async def test_who_looks_on_is_told_when_a_status_has_lapsed_and_of_one_put_off_only_then(
    still: Workspace, clock: Clock
) -> None:
    parent = await still.post("alice", "#design", "a fox")
    place = {"channel_id": "C0DESIGN01", "thread_ts": parent.ts}
    told: list[object] = []
    still.on_change.append(lambda notice: told.append(notice.get("status")))
    await ok(still, "assistant.threads.setStatus", **place, status="is drawing")
    await clock.advance(100)
    await ok(still, "assistant.threads.setStatus", **place, status="is still drawing")
    told.clear()

    await clock.advance(119)
    assert told == []
    await clock.advance(1)
    assert told == [""]


async def test_a_view_needs_a_fresh_trigger(still: Workspace, app: App, clock: Clock) -> None:
    seen = await still.type_command("alice", "#design", "/imagine")
    await clock.advance(4)
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Edit"}, "blocks": []}

    late = await still.call(
        "views.open", {"trigger_id": seen.payload["trigger_id"], "view": view}, still.bot_token
    )
    wrong = await still.call("views.open", {"trigger_id": "1.2", "view": view}, still.bot_token)

    assert late.body["error"] == "expired_trigger_id"
    assert wrong.body["error"] == "invalid_trigger_id"


async def test_the_page_and_the_tests_hear_of_every_change(still: Workspace) -> None:
    notices: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    still.on_change.append(notices.put_nowait)
    await ok(still, "chat.postMessage", channel="C0DESIGN01", text="for <@U0BOB00001>")

    kinds = [notices.get_nowait()["kind"] for _ in range(notices.qsize())]
    assert kinds == ["notification", "message", "call"]
