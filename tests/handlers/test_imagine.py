"""``/imagine`` through the real dispatcher: on disk, acknowledged, handed on; or answered at once."""

from __future__ import annotations

import asyncio

import pytest

from darkroom.spending.alerts import AlertKind
from darkroom.turns.model import Options, Request, Surface, TurnState
from darkroom.turns.store import Arrival
from storage.database import Database
from tests.examples import ALICE, DESIGN, TEAM
from tests.handlers.dialogs import Counter
from tests.handlers.support import OLAF, OTHER_TEAM, Desk, said_in, slash


async def test_a_prompt_is_on_disk_before_slack_is_answered(desk: Desk) -> None:
    """And only then the worker has it; nothing is asked of Slack in between."""
    assert await desk.type("a red fox in snow --size landscape") == ""
    (turn,) = desk.line.turns
    assert await desk.log.turn(turn.id) == turn
    assert turn.state is TurnState.RECEIVED
    request = turn.request
    assert (request.prompt, request.options) == ("a red fox in snow", Options(1536, 1024))
    assert (request.team_id, request.channel_id, request.user_id) == (TEAM, DESIGN, ALICE)
    assert (request.surface, request.thread_ts, request.message_ts) == (Surface.COMMAND, None, None)
    assert request.key == "command:111.111.one"
    assert request.reply_url == "http://127.0.0.1:9/commands/1"
    assert desk.slack.calls == []


async def test_slack_is_not_answered_while_the_disk_is_busy(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was told is taken in would be lost in a crash just then."""
    accept, begun, free = desk.services.intake.accept, asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> Arrival:
        begun.set()
        await free.wait()
        return await accept(request)

    monkeypatch.setattr(desk.services.intake, "accept", slowly)
    answer = asyncio.ensure_future(desk.send(slash("/imagine", "a red fox")))
    await begun.wait()
    answered, _ = await asyncio.wait({answer}, timeout=0.1)
    assert not answered
    free.set()
    assert (await answer).status == 200
    assert len(desk.line.turns) == 1


async def test_the_same_command_twice_is_one_turn(desk: Desk) -> None:
    await desk.type("a red fox", trigger="1.1.x")
    await desk.type("a red fox", trigger="1.1.x")
    await desk.type("a red fox", trigger="1.1.y")
    assert len(desk.line.turns) == 2


@pytest.mark.parametrize("text", ["", "   ", "\n", "--size square --n 2"])
async def test_without_a_prompt_a_dialog_opens(desk: Desk, text: str) -> None:
    """And nothing is on disk for it."""
    counter = Counter.at(desk)
    assert await desk.type(text) == ""
    assert counter.opened["callback_id"] == "new_picture"
    assert await desk.log.unfinished() == []


async def test_too_busy_for_a_dialog_is_said_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.errands.ERRANDS_MAX", 0)
    assert "could not be opened in time" in await desk.type("")
    assert desk.slack.named("open_view") == []


async def test_how_many_and_for_whom_goes_along(desk: Desk) -> None:
    await desk.type("a fox --n 3 --private")
    request = desk.line.turns[0].request
    assert (request.prompt, request.wanted, request.private) == ("a fox", 3, True)


@pytest.mark.parametrize("text", ["help", " HELP "])
async def test_help_says_how_to_use_it(desk: Desk, text: str) -> None:
    assert "`/imagine a red fox in snow`" in await desk.type(text)
    assert desk.line.turns == []
    assert await desk.log.unfinished() == []


@pytest.mark.parametrize("text", ["undo", " Versions. "])
async def test_a_magic_word_buys_no_picture_of_itself(desk: Desk, text: str) -> None:
    """A command knows no thread: it is answered with where the word belongs."""
    assert "as a reply in the thread" in await desk.type(text)
    assert await desk.log.unfinished() == []
    await desk.type("undo the hat")
    assert desk.line.turns[0].request.prompt == "undo the hat"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a fox --size 1x1", "multiples of 16"),
        ("a fox --size 99999x99999", "3,840"),
        ("a fox --quality", "--quality low"),
        ("a fox --nonsense", "The options are"),
        ("a fox --n 5", "1 to 4"),
        ("x" * 100_000, "32,000"),
    ],
)
async def test_what_cannot_be_is_answered_at_once_and_buys_nothing(desk: Desk, text: str, said: str) -> None:
    answer = await desk.type(text)
    assert desk.line.turns == []
    assert "nothing was charged" in answer
    assert said in answer
    assert "<!" not in answer
    assert await desk.log.unfinished() == []


async def test_a_bad_value_is_escaped_in_the_answer(desk: Desk) -> None:
    answer = await desk.type("a fox --model &lt;!channel&gt;")
    assert "&lt;!channel&gt;" in answer
    assert "<!channel>" not in answer


async def test_names_in_a_prompt_are_kept_as_words(desk: Desk) -> None:
    """With ``should_escape`` Slack sends ids and entities; the model is to read what was typed."""
    await desk.type("<@U0BOB00001|bob> &lt;b&gt;in&lt;/b&gt; <#C0DESIGN01|design> \U0001f98a \u05d0\u05d1")
    assert desk.line.turns[0].request.prompt == "@bob <b>in</b> #design \U0001f98a \u05d0\u05d1"


async def test_people_of_other_workspaces_are_refused(desk: Desk) -> None:
    answer = await desk.type("a fox", user_id=OLAF, team_id=OTHER_TEAM)
    assert "people of the workspace" in answer
    assert desk.line.turns == []


async def test_an_org_wide_install_takes_its_whole_organisation_and_nobody_else(database: Database) -> None:
    desk = Desk.make(database, enterprise_id="E0ORG00001")
    await desk.type("a fox", team_id="T0SISTER01", enterprise_id="E0ORG00001", trigger="1")
    assert len(desk.line.turns) == 1
    await desk.type("a fox", team_id="T0SISTER01", enterprise_id="E0OTHER001", trigger="2")
    assert len(desk.line.turns) == 1


async def test_the_command_goes_by_the_name_of_the_settings(database: Database) -> None:
    desk = Desk.make(database, imagine="/paint")
    await desk.type("a fox", name="/paint")
    assert len(desk.line.turns) == 1


async def test_a_fault_is_answered_without_the_prompt_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one boundary: ids in the log, a sentence for the person."""

    async def fail(*_: object) -> None:
        raise RuntimeError("secret words of the prompt")

    monkeypatch.setattr(desk.services.intake, "accept", fail)
    response = await desk.send(slash("/imagine", "secret words of the prompt"))
    assert response.status == 200
    assert "Darkroom itself failed" in said_in(response)
    assert "/imagine C0DESIGN01 broke: RuntimeError at" in caplog.text
    assert "secret" not in caplog.text


async def test_a_model_that_lacks_only_a_price_is_told_to_the_admins_once_a_day(desk: Desk) -> None:
    for trigger in ("1.1.a", "2.2.b"):
        said = await desk.type("a fox --model chatgpt-image-latest", trigger=trigger)
        assert "cannot be used here" in said
    await desk.type("a fox --model no-such-model", trigger="3.3.c")
    (alert,) = await desk.services.alerts.unsent(10)
    assert alert.kind is AlertKind.UNPRICED
    assert "chatgpt-image-latest" in str(alert.details["why"])
