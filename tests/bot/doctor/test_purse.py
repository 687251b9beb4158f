"""What ``doctor --live`` may spend: what may have been spent counts as spent."""

from __future__ import annotations

from datetime import date

from bot.doctor.live_calls import Purse, Trials
from bot.settings import plain_settings


def test_a_call_that_nobody_knows_the_cost_of_counts_with_all_that_it_may_have_cost() -> None:
    call = Trials(plain_settings({}), date(2026, 11, 1)).images
    bound = call.bound_nano_usd
    purse = Purse(2 * bound)
    assert purse.has(2 * bound)
    assert not purse.has(2 * bound + 1)
    purse.begin(call)
    assert purse.has(bound)
    assert not purse.has(bound + 1)
    purse.settle(call, None)
    assert not purse.has(bound + 1)
    assert (purse.spent, purse.unclear) == (0, bound)


def test_what_a_call_did_cost_takes_the_place_of_what_it_may() -> None:
    call = Trials(plain_settings({}), date(2026, 11, 1)).images
    purse = Purse(2 * call.bound_nano_usd)
    purse.begin(call)
    purse.settle(call, 7)
    assert (purse.spent, purse.unclear) == (7, 0)
    assert purse.has(2 * call.bound_nano_usd - 7)
    assert not purse.has(2 * call.bound_nano_usd - 6)
