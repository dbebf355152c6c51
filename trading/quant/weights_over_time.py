"""Weights refitted once a year, each on what was known by then. Pure."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from trading.quant.arrays import Vector
from trading.quant.estimates import Estimates, EstimateSettings
from trading.quant.executor import Executor
from trading.quant.fitting_periods import FittingPeriod
from trading.quant.weight_cleaning import FRACTION, cleaned_weights

Weigh = Callable[[Estimates, pd.DataFrame], Vector]


def weights_over_time(changes: pd.DataFrame, periods: Sequence[FittingPeriod], weigh: Weigh, executor: Executor,
                      settings: EstimateSettings | None = None) -> pd.DataFrame:
    """A row a period at its start, a column an instrument, sum 1 wherever something had to be filled in.

    An instrument that could not be estimated yet gets half an equal share; where nothing could, all get the same.

    Args:
        changes: periodic, shape (T, n), NaN before an instrument's first.
        weigh: weights of those of which everything is known, from estimates and changes; other processes must be able
            to find it.
    """
    settings = settings or EstimateSettings()
    tasks = [(period.rows(changes) if period.has_data else changes.head(0), weigh, settings) for period in periods]
    rows = executor.map(_fitted, tasks)
    return pd.DataFrame(np.vstack(rows), index=[period.start for period in periods], columns=changes.columns)


def _fitted(task: tuple[pd.DataFrame, Weigh, EstimateSettings]) -> Vector:
    changes, weigh, settings = task
    weights, wanted = np.full(changes.shape[1], np.nan), np.ones(changes.shape[1], dtype=bool)
    if len(changes) > 0:
        known = settings.estimate(changes).known()
        if known.names:
            places = [list(changes.columns).index(name) for name in known.names]
            weights[places] = weigh(known, changes)
    return cleaned_weights(weights, wanted, FRACTION)
