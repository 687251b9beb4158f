"""Delivery step by step against a Slack whose troubles are scripted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, InputRole, Picture, Request, Surface, Told, Turn, TurnInput
from darkroom.turns.surroundings import Undeliverable
from handlers.delivery import SlackDelivery
from handlers.pacing import SIGN_PATIENCE_S, TOO_LONG
from handlers.posting import FILE_PAUSES_S, LATE_S, PATIENT_PAUSES_S, PAUSES_S, SHORT_MAX
from handlers.showing import Manner
from handlers.words import Hearer, Voice
from handlers.words_endings import say
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, StillClock, command, message, picture, turn
from tests.handlers.support import BOT, DM, USUAL, FakeSlack, Notes, ended, later, refused, unclear

ROOT, REPLY = "1763640000.000100", "1763640001.000100"
VOICE = Voice("/imagine", "/spend", BOT, (BOB,), "UTC")
MANNER = Manner(frozenset({USUAL}), broadcast_first=True, confirm_nano_usd=250_000_000)
PATH = Path("0.png")
STEPS = [Told.FILE, Told.POST_BEGUN, Told.MESSAGE, Told.PLACEHOLDER_CLOSED]
TRIES_WITH_FILE = (*FILE_PAUSES_S, 0)
TIRED = len(PATIENT_PAUSES_S) + 1


class Thread:
    """What the books say of a thread: its pictures, the current one last; other threads' pictures; and a
    person's direct message."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.others: list[Picture] = []
        self.home: str | None = None
        self.calls: list[Attempt] = []
        self.several = False

    async def beside_others(self, turn: Turn) -> bool:
        """See ``TurnLog``."""
        return self.several

    async def attempts(self, turn_id: str) -> list[Attempt]:
        """See ``TurnLog``."""
        return self.calls

    async def versions(self, team_id: str, channel_id: str, thread_ts: str) -> list[Picture]:
        """See ``Conversations``."""
        assert (team_id, thread_ts) == (TEAM, ROOT)
        return self.pictures

    async def private_channel(self, team_id: str, user_id: str) -> str | None:
        """See ``Conversations``."""
        return self.home

    async def current_picture(
        self, team_id: str, channel_id: str, thread_ts: str, order: str
    ) -> Picture | None:
        """See ``TurnLog``."""
        return self.pictures[-1] if self.pictures else None

    async def picture(self, picture_id: str) -> Picture | None:
        """See ``TurnLog``."""
        return next((one for one in [*self.pictures, *self.others] if one.id == picture_id), None)


class Post:
    """A delivery with its Slack, its clock and the notes of one turn."""

    def __init__(self, of: Turn, slack: FakeSlack | None = None, manner: Manner = MANNER) -> None:
        self.slack = slack or FakeSlack()
        self.clock = StillClock()
        self.notes = Notes(of)
        self.thread = Thread()
        books = cast(Any, self.thread)
        self.delivery = SlackDelivery(self.slack, self.clock, VOICE, manner, books, books)

    async def placeholder(self) -> Ending | None:
        return await self.delivery.placeholder(self.notes.turn, 80_000_000, self.notes)

    async def deliver(self, **changes: object) -> None:
        await self.deliver_all([replace(picture(), **changes)])  # type: ignore[arg-type]  # fields by name

    async def deliver_all(self, made: list[Picture], inputs: tuple[TurnInput, ...] = ()) -> None:
        """As after a restart: what was noted of a picture's file stands in the books."""
        known = [replace(one, file_id=self.notes.files.get(one.id, one.file_id)) for one in made]
        pairs = [(one, PATH) for one in known]
        await self.delivery.deliver(self.notes.turn, pairs, inputs, self.notes)

    async def tell(self) -> None:
        await self.delivery.tell(self.notes.turn, self.notes)

    def order(self) -> list[str]:
        """What was done, without looking anybody up."""
        return [call.method for call in self.slack.calls if call.method not in {"user", "permalink"}]


def asked() -> Turn:
    """A command whose placeholder stands."""
    return turn(placeholder_ts=ROOT, thread_ts=ROOT)


def done() -> Turn:
    """A command whose picture is there."""
    return replace(asked(), ending=Ending(Outcome.PICTURES, Reason.PICTURES))


def reply(channel: str = DESIGN) -> Request:
    return replace(message("bluer", REPLY, ROOT), channel_id=channel)


async def test_a_commands_placeholder_is_a_message_that_names_its_turn_and_mentions_nobody() -> None:
    post = Post(turn(command("a <!channel> fox", user=BOB)))
    assert await post.placeholder() is None
    call = post.slack.only("post_message")
    assert call.said["turn_id"] == "turn_1"
    assert call.said["thread_ts"] is None
    assert call.text == (
        "Bob &lt;!channel&gt; asked Darkroom for a picture: a &lt;!channel&gt; fox. "
        "Working on it; it costs at most $0.08."
    )
    assert "<!" not in call.payload
    assert "<@" not in call.payload
    assert post.notes.turn.placeholder_ts is not None
    assert await post.placeholder() is None
    assert len(post.slack.named("post_message")) == 1


async def test_a_replys_placeholder_is_a_reaction() -> None:
    post = Post(turn(reply()))
    assert await post.placeholder() is None
    assert post.slack.only("add_reaction").said == {"channel": DESIGN, "ts": REPLY, "name": "eyes"}
    assert post.notes.steps == []


@pytest.mark.parametrize("error", ["already_reacted", "too_many_reactions", "message_not_found"])
async def test_a_reaction_that_cannot_be_does_not_stop_a_picture(error: str) -> None:
    post = Post(turn(reply()), FakeSlack(faults={"add_reaction": [refused(error)]}))
    assert await post.placeholder() is None


@pytest.mark.parametrize("trouble", [unclear("reactions.add"), refused("internal_error"), refused(TOO_LONG)])
async def test_a_reaction_that_slack_does_not_get_to_neither_stops_a_picture_nor_keeps_it_waiting(
    trouble: Exception,
) -> None:
    """Nothing is begun before it, and it only says what the picture says soon enough."""
    post = Post(turn(reply()), FakeSlack(faults={"add_reaction": [trouble] * 20}))
    assert await post.placeholder() is None
    assert sum(post.clock.slept) < 10


async def test_nothing_waits_long_for_a_sign_a_name_or_a_word_ahead() -> None:
    held = dict.fromkeys(("add_reaction", "post_ephemeral", "user"), SIGN_PATIENCE_S + 1)
    for request in (reply(), pressed(), command()):
        post = Post(turn(request), FakeSlack(held_s=held))
        assert await post.placeholder() is None
        assert post.order() == (["post_message"] if request.opens_thread else [])
    assert post.slack.only("post_message").text.startswith("Somebody asked")


async def test_a_word_ahead_that_slack_does_not_answer_stops_no_picture() -> None:
    post = Post(turn(pressed()), FakeSlack(faults={"post_ephemeral": [unclear("chat.postEphemeral")] * 20}))
    assert await post.placeholder() is None
    assert sum(post.clock.slept) < 10


@pytest.mark.parametrize("trouble", [unclear("reactions.add"), refused("token_revoked")])
async def test_an_answer_that_is_a_reaction_is_given_later_where_slack_does_not_take_it_now(
    trouble: Exception,
) -> None:
    slack = FakeSlack(faults={"add_reaction": [trouble] * 20})
    post = Post(ended(Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY), reply()), slack)
    with pytest.raises(Undeliverable):
        await post.tell()
    assert post.notes.steps == []


async def test_what_slack_did_not_answer_is_not_said_to_be_its_answer() -> None:
    post = Post(turn(), FakeSlack(faults={"post_message": [unclear("chat.postMessage")] * 20}))
    ending = await post.placeholder()
    assert ending is not None
    said = say(ending, VOICE, Hearer(DESIGN))
    assert "because Slack did not answer. Try again" in said
    assert "chat.postMessage" not in said


@pytest.mark.parametrize("method", ["post_message", "add_reaction"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("not_in_channel", Reason.NOT_IN_CHANNEL),
        ("channel_not_found", Reason.NOT_IN_CHANNEL),
        ("is_archived", Reason.CANNOT_POST),
        ("restricted_action", Reason.CANNOT_POST),
    ],
)
async def test_where_nothing_can_be_posted_nothing_is_bought(method: str, error: str, reason: Reason) -> None:
    request = command() if method == "post_message" else reply()
    post = Post(turn(request), FakeSlack(faults={method: [refused(error)]}))
    ending = await post.placeholder()
    assert ending is not None
    assert (ending.outcome, ending.reason) == (Outcome.DECLINED, reason)


async def test_a_placeholder_whose_answer_was_lost_is_found_rather_than_posted_again() -> None:
    post = Post(turn(), FakeSlack(after={"post_message": [unclear()]}))
    assert await post.placeholder() is None
    assert len(post.slack.named("post_message")) == 1
    assert post.notes.turn.placeholder_ts == post.slack.posted["turn_1"]


async def test_after_a_restart_a_placeholder_that_was_posted_but_not_noted_is_found() -> None:
    post = Post(turn(), FakeSlack(posted={"turn_1": ROOT}))
    post.clock.at = later(60)
    assert await post.placeholder() is None
    assert post.notes.turn.placeholder_ts == ROOT
    assert post.slack.named("post_message") == []


async def test_a_slack_that_does_not_answer_at_all_ends_the_turn_before_anything_is_bought() -> None:
    post = Post(turn(), FakeSlack(faults={"post_message": [unclear()] * TIRED}))
    ending = await post.placeholder()
    assert ending is not None
    assert ending.reason is Reason.CANNOT_POST
    assert sum(post.clock.slept) < 300


async def test_a_picture_is_one_message_in_the_thread_and_then_the_placeholder_says_so() -> None:
    """Uploaded unseen, awaited, posted with its buttons, linked; each step noted before the next."""
    post = Post(asked())
    await post.deliver()
    assert post.order() == ["upload", "file_info", "post_message", "update_message"]
    assert post.notes.steps == STEPS
    upload = post.slack.only("upload").said
    assert (upload["path"], upload["name"], upload["channel"]) == (PATH, "darkroom-v1.png", None)
    said = post.slack.only("post_message").said
    assert (said["channel"], said["thread_ts"], said["broadcast"]) == (DESIGN, ROOT, True)
    assert said["turn_id"] == "turn_1"
    assert said["blocks"][0]["slack_file"]["id"] == post.notes.files["picture_1"]
    assert post.slack.only("post_message").payload.count(f"<@{ALICE}>") == 1
    done = post.slack.only("update_message")
    assert done.said["ts"] == ROOT
    assert f"/archives/{DESIGN}/p" in done.text
    assert "Done" in done.text


async def test_only_the_first_picture_of_a_thread_shows_in_the_channel_and_only_if_set() -> None:
    second = Post(asked())
    await second.deliver(version=2)
    assert second.slack.only("post_message").said["broadcast"] is False
    quiet = Post(asked(), manner=replace(MANNER, broadcast_first=False))
    await quiet.deliver()
    assert quiet.slack.only("post_message").said["broadcast"] is False


async def test_what_went_along_and_an_unusual_model_are_named_in_the_line() -> None:
    reference = TurnInput(InputRole.REFERENCE, "0" * 64, "png", 8, 8, 3, "cat.png")
    post = Post(turn(reply()))
    made = replace(picture(), image_model="gpt-image-2.5-flare", background="transparent")
    await post.deliver_all([made], (reference,))
    line = post.slack.only("post_message").said["blocks"][1]["text"]["text"]
    assert line.endswith("AI-generated · transparent background by gpt-image-2.5-flare · 1 reference picture")


THREE = [picture(id=f"p{version}", version=version) for version in (1, 2, 3)]


async def test_several_pictures_are_one_message_that_notifies_its_asker_once() -> None:
    wanted = turn(replace(command(), wanted=3), placeholder_ts=ROOT, thread_ts=ROOT)
    post = Post(wanted)
    await post.deliver_all(THREE)
    assert post.order() == [*["upload"] * 3, *["file_info"] * 3, "post_message", "update_message"]
    assert post.notes.steps == [Told.FILE, Told.FILE, *STEPS]
    call = post.slack.only("post_message")
    shown = [block["slack_file"]["id"] for block in call.said["blocks"] if block["type"] == "image"]
    assert shown == [post.notes.files[one.id] for one in THREE]
    assert call.payload.count(f"<@{ALICE}>") == 1
    assert "v1 to v3 are in the thread" in post.slack.only("update_message").text


async def test_an_upload_that_was_noted_before_a_restart_is_not_repeated() -> None:
    """The second of three broke."""
    slack = FakeSlack(faults={"upload": [None, refused("file_upload_error", "upload")]})
    post = Post(asked(), slack)
    with pytest.raises(Undeliverable):
        await post.deliver_all(THREE)
    await post.deliver_all(THREE)
    assert len(slack.named("upload")) == 3
    assert len(set(post.notes.files.values())) == 3


async def test_why_some_pictures_did_not_come_is_told_to_the_asker_alone() -> None:
    details: dict[str, str | int] = {"wanted": 3, "made": 2, "rest": "moderation", "stage": "output"}
    some = Ending(Outcome.PICTURES, Reason.PICTURES, details)
    post = Post(ended(some, replace(command(), wanted=3), placeholder_ts=ROOT, thread_ts=ROOT))
    await post.deliver_all(THREE[:2])
    said = post.slack.only("respond").text
    assert said.startswith("2 of 3 pictures came, in the thread. The other one did not: OpenAI's moderation")
    assert "moderation" not in post.slack.only("post_message").payload
    await post.deliver_all(THREE[:2])
    assert len(post.slack.named("respond")) == 1


async def test_that_nobody_can_be_told_why_some_are_missing_does_not_lose_the_others() -> None:
    details: dict[str, str | int] = {"wanted": 2, "made": 1, "rest": "rate"}
    gone: dict[str, list[Exception | None]] = {
        "respond": [refused("expired_url", "response_url")],
        "post_ephemeral": [refused("user_not_in_channel", "chat.postEphemeral")],
        "post_message": [None, refused("user_disabled")],
    }
    some = Ending(Outcome.PICTURES, Reason.PICTURES, details)
    post = Post(ended(some, placeholder_ts=ROOT, thread_ts=ROOT), FakeSlack(faults=gone))
    await post.deliver()
    assert post.notes.steps == STEPS


async def test_a_picture_that_was_deleted_before_it_was_shown_is_not_shown() -> None:
    post = Post(asked())
    await post.deliver_all([THREE[0], replace(THREE[1], deleted_at=NOON)])
    assert len(post.slack.named("upload")) == 1
    assert [b["type"] for b in post.slack.only("post_message").said["blocks"]].count("image") == 1
    all_gone = Post(asked())
    await all_gone.deliver_all([replace(THREE[0], deleted_at=NOON)])
    assert all_gone.order() == ["delete_message"]
    assert all_gone.notes.steps == [Told.PLACEHOLDER_CLOSED]


async def test_a_replys_reaction_goes_when_its_picture_is_there() -> None:
    post = Post(turn(reply()))
    await post.deliver(version=2)
    assert post.slack.only("remove_reaction").said == {"channel": DESIGN, "ts": REPLY, "name": "eyes"}
    assert post.slack.named("update_message") == []


async def test_a_file_that_is_still_scanned_is_waited_for() -> None:
    post = Post(asked(), FakeSlack(media_types=["", "", "image/png"]))
    await post.deliver()
    assert len(post.slack.named("file_info")) == 3
    assert len(post.slack.named("post_message")) == 1


async def test_a_post_that_came_too_early_for_its_file_is_repeated() -> None:
    early = refused("invalid_blocks", detail="[ERROR] invalid slack file")
    post = Post(asked(), FakeSlack(faults={"post_message": [early, early, None]}))
    await post.deliver()
    assert len(post.slack.named("post_message")) == 1
    assert len(post.slack.named("post_message refused")) == 2
    assert post.notes.steps == STEPS


async def test_a_file_that_slack_never_takes_in_a_message_is_shared_plainly_with_the_buttons_below() -> None:
    early = [refused("invalid_blocks", detail="[ERROR] invalid slack file")] * (len(FILE_PAUSES_S) + 1)
    post = Post(asked(), FakeSlack(faults={"post_message": [*early, None]}))
    await post.deliver()
    first, share = post.slack.named("upload")
    assert (first.said["channel"], share.said["channel"], share.said["thread_ts"]) == (None, DESIGN, ROOT)
    assert post.notes.steps == [Told.FILE, Told.POST_BEGUN, Told.FILE, *STEPS[2:]]
    uploads = [f"F{at:09d}" for at, call in enumerate(post.slack.calls, 1) if call.method == "upload"]
    assert post.slack.only("delete_file").said["file_id"] == uploads[0], "nobody has seen it"
    assert post.notes.files == {"picture_1": uploads[1]}, "what is seen is what Delete recalls"
    blocks = post.slack.only("post_message").said["blocks"]
    assert [block["type"] for block in blocks] == ["section", "actions", "context_actions"]
    assert post.notes.turn.message_ts is not None
    assert sum(post.clock.slept) < 120


async def test_a_file_that_cannot_be_taken_back_does_not_keep_its_picture_from_being_shown() -> None:
    early = [refused("invalid_blocks", detail="[ERROR] invalid slack file")] * (len(FILE_PAUSES_S) + 1)
    gone = refused("file_not_found", "files.delete")
    post = Post(asked(), FakeSlack(faults={"post_message": [*early, None], "delete_file": [gone]}))
    await post.deliver()
    assert post.notes.steps[-2:] == STEPS[2:]


async def test_a_post_whose_answer_was_lost_is_found_rather_than_repeated() -> None:
    post = Post(asked(), FakeSlack(after={"post_message": [unclear()]}))
    await post.deliver()
    assert len(post.slack.named("post_message")) == 1
    assert post.notes.turn.message_ts == post.slack.posted["turn_1"]


async def test_a_post_that_never_arrived_is_repeated_after_looking() -> None:
    post = Post(asked(), FakeSlack(faults={"post_message": [unclear(), None]}))
    await post.deliver()
    looks = ["find_message", "file_info", "find_message"]
    assert post.order()[2:7] == ["post_message refused", *looks, "post_message"]


async def test_a_post_that_slack_does_late_is_found_before_it_is_done_again() -> None:
    """No answer came in time, and the first look finds nothing yet."""

    def late(found: str | None, thread_ts: str | None) -> str | None:
        return found if post.clock.slept else None

    slack = FakeSlack(after={"post_message": [unclear()]})
    slack.look = late
    post = Post(asked(), slack)
    await post.deliver()
    assert post.slack.only("post_message").said["turn_id"] == "turn_1"
    assert post.notes.turn.message_ts == post.slack.posted["turn_1"]
    assert sum(post.clock.slept) == LATE_S


async def test_where_looking_is_impossible_the_picture_is_posted_again() -> None:
    """Twice is better than never: it was paid for."""
    slack = FakeSlack(after={"post_message": [unclear()]})
    slack.faults["find_message"] = [refused("missing_scope", "conversations.replies")] * 2
    post = Post(asked(), slack)
    await post.deliver()
    assert len(post.slack.named("post_message")) == 2


@pytest.mark.parametrize("cut", range(len(STEPS)))
async def test_what_was_noted_before_a_restart_is_not_done_again(cut: int) -> None:
    """Whatever step the first try was cut after, both tries together make one message."""
    slack = FakeSlack()
    first = Post(asked(), slack)

    async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
        if len(first.notes.steps) == cut:
            raise ConnectionError
        return await first.notes(step, value, picture_id)

    with pytest.raises(ConnectionError):
        await first.delivery.deliver(first.notes.turn, [(picture(), PATH)], (), note)
    second = Post(first.notes.turn, slack)
    second.notes.files = first.notes.files
    await second.deliver()
    assert len(slack.named("post_message")) == 1
    assert second.notes.turn.message_ts == slack.posted["turn_1"]
    # The file is invisible until it is posted, so that a second upload harms nobody.
    assert len(slack.named("upload")) == (2 if cut == 0 else 1)


async def test_passing_trouble_at_every_step_is_waited_out() -> None:
    slack = FakeSlack(
        faults={
            "upload": [unclear("files.completeUploadExternal"), None],
            "file_info": [unclear("files.info"), refused("ratelimited", "files.info"), None],
            "post_message": [refused("ratelimited"), None],
            "update_message": [unclear("chat.update"), None],
        }
    )
    post = Post(asked(), slack)
    await post.deliver()
    assert post.notes.steps == STEPS


async def test_a_placeholder_that_somebody_deleted_does_not_stop_the_picture() -> None:
    gone = refused("message_not_found", "chat.update")
    slack = FakeSlack(faults={"post_message": [refused("thread_not_found"), None], "update_message": [gone]})
    post = Post(asked(), slack)
    await post.deliver()
    said = post.slack.only("post_message").said
    assert (said["thread_ts"], said["broadcast"]) == (None, False)
    assert post.notes.steps == STEPS


async def test_a_placeholder_is_not_taken_for_the_picture_that_stands_in_the_channel_instead() -> None:
    """Both name their turn; of the picture no answer came."""
    slack = FakeSlack(faults={"post_message": [refused("thread_not_found"), unclear(), None]})
    slack.posted["turn_1"] = ROOT
    post = Post(asked(), slack)
    await post.deliver()
    assert len(slack.named("post_message")) == 1
    assert post.notes.turn.message_ts not in (None, ROOT)


async def test_a_picture_in_the_channel_of_a_thread_that_is_gone_is_found_there_after_a_restart() -> None:
    def gone(found: str | None, thread_ts: str | None) -> str | None:
        if thread_ts is not None:
            raise refused("thread_not_found", "conversations.replies")
        return found

    slack = FakeSlack(faults={"post_message": [refused("thread_not_found")]})
    slack.look = gone
    slack.posted["turn_1"] = REPLY
    post = Post(replace(asked(), post_begun_at=later(0)), slack)
    await post.deliver()
    assert slack.named("post_message") == []
    assert post.notes.turn.message_ts == REPLY


@pytest.mark.parametrize("error", ["is_archived", "not_in_channel", "restricted_action"])
async def test_a_picture_that_cannot_be_posted_any_more_is_told_to_who_asked(error: str) -> None:
    """It is kept; the reason goes to the books."""
    post = Post(asked(), FakeSlack(faults={"post_message": [refused(error)]}))
    with pytest.raises(Undeliverable) as undeliverable:
        await post.deliver()
    assert undeliverable.value.reason == error
    assert "made and kept" in post.slack.only("respond").text
    assert "Made and kept" in post.slack.only("update_message").text
    assert Told.MESSAGE not in post.notes.steps


async def test_who_was_told_that_it_is_kept_is_not_told_so_again_with_every_try() -> None:
    post = Post(replace(asked(), undelivered_reason="token_revoked"))
    post.slack.faults["post_message"] = [refused("token_revoked")]
    with pytest.raises(Undeliverable, match="token_revoked"):
        await post.deliver()
    assert post.slack.named("respond") == []
    assert post.slack.named("update_message") == []


async def test_a_slack_that_stays_silent_is_given_up_on_within_bounds() -> None:
    """Its person is told as soon as anything goes through again, and the placeholder promises nothing."""
    post = Post(asked(), FakeSlack(faults={"upload": [unclear("upload")] * TIRED}))
    with pytest.raises(Undeliverable):
        await post.deliver()
    assert sum(post.clock.slept) < 600
    assert "made and kept" in post.slack.only("respond").text
    assert "Made and kept" in post.slack.only("update_message").text


MODERATED = Ending(Outcome.BLOCKED, Reason.MODERATION, {"stage": "input"})


async def test_a_refusal_is_private_and_the_placeholder_does_not_stay() -> None:
    post = Post(ended(MODERATED, placeholder_ts=ROOT, thread_ts=ROOT))
    await post.tell()
    assert post.order() == ["respond", "delete_message"]
    assert "moderation" in post.slack.only("respond").text
    assert post.slack.only("delete_message").said == {"channel": DESIGN, "ts": ROOT}
    assert post.notes.steps == [Told.PLACEHOLDER_CLOSED]


async def test_what_was_declined_before_its_placeholder_leaves_nothing_in_the_channel() -> None:
    post = Post(ended(Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL)))
    await post.tell()
    assert post.order() == ["respond"]
    assert "/invite" in post.slack.only("respond").text


async def test_a_refused_reply_is_told_in_its_thread_to_its_author_alone() -> None:
    post = Post(ended(MODERATED, reply()))
    await post.tell()
    said = post.slack.only("post_ephemeral").said
    assert (said["user_id"], said["thread_ts"]) == (ALICE, ROOT)
    assert post.slack.only("remove_reaction").said["ts"] == REPLY


async def test_a_refused_mention_is_told_in_the_channel_where_its_author_looks() -> None:
    post = Post(ended(MODERATED, message("a fox", ROOT, ROOT)))
    await post.tell()
    assert post.slack.only("post_ephemeral").said["thread_ts"] is None


async def test_in_our_direct_message_a_refusal_stays_readable() -> None:
    post = Post(ended(MODERATED, reply(DM)))
    await post.tell()
    said = post.slack.only("post_message").said
    assert (said["channel"], said["thread_ts"]) == (DM, ROOT)


async def test_an_old_reply_address_is_not_tried() -> None:
    post = Post(ended(MODERATED, placeholder_ts=ROOT))
    post.clock.at = later(3600)
    await post.tell()
    assert post.order() == ["post_ephemeral", "delete_message"]


async def test_the_last_way_to_a_person_is_our_direct_message() -> None:
    slack = FakeSlack(
        faults={
            "respond": [refused("expired_url", "response_url")],
            "post_ephemeral": [refused("user_not_in_channel", "chat.postEphemeral")],
        }
    )
    post = Post(ended(MODERATED), slack)
    await post.tell()
    assert post.slack.only("post_message").said["channel"] == ALICE


async def test_when_no_way_is_open_it_is_undeliverable_and_the_placeholder_goes_all_the_same() -> None:
    slack = FakeSlack(
        faults={
            "respond": [refused("expired_url", "response_url")],
            "post_ephemeral": [refused("channel_not_found", "chat.postEphemeral")],
            "post_message": [refused("user_disabled")],
        }
    )
    post = Post(ended(MODERATED, placeholder_ts=ROOT), slack)
    with pytest.raises(Undeliverable) as undeliverable:
        await post.tell()
    assert undeliverable.value.reason == "user_disabled"
    assert len(post.slack.named("delete_message")) == 1


async def test_only_admins_of_the_settings_read_the_apis_words() -> None:
    quota = Ending(Outcome.FAILED, Reason.QUOTA, {"message": "insufficient quota"})
    for user, reads in ((ALICE, False), (BOB, True)):
        post = Post(ended(quota, command(user=user)))
        await post.tell()
        assert ("insufficient quota" in post.slack.only("respond").text) is reads


async def test_words_are_posted_in_the_thread_and_notify_nobody_they_name() -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which <!channel> fox?\n" + "long " * 2_000})
    post = Post(ended(words, reply()))
    await post.tell()
    call = post.slack.only("post_message")
    assert (call.said["thread_ts"], call.said["turn_id"]) == (ROOT, "turn_1")
    assert "Which &lt;!channel&gt; fox?" in call.text
    assert "<!" not in call.payload
    assert len(call.said["blocks"]) > 1
    *said, price = call.said["blocks"]
    assert all(len(block["text"]["text"]) <= 3_000 for block in said)
    assert "AI-generated" in price["elements"][0]["text"]
    assert post.notes.steps == [Told.POST_BEGUN, Told.MESSAGE, Told.PLACEHOLDER_CLOSED]


async def test_words_that_were_posted_before_a_restart_are_not_posted_again() -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    post = Post(ended(words, reply(), post_begun_at=NOON), FakeSlack(posted={"turn_1": REPLY}))
    await post.tell()
    assert post.slack.named("post_message") == []
    assert post.notes.turn.message_ts == REPLY


async def test_words_to_a_command_leave_the_placeholder_as_the_threads_root() -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    post = Post(ended(words, placeholder_ts=ROOT, thread_ts=ROOT))
    await post.tell()
    assert "Answered in words" in post.slack.only("update_message").text
    assert post.slack.named("delete_message") == []


async def test_an_empty_answer_is_a_reaction() -> None:
    post = Post(ended(Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY), reply()))
    await post.tell()
    assert post.slack.only("add_reaction").said["name"] == "ok_hand"
    assert post.slack.only("remove_reaction").said["name"] == "eyes"
    assert post.slack.named("post_message") == []


@pytest.mark.parametrize(
    ("prompt", "named"), [("a <!channel> fox", True), ("x" * 500, True), (" ", False), ("\u202e", False)]
)
async def test_of_several_requests_a_private_answer_says_which_it_is_about(prompt: str, named: bool) -> None:
    post = Post(ended(MODERATED, replace(command(prompt), reply_url=None)))
    post.thread.several = True
    await post.tell()
    said = post.slack.only("post_ephemeral")
    plain = say(MODERATED, VOICE, Hearer(DESIGN))
    about, _, rest = said.text.partition("”: ") if named else ("", "", said.text)
    assert rest.startswith(plain)
    assert about.startswith("“") is named
    assert len(about) < 90
    assert about in json.dumps(said.said["blocks"], ensure_ascii=False)
    assert "<!" not in said.payload


async def test_the_only_request_of_somebody_is_not_named_to_them() -> None:
    post = Post(ended(MODERATED, replace(command("a fox"), reply_url=None)))
    await post.tell()
    assert "a fox" not in post.slack.only("post_ephemeral").text


async def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    post = Post(ended(MODERATED, placeholder_closed_at=NOON))
    await post.tell()
    assert post.slack.calls == []


@pytest.mark.parametrize(
    "prompt",
    [
        "<!channel>",
        f"<@{BOB}> <!here>",
        "<b>bold</b>",
        "\u202e\u05d0\u05d1\u05d2",
        "\U0001f98a" * 5_000,
        "x" * 32_000,
    ],
)
async def test_whatever_the_prompt_nobody_but_the_asker_is_notified(prompt: str) -> None:
    """In the placeholder, in the picture's message and in the placeholder's last words."""
    post = Post(turn(command(prompt)))
    await post.placeholder()
    await post.deliver(prompt=prompt)
    for call in [*post.slack.named("post_message"), *post.slack.named("update_message")]:
        assert "<!" not in call.payload
        assert f"<@{BOB}>" not in call.payload
        assert len(call.text) <= 4_000


async def test_somebody_whose_name_cannot_be_learnt_still_gets_a_placeholder() -> None:
    post = Post(turn(), FakeSlack(faults={"user": [refused("user_not_found", "users.info")]}))
    await post.placeholder()
    assert post.slack.only("post_message").text.startswith("Somebody asked Darkroom")


async def test_without_a_link_the_placeholder_still_says_done() -> None:
    slack = FakeSlack(faults={"permalink": [refused("message_not_found", "chat.getPermalink")]})
    post = Post(asked(), slack)
    await post.deliver()
    assert "Done: v1 is in the thread" in post.slack.only("update_message").text


async def test_a_person_who_cannot_be_told_either_leaves_the_reason_in_the_books() -> None:
    slack = FakeSlack(
        faults={
            "post_message": [refused("is_archived"), refused("user_disabled")],
            "respond": [refused("expired_url", "response_url")],
            "post_ephemeral": [refused("is_archived", "chat.postEphemeral")],
            "delete_message": [refused("is_archived", "chat.delete")],
        }
    )
    with pytest.raises(Undeliverable, match="is_archived"):
        await Post(asked(), slack).deliver()


async def test_nothing_to_say_to_a_command_is_said_privately() -> None:
    """There is no message of the person's to react to."""
    post = Post(ended(Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY), placeholder_ts=ROOT))
    await post.tell()
    assert post.order() == ["respond", "delete_message"]


async def test_a_reaction_where_darkroom_was_thrown_out_is_undeliverable() -> None:
    slack = FakeSlack(faults={"add_reaction": [refused("not_in_channel", "reactions.add")]})
    with pytest.raises(Undeliverable, match="not_in_channel"):
        await Post(ended(Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY), reply()), slack).tell()


def pressed(**changes: Any) -> Request:
    """A button under a picture in a thread."""
    request = replace(reply(), surface=Surface.BUTTON, message_ts=None, reply_url=None)
    return replace(request, **changes)


async def test_who_presses_a_button_reads_at_once_that_it_works_and_nobody_else_does() -> None:
    post = Post(turn(pressed(wanted=3)))
    assert await post.placeholder() is None
    said = post.slack.only("post_ephemeral")
    assert said.text == "Working on it: 3 pictures, at most $0.08, here in the thread."
    assert (said.said["channel"], said.said["user_id"], said.said["thread_ts"]) == (DESIGN, ALICE, ROOT)
    assert post.notes.steps == []


async def test_a_press_from_before_a_start_is_not_told_again_that_it_works() -> None:
    post = Post(turn(pressed(), created_at=later(-1)))
    assert await post.placeholder() is None
    assert post.order() == ["find_message"]


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_a_press_from_before_a_start_is_declined_where_darkroom_is_no_more(error: str) -> None:
    post = Post(turn(pressed(), created_at=later(-1)))
    post.slack.faults["find_message"] = [refused(error, "conversations.replies")]
    ending = await post.placeholder()
    assert ending is not None
    assert ending.reason is Reason.NOT_IN_CHANNEL


@pytest.mark.parametrize("error", [refused("thread_not_found"), refused("missing_scope"), unclear()])
async def test_a_press_from_before_a_start_goes_on_where_nobody_can_say(error: Exception) -> None:
    post = Post(turn(pressed(), created_at=later(-1)))
    post.slack.faults["find_message"] = [error]
    assert await post.placeholder() is None


async def test_a_placeholder_that_cannot_be_closed_yet_is_closed_later_and_nothing_is_said_twice() -> None:
    post = Post(done())
    post.slack.faults["update_message"] = [refused("token_revoked", "chat.update")]
    with pytest.raises(Undeliverable) as left:
        await post.deliver()
    assert left.value.reason == "placeholder: token_revoked"
    assert Told.PLACEHOLDER_CLOSED not in post.notes.steps
    await post.notes(Told.UNDELIVERED, left.value.reason)
    await post.deliver()
    assert len(post.slack.named("post_message")) == 1
    assert "Done" in post.slack.only("update_message").text
    assert post.slack.named("respond") == []


async def test_a_refusal_that_was_told_is_not_told_again_when_its_placeholder_goes() -> None:
    post = Post(ended(MODERATED, placeholder_ts=ROOT, thread_ts=ROOT))
    post.slack.faults["delete_message"] = [unclear("chat.delete")] * (len(PAUSES_S) + 1)
    with pytest.raises(Undeliverable) as left:
        await post.tell()
    await post.notes(Told.UNDELIVERED, left.value.reason)
    await post.tell()
    assert len(post.slack.named("respond")) == 1
    assert post.slack.only("delete_message").said["ts"] == ROOT


@pytest.mark.parametrize(
    ("errors", "methods"),
    [
        (["invalid_blocks"], ["update_message"]),
        (["msg_too_long", "msg_too_long"], ["delete_message"]),
        (["cant_update_message", "edit_window_closed"], ["delete_message"]),
        (["message_not_found"], []),
        (["not_in_channel"], []),
    ],
)
async def test_a_placeholder_that_slack_does_not_change_says_less_or_goes(
    errors: list[str], methods: list[str]
) -> None:
    post = Post(done())
    post.slack.faults["update_message"] = [refused(error, "chat.update") for error in errors]
    await post.deliver()
    assert [one for one in post.order() if one in {"update_message", "delete_message"}] == methods
    assert post.notes.steps == STEPS


async def test_a_button_in_a_channel_that_we_have_left_buys_nothing() -> None:
    post = Post(turn(pressed()), FakeSlack(faults={"post_ephemeral": [refused("not_in_channel")]}))
    ending = await post.placeholder()
    assert ending is not None
    assert ending.reason is Reason.NOT_IN_CHANNEL


async def test_a_word_ahead_that_slack_does_not_take_stops_nothing() -> None:
    post = Post(turn(pressed()), FakeSlack(faults={"post_ephemeral": [refused("user_not_in_channel")]}))
    assert await post.placeholder() is None


async def test_a_buttons_picture_leaves_nothing_to_close() -> None:
    post = Post(turn(pressed(), thread_ts=ROOT))
    await post.deliver(version=2)
    assert post.order() == ["upload", "file_info", "post_message"]


def private() -> Turn:
    return turn(replace(command(), private=True))


async def test_what_is_private_goes_on_in_our_direct_message_and_says_so_where_it_was_asked() -> None:
    post = Post(private())
    assert await post.placeholder() is None
    assert post.order() == ["post_private", "respond"]
    assert post.notes.steps == [Told.PLACE, Told.PLACEHOLDER]
    assert post.notes.turn.request.channel_id == DM
    assert post.notes.turn.placeholder_ts == post.slack.posted["turn_1"]
    assert f"/archives/{DM}/p" in post.slack.only("respond").text


async def test_one_that_stands_in_a_direct_message_nobody_has_noted_is_found_and_no_second_one_stays() -> (
    None
):
    post = Post(replace(private(), created_at=later(-60)), FakeSlack(posted={"turn_1": ROOT}))
    assert await post.placeholder() is None
    assert post.order() == ["post_private", "find_message", "delete_message", "respond"]
    assert post.slack.only("delete_message").said["ts"] != ROOT
    assert post.notes.turn.placeholder_ts == ROOT


async def test_one_whose_answer_was_lost_is_found_in_the_direct_message_and_no_second_one_stays() -> None:
    post = Post(private())
    post.slack.after["post_private"] = [unclear()]
    assert await post.placeholder() is None
    assert post.order() == ["post_private", "post_private", "find_message", "delete_message", "respond"]
    first, second = post.slack.named("post_private")
    assert (first.said["turn_id"], second.said["turn_id"]) == ("turn_1", None)
    assert post.notes.turn.placeholder_ts == post.slack.posted["turn_1"]
    assert post.slack.only("delete_message").said["ts"] != post.slack.posted["turn_1"]


async def test_where_none_stands_there_the_new_one_carries_the_turn_from_then_on() -> None:
    post = Post(replace(private(), created_at=later(-60)))
    assert await post.placeholder() is None
    assert post.order() == ["post_private", "find_message", "update_message", "respond"]
    assert post.slack.only("update_message").said["turn_id"] == "turn_1"


@pytest.mark.parametrize(("stands", "method"), [(True, "delete_message"), (False, "update_message")])
@pytest.mark.parametrize("trouble", [refused("missing_scope"), unclear()])
async def test_where_slack_lets_nobody_tidy_up_it_is_noted_all_the_same_where_it_stands(
    stands: bool, method: str, trouble: Exception
) -> None:
    """Else the next try would bring one more."""
    slack = FakeSlack(posted={"turn_1": ROOT} if stands else {}, faults={method: [trouble] * TIRED})
    post = Post(replace(private(), created_at=later(-60)), slack)
    assert await post.placeholder() is None
    assert len(slack.named("post_private")) == 1
    assert (post.notes.turn.request.channel_id, post.notes.turn.placeholder_ts == ROOT) == (DM, stands)


async def test_one_that_could_not_be_noted_is_found_when_it_is_tried_again() -> None:
    """Whatever broke while it was written down."""
    post = Post(private())

    async def full(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
        raise MemoryError

    with pytest.raises(MemoryError):
        await post.delivery.placeholder(post.notes.turn, 80_000_000, full)
    assert await post.placeholder() is None
    assert post.order() == ["post_private", "post_private", "find_message", "delete_message", "respond"]


async def test_where_our_direct_message_is_known_it_is_noted_before_anything_stands_there() -> None:
    """So that a placeholder that was posted and not noted is found after a restart."""
    slack = FakeSlack(after={"post_message": [unclear()]})
    post = Post(private(), slack)
    post.thread.home = DM
    assert await post.placeholder() is None
    assert post.notes.steps == [Told.PLACE, Told.PLACEHOLDER]
    assert len(slack.named("post_message")) == 1
    assert slack.only("post_message").said["channel"] == DM
    again = Post(replace(private(), request=post.notes.turn.request, created_at=later(-60)), slack)
    assert await again.placeholder() is None
    assert again.notes.turn.placeholder_ts == slack.posted["turn_1"]
    assert len(slack.named("post_message")) == 1


async def test_that_where_it_is_made_cannot_be_said_does_not_stop_a_private_picture() -> None:
    slack = FakeSlack(
        faults={
            "respond": [refused("expired_url", "response_url")],
            "post_ephemeral": [refused("channel_not_found", "chat.postEphemeral")],
            "post_message": [refused("user_disabled")],
            "permalink": [refused("message_not_found", "chat.getPermalink")],
        }
    )
    post = Post(private(), slack)
    assert await post.placeholder() is None
    assert post.notes.turn.request.channel_id == DM


async def test_a_private_request_in_our_direct_message_stays_there() -> None:
    post = Post(turn(replace(command(channel=DM), private=True)))
    assert await post.placeholder() is None
    assert post.order() == ["post_message"]
    assert post.slack.only("post_message").said["channel"] == DM


async def test_a_private_request_in_a_direct_message_between_others_comes_to_ours() -> None:
    slack = FakeSlack(faults={"post_message": [refused("channel_not_found")]})
    post = Post(turn(replace(command(channel="D0OTHERS01"), private=True)), slack)
    assert await post.placeholder() is None
    assert post.order() == ["post_message refused", "post_private", "respond"]
    assert post.notes.turn.request.channel_id == DM


async def test_what_was_asked_for_in_a_dialog_is_not_announced_where_it_stands_anyway() -> None:
    post = Post(turn(replace(command(channel=ALICE), private=True, reply_url=None)))
    assert await post.placeholder() is None
    assert post.order() == ["post_private"]


async def test_where_we_cannot_post_our_direct_message_is_offered() -> None:
    details: dict[str, str | int] = {"at_most_nano_usd": 71_000_000}
    post = Post(ended(Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL, details)))
    await post.tell()
    button = post.slack.only("respond").said["blocks"][1]["elements"][0]
    assert (button["action_id"], button["value"]) == ("make_in_dm", "turn_1")
    assert button["text"]["text"] == "Make it in our DM · up to 8¢"
    assert "The button “Make it in our DM · up to 8¢” makes it there" in post.slack.only("respond").text
    there = Post(ended(Ending(Outcome.DECLINED, Reason.CANNOT_POST), replace(command(), private=True)))
    await there.tell()
    assert there.slack.only("respond").said["blocks"] == ()


async def test_what_reads_like_a_change_is_asked_about_with_two_buttons() -> None:
    details: dict[str, str | int] = {
        "picture_id": "picture_1",
        "version": 3,
        "edit_nano_usd": 80_000_001,
        "new_nano_usd": 70_000_000,
    }
    message_ = replace(message("make it blue", ROOT, ROOT, surface=Surface.MENTION), channel_id=DM)
    post = Post(ended(Ending(Outcome.DECLINED, Reason.EDIT_OR_NEW, details), message_))
    await post.tell()
    said = post.slack.only("post_message").said
    edit, new = said["blocks"][1]["elements"]
    assert (edit["action_id"], edit["text"]["text"], edit["value"]) == (
        "edit_last",
        "Edit v3 · up to 9¢",
        "turn_1",
    )
    assert (new["action_id"], new["text"]["text"], new["value"]) == (
        "make_new",
        "New picture · up to 7¢",
        "turn_1",
    )
    assert (said["channel"], said["thread_ts"]) == (DM, None)


def listed() -> Post:
    versions = Ending(Outcome.WORDS, Reason.VERSIONS)
    return Post(ended(versions, reply()))


async def test_versions_are_listed_in_the_thread_and_notify_nobody() -> None:
    post = listed()
    post.thread.pictures = [picture(file_id="F0PICTURE1"), picture(id="p2", version=2, user_id=BOB)]
    await post.tell()
    call = post.slack.only("post_message")
    assert (call.said["thread_ts"], call.said["turn_id"]) == (ROOT, "turn_1")
    assert call.said["blocks"][1]["accessory"]["slack_file"] == {"id": "F0PICTURE1"}
    assert "Bob &lt;!channel&gt; · $0.05 · the next change" in call.said["blocks"][2]["text"]["text"]
    assert "<@" not in call.payload
    assert post.notes.steps == [Told.POST_BEGUN, Told.MESSAGE, Told.PLACEHOLDER_CLOSED]
    assert post.slack.only("remove_reaction").said["name"] == "eyes"


async def test_a_file_that_somebody_deleted_in_slack_keeps_nobody_from_the_versions() -> None:
    post = listed()
    post.slack.faults["post_message"] = [refused("invalid_blocks", detail="[ERROR] invalid slack file")]
    post.thread.pictures = [picture(file_id="F0PICTURE1")]
    await post.tell()
    assert "accessory" not in post.slack.only("post_message").payload


async def test_words_whose_blocks_are_refused_are_posted_without_them() -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    post = Post(ended(words, reply()), FakeSlack(faults={"post_message": [refused("invalid_blocks")]}))
    await post.tell()
    assert "Which fox?" in post.slack.only("post_message").text
    assert post.slack.only("post_message").said["blocks"] == ()


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long"])
async def test_words_that_are_too_long_for_slack_are_posted_shorter(error: str) -> None:
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox? " * 400})
    post = Post(ended(words, reply()), FakeSlack(faults={"post_message": [refused(error)] * 2}))
    await post.tell()
    call = post.slack.only("post_message")
    assert call.text.startswith("Which fox?")
    assert len(call.text) <= SHORT_MAX


async def test_a_picture_whose_message_is_too_long_says_less_and_else_is_shared_as_a_file() -> None:
    less = Post(done(), FakeSlack(faults={"post_message": [refused("msg_too_long")]}))
    await less.deliver(prompt="a fox " * 500)
    assert len(less.slack.only("post_message").text) <= SHORT_MAX
    assert "slack_file" in less.slack.only("post_message").payload
    file = Post(done(), FakeSlack(faults={"post_message": [refused("msg_blocks_too_long")] * 2}))
    await file.deliver(prompt="a fox " * 500)
    assert [call.said["channel"] for call in file.slack.named("upload")] == [None, DESIGN]
    assert "slack_file" not in file.slack.only("post_message").payload


async def test_a_thread_that_is_gone_leaves_a_file_in_the_channel() -> None:
    faults: dict[str, list[Exception | None]] = {
        "post_message": [refused("invalid_blocks")] * len(TRIES_WITH_FILE),
        "upload": [None, refused("thread_not_found", "files.completeUploadExternal")],
    }
    post = Post(done(), FakeSlack(faults=faults))
    await post.deliver()
    assert [(one.said["channel"], one.said["thread_ts"]) for one in post.slack.named("upload")] == [
        (None, None),
        (DESIGN, None),
    ]


async def test_killed_between_a_file_and_its_words_the_picture_is_not_shown_twice() -> None:
    post = Post(done())
    post.slack.faults["post_message"] = [
        *([refused("invalid_blocks")] * len(TRIES_WITH_FILE)),
        *([unclear()] * TIRED),
    ]
    post.slack.faults["find_message"] = [unclear("conversations.replies")] * 99
    with pytest.raises(Undeliverable):
        await post.deliver()
    assert [call.said["channel"] for call in post.slack.named("upload")] == [None, DESIGN]
    post.slack.faults.clear()
    await post.deliver()
    assert len(post.slack.named("upload")) == 2
    assert "slack_file" not in post.slack.only("post_message").payload


async def test_killed_before_a_file_was_shared_it_is_sent_anew() -> None:
    """Its id is noted before anybody can see it: there may be no such file."""
    post = Post(replace(done(), post_begun_at=NOON))
    post.slack.faults["file_info"] = [refused("file_not_found", "files.info")]
    await post.deliver(file_id="F0UNSENT01")
    uploaded = post.slack.only("upload")
    assert uploaded.said["channel"] is None
    assert "F0UNSENT01" not in post.slack.only("post_message").payload


async def test_the_way_back_is_said_in_the_thread_with_the_picture_it_leads_to() -> None:
    details: dict[str, str | int] = {"picture_id": "picture_1", "version": 1, "undone": 2}
    post = Post(ended(Ending(Outcome.WORDS, Reason.UNDONE, details), reply()))
    post.thread.pictures = [picture(file_id="F0PICTURE1")]
    await post.tell()
    said = post.slack.only("post_message")
    assert said.text.startswith("Back to v1: the next change builds on it. v2 stays above")
    assert said.said["blocks"][0]["accessory"]["slack_file"] == {"id": "F0PICTURE1"}
    unknown = Post(ended(Ending(Outcome.WORDS, Reason.UNDONE, details), reply()))
    await unknown.tell()
    assert "Back to v1" in unknown.slack.only("post_message").text


async def test_the_way_back_to_what_was_made_elsewhere_names_no_version_that_this_thread_never_had() -> None:
    """Only where it opened the thread by being shared, its number stands there."""
    details: dict[str, str | int] = {"picture_id": "picture_1", "version": 5, "undone": 1}
    elsewhere = picture(version=5, channel_id="C0OTHER001", thread_ts="1763630000.000100")
    for listed_here, back in ((False, "the picture that this thread began with"), (True, "v5")):
        post = Post(ended(Ending(Outcome.WORDS, Reason.UNDONE, details), reply()))
        post.thread.pictures = [elsewhere] if listed_here else []
        post.thread.others = [elsewhere]
        await post.tell()
        said = post.slack.only("post_message").text
        assert said.startswith(f"Back to {back}: the next change builds on it. v1 stays above")


async def test_the_versions_say_which_was_shared_here() -> None:
    post = listed()
    post.thread.pictures = [picture(channel_id="D0ALICE001"), picture(id="p2", version=2)]
    await post.tell()
    rows = [block["text"]["text"] for block in post.slack.only("post_message").said["blocks"][1:]]
    assert ["shared here" in row for row in rows] == [True, False]
