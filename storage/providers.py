"""From whom the pictures in the books came, and for whom they were made."""

from __future__ import annotations

from pathlib import Path

from storage.database import read_books


def read_providers(data_dir: Path) -> frozenset[str]:
    """Every provider that was ever called. Blocks for the file; raises ``DataProblem``."""
    return read_books(
        data_dir,
        lambda db: frozenset(row["provider"] for row in db.execute("SELECT DISTINCT provider FROM journal")),
    )


def read_teams(data_dir: Path) -> frozenset[str]:
    """The ids of all workspaces that ever had a hold or a charge. Blocks for the file; raises
    ``DataProblem``."""
    return read_books(
        data_dir,
        lambda db: frozenset(row["team_id"] for row in db.execute("SELECT DISTINCT team_id FROM journal")),
    )
