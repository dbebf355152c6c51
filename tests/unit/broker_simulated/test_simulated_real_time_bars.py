"""Bars of five seconds."""

from datetime import timedelta

import pytest
from simulated_messages import a_contract, real_time_bars
from simulated_record import NOON, later
from simulated_stage import Stage, kinds


def second(minutes: float) -> str:
    return str(int(later(minutes).timestamp()))


def test_five_quiet_seconds_repeat_the_last_price_without_volume(stage: Stage) -> None:
    client = stage.a_client()
    assert stage.ask(client, real_time_bars(5, a_contract())) == []
    stage.move_to(NOON + timedelta(seconds=4))
    assert client.take_outbox() == []
    stage.move_to(NOON + timedelta(seconds=10))
    assert client.take_outbox() == [
        ("50", "3", "5", second(0), "4350", "4350", "4350", "4350", "1", "4350", "1"),  # of the print at noon
        ("50", "3", "5", second(1 / 12), "4350", "4350", "4350", "4350", "0", "4350", "0")]


def test_a_bar_holds_the_print_of_its_start_and_not_of_its_end(stage: Stage) -> None:
    client = stage.a_client()
    stage.clock.instant = later(10) - timedelta(seconds=5)
    stage.ask(client, real_time_bars(5, a_contract()))
    stage.move_to(later(10))
    assert [message[7] for message in client.take_outbox()] == ["4350"]
    stage.move_to(later(10) + timedelta(seconds=5))
    assert client.take_outbox() == [("50", "3", "5", second(10), "4340", "4340", "4340", "4340", "1", "4340", "1")]


@pytest.mark.parametrize(("what", "price"), [("MIDPOINT", "4350"), ("BID", "4349.87"), ("ASK", "4350.13")])
def test_quotes_have_no_volume(stage: Stage, what: str, price: str) -> None:
    client = stage.a_client()
    stage.ask(client, real_time_bars(5, a_contract(), what))
    stage.move_to(NOON + timedelta(seconds=5))
    assert client.take_outbox() == [("50", "3", "5", second(0), *[price] * 4, "-1", "-1", "-1")]


def test_a_jump_of_a_day_brings_the_newest_bars_only(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, real_time_bars(5, a_contract()))
    stage.move_to(NOON + timedelta(days=1))
    heard = client.take_outbox()
    assert (len(heard), heard[-1][3]) == (60, str(int((NOON + timedelta(days=1, seconds=-5)).timestamp())))


def test_a_cancelled_stream_of_bars_is_quiet(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, real_time_bars(5, a_contract()))
    assert stage.ask(client, ["51", "1", "5"]) == []
    stage.move_to(later(1))
    assert client.take_outbox() == []
    assert kinds(stage.ask(client, ["51", "1", "5"])) == ["error 300"]


@pytest.mark.parametrize(("fields", "answer"), [
    (real_time_bars(5, a_contract(), "BID_ASK"), "error 321"),
    (real_time_bars(5, a_contract(symbol="XX")), "error 200"),
    (real_time_bars(5, a_contract(symbol="EUR", sec_type="CASH", month="", exchange="IDEALPRO")), "error 420")])
def test_bars_that_cannot_be_had_say_why(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_the_same_bars_again_within_fifteen_seconds_are_a_violation(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, real_time_bars(5, a_contract()))
    assert kinds(stage.ask(client, real_time_bars(5, a_contract()))) == ["error 102"]
    refused, = stage.ask(client, real_time_bars(6, a_contract()))
    assert refused[3:5] == ("420", "Invalid Real-time Query:Historical data request pacing violation")
