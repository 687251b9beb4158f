"""Asks and usage records that the tests of spending share."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from darkroom.spending.bound import Ask

TODAY = date(2026, 11, 20)

PRESENT_IMAGES = (
    "gpt-image-2",
    "gpt-image-2-2026-04-21",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-flare",
    "gpt-image-2.6-sunburst",
    "gpt-image-2.6-flare",
    "gpt-image-1.5",
    "gpt-image-1-mini",
)
PRESENT_HOSTS = ("gpt-5.6-luna", "gpt-6-luna", "gpt-6.1-terra")


def ask(**changes: Any) -> Ask:
    """A plain call for one 1024x1024 picture of medium quality, with some fields changed."""
    plain: dict[str, Any] = {
        "image_model": "gpt-image-2-2026-04-21",
        "host_model": "gpt-5.6-luna",
        "width": 1024,
        "height": 1024,
        "quality": "medium",
        "prompt_bytes": 90,
        "instruction_bytes": 600,
        "input_pictures": 0,
        "max_output_tokens": 2_000,
        "today": TODAY,
    }
    return Ask(**{**plain, **changes})


def asks() -> st.SearchStrategy[Ask]:
    """Any call that Darkroom could make, conversations beyond the long-context limit included."""
    return st.builds(
        Ask,
        image_model=st.sampled_from(PRESENT_IMAGES),
        host_model=st.sampled_from((*PRESENT_HOSTS, None)),
        width=st.sampled_from((1024, 1536)),
        height=st.just(1024),
        quality=st.sampled_from(("low", "medium", "high", "auto")),
        prompt_bytes=st.integers(0, 32_000),
        instruction_bytes=st.integers(0, 10_000),
        input_pictures=st.integers(0, 16),
        max_output_tokens=st.integers(0, 10_000),
        today=st.just(TODAY),
        parent_host_tokens=st.one_of(st.integers(0, 20_000), st.integers(0, 600_000)),
        chain_pictures=st.integers(0, 20),
        partial_images=st.integers(0, 3),
        picture_certain=st.booleans(),
    )
