"""Weights as a system's settings want them estimated, from what was gained. Pure."""

import numpy as np
import pandas as pd

from trading.conventions import Conventions
from trading.quant.correlation import CorrelationEstimator
from trading.quant.correlation_cleaning import CorrelationCleaning
from trading.quant.estimates import EstimateSettings
from trading.quant.executor import Executor
from trading.quant.fitting_periods import fitting_periods
from trading.quant.moments import weekly_changes
from trading.quant.returns import Missing
from trading.quant.weighing import Weighing
from trading.quant.weights_over_time import weights_over_time
from trading.systems.account_curve import AccountCurve
from trading.systems.estimation_config import WeightEstimate


def net_gains(curve: AccountCurve, cost_multiplier: float) -> pd.Series:
    """What is weighed by: percent of the capital each day, costs counted `cost_multiplier` times."""
    return curve.percent_of(curve.gross + cost_multiplier * curve.costs.reindex(curve.gross.index).fillna(0.0))


def weekly_gains(daily: pd.DataFrame, conventions: Conventions) -> pd.DataFrame:
    """Gains of each week, a column a name; NaN before its first."""
    if conventions.weeks_before_the_first_are_unknown:
        return weekly_changes(daily)
    return daily.where(daily != 0).resample("W").sum()


def fitted_weights(changes: pd.DataFrame, estimate: WeightEstimate, executor: Executor, conventions: Conventions,
                   pooled: int = 1) -> pd.DataFrame:
    """A row at the start of each fitting period, a column a name.

    Args:
        changes: gains of each week, ascending; of `pooled` instruments one below the other in order of time.
    """
    periods = fitting_periods(pd.DatetimeIndex(changes.index), estimate.fit, estimate.roll_years)
    weighing = Weighing(method=estimate.method, past_sharpe=estimate.past_sharpe,
                        samples=estimate.samples, conventions=conventions)
    return weights_over_time(changes, periods, weighing.weights, executor, EstimateSettings(pooled=pooled))


def on_days(weights: pd.DataFrame, days: pd.Index) -> pd.DataFrame:
    """`weights`, of which each row holds until the next, and the first before its time as well."""
    if len(weights) == 1:
        rows = np.broadcast_to(weights.to_numpy(dtype=float), (len(days), len(weights.columns)))
        return pd.DataFrame(rows, index=days, columns=weights.columns)
    return weights.reindex(days, method="ffill").bfill()


def shares_of(wanted: pd.DataFrame, available: pd.DataFrame) -> pd.DataFrame:
    """`wanted` of those that are available, made to sum to 1 each day; nothing on a day on which none is.

    Args:
        available: booleans, with the rows and columns of `wanted`.
    """
    weights = np.where(available.to_numpy(), wanted.to_numpy(), 0.0)
    total = (weights @ np.ones(weights.shape[1]))[:, np.newaxis]  # ten times faster than the sum of short rows
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return pd.DataFrame(shares, index=wanted.index, columns=wanted.columns)


def diversity_estimator(conventions: Conventions, pooled: int = 1) -> CorrelationEstimator:
    """Correlations of weeks for multipliers: no credit for what moves against the rest. Source: oracle README 08."""
    cleaning = CorrelationCleaning(floor=0.0, repair=False, conventions=conventions)
    return CorrelationEstimator(missing=Missing.PAIRWISE, span=250.0 * pooled, min_periods=20 * pooled,
                                cleaning=cleaning)
