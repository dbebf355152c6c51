"""The world survives a restart, is readable from outside, and belongs to one gateway at a time."""

from pathlib import Path

import pytest
from simulated_messages import place_order
from simulated_stage import Stage, kinds

from trading.broker.simulated.world import (
    HeldPosition,
    StateInUse,
    World,
    read_executions,
    read_orders,
    read_positions,
)


def test_orders_fills_and_ids_survive_a_restart(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(4, quantity="2"))
    stage.ask(client, place_order(5, order_type="LMT", limit="4300.5", tif="GTC", ref="rest"))
    before = stage.gateway.book
    stage.restart()
    assert stage.gateway.book == before
    assert stage.gateway.book.next_order_id(8) == 6


def test_an_order_that_was_acknowledged_but_not_filled_fills_after_a_restart(stage: Stage) -> None:
    stage.a_client().receive(place_order(1))
    stage.restart()
    client = stage.a_client()
    stage.gateway.poll()
    assert kinds(client.take_outbox())[0] == "11"


def test_the_files_tell_what_is_held_while_the_gateway_runs(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, quantity="2"))
    held, = read_positions(stage.folder)
    assert held == HeldPosition(account="DU0000001", con_id=held.con_id, symbol="ES", exchange="CME", currency="USD",
                                month="202112", multiplier="50", quantity=2, average_cost=217508.5)
    assert [order.status for order in read_orders(stage.folder)] == ["Filled"]
    assert [fill.shares for fill in read_executions(stage.folder)] == [2]


def test_a_flat_position_is_not_listed(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1))
    stage.ask(client, place_order(2, action="SELL"))
    assert read_positions(stage.folder) == []


def test_a_folder_where_no_gateway_ran_holds_nothing(tmp_path: Path) -> None:
    assert (read_positions(tmp_path), read_orders(tmp_path), read_executions(tmp_path)) == ([], [], [])


def test_two_gateways_cannot_share_a_folder(stage: Stage) -> None:
    with pytest.raises(StateInUse, match="Another simulated gateway is running on"):
        World(stage.folder)
