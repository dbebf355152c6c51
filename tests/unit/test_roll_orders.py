"""The order that a roll state demands: for whom, how many lots, and into which contract."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from trading.execution.order_generators.roll_orders import Demand, own_part, roll_orders
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import Decision, InstrumentOrder
from trading.execution.rolls.decision import RollStyle
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

DECISION = Decision(account="DU1", trading_day="2026-03-02", now=datetime(2026, 3, 2, 20, tzinfo=UTC))
MARCH, JUNE = Contract.of("SP500", "20260300"), Contract.of("SP500", "20260600")


@dataclass(frozen=True)
class Rolling:
    front_lots: int
    forward_lots: int = 0
    front: Contract = MARCH
    forward: Contract = JUNE


def all_ordered(lots: int, demand: Demand, holders: dict[str, int] | None = None) -> list[InstrumentOrder]:
    return roll_orders(Rolling(lots), demand, {"s": lots} if holders is None else holders, DECISION)


def ordered(lots: int, state: RollState, holders: dict[str, int] | None = None,
            may_go_on: bool = False) -> InstrumentOrder | None:
    """The only order, if there is one."""
    found = all_ordered(lots, Demand(state=state, may_go_on=may_go_on), holders)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("lots", [7, -2])
@pytest.mark.parametrize("state", [RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT])
def test_a_forced_roll_moves_all_lots_of_the_front_contract(lots: int, state: RollState) -> None:
    order = ordered(lots, state)
    assert order is not None
    assert (order.kind, order.quantity, order.roll_quantity) == (OrderKind.ROLL, 0, lots)
    assert (order.roll_from, order.roll_to) == ("SP500/20260300", "SP500/20260600")


@pytest.mark.parametrize("lots", [7, -2])
def test_a_contract_that_must_be_left_is_closed_by_its_month_and_never_more(lots: int) -> None:
    order = ordered(lots, RollState.CLOSE)
    assert order is not None
    assert (order.kind, order.quantity, order.contract) == (OrderKind.CLOSE_OUT, -lots, "SP500/20260300")
    assert order.reduce_only


def test_a_close_out_whose_next_contract_is_liquid_goes_on_there() -> None:
    order = ordered(7, RollState.CLOSE, may_go_on=True)
    assert order is not None
    assert (order.kind, order.roll_to) == (OrderKind.ROLL, "SP500/20260600")


@pytest.mark.parametrize("state", [RollState.NO_ROLL, RollState.NO_OPEN, RollState.PASSIVE, RollState.ROLL_ADJUSTED,
                                   RollState.EXPIRED_HOLD])
def test_other_states_demand_nothing(state: RollState) -> None:
    assert ordered(7, state) is None


@pytest.mark.parametrize("state", list(RollState))
def test_nothing_held_is_nothing_to_roll(state: RollState) -> None:
    assert ordered(0, state) is None


def test_the_same_decision_has_the_same_key() -> None:
    first, again = ordered(7, RollState.FORCE_OUTRIGHT), ordered(7, RollState.FORCE_OUTRIGHT)
    assert first is not None
    assert again is not None
    assert first.idempotency_key == again.idempotency_key == "roll/SP500/20260300/20260600/2026-03-02"


def test_the_largest_holder_is_booked() -> None:
    holders = {"small": 2, "large": -5}
    order = ordered(-3, RollState.FORCE_OUTRIGHT, holders)
    assert order is not None
    assert order.strategy == "large"


def test_a_position_that_nobody_claims_is_booked_as_such() -> None:
    order = ordered(7, RollState.FORCE_OUTRIGHT, {})
    assert order is not None
    assert order.strategy == "_UNATTRIBUTED"


@pytest.mark.parametrize(("trade", "rolled", "own"), [
    (0, 5, 0), (-2, 3, -2), (2, 5, 0), (-5, None, -5), (-7, None, -5)])
def test_what_strategies_sell_of_the_front_is_not_rolled(trade: int, rolled: int | None, own: int) -> None:
    """The table of orders_and_risk.md 6.3, without a lot forward."""
    orders = all_ordered(5, Demand(state=RollState.FORCE_OUTRIGHT, trade=trade))
    assert [order.roll_quantity for order in orders] == ([] if rolled is None else [rolled])
    assert own_part(Rolling(5), trade) == own


def test_a_contract_that_must_be_left_is_left_by_each_strategy_with_its_share() -> None:
    orders = all_ordered(5, Demand(state=RollState.CLOSE), {"a": 6, "b": 4, "other_side": -5})
    assert [(order.strategy, order.quantity) for order in orders] == [("a", -3), ("b", -2)]
    assert len({order.idempotency_key for order in orders}) == 2


def test_a_month_whose_lots_the_strategies_hold_the_other_way_is_left_all_the_same() -> None:
    [order] = all_ordered(3, Demand(state=RollState.CLOSE), {"a": -2})
    assert (order.strategy, order.quantity) == ("_UNATTRIBUTED", -3)


@pytest.mark.parametrize(("state", "style", "worked"), [
    (RollState.FORCE_OUTRIGHT, RollStyle.PASSIVE_ONLY, ExecutionStyle.PASSIVE_ONLY),
    (RollState.FORCE_OUTRIGHT, RollStyle.BEST, ExecutionStyle.BEST),
    (RollState.CLOSE, RollStyle.BEST, ExecutionStyle.MARKETABLE)])
def test_a_roll_is_worked_as_urgently_as_it_is(state: RollState, style: RollStyle, worked: ExecutionStyle) -> None:
    [order] = all_ordered(5, Demand(state=state, may_go_on=True, style=style))
    assert order.style is worked
