"""A service that has played one day, its simulated gateway in our hands, and orders of our own to trade.

The day is played once for a module; each case then lets something go wrong at the gateway, trades a few lots of one
instrument through the stack handler, and compares all three: our books, our orders, and the gateway's own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from trading.broker.simulated.control_client import GatewayControl
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.controls import MongoLimits
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import InstrumentOrder
from trading.risk.limits import Limit, LimitKind
from trading.risk.order_kind import OrderKind
from trading.risk.settings import FlowSettings
from trading.unix_socket import DaemonRefused, DaemonUnreachable, request

REPOSITORY = Path(__file__).resolve().parents[3]
QUICK = {"broker": {"request_timeout_s": 3, "connect_timeout_s": 4, "heartbeat_s": 1},
         "orders": {"time_out_s": 4, "acknowledge_within_s": 1, "confirm_break_after_s": 1,
                    "prove_lost_within_s": 3},
         "leadership": {"ttl_s": 4, "renew_s": 1}}
HANDLER = "run_stack_handler"
BY_HAND = {"kind": "batch", "cron": "0 0 1 1 *", "window": []}  # it works when a case says so, and ends
ACCOUNT = "DU0000001"
TWIN_WAITS = FlowSettings().duplicate_window
GATEWAY_ZONE = ZoneInfo("Europe/London")


def until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """What `condition` says as soon as that is true."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)
    return found


@dataclass
class TradingScene:
    """One service over one folder. Call `begin`, then trade."""

    folder: Path
    data: Path | None = None  # recorded prices; without, markets are generated
    environment: dict[str, str] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)  # sections of tradingd.yaml, beside or instead of QUICK's
    handler: dict[str, Any] = field(default_factory=lambda: BY_HAND)  # what its process is configured otherwise
    program: Path = REPOSITORY  # whose code runs
    process: "subprocess.Popen[bytes] | None" = None
    _stores: list[MongoStore] = field(default_factory=list)
    _turn: Iterator[int] = field(default_factory=count)

    @property
    def state(self) -> Path:
        return self.folder / "var"

    @property
    def socket(self) -> Path:
        return self.state / "run" / "control.sock"

    @cached_property
    def gateway(self) -> GatewayControl:
        return GatewayControl(self.state / "sim")

    @cached_property
    def config(self) -> Path:
        folder = self.folder / "config"
        folder.mkdir(parents=True)
        (folder / "tradingd.yaml").write_text(yaml.safe_dump(QUICK | self.service))
        processes = yaml.safe_load((REPOSITORY / "config" / "processes.yaml").read_text())
        processes["processes"][HANDLER] |= self.handler
        (folder / "processes.yaml").write_text(yaml.safe_dump(processes, sort_keys=False))
        return folder

    def begin(self) -> "TradingScene":
        """Play the day, or go on with the one that was played; return when it is ready."""
        self.launch()
        until(self._is_ready, 180, "the service is ready")
        (self.folder / "played").touch()
        return self

    def launch(self) -> None:
        """The same, without waiting."""
        source = () if self.data is None else ("--data", str(self.data))
        flags = source if (self.folder / "played").exists() else (*source, "--day")
        with (self.folder / "service.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daemon", "--config", str(self.config), "--state", str(self.state), *flags],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.program,
                env=os.environ | self.environment)

    def kill(self) -> None:
        assert self.process is not None
        self.forget_stores()  # while there is one: else it takes seconds
        self.process.kill()
        self.process.wait(timeout=30)

    def end(self) -> None:
        self.forget_stores()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)

    def ask(self, method: str, resource: str, **body: Any) -> Any:
        return request(self.socket, method, resource, body or None, timeout_s=30)

    def status(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/status"))

    @property
    def link(self) -> str:
        return str(self.status()["broker"]["link"])

    def store(self) -> MongoStore:
        """The daemon's, from beside: the one that is configured, or its own."""
        if not self._stores:
            uri = self.service["mongo"]["uri"] if "mongo" in self.service else self.status()["store"]["uri"]
            self._stores.append(connect(uri, "tradingd"))
        return self._stores[0]

    def want(self, instrument: str, quantity: int, day: str | None = None,
             style: ExecutionStyle = ExecutionStyle.BEST) -> str:
        """A new instrument order, decided on `day` or today; its id."""
        order = InstrumentOrder(
            id=new_instrument_order_id(), idempotency_key=f"chaos {time.monotonic_ns()}", account=ACCOUNT,
            strategy="example", instrument=instrument, kind=OrderKind.STRATEGY, quantity=quantity, style=style,
            trading_day=day or self.trading_day(), created=datetime.now(UTC))
        assert MongoOrders(self.store()).add_instrument_order(order) is not None
        return order.id

    def want_at_once(self, instrument: str, quantity: int, style: ExecutionStyle = ExecutionStyle.BEST) -> str:
        """The same, of an order that may be sent as soon as it is seen.

        The twin of an order waits for a minute (RC-18), and the day that was played, or a case before, may have sent
        it. That minute is waited for here, where no case counts the seconds.
        """
        until(lambda: not self._has_twin(instrument, quantity), 90, f"another {quantity} {instrument} may be sent")
        return self.want(instrument, quantity, style=style)

    def _has_twin(self, instrument: str, quantity: int) -> bool:
        """Was as much of the instrument sent in the last minute?"""
        rows = self.store().database.broker_orders.find(
            {"instrument": instrument, "quantity": quantity, "sent": {"$ne": None}}, {"sent": 1})
        sent = [row["sent"] for row in rows]
        return bool(sent) and self.now() <= max(sent) + TWIN_WAITS

    def lift_limits(self) -> None:
        """As a person does who knows that this will be a busy day."""
        limits = MongoLimits(self.store())
        for name in self.instruments():
            limits.put(Limit(kind=LimitKind.POSITION, instrument=name, lots=30))
            for days in (1, 30):
                limits.put(Limit(kind=LimitKind.TRADE, instrument=name, lots=100_000, days=days))

    def some_lots(self, instrument: str) -> int:
        """Towards flat, and seldom what was traded the time before: a twin of an order waits for a minute."""
        size = 1 + self.store().database.instrument_orders.count_documents({"instrument": instrument}) % 5
        return -size if self.net()[instrument] > 0 else size

    def net(self) -> Counter[str]:
        """Lots an instrument, by our books."""
        held: Counter[str] = Counter()
        for row in self.store().database.contract_positions.find({}):
            held[row["_id"].rpartition("/")[0]] += int(row["quantity"])
        return held

    def trading_day(self) -> str:
        rows = self.store().database.instrument_orders.find({}, {"trading_day": 1}).sort("trading_day", -1).limit(1)
        return str(next(iter(rows))["trading_day"])

    def start_handler(self) -> str:
        """The run that was started."""
        return self.start(HANDLER)

    def process_has_run(self, name: str) -> None:
        """One run of a process from its beginning to a good end."""
        run = self.start(name)
        ended = until(lambda: self.ended(run, name), 60, f"{run} has ended")
        assert ended["state"] == "FINISHED", ended

    def start(self, process: str) -> str:
        """The run that was started, once the daemon leads and has a link: a slow machine may lose both for a moment."""
        def run() -> str:
            try:
                return str(self.ask("POST", f"/processes/{process}/run", force=True, id=os.urandom(8).hex(),
                                    reason="chaos")["run"])
            except DaemonRefused as error:
                if not any(words in str(error) for words in ("does not lead", "needs the broker")):
                    raise
                return ""

        return str(until(run, 30, f"{process} was started"))

    def do(self, deed: str, command: str = "", **values: Any) -> dict[str, Any]:
        """What a person does at the trading desk; the same `command` is the same deed."""
        return dict(self.ask("POST", f"/trading/{deed}", id=command or os.urandom(8).hex(), actor="chaos",
                             reason="chaos", **values))

    def handled(self, run: str, timeout_s: float = 60) -> dict[str, Any]:
        """The run's row when it has ended."""
        return dict(until(lambda: self.ended(run), timeout_s, f"{run} has ended"))

    def rest(self, instrument: str, quantity: int = 1) -> tuple[str, str]:
        """An order that has arrived and does not fill until told to; its id and the handler's run."""
        self.gateway.fault("hold", seconds=600)
        order = self.want_at_once(instrument, quantity)
        run = self.start_handler()
        until(lambda: self.has_arrived(order), 10, "the order has arrived")
        return order, run

    def fill(self) -> None:
        """What rests may fill now; other faults go on."""
        self.gateway.fault("hold", seconds=0)

    def trade(self, instrument: str, quantity: int, timeout_s: float = 60,
              style: ExecutionStyle = ExecutionStyle.BEST) -> "Traded":
        """Want `quantity` lots, and let the handler work until it has ended."""
        order = self.want_at_once(instrument, quantity, style=style)
        return Traded(self, order, self.handled(self.start_handler(), timeout_s))

    def settle(self, timeout_s: float = 60) -> dict[str, Any]:
        """One more run of the handler over what is left, with a link that works."""
        self.gateway.clear()
        until(lambda: self.link == "ready", 60, "the link is ready again")
        return self.handled(self.start_handler(), timeout_s)

    def books(self) -> dict[int, int]:
        """Our positions by the broker's contract number."""
        rows = self.ctl("positions")["contract"]
        return {int(row["con_id"]): int(row["quantity"]) for row in rows if row["quantity"]}

    def theirs(self) -> dict[int, int]:
        return {int(con_id): lots for con_id, lots in self.gateway.state_of()["positions"].get(ACCOUNT, {}).items()}

    def locks(self) -> dict[str, str]:
        return MongoInstrumentLocks(self.store()).reasons()

    def unlock(self) -> None:
        """A person has looked."""
        locks = MongoInstrumentLocks(self.store())
        for lock in locks.all():
            locks.unlock(lock.id, "looked at", datetime.now(UTC))

    def external(self) -> dict[int, int]:
        """What nobody's order traded, by the broker's contract number, as far as it is not undone."""
        lots: dict[int, int] = {}
        for row in self.store().database.fills.find({"strategy": "_EXTERNAL"}):
            lots[row["con_id"]] = lots.get(row["con_id"], 0) + row["quantity"]
        return {con_id: held for con_id, held in sorted(lots.items()) if held}

    def alerts(self) -> list[str]:
        return [row["key"] for row in self.ask("GET", "/alerts")["alerts"]]

    def now(self) -> datetime:
        """What time it is at the gateway."""
        return datetime.fromisoformat(str(self.gateway.clock()["now"]))

    def go_to(self, local: str) -> None:
        """Set the gateway's clock to a time of its own zone."""
        self.gateway.clock(to=datetime.fromisoformat(local).replace(tzinfo=GATEWAY_ZONE).isoformat())

    def asked(self, request: str) -> int:
        """How many messages of that name have reached the gateway."""
        return int(self.gateway.state_of()["requests"].get(request, 0))

    def is_told(self, words: str) -> bool:
        """Does an open alert say so?"""
        return any(words in row["text"] for row in self.ask("GET", "/alerts")["alerts"])

    def an_instrument(self) -> str:
        """Another one each time, so that no case meets what an earlier one has left."""
        names = self.instruments()
        return names[next(self._turn) % len(names)]

    def is_idle(self) -> bool:
        """Has the handler's newest run ended?"""
        [newest] = self.ask("GET", f"/processes/{HANDLER}/history?limit=1")
        return newest["state"] not in ("STARTING", "RUNNING")

    def make_whole(self) -> None:
        """Undo by hand what somebody else traded, and look at every lock."""
        self.gateway.clear()
        until(self.is_idle, 60, "no handler runs")
        for con_id, lots in self.external().items():
            self.gateway.fault("manual_trade", contract=con_id, size=-lots)
        self.settle()
        self.unlock()

    def has_arrived(self, order: str) -> bool:
        """Has a broker order of the instrument order `order` reached the exchange?"""
        reference = order.removeprefix("IO-")
        return any(row["order_ref"].startswith(reference) for row in self.gateway.state_of()["orders"])

    def instruments(self) -> list[str]:
        """Those that can be traded, as the day has left them."""
        return sorted({row["instrument"] for row in self.ctl("positions")["contract"]})

    def call(self, *words: str) -> str:
        """What tradectl says."""
        done = subprocess.run([sys.executable, "-m", "daemon.cli", "--config", str(self.config), "--state",
                               str(self.state), *words], capture_output=True, text=True, check=False,
                              cwd=self.program, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ctl(self, *words: str) -> Any:
        """What tradectl says to a program."""
        return json.loads(self.call(*words, "--json"))

    def ended(self, run: str, process: str = HANDLER) -> dict[str, Any] | None:
        """The run's row, unless it still runs or nobody can say."""
        try:
            rows = self.ask("GET", f"/processes/{process}/history?limit=20")
        except DaemonUnreachable:
            return None
        mine = [row for row in rows if row.get("run") == run]
        return mine[0] if mine and mine[0]["state"] not in ("STARTING", "RUNNING") else None

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "service.out").read_text()[-2000:]
        try:
            shown = self.status()
        except DaemonUnreachable:
            return False
        done = {row["state"] for row in shown["processes"]} == {"FINISHED"} or (self.folder / "played").exists()
        return done and shown["service"] == "running" and shown["broker"]["link"] == "ready"

    def forget_stores(self) -> None:
        """Close what `store` has opened."""
        while self._stores:
            self._stores.pop().close()


@contextmanager
def playing(scene: TradingScene) -> Iterator[TradingScene]:
    """`scene` with its day played and no limits in the way; whatever happens, its service ends."""
    try:
        scene.begin().lift_limits()
        yield scene
    finally:
        scene.end()


def pattern(order: str) -> str:
    """That of the references of all broker orders of an instrument order."""
    return f"{order.removeprefix('IO-')}*"


@dataclass(frozen=True)
class Traded:
    """What became of one instrument order."""

    scene: TradingScene
    order: str
    run: dict[str, Any]

    @property
    def _reference(self) -> str:
        """How the references of all its broker orders begin."""
        return self.order.removeprefix("IO-")

    @property
    def broker_orders(self) -> list[dict[str, Any]]:
        ours = {"_id": {"$regex": f"^{self._reference}"}}
        return list(self.scene.store().database.broker_orders.find(ours).sort("_id", 1))

    @property
    def at_gateway(self) -> list[dict[str, Any]]:
        """The orders of ours that reached the exchange."""
        return [row for row in self.scene.gateway.state_of()["orders"] if row["order_ref"].startswith(self._reference)]

    @property
    def executed(self) -> int:
        """Lots that the exchange executed for it, signed."""
        fills = self.scene.gateway.state_of()["executions"]
        rows = [row for row in fills if row["order_ref"].startswith(self._reference)]
        return sum(row["shares"] * (1 if row["action"] == "BUY" else -1) for row in rows)

    @property
    def filled(self) -> int:
        """Lots that our order says were filled."""
        return int(self._stored["filled"])

    @property
    def wanted(self) -> int:
        return int(self._stored["quantity"])

    @property
    def _stored(self) -> dict[str, Any]:
        found = self.scene.store().database.instrument_orders.find_one({"_id": self.order})
        assert found is not None
        return found
