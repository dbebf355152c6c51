"""A position ends with its contract: in cash, at the last price, with no order and for every watcher to see."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from simulated_messages import place_order
from simulated_record import ACCOUNT
from simulated_stage import Stage, kinds

OTHER = "DU0000002"
LAST_DAY = datetime.fromisoformat("2021-12-17T12:00:00+00:00")


def test_a_position_is_settled_on_the_day_after_its_contract_ended(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3"))
    stage.ask(client, ["61", "1"])
    expiry = next(iter(stage.gateway.book.contracts.values())).expiry
    day = datetime.strptime(expiry, "%Y%m%d").replace(hour=12, tzinfo=LAST_DAY.tzinfo)

    stage.move_to(day)
    assert [held.quantity for held in stage.gateway.book.account(ACCOUNT).open_holdings()] == [3]
    worth = stage.gateway.statement(ACCOUNT).net_liquidation
    client.take_outbox()

    stage.move_to(day + timedelta(days=1))
    assert stage.gateway.book.account(ACCOUNT).open_holdings() == []
    assert [message[14] for message in client.take_outbox() if message[0] == "61"] == ["0"]
    assert stage.gateway.statement(ACCOUNT).net_liquidation == pytest.approx(worth)


def test_a_settlement_is_no_execution_of_anybody_and_survives_a_restart(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3", action="SELL"))
    stage.move_to(LAST_DAY + timedelta(days=30))
    assert kinds(stage.ask(client, ["7", "3", "1", "0", "", "", "", "", "", ""])) == ["55"]
    before = stage.gateway.book
    stage.restart()
    assert stage.gateway.book == before
    assert stage.gateway.book.account(ACCOUNT).open_holdings() == []


def test_each_account_is_settled_with_its_own_position(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"more_accounts": (OTHER,)})
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3", account=ACCOUNT))
    stage.ask(client, place_order(2, quantity="3", action="SELL", account=OTHER))
    stage.move_to(LAST_DAY + timedelta(days=30))
    book = stage.gateway.book
    assert [own.open_holdings() for own in book.accounts.values()] == [[], []]
    assert sorted(fill.account for fill in book.executions) == [ACCOUNT, ACCOUNT, OTHER, OTHER]
