"""What trading cost, from a real store: in the day's report and on a terminal."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from moved_clock import MovedClock
from trading_desk_scene import SP, Scene
from trading_terminal import DeskService, Terminal

from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.instruments import MongoInstruments
from trading.data.mongo.prices import MongoFuturesContractPriceData
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.order_ids import broker_order_id
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import spawn
from trading.objects.contracts import Contract
from trading.reports import cost_report
from trading.reports.report import Report, as_html, as_text
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
DAY, SEPTEMBER = "2026-03-02", "SP500/20260900"
A_ROLL = {"kind": OrderKind.ROLL, "quantity": 0, "roll_from": SP, "roll_to": SEPTEMBER, "roll_quantity": 4}


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    """An instrument for which the backtest charges an eighth of a point."""
    found = Scene(store)
    instruments = MongoInstruments(store)
    records = instruments.load_all()
    instruments.save_all({code: replace(record, instrument=replace(record.instrument, slippage=0.125))
                          for code, record in records.items()})
    prices_of(store, SP, 5000.0, 5003.0)
    prices_of(store, SEPTEMBER, 5020.0, 5023.0)
    return found


def prices_of(store: MongoStore, contract: str, yesterday: float, today: float) -> None:
    index = pd.DatetimeIndex([NOW - timedelta(days=1), NOW + timedelta(hours=1)]).as_unit("ms")
    frame = pd.DataFrame({name: [yesterday, today] for name in ("OPEN", "HIGH", "LOW", "FINAL")} | {
        "VOLUME": [10.0, 10.0]}, index=index)
    MongoFuturesContractPriceData(store).append(Contract.parse(contract), frame)


def an_order(scene: Scene, number: int, filled: int, price: str = "5001", **changes: Any) -> None:
    """Five lots, decided at 5000 in June, met 5000.50 to 5001.00; `filled` of them at `price`."""
    parent = scene.an_order(number, **{"reference_price": Decimal(5000), "reference_contract": "20260600",
                                       "reference_at": NOW - timedelta(hours=1)} | changes)
    scene.orders.spawned(*spawn(parent, changes.get("contract", SP), NOW))
    for leg in scene.orders.contract_orders_of(parent.id):
        order = scene.orders.add_broker_order(replace(leg, next_child=2), BrokerOrder(
            id=broker_order_id(leg), parent=leg.id, account="DU1", strategy=leg.strategy, instrument=leg.instrument,
            contract=leg.contract, con_id=40, exchange="CME", kind=leg.kind, quantity=leg.quantity, order_type="LMT",
            limit_price=Decimal("5001.00"), time_in_force="DAY", bid=Decimal("5000.50"), ask=Decimal("5001.00"),
            mid=Decimal("5000.75"), tick=Decimal("0.25"), trading_day=DAY, created=NOW, sent=NOW,
            lifecycle=BrokerLifecycle.WORKING))
        if filled:
            lots = filled if leg.quantity > 0 else -filled
            scene.books.apply_fill(Fill(
                id=f"DU1/{order.id}", execution_id=f"{order.id}.01", revision=1, broker_order=order.id,
                contract=leg.contract, con_id=40, quantity=lots, price=Decimal(price), at=NOW + timedelta(seconds=9),
                trading_day=DAY))
            scene.books.apply_commission(f"DU1/{order.id}", Decimal("10.25"), "USD")
    for leg in scene.orders.contract_orders_of(parent.id):
        scene.orders.save_contract_order(leg.moved(Lifecycle.CLOSED, CloseReason.FILLED))


def the_report(scene: Scene) -> Report:
    data = DataBlob(store=scene.store, clock=MovedClock(NOW), socket=Path("none.sock"))
    return cost_report.collect(data, DAY, "USD", "UTC")


def rows_of(report: Report, heading: str) -> list[dict[str, Any]]:
    section, = (each for each in report.sections if each.heading.startswith(heading))
    return [{str(name): value for name, value in row.items()} for row in section.table.to_dict("records")]


def note_of(report: Report, heading: str) -> str:
    return next(each.note for each in report.sections if each.heading.startswith(heading))


def test_each_part_of_an_order_of_the_day_is_told(scene: Scene) -> None:
    # given five lots of which four were filled at the offer, and a close at 5003
    an_order(scene, 1, filled=4)

    # then: 4 x 0.75 x 50, 4 x 0.25 x 50, 1 x 3 x 50, and the commission
    row, = rows_of(the_report(scene), "Orders of the day")
    assert {name: row[name] for name in ("delay", "timing", "half", "exec", "left", "fees", "total")} == {
        "delay": 150, "timing": 0, "half": 50, "exec": 0, "left": 150, "fees": 10.25, "total": 360.25}
    assert (row["contract"], row["lots"], row["filled"], row["ticks"]) == (SP, 5, 4, 360.25 / 50 / 5 / 0.25)


def test_a_decision_in_another_contract_is_moved_to_the_traded_one(scene: Scene) -> None:
    """September was twenty points above June when both were last known; so the decision was at 5020 there."""
    an_order(scene, 1, filled=5, contract=SEPTEMBER)
    row, = rows_of(the_report(scene), "Orders of the day")
    assert row["delay"] == 5 * 50 * (5000.75 - 5020)


def test_a_decision_without_a_price_leaves_its_delay_open_and_is_counted(scene: Scene) -> None:
    an_order(scene, 1, filled=5, reference_price=None, reference_contract=None, reference_at=None)
    an_order(scene, 2, filled=5)
    report = the_report(scene)
    assert [row["delay"] for row in rows_of(report, "Orders of the day")][1] == 187.5
    assert pd.isna(rows_of(report, "Orders of the day")[0]["delay"])
    assert note_of(report, "Not known") == "Of 2 orders: delay of 1, total of 1. A price or a commission is missing."


def test_the_legs_of_a_roll_are_one_trade_and_no_outright(scene: Scene) -> None:
    an_order(scene, 1, filled=4, **A_ROLL, price="5000.75")
    report = the_report(scene)
    roll, = rows_of(report, "Rolls")
    assert {name: roll[name] for name in ("lots", "delay", "half", "exec", "total")} == {
        "lots": 4, "delay": 0, "half": 100, "exec": -100, "total": 20.5}
    assert rows_of(report, "By instrument") == []


def test_an_instrument_that_is_dearer_than_its_backtest_is_found(scene: Scene) -> None:
    an_order(scene, 1, filled=5)
    assert note_of(the_report(scene), "Beside the backtest").endswith(
        "SP500 cost 0.25 points a lot over 1 orders (5 lots), 2.0 times the 0.125 that the backtest charges. Raise its "
        "slippage, or trade it more patiently.")


def test_a_day_without_orders_is_a_report_too(scene: Scene) -> None:
    report = the_report(scene)
    assert "Orders of the day\n-----------------\nNo order was sent.\n" in as_text(report)
    assert "All parts of all 0 orders are known." in as_html(report)


@pytest.fixture
def terminal(scene: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], server: str) -> Iterator[Terminal]:
    found = Terminal(tmp_path, capfd, scene.store.database.name)
    with DeskService(found.state, scene.store, server):
        yield found


def test_the_command_tells_the_same(scene: Scene, terminal: Terminal) -> None:
    an_order(scene, 1, filled=4)
    an_order(scene, 2, filled=5, instrument="GOLD", contract="GOLD/20260400")
    assert terminal("tca", "--day", DAY, "--instrument", "SP500") == 0
    assert "360.25" in terminal.out
    assert "GOLD" not in terminal.out
    told = terminal.json("tca", "--day", DAY)
    assert [row["contract"] for row in told["orders of the day"]] == [SP, "GOLD/20260400"]
    assert {row["of"]: row["orders"] for row in told["by instrument"]} == {"SP500": 1, "GOLD": 1}


def test_days_that_are_long_past_are_not_among_the_last_ones(scene: Scene, terminal: Terminal) -> None:
    an_order(scene, 1, filled=5)
    assert terminal.json("tca", "--day", "2026-03-03", "--days", "1")["by instrument"] == "No order was sent."
    assert terminal.json("tca", "--day", "2026-03-03", "--days", "2")["by instrument"][0]["orders"] == 1


@pytest.mark.parametrize(("words", "said"), [
    (("--instrument", "CORN"), "There is no instrument CORN (there: GOLD, SP500)."),
    (("--day", "yesterday"), "yesterday is no day; write it as in 2026-03-02.")])
def test_what_cannot_be_told_is_said(scene: Scene, terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    assert terminal("tca", *words) == 2
    assert said in terminal.err
