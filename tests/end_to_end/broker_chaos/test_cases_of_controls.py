"""Cases of orders_and_risk.md 7.2 in which a control, not the broker, must stop something; the service is a process."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from trading_scene import Traded, TradingScene, pattern, until

from trading.errors import TradingError
from trading.unix_socket import DaemonRefused

GENERATOR = "run_strategy_order_generator"


@pytest.fixture(autouse=True)
def _as_it_was(scene: TradingScene) -> Iterator[None]:
    """No case leaves locks or strange positions to the next one."""
    yield
    scene.make_whole()
    assert scene.books() == scene.theirs()


def stored(scene: TradingScene, order: str) -> dict[str, Any]:
    return dict(scene.store().database.instrument_orders.find_one({"_id": order}) or {})


def a_wish_without_an_order(scene: TradingScene) -> dict[str, Any]:
    """What the strategy wants today of an instrument that it has not traded yet: it decides once a day."""
    database = scene.store().database
    [newest] = database.optimal_positions.find({}, {"day": 1}).sort("day", -1).limit(1)
    traded = database.instrument_orders.distinct("instrument", {"trading_day": newest["day"]})
    rows = database.optimal_positions.find({"day": newest["day"], "instrument": {"$nin": traded}})
    return max(rows, key=lambda row: abs(row["optimal"]))


def test_o12_a_target_a_hundred_times_too_large_waits_for_a_person(scene: TradingScene) -> None:
    # given bad data in a wish of today
    wishes, wish = scene.store().database.optimal_positions, a_wish_without_an_order(scene)
    wishes.update_one({"_id": wish["_id"]}, {"$mul": dict.fromkeys(("lower", "upper", "optimal"), 100)})
    ours = {"instrument": wish["instrument"], "lifecycle": {"$ne": "CLOSED"}}

    # when orders are made of it and worked
    run = scene.start(GENERATOR)
    until(lambda: scene.ended(run, GENERATOR), 60, "orders are made")
    scene.settle()

    # then the order is held for a person's approval, and none of it was sent
    [order] = scene.store().database.instrument_orders.find(ours)
    assert order["holds"] == ["APPROVAL"]
    assert Traded(scene, order["_id"], {}).at_gateway == []
    wishes.replace_one({"_id": wish["_id"]}, wish)
    scene.do("cancel", order=order["_id"])


def test_o14_a_contract_whose_multiplier_is_not_the_brokers_is_not_traded(scene: TradingScene) -> None:
    instrument, instruments = scene.an_instrument(), scene.store().database.instruments
    right = instruments.find_one({"_id": instrument})
    assert right is not None
    instruments.update_one({"_id": instrument}, {"$set": {"broker.multiplier": 7.0}})
    wrong = scene.trade(instrument, 1)
    instruments.replace_one({"_id": instrument}, right)
    assert (wrong.at_gateway, wrong.filled) == ([], 0)
    assert "RC-36" in str(scene.store().database.events.find_one({"story": wrong.order, "payload": {"$exists": 1}},
                                                                 sort=[("_id", -1)])) + str(stored(scene, wrong.order))


def test_o15_an_order_that_dies_and_is_sent_again_and_again_locks_its_instrument(scene: TradingScene) -> None:
    # given an order that somebody, or a bug, ends as soon as it rests
    instrument = scene.an_instrument()
    order, run = scene.rest(instrument)

    def is_locked() -> bool:
        nonlocal run
        with suppress(TradingError):
            scene.gateway.fault("manual_cancel", order=pattern(order))
        run = scene.start_handler() if scene.ended(run) else run
        return instrument in scene.locks()

    # then its instrument is locked after a few, and no more follow
    until(is_locked, 50, "it is locked")
    traded = Traded(scene, order, scene.handled(run))
    known = len(traded.at_gateway)
    assert known <= 5
    scene.settle()
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (0, 0, known)
    with suppress(DaemonRefused):  # it may have ended
        scene.do("cancel", order=order)


def test_o18_halted_with_an_order_of_unknown_fate_nobody_says_that_all_is_quiet(scene: TradingScene) -> None:
    # given an order of which nobody knows what became
    for message in ("openOrder", "orderStatus"):
        scene.gateway.fault("drop", message=message, times=0)
    scene.gateway.fault("empty", seconds=60)
    scene.gateway.fault("ignore", request="cancelOrder", times=0)
    order, run = scene.rest(scene.an_instrument())
    traded = Traded(scene, order, scene.handled(run))
    assert [row["lifecycle"] for row in traded.broker_orders] == ["UNKNOWN"]

    # when trading is halted, then it is not said to be done
    scene.do("halt", level="halt")
    try:
        until(lambda: scene.is_told("may still trade"), 20, "an alert says so")
        time.sleep(4)
        assert [row["lifecycle"] for row in traded.broker_orders] == ["UNKNOWN"]
        assert not scene.is_told("no order of ours")

        # when the gateway tells of the order, then its fate is settled, the halt is done, and nothing else was sent
        scene.gateway.clear()
        until(lambda: scene.settle() and scene.is_told("no order of ours"), 60, "it is done")
    finally:
        scene.do("resume-trading")
    assert traded.executed == traded.filled
    assert len(traded.at_gateway) == 1
    assert {row["lifecycle"] for row in traded.broker_orders} <= {"FILLED", "CANCELLED"}


def test_an_override_takes_back_what_works_and_adds_risk(scene: TradingScene) -> None:
    # given an order that rests at the broker, and opens a position
    instrument = scene.an_instrument()
    order, run = scene.rest(instrument, 1 if scene.net()[instrument] >= 0 else -1)

    # when positions may only shrink there, then it is asked back, and the run ends
    scene.ctl("overrides", "set", "reduce-only", "--instrument", instrument, "--reason", "thin market", "--yes")
    try:
        traded = Traded(scene, order, scene.handled(run))
        assert (traded.executed, [row["lifecycle"] for row in traded.broker_orders]) == (0, ["CANCELLED"])
        ended = stored(scene, order)
        assert (ended["lifecycle"], ended["close_reason"]) == ("CLOSED", "CANCELLED")
        assert ended["reason"].startswith("an override is at reduce-only: ")
    finally:
        scene.ctl("overrides", "clear", "--instrument", instrument, "--reason", "it is back", "--yes")


def test_o19_a_decision_that_is_told_again_and_again_is_traded_once(scene: TradingScene) -> None:
    asked = {"instrument": scene.an_instrument(), "lots": 1, "strategy": "example", "style": "marketable"}
    command = f"o19 {time.monotonic_ns()}"

    def tell(_turn: int) -> None:
        scene.do("trade", command, **asked)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(tell, range(5)))
    scene.settle()
    scene.kill()
    scene.begin()
    tell(0)
    scene.settle()
    made = list(scene.store().database.instrument_orders.find({"idempotency_key": f"manual/{command}"}))
    assert len(made) == 1
    traded = Traded(scene, made[0]["_id"], {})
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (1, 1, 1)


def test_o19_yesterdays_decision_is_not_sent(scene: TradingScene) -> None:
    days = sorted(scene.store().database.instrument_orders.distinct("trading_day"))
    order = scene.want(scene.an_instrument(), 1, day=f"{int(days[0][:4]) - 1}{days[0][4:]}")
    scene.handled(scene.start_handler())
    assert Traded(scene, order, {}).at_gateway == []
    assert stored(scene, order)["lifecycle"] == "CLOSED"


def test_o60_a_break_is_not_waved_away_without_evidence(scene: TradingScene) -> None:
    # given a lot in our books that the broker does not show
    contract = sorted(row["_id"] for row in scene.store().database.contract_positions.find({"quantity": {"$ne": 0}}))[0]
    instrument = contract.rpartition("/")[0]

    def book(lots: int) -> None:
        scene.do("balance", contract=contract, strategy="example", lots=lots, price="100")

    book(1)
    scene.start_handler()
    until(scene.locks, 30, "it is locked")
    until(scene.is_idle, 60, "the handler has ended")
    book(-1)

    # when somebody says only that it is all right, then it stays locked, and nothing is sent
    with pytest.raises(DaemonRefused, match="proves nothing"):
        scene.do("open-locks", instrument=instrument)
    order = scene.want(instrument, 1)
    scene.settle()
    assert instrument in scene.locks()
    assert not scene.has_arrived(order)

    # when he says what shows it, then what waited is traded
    scene.do("open-locks", instrument=instrument, evidence="statement of the broker")
    scene.settle()
    assert Traded(scene, order, {}).executed == Traded(scene, order, {}).filled == 1
