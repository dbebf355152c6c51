"""Orders that go with the market's volume, or by the broker's own algo, traded to their end by the service."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from trading_scene import Traded, TradingScene, pattern, until

from trading.execution.order_states import ExecutionStyle


@pytest.fixture(autouse=True)
def _both_sides_agree(scene: TradingScene) -> Iterator[None]:
    yield
    scene.gateway.settings(traded_a_minute=0)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})


def state_of(scene: TradingScene, order: str) -> dict[str, Any]:
    """What its algo remembers."""
    leg = scene.store().database.contract_orders.find_one({"parent": order})
    assert leg is not None
    return dict(leg["algo"]["state"])


def seconds_between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def test_an_order_goes_with_the_volume_of_the_market_to_its_end(scene: TradingScene) -> None:
    # given a market in which others trade four lots a second, so that our share of four lots is twenty seconds of it
    scene.gateway.settings(traded_a_minute=240)

    # when
    traded = scene.trade(scene.an_instrument(), 4, timeout_s=240, style=ExecutionStyle.POV)

    # then it was traded in slices, each in its time, and none of it by time
    assert (traded.executed, traded.filled, traded.run["state"]) == (4, 4, "FINISHED")
    assert abs(traded.broker_orders[0]["quantity"]) == 1
    sent = [row["placed_at"] for row in traded.at_gateway]
    assert len(sent) > 1
    assert seconds_between(sent[0], sent[-1]) >= 15 * (len(sent) - 1)
    assert state_of(scene, traded.order)["fallback"] is None


def test_an_adaptive_order_is_worked_by_the_broker_to_its_end(scene: TradingScene) -> None:
    traded = scene.trade(scene.an_instrument(), 2, style=ExecutionStyle.ADAPTIVE)
    assert (traded.executed, traded.filled, traded.run["state"]) == (2, 2, "FINISHED")
    [arrived] = traded.at_gateway
    assert (arrived["algo"], arrived["order_type"], arrived["tif"]) == ("Adaptive", "LMT", "DAY")
    assert json.loads(arrived["algo_params"]) == [["adaptivePriority", "Normal"]]
    assert traded.broker_orders[0]["adaptive"] == "Normal"


def test_a_broker_that_refuses_its_algo_loses_the_order_to_our_own(scene: TradingScene) -> None:
    # given a broker that works no such order
    scene.gateway.fault("reject", style="error_first", code=442, text="Specified algorithm is not allowed.")
    order = scene.want_at_once(scene.an_instrument(), 2, style=ExecutionStyle.ADAPTIVE)
    run = scene.start_handler()
    until(lambda: len(Traded(scene, order, {}).at_gateway) == 2, 30, "another order follows")

    # then the next one is ours, and passive; it is filled here as a person takes it back, for the case to be short
    first, second = Traded(scene, order, {}).at_gateway
    assert (first["algo"], first["status"], second["algo"]) == ("Adaptive", "Inactive", "")
    assert dict(state_of(scene, order)["fallback"])["style"] == "BEST"
    scene.gateway.fault("fill_on_cancel", order=pattern(order))
    scene.do("cancel", order=order)
    assert scene.handled(run)["state"] == "FINISHED"
    traded = Traded(scene, order, {})
    assert (traded.executed, traded.filled) == (2, 2)
    assert [row["flags"] for row in traded.broker_orders] == [["ALGO_REFUSED"], []]
