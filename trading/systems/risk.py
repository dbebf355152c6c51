"""Risk: how the instruments moved together until each day, and how much a contract of each is worth to the account."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trading.quant.arrays import Matrix
from trading.quant.correlation_cleaning import CorrelationCleaning
from trading.quant.exponential import exponential_correlations
from trading.quant.moments import weekly_changes
from trading.quant.volatility import DAYS_TO_YEAR
from trading.systems.contract_risk import ContractRisk
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage

_SPAN, _MIN_WEEKS = 75, 10
_EVERY = 4  # weeks between two estimates
_CLEANING = CorrelationCleaning(unknown=0.0, clip=0.9, shrinkage=0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Correlations:
    """One matrix, cleaned, for the time from each of `since` on; shape (n, n) in the order of `codes`."""

    codes: tuple[str, ...]
    since: pd.DatetimeIndex
    matrices: list[Matrix]

    def on(self, day: pd.Timestamp) -> Matrix:
        """What was known at the beginning of `day`; NaN before the first estimate."""
        place = int(self.since.searchsorted(day, side="right")) - 1
        return self.matrices[place] if place >= 0 else np.full((len(self.codes), len(self.codes)), np.nan)


class Risk(SystemStage):
    """Of the instruments that are traded and whose data are fit (pysystemtrade.md 4.9)."""

    name = "risk"
    needs = ("rawdata", "contractRisk")

    def codes(self) -> tuple[str, ...]:
        """In the order of every array of this stage."""
        return tuple(self.volatility().columns)

    def volatility(self) -> pd.DataFrame:
        """A year, as a fraction of the held contract's price; of each business day, an old value until a new one."""
        raw = self.system.stage(RawData)
        return self.get_item("volatility", "", lambda: pd.DataFrame(self.of_each(
            lambda code: raw.percentage_volatility(code) * (DAYS_TO_YEAR / 100),
            self.system.instruments.traded)).ffill())

    def contract_shares(self) -> pd.DataFrame:
        """What one contract controls, as a fraction of the capital; of each business day."""
        values, capital = self.system.stage(ContractRisk), self.system.config.notional_trading_capital
        return self.get_item("contract_shares", "", lambda: pd.DataFrame(self.of_each(
            lambda code: values.contract_value(code) / capital, self.codes())).ffill())

    def correlations(self) -> Correlations:
        """Of the returns of weeks, the newest counting most, estimated anew every four weeks."""
        def compute() -> Correlations:
            raw = self.system.stage(RawData)
            weeks = weekly_changes(pd.DataFrame({code: raw.percentage_returns(code) for code in self.codes()}))
            ends = range(_EVERY, len(weeks) + 1, _EVERY)
            found = exponential_correlations(weeks.to_numpy(dtype=float), ends, _SPAN, _MIN_WEEKS)
            known = np.asarray(weeks.notna().cumsum() > 0)
            matrices = [_CLEANING.applied(matrix, known[end - 1])
                        for matrix, end in zip(found, ends, strict=True)]
            since = pd.DatetimeIndex([weeks.index[end - 1] for end in ends]) + pd.Timedelta(days=1)
            return Correlations(codes=self.codes(), since=since, matrices=matrices)
        return self.get_item("correlations", "", compute)
