"""What the wire can do to an order: every time it is traded once, and both sides agree (ib_wire.md 6.2)."""


import pytest
from trading_scene import Traded, TradingScene, until


def check(traded: Traded, quantity: int) -> None:
    """Exactly once, on both sides."""
    assert traded.executed == quantity
    assert len(traded.at_gateway) == 1
    assert traded.filled == quantity
    assert traded.scene.books() == traded.scene.theirs()
    assert traded.scene.locks() == {}


def test_an_order_is_traded_when_nothing_goes_wrong(scene: TradingScene) -> None:
    traded = scene.trade(scene.an_instrument(), 1)
    check(traded, 1)
    assert traded.run["state"] == "FINISHED"


def test_x01_the_connection_breaks_after_an_order_was_accepted(scene: TradingScene) -> None:
    scene.gateway.fault("break_after", request="placeOrder")
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    check(traded, 1)
    assert scene.status()["broker"]["link"] == "ready"


def test_x02_an_order_that_never_arrived_is_given_up_or_sent_once_more(scene: TradingScene) -> None:
    scene.gateway.fault("lose", request="placeOrder")
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    assert len(traded.at_gateway) <= 1
    assert traded.executed == traded.filled == len(traded.at_gateway)
    assert scene.books() == scene.theirs()


def test_x03_an_accepted_order_that_rests_is_adopted(scene: TradingScene) -> None:
    scene.gateway.fault("hold", seconds=6)
    scene.gateway.fault("break_after", request="placeOrder")
    traded = scene.trade(scene.an_instrument(), 1)
    scene.settle()
    assert len({row["perm_id"] for row in traded.at_gateway}) == len(traded.at_gateway)
    assert [row["status"] for row in traded.at_gateway if row["status"] in ("Submitted", "PreSubmitted")] == []
    assert traded.executed == traded.filled
    assert scene.books() == scene.theirs()


@pytest.mark.parametrize("message", ["orderStatus", "openOrder", "execDetails", "commissionReport"])
def test_x06_every_message_may_come_twice(scene: TradingScene, message: str) -> None:
    scene.gateway.fault("duplicate", message=message, times=0)
    check(scene.trade(scene.an_instrument(), 2), 2)


@pytest.mark.parametrize(("message", "after"), [("execDetails", 1), ("execDetails", 4), ("orderStatus", 3),
                                                ("commissionReport", 3)])
def test_x07_messages_may_come_in_any_order(scene: TradingScene, message: str, after: int) -> None:
    scene.gateway.fault("late", message=message, after=after, times=1)
    traded = scene.trade(scene.an_instrument(), -1)
    scene.settle()
    check(traded, -1)


@pytest.mark.parametrize("message", ["orderStatus", "openOrder", "execDetails"])
def test_x07_a_message_may_never_come(scene: TradingScene, message: str) -> None:
    scene.gateway.fault("drop", message=message, times=2)
    traded = scene.trade(scene.an_instrument(), -1)
    scene.settle()
    check(traded, -1)


def test_x08_a_commission_that_comes_late_is_booked_late(scene: TradingScene) -> None:
    scene.gateway.fault("delay", message="commissionReport", seconds=6)
    traded = scene.trade(scene.an_instrument(), 1)
    check(traded, 1)
    until(lambda: not scene.gateway.faults(), 10, "the commission was sent")
    scene.settle()
    assert traded.broker_orders[0]["commission"] is not None


@pytest.mark.parametrize("style", ["error_first", "status_first", "inactive_only", "cancelled_only"])
def test_x09_a_rejected_order_is_rejected_once(scene: TradingScene, style: str) -> None:
    before = scene.theirs()
    scene.gateway.fault("reject", style=style, text="Order rejected - reason:margin")
    traded = scene.trade(scene.an_instrument(), 1)
    assert traded.executed == traded.filled
    assert scene.books() == scene.theirs()
    if style != "cancelled_only":
        assert scene.theirs() == before
