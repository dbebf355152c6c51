"""OptimisedPositions: the whole contracts that come nearest to what is wanted, for an account too small for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trading.quant.arrays import Lots
from trading.quant.dynamic_positions import DynamicInputs, DynamicPositions, TradingSpeed, dynamic_positions
from trading.quant.moments import covariance_of
from trading.systems.buffered_position import BufferedPosition
from trading.systems.contract_risk import ContractRisk
from trading.systems.estimation_config import SmallAccount
from trading.systems.portfolio import Portfolio
from trading.systems.rawdata import RawData
from trading.systems.risk import Risk
from trading.systems.stage import SystemStage


class OptimisedPositions(SystemStage):
    """Used when the settings have `small_account`; see trading.quant.dynamic_positions for the search."""

    name = "optimisedPositions"
    needs = ("portfolio", "risk", "contractRisk", "rawdata")

    def positions(self) -> pd.DataFrame:
        """Whole contracts each business day, had every answer been followed; a column an instrument."""
        def compute() -> pd.DataFrame:
            codes, days = self.system.stage(Risk).codes(), self.days()
            held, path = np.zeros(len(codes), dtype=np.int64), np.zeros((len(days), len(codes)))
            for row in range(len(days)):
                held = self._answer(self.inputs_on(row, held)).contracts
                path[row] = held
            return pd.DataFrame(path, index=days, columns=list(codes))
        return self.get_item("positions", "", compute)

    def position(self, code: str) -> pd.Series:
        """The column of `code`; nothing was held of one whose data are broken."""
        found = self.positions()
        return found[code] if code in found else pd.Series(0.0, index=found.index)

    def whole_contracts(self, wanted: Mapping[str, BufferedPosition],
                        held: Mapping[str, int]) -> dict[str, BufferedPosition]:
        """What to hold after the last day: of each of `wanted` exactly so many contracts.

        Args:
            wanted: the optimum of every instrument whose data are complete; no other is traded.
            held: contracts that the strategy holds now.
        """
        codes = self.system.stage(Risk).codes()
        optimal = np.array([wanted[code].optimal if code in wanted else np.nan for code in codes])
        now = np.array([held.get(code, 0) for code in codes], dtype=np.int64)
        answer = self._answer(replace(self.inputs_on(len(self.days()) - 1, now), optimal=optimal))
        found = dict(zip(codes, answer.contracts.tolist(), strict=True))
        return {code: _exactly(position, found[code]) for code, position in wanted.items()
                if code not in answer.not_traded}

    def days(self) -> pd.DatetimeIndex:
        """All business days on which something may be wanted."""
        return pd.DatetimeIndex(self._wanted().index)

    def inputs_on(self, row: int, held: Lots) -> DynamicInputs:
        """The question of a day, by its place in `days`; NaN what is not known then."""
        risk, day = self.system.stage(Risk), self.days()[row]
        shares, volatility = (frame.to_numpy()[row] for frame in (self._shares(), self._volatility()))
        return DynamicInputs(names=risk.codes(), optimal=self._wanted().to_numpy()[row], value=shares,
                             cost=self._costs().to_numpy()[row], held=held,
                             covariance=covariance_of(risk.correlations().on(day), volatility))

    def _answer(self, inputs: DynamicInputs) -> DynamicPositions:
        settings = self.system.config.small_account or SmallAccount()
        return dynamic_positions(inputs, TradingSpeed(
            shadow_cost=settings.shadow_cost, buffer=settings.tracking_error_buffer,
            conventions=self.system.config.chosen_conventions))

    def _wanted(self) -> pd.DataFrame:
        portfolio, raw = self.system.stage(Portfolio), self.system.stage(RawData)
        return self._frame("wanted", lambda code: portfolio.notional_position(code).where(raw.is_moving(code)))

    def _costs(self) -> pd.DataFrame:
        capital = self.system.config.notional_trading_capital
        return self._frame("costs", lambda code: self.system.stage(ContractRisk).trading_cost(code) / capital)

    def _shares(self) -> pd.DataFrame:
        return self.get_item("shares", "", lambda: self._on_days(self.system.stage(Risk).contract_shares()))

    def _volatility(self) -> pd.DataFrame:
        return self.get_item("volatility", "", lambda: self._on_days(self.system.stage(Risk).volatility()))

    def _frame(self, item: str, compute: Callable[[str], pd.Series]) -> pd.DataFrame:
        """A column an instrument, an old value until there is a new one; NaN where nothing is known."""
        def together() -> pd.DataFrame:
            codes = list(self.system.stage(Risk).codes())
            return pd.DataFrame(self.of_each(compute, codes)).reindex(columns=codes).ffill()
        return self.get_item(item, "", together)

    def _on_days(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.reindex(self.days(), method="ffill")


def _exactly(position: BufferedPosition, contracts: int) -> BufferedPosition:
    return replace(position, lower=float(contracts), upper=float(contracts), optimal=float(contracts))
