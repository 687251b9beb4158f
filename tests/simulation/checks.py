"""What must be true when a run is over, from the books and from what Slack and the image API saw.

Prices are the sandbox's own. What is allowed, and only counted, is named in ``Trace.counted``.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.images.costs import host_prices, image_prices
from sandbox.images.faults import Call
from sandbox.slack.model import Message
from storage.database import DATABASE_NAME
from tests.simulation.clock import BEGINNING
from tests.simulation.life import look_from_outside
from tests.storage.books import Move, check_books, movements, nothing_held

if TYPE_CHECKING:
    from tests.simulation.api_side import Sent
    from tests.simulation.world import Post, World

USAGE_KEPT_BACK = frozenset({"usage missing", "usage without details", "host usage missing"})
ESTIMATED = USAGE_KEPT_BACK | {"connection lost before the end", "slow stream"}
"""Faults after which nobody can compute what the call cost: the charge is an estimate, flagged."""
MODERATED = "moderation_blocked"
WORKING = "eyes"
_DEFAULT_CAPS = {"person": 2_000_000_000, "channel": None, "workspace": 60_000_000_000}


def check(world: World) -> list[str]:
    """What is wrong, in words; empty when everything is as promised. Counts what there was."""
    found: list[str] = []

    def work(db: sqlite3.Connection) -> None:
        for one in (check_books, nothing_held):
            try:
                one(db)
            except AssertionError as error:
                found.append(f"{one.__name__}: {error}")
        look: Callable[[World, sqlite3.Connection], Iterator[str]]
        for look in (_turns, _calls, _caps, _posts, _placeholders, _reactions, _order):
            found.extend(look(world, db))

    look_from_outside(world.folder, DATABASE_NAME, work)
    return found


def _turns(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """Each came to one end, and its person was told or it says why not."""
    for turn in db.execute("SELECT * FROM turns"):
        world.trace.count("turns")
        world.trace.count(f"outcome: {turn['outcome']}")
        if turn["state"] != "ended":
            yield f"turn {turn['id']} is {turn['state']}"
        if turn["told_at"] is None and turn["undelivered_reason"] is None:
            yield f"turn {turn['id']} was lost"
        if turn["undelivered_reason"] is not None:
            world.trace.count("undelivered")
        if turn["reason"] == "broken":
            yield f"turn {turn['id']} broke"


def _calls(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """Each call that left had its own hold, dispatched before; what was charged is what was billed."""
    sent: dict[str, Sent] = {}
    for one in world.api_side.sent:
        if one.state != "dispatched":
            yield f"a call for attempt {one.attempt_id!r} left while that was {one.state}"
        if one.attempt_id in sent:
            yield f"attempt {one.attempt_id} was sent twice"
        sent[one.attempt_id] = one
        world.trace.count("calls")
    corrected = {row[0] for row in db.execute("SELECT attempt_id FROM journal WHERE kind = 'correction'")}
    for attempt in db.execute("SELECT * FROM attempts"):
        mine = sent.pop(attempt["id"], None)
        world.trace.count(f"attempts {attempt['state']}")
        if attempt["id"] not in corrected:
            yield from _charge(world, attempt, mine)
    yield from (f"attempt {name} was sent and is not in the books" for name in sent)


def _charge(world: World, attempt: sqlite3.Row, sent: Sent | None) -> Iterator[str]:
    call = sent.call if sent is not None else None
    billed = 0 if call is None else price_of(call)
    charged, hold = attempt["charged_nano_usd"], attempt["hold_nano_usd"]
    name = f"attempt {attempt['id']} ({attempt['state']}, {sent.fault if sent else 'never sent'})"
    if billed > hold:
        yield f"{name} was billed {billed}, more than its hold of {hold}"
    match attempt["state"]:
        case "settled":
            estimated = sent is not None and sent.fault in ESTIMATED
            if call is None or (charged != billed and not estimated):
                yield f"{name} was charged {charged}, and billed {billed}"
        case "released" if attempt["release_reason"] == MODERATED and sent and sent.fault in USAGE_KEPT_BACK:
            # Of a picture that was refused is charged what the API says; what it keeps to itself is nothing.
            world.trace.count("moderated, usage kept back")
            if charged:
                yield f"{name} was charged {charged}"
        case "released" if charged or billed:
            yield f"{name} was charged {charged}, and billed {billed}"
        case "uncertain":
            if charged != hold:
                yield f"{name} was charged {charged} instead of its hold, {hold}"
            if sent is not None and not sent.fault and sent.life.ended_at is None:
                yield f"{name} has no reason to be uncertain"


def price_of(call: Call) -> int:
    """What the image API bills for a call, in nano-dollars."""
    body = call.body
    tools = body.get("tools") or [{}]
    images = image_prices(tools[0].get("model") if call.endpoint == "responses" else body.get("model"))
    host = host_prices(body.get("model"))
    return sum(
        tokens * (host if name.startswith("host_") else images)[name] for name, tokens in call.billed.items()
    )


def _caps(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """After every hold, what a budget has charged and held of its own in the day, week or month that its cap
    is for is within that cap, as it was decided by then."""
    decided = db.execute(
        "SELECT at, subject, after FROM admin_journal WHERE action = 'cap' ORDER BY id"
    ).fetchall()
    when = {row["id"]: row["at"] for row in db.execute("SELECT id, at FROM journal WHERE kind = 'hold'")}
    zone = ZoneInfo(world.zone)
    for budget, moves in movements(db).own.items():
        mine = [_Decision(row["at"], row["subject"], json.loads(row["after"])) for row in decided]
        usual = _Cap(_DEFAULT_CAPS[budget.partition(":")[0]], world.period)
        yield from _overruns(budget, moves, when, mine, usual, zone)


@dataclass(frozen=True)
class _Cap:
    nano_usd: int | None
    period: str


class _Decision:
    def __init__(self, at: str, scope: str, after: dict[str, object]) -> None:
        self.at, self.scope = at, scope
        cap = after["cap_nano_usd"]
        self.cap = _Cap(cap if isinstance(cap, int) else None, str(after["period"]))
        self.own = bool(after["own"])


def _periods(at: str, zone: ZoneInfo) -> dict[str, str]:
    """The day, week and month in which a moment lies, there."""
    day = datetime.fromisoformat(at).astimezone(zone).date()
    year, week, _ = day.isocalendar()
    return {"day": f"{day}", "week": f"{year}-W{week}", "month": f"{day:%Y-%m}"}


def _overruns(
    budget: str,
    moves: list[Move],
    when: dict[int, str],
    decided: list[_Decision],
    usual: _Cap,
    zone: ZoneInfo,
) -> Iterator[str]:
    caps: dict[str, _Cap] = {}
    sums: dict[str, int] = defaultdict(int)
    left = list(decided)
    for move in moves:
        while left and move.entry in when and left[0].at <= when[move.entry]:
            new = left.pop(0)
            caps.pop(new.scope, None)
            if new.own:
                caps[new.scope] = new.cap
        periods = _periods(move.held_at, zone)
        for name in periods.values():
            sums[name] += move.held + move.charged
        cap = caps.get(budget, caps.get(f"every {budget.partition(':')[0]}", usual))
        spent = sums[periods[cap.period]]
        if move.entry in when and move.held > 0 and cap.nano_usd is not None and spent > cap.nano_usd:
            yield (
                f"{budget} has {spent} of {cap.nano_usd} in {periods[cap.period]} after entry {move.entry}"
            )


def _posts(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """What was made was shown once; twice only where nobody could see whether it was there."""
    for turn in db.execute("SELECT * FROM turns WHERE outcome IN ('pictures', 'words')"):
        name = f"turn {turn['id']} ({turn['reason']})"
        told = turn["told_at"] is not None and turn["reason"] != "nothing_to_say"
        if turn["outcome"] == "words":
            said = [post for post in world.posts if post.id == turn["id"] and not post.opening]
            if told and not said:
                yield f"{name} was told and is nowhere to be seen"
            yield from _once(world, name, said)
            continue
        for picture in db.execute("SELECT * FROM pictures WHERE turn_id = ?", (turn["id"],)):
            # Others may show it too, such as a list of versions.
            shown = [
                post for post in world.posts if picture["sha256"] in post.pictures and _is_of(post, turn)
            ]
            home = [post for post in world.posts if picture["sha256"] in post.pictures]
            home = [post for post in home if world.workspace.channels[post.channel].kind == "im"]
            if told and not shown and not home and picture["deleted_at"] is None:
                yield f"{name} was told and is nowhere to be seen: {picture['id']}"
            yield from _once(world, name, shown)


def _is_of(post: Post, turn: sqlite3.Row) -> bool:
    """Whether *post* is how a turn's pictures were shown: by its id, or as a file alone in its thread, or in
    its channel where the thread was deleted."""
    there = post.channel == turn["channel_id"] and post.thread_ts in (turn["thread_ts"], None)
    return post.id == turn["id"] or (not post.id and there)


def _once(world: World, name: str, posts: list[Post]) -> Iterator[str]:
    for first, second in pairwise(sorted(posts, key=lambda post: post.at)):
        # Who looks at a file names no channel.
        rooms = {first.channel, second.channel, ""}
        blind = any(
            first.at <= looked.at <= second.at and looked.channel in rooms
            for looked in world.slack_side.unseen
        )
        late = {(first.channel, first.ts), (second.channel, second.ts)} & world.slack_side.belated
        world.trace.count("double posts")
        if not blind and not late:
            yield f"{name} was posted at {first.at:.4f} and again at {second.at:.4f}"


def _placeholders(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """Nothing says any more that something is being made."""
    kept, closed = _undelivered(db), _closed(db)
    for room in world.workspace.channels.values():
        for message in room.messages.values():
            if message.user == world.workspace.bot_user_id and is_opening(message):
                yield from _standing(world, message, "a placeholder", kept, closed)


def _undelivered(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Where turns were asked for that are kept because Slack took nothing, and their ids."""
    rows = db.execute("SELECT * FROM turns WHERE undelivered_reason IS NOT NULL").fetchall()
    asked = {(row["asked_channel_id"], row["asked_ts"] or "") for row in rows}
    return asked | {("id", row["id"]) for row in rows}


def _closed(db: sqlite3.Connection, key: str = "id") -> dict[str, float]:
    """When it was noted of a turn that none of its placeholders stands any more, by the loop's time."""
    rows = db.execute(
        f"SELECT {key} AS id, placeholder_closed_at AS at FROM turns WHERE placeholder_closed_at IS NOT NULL"  # noqa: S608 -- a name of a column
    )
    return {row["id"]: (datetime.fromisoformat(row["at"]) - BEGINNING).total_seconds() for row in rows}


def is_opening(message: Message) -> bool:
    """Whether a message of ours says that something is being made, or waits to be."""
    said = json.dumps(message.blocks)
    return "Working on it" in said or "Waiting: " in said


def _reactions(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """No message has our eyes on it any more, but where Slack put them there after they were taken away."""
    kept, closed = _undelivered(db), _closed(db, "asked_channel_id || asked_ts")
    for room in world.workspace.channels.values():
        for message in room.messages.values():
            if world.workspace.bot_user_id not in message.reactions.get(WORKING, ()):
                continue
            place = message.channel, message.ts
            late = world.slack_side.late_signs.get(place, -1.0)
            if late > closed.get("".join(place), math.inf) - LOOK_S:
                world.trace.count("left standing, belated")
            else:
                yield from _standing(world, message, "the reaction", kept)


def _standing(
    world: World,
    message: Message,
    what: str,
    kept: set[tuple[str, str]],
    closed: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[str]:
    place, room = (message.channel, message.ts), world.workspace.channels[message.channel]
    troubled = world.slack_side.troubled.get(place, 0)
    named = ((message.metadata or {}).get("event_payload") or {}).get("turn_id")
    if troubled >= TRIES or place in kept or ("id", named) in kept:
        world.trace.count("left standing")
    elif (
        place in world.slack_side.belated and _came_at(world, message) > closed.get(str(named), 0.0) - LOOK_S
    ):
        # It was looked for a last time, and was not there yet.
        world.trace.count("left standing, belated")
    elif place in world.slack_side.refused:
        # Slack has said that it is not there, or not ours to touch, or that nobody may: that is believed.
        world.trace.count("left standing, refused")
    elif room.kind == "im" and (named is None or _was_first(world, message)):
        # Nobody could look for it: only Slack's answer to it would have said where it is; or, where one may
        # have stood there before, that it is the second.
        world.trace.count("left standing, unseen")
    else:
        yield f"{what} stands at {message.channel} {message.ts} after {troubled} faults"


def _came_at(world: World, message: Message) -> float:
    return next(post.at for post in world.posts if (post.channel, post.ts) == (message.channel, message.ts))


def _was_first(world: World, message: Message) -> bool:
    """Whether we had written nothing to somebody before, but what met the same fate."""
    ours = [post for post in world.posts if post.channel == message.channel and post.ts < message.ts]
    return all(post.opening for post in ours)


LOOK_S = 30.0
"""A last look may have been so long before what it found was noted."""
TRIES = 7
"""After so many faults with one message Darkroom has done what it could."""


def _order(world: World, db: sqlite3.Connection) -> Iterator[str]:
    """In a thread, what was asked first, and came in first, is shown first."""
    rows = db.execute(
        """
        SELECT id, surface, channel_id, thread_ts, order_key, created_at, message_ts FROM turns
        WHERE message_ts IS NOT NULL AND thread_ts IS NOT NULL ORDER BY channel_id, thread_ts, order_key
        """
    ).fetchall()
    for first, second in pairwise(rows):
        same = all(first[key] == second[key] for key in ("channel_id", "thread_ts"))
        # Who answers a placeholder before Darkroom knows that it stands is in a thread like any other.
        unknown = (first["channel_id"], first["thread_ts"]) in world.slack_side.unclear
        settled = first["created_at"] < second["created_at"] and not unknown and first["id"] not in world.late
        if same and settled and float(first["message_ts"]) > float(second["message_ts"]):
            shown = [f"{dict(row)}" for row in (first, second)]
            yield f"turn {first['id']} was shown after {second['id']}, in the same thread: {shown}"
