"""What a client hears about its orders, message by message (ib_wire.md 3.1 and 3.4)."""

from datetime import UTC, datetime, timedelta

import pytest
from simulated_messages import a_contract, place_order
from simulated_record import ACCOUNT, NOON, later
from simulated_stage import Stage, kinds

FILLED = ["5", "status PreSubmitted", "11", "5", "status Filled", "5", "status Filled", "59"]
RESTING = ["5", "status PreSubmitted", "5", "status Submitted"]
SATURDAY = datetime(2021, 10, 16, 10, 0, tzinfo=UTC)


def a_limit(order_id: int, limit: str, **terms: str) -> list[str]:
    return place_order(order_id, order_type="LMT", limit=limit, **terms)


def test_a_market_order_fills_at_the_touch_in_the_captured_sequence(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), place_order(1, quantity="2", ref="mine"))
    assert kinds(heard) == FILLED
    execution = heard[2]
    assert execution[1:3] == ("-1", "1")
    assert (execution[18:21], execution[26]) == (("BOT", "2", "4350.13"), "mine")


def test_a_limit_above_the_ask_gets_the_better_price(stage: Stage) -> None:
    stage.ask(stage.a_client(), a_limit(1, "4355"))
    assert [fill.price for fill in stage.gateway.book.executions] == [4350.13]


def test_a_resting_order_fills_when_the_record_comes_to_its_price(stage: Stage) -> None:
    client = stage.a_client()
    assert kinds(stage.ask(client, a_limit(1, "4341"))) == RESTING
    stage.move_to(later(5))
    assert client.take_outbox() == []
    stage.move_to(later(11))
    assert kinds(client.take_outbox()) == FILLED[2:]
    assert stage.gateway.book.executions[0].price == 4340.13


def test_a_modified_order_keeps_its_permanent_id(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, a_limit(1, "4300"))
    heard = stage.ask(client, a_limit(1, "4301"))
    assert kinds(heard) == ["5", "status Submitted"]
    assert (heard[0][16], len(stage.gateway.book.orders)) == ("4301", 1)


def test_a_modification_does_not_trade_on_the_past(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, a_limit(1, "4300"))
    stage.move_to(later(25))
    stage.ask(client, a_limit(1, "4345"))
    assert stage.gateway.book.executions == []


def test_a_cancel_is_announced_confirmed_then_explained(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, a_limit(1, "4300"))
    assert kinds(stage.ask(client, ["4", "1", "1", ""])) == ["status PendingCancel", "status Cancelled", "error 202"]


def test_a_cancel_that_cannot_be_done_says_why(stage: Stage) -> None:
    client, other = stage.a_client(8), stage.a_client(9)
    stage.ask(client, place_order(1))
    stage.ask(client, a_limit(2, "4300"))
    stage.ask(client, ["4", "1", "2", ""])
    answers = [kinds(stage.ask(who, ["4", "1", number, ""]))
               for who, number in ((client, "1"), (client, "2"), (client, "77"), (other, "1"))]
    assert answers == [["error 161"], ["error 10148"], ["error 10147"], ["error 10147"]]


def test_a_global_cancel_reaches_the_orders_of_all_clients(stage: Stage) -> None:
    client, other = stage.a_client(8), stage.a_client(9)
    stage.ask(client, a_limit(1, "4300"))
    stage.ask(other, a_limit(1, "4301"))
    stage.ask(other, ["58", "1"])
    assert stage.gateway.book.open_orders() == []
    assert kinds(client.take_outbox()) == ["status PendingCancel", "status Cancelled", "error 202"]


REFUSALS = {
    "an unknown contract": (place_order(5, contract=a_contract(symbol="XX")), 200),
    "several months": (place_order(5, contract=a_contract(month="")), 200),
    "a missing exchange": (place_order(5, contract=a_contract(exchange="")), 321),
    "a price off the tick": (a_limit(5, "4350.005"), 110),
    "a size of zero": (place_order(5, quantity="0"), 434),
    "a fractional size": (place_order(5, quantity="1.5"), 388),
    "an unknown type": (place_order(5, order_type="REL"), 387),
    "a stop order without a stop": (place_order(5, order_type="STP"), 321),
    "a trailing order without an amount": (place_order(5, order_type="TRAIL"), 321),
    "a limit order without limit": (a_limit(5, ""), 321),
    "another account": (place_order(5, account="DU9"), 321),
    "an unknown time in force": (place_order(5, tif="ABC"), 321),
    "a date without a date": (place_order(5, tif="GTD"), 321),
    "a child of nobody": (place_order(5, parent="4"), 10006),
    "a combination of one leg": (place_order(5, contract=a_contract(sec_type="BAG")), 321),
    "an unknown algorithm": (place_order(5, algo=("Twap", "0")), 439),
    "an unknown priority": (place_order(5, algo=("Adaptive", "1", "adaptivePriority", "Soon")), 441),
    "an unknown attribute": (place_order(5, algo=("Adaptive", "1", "speed", "1")), 443),
    "an algorithm for longer than a day": (
        place_order(5, tif="GTC", algo=("Adaptive", "1", "adaptivePriority", "Normal")), 442),
    "an algorithm for a stop": (
        place_order(5, order_type="STP", aux="4400", algo=("Adaptive", "1", "adaptivePriority", "Normal")), 442),
    "a margin condition": (place_order(5, conditions=("1", "4", "a", "0", "30")), 321),
    "an untransmitted question": (place_order(5, what_if="1", transmit="0"), 413),
    "an id that is too large": (place_order(2**31), 320),
    "an id of zero": (place_order(0), 103),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refused_order_never_exists(stage: Stage, case: str) -> None:
    fields, code = REFUSALS[case]
    assert kinds(stage.ask(stage.a_client(), fields)) == [f"error {code}"]
    assert stage.gateway.book.orders == {}


def test_an_id_that_was_used_is_refused(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(7))
    assert [kinds(stage.ask(client, a_limit(number, "4300"))) for number in (6, 7)] == [["error 103"], ["error 104"]]


def test_a_modification_may_not_change_the_side(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, a_limit(1, "4300"))
    assert kinds(stage.ask(client, a_limit(1, "4300", action="SELL"))) == ["error 105"]


def test_an_expired_contract_is_rejected_as_inactive(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), place_order(1, contract=a_contract(month="202109")))
    assert kinds(heard) == ["error 201", "5", "status Inactive"]


def test_an_order_at_the_weekend_is_held_until_monday(stage: Stage) -> None:
    stage.clock.instant = SATURDAY
    client = stage.a_client()
    assert kinds(stage.ask(client, place_order(1))) == ["5", "status PreSubmitted", "error 399"]
    stage.move_to(SATURDAY + timedelta(days=2))
    assert kinds(client.take_outbox()) == FILLED[2:]
    assert stage.gateway.book.executions[0].time == datetime(2021, 10, 17, 23, 0, tzinfo=UTC)


def test_a_day_order_expires_with_its_day_and_a_gtc_order_stays(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, a_limit(1, "4300"))
    stage.ask(client, a_limit(2, "4300", tif="GTC"))
    stage.move_to(NOON + timedelta(days=1))
    assert kinds(client.take_outbox()) == ["status Cancelled", "error 202"]
    assert [order.order_id for order in stage.gateway.book.open_orders()] == [2]


def test_what_if_answers_with_numbers_and_creates_nothing(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), place_order(1, what_if="1"))
    assert kinds(heard) == ["5"]
    assert "21750" in heard[0]
    assert stage.gateway.book.orders == {}


def test_a_small_currency_order_is_warned_of_and_moves_cash(stage: Stage) -> None:
    pair = a_contract(symbol="EUR", sec_type="CASH", month="", exchange="IDEALPRO", currency="USD")
    heard = stage.ask(stage.a_client(), place_order(1, quantity="1000", contract=pair))
    assert kinds(heard)[:3] == ["5", "status PreSubmitted", "error 399"]
    assert stage.gateway.book.account(ACCOUNT).cash()["EUR"] == 1000
    assert stage.gateway.book.account(ACCOUNT).open_holdings() == []


def test_open_orders_are_shown_to_their_owner_and_all_to_who_asks_for_all(stage: Stage) -> None:
    client, other = stage.a_client(8), stage.a_client(9)
    stage.ask(client, a_limit(1, "4300"))
    assert kinds(stage.ask(other, ["5", "1"])) == ["53"]
    assert kinds(stage.ask(other, ["16", "1"])) == ["5", "status Submitted", "53"]


def test_executions_can_be_filtered_and_vanish_at_midnight(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1))
    everything, other_symbol = [["7", "3", "9", "0", "", "", symbol, "", "", ""] for symbol in ("", "ZC")]
    assert kinds(stage.ask(client, everything)) == ["11", "55", "59"]
    assert kinds(stage.ask(client, other_symbol)) == ["55"]
    stage.move_to(NOON + timedelta(days=1))
    assert kinds(stage.ask(client, everything)) == ["55"]
    assert kinds(stage.ask(client, ["99", "0"])) == ["102"]
    assert kinds(stage.ask(client, ["61", "1"])) == ["61", "62"]


def test_a_completed_order_shows_quantity_zero_and_its_filled_size(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3"))
    completed, end = stage.ask(client, ["99", "0"])
    assert (end, completed[13]) == (("102",), "0")
    assert "Filled Size: 3" in completed


def test_positions_are_pushed_after_each_fill_and_once_when_flat(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, ["61", "1"])
    opened = stage.ask(client, place_order(1, quantity="2"))[-1]
    closed = stage.ask(client, place_order(2, action="SELL", quantity="2"))[-1]
    assert (opened[0], opened[14:]) == ("61", ("2", "217508.5"))
    assert (closed[0], closed[14:]) == ("61", ("0", "0"))
    assert kinds(stage.ask(client, ["61", "1"])) == ["62"]
