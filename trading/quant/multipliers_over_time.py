"""The diversification multiplier as it was known over time: of each year's correlations and the weights then. Pure.

Source: pysystemtrade.md 4.5, oracle README 08.
"""

from collections.abc import Sequence

import pandas as pd

from trading.quant.arrays import Matrix
from trading.quant.diversification import diversification_multiplier
from trading.quant.fitting_periods import FittingPeriod

_SMOOTHING = 125  # span in business days


def multipliers_over_time(correlations: Sequence[pd.DataFrame], periods: Sequence[FittingPeriod],
                          weights: pd.DataFrame) -> pd.Series:
    """A multiplier for each row of `weights`, smoothed; 1 while nothing is known.

    Args:
        correlations: one a period, names on both axes, no matter in which order.
        weights: of risk, a row a business day, ascending, a column a name.
    """
    names = list(weights.columns)
    steps = pd.Series({period.start: _multiplier(correlation.loc[names, names].to_numpy(), weights[:period.start])
                       for correlation, period in zip(correlations, periods, strict=True)})
    daily = steps.reindex(steps.index.union(weights.index)).ffill().reindex(weights.index)
    return daily.ewm(span=_SMOOTHING).mean().fillna(1.0)


def _multiplier(correlation: Matrix, until_then: pd.DataFrame) -> float:
    """Of the newest weights, whatever they sum to; 1 when nobody has one yet."""
    newest = until_then.tail(1).to_numpy(dtype=float).sum(axis=0)
    return diversification_multiplier(correlation, newest / newest.sum()) if newest.sum() > 0 else 1.0
