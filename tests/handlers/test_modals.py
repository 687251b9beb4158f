"""The dialog for a picture, through the real dispatcher: what it shows and costs, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

from darkroom.spending.changes import Author, Everyone, SetAccess
from darkroom.spending.policy import Dimension
from darkroom.turns.conversations import Preferences
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attachment, Options, Surface
from handlers import dialog_facts
from handlers.blocks import modal
from handlers.blocks.modal import Choices, Form, Shown
from handlers.blocks.modal_memo import KeptPicture, Memo
from handlers.blocks.text import Block
from storage.database import Database
from tests.examples import ALICE, DESIGN, TEAM, caps
from tests.handlers.dialogs import (
    CENT,
    LENGTHS,
    SCRIPTS,
    Counter,
    begins,
    change,
    check,
    element,
    held,
    long,
    offered,
    submission,
    words_of,
)
from tests.handlers.support import DM, OLAF, OTHER_TEAM, USD, Desk, fixture, refused, slash, unclear
from tests.handlers.test_spend import spent

FILE = {"id": "F0FILE0001", "name": "hat.png", "mimetype": "image/png", "size": 99}


@pytest.fixture
def counter(desk: Desk) -> Counter:
    return Counter.at(desk)


async def opened(counter: Counter, text: str = "", **fields: Any) -> Block:
    """``/imagine`` without a prompt."""
    assert await counter.desk.type(text, **fields) == ""
    return counter.opened


async def errors(counter: Counter, payload: dict[str, Any]) -> dict[str, str]:
    """What is said to be wrong; the dialog stays open and nothing is on disk."""
    answer = said(await counter.desk.send(payload))
    assert answer["response_action"] == "errors"
    assert counter.desk.line.turns == []
    found: dict[str, str] = answer["errors"]
    known = {block.get("block_id") for block in payload["view"]["blocks"]}
    assert set(found) <= known, "Slack refuses errors at blocks that are not there"
    return found


def said(response: BoltResponse) -> Any:
    assert response.status == 200
    return json.loads(response.body) if response.body else {}


async def test_the_command_without_a_prompt_opens_the_dialog_for_its_channel(counter: Counter) -> None:
    """The acknowledgement is empty, and the price stands there before anything is pressed."""
    view = await opened(counter)
    call = counter.desk.slack.only("open_view")
    assert call.said["trigger_id"] == "111.111.one"
    assert (view["callback_id"], view["title"]["text"]) == ("new_picture", "New picture")
    assert begins(view, modal.CHANNEL) == DESIGN
    assert begins(view, modal.SIZE) == begins(view, modal.QUALITY) == "usual"
    assert begins(view, modal.NUMBER) == "1"
    assert element(view, modal.PROMPT)["max_length"] == 3_000
    assert element(view, modal.FILES)["max_files"] == 10
    assert "about 5¢, at most 9¢" in words_of(view)
    assert offered(view, modal.QUALITY) == ["usual", "low", "medium", "high"]
    assert "1920x640" in offered(view, modal.SIZE)
    assert offered(view, modal.NUMBER) == ["1", "2", "3", "4"]


async def test_options_without_a_prompt_stand_in_the_dialog(counter: Counter) -> None:
    """Also a size without a name; what has no input of its own is kept and said."""
    view = await opened(
        counter, "--size 1536x864 --quality high --n 3 --private --model gpt-image-2 --transparent"
    )
    assert begins(view, modal.SIZE) == "1536x864"
    assert begins(view, modal.QUALITY) == "high"
    assert begins(view, modal.NUMBER) == "3"
    assert begins(view, modal.PRIVATE) == ["yes"]
    assert "--model gpt-image-2 --format png --background transparent" in words_of(view)
    await counter.desk.send(submission(view, prompt="a fox"))
    (turn,) = counter.desk.line.turns
    assert turn.request.options == Options(1536, 864, "high", "gpt-image-2", "png", "transparent")
    assert (turn.request.wanted, turn.request.private) == (3, True)


async def test_in_our_direct_message_no_channel_is_chosen(counter: Counter) -> None:
    counter.people.home = DM
    view = await opened(counter, channel_id=DM)
    assert begins(view, modal.CHANNEL) is None
    assert element(view, modal.CHANNEL)["filter"] == {"include": ["public", "private", "mpim"]}
    await counter.desk.send(submission(view, prompt="a fox"))
    (turn,) = counter.desk.line.turns
    assert (turn.request.channel_id, turn.request.private) == (DM, True)


@pytest.mark.parametrize("home", [DM, None])
async def test_without_a_channel_it_comes_to_our_direct_message(counter: Counter, home: str | None) -> None:
    """Also where we do not know its channel yet: then it is the person that Slack is told."""
    counter.people.home = home
    view = await opened(counter)
    await counter.desk.send(submission(view, prompt="a fox", channel=None))
    (turn,) = counter.desk.line.turns
    assert (turn.request.channel_id, turn.request.private) == (home or ALICE, True)


async def test_what_a_person_prefers_stands_there(counter: Counter) -> None:
    counter.people.prefers = Preferences(1536, 1024, "low", private=True)
    view = await opened(counter)
    assert begins(view, modal.PRIVATE) == ["yes"]
    names = json.dumps(view)
    assert "As usual: 1536x1024 (landscape)" in names
    assert "As usual: low" in names


async def test_what_is_said_goes_before_what_is_preferred(counter: Counter) -> None:
    counter.people.prefers = Preferences(private=True)
    assert begins(await opened(counter, "--public"), modal.PRIVATE) is None


async def test_only_the_qualities_that_are_allowed_are_offered(counter: Counter) -> None:
    services = counter.desk.services
    deny = SetAccess(Everyone(), Dimension.QUALITY, ("high",), allowed=False)
    await services.admin.change(deny, Author(TEAM, ALICE, "k1"), caps(), counter.desk.clock.now())
    assert offered(await opened(counter), modal.QUALITY) == ["usual", "low", "medium"]


async def test_a_model_with_fixed_sizes_offers_these(database: Database) -> None:
    counter = Counter.at(Desk.make(database, model="gpt-image-1-mini"))
    assert offered(await opened(counter), modal.SIZE) == ["usual", "1024x1024", "1536x1024", "1024x1536"]


async def test_sending_it_off_is_a_turn_on_disk_before_slack_is_answered(counter: Counter) -> None:
    view = await opened(counter)
    payload = submission(
        view, prompt="  a fox & <b>hat</b> ", size="1920x640", quality="low", number="2", references=[FILE]
    )
    assert said(await counter.desk.send(payload)) == {}
    (turn,) = counter.desk.line.turns
    assert await counter.desk.log.turn(turn.id) == turn
    request = turn.request
    assert (request.key, request.surface, request.prompt) == (
        "view:V111",
        Surface.MODAL,
        "a fox & <b>hat</b>",
    )
    assert (request.channel_id, request.user_id, request.private) == (DESIGN, ALICE, False)
    assert (request.thread_ts, request.fresh, request.wanted) == (None, True, 2)
    assert request.options == Options(1920, 640, "low")
    assert request.attachments == (Attachment("F0FILE0001", "hat.png", "image/png", 99),)


async def test_sent_off_twice_it_is_one_turn(counter: Counter) -> None:
    view = await opened(counter)
    for _ in range(2):
        assert said(await counter.desk.send(submission(view, prompt="a fox"))) == {}
    assert len(counter.desk.line.turns) == 1
    await counter.desk.send(submission(view, view_id="V222", prompt="a fox"))
    assert len(counter.desk.line.turns) == 2


async def test_options_typed_into_the_prompt_count_there_too(counter: Counter) -> None:
    view = await opened(counter)
    await counter.desk.send(submission(view, prompt="a fox --quality low --n 4 --private", quality="high"))
    request = counter.desk.line.turns[0].request
    assert (request.prompt, request.options, request.wanted) == ("a fox", Options(quality="low"), 4)
    assert request.private is True


@pytest.mark.parametrize(
    ("changes", "block_id", "sentence"),
    [
        ({"prompt": "   \n "}, modal.PROMPT, "Say what should be in the picture"),
        ({"prompt": None}, modal.PROMPT, "Say what should be in the picture"),
        ({"prompt": "--size square"}, modal.PROMPT, "Say what should be in the picture"),
        ({"prompt": "x" * 3_001}, modal.PROMPT, "3,001"),
        ({"prompt": ["a", "fox"]}, modal.PROMPT, "Say what should be in the picture"),
        ({"prompt": "a fox --size 1x1"}, modal.PROMPT, "multiples of 16"),
        ({"size": "1x1"}, modal.SIZE, "multiples of 16"),
        ({"size": "huge <!channel>"}, modal.SIZE, "A size is"),
        ({"quality": "best"}, modal.QUALITY, "low, medium or high"),
        ({"number": "5"}, modal.NUMBER, "1 to 4"),
        ({"number": "many"}, modal.NUMBER, "1 to 4"),
    ],
)
async def test_what_cannot_be_is_said_at_its_input(
    counter: Counter, changes: dict[str, Any], block_id: str, sentence: str
) -> None:
    view = await opened(counter)
    found = await errors(counter, submission(view, **{"prompt": "a fox", **changes}))
    assert set(found) == {block_id}
    assert sentence in found[block_id]


async def test_several_faults_are_said_at_once(counter: Counter) -> None:
    view = await opened(counter)
    payload = submission(view, prompt=" ", quality="best", number="9")
    assert set(await errors(counter, payload)) == {modal.PROMPT, modal.QUALITY, modal.NUMBER}


@pytest.mark.parametrize(
    "metadata",
    ["", "{}", "null", "[1]", "7", '{"v":2}', '{"v":1}', "x" * 3_000, "[" * 3_000, '{"v":1,"o":"abc","p":7}'],
)
async def test_a_dialog_that_we_did_not_write_is_refused_with_the_way_out(
    counter: Counter, metadata: str
) -> None:
    view = {**await opened(counter), "private_metadata": metadata}
    found = await errors(counter, submission(view, prompt="a fox"))
    assert "close the dialog and open it again" in found[modal.PROMPT]
    # Choosing something in it does no harm either.
    assert (await counter.desk.send(change(view, modal.SIZE_ACTION))).status == 200
    assert counter.desk.slack.named("update_view") == []


async def test_a_view_without_any_state_is_refused(counter: Counter) -> None:
    payload = submission(await opened(counter))
    payload["view"]["state"] = {}
    assert set(await errors(counter, payload)) == {modal.PROMPT}


async def test_people_of_other_workspaces_are_refused(counter: Counter) -> None:
    payload = submission(await opened(counter), user=OLAF, prompt="a fox")
    payload["user"]["team_id"] = OTHER_TEAM
    assert "people of the workspace" in (await errors(counter, payload))[modal.PROMPT]


async def test_a_dialog_that_is_closed_leaves_nothing(counter: Counter) -> None:
    view = await opened(counter)
    payload = {**fixture("view_submission"), "type": "view_closed", "is_cleared": False}
    payload["view"] = held(view, {"prompt": "a fox"})
    assert (await counter.desk.send(payload)).status == 200
    assert counter.desk.line.turns == []


async def test_a_fault_of_ours_keeps_the_dialog_open_with_what_was_typed(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a fox in secret")

    view = await opened(counter)
    monkeypatch.setattr(counter.desk.services.intake, "accept", fail)
    found = await errors(counter, submission(view, prompt="a fox in secret"))
    assert "failed" in found[modal.PROMPT]
    assert "secret" not in caplog.text


async def test_the_price_changes_with_what_is_chosen_and_the_prompt_stays(counter: Counter) -> None:
    view = await opened(counter)
    chosen = change(view, modal.QUALITY_ACTION, prompt="a red fox", quality="high", number="3")
    assert (await counter.desk.send(chosen)).body == ""
    call, now = counter.desk.slack.only("update_view"), counter.updated
    assert (call.said["view_id"], call.said["hash_"]) == ("V111", "1.old")
    assert "about 21¢ each, 63¢ together, at most 75¢ for all 3" in words_of(now)
    assert begins(now, modal.PROMPT) == "a red fox"
    assert (begins(now, modal.QUALITY), begins(now, modal.NUMBER)) == ("high", "3")
    ids = [
        [(b.get("block_id"), b.get("element", {}).get("action_id")) for b in v["blocks"]] for v in (view, now)
    ]
    assert ids[0] == ids[1], "Slack keeps what stands in inputs of the same ids only"


async def test_beside_a_price_that_is_more_than_what_is_left_it_says_how_little_that_is(
    counter: Counter,
) -> None:
    await spent(counter.desk, ALICE, 10 * USD - 129 * CENT // 10, "1")
    view = await opened(counter)
    assert "left" not in words_of(view)
    await counter.desk.send(change(view, modal.NUMBER_ACTION, number="3"))
    assert words_of(counter.updated).endswith(" You have 12¢ left this month.")


async def test_books_that_are_slow_to_say_what_is_left_do_not_keep_the_price_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(dialog_facts, "LEFT_WAIT_S", 0)
    monkeypatch.setattr(counter.desk.services.spend, "balances", never)
    assert "about 5¢" in words_of(await opened(counter))


async def test_the_price_is_asked_for_what_would_be_sent(counter: Counter) -> None:
    view = await opened(counter)
    await counter.desk.send(
        change(view, modal.SIZE_ACTION, prompt="a fox", size="864x1536", references=[FILE])
    )
    asked = counter.prices.asked[-1]
    assert (asked.prompt, asked.options, len(asked.attachments)) == ("a fox", Options(864, 1536), 1)
    assert await counter.desk.log.unfinished() == []


async def test_what_a_file_adds_is_said_beforehand(counter: Counter) -> None:
    """Slack does not tell of it when one is put in; what is there already is counted."""
    view = await opened(counter)
    assert "at most 9¢. Each file added: at most 2¢ more." in words_of(view)
    await counter.desk.send(change(view, modal.NUMBER_ACTION, number="3", references=[FILE]))
    assert "at most 33¢ for all 3. Each file added: at most 6¢ more." in words_of(counter.updated)


async def test_where_it_could_not_be_made_the_dialog_says_why(counter: Counter) -> None:
    counter.prices.answer = Ending(Outcome.DECLINED, Reason.PAUSED)
    assert "paused by an admin" in words_of(await opened(counter))


async def test_a_choice_that_cannot_be_is_said_in_place_of_the_price(counter: Counter) -> None:
    view = await opened(counter)
    await counter.desk.send(change(view, modal.SIZE_ACTION, prompt="a fox --size 1x1"))
    assert "multiples of 16" in words_of(counter.updated)


async def test_a_slow_price_does_not_keep_the_dialog_from_opening(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.dialog_facts.ANSWER_WAIT_S", 0)
    counter.prices.still = asyncio.Event()
    assert "The price is shown when you change" in words_of(await opened(counter))


async def test_a_newer_choice_wins_over_an_older_one(counter: Counter) -> None:
    """The older one's price comes late and is not shown."""
    view = await opened(counter)
    counter.prices.still = asyncio.Event()
    older = change(view, modal.QUALITY_ACTION, quality="low", ts="1.1")
    newer = change(view, modal.QUALITY_ACTION, quality="high", ts="2.2")
    sent = [asyncio.create_task(counter.desk.send(payload)) for payload in (older, newer)]
    await counter.prices.until_asked(4)
    counter.prices.still.set()
    await asyncio.gather(*sent)
    counter.desk.slack.only("update_view")
    assert begins(counter.updated, modal.QUALITY) == "high"


async def test_a_view_that_changed_in_between_shows_the_newest_choice_all_the_same(counter: Counter) -> None:
    view = await opened(counter)
    counter.desk.slack.faults["update_view"] = [refused("hash_conflict", "views.update")]
    await counter.desk.send(change(view, modal.QUALITY_ACTION, quality="high"))
    assert counter.desk.slack.only("update_view").said["hash_"] is None


@pytest.mark.parametrize("fault", [refused("not_found", "views.update"), unclear("views.update")])
async def test_a_dialog_that_is_gone_is_left_alone(counter: Counter, fault: Exception) -> None:
    view = await opened(counter)
    counter.desk.slack.faults["update_view"] = [fault]
    await counter.desk.send(change(view, modal.QUALITY_ACTION, quality="high"))
    assert counter.desk.slack.named("update_view") == []


@pytest.mark.parametrize("fault", [refused("expired_trigger_id", "views.open"), unclear("views.open")])
async def test_a_dialog_that_does_not_open_is_told(counter: Counter, fault: Exception) -> None:
    counter.desk.slack.faults["open_view"] = [fault]
    await counter.desk.type("")
    assert "could not be opened in time" in counter.desk.slack.only("respond").text


async def test_a_fault_while_opening_is_told(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(counter.people, "preferences", fail)
    await counter.desk.type("")
    assert "Darkroom itself failed" in counter.desk.slack.only("respond").text


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_a_channel_without_us_is_warned_of_before_it_is_sent_off(counter: Counter, error: str) -> None:
    """And looked at once, not at each change."""
    counter.desk.slack.faults["find_message"] = [refused(error, "conversations.history")]
    view = await opened(counter)
    assert f"I am not in <#{DESIGN}>" in words_of(view)
    await counter.desk.send(change(view, modal.NUMBER_ACTION, number="2"))
    assert f"I am not in <#{DESIGN}>" in words_of(counter.updated)
    await counter.desk.send(change(counter.updated, modal.PRIVATE_ACTION, private=["yes"]))
    assert "I am not in" not in words_of(counter.updated)
    assert counter.desk.slack.named("find_message") == []


async def test_sent_off_to_a_channel_without_us_it_stays_open_until_we_are_invited(counter: Counter) -> None:
    """Nothing that was typed is lost; what is said then holds, not what was true when it opened."""
    outside = refused("not_in_channel", "conversations.history")
    counter.desk.slack.faults["find_message"] = [outside, outside]
    view = await opened(counter)
    found = await errors(counter, submission(view, prompt="a fox"))
    assert list(found) == [modal.CHANNEL]
    assert "/invite" in found[modal.CHANNEL]
    assert counter.desk.line.turns == []
    await counter.desk.send(submission(view, prompt="a fox"))
    (turn,) = counter.desk.line.turns
    assert turn.request.channel_id == DESIGN


async def test_the_price_stands_right_below_what_changes_it_and_the_warning_at_its_channel(
    counter: Counter,
) -> None:
    """At the end of the dialog both were out of sight."""
    counter.desk.slack.faults["find_message"] = [refused("not_in_channel", "conversations.history")]
    view = await opened(counter)
    order = [block.get("block_id") or words_of({"blocks": [block]}) for block in view["blocks"]]
    below = order.index(modal.NUMBER) + 1
    assert "at most" in order[below]
    assert order[below + 1] == modal.CHANNEL
    assert "I am not in" in order[below + 2]
    assert order[below + 3] == modal.PRIVATE


async def test_another_channel_is_looked_at_when_it_is_chosen(counter: Counter) -> None:
    view = await opened(counter)
    counter.desk.slack.faults["find_message"] = [refused("not_in_channel", "conversations.history")]
    await counter.desk.send(change(view, modal.CHANNEL_ACTION, channel="C0OTHER001"))
    assert "I am not in <#C0OTHER001>" in words_of(counter.updated)
    await counter.desk.send(change(counter.updated, modal.CHANNEL_ACTION, channel=DESIGN))
    assert "I am not in" not in words_of(counter.updated)


@pytest.mark.parametrize("fault", [refused("ratelimited", "conversations.history"), unclear()])
async def test_where_slack_does_not_say_nobody_is_warned(counter: Counter, fault: Exception) -> None:
    counter.desk.slack.faults["find_message"] = [fault]
    assert "I am not in" not in words_of(await opened(counter))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("make", [modal.new_picture_view, modal.edit_picture_view])
def test_every_dialog_fits_every_prompt(make: Any, script: str, length: int) -> None:
    """What does not fit into an input is cut, with a note; what it remembers fits too."""
    text = long(script, length)
    pictures = tuple(KeptPicture(f"picture_{n:026d}", n) for n in range(4))
    files = tuple(Attachment(f"F{n:010d}", text[:300], "image/" + "x" * 100, 50_000_000) for n in range(16))
    memo = Memo(DESIGN, "1763640000.000100", pictures, files, about=text, options=Options(model="m" * 60))
    choices = Choices([(1024, 1024)], ["low"], text[:100], text[:100])
    view = make(Form(prompt=text, which=pictures[0].picture_id), choices, memo, Shown(text, text, text))
    check(view)
    block = next(one for one in view["blocks"] if one.get("block_id") == modal.PROMPT)
    first = block["element"]["initial_value"]
    assert text.startswith(first)
    fits = len(text.encode("utf-16-le")) <= 6_000
    assert (first == text) == fits == ("hint" not in block)
    assert Memo.read(view["private_metadata"]) is not None


@given(
    st.builds(
        Memo,
        channel_id=st.sampled_from(["", DESIGN]),
        thread_ts=st.none() | st.just("1.1"),
        pictures=st.lists(st.builds(KeptPicture, st.text(max_size=9), st.integers(1, 99)), max_size=4).map(
            tuple
        ),
        files=st.lists(
            st.builds(
                Attachment, st.just("F1"), st.text(max_size=20), st.just("image/png"), st.integers(0, 9)
            ),
            max_size=16,
        ).map(tuple),
        direct=st.booleans(),
        outside=st.sampled_from(["", DESIGN]),
        about=st.text(max_size=100),
    )
)
def test_what_a_dialog_remembers_is_read_as_it_was_written(memo: Memo) -> None:
    assert Memo.read(memo.written()) == memo


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("vctpfdo"), inner),
    )
)
def test_reading_a_memo_never_breaks(value: Any) -> None:
    memo = Memo.read(json.dumps(value))
    assert memo is None or isinstance(memo, Memo)


async def test_the_command_answers_before_the_dialog_is_opened(counter: Counter) -> None:
    """The acknowledgement waits for neither the price nor Slack."""
    counter.prices.still = asyncio.Event()
    request = AsyncBoltRequest(mode="socket_mode", body=slash("/imagine", ""))
    assert said(await counter.desk.app.async_dispatch(request)) == {}
    await counter.prices.until_asked(1)
    assert counter.desk.slack.named("open_view") == []
    counter.prices.still.set()
    await counter.desk.services.errands.idle()
    assert counter.opened["callback_id"] == "new_picture"
