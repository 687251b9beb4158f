"""The tokens that the API counted, beside those that a price was computed from beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.doctor.finding import Finding, Grade
from bot.doctor.live_calls import Call, Trials
from darkroom.rendering.job import Answer
from darkroom.spending.bound import estimated_host_tokens, picture_tokens
from darkroom.spending.classes import TokenClass

CHECK = "live.tokens"


def token_finding(made: list[tuple[Call, Answer, Trials]]) -> Finding:
    """One finding for all calls that brought a picture. Above a ceiling, or without usage, it is a warning;
    where the family has a formula and no ceiling, the picture's own tokens must be exactly those."""
    if not made:
        return Finding(CHECK, Grade.SKIP, "no picture came")
    said: list[str] = []
    odd = False
    for call, answer, trials in made:
        words, is_odd = _compared(call, answer, trials)
        said.append(f"{call.job.candidate.endpoint}: {words}")
        odd = odd or is_odd
    remedy = "Correct the numbers of the family in a file of your own (catalogue.file)." if odd else ""
    return Finding(CHECK, Grade.WARN if odd else Grade.PASS, "; ".join(said), remedy)


def _compared(call: Call, answer: Answer, trials: Trials) -> tuple[str, bool]:
    usage, host = answer.image_usage, answer.host_usage
    formula = picture_tokens(call.ask, trials.model)
    output = _count(usage, "output_tokens")
    inputs = _count(usage, "input_tokens")
    at_most = trials.model.tokens.ceiling_factor != 1
    wrong = output is None or (output > formula if at_most else output != formula)
    said = f"picture {_told(output)} ({'at most ' if at_most else ''}{formula:,} by the formula)"
    said += f", its text {_told(inputs)} ({call.ask.prompt_bytes:,} bytes of prompt)"
    if call.ask.host_model is not None:
        likely = estimated_host_tokens(call.ask, trials.model.tokens)
        told_in, told_out = _count(host, "input_tokens"), _count(host, "output_tokens")
        said += (
            f", host in {_told(told_in)} ({likely[TokenClass.host_input]:,} expected)"
            f", host out {_told(told_out)} ({call.ask.max_output_tokens:,} at most)"
        )
        wrong = wrong or told_in is None or told_out is None
    cost = trials.charged(call, answer)
    if cost.cost.total_nano_usd > call.bound_nano_usd:
        return f"{said}; it cost more than the most that was computed", True
    if cost.flags:
        return f"{said}; charged with {', '.join(sorted(cost.flags))}", True
    return said, wrong


def _count(usage: Mapping[str, Any] | None, name: str) -> int | None:
    value = (usage or {}).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _told(count: int | None) -> str:
    return "not reported" if count is None else f"{count:,} tokens"
