"""The API's own token arithmetic: what a picture, a conversation and an input picture are counted as.

Published readings it reproduces: gpt-image-2 at 1024x1024 gives 196, 1,756 and 7,024 tokens; 1536x1024 gives
158, 1,372 and 5,488; high 2048x2048 gives 14,272 and 3840x2160 gives 13,342; family 1 has a fixed table.
Family 2.6 has no published table: one reading (1536x1024: low 664, high 1,353) sets its proportion to 2.5.
"""

from dataclasses import dataclass

PARTIAL_TOKENS = 100
PICTURE_CEILING = 1_536
TOOL_OVERHEAD = 2_600
_FACTORS = {
    "2": {"low": 16, "medium": 48, "high": 96},
    "2.5": {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96},
}
_PROPORTION_26 = {"low": 4_200, "medium": 3_500, "high": 986, "xhigh": 1_000, "max": 1_000}
_FAMILY_1 = {
    "square": {"low": 272, "medium": 1_056, "high": 4_160},
    "portrait": {"low": 408, "medium": 1_584, "high": 6_240},
    "landscape": {"low": 400, "medium": 1_568, "high": 6_208},
}
_REASONING = {"none": 0, "minimal": 32, "low": 64, "medium": 128, "high": 256, "xhigh": 384, "max": 512}


@dataclass(frozen=True)
class HostUsage:
    """Tokens of the host model. `cached` and `cache_write` are part of `input`, `reasoning` of `output`."""

    input: int
    cached: int
    cache_write: int
    output: int
    reasoning: int

    def as_json(self) -> dict[str, object]:
        """The `usage` of a response."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached, "cache_write_tokens": self.cache_write},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }

    def billed(self) -> dict[str, int]:
        """The same tokens as disjoint billing classes."""
        return {
            "host_input": self.input - self.cached - self.cache_write,
            "host_cached_input": self.cached,
            "host_cache_write": self.cache_write,
            "host_output": self.output,
        }


@dataclass(frozen=True)
class ImageUsage:
    """Tokens of the image model. The cached ones are part of `text` and `image`."""

    text: int
    image: int
    output: int
    cached_text: int = 0
    cached_image: int = 0

    def as_json(self, *, details: bool = True, cache: bool = True) -> dict[str, object]:
        """One usage object, as in `tool_usage.image_gen` (`cache`) and in the Images API (no cache)."""
        usage: dict[str, object] = {
            "input_tokens": self.text + self.image,
            "input_tokens_details": {"text_tokens": self.text, "image_tokens": self.image},
            "output_tokens": self.output,
            "total_tokens": self.text + self.image + self.output,
        }
        if details:
            usage["output_tokens_details"] = {"image_tokens": self.output, "text_tokens": 0}
        if cache and self.cached_text + self.cached_image:
            usage["cached_tokens"] = self.cached_text + self.cached_image
            usage["cached_tokens_details"] = {
                "cached_text_tokens": self.cached_text,
                "cached_image_tokens": self.cached_image,
            }
        return usage

    def billed(self) -> dict[str, int]:
        """The same tokens as disjoint billing classes."""
        return {
            "text_input": self.text - self.cached_text,
            "cached_text_input": self.cached_text,
            "image_input": self.image - self.cached_image,
            "cached_image_input": self.cached_image,
            "image_output": self.output,
        }


def picture_tokens(family: str, quality: str, width: int, height: int) -> int:
    """Image output tokens of one finished picture, sides in pixels; `quality` is never `auto` here."""
    if family == "1":
        shape = "square" if width == height else "portrait" if height > width else "landscape"
        return _FAMILY_1[shape][quality]
    if family == "2.6":
        return _ceil(picture_tokens("2.5", quality, width, height) * _PROPORTION_26[quality], 1_000)
    factor = _FACTORS[family][quality]
    short = _round_half_even(factor * min(width, height), max(width, height))
    return _ceil(factor * short * (2_000_000 + width * height), 4_000_000)


def input_picture_tokens(width: int, height: int) -> int:
    """Tokens of one input picture: 32-pixel patches, at most 1,536 of them.

    A small picture is magnified up to twice towards a long side of 1,024, a long one counts as 3:1.
    """
    long, short = max(width, height), min(width, height)
    long = min(long, 3 * short)
    if long < 1_024:
        wanted = min(2 * long, 1_024)
        short, long = _ceil(short * wanted, long), wanted
    return min(_ceil(long, 32) * _ceil(short, 32), PICTURE_CEILING)


def text_tokens(text: str) -> int:
    """About one token for four UTF-8 bytes, rounded up."""
    return _ceil(len(text.encode()), 4)


def reasoning_tokens(effort: str) -> int:
    """Reasoning tokens of one answer for a reasoning effort."""
    return _REASONING.get(effort, _REASONING["medium"])


def cached_prefix(tokens: int) -> int:
    """How much of a repeated prefix of `tokens` a prompt cache holds: from 1,024, in steps of 128."""
    return 0 if tokens < 1_024 else tokens // 128 * 128


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _round_half_even(number: int, divisor: int) -> int:
    whole, rest = divmod(number, divisor)
    return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))
