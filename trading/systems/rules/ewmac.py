"""Trend: a fast average of the price above a slow one, in units of daily volatility. Pure."""

import pandas as pd


def ewmac(price: pd.Series, volatility: pd.Series, fast: int, slow: int) -> pd.Series:
    """Raw forecast each business day.

    Args:
        price: daily prices, may be negative. volatility: daily, same index, in price points.
        fast, slow: spans in business days.

    Source: pysystemtrade.md 4.4.
    """
    spread = price.ewm(span=fast, min_periods=1).mean() - price.ewm(span=slow, min_periods=1).mean()
    return spread / volatility.ffill()
