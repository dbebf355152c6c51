"""RawData: business days, volatility and carry, with the gaps and oddities that real data have."""

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, business_days, multiple, prices, wandering

from trading.systems.daily import known_at, local_times
from trading.systems.rawdata import RawData


def raw(adjusted: pd.Series, held: pd.DataFrame | None = None) -> RawData:
    multiples = {} if held is None else {"A": held}
    return a_system(MadeSimData({"A": adjusted}, multiples)).stage(RawData)


def at(*stamps: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(stamps, tz="UTC")


def test_the_last_price_of_a_day_counts() -> None:
    daily = raw(pd.Series([1.0, 2.0, 3.0], index=at("2024-01-01 09:00", "2024-01-01 20:00", "2024-01-02 20:00")))
    assert daily.daily_prices("A").tolist() == [2.0, 3.0]


def test_a_price_of_sunday_evening_belongs_to_monday() -> None:
    sunday = pd.Series([1.0, 2.0, 3.0], index=at("2024-01-05 20:00", "2024-01-07 23:00", "2024-01-08 20:00"))
    friday, monday = pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-08")
    assert raw(sunday).daily_prices("A").to_dict() == {friday: 1.0, monday: 3.0}
    assert raw(sunday.iloc[:2]).daily_prices("A").to_dict() == {friday: 1.0, monday: 2.0}


def test_the_peer_gives_it_to_the_friday_before() -> None:
    prices = pd.Series([1.0, 2.0, 3.0], index=at("2024-01-05 20:00", "2024-01-07 23:00", "2024-01-08 20:00"))
    daily = a_system(MadeSimData({"A": prices}), conventions="pysystemtrade").stage(RawData).daily_prices("A")
    assert daily.to_dict() == {pd.Timestamp("2024-01-05"): 2.0, pd.Timestamp("2024-01-08"): 3.0}


def test_a_day_begins_at_midnight_of_the_operators_clock() -> None:
    daily = raw(pd.Series([1.0, 2.0], index=at("2024-06-03 22:59", "2024-06-03 23:01")))  # 23:59 and 00:01 in London
    assert daily.daily_prices("A").index.day.tolist() == [3, 4]


def test_a_day_without_rows_is_unknown() -> None:
    daily = raw(pd.Series([1.0, 3.0], index=at("2024-01-01 20:00", "2024-01-03 20:00"))).daily_prices("A")
    assert daily.isna().tolist() == [False, True, False]


def test_volatility_needs_ten_changes() -> None:
    volatility = raw(wandering(12)).daily_volatility("A")
    assert volatility.isna().tolist() == [True] * 10 + [False] * 2


def test_volatility_does_not_care_where_zero_lies() -> None:
    below, above = raw(wandering(level=-300.0)), raw(wandering(level=100.0))
    pd.testing.assert_series_equal(below.daily_volatility("A"), above.daily_volatility("A"), rtol=1e-9)


def test_percentage_volatility_of_a_negative_price_is_positive() -> None:
    held = multiple(prices(np.full(200, -50.0)))
    volatility = raw(wandering(), held)
    assert volatility.percentage_volatility("A").iloc[-1] == pytest.approx(
        2 * volatility.daily_volatility("A").iloc[-1])


def test_percentages_are_taken_of_the_held_contract_not_of_the_adjusted_price() -> None:
    half, full = (raw(wandering(), multiple(prices(np.full(200, level)))) for level in (50.0, 100.0))
    assert half.percentage_volatility("A").iloc[-1] == pytest.approx(2 * full.percentage_volatility("A").iloc[-1])


def test_a_missing_price_keeps_the_volatility_of_the_day_before() -> None:
    holed = wandering()
    holed.iloc[-1] = np.nan
    volatility = raw(holed).daily_volatility("A")
    assert volatility.iloc[-1] == pytest.approx(volatility.iloc[-2], rel=1e-3)


def annualised_roll(carry_price: float, months: tuple[str, str]) -> float:
    """Carry times annual volatility, of a price of 97.90."""
    held = multiple(prices(np.full(200, 97.90)), carry_price, months)
    data = raw(wandering(), held)
    return float(data.raw_carry("A").iloc[-1] * data.daily_volatility("A").iloc[-1] * 16)


def test_the_roll_of_a_later_contract_by_hand() -> None:
    # 97.90 held for March 2019, 97.97 for December 2018: -0.07 over -0.25 years (pysystemtrade.md 4.3)
    assert annualised_roll(97.97, ("20190300", "20181200")) == pytest.approx(0.28)


@pytest.mark.parametrize(("carry_price", "months"), [
    (97.90, ("20190300", "20190600")),  # no roll at all
    (97.97, ("20190300", "20190300")),  # the same contract twice
    (97.97, ("20190300", "")),          # no carry contract
    (np.nan, ("20190300", "20190600")),  # no carry price
])
def test_carry_is_unknown_without_two_prices_of_two_contracts(carry_price: float, months: tuple[str, str]) -> None:
    assert np.isnan(annualised_roll(carry_price, months))


def test_the_newest_value_known_at_midnight_counts() -> None:
    rates = local_times(pd.Series([1.1, np.nan, 1.3], index=business_days(3)), "Europe/London")
    found = known_at(rates, pd.date_range("2024-01-01", periods=4))
    assert found.fillna(0).tolist() == [0, 1.1, 1.1, 1.3]


def test_two_values_at_one_local_time_are_no_obstacle() -> None:
    # 00:30 and 01:30 UTC are both 01:30 in London when the clocks go back
    rates = pd.Series([1.0, 2.0, 3.0], index=at("2026-10-25 00:30", "2026-10-25 00:45", "2026-10-25 01:30"))
    assert known_at(local_times(rates, "Europe/London"), pd.DatetimeIndex(["2026-10-26"])).notna().all()
