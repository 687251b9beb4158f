"""Turns with what they cost, for the command line."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from darkroom.turns.model import Picture, Turn
from storage.rows import PICTURES, picture_from, turn_from


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn, its pictures, and its attempts' money in nano-dollars."""

    turn: Turn
    pictures: tuple[Picture, ...]
    charged_nano_usd: int
    held_nano_usd: int
    attempts: int


def turn_rows(db: sqlite3.Connection, limit: int) -> list[TurnRow]:
    """The newest *limit* turns, oldest of them first; what is left of a forgotten one is none."""
    rows = db.execute(
        """
        SELECT turns.*, COUNT(attempts.id) AS attempts,
            COALESCE(SUM(attempts.charged_nano_usd), 0) AS charged,
            COALESCE(SUM(CASE WHEN attempts.ended_at IS NULL THEN attempts.hold_nano_usd END), 0) AS held
        FROM (SELECT * FROM turns ORDER BY created_at DESC, id DESC LIMIT ?) AS turns
        LEFT JOIN attempts ON attempts.turn_id = turns.id
        WHERE turns.forgotten_at IS NULL
        GROUP BY turns.id ORDER BY turns.created_at, turns.id
        """,
        (limit,),
    ).fetchall()
    return [
        TurnRow(
            turn=turn_from(row),
            pictures=tuple(
                picture_from(picture)
                for picture in db.execute(
                    f"{PICTURES} WHERE pictures.turn_id = ? ORDER BY pictures.version", (row["id"],)
                )
            ),
            charged_nano_usd=row["charged"],
            held_nano_usd=row["held"],
            attempts=row["attempts"],
        )
        for row in rows
    ]
