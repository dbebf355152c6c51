"""Bars of one contract: open, high, low, close, volume on a UTC index. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.errors import DataError

BAR_COLUMNS: Final = ("OPEN", "HIGH", "LOW", "FINAL", "VOLUME")
MAX_SPIKE: Final = 8.0  # a move this many times the usual one is a question for a person (pysystemtrade.md 3.3)
_USUAL_MOVES_NEEDED: Final = 20


class PriceSpike(DataError):
    """A new price is so far from the last one that a person must look at it."""

    def __init__(self, what: str, stamp: pd.Timestamp, value: float, ratio: float) -> None:
        instrument = what.partition("/")[0]
        super().__init__(f"{what}: {value:g} at {stamp:%Y-%m-%d %H:%M} is a move {ratio:.0f} times the usual one "
                         f"(allowed: {MAX_SPIKE:g}). Nothing was stored. Look at it: tradectl prices {instrument}")


def check_spike(what: str, old: pd.Series, new: pd.Series) -> None:
    """Raise PriceSpike when a daily move in `new` is out of proportion to the usual ones of `old`.

    Moves are between the last prices of each UTC day, per square root of the days between them: an hourly price
    beside a daily one must not look like a jump. A young series has no usual move yet and passes.
    """
    before, after = _last_of_day(old), _last_of_day(new)
    if len(before) < _USUAL_MOVES_NEEDED or after.empty:
        return
    usual = float(_moves(before.tail(500)).ewm(span=500).mean().iloc[-1])
    joined = pd.concat([before[before.index < after.index[0]].tail(1), after])
    moves = _moves(joined)
    if usual > 0 and len(moves) and moves.max() > MAX_SPIKE * usual:
        at = int(moves.to_numpy().argmax())
        stamp = pd.DatetimeIndex(moves.index)[at]
        raise PriceSpike(what, stamp, float(joined[stamp]), float(moves.iloc[at] / usual))


def _last_of_day(prices: pd.Series) -> pd.Series:
    known = prices.dropna()
    last: pd.Series = known.groupby(pd.DatetimeIndex(known.index).normalize()).last()
    return last


def _moves(daily: pd.Series) -> pd.Series:
    days = daily.index.to_series().diff().dt.total_seconds() / 86_400
    moves: pd.Series = daily.diff().abs() / np.sqrt(np.maximum(days, 1.0))
    return moves.dropna()


def without_empty_bars(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop bars that carry no price, or a zero price on zero volume."""
    hollow = (frame["FINAL"] == 0) & (frame["VOLUME"] == 0)
    return frame[frame["FINAL"].notna() & ~hollow]
