"""InstrumentWeights: the share of each instrument in the risk, and the multiplier that their diversity earns."""

import pandas as pd

from trading.errors import DataError
from trading.quant.fitting_periods import fitting_periods
from trading.quant.moments import weekly_changes
from trading.quant.multipliers_over_time import multipliers_over_time
from trading.systems.daily import business_days
from trading.systems.position_size import PositionSize
from trading.systems.stage import SystemStage
from trading.systems.subsystem_accounts import SubsystemAccounts
from trading.systems.system_config import ESTIMATED
from trading.systems.weight_fitting import (
    diversity_estimator,
    fitted_weights,
    net_gains,
    on_days,
    shares_of,
    weekly_gains,
)

_SMOOTHING = 125  # centre of mass in business days, as pysystemtrade's ewm(125)


class InstrumentWeights(SystemStage):
    """Equal, given or estimated weights and multipliers (pysystemtrade.md 4.5, 4.6)."""

    name = "instrumentWeights"
    needs = ("positionSize", "subsystemAccounts")

    def weight(self, code: str) -> pd.Series:
        """The share of `code`: instruments without a position yet count nothing, the others share one.

        Smoothed from nothing on, as in pysystemtrade: the days before the first position count as a share of nothing.

        Raises:
            DataError: this system does not trade `code`.
        """
        instruments = self.system.instruments
        if code not in instruments.traded:
            reason = instruments.not_traded.get(code, f"it trades {', '.join(instruments.traded)}")
            raise DataError(f"{code} is not traded by this system ({reason}). Add it to the instruments of the system.")
        return self.weights()[code]

    def multiplier(self) -> pd.Series:
        """What makes up for the diversity of the instruments, on each business day."""
        def compute() -> pd.Series:
            config, weights = self.system.config, self.weights()
            given = config.instrument_div_multiplier
            if given != ESTIMATED:
                return pd.Series(float(given), index=weights.index)
            changes = weekly_changes(self._gains(cost_multiplier=0.0))
            periods = fitting_periods(pd.DatetimeIndex(changes.index))
            correlations = diversity_estimator(config.chosen_conventions).estimate_over_time(changes, periods)
            return multipliers_over_time(correlations, periods, weights[list(changes.columns)])
        return self.get_item("multiplier", "", compute)

    def weights(self) -> pd.DataFrame:
        """A column an instrument that is traded, a row a business day."""
        def compute() -> pd.DataFrame:
            codes = self.system.instruments.traded
            positions = pd.DataFrame(self.of_each(self.system.stage(PositionSize).subsystem_position, codes))
            wanted = on_days(self._wanted(), positions.index)
            available = positions.reindex(columns=list(codes)).ffill().notna()
            available[list(set(codes) - set(positions))] = True  # whose data are broken; the others do not grow into it
            return business_days(shares_of(wanted, available)).ewm(com=_SMOOTHING).mean()
        return self.get_item("weights", "", compute)

    def _wanted(self) -> pd.DataFrame:
        """Weights before it is asked who has a position: a row each time that they were set."""
        codes, config = list(self.system.instruments.traded), self.system.config
        if config.instrument_weight_estimate is None:
            given = config.instrument_weights or dict.fromkeys(codes, 1.0 / len(codes))
            return pd.DataFrame({code: [given[code]] for code in codes})
        return self.fitted().reindex(columns=codes, fill_value=0.0)

    def fitted(self) -> pd.DataFrame:
        """Estimated weights: a row at the start of each fitting period, a column an instrument.

        Raises:
            DataError: the settings do not say how to estimate.
        """
        system, estimate = self.system, self.system.config.instrument_weight_estimate
        conventions = system.config.chosen_conventions
        if estimate is None:
            raise DataError("The system does not say how to estimate weights. Write instrument_weight_estimate.")
        return self.get_item("fitted", "", lambda: fitted_weights(
            weekly_gains(self._gains(estimate.cost_multiplier), conventions), estimate, system.executor, conventions))

    def _gains(self, cost_multiplier: float) -> pd.DataFrame:
        accounts = self.system.stage(SubsystemAccounts)
        return pd.DataFrame(self.of_each(lambda code: net_gains(accounts.pandl_for_subsystem(code), cost_multiplier),
                                         self.system.instruments.traded))
