"""Business days from prices at any time of day. Pure."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trading.conventions import Conventions
from trading.quant.arrays import Vector

Days = NDArray[np.datetime64]
Rows = TypeVar("Rows", pd.Series, pd.DataFrame)


def local_times(values: Rows, timezone: str) -> Rows:
    """The same values by the operator's clock, without a zone; in a repeated hour the order is the true one."""
    index = values.index
    assert isinstance(index, pd.DatetimeIndex)
    return values.set_axis(index.tz_convert(timezone).tz_localize(None), axis=0)


def business_day_last(values: pd.Series, conventions: Conventions) -> pd.Series:
    """The last value of each Monday to Friday; NaN for a day without one.

    Args:
        values: at local times, ascending, NaN allowed.
    """
    numbers, days = values.to_numpy(dtype=float), _sessions(values.index, conventions)
    known = np.flatnonzero(~np.isnan(numbers))
    last = known[np.append(days[known][1:] != days[known][:-1], True)] if len(known) else known
    every = _mondays_to_fridays(days)
    found = np.full(len(every), np.nan)
    found[np.searchsorted(every, days[last])] = numbers[last]
    return _daily(found, every, values)


def business_day_mean(values: pd.Series, conventions: Conventions) -> pd.Series:
    """The mean of each Monday to Friday; see `business_day_last`."""
    numbers, days = values.to_numpy(dtype=float), _sessions(values.index, conventions)
    is_known, every = ~np.isnan(numbers), _mondays_to_fridays(days)
    places = np.searchsorted(every, days[is_known])
    sums, counts = (np.bincount(places, weights, len(every)) for weights in (numbers[is_known], None))
    return _daily(np.divide(sums, counts, out=np.full(len(every), np.nan), where=counts > 0), every, values)


def side_by_side(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """A column a name; a row a day that one of them has."""
    first = next(iter(columns.values())).index
    if all(column.index.equals(first) for column in columns.values()):  # the usual case, and much faster
        values = np.column_stack([column.to_numpy() for column in columns.values()])
        return pd.DataFrame(values, index=first, columns=list(columns))
    return pd.DataFrame(columns)


def held_on(rows: Rows, days: pd.Index) -> Rows:
    """`rows` on `days`: each holds until the next."""
    return rows if rows.index.equals(days) else rows.reindex(days, method="ffill")


def business_days(table: pd.DataFrame) -> pd.DataFrame:
    """A row a Monday to Friday, the mean of its rows; what has one row a day already stays as it is."""
    days = table.index.to_numpy().astype("datetime64[D]")
    is_daily = len(days) > 0 and np.array_equal(days, _mondays_to_fridays(days)) and bool(
        np.all(days == table.index.to_numpy()))
    return table if is_daily else table.resample("1B").mean()


def _sessions(index: pd.Index, conventions: Conventions) -> Days:
    """The business day of each row: a weekend belongs to Monday's session, or, for the peer, to Friday's."""
    days = index.to_numpy().astype("datetime64[D]")
    weekday = (days.astype("int64") + 3) % 7  # the first day of 1970 was a Thursday
    monday = 7 if conventions.sunday_belongs_to_monday else 4
    return days + np.where(weekday > 4, monday - weekday, 0)


def _mondays_to_fridays(days: Days) -> Days:
    """All from the first to the last of `days`."""
    if len(days) == 0:
        return days
    every = np.arange(days[0], days[-1] + 1)
    return every[np.is_busday(every)]


def _daily(found: Vector, days: Days, rows: pd.Series) -> pd.Series:
    index = pd.DatetimeIndex(days.astype(rows.index.to_numpy().dtype), name=rows.index.name)
    return pd.Series(found, index=index, name=rows.name)


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
