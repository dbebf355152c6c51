"""Orders as the jobs make them: all decisions of a run together, contract orders of a pass, intents of a few legs.

What the daemon and the broker do in between (claim, send, acknowledge) happens, but is not counted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from benchmarks.order_speed import a_reader, a_wish, a_worker, an_order, ended
from benchmarks.order_world import DeafSender, Firm
from trading.data.risk.judging import judged
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import StackHandler

RUN = 40  # decisions of one run; at most fifty orders may be open


@dataclass
class Stopwatch:
    """Wall and own seconds, but for those spent within `paused`."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def timed(self, work: Callable[[], object]) -> None:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        work()
        self.wall_s += time.perf_counter() - wall_s
        self.cpu_s += time.process_time() - cpu_s

    @contextmanager
    def paused(self) -> Iterator[None]:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        self.wall_s -= time.perf_counter() - wall_s
        self.cpu_s -= time.process_time() - cpu_s


@dataclass
class MarkingSender(DeafSender):
    """Marks what is handed over as sent, as the daemon does."""

    firm: Firm
    watch: Stopwatch
    sent: int = 0

    def submit(self, order_id: str) -> str:
        with self.watch.paused():
            orders, self.sent = self.firm.data.db_orders, self.sent + 1
            order = orders.broker_order(order_id)
            orders.save_broker_order(replace(order, lifecycle=BrokerLifecycle.SENT, epoch="e", sent=order.created,
                                             ib_order_id=20_000 + self.sent))
        return order_id


def measure_runs(firm: Firm) -> dict[str, float]:
    """Own and wall time of an order, from its judgement to its intent, in runs of forty."""
    watch = Stopwatch()
    sender = MarkingSender(firm, watch)
    handler, codes, passes = a_handler(firm, sender), list(firm.decision.records), 0
    for start in range(0, len(codes), RUN):
        run = codes[start:start + RUN]
        watch.timed(lambda run=run: decide(firm, run))  # type: ignore[misc]  # bound at once
        wanted = sender.sent + len(run)
        while sender.sent < wanted:
            watch.timed(handler.one_pass)
            passes += 1
            acknowledge(firm)
        for order in firm.data.db_orders.live_broker_orders():
            ended(firm, order)
    orders = float(len(codes))
    return {"cpu_ms": 1000 * watch.cpu_s / orders, "wall_ms": 1000 * watch.wall_s / orders,
            "per_s": orders / watch.wall_s, "orders": orders, "passes": float(passes)}


def decide(firm: Firm, codes: list[str]) -> None:
    """As the generator does it."""
    batch, found = dict.fromkeys(firm.decision.records, 1), []
    for code in codes:
        order = replace(an_order(firm, code), idempotency_key=f"run/{code}")
        found.append(judged(order, a_wish(firm), firm.decision, firm.settings, batch))
        firm.decision.note(found[-1])
    assert firm.data.db_orders.known_decisions(order.idempotency_key for order in found) == set()
    firm.data.db_orders.add_instrument_orders(found)


def acknowledge(firm: Firm) -> None:
    """The broker has everything."""
    for order in firm.data.db_orders.live_broker_orders():
        if order.lifecycle is BrokerLifecycle.SENT:
            firm.data.db_orders.save_broker_order(
                replace(order, perm_id=order.ib_order_id, lifecycle=BrokerLifecycle.WORKING))


def a_handler(firm: Firm, sender: MarkingSender) -> StackHandler:
    worker = replace(a_worker(firm), sender=sender)
    return StackHandler(
        orders=firm.data.db_orders, sender=sender, locks=firm.data.db_locks, reader=a_reader(firm),
        resolver=Resolver(sender), worker=worker, clock=firm.clock,  # type: ignore[arg-type]  # nobody is asked
        acknowledge_within=timedelta(seconds=5), lots_by_contract=firm.watch.lots_by_contract,
        judge=lambda order: order, compare=lambda: None, fatal=(Exception,))
