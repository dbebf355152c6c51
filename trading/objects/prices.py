"""Bars of one contract: open, high, low, close, volume on a UTC index. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.errors import DataError

BAR_COLUMNS: Final = ("OPEN", "HIGH", "LOW", "FINAL", "VOLUME")
MAX_SPIKE: Final = 8.0  # a move this many times the usual one is a question for a person (pysystemtrade.md 3.3)
_USUAL_MOVES_NEEDED: Final = 20
_MILLISECONDS_A_DAY: Final = 86_400_000


class PriceSpike(DataError):
    """A new price is far from its neighbours, and nothing confirms it."""

    def __init__(self, what: str, stamp: pd.Timestamp, value: float, ratio: float) -> None:
        instrument = what.partition("/")[0]
        super().__init__(f"{what}: {value:g} at {stamp:%Y-%m-%d %H:%M} is a move {ratio:.0f} times the usual one "
                         f"(allowed: {MAX_SPIKE:g}) and no later price confirms it. Nothing was stored; it is "
                         f"looked at again with the next prices. See: tradectl prices {instrument}")


def check_spike(what: str, old: pd.Series, new: pd.Series) -> None:
    """Raise PriceSpike when a price in `new` jumps and the next two prices do not stay with it.

    A jump is a move of more than eight usual daily ones of `old`, whatever the time between two prices below a day.
    A crash is confirmed by its own later prices, a wrong tick is not. A young series has no usual move and passes.
    """
    usual = _usual_daily_move(old)
    fresh = new.dropna()
    if not usual or fresh.empty:
        return
    joined = pd.concat([old.dropna().tail(1), fresh])
    values, limit = joined.to_numpy(dtype=float), MAX_SPIKE * usual
    stamps = pd.DatetimeIndex(joined.index).as_unit("ms").asi8
    days = np.maximum(np.diff(stamps) / _MILLISECONDS_A_DAY, 1.0)
    for i in np.flatnonzero(np.abs(np.diff(values)) > limit * np.sqrt(days)) + 1:
        confirmations = np.abs(values[i + 1:i + 3] - values[i]) <= limit
        if len(confirmations) < 2 or not confirmations.all():
            raise PriceSpike(what, joined.index[i], values[i], abs(values[i] - values[i - 1]) / usual)


def _usual_daily_move(old: pd.Series) -> float | None:
    """The exponentially weighted mean move between the last prices of each day; None while there are too few."""
    known = old.dropna()
    daily = known.groupby(pd.DatetimeIndex(known.index).normalize()).last().tail(500)
    if len(daily) < _USUAL_MOVES_NEEDED:
        return None
    return float(daily.diff().abs().ewm(span=500).mean().iloc[-1])


def without_empty_bars(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop bars that carry no price, or a zero price on zero volume."""
    hollow = (frame["FINAL"] == 0) & (frame["VOLUME"] == 0)
    return frame[frame["FINAL"].notna() & ~hollow]
