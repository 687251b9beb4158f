"""Leaving: what is kept for how long, and who is to be forgotten."""

STATEMENTS: tuple[str, ...] = ()
