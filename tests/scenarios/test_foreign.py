"""Payloads of another workspace with ids of ours: nothing is seen, spent or edited, by socket and by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers import words
from sandbox.slack.model import Json
from tests.handlers.test_manifest import catches_the_rest
from tests.scenarios.conftest import OpenTown
from tests.scenarios.foreign import FOREIGN, Parcel, Sender, books, through_a_shared_channel
from tests.scenarios.http_town import HttpTown
from tests.scenarios.story import Thread, Town, close_town, open_town, picture

NOT_FOR_THEM = {"response_type": "ephemeral", "text": words.OUTSIDER}

ENDS = {"event app_uninstalled", "event tokens_revoked"}
"""What stops a Darkroom when it is ours."""
TELLING = {"chat.postEphemeral", "chat.postMessage"}
HARMLESS = {"action doctor_probe", "options"}
"""A button that says itself that it does nothing, and menus, of which none asks us for its choices."""


@pytest.fixture(params=["socket", pytest.param("http", marks=pytest.mark.proof)])
async def busy(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which one picture is made at a time."""
    if request.param == "http":
        over_http = await HttpTown.open(tmp_path / "data", queue__overall=1)
        yield over_http.town
        await over_http.close()
        return
    town = await open_town(tmp_path / "data", queue__overall=1)
    yield town
    await close_town(town)


async def in_the_middle(town: Town, channel: str = "design") -> Thread:
    """Two pictures with all of their dialogs open, one that is being made, one that waits, and a Home."""
    thread = await town.alice.imagines("a red fox in snow --n 2", channel)
    await thread.version(2)
    await town.rests()
    town.easel.hold()
    await town.bob.imagines("a tall tower", channel)
    await town.has_called(3)
    await town.alice.replies(thread, "make it night")
    await town.books_say("SELECT 1 FROM turns WHERE state = 'queued'")
    first = await thread.version(1)
    for label in ("Higher quality…", "Share to channel…", "Delete…", "Edit this one"):
        await town.alice.chooses(first, label)
        await town.darkroom.errands.idle()
    await town.alice.presses(first, "picture_variations")
    await town.bob.uses("edit_with_darkroom", first.message)
    await town.carol.uses("new_picture_shortcut")
    await town.alice.opens_home()
    await town.carol.opens_home()
    await quiet(town)
    return thread


async def quiet(town: Town) -> None:
    """Wait until everything is answered and nothing runs beside."""
    await town.workspace.until(lambda w: not w.delivery.unanswered)
    await town.darkroom.errands.idle()


async def send(town: Town, parcels: Sequence[Parcel]) -> list[Json | None]:
    """Deliver them all; gives the answers to those that can have one."""
    answers: list[Json | None] = []
    for parcel in parcels:
        if parcel.kind == "events_api":
            await town.workspace.delivery.event(parcel.payload)
            continue
        sent, trouble = await town.workspace.delivery.interaction(
            parcel.kind, parcel.payload, accepts_response=True
        )
        assert trouble is None, (parcel.name, trouble)
        answers.append(sent.answer)
    await quiet(town)
    return answers


async def test_another_workspaces_payloads_do_nothing(busy: Town) -> None:
    thread = await in_the_middle(busy)
    ours = Sender(busy, thread).everything()
    for foreign in FOREIGN:
        before, asked = books(busy), len(busy.workspace.calls)
        answers = await send(busy, [Parcel(each.name, each.kind, foreign(each.payload)) for each in ours])
        assert all(answer in (None, NOT_FOR_THEM) for answer in answers)
        assert [call.method for call in list(busy.workspace.calls)[asked:]] == []
        assert books(busy) == before
        assert len(busy.calls) == 3
    busy.easel.let_go()
    await thread.shows(picture(version=3))
    await busy.rests()
    assert [outcome for outcome, _ in busy.ledger.turns()] == ["pictures"] * 3


async def test_the_same_payloads_of_our_own_people_do_something(towns: OpenTown) -> None:
    """So that the test above is about what it says: each thing that is registered is reached."""
    town = await towns(queue__overall=1)
    thread = await in_the_middle(town)
    idle: set[str] = set()
    busy: set[str] = set()
    for parcel in Sender(town, thread).everything():
        if parcel.name in ENDS or parcel.name in busy:
            continue
        before, asked = books(town), len(town.workspace.calls)
        answers = await send(town, [parcel])
        acted = any(answers) or books(town) != before or len(town.workspace.calls) > asked
        (busy if acted else idle).add(parcel.name)
    assert idle - busy <= HARMLESS


async def test_no_listener_is_registered_that_the_walk_does_not_come_by(tmp_path: Path) -> None:
    """Also one that goes by no name of ours, which the lists of names could not know."""
    over_http = await HttpTown.open(tmp_path / "data", queue__overall=1)
    town = over_http.town
    try:
        thread = await in_the_middle(town)
        assert town.darkroom.http is not None
        left = [each for each in town.darkroom.http._app._async_listeners if not catches_the_rest(each)]
        assert len(left) > len(ENDS)
        for parcel in Sender(town, thread).everything():
            request = AsyncBoltRequest(mode="socket_mode", body=parcel.payload)
            answer = BoltResponse(status=200)
            left = [each for each in left if not await each.async_matches(req=request, resp=answer)]
        assert [each.ack_function.__qualname__ for each in left] == []
    finally:
        town.easel.let_go()
        await over_http.close()


@pytest.mark.proof
async def test_outsiders_in_a_shared_channel_only_hear_that_it_is_not_for_them(towns: OpenTown) -> None:
    """Their presses come through our installation, with ids of ours; commands they have none."""
    town = await towns(queue__overall=1)
    thread = await in_the_middle(town, "partners")
    olaf = town.workspace.user_named("olaf")
    foreign = through_a_shared_channel(olaf.id, olaf.team_id)
    parcels = [
        Parcel(each.name, each.kind, foreign(each.payload))
        for each in Sender(town, thread).everything()
        if each.kind != "slash_commands" and each.name not in ENDS
    ]
    before, asked = books(town), len(town.workspace.calls)
    await send(town, parcels)
    called = list(town.workspace.calls)[asked:]
    assert {call.method for call in called} <= {*TELLING, "users.info", "views.publish"}
    said = {call.params["text"] for call in called if call.method in TELLING}
    assert town.darkroom.services is not None
    assert words.OUTSIDER in said
    # Slack takes no direct message of ours to them: what is said of that tells nothing of ours either.
    assert said <= {words.OUTSIDER, words.broken(town.darkroom.services.config.voice)}
    assert books(town) == before
    assert len(town.calls) == 3
