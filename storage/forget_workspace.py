"""Forgetting a workspace, in SQL, inside the caller's transaction: nothing stays but amounts."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from darkroom.spending.budgets import Caps
from darkroom.spending.policy import channel_budget, person_budget, workspace_budget
from darkroom.turns.forgetting import Whom
from storage.forget_closing import close_calls
from storage.forget_finding import begin
from storage.forget_person import Files, new_key, overwrite, remove_rows, remove_turns
from storage.scrubbing import to_be_scrubbed

_OF_THE_WORKSPACE = (
    "DELETE FROM alert_posts WHERE alert_id IN (SELECT id FROM alerts WHERE team_id = :team)",
    "DELETE FROM alerts WHERE team_id = :team",
    "DELETE FROM shares WHERE team_id = :team",
    "DELETE FROM erasures WHERE team_id = :team",
    "DELETE FROM choices WHERE team_id = :team",
    "DELETE FROM thread_people WHERE team_id = :team",
    "DELETE FROM threads WHERE team_id = :team",
    "DELETE FROM caps WHERE team_id = :team",
    "DELETE FROM standing WHERE team_id = :team",
    "DELETE FROM access_rules WHERE team_id = :team",
    "DELETE FROM workspaces WHERE team_id = :team",
    "DELETE FROM outages WHERE team_id = :team",
    # What nobody drew on is in no sum.
    """
    DELETE FROM grants WHERE team_id = :nobodys AND NOT EXISTS (
        SELECT 1 FROM grant_draws WHERE grant_id = grants.id)
    """,
    "DELETE FROM counters WHERE budget IN (SELECT value FROM json_each(:budgets))",
    # What the API said of this account may name its organisation; it is asked again.
    "DELETE FROM model_checks",
    "DELETE FROM rate_limits",
    "DELETE FROM heartbeat",
    # Whoever comes next is known to the API by other names.
    "DELETE FROM hash_keys",
    "DELETE FROM preferences WHERE person_key IN (SELECT person_key FROM people WHERE team_id = :team)",
    "DELETE FROM people WHERE team_id = :team",
)


def forget_workspace(db: sqlite3.Connection, whom: Whom, caps: Caps, at: datetime) -> Files:
    """Forget all of a workspace; gives the files that may not be needed any more."""
    begin(db, whom)
    close_calls(db, caps, at)
    files = remove_rows(db)
    db.execute(
        "UPDATE turns SET parent_id = NULL, chosen_id = NULL, inputs_from = NULL WHERE id IN gone_turns"
    )
    db.execute("UPDATE pictures SET parent_id = NULL WHERE id IN gone_pictures")
    db.execute("UPDATE attempts SET parent_id = NULL WHERE turn_id IN gone_turns")
    remove_turns(db)
    team, people, channels = new_key(), _named(db, whom, "person_key"), _named(db, whom, "channel_id")
    budgets = {
        workspace_budget(whom.team_id): workspace_budget(team),
        **{person_budget(old): person_budget(new) for old, new in people.items()},
        **{channel_budget(whom.team_id, old): channel_budget(team, new) for old, new in channels.items()},
    }
    one = {
        "team": whom.team_id,
        "nobodys": team,
        "people": json.dumps(people),
        "channels": json.dumps(channels),
        "budgets": json.dumps(list(budgets)),
        "renamed": json.dumps(budgets),
    }
    for table in ("journal", "attempts"):
        db.execute(
            f"""
            UPDATE {table} SET team_id = :nobodys, person_key = :people ->> person_key,
                channel_id = :channels ->> channel_id WHERE team_id = :team
            """,
            one,
        )
    db.execute(
        """
        UPDATE grants SET team_id = :nobodys,
            budget = COALESCE(
                (SELECT value FROM json_each(:renamed) WHERE key = budget), 'workspace:' || :nobodys)
        WHERE team_id = :team
        """,
        one,
    )
    db.execute("UPDATE admin_journal SET team_id = :nobodys WHERE team_id = :team", one)
    db.execute("DELETE FROM admin_journal WHERE team_id = :nobodys", one)
    for statement in _OF_THE_WORKSPACE:
        db.execute(statement, one)
    overwrite(db, {whom.team_id: team})
    to_be_scrubbed(db)
    return files


def _named(db: sqlite3.Connection, whom: Whom, column: str) -> dict[str, str]:
    """A key that leads nowhere for each person or channel that the books of a workspace name."""
    rows = db.execute(
        f"""
        SELECT {column} FROM journal WHERE team_id = :team UNION SELECT {column} FROM attempts
        WHERE team_id = :team
        """,
        {"team": whom.team_id},
    )
    return {row[0]: new_key() for row in rows}
