"""Slippage of a trade in parts, and the cost of an order, against pysystemtrade's cases."""

from typing import Any

import pytest
from oracle import PEER, found_in, needs_numbers

from trading.objects.instruments import Instrument
from trading.objects.slippage import TradePrices, slippage

pytestmark = needs_numbers
CASES = PEER / "14_execution" / "slippage_costs.json"


@pytest.mark.parametrize("case", found_in(CASES, "slippage"))
def test_the_parts_of_slippage_equal_the_oracle(case: dict[str, Any]) -> None:
    seen = case["inputs"]
    parts = slippage(TradePrices(
        quantity=seen["buy_or_sell"], reference=seen["parent_reference_price"], mid=seen["mid_price"],
        side=seen["side_price"], filled=seen["filled_price"], limit=seen["limit_price"],
        parent_limit=seen["parent_limit_price"]))
    theirs = [case[name] for name in ("delay", "bid_ask", "execution", "total_trading", "versus_limit",
                                      "versus_parent_limit")]
    ours = [parts.delay, parts.bid_ask, parts.execution, parts.trading, parts.versus_limit, parts.versus_parent_limit]
    assert [part is None for part in ours] == [part is None for part in theirs]
    assert [part for part in ours if part is not None] == pytest.approx(
        [part for part in theirs if part is not None], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("case", found_in(CASES, "instrument_costs"))
def test_the_cost_of_an_order_equals_the_oracle(case: dict[str, Any]) -> None:
    costs, contracts, price = case["costs"], case["blocks"], case["price"]
    instrument = Instrument(
        code="X", point_size=case["multiplier"], currency="USD", slippage=costs["price_slippage"],
        cost_per_contract=costs.get("value_of_block_commission", 0.0),
        cost_percentage=costs.get("percentage_cost", 0.0),
        cost_per_order=costs.get("value_of_pertrade_commission", 0.0))
    assert instrument.cost(contracts, price) == pytest.approx(case["currency_cost"], rel=1e-9)
    # theirs is negative when a sale costs something
    assert instrument.cost_fraction(contracts, price) == pytest.approx(abs(case["pct"]), rel=1e-9)
