"""Leaving: what is kept for how long, and who is to be forgotten."""

STATEMENTS: tuple[str, ...] = (
    # The books outlive the turn: of one that is gone, turn_id is NULL. A CHECK or NOT NULL of a table cannot
    # be changed in place.
    """
    CREATE TABLE attempts_007 (
        id TEXT NOT NULL PRIMARY KEY,
        turn_id TEXT REFERENCES turns (id),
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
        background TEXT,
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
        passed_over TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(passed_over)),
        held_at TEXT NOT NULL,
        dispatched_at TEXT,
        ended_at TEXT,
        ask TEXT CHECK (ask IS NULL OR json_valid(ask)),
        UNIQUE (turn_id, number),
        CHECK ((state IN ('settled', 'released', 'uncertain')) = (ended_at IS NOT NULL)),
        CHECK (turn_id IS NOT NULL OR ended_at IS NOT NULL)
    ) STRICT
    """,
    """
    INSERT INTO attempts_007 (id, turn_id, number, state, endpoint, provider, image_model, host_model, width,
        height, quality, format, background, parent_id, person_key, team_id, channel_id, hold_nano_usd,
        charged_nano_usd, bound, price_version, response_id, release_reason, passed_over, held_at,
        dispatched_at, ended_at, ask)
    SELECT id, turn_id, number, state, endpoint, provider, image_model, host_model, width,
        height, quality, format, background, parent_id, person_key, team_id, channel_id, hold_nano_usd,
        charged_nano_usd, bound, price_version, response_id, release_reason, passed_over, held_at,
        dispatched_at, ended_at, ask
    FROM attempts
    """,
    "DROP TABLE attempts",
    "ALTER TABLE attempts_007 RENAME TO attempts",
    """
    CREATE INDEX attempts_by_dispatch ON attempts (team_id, provider, dispatched_at)
        WHERE dispatched_at IS NOT NULL
    """,
    # Whose an entry is may become a key that leads nowhere ('gone_…'), and that is all that may change.
    "DROP TRIGGER journal_is_never_edited",
    """
    CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
    WHEN NEW.person_key NOT GLOB 'gone_*'
        OR (NEW.team_id <> OLD.team_id AND NEW.team_id NOT GLOB 'gone_*')
        OR (NEW.channel_id <> OLD.channel_id AND NEW.channel_id NOT GLOB 'gone_*')
        OR (NEW.id, NEW.at, NEW.kind, NEW.attempt_id, NEW.held_at, NEW.held_delta_nano_usd,
            NEW.charged_delta_nano_usd, NEW.pictures, NEW.image_model, NEW.host_model, NEW.endpoint,
            NEW.provider, NEW.price_version, NEW.host_usage, NEW.image_usage, NEW.flags)
        IS NOT (OLD.id, OLD.at, OLD.kind, OLD.attempt_id, OLD.held_at, OLD.held_delta_nano_usd,
            OLD.charged_delta_nano_usd, OLD.pictures, OLD.image_model, OLD.host_model, OLD.endpoint,
            OLD.provider, OLD.price_version, OLD.host_usage, OLD.image_usage, OLD.flags)
    BEGIN SELECT RAISE(ABORT, 'the journal is never edited'); END
    """,
    "DROP TRIGGER admin_journal_is_never_edited",
    """
    CREATE TRIGGER admin_journal_is_never_edited BEFORE UPDATE ON admin_journal
    WHEN (NEW.id, NEW.at, NEW.action) IS NOT (OLD.id, OLD.at, OLD.action)
        OR (NEW.team_id <> OLD.team_id AND NEW.team_id NOT GLOB 'gone_*')
        OR (NEW.key <> OLD.key AND NEW.key NOT GLOB '*gone_*')
        OR (NEW.person_key <> OLD.person_key AND NEW.person_key NOT GLOB 'gone_*')
        OR (NEW.subject <> OLD.subject AND NEW.subject NOT GLOB '*:gone_*')
        OR (NEW.before IS NOT OLD.before AND COALESCE(NEW.before, '') NOT GLOB '*gone_*')
        OR (NEW.after IS NOT OLD.after AND COALESCE(NEW.after, '') NOT GLOB '*gone_*')
    BEGIN SELECT RAISE(ABORT, 'the journal is never edited'); END
    """,
    # What belonged to a workspace that is forgotten is nobody's, and may go.
    "DROP TRIGGER admin_journal_is_never_shortened",
    """
    CREATE TRIGGER admin_journal_is_never_shortened BEFORE DELETE ON admin_journal
    WHEN OLD.team_id NOT GLOB 'gone_*'
    BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END
    """,
    # Made once for a data directory: what the API is told a person is called is a hash that nobody can
    # compute without it.
    """
    CREATE TABLE hash_keys (
        use TEXT NOT NULL PRIMARY KEY CHECK (use IN ('safety_identifier')),
        value BLOB NOT NULL CHECK (length(value) = 32)
    ) STRICT, WITHOUT ROWID
    """,
    # Retention. words_gone_at: since when nothing is kept of what was asked for; forgotten_at: since when
    # nobody and nothing stands in the row, which is there for what was made from its pictures.
    "ALTER TABLE turns ADD COLUMN words_gone_at TEXT",
    "ALTER TABLE turns ADD COLUMN forgotten_at TEXT",
    # What may be old enough, oldest first. A turn enters these once, when it is told.
    """
    CREATE INDEX turns_with_words ON turns (updated_at)
        WHERE told_at IS NOT NULL AND words_gone_at IS NULL
    """,
    "CREATE INDEX turns_kept ON turns (updated_at) WHERE told_at IS NOT NULL AND forgotten_at IS NULL",
    "CREATE INDEX turns_forgotten ON turns (id) WHERE forgotten_at IS NOT NULL",
    "CREATE INDEX pictures_living ON pictures (created_at, id) WHERE deleted_at IS NULL",
    # What somebody deleted by hand is recalled before what went by its age.
    """
    CREATE INDEX erasures_by_people ON erasures (tries, created_at, id)
        WHERE done_at IS NULL AND by_user_id <> ''
    """,
    "CREATE INDEX shares_commented ON shares (begun_at) WHERE comment <> ''",
    "CREATE INDEX threads_by_opening ON threads (opened_at)",
    # What refers to a row is looked for whenever the row goes.
    "CREATE INDEX turns_by_parent ON turns (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX turns_by_chosen ON turns (chosen_id) WHERE chosen_id IS NOT NULL",
    "CREATE INDEX turns_by_inputs_from ON turns (inputs_from) WHERE inputs_from IS NOT NULL",
    "CREATE INDEX attempts_by_parent ON attempts (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX choices_by_picture ON choices (picture_id)",
)
"""One SQL statement each, in their order."""
