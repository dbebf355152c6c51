"""Fills in the real store: booked once whoever brings them, whole or not at all, on every tier and for a roll."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.orders import MongoOrders
from trading.errors import ConcurrentUpdate, NotFound
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.orders import ContractOrder, InstrumentOrder, OrderKind, broker_order_id, spawn

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
A_ROLL = {"kind": OrderKind.ROLL, "quantity": 0, "roll_from": "SP500/20260300", "roll_to": "SP500/20260600",
          "roll_quantity": 4}


def sent(store: MongoStore, **changes: object) -> list[BrokerOrder]:
    """One working broker order for each leg of an instrument order."""
    orders = MongoOrders(store)
    parent = InstrumentOrder(**{  # type: ignore[arg-type]
        "id": "IO-1", "idempotency_key": "k", "account": "DU1", "strategy": "s", "instrument": "SP500",
        "kind": OrderKind.STRATEGY, "quantity": 5, "trading_day": "2026-03-02", "created": NOW} | changes)
    stored = orders.add_instrument_order(parent)
    assert stored is not None
    orders.spawned(*spawn(stored, "SP500/20260600", NOW))
    return [orders.add_broker_order(replace(leg, next_child=2), at_the_broker(leg, number))
            for number, leg in enumerate(orders.open_contract_orders())]


def at_the_broker(leg: ContractOrder, number: int) -> BrokerOrder:
    return BrokerOrder(
        id=broker_order_id(leg), parent=leg.id, account="DU1", strategy="s", instrument="SP500",
        contract=leg.contract, con_id=40 + number, exchange="CME", kind=leg.kind, quantity=leg.quantity,
        order_type="LMT", limit_price=Decimal("-37.2500"), time_in_force="DAY", bid=Decimal("-37.5"),
        ask=Decimal("-37.2500"), trading_day="2026-03-02", created=NOW, lifecycle=BrokerLifecycle.WORKING,
        perm_id=70 + number, epoch="e", ib_order_id=500 + number)


def a_fill(order: BrokerOrder, quantity: int, base: str) -> Fill:
    return Fill(id=f"DU1/{base}", execution_id=f"{base}.01", revision=1, broker_order=order.id,
                contract=order.contract, con_id=order.con_id, quantity=quantity, price=Decimal("-37.2500"), at=NOW,
                trading_day="2026-03-02")


def test_an_order_comes_back_to_the_last_digit(store: MongoStore) -> None:
    order, = sent(store)
    stored = MongoOrders(store).broker_order(order.id)
    assert stored == order
    assert str(stored.limit_price) == "-37.2500"


def test_an_order_is_found_by_whatever_the_broker_calls_it(store: MongoStore) -> None:
    order, = sent(store)
    find = MongoOrders(store).find_broker_order
    assert find(order.id, 0, 0, "") == find("", 70, 0, "") == find("", 0, 500, "e") == order
    assert find("", 0, 500, "another connection") is None
    assert find("", 0, 0, "e") is None
    assert find("strange", 9, 9, "e") is None


def test_an_order_that_does_not_exist_is_said(store: MongoStore) -> None:
    with pytest.raises(NotFound, match=r"There is no broker order x. See: tradectl orders --all"):
        MongoOrders(store).broker_order("x")


def test_a_fill_brought_by_eight_at_once_is_booked_once(store: MongoStore) -> None:
    # given an order and eight readers of the same message
    order, = sent(store)
    books, barrier = MongoBooks(store), threading.Barrier(8)

    def bring(_reader: int) -> bool:
        barrier.wait()
        while True:
            try:
                return books.apply_fill(a_fill(order, 3, "e1"))
            except ConcurrentUpdate:
                continue  # losing the race is normal

    # when all book it
    with ThreadPoolExecutor(8) as threads:
        booked = list(threads.map(bring, range(8)))

    # then one of them did
    assert sum(booked) == 1
    assert books.contract_positions() == {"SP500/20260600": 3}
    assert MongoOrders(store).broker_order(order.id).filled == 3


def test_the_legs_of_a_roll_move_contracts_and_not_the_strategy(store: MongoStore) -> None:
    out_of, into = sent(store, **A_ROLL)
    books = MongoBooks(store)
    books.apply_fill(a_fill(out_of, -4, "e1"))
    books.apply_fill(a_fill(into, 4, "e2"))
    assert books.contract_positions() == {"SP500/20260300": -4, "SP500/20260600": 4}
    assert {lots for lots in books.strategy_positions().values() if lots} == set()
    assert MongoOrders(store).open_instrument_orders()[0].filled == 0


def test_a_position_that_is_flat_is_no_position(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 3, "e1"))
    books.apply_fill(a_fill(order, -3, "e2"))
    assert books.contract_positions() == {}


def test_a_fill_that_completes_a_cancelled_order_makes_it_filled(store: MongoStore) -> None:
    order, = sent(store)
    MongoOrders(store).save_broker_order(order.advanced(BrokerLifecycle.CANCELLED, "too late"))
    MongoBooks(store).apply_fill(a_fill(order, 5, "e1"))
    assert MongoOrders(store).broker_order(order.id).lifecycle is BrokerLifecycle.FILLED


def test_a_corrected_commission_replaces_the_first(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 2, "e1"))
    books.apply_fill(a_fill(order, 3, "e2"))
    for base, amount in (("e1", "2.05"), ("e2", "1.00"), ("e1", "2.15")):
        assert books.apply_commission(f"DU1/{base}", Decimal(amount), "USD") is True
    assert MongoOrders(store).broker_order(order.id).commission == Decimal("3.15")


def test_a_commission_for_a_fill_of_nobodys_order_is_kept_with_it(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(replace(a_fill(order, 2, "e1"), broker_order=None))
    assert books.apply_commission("DU1/e1", Decimal("2.05"), "USD") is True
    assert books.fills()[0].commission == Decimal("2.05")


def test_fills_of_a_day_are_those_of_that_day(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 2, "e1"))
    books.apply_fill(replace(a_fill(order, 3, "e2"), trading_day="2026-03-03"))
    assert [fill.id for fill in books.fills("2026-03-03")] == ["DU1/e2"]
    assert len(books.fills()) == 2


def test_a_repeated_spawn_meets_its_own_children(store: MongoStore) -> None:
    sent(store)
    orders = MongoOrders(store)
    parent = orders.open_instrument_orders()[0]
    with pytest.raises(ConcurrentUpdate):
        orders.spawned(*spawn(replace(parent, next_child=1), "SP500/20260600", NOW))
    assert len(orders.contract_orders_of("IO-1")) == 1
    assert orders.open_instrument_orders()[0].version == parent.version
