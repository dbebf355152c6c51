"""Orders made anew in the real store: what they had traded is theirs, once, and positions stay the sum of the fills."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.orders import MongoOrders
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import EXTERNAL, Fill
from trading.execution.order_states import Lifecycle
from trading.execution.orders import InstrumentOrder, spawn
from trading.execution.reconciliation.lost_orders import LostOrder
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
JUNE = "SP500/20260600"
ROOT = "01KJQME8000000000000000000"
REFERENCE = f"{ROOT}-C1-B1"


def a_fill(base: str, quantity: int, **changes: object) -> Fill:
    """Of the lost order, booked as nobody's; with its order once that is known."""
    return Fill(**{  # type: ignore[arg-type]
        "id": f"DU1/{base}", "execution_id": f"{base}.01", "revision": 1, "broker_order": None, "contract": JUNE,
        "con_id": 42, "quantity": quantity, "price": Decimal(100), "at": NOW, "trading_day": "2026-03-02",
        "instrument": "SP500", "reference": REFERENCE} | changes)


def lost(quantity: int, *fills: str, **changes: object) -> LostOrder:
    return LostOrder(**{  # type: ignore[arg-type]
        "reference": REFERENCE, "account": "DU1", "contract": JUNE, "con_id": 42, "quantity": quantity,
        "trading_day": "2026-03-02", "at": NOW, "fills": fills} | changes)


def agrees(books: MongoBooks) -> bool:
    stored, rebuilt = books.proof()
    return stored == rebuilt and not stored.uneven()


def test_what_nobody_knows_becomes_an_order_of_nobody_with_its_fills(store: MongoStore) -> None:
    # given two fills of an order that the store does not know
    books, orders = MongoBooks(store), MongoOrders(store)
    books.apply([a_fill("e1", 2), a_fill("e2", 1)])

    # when it is made anew, then it has them, and positions are what they were
    assert books.rebuild(lost(5, "DU1/e1", "DU1/e2", epoch="e", ib_order_id=9, perm_id=70)) is not None
    order = orders.broker_order(REFERENCE)
    assert (order.filled, order.committed, order.lifecycle) == (3, 2, BrokerLifecycle.ACKED)
    assert (orders.contract_order(f"IO-{ROOT}-C1").filled, orders.instrument_order(f"IO-{ROOT}").filled) == (3, 3)
    assert [fill.broker_order for fill in books.fills_of(REFERENCE)] == [REFERENCE, REFERENCE]
    assert (books.strategy_positions(), books.contract_positions()) == ({(EXTERNAL, "SP500"): 3}, {JUNE: 3})
    assert [(entry.contract, entry.lots) for entry in books.external()] == [(JUNE, 3)]
    assert agrees(books)

    # and then the rest of it is booked as that of any order
    books.apply([a_fill("e3", 2, broker_order=REFERENCE)])
    assert orders.broker_order(REFERENCE).lifecycle is BrokerLifecycle.FILLED
    assert agrees(books)


def test_it_is_made_anew_once(store: MongoStore) -> None:
    books = MongoBooks(store)
    books.apply([a_fill("e1", 3)])
    assert books.rebuild(lost(3, "DU1/e1")) is not None
    before = MongoOrders(store).broker_order(REFERENCE)
    assert books.rebuild(lost(3, "DU1/e1")) is None
    assert MongoOrders(store).broker_order(REFERENCE) == before
    assert before.lifecycle is BrokerLifecycle.FILLED


@pytest.mark.parametrize("spawns", [True, False])
def test_what_a_parent_that_is_known_has_traded_is_its_strategys(store: MongoStore, spawns: bool) -> None:
    # given a store that has the parents alone, and a fill of the child that it lost
    books, orders = MongoBooks(store), MongoOrders(store)
    parent = orders.add_instrument_order(InstrumentOrder(
        id=f"IO-{ROOT}", idempotency_key="k", account="DU1", strategy="s", instrument="SP500",
        kind=OrderKind.STRATEGY, quantity=5, trading_day="2026-03-02", created=NOW))
    assert parent is not None
    if spawns:
        orders.spawned(*spawn(parent, JUNE, NOW))
    books.apply([a_fill("e1", 5)])

    # when the child is made anew, then positions are the strategy's
    books.rebuild(lost(5, "DU1/e1"))
    assert books.strategy_positions() == {("s", "SP500"): 5}
    assert books.external() == []
    assert agrees(books)
    leg = orders.contract_order(f"IO-{ROOT}-C1")
    assert (leg.strategy, leg.filled, leg.next_child) == ("s", 5, 2)
    assert leg.lifecycle is (Lifecycle.WORKING if spawns else Lifecycle.CLOSING)


def test_every_step_is_told_and_the_chain_holds(store: MongoStore) -> None:
    books, events = MongoBooks(store), MongoEvents(store)
    books.apply([a_fill("e1", 2)])
    books.rebuild(lost(2, "DU1/e1"))
    kinds = [event.kind for event in events.story(f"IO-{ROOT}")]
    assert kinds.count("rebuilt") == 3
    assert "fill assigned" in kinds
    assert not list(events.breaks_in_chain())
