"""Conversations: versions to go back to, pictures that go along, several at once, shares, deletion.

``turns`` is made anew, because a CHECK of a table cannot be changed in place.
"""

STATEMENTS = (
    # channel_id is where the turn is made: for a private one the direct message, once that is known, and
    # asked_channel_id where it was asked for. opens_thread: its thread begins with its placeholder.
    # width … background are NULL where the person asked for nothing special.
    """
    CREATE TABLE turns_004 (
        id TEXT NOT NULL PRIMARY KEY,
        team_id TEXT NOT NULL,
        key TEXT NOT NULL,
        surface TEXT NOT NULL CHECK (surface IN
            ('command', 'reply', 'mention', 'button', 'shortcut', 'modal')),
        intent TEXT NOT NULL DEFAULT 'make' CHECK (intent IN ('make', 'undo', 'versions')),
        channel_id TEXT NOT NULL,
        asked_channel_id TEXT NOT NULL,
        opens_thread INTEGER NOT NULL CHECK (opens_thread IN (0, 1)),
        private INTEGER NOT NULL DEFAULT 0 CHECK (private IN (0, 1)),
        thread_ts TEXT,
        asked_ts TEXT,
        user_id TEXT NOT NULL,
        person_key TEXT NOT NULL,
        prompt TEXT NOT NULL,
        wanted INTEGER NOT NULL DEFAULT 1 CHECK (wanted BETWEEN 1 AND 4),
        width INTEGER,
        height INTEGER,
        quality TEXT,
        model TEXT,
        format TEXT,
        background TEXT,
        attachments TEXT NOT NULL CHECK (json_valid(attachments)),
        inputs_from TEXT REFERENCES turns (id),
        brought_revision INTEGER,
        order_key TEXT NOT NULL,
        reply_url TEXT,
        state TEXT NOT NULL CHECK (state IN ('received', 'queued', 'working', 'ended')),
        outcome TEXT CHECK (outcome IN
            ('pictures', 'words', 'declined', 'blocked', 'failed', 'cancelled', 'uncertain')),
        reason TEXT,
        details TEXT CHECK (details IS NULL OR json_valid(details)),
        revision INTEGER NOT NULL DEFAULT 0,
        chosen_id TEXT REFERENCES pictures (id),
        fresh INTEGER NOT NULL DEFAULT 0 CHECK (fresh IN (0, 1)),
        parent_id TEXT REFERENCES pictures (id),
        placeholder_ts TEXT,
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
    """
    INSERT INTO turns_004 (id, team_id, key, surface, channel_id, asked_channel_id, opens_thread, thread_ts,
        asked_ts, user_id, person_key, prompt, width, height, quality, model, format, attachments, order_key,
        reply_url, state, outcome, reason, details, revision, parent_id, placeholder_ts, post_begun_at,
        message_ts, placeholder_closed_at, told_at, undelivered_reason, created_at, updated_at)
    SELECT id, team_id, key, surface, channel_id, channel_id, surface = 'command' OR thread_ts IS NULL,
        thread_ts, asked_ts, user_id, person_key, prompt, width, height, quality, model, format, attachments,
        order_key, reply_url, state, outcome, reason, details, revision, parent_id, placeholder_ts,
        post_begun_at, message_ts, placeholder_closed_at, told_at, undelivered_reason, created_at, updated_at
    FROM turns
    """,
    "ALTER TABLE pictures ADD COLUMN background TEXT",
    "ALTER TABLE pictures ADD COLUMN file_id TEXT",
    "ALTER TABLE pictures ADD COLUMN deleted_at TEXT",
    "UPDATE pictures SET file_id = (SELECT file_id FROM turns WHERE turns.id = pictures.turn_id)",
    "DROP TABLE turns",
    "ALTER TABLE turns_004 RENAME TO turns",
    # By where it was asked: a private turn is made elsewhere.
    "CREATE INDEX turns_by_message ON turns (team_id, asked_channel_id, asked_ts)",
    "CREATE INDEX turns_by_thread ON turns (team_id, channel_id, thread_ts)",
    "CREATE INDEX turns_by_post ON turns (team_id, channel_id, message_ts) WHERE message_ts IS NOT NULL",
    "CREATE INDEX turns_by_time ON turns (created_at, id)",
    """
    CREATE INDEX turns_unfinished ON turns (created_at, id)
        WHERE told_at IS NULL AND undelivered_reason IS NULL
    """,
    "DROP INDEX pictures_by_person",
    "CREATE INDEX pictures_by_person ON pictures (team_id, user_id, created_at, id)",
    "CREATE INDEX pictures_by_asker ON pictures (team_id, channel_id, user_id, created_at, id)",
    "CREATE INDEX pictures_by_bytes ON pictures (sha256)",
    "CREATE INDEX pictures_by_parent ON pictures (parent_id) WHERE parent_id IS NOT NULL",
    "ALTER TABLE attempts ADD COLUMN background TEXT",
    # A request builds on the last picture that was chosen before it (by order_key), unless a picture was made
    # since for a request after that choice: then, and where nothing was chosen, on the newest.
    """
    CREATE TABLE choices (
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        thread_ts TEXT NOT NULL,
        order_key TEXT NOT NULL,
        picture_id TEXT NOT NULL REFERENCES pictures (id),
        PRIMARY KEY (team_id, channel_id, thread_ts, order_key)
    ) STRICT, WITHOUT ROWID
    """,
    # What was last said there beyond the prompt; NULL where nothing was.
    "ALTER TABLE threads ADD COLUMN width INTEGER",
    "ALTER TABLE threads ADD COLUMN height INTEGER",
    "ALTER TABLE threads ADD COLUMN quality TEXT",
    "ALTER TABLE threads ADD COLUMN model TEXT",
    "ALTER TABLE threads ADD COLUMN format TEXT",
    "ALTER TABLE threads ADD COLUMN background TEXT",
    # Our direct message with the person, where it is known.
    "ALTER TABLE people ADD COLUMN dm_channel_id TEXT",
    """
    CREATE TABLE preferences (
        person_key TEXT NOT NULL PRIMARY KEY REFERENCES people (person_key) ON DELETE CASCADE,
        width INTEGER,
        height INTEGER,
        quality TEXT,
        private INTEGER NOT NULL CHECK (private IN (0, 1)),
        updated_at TEXT NOT NULL,
        CHECK ((width IS NULL) = (height IS NULL))
    ) STRICT, WITHOUT ROWID
    """,
    # The pictures that went along with a prompt, ready to be sent, in their order. covers_ppm: how much of
    # the parent a mask lets change, in millionths.
    """
    CREATE TABLE inputs (
        turn_id TEXT NOT NULL REFERENCES turns (id),
        position INTEGER NOT NULL CHECK (position >= 0),
        role TEXT NOT NULL CHECK (role IN ('reference', 'mask')),
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        name TEXT NOT NULL,
        covers_ppm INTEGER,
        PRIMARY KEY (turn_id, position),
        CHECK ((role = 'mask') = (covers_ppm IS NOT NULL))
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX inputs_by_bytes ON inputs (sha256)",
    """
    CREATE TABLE feedback (
        picture_id TEXT NOT NULL REFERENCES pictures (id),
        person_key TEXT NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
        at TEXT NOT NULL,
        PRIMARY KEY (picture_id, person_key)
    ) STRICT, WITHOUT ROWID
    """,
    # A picture shown in another channel than its own, with what its sharer says about it; message_ts is NULL
    # until it was posted, and failure says why it never will be.
    """
    CREATE TABLE shares (
        id TEXT NOT NULL PRIMARY KEY,
        team_id TEXT NOT NULL,
        key TEXT NOT NULL,
        picture_id TEXT NOT NULL REFERENCES pictures (id),
        channel_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        comment TEXT NOT NULL DEFAULT '',
        file_id TEXT,
        message_ts TEXT,
        failure TEXT,
        begun_at TEXT NOT NULL,
        UNIQUE (team_id, key)
    ) STRICT
    """,
    "CREATE INDEX shares_by_picture ON shares (picture_id)",
    "CREATE INDEX shares_by_post ON shares (team_id, channel_id, message_ts) WHERE message_ts IS NOT NULL",
    "CREATE INDEX shares_unfinished ON shares (begun_at, id) WHERE message_ts IS NULL AND failure IS NULL",
    # What a deleted picture has left elsewhere, until it is recalled from there.
    """
    CREATE TABLE erasures (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('message', 'placeholder', 'file', 'response', 'blob')),
        team_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        ref TEXT NOT NULL,
        picture_id TEXT NOT NULL REFERENCES pictures (id),
        by_user_id TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        failure TEXT,
        created_at TEXT NOT NULL,
        done_at TEXT,
        UNIQUE (picture_id, kind, channel_id, ref)
    ) STRICT
    """,
    "CREATE INDEX erasures_open ON erasures (tries, created_at, id) WHERE done_at IS NULL",
)
"""One SQL statement each, in their order."""
