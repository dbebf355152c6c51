"""Single ticks: as they come, as they came, and how often at each price."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, histogram, past_ticks, tick_by_tick
from simulated_record import NOON, later
from simulated_stage import Stage, kinds

from trading.broker.simulated.permissions import MarketLimits, Pacing

AT_NOON = str(int(NOON.timestamp()))
AT_TEN_PAST = str(int(later(10).timestamp()))
EURO = a_contract(symbol="EUR", sec_type="CASH", month="", exchange="IDEALPRO")


@pytest.mark.parametrize(("kind", "news"), [
    ("Last", ("99", "5", "1", AT_TEN_PAST, "4340", "1", "0", "CME", "")),
    ("AllLast", ("99", "5", "2", AT_TEN_PAST, "4340", "1", "0", "CME", "")),
    ("BidAsk", ("99", "5", "3", AT_TEN_PAST, "4339.87", "4340.13", "10", "10", "0")),
    ("MidPoint", ("99", "5", "4", AT_TEN_PAST, "4340"))])
def test_every_print_is_a_tick_of_its_kind(stage: Stage, kind: str, news: tuple[str, ...]) -> None:
    client = stage.a_client()
    opening = stage.ask(client, tick_by_tick(5, a_contract(), kind))
    assert kinds(opening) == ([] if kind in ("Last", "AllLast") else ["99"])
    stage.move_to(later(10))
    assert client.take_outbox() == [news]
    stage.move_to(later(11))
    assert client.take_outbox() == []


def test_past_ticks_come_before_the_stream(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), tick_by_tick(5, a_contract(), "Last", past=1))
    assert heard == [("98", "5", "1", AT_NOON, "0", "4350", "1", "CME", "", "1")]


def test_a_cancelled_stream_is_quiet(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, tick_by_tick(5, a_contract(), "Last"))
    assert stage.ask(client, ["98", "5"]) == []
    stage.move_to(later(10))
    assert client.take_outbox() == []
    assert kinds(stage.ask(client, ["98", "5"])) == ["error 300"]


@pytest.mark.parametrize(("fields", "answer"), [
    (tick_by_tick(5, a_contract(), "Mid"), "error 321"),
    (tick_by_tick(5, a_contract(symbol="XX"), "Last"), "error 200"),
    (tick_by_tick(5, EURO, "Last"), "error 10189")])
def test_what_has_no_ticks_is_refused(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_the_same_ticks_may_be_asked_for_every_fifteen_seconds(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, tick_by_tick(5, a_contract(), "Last"))
    stage.ask(client, ["98", "5"])
    assert kinds(stage.ask(client, tick_by_tick(6, a_contract(), "Last"))) == ["error 420"]
    assert kinds(stage.ask(client, tick_by_tick(7, a_contract(), "BidAsk"))) == ["99"]
    stage.clock.elapsed_s += 15.0
    assert stage.ask(client, tick_by_tick(6, a_contract(), "Last")) == []


def test_a_sixth_stream_of_ticks_is_one_too_many(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"limits": MarketLimits(pacing=Pacing.OFF)})
    clients = [stage.a_client(number) for number in (1, 2)]
    answers = [kinds(stage.ask(clients[number % 2], tick_by_tick(number, a_contract(), "Last")))
               for number in range(6)]
    assert answers == [[]] * 5 + [["error 10190"]]


def test_past_trades_are_told_with_the_exchange(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), past_ticks(5, a_contract(), end="20211013-12:00:00"))
    assert heard == [("98", "5", "2", str(int(AT_NOON) - 3600), "0", "4333", "1", "CME", "", AT_NOON, "0", "4350", "1",
                      "CME", "", "1")]


def test_past_quotes_have_their_attributes_first(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), past_ticks(5, a_contract(), what="BID_ASK", start="20211013-12:00:00"))
    assert heard == [("97", "5", "1", AT_NOON, "0", "4349.87", "4350.13", "10", "10", "1")]


def test_past_midpoints_have_no_size(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), past_ticks(5, a_contract(), what="MIDPOINT", start="20211013-12:00:00"))
    assert heard == [("96", "5", "1", AT_NOON, "0", "4350", "0", "1")]


def test_ticks_of_the_future_are_unknown(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), past_ticks(5, a_contract(), start="20211013-12:05:00", count=1000))
    assert heard == [("98", "5", "0", "1")]


@pytest.mark.parametrize(("fields", "answer"), [
    (past_ticks(5, a_contract()), "error 10187"),
    (past_ticks(5, a_contract(), start="20211013-12:00:00", end="20211013-12:00:00"), "error 10187"),
    (past_ticks(5, a_contract(), end="20211013-12:00:00", count=1001), "error 10187"),
    (past_ticks(5, a_contract(), end="20211013-12:00:00", what="BID"), "error 10187"),
    (past_ticks(5, EURO, end="20211013-12:00:00"), "error 10187"),
    (past_ticks(5, a_contract(), end="yesterday"), "error 10314"),
    (past_ticks(5, a_contract(symbol="XX"), end="20211013-12:00:00"), "error 200")])
def test_past_ticks_that_cannot_be_had_say_why(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_a_histogram_counts_the_prints_at_each_price(stage: Stage) -> None:
    answer, = stage.ask(stage.a_client(), histogram(5, a_contract(), "4 hours"))
    assert answer[:3] == ("89", "5", "5")
    assert answer[3::2] == ("4330", "4331", "4332", "4333", "4350")
    assert answer[4::2] == ("1",) * 5


@pytest.mark.parametrize("period", ["", "1", "0 days", "3 fortnights", "x days"])
def test_a_bad_period_is_refused(stage: Stage, period: str) -> None:
    assert kinds(stage.ask(stage.a_client(), histogram(5, a_contract(), period))) == ["error 10188"]
