"""What one call asked for, in a few words, so that a test can say what must have left the product."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images.models import DEFAULT_TOOL_MODEL

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """The gist of a request for pictures; everything None that was not said.

    `prompt` is the newest words of a person; `parent` the `previous_response_id`; `pictures` the SHA-256 of
    every picture sent along, in their order; `mask` that of the mask; `host` the model the tool runs on.
    """

    prompt: str
    parent: str | None
    pictures: tuple[str, ...]
    mask: str | None
    host: str | None
    model: str | None
    size: str | None
    quality: str | None
    background: str | None
    output_format: str | None
    action: str | None
    safety_identifier: str | None


def asked(endpoint: str, body: Mapping[str, Any]) -> Asked:
    """The gist of a recorded body (`Call.body`), of `/v1/responses` or of the Images API."""
    if endpoint.startswith("images."):
        given = body.get("image") or body.get("images") or []
        parts = given if isinstance(given, list) else [given]
        prompt, pictures = str(body.get("prompt") or ""), [_digest(part) for part in parts]
        return _gist(prompt, pictures, body, body, mask=body.get("mask"), host=None)
    tools = body.get("tools") or [{}]
    tool = tools[0] if isinstance(tools[0], Mapping) else {}
    prompt, found = "", list[str | None]()
    for role, parts in _messages(body.get("input")):
        said = [str(p.get("text", "")) for p in parts if p.get("type") in ("input_text", "output_text")]
        prompt = "\n".join(said) if role == "user" else prompt
        found += [_digest(part) for part in parts if part.get("type") == "input_image"]
    model = tool.get("model") or DEFAULT_TOOL_MODEL
    mask = tool.get("input_image_mask")
    return _gist(prompt, found, body, {**tool, "model": model}, mask=mask, host=body.get("model"))


def _messages(given: object) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    for item in items:
        content = item.get("content") if isinstance(item, Mapping) else None
        if isinstance(content, str):
            yield str(item.get("role")), [{"type": "input_text", "text": content}]
        elif isinstance(content, list):
            yield str(item.get("role")), [part for part in content if isinstance(part, Mapping)]


def _digest(part: object) -> str | None:
    """The SHA-256 out of a picture's fingerprint in a record."""
    url = part.get("image_url") if isinstance(part, Mapping) else part
    _, found, rest = str(url or "").partition(";sha256=")
    return rest.partition(";")[0] if found else None


def _gist(
    prompt: str,
    pictures: list[str | None],
    body: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    mask: object,
    host: object,
) -> Asked:
    def said(name: str) -> str | None:
        return None if options.get(name) is None else str(options[name])

    return Asked(
        prompt=prompt,
        parent=body.get("previous_response_id"),
        pictures=tuple(picture for picture in pictures if picture is not None),
        mask=_digest(mask),
        host=None if host is None else str(host),
        model=said("model"),
        size=said("size"),
        quality=said("quality"),
        background=said("background"),
        output_format=said("output_format"),
        action=said("action"),
        safety_identifier=body.get("safety_identifier"),
    )
