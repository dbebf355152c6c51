"""Orders that the store has lost, made anew: what is known of them, and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest
from two_sides import JUNE, NOW, REFERENCE, a_fill, failing, listed, ours, positions, theirs

from trading.execution.booking import Family
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import EXTERNAL
from trading.execution.order_states import Flag, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.reconciliation.breaks import BreakId
from trading.execution.reconciliation.broker_view import Part
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.lost_orders import LostOrder, lost_orders, rebuilt
from trading.risk.order_kind import OrderKind

ROOT = REFERENCE.partition("-")[0]
BACK = "SP500/20260300"


def the_lost(**seen: object) -> LostOrder:
    found, = lost_orders(ours(), theirs(account="DU1", open_orders=(listed(**seen),)))  # type: ignore[arg-type]
    return found


def an_instrument_order(**changes: object) -> InstrumentOrder:
    return InstrumentOrder(**{  # type: ignore[arg-type]
        "id": f"IO-{ROOT}", "idempotency_key": "k", "account": "DU1", "strategy": "s", "instrument": "SP500",
        "kind": OrderKind.STRATEGY, "quantity": 5, "trading_day": "2026-03-02", "created": NOW} | changes)


def a_contract_order(**changes: object) -> ContractOrder:
    return ContractOrder(**{  # type: ignore[arg-type]
        "id": f"IO-{ROOT}-C1", "parent": f"IO-{ROOT}", "account": "DU1", "strategy": "s", "instrument": "SP500",
        "contract": JUNE, "kind": OrderKind.STRATEGY, "quantity": 5, "trading_day": "2026-03-02",
        "created": NOW} | changes)


def lives(family: Family) -> tuple[Lifecycle, Lifecycle, BrokerLifecycle]:
    return family.instrument.lifecycle, family.contract.lifecycle, family.broker.lifecycle


def test_what_works_at_the_broker_is_made_anew_as_nobodys_and_is_to_end() -> None:
    family = rebuilt(the_lost(side=-1), None, None)
    assert (family.instrument.id, family.contract.id, family.broker.id) == (
        f"IO-{ROOT}", f"IO-{ROOT}-C1", REFERENCE)
    assert {family.instrument.strategy, family.contract.strategy, family.broker.strategy} == {EXTERNAL}
    assert lives(family) == (Lifecycle.CLOSING, Lifecycle.CLOSING, BrokerLifecycle.ACKED)
    assert (family.broker.committed, family.broker.limit_price, family.broker.quote) == (-5, Decimal(100), None)
    assert (family.broker.perm_id, family.broker.ib_order_id, family.broker.epoch) == (70, 9, "e")
    assert all(Flag.REBUILT in order.flags for order in (family.instrument, family.contract, family.broker))


def test_what_no_longer_works_was_for_as_many_lots_as_it_has_traded() -> None:
    fills = tuple(a_fill(f"e{lots}", lots, reference=REFERENCE) for lots in (2, 1))
    found, = lost_orders(ours(positions({JUNE: 3}, external=3), fills=fills), theirs({JUNE: 3}, account="DU1"))
    assert (found.quantity, found.fills, found.epoch) == (3, ("DU1/e2", "DU1/e1"), None)


def test_a_parent_that_is_still_known_says_whose_it_is_and_gives_its_number_to_no_other() -> None:
    parent, leg = an_instrument_order(lifecycle=Lifecycle.WORKING, next_child=2), a_contract_order()
    family = rebuilt(the_lost(), parent, leg)
    assert (family.broker.strategy, family.broker.kind) == ("s", OrderKind.STRATEGY)
    assert lives(family) == (Lifecycle.WORKING, Lifecycle.WORKING, BrokerLifecycle.ACKED)
    assert (family.instrument.next_child, family.contract.next_child) == (2, 2)
    assert (family.contract.quantity, family.instrument.quantity) == (5, 5)


def test_an_instrument_order_that_had_no_child_yet_keeps_its_strategy() -> None:
    family = rebuilt(the_lost(), an_instrument_order(), None)
    assert (family.contract.strategy, family.instrument.lifecycle, family.instrument.next_child) == (
        "s", Lifecycle.WORKING, 2)


def test_a_closed_parent_stays_closed() -> None:
    family = rebuilt(the_lost(), an_instrument_order(lifecycle=Lifecycle.CLOSED),
                     a_contract_order(lifecycle=Lifecycle.CLOSED))
    assert lives(family) == (Lifecycle.CLOSED, Lifecycle.CLOSED, BrokerLifecycle.ACKED)


def test_a_second_child_makes_what_was_made_anew_larger() -> None:
    first = rebuilt(the_lost(), None, None)
    second = rebuilt(the_lost(reference=REFERENCE.replace("B1", "B2"), lots=2), first.instrument, first.contract)
    assert (second.contract.quantity, second.instrument.quantity, second.contract.next_child) == (7, 7, 3)


def test_two_months_of_one_order_are_a_roll() -> None:
    first = rebuilt(the_lost(), None, None)
    back = rebuilt(the_lost(reference=REFERENCE.replace("C1", "C2"), side=-1, contract=BACK), first.instrument, None)
    assert (back.instrument.kind, back.instrument.quantity, back.instrument.next_child) == (OrderKind.ROLL, 0, 3)
    assert (back.contract.contract, back.contract.quantity) == (BACK, -5)


@pytest.mark.parametrize("seen", [{"side": 0}, {"lots": None}, {"status": "Cancelled"}, {"reference": "by hand"},
                                  {"contract": "unknown contract/42"}])
def test_nothing_is_made_anew_by_guessing(seen: dict[str, object]) -> None:
    listing = listed(**seen)  # type: ignore[arg-type]
    assert lost_orders(ours(), theirs(open_orders=(listing,))) == []


@pytest.mark.parametrize("part", [Part.OPEN_ORDERS, Part.COMPLETED_ORDERS, Part.EXECUTIONS])
def test_nothing_is_made_anew_while_the_broker_has_not_told_of_all(part: Part) -> None:
    assert lost_orders(ours(), failing(theirs(open_orders=(listed(),)), part)) == []


def test_what_an_order_made_anew_has_traded_for_nobody_is_told_until_it_is_given_to_a_strategy() -> None:
    fill = a_fill("e1", 2, reference=REFERENCE, broker_order=REFERENCE)
    order = replace(rebuilt(the_lost(), None, None).broker, filled=2, lifecycle=BrokerLifecycle.FILLED)
    mine = ours(positions({JUNE: 2}, external=2), fills=(fill,), ended=(order,))
    found, = find_breaks(mine, theirs({JUNE: 2}))
    assert (found.id, found.subject) == (BreakId.LOST_ORDER, REFERENCE)
    assert find_breaks(ours(positions({JUNE: 2}, s=2), fills=(fill,), ended=(order,)), theirs({JUNE: 2})) == []
