"""The positions that somebody holds who trades only when the position leaves its buffer. Pure."""

from enum import StrEnum

import numpy as np
import pandas as pd


class TradeTo(StrEnum):
    """Where a position goes that has left its buffer."""

    OPTIMUM = "OPTIMUM"  # what pysystemtrade's backtests do
    EDGE = "EDGE"        # what production does, ours and pysystemtrade's


def buffered_path(optimal: pd.Series, lower: pd.Series, upper: pd.Series, to: TradeTo) -> pd.Series:
    """The position after each day, in the units of its arguments; whole lots when these are rounded.

    Args:
        optimal, lower, upper: one value a day on the same index, lower <= upper; NaN where unknown.

    Returns:
        The first day takes the optimum (nothing when it is unknown); a day with an unknown value changes nothing.

    Source: oracle README 05 and 13.
    """
    days = zip(optimal.to_numpy(float), lower.to_numpy(float), upper.to_numpy(float), strict=True)
    held, path = float(optimal.head(1).fillna(0.0).sum()), []
    for best, low, high in days:
        held = _after_a_day(held, best, low, high, to)
        path.append(held)
    return pd.Series(path, index=optimal.index, dtype="float64")


def _after_a_day(held: float, best: float, low: float, high: float, to: TradeTo) -> float:
    if np.isnan(best) or np.isnan(low) or np.isnan(high) or low <= held <= high:
        return held
    if to is TradeTo.OPTIMUM:
        return best
    return min(max(held, low), high)
