"""What is said of a picture whose words are not kept any more: all but them, and no empty place."""

from __future__ import annotations

from datetime import UTC, datetime

from darkroom.spending.reports import RecentPicture
from handlers.blocks.modal_about import ours
from handlers.blocks.picture import Shown, alt_text, pictures_view
from handlers.blocks.spend import picture_line
from handlers.blocks.text import isolate
from handlers.blocks.versions import versions_view
from tests.examples import picture
from tests.handlers.test_blocks import setting

WORDLESS = picture(prompt="", revised_prompt=None, file_id="F0PICTURE1")


def test_its_message_and_its_description_name_the_version_alone() -> None:
    view = pictures_view([Shown(WORDLESS, WORDLESS.file_id)], setting())
    assert f"for {isolate('Alice')}. " in view.text
    assert alt_text(WORDLESS) == f"AI-generated picture, version {WORDLESS.version}"


def test_in_the_list_of_versions_it_is_shown_like_the_others() -> None:
    view = versions_view([WORDLESS], {}, WORDLESS.id)
    assert "accessory" in view.blocks[-1]
    assert not view.blocks[-1]["text"]["text"].endswith("\n")


def test_a_dialog_and_the_list_of_costs_name_it_without_a_colon_that_leads_nowhere() -> None:
    assert ours([WORDLESS]) == f"Editing Darkroom's *v{WORDLESS.version}*."
    line = picture_line(RecentPicture(datetime(2026, 11, 20, tzinfo=UTC), 2, "", 50_000_000), "UTC")
    assert line.endswith(", v2")
