"""What a catalogue file may say of a family: formulas, tables, ceilings, and whose numbers they are."""

from pathlib import Path

import pytest

from darkroom.spending.bound import bound
from darkroom.spending.catalogue import BadCatalogue, UnknownPrice, load_catalogue
from darkroom.spending.classes import TokenClass
from darkroom.spending.sizes import BadSize, check_size
from darkroom.spending.tokens import output_tokens
from tests.spending.asks import CATALOGUE, TODAY, ask


def own(tmp_path: Path, text: str) -> Path:
    """An operator's catalogue file with that text."""
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


NUMBERS = """
source = "our own measurements"
confidence = "M"
"""
EVERY = """
partial_image_tokens = 50
input_picture_ceiling = 2_000
input_picture_likely = 1_500
tool_ceiling = 4_000
"""


def test_an_operator_changes_single_numbers_of_a_family_and_keeps_the_rest(tmp_path: Path) -> None:
    text = f'[family."2"]{NUMBERS}tool_ceiling = 4_000\nfactors = {{ low = 8, high = 96 }}\n'
    catalogue = load_catalogue(own(tmp_path, text))
    model = catalogue.image("gpt-image-2")
    assert model.qualities == ("low", "high")
    assert (model.tokens.tool_ceiling, model.tokens.partial_image_tokens) == (4_000, 100)
    assert (model.tokens.source, model.tokens.confidence) == ("our own measurements", "M")
    host_input = bound(ask(quality="low"), catalogue).line_of(TokenClass.host_input).tokens
    assert host_input == bound(ask(quality="low"), CATALOGUE).line_of(TokenClass.host_input).tokens + 1_000


def test_an_operators_numbers_never_hide_behind_ours(tmp_path: Path) -> None:
    """A price's key tells by which token numbers a missing usage was estimated."""
    ours = CATALOGUE.price_of("gpt-image-2", TODAY).key
    changed = load_catalogue(own(tmp_path, f'[family."2"]{NUMBERS}tool_ceiling = 4_000\n'))
    key = changed.price_of("gpt-image-2", TODAY).key
    assert key.startswith(f"{ours}^")
    assert changed.image("gpt-image-2", "").tokens == CATALOGUE.image("gpt-image-2").tokens
    assert changed.price_version(key).family_mark == changed.image("gpt-image-2").tokens.mark
    assert changed.price_of("gpt-image-2.5-flare", TODAY).key == "gpt-image-2.5-flare@2026-09-08"
    same = load_catalogue(own(tmp_path, f'[family."2"]{NUMBERS}tool_ceiling = 3_000\n'))
    assert same.price_of("gpt-image-2", TODAY).key == ours
    with pytest.raises(UnknownPrice, match="token numbers marked"):
        CATALOGUE.image("gpt-image-2", changed.image("gpt-image-2").tokens.mark)


def test_an_operator_adds_a_family_and_replaces_a_formula_by_a_table(tmp_path: Path) -> None:
    table = "table = { 1024x1024 = { low = 5, high = 9 } }\n"
    text = f'[family."3"]{NUMBERS}{EVERY}{table}[image.new]\nfamily = "3"\n[family."2"]{NUMBERS}{table}'
    catalogue = load_catalogue(own(tmp_path, text))
    for name in ("new", "gpt-image-2"):
        model = catalogue.image(name)
        assert model.qualities == ("low", "high")
        assert not model.flexible_sizes
        assert output_tokens(model, 1024, 1024, "auto") == 9
        with pytest.raises(BadSize, match=r"paints 1024x1024 \(square\); 1536x1024 \(landscape\) is none"):
            check_size(model, 1536, 1024)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("source = 'x'", "family.2.confidence: missing"),
        (NUMBERS + "colour = 1", "family.2.colour: unknown; the keys are source, confidence"),
        (NUMBERS + "factors = { ultra = 1 }", "family.2.factors.ultra: unknown; the keys are low, medium"),
        (NUMBERS + "factors = { low = 0 }", "family.2.factors.low: a whole number from 1 to 1,000"),
        (NUMBERS + "factors = { low = 1.5 }", "family.2.factors.low: a whole number"),
        (NUMBERS + "table = { big = { low = 1 } }", "family.2.table.big: a size in pixels"),
        (NUMBERS + "table = { 1x1 = { low = 1 }, 2x2 = {} }", "family.2.table: every size has the same"),
        (NUMBERS + "factors = { low = 1 }\ntable = { 1x1 = { low = 1 } }", "factors or a table, not both"),
        (NUMBERS + "ceiling_factor = '0.5'", "family.2.ceiling_factor: a factor from 1 to 100"),
        (NUMBERS + "tool_ceiling = -1", "family.2.tool_ceiling: a whole number from 0 to 1,000,000"),
        (NUMBERS + "tool_ceiling = true", "family.2.tool_ceiling: a whole number"),
        (NUMBERS + "input_picture_likely = 2_000", "family.2.input_picture_likely: at most input_picture_"),
        (NUMBERS + "doubtful = { price = 'M' }", "family.2.doubtful.price: a number of this family"),
        (NUMBERS + "doubtful = { factors = 'sure' }", "family.2.doubtful.factors: one of H, M, L"),
        (
            NUMBERS + "[family.2.6]" + NUMBERS,
            'family.2.6: a name with a dot stands in quotes: [family."2.6"]',
        ),
        (NUMBERS + "[host.gpt-5.6-luna]", "host.gpt-5.6-luna: a name with a dot stands in quotes"),
        (NUMBERS + "[family.new]" + NUMBERS, "family.new.partial_image_tokens: missing"),
        (
            NUMBERS + '[image."gpt-image-1.5"]\nflexible_sizes = true',
            "image.gpt-image-1.5.flexible_sizes: false",
        ),
    ],
)
def test_wrong_numbers_of_a_family_are_refused_by_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = own(tmp_path, f'[family."2"]\n{text}\n')
    with pytest.raises(BadCatalogue) as caught:
        load_catalogue(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)
