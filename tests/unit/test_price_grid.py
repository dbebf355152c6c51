"""Prices on a grid: rounded the way that is meant, inside a collar, of any sign; and quotes that may be acted on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from broker_order_samples import NOW
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.execution.price_grid import PriceGrid
from trading.execution.quotes import Touch, is_lost, usable

PRICES = st.decimals(-100_000, 100_000, places=5)
TICKS = st.sampled_from([Decimal(text) for text in ("0.00005", "0.0078125", "0.01", "0.015625", "0.25", "0.5", "1",
                                                    "12.5")])


def touch(bid: str, ask: str) -> Touch:
    return Touch(bid=Decimal(bid), ask=Decimal(ask), at=NOW)


@pytest.mark.parametrize(("price", "quantity", "passive", "aggressive"), [
    ("99.80", 1, "99.75", "100.00"), ("99.80", -1, "100.00", "99.75"), ("100", 1, "100", "100"),
    ("-37.63", 1, "-37.75", "-37.50"), ("-37.63", -1, "-37.50", "-37.75"), ("0", 1, "0", "0"),
    ("-0.10", 1, "-0.25", "0.00")])
def test_a_purchase_rests_below_and_takes_above(price: str, quantity: int, passive: str, aggressive: str) -> None:
    grid = PriceGrid(tick=Decimal("0.25"))
    assert grid.passive(Decimal(price), quantity) == Decimal(passive)
    assert grid.aggressive(Decimal(price), quantity) == Decimal(aggressive)


@given(PRICES, TICKS, st.sampled_from([1, -1, 500, -500]))
def test_rounding_never_crosses_when_passive_and_never_misses_when_aggressive(price: Decimal, tick: Decimal,
                                                                              quantity: int) -> None:
    grid, sign = PriceGrid(tick=tick), 1 if quantity > 0 else -1
    resting, taking = grid.passive(price, quantity), grid.aggressive(price, quantity)
    assert grid.holds(resting)
    assert grid.holds(taking)
    assert 0 <= sign * (price - resting) < tick
    assert 0 <= sign * (taking - price) < tick


@given(PRICES, TICKS, PRICES, st.decimals(0, 1000, places=4), st.sampled_from([1, -1]))
def test_whatever_is_asked_for_comes_out_inside_the_collar(price: Decimal, tick: Decimal, low: Decimal, width: Decimal,
                                                           quantity: int) -> None:
    grid = PriceGrid(tick=tick, low=low, high=low + width + tick)
    for found in (grid.passive(price, quantity), grid.aggressive(price, quantity)):
        assert low <= found <= low + width + tick or abs(found - price) < tick
        assert found % tick == 0


def test_pst_1660_a_float_residue_is_off_the_grid() -> None:
    grid = PriceGrid(tick=Decimal("0.00005"))
    assert not grid.holds(Decimal("0.0010500000000000002"))
    assert grid.holds(grid.passive(Decimal("0.0010500000000000002"), 1))


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_price_is_refused(price: str) -> None:
    with pytest.raises(DataError, match="is no price"):
        PriceGrid(tick=Decimal(1)).passive(Decimal(price), 1)


@pytest.mark.parametrize("tick", ["0", "-1", "NaN", "Infinity"])
def test_what_is_no_tick_is_refused(tick: str) -> None:
    with pytest.raises(DataError, match="is no price step"):
        PriceGrid(tick=Decimal(tick))


@pytest.mark.parametrize(("bid", "ask", "sane"), [
    ("1", "2", True), ("1", "1", True), ("-2", "-1", True), ("2", "1", False), ("NaN", "1", False),
    ("1", "NaN", False), ("1", "Infinity", False), ("-Infinity", "1", False), ("0", "0", False)])
def test_a_quote_is_sane_when_it_is_finite_and_not_crossed(bid: str, ask: str, sane: bool) -> None:
    assert touch(bid, ask).is_sane is sane
    assert (usable(touch(bid, ask), NOW) is not None) is sane


def test_an_old_quote_is_held_and_a_very_old_one_is_lost() -> None:
    quote = touch("1", "2")
    assert usable(quote, NOW + timedelta(seconds=10)) == quote
    assert usable(quote, NOW + timedelta(seconds=11)) is None
    assert not is_lost(quote, NOW + timedelta(seconds=60))
    assert is_lost(quote, NOW + timedelta(seconds=61))
    assert is_lost(None, NOW)
