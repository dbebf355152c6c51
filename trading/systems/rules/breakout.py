"""Breakout: where the price stands in the range of the last days. Pure."""

import math

import numpy as np
import pandas as pd


def breakout(price: pd.Series, lookback: int) -> pd.Series:
    """Raw forecast from -20 to 20 each business day.

    Source: pysystemtrade.md 4.4.
    """
    rolling = price.rolling(lookback, min_periods=min(len(price), math.ceil(lookback / 2)))
    high, low = rolling.max().to_numpy(), rolling.min().to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):  # a price that stands still has no range
        place = 40 * (price.to_numpy() - (high + low) / 2) / (high - low)
    smooth = max(lookback // 4, 1)
    return pd.Series(place, index=price.index).ewm(span=smooth, min_periods=math.ceil(smooth / 2)).mean()
