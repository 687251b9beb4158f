"""What the Details button shows, to the person who pressed it alone."""

from __future__ import annotations

from darkroom.spending.budgets import Balance
from darkroom.spending.classes import Cost, TokenClass
from darkroom.spending.money import format_usd, format_usd_exact
from darkroom.turns.model import Picture
from handlers.blocks.spend import balance_sentence
from handlers.blocks.text import Block, View, context, escape, mrkdwn, section, shown, truncate, when

PROMPT_MAX = 2_900
SPOKEN_PROMPT_MAX = 1_000

CLASS_NAMES = {
    TokenClass.text_input: "prompt text",
    TokenClass.cached_text_input: "prompt text, cached",
    TokenClass.image_input: "pictures read",
    TokenClass.cached_image_input: "pictures read, cached",
    TokenClass.image_output: "picture painted",
    TokenClass.host_input: "conversation read",
    TokenClass.host_cached_input: "conversation read, cached",
    TokenClass.host_cache_write: "conversation kept in the cache",
    TokenClass.host_output: "conversation written",
}
"""The classes of tokens in words."""


def details_view(picture: Picture, cost: Cost | None, balance: Balance | None, timezone: str) -> View:
    """How *picture* was made; *cost* by class where it is known, *balance* only for whoever asked for it."""
    facts = [
        ("Model", shown(picture.image_model, 200)),
        ("Endpoint", shown(_called(picture), 200)),
        ("Size", f"{picture.width}x{picture.height}"),
        ("Quality", shown(picture.quality, 200)),
        ("Cost", format_usd(picture.charged_nano_usd)),
        ("Time", f"{picture.seconds:.1f} s, {when(picture.created_at, timezone)}"),
        *([("Made from", _parent(picture))] if picture.parent_id is not None else []),
    ]
    blocks: list[Block] = [section(f"*Prompt of v{picture.version}*"), section(_long(picture.prompt))]
    if picture.revised_prompt:
        blocks += [section("*As the model reworded it*"), section(_long(picture.revised_prompt))]
    fields = [mrkdwn(f"*{name}*\n{value}") for name, value in facts]
    blocks.append({"type": "section", "fields": fields})
    lines = cost_lines(cost)
    if lines:
        blocks.append(section("*What the cost is made of*\n" + "\n".join(lines)))
    spoken = [f"Version {picture.version}. Prompt: {shown(picture.prompt, SPOKEN_PROMPT_MAX)}."]
    if picture.revised_prompt:
        spoken.append(f"Reworded by the model: {shown(picture.revised_prompt, SPOKEN_PROMPT_MAX)}.")
    spoken += [f"{name}: {value}." for name, value in facts]
    spoken += [f"{line}." for line in lines]
    if balance is not None:
        blocks.append(context(balance_sentence(balance)))
        spoken.append(balance_sentence(balance))
    return View(text=" ".join(spoken), blocks=tuple(blocks))


def _parent(picture: Picture) -> str:
    version = picture.parent_version
    return "a picture of another thread" if version is None else f"v{version}"


def cost_lines(cost: Cost | None) -> list[str]:
    """One line a class: "picture painted: 1,756 tokens, $0.05268"."""
    return [
        f"{CLASS_NAMES[line.token_class]}: {line.tokens:,} tokens, {format_usd_exact(line.charged_nano_usd)}"
        for line in (cost.lines if cost else ())
    ]


def _long(text: str) -> str:
    return escape(truncate(text.strip() or "–", PROMPT_MAX))  # noqa: RUF001 -- a dash for "nothing"


def _called(picture: Picture) -> str:
    """The endpoint, and who really answered where that was not OpenAI's own address."""
    return picture.endpoint if picture.provider == "openai" else f"{picture.endpoint} at {picture.provider}"
