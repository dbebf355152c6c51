"""What comes with the hour, and with many at once (ib_wire.md 6.2). It moves the market: it has a day of its own."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from trading_scene import Traded, TradingScene, until

from trading.unix_socket import DaemonRefused


def test_x21_many_may_ask_the_same_at_once(scene: TradingScene) -> None:
    asked = ["/broker/positions", "/broker/account"] * 10
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda resource: scene.ask("GET", resource), asked))
    assert all(answer == answers[at % 2] for at, answer in enumerate(answers))


def test_x25_a_flood_of_orders_and_then_the_connection_breaks(scene: TradingScene) -> None:
    # of other sizes each time round: the twin of an order waits for a minute
    lots = [2 + number // len(scene.instruments()) for number in range(40)]
    orders = [scene.want_at_once(scene.an_instrument(), each) for each in lots]
    run = scene.start_handler()
    until(lambda: sum(scene.has_arrived(order) for order in orders) >= 5, 20, "the first orders have arrived")
    scene.gateway.fault("reset")
    ended = scene.handled(run, 120)
    until(lambda: scene.settle(120) and [Traded(scene, order, ended).filled for order in orders] == lots, 240,
          "every order is filled")
    traded = [Traded(scene, order, ended) for order in orders]
    assert [each.executed for each in traded] == lots
    assert scene.books() == scene.theirs()


def test_x40_nothing_is_sent_while_the_store_does_not_answer(scene: TradingScene) -> None:
    scene.want(scene.an_instrument(), 1)
    before = len(scene.gateway.state_of()["orders"])
    store = store_of(scene)
    os.kill(store, signal.SIGSTOP)
    try:
        time.sleep(6)
        assert len(scene.gateway.state_of()["orders"]) == before
    finally:
        os.kill(store, signal.SIGCONT)
    until(lambda: settles(scene), 60, "the service leads again")
    assert scene.books() == scene.theirs()


def test_x29_an_order_that_expires_with_its_session_is_not_sent_twice(scene: TradingScene) -> None:
    order = scene.want_at_once(scene.an_instrument(), 1)
    scene.gateway.fault("hold", seconds=60)
    run = scene.start_handler()
    until(lambda: scene.has_arrived(order), 10, "the order has arrived")
    scene.gateway.clear()
    scene.gateway.fault("hold", seconds=2)
    scene.gateway.clock(forward_s=50 * 60)  # past the end of the session
    ended = scene.handled(run, 120)
    scene.settle(120)
    traded = Traded(scene, order, ended)
    assert traded.executed == traded.filled
    assert abs(traded.executed) <= 1
    assert scene.books() == scene.theirs()


def settles(scene: TradingScene) -> bool:
    """One run of the handler, if the service takes orders again."""
    try:
        return bool(scene.settle(120))
    except DaemonRefused:
        return False


def store_of(scene: TradingScene) -> int:
    """The embedded store's process, a child of the service."""
    assert scene.process is not None
    for path in (f"/proc/{pid}" for pid in os.listdir("/proc") if pid.isdecimal()):
        try:
            with open(f"{path}/cmdline", "rb") as words, open(f"{path}/stat") as stat:
                if b"secantusd" in words.read() and int(stat.read().split()[3]) == scene.process.pid:
                    return int(path.rpartition("/")[2])
        except OSError:
            continue
    raise AssertionError("the service has no store of its own")
