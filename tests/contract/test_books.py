"""Fills in the real store: booked once whoever brings them, whole or not at all, on every tier and for a roll."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders, TooManyLots
from trading.errors import ConcurrentUpdate, NotFound
from trading.execution.adjustments import Adjustment, AdjustmentKind, transfer
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL, Fill, FillStatus
from trading.execution.locks import LockCause
from trading.execution.order_ids import broker_order_id
from trading.execution.order_states import Flag
from trading.execution.orders import ContractOrder, InstrumentOrder, spawn
from trading.risk.order_kind import OrderKind

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
            for number, leg in enumerate(orders.contract_orders_of(parent.id))]


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


@pytest.mark.parametrize("order_of_arrival", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_of_an_order_add_up_whichever_is_heard_first(store: MongoStore,
                                                           order_of_arrival: tuple[int, ...]) -> None:
    order, = sent(store)
    books, parts = MongoBooks(store), [a_fill(order, lots, f"e{number}") for number, lots in enumerate((1, 3, 1))]
    assert all(books.apply_fill(parts[at]) for at in order_of_arrival)
    assert books.contract_positions() == {"SP500/20260600": 5}
    assert (MongoOrders(store).broker_order(order.id).filled, books.positions()) == (5, books.rebuilt())


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
    bought, = sent(store)
    sold, = sent(store, id="IO-2", idempotency_key="k2", quantity=-5)
    books = MongoBooks(store)
    books.apply_fill(a_fill(bought, 5, "e1"))
    books.apply_fill(a_fill(sold, -5, "e2"))
    assert books.contract_positions() == {}
    assert books.positions() == books.rebuilt()


def test_a_fill_of_the_other_side_is_nobodys_and_locks(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(replace(a_fill(order, -3, "e2"), instrument="SP500"))
    assert MongoOrders(store).broker_order(order.id).filled == 0
    assert books.strategy_positions() == {(EXTERNAL, "SP500"): -3}
    assert [fill.status for fill in books.fills()] == [FillStatus.QUARANTINED]
    assert "SP500" in MongoInstrumentLocks(store).reasons()


def test_pst_1474_an_overfill_is_booked_flagged_and_locked_and_raises_nothing(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    assert books.apply_fill(a_fill(order, 5, "e1"))
    assert books.apply_fill(a_fill(order, 1, "e2"))
    after = MongoOrders(store).broker_order(order.id)
    assert (after.filled, after.flags, books.contract_positions()) == (
        6, {Flag.OVERFILL, Flag.LATE_FILL}, {"SP500/20260600": 6})
    assert [lock.cause for lock in MongoInstrumentLocks(store).all()] == [LockCause.OVERFILL]


@pytest.mark.parametrize("ending", [BrokerLifecycle.REJECTED, BrokerLifecycle.NOT_SENT])
def test_a_fill_after_the_proof_that_there_could_be_none_is_booked_and_locks(
        store: MongoStore, ending: BrokerLifecycle) -> None:
    order, = sent(store)
    MongoOrders(store).save_broker_order(replace(order, lifecycle=ending))
    MongoBooks(store).apply_fill(a_fill(order, 2, "e1"))
    assert MongoBooks(store).contract_positions() == {"SP500/20260600": 2}
    assert [lock.cause for lock in MongoInstrumentLocks(store).all()] == [LockCause.UNEXPECTED_FILL]


def test_ib_insync_364_a_correction_replaces_whichever_comes_first(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    second = replace(a_fill(order, 2, "e1"), execution_id="e1.02", revision=2)
    for heard in (second, a_fill(order, 3, "e1"), second):
        books.apply_fill(heard)
    assert books.contract_positions() == {"SP500/20260600": 2}
    assert [each.number for each in books.fills()[0].revisions] == [1, 2]
    assert MongoOrders(store).broker_order(order.id).filled == 2


def test_one_revision_with_two_contents_keeps_the_first_and_locks(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 3, "e1"))
    assert books.apply_fill(replace(a_fill(order, 2, "e1"), instrument="SP500")) is False
    assert books.contract_positions() == {"SP500/20260600": 3}
    assert [lock.cause for lock in MongoInstrumentLocks(store).all()] == [LockCause.CONFLICT]


def test_a_busted_fill_moves_the_position_back_once_and_is_never_deleted(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 5, "e1"))
    assert (books.bust("DU1/e1"), books.bust("DU1/e1")) == (True, False)
    assert books.contract_positions() == {}
    assert [(fill.status, len(fill.revisions)) for fill in books.fills()] == [(FillStatus.BUSTED, 2)]
    assert books.positions() == books.rebuilt()


def test_what_somebody_else_traded_moves_the_contract_and_external_alone(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 2, "e1"))
    books.apply_fill(replace(a_fill(order, -3, "e2"), broker_order=None, instrument="SP500"))
    assert books.contract_positions() == {"SP500/20260600": -1}
    assert books.strategy_positions() == {("s", "SP500"): 2, (EXTERNAL, "SP500"): -3}
    assert books.positions().uneven() == {}
    assert MongoInstrumentLocks(store).reasons() == {
        "SP500": "somebody else traded -3 SP500/20260600 at -37.2500; assign it to a strategy: "
                 "tradectl positions assign SP500 STRATEGY"}


def test_a_transfer_moves_strategies_and_no_contract_once(store: MongoStore) -> None:
    order, = sent(store)
    books = MongoBooks(store)
    books.apply_fill(a_fill(order, 5, "e1"))
    moved = Adjustment(id="A-1", kind=AdjustmentKind.TRANSFER, entries=transfer("SP500", "s", "t", 2),
                       reason="t is new", who="ann", at=NOW)
    books.adjust(moved)
    books.adjust(moved)
    assert books.strategy_positions() == {("s", "SP500"): 3, ("t", "SP500"): 2}
    assert books.contract_positions() == {"SP500/20260600": 5}
    assert books.positions() == books.rebuilt()
    assert [each.reason for each in books.adjustments()] == ["t is new"]


def test_two_orders_of_one_parent_never_make_more_lots_possible_than_it_has(store: MongoStore) -> None:
    order, = sent(store)
    orders = MongoOrders(store)
    leg, = orders.open_contract_orders()
    with pytest.raises(TooManyLots, match=r"1-C1-B2 for \+1 was not stored: IO-1-C1 is for \+5, \+0 are filled and "
                                          r"\+5 may still be alive at the broker"):
        orders.add_broker_order(replace(leg, next_child=3),
                                replace(order, id="1-C1-B2", quantity=1, version=0, chain=""))
    assert len(orders.broker_orders_of(leg.id)) == 1


def test_every_change_has_its_event_and_the_chain_holds(store: MongoStore) -> None:
    # given an order that was filled in two parts and paid for
    order, = sent(store)
    books, events = MongoBooks(store), MongoEvents(store)
    for base in ("e1", "e2"):
        books.apply_fill(a_fill(order, 2, base))
    books.apply_commission("DU1/e1", Decimal("2.05"), "USD")

    # then the newest event of each order is what is stored, and nothing is missing
    for name, key in (("instrument_orders", "IO-1"), ("contract_orders", "IO-1-C1"), ("broker_orders", order.id)):
        stored = store.database[name].find_one({"_id": key})
        assert stored is not None
        told = events.of(key)
        assert [event.version for event in told] == list(range(1, stored["v"] + 1))
        assert (told[-1].payload, told[-1].digest) == (
            {key: value for key, value in stored.items() if key not in ("_id", "chain")}, stored["chain"])
    assert {event.aggregate for event in events.story("IO-1")} == {
        "IO-1", "IO-1-C1", order.id, "DU1/e1", "DU1/e2"}
    assert list(events.breaks_in_chain()) == []


def test_an_event_that_was_changed_or_left_out_is_noticed(store: MongoStore) -> None:
    order, = sent(store)
    for base in ("e1", "e2"):
        MongoBooks(store).apply_fill(a_fill(order, 2, base))
    store.database.events.update_one({"aggregate": "IO-1", "v": 2}, {"$set": {"payload.filled": 1}})
    store.database.events.delete_one({"aggregate": order.id, "v": 2})
    assert list(MongoEvents(store).breaks_in_chain()) == [
        f"{order.id}: version 3 follows 1; events are missing.", "IO-1: version 2 is not what was written."]


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
