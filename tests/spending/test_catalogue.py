from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from darkroom.spending.bound import Ask, bound, estimate
from darkroom.spending.catalogue import (
    BadCatalogue,
    Catalogue,
    HostModel,
    ImageModel,
    RetiredModel,
    UnknownModel,
    UnknownPrice,
    UnpricedModel,
    load_catalogue,
    pricing_lines,
)
from darkroom.spending.classes import TokenClass
from darkroom.spending.cost import charge
from tests.spending.asks import PRESENT_HOSTS, PRESENT_IMAGES, TODAY, ask

CATALOGUE = load_catalogue()

PRICES = """
effective = {effective}
source = "our contract"
confidence = "H"
text_input = {text}
image_input = 9
image_output = "31.5"
"""
PRICED = PRICES.format(effective="2026-11-20", text="4.5")


def own(tmp_path: Path, text: str) -> Path:
    """An operator's catalogue file with that text."""
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("model", "usd_per_million"),
    [
        ("gpt-image-2-2026-04-21", (5, 1.25, 8, 2, 30)),
        ("gpt-image-2.5-sunburst", (5, 1.25, 8, 2, 30)),
        ("gpt-image-2.5-flare-2026-09-08", (5, 1.25, 8, 2, 30)),
        ("gpt-image-2.6-sunburst", (5, 1.25, 8, 2, 30)),
        ("gpt-image-2.6-flare", (5, 1.25, 8, 2, 30)),
        ("gpt-image-1.5", (5, 1.25, 8, 2, 32)),
        ("gpt-image-1-mini", (2, 0.20, 2.50, 0.25, 8)),
        ("gpt-6-luna", (0.10, 0.01, 0.125, 0.50)),
        ("gpt-5.6-luna", (0.20, 0.02, 0.25, 1.20)),
        ("gpt-6.1-terra", (1, 0.05, 1.25, 5)),
    ],
)
def test_the_shipped_prices_are_the_published_ones(model: str, usd_per_million: tuple[float, ...]) -> None:
    rates = CATALOGUE.price_of(model, TODAY).rates
    assert [float(rates[c]) for c in TokenClass if c in rates] == [
        round(1000 * usd) for usd in usd_per_million
    ]


def test_every_present_model_is_usable_today() -> None:
    for name in PRESENT_IMAGES:
        assert CATALOGUE.usable_image(name, TODAY).id == name
    for name in PRESENT_HOSTS:
        assert CATALOGUE.usable_host(name, TODAY).id == name


def test_a_snapshot_keeps_its_own_name_and_is_priced_as_its_model() -> None:
    snapshot = CATALOGUE.image("gpt-image-2-2026-04-21")
    assert (snapshot.id, snapshot.base) == ("gpt-image-2-2026-04-21", "gpt-image-2")
    price = CATALOGUE.price_of(snapshot.id, TODAY)
    assert price.key == "gpt-image-2@2026-04-21"
    assert CATALOGUE.price_version(price.key) == price


def test_a_doubtful_price_says_so() -> None:
    price = CATALOGUE.price_of("gpt-image-1.5", TODAY)
    assert price.confidence_of(TokenClass.text_input) == "M"
    assert price.confidence_of(TokenClass.image_output) == "H"
    assert CATALOGUE.price_of("gpt-image-2.6-flare", TODAY).confidence == "M"


@pytest.mark.parametrize(
    ("model", "on", "replacement"),
    [
        ("gpt-image-1", TODAY, "gpt-image-2.5-sunburst"),
        ("dall-e-3", date(2026, 1, 1), "gpt-image-2.5-flare"),
        ("gpt-image-1.5", date(2026, 12, 1), "gpt-image-2.5-sunburst"),
        ("chatgpt-image-latest", date(2026, 12, 1), "gpt-image-2.5-sunburst"),
    ],
)
def test_a_retired_image_model_is_refused_with_its_replacement(
    model: str, on: date, replacement: str
) -> None:
    with pytest.raises(
        RetiredModel, match=f"{model} was shut down on 2026-.*Use {replacement} instead"
    ) as caught:
        CATALOGUE.usable_image(model, on)
    assert caught.value.replacement == replacement
    assert caught.value.shutdown_date == CATALOGUE.image(model).shutdown_date


def test_a_model_is_usable_until_the_day_before_its_shutdown() -> None:
    assert CATALOGUE.usable_image("gpt-image-1.5", date(2026, 11, 30)).family == "1"
    for host, last in (("gpt-5", date(2026, 12, 10)), ("gpt-4.1", date(2027, 1, 13))):
        with pytest.raises(UnpricedModel):
            CATALOGUE.usable_host(host, last)
        with pytest.raises(RetiredModel):
            CATALOGUE.usable_host(host, date.fromordinal(last.toordinal() + 1))


def test_an_unknown_model_is_refused_with_lines_that_price_it(tmp_path: Path) -> None:
    """Filling in the dots of the message is all it takes."""
    with pytest.raises(UnknownModel) as image:
        CATALOGUE.usable_image("gpt-image-9.5", TODAY)
    with pytest.raises(UnknownModel) as host:
        CATALOGUE.usable_host("gpt-9", TODAY)
    lines = f"{image.value.lines}\n{host.value.lines}"
    assert image.value.lines in str(image.value)
    assert "catalogue.file" in str(image.value)
    assert "gpt-image-2," in str(image.value)
    added = load_catalogue(own(tmp_path, lines.replace("…", "3.25")))
    assert added.usable_image("gpt-image-9.5", TODAY).formats == ("png", "webp", "jpeg")
    assert added.price_of("gpt-image-9.5", TODAY).rates[TokenClass.image_output] == 3_250
    assert (
        added.price_of(added.usable_host("gpt-9", TODAY).id, TODAY).rates[TokenClass.host_cache_write]
        == 3_250
    )


def test_a_model_without_a_price_is_refused_with_lines_that_price_it() -> None:
    for unpriced in (CATALOGUE.usable_image, CATALOGUE.price_of):
        with pytest.raises(UnpricedModel) as caught:
            unpriced("chatgpt-image-latest", TODAY)
        assert pricing_lines("image", "chatgpt-image-latest", listed=True) in str(caught.value)
    with pytest.raises(UnpricedModel, match="host_output"):
        CATALOGUE.usable_host("gpt-5-mini", TODAY)
    with pytest.raises(UnknownModel, match="host_output"):
        CATALOGUE.price_of("gpt-9", TODAY)
    with pytest.raises(UnknownModel, match="image_output"):
        CATALOGUE.price_of("gpt-image-9", TODAY)


UNPRICED_HOSTS = (
    *("gpt-5", "gpt-5-mini", "o3"),
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
)


@pytest.mark.parametrize(
    ("kind", "name"), [("image", "chatgpt-image-latest"), *(("host", name) for name in UNPRICED_HOSTS)]
)
def test_the_lines_of_a_refusal_price_the_model_and_change_nothing_else_of_it(
    tmp_path: Path, kind: str, name: str
) -> None:
    """Pasted as they are they say which number is missing; with the numbers filled in the model is usable."""
    usable = CATALOGUE.usable_image if kind == "image" else CATALOGUE.usable_host
    with pytest.raises(UnpricedModel) as refused:
        usable(name, TODAY)
    with pytest.raises(
        BadCatalogue, match=rf"{kind}\.{name}\.prices\[0\]\.\w+_input: USD per million tokens"
    ):
        load_catalogue(own(tmp_path, refused.value.lines))
    priced = load_catalogue(own(tmp_path, refused.value.lines.replace("…", "3.25")))
    if kind == "image":
        assert replace(priced.usable_image(name, TODAY), prices=()) == CATALOGUE.image(name)
    else:
        assert replace(priced.usable_host(name, TODAY), prices=()) == CATALOGUE.host(name)
    call = ask(**{f"{kind}_model": name})
    assert charge(None, None, **_of(call, priced), picture_made=True).cost.total_nano_usd > 0
    assert bound(call, priced).total_nano_usd > estimate(call, priced).total_nano_usd > 0


def _of(call: Ask, catalogue: Catalogue) -> dict[str, Any]:
    models = {"image_model": call.image_model, "host_model": call.host_model}
    return {"ask": call, "catalogue": catalogue, **models}


@pytest.mark.parametrize(
    ("model", "status", "shut_down", "replacement"),
    [
        ("gpt-image-2", "current", None, None),
        ("gpt-image-2.5-sunburst", "current", None, None),
        ("gpt-image-2.5-flare", "current", None, None),
        ("gpt-image-2.6-sunburst", "current", None, None),
        ("gpt-image-2.6-flare", "current", None, None),
        ("gpt-image-1.5", "deprecated", date(2026, 12, 1), "gpt-image-2.5-sunburst"),
        ("gpt-image-1-mini", "deprecated", date(2026, 12, 1), "gpt-image-2.5-flare"),
        ("chatgpt-image-latest", "deprecated", date(2026, 12, 1), "gpt-image-2.5-sunburst"),
        ("gpt-image-1", "retired", date(2026, 10, 23), "gpt-image-2.5-sunburst"),
        ("dall-e-2", "retired", date(2026, 5, 12), "gpt-image-2.5-flare"),
        ("dall-e-3", "retired", date(2026, 5, 12), "gpt-image-2.5-flare"),
        *((name, "current", None, None) for name in PRESENT_HOSTS),
        *((name, "deprecated", date(2026, 12, 11), "gpt-5.6-luna") for name in UNPRICED_HOSTS[:3]),
        *((name, "deprecated", date(2027, 1, 14), "gpt-5.6-luna") for name in UNPRICED_HOSTS[3:]),
    ],
)
def test_every_published_model_is_listed_with_its_end_and_its_replacement(
    model: str, status: str, shut_down: date | None, replacement: str | None
) -> None:
    found = CATALOGUE.images.get(model) or CATALOGUE.hosts[model]
    assert (found.status, found.shutdown_date, found.replacement) == (status, shut_down, replacement)


def test_nothing_is_listed_beyond_what_is_published() -> None:
    assert len(CATALOGUE.images) == 11
    assert set(CATALOGUE.hosts) == {*PRESENT_HOSTS, *UNPRICED_HOSTS}


def test_every_price_and_every_number_says_where_it_is_from_and_how_sure_it_is() -> None:
    models: list[ImageModel | HostModel] = [*CATALOGUE.images.values(), *CATALOGUE.hosts.values()]
    for price in (price for model in models for price in model.prices):
        assert len(price.source) > 5
        assert {price.confidence_of(name) for name in price.rates} <= {"H", "M", "L"}
    for family in CATALOGUE.families.values():
        assert len(family.source) > 5
    assert CATALOGUE.families["2", ""].confidence_of("factors") == "H"
    assert CATALOGUE.families["2", ""].confidence_of("input_picture_ceiling") == "M"
    assert CATALOGUE.families["2.6", ""].confidence_of("ceiling_factor") == "L"


def test_abilities_are_listed() -> None:
    """GIF and SVG, transparency that can be depended on, and sizes of one's own."""
    assert CATALOGUE.image("gpt-image-2.6-flare").formats == ("png", "webp", "jpeg", "gif", "svg")
    assert CATALOGUE.image("gpt-image-2").formats == ("png", "webp", "jpeg")
    assert CATALOGUE.image("gpt-image-2").transparency == "preview"
    assert CATALOGUE.image("gpt-image-2.5-sunburst").transparency == "yes"
    assert CATALOGUE.image("gpt-image-2").flexible_sizes
    assert CATALOGUE.image("gpt-image-1.5").fixed_sizes == ((1024, 1024), (1536, 1024), (1024, 1536))


def test_the_operators_prices_win_from_their_day_on_and_leave_the_old_ones_findable(tmp_path: Path) -> None:
    text = "[[image.gpt-image-2.prices]]" + PRICES.format(effective="2026-11-20", text="4.5")
    changed = load_catalogue(own(tmp_path, text))
    assert changed.price_of("gpt-image-2", date(2026, 11, 19)) == CATALOGUE.price_of("gpt-image-2", TODAY)
    price = changed.price_of("gpt-image-2", TODAY)
    assert price.rates[TokenClass.text_input] == 4_500
    assert price.rates[TokenClass.cached_text_input] == 4_500
    assert price.rates[TokenClass.image_output] == 31_500
    assert price.version.startswith("2026-11-20~")
    assert changed.price_version(price.key) == price
    assert changed.price_version("gpt-image-2@2026-04-21").rates[TokenClass.text_input] == 5_000


def test_a_changed_price_never_hides_behind_an_old_version(tmp_path: Path) -> None:
    text = "[[image.gpt-image-2.prices]]" + PRICES.format(effective="2026-04-21", text="4.5")
    before = load_catalogue(own(tmp_path, text)).price_of("gpt-image-2", TODAY)
    after = load_catalogue(own(tmp_path, text.replace("4.5", "4.6")))
    assert after.price_of("gpt-image-2", TODAY).key != before.key
    with pytest.raises(UnknownPrice, match="gpt-image-2@2026-04-21~"):
        after.price_version(before.key)


def test_prices_follow_their_dates_and_the_first_covers_what_came_before(tmp_path: Path) -> None:
    text = '[image.new]\nfamily = "2"\n'
    for effective, usd in (("2026-12-01", '"2"'), ("2026-10-01", '"1"')):
        text += "[[image.new.prices]]" + PRICES.format(effective=effective, text=usd)
    catalogue = load_catalogue(own(tmp_path, text))
    rates = [
        catalogue.price_of("new", day).rates[TokenClass.text_input]
        for day in (date(2026, 1, 1), date(2026, 10, 1), date(2026, 11, 30), date(2026, 12, 1))
    ]
    assert rates == [1_000, 1_000, 1_000, 2_000]


def test_the_operator_may_move_a_shutdown_and_add_an_alias(tmp_path: Path) -> None:
    text = '[image.gpt-image-1-mini]\nshutdown_date = 2027-06-01\naliases = ["mini"]\n'
    catalogue = load_catalogue(own(tmp_path, text))
    assert catalogue.usable_image("mini", date(2026, 12, 24)).family == "1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[image.x", "not readable as TOML"),
        ("[video.x]", "video: a table is"),
        ("image = 3", "image: a table"),
        ("[image.x]\nstatus = 'current'", "image.x.family: missing"),
        ("[image.x]\nfamily = '7'", "image.x.family: one of 1, 2, 2.5"),
        ("[image.x]\nfamily = '2'\nqualities = ['max']", "image.x.qualities: family 2 has low, medium, high"),
        ("[image.x]\nfamily = '2'\nqualities = []", "image.x.qualities"),
        (
            "[image.x]\nfamily = 'dall-e'\n[[image.x.prices]]" + PRICED,
            "image.x.prices: family dall-e does not",
        ),
        ("[[image.dall-e-3.prices]]" + PRICED, "Name another family, or give this one factors or a table"),
        ("[image.x]\nfamily = '2'\ncolour = 1", "image.x.colour: unknown; the keys are status"),
        ("[image.x]\nfamily = '2'\nedits = 1", "image.x.edits: true or false"),
        ("[image.x]\nfamily = '2'\nformats = 'png'", "image.x.formats: a list"),
        (
            "[image.x]\nfamily = '2'\nshutdown_date = '2026-12-01'",
            "image.x.shutdown_date: a day without quotes",
        ),
        ("[image.x]\nfamily = '2'\nshutdown_date = 2026-12-01T00:00:00Z", "shutdown_date: a day"),
        ("[image.x]\nfamily = '2'\nreplacement = 'nobody'", "image.x.replacement: a model of this catalogue"),
        ("[image.x]\nfamily = '2'\nprices = 5", "image.x.prices: a list"),
        ("[image.'x@1']\nfamily = '2'", "image.x@1: a name is"),
        ("[host.x]\naliases = ['gpt-5.6-luna']", "gpt-5.6-luna is listed twice"),
        ("[host.gpt-image-2]", "gpt-image-2 is listed twice"),
        ("[host.x]\nfamily = '2'", "host.x.family: unknown"),
    ],
)
def test_a_wrong_file_is_refused_by_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = own(tmp_path, text)
    with pytest.raises(BadCatalogue) as caught:
        load_catalogue(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    "price",
    [
        "-1",
        '"-1"',
        "nan",
        "inf",
        '"NaN"',
        '"1e3"',
        '""',
        "0",
        '"0.0"',
        "true",
        "[1]",
        "100001",
        "1e30",
        "1e-400",
    ],
)
def test_a_price_that_is_none_is_refused(tmp_path: Path, price: str) -> None:
    text = "[[image.gpt-image-2.prices]]" + PRICES.format(effective="2026-11-20", text=price)
    with pytest.raises(
        BadCatalogue, match=r"prices\.toml: image\.gpt-image-2\.prices\[0\]\.text_input: USD per"
    ):
        load_catalogue(own(tmp_path, text))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('confidence = "H"', "confidence = 'sure'"), "confidence: one of H, M, L"),
        (('source = "our contract"', ""), "source: missing"),
        (("image_input = 9", ""), "image_input: missing"),
        (("image_input = 9", "image_input = 9\nhost_input = 1"), "host_input: unknown"),
        (("image_input = 9", "image_input = 9\ndoubtful = { video = 'L' }"), "doubtful.video: a class"),
        (("2026-11-20", "'soon'"), "effective: a day"),
        (('"our contract"', "''"), "source: text of 1 to 300 characters"),
        (("image_input = 9", "image_input = 9\ndoubtful = 'L'"), "doubtful: a table"),
    ],
)
def test_an_incomplete_price_set_is_refused(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    text = "[[image.gpt-image-2.prices]]" + PRICES.format(effective="2026-11-20", text="4.5")
    assert change[0] in text
    with pytest.raises(BadCatalogue) as caught:
        load_catalogue(own(tmp_path, text.replace(*change)))
    assert f"image.gpt-image-2.prices[0].{key}" in str(caught.value)


@pytest.mark.parametrize(
    ("long_context", "key"),
    [
        ("{ tokens = 1 }", "long_context: the keys are"),
        ("{ tokens = 0, input_factor = 2, output_factor = 2 }", "long_context.tokens: a whole number"),
        (
            "{ tokens = 5, input_factor = '0.5', output_factor = 2 }",
            "long_context.input_factor: a factor from 1",
        ),
        (
            "{ tokens = 5, input_factor = 2, output_factor = -1 }",
            "long_context.output_factor: a factor from 1",
        ),
    ],
)
def test_long_context_is_checked(tmp_path: Path, long_context: str, key: str) -> None:
    text = (
        "[[host.gpt-9.prices]]\neffective = 2026-11-20\nsource = 'x'\nconfidence = 'H'\n"
        f"host_input = 1\nhost_output = 2\nlong_context = {long_context}"
    )
    with pytest.raises(BadCatalogue) as caught:
        load_catalogue(own(tmp_path, text))
    assert key in str(caught.value)


def test_two_price_sets_of_one_day_are_refused(tmp_path: Path) -> None:
    text = 2 * ("[[image.gpt-image-2.prices]]" + PRICES.format(effective="2026-11-20", text="4.5"))
    with pytest.raises(BadCatalogue, match="same day"):
        load_catalogue(own(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"missing\.toml: cannot be read"):
        load_catalogue(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(BadCatalogue, match="UTF-8"):
        load_catalogue(binary)
    with pytest.raises(BadCatalogue, match="larger than"):
        load_catalogue(own(tmp_path, "#" * 1_000_001))
