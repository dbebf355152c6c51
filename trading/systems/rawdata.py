"""RawData: daily prices, their volatility, and carry, for each instrument."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trading.quant.volatility import DAYS_TO_YEAR, VolatilityEstimator
from trading.systems.daily import business_day_last, business_day_mean, local_times, year_fraction
from trading.systems.stage import SystemStage

_LONG_DAYS = 2_500
_SHORTEST_SPREAD = 1 / 365.25  # years between two contracts, at least


class RawData(SystemStage):
    """Source of the formulas: oracle README 00, 03 and 04."""

    name = "rawdata"

    def daily_prices(self, code: str) -> pd.Series:
        """Back-adjusted price of each business day; may be negative."""
        def compute() -> pd.Series:
            return self._last_of_day(self.system.data.adjusted_prices(code))
        return self.get_item("daily_prices", code, compute)

    def denominator(self, code: str) -> pd.Series:
        """Price of the contract that was held on each business day: what percentages are taken of."""
        def compute() -> pd.Series:
            return business_day_last(self._multiple_prices(code)["PRICE"], self.system.config.chosen_conventions)
        return self.get_item("denominator", code, compute)

    def daily_volatility(self, code: str) -> pd.Series:
        """Standard deviation of a business day's price change, in price points."""
        return self.get_item("daily_volatility", code,
                         lambda: self._estimator.estimate(self.daily_prices(code).diff()))

    @property
    def _estimator(self) -> VolatilityEstimator:
        return VolatilityEstimator(**self.system.config.volatility.model_dump())

    def why_risk_is_unknown(self, code: str) -> Iterator[str]:
        """What is wrong with the volatility of the last day, if anything."""
        changes, volatility = self.daily_prices(code).diff(), self.daily_volatility(code)
        needed = self._estimator.min_periods
        if volatility.empty or volatility.isna().iloc[-1]:
            yield f"its volatility needs {needed} daily changes of the price, and there are {int(changes.count())}"
        elif volatility.iloc[-1] <= self._estimator.floor:
            yield f"its price has not moved in {int(changes.count())} days, so nothing is known about its risk"

    def is_moving(self, code: str) -> pd.Series:
        """Whether something is known of the risk on each business day; nothing is of a price that stands still."""
        return self.daily_volatility(code) > self._estimator.floor

    def percentage_volatility(self, code: str) -> pd.Series:
        """Daily volatility in percent of the held contract's price."""
        def compute() -> pd.Series:
            volatility = self.daily_volatility(code)
            denominator = self.denominator(code).ffill().reindex(volatility.index, method="ffill")
            return 100 * volatility / denominator.abs()
        return self.get_item("percentage_volatility", code, compute)

    def percentage_returns(self, code: str) -> pd.Series:
        """Change of each business day in percent of the held contract's price on the day before."""
        def compute() -> pd.Series:
            prices, conventions = self.daily_prices(code), self.system.config.chosen_conventions
            before = self.denominator(code).ffill().reindex(prices.index, method="ffill")
            before = before.shift(1) if conventions.percentages_are_of_the_day_before else before
            return 100 * prices.diff() / before.abs()
        return self.get_item("percentage_returns", code, compute)

    def normalised_price(self, code: str) -> pd.Series:
        """The sum of each business day's change in units of the volatility of the day before."""
        def compute() -> pd.Series:
            prices = self.daily_prices(code)
            return (prices.diff() / self.daily_volatility(code).ffill().shift(1)).cumsum()
        return self.get_item("normalised_price", code, compute)

    def attenuation(self, code: str) -> pd.Series:
        """From 2, while the volatility is the lowest that it ever was against its long average, to 0.5; smoothed.

        Source: pysystemtrade.md 4.4; 1 where nothing is known.
        """
        def compute() -> pd.Series:
            volatility = self.daily_volatility(code)
            relative = volatility / volatility.rolling(_LONG_DAYS, min_periods=10).mean()
            quantile = relative.expanding(min_periods=10).rank(pct=True)
            return (2 - 1.5 * quantile).ewm(span=10).mean().fillna(1.0)
        return self.get_item("attenuation", code, compute)

    def raw_carry(self, code: str) -> pd.Series:
        """Annual return from the slope of the curve, in units of annual volatility, each business day."""
        def compute() -> pd.Series:
            roll = business_day_mean(self._annualised_roll(code), self.system.config.chosen_conventions)
            annual_volatility = self.daily_volatility(code) * DAYS_TO_YEAR
            return roll / annual_volatility.reindex(roll.index)
        return self.get_item("raw_carry", code, compute)

    def _last_of_day(self, prices: pd.Series) -> pd.Series:
        config = self.system.config
        return business_day_last(local_times(prices, config.timezone), config.chosen_conventions)

    def _annualised_roll(self, code: str) -> pd.Series:
        frame = self._multiple_prices(code)
        years = year_fraction(frame["CARRY_CONTRACT"]) - year_fraction(frame["PRICE_CONTRACT"])
        roll = (frame["PRICE"] - frame["CARRY"]).to_numpy()
        is_known = (roll != 0) & (np.abs(years) >= _SHORTEST_SPREAD)
        return pd.Series(np.divide(roll, years, out=np.full(len(roll), np.nan), where=is_known), index=frame.index)

    def _multiple_prices(self, code: str) -> pd.DataFrame:
        """By the operator's clock."""
        return self.get_item("multiple_prices", code, lambda: local_times(
            self.system.data.multiple_prices(code), self.system.config.timezone))
