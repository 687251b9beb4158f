"""The books of a busy workspace after a year, written straight into the tables."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain

from darkroom.spending.spans import Span
from storage.database import Database
from storage.times import to_text

TEAM, PEOPLE, CHANNELS = "T0BENCH001", 300, 40
CALLS = 60_000
"""Each has two entries in the journal: its hold and its end."""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
YEAR = Span("UTC", NOW - timedelta(days=365), NOW + timedelta(hours=12))

_BATCH = 3_000
_HOLD, _CHARGE = 91_000_000, 54_000_000
_LINES = (("text_input", 20, 100_000), ("image_output", 1_756, 52_680_000), ("host_output", 60, 1_220_000))
_MODELS = ("gpt-image-2-2026-04-21", "gpt-image-2-2026-04-21", "gpt-image-2.5-flare", "gpt-image-1-mini")
_HOST, _VERSION = "gpt-5.6-luna", "gpt-image-2@2026-04-21"
_BOUND = json.dumps({"image_output": [3_000, _HOLD]})
_USAGE = json.dumps({"input_tokens": 20, "output_tokens": 1_756, "total_tokens": 1_776})

_TURN = """
    INSERT INTO turns (id, team_id, key, surface, channel_id, asked_channel_id, opens_thread, thread_ts,
        user_id, person_key, prompt, attachments, order_key, state, outcome, reason, details, told_at,
        created_at, updated_at)
    VALUES (:turn, :team, :turn, 'command', :channel, :channel, 1, :turn, :user, :person,
        'a red fox in deep snow', '[]', :at, 'ended', 'pictures', 'pictures', '{}', :at, :at, :at)
"""
_ATTEMPT = """
    INSERT INTO attempts (id, turn_id, number, state, endpoint, provider, image_model, host_model, width,
        height, quality, format, person_key, team_id, channel_id, hold_nano_usd, charged_nano_usd, bound,
        price_version, held_at, dispatched_at, ended_at)
    VALUES (:attempt, :turn, 1, 'settled', 'responses', 'openai', :model, :host, 1024, 1024, 'medium', 'png',
        :person, :team, :channel, :hold, :charge, :bound, :version, :at, :at, :at)
"""
_ENTRY = """
    INSERT INTO journal (id, at, kind, attempt_id, team_id, channel_id, person_key, held_at,
        held_delta_nano_usd, charged_delta_nano_usd, pictures, image_model, host_model, endpoint, provider,
        price_version, host_usage, image_usage, flags)
    VALUES (:entry, :at, :kind, :attempt, :team, :channel, :person, :at, :held, :charged, :pictures, :model,
        :host, 'responses', 'openai', :version, :usage, :usage, '[]')
"""
_LINE = "INSERT INTO charge_lines (journal_id, token_class, tokens, charged_nano_usd) VALUES (?, ?, ?, ?)"

_Row = dict[str, str | int | None]


def user_id(number: int) -> str:
    """Slack's id of one of the people."""
    return f"U{number % PEOPLE:09d}"


def channel_id(number: int) -> str:
    """Slack's id of one of the channels."""
    return f"C{number % CHANNELS:09d}"


async def fill(database: Database) -> None:
    """Write the whole year, oldest call first; ``CALLS`` of them, evenly spread."""
    await database.write(_people)
    for first in range(0, CALLS, _BATCH):
        calls = [_call(number) for number in range(first, min(first + _BATCH, CALLS))]
        await database.write(partial(_write, calls=calls))


def _people(db: sqlite3.Connection) -> None:
    rows = [(f"p_{number}", TEAM, user_id(number), to_text(YEAR.start)) for number in range(PEOPLE)]
    db.executemany(
        "INSERT INTO people (person_key, team_id, user_id, first_seen_at) VALUES (?, ?, ?, ?)", rows
    )


def _call(number: int) -> _Row:
    return {
        "number": number,
        "turn": f"turn_{number}",
        "attempt": f"try_{number}",
        "team": TEAM,
        "channel": channel_id(number),
        "user": user_id(number),
        "person": f"p_{number % PEOPLE}",
        "model": _MODELS[number % len(_MODELS)],
        "host": _HOST,
        "hold": _HOLD,
        "charge": _CHARGE,
        "bound": _BOUND,
        "version": _VERSION,
        "at": to_text(YEAR.start + timedelta(days=365) * number / CALLS),
    }


def _entries(call: _Row) -> tuple[_Row, _Row]:
    first = 2 * int(call["number"] or 0) + 1
    nothing: _Row = {"charged": 0, "pictures": 0, "usage": None}
    return (
        {**call, **nothing, "entry": first, "kind": "hold", "held": _HOLD},
        {
            **call,
            "entry": first + 1,
            "kind": "settle",
            "held": -_HOLD,
            "charged": _CHARGE,
            "pictures": 1,
            "usage": _USAGE,
        },
    )


def _write(db: sqlite3.Connection, calls: list[_Row]) -> None:
    entries = list(chain.from_iterable(_entries(call) for call in calls))
    db.executemany(_TURN, calls)
    db.executemany(_ATTEMPT, calls)
    db.executemany(_ENTRY, entries)
    ends = [entry["entry"] for entry in entries if entry["kind"] == "settle"]
    db.executemany(_LINE, [(end, *line) for end in ends for line in _LINES])
