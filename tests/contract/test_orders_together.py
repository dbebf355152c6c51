"""Many orders in one transaction: what stands when all are well, when one is not, and when somebody was faster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pymongo import monitoring
from test_books import NOW, at_the_broker
from test_fill_batches import Commands

from trading.clock import SystemClock
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.controls import MongoKillState
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders, TooManyLots
from trading.data.risk.intent_controls import IntentControls
from trading.data.risk.seen_once import SeenOnce
from trading.errors import ConcurrentUpdate
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.documents import Unreadable
from trading.execution.locks import Lock, LockCause
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, spawn
from trading.execution.ports import Intent, Spawned
from trading.risk.kill_level import Command, KillLevel, raised
from trading.risk.order_kind import OrderKind

DAY = "2026-03-02"


def decisions(count: int, first: int = 1) -> list[InstrumentOrder]:
    """One for each of as many instruments."""
    return [InstrumentOrder(
        id=f"IO-{number:03}", idempotency_key=f"k{number}", account="DU1", strategy="s", instrument=f"M{number}",
        kind=OrderKind.STRATEGY, quantity=5, trading_day=DAY, created=NOW) for number in range(first, first + count)]


def stored(store: MongoStore, count: int) -> list[InstrumentOrder]:
    found = MongoOrders(store).add_instrument_orders(decisions(count))
    return [each for each in found if isinstance(each, InstrumentOrder)]


def families(parents: list[InstrumentOrder]) -> list[Spawned]:
    made = (spawn(parent, f"{parent.instrument}/20260600", NOW) for parent in parents)
    return [Spawned(parent, tuple(children)) for parent, children in made]


def legs(store: MongoStore, count: int) -> list[ContractOrder]:
    MongoOrders(store).spawned_all(families(stored(store, count)))
    return MongoOrders(store).open_contract_orders()


def intent(leg: ContractOrder) -> Intent:
    """For all that the leg wants."""
    order = replace(at_the_broker(leg, 0), instrument=leg.instrument, lifecycle=BrokerLifecycle.INTENT, perm_id=None,
                    ib_order_id=None, epoch="")
    return Intent(replace(leg.moved(Lifecycle.WORKING), next_child=leg.next_child + 1), order)


@contextmanager
def counted(store: MongoStore, server: str) -> Iterator[tuple[MongoOrders, Commands]]:
    """The orders over a connection that counts."""
    listener = Commands()
    monitoring.register(listener)
    watched = connect(server, store.database.name, 10.0)
    listener.names.clear()
    yield MongoOrders(watched), listener
    watched.close()


# --- all is well ---------------------------------------------------------------------------------------------------


def test_a_run_of_orders_is_three_transactions_whatever_their_number(store: MongoStore, server: str) -> None:
    with counted(store, server) as (orders, commands):
        made = [each for each in orders.add_instrument_orders(decisions(30)) if isinstance(each, InstrumentOrder)]
        assert orders.spawned_all(families(made)) == [None] * 30
        placed = orders.add_broker_orders([intent(leg) for leg in orders.open_contract_orders()])
    assert commands.names.count("commitTransaction") == 3
    assert len(commands.names) < 25, commands.names
    assert placed == MongoOrders(store).live_broker_orders()


def test_each_order_has_its_own_unbroken_story(store: MongoStore) -> None:
    MongoOrders(store).add_broker_orders([intent(leg) for leg in legs(store, 3)])
    assert list(MongoEvents(store).breaks_in_chain()) == []
    assert [(event.aggregate, event.version) for event in MongoEvents(store).story("IO-002")] == [
        ("IO-002", 1), ("IO-002", 2), ("IO-002-C1", 1), ("002-C1-B1", 1), ("IO-002-C1", 2)]
    for order in MongoOrders(store).live_broker_orders():
        assert MongoEvents(store).newest(order.id) == (order.version, order.chain)


def test_more_decisions_than_one_transaction_takes_are_all_stored(store: MongoStore) -> None:
    assert len(stored(store, 230)) == len(MongoOrders(store).open_instrument_orders()) == 230


# --- one of them is not --------------------------------------------------------------------------------------------


def test_a_decision_that_has_its_order_already_hinders_no_other(store: MongoStore) -> None:
    orders = MongoOrders(store)
    orders.add_instrument_order(replace(decisions(1)[0], id="IO-earlier"))
    assert orders.known_decisions(["k1", "k2"]) == {"k1"}
    found = orders.add_instrument_orders(decisions(3))
    assert [each and each.id for each in found if not isinstance(each, Exception)] == [None, "IO-002", "IO-003"]
    assert [each.id for each in orders.open_instrument_orders()] == ["IO-002", "IO-003", "IO-earlier"]


def test_a_decision_that_the_store_refuses_hinders_no_other(store: MongoStore) -> None:
    first, second, third = decisions(3)
    odd = replace(second, account=None)  # type: ignore[arg-type]  # a mistake, for the validator to find
    found = MongoOrders(store).add_instrument_orders([first, odd, third])
    assert [isinstance(each, Exception) for each in found] == [False, True, False]
    assert "validation" in str(found[1])
    assert [each.id for each in MongoOrders(store).open_instrument_orders()] == ["IO-001", "IO-003"]


def test_a_parent_that_somebody_changed_hinders_no_other(store: MongoStore) -> None:
    orders, parents = MongoOrders(store), stored(store, 3)
    orders.save_instrument_order(parents[1].moved(Lifecycle.CLOSED, CloseReason.CANCELLED))
    found = orders.spawned_all(families(parents))
    assert isinstance(found[1], ConcurrentUpdate)
    assert (found[0], found[2]) == (None, None)
    assert [leg.parent for leg in orders.open_contract_orders()] == ["IO-001", "IO-003"]
    assert orders.parents_of_open_legs() == {"IO-001", "IO-003"}


def test_an_intent_for_too_many_lots_hinders_no_other(store: MongoStore) -> None:
    first, second, third = map(intent, legs(store, 3))
    greedy = second._replace(order=replace(second.order, quantity=6))
    found = MongoOrders(store).add_broker_orders([first, greedy, third])
    assert isinstance(found[1], TooManyLots)
    assert [order.id for order in MongoOrders(store).live_broker_orders()] == ["001-C1-B1", "003-C1-B1"]
    assert MongoOrders(store).contract_order("IO-002-C1").next_child == 1


def test_what_may_be_alive_of_a_parent_counts_among_many(store: MongoStore) -> None:
    orders, (first, second) = MongoOrders(store), legs(store, 2)
    orders.add_broker_order(*intent(first))
    again = replace(intent(first).order, id="001-C1-B2")
    counted_on = replace(orders.contract_order(first.id), next_child=3)
    found = orders.add_broker_orders([Intent(counted_on, again), intent(second)])
    assert isinstance(found[0], TooManyLots)
    assert [order.id for order in orders.live_broker_orders()] == ["001-C1-B1", "002-C1-B1"]


def test_a_contract_order_that_somebody_cancelled_meanwhile_gets_no_intent(store: MongoStore) -> None:
    orders, found = MongoOrders(store), legs(store, 3)
    orders.save_contract_order(found[0].moved(Lifecycle.CLOSED, CloseReason.CANCELLED))
    placed = orders.add_broker_orders([intent(leg) for leg in found])
    assert isinstance(placed[0], ConcurrentUpdate)
    assert [order.parent for order in orders.live_broker_orders()] == ["IO-002-C1", "IO-003-C1"]


def test_intents_that_are_stored_already_are_not_stored_twice(store: MongoStore) -> None:
    wanted = [intent(leg) for leg in legs(store, 3)]
    MongoOrders(store).add_broker_orders(wanted)
    again = MongoOrders(store).add_broker_orders(wanted)
    assert [type(each) for each in again] in ([ConcurrentUpdate] * 3, [TooManyLots] * 3)
    assert list(MongoEvents(store).breaks_in_chain()) == []


# --- what is open, and what was sent -------------------------------------------------------------------------------


def test_all_states_of_an_open_order_lie_behind_closed() -> None:
    assert all(state.value > Lifecycle.CLOSED.value for state in Lifecycle if state is not Lifecycle.CLOSED)


@pytest.mark.parametrize("state", ["ALIVE", "ZOMBIE"])
def test_an_order_in_a_state_that_nobody_knows_is_told(store: MongoStore, state: str) -> None:
    legs(store, 1)
    store.database.contract_orders.update_one({}, {"$set": {"lifecycle": state}})
    with pytest.raises(Unreadable):
        MongoOrders(store).open_contract_orders()


def test_a_broker_order_in_a_state_that_nobody_knows_is_told_as_long_as_it_is(store: MongoStore) -> None:
    orders = MongoOrders(store)
    orders.add_broker_orders([intent(leg) for leg in legs(store, 2)])
    store.database.broker_orders.update_one({"_id": "001-C1-B1"}, {"$set": {"lifecycle": "ZOMBIE"}})
    for _ in range(2):
        with pytest.raises(Unreadable):
            orders.live_broker_orders()
    assert orders.sent_together({"M2"}, {DAY}).of("M2", DAY).open_orders == 2
    store.database.broker_orders.update_one({"_id": "001-C1-B1"}, {"$set": {"lifecycle": "INTENT"}})
    assert len(orders.live_broker_orders()) == 2


def test_the_highest_handle_is_that_of_all_orders_whoever_sent_them(store: MongoStore) -> None:
    orders, others = MongoOrders(store), MongoOrders(store)
    assert orders.highest_order_id() == 0
    placed = orders.add_broker_orders([intent(leg) for leg in legs(store, 2)])
    assert orders.highest_order_id() == 0
    for order, handle in zip(placed, (9, 5), strict=True):
        assert not isinstance(order, Exception)
        others.save_broker_order(replace(order, ib_order_id=handle))
        assert orders.highest_order_id() == others.highest_order_id() == 9


def test_together_or_alone_the_same_is_counted(store: MongoStore) -> None:
    orders = MongoOrders(store)
    placed = orders.add_broker_orders([intent(leg) for leg in legs(store, 4)])
    for order, state in zip(placed, (BrokerLifecycle.SENDING, BrokerLifecycle.NOT_SENT), strict=False):
        assert not isinstance(order, Exception)
        orders.save_broker_order(order.moved(state))
    together = orders.sent_together({"M1", "M2", "M5"}, {DAY, "2026-03-03"})
    for instrument, day in (("M1", DAY), ("M2", DAY), ("M2", "2026-03-03"), ("M5", DAY)):
        assert together.of(instrument, day) == orders.sent_together({instrument}, {day}).of(instrument, day)
    assert (together.of("M1", DAY).open_orders, together.of("M1", DAY).in_flight) == (3, 1)
    with pytest.raises(KeyError):
        together.of("M3", DAY)


def test_an_order_that_cannot_be_read_harms_only_its_own_instrument(store: MongoStore) -> None:
    orders = MongoOrders(store)
    orders.add_broker_orders([intent(leg) for leg in legs(store, 2)])
    store.database.broker_orders.update_one({"_id": "001-C1-B1"}, {"$set": {"limit_price": "dear"}})
    together, under = orders.sent_together({"M1", "M2"}, {DAY}), orders.broker_orders_under({"IO-001-C1", "IO-002-C1"})
    assert [order.id for order in together.of("M2", DAY).of_instrument] == ["002-C1-B1"]
    assert [order.id for order in under.of("IO-002-C1")] == ["002-C1-B1"]
    with pytest.raises(Unreadable):
        together.of("M1", DAY)
    with pytest.raises(Unreadable):
        under.of("IO-001-C1")


# --- the controls of a pass ----------------------------------------------------------------------------------------


def controls(store: MongoStore) -> IntentControls:
    data = DataBlob(store=store, clock=SystemClock(), socket=Path("none.sock"))
    return IntentControls(data=data, facts=None, settings=None, seen=SeenOnce(data))  # type: ignore[arg-type]


def test_an_order_counts_those_noted_before_it_as_on_their_way(store: MongoStore) -> None:
    found, judge = legs(store, 2), controls(store)
    judge.look_at(found)
    judge.note(intent(found[0]).order)
    own, others = judge.flow(found[0]), judge.flow(found[1])
    assert (others.open_orders, others.in_flight, others.day_orders, others.live) == (1, 1, 1, ())
    assert [(order.id, order.lifecycle) for order in own.live] == [("001-C1-B1", BrokerLifecycle.SENT)]
    assert own.siblings == own.today == own.live


def test_a_new_look_counts_what_was_stored_and_forgets_what_was_not(store: MongoStore) -> None:
    found, judge = legs(store, 2), controls(store)
    judge.look_at(found)
    judge.note(intent(found[0]).order)
    judge.note(intent(found[1]).order)
    MongoOrders(store).add_broker_order(*intent(found[0]))
    judge.look_at(found)
    assert judge.flow(found[1]).open_orders == 1
    assert [order.id for order in judge.flow(found[0]).live] == ["001-C1-B1"]


def test_rules_that_are_set_by_an_order_bind_the_next_one(store: MongoStore) -> None:
    found, judge = legs(store, 2), controls(store)
    judge.look_at(found)
    assert judge.flow(found[0]).locks == {}
    MongoInstrumentLocks(store).lock(Lock(instrument="M2", cause=LockCause.REPEATED_ORDERS, subject="x", reason="often",
                                          opened_at=NOW))
    MongoKillState(store).save(raised(MongoKillState(store).load(), KillLevel.K3_HALT, Command(
        who="ann", why="a look", when=NOW)))
    judge.heed_new_rules()
    flow = judge.flow(found[1])
    assert (flow.kill.level, flow.locks) == (KillLevel.K3_HALT, {"M2": "often"})
