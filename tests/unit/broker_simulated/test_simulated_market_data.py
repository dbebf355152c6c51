"""Quotes beyond the plain ones: generic ticks, combinations, continuous futures."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from simulated_messages import a_contract, a_roll, historical, market_data, place_order
from simulated_record import NOON, later
from simulated_stage import Stage, kinds

from trading.broker.simulated.permissions import Permissions, Subscription
from trading.broker.simulated.session import Session


def con_ids(stage: Stage, client: Session) -> list[int]:
    return [int(stage.ask(client, ["9", "8", "1", *a_contract(month=month), "0", "", "", ""])[0][12])
            for month in ("202112", "202203")]


def test_generic_ticks_come_only_when_asked_for(stage: Stage) -> None:
    client = stage.a_client()
    heard = stage.ask(client, market_data(5, a_contract(), ticks="233,588,221"))
    noon_ms = int(NOON.timestamp() * 1000)
    assert ("46", "6", "5", "48", f"4350;1;{noon_ms};5;4335.2;true") in heard
    assert ("1", "6", "5", "37", "4350", "0", "0") in heard
    assert [message[3] for message in heard if message[0] == "2"][-1] == "86"
    plain = stage.ask(client, market_data(6, a_contract()))
    assert not {message[3] for message in plain} & {"37", "48", "86"}


@pytest.mark.parametrize(("ticks", "snapshot"), [("999", "0"), ("233,abc", "0"), ("233", "1")])
def test_wrong_generic_ticks_are_refused_by_name(stage: Stage, ticks: str, snapshot: str) -> None:
    client = stage.a_client()
    assert kinds(stage.ask(client, market_data(5, a_contract(), snapshot, ticks=ticks))) == ["error 321"]
    assert client.lines == {}


def test_a_day_that_goes_on_tells_its_new_low(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, market_data(5, a_contract(month="202203")))
    stage.move_to(later(10))
    assert ("1", "6", "5", "6", "4340", "0", "0") not in client.take_outbox()
    stage.move_to(later(20))
    assert ("1", "6", "5", "6", "4350", "0", "0") in client.take_outbox()


def test_a_roll_is_quoted_at_far_minus_near(stage: Stage) -> None:
    client = stage.a_client()
    roll = a_contract(sec_type="BAG", month="")
    heard = stage.ask(client, market_data(5, roll, legs=a_roll(con_ids(stage, client))))
    assert [message[3:5] for message in heard if message[0] == "1"][:2] == [("1", "-10.01"), ("2", "-9.99")]


@pytest.mark.parametrize(("legs", "answer"), [
    ((("1", "1", "SELL"), ("2", "1", "BUY")), "error 312"), ((("1", "1", "SELL"),), "error 321"),
    ((("1", "0", "SELL"), ("2", "1", "BUY")), "error 314")])
def test_a_combination_of_bad_legs_is_refused(stage: Stage, legs: tuple[tuple[str, str, str], ...],
                                              answer: str) -> None:
    roll = a_contract(sec_type="BAG", month="")
    assert kinds(stage.ask(stage.a_client(), market_data(5, roll, legs=legs))) == [answer]


def test_a_roll_has_bars(stage: Stage) -> None:
    client = stage.a_client()
    legs = a_roll(con_ids(stage, client))
    answer, = stage.ask(client, historical(5, a_contract(sec_type="BAG", month=""), size="1 hour", duration="1 D",
                                           legs=legs))
    assert answer[-7:-3] == ("-10", "-10", "-10", "-10")


def test_a_continuous_future_is_the_contract_that_expires_next(stage: Stage) -> None:
    client = stage.a_client()
    continuous = stage.ask(client, market_data(5, a_contract(sec_type="CONTFUT", month=""), "1"))
    assert continuous == stage.ask(client, market_data(5, a_contract(), "1"))


def test_a_print_of_the_moment_of_the_question_is_told_once(stage: Stage) -> None:
    client = stage.a_client()
    stage.clock.instant = datetime(2021, 10, 13, 12, 10, tzinfo=UTC)
    assert ("1", "6", "5", "4", "4340", "1", "0") in stage.ask(client, market_data(5, a_contract()))
    stage.move_to(later(11))
    assert client.take_outbox() == []


# --- volume --------------------------------------------------------------------------------------------------------

def volumes(messages: list[tuple[str, ...]]) -> list[str]:
    """Of the day, as the wire tells them: tick type 8."""
    return [message[4] for message in messages if message[0] == "2" and message[3] == "8"]


def test_the_volume_of_the_day_has_the_prints_and_our_own_fills(stage: Stage) -> None:
    client = stage.a_client()
    assert volumes(stage.ask(client, market_data(5, a_contract()))) == ["5"]
    stage.ask(client, place_order(1, quantity="3"))
    stage.move_to(later(1))
    assert volumes(client.take_outbox()) == ["8"]
    stage.move_to(later(2))
    assert volumes(client.take_outbox()) == []
    stage.move_to(later(10))  # a print
    assert volumes(client.take_outbox()) == ["9"]


def test_what_others_trade_between_prints_is_told_as_the_day_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path, options={"traded_a_minute": 20})
    client = stage.a_client()
    [opening] = volumes(stage.ask(client, market_data(5, a_contract())))
    assert int(opening) == 5 + 13 * 60 * 20  # since midnight in London
    stage.move_to(later(1))
    assert volumes(client.take_outbox()) == [str(int(opening) + 20)]


def test_a_volume_that_is_a_quarter_of_an_hour_old_knows_no_newer_fill(tmp_path: Path) -> None:
    stage = Stage(tmp_path, options={"permissions": Permissions(everywhere=Subscription.DELAYED)})
    client = stage.a_client()
    client.receive(["59", "1", "3"])
    stage.ask(client, place_order(1, quantity="3"))
    heard = stage.ask(client, market_data(5, a_contract()))
    assert [message[4] for message in heard if message[0] == "2" and message[3] == "74"] == ["4"]
    stage.move_to(later(16))
    assert ("2", "6", "5", "74", "8") in client.take_outbox()
