"""What other apps look at: channels, members, people, bots, reactions; in pages, and within their scopes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import ok

DESIGN = "C0DESIGN01"
READ = {
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
    "channels:join",
    "users:read",
    "reactions:read",
}


@pytest.fixture
def slack() -> Workspace:
    made = Workspace()
    made.scopes |= READ
    return made


async def error(slack: Workspace, method: str, **params: Any) -> str:
    return str((await slack.call(method, params, slack.bot_token)).body.get("error"))


async def test_public_channels_are_listed_and_private_ones_only_with_the_app_in_them(
    slack: Workspace,
) -> None:
    public = (await ok(slack, "conversations.list"))["channels"]
    assert {channel["name"] for channel in public} == {"design", "general", "partners", "lobby", "attic"}
    assert {channel["name"] for channel in public if channel["is_member"]} == {
        *("design", "general", "partners", "attic")
    }
    open_ones = (await ok(slack, "conversations.list", exclude_archived="true"))["channels"]
    assert "attic" not in {channel["name"] for channel in open_ones}
    private = await ok(slack, "conversations.list", types="private_channel, im")
    assert {channel.get("user") for channel in private["channels"]} == {
        *("U0ALICE001", "U0BOB00001", "U0ADMIN001", "U0GUEST001")
    }
    assert await error(slack, "conversations.list", types="secret_channel") == "invalid_types"


async def test_lists_come_in_pages(slack: Workspace) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = await ok(slack, "users.list", limit=2, cursor=cursor)
        seen += [member["name"] for member in page["members"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert seen == [user.name for user in slack.users.values()]
    assert cursor == ""
    for strange in ("nonsense", "next:²", "next:" + "9" * 5_000):
        assert await error(slack, "users.list", cursor=strange) == "invalid_cursor"
        assert await error(slack, "conversations.history", channel=DESIGN, cursor=strange) == "invalid_cursor"
    assert await error(slack, "users.list", limit="many") == "invalid_limit"


async def test_a_channel_is_described_with_its_members(slack: Workspace) -> None:
    described = (await ok(slack, "conversations.info", channel="C0PARTNER1", include_num_members=True))[
        "channel"
    ]
    assert (described["is_ext_shared"], described["num_members"], described["is_private"]) == (True, 6, False)
    members = (await ok(slack, "conversations.members", channel="C0PARTNER1"))["members"]
    assert set(members) == slack.channels["C0PARTNER1"].members
    assert await error(slack, "conversations.info", channel="C0SECRET01") == "channel_not_found"


async def test_the_app_joins_a_public_channel_once(slack: Workspace) -> None:
    joined = await ok(slack, "conversations.join", channel="C0LOBBY001")
    assert joined["channel"]["is_member"]
    await ok(slack, "chat.postMessage", channel="C0LOBBY001", text="hello")
    assert (await ok(slack, "conversations.join", channel="C0LOBBY001"))["warning"] == "already_in_channel"
    assert await error(slack, "conversations.join", channel="C0ATTIC001") == "is_archived"
    assert await error(slack, "conversations.join", channel="C0SECRET01") == "channel_not_found"


async def test_reactions_and_bots_are_told(slack: Workspace) -> None:
    message = await slack.post("alice", DESIGN, "a fox")
    await slack.react("bob", DESIGN, message.ts, "fox_face")
    told = await ok(slack, "reactions.get", channel=DESIGN, timestamp=message.ts)
    assert told["message"]["reactions"] == [{"name": "fox_face", "users": ["U0BOB00001"], "count": 1}]
    assert (await ok(slack, "bots.info", bot=slack.bot_id))["bot"]["user_id"] == slack.bot_user_id
    assert await error(slack, "bots.info", bot="B0NOBODY01") == "bot_not_found"


@pytest.mark.parametrize(
    ("scope", "method", "params"),
    [
        ("channels:read", "conversations.list", {}),
        ("im:read", "conversations.list", {"types": "public_channel,im"}),
        ("channels:read", "conversations.info", {"channel": DESIGN}),
        ("im:read", "conversations.members", {"channel": "D0ALICE001"}),
        ("channels:join", "conversations.join", {"channel": DESIGN}),
        ("users:read", "users.list", {}),
        ("users:read", "bots.info", {"bot": "B0DARKROOM"}),
        ("reactions:read", "reactions.get", {"channel": DESIGN, "timestamp": "1.000001"}),
    ],
)
async def test_each_needs_its_scope(
    slack: Workspace, scope: str, method: str, params: dict[str, str]
) -> None:
    slack.scopes -= {scope}
    answer = await slack.call(method, params, slack.bot_token)

    assert (answer.body["error"], answer.body["needed"]) == ("missing_scope", scope)
