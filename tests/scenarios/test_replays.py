"""What Slack signed is sent again by somebody else while its signature is fresh: nothing is bought."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.slack.request_url import RequestUrl
from tests.scenarios.foreign import Sender, books
from tests.scenarios.http_town import HttpTown, url_of
from tests.scenarios.story import Town
from tests.scenarios.test_foreign import ENDS, in_the_middle, quiet, send

Signed = tuple[bytes, dict[str, str]]


class Eavesdropper:
    """Hears what Slack posts to a town, and posts it again."""

    def __init__(self, over_http: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
        self.town = over_http.town
        self.heard: list[Signed] = []
        answered = RequestUrl._answered

        async def overheard(posts: RequestUrl, body: bytes, headers: dict[str, str]) -> object:
            self.heard.append((body, headers))
            return await answered(posts, body, headers)

        monkeypatch.setattr(RequestUrl, "_answered", overheard)

    async def again(self) -> list[int]:
        """All of it, as it was, byte by byte; gives how it was answered."""
        heard, answers = list(self.heard), []
        async with aiohttp.ClientSession() as session:
            for body, headers in heard:
                async with session.post(url_of(self.town), data=body, headers=headers) as answer:
                    answers.append(answer.status)
        await quiet(self.town)
        return answers


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncIterator[HttpTown]:
    made = await HttpTown.open(tmp_path / "data", queue__overall=1)
    yield made
    await made.close()


NOT_COUNTED = ("preferences", "feedback", "erasures", "model_checks")
"""What is the same however often it is said (a preference, a thumb, a look for what is left of a deleted
picture), and what the account may call, which is looked at from time to time."""


def what_counts(town: Town) -> list[str]:
    """The books without that."""
    left_out = tuple(f'INSERT INTO "{table}"' for table in NOT_COUNTED)
    return [line for line in books(town) if not line.startswith(left_out)]


@pytest.mark.proof
async def test_what_was_heard_and_is_sent_again_after_a_restart_buys_and_changes_nothing(
    over_http: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = over_http.town
    ear = Eavesdropper(over_http, monkeypatch)
    thread = await in_the_middle(town)
    await send(town, [each for each in Sender(town, thread).everything() if each.name not in ENDS])
    town.easel.let_go()
    await town.rests()
    await quiet(town)
    await town.stops()
    await town.starts()
    before, called = what_counts(town), len(town.calls)
    assert set(await ear.again()) == {200}
    await town.rests()
    assert len(town.calls) == called
    assert what_counts(town) == before
