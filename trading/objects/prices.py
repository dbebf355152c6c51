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
        super().__init__(f"{what}: {value:g} at {stamp:%Y-%m-%d %H:%M} is a move {ratio:.0f} times the usual one "
                         f"(allowed: {MAX_SPIKE:g}). Nothing was stored. Look at it: tradectl prices {what.split('/')[0]}")


def check_spike(what: str, old: pd.Series, new: pd.Series) -> None:
    """Raise PriceSpike when a move in `new` is out of proportion to those before it.

    Moves are per square root of the days between prices; a young series has no usual move and passes.
    """
    series = pd.concat([old.tail(500), new]).dropna()
    if len(series) < _USUAL_MOVES_NEEDED:
        return
    days = np.maximum(series.index.to_series().diff().dt.total_seconds() / 86_400, 1 / 24)
    move = series.diff().abs() / np.sqrt(days)
    usual = move.ewm(span=500, min_periods=_USUAL_MOVES_NEEDED).mean().shift(1)
    ratio = (move / usual.where(usual > 0)).reindex(new.dropna().index)
    if len(ratio) and ratio.max() > MAX_SPIKE:
        stamp = ratio.idxmax()
        raise PriceSpike(what, stamp, float(series[stamp]), float(ratio.max()))


def without_empty_bars(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop bars that carry no price, or a zero price on zero volume."""
    hollow = (frame["FINAL"] == 0) & (frame["VOLUME"] == 0)
    return frame[frame["FINAL"].notna() & ~hollow]
