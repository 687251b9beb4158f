"""Views for people who read the books with sqlite3, sqlite-utils or Datasette."""

_SUMS = """
    ROUND(SUM(journal.charged_delta_nano_usd) / 1e9, 6) AS charged_usd,
    SUM(journal.charged_delta_nano_usd) AS charged_nano_usd,
    ROUND(SUM(journal.held_delta_nano_usd) / 1e9, 6) AS held_usd,
    SUM(journal.held_delta_nano_usd) AS held_nano_usd,
    SUM(journal.pictures) AS pictures""".lstrip()
"""The dollars are rounded, for reading; the integers beside them are the books."""

_SOMETHING = """
    HAVING SUM(journal.charged_delta_nano_usd) <> 0 OR SUM(journal.held_delta_nano_usd) <> 0
        OR SUM(journal.pictures) <> 0
"""
"""A call that was given back leaves nothing to show."""

STATEMENTS = (
    # user_id is NULL for somebody whose name was erased; person_key still tells them apart.
    f"""
    CREATE VIEW spend_by_person AS
    SELECT journal.team_id AS team_id, people.user_id AS user_id, {_SUMS},
        journal.person_key AS person_key
    FROM journal LEFT JOIN people ON people.person_key = journal.person_key
    GROUP BY journal.person_key
    {_SOMETHING}
    ORDER BY charged_nano_usd DESC, user_id
    """,
    # Days of UTC. A charge belongs to the day of its hold, however late it came.
    f"""
    CREATE VIEW spend_by_day AS
    SELECT substr(journal.held_at, 1, 10) AS day, {_SUMS}
    FROM journal
    GROUP BY day
    {_SOMETHING}
    ORDER BY day
    """,
    # The model that was really called, which only the end of a call can say; held money stands beside it.
    f"""
    CREATE VIEW spend_by_model AS
    SELECT COALESCE(ended.image_model, journal.image_model) AS image_model, journal.endpoint AS endpoint,
        journal.provider AS provider, {_SUMS}
    FROM journal LEFT JOIN journal AS ended
        ON ended.attempt_id = journal.attempt_id AND ended.kind IN ('settle', 'release', 'uncertain')
    GROUP BY COALESCE(ended.image_model, journal.image_model), journal.endpoint, journal.provider
    {_SOMETHING}
    ORDER BY charged_nano_usd DESC, 1, 2, 3
    """,
)
"""One SQL statement each, in their order."""
