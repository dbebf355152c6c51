"""Portfolio: the share of each instrument, the position that follows, and its buffer."""

import math
from collections.abc import Iterator

import pandas as pd

from trading.errors import DataError
from trading.systems.buffered_path import TradeTo, buffered_path
from trading.systems.buffered_position import BufferedPosition
from trading.systems.forecasts import CombineForecasts
from trading.systems.position_size import PositionSize
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage

_WEIGHT_SMOOTHING = 125  # centre of mass in business days, as pysystemtrade's ewm(125)


class Portfolio(SystemStage):
    """Instrument weights, diversification multiplier, buffers (pysystemtrade.md 4.6)."""

    name = "portfolio"
    needs = ("positionSize", "combForecast", "rawdata")

    def notional_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded."""
        def compute() -> pd.Series:
            subsystem = self.system.stage(PositionSize).subsystem_position(code)
            return subsystem * self.weight(code).reindex(subsystem.index, method="ffill") * self._multiplier
        return self.kept("notional_position", code, compute)

    def weight(self, code: str) -> pd.Series:
        """The share of `code`: instruments without a position yet count nothing, the others share one.

        Smoothed from nothing on, as in pysystemtrade: the days before the first position count as a share of nothing.

        Raises:
            DataError: this system does not trade `code`.
        """
        codes = self.system.instrument_codes()
        if code not in codes:
            raise DataError(f"{code} is not traded by this system (it trades {', '.join(codes)}). "
                            f"Add it to the instruments of the system.")
        return self._weights()[code]

    def buffer(self, code: str) -> pd.Series:
        """Half the width of the buffer, in contracts."""
        config = self.system.config
        if config.buffer_method == "position":
            return self.notional_position(code).abs() * config.buffer_size
        return self.average_position(code).abs() * config.buffer_size

    def average_position(self, code: str) -> pd.Series:
        """Contracts each business day if the forecast were an average one."""
        scalar = self.system.stage(PositionSize).volatility_scalar(code)
        return scalar * self.weight(code).reindex(scalar.index, method="ffill") * self._multiplier

    def held_position(self, code: str, to: TradeTo = TradeTo.EDGE) -> pd.Series:
        """Whole contracts each business day, had every signal been followed; half a contract rounds to even."""
        def compute() -> pd.Series:
            optimal, half = self.notional_position(code), self.buffer(code)
            half = half.reindex(optimal.index, method="ffill")
            return buffered_path(optimal.round(), (optimal - half).round(), (optimal + half).round(), to)
        return self.kept(f"held_position {to}", code, compute)

    def optimal_position(self, code: str) -> BufferedPosition:
        """What should be held after the last day.

        Raises:
            DataError: there is too little data for a position; nothing is guessed.
        """
        reason = next(self._why_unknown(code), None)
        if reason is not None:
            raise DataError(f"{code} has no optimal position: {reason}. Nothing is traded in it until its data are "
                            f"complete.")
        optimal, half = float(self.notional_position(code).iloc[-1]), float(self.buffer(code).iloc[-1])
        held = _known_prices(self.system.data.multiple_prices(code))
        signal = self.system.data.adjusted_prices(code).dropna()
        return BufferedPosition(lower=optimal - half, upper=optimal + half, optimal=optimal,
                                reference_price=float(held["PRICE"].iloc[-1]),
                                reference_contract=str(held["PRICE_CONTRACT"].iloc[-1]),
                                as_of=min(held.index[-1], signal.index[-1]).to_pydatetime())

    @property
    def _multiplier(self) -> float:
        return self.system.config.instrument_div_multiplier

    def _weights(self) -> pd.DataFrame:
        def compute() -> pd.DataFrame:
            codes = self.system.instrument_codes()
            fixed = pd.Series(self.system.config.instrument_weights or dict.fromkeys(codes, 1.0 / len(codes)))
            found = {code: self._position_or_none(code) for code in codes}
            positions = pd.DataFrame({code: position for code, position in found.items() if position is not None})
            available = positions.ffill().notna() * fixed.reindex(positions.columns)
            for code in set(codes) - set(positions):
                available[code] = fixed[code]  # its share waits for its data; the others do not grow into it
            shares = available.div(available.sum(axis=1).where(lambda total: total > 0), axis=0).fillna(0.0)
            return shares.resample("1B").mean().ewm(com=_WEIGHT_SMOOTHING).mean()
        return self.kept("weights", "", compute)

    def _position_or_none(self, code: str) -> pd.Series | None:
        """None when the data of `code` are broken; asking for its optimal position then says why."""
        try:
            return self.system.stage(PositionSize).subsystem_position(code)
        except DataError:
            return None

    def _why_unknown(self, code: str) -> Iterator[str]:
        """Everything that stands in the way of a position, the first cause first."""
        raw, sizes = self.system.stage(RawData), self.system.stage(PositionSize)
        if not raw.daily_prices(code).notna().any():
            yield "it has no adjusted price"
        if _known_prices(self.system.data.multiple_prices(code)).empty:
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


def _known_prices(multiple: pd.DataFrame) -> pd.DataFrame:
    return multiple[multiple["PRICE"].notna()]


def _last(values: pd.Series) -> float:
    """The newest value; NaN when there is none."""
    return float(values.iloc[-1]) if len(values) else math.nan
