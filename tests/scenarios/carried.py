"""What the requests of a conversation carried, and whether its pictures and the books agree."""

from __future__ import annotations

from sandbox.images.asked import Asked
from tests.scenarios.story import Thread, Town


def sent(town: Town) -> list[Asked]:
    """What each request for a picture asked for, oldest first."""
    return [call.asked for call in town.calls]


def built_on(asked: Asked) -> tuple[str | None, tuple[str, ...], bool]:
    """What a request carried: the response it goes on from, its pictures by their bytes, whether a mask."""
    return asked.parent, asked.pictures, asked.mask is not None


def response_of(town: Town, version: int) -> str:
    """The response that made that version of the only thread, as the books have it."""
    rows = town.ledger.rows("SELECT response_id FROM pictures WHERE version = ?", version)
    return str(rows[0]["response_id"])


async def adds_up(town: Town, thread: Thread, *, lost: int = 0) -> None:
    """Every picture shows what it was charged and is what was paid for; all of them together are what was
    charged, but for *lost* nano-dollars; nothing is held. Darkroom notified who asked, once for each message
    with pictures, and nobody else of anything."""
    await town.rests()
    town.ledger.holds_nothing()
    rows = town.ledger.rows(
        """
        SELECT version, attempts.charged_nano_usd, sha256 FROM pictures
        JOIN attempts ON attempts.id = attempt_id ORDER BY version
        """
    )
    shown = thread.versions
    assert [row["version"] for row in rows] == sorted(shown)
    for row in rows:
        assert abs(shown[row["version"]].nano_usd - row["charged_nano_usd"]) <= 5_000_000
        assert thread.sha256(row["version"]) == row["sha256"], "what is shown is what was paid for"
    assert sum(row["charged_nano_usd"] for row in rows) + lost == town.ledger.charged()
    asked = {one.message.ts: one.asker for one in shown.values() if one.asker is not None}
    assert set(asked) == {message.ts for message in thread.pictures}
    assert len(asked) == sum(one.asker is not None for one in shown.values()), "once, not under each picture"
    ours = {
        message.ts
        for message in thread.channel.messages.values()
        if message.user == town.workspace.bot_user_id
    }
    pings = [(ping.ts, ping.user) for ping in town.workspace.notifications if ping.ts in ours]
    assert sorted(pings) == sorted(asked.items())
