"""How a picture is wanted: read from the image tool or an Images request, and refused like the API does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images import errors
from sandbox.images.models import DEFAULT_TOOL_MODEL, IMAGE_MODELS, RETIRED, Model

SHARED = frozenset(
    {
        "model", "size", "quality", "output_format", "output_compression", "background", "moderation",
        "partial_images", "input_fidelity", "complexity", "frame_count", "frame_duration_ms", "svg",
    }
)  # fmt: skip
TOOL = SHARED | {"type", "action", "input_image_mask"}
LONGEST_EDGE = 3_840
FEWEST_PIXELS = 655_360
MOST_PIXELS = 8_294_400
_FAMILY_1_SIZES = ("1024x1024", "1024x1536", "1536x1024")


@dataclass(frozen=True)
class Options:
    """Checked options. `size` is `auto` or `WIDTHxHEIGHT`; everything else is settled but `auto` quality."""

    model: Model
    size: str = "auto"
    quality: str = "auto"
    output_format: str = "png"
    compression: int = 100
    background: str = "auto"
    moderation: str = "auto"
    partial_images: int = 0
    action: str = "auto"

    @property
    def settled_quality(self) -> str:
        """The quality that is drawn and billed: `auto` is medium here."""
        return "medium" if self.quality == "auto" else self.quality

    def settled_size(self, parent: tuple[int, int] | None) -> tuple[int, int]:
        """Width and height in pixels; `auto` keeps the size of the picture being edited if it is legal."""
        if self.size != "auto":
            width, _, height = self.size.partition("x")
            return int(width), int(height)
        if parent is not None and _wrong_size(self.model.family, f"{parent[0]}x{parent[1]}") is None:
            return parent
        return 1_024, 1_024

    def as_tool(self) -> dict[str, object]:
        """The tool as a response repeats it."""
        return {
            "type": "image_generation",
            "action": self.action,
            "background": self.background,
            "model": self.model.id,
            "moderation": self.moderation,
            "n": 1,
            "output_compression": self.compression,
            "output_format": self.output_format,
            "partial_images": self.partial_images,
            "quality": self.quality,
            "size": self.size,
        }


def read_tool(tool: Mapping[str, Any], now: float, *, masked: bool) -> Options:
    """The options of `tools[0]`. Raises `Refusal` for what the API would refuse."""
    for name in tool:
        if name not in TOOL:
            raise errors.unknown_parameter(f"tools[0].{name}")
    wanted = str(tool.get("model") or DEFAULT_TOOL_MODEL)
    model = IMAGE_MODELS.get(wanted)
    if wanted in RETIRED or (model is not None and not model.alive(now)):
        raise errors.model_not_found(wanted)
    if model is None:
        raise errors.invalid_value("tools[0].model", wanted, tuple(IMAGE_MODELS))
    return _read(tool, model, "tools[0].", masked=masked)


def read_images(body: Mapping[str, Any], now: float, allowed: frozenset[str], *, masked: bool) -> Options:
    """The options of an Images request, whose parameters are `allowed`. Raises `Refusal`."""
    for name in body:
        if name not in allowed:
            raise errors.unknown_parameter(name)
    wanted = body.get("model")
    if not wanted:
        raise errors.missing("model")
    model = IMAGE_MODELS.get(str(wanted))
    if model is None or not model.alive(now):
        raise errors.image_model_gone(str(wanted))
    return _read(body, model, "", masked=masked)


def _read(raw: Mapping[str, Any], model: Model, where: str, *, masked: bool) -> Options:
    """The options both endpoints share; `where` goes before their names in an error."""
    options = Options(
        model=model,
        size=str(raw.get("size") or "auto"),
        quality=_one_of(raw, "quality", model.qualities, "auto", where),
        output_format=_one_of(raw, "output_format", model.formats, "png", where),
        compression=_number(raw, "output_compression", 0, 100, 100, where),
        background=_one_of(raw, "background", ("transparent", "opaque", "auto"), "auto", where),
        moderation=_one_of(raw, "moderation", ("auto", "low"), "auto", where),
        partial_images=_number(raw, "partial_images", 0, 3, 0, where),
        action=_one_of(raw, "action", ("generate", "edit", "auto"), "auto", where),
    )
    why = None if options.size == "auto" else _wrong_size(model.family, options.size)
    if why is not None:
        raise errors.bad_size(options.size, why)
    if options.background == "transparent" and (
        model.family == "2" or options.output_format not in ("png", "webp")
    ):
        raise errors.transparency_unsupported()
    if raw.get("input_fidelity") is not None and model.family != "1":
        raise errors.fidelity_unsupported(model.id)
    _check_family_26(raw, options, where, masked=masked)
    return options


def _check_family_26(raw: Mapping[str, Any], options: Options, where: str, *, masked: bool) -> None:
    """What only family 2.6 knows, and what a GIF cannot have."""
    if raw.get("complexity") is not None:
        _one_of(raw, "complexity", ("low", "medium", "high"), "medium", where)
        if options.model.family != "2.6":
            raise errors.unsupported("complexity", "The model does not support the 'complexity' parameter.")
    gif = options.output_format == "gif"
    for name, low, high in (("frame_count", 2, 16), ("frame_duration_ms", 10, 655_350)):
        if raw.get(name) is not None:
            _number(raw, name, low, high, low, where)
            if not gif:
                raise errors.unsupported(name, f"'{name}' requires output_format to be 'gif'.")
    if gif and (options.partial_images or masked or raw.get("output_compression") is not None):
        raise errors.unsupported(
            "output_format", "GIF output does not support partial images, masks or custom compression."
        )
    if raw.get("svg") is not None and options.output_format != "svg":
        raise errors.unsupported("svg", "'svg' requires output_format to be 'svg'.")


def _wrong_size(family: str, size: str) -> str | None:
    """Why no model of the family draws `size` (`WIDTHxHEIGHT`), or None when it does."""
    if family == "1":
        listed = ", ".join(_FAMILY_1_SIZES)
        return None if size in _FAMILY_1_SIZES else f"Supported sizes are {listed}, and auto."
    if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", size):
        return "Expected WIDTHxHEIGHT or auto."
    width, height = (int(side) for side in size.split("x"))
    if width % 16 or height % 16:
        return "Width and height must both be divisible by 16."
    if max(width, height) > LONGEST_EDGE:
        return f"The longest edge must be less than or equal to {LONGEST_EDGE}."
    if max(width, height) > 3 * min(width, height):
        return "The aspect ratio must be between 1:3 and 3:1."
    if width * height < FEWEST_PIXELS:
        return "Requested resolution is below the current minimum pixel budget."
    if width * height > MOST_PIXELS:
        return "Requested resolution is above the current maximum pixel budget."
    return None


def _one_of(raw: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str, where: str) -> str:
    value = raw.get(name)
    if value is None:
        return default
    if value not in allowed:
        raise errors.invalid_value(f"{where}{name}", value, allowed)
    return str(value)


def _number(raw: Mapping[str, Any], name: str, low: int, high: int, default: int, where: str) -> int:
    value = raw.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise errors.bad_number(f"{where}{name}", low, high, value)
    return value
