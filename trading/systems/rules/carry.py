"""Carry: what the slope of the curve pays for holding, smoothed. Pure."""

import pandas as pd


def carry(raw_carry: pd.Series, smooth_days: int) -> pd.Series:
    """Raw forecast each business day from carry in units of annual volatility; `smooth_days` is a centre of mass.

    Source: pysystemtrade.md 4.4.
    """
    return raw_carry.ewm(com=smooth_days).mean()
