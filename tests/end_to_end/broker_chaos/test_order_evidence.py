"""What proves that an order never reached the broker, and what does not (orders_and_risk.md 2.6)."""

from trading_scene import Traded, TradingScene, until


def test_o08_that_the_broker_knows_of_no_order_is_no_proof_on_the_connection_it_was_sent_on(
        scene: TradingScene) -> None:
    # given a gateway that says nothing of an order, and answers for some seconds as if there were none
    for message in ("openOrder", "orderStatus"):
        scene.gateway.fault("drop", message=message, times=0)
    scene.gateway.fault("empty", seconds=12)
    instrument = scene.an_instrument()
    order, run = scene.rest(instrument)

    # when it has been asked again and again
    ended = scene.handled(run)

    # then the order is unknown, its instrument locked, and no second one was sent
    traded = Traded(scene, order, ended)
    assert [row["lifecycle"] for row in traded.broker_orders] == ["UNKNOWN"]
    assert len(traded.at_gateway) == 1
    assert f"nobody knows the fate of broker order {traded.broker_orders[0]['_id']}" in scene.locks()[instrument]

    # when the gateway tells of it, then it is adopted and traded; that no position was told is for a person to open
    scene.gateway.clear()
    until(lambda: scene.settle() and "nobody knows" not in scene.locks().get(instrument, ""), 60, "it is known")
    scene.unlock()
    scene.settle()
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (1, 1, 1)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})
