"""Accounts: what the positions of a system would have earned. Gross of costs; a position earns from the next day on."""

import pandas as pd

from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage

_DELAY = 2  # business days: decided at one close, traded by the next, earning from then on


class Accounts(SystemStage):
    """Profit and loss in the base currency."""

    name = "accounts"
    needs = ("portfolio", "positionSize", "rawdata")

    def daily_gains(self, code: str) -> pd.Series:
        """Gain of each business day from the notional position, in the base currency."""
        return self.kept("daily_gains", code,
                         lambda: self.gains_of(code, self.system.stage(Portfolio).notional_position(code)))

    def gains_of(self, code: str, positions: pd.Series) -> pd.Series:
        """Gain of each business day, in the base currency, from `positions` (contracts decided on each business day).

        Source: oracle README 06.
        """
        changes = self.system.stage(RawData).daily_prices(code).ffill().diff()
        held = positions.shift(_DELAY).reindex(changes.index, method="ffill")
        point_size = self.system.data.instrument(code).point_size
        return held * changes * point_size * self.system.stage(PositionSize).rate(code)
