"""What is said about pictures that were deleted."""

from __future__ import annotations

import pytest

from darkroom.turns.erasing import Erased
from handlers.words_pictures import erased
from tests.examples import picture


@pytest.mark.parametrize(
    ("built_on", "said"),
    [
        (0, ""),
        (1, " 1 picture that was made from it still shows what it shows."),
        (2, " 2 pictures that were made from it still show what they show."),
    ],
)
def test_what_was_made_from_a_deleted_picture_is_counted(built_on: int, said: str) -> None:
    done = Erased(picture(), first=True, asked_in_words=False, built_on=built_on)
    assert erased(done).endswith(f"OpenAI's store.{said}")


def test_a_second_deletion_says_so() -> None:
    assert "deleted before" in erased(Erased(picture(), first=False, asked_in_words=False, built_on=1))
