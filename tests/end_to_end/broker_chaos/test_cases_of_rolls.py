"""Rolls as the service does them: the state set by hand, the order by the generator, both legs by the handler."""

from typing import Any

import pytest
from trading_scene import Traded, TradingScene, until

GENERATOR = "run_strategy_order_generator"


def held_in_one_month(scene: TradingScene) -> tuple[str, str, int]:
    """An instrument of which lots of its front contract only are held, and which has not rolled yet; the contract."""
    rows = [row for row in scene.ctl("rolls") if row["front_lots"] and not row["forward_lots"]
            and abs(row["front_lots"]) > 1 and not row["state"].startswith("FORCE")]
    assert rows, "some instrument has not rolled yet"
    found = min(rows, key=lambda row: abs(row["front_lots"]))
    return found["instrument"], found["front"], found["front_lots"]


def lots(scene: TradingScene, code: str) -> dict[str, int]:
    rows = scene.store().database.contract_positions.find({"quantity": {"$ne": 0}})
    return {row["_id"]: row["quantity"] for row in rows if row["_id"].rpartition("/")[0] == code}


def of_strategies(scene: TradingScene) -> dict[str, int]:
    return {row["_id"]: row["quantity"] for row in scene.store().database.strategy_positions.find({})}


def the_roll(scene: TradingScene, code: str) -> dict[str, Any]:
    """The newest roll of the instrument."""
    found = scene.store().database.instrument_orders.find({"instrument": code, "kind": "ROLL"}).sort("_id", -1)
    return dict(next(iter(found)))


def ordered(scene: TradingScene, code: str, state: str = "FORCE_OUTRIGHT") -> dict[str, Any]:
    """The roll order of an instrument whose state a person has set."""
    scene.call("rolls", "set", code, state, "--reason", "it is time", "--yes")
    scene.process_has_run(GENERATOR)
    return the_roll(scene, code)


def test_a_forced_roll_trades_both_months_lot_by_lot_and_moves_no_strategy(scene: TradingScene) -> None:
    code, front, held = held_in_one_month(scene)
    strategies = of_strategies(scene)
    roll = ordered(scene, code)
    assert (roll["roll_from"], roll["roll_quantity"], roll["lifecycle"]) == (front, held, "OPEN")

    scene.settle(240)
    traded = Traded(scene, roll["_id"], {})
    assert lots(scene, code) == {roll["roll_to"]: held}
    assert of_strategies(scene) == strategies
    assert scene.books() == scene.theirs()
    assert traded.executed == 0
    sent = [(row["contract"], row["quantity"]) for row in sorted(traded.broker_orders, key=lambda row: row["created"])]
    assert [contract for contract, _ in sent] == [front, roll["roll_to"]] * (len(sent) // 2)
    assert scene.locks() == {}


@pytest.mark.parametrize("leg", ["front", "forward"])
def test_a_service_that_is_killed_while_a_leg_rests_ends_the_roll_all_the_same(scene: TradingScene, leg: str) -> None:
    code, front, held = held_in_one_month(scene)
    strategies = of_strategies(scene)
    roll = ordered(scene, code)
    traded = Traded(scene, roll["_id"], {})
    resting = front if leg == "front" else roll["roll_to"]
    number = 1 if leg == "front" else 2
    scene.gateway.fault("hold", seconds=600, order=f"{roll['_id'].removeprefix('IO-')}-C{number}-*")
    scene.start_handler()
    until(lambda: any(row["contract"] == resting for row in traded.broker_orders), 30, "the leg is there")
    until(lambda: len(traded.at_gateway) == number, 30, "it has arrived")
    scene.kill()
    scene.begin()

    scene.settle(240)
    assert lots(scene, code) == {roll["roll_to"]: held}
    assert of_strategies(scene) == strategies
    assert scene.books() == scene.theirs()
    assert traded.executed == 0


def test_o21_a_strategy_that_trades_during_a_roll_is_netted_with_it(scene: TradingScene) -> None:
    code, front, held = held_in_one_month(scene)
    sign = 1 if held > 0 else -1
    scene.call("rolls", "set", code, "FORCE_OUTRIGHT", "--reason", "it is time", "--yes")
    order = scene.want(code, -sign)
    scene.process_has_run(GENERATOR)
    roll = the_roll(scene, code)
    assert (roll["roll_from"], roll["roll_quantity"]) == (front, held - sign), "what the strategy sells is not rolled"

    scene.settle(240)
    assert Traded(scene, order, {}).executed == -sign
    assert lots(scene, code) == {roll["roll_to"]: held - sign}
    assert scene.books() == scene.theirs()
    assert scene.locks() == {}


def test_o55_a_next_month_that_is_refused_leaves_less_and_a_person_is_called(scene: TradingScene) -> None:
    code, front, held = held_in_one_month(scene)
    net = sum(of_strategies(scene).values())
    roll = ordered(scene, code)
    scene.gateway.fault("reject", order=f"{roll['_id'].removeprefix('IO-')}-C2-*", code=201, style="error_first",
                        times=0)
    run = scene.handled(scene.start_handler(), 120)
    traded = Traded(scene, roll["_id"], run)
    assert "one leg ahead" in run["reason"]
    until(lambda: scene.is_told("one leg ahead"), 45, "a person is called")
    closed = traded.broker_orders[0]["quantity"]
    assert closed * held < 0
    assert lots(scene, code) == ({front: held + closed} if held + closed else {})
    assert sum(of_strategies(scene).values()) == net + closed
    assert len(traded.at_gateway) == 2, "nothing is tried again"
    assert scene.books() == scene.theirs()


def test_o22_on_the_last_day_a_contract_is_left_by_its_dates_and_a_person_is_called(scene: TradingScene) -> None:
    # given a position that must be left today, in an instrument of which all prices are lost
    code, front, held = held_in_one_month(scene)
    database = scene.store().database
    database.contracts.update_one({"_id": front}, {"$set": {
        "details.last_trade_date": scene.trading_day().replace("-", "")}})
    for name in ("multiple_prices", "adjusted_prices", "contract_prices"):
        assert database[name].delete_many({"key": {"$regex": f"^{code}($|/)"}}).deleted_count

    # when the day's decisions are made, then a person is called
    scene.process_has_run(GENERATOR)
    until(lambda: scene.is_told(f"{front}: the contract had to be left"), 30, "a page")

    # and the position is closed without any price of ours; nothing is opened instead
    scene.settle(120)
    assert lots(scene, code) == {}
    assert Traded(scene, the_roll(scene, code)["_id"], {}).executed == -held
    assert scene.books() == scene.theirs()
    until(lambda: f"ROLL:{code}" not in scene.alerts(), 30, "that page is over")
