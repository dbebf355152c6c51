"""Accounts: what the positions of a system would have earned. Gross of costs; a position earns from the next day on."""

import pandas as pd

from trading.systems.portfolio import Portfolio
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage


class Accounts(SystemStage):
    """Profit and loss in the base currency."""

    name = "accounts"
    needs = ("portfolio", "rawdata")

    def daily_gains(self, code: str) -> pd.Series:
        """Gain of each business day from the position decided two days before, in the base currency."""
        def compute() -> pd.Series:
            instrument, config = self.system.data.instrument(code), self.system.config
            changes = self.system.stage(RawData).daily_prices(code).ffill().diff()
            held = self.system.stage(Portfolio).notional_position(code).shift(2).reindex(changes.index, method="ffill")
            rates = self.system.data.fx(instrument.currency, config.base_currency)
            rates = rates.set_axis(pd.DatetimeIndex(rates.index).tz_convert(config.timezone).tz_localize(None), axis=0)
            return held * changes * instrument.point_size * rates.reindex(changes.index, method="ffill")
        return self.kept("daily_gains", code, compute)
