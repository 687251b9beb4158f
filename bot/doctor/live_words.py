"""What the probes of ``doctor --live`` say of what they saw."""

from __future__ import annotations

from collections.abc import Mapping

from bot.doctor.finding import Finding, Grade
from bot.doctor.live_calls import Call, Trials
from darkroom.rendering.job import Answer, Failure, FailureKind
from darkroom.rendering.probing import Background, Shutdown
from darkroom.spending.money import format_usd_exact

_REMEDIES: Mapping[FailureKind, str] = {
    FailureKind.KEY: "Make a new key of the project and put it into .env as OPENAI_API_KEY.",
    FailureKind.QUOTA: "Add credit, or raise the spend limit of the organisation or the project.",
    FailureKind.REGION: "The API does not serve the place that it is called from.",
    FailureKind.ACCESS: "Verify the organisation (platform.openai.com, Settings, Organization), or choose "
    "another model.",
    FailureKind.MODEL_GONE: "Choose another model: image.model and image.host_model in darkroom.toml.",
    FailureKind.RATE: "Wait a minute and try again.",
    FailureKind.UNREACHABLE: "Check the network, a proxy, and OPENAI_BASE_URL.",
}
TELL = "Tell Darkroom's maintainers what was seen."


def of_picture(check: str, call: Call, answer: Answer, took_s: float, trials: Trials) -> Finding:
    """The finding on a picture that was asked for."""
    failure, picture = answer.failure, answer.picture
    if failure is not None:
        remedy = _REMEDIES.get(failure.kind, TELL)
        return Finding(check, Grade.FAIL, f"no picture: {why(failure)}, after {took_s:.1f} s", remedy)
    if picture is None:
        return Finding(check, Grade.FAIL, f"an answer without a picture, after {took_s:.1f} s", TELL)
    cost = format_usd_exact(trials.charged(call, answer).cost.total_nano_usd)
    asked = call.job
    names = [name for name in (answer.image_model, answer.host_model) if name]
    said = (
        f"{picture.width}x{picture.height} {picture.format} of {picture.size_bytes:,} bytes in "
        f"{took_s:.1f} s for {cost}; answered by {' with '.join(names) or 'a model it does not name'}"
    )
    as_asked = (picture.width, picture.height, picture.format) == (asked.width, asked.height, asked.format)
    image = answer.image_model
    same_model = image is None or trials.catalogue.answered_image(image) is not None
    if as_asked and same_model:
        return Finding(check, Grade.PASS, said)
    said += f"; asked for were {asked.width}x{asked.height} {asked.format} by {asked.candidate.image_model}"
    return Finding(check, Grade.WARN, said, TELL)


def of_background(found: Background) -> Finding:
    """The finding on background mode."""
    check = "live.background"
    if found.refused is not None:
        return Finding(check, Grade.WARN, f"refused with the image tool: {why(found.refused)}")
    read = (
        f"can be read on ({found.read_on})"
        if found.not_read_on is None
        else f"cannot be read on: {why(found.not_read_on)}"
    )
    stopped = (
        f"can be cancelled ({found.cancelled})"
        if found.not_cancelled is None
        else f"cannot be cancelled: {why(found.not_cancelled)}"
    )
    end = found.end
    ended = "its end was not seen" if end is None or not end.status else f"it ended as {end.status}"
    works = found.not_read_on is None and found.not_cancelled is None
    said = f"taken with the image tool; {read}; {stopped}; {ended}. The bot does not use it"
    return Finding(check, Grade.PASS if works else Grade.WARN, said)


def of_shutdown(seen: Shutdown) -> str:
    """What the list of models says of one's end, in words."""
    if seen.failure is not None:
        return f"not known by the API ({why(seen.failure)})"
    if not seen.named:
        return "no shutdown_date in the list"
    return f"{seen.day or 'none'} by the API"


def why(failure: Failure) -> str:
    """The API's own name for it, and its words."""
    named = failure.code or failure.kind
    return f"{named} ({failure.message})" if failure.message else str(named)
