"""PositionSize: how many contracts of one instrument would use the whole capital, given the forecast."""

import pandas as pd

from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.contract_risk import ContractRisk
from trading.systems.stage import SystemStage

_AVERAGE_FORECAST = 10.0


class PositionSize(SystemStage):
    """Volatility targeting with an opinion (pysystemtrade.md 4.6)."""

    name = "positionSize"
    needs = ("combForecast", "contractRisk")

    def subsystem_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded, if all capital were this instrument's."""
        def compute() -> pd.Series:
            forecast = self.system.stage(CombineForecasts).combined_forecast(code)
            scalar = self.system.stage(ContractRisk).volatility_scalar(code).reindex(forecast.index, method="ffill")
            return scalar * forecast / _AVERAGE_FORECAST
        return self.get_item("subsystem_position", code, compute)
