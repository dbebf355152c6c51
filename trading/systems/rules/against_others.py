"""Rules that look at an instrument beside its asset class. Pure; source of all formulas: pysystemtrade.md 4.4."""

import pandas as pd

from trading.quant.volatility import VolatilityEstimator
from trading.systems.rules.moves import normmom


def assettrend(asset_class_price: pd.Series, fast: int, slow: int) -> pd.Series:
    """Trend of the whole asset class, in units of its own volatility."""
    return normmom(asset_class_price, fast, slow)


def relmomentum(normalised_price: pd.Series, asset_class_price: pd.Series, horizon: int) -> pd.Series:
    """How much faster than its asset class the instrument has risen over `horizon` business days; smoothed."""
    ahead = normalised_price - asset_class_price.reindex(normalised_price.index, method="ffill")
    pace = ahead.diff().rolling(horizon, min_periods=1).mean()
    return pace.ewm(span=max(2, horizon // 4)).mean()


def mrinasset(normalised_price: pd.Series, asset_class_price: pd.Series, horizon: int) -> pd.Series:
    """Whoever ran ahead of its asset class over `horizon` business days falls back: the opposite of `relmomentum`."""
    return -relmomentum(normalised_price, asset_class_price, horizon)


def relcarry(smooth_carry: pd.Series, asset_class_carry: pd.Series) -> pd.Series:
    """Carry above that of the asset class."""
    return smooth_carry - asset_class_carry.reindex(smooth_carry.index, method="ffill")


def skewabs(skew_above_usual: pd.Series, smooth: int) -> pd.Series:
    """Long what is more negatively skewed than instruments usually are."""
    return _in_own_volatility(skew_above_usual, smooth)


def skewrv(skew_above_class: pd.Series, smooth: int) -> pd.Series:
    """Long what is more negatively skewed than its asset class is now."""
    return _in_own_volatility(skew_above_class, smooth)


def _in_own_volatility(factor: pd.Series, smooth: int) -> pd.Series:
    return (factor / VolatilityEstimator().estimate(factor)).ewm(span=smooth).mean()
