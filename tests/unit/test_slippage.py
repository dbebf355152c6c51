"""What a trade cost, in parts, and what an order costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.instruments import Instrument
from trading.objects.slippage import TradePrices, slippage

PRICES = st.floats(-1000, 1000)
SP500 = Instrument(code="SP500", point_size=50.0, currency="USD", slippage=0.125, cost_per_contract=2.05)


@given(st.sampled_from([-3, 1]), PRICES, PRICES, PRICES, PRICES)
def test_the_parts_add_up_from_the_reference_to_the_fill(quantity: int, reference: float, mid: float, side: float,
                                                         filled: float) -> None:
    parts = slippage(TradePrices(quantity=quantity, reference=reference, mid=mid, side=side, filled=filled))
    assert parts.delay is not None
    assert parts.bid_ask is not None
    assert parts.execution is not None
    assert parts.trading == pytest.approx(parts.bid_ask + parts.execution, abs=1e-9)
    sign = 1 if quantity > 0 else -1
    assert parts.delay + parts.bid_ask + parts.execution == pytest.approx(sign * (reference - filled), abs=1e-9)


def test_paying_the_offer_costs_half_of_the_spread() -> None:
    bought = slippage(TradePrices(quantity=2, mid=100.0, side=100.25, filled=100.25, limit=100.5))
    sold = slippage(TradePrices(quantity=-2, mid=100.0, side=99.75, filled=99.75, limit=99.5))
    assert bought == sold
    assert (bought.bid_ask, bought.execution, bought.versus_limit) == (-0.25, 0.0, 0.25)


def test_a_price_that_was_not_known_leaves_its_parts_open() -> None:
    parts = slippage(TradePrices(quantity=1, mid=None, side=100.25, filled=100.5))
    assert (parts.delay, parts.bid_ask, parts.trading) == (None, None, None)
    assert parts.execution == -0.25


def test_a_trade_of_nothing_and_a_price_of_no_number_are_refused() -> None:
    with pytest.raises(DataError, match="A trade of no lots has no slippage"):
        TradePrices(quantity=0, mid=1.0, side=1.0, filled=1.0)
    with pytest.raises(DataError, match=r"A price of the trade is no number: .*Write None for what is not known"):
        TradePrices(quantity=1, mid=float("nan"), side=1.0, filled=1.0)


def test_an_order_costs_its_commission_and_half_of_the_spread() -> None:
    assert SP500.cost(-3, 4500.0) == pytest.approx(3 * 2.05 + 3 * 0.125 * 50)
    assert SP500.cost(0, 4500.0) == 0.0
    assert SP500.cost_fraction(-3, 4500.0) == pytest.approx(24.9 / (3 * 4500 * 50))
    assert SP500.cost_fraction(1, -10.0) == pytest.approx(8.3 / 500)


@pytest.mark.parametrize(("contracts", "price"), [(0, 4500.0), (1, 0.0), (1, float("nan"))])
def test_no_cost_is_a_fraction_of_nothing(contracts: int, price: float) -> None:
    with pytest.raises(DataError, match=f"SP500: {contracts} contracts at {price:g} are worth nothing"):
        SP500.cost_fraction(contracts, price)
