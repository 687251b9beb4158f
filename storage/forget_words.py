"""The words of somebody who is forgotten, where others have them: what was asked for by a button or a dialog,
and what the model said of it. All of it runs inside the caller's transaction, after ``begin``."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from darkroom.turns.copies import VARIATION
from darkroom.turns.forgetting import Whom
from darkroom.turns.intake import PROMPT_CHARACTERS_MAX

LONG = 20
"""So many characters are somebody's wherever they stand; fewer only where they are all that stands there:
“a cat” is in what others have written themselves."""


@dataclass(slots=True)
class Words:
    """What somebody has said, and what the model has made of that."""

    all: frozenset[str]
    long: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.long = tuple(each for each in self.all if len(each) >= LONG)

    def are_in(self, text: str) -> bool:
        """Whether *text* is theirs, in whole or in part."""
        bare = text.removeprefix(VARIATION)
        # What is varied may have been cut.
        cut = len(text) >= PROMPT_CHARACTERS_MAX and any(each.startswith(bare) for each in self.long)
        return cut or bare in self.all or self.are_repeated_in(bare)

    def are_repeated_in(self, text: str) -> bool:
        """Whether so much of them stands in *text* that it is nobody else's."""
        return any(each in text for each in self.long)


def words_of_gone(db: sqlite3.Connection) -> Words:
    """The words of ``gone_turns`` and ``gone_pictures``."""
    rows = db.execute(
        """
        SELECT prompt FROM turns WHERE id IN gone_turns
        UNION SELECT prompt FROM pictures WHERE id IN gone_pictures
        UNION SELECT revised_prompt FROM pictures WHERE id IN gone_pictures
        """
    )
    return Words(frozenset(row[0].removeprefix(VARIATION) for row in rows if row[0]))


def find_lost(db: sqlite3.Connection, whom: Whom, words: Words) -> None:
    """Which requests of others are in *words*, as a temporary table: ``lost_turns``."""
    db.execute("DROP TABLE IF EXISTS temp.lost_turns")
    db.execute("CREATE TEMP TABLE lost_turns (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID")
    if not words.all:
        return
    rows = db.execute(
        """
        SELECT id, key, surface, prompt FROM turns WHERE team_id = ? AND prompt <> ''
            AND id NOT IN gone_turns AND surface IN ('button', 'modal', 'shortcut')
        ORDER BY created_at, id
        """,
        (whom.team_id,),
    ).fetchall()
    others = {
        row["id"]: row["turn_id"]
        for row in db.execute(
            "SELECT id, turn_id FROM pictures WHERE team_id = ? AND id NOT IN gone_pictures", (whom.team_id,)
        )
    }
    lost: set[str] = set()
    for row in rows:
        # A button says below which picture it stood: of one of others' own it is their own words.
        below = {others[part] for part in row["key"].split(":") if part in others}
        their_own = row["surface"] == "button" and below and not below & lost
        if not their_own and words.are_in(row["prompt"]):
            lost.add(row["id"])
    db.executemany("INSERT INTO lost_turns VALUES (?)", [(each,) for each in lost])


def take_words(db: sqlite3.Connection, whom: Whom, words: Words) -> None:
    """``lost_turns`` lose their words, and of what went along with them what is not others' own; nothing that
    the model or the API has said to others repeats *words*. Before anything of ``gone_turns`` is deleted."""
    db.execute(
        """
        DELETE FROM inputs WHERE turn_id IN lost_turns AND sha256 IN (
            SELECT sha256 FROM inputs WHERE turn_id IN gone_turns
            UNION SELECT sha256 FROM pictures WHERE id IN gone_pictures)
        """
    )
    db.execute(
        """
        UPDATE turns SET prompt = '', attachments = (
            SELECT json_group_array(json(own.value)) FROM json_each(turns.attachments) AS own
            WHERE own.value ->> 0 NOT IN (
                SELECT theirs.value ->> 0 FROM turns AS gone, json_each(gone.attachments) AS theirs
                WHERE gone.id IN gone_turns))
        WHERE id IN lost_turns
        """
    )
    db.execute("UPDATE pictures SET prompt = '', revised_prompt = NULL WHERE turn_id IN lost_turns")
    _take_repeated(db, whom, words)


def _take_repeated(db: sqlite3.Connection, whom: Whom, words: Words) -> None:
    revised = db.execute(
        """
        SELECT id, revised_prompt FROM pictures
        WHERE team_id = ? AND id NOT IN gone_pictures AND revised_prompt IS NOT NULL
        """,
        (whom.team_id,),
    ).fetchall()
    repeated = [(row["id"],) for row in revised if words.are_in(row["revised_prompt"])]
    db.executemany("UPDATE pictures SET revised_prompt = NULL WHERE id = ?", repeated)
    told = db.execute(
        """
        SELECT id, details FROM turns
        WHERE team_id = ? AND id NOT IN gone_turns AND details NOT IN ('', '{}')
        """,
        (whom.team_id,),
    ).fetchall()
    for row in told:
        details = json.loads(row["details"])
        said = {name: value for name, value in details.items() if isinstance(value, str)}
        empty = {name: "" for name, value in said.items() if words.are_repeated_in(value)}
        if empty:
            without = json.dumps(details | empty)
            db.execute("UPDATE turns SET details = ? WHERE id = ?", (without, row["id"]))
