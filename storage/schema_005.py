"""Durability: times when the API was of no use, signs of life, and the models that were passed over."""

STATEMENTS = (
    # One at a time: while one has not ended, another is the same to everybody.
    """
    CREATE TABLE outages (
        id TEXT NOT NULL PRIMARY KEY,
        team_id TEXT NOT NULL,
        trouble TEXT NOT NULL CHECK (trouble IN ('quota', 'key', 'region', 'failing')),
        message TEXT NOT NULL,
        began_at TEXT NOT NULL,
        ended_at TEXT
    ) STRICT
    """,
    "CREATE UNIQUE INDEX outages_one_open ON outages ((ended_at IS NULL)) WHERE ended_at IS NULL",
    # stuck: the ids of turns that should have moved, as JSON.
    """
    CREATE TABLE heartbeat (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        pid INTEGER NOT NULL,
        started_at TEXT NOT NULL,
        beat_at TEXT NOT NULL,
        running INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        stuck TEXT NOT NULL CHECK (json_valid(stuck))
    ) STRICT
    """,
    # The models and endpoints before the one that was called, and why each was not used, as JSON.
    "ALTER TABLE attempts ADD COLUMN passed_over TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(passed_over))",
    "CREATE INDEX turns_undelivered ON turns (updated_at) WHERE undelivered_reason IS NOT NULL",
)
