"""Orders that follow the priced contract: for whom, how many lots, and not twice."""

from datetime import UTC, datetime

from trading.execution.order_generators.roll_orders import roll_orders
from trading.execution.orders import Decision, InstrumentOrder
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

DECISION = Decision(account="DU1", trading_day="2026-03-02", now=datetime(2026, 3, 2, 20, tzinfo=UTC))
PRICED = {"SP500": Contract.of("SP500", "20260600"), "US10": Contract.of("US10", "20260600")}


def rolls(held: dict[str, int], strategies: dict[tuple[str, str], int] | None = None,
          working: tuple[InstrumentOrder, ...] = ()) -> list[InstrumentOrder]:
    return list(roll_orders(held, strategies or {("s", "SP500"): 1}, PRICED, working, DECISION))


def test_a_position_outside_the_priced_contract_moves_there() -> None:
    order, = rolls({"SP500/20260300": 7})
    assert (order.kind, order.quantity, order.roll_quantity) == (OrderKind.ROLL, 0, 7)
    assert (order.roll_from, order.roll_to) == ("SP500/20260300", "SP500/20260600")


def test_a_short_position_moves_as_well() -> None:
    assert rolls({"SP500/20260300": -2})[0].roll_quantity == -2


def test_a_position_in_the_priced_contract_stays() -> None:
    assert rolls({"SP500/20260600": 7}) == []


def test_each_contract_rolls_by_itself() -> None:
    orders = rolls({"SP500/20251200": 1, "SP500/20260300": 2, "US10/20260300": 3, "US10/20260600": 4})
    assert [order.roll_from for order in orders] == ["SP500/20251200", "SP500/20260300", "US10/20260300"]


def test_a_roll_that_is_under_way_is_not_ordered_again() -> None:
    first = rolls({"SP500/20260300": 7})
    assert rolls({"SP500/20260300": 7}, working=tuple(first)) == []


def test_the_same_decision_has_the_same_key() -> None:
    first, again = rolls({"SP500/20260300": 7})[0], rolls({"SP500/20260300": 7})[0]
    assert first.idempotency_key == again.idempotency_key == "roll/SP500/20260300/20260600/2026-03-02"


def test_the_largest_holder_is_booked() -> None:
    holders = {("small", "SP500"): 2, ("large", "SP500"): -5, ("elsewhere", "US10"): 50}
    assert rolls({"SP500/20260300": -3}, holders)[0].strategy == "large"


def test_a_position_that_nobody_claims_is_booked_as_such() -> None:
    assert rolls({"SP500/20260300": 7}, {("s", "US10"): 1})[0].strategy == "unattributed"
