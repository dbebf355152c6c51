"""The broker side of the daemon under load: messages to a worker, orders to the wire, quotes for five workers.

Daemon and gateway are processes; between them stands a wire tap that notes when something passed. Loopback only.
"""

import asyncio
import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from benchmarks.gateway_ticks import running as gateway_running
from benchmarks.process_use import cpu_s
from benchmarks.supervision import configured, running
from trading.broker.facts import ContractDetails
from trading.broker.ib.library import IbLibrary
from trading.broker.link import BrokerLink
from trading.broker.simulated.control_client import GatewayControl
from trading.clock import SystemClock
from trading.data.csv.sample_markets import MARKETS
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.errors import BrokerUnavailable
from trading.execution.broker_messages import BrokerMessage
from trading.execution.broker_orders import BrokerOrder
from trading.execution.orders import InstrumentOrder, spawn
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict
from trading.execution.reconciliation.run_kind import RunKind
from trading.objects.instruments import BrokerInstrument
from trading.risk.order_kind import OrderKind
from trading.unix_socket import request

ACCOUNT = "DU0000001"
MESSAGES, PER_S, ORDERS = 1_200, 200, 60  # done before the risk watch looks and finds the record's clock years behind
MANY_MARKETS = tuple(replace(market, code=f"{market.code}{number}", symbol=f"{market.symbol}{number}")
                     for number in range(4) for market in MARKETS)
LINES, WORKERS, CHANGES_PER_S, MEASURED_S = 100, 5, 5, 20.0
SUBMITS_PER_S = 10.0
DAY = "2021-06-07"


@dataclass
class WireTap:
    """Hands bytes on between the daemon and the gateway; `passed` says when a text first went by."""

    port: int
    passed: dict[bytes, float] = field(default_factory=dict)
    wanted: set[bytes] = field(default_factory=set)
    is_over: bool = False

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.is_over = True
        self._thread.join(5)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self.is_over:
                for key, _ in selector.select(0.1):
                    if key.fileobj is self._listener:
                        near, _ = self._listener.accept()
                        far = socket.create_connection(("127.0.0.1", self.port))
                        for end, other in ((near, far), (far, near)):
                            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                            selector.register(end, selectors.EVENT_READ, other)
                    else:
                        self._hand_on(selector, key.fileobj, key.data)  # type: ignore[arg-type]

    def _hand_on(self, selector: selectors.BaseSelector, end: socket.socket, other: socket.socket) -> None:
        content, now = end.recv(65_536), time.perf_counter()
        if not content:
            selector.unregister(end)
            other.close()
            return
        for text in [text for text in self.wanted if text in content]:
            self.passed[text] = now
            self.wanted.discard(text)
        other.sendall(content)


@dataclass(frozen=True)
class Scene:
    """A daemon that is connected through the tap, and what a worker has of it."""

    link: BrokerLink
    tap: WireTap
    control: GatewayControl
    store: MongoStore
    orders: MongoOrders
    daemon: int
    contracts: list[ContractDetails]


def measure(folder: Path) -> tuple[list[float], list[float], dict[str, float]]:
    """Seconds from the wire to a worker; seconds from a worker to the wire; what the daemon uses for quotes."""
    with scene(folder) as opened:
        orders = orders_to_the_wire(opened)
        messages = messages_to_a_worker(opened)
        return messages, orders, quotes_to_workers(opened)


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Gateway, tap, daemon and store while the block runs."""
    with gateway_running(folder / "gateway", MANY_MARKETS) as (_, port, control):
        found = asyncio.run(all_contracts(port))
        tap = WireTap(port)
        config = configured(folder / "config", "")
        (config / "tradingd.yaml").write_text(
            f"mode: paper\ntimezone: UTC\nbroker: {{port: {tap.own_port}, account: {ACCOUNT}}}\n")
        with running(config, folder / "var") as service:
            service.wait_for("running")
            until(lambda: ((service.status() or {}).get("broker") or {}).get("link") == "ready")
            store = connect(request(service.socket, "GET", "/status")["store"]["uri"], "tradingd")
            try:
                yield Scene(BrokerLink(service.socket), tap, control, store, MongoOrders(store), service.process.pid,
                            found)
            finally:
                store.close()
        tap.close()


async def all_contracts(port: int) -> list[ContractDetails]:
    """Every contract that the gateway lists."""
    library = IbLibrary(lambda _kind, _facts: None, 20.0)
    await library.connect("127.0.0.1", port, 77, 10.0)
    found: list[ContractDetails] = []
    for market in MANY_MARKETS:
        found += await library.contracts(BrokerInstrument(
            code=market.code, symbol=market.symbol, exchange=market.exchange, currency=market.currency,
            multiplier=f"{market.point_size:.10g}"))
    library.disconnect()
    return found


def orders_to_the_wire(scene: Scene) -> list[float]:
    """Seconds from the worker's request to the order on the wire, the claim having been stored in between."""
    taken = []
    compared(scene)
    for number in range(ORDERS):
        order = an_intent(scene, number)
        reference = b"\0" + order.id.encode() + b"\0"
        scene.tap.wanted.add(reference)
        began = time.perf_counter()
        scene.link.submit(order.id)
        until(lambda text=reference: text in scene.tap.passed)  # type: ignore[misc]
        taken.append(scene.tap.passed[reference] - began)
        time.sleep(max(0.0, 1 / SUBMITS_PER_S - (time.perf_counter() - began)))
    return taken


def compared(scene: Scene) -> None:
    """The books agree with the broker over this connection, else nothing leaves."""
    now = SystemClock().now()
    MongoReconciliationRuns(scene.store).save(ReconciliationRun(
        id="R-bench", kind=RunKind.START_OF_DAY, epoch=scene.link.book().epoch, trading_day=DAY, begun=now, ended=now,
        verdict=RunVerdict.PASS))


def an_intent(scene: Scene, number: int) -> BrokerOrder:
    """A stored order with its parents, far from the market, so that it rests."""
    order = an_order(scene.contracts[0], number)
    parent = scene.orders.add_instrument_order(InstrumentOrder(
        id=f"IO-BENCH{number}", idempotency_key=order.id, account=ACCOUNT, strategy="bench",
        instrument=order.instrument, kind=order.kind, quantity=1, trading_day=DAY, created=order.created))
    assert parent is not None
    scene.orders.spawned(*spawn(parent, order.contract, order.created))
    leg, = scene.orders.contract_orders_of(parent.id)
    return scene.orders.add_broker_order(replace(leg, next_child=2), order)


def messages_to_a_worker(scene: Scene) -> list[float]:
    """Seconds from the gateway's message on the wire to the worker that follows the journal."""
    texts = [b"\0bench %d\0" % number for number in range(MESSAGES)]
    scene.tap.wanted.update(texts)
    arrived: dict[bytes, float] = {}
    newest = scene.link.messages(0, 0.0)
    worker = threading.Thread(target=follow, args=(scene.link, newest[-1].sequence if newest else 0, arrived))
    worker.start()
    began, reference = time.perf_counter(), an_order(scene.contracts[0], 0).id
    for number in range(MESSAGES):
        time.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
        scene.control.fault("error", order=reference, code=2109, text=f"bench {number}")
    worker.join(60)
    return [arrived[text] - scene.tap.passed[text] for text in texts]


def follow(link: BrokerLink, after: int, arrived: dict[bytes, float]) -> None:
    """Be a worker until all has arrived."""
    while len(arrived) < MESSAGES:
        messages: list[BrokerMessage] = link.messages(after, 5.0)
        now = time.perf_counter()
        for message in messages:
            text = str(message.facts.get("text", ""))
            if text.startswith("bench "):
                arrived[b"\0" + text.encode() + b"\0"] = now
        after = messages[-1].sequence if messages else after


def quotes_to_workers(scene: Scene) -> dict[str, float]:
    """The daemon's share of a core while all lines change and all workers follow all of them."""
    contracts, ending = scene.contracts[:LINES], threading.Event()
    counts = [0] * WORKERS
    workers = [threading.Thread(target=follow_quotes, args=(scene.link, contracts, ending, counts, number))
               for number in range(WORKERS)]
    for each in workers:
        each.start()
    scene.control.fault("flood", size=CHANGES_PER_S, seconds=120)
    until(lambda: min(counts) > 20 * len(contracts))  # all lines are open, and warm
    used, began, before = cpu_s(scene.daemon), time.perf_counter(), sum(counts)
    time.sleep(MEASURED_S)
    took = time.perf_counter() - began
    share, told = 100 * (cpu_s(scene.daemon) - used) / took, (sum(counts) - before) / took
    ending.set()
    for each in workers:
        each.join(30)
    return {"cpu_percent": share, "lines": float(len(contracts)), "quotes_per_s_and_worker": told / WORKERS}


def follow_quotes(link: BrokerLink, contracts: list[ContractDetails], ending: threading.Event, counts: list[int],
                  number: int) -> None:
    """Be a worker that wants every change."""
    version = 0
    while not ending.is_set():
        try:
            changed = link.quotes(contracts, version, 1.0)
        except BrokerUnavailable:
            continue
        version = changed.version
        counts[number] += len(changed.quotes)


def an_order(contract: ContractDetails, number: int) -> BrokerOrder:
    """An order at the lowest price there is."""
    return BrokerOrder(
        id=f"BENCH{number}-C1-B1", parent=f"IO-BENCH{number}-C1", account=ACCOUNT, strategy="bench",
        instrument=contract.symbol, contract=f"{contract.symbol}/{contract.contract_month}00", con_id=contract.con_id,
        exchange=contract.exchange, kind=OrderKind.STRATEGY, quantity=1, order_type="LMT",
        limit_price=contract.min_tick, time_in_force="DAY", bid=Decimal(1), ask=Decimal(2), trading_day=DAY,
        created=SystemClock().now())


def until(is_so: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for something that happens elsewhere."""
    deadline_s = time.monotonic() + within_s
    for _ in itertools.repeat(None):
        if is_so():
            return
        if time.monotonic() > deadline_s:
            raise TimeoutError("it did not happen")
        time.sleep(0.001)


if __name__ == "__main__":
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tradingd-link-") as place:
        to_worker, to_wire, quotes = measure(Path(place))
        for name, taken in (("message to worker", sorted(to_worker)), ("order to wire", sorted(to_wire))):
            print(f"{name}: p50 {1000 * taken[len(taken) // 2]:.1f} p99 {1000 * taken[int(len(taken) * 0.99)]:.1f} ms")
        print(json.dumps(quotes))
