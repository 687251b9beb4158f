"""Reading ``--options`` out of what a person typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from darkroom.spending.catalogue import Catalogue
from darkroom.spending.models import CatalogueProblem, ImageModel, RetiredModel, UnpricedModel
from darkroom.spending.sizes import BadSize, check_size, parse_size, size_for_ratio
from darkroom.turns.intake import PROMPT_CHARACTERS_MAX
from darkroom.turns.model import Options

NAMES = ("size", "ar", "quality", "model", "format")
FORMATS = ("png", "jpeg")
"""What Slack shows as a picture and the image models paint (Slack shows no WebP)."""
VALUE_SHOWN_MAX = 60

# Phones turn "--" into one of the longer dashes; one short dash counts before our own names only.
_OPTION = re.compile(
    rf"(?<!\S)(?P<dash>--|[\u2012-\u2015]{{1,2}}|-(?=(?i:{'|'.join(NAMES)})(?:[=:\s]|$)))"
    r"(?P<name>[A-Za-z][\w-]*)(?:[=:]|(?=\s)|$)"
)
_VALUE = re.compile(
    r'''[ \t\u00a0]*(?:"([^"\n]*)"'''
    r"|[\u201c-\u201e]([^\u201c-\u201e\n]*)[\u201c-\u201e]"
    r"|'([^'\n]*)'"
    r"|[\u2018-\u201a]([^\u2018-\u201a\n]*)[\u2018-\u201a]"
    r"|(\S+))"
)


class BadOption(ValueError):
    """An option is wrong; the message is a sentence that says what is allowed (plain text, not escaped).
    ``unpriced`` is set where a model lacks only a price: an admin can do something about that."""

    def __init__(self, sentence: str, unpriced: UnpricedModel | None = None) -> None:
        super().__init__(sentence)
        self.unpriced = unpriced


@dataclass(frozen=True, slots=True)
class OptionRules:
    """What options are checked against: the catalogue, and what is used where a person says nothing."""

    catalogue: Catalogue
    model: str
    quality: str
    width: int
    height: int
    format: str


def read_options(text: str, rules: OptionRules, on: date, *, strict: bool = True) -> tuple[str, Options]:
    """Split *text* into its prompt and its options, checked for the models of that day.

    Raises ``BadOption``. Without *strict*, ``--words`` that are no option of ours stay in the prompt.
    """
    prompt, given = _split(text, strict=strict)
    if len(prompt) > PROMPT_CHARACTERS_MAX:
        raise BadOption(
            f"The prompt has {len(prompt):,} characters; at most {PROMPT_CHARACTERS_MAX:,} are possible. "
            "Shorten it and send it again."
        )
    if not given:
        return prompt, Options()
    model = _model(given.get("model", rules.model), rules, on)
    width, height = _size(given, model, rules)
    return prompt, Options(
        width=width,
        height=height,
        quality=_quality(given.get("quality"), model, rules),
        model=given.get("model"),
        format=_format(given.get("format"), model),
    )


def _split(text: str, *, strict: bool) -> tuple[str, dict[str, str]]:
    given: dict[str, str] = {}
    kept: list[str] = []
    begin = position = 0
    while (match := _OPTION.search(text, position)) is not None:
        name = match["name"].lower()
        if name not in NAMES:
            if strict and (match["dash"] == "--" or get_close_matches(name, NAMES, 1, 0.7)):
                raise BadOption(_unknown(match["dash"] + match["name"]))
            position = match.end()
            continue
        if name in given:
            raise BadOption(f"--{name} is given twice. Give it once.")
        value, position = _value(text, match.end())
        if not value:
            raise BadOption(f"--{name} needs a value, for example {_EXAMPLES[name]}.")
        given[name] = value
        kept.append(text[begin : match.start()].strip(" \t"))
        begin = position
    kept.append(text[begin:].strip(" \t"))
    return " ".join(part for part in kept if part).strip(), given


def _value(text: str, start: int) -> tuple[str, int]:
    if _OPTION.match(text, _after_blanks(text, start)):
        return "", start
    match = _VALUE.match(text, start)
    if match is None:
        return "", start
    found = next((value for value in match.groups() if value is not None), "")
    return found.strip(), match.end()


def _after_blanks(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\u00a0":
        start += 1
    return start


def _unknown(option: str) -> str:
    known = ", ".join(f"--{name}" for name in NAMES)
    return f"{_shown(option)} is not an option. The options are {known}."


def _shown(value: str) -> str:
    return value if len(value) <= VALUE_SHOWN_MAX else value[:VALUE_SHOWN_MAX] + "…"


def _model(value: str, rules: OptionRules, on: date) -> ImageModel:
    try:
        return rules.catalogue.usable_image(value, on)
    except RetiredModel as error:
        raise BadOption(str(error)) from error
    except CatalogueProblem as error:
        usable = ", ".join(sorted(rules.catalogue.usable_images(on)))
        sentence = (
            f"The model {_shown(value)} cannot be used here. --model can be {usable}; "
            f"without it, {rules.model} is used."
        )
        raise BadOption(sentence, error if isinstance(error, UnpricedModel) else None) from error


def _size(given: dict[str, str], model: ImageModel, rules: OptionRules) -> tuple[int | None, int | None]:
    if "size" in given and "ar" in given:
        raise BadOption("--size and --ar both say how large the picture is. Give one of them.")
    reader: Callable[[str], tuple[int, int]] = size_for_ratio if "ar" in given else parse_size
    value = given.get("ar", given.get("size"))
    try:
        width, height = (rules.width, rules.height) if value is None else reader(value)
        check_size(model, width, height)
    except BadSize as error:
        raise BadOption(str(error)) from error
    return (None, None) if value is None else (width, height)


def _quality(value: str | None, model: ImageModel, rules: OptionRules) -> str | None:
    allowed = model.qualities
    if value is None:
        if allowed and rules.quality not in (*allowed, "auto"):
            raise BadOption(f"{model.id} needs --quality: {_either(allowed)}.")
        return None
    if value.lower() not in allowed:
        raise BadOption(f"--quality is {_either(allowed)} for {model.id}; {_shown(value)} is none of them.")
    return value.lower()


def _format(value: str | None, model: ImageModel) -> str | None:
    if value is None:
        return None
    wanted = {"jpg": "jpeg"}.get(value.lower(), value.lower())
    allowed = [name for name in FORMATS if name in model.formats]
    if wanted not in allowed:
        raise BadOption(f"--format is {_either(allowed)}; {_shown(value)} is none of them.")
    return wanted


def _either(values: list[str] | tuple[str, ...]) -> str:
    if not values:
        return "not to be given"
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


_EXAMPLES = {
    "size": "--size square, --size landscape, --size portrait or --size 1536x1024",
    "ar": "--ar 16:9",
    "quality": "--quality low, --quality medium or --quality high",
    "model": "--model gpt-image-2",
    "format": "--format png or --format jpeg",
}
