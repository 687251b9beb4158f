"""What people do, each a short story of which every step is a place to die."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.images.mishaps import mishap
from tests.crash.promise import After
from tests.crash.stage import Stage
from tests.scenarios.pictures import pictures_in, png
from tests.scenarios.story import Thread

MADE = ("pictures", "uncertain")


async def nothing(_: Stage) -> None:
    """There is nothing to do before."""


@dataclass(frozen=True)
class Story:
    """*before* sets the scene, *act* is what somebody does, *after* what must have come of it.

    *sent_again*: Slack delivers it until it is acknowledged. *on_one_stage*: so many deaths come one after
    the other on the same data, each with the wrecks of those before; 1 where it is about the first time.
    """

    name: str
    act: Callable[[Stage, Any], Awaitable[object]]
    after: Callable[[After], None]
    before: Callable[[Stage], Awaitable[Any]] = nothing
    settings: Mapping[str, Any] = field(default_factory=dict)
    sent_again: bool = False
    on_one_stage: int = 60


def made(after: After) -> None:
    """A turn with its pictures, once; or nothing at all if Slack said that it failed."""
    after.holds(*MADE)
    assert len(after.turns) <= 1
    if after.acknowledged:
        assert len(after.turns) == 1


def made_in_any_case(after: After) -> None:
    """A turn with its pictures, once, however often Slack had to deliver the message."""
    after.holds(*MADE)
    assert len(after.turns) == 1


def blocked(after: After) -> None:
    """Told so, and nobody pays; or uncertain, where the refusal was lost with the process."""
    after.holds("blocked", "uncertain")
    assert len(after.turns) <= 1
    if after.acknowledged:
        assert len(after.turns) == 1
        assert after.told_privately > 0


def decided_at_most_once(after: After) -> None:
    """Who is an admin has to be asked of Slack: the change follows the acknowledgement, and its answer."""
    after.holds()
    assert len(after.decisions) <= 1


def declined(after: After) -> None:
    """Told so, for nothing."""
    after.holds("declined")
    assert after.calls == []
    assert after.attempts == []
    assert len(after.turns) <= 1
    if after.acknowledged:
        assert len(after.turns) == 1
        assert after.told_privately > 0


def decided(after: After) -> None:
    """What an admin typed is decided once, if Slack was told that it arrived."""
    after.holds()
    assert len(after.decisions) <= 1
    if after.acknowledged:
        assert len(after.decisions) == 1


def shared(after: After) -> None:
    """The picture stands in the other channel, once."""
    after.stage.ledger.adds_up()
    assert after.turns == []
    assert after.calls == []
    general = after.stage.workspace.channel_named("general").id
    shown = [m for m in after.messages if m.channel == general]
    assert len(shown) <= 1
    assert not [m for m in after.messages if m.channel != general and m.user.startswith("U0DARK") and m.files]
    if after.acknowledged:
        assert len(shown) == 1
    open_ = after.stage.ledger.rows("SELECT id FROM shares WHERE message_ts IS NULL AND failure IS NULL")
    assert open_ == []


def deleted(after: After) -> None:
    """The picture is gone everywhere, and its charge stays."""
    after.stage.ledger.adds_up()
    assert after.turns == []
    newest = after.stage.ledger.rows("SELECT * FROM pictures ORDER BY created_at DESC, id DESC LIMIT 1")[0]
    if after.acknowledged:
        assert newest["deleted_at"] is not None
    if newest["deleted_at"] is None:
        return
    assert after.stage.ledger.rows("SELECT id FROM erasures WHERE done_at IS NULL") == []
    assert after.stage.workspace.files[newest["file_id"]].deleted
    messages = after.stage.workspace.channel_named("design").messages.values()
    assert not [m.ts for m in messages if any(p.id == newest["id"] for p in pictures_in(m))]
    assert not list(after.stage.data_dir.rglob(f"{newest['sha256']}.*"))


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
STORIES = (
    Story("a command", _imagines, made),
    Story("two pictures at once", _several, made),
    Story("a mention", _mentions, made_in_any_case, sent_again=True),
    Story("a reply that edits", _replies, made_in_any_case, thread, sent_again=True),
    Story("a button", _again, made, thread),
    Story("a reference file", _attaches, made_in_any_case, sent_again=True),
    Story("a fallback", _imagines, made, _refused),
    Story("a first private command", _imagines_alone, made, on_one_stage=1),
    Story("a prompt that moderation refuses", _forbidden, blocked),
    Story("a picture that moderation keeps back", _blocked, blocked),
    Story("a command that nobody can pay", _cannot_pay, declined, _poor, CAROL),
    Story("an admin's change", _caps, decided, settings=CAROL),
    Story("a change by one of the workspace's admins", _caps, decided_at_most_once),
    Story("a share", _shares, shared, _to_share),
    Story("a deletion", _deletes, deleted, _to_delete),
)
