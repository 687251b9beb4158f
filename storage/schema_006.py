"""What this account may call, and how fast: as last seen."""

STATEMENTS: tuple[str, ...] = (
    # Of the account, not of a workspace: there is one key, whoever asks. What was learned (access,
    # shutdown_on) is of learned_at; code and message are the API's own words of checked_at, maybe later.
    """
    CREATE TABLE model_checks (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        access TEXT NOT NULL CHECK (access IN ('listed', 'refused', 'unknown')),
        shutdown_on TEXT,
        learned_at TEXT,
        checked_at TEXT NOT NULL,
        code TEXT NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (provider, model),
        CHECK ((access = 'unknown') = (learned_at IS NULL))
    ) STRICT, WITHOUT ROWID
    """,
    # As the headers of answers said; NULL where they did not.
    """
    CREATE TABLE rate_limits (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        pictures_a_minute INTEGER CHECK (pictures_a_minute >= 0),
        requests_a_minute INTEGER CHECK (requests_a_minute >= 0),
        tokens_a_minute INTEGER CHECK (tokens_a_minute >= 0),
        seen_at TEXT NOT NULL,
        PRIMARY KEY (provider, model, endpoint)
    ) STRICT, WITHOUT ROWID
    """,
    # The one of now is the one that was chosen last.
    """
    CREATE TABLE providers (
        provider TEXT NOT NULL PRIMARY KEY,
        chosen_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT INTO providers (provider, chosen_at)
    SELECT provider, MIN(held_at) FROM journal GROUP BY provider
    """,
    # The newest calls and the first ones, without walking through all there ever were.
    """
    CREATE INDEX attempts_by_dispatch ON attempts (team_id, provider, dispatched_at)
        WHERE dispatched_at IS NOT NULL
    """,
)
"""The schema, as append-only steps. A step that has shipped is never changed; the next one mends it."""
