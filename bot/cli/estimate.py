"""``darkroom estimate``: what a picture will cost, before anything is bought. Needs no data, token or key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from bot.settings import Settings
    from darkroom.spending.bound import Ask
    from darkroom.spending.catalogue import Catalogue, ImageModel
    from darkroom.spending.classes import Cost

REFERENCES_MAX = 16
"""The most pictures the image tool takes with a call (image tool reference)."""
REFERENCE_BYTES_MAX = 50_000_000
REFERENCE_PIXELS_MAX = 100_000_000
"""Beyond any camera: what claims to be larger is no picture to send."""
_KINDS = ("PNG", "JPEG", "WEBP", "GIF")


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line; None is "as the settings have it"."""

    prompt: str
    size: str | None
    quality: str | None
    model: str | None
    host_model: str | None
    references: tuple[Path, ...]


@dataclass(frozen=True)
class Estimate:
    """A call and what it costs."""

    ask: Ask
    likely: Cost
    largest: Cost


@click.command("estimate")
@click.argument("prompt")
@click.option(
    "--size",
    help="square, landscape, portrait, banner, story or 1536x1024; otherwise the setting image.size.",
)
@click.option("--quality", help="low, medium, high and what else the model knows; else image.quality.")
@click.option("--model", help="The image model; otherwise the setting image.model.")
@click.option("--host-model", help="The model that hosts the image tool; otherwise image.host_model.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A picture that is sent with the prompt; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@settings_options
def command(
    prompt: str,
    size: str | None,
    quality: str | None,
    model: str | None,
    host_model: str | None,
    references: tuple[Path, ...],
    as_json: bool,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """The likely and the largest cost of one picture of PROMPT, before anything is bought."""
    settings = settings_for(config, flags_of(pairs, data_dir))
    wanted = Wanted(prompt, size, quality, model, host_model, references)
    found = estimated(wanted, settings, datetime.now(UTC).date())
    if as_json:
        click.echo(json.dumps(as_data(found), indent=2))
    else:
        print_table(found)


def estimated(wanted: Wanted, settings: Settings, today: date) -> Estimate:
    """What *wanted* costs at the prices of that day; ``Refused`` with what is allowed where it cannot be."""
    from darkroom.spending.bound import bound, estimate
    from darkroom.spending.catalogue import BadCatalogue, CatalogueProblem, load_catalogue
    from darkroom.spending.sizes import BadSize
    from darkroom.spending.tokens import BadQuality

    try:
        catalogue = load_catalogue(settings.catalogue.file)
        ask = _ask(wanted, settings, catalogue, today)
        return Estimate(ask, estimate(ask, catalogue), bound(ask, catalogue))
    except (BadCatalogue, CatalogueProblem, BadSize, BadQuality) as problem:
        raise Refused(str(problem.args[0])) from problem


def _ask(wanted: Wanted, settings: Settings, catalogue: Catalogue, today: date) -> Ask:
    from darkroom.spending.bound import Ask
    from darkroom.spending.sizes import check_size, parse_size
    from darkroom.turns.intake import PROMPT_CHARACTERS_MAX
    from darkroom.turns.planning import INSTRUCTIONS, MAX_OUTPUT_TOKENS

    if not wanted.prompt.strip():
        raise Refused("What is the picture of? An estimate needs a prompt.")
    if len(wanted.prompt) > PROMPT_CHARACTERS_MAX:
        raise Refused(
            f"The prompt has {len(wanted.prompt):,} characters; at most {PROMPT_CHARACTERS_MAX:,} are "
            "possible."
        )
    model = catalogue.usable_image(wanted.model or settings.image.model, today)
    host = catalogue.usable_host(wanted.host_model or settings.image.host_model, today)
    width, height = settings.image.width_height if wanted.size is None else parse_size(wanted.size)
    check_size(model, width, height)
    check_references(wanted.references)
    return Ask(
        image_model=model.id,
        host_model=host.id,
        width=width,
        height=height,
        quality=_quality(wanted.quality, model, settings.image.quality),
        prompt_bytes=len(wanted.prompt.encode(errors="surrogateescape")),
        instruction_bytes=len(INSTRUCTIONS.encode()),
        input_pictures=len(wanted.references),
        max_output_tokens=MAX_OUTPUT_TOKENS,
        today=today,
    )


def _quality(wanted: str | None, model: ImageModel, usual: str) -> str:
    known = model.qualities
    if wanted is None:
        return usual if usual in known else known[-1]
    if wanted.lower() not in known:
        raise Refused(f"--quality is {', '.join(known)} for {model.id}; {wanted:.60} is none of them.")
    return wanted.lower()


def check_references(files: tuple[Path, ...]) -> None:
    """Refuse what cannot be sent with a prompt: too many files, or one that is no picture the API takes."""
    if len(files) > REFERENCES_MAX:
        raise Refused(f"At most {REFERENCES_MAX} pictures can be sent with a prompt; here are {len(files)}.")
    for file in files:
        _check_picture(file)


def _check_picture(file: Path) -> None:
    """Only the head of the file is read: what it claims to be, and how large."""
    import warnings

    from PIL import Image

    if not file.is_file():
        raise Refused(f"{file}: there is no such file.")
    if file.stat().st_size >= REFERENCE_BYTES_MAX:
        raise Refused(f"{file}: a picture has less than {REFERENCE_BYTES_MAX // 1_000_000} MB.")
    try:
        with warnings.catch_warnings():
            # The size is looked at right here, and nothing is ever unpacked.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=_KINDS) as picture:
                width, height = picture.size
    except Image.DecompressionBombError as problem:
        raise _too_large(file) from problem
    except (OSError, ValueError, SyntaxError) as problem:
        raise Refused(f"{file}: not a picture; png, jpeg, webp and gif can be sent.") from problem
    if width * height > REFERENCE_PIXELS_MAX:
        raise _too_large(file)


def _too_large(file: Path) -> Refused:
    return Refused(f"{file}: a picture has at most {REFERENCE_PIXELS_MAX // 1_000_000} million pixels.")


def as_data(found: Estimate) -> dict[str, Any]:
    """The estimate as ``--json`` prints it."""
    ask = found.ask
    return {
        "model": ask.image_model,
        "host_model": ask.host_model,
        "width": ask.width,
        "height": ask.height,
        "quality": ask.quality,
        "references": ask.input_pictures,
        "likely": _cost_data(found.likely),
        "largest": _cost_data(found.largest),
        "hold_nano_usd": found.largest.total_nano_usd,
    }


def _cost_data(cost: Cost) -> dict[str, Any]:
    lines = {
        line.token_class.value: {"tokens": line.tokens, "cost_nano_usd": line.charged_nano_usd}
        for line in cost.lines
    }
    return {"total_nano_usd": cost.total_nano_usd, "classes": lines}


def print_table(found: Estimate) -> None:
    """The estimate for people: a table by class, and what would be held."""
    from rich.console import Console
    from rich.table import Table

    from bot.cli.spend_print import aligned
    from darkroom.spending.classes import TokenClass
    from darkroom.spending.money import format_usd_exact

    ask = found.ask
    references = f", {ask.input_pictures} reference{'s' * (ask.input_pictures > 1)}" * bool(
        ask.input_pictures
    )
    click.echo(
        f"{ask.image_model}, hosted by {ask.host_model}: {ask.width}x{ask.height}, {ask.quality}{references}"
    )
    table = Table("Tokens", *_right("Likely", "", "At most", ""))
    costs = (found.likely, found.largest)
    named = [name for name in TokenClass if any(cost.line_of(name).tokens for cost in costs)]
    columns = [
        aligned([*(cost.line_of(name).charged_nano_usd for name in named), cost.total_nano_usd])
        for cost in costs
    ]
    for name, *amounts in zip(named, *columns, strict=False):
        counts = [f"{cost.line_of(name).tokens:,}" for cost in costs]
        table.add_row(name.value.replace("_", " "), counts[0], amounts[0], counts[1], amounts[1])
    table.add_section()
    table.add_row("Total", "", columns[0][-1], "", columns[1][-1])
    Console().print(table)
    hold = format_usd_exact(found.largest.total_nano_usd)
    click.echo(
        f"{hold} would be held before the call, until its real cost is known; the rest is given back then."
    )


def _right(*names: str) -> list[Any]:
    from rich.table import Column

    return [Column(name, justify="right") for name in names]
