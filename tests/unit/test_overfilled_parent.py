"""Broker orders that are right one by one, and together more than their parent: flagged, locked, never reversed."""

from dataclasses import replace

import pytest
from broker_order_samples import NOW, a_broker_order
from memory_orders import a_decision

from trading.execution.booking import Family, booked, lock_for
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import Fill
from trading.execution.locks import LockCause
from trading.execution.order_states import Flag
from trading.execution.orders import spawn


def test_a_fill_behind_a_cancel_whose_replacement_filled_too_locks_the_instrument() -> None:
    # given five lots that were cancelled, sent again and filled
    decision, [leg] = spawn(a_decision("IO-1", 5, NOW), "SP500/20260600", NOW)
    cancelled = a_broker_order(lifecycle=BrokerLifecycle.CANCELLED)
    second = a_broker_order(id="01J-C1-B2", lifecycle=BrokerLifecycle.WORKING)
    family = booked(Family(broker=second, contract=leg, instrument=decision), 5, False)

    # when the first one turns out to have filled as well
    before = Family(broker=cancelled, contract=family.contract, instrument=family.instrument)
    after = booked(before, 5, False)
    found = lock_for(before, after, a_fill())

    # then it is booked, and a person is called
    assert (after.contract.filled, after.contract.flags) == (10, frozenset({Flag.LATE_FILL, Flag.OVERFILL}))
    assert after.broker.flags == {Flag.LATE_FILL}
    assert found is not None
    assert (found.cause, found.subject) == (LockCause.OVERFILL, leg.id)
    assert found.reason == ("contract order IO-1-C1 was for +5 and its broker orders together have filled +10")


@pytest.mark.parametrize(("quantity", "filled"), [(1, 2), (-1, -2), (3, 7)])
def test_s_08_what_was_filled_too_much_is_not_sent_back(quantity: int, filled: int) -> None:
    decision, [leg] = spawn(a_decision("IO-1", quantity, NOW), "SP500/20260600", NOW)
    assert replace(leg, filled=filled).residual == 0
    assert replace(leg, filled=filled).available(0) == 0
    assert replace(decision, filled=filled).residual == 0


def a_fill() -> Fill:
    order = a_broker_order()
    return Fill(id="DU1/1", execution_id="1.01", revision=1, broker_order=order.id, contract=order.contract, con_id=42,
                quantity=5, price=order.bid, at=NOW, trading_day="2026-03-02")
