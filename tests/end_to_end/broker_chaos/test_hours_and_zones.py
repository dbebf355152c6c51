"""Closed exchanges, clock changes, midnight, and every way to write a time (ib_wire.md 6.2).

The service runs on a machine in Tokyo, the gateway in London, and the day that is played is the last one before the
clocks of London go back. The cases move the gateway's clock on, weekend by weekend, so they stand in its order.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from trading_scene import Traded, TradingScene, until

from trading.data.csv.sample_markets import write_sample_markets
from trading.data.mongo.books import MongoBooks

LAST_RECORDED = date(2022, 11, 24)  # so that the first day to play is Friday, 28 October


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    data = tmp_path_factory.mktemp("data")
    write_sample_markets(data, seed=1, last_day=LAST_RECORDED)
    scene = TradingScene(tmp_path_factory.mktemp("scene"), data, {"TZ": "Asia/Tokyo"})
    try:
        yield scene.begin()
    finally:
        scene.end()


def booked(scene: TradingScene, order: str) -> list[datetime]:
    """When the fills of an order were, by our books."""
    ours = {row["_id"] for row in Traded(scene, order, {}).broker_orders}
    return [fill.at.astimezone(UTC) for fill in MongoBooks(scene.store()).fills() if fill.broker_order in ours]


def executed(scene: TradingScene, order: str) -> list[datetime]:
    """When they were, by the gateway's; it tells no fraction of a second."""
    reference = order.removeprefix("IO-")
    return [datetime.fromisoformat(row["time"]).replace(microsecond=0)
            for row in scene.gateway.state_of()["executions"] if row["order_ref"].startswith(reference)]


def check(scene: TradingScene, traded: Traded, quantity: int = 1) -> None:
    """Once, on both sides, at the same instant."""
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (quantity, quantity, 1)
    assert booked(scene, traded.order) == executed(scene, traded.order)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})


@pytest.fixture(params=["BY_VERSION", "NO_ZONE", "UTC_DASH", "UNKNOWN_ZONE"])
def style(request: pytest.FixtureRequest, scene: TradingScene) -> Iterator[str]:
    scene.gateway.settings(execution_times=request.param)
    yield request.param
    scene.gateway.settings(execution_times="BY_VERSION")


def test_x36_a_fill_is_booked_at_its_instant_however_the_gateway_writes_it(scene: TradingScene, style: str) -> None:
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    check(scene, traded)


def test_x36_so_is_one_that_is_only_heard_of_when_the_connection_is_back(scene: TradingScene, style: str) -> None:
    order, run = scene.rest(scene.an_instrument())
    scene.gateway.fault("unreachable", seconds=2)
    scene.gateway.fault("close")
    scene.fill()
    ended = scene.handled(run)
    scene.settle()
    check(scene, Traded(scene, order, ended))


def test_x37_a_gateway_whose_clock_is_ahead_books_by_its_own_clock(scene: TradingScene) -> None:
    scene.gateway.clock(forward_s=15 * 60)
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    check(scene, traded)
    [at] = booked(scene, traded.order)
    assert at - traded.broker_orders[0]["sent"] > timedelta(minutes=14)


def held(scene: TradingScene) -> str:
    """An order that the broker holds until Monday; the handler has ended without waiting for it."""
    order = scene.want(scene.an_instrument(), 1)
    ended = scene.handled(scene.start_handler())
    [sent] = Traded(scene, order, ended).broker_orders
    assert (ended["state"], sent["lifecycle"], sent["held"]) == ("FINISHED", "ACKED", True)
    return order


def test_x37_the_clocks_change_and_midnight_passes_while_nobody_is_connected(scene: TradingScene) -> None:
    # given an order that waits for Monday, on the Saturday before the clocks go back
    scene.go_to("2022-10-29 12:00")
    order = held(scene)

    # when the connection is gone until after it has filled on Monday, an hour later than on summer time
    scene.gateway.fault("unreachable", seconds=4)
    scene.gateway.fault("close")
    until(lambda: scene.link == "down", 10, "the connection is gone")
    scene.go_to("2022-10-31 00:10")
    until(lambda: executed(scene, order), 10, "it has filled")

    # then it is booked when it was
    ended = scene.settle()
    check(scene, Traded(scene, order, ended))
    assert booked(scene, order) == [datetime(2022, 10, 31, tzinfo=UTC)]


def test_x30_an_order_that_is_held_until_the_opening_stays_and_fills_then(scene: TradingScene) -> None:
    # given an order of Saturday, and two runs of the handler long after its time-out
    scene.go_to("2022-11-05 12:00")
    order = held(scene)
    placed, cancelled = scene.asked("placeOrder"), scene.asked("cancelOrder")
    long_ago = datetime.now(UTC) - timedelta(days=365 * 30)
    rows = scene.store().database.broker_orders
    rows.update_one({"_id": Traded(scene, order, {}).broker_orders[0]["_id"]}, {"$set": {"sent": long_ago}})
    for _ in range(2):
        assert scene.settle()["state"] == "FINISHED"
    assert (scene.asked("placeOrder"), scene.asked("cancelOrder")) == (placed, cancelled)

    # when the exchange opens
    scene.go_to("2022-11-07 00:10")
    until(lambda: executed(scene, order), 10, "it has filled")

    # then
    ended = scene.settle()
    check(scene, Traded(scene, order, ended))


def test_x37_a_fill_before_a_midnight_that_passes_unseen_is_a_break_and_nothing_is_sent_again(
        scene: TradingScene) -> None:
    # given an order that fills while nobody is connected, a few minutes before the gateway forgets its day
    scene.go_to("2022-11-07 23:50")
    order, run = scene.rest(scene.an_instrument())
    instrument = Traded(scene, order, {}).broker_orders[0]["instrument"]
    scene.gateway.fault("unreachable", seconds=4)
    scene.gateway.fault("close")
    until(lambda: scene.link == "down", 10, "the connection is gone")
    scene.fill()
    until(lambda: executed(scene, order), 10, "it has filled")
    scene.go_to("2022-11-08 00:10")
    known = len(scene.gateway.state_of()["orders"])

    # when the service comes back, it cannot learn of the fill, but it sees the position
    scene.handled(run, 120)
    ended = scene.settle(120)
    assert ended["state"] == "ERROR"
    assert scene.is_told("Positions differ")
    assert "position break" in scene.locks()[instrument]
    assert len(scene.gateway.state_of()["orders"]) == known
    assert Traded(scene, order, ended).filled == 0
