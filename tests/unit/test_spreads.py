"""Calendar spreads: what counts is what their months traded; a unit is done once both have."""

from dataclasses import replace
from decimal import Decimal

import pytest
from broker_order_samples import NOW, a_broker_order
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.booking import Family, booked, lock_for
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.kill_actions import to_cancel
from trading.execution.locks import LockCause
from trading.execution.order_states import Flag, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, WrongQuantity, spawn
from trading.execution.spreads import Month, Spread, is_spread, months_of, share_a_month
from trading.execution.stack_handler.reports import after_status
from trading.execution.uneven_rolls import alone
from trading.risk.kill_level import Command, KillLevel, KillState, raised
from trading.risk.order_kind import OrderKind

NEAR, FAR, KEY = "SP500/20260600", "SP500/20260900", "SP500/20260600-20260900"
SPREAD = Spread(symbol="ES", currency="USD", near=Month(contract=NEAR, con_id=1), far=Month(contract=FAR, con_id=2))
ROLL = InstrumentOrder(id="IO-01J", idempotency_key="k", account="DU1", strategy="s", instrument="SP500",
                       kind=OrderKind.ROLL, quantity=0, roll_from=NEAR, roll_to=FAR, roll_quantity=3, as_spread=True,
                       trading_day="2026-03-02", created=NOW)


def an_order(units: int = 3, **changes: object) -> BrokerOrder:
    return a_broker_order(quantity=units, contract=KEY, spread=SPREAD, kind=OrderKind.ROLL,
                          **{"lifecycle": BrokerLifecycle.WORKING, **changes})


def a_fill(con_id: int, lots: int, price: str = "1", number: int = 1) -> Fill:
    return Fill(id=f"DU1/{number}", execution_id=f"{number}.01", revision=1, broker_order="01J-C1-B1", con_id=con_id,
                contract={1: NEAR, 2: FAR}.get(con_id), quantity=lots, price=Decimal(price), at=NOW,
                trading_day="2026-03-02")


def the_family(units: int = 3) -> Family:
    roll, [leg] = spawn(replace(ROLL, roll_quantity=units), "", NOW, SPREAD)
    return Family(broker=an_order(units), contract=replace(leg, lifecycle=Lifecycle.WORKING), instrument=roll)


def test_a_key_stands_for_both_months() -> None:
    assert (SPREAD.key, months_of(KEY), months_of(NEAR)) == (KEY, (NEAR, FAR), (NEAR,))
    assert (is_spread(KEY), is_spread(NEAR)) == (True, False)
    assert share_a_month(KEY, FAR)
    assert share_a_month(NEAR, KEY)
    assert not share_a_month(NEAR, FAR)
    assert not share_a_month(KEY, "SP400/20260600")


def test_a_roll_by_spread_has_one_leg_that_sells_what_is_held() -> None:
    family = the_family(-2)
    assert (family.contract.contract, family.contract.quantity, family.contract.spread) == (KEY, -2, SPREAD)
    assert family.instrument.next_child == 2
    assert (family.contract.lots_in(NEAR, -2), family.contract.lots_in(FAR, -2)) == (2, -2)


@given(st.integers(-6, 6).filter(bool), st.data())
def test_in_any_order_of_its_fills_a_unit_counts_once_both_months_have_traded(units: int, data: st.DataObject) -> None:
    sign = 1 if units > 0 else -1
    family = the_family(units)
    lots = data.draw(st.permutations([1] * abs(units) + [2] * abs(units)))
    done = {1: 0, 2: 0}
    for con_id in lots:
        done[con_id] += 1
        family = booked(family, -sign if con_id == 1 else sign, False, con_id)
        whole = sign * min(done.values())
        assert (family.broker.filled, family.contract.filled, family.instrument.filled) == (whole, whole, 0)
        assert bool(family.broker.spread.alone) is (done[1] != done[2])  # type: ignore[union-attr]
        for number, contract in ((1, NEAR), (2, FAR)):
            wanted = SPREAD.lots_of(contract, units)
            assert family.broker.committed_in(contract) == wanted - done[number] * (wanted // abs(wanted))
    assert family.broker.lifecycle is BrokerLifecycle.FILLED
    assert family.broker.flags == frozenset()
    assert alone([family.broker]) == ""


def test_what_one_month_is_ahead_is_told_by_contract_over_all_its_orders() -> None:
    first = the_family().broker.traded(-2, 1, is_correction=False)
    second = an_order().traded(1, 2, is_correction=False)
    assert alone([first]) == f"-2 {NEAR}"
    assert alone([first, second]) == f"-2 {NEAR}, +1 {FAR}"


def test_a_month_that_trades_more_than_was_ordered_is_an_overfill() -> None:
    before = the_family(1)
    after = booked(before, -2, False, 1)
    assert Flag.OVERFILL in after.broker.flags
    found = lock_for(before, after, a_fill(1, -2))
    assert found is not None
    assert (found.cause, found.reason) == (LockCause.OVERFILL, "broker order 01J-C1-B1 was for +1 and has filled -2 of "
                                                               "its near and +0 of its far month")


@pytest.mark.parametrize(("con_id", "lots", "is_ours"), [(1, -1, True), (1, 1, False), (2, 1, True), (2, -1, False),
                                                         (3, 1, False)])
def test_a_fill_of_the_other_side_or_of_another_month_is_nobodys(con_id: int, lots: int, is_ours: bool) -> None:
    assert an_order().owns(a_fill(con_id, lots)) is is_ours


def test_its_fills_are_those_of_its_months_and_the_far_ones_are_counted_no_second_time() -> None:
    near, far = (an_order().owned(replace(a_fill(con_id, 1), contract=None)) for con_id in (1, 2))
    assert [(fill.contract, fill.is_behind) for fill in (near, far)] == [(NEAR, False), (FAR, True)]


def test_a_cancel_is_believed_once_the_units_that_the_broker_counted_are_booked() -> None:
    half = an_order().traded(-1, 1, is_correction=False)
    facts = {"status": "Cancelled", "filled": 1.0}
    assert after_status(half, facts).may_be_alive, "the broker counts a unit, of which a month is missing"
    both = after_status(half, facts).traded(1, 2, is_correction=False)
    assert both.lifecycle is BrokerLifecycle.CANCELLED


def test_no_new_risk_leaves_a_spread_alone_and_a_halt_takes_it_back() -> None:
    resting = an_order(ib_order_id=7, sent=NOW)
    by = Command(who="ann", why="strange", when=NOW, is_person=True)
    found = [to_cancel(raised(KillState(), level, by), [resting], {"SP500": 3}, NOW)
             for level in (KillLevel.K2_NO_NEW_RISK, KillLevel.K3_HALT)]
    assert found == [[], [resting]]


def test_it_costs_what_the_difference_of_its_prices_costs() -> None:
    order = an_order(bid=Decimal("1"), ask=Decimal("2"))
    fills = [a_fill(1, -2, "100.25", 1), a_fill(2, 1, "102", 2), a_fill(2, 2, "102.5", 3), a_fill(1, -1, "100.5", 4)]
    found = [(fill.quantity, fill.price) for fill in order.fills_among(fills)]
    assert found == [(1, Decimal("1.75")), (1, Decimal("2.25")), (1, Decimal("2"))]
    assert sum(traded.lots for traded in order.worked(fills).fills) == 3


def test_more_units_than_are_left_are_refused() -> None:
    leg = the_family(2).contract
    with pytest.raises(WrongQuantity):
        leg.create_broker_orders([3], 0, None)  # type: ignore[arg-type]


def test_a_stored_order_comes_back_with_its_months() -> None:
    order = an_order().traded(-1, 1, is_correction=False)
    leg = the_family().contract
    assert BrokerOrder.from_dict(order.as_dict()) == order
    assert ContractOrder.from_dict(leg.as_dict()) == leg
