"""Means and volatilities a year, from periodic changes of which the newest count most. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from trading.quant.arrays import Matrix, Vector

WEEKS_IN_YEAR: Final = 365.25 / 7


@dataclass(frozen=True, kw_only=True)
class ExponentialMoments:
    """An exponential estimate: `span` and `min_periods` in rows, `periods_in_year` of them a year."""

    span: float = 50_000
    min_periods: int = 5
    periods_in_year: float = WEEKS_IN_YEAR

    def mean(self, changes: pd.DataFrame) -> "pd.Series[float]":
        """Mean a year of each column at its last row; NaN with fewer than `min_periods` values."""
        found: pd.Series[float] = changes.ewm(span=self.span, min_periods=self.min_periods).mean().iloc[-1]
        return found * self.periods_in_year

    def volatility(self, changes: pd.DataFrame) -> "pd.Series[float]":
        """Standard deviation a year of each column at its last row, corrected for the number of values."""
        found: pd.Series[float] = changes.ewm(span=self.span, min_periods=self.min_periods).std().iloc[-1]
        return found * float(np.sqrt(self.periods_in_year))


def weekly_changes(daily: pd.DataFrame) -> pd.DataFrame:
    """Changes from Sunday to Sunday of what the daily changes add up to; NaN before the first, 0 in an empty week."""
    return daily.cumsum().ffill().resample("W").last().diff()


def covariance_of(correlation: Matrix, volatility: Vector) -> Matrix:
    """Covariance, shape (n, n), in the square of the units of `volatility`."""
    return np.asarray(correlation * np.outer(volatility, volatility), dtype=float)
