"""What the image API keeps over a restart: the responses it remembers, what was deleted, and the bill."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sandbox.images.api import ImageApi
from sandbox.images.memory import Remembered, Shown
from sandbox.keeping.folder import Shelf
from sandbox.keeping.plain import read

Json = dict[str, Any]
LOST: Final = {"code": "server_error", "message": "The server had an error while processing your request."}


@dataclass
class Size:
    """A picture in a conversation: the name of its bytes, and its pixels."""

    name: str
    width: int
    height: int


@dataclass
class Answer:
    """One response. `results` are the names of its output's pictures, by their places; what ran when it was
    kept has not `ended`."""

    id: str
    response: Json
    results: dict[str, str]
    ended: bool
    stored: bool
    tokens: int
    subject: str
    shown: Size | None
    items: tuple[str, str]
    line: tuple[str, ...]


@dataclass
class Kept:
    """All of it; `bill` is what was billed, by day and line item: tokens and nano-dollars."""

    answers: list[Answer]
    deleted: list[str]
    asked: dict[str, int]
    bill: dict[str, dict[str, tuple[int, int]]]


class ImagesKept:
    """An image API as something that a `Keeper` keeps."""

    def __init__(self, images: ImageApi) -> None:
        self._images = images
        self._before: dict[str, tuple[Remembered, Json, Answer, dict[str, str]]] = {}

    def listen(self, tell: Callable[[], None]) -> None:
        """Let *tell* hear of each change of what is kept, and of nothing else."""
        counted = self._counts()

        def look() -> None:
            nonlocal counted
            if (now := self._counts()) != counted:
                counted = now
                tell()

        self._images.memory.on_change.append(tell)
        self._images.on_change.append(look)

    def _counts(self) -> tuple[int, int, int]:
        """What was asked and what was billed, as far as it tells one moment from another."""
        sums = [nano for items in self._images.bill.kept().values() for _, nano in items.values()]
        return len(self._images.asked), self._images.asked.total(), sum(sums)

    def kept(self, shelf: Shelf) -> Kept:
        """What is remembered now. Make JSON of it before anything else happens."""
        memory = self._images.memory
        known = {key: self._answer(key, remembered, shelf) for key, remembered in memory.items()}
        self._before = {key: self._before[key] for key in known if key in self._before}
        return Kept(list(known.values()), memory.deleted(), self._images.asked, self._images.bill.kept())

    def _answer(self, key: str, remembered: Remembered, shelf: Shelf) -> Answer:
        """An answer that has ended does not change any more, and decoding its pictures takes time."""
        before = self._before.get(key)
        if before is None or before[0] is not remembered or before[1] is not remembered.response:
            answer, pictures = _packed(key, remembered)
            before = remembered, remembered.response, answer, pictures
            if remembered.run is None:
                self._before[key] = before
        for name, encoded in before[3].items():
            shelf.put(name, partial(base64.b64decode, encoded))
        return before[2]

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        """Remember it again. What was running has failed with the machine that it ran on. Raises ValueError,
        and then nothing has changed."""
        found = read(Kept, kept)
        answers = {answer.id: _remembered(answer, fetch) for answer in found.answers}
        self._images.bill.restore(found.bill)
        self._images.memory.restore(answers, found.deleted)
        self._images.asked.update(found.asked)


def _packed(key: str, remembered: Remembered) -> tuple[Answer, dict[str, str]]:
    """A response without its pictures, and those in base64 by their names."""
    pictures: dict[str, str] = {}
    output: list[Any] = []
    results: dict[str, str] = {}
    for place, item in enumerate(remembered.response.get("output") or []):
        name = _named(item.get("result"), pictures) if isinstance(item, dict) else None
        output.append(item if name is None else {**item, "result": None})
        if name is not None:
            results[str(place)] = name
    shown = remembered.shown
    name = _named(shown.base64, pictures) if shown is not None else None
    answer = Answer(
        id=key,
        response={**remembered.response, "output": output},
        results=results,
        ended=remembered.run is None,
        stored=remembered.stored,
        tokens=remembered.tokens,
        subject=remembered.subject,
        shown=None if shown is None or name is None else Size(name, shown.width, shown.height),
        items=remembered.items,
        line=remembered.line,
    )
    return answer, pictures


def _named(encoded: Any, pictures: dict[str, str]) -> str | None:
    """The name of what *encoded* stands for; None when it is not base64 that can be made again from the
    bytes."""
    if not isinstance(encoded, str) or not encoded:
        return None
    known = next((name for name, other in pictures.items() if other is encoded), None)
    if known is not None:
        return known
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    if base64.b64encode(data).decode() != encoded:
        return None
    name = hashlib.sha256(data).hexdigest()
    pictures[name] = encoded
    return name


def _remembered(answer: Answer, fetch: Callable[[str], bytes]) -> Remembered:
    """The response as it was; both mentions of a picture share its characters again."""
    encoded: dict[str, str] = {}

    def text(name: str) -> str:
        if name not in encoded:
            encoded[name] = base64.b64encode(fetch(name)).decode()
        return encoded[name]

    response = answer.response
    if not isinstance(response.get("status"), str):
        raise ValueError(f"the response {answer.id[:80]!r} has no status")
    for place, name in answer.results.items():
        response["output"][int(place)]["result"] = text(name)
    if not answer.ended:
        response = {**response, "status": "failed", "error": LOST, "output": []}
    size = answer.shown
    return Remembered(
        response,
        stored=answer.stored,
        tokens=answer.tokens,
        subject=answer.subject,
        shown=None if size is None else Shown(text(size.name), size.width, size.height),
        items=answer.items,
        line=answer.line,
    )
