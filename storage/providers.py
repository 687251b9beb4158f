"""From whom the pictures in the books came."""

from __future__ import annotations

from pathlib import Path

from storage.database import read_books


def read_providers(data_dir: Path) -> frozenset[str]:
    """Every provider that was ever called. Blocks for the file; raises ``DataProblem``."""
    return read_books(
        data_dir,
        lambda db: frozenset(row["provider"] for row in db.execute("SELECT DISTINCT provider FROM journal")),
    )
