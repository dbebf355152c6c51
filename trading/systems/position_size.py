"""PositionSize: how many contracts of one instrument would use the whole capital, given the forecast."""

import pandas as pd

from trading.quant.volatility import DAYS_TO_YEAR
from trading.systems.daily import known_at, local_times
from trading.systems.forecasts import CombineForecasts
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage

_AVERAGE_FORECAST = 10.0


class PositionSize(SystemStage):
    """Volatility targeting (pysystemtrade.md 4.6)."""

    name = "positionSize"
    needs = ("combForecast", "rawdata")

    def subsystem_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded, if all capital were this instrument's."""
        def compute() -> pd.Series:
            forecast = self.system.stage(CombineForecasts).combined_forecast(code)
            scalar = self.volatility_scalar(code).reindex(forecast.index, method="ffill")
            return scalar * forecast / _AVERAGE_FORECAST
        return self.kept("subsystem_position", code, compute)

    def volatility_scalar(self, code: str) -> pd.Series:
        """Contracts whose daily volatility is the daily volatility that the capital should have."""
        config = self.system.config
        daily_target = config.notional_trading_capital * config.percentage_vol_target / 100 / DAYS_TO_YEAR
        return self.kept("volatility_scalar", code, lambda: daily_target / self.value_volatility(code))

    def value_volatility(self, code: str) -> pd.Series:
        """Daily volatility of one contract, in the base currency."""
        def compute() -> pd.Series:
            raw, instrument = self.system.stage(RawData), self.system.data.instrument(code)
            percentage = raw.percentage_volatility(code)
            block = raw.denominator(code).ffill().reindex(percentage.index, method="ffill").abs() \
                * instrument.point_size / 100
            return block * percentage * self.rate(code)
        return self.kept("value_volatility", code, compute)

    def rate(self, code: str) -> pd.Series:
        """The value of the instrument's currency in the base currency on each business day; see `rate_on`."""
        return self.kept("rate", code, lambda: self.rate_on(code, self.system.stage(RawData).daily_prices(code).index))

    def rate_on(self, code: str, days: pd.Index) -> pd.Series:
        """The same on any `days`: their labels are midnights, so each takes the newest rate that was known by then."""
        config, currency = self.system.config, self.system.data.instrument(code).currency
        return known_at(local_times(self.system.data.fx(currency, config.base_currency), config.timezone), days)
