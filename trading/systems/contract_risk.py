"""ContractRisk: what one contract moves in a day, in the base currency, and how many contracts move as intended."""

import pandas as pd

from trading.quant.volatility import DAYS_TO_YEAR
from trading.systems.daily import known_at, local_times
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage


class ContractRisk(SystemStage):
    """Volatility targeting without an opinion (pysystemtrade.md 4.6)."""

    name = "contractRisk"
    needs = ("rawdata",)

    def volatility_scalar(self, code: str) -> pd.Series:
        """Contracts whose daily volatility is the daily volatility that the capital should have."""
        config = self.system.config
        daily_target = config.notional_trading_capital * config.percentage_vol_target / 100 / DAYS_TO_YEAR
        return self.get_item("volatility_scalar", code, lambda: daily_target / self.value_volatility(code))

    def value_volatility(self, code: str) -> pd.Series:
        """Daily volatility of one contract, in the base currency."""
        def compute() -> pd.Series:
            return self.contract_value(code) / 100 * self.system.stage(RawData).percentage_volatility(code)
        return self.get_item("value_volatility", code, compute)

    def contract_value(self, code: str) -> pd.Series:
        """What one contract controls on each business day, in the base currency; never negative."""
        def compute() -> pd.Series:
            rate = self.rate(code)
            held = self.system.stage(RawData).denominator(code).ffill().reindex(rate.index, method="ffill").abs()
            return held * self.system.data.instrument(code).point_size * rate
        return self.get_item("contract_value", code, compute)

    def trading_cost(self, code: str) -> pd.Series:
        """What buying or selling one contract costs on each business day, in the base currency."""
        def compute() -> pd.Series:
            instrument, rate = self.system.data.instrument(code), self.rate(code)
            price = self.system.stage(RawData).denominator(code).ffill().reindex(rate.index, method="ffill").abs()
            by_value = price * instrument.point_size * instrument.cost_percentage
            commission = by_value.clip(lower=max(instrument.cost_per_contract, instrument.cost_per_order))
            return (commission + instrument.slippage * instrument.point_size) * rate
        return self.get_item("trading_cost", code, compute)

    def rate(self, code: str) -> pd.Series:
        """The value of the instrument's currency in the base currency on each business day; see `rate_on`."""
        raw = self.system.stage(RawData)
        return self.get_item("rate", code, lambda: self.rate_on(code, raw.daily_prices(code).index))

    def rate_on(self, code: str, days: pd.Index) -> pd.Series:
        """The same on any `days`: their labels are midnights, so each takes the newest rate that was known by then."""
        return known_at(self._rates(self.system.data.instrument(code).currency), days)

    def _rates(self, currency: str) -> pd.Series:
        """The value of `currency` in the base currency, by the operator's clock."""
        config = self.system.config
        return self.get_item("rates", currency, lambda: local_times(
            self.system.data.fx(currency, config.base_currency), config.timezone).dropna())
