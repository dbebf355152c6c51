"""What can happen to an order at the broker: our order says what became of it, and no second one is sent."""

import time

import pytest
from trading_scene import Traded, TradingScene, pattern, until


def once(traded: Traded, quantity: int) -> None:
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (quantity, quantity, 1)
    assert traded.scene.books() == traded.scene.theirs()


def resting(scene: TradingScene, quantity: int = 1, seconds: float = 60) -> tuple[str, str]:
    """An order that has arrived and does not fill for some seconds; its id and the handler's run."""
    order = scene.want_at_once(scene.an_instrument(), quantity)
    scene.gateway.fault("hold", seconds=seconds)
    run = scene.start_handler()
    until(lambda: scene.has_arrived(order), 10, "the order has arrived")
    return order, run


def test_x04_a_fill_while_nobody_is_connected_is_booked(scene: TradingScene) -> None:
    order, run = resting(scene)
    scene.gateway.fault("unreachable", seconds=4)
    scene.gateway.fault("close")
    scene.gateway.fault("hold", seconds=0)  # it fills now
    ended = scene.handled(run)
    scene.settle()
    once(Traded(scene, order, ended), 1)


def test_x05_the_daemon_is_killed_while_an_order_rests(scene: TradingScene) -> None:
    order, run = resting(scene)
    scene.kill()
    scene.begin()
    scene.settle(timeout_s=90)
    traded = Traded(scene, order, {"run": run})
    assert traded.executed == traded.filled
    assert len(traded.at_gateway) <= 2
    assert sum(row["filled"] for row in traded.at_gateway) <= 1
    assert scene.books() == scene.theirs()


@pytest.mark.parametrize("code", [399, 2109, 2102, 321, 10349, 103, 161, 10147, 10148, 201])
def test_x12_a_code_that_sounds_like_the_end_is_not_one(scene: TradingScene, code: int) -> None:
    """Incident: orders that were believed cancelled and sent again, fifteen times for one lot."""
    order, run = resting(scene, seconds=60)
    scene.gateway.fault("error", order=pattern(order), code=code, text="Sounds bad")
    scene.gateway.clear()  # now it may fill
    ended = scene.handled(run)
    scene.settle()
    traded = Traded(scene, order, ended)
    assert traded.executed == traded.filled
    assert abs(traded.executed) <= 1
    assert len(traded.at_gateway) == 1
    assert scene.books() == scene.theirs()
    is_odd = code == 201 and traded.executed  # what was said to be rejected has traded: a person must look
    assert ["traded +1 after that" in reason for reason in scene.locks().values()] == [True] * bool(is_odd)
    scene.unlock()


def test_x10_a_cancel_that_crosses_the_fill_sends_no_second_order(scene: TradingScene) -> None:
    order, run = resting(scene)
    scene.gateway.fault("fill_on_cancel", order=pattern(order))
    ended = scene.handled(run)
    scene.settle()
    once(Traded(scene, order, ended), 1)


def test_x26_a_corrected_fill_replaces_the_first_one(scene: TradingScene) -> None:
    traded = scene.trade(scene.an_instrument(), 3)
    once(traded, 3)
    scene.gateway.fault("correct", order=pattern(traded.order), size=2)
    scene.settle()
    assert scene.books() == scene.theirs()


def test_x26_a_bust_takes_the_position_back(scene: TradingScene) -> None:
    traded = scene.trade(scene.an_instrument(), 2)
    scene.gateway.fault("bust", order=pattern(traded.order))
    scene.settle()
    assert scene.books() == scene.theirs()


def test_x27_a_trade_by_hand_locks_the_instrument_and_trades_nothing(scene: TradingScene) -> None:
    con_id, held = next(iter(scene.theirs().items()))
    scene.gateway.fault("manual_trade", contract=con_id, size=3)
    orders = len(scene.gateway.state_of()["orders"])
    ended = scene.settle()
    assert ended["state"] == "ERROR"
    assert any("somebody else traded +3" in reason for reason in scene.locks().values())
    assert scene.books() == scene.theirs()
    assert len(scene.gateway.state_of()["orders"]) == orders
    scene.gateway.fault("manual_trade", contract=con_id, size=-3)
    scene.settle()
    assert scene.locks() == {}
    assert scene.theirs().get(con_id, 0) == held


def test_x28_an_order_that_somebody_cancels_by_hand_is_not_sent_again_at_once(scene: TradingScene) -> None:
    order, run = resting(scene)
    scene.gateway.fault("manual_cancel", order=pattern(order))
    ended = scene.handled(run)
    traded = Traded(scene, order, ended)
    assert traded.executed == traded.filled
    assert len(traded.at_gateway) <= 5  # the orders that a marketable one may have
    assert scene.books() == scene.theirs()


def test_x31_an_order_that_is_inactive_first_is_not_believed_rejected(scene: TradingScene) -> None:
    scene.gateway.fault("inactive_first")
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    once(traded, 1)


@pytest.mark.parametrize("style", ["none", "zero"])
def test_x35_nothing_is_sent_on_a_quote_that_is_none(scene: TradingScene, style: str) -> None:
    before = len(scene.gateway.state_of()["orders"])
    scene.gateway.fault("quotes", style=style, seconds=20)
    traded = scene.trade(scene.an_instrument(), 1)
    assert len(scene.gateway.state_of()["orders"]) == before
    assert (traded.executed, traded.filled) == (0, 0)


def test_x35_nothing_is_sent_on_a_crossed_quote(scene: TradingScene) -> None:
    before = len(scene.gateway.state_of()["orders"])
    scene.gateway.fault("quotes", style="crossed", seconds=20)
    traded = scene.trade(scene.an_instrument(), 1)
    assert len(scene.gateway.state_of()["orders"]) == before
    assert (traded.executed, traded.filled) == (0, 0)


def test_x32_an_order_id_that_is_taken(scene: TradingScene) -> None:
    scene.gateway.fault("refuse", request="placeOrder", code=103, text="Duplicate order id")
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    assert traded.executed == traded.filled
    assert len(traded.at_gateway) <= 1
    assert scene.books() == scene.theirs()


def test_x33_a_contract_that_may_only_be_closed(scene: TradingScene) -> None:
    order = scene.want(scene.an_instrument(), 1)
    scene.gateway.fault("reject", order=pattern(order), style="error_first", code=201,
                        text="Order rejected - reason:close only")
    traded = Traded(scene, order, scene.handled(scene.start_handler()))
    time.sleep(0.5)
    assert (traded.executed, traded.filled) == (0, 0)
    assert [row["lifecycle"] for row in traded.broker_orders] == ["REJECTED"]


def test_o49_an_order_that_the_gateways_limits_refuse_waits_for_a_person(scene: TradingScene) -> None:
    # given limits in the gateway that an order is too large for
    order = scene.want(instrument := scene.an_instrument(), 2)
    scene.gateway.fault("reject", order=pattern(order), style="error_first", code=383,
                        text="The following order size exceeds the Size Limit")
    scene.handled(scene.start_handler())
    until(lambda: scene.is_told(order), 60, "a person is called")

    # when the handler looks again without a word of anybody, then it was sent once
    scene.handled(scene.start_handler())
    traded = Traded(scene, order, {})
    assert [(row["lifecycle"], row["reason"]) for row in traded.broker_orders] == [
        ("REJECTED", "The following order size exceeds the Size Limit (code 383)")]
    assert instrument not in scene.locks()

    # when the limits are changed, and a person lets it go, then it is traded once
    scene.do("approve", order=order)
    scene.settle()
    traded = Traded(scene, order, {})
    assert (traded.executed, traded.filled) == (2, 2)
    assert scene.books() == scene.theirs()
