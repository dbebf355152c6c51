"""The independent watchdog as a process: it does what a daemon behind a dead socket, or a dead daemon, cannot do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rig import StoreServer
from trading_scene import QUICK, REPOSITORY, Traded, TradingScene, playing, until

from trading.data.mongo.controls import MongoKillState
from trading.risk.kill_level import KillLevel

LIVES_ON = Path(__file__).parent / "lives_on"
QUICKLY = {"every_s": 0.3, "halt_grace_s": 1, "silent_after_s": 6}
NOTICES_NOTHING = QUICK["broker"] | {"heartbeat_s": 120}  # for as long as a case lasts


class Watchdog:
    """One process over the folders of a scene."""

    def __init__(self, scene: TradingScene) -> None:
        self.scene, self.report_file = scene, scene.state / "run" / "watchdog.json"
        self.report_file.unlink(missing_ok=True)
        scene.folder.mkdir(exist_ok=True)
        with (scene.folder / "watchdog.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daemon.watchdog", "--config", str(scene.config), "--state", str(scene.state)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=REPOSITORY)

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.report_file.read_text())) if self.report_file.exists() else {}

    @property
    def said(self) -> str:
        return (self.scene.folder / "watchdog.out").read_text()

    def sees(self, orders: int) -> None:
        until(lambda: self.report.get("orders_of_ours") == orders, 20, f"it sees {orders} orders: {self.said[-800:]}")

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


@contextmanager
def watching(scene: TradingScene) -> Iterator[Watchdog]:
    watchdog = Watchdog(scene)
    try:
        yield watchdog
    finally:
        if watchdog.process.poll() is None:
            watchdog.end()


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    """A service that does not notice in time that its socket is half open."""
    service = {"broker": NOTICES_NOTHING, "watchdog": QUICKLY}
    with playing(TradingScene(tmp_path_factory.mktemp("deaf"), service=service)) as scene:
        yield scene


@pytest.fixture
def survived(tmp_path: Path) -> Iterator[TradingScene]:
    """A service whose store and gateway live on when it is killed."""
    server = StoreServer(tmp_path / "server")
    server.start()
    (tmp_path / "scene").mkdir()
    scene = TradingScene(tmp_path / "scene", service={"mongo": {"uri": server.uri}, "watchdog": QUICKLY,
        "orders": QUICK["orders"] | {"good_till_date": True}}, environment={
        "PYTHONPATH": os.pathsep.join(filter(None, (str(LIVES_ON), os.environ.get("PYTHONPATH"))))})
    try:
        scene.begin().lift_limits()
        yield scene
    finally:
        scene.end()
        server.end()


def states(scene: TradingScene, order: str) -> list[str]:
    return [row["status"] for row in Traded(scene, order, {}).at_gateway]


def told(scene: TradingScene) -> list[str]:
    """Alerts, those included that are over."""
    return [row["key"] for row in scene.ctl("alerts", "--all")["alerts"]]


def test_o17_a_halt_behind_a_half_open_socket_is_carried_out_over_the_watchdogs_own_connection(
        deaf: TradingScene) -> None:
    with watching(deaf) as watchdog:
        # given an order that rests, behind a socket of the daemon's that is dead
        order, run = deaf.rest(deaf.an_instrument())
        watchdog.sees(1)
        deaf.gateway.fault("half_open", client=1)

        # when trading is halted
        deaf.do("halt", level="halt")

        # then the order is cancelled while the daemon still believes in its connection, and people were told
        until(lambda: states(deaf, order) == ["Cancelled"], 20, f"it is cancelled: {watchdog.said[-800:]}")
        assert deaf.link == "ready"
        assert deaf.asked("reqGlobalCancel") >= 1
        until(lambda: "WATCHDOG:halt" in told(deaf), 20, "people were told")
        watchdog.sees(0)
        until(lambda: watchdog.report["told"] == {}, 10, "it is verified that none is left")
        assert watchdog.end() == 0

    # and when the daemon is connected again, it believes the same
    deaf.gateway.stop()
    until(lambda: deaf.link != "ready", 10, "the daemon has noticed")
    until(lambda: deaf.link == "ready", 60, "the daemon is connected with the gateway that it has started again")
    deaf.do("resume-trading")
    deaf.handled(run)
    deaf.settle()
    assert deaf.books() == deaf.theirs()
    assert Traded(deaf, order, {}).executed == Traded(deaf, order, {}).filled


def test_o17_rc_34_what_a_daemon_that_was_killed_leaves_behind_is_cancelled_and_nothing_is_doubled(
        survived: TradingScene) -> None:
    with watching(survived) as watchdog:
        # given an order that rests
        order, _ = survived.rest(survived.an_instrument(), 2)
        watchdog.sees(1)

        # when the daemon is killed
        survived.kill()

        # then the order is cancelled by the watchdog, which lives on
        until(lambda: states(survived, order) == ["Cancelled"], 40, f"it is cancelled: {watchdog.said[-800:]}")
        assert watchdog.process.poll() is None
        assert "silence" in watchdog.report["told"]
        assert MongoKillState(survived.store()).load().level is KillLevel.K0_NORMAL

        # and when the daemon runs again, over the same gateway's books, both sides agree and each lot is there once
        survived.gateway.stop()
        survived.begin()
        survived.settle()
        traded = Traded(survived, order, {})
        assert (traded.executed, traded.filled) == (2, 2)
        assert survived.books() == survived.theirs()
        assert len({row["order_ref"] for row in traded.at_gateway}) == len(traded.at_gateway)
        until(lambda: watchdog.report["told"] == {}, 30, "the daemon gives signs of life, and it is over")


def test_rc_34_what_a_daemon_that_was_killed_leaves_behind_ends_by_itself_with_no_watchdog(
        survived: TradingScene) -> None:
    # given an order that rests, with an end of its own, a minute behind that of its algo
    order, _ = survived.rest(survived.an_instrument(), 2)
    [left] = Traded(survived, order, {}).at_gateway
    assert left["tif"] == "GTD"

    # when the daemon is killed, and nobody comes for so long
    survived.gateway.fault("hold", seconds=3600)  # by the gateway's clock
    survived.kill()
    assert states(survived, order) != ["Cancelled"]
    survived.gateway.clock(forward_s=12 * 60)

    # then the order has ended at the broker, long before its session
    until(lambda: states(survived, order) == ["Cancelled"], 10, "it has ended by itself")

    # and when the daemon runs again, both sides agree and each lot is there once at most
    survived.gateway.stop()
    survived.begin()
    survived.settle()
    traded = Traded(survived, order, {})
    assert traded.executed == traded.filled
    assert traded.broker_orders[0]["lifecycle"] == "CANCELLED"
    assert (survived.books(), survived.locks()) == (survived.theirs(), {})


def test_a_service_that_goes_away_is_found_again_wherever_its_store_and_gateway_then_listen(
        deaf: TradingScene) -> None:
    whereabouts = deaf.state / "run" / "whereabouts.json"
    with watching(deaf) as watchdog:
        watchdog.sees(0)
        before = whereabouts.read_text()

        # when the service ends, and with it its embedded store and its simulated gateway
        deaf.end()
        until(lambda: watchdog.report["broker_problem"] and watchdog.report["store_problem"], 30, "it sees neither")

        # then it waits, and sees them when they are back
        deaf.begin()
        assert whereabouts.read_text() != before
        until(lambda: not (watchdog.report["broker_problem"] or watchdog.report["store_problem"]), 40,
              f"it sees both: {watchdog.said[-800:]}")
        assert (watchdog.report["orders"], watchdog.report["level"]) == (0, "K0_NORMAL")


def test_a_watchdog_without_anything_to_see_waits_and_says_so_and_ends_when_asked(tmp_path: Path) -> None:
    scene = TradingScene(tmp_path / "scene")
    with watching(scene) as watchdog:
        until(lambda: "It does not see all: broker: No tradingd has run here yet" in watchdog.said, 20, "it says so")
        assert watchdog.end() == 0
