"""``/imagine status`` over the wire: what the API itself was asked, and what its answers taught."""

from __future__ import annotations

import pytest

from bot.app import Overrides
from handlers import account_rounds
from sandbox.slack.workspace import Workspace
from tests.examples import HOST_MODEL
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, HurriedClock, Person, Town, picture

OLD = "gpt-image-1.5"


async def reads_status(person: Person) -> str:
    """What somebody is told who asks for it."""
    before = len(person.private())
    await person.types("/imagine status")

    def answered(_: Workspace) -> str | None:
        return next(iter(person.private()[before:]), None)

    return await person.town.workspace.until(answered, WAIT_S)


async def test_what_the_api_says_is_asked_after_the_start_and_what_its_answers_say_is_kept(
    towns: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shutdown day that the API names, a model that it refuses, the limit in its headers."""
    monkeypatch.setattr(account_rounds, "FIRST_AFTER_S", 10.0)
    town = await towns(overrides=Overrides(clock=HurriedClock()), image__fallback=[OLD])
    town.images.images_per_minute = 20
    await (await town.alice.imagines("a red fox")).shows(picture(version=1))
    await town.books_say("SELECT 1 FROM rate_limits WHERE pictures_a_minute = 20")
    await town.books_say("SELECT 1 FROM model_checks WHERE model = ? AND access = 'listed'", HOST_MODEL)
    await town.rests()
    people = await reads_status(town.alice)
    assert people.startswith("Darkroom works. Queue: nobody waits; a new request is begun at once")
    assert f"`{OLD}` is shut down on 1 December 2026" in people
    assert "20 pictures a minute" not in people
    admins = await reads_status(town.carol)
    assert "2. What this account may call." in admins
    assert admins.count(": listed (") == 3
    assert "20 pictures a minute, as its answers said last" in admins
    assert "This is not OpenAI: it is a contract of its own." in admins
    assert "by the Responses endpoint: 1 call: 1 picture; a picture took" in admins
    assert (await reads_status(town.gus)).startswith("Darkroom works.")


async def test_an_outage_is_said_as_long_as_it_lasts(town: Town) -> None:
    town.images.keys = frozenset({"sk-another"})
    await town.alice.types("/imagine a red fox")
    await town.books_say("SELECT 1 FROM outages WHERE ended_at IS NULL")
    people, admins = await reads_status(town.alice), await reads_status(town.carol)
    assert people.startswith(
        "Darkroom cannot make pictures at the moment. OpenAI does not accept Darkroom's key"
    )
    assert "Queue: 1 request waits." in people
    assert "OPENAI_API_KEY" not in people
    assert "Put a key that works into OPENAI_API_KEY" in admins
    assert "sk-" not in admins
    town.images.keys = None
    await town.restarts()
    await town.rests()
    assert (await reads_status(town.alice)).startswith("Darkroom works.")
