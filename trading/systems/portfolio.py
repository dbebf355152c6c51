"""Portfolio: the share of each instrument, the position that follows, and its buffer."""

import math

import pandas as pd

from trading.errors import DataError
from trading.systems.buffered_position import BufferedPosition
from trading.systems.position_size import PositionSize
from trading.systems.stage import SystemStage

_WEIGHT_SMOOTHING = 125  # centre of mass in business days, as pysystemtrade's ewm(125)


class Portfolio(SystemStage):
    """Instrument weights, diversification multiplier, buffers (pysystemtrade.md 4.6)."""

    name = "portfolio"
    needs = ("positionSize",)

    def notional_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded."""
        def compute() -> pd.Series:
            subsystem = self.system.stage(PositionSize).subsystem_position(code)
            return subsystem * self.weight(code).reindex(subsystem.index, method="ffill") * self._multiplier
        return self.kept("notional_position", code, compute)

    def weight(self, code: str) -> pd.Series:
        """The share of `code`: instruments without a position yet count nothing, the others add up to one."""
        return self._weights()[code]

    def buffer(self, code: str) -> pd.Series:
        """Half the width of the buffer, in contracts."""
        config = self.system.config
        if config.buffer_method == "position":
            return self.notional_position(code).abs() * config.buffer_size
        scalar = self.system.stage(PositionSize).volatility_scalar(code)
        weight = self.weight(code).reindex(scalar.index, method="ffill")
        return (scalar * weight * self._multiplier).abs() * config.buffer_size

    def optimal_position(self, code: str) -> BufferedPosition:
        """What should be held after the last day.

        Raises:
            DataError: there is too little data for a position; nothing is guessed.
        """
        positions, buffers = self.notional_position(code), self.buffer(code)
        if positions.empty or math.isnan(positions.iloc[-1]) or math.isnan(buffers.iloc[-1]):
            raise DataError(f"{code} has too little data for a position: {self._what_is_missing(code)}.")
        optimal, half = float(positions.iloc[-1]), float(buffers.iloc[-1])
        known = self.system.data.multiple_prices(code)
        known = known[known["PRICE"].notna()]
        return BufferedPosition(lower=optimal - half, upper=optimal + half, optimal=optimal,
                                reference_price=float(known["PRICE"].iloc[-1]),
                                reference_contract=str(known["PRICE_CONTRACT"].iloc[-1]),
                                as_of=known.index[-1].to_pydatetime())

    @property
    def _multiplier(self) -> float:
        return self.system.config.instrument_div_multiplier

    def _weights(self) -> pd.DataFrame:
        def compute() -> pd.DataFrame:
            codes = self.system.instrument_codes()
            fixed = pd.Series(self.system.config.instrument_weights or dict.fromkeys(codes, 1.0 / len(codes)))
            sizes = self.system.stage(PositionSize)
            positions = pd.DataFrame({code: sizes.subsystem_position(code) for code in codes if code in fixed})
            available = positions.ffill().notna() * fixed.reindex(positions.columns)
            shares = available.div(available.sum(axis=1).where(lambda total: total > 0), axis=0).fillna(0.0)
            return shares.resample("1B").mean().ewm(com=_WEIGHT_SMOOTHING).mean()
        return self.kept("weights", "", compute)

    def _what_is_missing(self, code: str) -> str:
        sizes = self.system.stage(PositionSize)
        for what, series in (("volatility", sizes.value_volatility(code)),
                             ("forecast", sizes.subsystem_position(code)), ("weight", self.weight(code))):
            if series.empty or math.isnan(series.iloc[-1]):
                return f"no {what} on its last day"
        return "no position on its last day"
