"""Two daemons on one store, and one gateway behind them: its books and its port are the same whoever leads.

The gateway is a child of the leader. One that is killed takes it along, and the next leader starts it over the same
books; one that is frozen leaves it running, and it stays the only one.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from crash_points import Notes, unlike_the_gateway
from rig import StoreServer
from trading_scene import QUICK, Traded, TradingScene, until

from daemon.store.embedded_store import free_port
from trading.errors import TradingError
from trading.unix_socket import DaemonRefused, DaemonUnreachable

GONE = (DaemonUnreachable, DaemonRefused)


class TwoTraders:
    """`leader` and `standby` after `ready`."""

    def __init__(self, folder: Path, server: StoreServer) -> None:
        self.notes = Notes(folder / "writes")
        service = {"mongo": {"uri": server.uri, "timeout_s": 5},
                   "broker": QUICK["broker"] | {"simulated": {"port": free_port()}}}
        self._scenes = [TradingScene(folder / name, service=service, environment=self.notes.environment)
                        for name in "ab"]
        first, second = self._scenes
        for scene in self._scenes:
            scene.state.mkdir(parents=True)
        (first.state / "sim").mkdir()
        (second.state / "sim").symlink_to(first.state / "sim")
        (second.folder / "played").touch()

    def ready(self) -> tuple[TradingScene, TradingScene]:
        """The leader with its broker, and the one that stands by, both alive."""
        if not (self._scenes[0].folder / "played").exists():
            self._scenes[0].begin().lift_limits()
        until(self._are_two, 60, "one leads, one stands by")
        leader, standby = sorted(self._scenes, key=phase)
        until(lambda: leader.link == "ready", 60, "the link is ready")
        return leader, standby

    def _are_two(self) -> bool:
        for scene in self._scenes:
            if scene.process is None or scene.process.poll() is not None:
                scene.launch()
        return sorted(map(phase, self._scenes)) == ["running", "standby"]

    def end(self) -> None:
        for scene in self._scenes:
            scene.end()


def phase(scene: TradingScene) -> str:
    """As it says itself; empty while it does not answer."""
    with suppress(*GONE):
        return str(scene.status()["service"])
    return ""


def takes_over(standby: TradingScene) -> None:
    until(lambda: phase(standby) == "running", 30, "the other one leads")


def crowd(scene: TradingScene, orders: int) -> list[str]:
    """So many orders, one an instrument."""
    return [scene.want(name, scene.some_lots(name)) for name in scene.instruments()[:orders]]


def has_gateway(scene: TradingScene) -> bool:
    """Does it answer, and is `scene` connected to it? That of a former leader ends with its term."""
    with suppress(TradingError):
        return bool(scene.gateway.state_of()["clients"]) and scene.link == "ready"
    return False


def in_the_middle(scene: TradingScene, orders: list[str]) -> None:
    """Start to work them; return when some have reached the exchange, and some have not."""
    scene.start_handler()
    until(lambda: sum(map(scene.has_arrived, orders)) >= len(orders) // 4, 30, "the first have arrived")


def work(scene: TradingScene, orders: list[str]) -> None:
    """Have `scene` trade them to their end."""
    def done() -> bool:
        with suppress(*GONE):
            if has_gateway(scene):
                scene.handled(scene.start_handler(), 60)
        rows = scene.store().database.instrument_orders
        time.sleep(0.1)
        return int(rows.count_documents({"_id": {"$in": orders}, "lifecycle": {"$ne": "CLOSED"}})) == 0
    until(done, 150, "every order has come to its end")


def story(scene: TradingScene, order: str) -> list[str]:
    """How its parent and its legs have ended, and what the controls have said last."""
    database = scene.store().database
    rows = [*database.instrument_orders.find({"_id": order}), *database.contract_orders.find({"parent": order})]
    return [f"{row['_id']} {row['lifecycle']} {row['close_reason']} {row['checks'][-1:]}" for row in rows]


def no_one_stream(scene: TradingScene, orders: list[str]) -> Iterator[str]:
    """A sentence for each order that is not exactly once at the gateway, or not as we believe."""
    rows = scene.gateway.state_of()["orders"]
    arrived = Counter(row["order_ref"] for row in rows)
    for order in orders:
        traded = Traded(scene, order, {})
        if not traded.executed == traded.filled == traded.wanted:
            yield (f"{traded.order}: {traded.executed} executed, {traded.filled} filled, {traded.wanted} wanted; "
                   f"{[(row['lifecycle'], row['reason']) for row in traded.broker_orders]}; {story(scene, order)}")
        sent = [row["_id"] for row in traded.broker_orders if row["lifecycle"] != "NOT_SENT"]
        if sorted(sent) != sorted(row["order_ref"] for row in traded.at_gateway):
            yield f"{traded.order}: we have sent {sent}, the gateway has {traded.at_gateway}"
    yield from (f"{each} arrived {times} times" for each, times in arrived.items() if times > 1)
    yield from unlike_the_gateway(scene)
