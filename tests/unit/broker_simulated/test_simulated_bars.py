"""Bars are made of prints, by local days, and never of the future."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from trading.broker.simulated.bars import BarRequestError, bar_size, make_bars, parse_end, start_of
from trading.broker.simulated.recorded_market import Prints, nanoseconds

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2021, 10, 13, 12, 0, tzinfo=UTC)


def prints(*rows: tuple[str, float]) -> Prints:
    times = [nanoseconds(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text, _ in rows]
    return Prints(np.array(times, dtype=np.int64), np.array([price for _, price in rows]))


def test_a_bar_opens_with_the_first_print_and_closes_with_the_last() -> None:
    series = prints(("2021-10-13 10:00", 5.0), ("2021-10-13 10:20", 9.0), ("2021-10-13 10:40", 3.0),
                    ("2021-10-13 10:59:59", 4.0), ("2021-10-13 12:00", 7.0))
    first, second = make_bars(series, timedelta(hours=1), LONDON, lambda instant: f"{instant:%H:%M}", traded=True)
    assert (first.date, first.open, first.high, first.low, first.close) == ("11:00", 5.0, 9.0, 3.0, 4.0)
    assert (first.volume, first.count, first.average) == (4, 4, 5.25)
    assert (second.date, second.volume) == ("13:00", 1)


def test_a_day_is_a_local_day_in_summer_and_winter() -> None:
    series = prints(("2021-10-29 22:30", 1.0), ("2021-10-29 23:30", 2.0), ("2021-11-01 23:30", 3.0))
    bars = make_bars(series, timedelta(days=1), LONDON, str, traded=False)
    assert [bar.date for bar in bars] == ["20211029", "20211030", "20211101"]
    assert {bar.volume for bar in bars} == {-1}


def test_the_repeated_hour_of_autumn_makes_two_bars() -> None:
    series = prints(("2021-10-31 00:30", 1.0), ("2021-10-31 01:30", 2.0))
    assert len(make_bars(series, timedelta(hours=1), LONDON, str, traded=True)) == 2


@pytest.mark.parametrize(("text", "instant"), [
    ("", NOON), ("20211013-10:00:00", NOON - timedelta(hours=2)), ("20211013 11:00:00", NOON - timedelta(hours=2)),
    ("20211013 10:00:00 UTC", NOON - timedelta(hours=2)),
    ("20211013 06:00:00 US/Eastern", NOON - timedelta(hours=2))])
def test_the_end_is_read_in_all_formats_of_the_clients(text: str, instant: datetime) -> None:
    assert parse_end(text, NOON, LONDON) == instant


@pytest.mark.parametrize("text", ["yesterday", "20211013", "20211313 10:00:00", "20211013 10:00:00 Mars/Base",
                                  "20211013-10:00:00 UTC"])
def test_a_bad_end_is_error_10314(text: str) -> None:
    with pytest.raises(BarRequestError) as caught:
        parse_end(text, NOON, LONDON)
    assert caught.value.code == 10314


@pytest.mark.parametrize(("duration", "start"), [
    ("3600 S", "2021-10-13 11:00"), ("1 D", "2021-10-12 23:00"), ("5 D", "2021-10-06 23:00"),
    ("1 W", "2021-10-05 23:00"), ("1 M", "2021-09-12 23:00"), ("1 Y", "2020-10-12 23:00")])
def test_a_duration_reaches_back_to_a_local_midnight(duration: str, start: str) -> None:
    assert start_of(duration, NOON, LONDON) == datetime.fromisoformat(start).replace(tzinfo=UTC)


@pytest.mark.parametrize("duration", ["", "5", "5 days", "0 D", "366 D"])
def test_a_bad_duration_is_refused(duration: str) -> None:
    with pytest.raises(BarRequestError):
        start_of(duration, NOON, LONDON)


def test_a_bad_bar_size_lists_the_legal_ones() -> None:
    with pytest.raises(BarRequestError, match="Legal ones are: 1 secs, 5 secs"):
        bar_size("7 mins")
