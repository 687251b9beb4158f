"""The full report on its way: what comes, in which order, and what happens when a part of it cannot."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from handlers.clients import SlackRefused, SlackUnclear, UserInfo
from handlers.reporting import Reporter
from handlers.web_client import WebSlackClient, web_slack_client
from sandbox.slack.model import Fault, Message
from sandbox.slack.server import serve_slack
from sandbox.slack.workspace import Workspace
from tests.examples import StillClock
from tests.handlers.reports import nothing_spent, spend_report, user_id
from tests.handlers.support import FakeSlack, refused, unclear

ADMIN, ADMINS_DM, DESIGN = "U0ADMIN001", "D0ADMIN001", "C0DESIGN01"


@dataclass
class Desk:
    """A reporter with a real client in front of a workspace on a real port."""

    workspace: Workspace
    slack: WebSlackClient
    clock: StillClock
    reporter: Reporter

    def came(self, channel: str) -> list[Message]:
        """What stands in a channel, oldest first."""
        return list(self.workspace.channels[channel].messages.values())

    def kinds(self, channel: str) -> list[str]:
        """The blocks of each message, or its file's name."""
        return [
            " ".join(str(block["type"]) for block in message.blocks)
            or " ".join(self.workspace.files[file].name for file in message.files)
            or message.text
            for message in self.came(channel)
        ]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    workspace = Workspace(file_processing_s=0)
    server = await serve_slack(workspace)
    clock = StillClock(datetime.now(UTC))
    async with web_slack_client(workspace.bot_token, clock, workspace.base_url + "/api/") as slack:
        yield Desk(workspace, slack, clock, Reporter(slack, clock))
    await server.close()


def dm_of(workspace: Workspace, user: str) -> str:
    (found,) = [
        channel.id
        for channel in workspace.channels.values()
        if channel.kind == "im" and user in channel.members
    ]
    return found


def people_in(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


async def test_tables_chart_and_csv_come_one_after_the_other(desk: Desk) -> None:
    report = spend_report()
    await desk.reporter.send(ADMIN, report)
    dm = dm_of(desk.workspace, ADMIN)
    people, models, chart, sheet = desk.came(dm)
    assert desk.kinds(dm) == [
        "section data_table",
        "section data_table section",
        "image",
        "darkroom-spend-2026-09-01-to-2026-10-31.csv",
    ]
    assert "25 people" in people.text
    assert "as really called" in models.text
    assert "stacked by token class" in chart.blocks[0]["alt_text"]
    assert chart.text == chart.blocks[0]["alt_text"]
    assert chart.broken_files == []
    file = desk.workspace.files[chart.blocks[0]["slack_file"]["id"]]
    assert Image.open(io.BytesIO(file.data)).size == (1600, 900)
    rows = people_in(desk.workspace.files[sheet.files[0]].data)
    assert [row["user_id"] for row in rows] == [person.user_id for person in report.people]
    assert sum(int(row["charged_nano_usd"]) for row in rows) == report.total.charged_nano_usd


async def test_a_week_is_shown_in_slacks_own_chart(desk: Desk) -> None:
    await desk.reporter.send(ADMIN, spend_report(days=7))
    chart = desk.came(dm_of(desk.workspace, ADMIN))[2]
    assert [block["type"] for block in chart.blocks] == ["data_visualization", "context"]
    assert "side by side" in chart.text


async def test_names_stand_in_the_table_and_in_the_file(desk: Desk) -> None:
    people = [desk.workspace.add_person(name) for name in ("mira", "=cmd()")]
    report = spend_report(people=3, days=7)
    ids = [people[0].id, people[1].id, "U0NOBODY01"]
    renamed = [replace(person, user_id=new) for person, new in zip(report.people, ids, strict=True)]
    report = replace(report, people=tuple(renamed))
    await desk.reporter.send(ADMIN, report)
    first, *_, sheet = desk.came(dm_of(desk.workspace, ADMIN))
    table = first.blocks[1]["rows"]
    assert [row[0]["text"] for row in table[1:]] == ["mira", "=cmd()", "U0NOBODY01"]
    names = [row["name"] for row in people_in(desk.workspace.files[sheet.files[0]].data)]
    assert names == ["mira", "'=cmd()", ""]
    assert {one.user for one in desk.workspace.notifications} == {ADMIN}


async def test_in_a_channel_the_rest_goes_into_the_thread(desk: Desk) -> None:
    await desk.reporter.send(DESIGN, spend_report(days=7))
    first, *rest = desk.came(DESIGN)
    assert first.thread_ts in {None, first.ts}
    assert len(rest) == 3
    assert {message.thread_ts for message in rest} == {first.ts}


async def test_three_thousand_people_get_four_messages_and_a_whole_file(desk: Desk) -> None:
    report = spend_report(people=3_000, days=31)
    await desk.reporter.send(ADMIN, report)
    came = desk.came(dm_of(desk.workspace, ADMIN))
    assert len(came) == 4
    assert len(came[0].blocks[1]["rows"]) == 101
    assert "2,900 more people are in the CSV file" in str(came[0].blocks)
    assert "the CSV file has everybody" in came[0].text
    assert all(len(message.text) <= 4_000 for message in came)
    rows = people_in(desk.workspace.files[came[3].files[0]].data)
    assert len({row["user_id"] for row in rows}) == len(rows) == 3_000
    assert sum(int(row["charged_nano_usd"]) for row in rows) == report.total.charged_nano_usd
    looked_up = [call for call in desk.workspace.calls if call.method == "users.info"]
    assert len(looked_up) == 100


async def test_where_slack_takes_no_data_table_a_plain_one_comes(desk: Desk) -> None:
    desk.workspace.faults.append(Fault("chat.postMessage", error="invalid_blocks"))
    await desk.reporter.send(ADMIN, spend_report(days=7))
    assert desk.kinds(dm_of(desk.workspace, ADMIN))[:2] == ["section table", "section table section"]


async def test_where_slack_takes_no_table_at_all_words_come(desk: Desk) -> None:
    desk.workspace.faults.append(Fault("chat.postMessage", error="invalid_blocks", times=2))
    await desk.reporter.send(ADMIN, spend_report(days=7))
    people, models, *_ = desk.came(dm_of(desk.workspace, ADMIN))
    assert {block["type"] for block in (*people.blocks, *models.blocks)} == {"section"}
    assert "cap $30.00" in "".join(block["text"]["text"] for block in people.blocks)


async def test_nothing_spent_is_one_message() -> None:
    slack = FakeSlack()
    await Reporter(slack, StillClock()).send(ADMIN, nothing_spent())
    assert [call.method for call in slack.calls] == ["post_private"]
    assert "Nobody has spent anything" in slack.only("post_private").payload


async def test_where_slack_takes_no_chart_of_its_own_a_picture_comes() -> None:
    slack = FakeSlack(faults={"post_message": [None, refused("invalid_blocks")]})
    await Reporter(slack, StillClock()).send(ADMIN, spend_report(days=7))
    _, picture = slack.named("post_message")
    assert [block["type"] for block in picture.said["blocks"]] == ["image"]


async def test_a_file_that_slack_does_not_show_is_shared_as_it_is() -> None:
    faults: list[Exception | None] = [None, *(refused("invalid_blocks") for _ in range(9))]
    slack = FakeSlack(faults={"post_message": faults})
    await Reporter(slack, StillClock()).send(ADMIN, spend_report())
    shares = [(call.said["name"][-4:], call.said["channel"]) for call in slack.named("upload")]
    assert shares == [(".png", None), (".png", ADMINS_DM), (".csv", ADMINS_DM)]
    assert "stacked by token class" in slack.named("post_message")[-1].text


async def test_without_matplotlib_a_sentence_comes_and_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    slack = FakeSlack()
    await Reporter(slack, StillClock()).send(ADMIN, spend_report())
    assert "pip install 'darkroom[charts]'" in slack.named("post_message")[-1].text
    assert slack.only("upload").said["name"].endswith(".csv")


async def test_a_part_that_cannot_be_sent_is_named_and_the_rest_still_comes() -> None:
    slack = FakeSlack(
        faults={
            "post_message": [refused("is_archived")],
            "upload": [refused("file_upload_size_restricted", "files.getUploadURLExternal")],
        }
    )
    await Reporter(slack, StillClock()).send(ADMIN, spend_report())
    said = [call.text for call in slack.named("post_message")]
    assert said == [
        "The models could not be sent: that channel is archived.",
        "The chart could not be sent: Slack answered “file_upload_size_restricted”.",
    ]
    assert slack.only("upload").said["name"].endswith(".csv")


async def test_what_slack_does_not_answer_for_is_sent_again() -> None:
    slack = FakeSlack(faults={"post_private": [unclear(), unclear()]})
    clock = StillClock()
    await Reporter(slack, clock).send(ADMIN, spend_report(days=7))
    assert len(slack.named("post_private")) == 1
    assert clock.slept[:2] == [1.0, 2.0]


async def test_an_endless_silence_ends_and_is_said() -> None:
    slack = FakeSlack(faults={"post_private": [unclear() for _ in range(50)]})
    clock = StillClock()
    with pytest.raises(SlackUnclear):
        await Reporter(slack, clock).send(ADMIN, spend_report(days=7))
    assert sum(clock.slept) < 120
    assert slack.named("upload") == []


async def test_a_person_who_cannot_be_written_to_is_the_callers_matter() -> None:
    slack = FakeSlack(faults={"post_private": [refused("cannot_dm_bot")]})
    with pytest.raises(SlackRefused, match="cannot_dm_bot"):
        await Reporter(slack, StillClock()).send(ADMIN, spend_report(days=7))


@pytest.mark.parametrize("fault", [refused("ratelimited", "users.info"), unclear("users.info")])
async def test_names_that_take_too_much_asking_are_left_as_ids(fault: Exception) -> None:
    slack = FakeSlack(faults={"user": [None, fault]})
    slack.people[user_id(0)] = UserInfo(user_id(0), "Mira", "T", None, False, False, False, False)
    await Reporter(slack, StillClock()).send(ADMIN, spend_report(people=5, days=7))
    assert len(slack.named("user")) == 1
    payload = slack.only("post_private").payload
    assert "Mira" in payload
    assert user_id(1) in payload


async def test_no_file_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def left() -> list[Path]:
        return list(tmp_path.iterdir())

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    slack = FakeSlack(faults={"upload": [unclear("upload") for _ in range(20)]})
    await Reporter(slack, StillClock()).send(ADMIN, spend_report())
    assert left() == []


async def test_a_full_disk_is_said_and_the_tables_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    slack = FakeSlack()
    await Reporter(slack, StillClock()).send(ADMIN, spend_report())
    said = [call.text for call in slack.named("post_message")]
    assert "The chart could not be made on the server: its log says why." in said
    assert "The CSV file could not be made on the server: its log says why." in said
    assert len(slack.named("post_private")) == 1


class SlowSlack(FakeSlack):
    """Takes a quarter of a minute to say who somebody is."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__()
        self._clock = clock

    async def user(self, user_id: str) -> UserInfo:
        """See ``SlackClient``."""
        await self._clock.sleep(15)
        return await super().user(user_id)


async def test_names_are_looked_up_for_a_minute_at_most() -> None:
    clock = StillClock()
    slack = SlowSlack(clock)
    slack.people.update(
        (user_id(n), UserInfo(user_id(n), f"Nr. {n}", "T", None, False, False, False, False))
        for n in range(100)
    )
    await Reporter(slack, clock).send(ADMIN, spend_report(people=100, days=7))
    payload = slack.only("post_private").payload
    assert "Nr. 3" in payload
    assert user_id(50) in payload
    assert len(slack.named("user")) <= 5
    assert len(slack.named("upload")) == 1
