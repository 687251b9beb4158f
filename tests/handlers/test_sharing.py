"""A picture reaches the channel it is shared to, once, whatever Slack does and wherever Darkroom stops."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from darkroom.turns.conversations import Share
from darkroom.turns.erasing import Recall
from darkroom.turns.model import Picture, Request, Surface, ThreadReplies
from handlers.blocks import share as blocks
from handlers.blocks.picture import AGAIN_ACTION, Setting
from handlers.posting import FILE_PAUSES_S
from handlers.presses import Press
from handlers.sharing import GIVE_UP_AFTER, LOOK_FOR, LOOK_S, Sharing, open_dialog
from handlers.showing import Manner
from sandbox.slack import words as slack_words
from sandbox.slack.blocks import check_blocks
from storage.blobs import BlobStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, StillClock, message, picture
from tests.handlers.support import (
    CAROL,
    OLAF,
    OTHER_TEAM,
    USD,
    USUAL,
    Call,
    Desk,
    clicked,
    fixture,
    refused,
    said_in,
    unclear,
)
from tests.handlers.test_alerting import GatedClock
from tests.handlers.test_blocks import LENGTHS, SCRIPTS, long
from tests.handlers.test_spend import spent

OPS, VIEW = "C0OPS00001", "V0SHARE001"
SETTING = Setting("Alice", frozenset({USUAL}), USD)


def press(user: str = BOB, channel: str = DESIGN, ts: str = "1763640200.000001") -> Press:
    """The choice "Share to channel…" under a picture."""
    payload = clicked("picture_menu", "share:p1", user=user)
    payload["container"] |= {"channel_id": channel, "message_ts": ts}
    payload["channel"] = {"id": channel}
    return Press.of(payload, payload["actions"][0])


def sent(
    view: Any, channel: str | None = OPS, comment: str | None = None, *, user: str = BOB, team: str = TEAM
) -> dict[str, Any]:
    """``view_submission`` of the dialog, as it was filled in."""
    payload = fixture("view_submission")
    values = {
        blocks.CHANNEL_BLOCK: {
            blocks.CHANNEL_INPUT: {"type": "conversations_select", "selected_conversation": channel}
        },
        blocks.COMMENT_BLOCK: {blocks.COMMENT_INPUT: {"type": "plain_text_input", "value": comment}},
    }
    payload["user"] |= {"id": user, "team_id": team}
    payload["view"] |= {**view, "id": VIEW, "state": {"values": values}}
    return payload


@dataclass
class Gallery:
    """A picture of Alice's in #design with its bytes on disk, and what shares it."""

    desk: Desk
    blobs: BlobStore

    def sharing(self, clock: StillClock | None = None) -> Sharing:
        """A new one on the same books."""
        desk = self.desk
        manner = Manner(frozenset({USUAL}), True, desk.services.config.confirm_nano_usd)
        return Sharing(
            desk.services.conversations,
            desk.slack,
            clock or desk.clock,
            desk.services.config.voice,
            manner,
            self.blobs.path_of,
            desk.line.wake_recalling,
        )

    async def picture(self) -> Picture:
        """It."""
        made = await self.desk.log.picture("p1")
        assert made is not None
        return made

    async def shared(self, channel: str = OPS, comment: str = "", key: str = "view:1") -> Share:
        """Somebody (Bob) has sent the dialog."""
        share = await self.desk.services.conversations.share(
            f"share_{key}", key, "p1", channel, BOB, self.desk.clock.now(), comment
        )
        assert share is not None
        return share

    async def open(self) -> list[Share]:
        """What still waits to be shared."""
        return list(await self.desk.services.conversations.unfinished_shares(NOON - timedelta(days=30)))

    def posts(self) -> list[Call]:
        """What was posted into channels."""
        return self.desk.slack.named("post_message")

    def told(self) -> str:
        """What was said privately."""
        calls = [*self.desk.slack.named("post_ephemeral"), *self.desk.slack.named("post_private")]
        return "\n".join(call.text for call in calls)


@pytest.fixture
async def gallery(desk: Desk, tmp_path: Path) -> Gallery:
    """With one picture, of which three bytes are on disk."""
    await spent(desk, ALICE, USD, "1")
    blobs = BlobStore(tmp_path / "pictures")
    made = await desk.log.picture("p1")
    assert made is not None
    path = blobs.path_of(made.sha256, made.format)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"png")
    return Gallery(desk, blobs)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("length", LENGTHS)
def test_the_dialog_and_the_message_are_within_slacks_limits_and_call_nobody(
    script: str, length: int
) -> None:
    text = long(script, length)
    dialog = blocks.share_dialog("p" * 40, 12, DESIGN)
    given = [dict(block) for block in dialog["blocks"]]
    assert check_blocks(given, surface="modal", file_refused=lambda _: False) == []
    assert len(dialog["private_metadata"]) <= 3_000
    assert max(len(dialog[key]["text"]) for key in ("title", "submit", "close")) <= 24
    made = picture(prompt=text, image_model=text)
    share = Share("s", made, OPS, BOB, None, None, NOON, comment=text[: blocks.COMMENT_MAX])
    view = blocks.shared_view(share, text[:80], "F0PICTURE1", "https://slack.example/p1", SETTING)
    assert len(view.text.encode("utf-16-le")) // 2 <= 4_000
    given = [dict(block) for block in view.blocks]
    assert check_blocks(given, surface="message", file_refused=lambda _: False) == []
    texts = [view.text, *(said for kind, said in slack_words.texts_of(given) if kind == "mrkdwn")]
    for said in texts:
        assert slack_words.broadcasts(said) == slack_words.mentions(said) == set()


async def test_the_dialog_opens_and_says_who_will_see_what(gallery: Gallery) -> None:
    assert await open_dialog(gallery.desk.services, press(), await gallery.picture()) is None
    call = gallery.desk.slack.only("open_view")
    assert call.said["trigger_id"] == fixture("block_actions")["trigger_id"]
    assert call.said["view"]["callback_id"] == blocks.CALLBACK
    assert "Everybody there will see version 1, the words it was made from, its price" in call.payload


async def test_what_is_sent_is_on_disk_before_it_is_acknowledged_and_shared_once_however_often_it_comes(
    gallery: Gallery,
) -> None:
    desk = gallery.desk
    await open_dialog(desk.services, press(), await gallery.picture())
    dialog = desk.slack.only("open_view").said["view"]
    for _ in range(2):
        response = await desk.send(sent(dialog, comment="  look <!channel> & see  "))
        assert (response.status, said_in(response)) == (200, "")
    assert desk.line.sharing_woken == 2
    (share,) = await gallery.open()
    assert (share.channel_id, share.user_id, share.comment) == (OPS, BOB, "look <!channel> & see")
    assert desk.slack.named("post_message") == [], "nothing of it waits for Slack"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"channel": None}, "Choose a channel"),
        ({"user": OLAF, "team": OTHER_TEAM}, "people of the workspace"),
    ],
)
async def test_what_cannot_be_is_said_in_the_dialog(
    gallery: Gallery, fields: dict[str, Any], said: str
) -> None:
    response = await gallery.desk.send(sent(blocks.share_dialog("p1", 1, DESIGN), **fields))
    answer = json.loads(response.body)
    assert answer["response_action"] == "errors"
    assert said in answer["errors"][blocks.CHANNEL_BLOCK]
    assert await gallery.open() == []


async def test_a_picture_that_was_deleted_meanwhile_is_not_shared(gallery: Gallery) -> None:
    desk = gallery.desk
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    response = await desk.send(sent(blocks.share_dialog("p1", 1, DESIGN)))
    assert "was deleted" in json.loads(response.body)["errors"][blocks.CHANNEL_BLOCK]
    said = await open_dialog(desk.services, press(), await gallery.picture())
    assert said is not None
    assert "was deleted" in said
    assert desk.slack.named("open_view") == []


async def test_who_sees_a_picture_may_share_it_and_nobody_else(gallery: Gallery) -> None:
    """In a channel whoever pressed there; in a direct message its asker alone; where it was shared, all."""
    desk, own = gallery.desk, replace(await gallery.picture(), channel_id="D0ALICE001")
    elsewhere = press(CAROL, OPS, "1763640300.000001")

    async def may(by: Press, made: Picture) -> bool:
        return await open_dialog(desk.services, by, made) is None

    assert await may(press(BOB), await gallery.picture())
    assert await may(press(ALICE, "D0ALICE001"), own)
    assert not await may(press(BOB, "D0ALICE001"), own)
    assert not await may(elsewhere, await gallery.picture())
    share = await gallery.shared()
    await desk.services.conversations.note_share(share.id, "F0SHARED01", "1763640300.000001")
    assert await may(elsewhere, await gallery.picture())


async def test_it_is_posted_with_its_bytes_its_comment_its_price_and_the_same_buttons(
    gallery: Gallery,
) -> None:
    await gallery.shared(comment="For the poster <@U0EVERYONE>\nnot the card")
    assert await gallery.sharing().round()
    slack = gallery.desk.slack
    made = await gallery.picture()
    upload = slack.only("upload").said
    assert (upload["path"], upload["channel"]) == (gallery.blobs.path_of(made.sha256, "png"), None)
    post = slack.named("post_message")[0]
    assert (post.said["channel"], post.said["thread_ts"]) == (OPS, None)
    for fact in (
        "For the poster &lt;@U0EVERYONE&gt;",
        "shared by Bob &lt;!channel&gt;",
        "$1.00",
        AGAIN_ACTION,
        "picture_menu",
        "picture_feedback",
        f"archives/{DESIGN}",
    ):
        assert fact in post.payload
    for fact in ("Bob &lt;!channel&gt; shared a picture", "not the card", "a red fox in snow", "Cost $1.00"):
        assert fact in post.text
    assert slack_words.mentions(post.payload) == set(), "nobody is notified"
    assert await gallery.open() == []
    told = slack.only("post_ephemeral")
    assert (told.said["channel"], told.said["user_id"]) == (DESIGN, BOB)
    assert f"shared> to <#{OPS}>" in told.text


async def test_a_picture_of_a_direct_message_says_nothing_of_where_it_was_made(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = await gallery.shared()
    private = replace(share, picture=replace(share.picture, channel_id="D0ALICE001"))

    async def those(*_: Any) -> list[Share]:
        return [private]

    monkeypatch.setattr(gallery.desk.services.conversations, "unfinished_shares", those)
    await gallery.sharing().round()
    assert "D0ALICE001" not in gallery.posts()[0].payload
    assert gallery.desk.slack.only("post_private").said["user_id"] == BOB


async def test_shared_from_ones_own_direct_message_it_is_said_in_that_thread(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they pressed, not below everything else that stands there."""
    share = await gallery.shared()
    private = replace(share, picture=replace(share.picture, channel_id="D0BOB00001", user_id=BOB))

    async def those(*_: Any) -> list[Share]:
        return [private]

    monkeypatch.setattr(gallery.desk.services.conversations, "unfinished_shares", those)
    await gallery.sharing().round()
    told = gallery.desk.slack.named("post_message")[-1]
    assert (told.said["channel"], told.said["thread_ts"]) == ("D0BOB00001", share.picture.thread_ts)
    assert "shared" in told.text


async def test_a_reply_to_the_shared_picture_builds_on_it(gallery: Gallery) -> None:
    await gallery.shared()
    await gallery.sharing().round()
    ts = gallery.desk.slack.posted["share_view:1"]
    desk = gallery.desk
    assert await desk.log.reply_counts(TEAM, OPS, ts, BOB, ThreadReplies.JOINED)
    current = await desk.log.current_picture(TEAM, OPS, ts, "1763640999.000000")
    assert current is not None
    assert current.id == "p1"
    reply: Request = replace(message("make it blue", "1763640999.000000", ts, user=BOB), channel_id=OPS)
    assert reply.surface is Surface.REPLY
    assert (await desk.arrive(reply)).thread_ts == ts


async def test_where_darkroom_is_not_its_sharer_is_told_how_to_invite_it_and_it_is_not_tried_again(
    gallery: Gallery,
) -> None:
    await gallery.shared()
    gallery.desk.slack.faults["post_message"] = [refused("not_in_channel")]
    assert await gallery.sharing().round()
    assert "`/invite` <@U0DARKROOM> in <#C0OPS00001>, then share it again" in gallery.told()
    assert await gallery.open() == []
    assert await gallery.sharing().round()
    assert gallery.posts() == []
    again = await gallery.shared(key="view:2")
    await gallery.sharing().round()
    assert again.id in gallery.desk.slack.posted


async def test_a_channel_that_takes_no_posts_is_said_with_why(gallery: Gallery) -> None:
    await gallery.shared()
    gallery.desk.slack.faults["post_message"] = [refused("is_archived")]
    await gallery.sharing().round()
    assert "v1 was not shared to <#C0OPS00001>, because this channel is archived" in gallery.told()


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_post_without_an_answer_is_looked_for_before_it_is_posted_again(
    gallery: Gallery, lost: str
) -> None:
    await gallery.shared()
    slack = gallery.desk.slack
    (slack.faults if lost == "before" else slack.after)["post_message"] = [unclear()]
    assert not await gallery.sharing().round()
    assert await gallery.sharing().round()
    assert len(slack.named("find_message")) == 1
    assert len(gallery.posts()) == 1
    assert len(slack.named("upload")) == 1
    assert await gallery.open() == []


async def killed(*_: Any) -> None:
    """The end of a process."""
    raise RuntimeError("killed")


@pytest.mark.parametrize("where", ["upload", "post_message", "note"])
async def test_killed_anywhere_it_goes_on_and_is_posted_once(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await gallery.shared()
    slack, conversations = gallery.desk.slack, gallery.desk.services.conversations
    note: Callable[..., Awaitable[Share]] = conversations.note_share

    async def dying(share_id: str, file_id: str | None, message_ts: str | None) -> Share:
        if message_ts is not None:
            raise RuntimeError("killed")
        return await note(share_id, file_id, message_ts)

    with monkeypatch.context() as patch:
        if where == "note":
            patch.setattr(conversations, "note_share", dying)
        else:
            slack.faults[where] = [RuntimeError("killed")]
        assert not await gallery.sharing().round()
    assert await gallery.sharing().round()
    assert len(gallery.posts()) == 1
    assert await gallery.open() == []


async def test_one_share_that_breaks_keeps_none_behind_it(gallery: Gallery) -> None:
    await gallery.shared()
    await gallery.shared(key="view:2")
    gallery.desk.slack.faults["upload"] = [RuntimeError("secret words")]
    assert not await gallery.sharing().round()
    assert list(gallery.desk.slack.posted) == ["share_view:2"]


async def test_what_could_not_be_shared_within_an_hour_is_given_up_and_said(gallery: Gallery) -> None:
    await gallery.shared()
    sharing = gallery.sharing()
    gallery.desk.slack.faults["post_message"] = [unclear()] * 2
    assert not await sharing.round()
    gallery.desk.clock.at += GIVE_UP_AFTER - timedelta(seconds=1)
    assert not await sharing.round()
    gallery.desk.clock.at += timedelta(seconds=1)
    assert await sharing.round()
    assert gallery.posts() == []
    assert "Share it again if you still want it" in gallery.told()
    assert await gallery.open() == []


async def test_what_waited_while_darkroom_did_not_run_is_shared_late_only_if_it_stands_there(
    gallery: Gallery,
) -> None:
    share = await gallery.shared()
    gallery.desk.slack.after["post_message"] = [unclear()]
    assert not await gallery.sharing().round()
    gallery.desk.clock.at += timedelta(days=1)
    assert await gallery.sharing().round()
    assert len(gallery.posts()) == 1
    assert await gallery.open() == []
    there = await gallery.desk.services.conversations.pictures_of_message(
        TEAM, OPS, gallery.desk.slack.posted[share.id]
    )
    assert [one.id for one in there] == ["p1"]


async def test_one_that_may_stand_there_is_not_given_up_before_it_was_looked_for(gallery: Gallery) -> None:
    await gallery.shared()
    gallery.desk.slack.after["post_message"] = [unclear()]
    assert not await gallery.sharing().round()
    gallery.desk.clock.at += timedelta(days=1)
    gallery.desk.slack.faults["find_message"] = [unclear("conversations.history")]
    assert not await gallery.sharing().round()
    assert gallery.told() == ""
    assert await gallery.sharing().round()
    assert "is <" in gallery.told()


async def test_where_we_may_not_look_it_is_posted_again_rather_than_never(gallery: Gallery) -> None:
    """With mentions only we can read no channel, today or in a week."""
    await gallery.shared()
    slack = gallery.desk.slack
    slack.after["post_message"] = [unclear()]
    slack.faults["find_message"] = [refused("missing_scope", "conversations.history")] * 9
    for _ in range(2):
        await gallery.sharing().round()
    assert await gallery.open() == []
    assert gallery.posts()


async def test_a_file_that_slack_does_not_take_in_a_message_is_shared_as_a_file(gallery: Gallery) -> None:
    await gallery.shared()
    slack = gallery.desk.slack
    slack.faults["post_message"] = [refused("invalid_blocks", detail="invalid slack file")] * 9
    assert await gallery.sharing().round()
    assert [call.said["channel"] for call in slack.named("upload")] == [None, OPS]
    unseen = slack.only("delete_file").said["file_id"]
    await gallery.desk.services.eraser.erase("p1", ALICE, gallery.desk.clock.now())
    errands = await gallery.desk.services.eraser.open_errands(100)
    files = [one.ref for one in errands if one.kind is Recall.FILE]
    assert len(files) == 1, "the one that is seen"
    assert files != [unseen]
    assert '"slack_file"' not in gallery.posts()[0].payload
    assert len(gallery.posts()) == 1


async def test_killed_between_the_file_and_its_words_the_file_is_not_shared_twice(gallery: Gallery) -> None:
    desk = gallery.desk
    await gallery.shared()
    desk.slack.faults["post_message"] = [refused("invalid_blocks")] * len(FILE_PAUSES_S) + [unclear()]
    assert not await gallery.sharing().round()
    assert await gallery.sharing().round()
    assert [call.said["channel"] for call in desk.slack.named("upload")] == [None, OPS]
    assert "slack_file" not in desk.slack.only("post_message").payload


async def test_one_that_could_not_be_looked_for_in_a_week_is_said_to_be_unknown(gallery: Gallery) -> None:
    desk = gallery.desk
    await gallery.shared()
    desk.slack.after["post_message"] = [unclear()]
    assert not await gallery.sharing().round()
    desk.slack.faults["find_message"] = [unclear()] * 99
    desk.clock.at += LOOK_FOR - timedelta(hours=1)
    assert not await gallery.sharing().round()
    desk.clock.at += timedelta(days=3)
    assert await gallery.sharing().round()
    assert "is not known" in desk.slack.only("post_ephemeral").text
    assert await gallery.open() == []


async def test_a_picture_whose_file_is_gone_is_said_to_be(gallery: Gallery) -> None:
    made = await gallery.picture()
    gallery.blobs.path_of(made.sha256, made.format).unlink()
    await gallery.shared()
    gallery.desk.slack.faults["upload"] = [FileNotFoundError()]
    await gallery.sharing().round()
    assert "its file is gone" in gallery.told()
    assert await gallery.open() == []


@pytest.mark.parametrize("during", ["upload", "post_message"])
async def test_deleted_while_it_is_on_its_way_what_it_left_is_recalled(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, during: str
) -> None:
    """When it was deleted nobody could know yet what would stand there."""
    await gallery.shared()
    desk = gallery.desk
    do = getattr(desk.slack, during)

    async def meanwhile(*given: Any, **more: Any) -> Any:
        await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
        return await do(*given, **more)

    monkeypatch.setattr(desk.slack, during, meanwhile)
    assert await gallery.sharing().round()
    assert desk.line.recalling_woken == 1
    left = {(one.kind, one.ref) for one in await desk.services.eraser.open_errands(100)}
    assert [ref for kind, ref in left if kind is Recall.FILE and ref != "F0PICTURE1"], left
    posted = {(Recall.MESSAGE, ts) for ts in desk.slack.posted.values()}
    assert len(posted) == (1 if during == "post_message" else 0)
    assert posted <= left


async def test_it_runs_at_start_when_it_is_woken_and_every_hour(gallery: Gallery) -> None:
    await gallery.shared()
    clock = GatedClock()
    sharing = gallery.sharing(clock)
    sharing.start()
    await clock.asleep.wait()
    assert len(gallery.posts()) == 1
    assert clock.slept[-1] == LOOK_S
    await gallery.shared(key="view:2")
    clock.asleep.clear()
    sharing.wake()
    await clock.asleep.wait()
    assert len(gallery.posts()) == 2
    await sharing.aclose()
