"""The Web API refuses what Slack refuses, with Slack's own words."""

import math
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.happenings import never_scanned
from sandbox.slack.model import Fault
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import Clock, api, ok

DESIGN = "C0DESIGN01"
METADATA = {"event_type": "turn", "event_payload": {"id": "7"}}


async def error(workspace: Workspace, method: str, **params: Any) -> str:
    answer = await api(workspace, method, **params)
    assert answer.status == 200
    return str(answer.body.get("error"))


@pytest.mark.parametrize(
    ("method", "token", "expected"),
    [
        ("auth.test", None, "not_authed"),
        ("auth.test", "xoxb-wrong", "invalid_auth"),
        ("chat.postMessage", "xapp-sandbox", "not_allowed_token_type"),
        ("apps.connections.open", "xoxb-sandbox", "not_allowed_token_type"),
        ("apps.connections.open", "xapp-wrong", "invalid_auth"),
        ("chat.shout", "xoxb-sandbox", "unknown_method"),
    ],
)
async def test_tokens_and_methods_are_checked(
    still: Workspace, method: str, token: str | None, expected: str
) -> None:
    answer = await still.call(method, {"channel": DESIGN, "text": "a fox"}, token)

    assert (answer.status, answer.body["ok"], answer.body["error"]) == (200, False, expected)


@pytest.mark.parametrize(
    ("token", "expected"), [(["x"], "invalid_auth"), ({"a": 1}, "invalid_auth"), ([], "None")], ids=str
)
async def test_a_token_that_is_no_text_is_none_that_is_known(
    still: Workspace, token: object, expected: str
) -> None:
    """An empty one is as good as absent: then the header's counts."""
    assert await error(still, "auth.test", token=token) == expected


_CHART = {"type": "data_visualization", "title": "x", "chart": {"type": "bar", "series": [{"data": 5}]}}


async def test_a_number_where_a_list_belongs_is_refused(still: Workspace) -> None:
    assert await error(still, "chat.postMessage", channel=DESIGN, blocks=[_CHART]) == "invalid_blocks"
    view = {"type": "home", "blocks": 5}
    assert await error(still, "views.publish", user_id="U0ALICE001", view=view) == "invalid_arguments"


async def test_a_fault_of_files_meets_a_list_that_cannot_be_read(still: Workspace) -> None:
    still.faults.append(Fault("files.completeUploadExternal", first=never_scanned()))

    assert await error(still, "files.completeUploadExternal", files="[") == "invalid_arguments"


async def test_a_missing_scope_says_what_was_needed_and_what_there_was(clock: Clock) -> None:
    workspace = Workspace(now=clock.now, scopes=frozenset({"commands", "files:read"}))
    answer = await api(workspace, "chat.postMessage", channel=DESIGN, text="a fox")

    assert answer.body == {
        "ok": False,
        "error": "missing_scope",
        "needed": "chat:write",
        "provided": "commands,files:read",
    }


@pytest.mark.parametrize(
    ("method", "needed"), [("team.info", "team:read"), ("conversations.open", "im:write")]
)
async def test_methods_outside_the_apps_scopes_are_refused(
    still: Workspace, method: str, needed: str
) -> None:
    answer = await api(still, method, users="U0ALICE001")

    assert (answer.body["error"], answer.body["needed"]) == ("missing_scope", needed)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"channel": "C0NOWHERE1", "text": "x"}, "channel_not_found"),
        ({"channel": "#secret", "text": "x"}, "channel_not_found"),
        ({"channel": "D0ALICEBOB", "text": "x"}, "channel_not_found"),
        ({"channel": "U0OUTSIDE1", "text": "x"}, "channel_not_found"),
        ({"channel": "#lobby", "text": "x"}, "not_in_channel"),
        ({"channel": "#attic", "text": "x"}, "is_archived"),
        ({"channel": DESIGN}, "no_text"),
        ({"channel": DESIGN, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": DESIGN, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": DESIGN, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": DESIGN, "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": DESIGN, "text": "x", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"channel": DESIGN, "attachments": [{}] * 101}, "too_many_attachments"),
        ({"channel": DESIGN, "text": "x", "metadata": {"event_type": "turn"}}, "invalid_metadata_format"),
        (
            {
                "channel": DESIGN,
                "text": "x",
                "metadata": {"event_type": "t", "event_payload": {"a": "b" * 9000}},
            },
            "metadata_too_large",
        ),
        ({"channel": DESIGN, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
async def test_a_post_is_refused_as_slack_would(
    still: Workspace, params: dict[str, Any], expected: str
) -> None:
    assert await error(still, "chat.postMessage", **params) == expected
    assert not still.channels[DESIGN].messages


async def test_a_reply_to_a_reply_is_refused(still: Workspace) -> None:
    parent = await ok(still, "chat.postMessage", channel=DESIGN, text="one")
    reply = await ok(still, "chat.postMessage", channel=DESIGN, text="two", thread_ts=parent["ts"])

    refused = await error(still, "chat.postMessage", channel=DESIGN, text="three", thread_ts=reply["ts"])

    assert refused == "cannot_reply_to_message"


async def test_a_message_without_text_says_what_its_blocks_say(still: Workspace) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "A *fox*"}}
    posted = await ok(still, "chat.postMessage", channel=DESIGN, blocks=[block])

    assert posted["message"]["text"] == "A *fox*"


async def test_a_user_id_as_channel_is_that_persons_dm(still: Workspace) -> None:
    posted = await ok(still, "chat.postMessage", channel="U0ALICE001", text="psst")

    assert posted["channel"] == "D0ALICE001"


async def test_a_broadcast_reply_is_marked_as_one(still: Workspace) -> None:
    parent = await ok(still, "chat.postMessage", channel=DESIGN, text="one")
    reply = await ok(
        still, "chat.postMessage", channel=DESIGN, text="two", thread_ts=parent["ts"], reply_broadcast="true"
    )

    assert reply["message"]["subtype"] == "thread_broadcast"


async def test_an_update_with_text_and_no_blocks_drops_the_blocks_and_keeps_the_metadata(
    still: Workspace,
) -> None:
    posted = await ok(
        still, "chat.postMessage", channel=DESIGN, text="a", blocks=[{"type": "divider"}], metadata=METADATA
    )
    await ok(still, "chat.update", channel=DESIGN, ts=posted["ts"], text="b")

    message = still.message(DESIGN, posted["ts"])
    assert (message.text, message.blocks, message.metadata) == ("b", [], METADATA)
    assert message.edited is not None


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({}, "no_text"),
        ({"text": "x", "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        ({"text": "x", "ts": "1.000001"}, "message_not_found"),
        ({"text": "x", "channel": "C0NOWHERE1"}, "channel_not_found"),
    ],
)
async def test_an_update_is_refused_as_slack_would(
    still: Workspace, params: dict[str, Any], expected: str
) -> None:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="before")

    assert await error(still, "chat.update", **{"channel": DESIGN, "ts": posted["ts"], **params}) == expected
    assert still.message(DESIGN, posted["ts"]).text == "before"


async def test_other_peoples_messages_can_be_neither_changed_nor_deleted(still: Workspace) -> None:
    theirs = await still.post("alice", "#design", "mine")

    assert await error(still, "chat.update", channel=DESIGN, ts=theirs.ts, text="x") == "cant_update_message"
    assert await error(still, "chat.delete", channel=DESIGN, ts=theirs.ts) == "cant_delete_message"


async def test_a_deleted_message_is_gone(still: Workspace) -> None:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="one")
    await ok(still, "chat.delete", channel=DESIGN, ts=posted["ts"])

    assert await error(still, "chat.delete", channel=DESIGN, ts=posted["ts"]) == "message_not_found"
    assert await error(still, "conversations.replies", channel=DESIGN, ts=posted["ts"]) == "thread_not_found"


async def test_an_ephemeral_needs_somebody_in_the_channel(still: Workspace) -> None:
    refused = await error(still, "chat.postEphemeral", channel=DESIGN, user="U0OUTSIDE1", text="psst")
    await ok(still, "chat.postEphemeral", channel=DESIGN, user="U0ALICE001", text="psst")

    assert refused == "user_not_in_channel"
    assert [e.text for e in still.ephemerals_for("alice", "#design")] == ["psst"]
    assert not still.channels[DESIGN].messages


@pytest.mark.parametrize(("name", "expected"), [("Big Eyes", "invalid_name"), (":eyes:", "None")])
async def test_reactions_have_names(still: Workspace, name: str, expected: str) -> None:
    message = await still.post("alice", "#design", "a fox")

    assert await error(still, "reactions.add", channel=DESIGN, timestamp=message.ts, name=name) == expected


async def test_a_reaction_is_added_once_and_removed_once(still: Workspace) -> None:
    message = await still.post("alice", "#design", "a fox")
    place = {"channel": DESIGN, "timestamp": message.ts, "name": "eyes"}
    await ok(still, "reactions.add", **place)
    assert message.reactions == {"eyes": [still.bot_user_id]}
    assert await error(still, "reactions.add", **place) == "already_reacted"

    await ok(still, "reactions.remove", **place)
    assert message.reactions == {}
    assert await error(still, "reactions.remove", **place) == "no_reaction"
    assert await error(still, "reactions.add", **{**place, "timestamp": "1.000001"}) == "message_not_found"


async def test_replies_come_in_pages_with_metadata_only_on_request(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    for text in ("one", "two", "three"):
        await ok(still, "chat.postMessage", channel=DESIGN, text=text, thread_ts=parent.ts, metadata=METADATA)
    place = {"channel": DESIGN, "ts": parent.ts}
    first = await ok(still, "conversations.replies", **place, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await ok(still, "conversations.replies", **place, limit=3, cursor=cursor, include_all_metadata="1")

    assert [m["text"] for m in first["messages"]] == ["a fox", "one", "two"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [m["metadata"] for m in rest["messages"]] == [METADATA]
    assert "metadata" not in first["messages"][1]
    assert first["messages"][0]["reply_count"] == 3


async def test_replies_can_be_limited_in_time_and_the_parent_always_comes(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    one = await still.post("bob", "#design", "one", thread_ts=parent.ts)
    await still.post("bob", "#design", "two", thread_ts=parent.ts)
    page = await ok(still, "conversations.replies", channel=DESIGN, ts=parent.ts, oldest=one.ts)

    assert [m["text"] for m in page["messages"]] == ["a fox", "two"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"channel": "#lobby", "ts": "1.000001"}, "not_in_channel"),
        ({"channel": "C0SECRET01", "ts": "1.000001"}, "channel_not_found"),
        ({"channel": DESIGN, "ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_replies_are_refused_as_slack_would(
    clock: Clock, params: dict[str, Any], expected: str
) -> None:
    assert await error(Workspace(now=clock.now), "conversations.replies", **params) == expected


async def test_a_cursor_that_slack_never_gave_is_refused(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")

    refused = await error(still, "conversations.replies", channel=DESIGN, ts=parent.ts, cursor="next:99")

    assert refused == "invalid_cursor"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *(({"limit": limit}, "invalid_limit") for limit in ("many", -1, "-5", 2.5, [3], True, "9" * 5000)),
        ({"limit": math.inf}, "invalid_limit"),
        *(
            ({name: stamp}, f"invalid_ts_{name}")
            for name in ("oldest", "latest")
            for stamp in ("yesterday", "nan", "1e999", math.inf, ["1.0"], {"ts": 1}, True, 10**400)
        ),
    ],
)
@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
async def test_a_number_that_is_none_is_refused_by_its_name(
    still: Workspace, method: str, given: dict[str, Any], expected: str
) -> None:
    parent = await still.post("alice", "#design", "a fox")
    place = {"channel": DESIGN} | ({"ts": parent.ts} if method.endswith("replies") else {})

    assert await error(still, method, **place, **given) == expected


@pytest.mark.parametrize("limit", [0, "", None, 1000, 1_000_000, "5000", 3.0])
async def test_a_page_has_at_most_what_slack_gives(still: Workspace, limit: object) -> None:
    for number in range(3):
        await still.post("alice", "#design", f"message {number}")
    page = await ok(still, "conversations.history", channel=DESIGN, limit=limit, oldest="", latest="9e9")
    everybody = await ok(still, "users.list", limit=limit)

    assert [m["text"] for m in page["messages"]] == ["message 2", "message 1", "message 0"]
    assert everybody["response_metadata"]["next_cursor"] == ("next:3" if limit == 3.0 else "")


async def test_history_is_cut_at_stamps_and_has_them_when_asked_to(still: Workspace) -> None:
    said = [(await still.post("alice", "#design", str(number))).ts for number in range(4)]
    place = {"channel": DESIGN, "oldest": said[0], "latest": said[3]}
    without = await ok(still, "conversations.history", **place)
    included = await ok(still, "conversations.history", **place, inclusive=True)

    assert [m["text"] for m in without["messages"]] == ["2", "1"]
    assert [m["text"] for m in included["messages"]] == ["3", "2", "1", "0"]


@pytest.mark.parametrize("length", ["many", math.inf, math.nan, 2.5, [3], True, "9" * 5000, -3])
async def test_an_upload_is_as_long_as_a_number(still: Workspace, length: object) -> None:
    refused = await error(still, "files.getUploadURLExternal", filename="fox.png", length=length)

    assert refused == "invalid_arguments"


async def test_an_unknown_person_is_user_not_found(still: Workspace) -> None:
    assert await error(still, "users.info", user="U0NOBODY01") == "user_not_found"
    guest = (await ok(still, "users.info", user="U0GUEST001"))["user"]
    assert (guest["is_restricted"], guest["is_admin"]) == (True, False)


async def test_a_permalink_to_a_reply_names_its_thread(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    reply = await still.post("bob", "#design", "hi", thread_ts=parent.ts)
    link = await ok(still, "chat.getPermalink", channel=DESIGN, message_ts=reply.ts)

    assert link["permalink"].endswith(f"?thread_ts={parent.ts}&cid={DESIGN}")


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": []},
            "/view/title/text",
        ),
        ({"type": "modal", "blocks": []}, "title"),
        (
            {
                "type": "modal",
                "title": {"type": "plain_text", "text": "x"},
                "blocks": [],
                "private_metadata": "x" * 3001,
            },
            "private_metadata",
        ),
        (
            {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [{"type": "poem"}]},
            "unsupported type: poem",
        ),
    ],
)
async def test_a_modal_that_slack_would_refuse_is_refused(
    still: Workspace, view: dict[str, Any], message: str
) -> None:
    seen = await still.type_command("alice", "#design", "/imagine")
    answer = await api(still, "views.open", trigger_id=seen.payload["trigger_id"], view=view)

    assert answer.body["error"] == "invalid_arguments"
    assert message in str(answer.body["response_metadata"]["messages"])


async def test_a_view_is_updated_unless_somebody_was_faster(still: Workspace) -> None:
    seen = await still.type_command("alice", "#design", "/imagine")
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Edit"}, "blocks": []}
    opened = (await ok(still, "views.open", trigger_id=seen.payload["trigger_id"], view=view))["view"]
    new = {**view, "blocks": [{"type": "divider"}]}
    place = {"view_id": opened["id"], "hash": opened["hash"], "view": new}
    await ok(still, "views.update", **place)

    assert still.views[opened["id"]]["blocks"][0]["type"] == "divider"
    assert await error(still, "views.update", **place) == "hash_conflict"


async def test_rates_are_off_by_default_and_kept_when_asked_for(clock: Clock) -> None:
    free = Workspace(now=clock.now)
    for _ in range(20):
        await ok(free, "chat.postMessage", channel=DESIGN, text="a fox")

    strict = Workspace(now=clock.now, rate_limits=True)
    answers = [await api(strict, "chat.postMessage", channel=DESIGN, text="a fox") for _ in range(5)]
    elsewhere = await api(strict, "chat.postMessage", channel="C0GENERAL1", text="a fox")

    assert [a.status for a in answers] == [200, 200, 200, 200, 429]
    assert (answers[-1].body["error"], answers[-1].headers["Retry-After"]) == ("ratelimited", "1")
    assert elsewhere.ok
    await clock.advance(1)
    assert (await api(strict, "chat.postMessage", channel=DESIGN, text="a fox")).ok


async def test_a_tier_counts_the_calls_of_a_minute(clock: Clock) -> None:
    strict = Workspace(now=clock.now, rate_limits=True)
    first = await ok(strict, "chat.postMessage", channel=DESIGN, text="a fox")
    place = {"channel": DESIGN, "ts": first["ts"]}
    answers = [await api(strict, "chat.update", **place, text="a") for _ in range(51)]
    assert [a.status for a in answers[-2:]] == [200, 429]
    assert answers[-1].headers["Retry-After"] == "60"

    await clock.advance(61)
    assert (await api(strict, "chat.update", **place, text="a")).ok


async def test_the_sdk_waits_out_a_rate_limit_and_reads_refusals(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    workspace.faults.append(
        Fault("chat.postMessage", error="ratelimited", status=429, headers={"Retry-After": "0"})
    )
    posted = await client.chat_postMessage(channel=DESIGN, text="a fox")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_update(channel=DESIGN, ts="1.000001", text="x")

    assert posted["ok"]
    assert refused.value.response["error"] == "message_not_found"
    assert [(c.method, c.error) for c in workspace.calls] == [
        ("chat.postMessage", "ratelimited"),
        ("chat.postMessage", None),
        ("chat.update", "message_not_found"),
    ]
    assert "token" not in workspace.calls[1].params


@pytest.mark.parametrize(("drop", "posts"), [("before", 0), ("after", 1)])
async def test_a_dropped_connection_reaches_the_sdk_as_one(
    workspace: Workspace, client: AsyncWebClient, drop: Any, posts: int
) -> None:
    workspace.faults.append(Fault("chat.postMessage", drop=drop))
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat_postMessage(channel=DESIGN, text="a fox")

    assert len(workspace.channels[DESIGN].messages) == posts
    assert (await client.chat_postMessage(channel=DESIGN, text="a hen"))["ok"]


async def test_a_fault_waits_for_the_call_it_is_meant_for(still: Workspace) -> None:
    still.faults.append(
        Fault("chat.postMessage", error="fatal_error", when=lambda params: params["text"] == "second")
    )

    assert await error(still, "chat.postMessage", channel=DESIGN, text="first") == "None"
    assert await error(still, "chat.postMessage", channel=DESIGN, text="second") == "fatal_error"
    assert await error(still, "chat.postMessage", channel=DESIGN, text="second") == "None"


async def test_what_is_no_json_is_refused_and_over_the_socket_ignored(
    workspace: Workspace, server: RunningServer
) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {workspace.bot_token}"}
    ticket = (await workspace.call("apps.connections.open", {}, workspace.app_token)).body["url"]
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.url}/api/auth.test", data=b"{", headers=headers) as answer:
            refused = await answer.json()
        async with session.ws_connect(ticket) as link:
            await link.receive_json()
            for text in ("{", "[]", '{"envelope_id": 7}', '{"envelope_id": "never sent"}'):
                await link.send_str(text)
            await workspace.post("alice", "#design", "still there?")
            assert (await link.receive_json())["payload"]["event"]["text"] == "still there?"

    assert refused == {"ok": False, "error": "invalid_json"}
    assert not workspace.delivery.acks


PART = b'--a\r\nContent-Disposition: form-data; name="text"\r\n'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("multipart/form-data", b"x", id="no boundary"),
        pytest.param("multipart/form-data; boundary=a", b"no parts", id="no parts"),
        pytest.param("multipart/form-data; boundary=a", b"--a\r\nbroken\r\n\r\nz\r\n--a--\r\n", id="header"),
        pytest.param(
            "multipart/form-data; boundary=a",
            PART + b"Content-Type: text/plain; charset=klingon\r\n\r\nz\r\n--a--\r\n",
            id="character set",
        ),
        pytest.param(
            "multipart/form-data; boundary=a",
            PART + b"Content-Transfer-Encoding: klingon\r\n\r\nz\r\n--a--\r\n",
            id="encoding",
        ),
        pytest.param("application/x-www-form-urlencoded", b"text=\xff", id="no UTF-8"),
    ],
)
async def test_what_is_no_form_is_refused_with_words(
    workspace: Workspace, server: RunningServer, kind: str, body: bytes
) -> None:
    headers = {"Content-Type": kind, "Authorization": f"Bearer {workspace.bot_token}"}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.url}/api/auth.test", data=body, headers=headers) as answer:
            assert await answer.json() == {"ok": False, "error": "invalid_form_data"}
        async with session.post(f"{server.url}/actions/T0/none", data=body, headers=headers) as answer:
            assert (answer.status, await answer.text()) == (400, "invalid_payload")
        if kind.startswith("multipart"):
            async with session.post(f"{server.url}/upload/v1/none", data=body, headers=headers) as answer:
                assert (answer.status, await answer.text()) == (400, "invalid_form_data")


async def test_one_person_has_only_so_many_reactions(still: Workspace) -> None:
    message = await still.post("alice", "#design", "a fox")
    place = {"channel": DESIGN, "timestamp": message.ts}
    for n in range(23):
        await ok(still, "reactions.add", **place, name=f"number_{n}")

    assert await error(still, "reactions.add", **place, name="number_23") == "too_many_reactions"


async def test_forms_query_and_json_all_carry_parameters(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    parent = await client.api_call("chat.postMessage", data={"channel": DESIGN, "text": "form"})
    page = await client.conversations_replies(channel=DESIGN, ts=parent["ts"], limit=1)
    form = {"channel": DESIGN, "text": "x", "blocks": '[{"type": "divider"}]', "token": workspace.bot_token}
    blocks = await AsyncWebClient(base_url=client.base_url).api_call("chat.postMessage", data=form)

    assert page["messages"][0]["text"] == "form"
    assert blocks["message"]["blocks"][0]["type"] == "divider"


async def test_a_deleted_reply_is_no_longer_in_its_thread(still: Workspace) -> None:
    parent = await still.post("alice", "#design", "a fox")
    reply = await ok(still, "chat.postMessage", channel=DESIGN, text="one", thread_ts=parent.ts)
    await ok(still, "chat.delete", channel=DESIGN, ts=reply["ts"])

    assert still.thread(DESIGN, parent.ts) == [parent]


async def test_an_answer_is_the_callers_own_copy(still: Workspace) -> None:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[{"type": "divider"}])
    posted["message"]["blocks"][0]["type"] = "poem"

    assert still.message(DESIGN, posted["ts"]).blocks[0]["type"] == "divider"
