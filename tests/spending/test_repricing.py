"""Every stored charge can be computed again; what was changed behind the books' back is found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.bound import Ask, ask_data, bound
from darkroom.spending.catalogue import Catalogue, load_catalogue, price_key
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.cost import UNKNOWN_HOST, UNKNOWN_MODEL, charge
from darkroom.spending.repricing import EntryKind, StoredCharge, Verdict, check, reprice
from tests.spending.asks import ask, asks, usages

CATALOGUE = load_catalogue()
HOST = {
    "input_tokens": 2_941,
    "input_tokens_details": {"cached_tokens": 1_920},
    "output_tokens": 225,
}
IMAGE = {
    "input_tokens": 27,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 27},
    "output_tokens": 1_756,
}


def settled(
    call: Ask,
    host: Any,
    image: Any,
    *,
    catalogue: Catalogue = CATALOGUE,
    picture_made: bool = True,
    moderated: bool = False,
) -> StoredCharge:
    """A call as the books have it after it was charged, through JSON as they keep it."""
    charged = charge(
        host,
        image,
        ask=call,
        catalogue=catalogue,
        image_model=call.image_model,
        host_model=call.host_model,
        picture_made=picture_made,
        moderated=moderated,
    )
    return StoredCharge(
        entry_id=1,
        attempt_id="try_1",
        kind=EntryKind.SETTLE,
        ask=json.loads(json.dumps(ask_data(call))),
        hold=bound(call, catalogue),
        host_usage=json.loads(json.dumps(host)),
        image_usage=json.loads(json.dumps(image)),
        image_model=call.image_model,
        host_model=call.host_model or "",
        price_version=charged.price_version,
        flags=charged.flags,
        picture_made=picture_made,
        cost=charged.cost,
    )


def uncertain(call: Ask, catalogue: Catalogue = CATALOGUE) -> StoredCharge:
    """A call of which nobody knows what it cost: its whole hold was charged."""
    hosts = () if call.host_model is None else (catalogue.price_of(call.host_model, call.today),)
    return replace(
        settled(call, None, None, catalogue=catalogue),
        kind=EntryKind.UNCERTAIN,
        flags=frozenset({"uncertain"}),
        picture_made=False,
        price_version=price_key(catalogue.price_of(call.image_model, call.today), *hosts),
        cost=bound(call, catalogue),
    )


@given(
    asks().flatmap(lambda call: st.tuples(st.just(call), usages(call, CATALOGUE))),
    st.booleans(),
    st.booleans(),
)
def test_every_charge_computes_to_itself(
    call_and_usage: tuple[Ask, tuple[Any, Any]], picture_made: bool, moderated: bool
) -> None:
    call, (host, image) = call_and_usage
    entry = settled(call, host, image, picture_made=picture_made, moderated=moderated)
    assert check(entry, CATALOGUE).verdict is Verdict.SAME
    assert check(uncertain(call), CATALOGUE).verdict is Verdict.SAME


@pytest.mark.parametrize("moderated", [True, False])
@pytest.mark.parametrize(("host", "image"), [(None, IMAGE), (HOST, None), (None, None)])
def test_whether_a_call_was_moderated_is_known_from_its_flags(host: Any, image: Any, moderated: bool) -> None:
    entry = settled(ask(), host, image, picture_made=False, moderated=moderated)
    assert check(entry, CATALOGUE).verdict is Verdict.SAME


@pytest.mark.parametrize("flags", [{UNKNOWN_HOST}, {UNKNOWN_MODEL}])
def test_a_charge_of_an_unknown_host_is_the_same_by_whichever_flag_it_was_stored(flags: set[str]) -> None:
    entry = replace(settled(ask(), HOST, IMAGE), host_model="gpt-99", flags=frozenset(flags))
    assert check(entry, CATALOGUE).verdict is Verdict.SAME


def test_a_release_costs_nothing_and_anything_else_is_a_difference() -> None:
    released = replace(
        settled(ask(), HOST, IMAGE), kind=EntryKind.RELEASE, cost=Cost((), 0), picture_made=False
    )
    assert check(released, CATALOGUE).verdict is Verdict.SAME
    charged = replace(released, cost=Cost((Line(TokenClass.image_output, 1, 1),), 1))
    assert check(charged, CATALOGUE).verdict is Verdict.DIFFERENT


def test_a_changed_amount_is_found_and_so_is_one_moved_between_classes() -> None:
    entry = settled(ask(), HOST, IMAGE)
    first, second, *rest = entry.cost.lines
    more = replace(first, charged_nano_usd=first.charged_nano_usd + 1)
    less = replace(second, charged_nano_usd=second.charged_nano_usd - 1)
    total = entry.cost.total_nano_usd
    for cost, why in (
        (Cost((more, second, *rest), total + 1), "another one"),
        (Cost((more, less, *rest), total), "its classes are others"),
        (Cost(entry.cost.lines, total + 1), "do not add up"),
    ):
        found = check(replace(entry, cost=cost), CATALOGUE)
        assert found.verdict is Verdict.DIFFERENT
        assert why in found.why
        assert found.computed == entry.cost


def test_lines_that_do_not_add_up_are_found_also_where_the_charge_cannot_be_computed() -> None:
    entry = settled(ask(), HOST, IMAGE)
    broken = Cost(entry.cost.lines, entry.cost.total_nano_usd + 1)
    found = check(replace(entry, cost=broken, price_version="gone@1"), CATALOGUE)
    assert (found.verdict, found.computed) == (Verdict.DIFFERENT, None)


def test_changed_usage_is_found() -> None:
    entry = settled(ask(), HOST, IMAGE)
    changed = replace(entry, image_usage={**IMAGE, "output_tokens": 1_757})
    assert check(changed, CATALOGUE).verdict is Verdict.DIFFERENT


def test_a_correction_may_take_back_what_was_charged_and_no_more() -> None:
    word = replace(
        uncertain(ask()),
        kind=EntryKind.CORRECTION,
        cost=Cost((Line(TokenClass.image_output, 0, -500),), -500),
        charged_before=500,
    )
    assert check(word, CATALOGUE).verdict is Verdict.SAME
    found = check(replace(word, charged_before=499), CATALOGUE)
    assert found.verdict is Verdict.DIFFERENT
    assert "takes back more than was charged" in found.why


PRICES = """
[[image.gpt-image-2.prices]]
effective = 2026-01-01
source = "our contract"
confidence = "H"
text_input = 4
image_input = 9
image_output = 31

[family."2"]
source = "our own measurements"
confidence = "M"
factors = { low = 17, medium = 49, high = 97 }
tool_ceiling = 3_500
"""


def own(tmp_path: Path, text: str) -> Catalogue:
    """A catalogue with that text as the operator's file."""
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path)


@pytest.mark.parametrize("usage", [(HOST, IMAGE), (None, None)])
def test_prices_and_numbers_that_change_later_change_no_charge_that_was_made(
    tmp_path: Path, usage: tuple[Any, Any]
) -> None:
    """Estimated and uncertain charges too, which depend on the token numbers and not on usage."""
    for before, after in ((CATALOGUE, own(tmp_path, PRICES)), (own(tmp_path, PRICES), None)):
        later = after or own(tmp_path, PRICES + "text_output_ceiling = 7\n")
        for entry in (settled(ask(), *usage, catalogue=before), uncertain(ask(), before)):
            found = check(entry, later)
            if after is None and (entry.kind is EntryKind.UNCERTAIN or usage == (None, None)):
                # The operator's numbers of then are in no file any more: said so, not called a difference.
                assert found.verdict is Verdict.UNKNOWN
                assert "token numbers marked" in found.why
            else:
                assert found.verdict is Verdict.SAME
    assert settled(ask(), *usage, catalogue=own(tmp_path, PRICES)).cost != settled(ask(), *usage).cost


def test_a_price_that_is_gone_is_no_difference_but_said(tmp_path: Path) -> None:
    entry = settled(ask(), HOST, IMAGE, catalogue=own(tmp_path, PRICES))
    found = check(entry, CATALOGUE)
    assert found.verdict is Verdict.UNKNOWN
    assert "no prices called gpt-image-2@2026-01-01~" in found.why


@pytest.mark.parametrize(("host", "image"), [(HOST, IMAGE), (HOST, {"output_tokens": 0, "input_tokens": 0})])
def test_an_entry_from_before_calls_were_kept_is_computed_where_its_usage_is_complete(
    host: Any, image: Any
) -> None:
    entry = replace(settled(ask(), host, image, picture_made=image is IMAGE), ask=None)
    assert reprice(entry, CATALOGUE) == entry.cost
    images_only = replace(settled(ask(host_model=None), None, IMAGE), ask=None)
    assert check(images_only, CATALOGUE).verdict is Verdict.SAME
    held = replace(uncertain(ask()), ask=None)
    assert check(held, CATALOGUE).verdict is Verdict.SAME


@pytest.mark.parametrize(("host", "image"), [(None, IMAGE), (HOST, None), (HOST, {"output_tokens": -1})])
def test_an_entry_from_before_calls_were_kept_is_not_blamed_for_usage_that_is_missing(
    host: Any, image: Any
) -> None:
    found = check(replace(settled(ask(), host, image), ask=None), CATALOGUE)
    assert found.verdict is Verdict.MADE_BEFORE
    assert found.computed is None


@pytest.mark.parametrize(
    "change", [{"ask": {"width": 1}}, {"ask": []}, {"host_usage": []}, {"price_version": "nonsense"}]
)
def test_a_broken_record_is_said_to_be_one(change: dict[str, Any]) -> None:
    found = check(replace(settled(ask(), HOST, IMAGE), **change), CATALOGUE)
    assert found.verdict is Verdict.UNKNOWN
    assert found.why.endswith(".")
