"""Somebody is forgotten: afterwards nothing of theirs is in Slack, at OpenAI, or in any file of Darkroom."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from sandbox.images.faults import DELETE
from sandbox.images.faults import Fault as ApiFault
from sandbox.slack.model import Fault
from tests.scenarios.leftovers import holding
from tests.scenarios.pictures import png
from tests.scenarios.story import Person, Thread, Town

SECRET, LATER, WITH = "a xylophone for two quokkas", "now beneath a baobab", "the sketch of a tapir"


async def forget(town: Town, who: str, *more: str, **env: str | None) -> Result:
    """The command, on the town's data directory, with the tokens of its world."""
    given = {name.upper(): value for name, value in town.world.settings().items()} | env
    arguments = ["forget", who, *more, "--data-dir", str(town.ledger.data_dir)]
    return await asyncio.to_thread(CliRunner(env=given).invoke, main, arguments)


def data_of(result: Result) -> Any:
    """What it printed for programs."""
    return json.loads(result.stdout)


async def _worked(town: Town) -> Thread:
    """Alice makes pictures in public, in private and with a file of hers; Bob goes on from one."""
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.alice.replies_with(thread, LATER, {f"{WITH}.png": png()})
    await thread.version(2)
    await town.bob.mentions(f"hello <@{town.alice.id}>, a fox for you")
    await town.alice.types("/imagine --private a quokka's secret")
    await town.rests()
    await town.bob.presses(thread.versions[1], "picture_again")
    await thread.version(3)
    await town.bob.replies(thread, f"make it night for <@{town.alice.id}>")
    await thread.version(4)
    await town.alice.opens_home()
    await town.rests()
    return thread


def _ids(town: Town, person: Person) -> list[bytes]:
    """Everything by which somebody is known, and what they said."""
    rows = town.ledger.rows(
        """
        SELECT id, key, message_ts, placeholder_ts, person_key FROM turns WHERE user_id = :user
        UNION ALL SELECT id, response_id, file_id, sha256, NULL FROM pictures WHERE user_id = :user
        UNION ALL SELECT dm_channel_id, user_id, NULL, NULL, NULL FROM people WHERE user_id = :user
        """.replace(":user", f"'{person.id}'")
    )
    # What opens a thread in which others go on stands in what they have asked for.
    theirs = town.ledger.rows("SELECT DISTINCT thread_ts FROM turns WHERE user_id <> ?", person.id)
    shared = {row[0] for row in theirs}
    return [str(value).encode() for row in rows for value in row if value and value not in shared]


async def test_nothing_of_a_person_is_left_anywhere_and_others_go_on(town: Town) -> None:
    thread = await _worked(town)
    ids = [*_ids(town, town.alice), SECRET.encode(), b"quokka", b"baobab", b"tapir"]
    charged, files = town.ledger.charged(), [each.file_id for each in thread.versions.values()]
    assert all(holding(town, each) for each in ids)
    await town.stops()

    result = await forget(town, town.alice.id, "--yes", "--json")

    assert (result.exit_code, result.stderr) == (0, ""), result.output
    said = data_of(result)
    assert (said["requests"], said["pictures"], said["done"], said["left"]) == (3, 3, True, [])
    assert [each for each in ids if holding(town, each)] == []
    assert town.ledger.charged() == charged
    gone = [town.workspace.files[each].deleted for each in files]
    assert gone == [True, True, False, False]
    assert sorted(thread.versions) == [3, 4]
    shown = town.workspace.transcript("design") + json.dumps(town.workspace.home_of(town.alice.id))
    assert "baobab" not in shown.replace(f"{LATER}", "", 1), "but for what Alice wrote herself"
    assert thread.placeholder is not None
    assert "quokka" not in json.dumps(thread.placeholder.blocks)
    stored = [call.response_id for call in town.calls]
    known = [
        (await town.images.retrieve_response(str(each), {"authorization": "Bearer sk-sandbox"})).status
        for each in stored
    ]
    assert sorted(known) == [200, 200, 200, 404, 404, 404]

    await town.starts()
    await town.bob.replies(thread, "and a moon")
    await thread.version(5)
    again = await town.alice.imagines("something new")
    await again.version(1)
    await town.rests()
    assert holding(town, *ids[:-5], SECRET.encode()) == [], "who comes back is somebody new"
    names = {call.asked.safety_identifier for call in town.calls}
    assert len(names) == 3
    assert not names & {row["person_key"] for row in town.ledger.rows("SELECT person_key FROM people")}


async def test_nothing_of_a_workspace_is_left_but_totals(town: Town) -> None:
    await _worked(town)
    people = [town.alice, town.bob]
    ids = [each for person in people for each in _ids(town, person)] + [town.workspace.team_id.encode()]
    ids += [b"quokka", b"baobab", b"tapir", b"a fox for you", b"make it night"]
    charged = town.ledger.charged()
    await town.stops()
    result = await forget(town, "workspace", "--yes")
    assert result.exit_code == 0, result.output
    assert [each for each in ids if holding(town, each)] == []
    assert town.ledger.charged() == charged
    assert all(
        file.deleted for file in town.workspace.files.values() if file.user == town.workspace.bot_user_id
    )
    assert all(message.user != town.workspace.bot_user_id for message in town.messages())
    again = await forget(town, "workspace", "--yes")
    assert (again.exit_code, again.stdout) == (0, "Nothing is kept of a workspace.\n")


async def test_a_running_darkroom_is_not_forgotten_beneath(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    refused = await forget(town, town.alice.id, "--yes")
    assert refused.exit_code == 2
    assert "Stop it, forget, and start it again" in refused.stderr
    looked = await forget(town, town.alice.id, "--dry-run")
    assert looked.exit_code == 0, looked.output
    for words in (
        "1 request, 1 picture",
        "1 file to be deleted",
        "1 stored answer to be",
        "Nothing was changed",
    ):
        assert words in looked.stdout
    assert holding(town, SECRET.encode()) != []
    assert sorted(thread.versions) == [1]


async def test_what_cannot_be_reached_just_now_keeps_everything_until_anyway(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    town.workspace.faults.append(Fault("files.delete", status=503, times=1))
    first = await forget(town, town.alice.id, "--yes")
    assert first.exit_code == 1
    assert "Nothing was deleted here yet" in first.stdout
    assert holding(town, SECRET.encode()) != []
    second = await forget(town, town.alice.id, "--yes")
    assert second.exit_code == 0, second.output
    assert holding(town, SECRET.encode()) == []
    assert thread.versions == {}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": "xoxb-revoked"}, "Slack answers invalid_auth"),
    ],
)
async def test_without_a_way_into_slack_it_says_what_stays_there(
    town: Town, env: dict[str, str], why: str
) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    result = await forget(town, town.alice.id, "--yes", **env)
    assert result.exit_code == 1
    assert f"1 file stay there, because {why}" in result.stdout
    assert f"{thread.versions[1].file_id}: {why}" in result.stdout
    assert "Forgotten" in result.stdout
    assert holding(town, SECRET.encode(), town.alice.id.encode()) == []


async def test_a_person_is_found_by_the_name_that_slack_shows(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    name = town.workspace.users[town.alice.id].name
    nobody = await forget(town, "@nobody-of-that-name", "--yes")
    assert (nobody.exit_code, nobody.stderr) == (
        2,
        "Slack knows nobody called @nobody-of-that-name. Nothing was done.\n",
    )
    with monkeypatch.context() as fewer:
        fewer.setattr("bot.forgetting._NAMES_MAX", 0)
        too_many = await forget(town, f"@{name}", "--yes")
    assert too_many.exit_code == 2
    assert "Slack has more people than are looked through. Give the person's id" in too_many.stderr
    assert (await forget(town, f"@{name}", "--yes")).exit_code == 0
    assert holding(town, SECRET.encode(), town.alice.id.encode()) == []


async def test_what_slack_refuses_for_good_is_named_and_the_rest_goes(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    assert "quokka" in json.dumps(await town.alice.opens_home())
    await town.rests()
    await town.stops()
    town.workspace.faults.append(Fault("chat.delete", error="cant_delete_message", times=1))
    result = await forget(town, town.alice.id, "--yes", "--json")
    said = data_of(result)
    assert (result.exit_code, said["done"]) == (1, True)
    assert [(each["kind"], each["why"]) for each in said["left"]] == [("message", "cant_delete_message")]
    assert "quokka" not in json.dumps(town.workspace.home_of(town.alice.id))
    assert holding(town, SECRET.encode()) == []
    assert len([each for each in town.messages() if each.user == town.workspace.bot_user_id]) == 1


async def test_an_api_that_does_not_delete_keeps_everything_until_anyway(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    town.images.faults += [ApiFault(endpoint=DELETE, status=500) for _ in range(2)]
    first = await forget(town, town.alice.id, "--yes")
    assert (first.exit_code, "Nothing was deleted here yet" in first.stdout) == (1, True)
    second = await forget(town, town.alice.id, "--yes", "--anyway", "--json")
    said = data_of(second)
    assert (second.exit_code, said["done"]) == (1, True)
    stored = town.calls[0].response_id
    assert said["left"] == [{"kind": "response", "channel_id": None, "ref": stored, "why": "no answer"}]
    assert holding(town, SECRET.encode(), str(stored).encode()) == []


async def test_answers_that_are_at_another_address_are_named_not_asked_for(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    asked = len(town.images.calls)
    elsewhere = town.world.openai_base_url.replace("127.0.0.1", "localhost")
    said = data_of(await forget(town, town.alice.id, "--yes", "--json", OPENAI_BASE_URL=elsewhere))
    [left] = said["left"]
    assert (left["ref"], left["why"]) == (
        town.calls[0].response_id,
        f"it is at 127.0.0.1:{town.world.images_port}",
    )
    assert len(town.images.calls) == asked


async def test_a_token_of_another_workspace_deletes_nothing_there(town: Town) -> None:
    thread = await town.alice.imagines(SECRET)
    await thread.version(1)
    await town.rests()
    await town.stops()
    real = town.workspace.team_id
    town.workspace.team_id = "T0ANOTHER1"
    try:
        said = data_of(await forget(town, town.alice.id, "--yes", "--json"))
    finally:
        town.workspace.team_id = real
    assert said["slack"] == "SLACK_BOT_TOKEN is of another workspace, T0ANOTHER1"
    assert sorted(thread.versions) == [1]
    assert holding(town, SECRET.encode()) == []
