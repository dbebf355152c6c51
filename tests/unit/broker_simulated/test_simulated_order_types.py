"""Orders that sleep, follow, cancel each other, or are several contracts at once; and sizes larger than the touch."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, place_order
from simulated_record import NOON, later
from simulated_stage import Stage, kinds

from trading.broker.simulated.listing import Touch
from trading.broker.simulated.matching import Offer, sweep
from trading.broker.simulated.orders import Action, Order, OrderStatus
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.session import Session

FOREVER = {"tif": "GTC"}  # the price: 4350 at noon, 4340 at 12:10, 4360 at 12:20
NEAR, FAR = "202112", "202203"


def state_of(stage: Stage, order_id: int) -> tuple[str, float]:
    order = stage.gateway.book.order_of(8, order_id)
    assert order is not None
    return order.status.value, order.average_price


def after(stage: Stage, minutes: float) -> None:
    stage.move_to(later(minutes))


@pytest.mark.parametrize(("order_type", "action", "aux", "minutes", "price"), [
    ("STP", "SELL", "4345", 10, 4339.87),
    ("STP", "BUY", "4355", 20, 4360.13),
    ("MIT", "BUY", "4345", 10, 4340.13),
    ("MIT", "SELL", "4355", 20, 4359.87),
])
def test_an_order_wakes_when_the_last_price_reaches_its_level(stage: Stage, order_type: str, action: str, aux: str,
                                                              minutes: int, price: float) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type=order_type, action=action, aux=aux, **FOREVER))
    after(stage, minutes - 1)
    assert state_of(stage, 1) == ("PreSubmitted", 0.0)
    after(stage, minutes)
    assert state_of(stage, 1) == ("Filled", price)


def test_a_woken_stop_limit_works_at_its_limit_only(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="STP LMT", action="SELL", aux="4345", limit="4350", **FOREVER))
    after(stage, 10)
    assert state_of(stage, 1) == ("Submitted", 0.0)
    assert kinds(client.take_outbox()) == ["5", "status Submitted"]
    after(stage, 20)
    assert state_of(stage, 1) == ("Filled", 4359.87)


@pytest.mark.parametrize("terms", [{"aux": "15"}, {"trailing_percent": "0.3"}, {"aux": "99", "trail_stop": "4346"}])
def test_a_trailing_stop_follows_the_best_price(stage: Stage, terms: dict[str, str]) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="TRAIL", action="SELL", **terms, **FOREVER))
    after(stage, 10)
    woken = terms != {"aux": "15"} and "trailing_percent" not in terms
    assert state_of(stage, 1)[0] == ("Filled" if woken else "PreSubmitted")


def test_a_trailing_limit_order_stands_its_offset_beyond_the_stop(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="TRAIL LIMIT", action="SELL", aux="5", limit_offset="2",
                                            **FOREVER))
    after(stage, 10)
    order = stage.gateway.book.order_of(8, 1)
    assert order is not None
    assert (order.status, order.limit_price) == (OrderStatus.SUBMITTED, Decimal("4343.00"))


def test_an_order_on_the_close_fills_with_the_last_price_of_its_session(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="MOC"))
    after(stage, 600)
    assert state_of(stage, 1)[0] == "PreSubmitted"
    after(stage, 660)
    assert state_of(stage, 1) == ("Filled", 4360.13)


def test_a_limit_on_the_close_that_is_too_low_is_cancelled(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="LOC", limit="4350"))
    after(stage, 660)
    assert state_of(stage, 1)[0] == "Cancelled"


@pytest.mark.parametrize(("tif", "limit", "end"), [
    ("IOC", "4340", ("Cancelled", 0)), ("IOC", "4350.13", ("Cancelled", 100)), ("FOK", "4350.13", ("Cancelled", 0)),
    ("FOK", "4351", ("Filled", 150))])
def test_at_once_or_not_at_all(stage: Stage, tif: str, limit: str, end: tuple[str, int]) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="LMT", limit=limit, quantity="150", tif=tif))
    order = stage.gateway.book.order_of(8, 1)
    assert order is not None
    assert (order.status.value, order.filled) == end


def test_an_order_that_is_good_until_a_date_ends_then(stage: Stage) -> None:
    until = {"tif": "GTD", "good_till": "20211013-12:05:00"}
    stage.ask(stage.a_client(), place_order(1, order_type="LMT", limit="4000", **until))
    after(stage, 4)
    assert state_of(stage, 1)[0] == "Submitted"
    after(stage, 5)
    assert state_of(stage, 1)[0] == "Cancelled"


def test_a_large_market_order_goes_deeper_into_the_book(stage: Stage) -> None:
    client = stage.a_client()
    heard = stage.ask(client, place_order(1, quantity="220"))
    fills = [(message[19], message[20], message[24]) for message in heard if message[0] == "11"]
    assert fills == [("100", "4350.13", "100"), ("100", "4350.14", "200"), ("20", "4350.15", "220")]
    assert kinds(heard)[2:10] == ["11", "5", "status Submitted", "59", "11", "5", "status Submitted", "59"]
    assert kinds(heard)[-6:] == ["11", "5", "status Filled", "5", "status Filled", "59"]


def test_a_limit_order_takes_what_there_is_and_the_rest_at_the_next_print(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="LMT", limit="4350.13", quantity="150", **FOREVER))
    order = stage.gateway.book.order_of(8, 1)
    assert order is not None
    assert (order.status, order.filled) == (OrderStatus.SUBMITTED, 100)
    after(stage, 10)
    assert [(fill.shares, fill.price) for fill in stage.gateway.book.executions] == [(100, 4350.13), (50, 4340.13)]


def test_who_comes_first_is_served_first(stage: Stage) -> None:
    client = stage.a_client()
    for number in (1, 2):
        stage.ask(client, place_order(number, order_type="LMT", limit="4350.13", quantity="70", **FOREVER))
    assert [fill.shares for fill in stage.gateway.book.executions] == [70, 30]


@given(action=st.sampled_from(Action), wanted=st.integers(1, 500), lots=st.none() | st.integers(1, 50),
       taken=st.integers(0, 300), reach=st.none() | st.integers(-5, 20))
def test_a_sweep_never_exceeds_size_limit_or_depth(action: Action, wanted: int, lots: int | None, taken: int,
                                                   reach: int | None) -> None:
    touch, tick = Touch(bid=Decimal("99.9"), ask=Decimal("100.1"), last=100.0), Decimal("0.1")
    best = touch.ask if action is Action.BUY else touch.bid
    limit = None if reach is None else best + action.sign * reach * tick
    slices = sweep(action, wanted, limit, Offer(touch=touch, grid=PriceGrid.even(tick), lots=lots, taken=taken))
    assert sum(part.shares for part in slices) <= wanted
    assert all(limit is None or action.sign * (limit - part.price) >= 0 for part in slices)
    assert [part.price for part in slices] == sorted({part.price for part in slices}, reverse=action is Action.SELL)
    assert all(lots is None or part.shares <= lots for part in slices)


def a_bracket(stage: Stage, client: Session) -> None:
    stage.ask(client, place_order(1, order_type="LMT", limit="4345", transmit="0", **FOREVER))
    stage.ask(client, place_order(2, order_type="LMT", action="SELL", limit="4355", parent="1", transmit="0",
                                  **FOREVER))
    stage.ask(client, place_order(3, order_type="STP", action="SELL", aux="4300", parent="1", **FOREVER))


def test_a_bracket_waits_for_its_last_order_then_for_its_parent(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4351", transmit="0", **FOREVER))
    stage.ask(client, place_order(2, order_type="LMT", action="SELL", limit="4349", parent="1", transmit="0",
                                  **FOREVER))
    assert [state_of(stage, number)[0] for number in (1, 2)] == ["PreSubmitted", "PreSubmitted"]
    stage.ask(client, place_order(3, order_type="STP", action="SELL", aux="4300", parent="1", **FOREVER))
    assert [state_of(stage, number)[0] for number in (1, 2, 3)] == ["Filled", "Filled", "Cancelled"]


def test_the_child_that_fills_cancels_its_siblings(stage: Stage) -> None:
    a_bracket(stage, stage.a_client())
    after(stage, 10)
    assert [state_of(stage, number)[0] for number in (1, 2, 3)] == ["Filled", "Submitted", "PreSubmitted"]
    after(stage, 20)
    assert [state_of(stage, number)[0] for number in (1, 2, 3)] == ["Filled", "Filled", "Cancelled"]


def test_the_children_of_a_cancelled_parent_are_cancelled(stage: Stage) -> None:
    client = stage.a_client()
    a_bracket(stage, client)
    stage.ask(client, ["4", "1", "1", ""])
    assert [state_of(stage, number)[0] for number in (1, 2, 3)] == ["Cancelled"] * 3


@pytest.mark.parametrize(("oca_type", "left"), [("1", None), ("2", None), ("3", 3)])
def test_one_cancels_all_or_reduces_them(stage: Stage, oca_type: str, left: int | None) -> None:
    client = stage.a_client()
    group = {"oca": "x", "oca_type": oca_type, **FOREVER}
    stage.ask(client, place_order(1, order_type="LMT", limit="4300", quantity="5", **group))
    stage.ask(client, place_order(2, quantity="2", **group))
    other = stage.gateway.book.order_of(8, 1)
    assert other is not None
    assert other.status.is_open == (left is not None)
    assert left is None or other.quantity == left


def test_a_condition_on_a_price_holds_an_order_until_it_is_true(stage: Stage) -> None:
    con_id = stage.gateway.listing.by_id
    near = contract_id(stage, NEAR)
    assert con_id(int(near)) is not None
    stage.ask(stage.a_client(), place_order(1, conditions=("1", "1", "a", "0", "4345", near, "CME", "0"), **FOREVER))
    after(stage, 9)
    assert state_of(stage, 1)[0] == "PreSubmitted"
    after(stage, 10)
    assert state_of(stage, 1) == ("Filled", 4340.13)


def test_a_condition_on_time_can_cancel_an_order(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, order_type="LMT", limit="4000", cancel_on_condition="1",
                                            conditions=("1", "3", "a", "1", "20211013-12:05:00"), **FOREVER))
    after(stage, 5)
    assert state_of(stage, 1)[0] == "Cancelled"


def test_conditions_are_echoed(stage: Stage) -> None:
    near = contract_id(stage, NEAR)
    wanted = ("2", "1", "o", "0", "4345", near, "CME", "0", "3", "a", "1", "20251013-12:05:00")
    opened = stage.ask(stage.a_client(), place_order(1, conditions=wanted, **FOREVER))[0]
    at = opened.index("4345") - 4
    assert opened[at:at + len(wanted)] == wanted


def contract_id(stage: Stage, month: str) -> str:
    details = stage.ask(stage.a_client(99), ["9", "8", "1", *a_contract(month=month), "0", "", "", ""])
    stage.gateway.sessions.pop(99)
    return details[0][12]


def a_roll(stage: Stage, order_id: int, **terms: str) -> list[str]:
    legs = ((contract_id(stage, NEAR), "1", "SELL"), (contract_id(stage, FAR), "1", "BUY"))
    return place_order(order_id, contract=a_contract(sec_type="BAG", month=""), legs=legs, **terms)


def test_a_roll_fills_as_a_combination_and_its_legs(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, ["61", "1"])
    heard = stage.ask(client, a_roll(stage, 1, quantity="2"))
    rows = [message for message in heard if message[0] == "11"]
    assert [(row[5], row[18], row[19], row[14][-6:]) for row in rows] == [
        ("BAG", "BOT", "2", ".01.01"), ("FUT", "SLD", "2", ".02.01"), ("FUT", "BOT", "2", ".03.01")]
    assert rows[0][3] == "28812380"
    assert float(rows[0][20]) == pytest.approx(float(rows[2][20]) - float(rows[1][20]))
    assert [message[2] for message in heard if message[0] == "59"] == [row[14] for row in rows[1:]]
    held = {message[3]: message[14] for message in heard if message[0] == "61"}
    assert sorted(held.values()) == ["-2", "2"]


def test_the_open_order_of_a_roll_names_its_legs(stage: Stage) -> None:
    opened = stage.ask(stage.a_client(), a_roll(stage, 1, order_type="LMT", limit="-20"))[0]
    near, far = contract_id(stage, NEAR), contract_id(stage, FAR)
    assert opened[2] == "28812380"
    at = opened.index(f"{near}|-1,{far}|1")
    assert opened[at + 1:at + 19] == ("2", near, "1", "SELL", "CME", "0", "0", "", "-1",
                                      far, "1", "BUY", "CME", "0", "0", "", "-1", "0")


def test_a_roll_survives_a_restart_and_fills(stage: Stage) -> None:
    stage.ask(stage.a_client(), a_roll(stage, 1, order_type="LMT", limit="-10", **FOREVER))
    before = stage.gateway.book
    stage.restart()
    assert stage.gateway.book == before


def test_a_rejected_roll_names_what_is_wrong(stage: Stage) -> None:
    unknown = place_order(1, contract=a_contract(sec_type="BAG"), legs=(("7", "1", "SELL"), ("8", "1", "BUY")))
    assert kinds(stage.ask(stage.a_client(), unknown)) == ["error 312"]


def test_an_order_beyond_the_funds_is_rejected(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), place_order(1, quantity="1000"))
    assert kinds(heard) == ["error 201", "5", "status Inactive"]
    assert "YOUR ORDER IS NOT ACCEPTED" in heard[0][4]


def test_the_twenty_first_working_order_on_a_side_is_rejected(stage: Stage) -> None:
    client = stage.a_client()
    for number in range(1, 22):
        heard = stage.ask(client, place_order(number, order_type="LMT", limit="4000", **FOREVER))
    assert kinds(heard) == ["error 201", "5", "status Inactive"]


def test_an_adaptive_order_echoes_its_priority(stage: Stage) -> None:
    opened = stage.ask(stage.a_client(), place_order(1, algo=("Adaptive", "1", "adaptivePriority", "Urgent")))[0]
    at = opened.index("Adaptive")
    assert opened[at:at + 4] == ("Adaptive", "1", "adaptivePriority", "Urgent")


def adaptive(order_id: int, priority: str, limit: str = "4355", **fields: str) -> list[str]:
    """An order to buy at a market of 4349.87 to 4350.13."""
    return place_order(order_id, order_type="LMT", limit=limit, algo=("Adaptive", "1", "adaptivePriority", priority),
                       **fields)


@pytest.mark.parametrize(("priority", "seconds"), [("Urgent", 5), ("Normal", 15), ("Patient", 60)])
def test_an_adaptive_order_waits_at_its_own_side_and_takes_the_other_after_a_while(
        stage: Stage, priority: str, seconds: int) -> None:
    stage.ask(stage.a_client(), adaptive(1, priority))
    stage.move_to(NOON + timedelta(seconds=seconds - 1))
    assert stage.gateway.book.executions == []

    # then it pays the other side, and not its limit
    stage.move_to(NOON + timedelta(seconds=seconds))
    assert [(fill.price, fill.time) for fill in stage.gateway.book.executions] == [
        (4350.13, NOON + timedelta(seconds=seconds))]


def test_an_adaptive_order_is_met_by_a_market_that_comes_to_it(stage: Stage) -> None:
    after(stage, 9.5)
    stage.ask(stage.a_client(), adaptive(1, "Patient"))
    after(stage, 10)  # the market falls to 4340
    assert [(fill.price, fill.time) for fill in stage.gateway.book.executions] == [(4340.13, later(10))]


def test_an_adaptive_order_follows_a_market_that_leaves_it_within_its_limit(stage: Stage) -> None:
    after(stage, 19.9)
    stage.ask(stage.a_client(), adaptive(1, "Normal", limit="4365"))  # six seconds before the market rises to 4360
    after(stage, 20)
    assert stage.gateway.book.executions == []
    after(stage, 21)
    assert [(fill.price, fill.time) for fill in stage.gateway.book.executions] == [
        (4360.13, later(20) + timedelta(seconds=9))]


def test_an_adaptive_order_fills_the_same_when_nobody_looked_meanwhile(stage: Stage) -> None:
    stage.ask(stage.a_client(), adaptive(1, "Normal"))
    stage.move_to(later(9))
    assert [fill.time for fill in stage.gateway.book.executions] == [NOON + timedelta(seconds=15)]


def test_an_adaptive_order_never_trades_beyond_its_limit(stage: Stage) -> None:
    stage.ask(stage.a_client(), adaptive(1, "Urgent", limit="4345"))
    stage.move_to(later(9))
    assert stage.gateway.book.executions == []
    stage.move_to(later(10))  # the market falls to 4340
    assert [fill.price for fill in stage.gateway.book.executions] == [4340.13]


def test_an_adaptive_sale_is_worked_downwards(stage: Stage) -> None:
    stage.ask(stage.a_client(), adaptive(1, "Urgent", limit="4345", action="SELL"))
    stage.move_to(NOON + timedelta(seconds=4))
    assert stage.gateway.book.executions == []
    stage.move_to(NOON + timedelta(seconds=5))
    assert [fill.price for fill in stage.gateway.book.executions] == [4349.87]


def test_an_algorithm_is_not_changed_with_the_terms(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, adaptive(1, "Patient"))
    assert kinds(stage.ask(client, adaptive(1, "Urgent"))) == ["error 440"]
    assert "error 440" not in kinds(stage.ask(client, adaptive(1, "Patient", limit="4354")))


def test_every_order_survives_a_restart(stage: Stage) -> None:
    a_bracket(stage, stage.a_client())
    before: dict[int, Order] = dict(stage.gateway.book.orders)
    stage.restart()
    assert stage.gateway.book.orders == before
    assert len(before) == 3


def test_a_missing_time_in_force_is_warned_of_where_the_gateway_has_a_preset(stage: Stage) -> None:
    stage.gateway.settings = replace(stage.gateway.settings, tif_preset=True)
    heard = stage.ask(stage.a_client(), place_order(1, tif=""))
    assert "error 10349" in kinds(heard)
    assert state_of(stage, 1)[0] == "Filled"
