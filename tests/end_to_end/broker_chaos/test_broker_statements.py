"""What the gateway no longer tells stands in the broker's statement: it is found there, booked once, and told.

The first day to play is a Friday; the cases move the gateway's clock on, so they stand in its order. The statement is
made of what the gateway itself has executed, as the broker's back office does.
"""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from statement_files import a_row, activity
from trading_scene import ACCOUNT, GATEWAY_ZONE, Traded, TradingScene, pattern, until

from trading.data.csv.sample_markets import write_sample_markets
from trading.data.mongo.books import MongoBooks
from trading.execution.fills import Fill, FillStatus

LAST_RECORDED = date(2022, 11, 24)  # so that the first day to play is Friday, 28 October


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    data = tmp_path_factory.mktemp("data")
    write_sample_markets(data, seed=1, last_day=LAST_RECORDED)
    scene = TradingScene(tmp_path_factory.mktemp("scene"), data)
    try:
        scene.begin().lift_limits()
        yield scene
    finally:
        scene.end()


def executions(scene: TradingScene) -> list[dict[str, Any]]:
    """All that the exchange has executed for our account."""
    return [row for row in scene.gateway.state_of()["executions"] if row["account"] == ACCOUNT and row["shares"]]


def row_of(execution: dict[str, Any], **changes: Any) -> dict[str, str]:
    at = datetime.fromisoformat(execution["time"]).astimezone(GATEWAY_ZONE)
    return a_row(**{"accountId": ACCOUNT, "conid": execution["con_id"], "buySell": execution["action"],
                    "quantity": execution["shares"], "tradePrice": execution["price"], "tradeMoney": None,
                    "dateTime": at.strftime("%Y-%m-%d;%H:%M:%S"), "ibExecID": execution["exec_id"],
                    "tradeID": execution["exec_id"], "ibCommission": -execution["commission"],
                    "ibCommissionCurrency": execution["currency"], "orderReference": execution["order_ref"]} | changes)


def read(scene: TradingScene, *rows: dict[str, str], last: str) -> str:
    """What tradectl says of a statement from the first day to `last`."""
    file = Path(scene.folder) / "flex.xml"
    file.write_text(activity(*rows, account=ACCOUNT, first="2022-10-28", last=last))
    return scene.call("reconcile", "statement", str(file), "--reason", "statement of the broker", "--yes")


def of_order(scene: TradingScene, order: str) -> list[Fill]:
    ours = {row["_id"] for row in Traded(scene, order, {}).broker_orders}
    return [fill for fill in MongoBooks(scene.store()).fills() if fill.broker_order in ours]


def test_o27_a_bust_that_only_the_statement_tells_is_taken_back(scene: TradingScene) -> None:
    # given a trade that the exchange takes back, of which no execution tells
    traded = scene.trade(scene.an_instrument(), 2)
    scene.settle()
    rows = executions(scene)
    [mine] = [row for row in rows if row["order_ref"].startswith(traded.order.removeprefix("IO-"))]
    scene.gateway.fault("drop", message="execDetails", times=0)
    scene.gateway.fault("bust", order=pattern(traded.order))
    scene.handled(scene.start_handler())
    instrument = traded.broker_orders[0]["instrument"]
    assert (traded.filled, instrument in scene.locks()) == (2, True)
    assert scene.books() != scene.theirs()

    # when a person reads the statement, twice
    cancel = row_of(mine, transactionType="TradeCancel", buySell=f"{mine['action']} (Ca.)", quantity=-mine["shares"],
                    notes="Ca", origTradeID=mine["exec_id"], tradeID="c")
    said = read(scene, *map(row_of, rows), cancel, last="2022-10-28")
    assert "the exchange has taken back +2" in said
    assert "none differs" in read(scene, *map(row_of, rows), cancel, last="2022-10-28")

    # then the fill is taken back and stays on record, both sides agree, the order knows it, its story tells it
    assert [(fill.quantity, fill.status) for fill in of_order(scene, traded.order)] == [(0, FillStatus.BUSTED)]
    assert (traded.filled, traded.broker_orders[0]["filled"]) == (0, 0)
    assert scene.books() == scene.theirs()
    assert "fill corrected" in scene.call("story", traded.order)

    # and when the gateway tells of it after all, nothing changes, and what had no explanation has one
    scene.gateway.clear()
    scene.handled(scene.start_handler())
    assert (scene.books(), instrument in scene.locks()) == (scene.theirs(), False)


def test_o30_a_commission_that_never_came_is_taken_from_the_statement(scene: TradingScene) -> None:
    # given a trade whose cost is never told
    scene.gateway.fault("drop", message="commissionReport", times=0)
    traded = scene.trade(scene.an_instrument(), 1)
    [fill] = of_order(scene, traded.order)
    assert fill.commission is None
    held, rows = scene.books(), executions(scene)
    [mine] = [row for row in rows if row["order_ref"].startswith(traded.order.removeprefix("IO-"))]

    # when a person reads the statement
    read(scene, *map(row_of, rows), last="2022-10-28")

    # then fill and order know it, and nothing else has changed
    [known] = of_order(scene, traded.order)
    assert float(known.commission or 0) == pytest.approx(mine["commission"])
    assert traded.broker_orders[0]["commission"] == str(known.commission)
    assert (scene.books(), scene.locks()) == (held, {})
    assert (scene.books(), traded.filled) == (scene.theirs(), 1)


def test_o39_a_fill_that_the_broker_no_longer_lists_is_found_in_the_statement(scene: TradingScene) -> None:
    # given an order that fills on a Friday evening, while nobody is connected
    order, run = scene.rest(scene.an_instrument())
    traded = Traded(scene, order, {})
    [sent] = traded.broker_orders
    scene.gateway.fault("unreachable", seconds=4)
    scene.gateway.fault("close")
    until(lambda: scene.link == "down", 10, "the connection is gone")
    scene.fill()
    until(lambda: traded.executed, 10, "it has filled")
    scene.go_to("2022-10-31 08:00")

    # when the service comes back on Monday, then it sees the position, and no execution explains it
    scene.handled(run, 120)
    scene.settle(120)
    assert (traded.filled, "position break" in scene.locks()[sent["instrument"]]) == (0, True)

    # when a person reads the statement
    rows = [row_of(each) for each in executions(scene)]
    said = read(scene, *rows, last="2022-10-31")
    assert "missing here" in said
    assert sent["strategy"] in said

    # then it is booked to its order, at its instant, on the day of its order, and a person is not needed any more
    [fill] = of_order(scene, order)
    assert fill.at.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H") == "2022-10-28 23"
    assert (fill.broker_order, fill.trading_day) == (sent["_id"], sent["trading_day"])
    assert (traded.filled, traded.executed, len(traded.at_gateway)) == (1, 1, 1)
    assert scene.books() == scene.theirs()
    ended = scene.settle(120)
    assert (ended["state"], ended["reason"]) == ("FINISHED", "")
    assert (scene.locks(), traded.broker_orders[0]["lifecycle"]) == ({}, "FILLED")
    assert "none differs" in read(scene, *rows, last="2022-10-31")
