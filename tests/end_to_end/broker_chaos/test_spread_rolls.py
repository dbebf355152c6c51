"""Rolls by calendar spread: one order for both months, whose fills are those of the months."""

from typing import Any

from test_cases_of_rolls import held_in_one_month, lots, of_strategies, ordered
from trading_scene import Traded, TradingScene, pattern, until


def spread_orders(scene: TradingScene, roll: dict[str, Any]) -> list[dict[str, Any]]:
    found = Traded(scene, roll["_id"], {}).broker_orders
    assert all(row["spread"] is not None for row in found)
    return found


def has_rolled(scene: TradingScene, code: str, roll: dict[str, Any], held: int) -> None:
    """All lots are in the next month, on both sides; each order traded as many of one month as of the other."""
    assert lots(scene, code) == {roll["roll_to"]: held}
    assert scene.books() == scene.theirs()
    for row in spread_orders(scene, roll):
        assert row["spread"]["far_filled"] == -row["spread"]["near_filled"] == row["filled"]
    assert sum(row["filled"] for row in spread_orders(scene, roll)) == held


def test_a_roll_by_spread_trades_both_months_at_once_and_moves_no_strategy(scene: TradingScene) -> None:
    code, front, held = held_in_one_month(scene)
    strategies = of_strategies(scene)
    roll = ordered(scene, code, "FORCE_SPREAD")
    assert (roll["roll_from"], roll["roll_quantity"], roll["as_spread"]) == (front, held, True)

    scene.settle(240)
    has_rolled(scene, code, roll, held)
    assert of_strategies(scene) == strategies
    assert scene.locks() == {}
    [leg] = scene.store().database.contract_orders.find({"parent": roll["_id"]})
    assert (leg["contract"], leg["close_reason"]) == (f"{front}-{roll['roll_to'].rpartition('/')[2]}", "FILLED")
    assert f"{leg['contract']}" in scene.call("story", roll["_id"])


def test_a_service_that_is_killed_while_a_spread_rests_ends_the_roll_all_the_same(scene: TradingScene) -> None:
    code, _, held = held_in_one_month(scene)
    strategies = of_strategies(scene)
    roll = ordered(scene, code, "FORCE_SPREAD")
    traded = Traded(scene, roll["_id"], {})
    scene.gateway.fault("hold", seconds=600, order=pattern(roll["_id"]))
    scene.start_handler()
    until(lambda: traded.at_gateway, 30, "the spread has arrived")
    scene.kill()
    scene.begin()

    scene.settle(240)
    has_rolled(scene, code, roll, held)
    assert of_strategies(scene) == strategies


def test_o20_one_month_of_a_spread_of_ours_alone_is_locked_and_never_made_up_for(scene: TradingScene) -> None:
    # given a roll whose far month never trades
    code, front, held = held_in_one_month(scene)
    roll = ordered(scene, code, "FORCE_SPREAD")
    scene.gateway.fault("leg_alone", seconds=0.0)
    run = scene.start_handler()

    # then a person is called, with what is missing, and nothing more is sent
    until(lambda: code in scene.locks(), 90, "it is locked")
    assert "without the other month" in scene.locks()[code]
    scene.handled(run, 150)
    until(lambda: scene.is_told("without the other month"), 60, "a person is called")
    assert len(spread_orders(scene, roll)) == 1, "nothing is tried again"
    assert set(lots(scene, code)) <= {front}, "less is held, and nothing was opened for it"
    assert abs(sum(lots(scene, code).values())) < abs(held)
    assert scene.books() == scene.theirs()


def test_a_far_month_that_comes_later_completes_the_spread(scene: TradingScene) -> None:
    code, _, held = held_in_one_month(scene)
    roll = ordered(scene, code, "FORCE_SPREAD")
    scene.gateway.fault("leg_alone", seconds=8.0)
    scene.settle(240)
    has_rolled(scene, code, roll, held)
    assert code not in scene.locks()


def test_o44_details_that_never_come_hold_up_no_spread(scene: TradingScene) -> None:
    code, _, held = held_in_one_month(scene)
    roll = ordered(scene, code, "FORCE_SPREAD")
    scene.gateway.fault("ignore", request="reqContractDetails", times=0)
    scene.settle(240)
    has_rolled(scene, code, roll, held)
