"""Spend control: what admins decide, grants, requests for more money, alerts."""

STATEMENTS = (
    # What a charge's price is computed from, so that any charge can be computed again.
    "ALTER TABLE attempts ADD COLUMN ask TEXT CHECK (ask IS NULL OR json_valid(ask))",
    # Every hold writes each index of what it enters. No query reads this one:
    "DROP INDEX attempts_open",
    # and this takes the place of three: an attempt has one entry of a kind at most. That it ends once, in
    # whatever way, `journal_ends_once` sees to.
    "DROP INDEX journal_by_attempt",
    "DROP INDEX journal_holds_once",
    "DROP INDEX journal_corrects_once",
    "CREATE UNIQUE INDEX journal_by_attempt ON journal (attempt_id, kind)",
    # In the order in which they are asked for: else SQLite takes the index of all turns.
    "DROP INDEX turns_unfinished",
    """
    CREATE INDEX turns_unfinished ON turns (created_at, id)
        WHERE told_at IS NULL AND undelivered_reason IS NULL
    """,
    "CREATE INDEX journal_uncertain ON journal (team_id, id) WHERE kind = 'uncertain'",
    # scope: 'every person', 'every channel', or a budget: 'person:<key>', 'channel:<team>:<id>',
    # 'workspace:<team>'. cap_nano_usd NULL is no cap.
    """
    CREATE TABLE caps (
        team_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        cap_nano_usd INTEGER CHECK (cap_nano_usd >= 0),
        period_kind TEXT NOT NULL CHECK (period_kind IN ('month', 'week', 'day')),
        PRIMARY KEY (team_id, scope)
    ) STRICT, WITHOUT ROWID
    """,
    # subject: the budget of a person or a channel.
    """
    CREATE TABLE standing (
        team_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        rule TEXT NOT NULL CHECK (rule IN ('blocked', 'exempt', 'pilot')),
        since TEXT NOT NULL,
        PRIMARY KEY (team_id, subject, rule)
    ) STRICT, WITHOUT ROWID
    """,
    # scope: 'everyone', or the budget of a person or a channel. value '*' is every one that is not named.
    """
    CREATE TABLE access_rules (
        team_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        dimension TEXT NOT NULL CHECK (dimension IN ('model', 'quality')),
        value TEXT NOT NULL,
        allowed INTEGER NOT NULL CHECK (allowed IN (0, 1)),
        PRIMARY KEY (team_id, scope, dimension, value)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE workspaces (
        team_id TEXT NOT NULL PRIMARY KEY,
        paused_at TEXT,
        alerts_channel_id TEXT
    ) STRICT, WITHOUT ROWID
    """,
    # Drawn once: what is charged and held of it is its own, in whatever period.
    """
    CREATE TABLE grants (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        team_id TEXT NOT NULL,
        budget TEXT NOT NULL,
        amount_nano_usd INTEGER NOT NULL CHECK (amount_nano_usd > 0),
        charged_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (charged_nano_usd >= 0),
        held_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (held_nano_usd >= 0),
        given_at TEXT NOT NULL,
        ends_at TEXT NOT NULL,
        revoked_at TEXT,
        CHECK (charged_nano_usd + held_nano_usd <= amount_nano_usd)
    ) STRICT
    """,
    "CREATE INDEX grants_by_budget ON grants (budget, ends_at)",
    "CREATE INDEX grants_by_team ON grants (team_id, ends_at)",
    # Which part of a journal entry a grant pays; the rest is the budget's own.
    """
    CREATE TABLE grant_draws (
        journal_id INTEGER NOT NULL REFERENCES journal (id),
        grant_id INTEGER NOT NULL REFERENCES grants (id),
        held_delta_nano_usd INTEGER NOT NULL,
        charged_delta_nano_usd INTEGER NOT NULL,
        PRIMARY KEY (journal_id, grant_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX grant_draws_by_grant ON grant_draws (grant_id)",
    """
    CREATE TRIGGER grant_draws_are_never_edited BEFORE UPDATE ON grant_draws
    BEGIN SELECT RAISE(ABORT, 'the journal is never edited'); END
    """,
    """
    CREATE TRIGGER grant_draws_are_never_shortened BEFORE DELETE ON grant_draws
    BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END
    """,
    # key: what Slack sent; the same is never done twice. before and after NULL: there was, or is, nothing.
    """
    CREATE TABLE admin_journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        team_id TEXT NOT NULL,
        key TEXT NOT NULL,
        person_key TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT CHECK (before IS NULL OR json_valid(before)),
        after TEXT CHECK (after IS NULL OR json_valid(after)),
        UNIQUE (team_id, key)
    ) STRICT
    """,
    """
    CREATE TRIGGER admin_journal_is_never_edited BEFORE UPDATE ON admin_journal
    BEGIN SELECT RAISE(ABORT, 'the journal is never edited'); END
    """,
    """
    CREATE TRIGGER admin_journal_is_never_shortened BEFORE DELETE ON admin_journal
    BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END
    """,
    # told_state: the state that everybody concerned has been told of.
    """
    CREATE TABLE money_requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        team_id TEXT NOT NULL,
        turn_id TEXT NOT NULL UNIQUE REFERENCES turns (id),
        person_key TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        budget TEXT NOT NULL,
        asked_at TEXT NOT NULL,
        ends_at TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'granted', 'refused')),
        answered_at TEXT,
        answered_by TEXT,
        grant_id INTEGER REFERENCES grants (id),
        told_state TEXT CHECK (told_state IN ('open', 'granted', 'refused')),
        told_at TEXT,
        CHECK ((state = 'open') = (answered_at IS NULL))
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX money_requests_open ON money_requests (budget, ends_at)
        WHERE state = 'open'
    """,
    """
    CREATE INDEX money_requests_untold ON money_requests (id)
        WHERE told_state IS NULL OR told_state <> state
    """,
    """
    CREATE TABLE money_request_posts (
        request_id INTEGER NOT NULL REFERENCES money_requests (id),
        recipient TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        message_ts TEXT NOT NULL,
        PRIMARY KEY (request_id, recipient)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        team_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        audience TEXT NOT NULL CHECK (audience IN ('person', 'admins')),
        person_key TEXT,
        details TEXT NOT NULL CHECK (json_valid(details)),
        raised_at TEXT NOT NULL,
        done_at TEXT,
        given_up_reason TEXT,
        CHECK ((audience = 'person') = (person_key IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX alerts_unsent ON alerts (id) WHERE done_at IS NULL",
    "CREATE INDEX alerts_by_team ON alerts (team_id, id)",
    # Claimed before it is posted, so that a restart knows to look for the post before posting again.
    """
    CREATE TABLE alert_posts (
        alert_id INTEGER NOT NULL REFERENCES alerts (id),
        recipient TEXT NOT NULL,
        claimed_at TEXT NOT NULL,
        channel_id TEXT,
        message_ts TEXT,
        sent_at TEXT,
        PRIMARY KEY (alert_id, recipient)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX alert_posts_by_recipient ON alert_posts (recipient, alert_id)",
    "CREATE INDEX pictures_by_person ON pictures (team_id, user_id, created_at)",
)
"""One SQL statement each, in their order."""
