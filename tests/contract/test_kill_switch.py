"""A kill level made true at a real gateway: what it forbids is cancelled, and only the broker's word makes it done."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import BrokerScene
from pymongo.errors import ServerSelectionTimeoutError
from recorded_gateway import GatewayProcess
from test_gate import ANN, at_gateway, confirmed, intent

from daemon.kill_switch import KillParts, KillSwitch
from daemon.store.async_store import AsyncStore
from trading.clock import SystemClock
from trading.control.alert import AlertKind
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState
from trading.data.mongo.orders import MongoOrders
from trading.execution.broker_orders import BrokerLifecycle
from trading.risk.kill_level import KillLevel, KillState, Scope, raised


class AlertsHeard:
    """Remembers what stands open; the switch uses these two words only."""

    def __init__(self) -> None:
        self.open: dict[AlertKind, str] = {}

    def tell(self, kind: AlertKind, _subject: str, text: str) -> None:
        self.open[kind] = text

    def over(self, kind: AlertKind, _subject: str) -> None:
        self.open.pop(kind, None)


class DeadStore(AsyncStore):
    """No server answers any more."""

    async def call(self, *_values: Any, **_named: Any) -> Any:
        raise ServerSelectionTimeoutError("no server answers")


class SwitchScene:
    """A broker link, and a switch that looks when it is told to."""

    def __init__(self, scene: BrokerScene, store: MongoStore) -> None:
        self.scene, self.store, self.alerts = scene, store, AlertsHeard()
        parts: Any = KillParts(store=AsyncStore(store), broker=scene.service, clock=SystemClock(),
                               alerts=self.alerts, halt_flag=scene.halt_flag)  # type: ignore[arg-type]
        self.switch = KillSwitch(parts)

    def look(self) -> None:
        self.scene.awaited(lambda _service: self.switch.look())

    def look_until(self, is_so: Any) -> None:
        deadline_s = time.monotonic() + 15
        while not is_so():
            assert time.monotonic() < deadline_s, (self.alerts.open, at_gateway(self.scene))
            self.look()

    def set(self, level: KillLevel, scope: Scope | None = None, **words: Any) -> None:
        kill = MongoKillState(self.store)
        kill.save(raised(kill.load(), level, ANN, scope, **words))


@pytest.fixture
def scene(tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> Iterator[SwitchScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        yield SwitchScene(opened, store)


def resting(scene: SwitchScene) -> str:
    order = intent(scene.scene, scene.store)
    scene.scene.link.submit(order.id)
    return confirmed(scene.scene, scene.store, order.id).id


def states(scene: SwitchScene) -> list[str]:
    return [row["status"] for row in at_gateway(scene.scene)]


def test_at_normal_nothing_is_touched(scene: SwitchScene) -> None:
    resting(scene)
    scene.look()
    assert states(scene) == ["Submitted"]
    assert scene.alerts.open == {}


def test_a_halt_cancels_what_works_and_is_done_when_the_broker_says_so_twice(scene: SwitchScene) -> None:
    resting(scene)
    scene.set(KillLevel.K3_HALT)
    scene.look()
    assert not scene.switch.is_verified
    assert "may still trade" in scene.alerts.open[AlertKind.HALTED]
    scene.look_until(lambda: scene.switch.is_verified)
    assert states(scene) == ["Cancelled"]
    assert scene.alerts.open[AlertKind.HALTED] == (
        "K3_HALT by ann (strange prices); the broker shows no order of ours that it forbids.")


def test_no_new_risk_cancels_what_adds(scene: SwitchScene) -> None:
    resting(scene)
    scene.set(KillLevel.K2_NO_NEW_RISK)
    scene.look_until(lambda: states(scene) == ["Cancelled"])


def test_a_pause_cancels_only_when_it_was_asked_to(scene: SwitchScene) -> None:
    resting(scene)
    scene.set(KillLevel.K1_PAUSE_SCOPE, Scope(instrument="SP500"))
    scene.look()
    assert states(scene) == ["Submitted"]
    scene.set(KillLevel.K1_PAUSE_SCOPE, Scope(instrument="SP500"), cancels_working=True)
    scene.look_until(lambda: states(scene) == ["Cancelled"])


def test_the_flag_halts_without_a_stored_level(scene: SwitchScene) -> None:
    resting(scene)
    scene.scene.halt_flag.touch()
    scene.look_until(lambda: states(scene) == ["Cancelled"])
    assert scene.switch.state.level is KillLevel.K3_HALT


def test_a_halt_cancels_what_the_broker_shows_of_ours_while_no_store_answers(scene: SwitchScene) -> None:
    resting(scene)
    parts = replace(scene.switch._parts, store=DeadStore(scene.store))
    scene.switch = KillSwitch(parts)
    with pytest.raises(ServerSelectionTimeoutError):
        scene.look()
    assert states(scene) == ["Submitted"]
    scene.scene.halt_flag.touch()
    with pytest.raises(ServerSelectionTimeoutError):
        scene.look()
    until(lambda: states(scene) == ["Cancelled"])
    assert scene.switch.state.level is KillLevel.K3_HALT


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize("ib_order_id", [None, 700], ids=["without", "with a number to cancel it by"])
def test_an_order_of_unknown_fate_is_out_and_halted_is_not_said_to_be_done(scene: SwitchScene,
                                                                           ib_order_id: int | None) -> None:
    # given an order of which nobody knows whether it was sent
    order = intent(scene.scene, scene.store)
    orders = MongoOrders(scene.store)
    orders.save_broker_order(replace(order, lifecycle=BrokerLifecycle.UNKNOWN, ib_order_id=ib_order_id))
    scene.set(KillLevel.K3_HALT)
    for _ in range(4):
        scene.look()
    assert not scene.switch.is_verified
    assert "1 orders of ours may still trade" in scene.alerts.open[AlertKind.HALTED]


def test_severed_is_disconnected_until_a_person_ends_it(scene: SwitchScene) -> None:
    resting(scene)
    scene.set(KillLevel.K5_SEVER)
    scene.look()
    assert scene.scene.on_the_loop(lambda service: service.problem) == (
        "the broker link is down (severed by kill level K5; a person may end it: tradectl resume-trading)")
    assert states(scene) == ["Cancelled"]
    scene.look()  # again and again

    # when a person has ended it
    kill = MongoKillState(scene.store)
    kill.save(replace(KillState(), version=kill.load().version))
    scene.look()
    until(lambda: scene.scene.on_the_loop(lambda service: service.problem) is None)


def test_a_lowered_level_ends_the_alert(scene: SwitchScene) -> None:
    scene.set(KillLevel.K3_HALT)
    scene.look()
    assert AlertKind.HALTED in scene.alerts.open
    kill = MongoKillState(scene.store)
    kill.save(replace(KillState(), version=kill.load().version))
    scene.look()
    assert scene.alerts.open == {}
