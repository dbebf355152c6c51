"""The book around the touch, and whether a client that follows the messages ends with the same book."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, depth
from simulated_record import later
from simulated_stage import Stage, kinds

from trading.broker.simulated.depth import BookSide, Operation, changes
from trading.broker.simulated.lines import Row
from trading.broker.simulated.permissions import MarketLimits

ROWS = st.lists(st.tuples(st.sampled_from(("1", "2", "3")), st.sampled_from(("10", "20"))), max_size=6).map(tuple)


@given(old=ROWS, new=ROWS)
def test_who_carries_out_every_change_in_order_has_the_new_book(old: tuple[Row, ...], new: tuple[Row, ...]) -> None:
    rows = list(old)
    for change in changes(old, new, BookSide.BID):
        match change.operation:
            case Operation.INSERT:
                rows.insert(change.position, change.row)
            case Operation.UPDATE:
                rows[change.position] = change.row
            case Operation.DELETE:
                del rows[change.position]
    assert tuple(rows) == new


@given(book=ROWS)
def test_a_book_that_stays_is_not_told_again(book: tuple[Row, ...]) -> None:
    assert list(changes(book, book, BookSide.ASK)) == []


def test_a_book_begins_with_inserts_a_tick_apart(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), depth(5, a_contract()))
    assert [message[:7] for message in heard] == [
        ("12", "1", "5", "0", "0", "1", "4349.87"), ("12", "1", "5", "1", "0", "1", "4349.86"),
        ("12", "1", "5", "2", "0", "1", "4349.85"), ("12", "1", "5", "0", "0", "0", "4350.13"),
        ("12", "1", "5", "1", "0", "0", "4350.14"), ("12", "1", "5", "2", "0", "0", "4350.15")]
    assert {len(message) for message in heard} == {8}
    assert all(int(message[7]) >= 10 for message in heard)


def test_a_smart_book_names_the_exchange(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), depth(5, a_contract(), rows=1, smart="1"))
    assert [message[:4] + message[4:8] for message in heard] == [
        ("13", "1", "5", "0", "CME", "0", "1", "4349.87"), ("13", "1", "5", "0", "CME", "0", "0", "4350.13")]
    assert {(len(message), message[-1]) for message in heard} == {(10, "1")}


def test_a_new_price_updates_every_row(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, depth(5, a_contract(), rows=1))
    stage.move_to(later(5))
    assert client.take_outbox() == []
    stage.move_to(later(10))
    assert [message[3:7] for message in client.take_outbox()] == [
        ("0", "1", "1", "4339.87"), ("0", "1", "0", "4340.13")]


def test_the_same_price_always_has_the_same_size(stage: Stage) -> None:
    first, second = stage.a_client(1), stage.a_client(2)
    assert stage.ask(first, depth(5, a_contract())) == stage.ask(second, depth(5, a_contract()))


def test_a_contract_without_prices_has_an_empty_book(stage: Stage) -> None:
    assert stage.ask(stage.a_client(), depth(5, a_contract(symbol="ZC", exchange="CBOT", month="202206"))) == []


def test_a_fourth_book_is_one_too_many(stage: Stage) -> None:
    client = stage.a_client()
    for req_id in (1, 2, 3):
        stage.ask(client, depth(req_id, a_contract()))
    refused, = stage.ask(client, depth(4, a_contract()))
    assert refused[3:5] == ("309", "Max number (3) of market depth requests has been reached")
    assert stage.ask(client, ["11", "1", "3", "0"]) == []
    assert len(stage.ask(client, depth(4, a_contract()))) == 6


def test_the_number_of_books_is_a_setting(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"limits": MarketLimits(depths=0)})
    assert kinds(stage.ask(stage.a_client(), depth(1, a_contract()))) == ["error 309"]


@pytest.mark.parametrize(("fields", "answer"), [
    (["11", "1", "5", "0"], "error 310"), (depth(5, a_contract(), rows=0), "error 321"),
    (depth(5, a_contract(symbol="XX")), "error 200")])
def test_a_book_that_is_not_there_is_refused(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_a_book_id_in_use_is_a_duplicate(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, depth(5, a_contract()))
    assert kinds(stage.ask(client, depth(5, a_contract()))) == ["error 102"]


def test_the_exchanges_with_books_are_those_that_list_something(stage: Stage) -> None:
    answer, = stage.ask(stage.a_client(), ["82"])
    assert answer[:2] == ("80", "4")
    assert answer[2::5] == ("CBOT", "CME", "EUREX", "IDEALPRO")
