"""From a request of `POST /v1/responses` to a job: every check, what the host decides, and what it costs."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.images import errors, inputs, tokens
from sandbox.images.faults import Fault
from sandbox.images.memory import Memory, Remembered, Shown
from sandbox.images.models import HOST_MODELS
from sandbox.images.options import Options, read_tool
from sandbox.images.painter import Order
from sandbox.images.performance import Job

Json = dict[str, Any]
TOP_LEVEL = frozenset(
    {
        "background", "conversation", "include", "input", "instructions", "max_output_tokens",
        "max_tool_calls", "metadata", "model", "parallel_tool_calls", "previous_response_id",
        "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
        "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
        "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip
LONGEST_IDENTIFIER = 128
FORBIDDEN = "forbidden"
BLOCKED_OUTPUT = "blocked-output"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_REVISED_BYTES = 600
_CALL_TOKENS = 40


@dataclass(frozen=True)
class Plan:
    """A job, and what will be remembered when it has a picture or none."""

    job: Job
    tokens: int
    subject: str
    shown: Shown | None
    line: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A checked request: its words and pictures, the options of its tool, and what it continues."""

    ask: inputs.Ask
    options: Options | None
    mask: bytes | None
    parent: Remembered | None


def read(body: Mapping[str, Any], memory: Memory, now: float, request_id: str) -> Reading:
    """Check a request against everything the API checks before it starts. Raises `Refusal`."""
    _check_top_level(body)
    host = HOST_MODELS.get(str(body["model"]))
    if host is None or not host.alive(now):
        raise errors.model_not_found(str(body["model"]))
    tool = _tool(body)
    if tool is not None and not host.hosts:
        raise errors.tool_unsupported(host.id)
    mask_part = tool.get("input_image_mask") if tool else None
    options = read_tool(tool, now, masked=mask_part is not None) if tool is not None else None
    ask = inputs.read_input(body.get("input"))
    parent = _parent(body, ask, memory)
    if FORBIDDEN in ask.prompt.lower():
        raise errors.moderation_blocked("input", ["other"], request_id)
    if options and options.action == "edit" and not ask.pictures and not (parent and parent.shown):
        raise errors.unsupported("tools[0].action", "Action 'edit' requires an image in the context.")
    mask = None
    if isinstance(mask_part, Mapping):
        mask = inputs.read_data_url(mask_part, "tools[0].input_image_mask.image_url", 1).data
        mask = inputs.check_mask(mask, _masked_size(ask, parent))
    return Reading(ask, options, mask, parent)


def _masked_size(ask: inputs.Ask, parent: Remembered | None) -> tuple[int, int]:
    """Width and height of the picture that a mask is for: the first one sent, or the one shown before."""
    if ask.pictures:
        return ask.pictures[0].width, ask.pictures[0].height
    if parent is not None and parent.shown is not None:
        return parent.shown.width, parent.shown.height
    raise errors.bad_mask("A mask requires an image to edit.")


def plan(
    body: Mapping[str, Any],
    reading: Reading,
    fault: Fault,
    *,
    response_id: str,
    ids: tuple[str, str, str],
    now: float,
    variant: Callable[[str], int],
) -> Plan:
    """Decide and settle everything about the answer but the picture itself."""
    ask, options, parent = reading.ask, reading.options, reading.parent
    decision = "nothing" if fault.no_picture else _decide(body, ask, options, fault)
    seen = _seen(ask, parent)
    edits = bool(seen) and options is not None and options.action != "generate" and not (
        options.action == "auto" and not ask.pictures and inputs.wants_anew(ask.prompt)
    )  # fmt: skip
    order = None
    if decision == "picture" and options is not None:
        order = _order(ask, options, reading.mask, _laid_out(reading, seen) if edits else ())
        order = replace(order, variant=variant(f"{order.prompt}\n{len(order.parents)}"))
    words = _words(ask, parent) if decision == "words" else ""
    revised = _revised(ask.prompt, edits) if decision in ("picture", "blocked") else ""
    decision, host = _host_usage(body, reading, decision, words, revised)
    if decision == "incomplete":
        order = None
    image = _image_usage(options, order, reading, revised) if options and order else None
    job = Job(
        response_id=response_id,
        ids=ids,
        created_at=int(now),
        request=body,
        options=options,
        decision=decision,
        words=words,
        action="edit" if edits else "generate",
        revised_prompt=revised,
        order=order,
        host=host,
        image=image,
        fault=fault,
    )
    heard = host.input - _fixed_input(body, options) + host.output - host.reasoning
    made = tokens.input_picture_tokens(order.width, order.height) if order else 0
    last = seen[0] if seen else None
    line = (*parent.line, str(parent.response["id"])) if parent else ()
    return Plan(job, heard + made, _subject(ask, parent, order), last, line)


def _check_top_level(body: Mapping[str, Any]) -> None:
    """The parameters that are checked whatever the input is."""
    for name in body:
        if name not in TOP_LEVEL:
            raise errors.unknown_parameter(name)
    if not body.get("model"):
        raise errors.missing("model")
    identifier = body.get("safety_identifier")
    if identifier is not None and len(str(identifier)) > LONGEST_IDENTIFIER:
        raise errors.too_long("safety_identifier", LONGEST_IDENTIFIER, len(str(identifier)))
    effort = (body.get("reasoning") or {}).get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise errors.invalid_value("reasoning.effort", effort, _EFFORTS)
    for name, low in (("max_output_tokens", 16), ("max_tool_calls", 1)):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
            raise errors.bad_number(name, low, 2**31 - 1, value)
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, Mapping) or len(metadata) > 16:
        raise errors.invalid_type("metadata", "an object with at most 16 keys")
    for key, value in metadata.items():
        if len(key) > 64 or not isinstance(value, str) or len(value) > 512:
            raise errors.too_long(f"metadata.{key[:64]}", 512, len(str(value)))


def _tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The image tool of the request, or None; any other tool is refused."""
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind != "image_generation":
            raise errors.invalid_value(f"tools[{index}].type", kind, ("image_generation",))
    choice = body.get("tool_choice") or "auto"
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if kind not in ("auto", "none", "required", "image_generation") or (
        kind == "image_generation" and not isinstance(choice, Mapping)
    ):
        raise errors.invalid_value("tool_choice", kind, ("none", "auto", "required"))
    if kind == "image_generation" and not tools:
        raise errors.Refusal(
            400, "Tool choice 'image_generation' not found in 'tools' parameter.", param="tool_choice"
        )
    return tools[0] if tools else None


def _parent(body: Mapping[str, Any], ask: inputs.Ask, memory: Memory) -> Remembered | None:
    """The response this one continues, by its id or by its picture's item."""
    previous = body.get("previous_response_id")
    if previous is not None:
        found = memory.find(str(previous))
        if found is None or not found.stored or not found.finished or memory.broken(found):
            raise errors.previous_response_not_found(str(previous))
        return found
    owner = None
    for item_id in ask.item_ids:
        owner = memory.owner_of(item_id)
        if owner is None or not owner.stored:
            raise errors.item_not_persisted(item_id)
        if owner.items[0] not in ask.reasoning_ids:
            raise errors.item_without_reasoning(item_id, owner.items[0])
    return owner


def _decide(body: Mapping[str, Any], ask: inputs.Ask, options: Options | None, fault: Fault) -> str:
    """What the answer will be, before its length is known."""
    choice = body.get("tool_choice") or "auto"
    if options is None or choice == "none":
        decision = "words"
    elif choice == "auto":
        decision = inputs.wants(ask.prompt)
    else:
        decision = "picture"
    if decision == "picture" and (fault.blocked or BLOCKED_OUTPUT in ask.prompt.lower()):
        return "blocked"
    return decision


def _seen(ask: inputs.Ask, parent: Remembered | None) -> tuple[Shown, ...]:
    """The pictures in sight, what was sent now before what was made earlier."""
    sent = tuple(Shown(base64.b64encode(p.data).decode(), p.width, p.height) for p in ask.pictures)
    return sent + ((parent.shown,) if parent and parent.shown else ())


def _laid_out(reading: Reading, seen: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """The one to be changed first: the conversation's, to which others are added; a mask is for one sent."""
    if reading.mask is not None or reading.parent is None or reading.parent.shown is None:
        return seen
    return (seen[-1], *seen[:-1])


def _order(ask: inputs.Ask, options: Options, mask: bytes | None, seen: tuple[Shown, ...]) -> Order:
    width, height = options.settled_size((seen[0].width, seen[0].height) if seen else None)
    return Order(
        prompt=ask.prompt,
        width=width,
        height=height,
        output_format=options.output_format,
        compression=options.compression,
        transparent=options.background == "transparent",
        parents=tuple(base64.b64decode(shown.base64) for shown in seen),
        mask=mask,
    )


def _fixed_input(body: Mapping[str, Any], options: Options | None) -> int:
    """Host input that does not grow with the conversation: the tool's description and the instructions."""
    instructions = tokens.text_tokens(str(body.get("instructions") or ""))
    return instructions + (tokens.TOOL_OVERHEAD if options else 0)


def _host_usage(
    body: Mapping[str, Any], reading: Reading, decision: str, words: str, revised: str
) -> tuple[str, tokens.HostUsage]:
    """What the host model costs; an answer that would be too long becomes `incomplete`."""
    ask, prior = reading.ask, reading.parent.tokens if reading.parent else 0
    fixed = _fixed_input(body, reading.options)
    sent = sum(tokens.input_picture_tokens(p.width, p.height) for p in ask.pictures)
    read_in = fixed + prior + tokens.text_tokens(ask.text) + sent
    cached = tokens.cached_prefix(fixed + prior) if reading.parent else 0
    written = (read_in - cached) // 128 * 128 if body["model"] == "gpt-6.1-terra" else 0
    effort = (body.get("reasoning") or {}).get("effort") or "medium"
    reasoning = tokens.reasoning_tokens(effort)
    output = reasoning + tokens.text_tokens(words)
    if decision in ("picture", "blocked"):
        output += _CALL_TOKENS + tokens.text_tokens(revised)
    limit = body.get("max_output_tokens")
    if limit is not None and output > limit:
        return "incomplete", tokens.HostUsage(read_in, cached, written, limit, min(reasoning, limit))
    return decision, tokens.HostUsage(read_in, cached, written, output, reasoning)


def _image_usage(options: Options, order: Order, reading: Reading, revised: str) -> tokens.ImageUsage:
    """What the image model costs; a picture the conversation already showed is half in its cache."""
    sent = [tokens.input_picture_tokens(p.width, p.height) for p in reading.ask.pictures]
    earlier = 0
    if len(order.parents) > len(sent) and reading.parent and reading.parent.shown:
        earlier = tokens.input_picture_tokens(reading.parent.shown.width, reading.parent.shown.height)
    drawn = tokens.picture_tokens(options.model.family, options.settled_quality, order.width, order.height)
    return tokens.ImageUsage(
        text=tokens.text_tokens(revised),
        image=(sum(sent) if order.parents else 0) + earlier,
        output=drawn + tokens.PARTIAL_TOKENS * options.partial_images,
        cached_image=earlier // 128 * 64,
    )


def _revised(prompt: str, edits: bool) -> str:
    """The prompt as the host rewrote it, at most 600 bytes."""
    cut = prompt.strip().encode()[:_REVISED_BYTES].decode(errors="ignore")
    return f"{cut}. Keep everything else as it is." if edits else f"A cheerful picture: {cut}"


def _subject(ask: inputs.Ask, parent: Remembered | None, order: Order | None) -> str:
    """What the newest picture shows, in the words people used for it; the newest 300 characters."""
    before = parent.subject if parent else ""
    if order is None:
        return before
    return f"{before}; {ask.prompt}"[-300:] if before and order.parents else ask.prompt[:300]


def _words(ask: inputs.Ask, parent: Remembered | None) -> str:
    """What the host says when it answers in words."""
    if parent is not None and parent.subject:
        return f"The picture shows: {parent.subject}\nTell me what to change and I will draw it again."
    if ask.pictures:
        return "I see your picture. Tell me what to change and I will draw it."
    return "I draw pictures. Tell me what you would like to see."
