"""Both shortcuts through the real dispatcher: what can be edited, what cannot, and where the result goes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from darkroom.turns.conversations import Preferences
from darkroom.turns.model import Attachment, Options, Picture, Surface, Told
from handlers.blocks import modal
from handlers.blocks.modal_memo import KeptPicture, Memo
from handlers.blocks.text import Block
from tests.examples import ALICE, BOB, DESIGN, TEAM
from tests.handlers.dialogs import Counter, begins, change, element, offered, submission, words_of
from tests.handlers.support import DM, OLAF, OTHER_TEAM, Desk, fixture, refused, unclear
from tests.handlers.test_spend import spent

ROOT, TS = "1763640000.000100", "1763640050.000100"
FILES = fixture("message_file_share_full")["event"]["files"]
UPLOADED = {"id": "F0NEW00001", "name": "new.png", "mimetype": "image/png", "size": 5}


@pytest.fixture
def counter(desk: Desk) -> Counter:
    made = Counter.at(desk)
    made.people.home = DM
    return made


def shortcut(
    files: Any = None, *, thread_ts: str | None = None, channel: str = DESIGN, **user: Any
) -> dict[str, Any]:
    """ "Edit with Darkroom" on a message of Bob's, by Alice."""
    payload = fixture("message_shortcut")
    message = {
        "type": "message",
        "user": BOB,
        "text": "look",
        "ts": TS,
        "files": files,
        "thread_ts": thread_ts,
    }
    return {
        **payload,
        "callback_id": "edit_with_darkroom",
        "user": {"id": ALICE, "name": "alice", **user},
        "team": {"id": TEAM, "domain": "team"},
        "channel": {"id": channel, "name": "design"},
        "message_ts": TS,
        "message": {key: value for key, value in message.items() if value is not None},
        "response_url": "http://127.0.0.1:9/shortcuts/1",
    }


def everywhere(**user: Any) -> dict[str, Any]:
    """The global shortcut, by Alice."""
    return {
        **fixture("global_shortcut"),
        "callback_id": "new_picture_shortcut",
        "user": {"id": ALICE, "username": "alice", "team_id": TEAM, **user},
    }


async def opened(counter: Counter, payload: dict[str, Any]) -> Block:
    response = await counter.desk.send(payload)
    assert (response.status, response.body) == (200, "")
    return counter.opened


async def sent(counter: Counter, view: Block, **changes: Any) -> Any:
    """Send the dialog off; gives what it asks for."""
    response = await counter.desk.send(submission(view, **{"prompt": "make it blue", **changes}))
    assert not response.body, response.body
    return counter.desk.line.turns[-1].request


async def made(counter: Counter, *versions: int, prompt: str = "a fox") -> list[Picture]:
    """Pictures of ours that the message brought, by id: ``p1``, ``p2``, …"""
    for number, version in enumerate(versions, 1):
        await spent(counter.desk, ALICE, 100, str(number))
        picture = await counter.desk.log.picture(f"p{number}")
        assert picture is not None
        counter.people.pictures.append(replace(picture, version=version, prompt=prompt))
    return counter.people.pictures


async def test_the_global_shortcut_opens_a_dialog_without_a_channel(counter: Counter) -> None:
    view = await opened(counter, everywhere())
    assert begins(view, modal.CHANNEL) is None
    assert "default_to_current_conversation" not in element(view, modal.CHANNEL)
    request = await sent(counter, view)
    assert (request.surface, request.channel_id, request.private) == (Surface.MODAL, DM, True)


async def test_the_global_shortcut_may_choose_a_channel(counter: Counter) -> None:
    request = await sent(counter, await opened(counter, everywhere()), channel=DESIGN)
    assert (request.channel_id, request.private) == (DESIGN, False)


async def test_who_prefers_private_finds_it_ticked(counter: Counter) -> None:
    counter.people.prefers = Preferences(private=True)
    assert begins(await opened(counter, everywhere()), modal.PRIVATE) == ["yes"]


@pytest.mark.parametrize(
    "payload", [everywhere(team_id=OTHER_TEAM), shortcut(FILES, id=OLAF, team_id=OTHER_TEAM)]
)
async def test_people_of_other_workspaces_are_told_that_it_is_not_for_them(
    counter: Counter, payload: dict[str, Any]
) -> None:
    await counter.desk.send(payload)
    assert counter.desk.slack.named("open_view") == []
    said = json.dumps([call.said for call in counter.desk.slack.calls], default=str)
    assert "people of the workspace" in said


async def test_a_picture_of_ours_is_edited_by_its_version(counter: Counter) -> None:
    """In the thread it stands in, built on that very picture; its files are not sent along."""
    await made(counter, 3, prompt="a fox <!channel>")
    view = await opened(counter, shortcut(FILES, thread_ts=ROOT))
    assert view["title"]["text"] == "Edit with Darkroom"
    assert "Editing Darkroom's *v3*: a fox &lt;!channel&gt;" in words_of(view)
    assert "5\u00a2" in words_of(view)
    request = await sent(counter, view, quality="low")
    assert (request.surface, request.chosen_id, request.fresh) == (Surface.SHORTCUT, "p1", False)
    assert (request.channel_id, request.thread_ts, request.private) == (DESIGN, ROOT, False)
    assert (request.key, request.options, request.attachments) == ("view:V111", Options(quality="low"), ())


async def test_of_several_pictures_in_one_message_one_is_chosen(counter: Counter) -> None:
    await made(counter, 2, 3, 4)
    view = await opened(counter, shortcut(thread_ts=ROOT))
    assert offered(view, modal.WHICH) == ["p1", "p2", "p3"]
    assert begins(view, modal.WHICH) == "p3"
    assert "*v2*, *v3* and *v4*" in words_of(view)
    assert (await sent(counter, view, which="p2")).chosen_id == "p2"


async def test_a_picture_that_was_not_offered_is_refused(counter: Counter) -> None:
    await made(counter, 2, 3)
    view = await opened(counter, shortcut(thread_ts=ROOT))
    response = await counter.desk.send(submission(view, prompt="bluer", which="p9"))
    assert set(json.loads(response.body)["errors"]) == {modal.WHICH}
    assert counter.desk.line.turns == []


async def test_a_picture_that_we_never_made_is_refused_with_the_way_out(counter: Counter) -> None:
    """What a dialog remembers was out of our hands."""
    view = dict(await opened(counter, shortcut(FILES, thread_ts=ROOT)))
    forged = Memo(DESIGN, ROOT, (KeptPicture("p9", 3),))
    response = await counter.desk.send(
        submission({**view, "private_metadata": forged.written()}, prompt="bluer")
    )
    assert "no record of this picture" in json.loads(response.body)["errors"][modal.PROMPT]
    assert counter.desk.line.turns == []


async def test_a_picture_is_found_by_the_message_that_brought_it(desk: Desk) -> None:
    """With the books and the prices as they are."""
    await spent(desk, ALICE, 100, "1")
    picture = await desk.log.picture("p1")
    assert picture is not None
    await desk.store.tell(picture.turn_id, Told.MESSAGE, TS, desk.clock.now())
    await desk.send(shortcut(FILES, thread_ts=picture.thread_ts))
    view = desk.slack.only("open_view").said["view"]
    assert "Editing Darkroom's *v1*: a red fox in snow" in words_of(view)
    assert "*Price:* about" in words_of(view)
    await desk.send(submission(view, prompt="bluer"))
    assert desk.line.turns[-1].request.chosen_id == "p1"


@pytest.mark.parametrize(("thread_ts", "goes_to"), [(None, TS), (ROOT, ROOT)])
async def test_somebodys_picture_is_edited_in_the_thread_of_its_message(
    counter: Counter, thread_ts: str | None, goes_to: str
) -> None:
    view = await opened(counter, shortcut(FILES, thread_ts=thread_ts))
    assert f"Editing *{FILES[0]['name']}*" in words_of(view)
    assert element(view, modal.FILES)
    request = await sent(counter, view, references=[UPLOADED])
    assert (request.chosen_id, request.fresh, request.thread_ts) == (None, True, goes_to)
    assert [file.file_id for file in request.attachments] == [FILES[0]["id"], "F0NEW00001"]
    assert counter.desk.slack.only("file_info").said["file_id"] == FILES[0]["id"]


async def test_at_most_sixteen_pictures_of_a_message_go_along(counter: Counter) -> None:
    files = [{**FILES[0], "id": f"F{n:010d}", "name": "\u8d64" * 200} for n in range(20)]
    view = await opened(counter, shortcut(files))
    assert "the 16 pictures of this message" in words_of(view)
    assert len((await sent(counter, view)).attachments) == 16


async def test_a_picture_of_slack_connect_is_asked_for_by_its_id(counter: Counter) -> None:
    """Slack says nothing of it but that."""
    hidden = {"id": "F0HIDDEN01", "file_access": "check_file_info"}
    request = await sent(counter, await opened(counter, shortcut([hidden])))
    assert request.attachments == (Attachment("F0HIDDEN01", "file", "", 0),)


@pytest.mark.parametrize(
    "files", [None, [], [{**FILES[0], "mimetype": "application/pdf"}], ["nonsense", 7], "x"]
)
async def test_a_message_without_a_picture_says_so_with_the_way_out(counter: Counter, files: Any) -> None:
    view = await opened(counter, shortcut(files))
    assert "no picture that I could edit" in words_of(view)
    assert "submit" not in view


@pytest.mark.parametrize("error", ["file_not_found", "not_visible", "access_denied"])
async def test_a_picture_that_cannot_be_read_is_offered_our_direct_message(
    counter: Counter, error: str
) -> None:
    """The person puts it in themselves; the prompt is kept, and the result comes to our direct message."""
    counter.desk.slack.faults["file_info"] = [refused(error, "files.info")]
    counter.desk.slack.faults["find_message"] = [refused("not_in_channel", "conversations.history")]
    view = await opened(counter, shortcut(FILES, thread_ts=ROOT))
    assert "I cannot read this message's picture" in words_of(view)
    assert "comes to our direct message" in words_of(view)
    needed = next(block for block in view["blocks"] if block.get("block_id") == modal.FILES)
    assert needed["optional"] is False
    request = await sent(counter, view, references=[UPLOADED])
    assert (request.channel_id, request.thread_ts, request.private) == (DM, None, True)
    assert [file.file_id for file in request.attachments] == ["F0NEW00001"]
    assert (request.fresh, request.prompt) == (True, "make it blue")


async def test_a_price_stands_there_before_the_picture_is_put_in(counter: Counter) -> None:
    counter.desk.slack.faults["file_info"] = [refused("file_not_found", "files.info")]
    view = await opened(counter, shortcut(FILES))
    assert "5\u00a2" in words_of(view)
    assert len(counter.prices.asked[-1].attachments) == 1


async def test_without_the_picture_that_is_missing_it_is_not_sent_off(counter: Counter) -> None:
    counter.desk.slack.faults["file_info"] = [refused("file_not_found", "files.info")]
    view = await opened(counter, shortcut(FILES))
    response = await counter.desk.send(submission(view, prompt="bluer"))
    assert set(json.loads(response.body)["errors"]) == {modal.FILES}


async def test_where_we_cannot_post_what_can_be_read_goes_to_our_direct_message(counter: Counter) -> None:
    """The picture need not be put in again."""
    counter.desk.slack.faults["find_message"] = [refused("channel_not_found", "conversations.history")]
    view = await opened(counter, shortcut(FILES, channel="D0OTHERS01"))
    assert "the result comes to our own" in words_of(view)
    assert "/invite" not in words_of(view), "nobody can be invited into a direct message between two"
    request = await sent(counter, view)
    assert (request.channel_id, request.thread_ts, request.private) == (DM, None, True)
    assert [file.file_id for file in request.attachments] == [FILES[0]["id"]]


async def test_a_picture_of_ours_where_we_are_not_any_more_goes_to_our_direct_message(
    counter: Counter,
) -> None:
    await made(counter, 3)
    counter.desk.slack.faults["find_message"] = [refused("not_in_channel", "conversations.history")]
    request = await sent(counter, await opened(counter, shortcut(thread_ts=ROOT)))
    assert (request.chosen_id, request.thread_ts, request.private) == ("p1", None, True)


@pytest.mark.parametrize("fault", [unclear("files.info"), refused("ratelimited", "files.info")])
async def test_where_slack_does_not_say_a_picture_counts_as_readable(
    counter: Counter, fault: Exception
) -> None:
    counter.desk.slack.faults["file_info"] = [fault]
    assert "Editing" in words_of(await opened(counter, shortcut(FILES)))


async def test_what_is_edited_still_stands_there_when_the_price_changes(counter: Counter) -> None:
    await made(counter, 3)
    view = await opened(counter, shortcut(thread_ts=ROOT))
    await counter.desk.send(change(view, modal.NUMBER_ACTION, number="2"))
    assert "Editing Darkroom's *v3*" in words_of(counter.updated)
    assert counter.prices.asked[-1].chosen_id == "p1"


async def test_private_in_the_prompt_is_not_for_a_thread(counter: Counter) -> None:
    view = await opened(counter, shortcut(FILES))
    response = await counter.desk.send(submission(view, prompt="bluer --private"))
    assert "--private works with" in json.loads(response.body)["errors"][modal.PROMPT]


@pytest.mark.parametrize("payload", [shortcut(FILES), shortcut(None), everywhere()])
async def test_a_dialog_that_does_not_open_is_told(counter: Counter, payload: dict[str, Any]) -> None:
    counter.desk.slack.faults["open_view"] = [refused("expired_trigger_id", "views.open")]
    await counter.desk.send(payload)
    # From anywhere there is neither a channel nor an address to answer to: it comes to our direct message.
    ways = {"respond", "post_message"}
    told = [call.text for call in counter.desk.slack.calls if call.method in ways]
    assert len(told) == 1
    assert "opened in time" in told[0] or "no picture that I could edit" in told[0]


async def test_a_fault_of_ours_is_told(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(counter.people, "pictures_of_message", fail)
    await counter.desk.send(shortcut(FILES))
    assert "Darkroom itself failed" in counter.desk.slack.only("respond").text


async def test_a_slack_that_does_not_answer_does_not_keep_the_dialog_from_opening(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("handlers.dialog_facts.ANSWER_WAIT_S", 0)
    monkeypatch.setattr(counter.desk.slack, "file_info", forever)
    monkeypatch.setattr(counter.desk.slack, "find_message", forever)
    assert "Editing" in words_of(await opened(counter, shortcut(FILES)))
