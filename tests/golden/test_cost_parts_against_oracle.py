"""The parts of a cost against pysystemtrade's slippage, whose sign is the other one; and a day of our own numbers."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracle import PEER, found_in, needs_numbers

from trading.execution.quotes import Touch
from trading.execution.shortfall import PARTS, Child, Part, Trade, Traded, costs, point_costs

CASES = PEER / "14_execution" / "slippage_costs.json"
OURS = json.loads((Path(__file__).parent / "fixture" / "order_costs.json").read_text())
AT = datetime(2026, 3, 2, 20, tzinfo=UTC)


def number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


@pytest.mark.parametrize("case", found_in(CASES, "slippage"))
@pytest.mark.shared
@needs_numbers[1]
def test_what_they_call_slippage_is_a_cost_with_the_other_sign(case: dict[str, Any]) -> None:
    seen = case["inputs"]
    mid, side = number(seen["mid_price"]), number(seen["side_price"])
    sign = seen["buy_or_sell"]
    quote = None if mid is None or side is None else Touch(at=AT, **(
        {"bid": 2 * mid - side, "ask": side} if sign > 0 else {"bid": side, "ask": 2 * mid - side}))
    filled = Traded(lots=sign, price=Decimal(str(seen["filled_price"])))
    found = point_costs(Trade(quantity=sign, decided=number(seen["parent_reference_price"]), money_per_point=Decimal(1),
                              children=(Child(quote=quote, fills=(filled,)),)))
    for part, theirs in ((Part.DELAY, case["delay"]), (Part.HALF_SPREAD, case["bid_ask"]),
                         (Part.EXECUTION, case["execution"])):
        ours = found[part]
        assert (ours is None) == (theirs is None)
        assert ours is None or -float(ours) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("case", OURS, ids=[case["name"] for case in OURS])
def test_an_order_of_ours_costs_what_was_written_down(case: dict[str, Any]) -> None:
    children = tuple(Child(
        quote=None if each["bid"] is None else Touch(bid=Decimal(each["bid"]), ask=Decimal(each["ask"]), at=AT),
        fills=tuple(Traded(lots=lots, price=Decimal(price)) for lots, price in each["fills"]))
        for each in case["children"])
    found = costs(Trade(quantity=case["quantity"], children=children, decided=number(case["decided"]),
                        unfilled_at=number(case["unfilled_at"]), fees=number(case["fees"]),
                        money_per_point=Decimal(case["money_per_point"])))
    assert {part.value: found[part] for part in PARTS} == {name: number(value)
                                                          for name, value in case["costs"].items()}
