"""The watchdog over a real gateway and store: a client of its own that reads everything and cancels everybody's."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import ACCOUNT, BrokerScene
from recorded_gateway import GatewayProcess
from test_gate import ANN, NOW, at_gateway, confirmed, contract, intent

from daemon.watchdog.broker_eye import BrokerEye, EyeParts
from daemon.watchdog.guard import Guard, GuardParts
from daemon.watchdog.store_eye import Owner, StoreEye
from trading.broker_config import BrokerConfig
from trading.clock import SystemClock
from trading.config import Mode, MongoConfig
from trading.control.alert import AlertKind
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.controls import MongoKillState, MongoLimits
from trading.data.mongo.leases import Lease, MongoLeases
from trading.data.mongo.limits_in_force import MongoLimitsInForce
from trading.data.mongo.orders import MongoOrders
from trading.errors import BrokerError
from trading.objects.contracts import Contract
from trading.risk.kill_level import KillLevel, raised
from trading.risk.limits import Limit, LimitKind
from trading.risk.order_kind import OrderKind
from trading.risk.watchdog_sight import Decision, WatchRules

AT_ONCE = WatchRules(halt_grace_s=0, silent_after_s=3600)
NOWHERE = "mongodb://127.0.0.1:1/"
LEASE = Lease(nonce="n", token=0, holder="here", boot_id="b", pid=1, start_ticks=1)


class AlertsTold:
    """Remembers what stands open; the guard uses these two words only."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}

    def tell(self, kind: AlertKind, subject: str, text: str) -> None:
        self.open[f"{kind}:{subject}"] = text

    def over(self, kind: AlertKind, subject: str) -> None:
        self.open.pop(f"{kind}:{subject}", None)


class GuardScene:
    """The daemon's broker side with an order of its own, and a guard beside it that looks when it is told to."""

    def __init__(self, scene: BrokerScene, store: MongoStore, uri: str) -> None:
        self.scene, self.store, self.alerts, self.uri = scene, store, AlertsTold(), uri
        self._runner = asyncio.Runner()
        self.broker = BrokerEye(EyeParts(
            settings=BrokerConfig(account=ACCOUNT, request_timeout_s=3, connect_timeout_s=3), mode=Mode.PAPER,
            client_id=90, clock=SystemClock(), address=lambda: ("127.0.0.1", scene.gateway.port)))
        mongo = MongoConfig(database=store.database.name, timeout_s=1)
        self.eye = StoreEye(mongo, Owner(mode="paper", account=ACCOUNT), lambda: self.uri, SystemClock())
        self.guard = self.with_rules(AT_ONCE)

    def with_rules(self, rules: WatchRules, eye: StoreEye | None = None) -> Guard:
        parts: Any = GuardParts(broker=self.broker, store=eye or self.eye, alerts=self.alerts,  # type: ignore[arg-type]
                                clock=SystemClock(), rules=rules, halt_flag=self.scene.halt_flag, offset=timedelta)
        self.guard = Guard(parts)
        return self.guard

    def look(self, times: int = 1) -> Decision:
        for _ in range(times):
            decision = self._runner.run(self.guard.look())
        return decision

    def close(self) -> None:
        self.broker.close()
        self._runner.run(asyncio.sleep(0))
        self.eye.close()
        self._runner.close()

    @property
    def level(self) -> KillLevel:
        return MongoKillState(self.store).load().level

    def halt(self) -> None:
        kill = MongoKillState(self.store)
        kill.save(raised(kill.load(), KillLevel.K3_HALT, ANN))

    def states(self) -> list[str]:
        return [row["status"] for row in at_gateway(self.scene)]

    def rest(self) -> str:
        order = intent(self.scene, self.store)
        self.scene.link.submit(order.id)
        return confirmed(self.scene, self.store, order.id).id

    def rest_flattening(self) -> str:
        """As `rest`, by an operator who flattens."""
        orders = MongoOrders(self.store)
        return orders.save_broker_order(replace(orders.broker_order(self.rest()), kind=OrderKind.FLATTEN)).id

    def limit(self, lots: int) -> None:
        MongoContracts(self.store).save(Contract.parse("SP500/20211200"), contract(self.scene), True, NOW)
        MongoLimits(self.store).put(Limit(kind=LimitKind.POSITION, instrument="SP500", lots=lots))

    def hold(self, lots: int) -> None:
        """Somebody trades so many lots of SP500 by hand."""
        self.scene.control.fault("manual_trade", contract=contract(self.scene).con_id, size=lots)


@pytest.fixture
def watched(tmp_path: Path, gateway: GatewayProcess, store: MongoStore, server: str) -> Iterator[GuardScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        scene = GuardScene(opened, store, server)
        yield scene
        scene.close()


def until_cancelled(watched: GuardScene) -> None:
    deadline_s = time.monotonic() + 15
    while watched.states() != ["Cancelled"]:
        assert time.monotonic() < deadline_s, watched.states()
        watched.look()


def test_another_clients_order_is_seen_and_left_alone_while_nothing_is_wrong(watched: GuardScene) -> None:
    reference = watched.rest()
    watched.look(3)
    assert watched.guard.picture is not None
    assert [(order.reference, order.is_ours) for order in watched.guard.picture.orders or ()] == [(reference, True)]
    assert watched.states() == ["Submitted"]
    assert (watched.level, watched.alerts.open) == (KillLevel.K0_NORMAL, {})
    assert sorted(watched.scene.control.state_of()["clients"]) == [1, 90]


def test_o17_a_halt_that_the_daemon_does_not_carry_out_is_carried_out_over_another_connection(
        watched: GuardScene) -> None:
    # given a daemon behind a socket that is dead
    watched.rest()
    watched.look()
    watched.scene.control.fault("half_open", client=1)
    watched.halt()

    # when
    until_cancelled(watched)

    # then people know until the broker has shown twice that none is left
    assert watched.alerts.open.keys() == {"WATCHDOG:halt"}
    watched.look(3)
    assert watched.alerts.open == {}
    assert watched.level is KillLevel.K3_HALT


def test_a_flag_is_enough_when_the_store_is_away(watched: GuardScene) -> None:
    watched.rest()
    watched.uri = NOWHERE
    watched.scene.halt_flag.touch()
    until_cancelled(watched)


def test_an_order_that_flattens_is_left_alone(watched: GuardScene) -> None:
    reference = watched.rest_flattening()
    watched.halt()
    watched.look(3)
    assert watched.states() == ["Submitted"]

    # and would not be, if it were one of a strategy
    orders = MongoOrders(watched.store)
    orders.save_broker_order(replace(orders.broker_order(reference), kind=OrderKind.STRATEGY))
    until_cancelled(watched)


def test_a_position_beyond_its_limit_raises_the_level_in_the_store(watched: GuardScene) -> None:
    # given a limit that is kept, and an order that rests
    watched.rest()
    watched.limit(3)
    watched.look()

    # when somebody trades far beyond it
    watched.hold(40)
    watched.look(2)

    # then
    state = MongoKillState(watched.store).load()
    assert (state.level, state.who) == (KillLevel.K3_HALT, "watchdog")
    assert "40 lots of SP500 are held, and its position limit is 3" in state.reason
    until_cancelled(watched)


def test_a_limit_that_was_computed_counts_until_a_person_has_set_one(watched: GuardScene) -> None:
    watched.limit(3)
    in_force = MongoLimitsInForce(watched.store)
    in_force.save({"SP500": 20, "GOLD": 7}, NOW)
    watched.look()
    assert watched.guard.picture is not None
    assert watched.guard.picture.store is not None
    assert watched.guard.picture.store.limits == {"SP500": 3, "GOLD": 7}


def test_a_level_that_cannot_be_stored_is_laid_down_as_a_flag(watched: GuardScene) -> None:
    watched.rest()
    watched.limit(3)
    watched.look()
    watched.hold(40)
    watched.uri = NOWHERE
    watched.look(2)
    said = json.loads(watched.scene.halt_flag.read_text())
    assert (said["level"], said["who"]) == ("K3_HALT", "watchdog")
    assert "40 lots of SP500" in said["reason"]
    until_cancelled(watched)
    assert watched.level is KillLevel.K0_NORMAL


def test_rc_34_what_rests_while_no_lease_is_renewed_is_cancelled(watched: GuardScene) -> None:
    # given a daemon that renews its lease
    leases, guard = MongoLeases(watched.store), watched.with_rules(WatchRules(silent_after_s=1))
    watched.rest()
    deadline_s = time.monotonic() + 3
    while time.monotonic() < deadline_s:
        leases.take_or_renew(LEASE, 10_000)
        assert watched.look().cancel == ""
    assert guard.told == {}

    # when it does not any more
    until_cancelled(watched)
    assert watched.alerts.open.keys() == {"WATCHDOG:silence"}
    assert watched.level is KillLevel.K0_NORMAL


def test_a_gateway_that_goes_away_and_comes_back_is_read_again(watched: GuardScene) -> None:
    watched.look()
    watched.scene.gateway.kill()
    watched.look()
    assert watched.guard.broker_problem != ""
    watched.scene.gateway.start()
    deadline_s = time.monotonic() + 15
    while watched.guard.broker_problem:
        assert time.monotonic() < deadline_s, watched.guard.broker_problem
        watched.look()


def test_an_account_that_is_not_ours_is_neither_read_nor_cancelled(watched: GuardScene) -> None:
    watched.rest()
    other = BrokerEye(EyeParts(settings=BrokerConfig(account="DU9999999"), mode=Mode.PAPER, client_id=91,
                               clock=SystemClock(), address=lambda: ("127.0.0.1", watched.scene.gateway.port)))
    for ask in (other.look, other.cancel_everything):
        with pytest.raises(BrokerError, match="not DU9999999"):
            asyncio.run(ask())
        other.close()
    assert watched.states() == ["Submitted"]


def test_a_store_that_belongs_to_another_account_is_not_read(watched: GuardScene) -> None:
    eye = StoreEye(MongoConfig(database=watched.store.database.name), Owner(mode="live", account="U1"),
                   lambda: watched.uri, SystemClock())
    watched.look()
    guard = watched.with_rules(AT_ONCE, eye)
    watched.look()
    assert "belongs to mode paper" in guard.store_problem
