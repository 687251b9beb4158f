"""What was sent in: the words and pictures of a request, the checks on pictures, and what the words want."""

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, UnidentifiedImageError

from sandbox.images import errors

Json = dict[str, Any]
LONGEST_DATA_URL = 20_971_520
MOST_PICTURES = 16
LARGEST_PICTURE = 50_000_000
LARGEST_MASK = 4_000_000
_QUESTION_WORDS = frozenset({"what", "whats", "what's", "why", "how", "who", "when", "where", "which"})
_PRAISE = frozenset(
    {
        "thanks", "thank", "thx", "ty", "ok", "okay", "nice", "great", "cool", "lovely", "perfect", "awesome",
        "wow", "beautiful", "brilliant", "good", "amazing", "excellent", "super", "yes", "yay", "cheers",
        "merci", "haha", "lol",
    }
)  # fmt: skip
_FILLER = frozenset(
    {
        "you", "it", "that", "this", "one", "is", "so", "very", "much", "really", "love", "i", "a", "lot",
        "job", "work", "for", "the", "all", "again", "well", "done", "and",
    }
)  # fmt: skip
_ANEW = re.compile(r"^\s*(a new picture|new picture|start over|start again|imagine)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Picture:
    """One checked input picture: its bytes and its size in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Ask:
    """What a request says: the newest words of a person, all words sent, and the pictures sent."""

    prompt: str
    text: str
    pictures: tuple[Picture, ...] = ()
    item_ids: tuple[str, ...] = ()
    reasoning_ids: tuple[str, ...] = ()


@dataclass
class _Reader:
    """Collects the parts of `input` in their order."""

    texts: list[str] = field(default_factory=list)
    prompt: str = ""
    pictures: list[Picture] = field(default_factory=list)
    item_ids: list[str] = field(default_factory=list)
    reasoning_ids: list[str] = field(default_factory=list)

    def item(self, item: Any, position: int) -> None:
        """Take one element of the `input` list."""
        if not isinstance(item, Mapping):
            raise errors.invalid_type(f"input[{position}]", "an object")
        kind = item.get("type", "message")
        if kind == "image_generation_call":
            self.item_ids.append(str(item.get("id")))
        elif kind == "item_reference":
            named = str(item.get("id"))
            (self.reasoning_ids if named.startswith("rs_") else self.item_ids).append(named)
        elif kind == "reasoning":
            self.reasoning_ids.append(str(item.get("id")))
        elif kind == "message":
            self.message(item, f"input[{position}]")
        else:
            raise errors.invalid_value(f"input[{position}].type", kind, ("message", "image_generation_call"))

    def message(self, item: Mapping[str, Any], where: str) -> None:
        """Take one message with its parts."""
        role = item.get("role")
        if role not in ("user", "assistant", "system", "developer"):
            raise errors.invalid_value(f"{where}.role", role, ("user", "assistant", "system", "developer"))
        content = item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        if not isinstance(parts, Sequence):
            raise errors.invalid_type(f"{where}.content", "a string or an array of content parts")
        said: list[str] = []
        for index, part in enumerate(parts):
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind in ("input_text", "output_text"):
                said.append(str(part.get("text", "")))
            elif kind == "input_image":
                self.picture(part, f"{where}.content[{index}]")
            else:
                raise errors.invalid_value(
                    f"{where}.content[{index}].type", kind, ("input_text", "input_image")
                )
        self.texts.extend(said)
        if role == "user":
            self.prompt = "\n".join(said)

    def picture(self, part: Mapping[str, Any], where: str) -> None:
        """Take one `input_image` part."""
        if len(self.pictures) == MOST_PICTURES:
            raise errors.unsupported("input", f"Too many images: at most {MOST_PICTURES} are allowed.")
        self.pictures.append(read_data_url(part, f"{where}.image_url", len(self.pictures) + 1))


def read_input(raw: Any) -> Ask:
    """The words and pictures of `input`, a string or a list of items. Raises `Refusal`."""
    if isinstance(raw, str):
        return Ask(prompt=raw, text=raw)
    if not isinstance(raw, Sequence) or not raw:
        raise errors.missing("input") if not raw else errors.invalid_type("input", "a string or an array")
    reader = _Reader()
    for position, item in enumerate(raw):
        reader.item(item, position)
    return Ask(
        reader.prompt,
        "\n".join(reader.texts),
        tuple(reader.pictures),
        tuple(reader.item_ids),
        tuple(reader.reasoning_ids),
    )


def read_data_url(part: Mapping[str, Any], where: str, position: int) -> Picture:
    """The picture of a part with `image_url`. Only data URLs: this API has no network and no files."""
    url = part.get("image_url")
    if not isinstance(url, str):
        raise errors.Refusal(404, f"No such file: {part.get('file_id')!r}.", param=where)
    if not url.startswith("data:"):
        raise errors.Refusal(400, "Error while downloading the image.", code="invalid_image_url", param=where)
    if len(url) > LONGEST_DATA_URL:
        raise errors.too_long(where, LONGEST_DATA_URL, len(url))
    head, _, text = url.partition(",")
    if not head.endswith(";base64"):
        raise errors.bad_picture(position)
    try:
        return check_picture(base64.b64decode(text, validate=True), position)
    except binascii.Error:
        raise errors.bad_picture(position) from None


def check_picture(data: bytes, position: int) -> Picture:
    """A real PNG, WebP or JPEG below 50 MB, number `position` of the request. Raises `Refusal`."""
    if not data or len(data) >= LARGEST_PICTURE:
        raise errors.bad_picture(position)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP", "JPEG")) as image:
            width, height = image.size
            image.verify()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise errors.bad_picture(position) from None
    return Picture(data, width, height)


def check_mask(data: bytes, wanted: tuple[int, int]) -> bytes:
    """A PNG with alpha below 4 MB of the `wanted` width and height. Raises `Refusal`."""
    if len(data) >= LARGEST_MASK:
        raise errors.bad_mask("The mask must be less than 4 MB.")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            size, mode = image.size, image.mode
    except (UnidentifiedImageError, OSError):
        raise errors.bad_mask("The mask must be a PNG file.") from None
    if mode not in ("RGBA", "LA"):
        raise errors.bad_mask("The mask must have an alpha channel.")
    if size != wanted:
        raise errors.bad_mask("The mask must have the same size as the image.")
    return data


def wants(prompt: str) -> str:
    """What words want when the host may choose: `words` (a question), `nothing` (praise) or `picture`."""
    words = re.findall(r"[\w']+", prompt.lower())
    if prompt.rstrip().endswith("?") or (words and words[0] in _QUESTION_WORDS):
        return "words"
    if not words or (len(words) <= 8 and _PRAISE & set(words) and set(words) <= _PRAISE | _FILLER):
        return "nothing"
    return "picture"


def wants_anew(prompt: str) -> bool:
    """Whether words in a conversation ask for another picture rather than a change to the last."""
    return _ANEW.match(prompt) is not None


def abridged(value: Any) -> Any:
    """A copy of a request's JSON with each picture replaced by `data:<type>;sha256=<hex>;bytes=<n>`."""
    if isinstance(value, Mapping):
        return {key: abridged(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return fingerprint("application/octet-stream", value)
    if isinstance(value, str):
        return _abridged_url(value) if value.startswith("data:") and ";base64," in value else value
    if isinstance(value, Sequence):
        return [abridged(item) for item in value]
    return value


def fingerprint(media_type: str, data: bytes) -> str:
    """How a picture stands in a call's record: `data:<type>;sha256=<hex>;bytes=<n>`."""
    return f"data:{media_type};sha256={hashlib.sha256(data).hexdigest()};bytes={len(data)}"


def _abridged_url(url: str) -> str:
    head, _, text = url.partition(",")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = text.encode()
    return fingerprint(head.removeprefix("data:").removesuffix(";base64"), data)
