"""What must have come of each kind of story, wherever its process died."""

from __future__ import annotations

from tests.crash.promise import After
from tests.scenarios.pictures import pictures_in

MADE = ("pictures", "uncertain")


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


def brought_home(after: After) -> None:
    """A turn with its picture, which stands in the direct message with its person."""
    made(after)
    town = after.stage.town
    home = town.workspace.dm(town.alice.id, town.workspace.bot_user_id).id
    assert {m.channel for m in after.messages if pictures_in(m)} <= {home}
    assert len(after.openings) <= 1


def called_off(after: After) -> None:
    """What waited is called off for nothing, if Slack was told that the button was pressed; what was being
    made is made."""
    after.holds("cancelled", *MADE)
    ended = {row["user_id"]: row for row in after.turns}
    assert len(after.turns) == len(ended) == 2
    waited, made_meanwhile = ended[after.stage.town.alice.id], ended[after.stage.town.bob.id]
    assert made_meanwhile["outcome"] in MADE
    if after.acknowledged:
        assert waited["outcome"] == "cancelled"
    if waited["outcome"] == "cancelled":
        assert not [row for row in after.attempts if row["turn_id"] == waited["id"]]
        assert after.told_privately > 0


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
