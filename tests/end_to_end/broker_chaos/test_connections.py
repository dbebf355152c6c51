"""What can happen to the connection: it is noticed, named, and mended without a person (ib_wire.md 6.2)."""

import time

import pytest
from trading_scene import TradingScene, until


def reconnects(scene: TradingScene) -> int:
    return int(scene.status()["broker"].get("reconnects", 0))


def check_trades(scene: TradingScene, quantity: int = 1) -> None:
    """After whatever it was: an order is traded as if nothing had been."""
    until(lambda: scene.link == "ready", 60, "the link is ready again")
    traded = scene.trade(scene.an_instrument(), quantity)
    scene.settle()
    assert (traded.executed, traded.filled) == (quantity, quantity)
    assert len(traded.at_gateway) == 1
    assert scene.books() == scene.theirs()


def test_x11_a_half_open_socket_is_noticed_within_twenty_seconds(scene: TradingScene) -> None:
    begun_s = time.monotonic()
    scene.gateway.fault("half_open")
    until(lambda: scene.link != "ready", 20, "the dead socket was noticed")
    assert time.monotonic() - begun_s < 20
    check_trades(scene)


@pytest.mark.parametrize("size", [0, -3, 5000])
def test_x12_to_x14_the_gateway_restarts_and_its_order_ids_go_on_back_or_ahead(scene: TradingScene, size: int) -> None:
    scene.gateway.fault("restart", size=size)
    until(lambda: scene.gateway.state_of()["clients"] != [], 30, "a client has come back")
    check_trades(scene)


@pytest.mark.parametrize("kind", ["link_lost", "data_lost"])
def test_x15_nothing_is_sent_while_the_broker_behind_the_gateway_is_away(scene: TradingScene, kind: str) -> None:
    # given an order that rests when the link is lost
    order = scene.want_at_once(scene.an_instrument(), 1)
    scene.gateway.fault("hold", seconds=3)
    run = scene.start_handler()
    until(lambda: scene.has_arrived(order), 10, "the order has arrived")

    # when the broker is away for some seconds
    scene.gateway.fault(kind, seconds=6)
    until(lambda: scene.link == "degraded", 5, "it is said")
    sent = len(scene.gateway.state_of()["orders"])
    scene.want(scene.an_instrument(), 1)
    time.sleep(2)
    assert len(scene.gateway.state_of()["orders"]) == sent

    # then everything is traded once it is back
    scene.handled(run)
    scene.settle()
    check_trades(scene)
    assert scene.locks() == {}


def test_x16_a_storm_then_refusal_then_the_client_id_in_use_then_all_is_well(scene: TradingScene) -> None:
    scene.gateway.fault("id_in_use", seconds=14)
    scene.gateway.fault("unreachable", seconds=4)
    for _ in range(3):
        scene.gateway.fault("link_lost", seconds=0.1)
    scene.gateway.fault("close")
    said = set()

    def is_ready() -> bool:
        shown = scene.status()["broker"]
        said.add(str(shown["reason"]))
        return bool(shown["link"] == "ready")

    until(lambda: not is_ready(), 5, "the link is down")
    until(is_ready, 60, "the link is ready again")
    assert any("is in use" in reason for reason in said), said
    check_trades(scene)


def test_x18_an_empty_answer_after_a_start_does_not_mean_that_nothing_was_sent(scene: TradingScene) -> None:
    scene.gateway.fault("hold", seconds=8)
    scene.gateway.fault("break_after", request="placeOrder")
    scene.gateway.fault("empty", seconds=6)
    traded = scene.trade(scene.an_instrument(), 1)
    time.sleep(3)
    scene.settle()
    assert traded.executed == traded.filled
    assert abs(traded.executed) <= 1
    assert all(row["status"] == "Cancelled" for row in traded.at_gateway[:-1])
    assert scene.books() == scene.theirs()


@pytest.mark.parametrize("message", ["openOrderEnd", "completedOrdersEnd", "execDetailsEnd"])
def test_x19_without_an_end_marker_the_link_is_not_ready(scene: TradingScene, message: str) -> None:
    scene.gateway.fault("drop", message=message)
    scene.gateway.fault("close")
    until(lambda: scene.link != "ready", 10, "the connection was lost")
    check_trades(scene)


def test_x20_an_answer_that_comes_after_its_time_harms_nobody(scene: TradingScene) -> None:
    scene.gateway.fault("delay", message="currentTime", seconds=7)
    until(lambda: scene.link != "ready", 20, "the heartbeat was missed")
    check_trades(scene)


@pytest.mark.parametrize("kind", ["garbage", "bad_text", "unknown_message", "truncate", "huge", "reset", "close"])
def test_x22_bytes_that_mean_nothing(scene: TradingScene, kind: str) -> None:
    scene.gateway.fault(kind)
    time.sleep(1)
    check_trades(scene)
    assert scene.status()["service"] == "running"


def test_x23_a_flood_of_quotes_does_not_hold_orders_up(scene: TradingScene) -> None:
    scene.gateway.fault("flood", size=20_000, seconds=4)
    check_trades(scene)


def test_x24_a_slow_gateway_is_waited_for(scene: TradingScene) -> None:
    scene.gateway.fault("slow", by=1, seconds=20)
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (1, 1, 1)


def test_x38_a_gateway_that_refuses_for_long_is_asked_again_with_growing_pauses(scene: TradingScene) -> None:
    scene.gateway.fault("unreachable", seconds=12)
    scene.gateway.fault("close")
    until(lambda: scene.link == "down", 10, "the link is down")
    until(lambda: "closes the connection" in scene.status()["broker"]["reason"], 12, "why is said")
    check_trades(scene)


def test_x39_a_client_id_in_use_is_said_and_waited_for(scene: TradingScene) -> None:
    scene.gateway.fault("id_in_use", seconds=5)
    scene.gateway.fault("close")
    until(lambda: "Client id 1 is in use" in scene.status()["broker"]["reason"], 10, "it is said")
    check_trades(scene)
