"""The order that a roll state demands: for whom, how many lots, and into which contract."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from trading.execution.order_generators.roll_orders import roll_order
from trading.execution.orders import Decision, InstrumentOrder
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

DECISION = Decision(account="DU1", trading_day="2026-03-02", now=datetime(2026, 3, 2, 20, tzinfo=UTC))
MARCH, JUNE = Contract.of("SP500", "20260300"), Contract.of("SP500", "20260600")


@dataclass(frozen=True)
class Rolling:
    front_lots: int
    front: Contract = MARCH
    forward: Contract = JUNE


def ordered(lots: int, state: RollState, strategies: dict[tuple[str, str], int] | None = None,
            may_go_on: bool = False) -> InstrumentOrder | None:
    holders = {("s", "SP500"): 1} if strategies is None else strategies
    return roll_order(Rolling(lots), state, holders, DECISION, may_go_on=may_go_on)


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
    holders = {("small", "SP500"): 2, ("large", "SP500"): -5, ("elsewhere", "US10"): 50}
    order = ordered(-3, RollState.FORCE_OUTRIGHT, holders)
    assert order is not None
    assert order.strategy == "large"


def test_a_position_that_nobody_claims_is_booked_as_such() -> None:
    order = ordered(7, RollState.FORCE_OUTRIGHT, {("s", "US10"): 1})
    assert order is not None
    assert order.strategy == "_UNATTRIBUTED"
