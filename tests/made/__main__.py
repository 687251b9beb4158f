"""``make docs``: write the parts of the pages that are made from the code."""

from __future__ import annotations

from tests.made.pages import DOCS, FILES, PAGES
from tests.reliability.tables import with_parts

if __name__ == "__main__":
    for name, made in PAGES.items():
        page = DOCS / name
        page.write_text(with_parts(page.read_text(encoding="utf-8"), made()), encoding="utf-8")
    for name, whole in FILES.items():
        (DOCS / name).write_text(whole(), encoding="utf-8")
