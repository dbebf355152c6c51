"""Historical data: every size and kind of bar, what goes on, and what is refused."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, historical
from simulated_record import later
from simulated_stage import Stage, kinds

from trading.broker.simulated.bars import BAR_SIZES, BarRequestError, bar_size, check_step
from trading.broker.simulated.permissions import MarketLimits, Pacing

EURO = a_contract(symbol="EUR", sec_type="CASH", month="", exchange="IDEALPRO")


def dates(answer: tuple[str, ...]) -> list[str]:
    return list(answer[5::8])


@pytest.mark.parametrize("size", BAR_SIZES)
def test_every_size_of_bar_is_served(stage: Stage, size: str) -> None:
    duration = "1800 S" if "sec" in size else "1 D" if "min" in size or "hour" in size else "1 M"
    answer, = stage.ask(stage.a_client(), historical(5, a_contract(), size=size, duration=duration))
    assert (answer[0], len(answer)) == ("17", 5 + 8 * int(answer[4]))
    assert int(answer[4]) > 0


def test_weeks_and_months_carry_the_date_of_their_last_print(stage: Stage) -> None:
    client = stage.a_client()
    weeks, = stage.ask(client, historical(5, a_contract(), size="1 week", duration="3 W"))
    months, = stage.ask(client, historical(6, a_contract(), size="1 month", duration="2 M"))
    assert dates(weeks) == ["20210924", "20211001", "20211008", "20211013"]
    assert dates(months) == ["20210930", "20211013"]


def test_bid_and_ask_together_show_averages_and_extremes(stage: Stage) -> None:
    answer, = stage.ask(stage.a_client(), historical(5, a_contract(), size="4 hours", duration="1 D", what="BID_ASK"))
    assert answer[13:] == ("20211013 12:00:00 Europe/London", "4341.37", "4350.13", "4332.87", "4341.63", "-1", "-1",
                           "-1")


def test_the_schedule_lists_sessions_with_their_days(stage: Stage) -> None:
    answer, = stage.ask(stage.a_client(), historical(5, a_contract(), duration="2 D", what="SCHEDULE"))
    assert answer == ("106", "5", "20211012-00:00:00", "20211013-23:59:00", "Europe/London", "2",
                      "20211012-00:00:00", "20211012-23:59:00", "20211012",
                      "20211013-00:00:00", "20211013-23:59:00", "20211013")


def test_bars_in_liquid_hours_leave_out_the_night(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"real_hours": True})
    client = stage.a_client()
    whole, = stage.ask(client, historical(5, a_contract(), size="1 hour", duration="2 D"))
    liquid, = stage.ask(client, historical(6, a_contract(), size="1 hour", duration="2 D", only_liquid="1"))
    assert "20211012 09:00:00 Europe/London" in dates(whole)
    assert dates(liquid) == [f"20211012 {hour}:00:00 Europe/London" for hour in range(15, 22)]


def test_what_goes_on_is_updated_until_it_is_cancelled(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, historical(5, a_contract(), size="1 hour", duration="1 D", keep="1"))
    stage.move_to(later(10))
    assert client.take_outbox() == [("90", "5", "2", "20211013 13:00:00 Europe/London", "4350", "4340", "4350", "4340",
                                     "4345", "2")]
    cancelled, = stage.ask(client, ["25", "1", "5"])
    assert cancelled[2:5] == ("5", "162", "Historical Market Data Service error message:API historical data query "
                                          "cancelled: 5")
    stage.move_to(later(20))
    assert client.take_outbox() == []


def test_an_id_that_goes_on_cannot_be_used_again(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, historical(5, a_contract(), size="1 hour", duration="1 D", keep="1"))
    assert kinds(stage.ask(client, historical(5, a_contract()))) == ["error 386"]
    assert 5 in client.histories


@pytest.mark.parametrize(("fields", "answer"), [
    (historical(5, a_contract(), keep="1", end="20211012-12:00:00"), "error 321"),
    (historical(5, a_contract(), what="SCHEDULE", size="1 hour"), "error 321"),
    (historical(5, a_contract(), what="HISTORICAL_VOLATILITY"), "error 162"),
    (historical(5, EURO, what="TRADES"), "error 162"),
    (historical(5, a_contract(), size="1 secs", duration="1 D"), "error 162"),
    (historical(5, a_contract(), duration="5 days"), "error 321"),
    (["25", "1", "5"], "error 366")])
def test_what_cannot_be_had_says_why(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


@pytest.mark.parametrize(("duration", "smallest", "too_small"), [
    ("1800 S", "1 secs", ""), ("3600 S", "5 secs", "1 secs"), ("14400 S", "10 secs", "5 secs"),
    ("28800 S", "30 secs", "15 secs"), ("1 D", "1 min", "30 secs"), ("2 D", "2 mins", "1 min"),
    ("1 W", "3 mins", "2 mins"), ("1 M", "30 mins", "20 mins"), ("6 M", "1 hour", "30 mins"),
    ("1 Y", "1 day", "8 hours")])
def test_the_longer_the_stretch_the_larger_the_smallest_bar(duration: str, smallest: str, too_small: str) -> None:
    check_step(duration, bar_size(smallest))
    if too_small:
        with pytest.raises(BarRequestError, match="invalid step"):
            check_step(duration, bar_size(too_small))


@pytest.mark.parametrize(("pacing", "size", "codes"), [
    (Pacing.SMALL_BARS, "30 secs", [0, 162]), (Pacing.SMALL_BARS, "1 min", [0, 0]), (Pacing.ALL, "1 min", [0, 162]),
    (Pacing.OFF, "30 secs", [0, 0])])
def test_an_identical_request_within_fifteen_seconds_is_a_violation(tmp_path: Path, pacing: Pacing, size: str,
                                                                    codes: list[int]) -> None:
    stage = Stage(tmp_path / "state", options={"limits": MarketLimits(pacing=pacing)})
    client = stage.a_client()
    answers = [stage.ask(client, historical(number, a_contract(), size=size, duration="1800 S"))[0]
               for number in (5, 6)]
    assert [int(answer[3]) if answer[0] == "4" else 0 for answer in answers] == codes
    stage.clock.elapsed_s += 15.0
    assert kinds(stage.ask(client, historical(7, a_contract(), size=size, duration="1800 S"))) == ["17"]
