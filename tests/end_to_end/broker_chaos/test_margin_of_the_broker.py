"""RC-23 and case 45 of orders_and_risk.md 7.2: what the broker says, or does not say, of the margin after an order."""

from collections.abc import Iterator
from typing import Any

import pytest
from trading_scene import Traded, TradingScene, until

SILENCE = {"kind": "ignore", "request": "whatIf", "times": 0}
NO_ANSWERS = {
    "silence": SILENCE,
    "an error": {"kind": "refuse", "request": "whatIf", "times": 0, "code": 201, "text": "Order rejected - margin"},
    "the sentinel": {"kind": "margin", "style": "sentinel", "times": 0},
    "no currency": {"kind": "margin", "style": "no_currency", "times": 0},
    "empty fields": {"kind": "margin", "style": "empty", "times": 0},
}
WITHIN_S = 15.0  # five of them for the broker, and those that any order takes on a busy machine


@pytest.fixture(autouse=True)
def _as_it_was(scene: TradingScene) -> Iterator[None]:
    """No case leaves locks or strange positions to the next one."""
    yield
    scene.make_whole()
    assert scene.books() == scene.theirs()


def held(scene: TradingScene) -> tuple[str, int]:
    """An instrument that no earlier case has met, and a lot to the side on which it is held."""
    while not (net := scene.net()[instrument := scene.an_instrument()]):
        pass
    return instrument, 1 if net > 0 else -1


def arrived(scene: TradingScene, instrument: str, quantity: int) -> Traded:
    """An order that has reached the gateway in its time, and the run that has worked it to its end."""
    order = scene.want_at_once(instrument, quantity)
    run = scene.start_handler()
    until(lambda: scene.has_arrived(order), WITHIN_S, "the order has arrived")
    return Traded(scene, order, scene.handled(run))


def contract_orders(traded: Traded) -> list[dict[str, Any]]:
    return list(traded.scene.store().database.contract_orders.find({"parent": traded.order}))


def said(traded: Traded, control: str) -> list[dict[str, Any]]:
    """What a control said of each broker order that was made, or was not."""
    return [check for row in contract_orders(traded) for check in row["checks"] if check["control"] == control]


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_o45_a_margin_that_the_broker_does_not_tell_is_judged_by_our_own_table(scene: TradingScene, what: str) -> None:
    # given a broker that does not say what margin an order would need
    instrument, quantity = held(scene)
    asked, placed = scene.asked("whatIf"), scene.asked("placeOrder")
    scene.gateway.fault(**NO_ANSWERS[what])

    # when more risk is wanted
    traded = arrived(scene, instrument, quantity)

    # then it was asked once, the order went its way all the same, and it was sent once
    assert traded.run["state"] == "FINISHED"
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (quantity, quantity, 1)
    assert (scene.asked("whatIf") - asked, scene.asked("placeOrder") - placed) == (1, 1)
    assert [check["outcome"] for check in said(traded, "RC-23")] == ["PASS"]


def test_rc_23_what_the_broker_says_would_be_too_much_is_not_sent(scene: TradingScene) -> None:
    instrument, quantity = held(scene)
    placed = scene.asked("placeOrder")
    scene.gateway.fault("margin", style="large", times=0)
    traded = scene.trade(instrument, quantity)
    assert (traded.executed, traded.at_gateway, traded.broker_orders) == (0, [], [])
    assert scene.asked("placeOrder") == placed
    assert [row["close_reason"] for row in contract_orders(traded)] == ["DENIED"]
    assert "initial margin" in said(traded, "RC-23")[-1]["sentence"]


def test_rc_23_what_the_broker_says_is_enough_is_sent_without_a_wait(scene: TradingScene) -> None:
    instrument, quantity = held(scene)
    asked = scene.asked("whatIf")
    traded = arrived(scene, instrument, quantity)
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (quantity, quantity, 1)
    assert scene.asked("whatIf") - asked == 1
    assert len({row["ib_order_id"] for row in traded.broker_orders}) == 1


def test_rc_23_an_order_that_reduces_risk_is_not_asked_about(scene: TradingScene) -> None:
    instrument, more = held(scene)
    asked = scene.asked("whatIf")
    scene.gateway.fault(**SILENCE)
    traded = arrived(scene, instrument, -more)
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (-more, -more, 1)
    assert scene.asked("whatIf") == asked
