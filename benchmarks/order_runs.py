"""Orders as the jobs make them: all decisions of a run together, contract orders of a pass, intents of a few legs.

What the daemon and the broker do in between (claim, send, acknowledge) happens, but is not counted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog
from pymongo import monitoring

from benchmarks.order_speed import Commands, a_reader, a_wish, a_worker, an_order, ended
from benchmarks.order_world import DeafSender, Firm, firm
from trading.data.risk.judging import judged
from trading.data.risk.margin_desk import NobodyAsks
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import StackHandler

RUN = 40  # decisions of one run; at most fifty orders may be open


@dataclass
class Stopwatch:
    """Wall and own seconds, and commands to the store, but for those within `paused`."""

    commands: Commands
    spent: tuple[float, ...] = (0.0, 0.0, 0.0)

    def timed(self, work: Callable[[], object]) -> None:
        began = self._now()
        work()
        self._add(began, 1)

    @contextmanager
    def paused(self) -> Iterator[None]:
        began = self._now()
        yield
        self._add(began, -1)

    def _now(self) -> tuple[float, ...]:
        return time.perf_counter(), time.process_time(), float(len(self.commands.names))

    def _add(self, began: tuple[float, ...], sign: int) -> None:
        self.spent = tuple(spent + sign * (now - then)
                           for spent, now, then in zip(self.spent, self._now(), began, strict=True))


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


def measure(folder: Path) -> dict[str, float]:
    """Own and wall time of an order, from its judgement to its intent, in runs of forty."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    commands = Commands()
    monitoring.register(commands)
    with firm(folder) as found:
        return measure_runs(found, Stopwatch(commands))


def measure_runs(firm: Firm, watch: Stopwatch) -> dict[str, float]:
    """The same of a firm that has sent nothing yet."""
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
    wall_s, cpu_s, commands = (each / len(codes) for each in watch.spent)
    return {"cpu_ms": 1000 * cpu_s, "wall_ms": 1000 * wall_s, "per_s": 1 / wall_s, "commands": commands,
            "orders": float(len(codes)), "passes": float(passes)}


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
        resolver=Resolver(sender), worker=worker, margins=NobodyAsks(), clock=firm.clock,  # type: ignore[arg-type]  # nobody is asked
        acknowledge_within=timedelta(seconds=5), lots_by_contract=firm.watch.lots_by_contract,
        judge=lambda order: order, take_back=lambda: None, compare=lambda: None, fatal=(Exception,))


if __name__ == "__main__":
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as place:
        print(json.dumps(measure(Path(place)), indent=2))
