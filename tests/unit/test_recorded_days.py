"""Which days can be played: those on which half of the instruments have a price, by the operator's calendar."""

from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd

from trading.objects.recorded_days import recorded_days

LONDON, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")


def prices(*times: str, value: float = 1.0) -> pd.Series:
    return pd.Series(value, index=pd.DatetimeIndex(times, tz="UTC"))


def test_exactly_half_is_enough() -> None:
    both, one = prices("2021-11-01", "2021-11-02"), prices("2021-11-01")
    assert recorded_days([both, one], LONDON) == [date(2021, 11, 1), date(2021, 11, 2)]


def test_less_than_half_is_not() -> None:
    assert recorded_days([prices("2021-11-06"), prices("2021-11-01"), prices("2021-11-01")], LONDON) == [
        date(2021, 11, 1)]


def test_several_prices_of_one_instrument_count_once() -> None:
    many = prices("2021-11-06 09:00", "2021-11-06 10:00", "2021-11-06 11:00")
    assert recorded_days([many, prices("2021-11-01"), prices("2021-11-01")], LONDON) == [date(2021, 11, 1)]


def test_a_row_without_a_price_does_not_count() -> None:
    assert recorded_days([prices("2021-11-01", value=float("nan"))], LONDON) == []


def test_the_day_is_the_operators() -> None:
    late = [prices("2021-11-01 20:00")]
    assert recorded_days(late, LONDON) == [date(2021, 11, 1)]
    assert recorded_days(late, TOKYO) == [date(2021, 11, 2)]


def test_nothing_recorded_is_no_day() -> None:
    assert recorded_days([], LONDON) == []
