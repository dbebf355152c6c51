"""Cases of orders_and_risk.md 7.2 in which something that is needed is not there, or no number; as a process."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from trading_scene import Traded, TradingScene, until


@pytest.fixture(autouse=True)
def _as_it_was(scene: TradingScene) -> Iterator[None]:
    """No case leaves locks or strange positions to the next one."""
    yield
    scene.make_whole()
    assert scene.books() == scene.theirs()


def in_euros(scene: TradingScene, con_id: int) -> bool:
    contract = scene.store().database.contracts.find_one({"details.con_id": con_id})
    return contract is not None and contract["details"]["currency"] == "EUR"


def test_o51_an_algo_that_fails_on_what_is_no_number_costs_its_own_order_alone(scene: TradingScene) -> None:
    # given two orders that rest, and the algo of one remembers a price that is none
    order, run = scene.rest(scene.an_instrument())
    other = scene.want_at_once(scene.an_instrument(), 1)
    until(lambda: scene.has_arrived(other), 20, "the other has arrived")
    legs = scene.store().database.contract_orders
    legs.update_one({"parent": order}, {"$set": {"algo.state.arrival_ask": "NaN"}})

    # when it is looked at, then it is taken back, and the other one is traded
    until(lambda: [row["status"] for row in Traded(scene, order, {}).at_gateway] == ["Cancelled"], 30, "it is dead")
    scene.fill()
    traded = Traded(scene, other, scene.handled(run))
    assert (traded.executed, traded.filled) == (1, 1)
    assert "could not be worked" in traded.run["reason"]

    # and a person can end it
    scene.do("cancel", order=order)
    scene.settle()
    failed = Traded(scene, order, {})
    assert (failed.executed, failed.filled, len(failed.at_gateway)) == (0, 0, 1)
    assert [row["lifecycle"] for row in legs.find({"parent": order})] == ["CLOSED"]


def test_o56_without_a_rate_of_these_days_nothing_adds_risk_and_all_may_shrink(scene: TradingScene) -> None:
    # given a position in money of which we have no rate of this year
    database = scene.store().database
    known = database.fx_prices.find_one({"_id": "EURUSD:2023"})
    held = {row["_id"].rpartition("/")[0]: row["quantity"] for row in database.contract_positions.find({})
            if row["quantity"] and in_euros(scene, row["con_id"])}
    instrument, lots = max(held.items(), key=lambda item: abs(item[1]))
    side = 1 if lots > 0 else -1
    database.fx_prices.delete_one({"_id": "EURUSD:2023"})

    # then it may not grow, and may shrink
    more, less = asked(scene, instrument, side), asked(scene, instrument, -side)
    assert (more.at_gateway, more.filled, less.filled) == ([], 0, -side)
    assert "RC-37 DENY: A rate of EUR younger than 2 weekdays" in scene.call("story", more.order)

    # and with the rate it may grow again
    database.fx_prices.insert_one(known)
    assert asked(scene, instrument, 2 * side).filled == 2 * side


def asked(scene: TradingScene, instrument: str, lots: int) -> Traded:
    """An order of a person, judged as every decision is, and worked."""
    command = os.urandom(8).hex()
    scene.do("trade", command, instrument=instrument, lots=lots, strategy="example", style="marketable")
    run = scene.handled(scene.start_handler())
    made = scene.store().database.instrument_orders.find_one({"idempotency_key": f"manual/{command}"})
    assert made is not None
    return Traded(scene, made["_id"], run)


def test_o53_an_early_close_takes_back_what_rests_in_time(scene: TradingScene) -> None:
    # given a contract whose session of today ends in little more than the two minutes before which nothing may rest
    database, instrument = scene.store().database, scene.an_instrument()
    [before] = scene.trade(instrument, 1).at_gateway
    contract = {"details.con_id": before["con_id"]}
    known = database.contracts.find_one(contract)
    assert known is not None
    until(lambda: 48 <= scene.now().second <= 52, 61, "it is some seconds before a minute is full")
    closes = (scene.now() + timedelta(seconds=135)).replace(second=0, microsecond=0)
    local = closes.astimezone(ZoneInfo(known["details"]["time_zone"]))
    database.contracts.update_one(contract, {"$set": {
        "details.trading_hours": f"{local:%Y%m%d}:0000-{local:%Y%m%d:%H%M};{local + timedelta(days=1):%Y%m%d}:CLOSED"}})

    # when an order rests
    order, run = scene.rest(instrument, -2)
    traded = Traded(scene, order, scene.handled(run))

    # then it was taken back before the close, and what is left of it has expired
    assert {row["status"] for row in traded.at_gateway} == {"Cancelled"}
    assert closes - datetime.fromisoformat(traded.at_gateway[-1]["finished_at"]) > timedelta(seconds=100)
    stored = database.instrument_orders.find_one({"_id": traded.order})
    assert stored is not None
    assert (traded.executed, stored["filled"], stored["close_reason"]) == (0, 0, "EXPIRED")

    # and the next one is not sent
    scene.fill()
    assert scene.trade(instrument, 1).at_gateway == []
    database.contracts.replace_one(contract, known)


def test_an_order_in_an_instrument_that_nobody_knows_stops_nobody(scene: TradingScene) -> None:
    # given an instrument that was taken out of the configuration while an order in it was open, and another order that
    # reduces: while something is held whose risk nobody knows, nothing adds any
    database, instrument = scene.store().database, scene.an_instrument()
    order = scene.want(instrument, 1)
    known = database.instruments.find_one_and_delete({"_id": instrument})
    name = next(name for name, held in sorted(scene.net().items()) if name != instrument and abs(held) > 1)
    lots = -1 if scene.net()[name] > 0 else 1
    other = scene.want_at_once(name, lots)

    # when they are worked, then the other one is traded, and a person hears of this one
    run = scene.handled(scene.start_handler())
    traded = Traded(scene, other, run)
    assert (traded.executed, traded.filled) == (lots, lots)
    assert Traded(scene, order, {}).at_gateway == []
    assert order in run["reason"]

    # and it can be ended
    scene.do("cancel", order=order)
    database.instruments.insert_one(known)
    scene.settle()
    ended = database.instrument_orders.find_one({"_id": order})
    assert ended is not None
    assert (ended["lifecycle"], ended["filled"]) == ("CLOSED", 0)
