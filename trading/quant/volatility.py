"""Volatility of a series of daily changes. Pure; knows no instrument.

Source: oracle README 03 and pysystemtrade.md 4.3.
"""

from dataclasses import dataclass

import pandas as pd

from trading.quant.methods import VolatilityMethod

BUSINESS_DAYS_IN_YEAR = 256
DAYS_TO_YEAR = 16.0  # the square root of 256
_QUIETEST, _QUIET_DAYS, _QUIET_MIN = 0.05, 500, 100  # a volatility below that of one day in twenty is too good


@dataclass(frozen=True, kw_only=True)
class VolatilityEstimator:
    """Daily volatility. `span` and the slow fields are for MIXED, `span` for ROBUST, `simple_days` for SIMPLE."""

    method: VolatilityMethod = VolatilityMethod.MIXED
    span: int = 35
    simple_days: int = 25
    min_periods: int = 10
    slow_years: float = 10.0
    slow_weight: float = 0.3
    floor: float = 1e-10

    def estimate(self, changes: pd.Series) -> pd.Series:
        """Standard deviation of `changes` at each of its rows, in their units; NaN until there are enough of them.

        Args:
            changes: one change a business day; NaN where there was none.
        """
        if self.method is VolatilityMethod.SIMPLE:
            return changes.rolling(self.simple_days, min_periods=self.min_periods).std().clip(lower=self.floor)
        fast = changes.ewm(span=self.span, min_periods=self.min_periods).std()
        if self.method is VolatilityMethod.ROBUST:
            return self._never_too_quiet(fast.clip(lower=self.floor))
        slow = fast.ewm(com=self.slow_years * BUSINESS_DAYS_IN_YEAR).mean()
        blended = (1 - self.slow_weight) * fast + self.slow_weight * slow
        return blended.clip(lower=self.floor)

    def _never_too_quiet(self, fast: pd.Series) -> pd.Series:
        quiet = fast.rolling(_QUIET_DAYS, min_periods=_QUIET_MIN).quantile(_QUIETEST).ffill().fillna(0.0)
        return fast.where(fast.isna() | (fast >= quiet), quiet)
