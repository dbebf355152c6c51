"""SubsystemAccounts: what each instrument alone would have earned with the whole capital, in fractions of contracts."""

import pandas as pd

from trading.systems.account_curve import AccountCurve
from trading.systems.contract_risk import ContractRisk
from trading.systems.gains import Gains
from trading.systems.position_size import PositionSize
from trading.systems.sharpe_costs import turnover_of
from trading.systems.stage import SystemStage


class SubsystemAccounts(SystemStage):
    """Source: oracle README 06, 07."""

    name = "subsystemAccounts"
    needs = ("positionSize", "contractRisk", "gains")

    def pandl_for_subsystem(self, code: str) -> AccountCurve:
        """The account of `code`."""
        gains = self.system.stage(Gains)

        def positions() -> pd.Series:
            return self.system.stage(PositionSize).subsystem_position(code)

        def by_risk() -> pd.Series:
            return gains.costs_by_risk(code, self.turnover(code), pd.Series(1.0, index=positions().index))
        return gains.curve("subsystem", code, positions, None if self.system.config.costs == "cash" else by_risk)

    def turnover(self, code: str) -> float:
        """How often a year the position of an average forecast is bought and sold again."""
        return turnover_of(self.system.stage(PositionSize).subsystem_position(code),
                           self.system.stage(ContractRisk).volatility_scalar(code))
