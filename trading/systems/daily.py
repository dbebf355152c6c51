"""Business days from prices at any time of day. Pure."""

from typing import TypeVar

import numpy as np
import pandas as pd

from trading.conventions import Conventions
from trading.quant.arrays import Vector

Rows = TypeVar("Rows", pd.Series, pd.DataFrame)


def local_times(values: Rows, timezone: str) -> Rows:
    """The same values by the operator's clock, without a zone; in a repeated hour the order is the true one."""
    index = values.index
    assert isinstance(index, pd.DatetimeIndex)
    return values.set_axis(index.tz_convert(timezone).tz_localize(None), axis=0)


def business_day_last(values: pd.Series, conventions: Conventions) -> pd.Series:
    """The last value of each Monday to Friday; NaN for a day without one."""
    return _monday_for_weekend(values, conventions).resample("1B").last()


def business_days(table: pd.DataFrame) -> pd.DataFrame:
    """A row a Monday to Friday, the mean of its rows; what has one row a day already stays as it is."""
    index = table.index
    assert isinstance(index, pd.DatetimeIndex)
    return table if index.freqstr == "B" else table.resample("1B").mean()


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


def year_fraction(months: pd.Series) -> Vector:
    """Delivery months YYYYMM00 as years, one a row: 20211200 is 2022.0; NaN where there is none."""
    places, labels = pd.factorize(months)  # a few hundred months stand in many thousand rows
    number = pd.to_numeric(pd.Series(labels).where(labels != ""), errors="coerce").to_numpy(dtype="float64")
    years = np.append(number // 10_000 + number % 10_000 // 100 / 12, np.nan)
    return np.asarray(years[places], dtype=float)
