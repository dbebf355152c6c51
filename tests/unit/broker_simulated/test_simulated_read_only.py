"""A gateway that may only be read (case C33): orders are refused with 321, their lists as it is set."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, place_order
from simulated_stage import Stage, kinds

from trading.broker.simulated.read_only import ReadOnly

REST = {"order_type": "LMT", "limit": "4000", "tif": "GTC"}
LISTS = {"open orders": ["5", "1"], "all open orders": ["16", "1"], "completed orders": ["99", "0"],
         "binding": ["15", "1", "1"]}


def a_stage(folder: Path, mode: ReadOnly) -> Stage:
    """An order rests already, another has filled, from before the box was ticked."""
    before = Stage(folder)
    client = before.a_client(0)
    before.ask(client, place_order(1, **REST))
    before.ask(client, place_order(2))
    before.world.close()
    return Stage(folder, options={"read_only": mode})


@pytest.mark.parametrize("mode", [ReadOnly.ORDERS_SHOWN, ReadOnly.ORDERS_HIDDEN])
@pytest.mark.parametrize(("request_fields", "about"), [
    (place_order(3), "3"), (place_order(3, what_if="1"), "3"), (place_order(1, **REST | {"limit": "4001"}), "1"),
    (["4", "1", "1", ""], "1"), (["58", "1"], "-1")])
def test_c33_requests_about_orders_are_refused(tmp_path: Path, mode: ReadOnly, request_fields: list[str],
                                               about: str) -> None:
    stage = a_stage(tmp_path, mode)
    before = list(stage.gateway.book.orders.values())
    refusal, = stage.ask(stage.a_client(0), request_fields)
    assert refusal[2:4] == (about, "321")
    assert "Read-Only mode" in refusal[4]
    assert list(stage.gateway.book.orders.values()) == before


def test_c33_the_id_of_a_cancel_is_told_at_the_last_version_too(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, ReadOnly.ORDERS_SHOWN)
    refusal, = stage.ask(stage.a_client(0, version=200), ["4", "1", "", "", ""])
    assert refusal[1:3] == ("1", "321")


@pytest.mark.parametrize("asked", LISTS)
def test_c33_lists_of_orders_are_told_or_refused_as_it_is_set(tmp_path: Path, asked: str) -> None:
    shown, hidden = (a_stage(tmp_path / mode, mode) for mode in (ReadOnly.ORDERS_SHOWN, ReadOnly.ORDERS_HIDDEN))
    assert "error 321" not in kinds(shown.ask(shown.a_client(0), LISTS[asked]))
    assert kinds(hidden.ask(hidden.a_client(0), LISTS[asked])) == ["error 321"]


@pytest.mark.parametrize(("request_fields", "answer"), [
    (["7", "3", "5", "0", "", "", "", "", "", ""], ["11", "55", "59"]), (["61", "1"], ["61", "62"]),
    (["9", "8", "1", *a_contract(), "0", "", "", ""], ["10", "52"])])
def test_c33_whatever_is_no_order_is_told(tmp_path: Path, request_fields: list[str], answer: list[str]) -> None:
    stage = a_stage(tmp_path, ReadOnly.ORDERS_HIDDEN)
    assert kinds(stage.ask(stage.a_client(0), request_fields)) == answer


def test_without_the_box_nothing_is_refused(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, ReadOnly.OFF)
    assert "error 321" not in kinds(stage.ask(stage.a_client(0), place_order(3)))
