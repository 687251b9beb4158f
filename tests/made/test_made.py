"""What the docs say of the code is made from the code; ``make docs`` writes it anew."""

from __future__ import annotations

import pytest

from tests.made.pages import DOCS, FILES, PAGES
from tests.reliability.tables import parts


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_page_has_what_is_made_from_the_code(page: str) -> None:
    written = parts((DOCS / page).read_text(encoding="utf-8"))
    for name, made in PAGES[page]().items():
        assert written[name] == made, f"{page} is older than the code: run make docs"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_file_is_what_is_made_from_the_code(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == FILES[name](), f"{name}: run make docs"
