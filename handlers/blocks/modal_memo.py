"""What a dialog remembers for itself between being opened and being sent off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.turns.model import REFERENCES_MAX, WANTED_MAX, Attachment, Options

VERSION = 1
MEMO_MAX = 3_000
"""Slack's limit for ``private_metadata``."""
NAME_MAX, TYPE_MAX, ABOUT_MAX = 30, 40, 300


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture of ours that can be edited."""

    picture_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Memo:
    """``channel_id`` (empty: none) and ``thread_ts`` are where it was opened, ``pictures`` (ours) and
    ``files`` what is edited. ``direct``: it goes to our direct message, since nothing can be posted there.
    ``options`` are what was typed and has no input of its own: model, format, background. ``outside`` is the
    last channel that was found not to have us in it, ``inside`` the last that was not."""

    channel_id: str = ""
    thread_ts: str | None = None
    pictures: tuple[KeptPicture, ...] = ()
    files: tuple[Attachment, ...] = ()
    direct: bool = False
    options: Options = field(default_factory=Options)
    outside: str = ""
    inside: str = ""
    about: str = ""
    """What the dialog says of what is edited (``mrkdwn``)."""
    inputs_from: str = ""
    """The turn whose references and mask go along again (empty: none), ``inputs`` of them."""
    inputs: int = 0

    def written(self) -> str:
        """As ``private_metadata``: JSON of at most ``MEMO_MAX`` characters."""
        said = self.options
        kept = {
            "v": VERSION,
            "c": self.channel_id,
            "t": self.thread_ts,
            "p": [[one.picture_id, one.version] for one in self.pictures[:WANTED_MAX]],
            "f": [
                [f.file_id, _short(f.name), f.media_type[:TYPE_MAX], f.size_bytes]
                for f in self.files[:REFERENCES_MAX]
            ],
            "d": self.direct,
            "o": [said.model, said.format, said.background],
            "out": self.outside,
            "in": self.inside,
            "a": self.about[:ABOUT_MAX],
            "i": [self.inputs_from, self.inputs],
        }
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, text: object) -> Memo | None:
        """What ``written`` gave; None for anything else, such as the dialog of another version of ours."""
        try:
            kept = json.loads(str(text))
            return _read(kept) if kept["v"] == VERSION else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def kept_words(self) -> str:
        """The options without an input, as they are typed."""
        said = {
            "model": self.options.model,
            "format": self.options.format,
            "background": self.options.background,
        }
        return " ".join(f"--{name} {value}" for name, value in said.items() if value)


def _read(kept: Mapping[str, Any]) -> Memo:
    model, kind, background = (_text(value) or None for value in kept["o"])
    pictures = tuple(KeptPicture(_text(one), _number(version)) for one, version in kept["p"])
    files = tuple(Attachment(_text(a), _text(b), _text(c), _number(size)) for a, b, c, size in kept["f"])
    # A dialog that was opened before this was remembered has none.
    inputs_from, inputs = kept.get("i", ("", 0))
    if len(pictures) > WANTED_MAX or len(files) > REFERENCES_MAX:
        raise ValueError("more than was written")
    return Memo(
        channel_id=_text(kept["c"]),
        thread_ts=_text(kept["t"]) or None,
        pictures=pictures,
        files=files,
        direct=kept["d"] is True,
        options=Options(model=model, format=kind, background=background),
        outside=_text(kept["out"]),
        inside=_text(kept["in"]),
        about=_text(kept["a"]),
        inputs_from=_text(inputs_from),
        inputs=_number(inputs),
    )


def _text(value: object) -> str:
    if not isinstance(value, str | None):
        raise TypeError(value)
    return value or ""


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


def _short(name: str) -> str:
    """A file's name, for a sentence about it; its end says what it is."""
    return name if len(name) <= NAME_MAX else name[: NAME_MAX - 9] + "…" + name[-8:]
