"""Portfolio: the position of each instrument beside the others, and its buffer."""

import math
from collections.abc import Iterator
from typing import Final

import pandas as pd

from trading.errors import DataError
from trading.systems.buffered_path import TradeTo, buffered_path
from trading.systems.buffered_position import BufferedPosition
from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.contract_risk import ContractRisk
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.rawdata import RawData
from trading.systems.risk_overlay import RiskOverlay
from trading.systems.stage import SystemStage

_USUAL_DAYS: Final = 60
_LEAST_CHANGES: Final = 10


class Portfolio(SystemStage):
    """Positions of instruments that share the capital, and their buffers (pysystemtrade.md 4.6)."""

    name = "portfolio"
    needs = ("instrumentWeights", "riskOverlay", "positionSize", "contractRisk", "combForecast", "rawdata")

    def notional_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded, made smaller where the risk overlay says so."""
        def compute() -> pd.Series:
            desired = self.system.stage(RiskOverlay).desired_position(code)
            return desired * self.system.stage(RiskOverlay).multiplier().reindex(desired.index, method="ffill")
        return self.get_item("notional_position", code, compute)

    def buffer(self, code: str) -> pd.Series:
        """Half the width of the buffer, in contracts."""
        config = self.system.config
        measure = self.average_position(code) if config.buffer_method == "forecast" else self.notional_position(code)
        return measure.abs() * (0.0 if config.buffer_method == "none" else config.buffer_size)

    def average_position(self, code: str) -> pd.Series:
        """Contracts each business day if the forecast were an average one."""
        scalar, weights = self.system.stage(ContractRisk).volatility_scalar(code), self.system.stage(InstrumentWeights)
        return scalar * (weights.weight(code) * weights.multiplier()).reindex(scalar.index, method="ffill")

    def held_position(self, code: str, to: TradeTo = TradeTo.EDGE) -> pd.Series:
        """Whole contracts each business day, had every signal been followed; half a contract rounds to even."""
        def compute() -> pd.Series:
            optimal, half = self.notional_position(code), self.buffer(code)
            half = half.reindex(optimal.index, method="ffill")
            return buffered_path(optimal.round(), (optimal - half).round(), (optimal + half).round(), to)
        return self.get_item(f"held_position {to}", code, compute)

    def optimal_position(self, code: str) -> BufferedPosition:
        """What should be held after the last day.

        Raises:
            DataError: there is too little data for a position; nothing is guessed.
        """
        reason = next(self._why_unknown(code), None)
        if reason is not None:
            raise DataError(f"{code} has no optimal position: {reason}. Nothing is traded in it until its data are "
                            f"complete.")
        path, half = self.notional_position(code).dropna(), float(self.buffer(code).iloc[-1])
        optimal, changes = float(path.iloc[-1]), path.diff().dropna().tail(_USUAL_DAYS)
        multiple = self.system.data.multiple_prices(code)
        held, signal = (prices.index[prices.notna()][-1] for prices in (
            multiple["PRICE"], self.system.data.adjusted_prices(code)))
        return BufferedPosition(lower=optimal - half, upper=optimal + half, optimal=optimal,
                                reference_price=float(multiple["PRICE"].loc[held]),
                                reference_contract=str(multiple["PRICE_CONTRACT"].loc[held]),
                                as_of=min(held, signal).to_pydatetime(),
                                previous=float(path.iloc[-2]) if len(path) > 1 else None,
                                usual_change=float(changes.std()) if len(changes) >= _LEAST_CHANGES else None)

    def _why_unknown(self, code: str) -> Iterator[str]:
        """Everything that stands in the way of a position, the first cause first."""
        raw, sizes = self.system.stage(RawData), self.system.stage(ContractRisk)
        if not raw.daily_prices(code).notna().any():
            yield "it has no adjusted price"
        if self.system.data.multiple_prices(code)["PRICE"].last_valid_index() is None:
            yield "its multiple prices have no PRICE"
        yield from raw.why_risk_is_unknown(code)
        if math.isnan(_last(sizes.rate(code))):
            currency = self.system.data.instrument(code).currency
            yield f"the value of one {currency} in {self.system.config.base_currency} is not known"
        if not _last(sizes.value_volatility(code)) > 0:
            yield "the risk of one contract is not known; look at the price of the held contract and the point size"
        if math.isnan(_last(self.system.stage(CombineForecasts).combined_forecast(code))):
            yield "no rule has a forecast"
        if not math.isfinite(_last(self.notional_position(code)) + _last(self.buffer(code))):
            yield "its position is not a number"


def _last(values: pd.Series) -> float:
    """The newest value; NaN when there is none."""
    return float(values.iloc[-1]) if len(values) else math.nan
