"""Orders: from decision to durable intent through three tiers, from executions to durable positions, and round trips.

All on the embedded store, journaled, with every control; one worker, one order after the other. The facts of a run
(volatilities, rates, rolls) are read before, as they are for all orders of a run but the first.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from pymongo import monitoring

from benchmarks.order_world import DAY, DeafSender, Firm, firm
from trading.broker.error_codes import shipped_error_policy
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.gate import MongoGate
from trading.data.mongo.orders import MongoOrders
from trading.data.risk.judging import judged
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.broker_terms import BrokerTerms
from trading.execution.locks import Standing
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import CloseReason, ExecutionStyle, Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.execution.stack_handler.algo_worker import AlgoWorker, Manners
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.risk.order_kind import OrderKind
from trading.systems.buffered_position import BufferedPosition

LIVE = 40  # orders that work at a time


@dataclass
class Commands(monitoring.CommandListener):
    """Counts what goes to the server: a transaction once, and every command."""

    names: list[str] = field(default_factory=list)
    trips: set[object] = field(default_factory=set)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)
        in_transaction = event.command.get("autocommit") is False
        self.trips.add((str(event.command["lsid"]), event.command["txnNumber"]) if in_transaction else len(self.names))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...
    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def an_order(firm: Firm, code: str) -> InstrumentOrder:
    now = firm.clock.now()
    return InstrumentOrder(
        id=new_instrument_order_id(), idempotency_key=f"bench/{code}", account="DU1", strategy="bench",
        instrument=code, kind=OrderKind.STRATEGY, quantity=1, trading_day=DAY.isoformat(), created=now, target=1,
        held=0, working=0, reference_at=now)


def a_wish(firm: Firm) -> BufferedPosition:
    return BufferedPosition(lower=0.8, optimal=1.0, upper=1.2, reference_price=100.0, reference_contract="20230900",
                            as_of=firm.clock.now(), previous=0.9, usual_change=0.5)


def to_intent(firm: Firm, worker: AlgoWorker, order: InstrumentOrder, batch: dict[str, int]) -> None:
    """The three tiers of one decision: judged and stored, its contract order, its broker order."""
    orders = firm.data.db_orders
    stored = orders.add_instrument_order(judged(order, a_wish(firm), firm.decision, firm.settings, batch))
    assert stored is not None
    firm.decision.note(stored)
    assert stored.lifecycle is Lifecycle.OPEN, stored.checks[-1].sentence
    parent, children = stored.create_child_contract_orders(
        firm.watch.lots_by_contract(order.instrument, stored.quantity), firm.clock.now())
    orders.spawned(parent, children)
    legs = orders.contract_orders_of(parent.id)
    worker.look_at(legs)
    for leg in legs:
        worker.work(leg, Standing.FREE, DAY.isoformat())
    assert len(list(worker.store_noted())) == len(legs)


def acknowledged(firm: Firm, order: BrokerOrder, number: int) -> BrokerOrder:
    """As the broker's first words leave it: known, working."""
    orders = firm.data.db_orders
    sent = replace(order, epoch="e", ib_order_id=number, sent=firm.clock.now(), lifecycle=BrokerLifecycle.SENT)
    return orders.save_broker_order(replace(orders.save_broker_order(sent), perm_id=number,
                                            lifecycle=BrokerLifecycle.WORKING))


def ended(firm: Firm, order: BrokerOrder) -> None:
    """Cancelled, with its parents, so that it counts no more among what works."""
    orders = firm.data.db_orders
    orders.save_broker_order(order.moved(BrokerLifecycle.CANCELLED))
    leg = orders.contract_order(order.parent)
    orders.save_contract_order(leg.moved(Lifecycle.CLOSED, CloseReason.CANCELLED))
    parent = orders.instrument_order(leg.parent)
    orders.save_instrument_order(parent.moved(Lifecycle.CLOSED, CloseReason.CANCELLED))
    firm.decision.working[:] = [each for each in firm.decision.working if each.id != parent.id]


def a_worker(firm: Firm) -> AlgoWorker:
    return AlgoWorker(orders=firm.data.db_orders, market=firm.market, sender=DeafSender(), locks=firm.data.db_locks,
                      controls=firm.controls, clock=firm.clock, manners=Manners(
                          usual_style=ExecutionStyle.MARKETABLE, patience=timedelta(seconds=30)))


def measure_intents(firm: Firm) -> dict[str, float]:
    """Latencies of every decision to its intent, 40 orders working beside it; all instruments, one after the other."""
    worker, walls, cpus = a_worker(firm), list[float](), list[float]()
    working, batch = list[BrokerOrder](), dict.fromkeys(firm.decision.records, 1)
    for number, code in enumerate(firm.decision.records, start=1):
        order = an_order(firm, code)
        wall_s, cpu_s = timed(lambda order=order: to_intent(firm, worker, order, batch))  # type: ignore[misc]  # bound at once
        walls.append(wall_s)
        cpus.append(cpu_s)
        leg, = firm.data.db_orders.contract_orders_of(order.id)
        intent, = firm.data.db_orders.broker_orders_of(leg.id)
        working.append(acknowledged(firm, intent, number))
        if len(working) > LIVE:
            ended(firm, working.pop(0))
    return {"cpu_p50_ms": 1000 * at(cpus, 0.5), "wall_p50_ms": 1000 * at(walls, 0.5),
            "wall_p99_ms": 1000 * at(walls, 0.99), "per_s": len(walls) / sum(walls), "orders": float(len(walls))}


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and own processor seconds."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    work()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


FAMILIES, LOTS = 120, 5


def measure_fills(firm: Firm) -> dict[str, float]:
    """Executions one at a time, journaled and in the books; and a backlog of them, as after an outage."""
    alone = executions(working_families(firm, 0), first=1)
    reader, journal, walls = a_reader(firm), firm.data.db_journal, []
    for message in alone:
        def journaled_and_booked(message: BrokerMessage = message) -> None:
            journal.append([message])
            reader.apply([message])
        walls.append(timed(journaled_and_booked)[0])
    backlog = executions(working_families(firm, 1), first=len(alone) + 1)
    journal.append(backlog)
    backlog_s, cpu_s = timed(reader.apply_new)
    positions = firm.data.db_books.positions()
    assert positions == firm.data.db_books.rebuilt()
    assert sum(positions.contracts.values()) == 2 * FAMILIES * LOTS
    return {"p50_ms": 1000 * at(walls, 0.5), "p99_ms": 1000 * at(walls, 0.99), "alone_per_s": len(walls) / sum(walls),
            "backlog_per_s": len(backlog) / backlog_s, "cpu_ms": 1000 * cpu_s / len(backlog)}


def terms_of(firm: Firm, contract: str) -> BrokerTerms:
    touch, details = firm.market.touch(contract), firm.market.tradable(contract)
    return BrokerTerms(con_id=details.con_id, exchange=details.exchange, limit_price=touch.ask, touch=touch,
                       created=firm.clock.now())


def a_reader(firm: Firm, orders: MongoOrders | None = None, books: MongoBooks | None = None) -> JournalReader:
    data = firm.data
    today = Today(trading_day=DAY.isoformat(), gateway_zone=ZoneInfo("UTC"))
    return JournalReader(data.db_journal, orders or data.db_orders, books or data.db_books, firm.market,
                         data.db_locks, "DU1", today, shipped_error_policy())


def working_families(firm: Firm, batch: int) -> list[BrokerOrder]:
    """Orders for five lots that work at the broker."""
    found, codes, orders = [], list(firm.decision.records), firm.data.db_orders
    for number in range(FAMILIES):
        code = codes[number]
        order = replace(an_order(firm, code), quantity=LOTS, idempotency_key=f"fills {batch} {code}")
        stored = orders.add_instrument_order(order)
        assert stored is not None
        contract = firm.watch.contracts(code).front.key
        orders.spawned(*stored.create_child_contract_orders({contract: LOTS}, firm.clock.now()))
        leg, = orders.contract_orders_of(order.id)
        counted, (intent,) = leg.create_broker_orders([LOTS], 0, terms_of(firm, contract))
        found.append(acknowledged(firm, orders.add_broker_order(counted, intent), 10_000 * (batch + 1) + number))
    return found


def executions(orders: list[BrokerOrder], first: int) -> list[BrokerMessage]:
    """A lot at a time: the first of every order, then the second of every order."""
    told = []
    for lot in range(LOTS):
        for order in orders:
            told.append(BrokerMessage(
                sequence=first + len(told), at=order.created, epoch="e", kind=MessageKind.EXECUTION, facts={
                    "execution_id": f"{order.perm_id}.{lot}.01", "reference": order.id, "perm_id": order.perm_id,
                    "ib_order_id": order.ib_order_id, "client_id": 1, "con_id": order.con_id, "security": "FUT",
                    "quantity": 1, "price": str(order.limit_price), "at": order.created, "time": "", "account": "DU1",
                    "liquidation": False}))
    return told


def measure_round_trips(firm: Firm) -> dict[str, float]:
    """The life of one broker order: intent, gate, claim, sent, acknowledged, filled, charged."""
    listener = Commands()
    monitoring.register(listener)
    store = replace(connected_again(firm.data.store), clock=firm.clock)
    orders, books, gate = MongoOrders(store), MongoBooks(store), MongoGate(store)
    code = list(firm.decision.records)[-1]
    stored = orders.add_instrument_order(replace(an_order(firm, code), quantity=LOTS, idempotency_key="one life"))
    assert stored is not None
    contract = firm.watch.contracts(code).front.key
    orders.spawned(*stored.create_child_contract_orders({contract: LOTS}, firm.clock.now()))
    leg, = orders.contract_orders_of(stored.id)
    counted, (intent,) = leg.create_broker_orders([LOTS], 0, terms_of(firm, contract))
    listener.names.clear()
    listener.trips.clear()
    order = orders.add_broker_order(counted, intent)
    gate.facts(orders.broker_order(order.id), "life")
    claimed = orders.save_broker_order(replace(order, epoch="life", ib_order_id=7, sent=firm.clock.now(),
                                               lifecycle=BrokerLifecycle.SENDING))
    sent = orders.save_broker_order(claimed.moved(BrokerLifecycle.SENT))
    reader = a_reader(firm, orders, books)
    for messages in ([status(sent, "Submitted", 0)], executions([replace(sent, perm_id=99_999)], 900_000),
                     [charge(sent), status(sent, "Filled", LOTS)]):
        reader.apply(messages)
    ended_as = orders.broker_order(order.id)
    assert ended_as.lifecycle is BrokerLifecycle.FILLED
    store.close()
    listener.names.pop()  # the last question was ours
    return {"trips": float(len(listener.trips) - 1), "commands": float(len(listener.names)),
            "writes": float(sum(isinstance(each, tuple) for each in listener.trips))}


def connected_again(store: MongoStore) -> MongoStore:
    host, port = store.client.address or ("127.0.0.1", 0)
    return connect(f"mongodb://{host}:{port}/", store.database.name)


def status(order: BrokerOrder, word: str, filled: int) -> BrokerMessage:
    return BrokerMessage(sequence=999_000, at=order.created, epoch="life", kind=MessageKind.ORDER_STATUS, facts={
        "ib_order_id": order.ib_order_id, "status": word, "filled": float(filled), "perm_id": 99_999, "client_id": 1})


def charge(order: BrokerOrder) -> BrokerMessage:
    return BrokerMessage(sequence=999_001, at=order.created, epoch="life", kind=MessageKind.COMMISSION, facts={
        "execution_id": "99999.0.01", "amount": "2.05", "currency": "USD"})


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Everything about stored orders."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with firm(folder) as found:
        return {"intents": measure_intents(found), "fills": measure_fills(found),
                "round_trips": measure_round_trips(found)}


if __name__ == "__main__":
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as place:
        print(json.dumps(measure(Path(place)), indent=2))
