"""Pictures on their way into a blob that may have so many bytes, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from darkroom.rendering.headers import PROFILE_MAX
from darkroom.rendering.job import BlobWriter

_HOW: dict[str, dict[str, int | bool]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 92, "subsampling": 0},
    "WEBP": {"quality": 92, "method": 2, "exact": True},
}
"""Little loss, and not much time."""


@dataclass(frozen=True, slots=True)
class AlphaFacts:
    """Of a picture with transparent areas: how much of it is fully transparent, in millionths."""

    clear_ppm: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready to be sent: its bytes are the blob ``sha256`` of this ``format`` (png, jpeg, webp).
    ``alpha`` is None where nothing of it is fully transparent."""

    sha256: str
    path: Path
    format: str
    width: int
    height: int
    size_bytes: int
    alpha: AlphaFacts | None = None


class _TooLarge(Exception):
    """More bytes than there may be."""


class Sink:
    """A blob that takes so many bytes at most."""

    def __init__(self, begin: Callable[[], BlobWriter], bytes_max: int) -> None:
        self._writer = begin()
        self._max = bytes_max
        self._size = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Forget the blob if what is done inside does not end well."""
        try:
            yield
        except BaseException:
            self._writer.discard()
            raise

    def write(self, data: bytes) -> int:
        """Append *data*."""
        self._size += len(data)
        if self._size > self._max:
            raise _TooLarge
        self._writer.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Encoders ask for it."""

    def save(self, image: Image.Image, format_: str) -> bool:
        """Encode *image* into the blob; whether it fits."""
        try:
            with self.kept():
                image.save(self, format_, **_HOW[format_], **_profile(image))  # type: ignore[arg-type]  # needs no more of a file than this
        except _TooLarge:
            return False
        return True

    def finished(self, format_: str, size: tuple[int, int], alpha: AlphaFacts | None) -> Prepared:
        """The blob, safe on disk."""
        with self.kept():
            sha256, path = self._writer.finish(format_)
        return Prepared(sha256, path, format_, *size, self._size, alpha)


def _profile(image: Image.Image) -> dict[str, bytes | None]:
    profile = image.info.get("icc_profile")
    fits = isinstance(profile, bytes) and len(profile) <= PROFILE_MAX and profile[16:20] == b"RGB "
    return {"icc_profile": profile if fits else None}
