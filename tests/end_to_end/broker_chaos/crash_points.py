"""One order's whole life with the service killed behind one of its durable writes, and what is left at the end.

The writes are counted where they are made, by crash_hook/sitecustomize.py in the daemon and in the workers.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from trading_scene import ACCOUNT, Traded, TradingScene, until

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.events import MongoEvents
from trading.unix_socket import DaemonRefused, DaemonUnreachable

HOOK = Path(__file__).parent / "crash_hook"
NOTHING = "nothing"
APART_S = 0.4  # between acknowledgement, fill and commission, so that each is a write of its own


@dataclass(frozen=True, kw_only=True)
class Write:
    """One durable write: of which kind (see the hook), into which documents."""

    kind: str
    statements: list[dict[str, Any]]

    def ids(self, collection: str) -> set[str]:
        return {name for each in self.statements if each["collection"] == collection for name in each["ids"]}


@dataclass(frozen=True, kw_only=True)
class EndState:
    """What is left of one order's life, without its times and numbers; lots as shares of those that were asked for."""

    instrument_order: tuple[str, str, int]
    contract_orders: list[tuple[str, str, int]]
    sent: list[tuple[str, int]]  # broker orders, without those that provably never left
    fills: list[tuple[int, bool]]  # lots, and whether their cost is known
    at_gateway: int
    executed: int
    locks: dict[str, str]


class Notes:
    """The folder in which processes with our hook note their writes, and find what shall befall them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._plans, self.number = count(), 0
        self.plan(NOTHING, 0)

    @property
    def environment(self) -> dict[str, str]:
        """That of a process with the hook."""
        paths = [str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(paths), "ORDER_WRITES": str(self._folder)}

    def plan(self, kind: str, number: int, gets: str = "SIGKILL") -> None:
        """From now on count anew; who makes the write `number` of `kind` gets a signal; 0 is nobody's."""
        self.number = next(self._plans)
        newer = self._folder / "plan.new"
        newer.write_text(f"life{self.number} {kind} {number} {gets}\n")
        newer.replace(self._folder / "plan")

    def writes(self) -> list[Write]:
        """Those since the last plan."""
        path = self._folder / f"life{self.number}"
        return [Write(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


class CrashScene:
    """A scene whose processes note their writes, and die where they are told to."""

    def __init__(self, folder: Path) -> None:
        self.notes = Notes(folder / "writes")
        self.scene = TradingScene(folder, environment=self.notes.environment)

    def live(self, kind: str = NOTHING, number: int = 0) -> "Life":
        """One order from its decision to its end, with a kill behind the write `number` of `kind`."""
        scene = self.scene
        until(lambda: scene.link == "ready", 60, "the link is ready")
        scene.gateway.fault("hold", seconds=APART_S)
        scene.gateway.fault("delay", message="commissionReport", seconds=APART_S)
        instrument, known = scene.an_instrument(), self._sequence()
        lots = -1 if scene.net()[instrument] > 0 else 1  # which no limit forbids
        self.notes.plan(kind, number)
        order = self._decide(instrument, lots, f"life {self.notes.number} of {os.getpid()}")
        until(lambda: self._is_over(order), 90, f"{order} has come to its end")
        writes = self.notes.writes()
        return Life(writes=writes, messages=self._messages_after(known), order=order, lots=lots, scene=scene,
                    is_killed=sum(write.kind == kind for write in writes) >= number > 0)

    def _decide(self, instrument: str, lots: int, key: str) -> str:
        """A person's order, asked for until there is an answer; its id."""
        asked = {"id": key, "actor": "chaos", "reason": "chaos", "instrument": instrument, "lots": lots,
                 "strategy": "example", "style": "marketable"}

        def answered() -> Any:
            self._bring_up()
            try:
                return self.scene.ask("POST", "/trading/trade", **asked)
            except DaemonUnreachable:
                return None
        until(answered, 60, "the decision is stored")
        orders = list(self.scene.store().database.instrument_orders.find({"idempotency_key": f"manual/{key}"}))
        assert len(orders) == 1
        return str(orders[0]["_id"])

    def _is_over(self, order: str) -> bool:
        """Let the handler run once; has everything of the order ended?"""
        self._bring_up()
        try:
            run = self.scene.start_handler()
        except (DaemonUnreachable, DaemonRefused):
            time.sleep(0.2)
            return False
        until(lambda: self.is_dead() or self.scene.ended(run), 60, f"{run} has ended")
        return not self.is_dead() and self._is_closed(order)

    def _is_closed(self, order: str) -> bool:
        database = self.scene.store().database
        row = database.instrument_orders.find_one({"_id": order})
        fills = list(database.fills.find({"broker_order": {"$regex": f"^{order.removeprefix('IO-')}"}}))
        return bool(row) and row["lifecycle"] == "CLOSED" and all(fill["commission"] is not None for fill in fills)

    def is_dead(self) -> bool:
        assert self.scene.process is not None
        return self.scene.process.poll() is not None

    def _bring_up(self) -> None:
        """Start what was killed; a connection to a store that dies takes seconds to close, so none is kept."""
        self.scene.forget_stores()
        if self.is_dead():
            self.scene.begin()

    def _sequence(self) -> int:
        row = self.scene.store().database.broker_messages.find_one({}, sort=[("_id", -1)])
        return int(row["_id"]) if row else 0

    def _messages_after(self, sequence: int) -> set[str]:
        return {str(row["_id"]) for row in self.scene.store().database.broker_messages.find({"_id": {"$gt": sequence}})}


@dataclass(frozen=True, kw_only=True)
class Life:
    """What was written in an order's life, and what is left of it."""

    writes: list[Write]
    messages: set[str]  # those that the journal holds since its beginning
    is_killed: bool  # a life may have fewer writes than the one that was asked for
    order: str
    lots: int
    scene: TradingScene

    def end(self) -> EndState:
        database, traded = self.scene.store().database, Traded(self.scene, self.order, {})
        order = database.instrument_orders.find_one({"_id": self.order})
        legs = list(database.contract_orders.find({"parent": self.order}))
        ours = [row for row in traded.broker_orders if row["lifecycle"] != "NOT_SENT"]
        fills = [fill for row in ours for fill in MongoBooks(self.scene.store()).fills_of(row["_id"])]
        return EndState(
            instrument_order=(order["lifecycle"], order["close_reason"], order["filled"] // self.lots),
            contract_orders=[(leg["lifecycle"], leg["close_reason"], leg["filled"] // self.lots) for leg in legs],
            sent=[(row["lifecycle"], row["filled"] // self.lots) for row in ours],
            fills=[(fill.quantity // self.lots, fill.commission is not None) for fill in fills],
            at_gateway=len(traded.at_gateway), executed=traded.executed // self.lots, locks=self.scene.locks())

    def events(self) -> set[str]:
        """The ids of all that the log of changes tells of this order and its children."""
        return {row["_id"] for row in self.scene.store().database.events.find({"story": self.order}, {"_id": 1})}


def unlike_the_gateway(scene: TradingScene) -> Iterator[str]:
    """A sentence for everything in which our books are not the gateway's, not their own sum, or not what was told."""
    store = scene.store()
    books = MongoBooks(store)
    if scene.books() != scene.theirs():
        yield f"we hold {scene.books()}, the gateway says {scene.theirs()}"
    if books.positions() != books.rebuilt():
        yield "positions are not the sum of their fills"
    yield from MongoEvents(store).breaks_in_chain()
    sent = [row["order_ref"] for row in scene.gateway.state_of()["orders"]]
    yield from (f"{each} reached the exchange twice" for each in {ref for ref in sent if sent.count(ref) > 1})
    known = {row["_id"] for row in store.database.broker_orders.find({"account": ACCOUNT}, {"_id": 1})}
    yield from (f"{each} is at the exchange, and we know nothing of it" for each in set(sent) - known)
