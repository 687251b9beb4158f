"""What somebody has left in Slack is taken back in its order, and Slack's troubles end it in good time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import Left, Trace
from handlers.blocks.text import Block
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.taking_back import IN_VAIN_MAX, NOT_TRIED, empty_homes, take_back

FILES = [Trace(Recall.FILE, "", f"F{number}") for number in range(6)]
MESSAGES = [Trace(Recall.MESSAGE, "C1", f"{number}.0") for number in range(3)]
ROOT = Trace(Recall.PLACEHOLDER, "C1", "9.0")


class Scripted:
    """A Slack that answers what it is told to, by the name of a thing; all else goes well."""

    def __init__(self, errors: Mapping[str, Exception] | None = None) -> None:
        self._errors = errors or {}
        self.asked: list[str] = []

    async def delete_file(self, file_id: str) -> None:
        """See ``SlackClient``, here and below."""
        self._answer(file_id)

    async def delete_message(self, channel: str, ts: str) -> None:
        self._answer(ts)

    async def update_message(self, channel: str, ts: str, text: str, *, blocks: object = ()) -> None:
        self._answer(ts)

    async def publish_home(self, user_id: str, view: Block) -> None:
        assert view["type"] == "home"
        self._answer(user_id)

    def _answer(self, name: str) -> None:
        self.asked.append(name)
        if name in self._errors:
            raise self._errors[name]

    @property
    def client(self) -> SlackClient:
        """As the functions take it."""
        return cast("SlackClient", self)


def refused(error: str) -> SlackRefused:
    return SlackRefused(error, "chat.delete")


async def test_files_go_first_and_what_is_gone_already_is_well() -> None:
    slack = Scripted({"F0": refused("file_not_found"), "0.0": refused("message_not_found")})
    heard: list[None] = []
    left = await take_back(slack.client, [ROOT, *MESSAGES, *FILES[:2]], lambda: heard.append(None))
    assert left == []
    assert slack.asked == ["F0", "F1", "0.0", "1.0", "2.0", "9.0"]
    assert len(heard) == 6


async def test_what_is_refused_for_good_is_left_and_the_rest_goes_on() -> None:
    slack = Scripted({"1.0": refused("cant_delete_message"), "F1": refused("missing_scope")})
    left = await take_back(slack.client, [*FILES[:2], *MESSAGES])
    assert left == [
        Left(FILES[1], "missing_scope", passing=False),
        Left(MESSAGES[1], "cant_delete_message", passing=False),
    ]
    assert len(slack.asked) == 5


async def test_a_token_that_dies_on_the_way_ends_it() -> None:
    slack = Scripted({"F1": refused("token_revoked")})
    left = await take_back(slack.client, FILES)
    assert slack.asked == ["F0", "F1"]
    assert left == [Left(each, "token_revoked", passing=False) for each in FILES[1:]]


async def test_a_slack_that_does_not_answer_is_not_asked_for_hours() -> None:
    slack = Scripted({each.ref: SlackUnclear("files.delete") for each in FILES})
    left = await take_back(slack.client, FILES)
    assert len(slack.asked) == IN_VAIN_MAX
    assert [each.trace for each in left] == FILES
    assert all(each.passing for each in left)
    assert [each.why for each in left[IN_VAIN_MAX:]] == [NOT_TRIED] * 3


async def test_homes_are_emptied_of_whoever_can_be_shown_one() -> None:
    slack = Scripted({"U2": refused("user_disabled"), "U3": refused("fatal_error")})
    left = await empty_homes(slack.client, ["U1", "U2", "U3", "U4"])
    assert slack.asked == ["U1", "U2", "U3", "U4"]
    assert [(each.trace.channel_id, each.trace.ref, each.why) for each in left] == [
        ("Home", "U3", "fatal_error")
    ]
