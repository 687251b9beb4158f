from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.classes import HOST_CLASSES, IMAGE_CLASSES, MAX_TOKENS, Rounding, TokenClass, cost_of

TOKENS = st.dictionaries(st.sampled_from(TokenClass), st.integers(0, 10**6))
RATES = st.fixed_dictionaries({c: st.fractions(0, 10**5, max_denominator=1000) for c in TokenClass})


def test_the_classes_are_the_public_names_in_order_and_fall_in_two_disjoint_sides() -> None:
    assert " ".join(c.value for c in TokenClass) == (
        "text_input cached_text_input image_input cached_image_input image_output "
        "host_input host_cached_input host_cache_write host_output"
    )
    assert (*IMAGE_CLASSES, *HOST_CLASSES) == tuple(TokenClass)


@given(TOKENS, RATES, st.sampled_from(Rounding))
def test_lines_sum_to_a_total_that_was_rounded_once(
    tokens: dict[TokenClass, int], rates: dict[TokenClass, Fraction], rounding: Rounding
) -> None:
    cost = cost_of(tokens, rates, rounding=rounding)
    exact = sum((count * rates[c] for c, count in tokens.items()), Fraction(0))
    assert sum(line.charged_nano_usd for line in cost.lines) == cost.total_nano_usd
    assert cost.total_nano_usd == (ceil(exact) if rounding is Rounding.UP else int(exact + Fraction(1, 2)))
    for line in cost.lines:
        assert abs(line.charged_nano_usd - line.tokens * rates[line.token_class]) < 1
    assert {line.token_class: line.tokens for line in cost.lines} == {c: n for c, n in tokens.items() if n}


def test_rounding_happens_on_the_sum_and_not_on_the_lines() -> None:
    rates = {TokenClass.text_input: Fraction(1, 2), TokenClass.host_input: Fraction(1, 2)}
    both = {TokenClass.text_input: 1, TokenClass.host_input: 1}
    assert cost_of(both, rates, rounding=Rounding.UP).total_nano_usd == 1
    assert cost_of({TokenClass.text_input: 1}, rates, rounding=Rounding.HALF_UP).total_nano_usd == 1


@pytest.mark.parametrize("count", [-1, MAX_TOKENS + 1, True, 1.5])
def test_a_count_that_is_none_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="text_input: a token count is an integer from 0"):
        cost_of({TokenClass.text_input: count}, {TokenClass.text_input: Fraction(1)}, rounding=Rounding.UP)


def test_tokens_without_a_rate_never_cost_nothing() -> None:
    with pytest.raises(ValueError, match="no rate"):
        cost_of({TokenClass.text_input: 1}, {}, rounding=Rounding.UP)


def test_a_negative_rate_never_credits_anybody() -> None:
    with pytest.raises(ValueError, match="never negative"):
        cost_of({TokenClass.text_input: 1}, {TokenClass.text_input: Fraction(-1)}, rounding=Rounding.UP)
