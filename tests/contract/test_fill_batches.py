"""Many fills in one transaction leave the books that they would have left one by one, whatever comes among them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pymongo import monitoring
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, NetworkTimeout
from test_books import NOW, a_fill, sent

from trading.broker.error_codes import shipped_error_policy
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.errors import NotFound
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Commission, Fill, FillStatus
from trading.execution.order_states import Flag
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today

Heard = Fill | Commission


def story(order: BrokerOrder, seed: int) -> list[Heard]:
    """Fills of three executions with corrections and busts, doubled and disordered, commissions, a stranger, a foe."""
    draw, heard = random.Random(seed), list[Heard]()
    for base in ("a.1", "b.1", "c.1"):
        for revision in range(1, draw.randint(2, 4)):
            lots = draw.randint(0, 3)
            heard += [replace(a_fill(order, lots, base), revision=revision, execution_id=f"{base}.{revision:02}")] * 2
        heard.append(Commission(id=f"DU1/{base}", amount=Decimal("2.05"), currency="USD"))
    heard.append(a_fill(order, -1, "wrong.side"))
    heard.append(replace(a_fill(order, 2, "foreign"), broker_order=None, instrument="SP500"))
    draw.shuffle(heard)
    return heard


def left(store: MongoStore) -> dict[str, Any]:
    """All that matters of the books: what was counted, in how many steps does not."""
    told = {name: [{key: value for key, value in row.items() if key not in ("v", "chain", "created", "checks")}
                   for row in store.database[name].find({}).sort("_id", 1)]
            for name in ("fills", "broker_orders", "contract_orders", "instrument_orders", "strategy_positions",
                         "contract_positions")}
    return told | {"locks": [lock.id for lock in MongoInstrumentLocks(store).all()]}


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_leaves_what_its_fills_would_have_left_one_by_one(store: MongoStore, server: str, seed: int) -> None:
    # given the same order in two books
    other = connect(server, f"{store.database.name}_other", 10.0)
    order, = sent(store)
    heard = story(order, seed)
    assert [each.id for each in sent(other)] == [order.id]

    # when one hears everything at once, and the other bit by bit
    at_once = MongoBooks(store).apply(heard)
    one_by_one = [MongoBooks(other).apply([each])[0] for each in heard]

    # then they agree, their positions are the sums of their fills, and no event is missing
    assert at_once == one_by_one
    assert left(store) == left(other)
    for each in (store, other):
        books = MongoBooks(each)
        assert books.positions() == books.rebuilt()
        assert list(MongoEvents(each).breaks_in_chain()) == []
        assert all(MongoEvents(each).of(fill.id)[-1].digest == fill.chain for fill in books.fills())
    other.client.drop_database(other.database.name)
    other.close()


def test_an_order_that_gets_five_fills_at_once_is_filled_in_one_change(store: MongoStore) -> None:
    order, = sent(store)
    MongoBooks(store).apply([a_fill(order, 1, f"e.{number}") for number in range(5)])
    after = MongoOrders(store).broker_order(order.id)
    assert (after.filled, after.lifecycle, after.version) == (5, BrokerLifecycle.FILLED, order.version + 1)
    assert [len(MongoEvents(store).of(f"DU1/e.{number}")) for number in range(5)] == [1] * 5


def test_more_fills_than_one_transaction_takes_are_all_booked(store: MongoStore) -> None:
    order, = sent(store, quantity=600)
    assert MongoBooks(store).apply([a_fill(order, 1, f"e.{number}") for number in range(600)]) == [True] * 600
    assert MongoBooks(store).contract_positions() == {"SP500/20260600": 600}


def test_what_cannot_be_booked_is_told_and_what_came_before_it_is_booked(store: MongoStore) -> None:
    order, = sent(store)
    stray = replace(a_fill(order, 1, "e.2"), broker_order="lost")
    with pytest.raises(NotFound, match=r"broker_orders lost must exist, since its child does; it is missing"):
        MongoBooks(store).apply([a_fill(order, 1, "e.1"), stray, a_fill(order, 1, "e.3")])
    assert [fill.id for fill in MongoBooks(store).fills()] == ["DU1/e.1"]


def test_an_over_fill_within_a_batch_locks_its_instrument(store: MongoStore) -> None:
    order, = sent(store)
    MongoBooks(store).apply([a_fill(order, 3, "e.1"), a_fill(order, 4, "e.2")])
    after = MongoOrders(store).broker_order(order.id)
    assert (after.filled, Flag.OVERFILL in after.flags) == (7, True)
    assert list(MongoInstrumentLocks(store).reasons()) == ["SP500"]


class Commands(monitoring.CommandListener):
    """What goes to the server while somebody counts."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...
    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def a_reader(store: MongoStore) -> JournalReader:
    class Market:
        def contract_of(self, con_id: int) -> str | None:
            return {40: "SP500/20260600"}.get(con_id)

    return JournalReader(MongoBrokerJournal(store), MongoOrders(store), MongoBooks(store),
                         Market(), MongoInstrumentLocks(store), "DU1",  # type: ignore[arg-type]  # no quotes are asked for
                         Today(trading_day="2026-03-02", gateway_zone=ZoneInfo("UTC")), shipped_error_policy())


NUMBERS = count(1)


def executed(order: BrokerOrder, base: str, lots: int = 1) -> BrokerMessage:
    return BrokerMessage(sequence=next(NUMBERS), at=NOW, epoch="e", kind=MessageKind.EXECUTION, facts={
        "execution_id": f"{base}.01", "reference": order.id, "perm_id": order.perm_id, "con_id": order.con_id,
        "ib_order_id": order.ib_order_id, "security": "FUT", "quantity": lots, "price": "5000.25", "at": NOW,
        "time": "", "account": "DU1", "liquidation": False})


def charged(base: str) -> BrokerMessage:
    return BrokerMessage(sequence=next(NUMBERS), at=NOW, epoch="e", kind=MessageKind.COMMISSION, facts={
        "execution_id": f"{base}.01", "amount": "2.05", "currency": "USD"})


def stated(order: BrokerOrder, status: str, filled: int) -> BrokerMessage:
    return BrokerMessage(sequence=next(NUMBERS), at=NOW, epoch="e", kind=MessageKind.ORDER_STATUS, facts={
        "ib_order_id": order.ib_order_id, "status": status, "filled": float(filled), "remaining": 0.0,
        "average_price": 0.0, "perm_id": order.perm_id, "client_id": 1})


def test_a_run_of_executions_is_read_once_and_written_once(store: MongoStore, server: str) -> None:
    order, = sent(store, quantity=50)
    listener = Commands()
    monitoring.register(listener)
    watched = connect(server, store.database.name, 10.0)
    listener.names.clear()
    a_reader(watched).apply([executed(order, f"e.{number}") for number in range(50)])
    watched.close()
    assert len(listener.names) < 20, listener.names
    assert MongoOrders(store).broker_order(order.id).filled == 50


@pytest.mark.parametrize("order_of", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_execution_commission_and_status_may_come_in_any_order(store: MongoStore, order_of: tuple[int, ...]) -> None:
    order, = sent(store)
    told = (executed(order, "e.1", 3), charged("e.1"), stated(order, "Cancelled", 3))
    a_reader(store).apply([told[place] for place in order_of])
    after, (fill,) = MongoOrders(store).broker_order(order.id), MongoBooks(store).fills()
    assert (after.lifecycle, after.filled, after.commission) == (BrokerLifecycle.CANCELLED, 3, Decimal("2.05"))
    assert (fill.commission, fill.status) == (Decimal("2.05"), FillStatus.ACTIVE)


def test_a_commission_waits_for_an_execution_of_a_later_batch(store: MongoStore) -> None:
    order, = sent(store)
    reader = a_reader(store)
    reader.apply([charged("e.1")])
    reader.apply([executed(order, "e.1")])
    assert MongoBooks(store).fill("DU1/e.1").commission == Decimal("2.05")




def test_events_of_a_thing_are_its_own_and_one_a_version(store: MongoStore) -> None:
    """They are found by their ids, and no other thing's name lies between."""
    events = MongoEvents(store)
    names = ("IO-1", "IO-1-C1", "IO-10", "IO-1#2", "IO-1 ", "IO")
    for version in (1, 2, 11):
        for name in names:
            store.transact(lambda session, name=name, version=version: events.append(  # type: ignore[misc]  # at once
                "test", {"_id": name, "v": version}, "", session))
    for name in names:
        assert [(event.aggregate, event.version) for event in events.of(name)] == [(name, each) for each in (1, 2, 11)]
        assert events.newest(name)[0] == 11
    assert events.newest("IO-2") == (0, "")
    with pytest.raises(DuplicateKeyError):
        store.transact(lambda session: events.append("test", {"_id": "IO-1", "v": 2}, "", session))


@dataclass(frozen=True)
class Hurried(MongoStore):
    """Its first transaction takes too long; whether it was committed all the same, nobody is told."""

    commits: bool = True
    late: list[str] = field(default_factory=list)

    def transact(self, steps: Callable[[ClientSession], Any]) -> Any:
        if self.late:
            return super().transact(steps)
        self.late.append("once")
        if self.commits:
            super().transact(steps)
        raise NetworkTimeout("timed out")


@pytest.mark.parametrize("commits", [True, False])
def test_a_batch_that_takes_too_long_is_booked_one_by_one(store: MongoStore, *, commits: bool) -> None:
    """A busy server does not get through fifty fills in its time; one by one it does, and none is booked twice."""
    order, = sent(store, quantity=50)
    hurried = Hurried(client=store.client, database=store.database, commits=commits)
    MongoBooks(hurried).apply([a_fill(order, 1, f"e.{number}") for number in range(50)])
    assert MongoBooks(store).contract_positions() == {"SP500/20260600": 50}
    assert MongoOrders(store).broker_order(order.id).filled == 50
    assert list(MongoEvents(store).breaks_in_chain()) == []


def test_a_single_fill_that_takes_too_long_is_told(store: MongoStore) -> None:
    order, = sent(store)
    with pytest.raises(NetworkTimeout):
        MongoBooks(Hurried(client=store.client, database=store.database)).apply_fill(a_fill(order, 1, "e.1"))
