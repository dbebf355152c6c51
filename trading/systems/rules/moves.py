"""Rules on one instrument's own moves. Pure; source of all formulas: pysystemtrade.md 4.4."""

import pandas as pd

from trading.quant.volatility import VolatilityEstimator
from trading.systems.rules.ewmac import ewmac

_EXTREME = 3.0  # standard deviations of the forecast
_EXTREME_DAYS = 5_000


def normmom(normalised_price: pd.Series, fast: int, slow: int) -> pd.Series:
    """Trend of the volatility-normalised price, in units of its own volatility."""
    volatility = VolatilityEstimator().estimate(normalised_price.diff())
    return ewmac(normalised_price, volatility, fast, slow)


def accel(price: pd.Series, volatility: pd.Series, fast: int) -> pd.Series:
    """How much stronger the trend (`fast` against four times as slow) is than `fast` days ago."""
    trend = ewmac(price, volatility, fast, 4 * fast)
    return trend - trend.shift(fast)


def mr_wings(price: pd.Series, volatility: pd.Series, fast: int) -> pd.Series:
    """Against the trend (`fast` against four times as slow) where it is extreme, nothing elsewhere."""
    trend = ewmac(price, volatility, fast, 4 * fast)
    extreme = trend.rolling(_EXTREME_DAYS, min_periods=3).std() * _EXTREME
    return -trend.where(trend.abs() >= extreme, 0.0).where(trend.notna())


def bias(price: pd.Series, direction: int) -> pd.Series:
    """Always long (1) or always short (-1), as strongly as an average forecast."""
    return pd.Series(10.0 * direction, index=price.index)
