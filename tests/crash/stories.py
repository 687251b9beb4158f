"""What people do, each a short story of which every step is a place to die."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.images.faults import RESPONSES, Fault
from sandbox.images.mishaps import mishap
from sandbox.slack.model import Fault as SlackFault
from sandbox.slack.model import Json, Message
from sandbox.slack.workspace import Workspace
from tests.crash.outcomes import (
    blocked,
    brought_home,
    called_off,
    decided,
    decided_at_most_once,
    declined,
    deleted,
    made,
    made_in_any_case,
    shared,
)
from tests.crash.promise import After
from tests.crash.stage import WAIT_S, Stage
from tests.scenarios.pictures import png
from tests.scenarios.story import Thread

FOR_EVER = 1_000_000
CANCEL = "cancel_turn"


async def nothing(_: Stage) -> None:
    """There is nothing to do before."""


@dataclass(frozen=True)
class Story:
    """*before* sets the scene, *act* is what somebody does, *after* what must have come of it.

    *sent_again*: Slack delivers it until it is acknowledged. *on_one_stage*: so many deaths come one after
    the other on the same data, each with the wrecks of those before; 1 where it is about the first time.
    *unfinished*: what *before* has begun is still going on, and *after* is about that, too.
    """

    name: str
    act: Callable[[Stage, Any], Awaitable[object]]
    after: Callable[[After], None]
    before: Callable[[Stage], Awaitable[Any]] = nothing
    settings: Mapping[str, Any] = field(default_factory=dict)
    sent_again: bool = False
    on_one_stage: int = 60
    unfinished: bool = False


async def thread(stage: Stage) -> Thread:
    """A thread with one picture."""
    found = await stage.town.alice.imagines(stage.told("a red fox"))
    await found.version(1)
    await stage.rests()
    return found


async def _imagines(stage: Stage, _: None) -> None:
    await stage.town.alice.types(f"/imagine {stage.told('a red fox')}")


async def _imagines_alone(stage: Stage, _: None) -> None:
    await stage.town.alice.types(f"/imagine {stage.told('a red fox')} --private")


async def _several(stage: Stage, _: None) -> None:
    await stage.town.alice.types(f"/imagine {stage.told('a red fox')} --n 2")


async def _mentions(stage: Stage, _: None) -> None:
    await stage.town.alice.mentions(stage.told("a red fox"))


async def _replies(stage: Stage, found: Thread) -> None:
    await stage.town.alice.replies(found, stage.told("make it night"))


async def _again(stage: Stage, found: Thread) -> None:
    await stage.town.alice.presses(found.versions[1], "picture_again")


async def _attaches(stage: Stage, _: None) -> None:
    us = stage.workspace.bot_user_id
    photo = png(64, 48, (stage.number % 250, 40, 40))
    await stage.town.alice.shares(f"<@{us}> {stage.told('like this, in red')}", {"photo.png": photo})


async def _caps(stage: Stage, _: None) -> None:
    stage.number += 1
    await stage.town.carol.types(f"/spend cap @alice {stage.number}")


async def _poor(stage: Stage) -> None:
    if not stage.ledger.rows("SELECT id FROM admin_journal"):
        await stage.town.carol.types("/spend cap @bob 0.01")
        await stage.rests()


async def _cannot_pay(stage: Stage, _: None) -> None:
    await stage.town.bob.types(f"/imagine {stage.told('a red fox')}")


async def _refused(stage: Stage) -> None:
    stage.world.images.faults[:] = [mishap("model gone")]


async def _no_responses(stage: Stage) -> None:
    gone = {"error": {"message": "Invalid URL (POST /v1/responses)", "code": None}}
    stage.world.images.faults[:] = [Fault(RESPONSES, status=404, body=gone)]


async def _no_pictures_here(stage: Stage) -> None:
    here = stage.workspace.channel_named("design").id

    def shows_here(params: Json) -> bool:
        return params.get("channel") == here and "slack_file" in str(params.get("blocks"))

    stage.workspace.faults[:] = [
        SlackFault("chat.postMessage", error="restricted_action", times=FOR_EVER, when=shows_here),
        SlackFault(
            "files.completeUploadExternal",
            error="restricted_action",
            times=FOR_EVER,
            when=lambda params: params.get("channel_id") == here,
        ),
    ]


async def _waiting(stage: Stage) -> Message:
    """The placeholder of what Alice has asked for; it waits, because there is one place and Bob has it."""
    stage.easel.hold()
    await stage.town.bob.types(f"/imagine {stage.told('a blue fox')}")
    await stage.town.books_say(
        "SELECT id FROM attempts WHERE state = 'dispatched' AND response_id IS NOT NULL"
    )
    found = await stage.town.alice.imagines(stage.told("a red fox"))

    def waits(_: Workspace) -> Message | None:
        placeholder = found.placeholder
        return placeholder if placeholder is not None and CANCEL in str(placeholder.blocks) else None

    placeholder = await stage.workspace.until(waits, WAIT_S)
    await stage.heard()
    await stage.town.books_say("SELECT id FROM turns WHERE placeholder_ts = ?", placeholder.ts)
    return placeholder


async def _calls_off(stage: Stage, placeholder: Message) -> None:
    await stage.town.alice.presses(placeholder, CANCEL)
    await stage.town.books_say(
        "SELECT id FROM turns WHERE placeholder_ts = ? AND told_at IS NOT NULL", placeholder.ts
    )
    stage.easel.let_go()


async def _forbidden(stage: Stage, _: None) -> None:
    await stage.town.alice.types(f"/imagine {stage.told('something forbidden')}")


async def _blocked(stage: Stage, _: None) -> None:
    await stage.town.alice.types(f"/imagine {stage.told('a blocked-output')}")


async def _opened(stage: Stage, choice: str, dialog: str) -> Any:
    found = await thread(stage)
    view = stage.workspace.modal_of("alice")
    before = view["id"] if view else ""
    await stage.town.alice.chooses(found.versions[1], choice)
    opened = await stage.town.alice.dialog(dialog, before)
    await stage.rests()
    return opened


async def _to_share(stage: Stage) -> Any:
    return await _opened(stage, "Share to channel…", "share_picture")


async def _to_delete(stage: Stage) -> Any:
    return await _opened(stage, "Delete…", "delete_picture")


async def _shares(stage: Stage, view: Any) -> None:
    await stage.town.alice.submits(view, {"share_channel": "general", "share_comment": "look"})


async def _deletes(stage: Stage, view: Any) -> None:
    await stage.town.alice.submits(view)


CAROL = {"slack__admins": ["U0ADMIN001"]}
ONE_PLACE = {"queue__overall": 1}
STORIES = (
    Story("a command", _imagines, made),
    Story("two pictures at once", _several, made),
    Story("a mention", _mentions, made_in_any_case, sent_again=True),
    Story("a reply that edits", _replies, made_in_any_case, thread, sent_again=True),
    Story("a button", _again, made, thread),
    Story("a reference file", _attaches, made_in_any_case, sent_again=True),
    Story("a fallback", _imagines, made, _refused),
    Story("a fallback to the Images endpoint", _imagines, made, _no_responses),
    Story(
        "a picture that may not be posted where it was asked for", _imagines, brought_home, _no_pictures_here
    ),
    Story(
        "a waiting request that is called off", _calls_off, called_off, _waiting, ONE_PLACE, unfinished=True
    ),
    Story("a first private command", _imagines_alone, made, on_one_stage=1),
    Story("a prompt that moderation refuses", _forbidden, blocked),
    Story("a picture that moderation keeps back", _blocked, blocked),
    Story("a command that nobody can pay", _cannot_pay, declined, _poor, CAROL),
    Story("an admin's change", _caps, decided, settings=CAROL),
    Story("a change by one of the workspace's admins", _caps, decided_at_most_once),
    Story("a share", _shares, shared, _to_share),
    Story("a deletion", _deletes, deleted, _to_delete),
)
