"""Weights averaged over many samples of the past, so that no single stretch of it decides. Pure.

Each sample draws periods with replacement; its best weights are those of the highest Sharpe ratio of its standardised
returns. A sample in which nothing earned anything has no best weights and is left out, and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Matrix, Places, Vector
from trading.quant.executor import Executor
from trading.quant.sharpe_ratio import NothingToGain, max_sharpe
from trading.quant.weight_bounds import WeightBounds


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrapped:
    """Average weights, shape (n,), those of each sample (None when it had no best), and how many had none."""

    weights: Vector
    samples: tuple[Vector | None, ...]
    skipped: int


def drawn_periods(periods: int, samples: int, seed: int) -> tuple[Places, ...]:
    """The rows of each sample, as many as there are; sample k draws with a seed of its own, (seed, k)."""
    return tuple(np.random.default_rng([seed, sample]).integers(0, periods, periods) for sample in range(samples))


def bootstrapped_weights(returns: Matrix, drawn: Sequence[Places], bounds: WeightBounds,
                         executor: Executor) -> Bootstrapped:
    """Average of the best weights of the samples that have some; sum 1, inside `bounds`.

    Args:
        returns: shape (T, n), no NaN. drawn: rows of each sample.

    Raises:
        DataError: no sample has best weights.
        NotSolved: those of some sample were not found.
    """
    samples = tuple(executor.map(_best_of_sample, [(returns[rows], bounds) for rows in drawn]))
    solved = [weights for weights in samples if weights is not None]
    if not solved:
        raise DataError(f"In none of {len(samples)} samples did any allowed weights earn anything, so there is nothing "
                        f"to average. Use minimum variance, or a longer window.")
    return Bootstrapped(weights=np.mean(solved, axis=0), samples=samples, skipped=len(samples) - len(solved))


def _best_of_sample(task: tuple[Matrix, WeightBounds]) -> Vector | None:
    returns, bounds = task
    deviations = returns.std(axis=0, ddof=1)
    if not np.all(deviations > 0):
        return None  # an instrument that did not move in this sample has no ratio
    correlation = np.atleast_2d(np.corrcoef(returns.T))
    try:
        return max_sharpe(returns.mean(axis=0) / deviations, correlation, bounds)
    except NothingToGain:
        return None
