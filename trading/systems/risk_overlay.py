"""RiskOverlay: what the portfolio would hold by itself, and how much of it the limits of the whole leave."""

import numpy as np
import pandas as pd

from trading.quant.arrays import Matrix
from trading.quant.portfolio_risk import PortfolioRisk, portfolio_risk
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.position_size import PositionSize
from trading.systems.risk import Risk
from trading.systems.stage import SystemStage

_SHOCK_DAYS, _SHOCK_MIN, _SHOCK = 2_500, 250, 0.99  # the volatility that is exceeded on one day in a hundred


class RiskOverlay(SystemStage):
    """Off unless the settings have `risk_overlay` (pysystemtrade.md 4.8)."""

    name = "riskOverlay"
    needs = ("instrumentWeights", "positionSize", "risk")

    def desired_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded, before anybody looks at the whole."""
        def compute() -> pd.Series:
            subsystem = self.system.stage(PositionSize).subsystem_position(code)
            shares = self.system.stage(InstrumentWeights)
            return subsystem * (shares.weight(code) * shares.multiplier()).reindex(subsystem.index, method="ffill")
        return self.get_item("desired_position", code, compute)

    def multiplier(self) -> pd.Series:
        """From 0 to 1, each business day: all positions are multiplied with it."""
        def compute() -> pd.Series:
            days = self.system.stage(InstrumentWeights).weights().index
            if self.system.config.risk_overlay is None:
                return pd.Series(1.0, index=days)
            limits = self._limits()
            shares = pd.Series([risk.share_within(limits) for risk in self.risks()], index=self.days())
            return shares.reindex(days, method="ffill").fillna(1.0)
        return self.get_item("multiplier", "", compute)

    def days(self) -> pd.DatetimeIndex:
        """The business days of `risks`."""
        return pd.DatetimeIndex(self._held().index)

    def risks(self) -> list[PortfolioRisk]:
        """Of what is desired, on each of `days`."""
        stage, held = self.system.stage(Risk), self._held()
        volatility = stage.volatility().reindex(held.index).fillna(0.0)
        rare = self._shocked().reindex(held.index).fillna(0.0)
        shocked = rare.where(rare > volatility, volatility)
        correlations = stage.correlations()
        rows = zip(held.index, held.to_numpy(), volatility.to_numpy(), shocked.to_numpy(), strict=True)
        return [portfolio_risk(weights, now, shock, _known(correlations.on(day))) for day, weights, now, shock in rows]

    def _held(self) -> pd.DataFrame:
        """Value of what is desired over the capital; what is unknown counts nothing."""
        def compute() -> pd.DataFrame:
            stage = self.system.stage(Risk)
            positions = pd.DataFrame(self.of_each(self.desired_position, stage.codes())).reindex(columns=stage.codes())
            return (positions.ffill() * stage.contract_shares().reindex(positions.index)).fillna(0.0)
        return self.get_item("held", "", compute)

    def _shocked(self) -> pd.DataFrame:
        volatility = self.system.stage(Risk).volatility()
        return volatility.rolling(_SHOCK_DAYS, min_periods=_SHOCK_MIN).quantile(_SHOCK)

    def _limits(self) -> PortfolioRisk:
        overlay, target = self.system.config.risk_overlay, self.system.config.percentage_vol_target / 100
        assert overlay is not None
        return PortfolioRisk(normal=overlay.normal_risk * target, shocked=overlay.shocked_risk * target,
                             sum_of_risks=overlay.sum_of_risks * target, leverage=overlay.leverage)


def _known(correlation: Matrix) -> Matrix:
    """Pairs of which nothing is known count as moving together: nothing is proven to diversify."""
    return np.asarray(np.where(np.isnan(correlation), 1.0, correlation))
