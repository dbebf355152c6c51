"""Orders that are not ours, or not only ours any more: seen, locked, never traded against (ib_wire.md 6.2)."""

from typing import Any

import pytest
import stranger
from trading_scene import Traded, TradingScene, pattern, until
from ulid import ULID

from trading.data.mongo.controls import MongoKillState
from trading.risk.kill_level import KillLevel


def sent(scene: TradingScene) -> tuple[int, int]:
    """Orders and cancels that were asked of the gateway."""
    return scene.asked("placeOrder"), scene.asked("cancelOrder")


def orders(scene: TradingScene) -> list[dict[str, Any]]:
    return list(scene.gateway.state_of()["orders"])


def by_hand(scene: TradingScene, lots: dict[int, int]) -> None:
    """Somebody trades so many lots, a contract each."""
    for con_id, size in lots.items():
        scene.gateway.fault("manual_trade", contract=con_id, size=size)


def test_x17_nothing_is_changed_or_cancelled_while_the_broker_is_away(scene: TradingScene) -> None:
    # given an order that rests, and whose time will be over while the broker is away
    placed, known = scene.asked("placeOrder"), len(orders(scene))
    order, run = scene.rest(scene.an_instrument())
    scene.gateway.fault("link_lost", seconds=8)
    until(lambda: scene.link == "degraded", 5, "it is said")
    before = sent(scene)

    def is_back() -> bool:
        now = sent(scene)
        is_back = scene.link != "degraded"
        assert is_back or now == before
        return is_back

    # when it comes back, then nothing was sent meanwhile, and no order was ever sent as the change of another
    until(is_back, 20, "the broker is back")
    scene.fill()
    ended = scene.handled(run)
    scene.settle()
    traded = Traded(scene, order, ended)
    assert traded.executed == traded.filled
    assert scene.asked("placeOrder") - placed == len(orders(scene)) - known
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})


def living_twice(scene: TradingScene) -> tuple[str, str, str]:
    """An order that rests, with a second life that the service has noticed; its instrument, its id, the run."""
    instrument = scene.an_instrument()
    order, run = scene.rest(instrument)
    until(lambda: Traded(scene, order, {}).broker_orders[0]["perm_id"], 10, "the order has a permanent id")
    scene.gateway.fault("lives_twice", order=pattern(order))
    until(lambda: "lives twice" in scene.locks().get(instrument, ""), 20, "it is noticed and locked")
    return instrument, order, run


def test_x17_an_order_that_lives_twice_is_locked_and_told_and_its_second_fill_is_nobodys(scene: TradingScene) -> None:
    instrument, order, run = living_twice(scene)
    another, known = scene.want(instrument, 1), len(orders(scene))

    # when both lives may fill
    scene.fill()
    ended = scene.handled(run)

    # then one fill is ours, the other one nobody's; nothing is sent, and a person is called
    traded = Traded(scene, order, ended)
    second = [row for row in traded.at_gateway if row["perm_id"] != traded.broker_orders[0]["perm_id"]]
    until(lambda: scene.settle()["state"] == "ERROR" and scene.external(), 60, "the second life has traded")
    assert list(scene.external().values()) == [1]
    assert scene.books() == scene.theirs()
    assert traded.filled == traded.executed - 1
    assert len(second) == 1
    assert "somebody else traded +1" in scene.locks()[instrument]
    assert (len(orders(scene)), scene.has_arrived(another)) == (known, False)
    until(lambda: scene.is_told("somebody else trades"), 20, "an alert is open")

    # when the person has sold the second one, then what waited is traded
    by_hand(scene, {con_id: -lots for con_id, lots in scene.external().items()})
    until(lambda: scene.settle() and scene.has_arrived(another), 60, "what waited is traded")
    scene.settle()
    assert (scene.locks(), scene.external()) == ({}, {})
    assert Traded(scene, another, {}).filled == 1


def test_x17_a_second_life_that_somebody_cancels_is_over(scene: TradingScene) -> None:
    _, order, run = living_twice(scene)
    scene.gateway.fault("manual_cancel", order=pattern(order))  # the younger one
    scene.fill()
    ended = scene.handled(run)
    scene.settle()
    traded = Traded(scene, order, ended)
    assert traded.executed == traded.filled == 1
    assert (scene.locks(), scene.external()) == ({}, {})


def two_months(scene: TradingScene) -> tuple[str, int, int]:
    """An instrument of which the broker lists two contracts, and their numbers."""
    rows = scene.store().database.contracts.find({"sampled": True}).sort("_id", 1)
    months: dict[str, list[int]] = {}
    for row in rows:
        months.setdefault(row["instrument"], []).append(row["details"]["con_id"])
    instrument = next(name for name in scene.instruments() if len(months[name]) > 1)
    return instrument, *months[instrument][-2:]


@pytest.mark.parametrize("seconds", [20, 0])
def test_x34_one_leg_of_a_combination_alone_is_seen_locked_and_never_traded_against(scene: TradingScene,
                                                                                    seconds: float) -> None:
    # given a combination of another client, whose second leg comes later or never
    instrument, near, far = two_months(scene)
    scene.gateway.fault("leg_alone", seconds=seconds)
    stranger.spread(scene, near, far)
    known = len(orders(scene))

    # then the leg is seen, a person is called, and nothing is sent
    until(lambda: scene.settle()["state"] == "ERROR", 30, "the leg is seen")
    assert scene.external() == {near: -1}
    assert "somebody else traded -1" in scene.locks()[instrument]
    another = scene.want(instrument, 1)
    assert scene.settle()["state"] == "ERROR"
    assert (len(orders(scene)), scene.has_arrived(another)) == (known, False)
    until(lambda: scene.is_told("somebody else trades"), 20, "an alert is open")

    # when the other one has come, if it does, then both are seen, and nothing was sent against them
    if seconds:
        until(lambda: scene.settle() and scene.external() == {near: -1, far: 1}, 60, "the other leg has come")
        assert scene.settle()["state"] == "ERROR"
    assert len(orders(scene)) == known

    # when a person has closed them by hand, then what waited is traded
    by_hand(scene, {con_id: -lots for con_id, lots in scene.external().items()})
    until(lambda: scene.settle() and scene.has_arrived(another), 60, "what waited is traded")
    scene.settle()
    assert (scene.locks(), scene.external()) == ({}, {})
    assert Traded(scene, another, {}).filled == 1


def test_an_order_of_another_client_under_the_number_of_ours_is_not_taken_for_it(scene: TradingScene) -> None:
    instrument = scene.an_instrument()
    order, run = scene.rest(instrument)
    until(lambda: Traded(scene, order, {}).broker_orders[0]["perm_id"], 10, "the order has a permanent id")
    [ours] = Traded(scene, order, {}).broker_orders
    stranger.rest(scene, ours["con_id"], ours["ib_order_id"])
    scene.ask("POST", "/broker/refresh")
    scene.fill()
    ended = scene.handled(run)
    scene.settle()
    traded = Traded(scene, order, ended)
    assert traded.broker_orders[0]["perm_id"] == ours["perm_id"]
    assert traded.executed == traded.filled == 1
    assert scene.external() == {}
    assert "somebody else's order" in scene.locks()[instrument]

    # when the other client has taken his back
    stranger.withdraw(scene)
    until(lambda: scene.settle() and scene.locks() == {}, 60, "the lock is gone")


def test_b20_an_order_that_another_tradingd_has_made_halts_everything(scene: TradingScene) -> None:
    # given an order of our form that our store does not know, and that is younger than our term
    instrument = scene.an_instrument()
    con_id, = [row["con_id"] for row in scene.ctl("positions")["contract"] if row["instrument"] == instrument][:1]
    reference = f"{ULID()}-C1-B1"
    stranger.rest(scene, con_id, 4711, reference)
    known = len(orders(scene))
    try:
        # when the books are compared, then nothing is sent any more, nothing of his is cancelled, a person is called
        ended = scene.handled(scene.start_handler())
        assert (ended["state"], MongoKillState(scene.store()).load().level) == ("ERROR", KillLevel.K3_HALT)
        order = scene.want(scene.an_instrument(), 1)
        scene.handled(scene.start_handler())
        assert (len(orders(scene)), scene.has_arrived(order)) == (known, False)
        assert next(row["status"] for row in orders(scene) if row["order_ref"] == reference) == "Submitted"
        until(lambda: scene.is_told("another tradingd"), 20, "an alert is open")
    finally:
        # and when he has gone, and a person lets trading go on, then it goes on
        stranger.withdraw(scene)
        scene.do("resume-trading")
        scene.unlock()
    scene.settle()
    assert scene.has_arrived(order)
    assert scene.locks() == {}
