"""The first books: people, threads, turns, attempts, pictures, and the journal."""

STATEMENTS = (
    # A person in the books is an opaque key; erasing this row makes the key lead nowhere.
    """
    CREATE TABLE people (
        person_key TEXT NOT NULL PRIMARY KEY,
        team_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        first_seen_at TEXT NOT NULL,
        UNIQUE (team_id, user_id)
    ) STRICT
    """,
    """
    CREATE TABLE threads (
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        thread_ts TEXT NOT NULL,
        opened_at TEXT NOT NULL,
        PRIMARY KEY (team_id, channel_id, thread_ts)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE thread_people (
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        thread_ts TEXT NOT NULL,
        user_id TEXT NOT NULL,
        joined_at TEXT NOT NULL,
        PRIMARY KEY (team_id, channel_id, thread_ts, user_id),
        FOREIGN KEY (team_id, channel_id, thread_ts) REFERENCES threads
    ) STRICT, WITHOUT ROWID
    """,
    # thread_ts is NULL for a command until its placeholder is posted: that message is the thread.
    # width … format are NULL where the person asked for nothing special.
    """
    CREATE TABLE turns (
        id TEXT NOT NULL PRIMARY KEY,
        team_id TEXT NOT NULL,
        key TEXT NOT NULL,
        surface TEXT NOT NULL CHECK (surface IN ('command', 'reply', 'mention')),
        channel_id TEXT NOT NULL,
        thread_ts TEXT,
        asked_ts TEXT,
        user_id TEXT NOT NULL,
        person_key TEXT NOT NULL,
        prompt TEXT NOT NULL,
        width INTEGER,
        height INTEGER,
        quality TEXT,
        model TEXT,
        format TEXT,
        attachments TEXT NOT NULL CHECK (json_valid(attachments)),
        order_key TEXT NOT NULL,
        reply_url TEXT,
        state TEXT NOT NULL CHECK (state IN ('received', 'queued', 'working', 'ended')),
        outcome TEXT CHECK (outcome IN
            ('pictures', 'words', 'declined', 'blocked', 'failed', 'cancelled', 'uncertain')),
        reason TEXT,
        details TEXT CHECK (details IS NULL OR json_valid(details)),
        revision INTEGER NOT NULL DEFAULT 0,
        parent_id TEXT REFERENCES pictures (id),
        placeholder_ts TEXT,
        file_id TEXT,
        post_begun_at TEXT,
        message_ts TEXT,
        placeholder_closed_at TEXT,
        told_at TEXT,
        undelivered_reason TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (team_id, key),
        CHECK ((state = 'ended') = (outcome IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX turns_by_message ON turns (team_id, channel_id, asked_ts)",
    "CREATE INDEX turns_by_thread ON turns (team_id, channel_id, thread_ts)",
    "CREATE INDEX turns_by_time ON turns (created_at, id)",
    """
    CREATE INDEX turns_unfinished ON turns (created_at)
        WHERE told_at IS NULL AND undelivered_reason IS NULL
    """,
    """
    CREATE TABLE attempts (
        id TEXT NOT NULL PRIMARY KEY,
        turn_id TEXT NOT NULL REFERENCES turns (id),
        number INTEGER NOT NULL CHECK (number >= 1),
        state TEXT NOT NULL CHECK (state IN ('held', 'dispatched', 'settled', 'released', 'uncertain')),
        endpoint TEXT NOT NULL,
        provider TEXT NOT NULL,
        image_model TEXT NOT NULL,
        host_model TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        quality TEXT NOT NULL,
        format TEXT NOT NULL,
        parent_id TEXT REFERENCES pictures (id),
        person_key TEXT NOT NULL,
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        hold_nano_usd INTEGER NOT NULL CHECK (hold_nano_usd >= 0),
        charged_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (charged_nano_usd >= 0),
        bound TEXT NOT NULL CHECK (json_valid(bound)),
        price_version TEXT NOT NULL,
        response_id TEXT,
        release_reason TEXT,
        held_at TEXT NOT NULL,
        dispatched_at TEXT,
        ended_at TEXT,
        UNIQUE (turn_id, number),
        CHECK ((state IN ('settled', 'released', 'uncertain')) = (ended_at IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX attempts_open ON attempts (state) WHERE ended_at IS NULL",
    """
    CREATE TABLE pictures (
        id TEXT NOT NULL PRIMARY KEY,
        turn_id TEXT NOT NULL REFERENCES turns (id),
        attempt_id TEXT NOT NULL UNIQUE REFERENCES attempts (id),
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        thread_ts TEXT NOT NULL,
        user_id TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        parent_id TEXT REFERENCES pictures (id),
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        revised_prompt TEXT,
        image_model TEXT NOT NULL,
        host_model TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        provider TEXT NOT NULL,
        quality TEXT NOT NULL,
        response_id TEXT,
        host_tokens INTEGER NOT NULL,
        chain_pictures INTEGER NOT NULL,
        charged_nano_usd INTEGER NOT NULL,
        flags TEXT NOT NULL CHECK (json_valid(flags)),
        seconds REAL NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (team_id, channel_id, thread_ts, version)
    ) STRICT
    """,
    "CREATE INDEX pictures_by_turn ON pictures (turn_id)",
    # The journal says what moved, never what is: the sums are the books. `held_at` is the moment of the
    # hold, and with it the period that everything about that hold belongs to, however late it comes.
    """
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('hold', 'settle', 'release', 'uncertain', 'correction')),
        attempt_id TEXT NOT NULL REFERENCES attempts (id),
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        person_key TEXT NOT NULL,
        held_at TEXT NOT NULL,
        held_delta_nano_usd INTEGER NOT NULL,
        charged_delta_nano_usd INTEGER NOT NULL,
        pictures INTEGER NOT NULL DEFAULT 0,
        image_model TEXT NOT NULL,
        host_model TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        provider TEXT NOT NULL,
        price_version TEXT NOT NULL,
        host_usage TEXT CHECK (host_usage IS NULL OR json_valid(host_usage)),
        image_usage TEXT CHECK (image_usage IS NULL OR json_valid(image_usage)),
        flags TEXT NOT NULL CHECK (json_valid(flags))
    ) STRICT
    """,
    "CREATE INDEX journal_by_person ON journal (person_key, held_at)",
    "CREATE INDEX journal_by_channel ON journal (team_id, channel_id, held_at)",
    "CREATE INDEX journal_by_workspace ON journal (team_id, held_at)",
    "CREATE INDEX journal_by_time ON journal (held_at)",
    "CREATE INDEX journal_by_attempt ON journal (attempt_id)",
    # One hold, one end, one correction: whatever the code does.
    """
    CREATE UNIQUE INDEX journal_ends_once ON journal (attempt_id)
        WHERE kind IN ('settle', 'release', 'uncertain')
    """,
    "CREATE UNIQUE INDEX journal_holds_once ON journal (attempt_id) WHERE kind = 'hold'",
    "CREATE UNIQUE INDEX journal_corrects_once ON journal (attempt_id) WHERE kind = 'correction'",
    """
    CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is never edited'); END
    """,
    """
    CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END
    """,
    """
    CREATE TABLE charge_lines (
        journal_id INTEGER NOT NULL REFERENCES journal (id),
        token_class TEXT NOT NULL,
        tokens INTEGER NOT NULL CHECK (tokens >= 0),
        charged_nano_usd INTEGER NOT NULL,
        PRIMARY KEY (journal_id, token_class)
    ) STRICT, WITHOUT ROWID
    """,
    # A counter is what the journal adds up to for one budget between two moments, kept so that admission
    # need not add. Any counter may be made at any time from the journal; every movement reaches all that
    # contain its `held_at`, so no change of period or zone can give the same money twice.
    """
    CREATE TABLE counters (
        budget TEXT NOT NULL,
        period_kind TEXT NOT NULL,
        timezone TEXT NOT NULL,
        period_start TEXT NOT NULL,
        period_end TEXT NOT NULL,
        held_nano_usd INTEGER NOT NULL CHECK (held_nano_usd >= 0),
        charged_nano_usd INTEGER NOT NULL CHECK (charged_nano_usd >= 0),
        PRIMARY KEY (budget, period_start, period_kind, timezone),
        CHECK (period_start < period_end)
    ) STRICT, WITHOUT ROWID
    """,
)
"""One SQL statement each, in their order."""
