"""Kills daemon, worker and connection at random moments while orders are wanted; by dice, so that a seed repeats it."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rig import children_of
from trading_scene import TradingScene, until

from trading.errors import TradingError
from trading.unix_socket import DaemonRefused, DaemonUnreachable

WANTED_AT_A_TIME = 8
LINK_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "close"}, {"kind": "reset"}, {"kind": "truncate"}, {"kind": "restart"}, {"kind": "restart", "size": 50},
    {"kind": "break_after", "request": "placeOrder"}, {"kind": "lose", "request": "placeOrder"},
    {"kind": "break_after", "request": "cancelOrder"})
GONE = (DaemonUnreachable, DaemonRefused)


@dataclass
class RandomKiller:
    """Wants orders, has them worked, and kills meanwhile."""

    scene: TradingScene
    dice: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    orders: list[str] = field(default_factory=list)
    told_lost: int = 0  # orders of which no proof could come

    def kill_many(self, kills: int) -> None:
        """Each at a random moment after the one before."""
        names = self.scene.instruments()
        self.scene.lift_limits()
        acts = {"worker": self._kill_worker, "daemon": self._kill_daemon, "link": self._break_link}
        while self.killed.total() < kills:
            self._want(names)
            self._work()
            time.sleep(self._pause_s())
            [name] = self.dice.choices(list(acts), weights=(4, 3, 4))
            if acts[name]():
                self.killed[name] += 1

    def _pause_s(self) -> float:
        """Now and then so long that orders come to their end, and others are wanted."""
        return 6.0 if self.dice.random() < 0.1 else self.dice.uniform(0, 2.5)

    def come_to_rest(self) -> None:
        """Nothing is killed any more: all that is open comes to its end."""
        self._bring_up()
        self.scene.gateway.clear()
        until(lambda: self._open() == 0 or self._settle(), 360, "no order is open")

    def _settle(self) -> bool:
        with suppress(*GONE):
            self._look_as_a_person_does()
            self.scene.settle(120)
        return False

    def _look_as_a_person_does(self) -> None:
        """At the gateway itself: what it lost before others arrived has ended; then trading may go on."""
        shown = {row["order_ref"] for row in self.scene.gateway.state_of()["orders"]}
        for row in self.scene.store().database.broker_orders.find({"lifecycle": "UNKNOWN"}):
            if row["_id"] not in shown:
                self.scene.do("order-ended", order=row["_id"])
                self.told_lost += 1
        if self.scene.status()["kill"]["level"] != "K0_NORMAL":
            self.scene.do("resume-trading")

    def _want(self, names: list[str]) -> None:
        """Keep some orders open, and no connection to a store that may die."""
        self._bring_up()
        for _ in range(WANTED_AT_A_TIME - self._open()):
            name = self.dice.choice(names)
            self.orders.append(self.scene.want(name, self.scene.some_lots(name)))
        self.scene.forget_stores()

    def _open(self) -> int:
        rows = self.scene.store().database.instrument_orders
        return int(rows.count_documents({"lifecycle": {"$ne": "CLOSED"}}))

    def _work(self) -> None:
        """Have the handler run, unless it does."""
        with suppress(*GONE):
            self.scene.start_handler()

    def _bring_up(self) -> None:
        if self.scene.process is None or self.scene.process.poll() is not None:
            self.scene.begin()

    def _kill_daemon(self) -> bool:
        """At times while it starts after the kill before."""
        self.scene.kill()
        if self.dice.random() < 0.2:
            self.scene.launch()
            time.sleep(self.dice.uniform(0, 3))
            self.scene.kill()
            self.killed["daemon that starts"] += 1
        return True

    def _kill_worker(self) -> bool:
        assert self.scene.process is not None
        zygotes = [pid for pid, words in children_of(self.scene.process.pid) if "daemon.children.zygote" in words]
        workers = [pid for zygote in zygotes for pid, _ in children_of(zygote)]
        with suppress(ProcessLookupError):
            for pid in workers:  # the spare one too: nobody can tell them apart from outside
                os.kill(pid, signal.SIGKILL)
        return bool(workers)

    def _break_link(self) -> bool:
        with suppress(TradingError):
            self.scene.gateway.fault(**self.dice.choice(LINK_FAULTS))
            return True
        return False
