"""What the docs say of the code is made from the code; ``make docs`` writes it anew."""

from __future__ import annotations

import pytest

from darkroom.turns.endings import Reason
from tests.made import troubleshooting
from tests.made.pages import DOCS, FILES, PAGES
from tests.made.troubles import ANSWERS, ENDINGS, HELP
from tests.reliability.tables import parts


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_page_has_what_is_made_from_the_code(page: str) -> None:
    written = parts((DOCS / page).read_text(encoding="utf-8"))
    for name, made in PAGES[page]().items():
        assert written[name] == made, f"{page} is older than the code: run make docs"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_file_is_what_is_made_from_the_code(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == FILES[name](), f"{name}: run make docs"


def test_every_sentence_is_on_the_page_of_troubles_and_no_other() -> None:
    assert set(ENDINGS) == set(Reason)
    assert set(ANSWERS) == troubleshooting.constants().keys() | troubleshooting.CALLS.keys()
    assert troubleshooting.functions() == HELP | troubleshooting.CALLS.keys()
