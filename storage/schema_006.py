"""What this account may call, and how fast: as last seen."""

STATEMENTS: tuple[str, ...] = ()
