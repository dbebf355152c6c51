"""Business days from prices at any time of day. Pure."""

import pandas as pd

from trading.conventions import Conventions


def local_times(values: pd.Series, timezone: str) -> pd.Series:
    """The same values by the operator's clock, without a zone; in a repeated hour the order is the true one."""
    index = values.index
    assert isinstance(index, pd.DatetimeIndex)
    return values.set_axis(index.tz_convert(timezone).tz_localize(None), axis=0)


def business_day_last(values: pd.Series, conventions: Conventions) -> pd.Series:
    """The last value of each Monday to Friday; NaN for a day without one."""
    return _monday_for_weekend(values, conventions).resample("1B").last()


def business_day_mean(values: pd.Series, conventions: Conventions) -> pd.Series:
    """The mean of each Monday to Friday."""
    return _monday_for_weekend(values, conventions).resample("1B").mean()


def _monday_for_weekend(values: pd.Series, conventions: Conventions) -> pd.Series:
    """What is said at a weekend belongs to Monday's session, of which it is the beginning."""
    index = values.index
    assert isinstance(index, pd.DatetimeIndex)
    weekend = index.day_of_week >= 5
    if not conventions.sunday_belongs_to_monday or not weekend.any():
        return values
    mondays = index.normalize() + pd.to_timedelta(7 - index.day_of_week, unit="D")
    return values.set_axis(index.where(~weekend, mondays), axis=0)


def known_at(values: pd.Series, days: pd.Index) -> pd.Series:
    """The newest value of `values` at the beginning of each of `days`; NaN before the first.

    Args:
        values: at local times (see `local_times`), NaN allowed.
    """
    known = values.dropna().sort_index(kind="stable")
    return known[~known.index.duplicated(keep="last")].reindex(days, method="ffill")


def year_fraction(months: pd.Series) -> pd.Series:
    """Delivery months YYYYMM00 as years: 20211200 is 2022.0; NaN where there is none."""
    number = pd.to_numeric(months.where(months != ""), errors="coerce").astype("float64")
    return number // 10_000 + number % 10_000 // 100 / 12
