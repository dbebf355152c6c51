"""Cases 32, 33 and 46 of orders_and_risk.md 7.2: the store refuses, or its answer is lost, while orders are traded.

The service reaches its store by a wire that understands what passes, so a fault hits the writes of orders alone. The
embedded store has no second node: a primary that steps down is played by the wire, which answers in its place.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlparse

import pytest
import yaml
from crash_points import unlike_the_gateway
from faulty_wire import Command, Document, FaultyWire
from rig import StoreServer
from trading_scene import QUICK, Traded, TradingScene, until

from trading.unix_socket import DaemonRefused, DaemonUnreachable

TTL_S = 12.0  # longer than any fault here: leadership is not what is shown
REFUSED_S = 3.0
DARK_S = 10.0


@dataclass(frozen=True)
class Wired:
    """A service whose store is behind `wire`."""

    scene: TradingScene
    wire: FaultyWire


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    server = StoreServer(tmp_path_factory.mktemp("server"))
    server.start()
    wire = FaultyWire(urlparse(server.uri).port or 0)
    service = {"mongo": {"uri": server.uri, "timeout_s": 4}, "leadership": {"ttl_s": TTL_S, "renew_s": 3}}
    scene = TradingScene(tmp_path_factory.mktemp("scene"), service=service)
    try:
        scene.begin().lift_limits()
        scene.end()
        put_behind(scene, wire)
        scene.begin()
        yield Wired(scene, wire)
    finally:
        wire.mend()
        scene.end()
        wire.close()
        server.end()


def put_behind(scene: TradingScene, wire: FaultyWire) -> None:
    """From the next start on the service goes by `wire`; the scene itself keeps to the straight way."""
    service = scene.service | {"mongo": scene.service["mongo"] | {"uri": wire.uri}}
    (scene.config / "tradingd.yaml").write_text(yaml.safe_dump(QUICK | service))


def writes(verb: str, collection: str, state: str = "") -> Callable[[Command], bool]:
    """Is it the commit of a transaction with such a row?"""
    def about(command: Command) -> bool:
        rows = [row for how, where, row in command.written if (how, where) == (verb, collection)]
        return command.name == "commitTransaction" and any(state in str(row) for row in rows)
    return about


STEPS = {"the intent": writes("insert", "broker_orders"), "the claim": writes("update", "broker_orders", "SENDING"),
         "the send": writes("update", "broker_orders", "'SENT'"), "the fill": writes("insert", "fills")}


def is_an_orders(command: Command) -> bool:
    """Is it any commit of an order's, or of a fill's?"""
    return command.name == "commitTransaction" and any(
        where in ("instrument_orders", "contract_orders", "broker_orders", "fills") for _, where, _ in command.written)


def is_a_write(command: Command) -> bool:
    return command.name in ("insert", "update", "delete", "findAndModify", "commitTransaction")


def full(_command: Command) -> Document:
    """What a server says whose disk is full."""
    return {"ok": 0.0, "code": 14031, "codeName": "OutOfDiskSpace", "errmsg": "available disk space is too small"}


def stepped_down(_command: Command) -> Document:
    """What a server says that was the primary a moment ago; what became of the commit is unknown."""
    return {"ok": 0.0, "code": 10107, "codeName": "NotWritablePrimary", "errmsg": "not primary",
            "errorLabels": ["RetryableWriteError"]}


def is_idle(scene: TradingScene) -> bool:
    """Has the handler ended, and does the service say so? While its store is away it says nothing."""
    with suppress(DaemonRefused, DaemonUnreachable):
        return scene.is_idle()
    return False


def is_filled(scene: TradingScene, order: str) -> bool:
    """Let the handler run once more, if it may; has the order been filled?"""
    with suppress(DaemonRefused, DaemonUnreachable):
        scene.settle()
    return bool(Traded(scene, order, {}).filled)


def is_traded_once(scene: TradingScene, order: str) -> None:
    until(lambda: is_filled(scene, order), 90, "it is traded")
    until(lambda: is_idle(scene), 60, "the handler has ended")
    traded = Traded(scene, order, {})
    *before, last = traded.at_gateway
    assert (abs(traded.executed), traded.filled, last["filled"]) == (1, traded.executed, 1)
    # the market may have left a price behind while nobody answered: then that order was withdrawn, and proven dead
    assert [(row["status"], row["filled"]) for row in before] == [("Cancelled", 0)] * len(before)
    assert len({row["order_ref"] for row in traded.at_gateway}) == len(traded.at_gateway)
    assert list(unlike_the_gateway(scene)) == []
    assert scene.locks() == {}


def start(scene: TradingScene) -> None:
    """Have the handler run, as soon as it may again after the case before."""
    def has_begun() -> bool:
        with suppress(DaemonRefused, DaemonUnreachable):
            return bool(scene.start_handler())
        return False
    until(has_begun, 60, "the handler runs")


def one_lot(scene: TradingScene) -> str:
    """Of another instrument each time, towards flat."""
    return scene.want_at_once(*towards_flat(scene))


def towards_flat(scene: TradingScene) -> tuple[str, int]:
    instrument = scene.an_instrument()
    return instrument, -1 if scene.net()[instrument] > 0 else 1


@pytest.mark.parametrize("dark_s", [0.0, 5.0], ids=["the driver asks again", "nobody answers for a while"])
@pytest.mark.parametrize("step", STEPS)
def test_o33_a_step_of_an_order_whose_answer_is_lost_was_done_once(wired: Wired, step: str, dark_s: float) -> None:
    lost = wired.wire.lose(STEPS[step], dark_s=dark_s)
    order = one_lot(wired.scene)
    start(wired.scene)
    until(lambda: lost.lost, 20, f"the answer to {step} is lost")
    assert lost.lost[0]["ok"] == 1.0
    until(lambda: is_idle(wired.scene), 90, "the handler has ended")
    is_traded_once(wired.scene, order)


@pytest.mark.parametrize("step", [*STEPS, "all"])
def test_o32_a_primary_that_steps_down_at_a_step_of_an_order_neither_loses_nor_doubles_it(wired: Wired,
                                                                                          step: str) -> None:
    refused = wired.wire.refuse(STEPS.get(step, is_an_orders), stepped_down)
    order = one_lot(wired.scene)
    start(wired.scene)
    until(lambda: refused.hits, 20, f"{step} is refused")
    time.sleep(REFUSED_S)
    wired.wire.mend()
    until(lambda: is_idle(wired.scene), 90, "the handler has ended")
    is_traded_once(wired.scene, order)


def full_disk(wire: FaultyWire) -> None:
    wire.refuse(is_a_write, full)


def silence(wire: FaultyWire) -> None:
    """Whatever is asked next is not answered, and for a while nobody even listens."""
    wire.lose(lambda _command: True, dark_s=DARK_S)


@pytest.mark.parametrize("trouble", [full_disk, silence])
def test_o46_a_halt_by_its_file_cancels_what_rests_whatever_the_store_does(wired: Wired,
                                                                         trouble: Callable[[FaultyWire], None]) -> None:
    # given an order that rests, and a store whose disk is full, or that does not answer at all
    scene, flag = wired.scene, wired.scene.state / "HALT"
    scene.gateway.fault("hold", seconds=600)
    order, next_lot = one_lot(scene), towards_flat(scene)
    start(scene)
    until(lambda: scene.has_arrived(order), 20, "the order has arrived")
    trouble(wired.wire)

    # when trading is halted by the file, then the order is cancelled, and no other one is sent
    flag.touch()
    try:
        until(lambda: Traded(scene, order, {}).at_gateway[0]["status"] == "Cancelled", DARK_S, "it is cancelled")
        another = scene.want(*next_lot)
        time.sleep(REFUSED_S)
        assert not scene.has_arrived(another)
    finally:
        wired.wire.mend()
        flag.unlink()

    # and when all is well again, both are traded once
    scene.fill()
    until(lambda: is_filled(scene, order) and is_filled(scene, another), 90, "they are traded")
    until(lambda: is_idle(scene), 60, "the handler has ended")
    assert Traded(scene, order, {}).at_gateway[0]["filled"] == 0
    for traded in (Traded(scene, order, {}), Traded(scene, another, {})):
        assert abs(traded.executed) == 1
        assert traded.executed == traded.filled
    assert list(unlike_the_gateway(scene)) == []
