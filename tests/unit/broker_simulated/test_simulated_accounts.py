"""Positions and values by request, summaries, and several accounts."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, place_order
from simulated_record import ACCOUNT, later
from simulated_stage import Stage, kinds

OTHER = "DU0000002"
EVERY_TAG = (
    "AccountType", "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower",
    "EquityWithLoanValue", "PreviousDayEquityWithLoanValue", "GrossPositionValue", "RegTEquity", "RegTMargin", "SMA",
    "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity", "Cushion", "FullInitMarginReq",
    "FullMaintMarginReq", "FullAvailableFunds", "FullExcessLiquidity", "LookAheadNextChange",
    "LookAheadInitMarginReq", "LookAheadMaintMarginReq", "LookAheadAvailableFunds", "LookAheadExcessLiquidity",
    "HighestSeverity", "DayTradesRemaining", "DayTradesRemainingT+1", "DayTradesRemainingT+2",
    "DayTradesRemainingT+3", "DayTradesRemainingT+4", "Leverage")


@pytest.fixture
def two(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state", options={"more_accounts": (OTHER,)})


def test_positions_by_request_name_request_and_model(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, contract=a_contract()))
    stage.move_to(later(1))
    client.take_outbox()
    row, end = stage.ask(client, ["74", "1", "5", ACCOUNT, "mine"])
    con_id = str(stage.gateway.book.account(ACCOUNT).open_holdings()[0].con_id)
    assert row == ("71", "1", "5", ACCOUNT, con_id, "ES", "FUT", "20211217", "0.0", "", "50", "", "USD", "ESZ1", "ES",
                   "1", "217508.5", "mine")
    assert end == ("72", "1", "5")


def test_positions_by_request_hear_of_fills_until_cancelled(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, ["74", "1", "5", "", ""])
    stage.ask(client, place_order(1, contract=a_contract()))
    stage.move_to(later(1))
    stage.ask(client, ["75", "1", "5"])
    stage.ask(client, place_order(2, contract=a_contract()))
    stage.move_to(later(2))
    assert "71" not in kinds(client.take_outbox())


def test_a_fill_is_pushed_to_positions_by_request(stage: Stage) -> None:
    watcher, trader = stage.a_client(1), stage.a_client(2)
    stage.ask(watcher, ["74", "1", "5", "", ""])
    stage.ask(trader, place_order(1, contract=a_contract()))
    stage.move_to(later(1))
    assert [message[15] for message in watcher.take_outbox() if message[0] == "71"] == ["1"]


@pytest.mark.parametrize("fields", [
    ["74", "1", "5", "DU9", ""], ["76", "1", "5", "DU9", "", "0"], ["6", "2", "1", "DU9"],
    ["62", "1", "5", "Everybody", "NetLiquidation"]])
def test_a_strange_account_or_group_is_refused(stage: Stage, fields: list[str]) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == ["error 321"]


def test_every_tag_of_a_summary_is_answered_once(stage: Stage) -> None:
    *rows, end = stage.ask(stage.a_client(), ["62", "1", "5", "All", ",".join(EVERY_TAG)])
    assert sorted(row[4] for row in rows) == sorted(EVERY_TAG)
    assert {len(row) for row in rows} == {7}
    assert end == ("64", "1", "5")


@pytest.mark.parametrize(("tag", "currencies"), [
    ("$LEDGER", {"BASE"}), ("$LEDGER:USD", {"USD"}), ("$LEDGER:ALL", {"USD", "BASE"}), ("NetLiquidation", {"USD"})])
def test_the_ledger_shows_the_currencies_that_were_named(stage: Stage, tag: str, currencies: set[str]) -> None:
    *rows, _ = stage.ask(stage.a_client(), ["62", "1", "5", "All", tag])
    assert {row[6] for row in rows} == currencies


def test_values_by_request_come_again_after_a_fill_until_cancelled(stage: Stage) -> None:
    watcher, trader = stage.a_client(1), stage.a_client(2)
    stage.ask(watcher, ["76", "1", "5", ACCOUNT, "", "0"])
    stage.ask(trader, place_order(1, contract=a_contract()))
    stage.move_to(later(1))
    assert "73" in kinds(watcher.take_outbox())
    stage.ask(watcher, ["77", "1", "5"])
    stage.ask(trader, place_order(2, contract=a_contract()))
    stage.move_to(later(2))
    assert "73" not in kinds(watcher.take_outbox())


def test_each_account_has_its_own_positions_and_values(two: Stage) -> None:
    client = two.a_client()
    two.ask(client, place_order(1, contract=a_contract(), account=OTHER))
    two.move_to(later(1))
    client.take_outbox()
    rows = [row for row in two.ask(client, ["61", "1"]) if row[0] == "61"]
    assert [(row[2], row[14]) for row in rows] == [(OTHER, "1")]
    summary = two.ask(client, ["62", "1", "5", "All", "NetLiquidation"])
    assert [row[3:6] for row in summary[:-1]] == [(ACCOUNT, "NetLiquidation", "5000000.00"),
                                                  (OTHER, "NetLiquidation", "4999991.50")]
    assert two.ask(client, ["92", "6", ACCOUNT, ""])[0][2] == "0"
    assert two.ask(client, ["92", "7", OTHER, ""])[0][2] == "-8.5"


def test_the_updates_of_another_account_end_those_of_the_first(two: Stage) -> None:
    client = two.a_client()
    two.ask(client, ["6", "2", "1", ACCOUNT])
    heard = two.ask(client, ["6", "2", "1", OTHER])
    assert kinds(heard)[0] == "error 2100"
    assert {row[5] for row in heard if row[0] == "6"} == {OTHER}
    assert heard[-1] == ("54", "1", OTHER)


def test_all_accounts_are_named(two: Stage) -> None:
    assert two.ask(two.a_client(), ["17", "1"]) == [("15", "1", f"{ACCOUNT},{OTHER}")]


def test_an_account_realises_only_what_it_has_bought_itself(two: Stage) -> None:
    client = two.a_client()
    two.ask(client, place_order(1, quantity="2", account=ACCOUNT))
    two.ask(client, place_order(2, quantity="2", action="SELL", account=OTHER))
    two.ask(client, place_order(3, quantity="2", action="SELL", account=ACCOUNT))
    assert [fill.realised is None for fill in two.gateway.book.executions] == [True, True, False]


def test_an_account_is_rejected_for_its_own_funds(two: Stage) -> None:
    client = two.a_client()
    two.ask(client, place_order(1, quantity="200", account=ACCOUNT))
    assert "error 201" in kinds(two.ask(client, place_order(2, quantity="200", account=ACCOUNT)))
    assert "error 201" not in kinds(two.ask(client, place_order(3, quantity="200", account=OTHER)))
