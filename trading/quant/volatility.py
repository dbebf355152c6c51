"""Volatility of a series of daily changes. Pure; knows no instrument.

Source: oracle README 03 and pysystemtrade.md 4.3: a fast exponential estimate blended with its own long average.
"""

from dataclasses import dataclass

import pandas as pd

BUSINESS_DAYS_IN_YEAR = 256
DAYS_TO_YEAR = 16.0  # the square root of 256


@dataclass(frozen=True, kw_only=True)
class VolatilityEstimator:
    """Daily volatility: a fast estimate, and with `slow_weight` its own ten-year average."""

    span: int = 35
    min_periods: int = 10
    slow_years: float = 10.0
    slow_weight: float = 0.3
    floor: float = 1e-10

    def estimate(self, changes: pd.Series) -> pd.Series:
        """Standard deviation of `changes` at each of its rows, in their units; NaN until there are enough of them.

        Args:
            changes: one change a business day; NaN where there was none.
        """
        fast = changes.ewm(span=self.span, min_periods=self.min_periods).std()
        slow = fast.ewm(com=self.slow_years * BUSINESS_DAYS_IN_YEAR).mean()
        blended = (1 - self.slow_weight) * fast + self.slow_weight * slow
        return blended.clip(lower=self.floor)
