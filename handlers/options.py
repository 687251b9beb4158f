"""Reading ``--options`` out of what a person typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from darkroom.spending.catalogue import Catalogue
from darkroom.spending.models import CatalogueProblem, ImageModel, RetiredModel, UnpricedModel
from darkroom.spending.sizes import BadSize, check_size, parse_size, size_for_ratio
from darkroom.turns.intake import PROMPT_CHARACTERS_MAX
from darkroom.turns.model import WANTED_MAX, Options

VALUED = ("size", "ar", "quality", "n", "background", "model", "format")
FLAGS = ("private", "public", "transparent")
"""What stands alone: the word behind it belongs to the prompt."""
NAMES = (*VALUED, *FLAGS)
FORMATS = ("png", "jpeg")
"""What Slack shows as a picture and the image models paint (Slack shows no WebP)."""
BACKGROUNDS = ("transparent", "opaque")
VALUE_SHOWN_MAX = 60

_ALIASES = {"number": "n"}
_SINGLE = "|".join(name for name in NAMES if name != "n")
# Phones turn "--" into one of the longer dashes; one short dash counts before our own names only, and
# before an "n" only if a number follows.
_OPTION = re.compile(
    rf"(?<!\S)(?P<dash>--|[\u2012-\u2015]{{1,2}}|-(?=(?i:{_SINGLE})(?:[=:\s]|$))|-(?=[nN][=:\s]\s*[0-9]))"
    r"(?P<name>[A-Za-z][\w-]*)(?P<sign>[=:]|(?=\s)|$)"
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


@dataclass(frozen=True, slots=True)
class Said:
    """What a person typed: the prompt, its options, how many pictures, and whether only they are to see them
    (None where they did not say)."""

    prompt: str
    options: Options = field(default_factory=Options)
    wanted: int = 1
    private: bool | None = None


def read_options(text: str, rules: OptionRules, on: date, *, strict: bool = True) -> Said:
    """Split *text* into its prompt and what its options say, checked for the models of that day.

    Raises ``BadOption``. Without *strict*, ``--words`` that are no option of ours stay in the prompt.
    """
    prompt, given = _split(text, strict=strict)
    if len(prompt) > PROMPT_CHARACTERS_MAX:
        raise BadOption(
            f"The prompt has {len(prompt):,} characters; at most {PROMPT_CHARACTERS_MAX:,} are possible. "
            "Shorten it and send it again."
        )
    wanted, private = _wanted(given.pop("n", None)), _private(given)
    return Said(prompt, checked_options(given, rules, on) if given else Options(), wanted, private)


def checked_options(given: Mapping[str, str], rules: OptionRules, on: date) -> Options:
    """Options by their names (``VALUED``, and ``transparent``) and what was typed for them, checked for the
    models of that day. Raises ``BadOption``."""
    model = _model(given.get("model", rules.model), rules, on)
    width, height = _size(given, model, rules)
    background, kind = _background(given), _format(given.get("format"), model)
    if background == "transparent":
        if kind == "jpeg":
            raise BadOption("A jpeg cannot be transparent. Leave --format out, or ask for --format png.")
        if "model" in given and model.transparency == "no":
            raise BadOption(
                f"{model.id} makes no transparent pictures. Leave --model out: one that can is used then."
            )
        # Whatever the settings or the thread say: only a png can be.
        kind = "png"
    return Options(
        width=width,
        height=height,
        quality=_quality(given.get("quality"), model, rules),
        model=given.get("model"),
        format=kind,
        background=background,
    )


def _split(text: str, *, strict: bool) -> tuple[str, dict[str, str]]:
    given: dict[str, str] = {}
    kept: list[str] = []
    begin = position = 0
    while (match := _OPTION.search(text, position)) is not None:
        name = _ALIASES.get(match["name"].lower(), match["name"].lower())
        if name not in NAMES:
            if strict and (match["dash"] == "--" or get_close_matches(name, NAMES, 1, 0.7)):
                raise BadOption(_unknown(match["dash"] + match["name"]))
            position = match.end()
            continue
        if name in given:
            raise BadOption(f"--{name} is given twice. Give it once.")
        given[name], position = _flag(text, match) if name in FLAGS else _value_of(name, text, match.end())
        kept.append(text[begin : match.start()].strip(" \t"))
        begin = position
    kept.append(text[begin:].strip(" \t"))
    return " ".join(part for part in kept if part).strip(), given


def _flag(text: str, match: re.Match[str]) -> tuple[str, int]:
    if match["sign"] and not text[match.end() : match.end() + 1].isspace() and match.end() < len(text):
        raise BadOption(f"--{match['name'].lower()} stands alone, without a value.")
    return "yes", match.end()


def _value_of(name: str, text: str, start: int) -> tuple[str, int]:
    value, end = _value(text, start)
    if not value:
        raise BadOption(f"--{name} needs a value, for example {_EXAMPLES[name]}.")
    return value, end


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


def _size(given: Mapping[str, str], model: ImageModel, rules: OptionRules) -> tuple[int | None, int | None]:
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


def _wanted(value: str | None) -> int:
    if value is None:
        return 1
    if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) <= WANTED_MAX):
        raise BadOption(
            f"--n is how many pictures to make, 1 to {WANTED_MAX}; {_shown(value)} is none of them. "
            "Each has its own price."
        )
    return int(value)


def _private(given: dict[str, str]) -> bool | None:
    private, public = (given.pop(name, None) is not None for name in ("private", "public"))
    if private and public:
        raise BadOption("--private and --public contradict each other. Give one of them.")
    return True if private else False if public else None


def _background(given: Mapping[str, str]) -> str | None:
    value = given.get("background", "").lower()
    if "transparent" in given:
        if value == "opaque":
            raise BadOption("--transparent and --background opaque contradict each other. Give one of them.")
        return "transparent"
    if value and value not in BACKGROUNDS:
        raise BadOption(f"--background is {_either(BACKGROUNDS)}; {_shown(value)} is none of them.")
    return value or None


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
    "size": "--size square, --size landscape, --size banner or --size 1536x1024",
    "n": "--n 3",
    "background": "--background transparent or --background opaque",
    "ar": "--ar 16:9",
    "quality": "--quality low, --quality medium or --quality high",
    "model": "--model gpt-image-2",
    "format": "--format png or --format jpeg",
}
