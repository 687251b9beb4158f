"""From a request of the Images API to what is to be painted and what it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.images import errors, inputs, tokens
from sandbox.images.options import SHARED, Options, read_images
from sandbox.images.painter import Order
from sandbox.images.planning import BLOCKED_OUTPUT, FORBIDDEN, LONGEST_IDENTIFIER

Json = dict[str, Any]
_COMMON = SHARED | {"prompt", "n", "stream", "response_format", "safety_identifier", "user", "style"}
GENERATE = _COMMON
EDIT = (_COMMON - {"style", "moderation"}) | {"image", "images", "mask"}
LONGEST_PROMPT = 32_000
MOST_AT_ONCE = 10


@dataclass(frozen=True)
class ImagesPlan:
    """What an Images request comes to: the orders to paint, one usage for all, and how they will look."""

    orders: tuple[Order, ...]
    options: Options
    usage: tokens.ImageUsage
    safety_identifier: str | None

    def response(self, created: int, pictures: Sequence[str], *, usage: bool, details: bool) -> Json:
        """The answer's body for base64 `pictures`."""
        first = self.orders[0]
        body: Json = {
            "created": created,
            "background": "transparent" if first.transparent else "opaque",
            "data": [{"b64_json": picture} for picture in pictures],
            "output_format": self.options.output_format,
            "quality": self.options.settled_quality,
            "size": f"{first.width}x{first.height}",
        }
        if self.safety_identifier:
            body["safety_identifier"] = self.safety_identifier
        if usage:
            body["usage"] = self.usage.as_json(details=details, cache=False)
        return body


def plan_images(
    body: Mapping[str, Any], now: float, request_id: str, variant: Callable[[str], int], *, edit: bool
) -> ImagesPlan:
    """Check an Images request and settle its cost. Raises `Refusal`.

    Pictures of an edit are bytes (from a form) under `image` and `mask`, or data URLs (from JSON) under
    `images` and `mask`.
    """
    options = read_images(body, now, EDIT if edit else GENERATE, masked=body.get("mask") is not None)
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise errors.missing("prompt")
    if len(prompt) > LONGEST_PROMPT:
        raise errors.too_long("prompt", LONGEST_PROMPT, len(prompt))
    if body.get("stream"):
        raise errors.unsupported("stream", "This stand-in does not stream the Images API.")
    if body.get("response_format") is not None:
        raise errors.unknown_parameter("response_format")
    count = _count(body)
    identifier = body.get("safety_identifier")
    if identifier is not None and len(str(identifier)) > LONGEST_IDENTIFIER:
        raise errors.too_long("safety_identifier", LONGEST_IDENTIFIER, len(str(identifier)))
    pictures = _pictures(body) if edit else ()
    mask = _mask(body, pictures) if edit else None
    for word, stage in ((FORBIDDEN, "input"), (BLOCKED_OUTPUT, "output")):
        if word in prompt.lower():
            raise errors.moderation_blocked(stage, ["other" if stage == "input" else "violence"], request_id)
    width, height = options.settled_size((pictures[0].width, pictures[0].height) if pictures else None)
    order = Order(
        prompt=prompt,
        width=width,
        height=height,
        output_format=options.output_format,
        compression=options.compression,
        transparent=options.background == "transparent",
        parents=tuple(picture.data for picture in pictures),
        mask=mask,
    )
    orders = tuple(replace(order, variant=variant(f"{prompt}\n{len(pictures)}")) for _ in range(count))
    drawn = tokens.picture_tokens(options.model.family, options.settled_quality, width, height)
    usage = tokens.ImageUsage(
        text=tokens.text_tokens(prompt),
        image=sum(tokens.input_picture_tokens(picture.width, picture.height) for picture in pictures),
        output=drawn * count,
    )
    return ImagesPlan(orders, options, usage, str(identifier) if identifier else None)


def _count(body: Mapping[str, Any]) -> int:
    count = body.get("n")
    if count is None:
        return 1
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
        raise errors.bad_number("n", 1, MOST_AT_ONCE, count)
    return count


def _pictures(body: Mapping[str, Any]) -> tuple[inputs.Picture, ...]:
    given = body.get("image") or body.get("images")
    parts = given if isinstance(given, list | tuple) else [given] if given else []
    if not parts:
        raise errors.missing("image")
    if len(parts) > inputs.MOST_PICTURES:
        raise errors.unsupported("image", f"Too many images: at most {inputs.MOST_PICTURES} are allowed.")
    return tuple(_picture(part, index + 1) for index, part in enumerate(parts))


def _picture(part: Any, position: int) -> inputs.Picture:
    if isinstance(part, bytes):
        return inputs.check_picture(part, position)
    if isinstance(part, Mapping):
        return inputs.read_data_url(part, f"images[{position - 1}].image_url", position)
    raise errors.invalid_type(f"images[{position - 1}]", "an object with image_url")


def _mask(body: Mapping[str, Any], pictures: tuple[inputs.Picture, ...]) -> bytes | None:
    given = body.get("mask")
    if given is None:
        return None
    data = given if isinstance(given, bytes) else inputs.read_data_url(given, "mask.image_url", 1).data
    return inputs.check_mask(data, (pictures[0].width, pictures[0].height))
